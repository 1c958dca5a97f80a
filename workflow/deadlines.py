"""Deadlines of a case: which open, close, pause or move with an act. Business days; the day ends at 24:00 in Tokyo.

The process declares them; this module turns the declaration and the rows that stand into the rows that shall stand.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import psycopg

from states.calendar import Calendar
from states.terms import Deadline, Facts

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
    """A deadline row as it stands: open, or closed with days left over (paused)."""

    id: int
    kind: str
    due_at: datetime
    open: bool
    left: int | None


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
            day = item.at(facts)
            wanted = start_of(day) if day and item.move else end_of(day) if day else None
        elif runs and row is not None and action not in item.starts:
            wanted = row.due_at
        elif runs and (action in item.starts or (not item.starts and source not in item.runs)):
            since = item.since(facts) if item.since else None
            wanted = end_of(facts.calendar.add_business_days(since or facts.today, item.days))
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


def calendar(conn: psycopg.Connection[Any], office: str) -> Calendar:
    """Business days of an office: national holidays and the closures that the administrator entered."""
    rows = conn.execute(
        "SELECT day FROM closure WHERE office IS NULL OR office = %s ORDER BY day", (office,), prepare=True
    ).fetchall()
    return calendar_of(frozenset(row[0] for row in rows))


@cache
def calendar_of(closures: frozenset[date]) -> Calendar:
    """One calendar object a set of closures; its years of holidays are computed once."""
    return Calendar(closures)
