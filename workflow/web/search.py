"""The search over everything that one may see: cases, persons, reports, municipalities and bodies; and what keeps it fresh."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import psycopg
from fastapi import APIRouter, Request
from starlette.responses import Response

from workflow import cases, excerpts, finding, published, reports, search, who_where
from workflow.access import Actor
from workflow.db import database
from workflow.finding import Wanted
from workflow.karte import READERS
from workflow.web import case_list, karte, lists
from workflow.web.render import page
from workflow.web.security import SAFE_METHODS
from workflow.web.session import Connection, SignedIn

logger = logging.getLogger(__name__)
router = APIRouter()

TABS = {"": "案件", "people": "職員・関係者", "reports": "報告", "places": "市町村・団体"}
MOST = 100  # persons or places shown
MOST_FILES = 200  # year-end files gone through
A_FEW = 51  # hits in reports that are counted for their tab


@router.get("/search")
def show(request: Request, conn: Connection, signed: SignedIn, what: str = "") -> Response:
    """What was found for the words in the address, one kind of thing at a time, with the number of the others."""
    what = what if what in TABS else ""
    kept = {"what": what} if what else {}
    in_reports = what == "reports"
    if what in ("people", "places"):
        filters = case_list.read_filters(request, signed.actor)
        words, problem = case_list.read_words(filters["q"])
        told: dict[str, Any] = {"filters": filters, "words": words, "problem": problem}
    else:
        told = case_list.listing(request, conn, signed, "/search", reports=in_reports, **kept)
        words, filters = told["words"], told["filters"]
    people, places, bodies, files = _others(conn, signed.actor, words)
    counts = {
        "": told.get("total", "") if not what else _some(conn, signed.actor, Wanted(words), finding.MOST),
        "people": str(len(people)),
        "reports": _some(conn, signed.actor, Wanted(words, reports=True), A_FEW - 1, len(files)),
        "places": str(len(places) + len(bodies)),
    }
    tabs = [
        {"href": lists.address("/search", {"q": filters["q"], "what": key}), "label": label, "count": counts[key], "current": key == what}
        for key, label in TABS.items()
    ] + _published(conn, signed.actor, words, filters["q"])  # fmt: skip
    return page(
        request, signed, "search.html", what=what, tabs=tabs if words else [],
        people=_persons(conn, signed.actor, people[:MOST], words) if what == "people" else [], found_people=len(people), shown=MOST,
        organisations=_organisations(places[:MOST], words, signed.actor), bodies=bodies[:MOST], files=files[:MOST], inside_any=lists.inside(signed.actor), **told,
    )  # fmt: skip


Lines = Sequence[Mapping[str, Any]]


def _others(conn: Connection, actor: Actor, words: Sequence[str]) -> tuple[Lines, Lines, Lines, Lines]:
    """Persons, organisations, recognised bodies and year-end files that the words name."""
    if not words:
        return [], [], [], []
    files = [
        row for row in reports.jobs(conn, actor.person_id, limit=MOST_FILES)
        if row["file_name"] and who_where.says([row["label"], row["year_label"], row["file_name"], *search.called(row["office"])], words)
    ]  # fmt: skip
    return (
        who_where.people(conn, actor, words),
        who_where.organisations(conn, actor, words),
        who_where.bodies(conn, actor, words),
        files,
    )


def _published(conn: Connection, actor: Actor, words: Sequence[str], typed: str) -> list[dict[str, Any]]:
    """The way on to what was published and says these words, for who looks such things up."""
    if not words or not published.may_read(actor):
        return []
    day = cases.today(conn)
    return [
        {
            "href": lists.address("/published", {"of": process.key, "q": typed}), "label": process.published.label,
            "count": str(len(published.found(conn, actor, process, day, words))), "current": False,
        }
        for process in published.processes() if process.published
    ]  # fmt: skip


def _some(conn: Connection, actor: Actor, wanted: Wanted, most: int, besides: int = 0) -> str:
    """How many cases there are, and what else is of that kind."""
    number = (finding.count(conn, actor, wanted, most + 1) if wanted.words else 0) + besides
    return f"{most}+" if number > most else str(number)


def _persons(conn: Connection, actor: Actor, people: Lines, words: Sequence[str]) -> list[dict[str, Any]]:
    """The lines of persons: name and reading marked, post, and on how many cases they are."""
    cases = who_where.sent(conn, actor, [row["id"] for row in people])
    return [
        dict(row) | {
            "pieces": excerpts.marked(row["name"], words), "reading": excerpts.marked(row["kana"], words), "cases": cases.get(row["id"], 0),
            "post": " ".join(filter(None, (row["section"], row["title"]))), "href": lists.address("/cases", {"person": str(row["id"])}),
        }
        for row in people
    ]  # fmt: skip


def _organisations(rows: Lines, words: Sequence[str], reader: Actor) -> list[dict[str, Any]]:
    """The lines of municipalities and offices, each with the list of its cases, a municipality with its karte."""
    by = {"municipality": "place"}
    return [
        dict(row) | {
            "pieces": excerpts.marked(row["name"], words), "href": lists.address("/cases", {by.get(row["kind"], "office"): row["code"]}),
            "karte": f"{karte.ADDRESS}/{row['code']}" if row["kind"] in by and reader.roles & READERS else "",
        }
        for row in rows
    ]  # fmt: skip


def keep_fresh(request: Request) -> Iterator[None]:
    """After a page has changed a case, the case is made ready for the search before the answer leaves.

    What this misses, because a process was killed, is found by the worker that catches up.
    """
    yield
    case_id = getattr(request.state, "case_id", None) or request.path_params.get("case_id")
    if request.method in SAFE_METHODS or not case_id:
        return
    try:
        with database().connection() as conn:
            search.refresh(conn, int(case_id))
    except psycopg.Error:
        logger.exception("case %s waits for the worker to make it ready for the search", case_id)
