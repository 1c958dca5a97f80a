"""The plan of a year of an office: twelve months, what is planned in each, what has no day yet."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from states.dates import fiscal_year, fiscal_year_label, short
from workflow import balance, cases, plans
from workflow.access import OUTSIDE
from workflow.loading import NotFound
from workflow.web.render import page
from workflow.web.session import Connection, SignedIn

router = APIRouter()
BACK, AHEAD = 2, 1  # fiscal years that can be chosen


@router.get("/plans/{key}")
def show(request: Request, conn: Connection, signed: SignedIn, key: str, office: str = "", year: str = "") -> Response:
    """The plan of the reader's office, or of one that he may see."""
    process = next((p for p in plans.processes() if p.key == key), None)
    offices = [(code, name) for code, name in balance.offices(conn, signed.actor) if code != balance.ALL]
    if process is None or process.plan is None or not offices or signed.actor.roles <= OUTSIDE:
        raise NotFound
    wished = (office, plans.newest_office(conn, signed.actor, process), offices[0][0])
    here = next(code for code in wished if code in dict(offices))
    today = cases.today(conn)
    this = fiscal_year(today)
    years = range(this - BACK, this + AHEAD + 1)
    wanted = int(year) if year.isascii() and year.isdecimal() and int(year[:5]) in years else this
    found = plans.of_year(conn, signed.actor, process, here, wanted, undated=wanted == this)
    may = bool(process.opens.get(process.plan.begins, frozenset()) & signed.actor.roles)
    return page(
        request, signed, "plan.html", process=process, plan=process.plan, offices=offices, office=here, office_name=dict(offices)[here],
        years=[(str(number), fiscal_year_label(number)) for number in years], year=str(wanted), year_label=fiscal_year_label(wanted),
        months=[(first, f"{first.month}月", rows) for first, rows in plans.months(found, wanted)], without=[one for one in found if one.day is None],
        total=len(found), day=short, now=(today.year, today.month), begin=f"/cases/new?process={process.key}&origin={process.plan.begins}" if may else "",
    )  # fmt: skip
