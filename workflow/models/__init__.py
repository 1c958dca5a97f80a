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
    Link,
    Party,
    Reminder,
    Step,
    Working,
)
from workflow.models.notices import Heartbeat, Message, Outbox
from workflow.models.papers import Attachment, AttachmentPart, Comment, RetentionHold, SearchEntry
from workflow.models.people import (
    Absence,
    Account,
    Closure,
    Installation,
    Organisation,
    OrganisationSetting,
    Person,
    Post,
    Recognition,
    Session,
    Skill,
    Tenure,
)
from workflow.models.records import ChainCheck, ExportRecord, Published, ReportJob

metadata = SQLModel.metadata

__all__ = [
    "Absence",
    "Account",
    "Assignment",
    "Attachment",
    "AttachmentPart",
    "Attention",
    "Case",
    "ChainCheck",
    "Closure",
    "Comment",
    "Content",
    "Counter",
    "Deadline",
    "Event",
    "ExportRecord",
    "Heartbeat",
    "Idempotency",
    "Installation",
    "Link",
    "Message",
    "Organisation",
    "OrganisationSetting",
    "Outbox",
    "Party",
    "Person",
    "Post",
    "Published",
    "Recognition",
    "Reminder",
    "ReportJob",
    "RetentionHold",
    "SearchEntry",
    "Session",
    "Skill",
    "Step",
    "Tenure",
    "Working",
    "metadata",
]
