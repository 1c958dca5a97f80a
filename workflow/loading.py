"""One read of one case: the row, who the reader is on it, and the facts its process decides on."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from states import catalogue
from states.kernel import Process
from states.places import Directory
from states.terms import CLOCK, Facts
from workflow import case_sql, deadlines
from workflow.access import PostHeld, roles_on
from workflow.registers import registers

Connection = psycopg.Connection[Any]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class NotFound(Exception):
    """There is no such case, or not for this person: the two are not told apart."""


class Row(NamedTuple):
    """The columns of the read, in its order."""

    id: int
    process: str
    process_version: int
    origin: str
    lead: str
    place: str
    title: str
    number: str | None
    state: str
    version: int
    saves: int
    head: bytes | None
    acted_at: datetime
    form: dict[str, Any]
    open: bool
    parent_id: int | None
    posts: list[list[Any]] | None
    person_name: str | None
    parties: list[dict[str, Any]] | None
    steps: list[list[Any]] | None
    deadlines: list[list[Any]] | None
    assigned: list[int] | None
    children: list[list[Any]] | None
    counters: dict[str, int] | None
    closures: list[date] | None
    headquarters: str
    headquarters_name: str | None
    body: str | None
    fiscal_year: int
    now_us: int
    request: bytes | None
    result: dict[str, Any] | None


@dataclass(frozen=True)
class Loaded:
    """A case as one read found it, with the facts its process decides on."""

    row: Row
    process: Process
    facts: Facts
    read: Any  # the stored form as the process reads it, before an act touches it
    held: Mapping[str, PostHeld]  # role → the post it comes from
    parties: tuple[Mapping[str, Any], ...]
    body: Mapping[str, Any] | None  # of the last event

    @property
    def now(self) -> datetime:
        return EPOCH + timedelta(microseconds=self.row.now_us)


def instant(microseconds: int) -> datetime:
    """The UTC time of a number of microseconds since 1970."""
    return EPOCH + timedelta(microseconds=microseconds)


def microseconds(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1)


def load(conn: Connection, case_id: int, person_id: int | None, key: UUID | None = None, *, named: str = "") -> Loaded:
    """Everything a decision about this case reads. `person_id` None is the clock; `named` the number of another case that

    the act names. Raises `NotFound`.
    """
    text = case_sql.READ_BY_CLOCK if person_id is None else case_sql.READ
    found = case_sql.one_trip(conn, text, {"case": case_id, "person": person_id, "key": key}).fetchone()
    if found is None:
        raise NotFound
    row = Row(*found)
    process = catalogue.process(row.process, row.process_version)
    parties = tuple(row.parties or ())
    posts = [PostHeld(*post) for post in row.posts or ()]
    current = [p for p in parties if p["to"] is None]
    held = roles_on(posts, current, assigned=person_id in (row.assigned or ()))
    facts = Facts(
        state=row.state,
        form=row.form,
        read=process.reading(row.form),
        today=deadlines.local_day(instant(row.now_us)),
        directory=Directory.from_csv(),
        calendar=deadlines.calendar_of(frozenset(row.closures or ())),
        roles=frozenset({CLOCK}) if person_id is None else frozenset(held),
        actor=CLOCK if person_id is None else str(person_id),
        number=row.number,
        registers=registers(conn, process, row, person_id, named),
    )
    return Loaded(row, process, facts, facts.read, held, parties, json.loads(row.body) if row.body else None)
