"""The one query behind a report: its lines, what is not counted, and the figures that every sheet and page shows.

Run for a person it starts from what that person may see; the command line runs it for the system.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

from states.dates import read_date
from states.documents import Attendance, Line, Report, Row, written
from states.kernel import Process
from states.places import Directory
from workflow.access import SCOPE, TODAY, VISIBLE
from workflow.deadlines import local_day
from workflow.documents.declared import DocumentProblem

Connection = psycopg.Connection[Any]
ALL = "all"  # every office of the installation

SYSTEM = "me AS (SELECT '{}'::text[] AS orgs, true AS wide)"

# A case is a line when somebody is assigned to it on a day of the year and it came so far that he really went.
LINES = f"""WITH {{scope}}
SELECT c.id, c.number, c.title, c.process_version, c.state, c.lead, c.form,
  (SELECT jsonb_agg(jsonb_build_array(a.person_id, n.staff_no, n.name, a.day) ORDER BY a.day, n.staff_no, a.person_id)
     FROM assignment a JOIN person n ON n.id = a.person_id WHERE a.case_id = c.id) AS ledger
FROM me CROSS JOIN cases c
WHERE c.process = %(process)s AND c.version > 0 AND c.state = ANY (%(states)s) AND (%(office)s = '{ALL}' OR c.lead = %(office)s)
  AND {VISIBLE}
  AND EXISTS (SELECT 1 FROM assignment d WHERE d.case_id = c.id AND d.day BETWEEN %(first)s AND %(last)s)
ORDER BY c.id"""

# Not counted: cases that ended in the year before anybody went, and those whose days of the year are only planned.
# The day on which a case ended is that of its last move; letters and erasures come later and move nothing.
APART = f"""WITH {{scope}}
SELECT c.id, c.number, c.title, c.state, c.lead, moved.at AS moved_at,
  (SELECT count(*) FROM assignment a WHERE a.case_id = c.id AND a.day BETWEEN %(first)s AND %(last)s) AS planned
FROM me CROSS JOIN cases c
  CROSS JOIN LATERAL (SELECT max(e.at) AS at FROM event e
    WHERE e.case_id = c.id AND e.body::json ->> 'from' IS DISTINCT FROM e.body::json ->> 'to') moved
WHERE c.process = %(process)s AND c.version > 0 AND (%(office)s = '{ALL}' OR c.lead = %(office)s) AND {VISIBLE}
  AND ((c.state = ANY (%(ended)s) AND (moved.at AT TIME ZONE 'Asia/Tokyo')::date BETWEEN %(first)s AND %(last)s)
    OR (c.state = ANY (%(waiting)s)
        AND EXISTS (SELECT 1 FROM assignment d WHERE d.case_id = c.id AND d.day BETWEEN %(first)s AND %(last)s)))
ORDER BY c.id"""

# Offices as they were called on the last day of the year, or today while the year runs.
OFFICES = """SELECT DISTINCT ON (o.sort, o.code) o.code, o.name FROM organisation o
WHERE o.kind = 'bureau' AND (%(office)s = 'all' OR o.code = %(office)s)
  AND (o.valid_from IS NULL OR o.valid_from <= %(on)s) AND (o.valid_to IS NULL OR o.valid_to >= %(first)s)
ORDER BY o.sort, o.code, o.valid_from DESC NULLS LAST"""

HEADQUARTERS = f"""SELECT o.name FROM installation i JOIN organisation o ON o.code = i.headquarters
WHERE (o.valid_from IS NULL OR o.valid_from <= {TODAY}) AND (o.valid_to IS NULL OR o.valid_to >= {TODAY})"""


@dataclass(frozen=True, slots=True)
class Figures:
    """件数 (new, continued), 実人数, 延べ人日 and how much of that is still to come."""

    count: int
    new: int
    persons: int
    person_days: int
    expected: int

    @property
    def continued(self) -> int:
        return self.count - self.new


@dataclass(frozen=True, slots=True)
class Apart:
    """A case that is shown but not counted, and why; `on` is the day it ended, None while its days are planned."""

    number: str
    title: str
    lead: str
    why: str
    on: date | None
    planned: int


@dataclass(frozen=True)
class Gathered:
    """Everything one report says, before it is written anywhere."""

    process: Process
    report: Report
    office: str
    office_name: str
    offices: Mapping[str, str]  # code → name, in order
    year: int
    today: date
    lines: tuple[Line, ...]
    apart: tuple[Apart, ...]

    @property
    def figures(self) -> Figures:
        return count(self.lines)

    @cached_property
    def by_kind(self) -> list[tuple[str, Figures]]:
        """The declared groups in their order, those without a case too; a code that is not declared stands at the end."""
        kinds = dict(self.report.kinds)
        codes = dict.fromkeys([*kinds, *(self.report.kind(line) for line in self.lines)])
        return [
            (
                kinds.get(code, code or "(区分なし)"),
                count([line for line in self.lines if self.report.kind(line) == code]),
            )
            for code in codes
        ]

    @cached_property
    def by_office(self) -> list[tuple[str, Figures]]:
        return [
            (name, count([line for line in self.lines if line.lead == code])) for code, name in self.offices.items()
        ]

    @cached_property
    def by_reason(self) -> list[tuple[str, int]]:
        """How many cases are not counted, by the declared reasons; a reason without a case stands with 0."""
        words = [*self.report.uncounted.values(), *self.report.waiting.values()]
        return [(word, sum(case.why == word for case in self.apart)) for word in words]

    def rows(self) -> Iterator[Row]:
        """The lines by person; a case and a person are counted in their first row."""
        seen: set[int] = set()
        for line in self.lines:
            for position, person in enumerate(line.people):
                yield Row(line, person, position == 0, person.person_id not in seen)
                seen.add(person.person_id)


def count(lines: Sequence[Line]) -> Figures:
    """The figures of some lines."""
    persons = {person.person_id for line in lines for person in line.people}
    return Figures(
        len(lines), sum(line.new for line in lines), len(persons), sum(line.person_days for line in lines),
        sum(line.expected for line in lines),
    )  # fmt: skip


def gather(
    conn: Connection, process: Process, report: Report, office: str, year: int, person_id: int | None
) -> Gathered:
    """What the report of this office (or `all`) and fiscal year says at this moment; None as person is the system.

    Run it inside a repeatable-read transaction when it is written to a file: lines and the rest are separate reads.
    Raises `DocumentProblem` for an unknown office.
    """
    first, last = date(year, 4, 1), date(year + 1, 3, 31)
    today = _one(conn, f"SELECT {TODAY}")
    params = {
        "person": person_id, "process": process.key, "office": office, "first": first, "last": last, "on": min(max(today, first), last),
        "states": sorted(report.counted), "ended": sorted(report.uncounted), "waiting": sorted(report.waiting),
    }  # fmt: skip
    scope = SYSTEM if person_id is None else SCOPE
    offices = {row.code: row.name for row in _rows(conn, OFFICES, params)}
    if not offices:
        raise DocumentProblem(f"「{office}」という振興局は登録されていません。コードを確かめてください。")
    found = [
        _line(row, process, report, offices, year, today) for row in _rows(conn, LINES.format(scope=scope), params)
    ]
    order = {code: place for place, code in enumerate(offices)}
    found.sort(key=lambda line: (order.get(line.lead, len(order)), line.days[0], line.number))
    words = {**report.uncounted, **report.waiting}
    apart = [
        Apart(row.number or "(番号なし)", row.title, offices.get(row.lead, row.lead), words[row.state],
              local_day(row.moved_at) if row.state in report.uncounted else None, row.planned)
        for row in _rows(conn, APART.format(scope=scope), params)
    ]  # fmt: skip
    apart.sort(key=lambda case: (list(words.values()).index(case.why), case.number))
    name = _one(conn, HEADQUARTERS) or "" if office == ALL else offices[office]
    return Gathered(process, report, office, name, offices, year, today, tuple(found), tuple(apart))


def _line(row: Any, process: Process, report: Report, offices: Mapping[str, str], year: int, today: date) -> Line:
    people: dict[int, tuple[str, str, list[date]]] = {}
    whole: set[date] = set()
    for person, staff_no, name, day in ((p, s, n, date.fromisoformat(d)) for p, s, n, d in row.ledger):
        whole.add(day)
        if date(year, 4, 1) <= day <= date(year + 1, 3, 31):
            people.setdefault(person, (staff_no, name, []))[2].append(day)
    return Line(
        case_id=row.id, number=row.number or "", title=row.title, state=row.state, state_label=process.state(row.state).label,
        lead=row.lead, lead_name=offices.get(row.lead, row.lead), form=row.form,
        people=tuple(Attendance(person, staff_no, name, tuple(sorted(days))) for person, (staff_no, name, days) in people.items()),
        whole=tuple(sorted(whole)), year=year, today=today,
        decided_on=read_date(written(row.form, report.decided)).date, directory=Directory.from_csv(),
    )  # fmt: skip


def _rows(conn: Connection, text: str, params: Mapping[str, Any]) -> list[Any]:
    with conn.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(text, params, prepare=True).fetchall()


def _one(conn: Connection, text: str) -> Any:
    row = conn.execute(text, prepare=True).fetchone()
    return row[0] if row else None
