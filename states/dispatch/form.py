"""The form of a dispatch: its parts as stored, and what the typed values mean.

Dates, days, codes and head counts stay as they were typed; each reading happens here, on asking, and never changes
what is stored. `read` makes the object that the rules see as `facts.read`; the fields of a page are `fields`' story.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, Self

from pydantic import Field, model_validator

from states.dates import read_date
from states.dispatch.course import (
    Actual,
    Appointment,
    Change,
    ChangeRequest,
    Changes,
    Conditions,
    Consent,
    ConsentNote,
    Consultation,
    CoOffices,
    Countersign,
    Decision,
    Drafting,
    Evaluation,
    Forwarding,
    Hold,
    Order,
    OwnApproval,
    OwnDecision,
    Result,
    Stop,
    TripReport,
)
from states.dispatch.parts import Contact, Part, Receipt, Request, Team
from states.kernel import RESERVED

# Groups of which a case has one for each person or organisation: prefix → where the object keeps them.
MANY = {"report": "reports", "consent": "consents", "consent_note": "consent_notes"}


class Form(Part):
    """The whole form; `reports` holds the trip reports by person id, `consents` the answers by code of municipality."""

    request: Request = Field(default_factory=Request)
    contact: Contact = Field(default_factory=Contact)
    own_approval: OwnApproval = Field(default_factory=OwnApproval)
    own_decision: OwnDecision = Field(default_factory=OwnDecision)
    receipt: Receipt = Field(default_factory=Receipt)
    forwarding: Forwarding = Field(default_factory=Forwarding)
    co_offices: CoOffices = Field(default_factory=CoOffices)
    consents: dict[str, Consent] = Field(default_factory=dict)
    consent_notes: dict[str, ConsentNote] = Field(default_factory=dict)
    team: Team = Field(default_factory=Team)
    drafting: Drafting = Field(default_factory=Drafting)
    consultation: Consultation = Field(default_factory=Consultation)
    conditions: Conditions = Field(default_factory=Conditions)
    decision: Decision = Field(default_factory=Decision)
    hold: Hold = Field(default_factory=Hold)
    appointment: Appointment = Field(default_factory=Appointment)
    countersign: Countersign = Field(default_factory=Countersign)
    change_request: ChangeRequest = Field(default_factory=ChangeRequest)
    change: Change = Field(default_factory=Change)
    changes: Changes = Field(default_factory=Changes)
    change_consultation: Consultation = Field(default_factory=Consultation)
    stop: Stop = Field(default_factory=Stop)
    actual: Actual = Field(default_factory=Actual)
    reports: dict[str, TripReport] = Field(default_factory=dict)
    result: Result = Field(default_factory=Result)
    evaluation: Evaluation = Field(default_factory=Evaluation)

    @model_validator(mode="after")
    def _give_the_period(self) -> Self:
        for part in (*self.team.members, *self.request.wishes, *self.reports.values()):
            part._within = self.request.period.span
        for member in self.change.members:
            member._within = self.change.period.span or self.request.period.span
        return self

    @property
    def actual_end(self) -> date | None:
        """The last dispatched day where the dispatch was cut short or stands still."""
        ends = [read_date(self.actual.end).date if self.actual.end else None, self.stop.end]
        return min((day for day in ends if day), default=None)

    @property
    def unconfirmed(self) -> list[Order]:
        """The appointment orders that personnel has not confirmed as they stand."""
        return [order for order in self.appointment.orders if order.mark not in self.countersign.marks]

    def judged_on(self, today: date) -> date:
        """The day whose directory counts: arrival, else the director's instruction, else today."""
        return self.receipt.on.date or self.request.instruction.on.date or today


def read(form: Mapping[str, Any]) -> Form:
    """The stored field groups as an object, an erased one as if it were empty; raises pydantic's ValidationError."""
    parts: dict[str, Any] = {}
    for group, part in form.items():
        kind, colon, key = group.partition(":")
        if (
            erased(part) or group in RESERVED
        ):  # how it is decided, and where it came from, is no part of what is asked for
            continue
        if colon and kind in MANY:
            parts.setdefault(MANY[kind], {})[key] = part
        else:
            parts[group] = part
    return Form.model_validate(parts)


def erased(part: Any) -> bool:
    return isinstance(part, Mapping) and set(part) == {"erased"}
