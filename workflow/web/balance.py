"""Where the staff went this fiscal year: every figure leads to the cases behind it, the towns nobody visited are named."""

from datetime import date
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import Response

from states.dates import fiscal_year, fiscal_year_label
from workflow import balance, cases, reports
from workflow.balance import ALL, MOST_CASES
from workflow.loading import NotFound
from workflow.web import lists
from workflow.web.posted import Posted
from workflow.web.render import page
from workflow.web.session import Connection, SignedIn

router = APIRouter()

ADDRESS = "/balance"


@router.get(ADDRESS)
def show(
    request: Request,
    conn: Connection,
    signed: SignedIn,
    office: str = "",
    year: str = "",
    place: str = "",
    month: str = "",
) -> Response:
    """The year of a bureau, or of all; with a town or a month the cases behind that figure alone."""
    offices = balance.offices(conn, signed.actor)
    if not offices:
        raise NotFound
    here = office if office in dict(offices) else offices[0][0]
    this_year = fiscal_year(cases.today(conn))
    years = reports.years(conn, this_year)
    wanted = int(year) if year.isdecimal() and int(year) in years else this_year
    found = balance.of_year(conn, signed.actor, here, wanted)
    town = next((t for t in found.towns if t.code == place), None)
    of_month = next((m for m, _ in found.months if m.isoformat() == month), None)
    behind = balance.behind(conn, signed.actor, here, wanted, place=town.code if town else "", month=of_month)
    base = {"office": here, "year": wanted}

    def to(**filters: Any) -> str:
        return lists.address(ADDRESS, base, **filters) + "#h-cases"

    return page(
        request, signed, "balance.html", found=found, offices=offices, office=here, everything=here == ALL, office_name=dict(offices)[here],
        years=[(str(number), fiscal_year_label(number)) for number in years], year=wanted, year_label=fiscal_year_label(wanted), to=to,
        base=lists.address(ADDRESS, base), at=lambda code: lists.address(ADDRESS, {"office": code, "year": wanted}),
        towns=[town for town in found.towns if town.figures != balance.Figures()], behind=behind[:MOST_CASES],
        more=len(behind) > MOST_CASES, filters=[t for t in (town.name if town else "", _month_called(of_month)) if t],
        months=[(_month_called(m), days, to(month=m.isoformat())) for m, days in found.months],
        homes={t.code: dict(offices).get(t.home, "") for t in found.towns},
    )  # fmt: skip


@router.post(ADDRESS + "/csv")
def take(conn: Connection, signed: SignedIn, fields: Posted) -> Response:
    """The table by municipality as CSV; that it was taken out is recorded with it, so it is no GET."""
    year = fields.get("year", "")
    if not (year.isascii() and year.isdecimal()) or int(year[:5]) not in reports.years(
        conn, fiscal_year(cases.today(conn))
    ):
        raise NotFound
    name, data = balance.taken(conn, signed.actor, fields.get("office", ""), int(year))
    disposition = f"attachment; filename=\"balance-{year}.csv\"; filename*=UTF-8''{quote(name)}"
    return Response(data, media_type="text/csv; charset=utf-8", headers={"Content-Disposition": disposition})


def _month_called(month: date | None) -> str:
    return f"{month.month}月" if month else ""
