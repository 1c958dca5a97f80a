"""Rest days that are worked on, and the days given for them instead (§R7: 4 weeks before to 8 weeks after)."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from states.calendar import Calendar
from states.dates import parse_days
from states.substitute import AFTER, BEFORE, settle

PERIOD = (date(2026, 11, 9), date(2026, 12, 8))
OFFICE = Calendar(frozenset({date(2026, 11, 12)}))


def settled(days, written=""):
    return settle(parse_days(days, PERIOD), written, OFFICE)


def test_working_days_need_no_substitute():
    assert settled("11/9-11、11/16", "11/20").rest_days == ()


@pytest.mark.parametrize("day", ["2026-11-14", "2026-11-15", "2026-11-23", "2026-11-12"])
def test_weekends_holidays_and_closures_are_rest_days(day):
    (rest,) = settled(day).rest_days
    assert (rest.day, rest.lacking) == (date.fromisoformat(day), 2)
    assert (rest.day - rest.first, rest.last - rest.day) == (timedelta(days=28), timedelta(days=56))


def test_a_substitute_settles_a_rest_day():
    found = settled("11/14-15", "11/17、12/1")
    assert not found.problems
    assert [(rest.day.day, rest.lacking) for rest in found.rest_days] == [(14, 0), (15, 0)]


def test_half_a_rest_day_needs_half_a_day():
    assert settled("11/14午前", "11/17午後").lacking == 0
    assert settled("11/14", "11/17午後").lacking == 1
    assert settled("11/14-15", "11/17").lacking == 2


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("11/15", "もともと休みの日"),
        ("11/9", "派遣がある"),
        ("2027-03-01", "4週間前から8週間後まで"),
        ("らいしゅう", "日として読めません"),
    ],
)
def test_what_is_no_substitute_is_told_with_the_reason(written, reason):
    found = settled("11/9、11/14", written)
    assert reason in found.problems[0]
    assert found.lacking == 2


def test_the_year_of_a_substitute_follows_the_rest_day():
    new_year = settle(parse_days("2026-12-30"), "1/12", Calendar())
    assert new_year.lacking == 0
    assert not new_year.problems


def test_a_scarce_substitute_stands_for_the_day_that_ends_sooner():
    far = (date(2026, 10, 1), date(2027, 1, 31))
    apart = parse_days("10/3、12/26", far)
    assert settle(apart, "11/27", Calendar()).lacking == 2  # in both spans: stands for the earlier one
    assert [rest.lacking for rest in settle(apart, "11/27", Calendar()).rest_days] == [0, 2]
    assert settle(apart, "11/27、2027-01-05", Calendar()).lacking == 0


@given(
    st.sets(st.dates(date(2026, 11, 9), date(2026, 12, 8)), min_size=1, max_size=8),
    st.lists(st.dates(date(2026, 10, 1), date(2027, 2, 10)), max_size=8),
)
def test_no_more_is_settled_than_was_given_and_only_in_time(days, given_days):
    working = parse_days("、".join(day.isoformat() for day in days))
    found = settle(working, "、".join(day.isoformat() for day in given_days), OFFICE)
    settled_halves = sum(2 - rest.lacking for rest in found.rest_days)
    fit = {d for d in given_days if any(rest.day - BEFORE <= d <= rest.day + AFTER for rest in found.rest_days)}
    assert settled_halves <= 2 * len(fit)
    assert all(0 <= rest.lacking <= 2 for rest in found.rest_days)
