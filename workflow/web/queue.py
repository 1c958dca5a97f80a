"""A place in the inbox: the list with its filters and the row, carried by the address from page to page and checked each time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from fastapi import Request

from workflow import deputies, queries, views
from workflow.access import Actor
from workflow.queries import BadCursor, Page
from workflow.web import lists
from workflow.web.render import Signed
from workflow.web.session import Connection

FILTERS = ("view", "scope", "desk", "due", "ask", "org", "office", "process", "q")
PLACES = ("after", "at")  # where the page begins, and the row
INBOX, HEADQUARTERS = "/inbox", "/headquarters"
ROLES = {INBOX: "", HEADQUARTERS: "headquarters"}  # the role at whose desks a list looks, and that it is for
ALSO_AS_DEPUTY = "deputy"
ALSO_THE_DESK = "office"
LONGEST = 1500  # characters of an address that is carried
PARAMETER = "list"


@dataclass(frozen=True)
class Place:
    """A list with its filters, the page and the row in it from which a case was opened."""

    path: str
    filters: Mapping[str, str]
    after: str = ""
    at: str = ""

    @property
    def told(self) -> str:
        """The place as an address carries it."""
        return lists.address(self.path, self.filters, after=self.after, at=self.at)

    @property
    def back(self) -> str:
        """The list again, at the same row."""
        return self.told + (f"#row-{queries.place_of(self.at, 2)[1]}" if self.at else "")


def filters_of(request: Request) -> dict[str, str]:
    """The filters of the address; what cannot be one is none."""
    found = {name: lists.words(request.query_params.get(name, "")) for name in FILTERS}
    return _known(found)


def _known(found: dict[str, str]) -> dict[str, str]:
    found["view"] = found["view"] if found["view"] in views.LABELS else ""
    found["scope"] = found["scope"] if found["scope"] == ALSO_AS_DEPUTY else ""
    found["desk"] = found["desk"] if found["desk"] == ALSO_THE_DESK else ""
    found["due"] = "" if found["due"] == "all" else found["due"]
    return found


def read(text: str, actor: Actor) -> Place | None:
    """The place that an address carries; None for anything that is no list of this person, or was not given out by one."""
    try:
        split = urlsplit(text)
        pairs = dict(parse_qsl(split.query, max_num_fields=len(FILTERS) + len(PLACES)))
        if len(text) > LONGEST or split.scheme or split.netloc or split.path not in ROLES or not text.isprintable():
            return None
        if ROLES[split.path] and ROLES[split.path] not in actor.roles:
            return None
        filters = _known({name: lists.words(pairs.get(name, "")) for name in FILTERS})
        at = pairs.get("at", "")
        if at:
            moment, number = queries.place_of(at, 2)
            queries.cursor_of(queries._time(moment), queries._number(number))
    except (ValueError, BadCursor):
        return None
    return Place(split.path, filters, pairs.get("after", ""), at)


def found(conn: Connection, actor: Actor, place: Place, *, after: str, limit: int) -> Page:
    """The rows of a list of one's own work. Raises `BadCursor`."""
    wanted = {name: place.filters[name] for name in ("due", "ask", "org", "office", "process", "q")}
    deputy = deputies.of_person(conn, actor.person_id) if place.filters["scope"] else None
    kinds = views.VIEWS.get(place.filters["view"], ())
    return queries.inbox(
        conn,
        actor.person_id,
        **wanted,
        whole=whole(place),
        role=ROLES[place.path],
        kinds=kinds,
        deputy=deputy,
        after=after,
        limit=limit,
    )


def whole(place: Place) -> bool:
    """Whether the desk of the office is wanted by somebody of its line; the list of one desk always shows it."""
    return bool(place.filters["desk"] or ROLES[place.path])


def with_acting(conn: Connection, actor: Actor, rows: Sequence[Mapping[str, Any]], view: str, page: Page) -> Page:
    """The counts of a page with what the person may do for absent holders."""
    marks = queries.edges(conn, queries.database_now(conn))
    wanted = [row for row in rows if row["kind"] in views.VIEWS.get(view, ())]
    counts, kinds = dict(page.counts), dict(page.kinds)
    for row in wanted:
        for name in ("all", queries.urgency_of(row["due_at"], marks)):
            counts[name] = min(counts[name] + 1, queries.CAP)
    for row in rows:
        kinds[row["kind"]] = min(kinds[row["kind"]] + 1, queries.CAP)
    return replace(page, counts=counts, kinds=kinds)


def around(request: Request, conn: Connection, signed: Signed, case_id: int, done: str) -> dict[str, Any]:
    """What the page of a case needs to lead back to its list, and after an act on to the next item of it."""
    place = read(request.query_params.get(PARAMETER, ""), signed.actor)
    following = _following(conn, signed.actor, place, case_id) if place and place.at and done else None
    return {"place": place, "following": following}


def kept(request: Request, actor: Actor) -> str:
    """The place as a part of the next address; nothing where there is none."""
    place = read(request.query_params.get(PARAMETER, ""), actor)
    return "&" + lists.address("", {}, **{PARAMETER: place.told})[1:] if place else ""


def along(address: str, request: Request, actor: Actor) -> str:
    """An address of a case's own pages with the place, so that the act at their end leads on to the next item."""
    place = kept(request, actor)
    path, mark, spot = address.partition("#")
    return f"{path}{place if '?' in path else '?' + place[1:]}{mark}{spot}" if place else address


def _following(conn: Connection, actor: Actor, place: Place, case_id: int) -> dict[str, Any] | None:
    """The item after this row in the order of its list, else the first one that is left."""
    if place.filters["view"] not in views.VIEWS:
        return None
    for after in (place.at, ""):
        rows = [row for row in found(conn, actor, place, after=after, limit=2).rows if row["case_id"] != case_id]
        if rows:
            row = rows[0]
            at = Place(place.path, place.filters, place.after, queries.place(row))
            return {"href": case_href(row["case_id"], at), "title": row["title"], "ask": row["ask"]}
    return None


def case_href(case_id: int, place: Place) -> str:
    """The page of a case, opened from a place in a list."""
    return lists.address(f"/cases/{case_id}", {PARAMETER: place.told})
