"""Days, months, years and fiscal years as a first and a last day, and ranges of them that may be open at one end.

Made of the readings of `states.dates`: what can be read there is read here, with the same notes and refusals.
"""

import re
from dataclasses import dataclass
from datetime import date

from states.dates import LONGEST_DATE, read_date, read_fiscal_year
from states.text import narrow, visible

_MONTH = re.compile(r"[^年./-]*[年./-]\s*\d{1,2}月?", re.ASCII)


@dataclass(frozen=True, slots=True)
class SpanReading:
    """First and last day, None at an open end; a note where something was read otherwise than written; or the problem."""

    first: date | None = None
    last: date | None = None
    note: str = ""
    problem: str = ""


def read_span(text: str) -> SpanReading:
    """Read R8.4.1, H29.8 (the month), 令和8年 (the year), 令和8年度, R8.4〜R8.6, H29.8〜 and 〜2026-03 as first and last day."""
    plain = narrow(text).strip().replace("〜", "~").replace("から", "~").removesuffix("まで").strip()
    if not plain or len(text) > 2 * LONGEST_DATE:
        return SpanReading(problem="期間が書かれていません。" if not plain else "期間が長すぎて読めません。")
    left, mark, right = plain.partition("~")
    begin, end = _part(left) if left.strip() else None, _part(right) if right.strip() else None
    for part in (begin, end):
        if part is not None and part.problem:
            return part
    if not mark:
        return begin or SpanReading(problem="期間が書かれていません。")
    if begin is None and end is None:
        return SpanReading(problem="期間の初めか終わりの、どちらかは書いてください。")
    first, last = begin.first if begin else None, end.last if end else None
    if first and last and last < first:
        return SpanReading(problem=f"「{visible(text.strip())}」は、終わりが始まりより前です。")
    return SpanReading(first, last, "".join(part.note for part in (begin, end) if part))


def _part(text: str) -> SpanReading:
    """One day, month, year or fiscal year."""
    written = text.strip()
    whole = read_date(written)
    if whole.date:
        return SpanReading(whole.date, whole.date, whole.note)
    if written.endswith("年度"):
        year = read_fiscal_year(written)
        if year.year is not None:
            return SpanReading(date(year.year, 4, 1), date(year.year + 1, 3, 31), year.note)
        return SpanReading(problem=year.problem)
    # A month is read by its first day, a year by its first and its last.
    if _MONTH.fullmatch(written):
        begins = read_date(f"{written}1日" if written.endswith("月") else f"{written}.1")
        if begins.date:
            following = date(begins.date.year + begins.date.month // 12, begins.date.month % 12 + 1, 1)
            return SpanReading(begins.date, date.fromordinal(following.toordinal() - 1), begins.note)
        return SpanReading(problem=begins.problem)
    first, last = (read_date(f"{written}{'' if written.endswith('年') else '.'}{end}") for end in _ends(written))
    if first.date and last.date:
        return SpanReading(first.date, last.date, first.note and last.note)
    return SpanReading(problem=whole.problem)


def _ends(written: str) -> tuple[str, str]:
    return ("1月1日", "12月31日") if written.endswith("年") else ("1.1", "12.31")
