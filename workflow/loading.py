"""One read of one case: the row, who the reader is on it, and the facts its process decides on."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from states import catalogue, routes
from states.kernel import Process
from states.places import Directory
from states.terms import CLOCK, Deadline, Facts
from workflow import case_sql, deadlines, ended, history
from workflow.access import OUTSIDE, PostHeld, ended_at, roles_on
from workflow.registers import registers
from workflow.routing import granted, read_seats

Connection = psycopg.Connection[Any]
KEEPERS = frozenset({"auditor", "records"})  # the roles that are left on a case of which nothing is kept any more
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
    opened_by: int
    opened_us: int
    posts: list[list[Any]] | None
    person_name: str | None
    parties: list[dict[str, Any]] | None
    steps: list[list[Any]] | None
    deadlines: list[list[Any]] | None
    assigned: list[int] | None
    children: list[list[Any]] | None
    counters: dict[str, int] | None
    closures: list[str] | None  # kind and day
    rules: list[list[Any]] | None
    seats: list[list[Any]] | None  # of the posts that a route asks now, and that may stand in
    making: list[Any] | None  # rules and seats that a route is made of, where an act may make one
    headquarters: str
    personnel: str
    headquarters_name: str | None
    units: dict[str, str] | None  # names of the reader's own organisations that stand in no directory
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
    reads: frozenset[str] = frozenset()  # the roles that say what may be read; of an ended part, those that it had
    ended: str = ""  # how a list calls a case that the reader's organisation has left; it is then as it was

    @property
    def now(self) -> datetime:
        return EPOCH + timedelta(microseconds=self.row.now_us)

    @property
    def declared(self) -> Sequence[Deadline]:
        """The deadlines of its process, as an administrator has set them for its office."""
        return deadlines.declared(self.process.deadlines, self.row.rules or ())


def instant(microseconds: int) -> datetime:
    """The UTC time of a number of microseconds since 1970."""
    return EPOCH + timedelta(microseconds=microseconds)


def microseconds(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1)


def load(
    conn: Connection, case_id: int, person_id: int | None, key: UUID | None = None, *, named: str = "", making: bool = False,
) -> Loaded:  # fmt: skip
    """Everything a decision about this case reads. `person_id` None is the clock; `named` the number of another case that

    the act names; `making` brings what a route is made of along. Raises `NotFound`.
    """
    by_person = case_sql.READ_MAKING if making else case_sql.READ
    text = case_sql.READ_BY_CLOCK if person_id is None else by_person
    found = case_sql.one_trip(conn, text, {"case": case_id, "person": person_id, "key": key}).fetchone()
    if found is None:
        raise NotFound
    row = Row(*found)
    process = catalogue.process(row.process, row.process_version)
    parties = tuple(row.parties or ())
    posts = [PostHeld(*post) for post in row.posts or ()]
    current = [p for p in parties if p["to"] is None]
    held = roles_on(posts, current, assigned=person_id in (row.assigned or ()))
    until = ended_at(posts, parties) if not held and person_id is not None else None
    if until is not None:
        return _as_it_was(conn, row, process, posts, until)
    if history.disposed(row.form, row.title):  # nobody acts on it any more; the offices read what is left of it
        held = {role if role in KEEPERS else "auditor": post for role, post in held.items() if role not in OUTSIDE}
    reads = frozenset({CLOCK}) if person_id is None else frozenset(held)
    route, stands = routes.of(row.form) if process.matters else None, None
    if route is not None and person_id is not None:
        held, stands = granted(process, row.state, route, held, posts, person_id, read_seats(row.seats))
    facts = _facts(conn, row, process, reads if person_id is None else frozenset(held), person_id, named)
    if stands is not None:
        facts.registers = {**facts.registers, "stands": stands, "posts": frozenset(post.id for post in posts)}
    last = json.loads(row.body) if row.body else None
    return Loaded(row, process, facts, facts.read, held, parties, last, reads)


def _facts(
    conn: Connection, row: Row, process: Process, roles: frozenset[str], person_id: int | None, named: str = ""
) -> Facts:
    return Facts(
        state=row.state,
        form=row.form,
        read=process.reading(row.form),
        today=deadlines.local_day(instant(row.now_us)),
        directory=Directory.from_csv(),
        calendar=deadlines.calendar_of(frozenset(row.closures or ())),
        roles=roles,
        actor=CLOCK if person_id is None else str(person_id),
        number=row.number,
        registers=registers(conn, process, row, person_id, named)
        | {"deadlines": deadlines.declared(process.deadlines, row.rules or ())},
    )


def _as_it_was(conn: Connection, row: Row, process: Process, posts: list[PostHeld], until: int) -> Loaded:
    """The case after the event that ended the part of the reader's organisation: it acts no more and reads nothing later."""
    past = ended.as_they_were(conn, {row.id: until}).get(row.id) if until else None
    if past is None or history.disposed(row.form, row.title):
        raise NotFound
    told = past.told
    then = row._replace(
        version=until, saves=0, state=told["to"], number=told["number"], lead=told["lead"], title=past.title, head=past.digest,
        acted_at=past.at, form=dict(past.form), body=past.body, parent_id=None, place=process.place(past.form) or row.place,
        parties=[dict(party) for party in past.parties], steps=None, deadlines=None, assigned=None, children=None, counters=None,
    )  # fmt: skip
    left = [{**party, "to": None} for party in row.parties or () if party["until"] == until]
    facts = _facts(conn, then, process, frozenset(), None)
    reads = frozenset(roles_on(posts, left, assigned=False))
    return Loaded(then, process, replace(facts, actor=""), facts.read, {}, tuple(past.parties), told, reads, past.word)
