"""What a process declares to be written: reports over the cases of a fiscal year, and letters of one case.

A declaration is data and pure functions: `workflow.documents` gathers the cases, hands them over as the neutral objects
below, and writes what comes back into a template. Nothing here knows a workbook, a page or the database.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from states.dates import fiscal_year
from states.places import Directory

Amount = int | float  # person-days: whole, or with a half
Value = str | int | float | date | None  # None and "" are blank, which is not 0


def written(form: Mapping[str, Any], path: str) -> str:
    """What stands in the form under `group.key.key`, "" where nothing does; an erased group says by which record."""
    found: Any = form
    for key in path.split("."):
        found = found.get(key) if isinstance(found, Mapping) else None
        if gone := erased(found):
            return gone
    return "" if found is None or isinstance(found, (Mapping, list)) else str(found)


def rows(form: Mapping[str, Any], path: str) -> list[Mapping[str, Any]]:
    """The rows of a table in the form; none where it is missing or erased."""
    group, _, key = path.partition(".")
    found = (form.get(group) or {}).get(key) or []
    return [row for row in found if isinstance(row, Mapping)]


def erased(group: Any) -> str:
    """「消去済み(記録7号)」 for a field group that event 7 erased, else nothing."""
    if isinstance(group, Mapping) and set(group) == {"erased"}:
        return f"消去済み(記録{group['erased']}号)"
    return ""


def amount(half_days: int) -> Amount:
    """Half-days as person-days: 9 are 4.5, 8 are 4."""
    return half_days / 2 if half_days % 2 else half_days // 2


@dataclass(frozen=True)
class Attendance:
    """One person in one case: the half-days (0 morning, 1 afternoon) of the fiscal year on which he or she is there, in order."""

    person_id: int
    staff_no: str
    name: str
    half_days: tuple[tuple[date, int], ...]

    @cached_property
    def days(self) -> tuple[date, ...]:
        """The distinct days, a half one too."""
        return tuple(dict.fromkeys(day for day, _ in self.half_days))

    @cached_property
    def halves(self) -> Mapping[date, tuple[int, ...]]:
        """The half of each day that is not a whole one."""
        there = {day: tuple(half for other, half in self.half_days if other == day) for day in self.days}
        return {day: halves for day, halves in there.items() if len(halves) < 2}

    def after(self, today: date) -> int:
        """Half-days that are still to come."""
        return sum(day > today for day, _ in self.half_days)


@dataclass(frozen=True)
class Line:
    """One case in the report of one fiscal year; `people` have at least one day in it.

    `whole` is every day of the case, `years` its half-days by fiscal year.
    """

    case_id: int
    number: str
    title: str
    state: str
    state_label: str
    lead: str
    lead_name: str
    form: Mapping[str, Any]
    people: tuple[Attendance, ...]
    whole: tuple[date, ...]
    years: Mapping[int, int]
    year: int
    today: date
    decided_on: date | None
    directory: Directory

    def text(self, path: str) -> str:
        return written(self.form, path)

    @cached_property
    def days(self) -> tuple[date, ...]:
        """The distinct days of the year on which anybody is there."""
        return tuple(sorted({day for person in self.people for day in person.days}))

    @property
    def counted_in(self) -> int:
        """The year that counts it: that of its decision, or, where no day lies in that, the year of its first day."""
        decided = fiscal_year(self.decided_on) if self.decided_on else None
        return decided if decided is not None and decided in self.years else min(self.years)

    @property
    def new(self) -> bool:
        return self.year == self.counted_in

    def in_year(self, year: int) -> Amount:
        """Person-days of the whole case that lie in a fiscal year."""
        return amount(self.years.get(year, 0))

    @property
    def half_days(self) -> int:
        return sum(len(person.half_days) for person in self.people)

    @property
    def half_days_to_come(self) -> int:
        return sum(person.after(self.today) for person in self.people)

    @property
    def person_days(self) -> Amount:
        return amount(self.half_days)

    @property
    def expected(self) -> Amount:
        """Person-days after today: planned, not yet done."""
        return amount(self.half_days_to_come)

    @property
    def crosses(self) -> bool:
        """Whether some of its days lie in another fiscal year."""
        return len(self.years) > 1


@dataclass(frozen=True, slots=True)
class Row:
    """One person of one line: a row of the sheet for machines. A case and a person are counted in their first row only."""

    line: Line
    person: Attendance
    counts_case: bool
    counts_person: bool


@dataclass(frozen=True, slots=True)
class Column:
    """A column: heading with its unit, a path into the form or a function, and how its cells are to be read.

    `kind` is text, number or date. `width` is in characters of half width.
    """

    heading: str
    value: str | Callable[[Any], Value]
    width: int
    kind: str = "text"
    note: str = ""

    def of(self, row: Any) -> Value:
        """The value for a line, or for a row of one."""
        if callable(self.value):
            return self.value(row)
        return (row.line if isinstance(row, Row) else row).text(self.value)


@dataclass(frozen=True)
class Grouping:
    """How the totals are broken down: every code with its label in order, and the code of a line.

    `short` are labels for a chart, `under` the code of an earlier grouping to which a code belongs.
    """

    key: str
    label: str
    codes: tuple[tuple[str, str], ...]
    of: Callable[[Line], str]
    short: Mapping[str, str] = field(default_factory=dict)
    under: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """A report of an office (or of all) over one fiscal year, as a workbook.

    A case is a line when one of the actions `begins` was done and somebody has a day of the year in it, whatever came
    of it later. Listed apart are cases that came in the year to a state of `uncounted`, those that began and in which
    nobody went (`nobody`), and those that wait in a state of `waiting` with days that are only planned; the words say so.
    `groupings` break the totals down. `sheet` are the columns for people, `data` those for machines.
    """

    key: str
    label: str
    form: str
    title: str
    template: str
    by: frozenset[str]
    begins: frozenset[str]
    uncounted: Mapping[str, str]
    nobody: str
    waiting: Mapping[str, str]
    decided: str
    groupings: tuple[Grouping, ...]
    sheet: tuple[Column, ...]
    data: tuple[Column, ...]
    definitions: tuple[tuple[str, str], ...]
    codes: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class Matter:
    """What a letter is about: the case as it stood at the event that brings the letter forth.

    `inputs` are what was typed with that event and may leave the office; `office` the sender.
    """

    number: str
    form: Mapping[str, Any]
    inputs: Mapping[str, str]
    office_name: str
    office_contact: str
    prefecture: str
    on: date
    directory: Directory

    def text(self, path: str) -> str:
        return written(self.form, path)


@dataclass(frozen=True)
class Paper:
    """Every word of a letter; the template only lays it out."""

    number: str
    on: date
    to: str
    sender: str
    subject: str
    body: str
    items: tuple[tuple[str, str], ...]
    contact: tuple[str, ...]


@dataclass(frozen=True)
class Letter:
    """A letter that an action brings forth under this key."""

    key: str
    label: str
    template: str
    compose: Callable[[Matter], Paper]


@dataclass(frozen=True)
class Subject:
    """One case as its reader may see it, with the cases under it: what a record is composed of.

    `children` hold id, process, state, state_label, outcome, final, number, title and form of each.
    """

    number: str
    title: str
    form: Mapping[str, Any]
    children: tuple[Mapping[str, Any], ...]
    office_name: str
    prefecture: str
    on: date
    directory: Directory
    state: str = ""

    def text(self, path: str) -> str:
        return written(self.form, path)


@dataclass(frozen=True)
class Section:
    """A part of a record: heading, paragraphs, and a table where there is one."""

    heading: str
    lines: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    widths: tuple[int, ...] = ()  # of the columns, in parts of the whole
    data: bool = False  # of a listing: a sheet for machines, its columns named in the first row and nothing besides


@dataclass(frozen=True)
class Written:
    """Every word of a record."""

    title: str
    head: tuple[tuple[str, str], ...] = ()
    sections: tuple[Section, ...] = ()
    foot: str = ""


@dataclass(frozen=True)
class Record:
    """A record of one case that a reader takes with him: a text (docx), or a table (xlsx) where `listing` is set.

    `states` are those in which there is one. What is given out to everybody is composed of what it `tells` of a form, the case's
    own and those of the cases under it (process, state, form → groups, none: the case is left out), whoever takes it; without
    that it is composed of what its reader may read.
    """

    key: str
    label: str
    compose: Callable[[Subject], Written]
    states: frozenset[str]
    listing: bool = False
    tells: Callable[[str, str, Mapping[str, Any]], Mapping[str, Any]] | None = None


@dataclass(frozen=True)
class Documents:
    """All that a process has written."""

    reports: tuple[Report, ...] = ()
    letters: tuple[Letter, ...] = ()
    records: tuple[Record, ...] = ()
