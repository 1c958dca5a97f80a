"""What is to be told: effects as rows, the messages made of them, and the pulse of the processes that deliver."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from workflow.models.columns import Instant, identity, json_column


class Outbox(SQLModel, table=True):
    """An effect written with its act: ids only. `dedup` makes a second writing impossible."""

    __table_args__ = (Index("ix_outbox_open", "next_at", "id", postgresql_where=text("done_at IS NULL")),)
    id: int | None = Field(default=None, sa_column=identity())
    case_id: int = Field(sa_type=BigInteger)
    seq: int
    kind: str
    payload: dict[str, Any] = Field(sa_column=json_column())
    dedup: str = Field(unique=True)
    next_at: datetime = Field(sa_type=Instant)
    tries: int = 0
    done_at: datetime | None = Field(default=None, sa_type=Instant)
    trouble: str | None = None


class Message(SQLModel, table=True):
    """One mail to one person; its Message-ID is fixed, so that a second copy is recognised."""

    __table_args__ = (
        UniqueConstraint("outbox_id", "person_id"),
        Index("ix_message_person", "person_id", "id"),
    )
    id: int | None = Field(default=None, sa_column=identity())
    outbox_id: int = Field(foreign_key="outbox.id", sa_type=BigInteger)
    case_id: int = Field(foreign_key="cases.id", sa_type=BigInteger)
    person_id: int = Field(foreign_key="person.id", sa_type=BigInteger)
    address: str
    message_id: str = Field(unique=True)
    subject: str
    body: str
    made_at: datetime = Field(sa_type=Instant)
    sent_at: datetime | None = Field(default=None, sa_type=Instant)


class Heartbeat(SQLModel, table=True):
    """When a background process last did its work."""

    name: str = Field(primary_key=True)
    beat_at: datetime = Field(sa_type=Instant)
