"""The calendar of a month: deadlines and days of being sent, each a link to its case; a grid on the desk, a list on the phone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from fastapi import APIRouter, Request
from starlette.responses import Response

from states.dates import WEEKDAYS
from workflow import balance, cases, feed, plans
from workflow import month as entries
from workflow.access import Actor
from workflow.deadlines import calendar
from workflow.month import Entry
from workflow.web import lists, months
from workflow.web.render import page
from workflow.web.session import Connection, SignedIn

router = APIRouter()

ADDRESS = "/calendar"
MINE = "mine"


@dataclass(frozen=True)
class Day:
    """A day of the grid: outside the month it is empty; `mark` says in words why nobody works."""

    day: date
    inside: bool
    today: bool
    mark: str
    off: bool
    entries: Sequence[Entry]

    @property
    def told(self) -> bool:
        """Whether the list of the phone names this day."""
        return self.inside and bool(self.entries or self.today or self.mark)


@router.get(ADDRESS)
def show(request: Request, conn: Connection, signed: SignedIn, view: str = "", month: str = "") -> Response:
    """The month of a person, an office or a municipality; what cannot be one, or may not be seen, is the reader's own."""
    actor, today = signed.actor, cases.today(conn)
    views = _views(conn, actor)
    names = {code: name for _, items in views for code, name in items}
    here = view if view in names else MINE
    chosen = months.month_of(month, today)
    first, last, current = chosen, months.end(chosen), today.replace(day=1) == chosen
    if here == MINE:
        found = entries.of_person(conn, actor.person_id, first, last, overdue=current, met=True)
    else:
        inner = lists.inside(actor)
        found = entries.of_organisation(
            conn, actor.person_id, here, first, last, inside=inner, overdue=current, met=True
        )
    office = _office(here, actor)
    days = calendar(conn, office)
    shut = entries.closures(conn, office, first, last)
    begin = first - timedelta(days=first.weekday())
    grid = []
    while begin <= last:
        week = []
        for day in (begin + timedelta(days=n) for n in range(len(WEEKDAYS))):
            own = [entry for entry in found if entry.day == day]
            within = first <= day <= last
            mark = entries.mark(day, days, shut) if within else ""
            week.append(
                Day(day, within, day == today, mark, within and not days.is_business_day(day), own if within else ())
            )
        grid.append(week)
        begin += timedelta(days=len(WEEKDAYS))
    return page(
        request, signed, "month.html", views=views, view=here, view_name=names[here], month=months.written(chosen), month_name=months.called(chosen),
        weekdays=WEEKDAYS, grid=grid, earlier=[entry for entry in found if entry.day < first], total=sum(first <= e.day for e in found),
        most=entries.MOST, before=_to(here, months.beside(chosen, -1)), after=_to(here, months.beside(chosen, 1)), now=_to(here, today),
        feed=feed.made_at(conn, actor.person_id),
        plans=[(process.plan.label, f"/plans/{process.key}") for process in plans.processes() if process.plan and balance.offices(conn, actor)],
    )  # fmt: skip


def _to(view: str, month: date) -> str:
    return lists.address(ADDRESS, {"view": "" if view == MINE else view, "month": months.written(month)})


def _office(view: str, actor: Actor) -> str:
    """Whose closures are marked: the organisation looked at, else the reader's own."""
    return view if view != MINE else actor.home.org_code if actor.home else ""


def _views(conn: Connection, actor: Actor) -> list[tuple[str, list[tuple[str, str]]]]:
    """Whose month this person may look at, in groups: the own, offices, municipalities."""
    known = lists.organisations(conn)
    wide = any(post.scope == "all" for post in actor.posts)
    own = {post.org_code for post in actor.posts if post.scope == "office"}
    offices = [_named(o) for o in known if o["kind"] == "bureau" and (wide or o["code"] in own)]
    near = {code for code, _ in offices}
    places = [_named(o) for o in known if o["kind"] == "municipality" and (o["code"] in own or o["office"] in near)]
    groups = [("自分", [(MINE, "わたしの予定")]), ("振興局", offices), ("市町村", places)]
    return [(label, items) for label, items in groups if items]


def _named(organisation: Mapping[str, str]) -> tuple[str, str]:
    return organisation["code"], organisation["name"]
