"""The route of a case on a page of its own: every round, its boxes to be printed, and who would decide on any day."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from states.dates import read_date
from workflow import cases, previews
from workflow.cases import View
from workflow.loading import NotFound
from workflow.rounds import KIND
from workflow.web import offers, seals
from workflow.web.render import page
from workflow.web.session import Connection, RowId, SignedIn

router = APIRouter()

_LATEST = date(2099, 12, 31)


@router.get("/cases/{case_id:int}/route")
def show(  # one field of the form a parameter, as in the URL
    request: Request, conn: Connection, signed: SignedIn, case_id: RowId, on: str = "", matter: str = ""
) -> Response:
    """Every round of the case's route, and before it is put up who would decide it. Only for the offices."""
    view = cases.look(conn, signed.actor.person_id, case_id)
    if not open_to(view):
        raise NotFound
    typed = {part: request.query_params.get(f"on~{part}", "") for part in "ymd"}
    text = on or ".".join(typed.values()).strip(".")
    asked = asked_day(text, view.facts.today)
    told = previews.preview(conn, view, asked.day, matter=matter)
    known = previews.ahead(view.process, view.state.name) if told else []
    return page(
        request, signed, "case_route.html", view=view, rounds=seals.every_round(conn, view), waits=seals.waits(view), told=told, asked=asked,
        typed=text or asked.day.isoformat(), matters=[(one.key, one.label) for one in known], matter=matter,
    )  # fmt: skip


def open_to(view: View) -> bool:
    """Whether this reader may know of the route: the offices, of a case that has been put in, where anything is decided by one."""
    return bool(view.process.matters and offers.inside(view) and view.may_read(KIND))


@dataclass(frozen=True)
class AskedDay:
    """The day that was asked for, or today with the sentence why not."""

    day: date
    problem: str = ""


def asked_day(text: str, today: date) -> AskedDay:
    """The day of the preview as it was typed."""
    if not text:
        return AskedDay(today)
    reading = read_date(text)
    if reading.date is None:
        return AskedDay(today, f"{reading.problem}今日の日付で示します。")
    if reading.date > _LATEST:
        return AskedDay(today, "遠すぎる日付です。今日の日付で示します。")
    return AskedDay(reading.date)


def context(conn: Any, view: View) -> dict[str, Any]:
    """What the page of a case shows of its route."""
    return {"boxes": seals.of_case(conn, view), "waits": seals.waits(view), "has_route": open_to(view)}
