"""Home: what waits for the person, the most urgent first; drafts and running cases below. Headquarters' queue is the same list."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from states import catalogue
from workflow import finding, queries, turns
from workflow.access import Actor
from workflow.deadlines import local_day
from workflow.finding import Wanted
from workflow.loading import NotFound
from workflow.story import HOLDERS
from workflow.troubles import READERS
from workflow.web import lists, offers
from workflow.web.render import Signed, page
from workflow.web.session import Connection, SignedIn

router = APIRouter()

PAGE = 30
BELOW = 10  # drafts and running cases shown under the queue
URGENCIES = (
    ("all", "すべて", "", "info"),
    ("over", "期限を過ぎた", "stop", "stop"),
    ("today", "今日まで", "warn", "warn"),
    ("soon", "2営業日以内", "now", "soon"),
    ("later", "それより先", "none", "later"),
)
HEADQUARTERS = "headquarters"


@router.get("/inbox")
def inbox(
    request: Request, conn: Connection, signed: SignedIn,
    due: str = "all", ask: str = "", org: str = "", office: str = "", q: str = "", after: str = "",
) -> Response:  # fmt: skip
    filters = {"due": due, "ask": ask, "org": org, "office": office, "q": q}
    consulted = signed.actor.roles == {HEADQUARTERS}
    return _queue(request, conn, signed, "/inbox", filters, after, consulted=consulted)


@router.get("/headquarters")
def headquarters(
    request: Request, conn: Connection, signed: SignedIn,
    due: str = "all", ask: str = "", org: str = "", office: str = "", q: str = "", after: str = "",
) -> Response:  # fmt: skip
    """What the bureaus ask of headquarters; of who holds a post there."""
    if HEADQUARTERS not in signed.actor.roles:
        raise NotFound
    filters = {"due": due, "ask": ask, "org": org, "office": office, "q": q}
    return _queue(request, conn, signed, "/headquarters", filters, after, role=HEADQUARTERS, consulted=True)


def _queue(
    request: Request, conn: Connection, signed: Signed, path: str, filters: Mapping[str, str], after: str,
    *, role: str = "", consulted: bool,
) -> Response:  # fmt: skip
    """The list of what waits; `consulted` shows which bureau asked, when, and how many of the days are used."""
    person, inner = signed.actor.person_id, lists.inside(signed.actor)
    wanted = {name: lists.words(value) for name, value in filters.items()}
    with lists.place_in(path):
        found = queries.inbox(conn, person, **wanted, role=role, after=after, limit=PAGE)
    now = queries.database_now(conn)
    held = turns.held_now(conn, person, [row["case_id"] for row in found.rows], inside=inner)
    kept = wanted | {"due": "" if wanted["due"] == "all" else wanted["due"]}
    return page(
        request, signed, "inbox.html", path=path, moment=lists.moment(now), filters=kept, inside=inner, consulted=consulted,
        filtered=any(kept.values()), counters=_counters(path, found.counts, wanted["due"]),
        total=lists.counted(found.counts["all"]), choices=queries.choices(conn, person, role=role),
        rows=[
            dict(row) | {"urgency": lists.urgency(row, local_day(now)), "clues": row["clues"] if inner else []} | turns.turn(row, held, inside=inner)
            for row in found.rows
        ],
        next_href=lists.address(path, kept, after=found.next) if found.next else "",
        first_href=lists.address(path, kept) if after else "",
        attention=found.attention, resend="/attention" if signed.actor.roles & READERS else "", late=queries.late_effects(conn) if inner else 0,
        openings=[] if inner else openings(signed.actor), drafts=_drafts(conn, signed.actor),
        running=[] if inner else _running(conn, signed.actor), holders=HOLDERS,
    )  # fmt: skip


def _counters(path: str, counts: Mapping[str, int], due: str) -> list[dict[str, Any]]:
    known = due if due in counts else "all"
    return [
        {
            "href": lists.address(path, {}, due="" if key == "all" else key), "label": label, "kind": kind, "shape": shape,
            "count": lists.counted(counts[key]), "current": key == known,
        }
        for key, label, kind, shape in URGENCIES
    ]  # fmt: skip


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
    return finding.lines(conn, actor, Wanted(states=tuple(first)), BELOW)


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
