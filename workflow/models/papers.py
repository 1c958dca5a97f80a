"""What people lay beside a case: files, remarks; and the search index made of what a case says."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKeyConstraint, Index, PrimaryKeyConstraint, text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlmodel import Field, SQLModel

from workflow.models.columns import Instant, bytes_column, identity, json_column

SCOPES = "(scope IN ('shared', 'internal')) IS TRUE"


class Attachment(SQLModel, table=True):
    """A file of a case: what it is called, its SHA-256 and who may read it. `seq` is the event that recorded it.

    A draft's files wait with `seq` NULL for its first event. The bytes stand in `attachment_part`, and go with an erasure.
    """

    __table_args__ = (
        CheckConstraint(SCOPES, name="scope"),
        Index("ix_attachment_case", "case_id", "id"),
        Index("ix_attachment_sha256", "sha256"),
    )
    id: int | None = Field(default=None, sa_column=identity())
    case_id: int = Field(foreign_key="cases.id", sa_type=BigInteger)
    seq: int | None = None
    scope: str
    label: str = ""  # what the file is, where a page asked for a certain one
    name: str
    media_type: str
    size: int = Field(sa_type=BigInteger)
    sha256: str
    org_code: str
    added_by: int = Field(foreign_key="person.id", sa_type=BigInteger)
    added_at: datetime = Field(sa_type=Instant)
    erased_seq: int | None = None


class AttachmentPart(SQLModel, table=True):
    """A piece of a file's bytes, in order."""

    __tablename__ = "attachment_part"
    __table_args__ = (
        PrimaryKeyConstraint("attachment_id", "ord"),
        ForeignKeyConstraint(["attachment_id"], ["attachment.id"], ondelete="CASCADE"),
    )
    attachment_id: int = Field(sa_type=BigInteger)
    ord: int
    data: bytes = Field(sa_column=bytes_column())


class Comment(SQLModel, table=True):
    """A remark beside a case, shared with every party or kept inside the offices; never part of a decision.

    `names` are the office, post and name of that day. An erased one keeps its place: `body` NULL, `erased_seq` the event.
    """

    __table_args__ = (CheckConstraint(SCOPES, name="scope"), Index("ix_comment_case", "case_id", "id"))
    id: int | None = Field(default=None, sa_column=identity())
    case_id: int = Field(foreign_key="cases.id", sa_type=BigInteger)
    at: datetime = Field(sa_type=Instant)
    person_id: int = Field(foreign_key="person.id", sa_type=BigInteger)
    org_code: str
    names: dict[str, Any] = Field(sa_column=json_column())
    scope: str
    body: str | None
    erased_seq: int | None = None


class SearchEntry(SQLModel, table=True):
    """What a case says as search keys: one row for what every reader may see, one for what stays inside the offices."""

    __tablename__ = "search_entry"
    __table_args__ = (
        PrimaryKeyConstraint("case_id", "inside"),
        # Without a list of pending entries, which every search would read through until it has grown to its four megabytes.
        Index("ix_search_entry_grams", "grams", postgresql_using="gin", postgresql_with={"fastupdate": "off"}),
    )
    case_id: int = Field(foreign_key="cases.id", sa_type=BigInteger)
    inside: bool
    mark: str  # of the state of the case that was read: an entry with another mark is old
    text: str
    grams: Any = Field(sa_column=Column(TSVECTOR, nullable=False))


class RetentionHold(SQLModel, table=True):
    """A case that must not be disposed of while somebody needs it: an audit, a lawsuit, a request for disclosure."""

    __tablename__ = "retention_hold"
    __table_args__ = (
        Index("ix_retention_hold_open", "case_id", unique=True, postgresql_where=text("ended_at IS NULL")),
    )
    id: int | None = Field(default=None, sa_column=identity())
    case_id: int = Field(foreign_key="cases.id", sa_type=BigInteger)
    reason: str
    set_by: int = Field(foreign_key="person.id", sa_type=BigInteger)
    set_at: datetime = Field(sa_type=Instant)
    ended_by: int | None = Field(default=None, foreign_key="person.id", sa_type=BigInteger)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)
