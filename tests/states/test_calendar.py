"""Business days, held against a table of three libraries and against another library."""

import csv
from datetime import date, timedelta
from pathlib import Path

import jpholiday
import pytest
from hypothesis import given
from hypothesis import strategies as st

from states.calendar import Calendar, CalendarEnds

TABLE = Path(__file__).parents[1] / "data" / "japanese_holidays.csv"
OFFICE = Calendar()
DAYS = st.dates(date(2000, 1, 1), date(2098, 12, 31))


def test_holidays_are_those_of_the_table():
    with TABLE.open(encoding="utf-8", newline="") as lines:
        listed = tuple(date.fromisoformat(row["date"]) for row in csv.DictReader(lines))
    assert OFFICE.holidays_in(date(2015, 1, 1), date(2027, 12, 31)) == listed


def test_holidays_are_those_of_another_library():
    for year in range(2000, 2051):
        theirs = tuple(sorted(day for day, _ in jpholiday.year_holidays(year)))
        assert OFFICE.holidays_in(date(year, 1, 1), date(year, 12, 31)) == theirs


def test_substitute_and_sandwiched_holidays_and_those_on_a_weekend_are_listed():
    assert OFFICE.holidays_in(date(2018, 12, 23), date(2018, 12, 24)) == (date(2018, 12, 23), date(2018, 12, 24))
    assert date(2026, 9, 22) in OFFICE.holidays_in(date(2026, 9, 1), date(2026, 9, 30))
    assert OFFICE.holiday_name(date(2026, 9, 22)) == "国民の休日"
    assert OFFICE.holiday_name(date(2026, 9, 24)) == ""


@pytest.mark.parametrize(
    "day", ["2026-12-29", "2026-12-31", "2027-01-01", "2025-01-03", "2026-11-23", "2026-11-28", "2026-11-29"]
)
def test_closed(day):
    assert not OFFICE.is_business_day(date.fromisoformat(day))


@pytest.mark.parametrize("day", ["2026-12-28", "2027-01-04", "2026-11-24"])
def test_open(day):
    assert OFFICE.is_business_day(date.fromisoformat(day))


def test_an_office_has_closures_of_its_own():
    assert not Calendar(frozenset({date(2026, 8, 14)})).is_business_day(date(2026, 8, 14))
    assert OFFICE.is_business_day(date(2026, 8, 14))


def test_counting_over_the_new_year():
    assert OFFICE.add_business_days(date(2026, 12, 28), 1) == date(2027, 1, 4)
    assert OFFICE.add_business_days(date(2027, 1, 4), -1) == date(2026, 12, 28)
    assert OFFICE.add_business_days(date(2027, 1, 1), 0) == date(2027, 1, 4)
    assert OFFICE.add_business_days(date(2027, 1, 4), 0) == date(2027, 1, 4)
    assert OFFICE.business_days_between(date(2026, 12, 28), date(2027, 1, 5)) == 2
    assert OFFICE.business_days_in(date(2026, 12, 28), date(2027, 1, 5)) == 3


@given(DAYS, st.integers(1, 60))
def test_adding_and_counting_agree(start, n):
    end = OFFICE.add_business_days(start, n)
    assert OFFICE.is_business_day(end)
    assert OFFICE.business_days_between(start, end) == n
    assert OFFICE.business_days_between(end, start) == -n
    assert OFFICE.add_business_days(end + timedelta(days=1), -1) == end


@pytest.mark.parametrize("day", [date(2100, 1, 4), date(1948, 12, 28), date(1873, 1, 1)])
def test_beyond_the_known_years_nothing_is_counted(day):
    with pytest.raises(CalendarEnds, match=f"{day.year}年の祝日は分かりません"):
        OFFICE.is_business_day(day)


def test_counting_out_of_the_known_years_is_refused():
    with pytest.raises(CalendarEnds):
        OFFICE.add_business_days(date(2099, 12, 28), 1)
