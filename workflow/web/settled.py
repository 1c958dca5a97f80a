"""The record of what was settled about time: read by administrators and auditors, changed by nobody."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from workflow import settled
from workflow.calendar_days import SETS
from workflow.cases import today
from workflow.web import lists, sheets
from workflow.web.render import page
from workflow.web.session import Connection, SignedIn

router = APIRouter()

FIRST = 2020  # nothing was settled before


@router.get("/calendar/days/history")
def show(request: Request, conn: Connection, signed: SignedIn, year: str = "") -> Response:
    """What was settled in a year, of this one at first; the newest first."""
    settled.reader(signed.actor)
    this = today(conn).year
    number = sheets.number(year)
    shown = number if FIRST <= number <= this else this
    return page(
        request, signed, "settled.html", rows=settled.listed(conn, signed.actor, shown), year=str(shown), most=settled.MOST, moment=lists.moment,
        years=[(str(y), f"{y}年") for y in sorted({*range(this - 4, this + 1), shown})], settles=SETS in signed.actor.roles,
    )  # fmt: skip
