"""A new request that begins as a copy of an earlier one: what was asked comes along, what was only true then does not."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from states.dispatch.form import erased
from states.dispatch.parts import Request

_COPIED_OF_CONTACT = ("municipality_code", "municipality_name", "department", "tel")
_ELSEWHERE = {
    "receipt": "収受の記録と番号", "team": "派遣職員と日程", "decision": "決定", "consultation": "本庁との協議",
    "conditions": "条件", "result": "復命と結果",
}  # fmt: skip


def copied(form: Mapping[str, Any], previous: str) -> tuple[dict[str, Any], Sequence[str]]:
    """The form to begin with, and what was left out of it, in words.

    `previous` is the number of the earlier case where the new one continues it, else empty. Origin and bureau are those of
    the new case, whoever writes it. Nothing comes of a group that was erased.
    """
    found: dict[str, Any] = {}
    left_out: list[str] = []
    asked = form.get("request") or {}
    if asked and not erased(asked):
        request = copy.deepcopy(dict(asked))
        blank = Request().model_dump(by_alias=True)
        if any(request.get("period", {}).values()):
            left_out.append("派遣の期間")
        if any(wish.get("days") for wish in request.get("wishes", ())):
            left_out.append("来てほしい日")
        if any(request.get("destination", {}).get("recognition", {}).values()):
            left_out.append("団体を認めた日と文書の番号")
        if any(request.get("instruction", {}).values()):
            left_out.append("局長の指示")
        request |= {key: blank[key] for key in ("period", "instruction", "origin", "office_code")} | {
            "previous": previous
        }
        request["destination"] = request.get("destination", {}) | {"recognition": blank["destination"]["recognition"]}
        request["wishes"] = [wish | {"days": ""} for wish in request.get("wishes", ())]
        found["request"] = request
    contact = form.get("contact") or {}
    if contact and not erased(contact):
        found["contact"] = {key: contact.get(key, "") for key in _COPIED_OF_CONTACT} | {"name": "", "mail": ""}
        left_out += ["担当者の氏名とメール"] if contact.get("name") or contact.get("mail") else []
    return found, left_out + [words for group, words in _ELSEWHERE.items() if form.get(group)]
