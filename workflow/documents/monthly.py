"""The months of a process as a workbook: for people a sheet of months, one of each choice, one of what is open; for machines
the same figures one to a row, with what they mean.
"""

import io
from collections.abc import Sequence

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties

from states.dates import wareki
from states.documents import Value
from workflow.documents.cells import TALLEST, put, text_lines
from workflow.monthly import Month, Year

_LINE = Side(style="thin", color="808080")
HEAD = 4  # row of the headings
LINE = 15.0  # points of a line of text
DEFINITIONS = (
    ("受付", "受けた日がその月にあるもの。入力した日ではない。"),
    ("回答", "その月に初めて回答したもの。受けた月は問わない。"),
    ("取下げ・統合", "その月に、回答しないまま終わったもの。"),
    ("処理日数", "受けた日の翌日から初めて回答した日までの、局の開庁日の数。同じ日に答えたものは0日。回答した月に数える。"),
    ("月末の未処理", "月の終わり(今月は今日)に、回答も終わりもしていないもの。再び開いたものを含む。"),
)  # fmt: skip
Rows = Sequence[Sequence[Value]]


def workbook(told: Year, office: str, year_label: str, day: str) -> bytes:
    """The workbook of a year; `office` and `year_label` are words, `day` the last day of the month whose open cases are listed."""
    book = Workbook()
    book.remove(book.worksheets[0])
    title = f"{told.monthly.label} {year_label}"
    under = f"{office} {wareki(told.today)} 現在"
    _sheet(
        book,
        "月次",
        title,
        under,
        MONTHS,
        [_row(month) for month in told.months] + [_sum(told)],
        (14, 8, 8, 14, 16, 14, 14, 14),
    )
    for split in told.monthly.splits:
        choices = told.choices(split)
        heads = [split.label, *(f"{month.first.month}月" for month in told.months), "計"]
        rows: list[list[Value]] = [
            [label, *(month.splits[split.key][key] for month in told.months), told.count(split, key)]
            for key, label in choices
        ]
        _sheet(book, split.label, f"{title} {split.label}", under, heads, rows, (30, *(7 for _ in heads[1:])))
    last = next((month.last for month in told.months if month.last.isoformat() == day), told.today)
    opened = told.open_on(last)
    labels = list(dict.fromkeys(label for one in opened for label, _ in one.told))
    listed: list[list[Value]] = [
        [one.line.number, one.line.title, one.line.came, one.waited, one.state, one.line.due, *(dict(one.told).get(label, "") for label in labels)]
        for one in opened
    ]  # fmt: skip
    heads = ["番号", "件名", "受けた日", "経過[開庁日]", "その日の状態", "いまの期限", *labels]
    _sheet(
        book,
        "未処理",
        f"{title} 未処理({wareki(last)})",
        under,
        heads,
        listed,
        (18, 36, 12, 10, 20, 12, *(18 for _ in labels)),
    )
    _sheet(
        book,
        "データ",
        "データ",
        "",
        ("年月", "振興局", "指標", "区分", "値", "単位"),
        _data(told, office),
        (10, 22, 18, 28, 8, 8),
    )
    _sheet(book, "定義", "数え方", "", ("指標", "数え方"), DEFINITIONS, (18, 90))
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


MONTHS = ("月", "受付", "回答", "取下げ・統合", "中央値[開庁日]", "最短[開庁日]", "最長[開庁日]", "月末の未処理")


def _row(month: Month) -> list[Value]:
    low, high = month.span or (None, None)
    name = f"{month.first.year}年{month.first.month}月"
    return [name, month.came, month.answered, month.void, month.median, low, high, month.open]


def _sum(told: Year) -> list[Value]:
    took = told.took
    low, high = (min(took), max(took)) if took else (None, None)
    return ["計", told.total("came"), told.total("answered"), told.total("void"), told.median, low, high, None]


def _data(told: Year, office: str) -> list[list[Value]]:
    """One figure a row; a median that there is none of is blank, which is not 0."""
    rows: list[list[Value]] = []
    for month in told.months:
        name = f"{month.first.year}-{month.first.month:02}"
        low, high = month.span or (None, None)
        counts = (
            ("受付", month.came),
            ("回答", month.answered),
            ("取下げ・統合", month.void),
            ("月末の未処理", month.open),
        )
        rows += [[name, office, label, "", value, "件"] for label, value in counts]
        spans: tuple[tuple[str, Value], ...] = (("中央値", month.median), ("最短", low), ("最長", high))
        rows += [[name, office, "処理日数", label, value, "開庁日"] for label, value in spans]
        for split in told.monthly.splits:
            chosen = ((label, month.splits[split.key][key]) for key, label in told.choices(split))
            rows += [[name, office, split.label, label, count, "件"] for label, count in chosen]
    return rows


def _sheet(
    book: Workbook, name: str, title: str, under: str, heads: Sequence[str], rows: Rows, widths: Sequence[int]
) -> None:
    sheet = book.create_sheet(name[:31])
    put(sheet["A1"], title)
    sheet["A1"].font = Font(size=14, bold=True)
    put(sheet["A2"], under)
    for place, text in enumerate(heads, start=1):
        cell = sheet.cell(HEAD, place)
        put(cell, text)
        cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor="E8E8E8")
        sheet.column_dimensions[get_column_letter(place)].width = widths[place - 1]
    for number, row in enumerate(rows, start=HEAD + 1):
        for place, value in enumerate(row, start=1):
            put(sheet.cell(number, place), value)
    for number, row in enumerate([heads, *rows], start=HEAD):
        lines = max(
            text_lines(str(value), width - 2) for value, width in zip(row, widths, strict=True) if value is not None
        )
        sheet.row_dimensions[number].height = min(LINE * lines + 3, TALLEST)
    for line in sheet.iter_rows(min_row=HEAD, max_row=HEAD + len(rows), max_col=len(heads)):
        for cell in line:
            cell.border = Border(left=_LINE, right=_LINE, top=_LINE, bottom=_LINE)
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    sheet.freeze_panes = f"A{HEAD + 1}"
    sheet.print_title_rows = f"{HEAD}:{HEAD}"
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.oddFooter.center.text = "&P / &N"
