"""Records of one case that a reader takes along: composed by the process, laid out as a text (docx) or a table (xlsx).

An installation may lay the text out itself: its template stands before the shipped one, and runs in the sandbox.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any
from zipfile import BadZipFile

import psycopg
from docx.shared import Mm
from docx.table import Table
from docxtpl import DocxTemplate
from jinja2 import StrictUndefined
from jinja2.exceptions import SecurityError, TemplateError
from jinja2.sandbox import SandboxedEnvironment
from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties

from states.dates import wareki
from states.documents import Record, Section, Subject, Written
from states.text import visible
from workflow import cases
from workflow.cases import View
from workflow.documents import declared
from workflow.documents.cells import TALLEST, put, text_lines
from workflow.documents.declared import DocumentProblem
from workflow.loading import NotFound

Connection = psycopg.Connection[Any]
KIND = "record:"  # what a process is asked of whether somebody may take one
TEMPLATE = "papers/record.docx"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WIDTH = 160  # mm between the margins
WIDEST, LINE = 150, 15.0  # characters on a line of A4, above which the sheet is A3; points of a line
NUMBERS = "SELECT id, number FROM cases WHERE id = ANY (%s)"
_LINE = Side(style="thin", color="808080")


def offered(view: View) -> list[Record]:
    """The records that there are of the case in this state, for its reader."""
    if not view.version:
        return []
    found = declared.of(view.process).records
    return [r for r in found if view.state.name in r.states and view.may_read(KIND + r.key)]


def taken(conn: Connection, person_id: int, view: View, key: str) -> tuple[str, str, bytes]:
    """File name, media type and bytes of a record. Raises `NotFound` where its reader has none of that name."""
    record = next((r for r in offered(view) if r.key == key), None)
    if record is None:
        raise NotFound
    subject = _subject(conn, person_id, view, record)
    written = record.compose(subject)
    name = f"{record.label}_{view.number or view.id}"
    if record.listing:
        return f"{name}.xlsx", XLSX, table(written, subject)
    return f"{name}.docx", DOCX, text(written, subject)


def _subject(conn: Connection, person_id: int, view: View, record: Record) -> Subject:
    office, form, tells = view.facts.directory.office(view.lead), view.form, record.tells
    if tells:
        form = tells(view.process.key, view.state.name, view.facts.form)
        children = [
            child | {"form": told, "title": ""}
            for child in view.facts.registers["children"]
            if (told := tells(child["process"], child["state"], child["form"]))
        ]
    else:
        children = list(_seen(conn, person_id, view))
    numbers = dict(conn.execute(NUMBERS, ([child["id"] for child in children],), prepare=True).fetchall())
    return Subject(
        number=view.number or "", title=view.title, form=form, children=tuple(child | {"number": numbers[child["id"]] or ""} for child in children),
        office_name=office.name if office else view.lead, prefecture=office.prefecture if office else "", on=view.facts.today,
        directory=view.facts.directory, state=view.state.name,
    )  # fmt: skip


def _seen(conn: Connection, person_id: int, view: View) -> Iterator[dict[str, Any]]:
    """The cases under it as the reader may read them; what one may not see does not exist."""
    for child in view.facts.registers["children"]:
        try:
            yield dict(child) | {"form": cases.look(conn, person_id, child["id"]).form}
        except NotFound:
            continue


def text(written: Written, subject: Subject) -> bytes:
    """The record as a text document. Raises `DocumentProblem` where the template cannot be used."""
    path = declared.template_path(TEMPLATE)
    context = {
        "paper": _shown(asdict(written)),
        "office": f"{subject.prefecture}{subject.office_name}",
        "made_on": wareki(subject.on),
    }
    try:
        book = DocxTemplate(str(path))
        book.render(context, jinja_env=SandboxedEnvironment(autoescape=True, undefined=StrictUndefined))
        parts = [
            (1, 4),
            *(section.widths or (1,) * len(section.columns) for section in written.sections if section.rows),
        ]
        for laid, widths in zip(book.docx.tables, parts, strict=False):
            _widen(laid, widths)
        made = io.BytesIO()
        book.save(made)
    except (TemplateError, SecurityError, BadZipFile, KeyError, ValueError) as problem:
        sentence = f"文書の様式「{path.name}」を使えません({type(problem).__name__})。文書は作っていません。様式を元に戻すか、作り直してください。"
        raise DocumentProblem(sentence) from problem
    return made.getvalue()


def _widen(laid: Table, widths: Sequence[int]) -> None:
    """Share the width of the page out among the columns."""
    laid.autofit = False
    for column, part in zip(laid.columns, widths, strict=False):
        column.width = Mm(WIDTH * part / sum(widths))
        for cell in column.cells:
            cell.width = column.width


def _shown(value: Any) -> Any:
    """Every text with what hides in it written out: a document must not carry what nobody sees."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, Mapping):
        return {key: _shown(part) for key, part in value.items()}
    return [_shown(part) for part in value] if isinstance(value, Sequence) else value


def _width(section: Section, place: int) -> int:
    return section.widths[place] if place < len(section.widths) else 16


def table(written: Written, subject: Subject) -> bytes:
    """The record as a workbook: one sheet for each section that has a table."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for section in (s for s in written.sections if s.columns):
        sheet = book.create_sheet(section.heading[:31])
        if section.data:
            for number, row in enumerate((section.columns, *section.rows), start=1):
                for place, value in enumerate(row, start=1):
                    put(sheet.cell(number, place), value)
                    sheet.column_dimensions[get_column_letter(place)].width = _width(section, place - 1)
            continue
        put(sheet["A1"], written.title)
        sheet["A1"].font = Font(size=14, bold=True)
        put(
            sheet["A2"],
            " ".join(filter(None, (f"{subject.prefecture}{subject.office_name}", subject.number, wareki(subject.on)))),
        )
        for place, name in enumerate(section.columns, start=1):
            cell = sheet.cell(4, place)
            put(cell, name)
            cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor="E8E8E8")
            sheet.column_dimensions[get_column_letter(place)].width = _width(section, place - 1)
        for number, row in enumerate(section.rows, start=5):
            for place, value in enumerate(row, start=1):
                put(sheet.cell(number, place), value)
        for row in sheet.iter_rows(min_row=4, max_row=max(4, len(section.rows) + 4), max_col=len(section.columns)):
            lines = max(text_lines(str(cell.value or ""), _width(section, place) - 1) for place, cell in enumerate(row))
            sheet.row_dimensions[row[0].row].height = min(lines * LINE + 4, TALLEST)
            for cell in row:
                cell.border = Border(left=_LINE, right=_LINE, top=_LINE, bottom=_LINE)
                cell.alignment = Alignment(wrap_text=True, vertical="top")
        sheet.freeze_panes = "A5"
        sheet.print_title_rows = "4:4"
        sheet.page_setup.orientation = "landscape"
        sheet.page_setup.paperSize = sheet.PAPERSIZE_A4 if sum(section.widths) <= WIDEST else sheet.PAPERSIZE_A3
        sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
        sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()
