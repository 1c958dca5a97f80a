"""One read of one case: the row, who the reader is on it, and the facts its process decides on."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import namedtuple_row

from states import catalogue
from states.kernel import CLOCK, Facts, Process
from states.places import Directory
from workflow import case_sql, deadlines
from workflow.access import PostHeld, roles_on
from workflow.registers import registers

Connection = psycopg.Connection[Any]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class NotFound(Exception):
    """There is no such case, or not for this person: the two are not told apart."""


@dataclass(frozen=True)
class Loaded:
    """A case as one read found it, with the facts its process decides on."""

    row: Any
    process: Process
    facts: Facts
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


def load(conn: Connection, case_id: int, person_id: int | None, key: UUID | None = None) -> Loaded:
    """Everything a decision about this case reads. `person_id` None is the clock. Raises `NotFound`."""
    text = case_sql.READ_BY_CLOCK if person_id is None else case_sql.READ
    with conn.cursor(row_factory=namedtuple_row) as cursor:
        cursor.execute(text, {"case": case_id, "person": person_id, "key": key}, prepare=True)
        row = cursor.fetchone()
    if row is None:
        raise NotFound
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
        registers=registers(conn, process, row),
    )
    return Loaded(row, process, facts, held, parties, json.loads(row.body) if row.body else None)
