"""The months of a process in figures, with the list of what is not settled; as a page and as a workbook."""

from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import Response

from states.dates import fiscal_year, fiscal_year_label, short, wareki
from states.kernel import Process
from workflow import cases, export, monthly
from workflow.documents.monthly import DEFINITIONS, workbook
from workflow.loading import NotFound
from workflow.web import lists
from workflow.web.posted import Posted
from workflow.web.render import Signed, page
from workflow.web.reports import XLSX
from workflow.web.session import Connection, SignedIn

router = APIRouter()
ADDRESS = "/monthly"
BACK = 4  # fiscal years before this one that can be chosen


@router.get(ADDRESS + "/{key}")
def show(
    request: Request, conn: Connection, signed: SignedIn, key: str, office: str = "", year: str = "", month: str = ""
) -> Response:
    """The months of a year at the reader's office, or at one that he may see."""
    process, here, names = _chosen(conn, signed, key, office)
    wanted, years = _year(conn, year)
    told = monthly.of_year(conn, signed.actor, process, here, wanted)
    ends = {one.last.isoformat(): one for one in told.months}
    chosen = month if month in ends else max(ends, default="")
    to = {"office": here if len(names) > 1 else "", "year": wanted}
    return page(
        request, signed, "monthly.html", told=told, monthly=told.monthly, address=f"{ADDRESS}/{key}", offices=list(names.items()), office=here,
        office_name=names[here], years=[(str(number), fiscal_year_label(number)) for number in years], year=str(wanted),
        year_label=fiscal_year_label(wanted), definitions=DEFINITIONS, short=short, chosen=chosen, shown_on=wareki(ends[chosen].last) if chosen else "",
        open_ones=told.open_on(ends[chosen].last) if chosen else [], everything=here == monthly.ALL,
        ends=[(end, f"{one.first.month}月", lists.address(f"{ADDRESS}/{key}", to, month=end) + "#h-open") for end, one in ends.items()],
    )  # fmt: skip


@router.post(ADDRESS + "/{key}/file")
def take(conn: Connection, signed: SignedIn, key: str, fields: Posted) -> Response:
    """The workbook; that it was taken out is recorded with it, so it is no GET."""
    process, here, names = _chosen(conn, signed, key, fields.get("office", ""))
    wanted, _ = _year(conn, fields.get("year", ""))
    told = monthly.of_year(conn, signed.actor, process, here, wanted)
    data = workbook(told, names[here], fiscal_year_label(wanted), fields.get("month", ""))
    about = {"process": process.key, "office": here, "fiscal_year": wanted}
    export.record(conn, signed.actor.person_id, "monthly", about, len(told.lines))
    name = f"{told.monthly.label}_{fiscal_year_label(wanted)}_{names[here]}.xlsx"
    disposition = f"attachment; filename=\"monthly-{wanted}.xlsx\"; filename*=UTF-8''{quote(name)}"
    return Response(data, media_type=XLSX, headers={"Content-Disposition": disposition})


def _chosen(conn: Connection, signed: Signed, key: str, office: str) -> tuple[Process, str, dict[str, str]]:
    """The process, the office (the reader's own, or the first he may see), and what the offices are called."""
    process = next((process for process in monthly.processes() if process.key == key), None)
    names = dict(monthly.offices(conn, signed.actor))
    if process is None or not names:
        raise NotFound
    return process, office if office in names else next(iter(names)), names


def _year(conn: Connection, year: str) -> tuple[int, list[int]]:
    this = fiscal_year(cases.today(conn))
    years = [this - back for back in range(BACK + 1)]
    return next((number for number in years if str(number) == year), this), years
