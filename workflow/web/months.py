"""A month in the address: how it is read, called, and gone on from."""

import re
from datetime import date, timedelta

from states.dates import wareki

FIRST, LAST = date(1990, 1, 1), date(2090, 12, 1)  # whose holidays are known, and those of the months around them
_WRITTEN = re.compile(r"(\d{4})-(\d{2})", re.ASCII)


def month_of(written: str, today: date) -> date:
    """The first day of the month written as 2026-10; of today's where nothing can be read."""
    match = _WRITTEN.fullmatch(written.strip())
    if match and 1 <= int(match[2]) <= 12 and FIRST <= (found := date(max(int(match[1]), 1), int(match[2]), 1)) <= LAST:
        return found
    return today.replace(day=1)


def beside(month: date, by: int) -> date:
    """The month so many months later (or before), within what can be shown."""
    number = month.year * 12 + month.month - 1 + by
    return min(max(date(number // 12, number % 12 + 1, 1), FIRST), LAST)


def end(month: date) -> date:
    """Its last day."""
    return (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def written(month: date) -> str:
    """2026-10."""
    return f"{month:%Y-%m}"


def called(month: date) -> str:
    """令和8年10月."""
    return wareki(month).rpartition("月")[0] + "月"
