"""Deadlines of a case: which open, close, pause or move with an act. Business days; the day ends at 24:00 in Tokyo.

The process declares them; this module turns the declaration and the rows that stand into the rows that shall stand.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import psycopg

from states.calendar import Calendar
from states.terms import OUTSIDE, Deadline, Facts

TOKYO = ZoneInfo("Asia/Tokyo")
FAR = datetime(9999, 12, 30, tzinfo=UTC)  # an item without a deadline sorts last


def local_day(at: datetime) -> date:
    """The day in Tokyo."""
    return at.astimezone(TOKYO).date()


def start_of(day: date) -> datetime:
    """0:00 of that day in Tokyo, as UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=TOKYO).astimezone(UTC)


def end_of(day: date) -> datetime:
    """24:00 of that day in Tokyo, as UTC."""
    return start_of(day + timedelta(days=1))


def due_day(due_at: datetime) -> date:
    """The day whose end a deadline is; a move at 0:00 belongs to the day before."""
    return local_day(due_at - timedelta(microseconds=1))


@dataclass(frozen=True, slots=True)
class Standing:
    """A deadline row as it stands: open, or closed with days left over (paused).

    `planned` is what the process had said where somebody moved it.
    """

    id: int
    kind: str
    due_at: datetime
    open: bool
    left: int | None
    planned: datetime | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What an act does to the deadlines: rows to close (with the days left of a pause), rows to open."""

    close: tuple[tuple[int, int | None], ...]
    open: tuple[tuple[str, str, str, datetime], ...]  # kind, holder, move, due_at
    due: Mapping[str, datetime]  # every deadline that runs afterwards


def plan(declared: Sequence[Deadline], action: str, source: str, facts: Facts, standing: Sequence[Standing]) -> Plan:
    """The deadlines after `action` has moved the case from `source` to `facts.state`.

    A first act comes from the initial state; `source` equals the new state when the act stays.
    """
    running = {row.kind: row for row in standing if row.open}
    paused = {row.kind: row.left for row in standing if not row.open and row.left is not None}
    close: list[tuple[int, int | None]] = []
    opened: list[tuple[str, str, str, datetime]] = []
    due: dict[str, datetime] = {}
    for item in declared:
        row, runs = running.get(item.kind), facts.state in item.runs and action not in item.ends
        runs = runs and (item.owed is None or item.owed(facts))
        wanted: datetime | None = None
        if runs and item.at is not None:
            wanted = _dated(item, item.at(facts), facts.calendar)
            if row is not None and row.planned is not None and row.planned == wanted:
                wanted = row.due_at
        elif runs and row is not None and action not in item.starts:
            wanted = row.due_at
        elif runs and (action in item.starts or (not item.starts and source not in item.runs)):
            wanted = opening(item, facts, row)
        elif runs and item.kind in paused and source in item.pauses:
            wanted = end_of(facts.calendar.add_business_days(facts.today, max(paused[item.kind] or 0, 1)))
        if row is not None and wanted != row.due_at:
            left = (
                facts.calendar.business_days_between(facts.today, due_day(row.due_at))
                if facts.state in item.pauses
                else None
            )
            close.append((row.id, left))
        if wanted is not None:
            due[item.kind] = wanted
            if row is None or wanted != row.due_at:
                opened.append((item.kind, item.holder, item.move, wanted))
    return Plan(tuple(close), tuple(opened), due)


def opening(item: Deadline, facts: Facts, row: Standing | None = None) -> datetime | None:
    """By when a deadline runs that begins now; None where its day of the year has gone by before it began.

    What runs by that day already (`row`) goes on, late as it is.
    """
    day = item.counted(facts)
    late = bool(item.on) and day < facts.today and (row is None or due_day(row.due_at) != day)
    return None if late else end_of(day)


def _dated(item: Deadline, day: date | None, days: Calendar) -> datetime | None:
    if day is None:
        return None
    if item.move:
        return start_of(day)
    return end_of(days.add_business_days(day, 0) if item.rolls else day)


def promised(items: Iterable[Deadline], running: Iterable[str]) -> str:
    """Of the offices' running deadlines the one that spans the most states, by which the whole case is promised; "" for none."""
    spans = {item.kind: len(item.runs) for item in items if item.days and not item.move and item.holder not in OUTSIDE}
    return max((kind for kind in running if spans.get(kind, 0) > 1), key=lambda kind: spans[kind], default="")


Rule = Sequence[Any]  # kind, days, days of the year as month × 100 + day


def declared(items: Sequence[Deadline], rules: Iterable[Rule]) -> Sequence[Deadline]:
    """The deadlines of a process with what an administrator has set in place of their days; the last rule of a kind counts."""
    said = {kind: (days, on) for kind, days, on in rules}
    return tuple(_instead(item, *said[item.kind]) if item.kind in said else item for item in items)


def _instead(item: Deadline, days: int | None, on: Sequence[int] | None) -> Deadline:
    if item.at is not None or item.move:
        return item
    return replace(item, days=days or 0, on=tuple(divmod(day, 100) for day in on or ()))


KINDS = ("closed", "holiday", "working")  # of a day in the administrator's table


def calendar(conn: psycopg.Connection[Any], office: str) -> Calendar:
    """Business days of an office: national holidays, and what the administrator entered for it and for all."""
    rows = conn.execute(
        "SELECT kind || ' ' || day FROM closure WHERE office IS NULL OR office = %s", (office,), prepare=True
    ).fetchall()
    return calendar_of(frozenset(row[0] for row in rows))


@cache
def calendar_of(days: frozenset[str]) -> Calendar:
    """One calendar object a set of days, each as the read brings it (`closed 2026-11-24`); its holidays are computed once."""
    found: dict[str, set[date]] = {kind: set() for kind in KINDS}
    for written in days:
        kind, _, day = written.partition(" ")
        found[kind].add(date.fromisoformat(day))
    return Calendar(*(frozenset(found[kind]) for kind in KINDS))
