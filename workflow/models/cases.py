"""Cases and what belongs to them. A case row always says what its last event says; `version` is that event's number.

Rows that only ever come from an act (step, deadline, outbox, idempotency) carry no foreign key: the act's one statement
inserts them from the case it has just moved, and a case with history cannot be deleted.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    Computed,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlmodel import Field, SQLModel

from workflow.models.columns import Instant, bytes_column, identity, json_column

OPEN = text("closed_at IS NULL")
MET = "closed_at IS NOT NULL AND left_days IS NULL AND move = ''"  # of a deadline that nobody waits for any more


class Case(SQLModel, table=True):
    """Anything with a state of its own. Columns that every act changes stand together, `form` last and unindexed."""

    __tablename__ = "cases"
    __table_args__ = (
        CheckConstraint("((version = 0) = (head IS NULL)) IS TRUE", name="head"),
        Index("ix_cases_lead", "lead", "id"),
        Index("ix_cases_place", "place", "id"),
        Index("ix_cases_number", "number", unique=True, postgresql_where=text("number IS NOT NULL")),
        Index("ix_cases_parent", "parent_id", postgresql_where=text("parent_id IS NOT NULL")),
        {"postgresql_with": {"fillfactor": "80"}},
    )
    id: int | None = Field(default=None, sa_column=identity())
    process: str
    process_version: int
    origin: str
    lead: str  # organisation that leads the case
    place: str = ""  # municipality that it is about, read from the form
    parent_id: int | None = Field(default=None, foreign_key="cases.id", sa_type=BigInteger)  # of a child case, for good
    opened_by: int = Field(foreign_key="person.id", sa_type=BigInteger)
    opened_at: datetime = Field(sa_type=Instant)
    open: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})  # beyond its writer's office
    title: str
    number: str | None = None
    state: str
    version: int = 0
    saves: int = 0  # how often a draft was saved; tells two tabs apart, never part of history
    head: bytes | None = Field(default=None, sa_column=bytes_column(nullable=True))
    acted_by: str
    acted_at: datetime = Field(sa_type=Instant)
    form: dict[str, Any] = Field(sa_column=json_column())


class Event(SQLModel, table=True):
    """One act, for good. `body` is the stored truth; the database holds columns, hash and link to it."""

    __table_args__ = (
        PrimaryKeyConstraint("case_id", "seq"),
        UniqueConstraint("case_id", "seq", "hash"),
        ForeignKeyConstraint(["case_id"], ["cases.id"]),
        ForeignKeyConstraint(
            ["case_id", "prev_seq", "previous"], ["event.case_id", "event.seq", "event.hash"], name="fk_event_link"
        ),
        CheckConstraint(
            "(hash = sha256(coalesce(previous, ''::bytea) || convert_to(body, 'UTF8'))) IS TRUE", name="hash"
        ),
        CheckConstraint("((previous IS NULL) = (seq = 1) AND seq >= 1) IS TRUE", name="first"),
        CheckConstraint(
            "(body::jsonb @> jsonb_build_object('case', case_id, 'seq', seq, 'at', (extract(epoch FROM at) * 1000000)::bigint, "
            "'action', action, 'actor', actor, 'post', post, 'office', office)) IS TRUE",
            name="columns",
        ),
        Index("ix_event_at", "at", "case_id", "seq"),
        Index("ix_event_actor", "actor", "at", "case_id", "seq", postgresql_where=text("actor <> 'clock'")),
    )
    case_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    seq: int
    prev_seq: int | None = Field(
        default=None, sa_column=Column(Integer, Computed("seq - 1", persisted=True), nullable=False)
    )
    at: datetime = Field(sa_type=Instant)
    action: str
    actor: str
    post: str
    office: str
    previous: bytes | None = Field(default=None, sa_column=bytes_column(nullable=True))
    hash: bytes = Field(sa_column=bytes_column())
    body: str


class Content(SQLModel, table=True):
    """What an event refers to by digest: a field group, a reason, names of the day. Only an erasing event may empty it."""

    __table_args__ = (
        PrimaryKeyConstraint("case_id", "seq", "ord"),
        ForeignKeyConstraint(["case_id", "seq"], ["event.case_id", "event.seq"]),
        CheckConstraint(
            "(CASE WHEN salt IS NULL THEN data IS NULL ELSE octet_length(salt) = 32 "
            "AND digest = sha256(salt || convert_to(kind, 'UTF8') || data) END) IS TRUE",
            name="digest",
        ),
    )
    case_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    seq: int
    ord: int
    kind: str
    digest: bytes = Field(sa_column=bytes_column())
    salt: bytes | None = Field(default=None, sa_column=bytes_column(nullable=True))
    data: bytes | None = Field(default=None, sa_column=bytes_column(nullable=True))


class Party(SQLModel, table=True):
    """An organisation's part in a case: requester, lead, destination, consulted; an ended one keeps what it could read."""

    __table_args__ = (PrimaryKeyConstraint("case_id", "org_code", "part"), Index("ix_party_org", "org_code", "case_id"))
    case_id: int = Field(foreign_key="cases.id", sa_type=BigInteger)
    org_code: str
    part: str
    valid_from: date
    valid_to: date | None = None
    until_seq: int | None = None  # of an ended party: the event that ended it, the last one it reads


class Link(SQLModel, table=True):
    """How one case belongs to another, written by the event `seq` of the first: duplicate, successor."""

    __table_args__ = (PrimaryKeyConstraint("case_id", "other_id", "kind"), Index("ix_link_other", "other_id"))
    case_id: int = Field(foreign_key="cases.id", sa_type=BigInteger)
    other_id: int = Field(foreign_key="cases.id", sa_type=BigInteger)
    kind: str
    seq: int


class Assignment(SQLModel, table=True):
    """One person on one half-day for one case, read from the form with every act that changes it; nobody is in two places."""

    __table_args__ = (
        PrimaryKeyConstraint("case_id", "person_id", "day", "half"),
        UniqueConstraint("person_id", "day", "half", name="uq_assignment_place"),
        Index("ix_assignment_day", "day", "case_id"),
        CheckConstraint("(half IN (0, 1)) IS TRUE", name="half"),
    )
    case_id: int = Field(foreign_key="cases.id", sa_type=BigInteger)
    person_id: int = Field(sa_type=BigInteger, foreign_key="person.id")
    day: date
    half: int = Field(sa_type=SmallInteger)  # 0 morning, 1 afternoon


class Step(SQLModel, table=True):
    """An item in the inbox of a desk (organisation and role), or of one person there.

    `kind` is the sort of work; `awaited_by` names who waits for it while a route runs: posts (`#id`) and persons (`@id`).
    """

    __table_args__ = (
        Index(
            "ix_step_desk", "org_code", "role", "kind", "due_at", "id",
            postgresql_where=OPEN, postgresql_include=["case_id", "person_id", "ask"],
        ),
        Index("ix_step_case", "case_id", postgresql_where=OPEN),
    )  # fmt: skip
    id: int | None = Field(default=None, sa_column=identity())
    case_id: int = Field(sa_type=BigInteger)
    org_code: str
    role: str
    person_id: int | None = Field(default=None, sa_type=BigInteger)
    ask: str
    due_at: datetime = Field(sa_type=Instant)
    opened_at: datetime = Field(sa_type=Instant)
    closed_at: datetime | None = Field(default=None, sa_type=Instant)
    kind: str = Field(default="", sa_column_kwargs={"server_default": ""})
    awaited_by: list[str] | None = Field(default=None, sa_column=Column(ARRAY(String), nullable=True))


class Waiting(SQLModel, table=True):
    """That a post (`#id`) or a person (`@id`) waits for others on the route of a case: `awaited_by` of its open steps, a row for each.

    `due_at` is when the first of those steps is due.
    """

    __table_args__ = (PrimaryKeyConstraint("case_id", "who"), Index("ix_waiting_who", "who", "due_at", "case_id"))
    case_id: int = Field(sa_type=BigInteger)
    who: str
    due_at: datetime = Field(sa_type=Instant)


class Deadline(SQLModel, table=True):
    """A running or ended deadline; one open per case and kind. `left_days` is set while it is paused.

    `planned_at` is what the process had said of one that somebody moved: as long as it says so, the new day stands.
    """

    __table_args__ = (
        Index("ix_deadline_open", "case_id", "kind", unique=True, postgresql_where=OPEN),
        Index("ix_deadline_due", "due_at", "id", postgresql_where=OPEN),
        Index("ix_deadline_case", "case_id", postgresql_where=text("closed_at IS NULL OR left_days IS NOT NULL")),
        Index("ix_deadline_met", "due_at", "id", postgresql_where=text(MET)),
        Index("ix_deadline_opened", "case_id", "kind", "opened_at"),
        Index("ix_deadline_moved", "opened_at", postgresql_where=text("planned_at IS NOT NULL")),
    )
    id: int | None = Field(default=None, sa_column=identity())
    case_id: int = Field(sa_type=BigInteger)
    kind: str
    holder: str
    move: str = ""
    due_at: datetime = Field(sa_type=Instant)
    planned_at: datetime | None = Field(default=None, sa_type=Instant)
    opened_at: datetime = Field(sa_type=Instant)
    closed_at: datetime | None = Field(default=None, sa_type=Instant)
    left_days: int | None = None


class Reminder(SQLModel, table=True):
    """One reminder a deadline, rung and due date, however many schedulers run."""

    __table_args__ = (UniqueConstraint("deadline_id", "rung", "due_at"),)
    id: int | None = Field(default=None, sa_column=identity())
    deadline_id: int = Field(foreign_key="deadline.id", sa_type=BigInteger)
    rung: int  # business days after the due day; negative before it
    due_at: datetime = Field(sa_type=Instant)
    made_at: datetime = Field(sa_type=Instant)


class Attention(SQLModel, table=True):
    """Something the clock could not do by itself; its holder sees it under 要対応 until it is settled."""

    __table_args__ = (Index("ix_attention_open", "case_id", "kind", unique=True, postgresql_where=OPEN),)
    id: int | None = Field(default=None, sa_column=identity())
    case_id: int = Field(foreign_key="cases.id", sa_type=BigInteger)
    kind: str
    sentence: str
    opened_at: datetime = Field(sa_type=Instant)
    closed_at: datetime | None = Field(default=None, sa_type=Instant)


class Counter(SQLModel, table=True):
    """The next number without gaps, of one kind, organisation and fiscal year."""

    __table_args__ = (PrimaryKeyConstraint("org_code", "fiscal_year", "kind"),)
    org_code: str
    fiscal_year: int
    kind: str
    value: int = 0


class Working(SQLModel, table=True):
    """What an office is writing on a case in progress, outside history until an act takes it over."""

    __table_args__ = (PrimaryKeyConstraint("case_id", "org_code"),)
    case_id: int = Field(foreign_key="cases.id", sa_type=BigInteger)
    org_code: str
    form: dict[str, Any] = Field(sa_column=json_column())
    saves: int = 1
    saved_by: int = Field(sa_type=BigInteger, foreign_key="person.id")
    saved_at: datetime = Field(sa_type=Instant)


class Idempotency(SQLModel, table=True):
    """The answer to a request already carried out, found again by the key its form carried."""

    __table_args__ = (PrimaryKeyConstraint("person_id", "key"),)
    person_id: int = Field(sa_type=BigInteger)
    key: UUID = Field(sa_type=Uuid)
    request: bytes = Field(sa_column=bytes_column())
    result: dict[str, Any] = Field(sa_column=json_column())
    made_at: datetime = Field(sa_type=Instant)
