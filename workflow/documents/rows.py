"""Rows of a workbook that somebody filled in: the blank one to give out, and what stands in one that came back.

A workbook is a packed folder from outside: its size is bounded before and after unpacking, a formula is never computed,
and a cell comes as the text that stands in it. Each problem names row and column in Japanese.
"""

import csv
import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from states.text import narrow, visible
from workflow.documents.cells import put
from workflow.documents.declared import DocumentProblem
from workflow.documents.make_template import FACE, HEAD, MADE, same_bytes

SHEET, HOW, LISTS = "要請", "書き方", "選択肢"
MOST_ROWS = 1000
MOST_PARTS, MOST_BYTES = 200, 40_000_000  # of the unpacked workbook
LONGEST = 32_767  # characters of a cell


@dataclass(frozen=True)
class Rows:
    """What a workbook holds: the filled rows, each its number and its text by heading, and the column of each heading.

    `problems` are cells that hold no value of their own: row, heading, reason.
    """

    rows: Sequence[tuple[int, Mapping[str, str]]]
    letters: Mapping[str, str]
    problems: Sequence[tuple[int, str, str]] = ()


# ── the blank form ──────────────────────────────────────────────────────────────────────────────────────────────────


def blank(columns: Sequence[Any], title: str = SHEET) -> bytes:
    """The form to fill in: a sheet with one heading a column, another that says how each is filled in.

    A column has `heading`, `hint`, `choices`, `need`, `width`. The same columns give the same bytes.
    """
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = title
    lists = book.create_sheet(LISTS)
    lists.sheet_state = "hidden"
    for place, column in enumerate(columns, start=1):
        letter = get_column_letter(place)
        head = sheet.cell(1, place)
        put(head, column.heading)
        head.font = Font(name=FACE, size=10, bold=column.need)
        head.fill = HEAD
        head.alignment = Alignment(wrap_text=True, vertical="center", horizontal="center")
        sheet.column_dimensions[letter].width = column.width
        sheet.column_dimensions[letter].number_format = "@"  # text, so that no leading zero and no date is lost
        sheet.column_dimensions[letter].alignment = Alignment(wrap_text=True, vertical="top")
        if column.choices:
            _offer(sheet, lists, letter, list(column.choices))
    sheet.row_dimensions[1].height = 32
    sheet.freeze_panes = "C2"
    _explained(book.create_sheet(HOW), columns)
    book.move_sheet(HOW, offset=-1)
    book.properties.creator = "Tobidashi"
    book.properties.created = book.properties.modified = MADE
    written = io.BytesIO()
    book.save(written)
    return same_bytes(written.getvalue())


def _offer(sheet: Worksheet, lists: Worksheet, letter: str, words: Sequence[str]) -> None:
    """A list to choose from, beside the cell; another text is allowed there, and answered when the file comes back."""
    for row, word in enumerate(words, start=1):
        lists[f"{letter}{row}"] = word
    offered = DataValidation(
        type="list", formula1=f"='{LISTS}'!${letter}$1:${letter}${len(words)}", allow_blank=True, showErrorMessage=False
    )
    offered.add(f"{letter}2:{letter}{MOST_ROWS + 1}")
    sheet.add_data_validation(offered)


def _explained(sheet: Worksheet, columns: Sequence[Any]) -> None:
    heads = ("見出し", "必ず書く", "書き方", "選べる言葉")
    rows = [heads] + [(c.heading, "○" if c.need else "", c.hint, "\n".join(c.choices)) for c in columns]
    for row, told in enumerate(rows, start=1):
        for place, text in enumerate(told, start=1):
            cell = sheet.cell(row, place)
            put(cell, text)
            cell.font = Font(name=FACE, size=10, bold=row == 1)
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            if row == 1:
                cell.fill = PatternFill("solid", fgColor=HEAD.fgColor.rgb)
    for letter, width in (("A", 24), ("B", 10), ("C", 48), ("D", 60)):
        sheet.column_dimensions[letter].width = width


# ── one that came back ──────────────────────────────────────────────────────────────────────────────────────────────


def is_workbook(data: bytes) -> bool:
    """Whether the bytes are packed like a workbook; what they hold is another question."""
    return data.startswith((b"PK", b"\xd0\xcf\x11\xe0"))


def read(data: bytes, columns: Sequence[Any]) -> Rows:
    """The rows that are filled in. Raises `DocumentProblem` for what is no such workbook."""
    _safe(data)
    try:
        book = load_workbook(io.BytesIO(data), read_only=True, keep_links=False)
    except Exception as error:  # whatever a broken file brings about
        raise DocumentProblem(
            "表計算のファイルとして開けませんでした。何も取り込んでいません。Excel で開いて .xlsx として保存し直してください。"
        ) from error
    try:
        sheet = book[SHEET] if SHEET in book.sheetnames else book.worksheets[0]
        return _rows(sheet, columns)
    except DocumentProblem:
        raise
    except Exception as error:
        raise DocumentProblem(
            "表の中身を最後まで読めませんでした。何も取り込んでいません。Excel で開いて .xlsx として保存し直してください。"
        ) from error
    finally:
        book.close()


@dataclass(frozen=True)
class _Cell:
    """A value of a text file, as a cell of a workbook; what begins with = is text there, too."""

    value: str | None
    data_type: str = "s"


@dataclass(frozen=True)
class _Lines:
    """The lines of a text file, as the rows of a sheet."""

    lines: Sequence[Sequence[str]]

    def iter_rows(self, *, max_row: int, max_col: int, **_: int) -> Iterator[Sequence[_Cell]]:
        for line in self.lines[:max_row]:
            yield [_Cell(text or None) for text in line[:max_col]]


def read_table(data: bytes, columns: Sequence[Any]) -> Rows:
    """The filled-in rows of a workbook or of a CSV in UTF-8 or the code of Japanese Windows. Raises `DocumentProblem`."""
    if is_workbook(data):
        return read(data, columns)
    for code in ("utf-8-sig", "cp932"):
        try:
            text = data.decode(code)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise DocumentProblem(
            "文字コードが UTF-8 でも Shift_JIS(CP932)でもないため、読めませんでした。何も取り込んでいません。"
        )
    if "\0" in text:
        raise DocumentProblem(
            "使えない文字(NUL)が入っています。何も取り込んでいません。CSV か .xlsx で保存し直してください。"
        )
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error:
        raise DocumentProblem(
            "CSV の引用符が閉じていないところがあります。何も取り込んでいません。保存し直してください。"
        ) from None
    return _rows(_Lines(lines), columns)


def _safe(data: bytes) -> None:
    """Refuse, before it is unpacked, what cannot be read or would be too much."""
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise DocumentProblem(
            "古い形式(.xls)か、パスワードの付いたファイルです。パスワードを外し、.xlsx で保存し直してください。"
        )
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            parts = packed.infolist()
    except (zipfile.BadZipFile, ValueError, OSError):
        raise DocumentProblem(
            "表計算のファイル(.xlsx)ではありません。様式を Excel で開き、.xlsx で保存してください。"
        ) from None
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_BYTES:
        raise DocumentProblem(
            "展開すると大きすぎるファイルです。様式だけのファイルにして、もう一度取り込んでください。"
        )
    if any("vbaproject" in part.filename.lower() for part in parts):
        raise DocumentProblem("マクロの入ったファイルは受け付けません。マクロを外し、.xlsx で保存し直してください。")


def _rows(sheet: Any, columns: Sequence[Any]) -> Rows:
    known = {column.heading: column for column in columns}
    # A file may say that it is a million rows high: what it says is not believed.
    lines = sheet.iter_rows(min_row=1, max_row=MOST_ROWS + 2, max_col=len(columns) + 50)
    heads = [_plain(cell.value) for cell in next(lines, ())]
    strange = [head for head in heads if head and head not in known]
    twice = [head for head in dict.fromkeys(heads) if head and heads.count(head) > 1]
    lacking = [column.heading for column in columns if column.need and column.heading not in heads]
    if not any(head in known for head in heads) or strange or twice or lacking:
        told = [("知らない見出し", strange), ("2回ある見出し", twice), ("足りない見出し", lacking)]
        said = "。".join(
            f"{what}: {'、'.join(visible(str(head))[:40] for head in found[:10])}" for what, found in told if found
        )
        raise DocumentProblem(
            f"1行目の見出しが様式と違います。{said or '様式の見出しがありません'}。様式をもう一度受け取って、写してください。"
        )
    places = {place: head for place, head in enumerate(heads) if head}
    letters = {head: get_column_letter(place + 1) for place, head in places.items()}
    found: list[tuple[int, dict[str, str]]] = []
    wrong: list[tuple[int, str, str]] = []
    for number, line in enumerate(lines, start=2):
        cells = {head: line[place] for place, head in places.items() if place < len(line)}
        texts = {head: _text(cell, known[head]) for head, cell in cells.items()}
        wrong += [(number, head, reason) for head, cell in cells.items() if (reason := _no_value(cell))]
        if any(text.strip() for text in texts.values()):
            found.append((number, texts))
    if found and found[-1][0] > MOST_ROWS + 1:
        raise DocumentProblem(f"{MOST_ROWS:,}行を超えています。何も取り込んでいません。ファイルを分けてください。")
    return Rows(found, letters, wrong)


def _plain(value: Any) -> str:
    return "".join(value.split()) if isinstance(value, str) else "" if value is None else str(value)


def _no_value(cell: Any) -> str:
    """Why a cell has no value of its own: a formula is never computed here."""
    kind = getattr(cell, "data_type", "")
    return {"f": "数式が入っています。値に直してください。", "e": "表計算のエラー(#N/A など)が入っています。"}.get(
        kind, ""
    )


def _text(cell: Any, column: Any) -> str:
    """The text that stands in a cell; a date as ISO, a number without a tail, a code with the zeros that it lost."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, datetime):
        text = (value.date() if value.time() == time() else value).isoformat()
    elif isinstance(value, date):
        text = value.isoformat()
    elif isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        text = str(int(value))
    else:
        text = str(value)
    if column.code and not isinstance(value, str) and narrow(text).isdecimal():
        text = text.zfill(6)
    return text[:LONGEST]
