"""Fields that a page offers beside those of the form: ticks on a board, one row chosen of several, a button that writes.

They become ordinary fields here, before anything else reads them, so that ticking and typing store the same:

- `T~within`, `T~was`, `T~on`: a board over table T. A tick is `person:day.halves` (12:2026-11-09.01); `was` are those
  that the page showed, `on` those that came back. What differs is laid over the typed `T.N.days` of the person's row,
  or makes a row; where nothing differs the typed text stays as it is.
- `T~leader`: the number of the row that has the tick `leader`; the others have not.
- `do=set:name=value&…`: the button that was pressed writes these fields, then the page is shown again. `T.new.…` is a
  row that nobody has written into yet.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from urllib.parse import parse_qsl

from states.dates import WHOLE, DaysReading, days_text, parse_days

Pair = tuple[str, str]
Half = tuple[date, int]

SET = "set:"
AGAIN = "look"  # the button that saves and shows the page again
MOST_SET = 50  # fields that one button writes
LONGEST_SPAN = 366  # days
LAST_ROW = 10_000
NEW = "new"  # stands for the number of a row that is not written yet
GIVEN = frozenset({"headcount", "leader"})  # what a blank row carries, too

_TICK = re.compile(r"(\d{1,18}):(\d{4}-\d\d-\d\d)\.([01]{1,2})", re.ASCII)
_OFFERED = re.compile(r"(?P<table>[^~]+)~(?:within|was|on|leader)")


def settled(pairs: Sequence[Pair]) -> list[Pair]:
    """The fields with what was offered beside them laid over; anything unreadable of it counts for nothing."""
    found = _pressed(pairs)
    tables = dict.fromkeys(match["table"] for name, _ in found if (match := _OFFERED.fullmatch(name)))
    if not tables:
        return found
    offered = [pair for pair in found if _OFFERED.fullmatch(pair[0])]
    found = [pair for pair in found if not _OFFERED.fullmatch(pair[0])]
    for table in tables:
        found += _ticked(table, offered, found) + _chosen(table, offered)
    return found


def _pressed(pairs: Sequence[Pair]) -> list[Pair]:
    """The fields, those of the pressed button behind them."""
    found: list[Pair] = []
    written: list[Pair] = []
    for name, value in pairs:
        if name == "do" and value.startswith(SET):
            written = parse_qsl(value.removeprefix(SET), keep_blank_values=True)[:MOST_SET]
            found.append((name, AGAIN))
        else:
            found.append((name, value))
    fresh: dict[str, int] = {}
    for name, value in written:
        table, new, key = name.partition(f".{NEW}.")
        if new and table not in fresh:
            fresh[table] = _fresh(_rows(table, found))
        if name != "do" and "\0" not in name + value:
            found.append((f"{table}.{fresh[table]}.{key}" if new else name, value))
    return found


def _chosen(table: str, offered: Sequence[Pair]) -> list[Pair]:
    rows = [value for name, value in offered if name == f"{table}~leader"]
    return [(f"{table}.{rows[-1]}.leader", "on")] if rows and _row(rows[-1]) is not None else []


def _ticked(table: str, offered: Sequence[Pair], pairs: Sequence[Pair]) -> list[Pair]:
    """The days of every row whose ticks are others than the page showed."""
    within = _within([value for name, value in offered if name == f"{table}~within"])
    if within is None:
        return []
    was = _ticks([value for name, value in offered if name == f"{table}~was"])
    on = _ticks([value for name, value in offered if name == f"{table}~on"])
    rows = _rows(table, pairs)
    made: list[Pair] = []
    rows = dict(rows)
    for person in sorted(was.keys() | on.keys()):
        added, removed = on.get(person, set()) - was.get(person, set()), was.get(person, set()) - on.get(person, set())
        own = [number for number, row in rows.items() if row.get("person", "").strip() == str(person)]
        for number in own:
            typed = rows[number].get("days", "")
            if (text := _laid_over(typed, added if number == own[0] else set(), removed, within)) != typed:
                made.append((f"{table}.{number}.days", text))
        if added and not own:
            number, days = _fresh(rows), _written({day for day, _ in added}, added)
            rows[number] = {"person": str(person), "days": days}
            made += [(f"{table}.{number}.{key}", value) for key, value in rows[number].items()]
    return made


def _laid_over(typed: str, added: set[Half], removed: set[Half], within: tuple[date, date]) -> str:
    """The typed days with some more and some fewer; what cannot be read is kept, and then nothing is taken away."""
    reading: DaysReading = parse_days(typed, within)
    there = set(reading.half_days)
    if not added - there and not removed & there:
        return typed
    if reading.problems:
        more = _written({day for day, _ in added - there}, added)
        return "、".join(filter(None, (typed.strip(), more)))
    left = (there | added) - removed
    return _written({day for day, _ in left}, left)


def _written(days: set[date], halves: set[Half]) -> str:
    half = {day: tuple(h for h in WHOLE if (day, h) in halves) for day in days}
    return days_text(days, {day: own for day, own in half.items() if own != WHOLE})


def _within(values: Sequence[str]) -> tuple[date, date] | None:
    first, _, last = values[-1].partition("/") if values else ("", "", "")
    try:
        span = date.fromisoformat(first), date.fromisoformat(last)
    except ValueError:
        return None
    return span if 0 <= (span[1] - span[0]).days < LONGEST_SPAN else None


def _ticks(values: Sequence[str]) -> dict[int, set[Half]]:
    """Person → half-days, of any number of ticks in each value."""
    found: dict[int, set[Half]] = {}
    for tick in " ".join(values).split():
        match = _TICK.fullmatch(tick)
        try:
            day = date.fromisoformat(match[2]) if match else None
        except ValueError:
            continue
        if match and day:
            found.setdefault(int(match[1]), set()).update((day, int(half)) for half in match[3])
    return found


def _rows(table: str, pairs: Sequence[Pair]) -> Mapping[int, Mapping[str, str]]:
    """The posted rows of the table by number; of several values the last counts."""
    found: dict[int, dict[str, str]] = {}
    for name, value in pairs:
        number, _, key = name.removeprefix(f"{table}.").partition(".")
        if name.startswith(f"{table}.") and (row := _row(number)) is not None:
            found.setdefault(row, {})[key] = value
    return found


def _fresh(rows: Mapping[int, Mapping[str, str]]) -> int:
    """The number of the first row in which nothing is written, or the next one."""
    blank = [n for n, row in rows.items() if not any(v.strip() for key, v in row.items() if key not in GIVEN)]
    return min(blank, default=max(rows, default=-1) + 1)


def _row(number: str) -> int | None:
    return (
        int(number) if number.isascii() and number.isdecimal() and len(number) < 6 and int(number) < LAST_ROW else None
    )
