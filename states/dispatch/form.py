"""The form of a dispatch: its parts as stored, and what the typed values mean.

Dates, days, codes and head counts stay as they were typed; each reading happens here, on asking, and never changes
what is stored. `read` makes the object that the rules see as `facts.read`; `read_fields` takes the fields of a page.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import cached_property
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from states.dates import DaysReading, Reading, days_between, parse_days, read_date
from states.dispatch.labels import CHOICES, LABELS, label, pattern
from states.kernel import Refused
from states.terms import Verdict, block
from states.text import narrow

Role = Literal["planning", "preparation", "operation", "advice", "survey", "participation", "labour", ""]
REPORT = "report:"


class Part(BaseModel):
    """A part of the form: every key known, every value of its own type, nothing changed after reading."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, populate_by_name=True)


class Dated(Part):
    """A part with days that may be typed without a year; the period of the request gives it."""

    _within: tuple[date, date] | None = PrivateAttr(default=None)


class Task(Part):
    """One piece of work and the role that a person ticked for it."""

    text: str = ""
    role: Role = ""

    @property
    def blank(self) -> bool:
        return not self.text.strip() and not self.role


class Period(Part):
    """First and last day of the work, both counted, as typed."""

    from_: str = Field("", alias="from")
    to: str = ""

    @cached_property
    def start(self) -> Reading:
        return read_date(self.from_)

    @cached_property
    def end(self) -> Reading:
        return read_date(self.to)

    @property
    def first(self) -> date | None:
        return self.start.date

    @property
    def last(self) -> date | None:
        return self.end.date

    @cached_property
    def span(self) -> tuple[date, date] | None:
        """First and last day where both can be read and stand in order."""
        first, last = self.first, self.last
        return (first, last) if first and last and first <= last else None

    @property
    def length(self) -> int:
        """Days from first to last, both counted; 0 while they cannot be read."""
        return len(days_between(*self.span)) if self.span else 0


class Recognition(Part):
    """What the request says about the director's recognition of a body."""

    approved: bool = False
    approved_on: str = ""
    reference: str = ""

    @cached_property
    def on(self) -> Reading:
        return read_date(self.approved_on)


class Destination(Part):
    """Where the staff go: a municipality, or a body that the director has recognised."""

    type: Literal["municipality", "organization"] = "municipality"
    municipality_code: str = ""
    municipality_name: str = ""
    organization_name: str = ""
    recognition: Recognition = Field(default_factory=Recognition)


class Wish(Dated):
    """A wish of the municipality: which skill, how many, on which days."""

    skill: str = ""
    headcount: str = ""
    days: str = ""

    @cached_property
    def reading(self) -> DaysReading:
        return parse_days(self.days, self._within)


class Instruction(Part):
    """The director's instruction, from which a dispatch of his own initiative starts."""

    given_on: str = ""
    text: str = ""

    @cached_property
    def on(self) -> Reading:
        return read_date(self.given_on)


class Request(Part):
    """What is asked for: work, time, place, ground."""

    origin: Literal["municipality_request", "director"] = "municipality_request"
    office_code: str = ""
    title: str = ""
    purpose: str = ""
    ground: str = ""
    tasks: list[Task] = Field(default_factory=list)
    period: Period = Field(default_factory=Period)
    destination: Destination = Field(default_factory=Destination)
    own_affairs: Literal["no", "yes", "unknown", ""] = ""
    concurrent_appointment: Literal["not_needed", "needed", ""] = ""
    concurrent_reason: str = ""
    wishes: list[Wish] = Field(default_factory=list)
    place: str = ""
    expected_result: str = ""
    cost: str = ""
    previous: str = ""
    source: str = ""
    instruction: Instruction = Field(default_factory=Instruction)

    @property
    def on_request(self) -> bool:
        return self.origin == "municipality_request"

    @property
    def written_tasks(self) -> list[Task]:
        return [task for task in self.tasks if not task.blank]

    @property
    def touches_own_affairs(self) -> bool:
        """Whether headquarters has to be asked first (要領2(1))."""
        return self.own_affairs in ("yes", "unknown") or self.concurrent_appointment == "needed"


class Contact(Part):
    """Who asks, and whom to call there."""

    municipality_code: str = ""
    municipality_name: str = ""
    department: str = ""
    name: str = ""
    tel: str = ""
    mail: str = ""


class Receipt(Part):
    """When and how the request really arrived, and under which number it was received."""

    arrived_on: str = ""
    channel: Literal["screen", "paper", "mail", "fax", ""] = ""
    received_on: str = ""
    number: str = ""

    @cached_property
    def on(self) -> Reading:
        return read_date(self.arrived_on)


class Member(Dated):
    """A place in the team; a person once one is named for it."""

    person: int | None = None
    name: str = ""
    role: str = ""
    section: str = ""
    leader: bool = False
    headcount: int = Field(1, ge=1, le=1000)
    days: str = ""
    consent: str = ""

    @cached_property
    def reading(self) -> DaysReading:
        return parse_days(self.days, self._within)

    @property
    def dates(self) -> tuple[date, ...]:
        """The distinct days of this member, in order; unreadable ones are left to rule I-05."""
        return self.reading.days

    @property
    def called(self) -> str:
        """How a sentence names the member."""
        return self.name.strip() or self.role.strip() or "氏名の決まっていない職員"


class Team(Part):
    """Who goes on which days."""

    members: list[Member] = Field(default_factory=list)


class Drafting(Part):
    """Who put the case to the director, when, why, and with which reasons for the warnings."""

    by: str = ""
    on: str = ""
    note: str = ""
    reasons: dict[str, str] = {}


class Consultation(Part):
    """The question to headquarters about a concurrent appointment, and the answer."""

    question: str = ""
    asked_from: str = ""
    reply: Literal["no_objection", "trip_suffices", "not_agreed", ""] = ""
    replied_on: str = ""
    conditions: str = ""
    reason: str = ""


class Decision(Part):
    """What the director decided, under which number, for which places (days and head count of each)."""

    conclusion: Literal["approved", "declined", ""] = ""
    number: str = ""
    on: str = ""
    days: list[Any] = Field(default_factory=list)


class Hold(Part):
    """The day on which the director looks at a held case again."""

    review_on: str = ""


class Actual(Part):
    """The day on which a dispatch that was cut short really ended."""

    end: str = ""


class TripReport(Dated):
    """What one person reports after the trip (復命)."""

    actual_days: str = ""
    findings: str = ""
    issues: str = ""
    next_steps: str = ""
    filed_on: str = ""
    filed_by: str = ""

    @cached_property
    def reading(self) -> DaysReading:
        return parse_days(self.actual_days, self._within)


class Result(Part):
    """What the case brought, written by the bureau when every trip report is in."""

    results: str = ""
    issues: str = ""
    follow_up: str = ""
    evaluation: str = ""
    filed_on: str = ""


class Form(Part):
    """The whole form; `reports` holds the trip reports by person id."""

    request: Request = Field(default_factory=Request)
    contact: Contact = Field(default_factory=Contact)
    receipt: Receipt = Field(default_factory=Receipt)
    team: Team = Field(default_factory=Team)
    drafting: Drafting = Field(default_factory=Drafting)
    consultation: Consultation = Field(default_factory=Consultation)
    decision: Decision = Field(default_factory=Decision)
    hold: Hold = Field(default_factory=Hold)
    actual: Actual = Field(default_factory=Actual)
    reports: dict[str, TripReport] = {}
    result: Result = Field(default_factory=Result)

    @model_validator(mode="after")
    def _give_the_period(self) -> Self:
        for part in (*self.team.members, *self.request.wishes, *self.reports.values()):
            part._within = self.request.period.span
        return self

    @property
    def actual_end(self) -> date | None:
        """The last dispatched day where the dispatch was cut short."""
        return read_date(self.actual.end).date if self.actual.end else None

    def judged_on(self, today: date) -> date:
        """The day whose directory counts: arrival, else the director's instruction, else today."""
        return self.receipt.on.date or self.request.instruction.on.date or today


def read(form: Mapping[str, Any]) -> Form:
    """The stored field groups as an object, an erased one as if it were empty; raises pydantic's ValidationError."""
    there = {group: part for group, part in form.items() if not _erased(part)}
    parts = {group: part for group, part in there.items() if not group.startswith(REPORT)}
    reports = {group.removeprefix(REPORT): part for group, part in there.items() if group.startswith(REPORT)}
    return Form.model_validate({**parts, "reports": reports})


def _erased(part: Any) -> bool:
    return isinstance(part, Mapping) and set(part) == {"erased"}


# ── the fields of a page ────────────────────────────────────────────────────────────────────────────────────────────

# Opened with the case, or written by an act: no page can set them.
_NOT_TYPED = ("request.origin", "request.office_code", "consultation.", "receipt.arrived_on")
TYPED = frozenset(path for path in LABELS if not path.startswith(_NOT_TYPED))
_FLAGS = frozenset({"request.destination.recognition.approved", "team.members.#.leader"})
_COUNTS = frozenset({"team.members.#.person", "team.members.#.headcount"})
_TABLES = frozenset(path.split(".#.")[0] for path in TYPED if ".#." in path)
_GROUPS: dict[str, type[Part]] = {
    "request": Request, "contact": Contact, "receipt": Receipt, "team": Team, "report": TripReport, "result": Result,
}  # fmt: skip


def read_fields(fields: Mapping[str, Sequence[str]], form: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The field groups that a page posted, laid over the stored `form`, ready to be stored.

    A field is named by its path: `request.title`, `request.period.from`, `request.tasks.0.text`, `report:12.findings`.
    Of several values the last counts, so a tick box stands behind a hidden empty field of its name. A posted table
    replaces the stored one, blank rows left out; a field that was not posted keeps its value. Names without a group of
    the form are others' business and ignored. Raises `Refused` for a field that no page has or a value it cannot take.
    """
    refused: list[Verdict] = []
    groups: dict[str, Any] = {}
    tables: set[str] = set()
    for path in sorted(fields, key=_row_order):
        group = path.partition(".")[0]
        if group.partition(":")[0] not in _GROUPS or not fields[path]:
            continue
        if pattern(path) not in TYPED:
            refused.append(block(f"「{path}」という項目はこの画面にありません。画面を開き直してください。", path))
            continue
        if group not in groups:
            stored = (form or {}).get(group) or {}
            groups[group] = {} if _erased(stored) else copy.deepcopy(dict(stored))
        try:
            _put(groups[group], path.split(".")[1:], _value(path, fields[path][-1]), tables, group)
        except ValueError as reason:
            refused.append(block(str(reason), path))
    if refused:
        raise Refused("guard", "".join(dict.fromkeys(v.sentence for v in refused)), refused)
    return {group: _stored(group, part) for group, part in groups.items()}


def show_fields(form: Mapping[str, Any]) -> dict[str, str]:
    """The stored form as the flat fields of a page: every path with its value as typed; a tick is "on"."""
    return {path: value for group, part in form.items() for path, value in _leaves(group, part)}


def _value(path: str, written: str) -> str | int | bool | None:
    kind = pattern(path)
    if kind in _FLAGS:
        return written.strip().lower() in ("on", "true", "1", "yes")
    if kind in _COUNTS:
        plain = narrow(written)
        if not plain and kind.endswith("person"):
            return None
        if not (plain.isascii() and plain.isdigit() and 1 <= len(plain) <= 9 and int(plain) > 0):
            raise ValueError(f"{label(path)}は1以上の数で書いてください。")
        return int(plain)
    if kind in CHOICES and written and written not in CHOICES[kind]:
        raise ValueError(f"{label(path)}を選び直してください。")
    return written.replace("\r\n", "\n")


def _put(part: Any, way: list[str], value: Any, tables: set[str], path: str) -> None:
    """Set the value at its place; the first field of a table empties the stored rows."""
    step, rest = way[0], way[1:]
    path = f"{path}.{step}"
    if not rest:
        part[step] = value
    elif path in _TABLES:
        if path not in tables:
            part[step] = {}
            tables.add(path)
        _put(part[step].setdefault(rest[0], {}), rest[1:], value, tables, f"{path}.{rest[0]}")
    else:
        _put(part.setdefault(step, {}), rest, value, tables, path)


def _stored(group: str, part: dict[str, Any]) -> dict[str, Any]:
    """The group with every key of its model and its tables as lists of the rows that are not blank."""
    model = _GROUPS[group.partition(":")[0]]
    for table in (t.partition(".")[2] for t in _TABLES if t.startswith(f"{group}.")):
        rows = part.get(table, [])
        part[table] = [row for row in (rows.values() if isinstance(rows, dict) else rows) if not _blank(row)]
    return model.model_validate(part).model_dump(by_alias=True)


def _blank(row: Mapping[str, Any]) -> bool:
    written = {key: value for key, value in row.items() if key not in ("headcount", "leader")}
    return not any(str(value or "").strip() for value in written.values())


def _row_order(path: str) -> list[tuple[int, str]]:
    return [(int(step), "") if step.isdigit() and len(step) < 10 else (-1, step) for step in path.split(".")]


def _leaves(path: str, part: Any) -> Iterator[tuple[str, str]]:
    if isinstance(part, Mapping):
        for key, value in part.items():
            yield from _leaves(f"{path}.{key}", value)
    elif isinstance(part, (list, tuple)):
        for row, value in enumerate(part):
            yield from _leaves(f"{path}.{row}", value)
    else:
        yield path, ("on" if part is True else "" if part is False or part is None else str(part))
