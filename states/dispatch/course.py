"""The parts of a dispatch that its course writes: drafting, consultation, decision, orders, changes, stops, reports."""

import hashlib
import json
from datetime import date
from functools import cached_property
from typing import Any, Literal

from pydantic import Field

from states.dates import DaysReading, Reading, parse_days, read_date
from states.dispatch.parts import Dated, Member, Part, Period

# ── before the decision ─────────────────────────────────────────────────────────────────────────────────────────────


class OwnApproval(Part):
    """How the municipality came to its own approval: who asked for it, and what was sent back. Nobody else's business."""

    asked_by: str = ""
    asked_on: str = ""
    returned_on: str = ""
    note: str = ""


class OwnDecision(Part):
    """The municipality's own approval (庁内決裁): who, when, under which number."""

    by: str = ""
    on: str = ""
    number: str = ""


class Consent(Part):
    """Whether another municipality of a joint request agrees; `of` marks the request that it answered, `paper` how."""

    answer: Literal["agree", "refuse", ""] = ""
    on: str = ""
    by: str = ""
    of: str = ""
    paper: bool = False


class ConsentNote(Part):
    """What it wrote with its answer; the other municipalities do not read it."""

    note: str = ""


class Forwarded(Part):
    """One office passed the request on to another."""

    from_: str = Field("", alias="from")
    to: str = ""
    on: str = ""
    reason: str = ""


class Forwarding(Part):
    """How the request came to the office that leads it now."""

    rows: list[Forwarded] = Field(default_factory=list)


class CoOffices(Part):
    """Offices that read along and help."""

    codes: list[str] = Field(default_factory=list)


class Drafting(Part):
    """Who put the case to the director, when, why, and with which reasons for the warnings."""

    by: str = ""
    on: str = ""
    note: str = ""
    reasons: dict[str, str] = Field(default_factory=dict)


class Covers(Part):
    """What an answer of headquarters was about: the period as ISO days, and the persons named by then."""

    period: list[str] = Field(default_factory=list)
    people: list[int] = Field(default_factory=list)

    @cached_property
    def span(self) -> tuple[date, date] | None:
        days = [read_date(day).date for day in self.period]
        return (days[0], days[1]) if len(days) == 2 and days[0] and days[1] else None


class Consultation(Part):
    """The question to headquarters about a concurrent appointment, and the answer."""

    question: str = ""
    asked_from: str = ""
    reply: Literal["no_objection", "trip_suffices", "not_agreed", ""] = ""
    replied_on: str = ""
    conditions: str = ""
    reason: str = ""
    covers: Covers = Field(default_factory=Covers)


class Condition(Part):
    """Something that headquarters asks for: of whom, by when, and which step waits for it."""

    text: str = ""
    owner: Literal["municipality", "bureau", "headquarters", ""] = ""
    due: str = ""
    stops: Literal["approve", "begin", "finish", ""] = ""

    @cached_property
    def on(self) -> Reading:
        return read_date(self.due)


class Conditions(Part):
    """The conditions of an answer; each goes on as a case of its own."""

    items: list[Condition] = Field(default_factory=list)


class Decision(Part):
    """What the director decided, under which number, for which places (person, head count, half-days of each).

    `until` keeps the last day that was ever decided for a person, by id: who stops before it ends early.
    """

    conclusion: Literal["approved", "declined", ""] = ""
    number: str = ""
    on: str = ""
    days: list[Any] = Field(default_factory=list)
    until: dict[str, str] = Field(default_factory=dict)


class Hold(Part):
    """The day on which the director looks at a held case again."""

    review_on: str = ""


# ── after it ────────────────────────────────────────────────────────────────────────────────────────────────────────


class Order(Part):
    """An appointment order (発令): who is appointed or released, by whom, from when to when."""

    person: int | None = None
    kind: Literal["appoint", "release", ""] = ""
    issuer: Literal["municipality", "prefecture", ""] = ""
    from_: str = Field("", alias="from")
    to: str = ""
    dated_on: str = ""
    number: str = ""

    @cached_property
    def start(self) -> Reading:
        return read_date(self.from_)

    @cached_property
    def end(self) -> Reading:
        return read_date(self.to)

    @cached_property
    def dated(self) -> Reading:
        return read_date(self.dated_on)

    @cached_property
    def mark(self) -> str:
        """A short print of the order as it stands."""
        told = json.dumps(self.model_dump(by_alias=True), ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(told.encode()).hexdigest()[:16]


class Card(Part):
    """The municipality's identity card of one person: issued, and given back."""

    person: int | None = None
    issued_on: str = ""
    returned_on: str = ""


class Appointment(Part):
    """The papers of a concurrent appointment."""

    orders: list[Order] = Field(default_factory=list)
    cards: list[Card] = Field(default_factory=list)


class Countersign(Part):
    """What personnel said of the orders: by their marks those that it has confirmed, or what it wants to be mended first."""

    marks: list[str] = Field(default_factory=list)
    on: str = ""
    by: str = ""
    paper: bool = False
    note: str = ""
    returned_on: str = ""
    reason: str = ""


class Change(Part):
    """A change as proposed: what is left blank stays. `back` is where the case stands meanwhile."""

    kind: Literal["extend", "shorten", "move", "swap", "place", "cancel", "other", ""] = ""
    reason_code: Literal["weather", "danger", "illness", "municipality", "office", "other", ""] = ""
    reason: str = ""
    period: Period = Field(default_factory=Period)
    place: str = ""
    members: list[Member] = Field(default_factory=list)
    back: str = ""
    by: str = ""
    on: str = ""


class Changed(Part):
    """One change as decided; `lines` are label, before and after, in words."""

    kind: str = ""
    reason_code: str = ""
    reason: str = ""
    on: str = ""
    number: str = ""
    lines: list[list[str]] = Field(default_factory=list)


class Changes(Part):
    """Every change that was decided, in order."""

    rows: list[Changed] = Field(default_factory=list)


class ChangeRequest(Part):
    """What the municipality would like to be changed, and the answer."""

    text: str = ""
    on: str = ""
    by: str = ""
    answer: str = ""
    answered_on: str = ""

    @property
    def waits(self) -> bool:
        return bool(self.text.strip()) and not self.answered_on


class Stop(Part):
    """A dispatch stopped at once: why, the last day really worked, and how the director met it."""

    on: str = ""
    reason_code: Literal["weather", "illness", "danger", "other", ""] = ""
    text: str = ""
    last_day: str = ""
    by: str = ""
    ratified_on: str = ""
    resumed_on: str = ""
    number: str = ""

    @property
    def end(self) -> date | None:
        """The last day that counts while the dispatch is not taken up again."""
        return read_date(self.last_day).date if self.last_day and not self.resumed_on else None


class Actual(Part):
    """The day on which a dispatch that was cut short really ended, and the notice of it."""

    end: str = ""
    number: str = ""
    on: str = ""


class TripReport(Dated):
    """What one person reports after the trip (復命)."""

    went: Literal["planned", "other", "none", ""] = ""  # whether the days were those of the plan
    actual_days: str = ""
    oral: str = ""  # told by word of mouth before: when, to whom
    findings: str = ""
    issues: str = ""
    next_steps: str = ""
    filed_on: str = ""
    filed_by: str = ""

    @cached_property
    def reading(self) -> DaysReading:
        return parse_days(self.actual_days, self._within)

    @property
    def counts(self) -> bool:
        """Whether the days of this report stand for the planned ones."""
        return bool(self.filed_on and (self.went == "none" or (self.reading.days and not self.reading.problems)))


class Result(Part):
    """What the case brought, written by the bureau when every trip report is in."""

    results: str = ""
    issues: str = ""
    follow_up: str = ""
    evaluation: str = ""
    filed_on: str = ""


class Evaluation(Part):
    """What the municipality says of the dispatch afterwards."""

    grade: Literal["5", "4", "3", "2", "1", "none", ""] = ""
    text: str = ""
    on: str = ""
    by: str = ""
