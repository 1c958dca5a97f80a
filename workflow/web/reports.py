"""Reports: the figures of an office and a year, the workbook made of them in the background, and the files made before."""

from collections.abc import Sequence
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from states.dates import fiscal_year, fiscal_year_label
from workflow import cases, monthly, reports
from workflow.access import Actor
from workflow.documents.lines import ALL
from workflow.loading import NotFound
from workflow.reports import Choice
from workflow.web import lists
from workflow.web.posted import Posted
from workflow.web.render import page
from workflow.web.session import Connection, RowId, SignedIn

router = APIRouter()

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SHOWN = 20  # files in the list


@router.get("/reports")
def show(
    request: Request, conn: Connection, signed: SignedIn, report: str = "", office: str = "", year: str = ""
) -> Response:
    """The figures of the chosen report, what is being made, and what was made."""
    found = reports.choices(conn, signed.actor)
    if not found:
        raise NotFound
    chosen = _chosen(found, report)
    here = office if office in dict(chosen.offices) else _home(chosen, signed.actor)
    this_year = fiscal_year(cases.today(conn))
    years = reports.years(conn, this_year)
    wanted = next((number for number in years if str(number) == year), this_year)
    made = reports.jobs(conn, signed.actor.person_id, limit=SHOWN)
    return page(
        request, signed, "reports.html", choices=[(_key(c), f"{c.process.label} ・ {c.report.label}") for c in found],
        chosen=chosen, key=_key(chosen), offices=chosen.offices, office=here, everything=here == ALL,
        years=[(str(number), fiscal_year_label(number)) for number in years], year=wanted,
        year_label=fiscal_year_label(wanted), told=reports.preview(conn, signed.actor, chosen, here, wanted),
        running=[row for row in made if not row["finished_at"]], finished=[row for row in made if row["finished_at"]],
        here=lists.address("/reports", {"report": _key(chosen), "office": here, "year": wanted}), office_names=_names(found),
        monthlies=[(p.monthly.label, f"/monthly/{p.key}") for p in monthly.processes() if p.monthly],
    )  # fmt: skip


@router.post("/reports")
def ask(conn: Connection, signed: SignedIn, fields: Posted) -> Response:
    """Ask for a workbook; it is made in the background."""
    process, _, report = fields.get("report", "").partition("/")
    year = fields.get("year", "")
    if not (year.isdecimal() and year.isascii() and len(year) <= len("9999")):
        raise NotFound
    office = fields.get("office", "")
    reports.ask_report(conn, signed.actor.person_id, process, report, office, int(year))
    told = {"report": fields.get("report", ""), "office": office, "year": year}
    return RedirectResponse(lists.address("/reports", told) + "#h-files", 303)


@router.post("/reports/{job_id:int}/file")
def take(conn: Connection, signed: SignedIn, job_id: RowId) -> Response:
    """The workbook; that it was taken out is recorded with it, so it is no GET."""
    found = reports.file(conn, signed.actor.person_id, job_id)
    name = f"attachment; filename=\"report-{job_id}.xlsx\"; filename*=UTF-8''{quote(found.name)}"
    return Response(found.data, media_type=XLSX, headers={"Content-Disposition": name})


def _key(choice: Choice) -> str:
    return f"{choice.process.key}/{choice.report.key}"


def _chosen(found: Sequence[Choice], key: str) -> Choice:
    return next((choice for choice in found if _key(choice) == key), found[0])


def _home(choice: Choice, person: Actor) -> str:
    """The person's own office, all of them for whoever sees all."""
    codes = [code for code, _ in choice.offices]
    return next((code for code in codes if code in person.orgs), ALL if ALL in codes else codes[0])


def _names(found: Sequence[Choice]) -> dict[str, str]:
    return {code: name for choice in found for code, name in choice.offices}
