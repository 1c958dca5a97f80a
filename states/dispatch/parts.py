"""The parts of a dispatch that are written before the decision: request, contact, receipt, team. Values stay as typed."""

from datetime import date
from functools import cached_property
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

from states.dates import DaysReading, Reading, days_between, one_month_last_day, parse_days, read_date

Role = Literal["planning", "preparation", "operation", "advice", "survey", "participation", "labour", ""]


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
    def limit(self) -> date | None:
        """The last day that one piece of work from the first day on may reach (要領2(4))."""
        return one_month_last_day(self.first) if self.first else None

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


class Partner(Part):
    """Another municipality that asks together with the one that leads the request."""

    municipality_code: str = ""
    municipality_name: str = ""

    @property
    def blank(self) -> bool:
        return not f"{self.municipality_code}{self.municipality_name}".strip()


class Request(Part):
    """What is asked for: work, time, place, ground, and who asks together with the municipality."""

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
    partners: list[Partner] = Field(default_factory=list)

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
    """When and how the request really arrived, under which number it was received, who entered it, which one it repeats."""

    arrived_on: str = ""
    channel: Literal["screen", "paper", "mail", "fax", ""] = ""
    received_on: str = ""
    number: str = ""
    entered_by: str = ""
    same_as: str = ""

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
    consent: str = ""  # of the section's head: when, by whom
    substitute: str = ""  # days off for work on days off

    @cached_property
    def reading(self) -> DaysReading:
        return parse_days(self.days, self._within)

    @property
    def half_days(self) -> tuple[tuple[date, int], ...]:
        """Every half-day (0 morning, 1 afternoon) of this member, in order."""
        return self.reading.half_days

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
