"""What an administrator says of time: other days than the process file's, deadlines moved all at once, days taken out again."""

from datetime import date, datetime

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Column, Index, SmallInteger, text
from sqlmodel import Field, SQLModel

from workflow.models.columns import Instant, identity


class DeadlineRule(SQLModel, table=True):
    """Days, or days of the year, in place of those of the process file, for deadlines that open from one day to another.

    A day of the year is month × 100 + day. `office` NULL means everywhere; an office's own rule goes before it, and of several the one that began last.
    """

    __tablename__ = "deadline_rule"
    __table_args__ = (
        CheckConstraint(
            "((days IS NULL) = (on_days IS NOT NULL) AND coalesce(cardinality(on_days), 1) > 0) IS TRUE", name="one"
        ),
        CheckConstraint("(valid_to IS NULL OR valid_to >= valid_from - 1) IS TRUE", name="period"),
        Index("ix_deadline_rule_process", "process", "valid_from"),
    )
    id: int | None = Field(default=None, sa_column=identity())
    process: str
    kind: str
    office: str | None = None
    days: int | None = None
    on_days: list[int] | None = Field(default=None, sa_column=Column(ARRAY(SmallInteger)))
    valid_from: date
    valid_to: date | None = None
    reason: str
    set_by: int = Field(foreign_key="person.id", sa_type=BigInteger)
    set_at: datetime = Field(sa_type=Instant)
    ended_by: int | None = Field(default=None, foreign_key="person.id", sa_type=BigInteger)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)
    ended_reason: str | None = None


class ClosureEnded(SQLModel, table=True):
    """A day that stood among the closures and was taken out again: under its number there, with who did it, when and why."""

    __tablename__ = "closure_ended"
    id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    day: date
    office: str | None = None
    kind: str
    reason: str
    derived: bool
    set_by: int | None = Field(default=None, foreign_key="person.id", sa_type=BigInteger)
    set_at: datetime | None = Field(default=None, sa_type=Instant)
    ended_reason: str
    ended_by: int = Field(foreign_key="person.id", sa_type=BigInteger)
    ended_at: datetime = Field(sa_type=Instant)


class DeadlineMove(SQLModel, table=True):
    """An order to move every deadline that was due from one day to another, of one office or of all; carried out by the worker."""

    __tablename__ = "deadline_move"
    __table_args__ = (
        CheckConstraint("(day_from <= day_to AND day_to < to_day) IS TRUE", name="later"),
        Index("ix_deadline_move_open", "id", postgresql_where=text("done_at IS NULL")),
    )
    id: int | None = Field(default=None, sa_column=identity())
    office: str | None = None
    day_from: date
    day_to: date
    to_day: date
    reason: str
    set_by: int = Field(foreign_key="person.id", sa_type=BigInteger)
    post_id: int = Field(foreign_key="post.id", sa_type=BigInteger)
    set_at: datetime = Field(sa_type=Instant)
    moved: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})  # cases
    deadlines: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})  # of those cases
    failed: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    done_at: datetime | None = Field(default=None, sa_type=Instant)
