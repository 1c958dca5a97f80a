"""The board of an office: who is where over four weeks, who is free, and which towns nobody has been to this year."""

from datetime import date, timedelta

from fastapi import APIRouter, Request
from starlette.responses import Response

from states.dates import days_between, fiscal_year, read_date
from states.text import search_key
from workflow import balance, cases, colleagues
from workflow.access import Actor, PostHeld
from workflow.board import Person, over
from workflow.deadlines import calendar
from workflow.loading import NotFound
from workflow.web import board, lists
from workflow.web.render import page
from workflow.web.session import Connection, SignedIn

router = APIRouter()

READERS = frozenset({"bureau", "director"})
WEEKS = timedelta(weeks=4)
ENOUGH = 3  # free working days that put somebody on top


@router.get("/board")
def show(
    request: Request, conn: Connection, signed: SignedIn, since: str = "", section: str = "", skill: str = "", free: str = ""
) -> Response:  # fmt: skip
    """Four weeks from the Monday of the day asked for, or of today."""
    post = _post(signed.actor)
    today = cases.today(conn)
    first = _monday(read_date(since).date or today)
    days = days_between(first, first + WEEKS - timedelta(days=1))
    staff = colleagues.of_offices(conn, [post.org_code])
    office_days = calendar(conn, post.org_code)
    wanted = [c for c in staff if section in ("", c.section)]
    people = [p for p in over(conn, signed.actor.person_id, wanted, days[0], days[-1]) if _good_at(p, skill)]
    working = [day for day in days if day not in board.off_days(days, office_days)]
    if free:  # stable: within each half the order of sections stays
        people.sort(key=lambda person: sum(len(person.free(day)) for day in working) < 2 * ENOUGH)
    told = {"section": section, "skill": lists.words(skill), "free": free}
    year = fiscal_year(today)
    return page(
        request, signed, "board.html", office_name=post.org_name, board=board.everybody(people, days, office_days), people=people, today=today,
        first=days[0], last=days[-1], since=since and days[0].isoformat(), told=told, sections=_choices({c.section for c in staff}),
        skills=_choices({s for own in colleagues.skills(conn, [c.id for c in staff]).values() for s in own}),
        before=lists.address("/board", told, since=_shifted(first, -WEEKS)), after=lists.address("/board", told, since=_shifted(first, WEEKS)),
        balance=balance.of_year(conn, signed.actor, post.org_code, year), keeps=colleagues.KEEPS in signed.actor.roles,
    )  # fmt: skip


def _post(actor: Actor) -> PostHeld:
    """The post whose office's board is shown. Raises `NotFound`."""
    found = next((post for post in actor.posts if post.role in READERS), None)
    if found is None:
        raise NotFound
    return found


def _monday(day: date) -> date:
    """The Monday of the week; the first and last weeks of the calendar are not looked at."""
    near = min(max(day, date(1900, 1, 8)), date(2098, 12, 1))
    return near - timedelta(days=near.weekday())


def _shifted(first: date, by: timedelta) -> str:
    return (first + by).isoformat()


def _good_at(person: Person, skill: str) -> bool:
    key = search_key(lists.words(skill))
    return not key or any(key in search_key(own) for own in person.skills)


def _choices(values: set[str]) -> list[tuple[str, str]]:
    return [("", "すべて"), *((value, value) for value in sorted(values) if value)]
