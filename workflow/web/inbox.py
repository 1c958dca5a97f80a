"""Home: what waits for the person, the most urgent first, in views by the sort of work; drafts and running cases below.

Headquarters' queue is the same list.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Request
from starlette.responses import Response

from states import catalogue, routes
from workflow import bulk, deputies, finding, narrowing, posts, queries, turns, views
from workflow.access import NARROW, Actor
from workflow.deadlines import local_day
from workflow.finding import Wanted
from workflow.loading import NotFound
from workflow.queries import Page
from workflow.story import HOLDERS
from workflow.troubles import READERS
from workflow.web import facets, lists, offers, queue
from workflow.web.queue import HEADQUARTERS, INBOX, ROLES, Place
from workflow.web.render import Signed, page
from workflow.web.session import Connection, SignedIn

router = APIRouter()

PAGE = 30
FEW = 8  # rows that one takes in without filters
KEPT = ("view", "scope", "desk")  # what a switch leaves as it is
BELOW = 10  # drafts and running cases shown under the queue
URGENCIES = (
    ("all", "すべて", "", "info"),
    ("over", "期限を過ぎた", "stop", "stop"),
    ("today", "今日まで", "warn", "warn"),
    ("soon", "2営業日以内", "now", "soon"),
    ("later", "それより先", "none", "later"),
)
TOGETHER = {  # what may be done with several cases at once, one sort at a time
    bulk.READ: "選んだ件を「読みました」にする", bulk.CONFIRM: "選んだ件を確認する", bulk.DECISION: "選んだ件を決裁する(認める)",
}  # fmt: skip


@router.get(INBOX)
def inbox(request: Request, conn: Connection, signed: SignedIn, after: str = "", at: str = "") -> Response:
    consulted = signed.actor.roles == {ROLES[HEADQUARTERS]}
    return _queue(request, conn, signed, Place(INBOX, queue.filters_of(request), after, at), consulted=consulted)


@router.get(HEADQUARTERS)
def headquarters(request: Request, conn: Connection, signed: SignedIn, after: str = "", at: str = "") -> Response:
    """What the bureaus ask of headquarters; of who holds a post there."""
    if ROLES[HEADQUARTERS] not in signed.actor.roles:
        raise NotFound
    return _queue(request, conn, signed, Place(HEADQUARTERS, queue.filters_of(request), after, at), consulted=True)


def _queue(request: Request, conn: Connection, signed: Signed, place: Place, *, consulted: bool) -> Response:
    """The list of what waits; `consulted` shows which bureau asked, when, and how many of the days are used."""
    person, inner, view = signed.actor.person_id, lists.inside(signed.actor), place.filters["view"]
    deputy = deputies.of_person(conn, person) if inner else deputies.Deputy(person)
    acting = views.for_absent(conn, person, deputy)
    with lists.place_in(place.path):
        found = queue.found(conn, signed.actor, place, after=place.after, limit=PAGE)
        listed = _listed(conn, person, place)
    found = queue.with_acting(conn, signed.actor, acting, view, found) if place.filters["scope"] else found
    counts = views.counts(conn, person, found.kinds)
    now = queries.database_now(conn)
    held = turns.held_now(conn, person, [row["case_id"] for row in found.rows], inside=inner)
    following = (listed or found).next
    rows = [_line(row, place) | turns.turn(row, held, inside=inner) for row in found.rows]
    rows = [
        row | {"urgency": lists.urgency(row, local_day(now)), "clues": row["clues"] if inner else []} for row in rows
    ]
    own = {name: value for name, value in place.filters.items() if name not in KEPT}
    desk = narrowing.of_desk(conn, person, views.VIEWS.get(view, ())) if inner and not ROLES[place.path] else None
    return page(
        request, signed, "inbox.html", path=place.path, moment=lists.moment(now), filters=place.filters, inside=inner, consulted=consulted, narrow=signed.actor.roles <= NARROW,
        filtered=any(own.values()), filters_shown=any(own.values()) or (counts[view] if listed else found.counts["all"]) > FEW, counters=_counters(place, found.counts), total=lists.counted(counts[""]),
        deciding=lists.counted(counts["decide"]) if counts["decide"] else "", here=lists.counted(found.counts["all"]), label=views.LABELS[view],
        views=inner, groups=_groups(conn, person, place, counts), scopes=_scopes(place, len(acting)) if acting else [],
        desks=[] if desk is None else _desks(place, desk), choices=_choices(conn, signed.actor, place),
        rows=rows, ticked=[(sort, label) for sort, label in TOGETHER.items() if any(row["tick"] == sort for row in rows)], key=str(uuid4()), listed=listed, others=view == views.OTHERS, done=view == views.DONE,
        lines=[dict(row) | {"href": queue.case_href(row["case_id"], place)} for row in listed.rows] if listed else [],
        kept=views.kept(conn, person, place.path), told=place.told,
        next_href=lists.address(place.path, place.filters, after=following) if following else "",
        first_href=lists.address(place.path, place.filters) if place.after else "",
        attention=found.attention, resend="/attention" if signed.actor.roles & READERS else "", late=queries.late_effects(conn) if inner else 0,
        openings=[] if inner else openings(signed.actor), drafts=_drafts(conn, signed.actor),
        running=[] if inner else _running(conn, signed.actor), holders=HOLDERS,
    )  # fmt: skip


def _listed(conn: Connection, person: int, place: Place) -> Page | None:
    """The rows of a view that is not one's own work."""
    shown = {views.OTHERS: views.others, views.DONE: views.done}.get(place.filters["view"])
    return shown(conn, person, process=place.filters["process"], after=place.after, limit=PAGE) if shown else None


def _line(row: Mapping[str, Any], place: Place) -> dict[str, Any]:
    """A row with its address, whether it may be ticked, and for whom the person would act."""
    at = Place(place.path, place.filters, place.after, queries.place(row))
    route = routes.of({"route": row["route"]}) if row["route"] else None
    alone = row["kind"] == bulk.DECISION and (route is None or not route.bulk or row["acting"])
    together = row["kind"] if row["kind"] in TOGETHER and not alone else ""
    instead = f"{row['instead']}({row['why']})に代わって" if row["acting"] else ""
    return dict(row) | {
        "href": queue.case_href(row["case_id"], at),
        "tick": together,
        "instead": instead,
        "here": at.at == place.at,
    }


def _counters(place: Place, counts: Mapping[str, int]) -> list[dict[str, Any]]:
    known = place.filters["due"] if place.filters["due"] in counts else "all"
    kept = {name: place.filters[name] for name in KEPT}
    return [
        {
            "href": lists.address(place.path, kept, due="" if key == "all" else key), "label": label, "kind": kind, "shape": shape,
            "count": lists.counted(counts[key]), "current": key == known,
        }
        for key, label, kind, shape in URGENCIES
    ]  # fmt: skip


def _views(place: Place, counts: Mapping[str, int]) -> list[dict[str, Any]]:
    return [
        {
            "href": lists.address(place.path, {name: place.filters[name] for name in KEPT} | {"view": view}), "label": label,
            "count": lists.counted(counts[view]), "current": view == place.filters["view"],
        }
        for view, label in views.LABELS.items()
    ]  # fmt: skip


def _groups(
    conn: Connection, person: int, place: Place, counts: Mapping[str, int]
) -> list[tuple[str, list[dict[str, Any]]]]:
    """The views beside the list: those of the system, one's own, and those shared by colleagues."""
    kept = views.kept(conn, person, place.path)
    here = lists.address("", place.filters).removeprefix("?")
    shown = {
        own: [
            {"href": f"{view.path}?{view.query}", "label": view.name, "count": "", "current": view.query == here != ""}
            for view in kept if view.own is own
        ]
        for own in (True, False)
    }  # fmt: skip
    groups = [("手番", _views(place, counts)), ("自分で保存した一覧", shown[True]), ("所属で共有の一覧", shown[False])]
    return [(heading, items) for heading, items in groups if items]


def _scopes(place: Place, acting: int) -> list[dict[str, Any]]:
    """The switch between one's own work and also what one may do for absent holders."""
    also = f"{views.MOST_ACTING}+" if acting >= views.MOST_ACTING else str(acting)
    named = (("", "自分の分", ""), (queue.ALSO_AS_DEPUTY, "代決できる分も", also))
    return [
        {
            "href": lists.address(place.path, {name: place.filters[name] for name in KEPT} | {"scope": scope}), "label": label, "count": count,
            "current": scope == place.filters["scope"],
        }
        for scope, label, count in named
    ]  # fmt: skip


def _desks(place: Place, number: int) -> list[dict[str, Any]]:
    """The switch of somebody of the line between the own post's work and also what lies at the desk of the office."""
    named = (("", "自分の職の分", ""), (queue.ALSO_THE_DESK, "係の仕事も", lists.counted(number) if number else ""))
    return [
        {
            "href": lists.address(place.path, {name: place.filters[name] for name in KEPT} | {"desk": desk}), "label": label,
            "count": count, "current": desk == place.filters["desk"],
        }
        for desk, label, count in named
    ]  # fmt: skip


def _choices(conn: Connection, actor: Actor, place: Place) -> Mapping[str, Sequence[tuple[str, str]]]:
    if place.filters["view"] not in views.VIEWS:  # the work of others, and what is done, are narrowed by process alone
        return {"process": facets.processes()}
    kinds = views.VIEWS.get(place.filters["view"], ())
    return narrowing.choices(conn, actor.person_id, role=ROLES[place.path], kinds=kinds, whole=queue.whole(place))


def openings(actor: Actor) -> list[dict[str, str]]:
    """What this person may begin, each with the words of its button."""
    found = []
    for process in catalogue.newest().values():
        begins = getattr(offers.words(process), "begins", {})
        for origin, by in process.opens.items():
            if by & actor.roles:
                label = begins.get(origin, f"{process.label}を起こす")
                found.append({"href": f"/cases/new?process={process.key}&origin={origin}", "label": label})
    return found


def _drafts(conn: Connection, actor: Actor) -> Sequence[Mapping[str, Any]]:
    first = sorted({process.initial.name for process in catalogue.all_versions().values()})
    found = finding.lines(conn, actor, Wanted(states=tuple(first)), BELOW)
    left = posts.predecessors(conn, [row["case_id"] for row in found])
    return [row | {"predecessor": left.get(row["case_id"], "")} for row in found]


def _running(conn: Connection, actor: Actor) -> Sequence[Mapping[str, Any]]:
    """The person's cases that are under way with others."""
    going = {
        s.name
        for process in catalogue.all_versions().values()
        for s in process.states
        if not s.final and s != process.initial
    }
    found = finding.lines(conn, actor, Wanted(states=tuple(sorted(going))), BELOW)
    held = turns.held_now(conn, actor.person_id, [row["case_id"] for row in found], inside=False)
    return [row | turns.turn(row, held, inside=False) for row in found]
