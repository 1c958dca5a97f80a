"""Makes the template of a declared report, as an office gets it before it changes anything:

    python -m workflow.documents.make_template PROCESS REPORT [FILE]

Without FILE it writes where the shipped templates stand. The same declaration gives the same bytes.
"""

import io
import re
import sys
import zipfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from openpyxl import Workbook
from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.header_footer import HeaderFooterItem, _HeaderFooterPart
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from states.documents import Column, Report
from workflow.documents.declared import SHIPPED, report
from workflow.documents.workbook import APART, REASONS, figure_columns

FACE = "ＭＳ 明朝"
THIN = Side(style="thin", color="000000")
RULED = Border(left=THIN, right=THIN, top=THIN, bottom=THIN)
HEAD = PatternFill("solid", fgColor="E8E8E8")
MADE = datetime(2026, 4, 1)  # noqa: DTZ001 - a zip file and Excel's properties know no zone


def make(declared: Report) -> bytes:
    """The template as bytes."""
    book = Workbook()
    _form(book, book.worksheets[0], declared)
    _summary(book, book.create_sheet("総括"), declared)
    _not_counted(book, book.create_sheet("数えなかった案件"))
    book.properties.creator = "Tobidashi"
    book.properties.created = book.properties.modified = MADE
    written = io.BytesIO()
    book.save(written)
    return same_bytes(written.getvalue())


def _form(book: Workbook, sheet: Worksheet, declared: Report) -> None:
    """The prescribed form: number top left, title, figures with their meaning, the lines."""
    sheet.title = declared.form.removeprefix("別記")
    columns = declared.sheet
    last = len(columns)
    for place, column in enumerate(columns, start=1):
        sheet.column_dimensions[get_column_letter(place)].width = column.width
    _text(sheet, "A1", size=10)
    _name(book, sheet, "form", "A1")
    _text(sheet, "A2", size=14, bold=True, across=last, align="center")
    _name(book, sheet, "title", "A2")
    sheet.row_dimensions[2].height = 26
    _text(sheet, "A3", size=10.5, across=3)
    _name(book, sheet, "fiscal_year", "A3")
    _text(sheet, "D3", size=10.5, across=6, start=4, align="right")
    sheet["D3"].alignment = Alignment(horizontal="right", vertical="center", indent=1)
    _name(book, sheet, "office", "D3")
    _text(sheet, f"{get_column_letter(last)}3", size=9, align="right", number_format='@"現在"')
    _name(book, sheet, "made_on", f"{get_column_letter(last)}3")
    sheet.row_dimensions[3].height = 20
    figures = (("件数[件]", "count"), ("ほかに継続[件]", "count_continued"), ("実人数[人]", "persons"), ("延べ人日[人日]", "person_days"), ("うち見込み[人日]", "expected_days"))  # fmt: skip
    for place, (label, name) in enumerate(figures, start=1):
        _ruled(sheet.cell(5, place), 9, head=True, value=label)
        _ruled(sheet.cell(6, place), 12, kind="number")
        sheet.cell(6, place).alignment = Alignment(horizontal="center", vertical="center")
        _name(book, sheet, name, sheet.cell(6, place).coordinate)
    sheet.row_dimensions[5].height, sheet.row_dimensions[6].height = 16, 22
    _text(sheet, "A7", size=8.5, across=last, wrap=True)
    _name(book, sheet, "definitions", "A7")
    _heading_and_row(book, sheet, 9, columns, "lines", 9.5, "top")
    sheet.row_dimensions[9].height = 28
    sheet.row_dimensions[10].height = 42
    _printing(sheet, "9:9", first=True)


def _summary(book: Workbook, sheet: Worksheet, declared: Report) -> None:
    """The same figures by office and by every declared grouping."""
    _text(sheet, "A1", size=14, bold=True, value="総括表")
    _text(
        sheet,
        "A2",
        size=9,
        value="実人数は、行ごとに同じ職員を1人と数えます。行をまたぐ職員がいると、行の合計と「計」は違います。",
    )
    for place in range(1, 7):
        sheet.column_dimensions[get_column_letter(place)].width = 84 if place == 1 else 13
    tables = [("offices", "振興局"), *((grouping.key, grouping.label) for grouping in declared.groupings)]
    for row, (name, heading) in zip(range(4, 4 + 3 * len(tables), 3), tables, strict=True):
        _heading_and_row(book, sheet, row, figure_columns(heading), name, 10)
        sheet.row_dimensions[row].height, sheet.row_dimensions[row + 1].height = 20, 20
    _printing(sheet)


def _not_counted(book: Workbook, sheet: Worksheet) -> None:
    """Cases in which nobody went: how many of each kind, then which."""
    _text(sheet, "A1", size=14, bold=True, value="数えなかった案件")
    _text(
        sheet,
        "A2",
        size=9,
        value="派遣した日がないため、件数・実人数・延べ人日に入れていないものです。派遣準備中は、この年度に予定の日があるものです。",
    )
    for place, column in enumerate(APART, start=1):
        sheet.column_dimensions[get_column_letter(place)].width = column.width
    _heading_and_row(book, sheet, 4, REASONS, "reasons", 10)
    _heading_and_row(book, sheet, 7, APART, "apart", 10)
    for row in (4, 7):
        sheet.row_dimensions[row].height, sheet.row_dimensions[row + 1].height = 18, 18
    _printing(sheet)


# ── the pieces ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _heading_and_row(
    book: Workbook,
    sheet: Worksheet,
    row: int,
    columns: Sequence[Column],
    name: str,
    size: float,
    vertical: str = "center",
) -> None:
    for place, column in enumerate(columns, start=1):
        _ruled(sheet.cell(row, place), 9, head=True, value=column.heading)
        _ruled(sheet.cell(row + 1, place), size, kind=column.kind, value=f"{{{column.heading}}}", vertical=vertical)
    _name(book, sheet, name, f"A{row + 1}", f"{get_column_letter(len(columns))}{row + 1}")


def _ruled(
    cell: Cell | MergedCell, size: float, *, head: bool = False, kind: str = "text", value: str = "", vertical: str = "center"
) -> None:  # fmt: skip
    cell.value = value or None
    cell.font = Font(name=FACE, size=size, bold=head)
    cell.border = RULED
    number = kind == "number"
    cell.alignment = Alignment(
        horizontal="center" if head else "right" if number else "left", vertical=vertical, wrap_text=not number or head
    )
    if head:
        cell.fill = HEAD
    cell.number_format = "General" if number else "@"  # 4 and 4.5: half-days are half person-days


def _text(
    sheet: Worksheet, at: str, *, size: float, bold: bool = False, value: str = "", across: int = 0, start: int = 1, align: str = "left",
    wrap: bool = False, number_format: str = "@",
) -> None:  # fmt: skip
    cell = sheet[at]
    cell.value = value or None
    cell.font = Font(name=FACE, size=size, bold=bold)
    cell.alignment = Alignment(horizontal=align, vertical="center" if not wrap else "top", wrap_text=wrap)
    cell.number_format = number_format
    if across:
        sheet.merge_cells(start_row=cell.row, end_row=cell.row, start_column=start, end_column=start + across - 1)


def _name(book: Workbook, sheet: Worksheet, name: str, first: str, last: str = "") -> None:
    cells = [sheet[first].coordinate, *([sheet[last].coordinate] if last else [])]
    fixed = ":".join(f"${''.join(filter(str.isalpha, c))}${''.join(filter(str.isdigit, c))}" for c in cells)
    book.defined_names[name] = DefinedName(name, attr_text=f"'{sheet.title}'!{fixed}")


def _printing(sheet: Worksheet, titles: str = "", *, first: bool = False) -> None:
    """A4 landscape, one page wide, headings on every page, page n of N."""
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = 9
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    margins = sheet.page_margins
    margins.left = margins.right = 0.4
    margins.top, margins.bottom, margins.header, margins.footer = 0.7, 0.6, 0.35, 0.3
    sheet.print_options.horizontalCentered = True
    if titles:
        sheet.print_title_rows = titles
    around = sheet.HeaderFooter
    around.differentFirst = first  # whose first page says it in its cells
    around.oddHeader = HeaderFooterItem(
        left=_HeaderFooterPart("{form}"), right=_HeaderFooterPart("{fiscal_year} {office}")
    )
    around.oddFooter = around.firstFooter = HeaderFooterItem(center=_HeaderFooterPart("&P / &N"))


def same_bytes(book: bytes) -> bytes:
    """The same parts with fixed dates, so that making it again gives the same file."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as old, zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as new:
        for name in sorted(old.namelist()):
            info = zipfile.ZipInfo(name, MADE.timetuple()[:6])
            info.compress_type = zipfile.ZIP_DEFLATED
            part = old.read(name)
            if name == "docProps/core.xml":  # openpyxl dates every saving
                part = re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>" + MADE.isoformat().encode() + b"Z", part)
            new.writestr(info, part)
    return written.getvalue()


if __name__ == "__main__":
    process_key, report_key, *rest = sys.argv[1:]
    _, wanted = report(process_key, report_key)
    path = Path(rest[0]) if rest else SHIPPED / wanted.template
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(make(wanted))
