"""The one query behind a report: its lines, what is not counted, and the figures that every sheet and page shows.

Run for a person it starts from what that person may see; the command line runs it for the system.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

from states.dates import fiscal_year, read_date
from states.documents import Amount, Attendance, Grouping, Line, Report, Row, amount, written
from states.kernel import Process
from states.places import Directory
from workflow.access import SCOPE, TODAY, VISIBLE
from workflow.deadlines import end_of, local_day, start_of
from workflow.documents.declared import DocumentProblem

Connection = psycopg.Connection[Any]
ALL = "all"  # every office of the installation

SYSTEM = "me AS (SELECT '{}'::text[] AS orgs, true AS wide)"

# Whether somebody was sent on his way: a fact of history, whatever state the case stands in now. LIMIT holds the planner to
# looking case by case: as a join it would read all of history.
_BEGUN = "(SELECT true FROM event b WHERE b.case_id = c.id AND b.action = ANY (%(begins)s) LIMIT 1) IS true"
# Of a case, by its own key: by `day` alone a planner would go through the days of everybody.
_DAY_OF_THE_YEAR = (
    "EXISTS (SELECT 1 FROM assignment d WHERE d.case_id = c.id AND d.day + 0 BETWEEN %(first)s AND %(last)s)"
)
# The cases with a day in the year and, where it is asked, with an event in it: what the year holds, however large the archive.
_OF_YEAR = "SELECT d.case_id AS id FROM assignment d WHERE d.day BETWEEN %(first)s AND %(last)s"
_OR_EVENT = "SELECT e.case_id FROM event e WHERE e.at >= %(since)s AND e.at < %(until)s"
_EACH = "CROSS JOIN LATERAL (SELECT * FROM cases k WHERE k.id = f.id OFFSET 0) c"
_MEANT = f"c.process = %(process)s AND c.version > 0 AND (%(office)s = '{ALL}' OR c.lead = %(office)s) AND {VISIBLE}"

# A case is a line when it began and somebody has a day of the year in it: planned ones until the report, then the real ones.
LINES = f"""WITH {{scope}}, found AS MATERIALIZED ({_OF_YEAR} GROUP BY d.case_id)
SELECT c.id, c.number, c.title, c.process_version, c.state, c.lead, c.acted_at, c.form,
  (SELECT jsonb_agg(jsonb_build_array(a.person_id, n.staff_no, n.name, a.day, a.half) ORDER BY a.day, a.half, n.staff_no, a.person_id)
     FROM assignment a JOIN person n ON n.id = a.person_id WHERE a.case_id = c.id) AS ledger
FROM me CROSS JOIN found f {_EACH} WHERE {_MEANT} AND {_BEGUN} ORDER BY c.id"""

# Not counted: cases that ended in the year before anybody went, those that began and in which nobody went, and those whose
# days of the year are only planned. The day on which a case came where it stands is that of its last move; letters,
# erasures and remarks come later and move nothing.
APART = f"""WITH {{scope}}, found AS MATERIALIZED ({_OF_YEAR} UNION {_OR_EVENT})
SELECT c.id, c.number, c.title, c.state, c.lead, moved.at AS moved_at, {_BEGUN} AS begun,
  (SELECT count(*) FROM assignment a WHERE a.case_id = c.id AND a.day + 0 BETWEEN %(first)s AND %(last)s) AS half_days
FROM me CROSS JOIN found f {_EACH}
  CROSS JOIN LATERAL (SELECT max(e.at) AS at FROM event e
    WHERE e.case_id = c.id AND e.body::json ->> 'from' IS DISTINCT FROM e.body::json ->> 'to') moved
WHERE {_MEANT} AND CASE WHEN {_BEGUN} THEN NOT EXISTS (SELECT 1 FROM assignment d WHERE d.case_id = c.id)
        AND (moved.at AT TIME ZONE 'Asia/Tokyo')::date BETWEEN %(first)s AND %(last)s
      WHEN c.state = ANY (%(waiting)s) THEN {_DAY_OF_THE_YEAR}
      ELSE c.state = ANY (%(ended)s) AND (moved.at AT TIME ZONE 'Asia/Tokyo')::date BETWEEN %(first)s AND %(last)s END
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
    """件数 (each case in one year only), 継続 (counted in another), 実人数, 延べ人日 and how much of that is still to come."""

    count: int
    continued: int
    persons: int
    person_days: Amount
    expected: Amount


@dataclass(frozen=True, slots=True)
class Apart:
    """A case that is shown but not counted, and why; `on` is the day it came there, None while its days are planned."""

    case_id: int
    number: str
    title: str
    office: str
    lead: str
    why: str
    on: date | None
    planned: Amount


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
    acted: Mapping[int, datetime]  # case → when it was last acted on

    @cached_property
    def figures(self) -> Figures:
        return count(self.lines)

    def by(self, grouping: Grouping) -> list[tuple[str, str, Figures]]:
        """Code, label and figures of the declared groups in their order, those without a case too.

        A code that is not declared stands at the end.
        """
        groups: dict[str, list[Line]] = {code: [] for code, _ in grouping.codes}
        for line in self.lines:
            groups.setdefault(grouping.of(line), []).append(line)
        labels = dict(grouping.codes)
        return [(code, labels.get(code, code or "(区分なし)"), count(lines)) for code, lines in groups.items()]

    @cached_property
    def by_office(self) -> list[tuple[str, str, Figures]]:
        """Code, name and figures of every office, those without a case too."""
        offices: dict[str, list[Line]] = {code: [] for code in self.offices}
        for line in self.lines:
            offices.setdefault(line.lead, []).append(line)
        return [(code, self.offices.get(code, code), count(lines)) for code, lines in offices.items()]

    @cached_property
    def by_reason(self) -> list[tuple[str, int]]:
        """How many cases are not counted, by the declared reasons; a reason without a case stands with 0."""
        words = dict.fromkeys([*self.report.uncounted.values(), self.report.nobody, *self.report.waiting.values()])
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
    new = sum(line.new for line in lines)
    return Figures(
        new, len(lines) - new, len(persons), amount(sum(line.half_days for line in lines)),
        amount(sum(line.half_days_to_come for line in lines)),
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
        "begins": sorted(report.begins), "ended": sorted(report.uncounted), "waiting": sorted(report.waiting), "since": start_of(first),
        "until": end_of(last),
    }  # fmt: skip
    scope = SYSTEM if person_id is None else SCOPE
    offices = {row.code: row.name for row in _rows(conn, OFFICES, params)}
    if not offices:
        raise DocumentProblem(f"「{office}」という振興局は登録されていません。コードを確かめてください。")
    rows = _rows(conn, LINES.format(scope=scope), params)
    found = [_line(row, process, offices, year, today, report) for row in rows]
    order = {code: place for place, code in enumerate(offices)}
    found.sort(key=lambda line: (order.get(line.lead, len(order)), line.days[0], line.number))
    apart = [_apart(row, report, offices) for row in _rows(conn, APART.format(scope=scope), params)]
    words = [*report.uncounted.values(), report.nobody, *report.waiting.values()]
    apart.sort(key=lambda case: (words.index(case.why), order.get(case.office, len(order)), case.number))
    name = _one(conn, HEADQUARTERS) or "" if office == ALL else offices[office]
    return Gathered(
        process, report, office, name, offices, year, today, tuple(found), tuple(apart), {row.id: row.acted_at for row in rows}
    )  # fmt: skip


def _apart(row: Any, report: Report, offices: Mapping[str, str]) -> Apart:
    why = (
        report.uncounted.get(row.state, report.nobody)
        if row.begun
        else {**report.uncounted, **report.waiting}[row.state]
    )
    waits = not row.begun and row.state in report.waiting
    return Apart(
        row.id, row.number or "(番号なし)", row.title, row.lead, offices.get(row.lead, row.lead), why,
        None if waits else local_day(row.moved_at), amount(row.half_days),
    )  # fmt: skip


def _line(row: Any, process: Process, offices: Mapping[str, str], year: int, today: date, report: Report) -> Line:
    first, last = date(year, 4, 1), date(year + 1, 3, 31)
    people: dict[int, tuple[str, str, list[tuple[date, int]]]] = {}
    whole: set[date] = set()
    years: dict[int, int] = {}
    for person, staff_no, name, day, half in ((p, s, n, date.fromisoformat(d), h) for p, s, n, d, h in row.ledger):
        whole.add(day)
        years[fiscal_year(day)] = years.get(fiscal_year(day), 0) + 1
        if first <= day <= last:
            people.setdefault(person, (staff_no, name, []))[2].append((day, half))
    return Line(
        case_id=row.id, number=row.number or "", title=row.title, state=row.state, state_label=process.state(row.state).label,
        lead=row.lead, lead_name=offices.get(row.lead, row.lead), form=row.form,
        people=tuple(Attendance(person, staff_no, name, tuple(days)) for person, (staff_no, name, days) in people.items()),
        whole=tuple(sorted(whole)), years=years, year=year, today=today,
        decided_on=read_date(written(row.form, report.decided)).date, directory=Directory.from_csv(),
    )  # fmt: skip


def _rows(conn: Connection, text: str, params: Mapping[str, Any]) -> list[Any]:
    with conn.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute(text, params, prepare=True).fetchall()


def _one(conn: Connection, text: str) -> Any:
    row = conn.execute(text, prepare=True).fetchone()
    return row[0] if row else None
