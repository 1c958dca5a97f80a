"""Every case that one may see, the newest first, with its filters in the address."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from states import catalogue
from states.dates import fiscal_year, fiscal_year_label, short
from workflow import queries
from workflow.access import Actor
from workflow.deadlines import FAR, due_day, local_day
from workflow.story import HOLDERS
from workflow.web import lists
from workflow.web.inbox import openings
from workflow.web.render import page
from workflow.web.session import Connection, SignedIn

router = APIRouter()

PAGE = 50
YEARS = 5  # fiscal years offered


@router.get("/cases")
def case_list(
    request: Request, conn: Connection, signed: SignedIn,
    step: str = "", state: str = "", office: str = "", place: str = "", year: str = "", q: str = "", after: str = "",
) -> Response:  # fmt: skip
    inner, today = lists.inside(signed.actor), local_day(queries.database_now(conn))
    years = [str(fiscal_year(today) - back) for back in range(YEARS)]
    filters = {
        "step": lists.words(step), "state": lists.words(state) if inner else "", "office": lists.words(office), "place": lists.words(place),
        "year": year if year in years else "", "q": lists.words(q),
    }  # fmt: skip
    with lists.place_in("/cases"):
        found = queries.case_list(
            conn, signed.actor.person_id, states=_states(filters["step"], filters["state"]), office=filters["office"],
            place=filters["place"], fiscal_year=int(filters["year"] or 0), q=filters["q"], after=after, limit=PAGE,
        )  # fmt: skip
    offices, places = _areas(conn, signed.actor)
    return page(
        request, signed, "case_list.html", filters=filters, filtered=any(filters.values()), inside=inner, holders=HOLDERS,
        rows=[dict(row) | {"due": _due(row), "acted": lists.dated(row["acted_at"], today)} for row in found.rows], wide=len(offices) > 1,
        offices=offices, places=places, steps=_steps(), states=_labels(), openings=[] if inner else openings(signed.actor),
        years=[(text, fiscal_year_label(int(text))) for text in years],
        next_href=lists.address("/cases", filters, after=found.next) if found.next else "",
        first_href=lists.address("/cases", filters) if after else "",
    )  # fmt: skip


def _due(row: Any) -> str:
    return short(due_day(row["due_at"])) if row["due_at"] and row["due_at"] < FAR else ""


def _every_state() -> list[Any]:
    return [state for process in catalogue.newest().values() for state in process.states]


def _steps() -> list[tuple[str, str]]:
    return [(step, step) for step in dict.fromkeys(state.step for state in _every_state())]


def _labels() -> list[tuple[str, str]]:
    return list({state.name: state.label for state in _every_state()}.items())


def _states(step: str, state: str) -> list[str]:
    """The states that both filters leave; a name that nothing bears where they leave none."""
    if not step and not state:
        return []
    left = [s.name for s in _every_state() if step in ("", s.step) and state in ("", s.name)]
    return left or [""]


def _areas(conn: Connection, actor: Actor) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """The offices and municipalities that a person's cases can lie in: all of them, those of the own offices, or none."""
    known = lists.organisations(conn)
    wide = any(post.scope == "all" for post in actor.posts)
    offices = [(o["code"], o["name"]) for o in known if o["kind"] == "bureau" and (wide or o["code"] in actor.orgs)]
    codes = {code for code, _ in offices}
    return offices, [(o["code"], o["name"]) for o in known if o["kind"] == "municipality" and o["office"] in codes]
