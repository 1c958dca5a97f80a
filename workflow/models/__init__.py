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
from workflow.models.clock import ClosureEnded, DeadlineMove, DeadlineRule
from workflow.models.feed import Feed
from workflow.models.notices import Heartbeat, Message, Outbox, Preference, RungSetting, Sweep
from workflow.models.papers import Attachment, AttachmentPart, Comment, RetentionHold, SearchEntry
from workflow.models.people import (
    Absence,
    Account,
    AppointmentList,
    Closure,
    Deputy,
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
from workflow.models.routes import AuthorityRule, Opened, RoutesFollowed, SavedView

metadata = SQLModel.metadata

__all__ = [
    "Absence",
    "Account",
    "AppointmentList",
    "Assignment",
    "Attachment",
    "AttachmentPart",
    "Attention",
    "AuthorityRule",
    "Case",
    "ChainCheck",
    "Closure",
    "ClosureEnded",
    "Comment",
    "Content",
    "Counter",
    "Deadline",
    "DeadlineMove",
    "DeadlineRule",
    "Deputy",
    "Event",
    "ExportRecord",
    "Feed",
    "Heartbeat",
    "Idempotency",
    "Installation",
    "Link",
    "Message",
    "Opened",
    "Organisation",
    "OrganisationSetting",
    "Outbox",
    "Party",
    "Person",
    "Post",
    "Preference",
    "Published",
    "Recognition",
    "Reminder",
    "ReportJob",
    "RetentionHold",
    "RoutesFollowed",
    "RungSetting",
    "SavedView",
    "SearchEntry",
    "Session",
    "Skill",
    "Step",
    "Sweep",
    "Tenure",
    "Working",
    "metadata",
]
