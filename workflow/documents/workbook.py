"""Fills a declared report into its template, and adds the sheets for machines from the same lines.

A template has named cells (`fiscal_year`, `office`, …: see `CELLS`) and named rows (`lines`, `kinds`, `offices`, `apart`,
`reasons`). In a named row a cell that says {heading} is filled with that column; the row is repeated with its look.
"""

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from openpyxl import Workbook, load_workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.cell_range import CellRange
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from states.dates import fiscal_year_label, wareki
from states.documents import Column, Value
from states.text import visible
from workflow.documents.cells import TALLEST, cells_of, fitted, open_rows, place_of, plain, put, text_lines
from workflow.documents.declared import DocumentProblem, template_path
from workflow.documents.lines import ALL, Figures, Gathered

Progress = Callable[[int], None]  # told how many lines are written

DATA_SHEET, NOTES_SHEET, CODES_SHEET = "データ", "データの説明", "コード表"
NOTHING = "該当なし"
MORE = "…(全文は「データ」のシート)"

# The named cells that every template must have, and what goes into them.
CELLS: Mapping[str, Callable[[Gathered], Value]] = {
    "form": lambda found: found.report.form,
    "title": lambda found: found.report.title,
    "fiscal_year": lambda found: fiscal_year_label(found.year),
    "office": lambda found: f"{found.office_name}(全局)" if found.office == ALL else found.office_name,
    "made_on": lambda found: wareki(found.today),
    "count": lambda found: found.figures.count,
    "count_continued": lambda found: found.figures.continued,
    "persons": lambda found: found.figures.persons,
    "person_days": lambda found: found.figures.person_days,
    "expected_days": lambda found: found.figures.expected,
    "definitions": lambda found: "\n".join(f"{word}: {sentence}" for word, sentence in found.report.definitions),
}

FIGURES: tuple[tuple[str, Callable[[Figures], Value]], ...] = (
    ("件数[件]", lambda figures: figures.count),
    ("ほかに継続[件]", lambda figures: figures.continued),
    ("実人数[人]", lambda figures: figures.persons),
    ("延べ人日[人日]", lambda figures: figures.person_days),
    ("うち見込み[人日]", lambda figures: figures.expected),
)


def figure_columns(heading: str) -> tuple[Column, ...]:
    """Columns of a table of figures by group; its rows are (label, figures)."""
    return (
        Column(heading, lambda row: row[0], 40),
        *(Column(title, lambda row, of=of: of(row[1]), 10, "number") for title, of in FIGURES),  # type: ignore[misc]
    )


APART = (
    Column("番号", lambda case: case.number, 14),
    Column("業務名", lambda case: case.title, 50),
    Column("振興局", lambda case: case.lead, 18),
    Column("数えない訳", lambda case: case.why, 14),
    Column("閉じた日", lambda case: wareki(case.on) if case.on else "", 16),
    Column("予定[人日]", lambda case: case.planned if case.on is None else None, 10, "number"),
)
REASONS = (Column("数えない訳", lambda row: row[0], 14), Column("件数[件]", lambda row: row[1], 8, "number"))


def _totalled(found: Gathered, groups: Sequence[tuple[str, str, Figures]]) -> list[tuple[str, Figures]]:
    return [*((label, figures) for _, label, figures in groups), ("計", found.figures)]


# The named rows: which columns they offer and whose rows they repeat. Every declared grouping is one more, by its key.
ROWS: Mapping[str, tuple[Callable[[Gathered], Sequence[Column]], Callable[[Gathered], Sequence[Any]]]] = {
    "lines": (lambda found: found.report.sheet, lambda found: found.lines),
    "offices": (lambda found: figure_columns("振興局"), lambda found: _totalled(found, found.by_office)),
    "reasons": (lambda found: REASONS, lambda found: found.by_reason),
    "apart": (lambda found: APART, lambda found: found.apart),
}


def fill(found: Gathered, progress: Progress = lambda done: None) -> bytes:
    """The workbook as bytes. Raises `DocumentProblem` when the template lacks a name or cannot be read."""
    name = found.report.template
    book = _open(template_path(name), name)
    for cell_name, value in CELLS.items():
        sheet, area = place_of(book, cell_name, name)
        cell = sheet.cell(area.min_row, area.min_col)
        put(cell, value(found))
        if cell_name == "definitions":
            _grow(sheet, area, len(found.report.definitions))
    tables = _tables(found)
    places = {row_name: place_of(book, row_name, name) for row_name in tables}
    # From the bottom up, so that no row that is still to be filled has moved.
    for row_name, (sheet, area) in sorted(places.items(), key=lambda place: -place[1][1].min_row):
        columns, rows = tables[row_name]
        _repeat(
            book,
            sheet,
            area,
            columns,
            rows,
            f"様式「{name}」の名前「{row_name}」",
            progress if row_name == "lines" else None,
        )
    for sheet in book.worksheets:
        _head_and_foot(
            sheet,
            {
                "{form}": found.report.form,
                "{fiscal_year}": fiscal_year_label(found.year),
                "{office}": found.office_name,
            },
        )
    if found.office == ALL:
        # Headquarters reads the summary of all offices first.
        summary = places["offices"][0]
        book.move_sheet(summary, -book.index(summary))
    _for_machines(book, found)
    book.active = 0
    book.properties.creator = book.properties.lastModifiedBy = "Tobidashi"
    book.properties.title = visible(f"{fiscal_year_label(found.year)} {found.report.label} {found.office_name}")
    book.properties.created = book.properties.modified = datetime.now(UTC).replace(tzinfo=None)
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def _tables(found: Gathered) -> dict[str, tuple[Sequence[Column], Sequence[Any]]]:
    """Columns and rows of every named row."""
    tables = {row_name: (columns(found), rows(found)) for row_name, (columns, rows) in ROWS.items()}
    for grouping in found.report.groupings:
        tables[grouping.key] = (figure_columns(grouping.label), _totalled(found, found.by(grouping)))
    return tables


def _open(path: Path, name: str) -> Workbook:
    try:
        return load_workbook(path, keep_links=False)
    except (OSError, KeyError, ValueError, BadZipFile, InvalidFileException) as error:
        raise DocumentProblem(
            f"様式「{name}」を開けません。報告は作っていません。Excel ブック(.xlsx)として保存し直してください。"
        ) from error


def _repeat(
    book: Workbook, sheet: Worksheet, area: CellRange, columns: Sequence[Column], rows: Sequence[Any], where: str, progress: Progress | None,
) -> None:  # fmt: skip
    """Write one row a record below each other, each as high as its longest text needs."""
    at, known = area.min_row, {column.heading: column for column in columns}
    if any(not merged.isdisjoint(_whole(area, merged)) for merged in sheet.merged_cells.ranges):
        raise DocumentProblem(f"{where}の行で、セルが結合されています。報告は作っていません。結合を解いてください。")
    wanted: dict[int, Column] = {}
    for cell in cells_of(sheet, area):
        text = cell.value.strip() if isinstance(cell.value, str) else ""
        if text.startswith("{") and text.endswith("}"):
            heading = text[1:-1].strip()
            if heading not in known:
                can = "、".join(known)
                raise DocumentProblem(
                    f"{where}の「{text}」という欄は、この報告にありません。報告は作っていません。使えるのは {can} です。"
                )
            wanted[cell.column] = known[heading]
    if not wanted:
        raise DocumentProblem(f"{where}の行に、{{番号}} のような欄がありません。報告は作っていません。")
    rooms = {column: _room(sheet, at, column) for column in wanted}
    least = sheet.row_dimensions[at].height or 0.0
    open_rows(book, sheet, at, max(1, len(rows)))
    for place, row in enumerate(rows, start=at):
        height = least
        for column, declared in wanted.items():
            value = declared.of(row)
            if isinstance(value, str) and value:
                width, line = rooms[column]
                value = fitted(plain(value), width, int((TALLEST - 4) // line), MORE)
                height = max(height, text_lines(value, width) * line + 4)
            put(sheet.cell(place, column), value)
        sheet.row_dimensions[place].height = min(height, TALLEST)
        if progress:
            progress(place - at + 1)
    if not rows:
        for position, column in enumerate(wanted):
            put(sheet.cell(at, column), NOTHING if position == 0 else None)


def _whole(area: CellRange, merged: CellRange) -> CellRange:
    """The rows of a named row across the columns of a merged area."""
    return CellRange(min_col=merged.min_col, max_col=merged.max_col, min_row=area.min_row, max_row=area.max_row)


def _room(sheet: Worksheet, row: int, column: int) -> tuple[float, float]:
    """Half-width characters on a line of this cell, and the height of a line in points."""
    size = float(sheet.cell(row, column).font.size or 11)
    return _width(sheet, column) * 10.5 / size - 0.5, size * 1.3


def _width(sheet: Worksheet, column: int) -> float:
    """Width of a column in Excel's unit, about 5.25 points; neighbours of one width are stored under the first of them."""
    for dimension in sheet.column_dimensions.values():
        if dimension.min and dimension.max and dimension.min <= column <= dimension.max and dimension.width:
            return float(dimension.width)
    return 8.43


def _grow(sheet: Worksheet, area: CellRange, paragraphs: int) -> None:
    """As high as the text of a merged cell needs: Excel fits no merged cell by itself."""
    cell = sheet.cell(area.min_row, area.min_col)
    merged = next((m for m in sheet.merged_cells.ranges if cell.coordinate in m), area)
    width, line = _room(sheet, area.min_row, area.min_col)
    width = (
        sum(_width(sheet, column) for column in range(merged.min_col, merged.max_col + 1))
        * 10.5
        / float(cell.font.size or 11)
    )
    needed = max(paragraphs, text_lines(str(cell.value or ""), width)) * line + 4
    sheet.row_dimensions[area.min_row].height = min(
        max(needed, sheet.row_dimensions[area.min_row].height or 0), TALLEST
    )


def _head_and_foot(sheet: Worksheet, words: Mapping[str, str]) -> None:
    """Words in braces of the template's page header and footer; & is an instruction there and stands doubled."""
    for line in (sheet.oddHeader, sheet.oddFooter):
        for part in (line.left, line.center, line.right) if line else ():
            for word, text in words.items():
                if part.text and word in part.text:
                    part.text = part.text.replace(word, visible(text).replace("&", "&&"))


# ── the sheets for machines ─────────────────────────────────────────────────────────────────────────────────────────


def _for_machines(book: Workbook, found: Gathered) -> None:
    """One datum a cell, one table a sheet, nothing merged or hidden; what the columns and codes mean on sheets of their own."""
    data = found.report.data
    _table(book, DATA_SHEET, data, found.rows())
    kinds = {"text": "文字", "number": "数", "date": "日付(ISO 8601)"}
    notes = [(column.heading, kinds[column.kind], column.note) for column in data]
    notes += [(word, "数え方", sentence) for word, sentence in found.report.definitions]
    notes += [
        ("作成日", "日付(ISO 8601)", found.today.isoformat()),
        ("空白", "値", "書かれていないか、当てはまらない。0 とは違う"),
    ]
    _table(book, NOTES_SHEET, _headings(("項目", 36), ("内容の型", 16), ("説明", 90)), notes)
    _table(book, CODES_SHEET, _headings(("項目", 24), ("コード", 24), ("名称", 70)), found.report.codes)


def _headings(*headings: tuple[str, int]) -> list[Column]:
    """Columns whose rows are plain tuples."""
    return [
        Column(heading, lambda row, place=place: row[place], width)  # type: ignore[misc]
        for place, (heading, width) in enumerate(headings)
    ]


def _table(book: Workbook, title: str, columns: Sequence[Column], rows: Iterable[Any]) -> None:
    if title in book.sheetnames:
        del book[title]
    sheet = book.create_sheet(title)
    for place, column in enumerate(columns, start=1):
        head = sheet.cell(1, place)
        put(head, column.heading)
        head.font, head.alignment = Font(bold=True), Alignment(wrap_text=True, vertical="top")
        sheet.column_dimensions[get_column_letter(place)].width = column.width + 2
    last = 1
    for last, row in enumerate(rows, start=2):
        for place, column in enumerate(columns, start=1):
            cell = sheet.cell(last, place)
            put(cell, column.of(row))
            cell.number_format = "0" if column.kind == "number" else "@"
    sheet.row_dimensions[1].height = 30
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(columns))}{last}"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = 9  # A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = -(-sum(c.width for c in columns) // 200), 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.print_title_rows = "1:1"
    sheet.HeaderFooter.oddFooter.center.text = "&P / &N"
