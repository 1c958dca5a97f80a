"""The days on which the offices work otherwise than the law we know says: by year, with what follows before it is done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from uuid import uuid4

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from states.calendar import FIRST_YEAR, LAST_YEAR, Calendar
from states.dates import read_date
from workflow import calendar_days
from workflow.calendar_days import KINDS, LONGEST, Change, Effect
from workflow.cases import today
from workflow.once import once
from workflow.web import sheets
from workflow.web.posted import Posted
from workflow.web.render import Signed, page
from workflow.web.session import Connection, RowId, SignedIn

router = APIRouter()

ADDRESS = "/calendar/days"
NAMES = ("day", "kind", "office", "reason")
DONE = {
    "added": "日を入れました。これから始まる期限から、この日の数え方が変わります。",
    "dropped": "日を消しました。これから始まる期限から、もとの数え方に戻ります。消したことは「設定の記録」に残ります。",
}


@dataclass(frozen=True)
class Asked:
    """What was sent: the fields, the page's key, what is wrong, and the change with what would follow from it.

    `along` are the days that the Act changes with it, `taken` whether they are to be.
    """

    typed: Mapping[str, str] = field(default_factory=dict)
    key: str = ""
    problems: Mapping[str, str] = field(default_factory=dict)
    change: Change | None = None
    effects: Sequence[Effect] = ()
    along: Sequence[Change] = ()
    taken: bool = True


@router.get(ADDRESS)
def show(
    request: Request, conn: Connection, signed: SignedIn, year: str = "", office: str = "", done: str = ""
) -> Response:
    """The entries of a year, of this one at first, and the holidays that the law has in it."""
    return _page(request, conn, signed, Asked(), year, office, DONE.get(done, ""))


@router.post(ADDRESS)
def add(request: Request, conn: Connection, signed: SignedIn, posted: Posted) -> Response:
    """Look what would follow from a day, or enter it. A refusal shows the page again, with everything that was typed."""
    typed, key = {name: posted.get(name, "") for name in NAMES}, posted.get("key", "")
    along = bool(posted.get("along"))
    calendar_days.administrator(signed.actor)
    try:
        if posted.get("do") == "add":
            once(
                conn,
                signed.actor.person_id,
                sheets.key_of(posted),
                ["day", typed, along],
                partial(_added, conn, signed, typed, along),
            )
            return RedirectResponse(f"{ADDRESS}?year={_year_of(typed['day'])}&done=added", 303)
        change = calendar_days.read(conn, signed.actor, typed)
    except calendar_days.NotTaken as refusal:
        return _page(request, conn, signed, Asked(typed, key, refusal.fields))
    return _page(request, conn, signed, _looked(conn, change, Asked(typed, key)), str(change.day.year))


def _looked(conn: Connection, change: Change, asked: Asked) -> Asked:
    """The same with the change and all that would follow from it."""
    along = calendar_days.follows(conn, change)
    return replace(asked, change=change, along=along, effects=calendar_days.effects(conn, change, along))


def _added(conn: Connection, signed: Signed, typed: Mapping[str, str], along: bool) -> int:
    return calendar_days.add(conn, signed.actor, calendar_days.read(conn, signed.actor, typed), along=along)


def _year_of(typed: str) -> str:
    day = read_date(typed).date
    return str(day.year) if day else ""


@router.post(f"{ADDRESS}/{{entry:int}}/drop")
def drop(request: Request, conn: Connection, signed: SignedIn, posted: Posted, entry: RowId) -> Response:
    """Look what would follow from taking an entry out, or take it out."""
    change, asked = calendar_days.entry(conn, signed.actor, entry), Asked()
    if posted.get("do") == "drop":
        reason, along = posted.get("ended_reason", ""), bool(posted.get("along"))
        try:
            calendar_days.drop(conn, signed.actor, entry, reason, along=along)
        except calendar_days.NotTaken as refusal:
            asked = Asked({"ended_reason": reason}, "", {"ended_reason": refusal.fields["reason"]}, taken=along)
        else:
            return RedirectResponse(f"{ADDRESS}?year={change.day.year}&done=dropped", 303)
    return _page(request, conn, signed, _looked(conn, change, asked), str(change.day.year))


def _page(
    request: Request, conn: Connection, signed: Signed, asked: Asked, year: str = "", office: str = "", done: str = ""
) -> Response:
    this = today(conn).year
    number = sheets.number(year)
    shown = number if FIRST_YEAR <= number <= LAST_YEAR else this
    rows = calendar_days.listed(conn, signed.actor, shown, office)
    law = [(day, Calendar().holiday_name(day)) for day in Calendar().holidays_in(_first(shown), _last(shown))]
    return page(
        request, signed, "calendar_days.html", status=422 if asked.problems else 200, asked=asked, done=done, rows=rows, law=law,
        year=str(shown), years=[(str(y), f"{y}年") for y in sorted({*range(this - 1, this + 4), shown})], kinds=KINDS, limit=LONGEST,
        office=office, offices=calendar_days.offices(conn), key=asked.key or str(uuid4()),
        total=sum(effect.count for effect in asked.effects), gone=calendar_days.taken_out(conn, signed.actor, shown), called=calendar_days.called,
    )  # fmt: skip


def _first(year: int) -> date:
    return date(year, 1, 1)


def _last(year: int) -> date:
    return date(year, 12, 31)
