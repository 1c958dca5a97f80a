"""Who is where: which person is sent on which half-day, away, or free; how often each went, and where last.

The ledger (`assignment`) says who is where, whoever asks; which case it is, only those learn who may see the case.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

from states import catalogue
from states.dates import WHOLE, days_between, fiscal_year
from states.documents import Amount, amount
from workflow import colleagues
from workflow.access import SCOPE, TODAY, VISIBLE
from workflow.colleagues import Colleague

Connection = psycopg.Connection[Any]
LOOKED_BACK, NEWEST = 5 * 365, 500  # days, and cases of a place, among which visits count: who knows it now, not once

DECIDED = frozenset({"派遣", "報告"})  # the public steps that follow the decision

Half = tuple[date, int]  # 0 morning, 1 afternoon

# All of these go through the ledger's own key (person, day, half).
ELSEWHERE = f"""WITH {SCOPE}
SELECT p.person_id, p.day, p.half, c.id AS case_id, c.number, c.title, c.process, c.process_version, c.state, {VISIBLE} AS seen
FROM me CROSS JOIN assignment p JOIN cases c ON c.id = p.case_id
WHERE p.person_id = ANY (%(people)s) AND p.day BETWEEN %(first)s AND %(last)s AND p.case_id <> %(case)s"""

USED = """SELECT person_id, count(*) AS half_days FROM assignment
WHERE person_id = ANY (%(people)s) AND day BETWEEN %(first)s AND %(last)s AND case_id <> %(case)s GROUP BY person_id"""

VISITED = f"""WITH {SCOPE}, there AS MATERIALIZED (
  SELECT t.id FROM cases t WHERE t.place = %(place)s AND t.id <> %(case)s ORDER BY t.id DESC LIMIT {NEWEST}),
visit AS (SELECT DISTINCT ON (p.person_id) p.person_id, p.day, p.case_id FROM there JOIN assignment p ON p.case_id = there.id
  WHERE p.person_id = ANY (%(people)s) AND p.day < {TODAY} AND p.day >= {TODAY} - {LOOKED_BACK} ORDER BY p.person_id, p.day DESC, p.half DESC)
SELECT i.person_id, i.day, c.number, {VISIBLE} AS seen FROM visit i JOIN cases c ON c.id = i.case_id CROSS JOIN me"""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another case that has somebody for a half-day; what it is stands there only for who may see it."""

    case_id: int | None = None
    number: str = ""
    title: str = ""
    decided: bool = False

    @property
    def seen(self) -> bool:
        return self.case_id is not None


@dataclass(frozen=True, slots=True)
class Visit:
    """The last time that somebody was sent to a place."""

    day: date
    number: str


@dataclass(frozen=True)
class Person:
    """A colleague over some days: where else, when away, how much this year, what good at, when last there."""

    colleague: Colleague
    elsewhere: Mapping[Half, Elsewhere] = field(default_factory=dict)
    away: frozenset[date] = frozenset()
    skills: tuple[str, ...] = ()
    used: Amount = 0  # person-days of this fiscal year in other cases, planned ones too
    visit: Visit | None = None

    def taken(self, half: Half) -> bool:
        """Whether somebody else counts on this person then, or the person is away."""
        return half in self.elsewhere or half[0] in self.away

    def free(self, day: date) -> tuple[int, ...]:
        """The halves of the day on which the person could be sent."""
        return tuple(half for half in WHOLE if not self.taken((day, half)))


def over(
    conn: Connection,
    reader: int,
    people: Sequence[Colleague],
    first: date,
    last: date,
    *,
    case_id: int = 0,
    place: str = "",
) -> list[Person]:
    """The colleagues, in their order, over the days from first to last, as `reader` may know of them.

    `case_id` is the case that is being composed: what it has of them does not count. `place` is where it goes.
    """
    ids = [c.id for c in people]
    told = {"person": reader, "people": ids, "first": first, "last": last, "case": case_id}
    if not people:
        return []
    elsewhere: dict[int, dict[Half, Elsewhere]] = {}
    for row in _rows(conn, ELSEWHERE, told):
        other = Elsewhere(row.case_id, row.number or "", row.title, _decided(row)) if row.seen else Elsewhere()
        elsewhere.setdefault(row.person_id, {})[row.day, row.half] = other
    used = used_in(conn, ids, fiscal_year(first), case_id)
    visits = {row.person_id: row for row in _rows(conn, VISITED, told | {"place": place})} if place else {}
    away = colleagues.away(conn, ids, first, last)
    skills = colleagues.skills(conn, ids)
    return [
        Person(
            c, elsewhere.get(c.id, {}), frozenset(day for span in away.get(c.id, ()) for day in days_between(*span)),
            skills[c.id], used.get(c.id, 0), _visit(visits.get(c.id)),
        )
        for c in people
    ]  # fmt: skip


def used_in(conn: Connection, people: Sequence[int], year: int, case_id: int = 0) -> dict[int, Amount]:
    """Person → person-days of a fiscal year, planned ones too, those of one case left out."""
    told = {"people": list(people), "first": date(year, 4, 1), "last": date(year + 1, 3, 31), "case": case_id}
    return {row.person_id: amount(row.half_days) for row in _rows(conn, USED, told)}


def _decided(row: Any) -> bool:
    """Whether the case is past the step in which it is decided."""
    return catalogue.process(row.process, row.process_version).state(row.state).step in DECIDED


def _visit(row: Any) -> Visit | None:
    return Visit(row.day, (row.number or "") if row.seen else "") if row else None


def _rows(conn: Connection, text: str, told: Mapping[str, Any]) -> list[Any]:
    with conn.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(text, told, prepare=True).fetchall()
