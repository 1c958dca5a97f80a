"""What a session agreed to be done (対応状況): one case for each, with who does it, by when, and what became of it."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from states.forms import Field, Form, Group
from states.kernel import Process
from states.terms import CONFIRM, STAY, Action, Ask, Deadline, Facts, Input, State

BUREAU, MEMBER, TOLD = (frozenset({role}) for role in ("bureau", "partner", "municipality"))
FORM = Form((
    Group("item", "すること", (
        Field("no", "議題の番号"), Field("what", "すること"), Field("owner_kind", "だれが", "choice", options=(("office", "事務局(振興局)"), ("municipality", "市町村"))),
        Field("municipality", "市町村", "municipality"), Field("due", "いつまで", "date"),
    ), typed=False),
    Group("report", "したこと", (Field("text", "したこと", "long"), Field("on", "報告した日", "mark"), Field("by", "報告した人", "mark")), typed=False),
), reports=frozenset({"report"}))  # fmt: skip


def _owner(facts: Facts) -> str:
    """The municipality whose duty it is; "" for the office itself."""
    item = facts.read.part("item")
    return str(item.text("municipality")) if item.text("owner_kind") == "municipality" else ""


def _due(owned: bool) -> Any:
    def due(facts: Facts) -> date | None:
        day = facts.read.part("item").day("due")
        return day if bool(_owner(facts)) == owned and isinstance(day, date) else None

    return due


def _own(facts: Facts) -> bool:
    """A member reports its own duty only; the office may enter what a member tells it."""
    return "bureau" in facts.roles or "partner" in facts.roles


def _reported(facts: Facts) -> Mapping[str, Any]:
    return {"report": {"on": facts.today.isoformat(), "by": facts.actor}}


STATES = (
    State("action_new", "準備", "合意", "bureau"),
    State("action_open", "対応中", "対応", "bureau", "したことを報告する"),
    State("action_reported", "確認待ち", "対応", "bureau", "したことを確かめて終える"),
    State("action_done", "対応済み", "終了", final=True, outcome="対応した"),
    State("action_dropped", "取りやめ", "終了", final=True, outcome="取りやめた"),
)
ACTIONS = (
    Action("agree", ("action_new",), "action_open", "することにする", BUREAU, "担当に伝わり、期限が動きます", numbers=("branch",), tells=TOLD),
    Action("report", ("action_open",), "action_reported", "したことを報告する", BUREAU | MEMBER, "事務局が確かめます", when=_own, asks=(Input("text", "したこと", into="report.text"),), record=_reported, tells=BUREAU, main=True),
    Action("accept", ("action_reported",), "action_done", "確かめて終える", BUREAU, "この案件が終わります", tells=TOLD, main=True, bulk=True),
    Action("return_report", ("action_reported",), "action_open", "まだ足りないと返す", BUREAU, "担当に戻ります", asks=(Input("reason", "足りないこと"),), tells=TOLD),
    Action("extend_duty", ("action_open",), STAY, "期限を延ばす", BUREAU, "新しい期限が担当に伝わります", asks=(Input("due", "新しい期限", "date", into="item.due"), Input("reason", "延ばす理由")), tells=TOLD),
    Action("drop", ("action_open", "action_reported"), "action_dropped", "取りやめる", BUREAU, "この案件が終わります", asks=(Input("reason", "取りやめる理由"),), tells=TOLD, stops=True),
)  # fmt: skip
DEADLINES = (
    Deadline("duty_office", "対応の期限", "bureau", frozenset({"action_open"}), at=_due(owned=False), starts=frozenset({"extend_duty"})),
    Deadline("duty_member", "対応の期限", "partner", frozenset({"action_open"}), at=_due(owned=True), starts=frozenset({"extend_duty"})),
    Deadline("accept", "確かめる期限", "bureau", frozenset({"action_reported"}), 5),
)  # fmt: skip


def asks(facts: Facts) -> Sequence[Ask] | None:
    if facts.state != "action_open":
        return (
            [Ask("bureau", "したことを確かめて終える", "accept", kind=CONFIRM)]
            if facts.state == "action_reported"
            else None
        )
    owner = _owner(facts)
    return [
        Ask("partner", "したことを報告する", "duty_member", org=owner)
        if owner
        else Ask("bureau", "したことを報告する", "duty_office")
    ]


def title(form: Mapping[str, Any]) -> str:
    what = " ".join(str((form.get("item") or {}).get("what") or "").split())
    return f"対応: {what if len(what) <= 40 else what[:40] + '…'}" if what else "(対応)"


PROCESS = Process(
    key="council_action", version=1, label="会議で決めた対応", states=STATES, table=ACTIONS, form=FORM, read=FORM.read, fields=FORM.fields, told=FORM.told,
    wording=FORM.wording, title=title, deadlines=DEADLINES, asks=asks, needs=frozenset({"parent"}), holders={("municipality", "action_open"): "partner"},
    words={"origins": {"office": "事務局がする", "municipality": "市町村がする"}},
)  # fmt: skip
