"""What is to be told: effects as rows, the messages made of them, and the pulse of the processes that deliver."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    PrimaryKeyConstraint,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

from workflow.models.columns import Instant, identity, json_column

WAITS_FOR_A_DIGEST = "gathered AND digest_id IS NULL AND sent_at IS NULL"


class Outbox(SQLModel, table=True):
    """An effect written with its act: ids only. `dedup` makes a second writing impossible.

    A digest is of many cases and names none. What ended with a `trouble` has failed; it may be tried again.
    """

    __table_args__ = (
        Index("ix_outbox_open", "next_at", "id", postgresql_where=text("done_at IS NULL")),
        Index("ix_outbox_reminder", "case_id", "id", postgresql_where=text("starts_with(kind, 'reminder:')")),
        Index("ix_outbox_failed", "case_id", postgresql_where=text("done_at IS NOT NULL AND trouble IS NOT NULL")),
    )
    id: int | None = Field(default=None, sa_column=identity())
    case_id: int | None = Field(default=None, sa_type=BigInteger)
    seq: int
    kind: str
    payload: dict[str, Any] = Field(sa_column=json_column())
    dedup: str = Field(unique=True)
    next_at: datetime = Field(sa_type=Instant)
    tries: int = 0
    done_at: datetime | None = Field(default=None, sa_type=Instant)
    trouble: str | None = None


class Message(SQLModel, table=True):
    """One mail to one person; its Message-ID is fixed, so that a second copy is recognised.

    What is `gathered` does not go out by itself: it waits for its person's next digest, then names the digest's row.
    """

    __table_args__ = (
        UniqueConstraint("outbox_id", "person_id"),
        Index("ix_message_person", "person_id", "id"),
        Index("ix_message_gathered", "person_id", "made_at", postgresql_where=text(WAITS_FOR_A_DIGEST)),
        Index("ix_message_digest", "digest_id", postgresql_where=text("digest_id IS NOT NULL")),
    )
    id: int | None = Field(default=None, sa_column=identity())
    outbox_id: int = Field(foreign_key="outbox.id", sa_type=BigInteger)
    case_id: int | None = Field(default=None, foreign_key="cases.id", sa_type=BigInteger)
    person_id: int = Field(foreign_key="person.id", sa_type=BigInteger)
    address: str
    message_id: str = Field(unique=True)
    subject: str
    body: str
    made_at: datetime = Field(sa_type=Instant)
    sent_at: datetime | None = Field(default=None, sa_type=Instant)
    gathered: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    digest_id: int | None = Field(default=None, foreign_key="outbox.id", sa_type=BigInteger)


class Preference(SQLModel, table=True):
    """How a person wants to be told by mail; who has no row is told of everything at once."""

    __table_args__ = (CheckConstraint("(mail IN ('at_once', 'morning', 'twice')) IS TRUE", name="mail"),)
    person_id: int = Field(primary_key=True, foreign_key="person.id", sa_type=BigInteger)
    mail: str
    informed: bool  # also of what asks nothing of this person
    changed_at: datetime = Field(sa_type=Instant)


class RungSetting(SQLModel, table=True):
    """When reminders of one kind of deadline come, from a day on: the newest row that has begun counts."""

    __tablename__ = "rung_setting"
    __table_args__ = (PrimaryKeyConstraint("process", "kind", "valid_from"),)
    process: str
    kind: str
    valid_from: date
    rungs: list[int] | None = Field(sa_column=Column(ARRAY(SmallInteger)))  # null: as the process declares them
    set_by: int = Field(foreign_key="person.id", sa_type=BigInteger)
    set_at: datetime = Field(sa_type=Instant)


class Sweep(SQLModel, table=True):
    """A day of which all reminders have been made, under the closures, rungs and clock that `terms` stands for."""

    day: date = Field(primary_key=True)
    terms: str
    swept_at: datetime = Field(sa_type=Instant)


class Heartbeat(SQLModel, table=True):
    """When a background process last did its work."""

    name: str = Field(primary_key=True)
    beat_at: datetime = Field(sa_type=Instant)
