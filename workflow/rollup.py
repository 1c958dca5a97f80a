"""Headquarters' roll-up: one declared report over every office, this year beside the last, and how each office stands.

Every figure is counted from the same lines as the workbooks (`workflow.documents.lines`), so that the offices' own files
and the roll-up cannot differ.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from states.documents import Line, Value
from workflow.access import Actor
from workflow.deadlines import local_day
from workflow.documents.lines import ALL, Apart, Connection, Figures, Gathered, count
from workflow.export import BOM, cell
from workflow.history import canonical
from workflow.loading import NotFound
from workflow.reports import Choice, choices, preview

# How an office stands: what it is called, as a kind of status.
MADE, CHANGED, MISSING, NOTHING = "made", "changed", "missing", "nothing"
WORDS = {
    MISSING: ("stop", "未作成"),
    CHANGED: ("warn", "作成後に変わった"),
    MADE: ("ok", "作成済み"),
    NOTHING: ("none", "該当なし"),
}
ONLY = {"continued": "継続", "expected": "見込みを含む", "crossing": "年度をまたぐ"}

LAST_MADE = """SELECT DISTINCT ON (office) office, finished_at FROM report_job
WHERE process = %(process)s AND report = %(report)s AND fiscal_year = %(year)s AND sha256 IS NOT NULL ORDER BY office, id DESC"""

TAKEN = """INSERT INTO export_record (at, person_id, what, filter, rows)
VALUES (clock_now(), %(person)s, %(what)s, %(filter)s::jsonb, %(rows)s)"""


@dataclass(frozen=True, slots=True)
class Standing:
    """One office: its figures of the year and of the one before, whether its workbook is made and still says so."""

    code: str
    name: str
    figures: Figures
    before: Figures
    standing: str
    made_at: datetime | None

    @property
    def change(self) -> int:
        return self.figures.count - self.before.count


@dataclass(frozen=True)
class Part:
    """Which of the cases are meant: of an office, of a code of a grouping, only some; nothing given means all."""

    office: str = ""
    codes: Mapping[str, str] = field(default_factory=dict)
    only: str = ""


@dataclass(frozen=True)
class Rollup:
    """The report of all offices for one year, and the same of the year before."""

    found: Gathered
    last: Gathered
    made: Mapping[str, datetime]

    @cached_property
    def offices(self) -> list[Standing]:
        before = {code: figures for code, _, figures in self.last.by_office}
        moved: dict[str, datetime] = {}
        for line in self.found.lines:
            at = self.found.acted[line.case_id]
            moved[line.lead] = max(moved.get(line.lead, at), at)
        return [
            Standing(
                code, name, figures, before.get(code, count(())), _standing(moved.get(code), self.made.get(code)), self.made.get(code)
            )
            for code, name, figures in self.found.by_office
        ]  # fmt: skip

    @property
    def crossing(self) -> list[Line]:
        return [line for line in self.found.lines if line.crosses]

    def lines(self, part: Part) -> list[Line]:
        """The cases behind a figure."""
        groupings = {grouping.key: grouping for grouping in self.found.report.groupings}
        return [
            line
            for line in self.found.lines
            if part.office in ("", line.lead)
            and all(groupings[key].of(line) == code for key, code in part.codes.items())
            and {"continued": not line.new, "expected": bool(line.half_days_to_come), "crossing": line.crosses}.get(part.only, True)
        ]  # fmt: skip

    def apart(self, part: Part, why: str = "") -> list[Apart]:
        """The cases that are not counted, of the office and for the reason given."""
        return [case for case in self.found.apart if part.office in ("", case.office) and why in ("", case.why)]


def _standing(moved: datetime | None, made: datetime | None) -> str:
    """`moved` is when a case of the office that is a line was last acted on, `made` when its workbook was."""
    if moved is None:
        return NOTHING
    if made is None:
        return MISSING
    return CHANGED if moved > made else MADE


def choice(conn: Connection, person: Actor, key: str) -> Choice:
    """The report (`process/report`, or the first) that this person may have of every office together. Raises `NotFound`."""
    found = [c for c in choices(conn, person) if ALL in dict(c.offices)]
    wanted = [c for c in found if key in ("", f"{c.process.key}/{c.report.key}")]
    if not wanted:
        raise NotFound
    return wanted[0]


def roll_up(conn: Connection, person: Actor, chosen: Choice, year: int) -> Rollup:
    """The roll-up of one fiscal year as of one moment. Raises `NotFound` for a year that is none."""
    with conn.transaction():
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        found, last = (preview(conn, person, chosen, ALL, one) for one in (year, year - 1))
        told = {"process": chosen.process.key, "report": chosen.report.key, "year": year}
        made = dict(conn.execute(LAST_MADE, told, prepare=True).fetchall())
    return Rollup(found, last, made)


# ── CSV ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

FIGURES, LINES = "figures", "lines"  # what may be taken out
COUNTED = ("件数[件]", "継続[件]", "実人数[人]", "延べ人日[人日]", "うち見込み[人日]")


def taken(conn: Connection, person: Actor, rolled: Rollup, kind: str) -> tuple[str, bytes]:
    """Name and bytes (UTF-8 with BOM) of what is taken out, on record. Raises `NotFound` for a kind that is none."""
    found = rolled.found
    if kind not in (FIGURES, LINES):
        raise NotFound
    rows = list(_figure_rows(rolled) if kind == FIGURES else _line_rows(found))
    told = {"process": found.process.key, "report": found.report.key, "office": ALL, "fiscal_year": found.year}
    conn.execute(
        TAKEN,
        {"person": person.person_id, "what": f"rollup:{kind}", "filter": canonical(told), "rows": len(rows) - 1},
        prepare=True,
    )
    name = {FIGURES: "集計", LINES: "明細"}[kind]
    return f"{found.report.label}_{found.year}年度_全局_{name}.csv", (BOM + _csv(rows)).encode()


def _figure_rows(rolled: Rollup) -> Iterator[Sequence[Value]]:
    """One figure's group a row: by office, by every declared grouping, and all together."""
    found = rolled.found
    yield ("年度", "分け方", "コード", "名称", *COUNTED, "前年度の件数[件]", "様式の状況", "様式をつくった日")
    for office in rolled.offices:
        made = local_day(office.made_at) if office.made_at else None
        state = WORDS[office.standing][1]
        yield (
            found.year,
            "振興局",
            office.code,
            office.name,
            *_values(office.figures),
            office.before.count,
            state,
            made,
        )
    for grouping in found.report.groupings:
        before = {code: figures for code, _, figures in rolled.last.by(grouping)}
        for code, label, figures in found.by(grouping):
            last = before[code].count if code in before else 0
            yield (found.year, grouping.label, code, label, *_values(figures), last, None, None)
    yield (found.year, "計", "", "全局", *_values(found.figures), rolled.last.figures.count, None, None)


def _values(figures: Figures) -> tuple[Value, ...]:
    return (figures.count, figures.continued, figures.persons, figures.person_days, figures.expected)


def _line_rows(found: Gathered) -> Iterator[Sequence[Value]]:
    """The sheet for machines of the workbook, all offices in one table."""
    yield tuple(column.heading for column in found.report.data)
    for row in found.rows():
        yield tuple(column.of(row) for column in found.report.data)


def _csv(rows: Iterable[Sequence[Value]]) -> str:
    """Numbers as numbers, text that stays text, blanks blank."""
    buffer = io.StringIO()
    csv.writer(buffer).writerows([_told(value) for value in row] for row in rows)
    return buffer.getvalue()


def _told(value: Any) -> Any:
    return value if isinstance(value, (int, float)) else "" if value is None else cell(value)
