"""The cases of a process month by month (月次処理状況): how many came, of what kind, how long an answer took, what is open.

When a case was answered, reopened or ended is read from its history and never from its form; on which day it came stands
in the form, since it may have come before anybody entered it. Days are business days of the office that leads it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from statistics import median
from typing import Any

import psycopg

from states import catalogue
from states.calendar import Calendar
from states.dates import read_date
from states.documents import written
from states.kernel import Process
from states.outputs import Monthly, Split
from workflow import balance, cases, offered
from workflow.access import SCOPE, VISIBLE, Actor
from workflow.deadlines import calendar, due_day, local_day, start_of
from workflow.loading import NotFound
from workflow.queries import _dicts

ALL = balance.ALL
FORM = "form:"

# Whatever moved since the year began, and whatever is open still.
CASES = f"""WITH {SCOPE} SELECT c.id, coalesce(c.number, '') AS number, c.title, c.process_version, c.state, c.lead, c.form, c.opened_at,
  (SELECT jsonb_agg(jsonb_build_array((extract(epoch FROM e.at) * 1000000)::bigint, e.body::jsonb ->> 'to') ORDER BY e.seq)
     FROM event e WHERE e.case_id = c.id) AS moves,
  (SELECT min(d.due_at) FROM deadline d WHERE d.case_id = c.id AND d.closed_at IS NULL) AS due_at
FROM me CROSS JOIN cases c WHERE c.process = %(process)s AND c.version > 0 AND (%(office)s = '{ALL}' OR c.lead = %(office)s)
  AND (c.acted_at >= %(since)s OR c.state <> ALL (%(final)s)) AND {VISIBLE} ORDER BY c.id"""


@dataclass(frozen=True)
class Line:
    """One case: the day on which it came, its states by day, the office's calendar."""

    id: int
    number: str
    title: str
    state: str
    lead: str
    form: Mapping[str, Any]
    came: date
    moves: Sequence[tuple[date, str]]
    due: date | None
    days: Calendar

    def state_on(self, day: date) -> str:
        """The state at the end of a day; "" before it was there."""
        return next((state for moved, state in reversed(self.moves) if moved <= day), "")

    def first_in(self, states: frozenset[str]) -> date | None:
        """The day on which it first came to one of these states."""
        return next((day for day, state in self.moves if state in states), None)

    def took(self, until: date) -> int:
        """Business days from the day after it came up to and with that day; none where it was entered later than answered."""
        return max(self.days.business_days_between(self.came, until), 0)


@dataclass(frozen=True)
class Month:
    """One month in figures. `took` are the business days of the cases that were first answered in it."""

    first: date
    last: date  # of the month, or today
    came: int
    answered: int
    void: int
    took: tuple[int, ...]
    open: int
    splits: Mapping[str, Counter[str]]

    @property
    def median(self) -> float | None:
        return median(self.took) if self.took else None

    @property
    def span(self) -> tuple[int, int] | None:
        return (min(self.took), max(self.took)) if self.took else None


@dataclass(frozen=True)
class Open:
    """A case that was not settled on the last day of a month."""

    line: Line
    waited: int  # business days
    state: str
    told: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Year:
    """The months of a fiscal year up to today, and every case behind them."""

    process: Process
    monthly: Monthly
    lines: Sequence[Line]
    months: Sequence[Month]
    today: date
    names: Mapping[str, str] = field(default_factory=dict)  # of posts, by id

    @cached_property
    def took(self) -> tuple[int, ...]:
        return tuple(days for month in self.months for days in month.took)

    @property
    def median(self) -> float | None:
        return median(self.took) if self.took else None

    def total(self, of: str) -> int:
        return sum(getattr(month, of) for month in self.months)

    def count(self, split: Split, key: str) -> int:
        return sum(month.splits[split.key][key] for month in self.months)

    def choices(self, split: Split) -> list[tuple[str, str]]:
        """The choices with their labels, the undecided last; one that is none any more stands under its own name."""
        known = dict(split.choices)
        strange = {key for month in self.months for key in month.splits[split.key]} - known.keys() - {""}
        return [*split.choices, *((key, key) for key in sorted(strange)), ("", split.none)]

    def open_on(self, day: date) -> list[Open]:
        """What was not settled at the end of that day, the oldest first; what is told of it is of today."""
        found = [line for line in self.lines if _open(self.monthly, line, day)]
        return [
            Open(line, line.took(day), self.process.state(line.state_on(day)).label, self._told(line))
            for line in sorted(found, key=lambda line: (line.came, line.id))
        ]

    def _told(self, line: Line) -> tuple[tuple[str, str], ...]:
        found = []
        for place in self.monthly.shows:
            label, text = self.process.told(place, written(line.form, place))
            found.append((label, self._named(place, text)))
        return tuple((label, text) for label, text in found if text)

    def _named(self, place: str, text: str) -> str:
        """A post by its name, a day as an ISO date, other values as they are."""
        known = self.process.form.fields_by_path.get(place) if self.process.form else None
        if known is not None and known.kind == "date":
            read = read_date(text).date
            return read.isoformat() if read else text
        return self.names.get(text, text) if place in _posts(self.process) else text


def processes() -> list[Process]:
    """The processes that have such figures."""
    return [process for process in catalogue.newest().values() if process.monthly]


def offices(conn: psycopg.Connection[Any], reader: Actor) -> list[tuple[str, str]]:
    """The offices whose figures somebody reads, all of them together first where he sees every one."""
    return balance.offices(conn, reader)


def of_year(conn: psycopg.Connection[Any], reader: Actor, process: Process, office: str, year: int) -> Year:
    """The months of a fiscal year at an office, as of this moment. Raises `NotFound` outside the reader's sight."""
    month = process.monthly
    if month is None or office not in dict(offices(conn, reader)):
        raise NotFound
    today, first = cases.today(conn), date(year, 4, 1)
    final = sorted(state.name for state in process.states if state.final)
    told = {
        "person": reader.person_id,
        "process": process.key,
        "office": office,
        "since": start_of(first),
        "final": final,
    }
    rows = [row for row in _dicts(conn, CASES, told) if _readable(process, row, reader)]
    days = {lead: calendar(conn, lead) for lead in {row["lead"] for row in rows}}
    lines = [_line(row, month, days[row["lead"]]) for row in rows]
    places = _posts(process) & set(month.shows)
    posts = frozenset(filter(None, (written(line.form, place) for line in lines for place in places)))
    names = offered.names(conn, posts, frozenset())
    return Year(process, month, lines, [_month(month, lines, *span) for span in _spans(year, today)], today, names)


def _readable(process: Process, row: Mapping[str, Any], reader: Actor) -> bool:
    """Whether the reader reads the day on which it came; who does not is not told of it in a figure either."""
    month = process.monthly
    return month is not None and process.reads(FORM + month.came.partition(".")[0], reader.roles, row["state"])


def _posts(process: Process) -> frozenset[str]:
    known = process.form.fields_by_path if process.form else {}
    return frozenset(path for path, one in known.items() if one.kind == "post")


def _line(row: Mapping[str, Any], month: Monthly, days: Calendar) -> Line:
    moves = [(local_day(_at(micros)), state) for micros, state in row["moves"] or ()]
    came = read_date(written(row["form"], month.came)).date or local_day(row["opened_at"])
    due = due_day(row["due_at"]) if row["due_at"] else None
    return Line(row["id"], row["number"], row["title"], row["state"], row["lead"], row["form"], came, moves, due, days)


def _at(micros: int) -> datetime:
    return datetime.fromtimestamp(micros / 1_000_000, UTC)


def _spans(year: int, today: date) -> list[tuple[date, date]]:
    """First and last day of each month of the year that has begun; the last of this month is today."""
    firsts = [date(year + (number > 12), number if number <= 12 else number - 12, 1) for number in range(4, 17)]
    return [(a, min(b - timedelta(days=1), today)) for a, b in pairwise(firsts) if a <= today]


def _month(month: Monthly, lines: Sequence[Line], first: date, last: date) -> Month:
    came = [line for line in lines if first <= line.came <= last]
    answers = [(line, day) for line in lines if (day := line.first_in(month.answered)) and first <= day <= last]
    void = [line for line in lines if (day := line.first_in(month.void)) and first <= day <= last]
    splits = {split.key: Counter(written(line.form, split.place) for line in came) for split in month.splits}
    took = tuple(sorted(line.took(day) for line, day in answers))
    still = sum(_open(month, line, last) for line in lines)
    return Month(first, last, len(came), len(answers), len(void), took, still, splits)


def _open(month: Monthly, line: Line, day: date) -> bool:
    state = line.state_on(day)
    return bool(state) and line.came <= day and state not in month.answered | month.void
