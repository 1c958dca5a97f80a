"""Business days 2015–2050 against an oracle that shares nothing with ours: another library's holidays, counted day by day."""

import csv
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import jpholiday
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from states.calendar import Calendar

TABLE = Path(__file__).parents[1] / "data" / "japanese_holidays.csv"
LAW = Calendar()
ONE = timedelta(days=1)
DAYS = st.dates(date(2015, 1, 5), date(2050, 10, 31))
LISTED_DAYS = st.dates(date(2015, 2, 1), date(2027, 10, 31))


@cache
def listed() -> frozenset[str]:
    with TABLE.open(encoding="utf-8", newline="") as lines:
        return frozenset(row["date"] for row in csv.DictReader(lines))


@cache
def theirs(year: int) -> frozenset[date]:
    """The other library's holidays of a year; asked day by day it takes minutes."""
    return frozenset(day for day, _ in jpholiday.year_holidays(year))


def works(day: date) -> bool:
    """The oracle's answer: jpholiday's table, the weekday, the office's year end written out."""
    closed = f"{day:%m%d}" in ("1229", "1230", "1231", "0101", "0102", "0103")
    return day.isoweekday() < 6 and not closed and day not in theirs(day.year)


def walked(start: date, n: int, open_on=works) -> date:
    """The n-th day after (or before) `start` on which the office works, found by walking."""
    day, left = start, abs(n)
    if n == 0:
        while not open_on(day):
            day += ONE
    while left:
        day += ONE if n > 0 else -ONE
        left -= open_on(day)
    return day


def test_every_day_of_thirty_six_years_is_the_same():
    day, wrong = date(2015, 1, 1), []
    while day <= date(2050, 12, 31):
        if LAW.is_business_day(day) is not works(day):
            wrong.append(day)
        day += ONE
    assert wrong == []


@settings(deadline=None)
@given(DAYS, st.integers(-40, 40))
@example(date(2026, 9, 18), 1)  # over 敬老の日, 国民の休日 and 秋分の日
@example(date(2026, 9, 22), 0)
@example(date(2019, 4, 26), 1)  # the ten days of the change of era
@example(date(2020, 2, 28), 1)  # a leap year's last days of February
@example(date(2024, 2, 29), -1)
@example(date(2026, 12, 28), 1)
@example(date(2027, 1, 4), -1)
@example(date(2026, 5, 1), 1)  # Golden Week
def test_the_nth_business_day_is_the_one_that_is_walked_to(start, n):
    assert LAW.add_business_days(start, n) == walked(start, n)


@settings(deadline=None)
@given(LISTED_DAYS, st.integers(0, 30))
def test_the_years_of_the_table_are_counted_by_the_table(start, n):
    def open_on(day: date) -> bool:
        return day.isoweekday() < 6 and day.isoformat() not in listed() and not (
            (day.month, day.day) >= (12, 29) or (day.month, day.day) <= (1, 3)
        )  # fmt: skip

    assert LAW.add_business_days(start, n) == walked(start, n, open_on)


@settings(deadline=None)
@given(DAYS, st.integers(0, 200))
def test_days_between_are_those_that_are_counted(first, more):
    last = first + timedelta(days=more)
    assert LAW.business_days_between(first, last) == sum(works(first + timedelta(days=n)) for n in range(1, more + 1))
    assert LAW.business_days_in(first, last) == sum(works(first + timedelta(days=n)) for n in range(more + 1))


@settings(deadline=None)
@given(DAYS, st.frozensets(st.integers(-30, 60)), st.frozensets(st.integers(-30, 60)), st.integers(1, 25))
def test_closures_and_changes_of_the_law_are_counted_like_any_other_day(start, closed, open_again, n):
    closures = frozenset(start + timedelta(days=k) for k in closed)
    known = frozenset(d for k in open_again if (d := start + timedelta(days=k)) in theirs(d.year))
    days = Calendar(closures=closures - known, working=known)

    def open_on(day: date) -> bool:
        if day in closures - known:
            return False
        ordinary = day.isoweekday() < 6 and f"{day:%m%d}" not in ("1229", "1230", "1231", "0101", "0102", "0103")
        return ordinary if day in known else works(day)

    assert days.add_business_days(start, n) == walked(start, n, open_on)
    assert Calendar(holidays=closures - known, working=known).add_business_days(start, n) == walked(start, n, open_on)


@pytest.mark.parametrize(
    ("start", "n", "found"),
    [
        ("2026-01-30", 1, "2026-02-02"),  # month ends
        ("2026-03-31", 1, "2026-04-01"),
        ("2026-04-28", 1, "2026-04-30"),  # Golden Week: the 29th, then 3 to 6 May
        ("2026-04-30", 1, "2026-05-01"),
        ("2026-05-01", 1, "2026-05-07"),
        ("2019-04-26", 1, "2019-05-07"),  # ten days in a row
        ("2024-02-28", 1, "2024-02-29"),  # a leap day is a working day
        ("2024-02-29", 1, "2024-03-01"),
        ("2032-02-27", 1, "2032-03-01"),  # and a Sunday in 2032
        ("2026-09-18", 1, "2026-09-24"),  # 2026-09-22 is sandwiched
        ("2026-12-25", 1, "2026-12-28"),
        ("2026-12-28", 1, "2027-01-04"),  # year end
        ("2026-12-31", -1, "2026-12-28"),
        ("2026-10-12", 0, "2026-10-13"),
    ],
)
def test_days_that_one_looks_up(start, n, found):
    assert LAW.add_business_days(date.fromisoformat(start), n) == date.fromisoformat(found)


def test_a_law_that_makes_a_holiday_and_takes_one_back():
    days = Calendar(
        holidays=frozenset({date(2026, 10, 14)}), working=frozenset({date(2026, 10, 12), date(2026, 11, 3)})
    )
    assert not days.is_business_day(date(2026, 10, 14))
    assert days.is_business_day(date(2026, 10, 12))
    assert days.holidays_in(date(2026, 10, 1), date(2026, 11, 30)) == (date(2026, 10, 14), date(2026, 11, 23))
    assert (days.holiday_name(date(2026, 10, 14)), days.holiday_name(date(2026, 10, 12))) == ("国民の祝日", "")
    # A Sunday stays a Sunday, and the year end stays the year end.
    assert not Calendar(working=frozenset({date(2026, 5, 3), date(2027, 1, 1)})).is_business_day(date(2026, 5, 3))
    assert not Calendar(working=frozenset({date(2027, 1, 1)})).is_business_day(date(2027, 1, 1))
