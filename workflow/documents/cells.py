"""Cells: how a value goes into a workbook without becoming anything else, and how much room its text needs."""

import re
import unicodedata
from collections.abc import Iterator
from copy import copy
from datetime import date
from typing import Any

from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.workbook.workbook import Workbook
from openpyxl.worksheet.cell_range import CellRange
from openpyxl.worksheet.worksheet import Worksheet

from states.documents import Value
from states.text import visible
from workflow.documents.declared import DocumentProblem

LONGEST = 32_767  # what a cell of Excel holds, in UTF-16 code units
TALLEST = 409.0  # points; what a row of Excel may be high
CUT = "…(長すぎるため、ここまで)"

_FORMULA = ("=", "+", "-", "@", "\t", "\n")
_ESCAPE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")  # _x000D_ would be read back as the character it names


def put(cell: Cell | MergedCell, value: Value) -> None:
    """Write a value as it is: text stays text whatever it begins with, a number a number, blank blank.

    Characters that a workbook cannot hold are shown as ⟦U+…⟧; line breaks come as LF; a date as ISO text.
    """
    if value is None or value == "":
        cell.value = None
    elif isinstance(value, (int, float)):
        cell.value = value
    else:
        text = stored(value.isoformat() if isinstance(value, date) else value)
        cell.value = text
        cell.data_type = "s"  # openpyxl takes "=…" for a formula and "#N/A" for an error
        if text.startswith(_FORMULA):
            cell.quotePrefix = True  # stays text when somebody edits the cell


def plain(text: str) -> str:
    """The text as a cell shows it: line breaks as LF, characters that it cannot hold or that hide written out."""
    return visible(text.replace("\r\n", "\n").replace("\r", "\n"))


def stored(text: str) -> str:
    """The text as it goes into the file; cut with a mark where it is longer than a cell holds."""
    kept = _ESCAPE.sub("_x005F_", plain(text))
    if _units(kept) <= LONGEST:
        return kept
    return kept.encode("utf-16-le")[: 2 * (LONGEST - len(CUT))].decode("utf-16-le", errors="ignore") + CUT


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def text_lines(text: str, width: float) -> int:
    """How many lines the text takes in `width` half-width characters; a long word breaks anywhere, as Japanese does."""
    return sum(max(1, -(-_wide(line) // max(2, int(width)))) for line in text.split("\n"))


def _wide(line: str) -> int:
    """Width in half-width characters; marks that combine take none."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WFA" else 1 for c in line)


def fitted(text: str, width: float, lines: int, note: str) -> str:
    """The text where it fits into `lines`; else as much of its beginning as does, and the note on the last line."""
    if text_lines(text, width) <= lines:
        return text
    kept: list[str] = []
    free = lines - text_lines(note, width)
    for line in text.split("\n"):
        needed = text_lines(line, width)
        kept.append(line if needed <= free else _beginning(line, free * int(width)))
        free -= needed
        if free <= 0:
            break
    return "\n".join([*kept, note])


def _beginning(line: str, room: int) -> str:
    for place, character in enumerate(line):
        room -= _wide(character)
        if room < 0:
            return line[:place]
    return line


def place_of(book: Workbook, name: str, template: str) -> tuple[Worksheet, CellRange]:
    """Where a defined name points to. Raises `DocumentProblem` naming it when it is not there."""
    found = _names(book).get(name)
    if found is None:
        raise DocumentProblem(
            f"様式「{template}」に「{name}」という名前の定義がありません。報告は作っていません。"
            f"表計算の「名前の管理」で、入れたいセルに「{name}」と名前を付けてください。"
        )
    targets = list(found.destinations)
    if len(targets) != 1 or targets[0][0] not in book.sheetnames:
        raise DocumentProblem(
            f"様式「{template}」の名前「{name}」が、1つのシートの1つの範囲を指していません(#REF! など)。報告は作っていません。"
            f"「名前の管理」で「{name}」の参照先を直してください。"
        )
    sheet, area = targets[0]
    return book[sheet], CellRange(area.replace("$", ""))


def _names(book: Workbook) -> dict[str, DefinedName]:
    """Names of the workbook, and those that belong to one sheet."""
    found = {str(name): defined for sheet in book.worksheets for name, defined in sheet.defined_names.items()}
    return found | {str(name): defined for name, defined in book.defined_names.items()}


def open_rows(book: Workbook, sheet: Worksheet, row: int, count: int) -> None:
    """Make room for `count` rows where row `row` stands alone; what is below moves with its look, heights and names."""
    more = count - 1
    if more <= 0:
        return
    heights = {at: sheet.row_dimensions[at].height for at in range(row, sheet.max_row + 1)}
    last = sheet.max_row
    if last > row:
        sheet.move_range(f"A{row + 1}:{sheet.cell(last, sheet.max_column).coordinate}", rows=more)
    for at in range(last, row, -1):
        sheet.row_dimensions[at + more].height = heights[at]
    for merged in [area for area in sheet.merged_cells.ranges if area.min_row > row]:
        sheet.merged_cells.remove(merged)
        merged.shift(row_shift=more)
        sheet.merged_cells.add(merged)
    for at in range(row + 1, row + count):
        sheet.row_dimensions[at].height = heights[row]
        for column in range(1, sheet.max_column + 1):
            _dress(sheet.cell(row, column), sheet.cell(at, column))
    for defined in _names(book).values():
        _shift(defined, sheet.title, row, more)


def _dress(model: Any, cell: Any) -> None:
    if model.has_style:
        cell._style = copy(model._style)  # all of the look in one; the parts are views of it


def _shift(defined: DefinedName, sheet: str, row: int, more: int) -> None:
    """Let a name follow what it names; one that stands on the row itself spreads over all of them."""
    for title, area in list(defined.destinations):
        if title != sheet:
            continue
        found = CellRange(area.replace("$", ""))
        if found.max_row < row:
            continue
        top = found.min_row + more if found.min_row > row else found.min_row
        moved = CellRange(min_col=found.min_col, min_row=top, max_col=found.max_col, max_row=found.max_row + more)
        start, _, end = moved.coord.partition(":")
        quoted = title.replace("'", "''")
        defined.attr_text = f"'{quoted}'!{_fixed(start)}" + (f":{_fixed(end)}" if end else "")


def _fixed(coordinate: str) -> str:
    return re.sub(r"([A-Z]+)(\d+)", r"$\1$\2", coordinate)


def cells_of(sheet: Worksheet, area: CellRange) -> Iterator[Cell]:
    """The cells of a range, merged-away ones left out."""
    for row in sheet.iter_rows(area.min_row, area.max_row, area.min_col, area.max_col):
        yield from (cell for cell in row if isinstance(cell, Cell))
