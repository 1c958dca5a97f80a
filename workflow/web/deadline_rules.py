"""The days that deadlines take: what the process file says, what is set otherwise, since when and for whom."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import uuid4

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from workflow import calendar_days, deadline_rules
from workflow.calendar_days import LONGEST, NotTaken
from workflow.diagram import HOLDERS
from workflow.once import once
from workflow.web import sheets
from workflow.web.posted import Posted
from workflow.web.render import Signed, page
from workflow.web.session import Connection, RowId, SignedIn

router = APIRouter()

ADDRESS = "/calendar/days/rules"
NAMES = ("deadline", "days", "on", "office", "since", "reason")
DONE = {
    "set": "日数を変えました。始める日から後に始まる期限に効きます。いま動いている期限は変わりません。",
    "ended": "最後の日を入れました。次の日からは、業務の定めに戻ります。",
}


@dataclass(frozen=True)
class Asked:
    """What was sent and refused: the fields, the page's key, what is wrong; `ending` is the rule that was to end."""

    typed: Mapping[str, str] = field(default_factory=dict)
    key: str = ""
    problems: Mapping[str, str] = field(default_factory=dict)
    ending: int = 0


@router.get(ADDRESS)
def show(request: Request, conn: Connection, signed: SignedIn, done: str = "") -> Response:
    """Every deadline that is counted, by process."""
    return _page(request, conn, signed, Asked(), DONE.get(done, ""))


@router.post(ADDRESS)
def set_rule(request: Request, conn: Connection, signed: SignedIn, posted: Posted) -> Response:
    """Set a deadline otherwise. A refusal shows the page again, with everything that was typed."""
    typed, person = {name: posted.get(name, "") for name in NAMES}, signed.actor.person_id
    calendar_days.administrator(signed.actor)
    try:
        once(
            conn,
            person,
            sheets.key_of(posted),
            ["rule", typed],
            lambda: deadline_rules.set_rule(conn, signed.actor, typed),
        )
    except NotTaken as refusal:
        return _page(request, conn, signed, Asked(typed, posted.get("key", ""), refusal.fields))
    return RedirectResponse(f"{ADDRESS}?done=set", 303)


@router.post(f"{ADDRESS}/{{entry:int}}/end")
def end_rule(request: Request, conn: Connection, signed: SignedIn, posted: Posted, entry: RowId) -> Response:
    """Give a rule its last day, with the reason."""
    typed = {name: posted.get(f"{name}-{entry}", "") for name in ("until", "why")}
    try:
        deadline_rules.end_rule(conn, signed.actor, entry, typed["until"], typed["why"])
    except NotTaken as refusal:
        wrong = {f"{name}-{entry}": sentence for name, sentence in refusal.fields.items()}
        kept = {f"{name}-{entry}": text for name, text in typed.items()}
        return _page(request, conn, signed, Asked(kept, "", wrong, entry))
    return RedirectResponse(f"{ADDRESS}?done=ended", 303)


def _page(request: Request, conn: Connection, signed: Signed, asked: Asked, done: str = "") -> Response:
    items = deadline_rules.listed(conn, signed.actor)
    return page(
        request, signed, "deadline_rules.html", status=422 if asked.problems else 200, items=items, asked=asked, done=done,
        processes={item.process.label: deadline_rules.unsettable(item.process) for item in items}, holders=HOLDERS, limit=LONGEST,
        options=[(item.key, f"{item.process.label} ・ {item.deadline.label}({item.says})") for item in items],
        offices=calendar_days.offices(conn), key=asked.key or str(uuid4()),
    )  # fmt: skip
