"""What a route is made by and remembered with: the rules of decision, who has opened what, and views that people keep."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, PrimaryKeyConstraint, UniqueConstraint
from sqlmodel import Field, SQLModel

from workflow.models.columns import Instant, identity, json_column


class AuthorityRule(SQLModel, table=True):
    """A row of the table of decisions (専決規程), from one day to another; in force only when a second person has consented.

    `office` NULL means every office. `tests` are its conditions, `stages` who is asked, both JSON as `states.authority` reads
    it. The database keeps every row as it was set: it may only be consented to, and ended.
    """

    __tablename__ = "authority_rule"
    __table_args__ = (
        CheckConstraint("(valid_to IS NULL OR valid_to >= valid_from - 1) IS TRUE", name="period"),
        CheckConstraint("(consented_by IS NULL OR consented_by <> set_by) IS TRUE", name="second"),
        CheckConstraint("((consented_by IS NULL) = (consented_at IS NULL)) IS TRUE", name="consent"),
        CheckConstraint("(end_consented_by IS NULL OR end_consented_by <> ended_by) IS TRUE", name="end_second"),
        CheckConstraint("((end_consented_by IS NULL) = (end_consented_at IS NULL)) IS TRUE", name="end_consent"),
        Index("ix_authority_rule_matter", "process", "matter"),
    )
    id: int | None = Field(default=None, sa_column=identity())
    process: str
    matter: str
    office: str | None = None
    article: str
    tests: list[dict[str, Any]] = Field(sa_column=json_column())
    stages: list[dict[str, Any]] = Field(sa_column=json_column())
    standing: bool = False
    no_deputy: bool = False
    bulk: bool = False
    sort: int = 0
    valid_from: date
    valid_to: date | None = None
    reason: str
    set_by: int = Field(foreign_key="person.id", sa_type=BigInteger)
    set_at: datetime = Field(sa_type=Instant)
    consented_by: int | None = Field(default=None, foreign_key="person.id", sa_type=BigInteger)
    consented_at: datetime | None = Field(default=None, sa_type=Instant)
    ended_by: int | None = Field(default=None, foreign_key="person.id", sa_type=BigInteger)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)
    ended_reason: str | None = None
    replaces_id: int | None = Field(default=None, foreign_key="authority_rule.id", sa_type=BigInteger)
    ends_on: date | None = None  # the last day that is proposed, until a second person consents to it
    end_consented_by: int | None = Field(default=None, foreign_key="person.id", sa_type=BigInteger)
    end_consented_at: datetime | None = Field(default=None, sa_type=Instant)


class DroppedEnd(SQLModel, table=True):
    """A proposed end of a row of the table of decisions that was taken back before anybody consented; only ever added to."""

    __tablename__ = "dropped_end"
    __table_args__ = (Index("ix_dropped_end_rule", "rule_id", "id"),)
    id: int | None = Field(default=None, sa_column=identity())
    rule_id: int = Field(foreign_key="authority_rule.id", sa_type=BigInteger)
    ends_on: date
    ended_by: int = Field(foreign_key="person.id", sa_type=BigInteger)
    ended_at: datetime = Field(sa_type=Instant)
    ended_reason: str
    dropped_by: int = Field(foreign_key="person.id", sa_type=BigInteger)
    dropped_at: datetime = Field(sa_type=Instant)
    reason: str


class Opened(SQLModel, table=True):
    """That a person has opened a case at a version: a mark of reading, never part of history."""

    __table_args__ = (PrimaryKeyConstraint("case_id", "version", "person_id"),)
    case_id: int = Field(foreign_key="cases.id", sa_type=BigInteger)
    version: int
    person_id: int = Field(foreign_key="person.id", sa_type=BigInteger)
    opened_at: datetime = Field(sa_type=Instant)


class SavedView(SQLModel, table=True):
    """Filters of a list under a name, kept by a person and, if wanted, shared with an organisation."""

    __tablename__ = "saved_view"
    __table_args__ = (
        UniqueConstraint("person_id", "path", "name"),
        Index("ix_saved_view_shared", "shared_with", "path"),
    )
    id: int | None = Field(default=None, sa_column=identity())
    person_id: int = Field(foreign_key="person.id", sa_type=BigInteger)
    path: str
    query: str
    name: str
    shared_with: str | None = None
    made_at: datetime = Field(sa_type=Instant)


class RoutesFollowed(SQLModel, table=True):
    """The day on which every route was held against who sits where, and what was known then: changes are looked for once."""

    __tablename__ = "routes_followed"
    __table_args__ = (PrimaryKeyConstraint("day"),)
    day: date = Field()
    terms: str
    followed_at: datetime = Field(sa_type=Instant)
