"""Dates as people write them, read generously and never guessed; dates as offices print them.

Every reading is pure: what cannot be read comes back with the reason in Japanese, what was read otherwise than
written comes back with a note. Years from 1873 (明治6年, the first of the present calendar) to 2099 are known.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache

from states.text import narrow, visible

FIRST_YEAR, LAST_YEAR = 1873, 2099
WEEKDAYS = "月火水木金土日"
LONGEST_RANGE = 366  # days; a longer one is a slip of the pen, not a plan
LONGEST_DATE = 60  # characters
LONGEST_LIST = 2000  # characters
HALVES = ("午前", "午後")  # the halves of a day by their numbers: 0 morning, 1 afternoon
WHOLE = (0, 1)

# Name, letter, first day, last day.
_ERAS = (
    ("明治", "M", date(1868, 1, 25), date(1912, 7, 29)),
    ("大正", "T", date(1912, 7, 30), date(1926, 12, 24)),
    ("昭和", "S", date(1926, 12, 25), date(1989, 1, 7)),
    ("平成", "H", date(1989, 1, 8), date(2019, 4, 30)),
    ("令和", "R", date(2019, 5, 1), date.max),
)
_BY_SIGN = {sign: era for era in _ERAS for sign in (era[0], era[0][0], era[1], era[1].lower())}
_SIGN = "明治|大正|昭和|平成|令和|[明大昭平令MTSHRmtshr]"
_NUMERALS = {n: i for i, n in enumerate("〇一二三四五六七八九")}

_WEEKDAY = rf"(?:\((?P<w>[{WEEKDAYS}])(?:曜日?)?\)|(?P<w2>[{WEEKDAYS}])曜日)?"
_YEAR = rf"(?:(?P<era>{_SIGN})\.?(?P<ey>\d{{1,3}}|元)|(?P<y>\d{{4}})|(?P<bare>\d{{1,2}})(?=年))"
_FULL = re.compile(rf"{_YEAR}(?:年|[-/.])(?P<m>\d{{1,2}})(?:月|[-/.])(?P<d>\d{{1,2}})日?{_WEEKDAY}", re.ASCII)
_COMPACT = re.compile(rf"(?:(?P<y>\d{{4}})|(?P<era>{_SIGN})(?P<ey>\d{{2}}))(?P<m>\d{{2}})(?P<d>\d{{2}})", re.ASCII)
_MONTH_DAY = re.compile(rf"(?P<m>\d{{1,2}})(?:月|[/.])(?P<d>\d{{1,2}})日?{_WEEKDAY}", re.ASCII)
_DAY = re.compile(rf"(?P<d>\d{{1,2}})日?{_WEEKDAY}", re.ASCII)
_HALF = re.compile("の?(午前|午後|全日|終日|[AP]M)中?", re.ASCII | re.IGNORECASE)
_MEANT = {"午前": (0,), "AM": (0,), "午後": (1,), "PM": (1,), "全日": WHOLE, "終日": WHOLE}
_YEAR_MONTH = re.compile(rf"(?:(?:{_SIGN})\.?(?:\d{{1,3}}|元)|\d{{4}})(?:年|[-/.])\d{{1,2}}月?", re.ASCII)
_FISCAL = re.compile(rf"(?:(?P<era>{_SIGN})\.?(?P<ey>\d{{1,3}}|元)|(?:FY)?(?P<y>\d{{4}}))(?:年度?)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read: the date or None; a note where it was read otherwise than written; the problem where it was not.

    `mended` tells the note of an era that had ended, which rule I-05 warns of, from that of a year without an era.
    """

    date: date | None
    note: str = ""
    problem: str = ""
    mended: bool = False


@dataclass(frozen=True, slots=True)
class FiscalYearReading:
    """The year in which a fiscal year begins, or None with the problem."""

    year: int | None
    note: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class DaysReading:
    """Distinct days in order, what could not be read, and eras that had ended and were read on.

    `halves` names the half that is meant of a day (0 morning, 1 afternoon); a day that it lacks is a whole one.
    """

    days: tuple[date, ...] = ()
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    halves: Mapping[date, tuple[int, ...]] = field(default_factory=dict)

    @property
    def half_days(self) -> tuple[tuple[date, int], ...]:
        """Every half-day that is meant, in order: two for a whole day."""
        return tuple((day, half) for day in self.days for half in self.halves.get(day, WHOLE))


class _Unreadable(Exception):
    """Carries the Japanese reason up to the reading."""


# --- reading -------------------------------------------------------------------------------------------------------


def read_date(text: str) -> Reading:
    """Read one date: 2026-04-01, ２０２６／４／１, 令和8年4月1日, R8.4.1, 令和元年, 8年4月1日, 平成38.4.1, 20260401.

    An era that had ended is read on with a note; a date that does not exist is refused, never mended.
    """
    return _read_date(text if len(text) <= LONGEST_DATE else text[:LONGEST_DATE] + "…")


@lru_cache(maxsize=8192)
def _read_date(text: str) -> Reading:
    plain = _plain(text).replace("・", ".")
    if not plain:
        return Reading(None, problem="日付が書かれていません。")
    try:
        match = _FULL.fullmatch(plain) or _COMPACT.fullmatch(plain)
        if match is None:
            raise _Unreadable(_why_not(plain, text))
        found, note, mended = _date_of(match, text)
        return Reading(found, note, mended=mended)
    except _Unreadable as reason:
        return Reading(None, problem=str(reason))


def read_fiscal_year(text: str) -> FiscalYearReading:
    """Read 令和8年度, R8, 2026年度, 平成32年度 (that era had ended: 2020, with a note) as the year it begins in."""
    match = _FISCAL.fullmatch(_plain(text).upper()) if len(text) <= LONGEST_DATE else None
    if match is None:
        return FiscalYearReading(
            None,
            problem=f"「{_quoted(text)}」を年度として読めません。「令和8年度」か「2026年度」のように書いてください。",
        )
    try:
        year = _year_of(match, text)
    except _Unreadable as reason:
        return FiscalYearReading(None, problem=str(reason))
    label = fiscal_year_label(year)
    if match["era"] is None:
        return FiscalYearReading(year)
    name, _, begins, ends = _BY_SIGN[match["era"]]
    if begins <= date(year + 1, 3, 31) and date(year, 4, 1) <= ends:
        return FiscalYearReading(year)
    return FiscalYearReading(year, note=f"{name}{match['ey']}年度は、改元により{label}({year}年度)と読みました。")


def parse_days(text: str, within: tuple[date, date] | None = None) -> DaysReading:
    """Read a list of days and ranges: 11/9-11、11/24-25 or 2026-11-09〜2026-11-11 or 令和8年11月9日から11日まで.

    A day without a year takes the year that lies in `within` (first and last day of the period), or nearest to it;
    without `within` the year has to be written. A bare number takes month and year of the day before it.
    A single day may be a half one: 11/9午前、11/12PM; morning and afternoon of one day make it whole.
    """
    if len(text) > LONGEST_LIST:
        return DaysReading(problems=(f"日の並びが長すぎます。{LONGEST_LIST:,}字までにしてください。",))
    return _parse_days(text, within)


@lru_cache(maxsize=4096)
def _parse_days(text: str, within: tuple[date, date] | None) -> DaysReading:
    found: dict[date, set[int]] = {}
    problems: list[str] = []
    notes: list[str] = []
    before: date | None = None
    halved = False  # whether the day before was a half one, so that a bare 午後 belongs to it
    for chunk in _chunks(text):
        try:
            written, halves = _halved(chunk)
            if not written and not halved:
                raise _Unreadable(_half_misplaced(chunk))
            first, last = _span(written, before, within, notes) if written or before is None else (before, before)
            if first != last and halves != WHOLE:
                raise _Unreadable(_half_misplaced(chunk))
        except _Unreadable as reason:
            problems.append(str(reason))
            halved = False
            continue
        for day in days_between(first, last):
            found.setdefault(day, set()).update(halves)
        before, halved = last, halves != WHOLE
    half = {day: tuple(found[day]) for day in sorted(found) if len(found[day]) < len(WHOLE)}
    return DaysReading(tuple(sorted(found)), tuple(dict.fromkeys(problems)), tuple(dict.fromkeys(notes)), half)


def _plain(text: str) -> str:
    """Half width, digits for Chinese numerals, no spaces beside a separator: the form that the patterns know."""
    plain = re.sub("[〇一二三四五六七八九十]+(?=[年月日])", lambda m: str(_numeral(m[0])), narrow(text))
    plain = re.sub(r"\s*([-/~.年月])\s*", r"\1", plain)
    plain = re.sub(r"([年月])[.]", r"\1", plain)
    return re.sub(
        rf"(?<=[明大昭平令治正和成MTSHR])\s+(?=[\d元])|(?<=\d)\s+(?=[日(])|(?<=日)\s+(?=[({WEEKDAYS}])", "", plain
    )


def _numeral(written: str) -> int:
    """八, 十二, 二十五, 二〇二六 as numbers."""
    if "十" in written:
        tens, _, ones = written.partition("十")
        return 10 * _NUMERALS.get(tens, 1) + _NUMERALS.get(ones, 0)
    return int("".join(str(_NUMERALS[n]) for n in written))


def _date_of(match: re.Match[str], text: str) -> tuple[date, str, bool]:
    """The day, a note where it was read otherwise than written, and whether that was for an era that had ended."""
    year = _year_of(match, text)
    found = _exact(year, int(match["m"]), int(match["d"]), text)
    _check_weekday(match, found, text)
    groups = match.groupdict()
    if groups.get("bare"):
        return found, f"「{_quoted(text)}」には元号がないので、{wareki(found)}({found.year}年)と読みました。", False
    if groups.get("era"):
        name, _, begins, ends = _BY_SIGN[groups["era"]]
        if not begins <= found <= ends:
            note = f"「{_quoted(text)}」は{name}の期間にない日なので、{wareki(found)}({found.year}年)と読みました。"
            return found, note, True
    return found, "", False


def _year_of(match: re.Match[str], text: str) -> int:
    groups = match.groupdict()
    if groups.get("era"):
        begins: date = _BY_SIGN[groups["era"]][2]
        count = 1 if groups["ey"] == "元" else int(groups["ey"])
        if count == 0:
            raise _Unreadable(f"「{_quoted(text)}」は読めません。元号に0年はありません。")
        year = begins.year + count - 1
    elif groups.get("bare"):
        # Two digits before 年 and no era: 令和 while that can be meant, else the writer has to say.
        if not 1 <= int(groups["bare"]) <= 29:
            raise _Unreadable(f"「{_quoted(text)}」の年が分かりません。元号か西暦4けたの年を書いてください。")
        year = 2018 + int(groups["bare"])
    else:
        year = int(groups["y"])
    if year < FIRST_YEAR:
        raise _Unreadable(f"「{_quoted(text)}」は読めません。明治6年(1873年)より前は暦が違います。")
    if year > LAST_YEAR:
        raise _Unreadable(f"「{_quoted(text)}」は西暦{year}年になります。年を確かめてください。")
    return year


def _exact(year: int, month: int, day: int, text: str) -> date:
    if not 1 <= month <= 12:
        raise _Unreadable(f"「{_quoted(text)}」という日付はありません。月は1から12までです。")
    last = _month_end(year, month)
    if not 1 <= day <= last.day:
        raise _Unreadable(f"「{_quoted(text)}」という日付はありません。{year}年{month}月は{last.day}日までです。")
    return date(year, month, day)


def _check_weekday(match: re.Match[str], found: date, text: str) -> None:
    written = match["w"] or match["w2"] if "w" in match.re.groupindex else None
    if written and written != WEEKDAYS[found.weekday()]:
        raise _Unreadable(
            f"「{_quoted(text)}」は曜日が合いません。{wareki(found)}は{WEEKDAYS[found.weekday()]}曜日です。"
        )


def _why_not(plain: str, text: str) -> str:
    if _YEAR_MONTH.fullmatch(plain):
        return f"「{_quoted(text)}」には日がありません。何日かまで書いてください。"
    if _MONTH_DAY.fullmatch(plain):
        return f"「{_quoted(text)}」には年がありません。年も書いてください。"
    if re.fullmatch(r"\d{1,2}[-/.]\d{1,2}[-/.]\d{1,4}", plain):
        return f"「{_quoted(text)}」は年が分かりません。元号か西暦4けたの年から書いてください。"
    return (
        f"「{_quoted(text)}」を日付として読めません。「令和8年4月1日」「R8.4.1」「2026-04-01」のように書いてください。"
    )


def _quoted(text: str) -> str:
    text = text.strip()
    return visible(text) if len(text) <= 40 else visible(text[:40]) + "…"


# --- lists of days -------------------------------------------------------------------------------------------------


def _chunks(text: str) -> list[str]:
    """One chunk for each day or range: half width, wave dashes and から…まで as ~, spaces only between chunks."""
    plain = narrow(text).replace("・", "、").replace("〜", "~").replace("から", "~").replace("まで", "")
    joined = re.sub(rf"(?<=[\d日)])\s+(?={_HALF.pattern})", "", _plain(plain), flags=_HALF.flags)
    return [chunk for chunk in re.split(r"[、,;\s]+", joined) if chunk]


def _halved(chunk: str) -> tuple[str, tuple[int, ...]]:
    """The chunk without the half that stands behind it, and the halves it means; raises `_Unreadable`."""
    found = list(_HALF.finditer(chunk))
    if not found:
        return chunk, WHOLE
    if len(found) > 1 or found[0].end() < len(chunk):
        raise _Unreadable(_half_misplaced(chunk))
    return chunk[: found[0].start()], _MEANT[found[0][1].upper()]


def _half_misplaced(chunk: str) -> str:
    return (
        f"「{_quoted(chunk)}」の午前・午後は、どの日のことか読めません。"
        "半日は一日ずつ、「11/9午後、11/10-11、11/12午前」のように日のすぐ後ろに書いてください。"
    )


def _span(chunk: str, before: date | None, within: tuple[date, date] | None, notes: list[str]) -> tuple[date, date]:
    """First and last day of one chunk; raises `_Unreadable`."""
    for left, right in _cuts(chunk):
        start = _FULL.fullmatch(left) or _COMPACT.fullmatch(left) or _MONTH_DAY.fullmatch(left)
        start = start or (_DAY.fullmatch(left) if before else None)
        if start is None:
            continue
        first = _resolve(start, before, within, chunk, notes)
        if right is None:
            return first, first
        end = (
            _FULL.fullmatch(right) or _COMPACT.fullmatch(right) or _MONTH_DAY.fullmatch(right) or _DAY.fullmatch(right)
        )
        if end is None:
            continue
        last = _resolve(end, first, None, chunk, notes)
        if last < first and "y" not in end.groupdict() and "m" in end.groupdict():
            last = _exact(first.year + 1, int(end["m"]), int(end["d"]), chunk)  # 12/28-1/5 runs over the new year
            _check_weekday(end, last, chunk)
        if last < first:
            raise _Unreadable(f"「{_quoted(chunk)}」は、終わりが始まりより前です。")
        if (last - first).days >= LONGEST_RANGE:
            raise _Unreadable(f"「{_quoted(chunk)}」は1年を超えています。日を確かめてください。")
        return first, last
    if re.fullmatch(r"\d{1,2}日?", chunk):
        raise _Unreadable(f"「{_quoted(chunk)}」には月がありません。「11/9」のように書いてください。")
    raise _Unreadable(f"「{_quoted(chunk)}」を日として読めません。「11/9-11、11/24」のように書いてください。")


def _cuts(chunk: str) -> Iterable[tuple[str, str | None]]:
    """The chunk as one day, then every way to cut it into the two ends of a range."""
    yield chunk, None
    for mark in re.finditer("[~-]", chunk):
        yield chunk[: mark.start()], chunk[mark.end() :]


def _resolve(
    match: re.Match[str], before: date | None, within: tuple[date, date] | None, text: str, notes: list[str]
) -> date:
    groups = match.groupdict()
    if "y" in groups:
        found, note, mended = _date_of(match, text)
        if mended:
            notes.append(note)
        return found
    month = int(groups["m"]) if "m" in groups else before.month if before else 0
    if "m" not in groups or within is None:
        if before is None:
            raise _Unreadable(f"「{_quoted(text)}」には年がありません。年も書いてください。")
        found = _exact(before.year, month, int(groups["d"]), text)
    else:
        found = _nearest(month, int(groups["d"]), within, text)
    _check_weekday(match, found, text)
    return found


def _nearest(month: int, day: int, within: tuple[date, date], text: str) -> date:
    """The day of that month and number in the period, or in the year that brings it nearest; the day itself must exist."""
    first, last = min(within), max(within)

    def away(year: int) -> int:
        about = date(year, min(max(month, 1), 12), min(max(day, 1), 28))
        return max((first - about).days, (about - last).days, 0)

    years = range(max(FIRST_YEAR, first.year - 1), min(LAST_YEAR, last.year + 1) + 1)
    return _exact(min(years, key=lambda year: (away(year), abs(year - first.year))), month, day, text)


# --- printing and counting -----------------------------------------------------------------------------------------


def wareki(day: date) -> str:
    """令和8年4月1日."""
    name, _, begins, _ = next(era for era in reversed(_ERAS) if era[2] <= day)
    return f"{name}{_count(day.year - begins.year + 1)}年{day.month}月{day.day}日"


def short(day: date) -> str:
    """10月16日(金)."""
    return f"{day.month}月{day.day}日({WEEKDAYS[day.weekday()]})"


def month_day(day: date) -> str:
    """12月8日."""
    return f"{day.month}月{day.day}日"


def fiscal_year(day: date) -> int:
    """The year in which the fiscal year of that day begins (1 April to 31 March)."""
    return day.year if day.month >= 4 else day.year - 1


def fiscal_year_label(year: int) -> str:
    """令和8年度; the year of a change of era carries the name of the new one (令和元年度)."""
    day = date(year, 5, 1)
    name, _, begins, _ = next(era for era in reversed(_ERAS) if era[2] <= day)
    return f"{name}{_count(year - begins.year + 1)}年度"


def fiscal_years(first: date, last: date) -> tuple[int, ...]:
    """Every fiscal year that the days from first to last touch."""
    return tuple(range(fiscal_year(first), fiscal_year(last) + 1))


def one_month_last_day(first: date) -> date:
    """The last day of one month that begins on `first`, which counts itself: 10 April → 9 May, 31 January → 28 February."""
    year, month = (first.year + 1, 1) if first.month == 12 else (first.year, first.month + 1)
    end = _month_end(year, month)
    return date(year, month, first.day) - timedelta(days=1) if first.day <= end.day else end


def days_text(days: Iterable[date], halves: Mapping[date, Sequence[int]] | None = None) -> str:
    """「10/24-25、11/14午前」: runs of days as one writes them; `parse_days` reads it back within a period of a year.

    `halves` are those of a reading: a day in it stands alone, with its half.
    """
    runs: list[tuple[date, date, str]] = []
    for day in sorted(set(days)):
        half = "".join(HALVES[number] for number in (halves or {}).get(day, ()))
        if runs and not half and not runs[-1][2] and (day - runs[-1][1]).days == 1:
            runs[-1] = (runs[-1][0], day, "")
        else:
            runs.append((day, day, half))
    return "、".join(_run_text(first, last) + half for first, last, half in runs)


def _run_text(first: date, last: date) -> str:
    start = f"{first.month}/{first.day}"
    if first == last:
        return start
    return f"{start}-{last.day}" if first.month == last.month else f"{start}-{last.month}/{last.day}"


def days_between(first: date, last: date) -> list[date]:
    """Every day from first to last, both included."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _month_end(year: int, month: int) -> date:
    following = date(year + 1, 1, 1) if month == 12 else date(year, month + 1, 1)
    return following - timedelta(days=1)


def _count(number: int) -> str:
    return "元" if number == 1 else str(number)
