"""Every case that one may see: searched, narrowed and counted by the address. The search page shows the same list."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from states import catalogue
from states.dates import fiscal_year, fiscal_year_label, short
from states.text import problems
from workflow import excerpts, finding, queries, turns, views, who_where
from workflow.access import Actor
from workflow.deadlines import FAR, due_day, local_day
from workflow.finding import BadWords, Found, Wanted
from workflow.story import HOLDERS
from workflow.web import facets, lists, offers
from workflow.web.inbox import openings
from workflow.web.render import Signed, page
from workflow.web.session import Connection, SignedIn

router = APIRouter()

PAGE = 50
YEARS = 5  # fiscal years offered
FILTERS = (
    "q",
    "process",
    "step",
    "state",
    "ended",
    "outcome",
    "office",
    "place",
    "year",
    "kind",
    "origin",
    "person",
    "sort",
)
IN_THE_BAR = ("q", "process", "step", "state", "office", "place", "year", "sort")
SORTS = [("", "新しい順"), ("due", "期限の近い順")]


@router.get("/cases")
def case_list(request: Request, conn: Connection, signed: SignedIn) -> Response:
    inner = lists.inside(signed.actor)
    found = listing(request, conn, signed, "/cases")
    beginnings = [] if inner else openings(signed.actor)
    return page(request, signed, "case_list.html", openings=beginnings, **found)


def listing(
    request: Request, conn: Connection, signed: Signed, path: str, *, reports: bool = False, **kept: str
) -> dict[str, Any]:
    """What the template of the list needs. `kept` stays in every address of it; `reports` looks in reports only."""
    filters, after = read_filters(request, signed.actor), request.query_params.get("after", "")
    today = local_day(queries.database_now(conn))
    known, inside = lists.organisations(conn), lists.inside(signed.actor)
    words, problem = read_words(filters["q"])
    wanted = wanted_of(filters, words, reports=reports)
    found = Found([], "", 0, more=False)
    if not problem and (words or not reports):
        with lists.place_in(lists.address(path, kept)):
            found = finding.find(conn, signed.actor, wanted, after=after, limit=PAGE)
    told = excerpts.excerpts(conn, found.rows, words, reports=reports)
    offices, places = _areas(known, signed.actor)
    here = filters | kept
    held = turns.held_now(conn, signed.actor.person_id, [row["case_id"] for row in found.rows], inside=inside)
    asked = views.asked(conn, signed.actor.person_id, [row["case_id"] for row in found.rows]) if inside else {}
    return {
        "path": path, "filters": filters, "kept": {**{n: filters[n] for n in FILTERS if n not in IN_THE_BAR}, **kept}, "problem": problem,
        "narrowed": any(value for name, value in filters.items() if name not in ("q", "sort")), "words": words, "inside": inside,
        "holders": HOLDERS, "wide": len(offices) > 1, "offices": offices, "places": places, "steps": facets.steps(filters["process"]), "processes": facets.processes(),
        "states": facets.labels(filters["process"]),
        "years": [(str(year), fiscal_year_label(year)) for year in _years(today)], "sorts": SORTS,
        "rows": [
            _line(row, words, told.get(row["case_id"], ()), today) | turns.turn(row, held, inside=inside) | {"asked": asked.get(row["case_id"], ())}
            for row in found.rows
        ],
        "total": f"{finding.MOST}+" if found.more else str(found.total), "more": found.more, "most": finding.MOST,
        "facets": facets.facets(found, here, path, {o["code"]: o["name"] for o in known}, inside=inside), "sent": _sent(conn, signed.actor, filters["person"]),
        "unfiltered": lists.address(path, {"q": filters["q"], **kept}) if filters["q"] else path,
        "next_href": lists.address(path, here, after=found.next) if found.next else "", "first_href": lists.address(path, here) if after else "",
    }  # fmt: skip


def read_words(typed: str) -> tuple[tuple[str, ...], str]:
    """What is looked for, or the sentence that says why it cannot be."""
    try:
        return finding.words_of(typed), ""
    except BadWords as bad:
        return (), bad.sentence


def read_filters(request: Request, actor: Actor) -> dict[str, str]:
    """The filters of the address; what cannot be one is none."""
    told = {name: request.query_params.get(name, "").strip() for name in FILTERS}
    told |= {name: "" if problems(value) else lists.words(value) for name, value in told.items() if name != "q"}
    inner = {"state": told["state"] if lists.inside(actor) else "", "sort": "due" if told["sort"] == "due" else ""}
    return told | {"year": _number(told["year"], 1901, 2200), "person": _number(told["person"], 1, 2**62)} | inner


def _number(text: str, least: int, most: int) -> str:
    """A number as it stands in an address, or nothing."""
    return text if text.isascii() and text.isdecimal() and len(text) < 20 and least <= int(text) < most else ""


def wanted_of(filters: Mapping[str, str], words: tuple[str, ...], *, reports: bool = False) -> Wanted:
    """The filters as they are looked for."""
    year = int(filters["year"] or 0)
    return Wanted(
        words, reports, states=facets.states_of(filters), process=filters["process"], office=filters["office"], place=filters["place"],
        year=year, kind=filters["kind"], origin=filters["origin"], person=int(filters["person"] or 0),
        due_first=filters["sort"] == "due",
    )  # fmt: skip


def _line(row: Mapping[str, Any], words: Sequence[str], why: Sequence[excerpts.Excerpt], today: date) -> dict[str, Any]:
    groups = getattr(offers.words(catalogue.process(row["process"], row["process_version"])), "group_names", {})
    due = short(due_day(row["due_at"])) if row["due_at"] and row["due_at"] < FAR else ""
    told = [(e.label or groups.get(e.source.partition(":")[2].partition(":")[0], "本文"), e.pieces) for e in why]
    return dict(row) | {
        "due": due, "acted": lists.dated(row["acted_at"], today), "why": told,
        "title_pieces": excerpts.marked(row["title"], words),
    }  # fmt: skip


def _sent(conn: Connection, actor: Actor, person: str) -> str:
    """Whose cases these are, where the reader may know of that person."""
    if not person:
        return ""
    known = who_where.people(conn, actor, (), only=int(person))
    return f"{known[0]['name']}さんが派遣された案件" if known else "指定した職員が派遣された案件"


def _years(today: date) -> list[int]:
    return [fiscal_year(today) - back for back in range(YEARS)]


def _areas(known: Sequence[Mapping[str, Any]], actor: Actor) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """The offices and municipalities that a person's cases can lie in: all of them, those of the own offices, or none."""
    wide = any(post.scope == "all" for post in actor.posts)
    offices = [(o["code"], o["name"]) for o in known if o["kind"] == "bureau" and (wide or o["code"] in actor.orgs)]
    codes = {code for code, _ in offices}
    return offices, [(o["code"], o["name"]) for o in known if o["kind"] == "municipality" and o["office"] in codes]
