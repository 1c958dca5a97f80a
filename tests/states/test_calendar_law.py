"""What the Act on National Holidays brings along with a day (祝日法3条2項・3項), by rule, held against two libraries."""

from datetime import date, timedelta

import jpholiday
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from states.calendar import BETWEEN, SUBSTITUTE, SUNDAY, Calendar, Follow, brought_along, following, named_holidays

ONE = timedelta(days=1)


@pytest.mark.parametrize("year", range(2008, 2051))
def test_the_rule_gives_every_holiday_that_the_libraries_know(year):
    national = named_holidays(year, year)
    theirs = {day for day, _ in jpholiday.year_holidays(year)}
    assert national | {d for d in brought_along(national) if d.weekday() != SUNDAY} == theirs
    ours = {day: Calendar().holiday_name(day) for day in theirs - national}
    assert ours == {d: name for d, name in brought_along(national).items() if d.weekday() != SUNDAY}


@pytest.mark.parametrize(
    ("day", "becomes", "follows"),
    [
        ("2026-10-18", True, [("2026-10-19", SUBSTITUTE, True)]),  # a Sunday
        ("2026-10-14", True, [("2026-10-13", BETWEEN, True)]),  # two days after スポーツの日
        ("2026-10-15", True, []),  # an ordinary Thursday
        ("2026-05-06", True, [("2026-05-07", SUBSTITUTE, True)]),  # the substitute's own day: it moves on
        ("2026-05-02", True, []),  # a Saturday before 憲法記念日
        ("2026-05-03", False, [("2026-05-06", SUBSTITUTE, False)]),  # 憲法記念日, a Sunday
        ("2026-05-05", False, [("2026-05-05", SUBSTITUTE, True), ("2026-05-06", SUBSTITUTE, False)]),
        ("2026-09-21", False, [("2026-09-22", BETWEEN, False)]),  # 敬老の日, two days before 秋分の日
        ("2026-11-03", False, []),
        ("2025-12-28", True, []),  # whose substitute lies in the year end
    ],
)
def test_what_follows_from_a_change_of_the_law(day, becomes, follows):
    national = named_holidays(2025, 2027)
    found = following(national, date.fromisoformat(day), becomes=becomes)
    assert found == [Follow(date.fromisoformat(d), name, holiday) for d, name, holiday in follows]


@settings(deadline=None)
@given(st.dates(date(2025, 1, 1), date(2045, 12, 28)))
def test_taken_back_a_day_takes_back_what_it_brought(day):
    national = named_holidays(day.year - 1, day.year + 1) - {day}
    there = following(national, day, becomes=True)
    back = following(national | {day}, day, becomes=False)
    # The day itself may have been brought along before it was made a national holiday.
    assert {(f.day, f.holiday) for f in there if f.day != day} == {(f.day, not f.holiday) for f in back if f.day != day}


@settings(deadline=None)
@given(st.frozensets(st.integers(0, 40), max_size=12), st.dates(date(2025, 1, 1), date(2045, 12, 28)))
def test_no_day_is_brought_along_twice_and_none_that_is_one_already(offsets, start):
    national = frozenset(start + n * ONE for n in offsets)
    found = brought_along(national)
    assert not national & found.keys()
    for day, name in found.items():
        if name == BETWEEN:
            assert {day - ONE, day + ONE} <= national
        else:
            back = day - ONE
            while back.weekday() != SUNDAY:
                assert back in national
                back -= ONE
            assert back in national
