"""The tables, by noun. They declare and migrate; busy paths keep constant SQL beside the verb they serve."""

from sqlmodel import SQLModel

from workflow.models.cases import (
    Assignment,
    Attention,
    Case,
    Content,
    Counter,
    Deadline,
    Event,
    Idempotency,
    Party,
    Reminder,
    Step,
    Working,
)
from workflow.models.notices import Heartbeat, Message, Outbox
from workflow.models.people import (
    Account,
    Closure,
    Installation,
    Organisation,
    Person,
    Post,
    Recognition,
    Session,
    Tenure,
)
from workflow.models.records import ChainCheck, ExportRecord, Published, ReportJob

metadata = SQLModel.metadata

__all__ = [
    "Account",
    "Assignment",
    "Attention",
    "Case",
    "ChainCheck",
    "Closure",
    "Content",
    "Counter",
    "Deadline",
    "Event",
    "ExportRecord",
    "Heartbeat",
    "Idempotency",
    "Installation",
    "Message",
    "Organisation",
    "Outbox",
    "Party",
    "Person",
    "Post",
    "Published",
    "Recognition",
    "Reminder",
    "ReportJob",
    "Session",
    "Step",
    "Tenure",
    "Working",
    "metadata",
]
