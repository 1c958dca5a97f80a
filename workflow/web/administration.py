"""Erasing: the content rows of a case with a box each, and the act that empties them for good. For records officers only."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from states.kernel import Refused
from workflow import cases, history, story
from workflow.cases import View
from workflow.db import database
from workflow.erase import erase
from workflow.loading import NotFound
from workflow.web import offers
from workflow.web.posted import Posted
from workflow.web.render import Signed, page
from workflow.web.session import Connection, RowId, SignedIn

router = APIRouter()

ERASES = "records"
EXCERPT = 200  # characters shown of a part, enough to know it by
# What an event writes of itself. Parties are organisations, and what was erased stays told: these are never offered.
NAMES = {"names": "その日の氏名・職・所属", "shown": "判断のときに示した照合と計算", "letter": "通知の文面"}
KEPT = frozenset({"parties", "erasure"})
_CODE = re.compile(r"[a-z][a-z_.-]*")  # a choice of the form; nothing that anybody wrote
_ROW = re.compile(r"([0-9]{1,9})\.([0-9]{1,9})")


@router.get("/cases/{case_id:int}/erase")
def show(request: Request, conn: Connection, signed: SignedIn, case_id: RowId) -> Response:
    return _page(request, conn, signed, _case(conn, signed, case_id))


@router.post("/cases/{case_id:int}/erase")
def carry_out(request: Request, conn: Connection, signed: SignedIn, posted: Posted, case_id: RowId) -> Response:
    """Erase the ticked rows. A refusal shows the page again with the boxes and the ground as they were."""
    view = _case(conn, signed, case_id)
    ticked, ground = posted.getlist("rows"), posted.get("ground", "").strip()
    rows = [(int(m[1]), int(m[2])) for m in map(_ROW.fullmatch, ticked) if m]
    problems = {} if rows and len(rows) == len(ticked) else {"rows": "消去する内容を1つ以上選んでください。"}
    problems |= {} if ground else {"ground": "消去の理由を書いてください。"}
    if not problems:
        try:
            erase(database(), signed.actor.person_id, case_id, rows, ground=ground)
        except Refused as refusal:
            if refusal.kind != "guard":
                raise
            problems = {"rows": refusal.sentence}
        else:
            return RedirectResponse(f"/cases/{case_id}?done=erase", 303)
    return _page(request, conn, signed, view, frozenset(ticked), ground, problems)


def _case(conn: Connection, signed: Signed, case_id: int) -> View:
    """The case, for who may erase. Raises `NotFound` for everybody else, and for drafts, which have no history."""
    view = cases.look(conn, signed.actor.person_id, case_id)
    if ERASES not in view.roles or not view.version:
        raise NotFound
    return view


def _page(
    request: Request, conn: Connection, signed: Signed, view: View,
    ticked: frozenset[str] = frozenset(), ground: str = "", problems: Mapping[str, str] | None = None,
) -> Response:  # fmt: skip
    return page(
        request, signed, "erase.html", status=422 if problems else 200, view=view, groups=_groups(conn, view),
        ticked=ticked, ground=ground, problems=problems or {},
    )  # fmt: skip


def _groups(conn: Connection, view: View) -> list[tuple[str, list[dict[str, Any]]]]:
    """The content rows by what they are, so that a group that was written several times is seen together."""
    events = {line["seq"]: line for line in story.timeline(conn, view)}
    found: dict[str, list[dict[str, Any]]] = {}
    for row in story.content_rows(conn, view):
        if row["kind"] not in KEPT:
            event = events[row["seq"]]
            told = {
                "value": f"{row['seq']}.{row['ord']}",
                "event": event,
                "erased_by": row["erased_by"],
                "gone": row["data"] is None,
            }
            found.setdefault(_label(view, event["action"], row), []).append(told | {"excerpt": _excerpt(view, row)})
    return list(found.items())


def _label(view: View, action: str, row: Mapping[str, Any]) -> str:
    """What a content row is, in words."""
    kind: str = row["kind"]
    head, _, name = kind.partition(":")
    if kind.startswith(history.FORM):
        group = name.partition(":")[0]
        return f"様式: {getattr(offers.words(view.process), 'group_names', {}).get(group, name)}"
    told = story.part_told(view.process, action, row)
    return f"書かれた理由など: {told['label']}" if told else NAMES.get(head, kind)


def _excerpt(view: View, row: Mapping[str, Any]) -> str:
    """The beginning of what stands there, where this reader may read it."""
    if row["data"] is None or row["kind"] == "shown" or not view.may_read(row["kind"]):
        return ""
    text = " / ".join(filter(None, _texts(json.loads(bytes(row["data"])))))
    return text if len(text) <= EXCERPT else text[:EXCERPT] + "…"


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _texts(part)
    elif isinstance(value, str) and not _CODE.fullmatch(value):
        yield value.strip()
