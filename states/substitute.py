"""Rest days on which somebody is sent, and the working days given for them instead (振替).

A substitute lies four weeks before to eight weeks after the rest day it stands for. Counted in half-days, since either
may be one: each stands for at most one other, the most pressing first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from states.calendar import Calendar, CalendarEnds
from states.dates import HALVES, DaysReading, parse_days, short

BEFORE, AFTER = timedelta(weeks=4), timedelta(weeks=8)

Half = tuple[date, int]


@dataclass(frozen=True, slots=True)
class RestDay:
    """A rest day with work on it, the span in which its substitute lies, and how many halves of it still lack one."""

    day: date
    first: date
    last: date
    lacking: int


@dataclass(frozen=True, slots=True)
class Settlement:
    """Every rest day that is worked on, and what is wrong with the substitutes written for them."""

    rest_days: tuple[RestDay, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def lacking(self) -> int:
        """Half-days of rest without a substitute."""
        return sum(day.lacking for day in self.rest_days)


def settle(working: DaysReading, written: str, calendar: Calendar) -> Settlement:
    """Hold the substitutes as typed against the rest days among the days of somebody."""
    rest = [half for half in working.half_days if not _works(half[0], calendar)]
    if not rest:
        return Settlement()
    within = (rest[0][0] - BEFORE, rest[-1][0] + AFTER)
    reading = parse_days(written, within)
    usable, problems = [], list(reading.problems)
    for half in reading.half_days:
        if reason := _unfit(half, working, rest, calendar):
            problems.append(f"{short(half[0])}は、{reason}。ほかの日を書いてください。")
        else:
            usable.append(half)
    lacking = _unmatched(rest, usable)
    days = [
        RestDay(day, day - BEFORE, day + AFTER, sum(left == day for left, _ in lacking))
        for day in dict.fromkeys(day for day, _ in rest)
    ]
    return Settlement(tuple(days), tuple(dict.fromkeys(problems)))


def _unfit(half: Half, working: DaysReading, rest: Sequence[Half], calendar: Calendar) -> str:
    """Why a half-day is no substitute, or nothing."""
    day, number = half
    if not _works(day, calendar):
        return "もともと休みの日なので、振替の日になりません"
    if half in working.half_days:
        return f"{HALVES[number]}に派遣があるので、振替の日になりません"
    if not any(worked - BEFORE <= day <= worked + AFTER for worked, _ in rest):
        return "休みの日の勤務の4週間前から8週間後までの間にありません"
    return ""


def _unmatched(rest: Sequence[Half], substitutes: Sequence[Half]) -> list[Half]:
    """The half-days of rest that remain once each substitute stands for the one that ends soonest."""
    open_ = list(rest)
    for day, _ in substitutes:
        fitting = [half for half in open_ if half[0] - BEFORE <= day <= half[0] + AFTER]
        if fitting:
            open_.remove(fitting[0])
    return open_


def _works(day: date, calendar: Calendar) -> bool:
    """Whether the office works then; a year without known holidays goes by the weekday, other rules refuse it."""
    try:
        return calendar.is_business_day(day)
    except CalendarEnds:
        return day.weekday() < len("月火水木金")
