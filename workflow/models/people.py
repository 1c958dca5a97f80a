"""Who and where: the installation, organisations, persons, posts and their holders, all with dates."""

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Interval,
    PrimaryKeyConstraint,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

from workflow.models.columns import Instant, bytes_column, identity, json_column


class Installation(SQLModel, table=True):
    """The one row that says what this database is; only the owner role may change it."""

    __table_args__ = (
        CheckConstraint("(id = 1) IS TRUE", name="single"),
        CheckConstraint("(demonstration OR clock_offset = interval '0') IS TRUE", name="offset"),
    )
    id: int = Field(default=1, primary_key=True)
    profile: str
    headquarters: str
    personnel: str = Field(
        default="", sa_column_kwargs={"server_default": ""}
    )  # the unit that countersigns appointments
    demonstration: bool = False
    clock_offset: timedelta = Field(default=timedelta(), sa_column=Column(Interval, nullable=False))


class Organisation(SQLModel, table=True):
    """A unit of headquarters, bureau, municipality or body as it was called from one day to another."""

    __table_args__ = (UniqueConstraint("code", "valid_from", postgresql_nulls_not_distinct=True),)
    id: int | None = Field(default=None, sa_column=identity())
    code: str
    kind: str  # headquarters | personnel | department | bureau | municipality | body
    name: str
    short: str
    kana: str
    office: str | None = None  # bureau of a municipality in that time
    sort: int
    contact: str = ""  # whom to ask, shown in the footer
    valid_from: date | None = None
    valid_to: date | None = None
    successor: str | None = None


class Person(SQLModel, table=True):
    """A natural person, known by the staff number; posts come and go."""

    id: int | None = Field(default=None, sa_column=identity())
    staff_no: str = Field(unique=True)
    name: str
    kana: str = ""
    mail: str = ""


class Account(SQLModel, table=True):
    """The right to sign in; Argon2id hash, no password is ever stored."""

    person_id: int = Field(primary_key=True, foreign_key="person.id", sa_type=BigInteger)
    login: str = Field(unique=True)
    password_hash: str
    failures: int = 0
    locked_until: datetime | None = Field(default=None, sa_type=Instant)
    disabled: bool = False


class Session(SQLModel, table=True):
    """A signed-in browser; the cookie holds the token, this row only its SHA-256."""

    token: bytes = Field(sa_column=bytes_column(primary_key=True))
    person_id: int = Field(foreign_key="person.id", index=True, sa_type=BigInteger)
    csrf: str
    created_at: datetime = Field(sa_type=Instant)
    seen_at: datetime = Field(sa_type=Instant)


class Post(SQLModel, table=True):
    """A post of an organisation; `scope` says what it lets one read: office, all, or own cases only."""

    __table_args__ = (
        CheckConstraint("(scope IN ('office', 'all', 'own', 'none')) IS TRUE", name="scope"),
        Index("ix_post_org_role", "org_code", "role"),
    )
    id: int | None = Field(default=None, sa_column=identity())
    org_code: str
    section: str = ""
    title: str
    role: str
    scope: str = "office"
    valid_from: date
    valid_to: date | None = None
    superior_id: int | None = Field(
        default=None, foreign_key="post.id", sa_type=BigInteger
    )  # who decides where it may not


class Tenure(SQLModel, table=True):
    """A person holding a post from one day to another, as one's own, beside another, or while it is vacant."""

    __table_args__ = (
        Index("ix_tenure_person", "person_id"),
        Index("ix_tenure_post", "post_id"),
        CheckConstraint("(kind IN ('main', 'concurrent', 'joint', 'charge', 'acting')) IS TRUE", name="kind"),
    )
    id: int | None = Field(default=None, sa_column=identity())
    person_id: int = Field(foreign_key="person.id", sa_type=BigInteger)
    post_id: int = Field(foreign_key="post.id", sa_type=BigInteger)
    valid_from: date
    valid_to: date | None = None
    kind: str = Field(default="main", sa_column_kwargs={"server_default": text("'main'")})
    order_no: str = Field(default="", sa_column_kwargs={"server_default": text("''")})  # of the appointment order


class Deputy(SQLModel, table=True):
    """Which posts stand in for an absent one, in their order, from one day to another."""

    __table_args__ = (Index("ix_deputy_post", "post_id"),)
    id: int | None = Field(default=None, sa_column=identity())
    post_id: int = Field(foreign_key="post.id", sa_type=BigInteger)
    deputy_id: int = Field(foreign_key="post.id", sa_type=BigInteger)
    sort: int
    valid_from: date
    valid_to: date | None = None


class Superior(SQLModel, table=True):
    """The post above another from a day on: the newest that has begun counts; before the first one what the post itself says."""

    __table_args__ = (Index("ix_superior_post", "post_id", "valid_from"),)
    id: int | None = Field(default=None, sa_column=identity())
    post_id: int = Field(foreign_key="post.id", sa_type=BigInteger)
    superior_id: int | None = Field(default=None, foreign_key="post.id", sa_type=BigInteger)
    valid_from: date


class PostRecord(SQLModel, table=True):
    """What an administrator changed of posts, their holders, deputies and superiors, in a sentence; only ever added to."""

    __tablename__ = "post_record"
    __table_args__ = (Index("ix_post_record_post", "post_id", "id"),)
    id: int | None = Field(default=None, sa_column=identity())
    at: datetime = Field(sa_type=Instant)
    set_by: int = Field(foreign_key="person.id", sa_type=BigInteger)
    post_id: int | None = Field(default=None, foreign_key="post.id", sa_type=BigInteger)
    said: str


class AppointmentList(SQLModel, table=True):
    """A list of appointment orders (発令) that was taken in: what it said, from which day, and whether it was taken back."""

    __tablename__ = "appointment_list"
    id: int | None = Field(default=None, sa_column=identity())
    effective_on: date
    name: str
    rows: list[dict[str, Any]] = Field(sa_column=json_column())
    tenures: list[int] = Field(sa_column=Column(ARRAY(BigInteger), nullable=False))  # that it began
    ended: list[int] = Field(sa_column=Column(ARRAY(BigInteger), nullable=False))  # that it ended
    taken_by: int = Field(foreign_key="person.id", sa_type=BigInteger)
    taken_at: datetime = Field(sa_type=Instant)
    undone_by: int | None = Field(default=None, foreign_key="person.id", sa_type=BigInteger)
    undone_at: datetime | None = Field(default=None, sa_type=Instant)


class Recognition(SQLModel, table=True):
    """A body that a director has recognised as a destination (要領2(2)): when, under which number, for what."""

    __table_args__ = (Index("ix_recognition_office", "office", "name_key"),)
    id: int | None = Field(default=None, sa_column=identity())
    office: str
    name: str
    name_key: str
    decided_on: date
    reference: str
    scope: str
    valid_to: date | None = None
    recorded_by: int = Field(foreign_key="person.id", sa_type=BigInteger)
    recorded_at: datetime = Field(sa_type=Instant)
    # The organisation that the body is; the database gives it, and its accounts have their posts there.
    org_code: str = Field(default="", sa_column_kwargs={"server_default": ""})


class Closure(SQLModel, table=True):
    """A day that differs from the calendar of the law as we know it; office NULL means everywhere.

    An office is `closed` on it; or a law has made a `holiday` of it; or what we know as one is a `working` day.
    A `derived` one follows from another day's being a national holiday (振替休日・国民の休日) and is none itself.
    """

    __table_args__ = (
        UniqueConstraint("day", "office", postgresql_nulls_not_distinct=True),
        CheckConstraint("(kind IN ('closed', 'holiday', 'working')) IS TRUE", name="kind"),
        CheckConstraint("(kind = 'closed' OR office IS NULL) IS TRUE", name="law"),
    )
    id: int | None = Field(default=None, sa_column=identity())
    day: date
    office: str | None = None
    kind: str = Field(default="closed", sa_column_kwargs={"server_default": text("'closed'")})
    reason: str = Field(default="", sa_column_kwargs={"server_default": text("''")})
    derived: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    set_by: int | None = Field(default=None, foreign_key="person.id", sa_type=BigInteger)
    set_at: datetime | None = Field(default=None, sa_type=Instant)


class Skill(SQLModel, table=True):
    """What a person is good at, in the words of the office."""

    __table_args__ = (PrimaryKeyConstraint("person_id", "skill"),)
    person_id: int = Field(foreign_key="person.id", sa_type=BigInteger)
    skill: str


class Absence(SQLModel, table=True):
    """Days on which a person is not there. The kind is the ground of a decision by a deputy, and nobody else's business."""

    __table_args__ = (
        Index("ix_absence_person", "person_id", "valid_from"),
        CheckConstraint("(kind IN ('trip', 'leave', 'illness', 'other')) IS TRUE", name="kind"),
    )
    id: int | None = Field(default=None, sa_column=identity())
    person_id: int = Field(foreign_key="person.id", sa_type=BigInteger)
    valid_from: date
    valid_to: date
    entered_by: int = Field(foreign_key="person.id", sa_type=BigInteger)
    kind: str = Field(default="other", sa_column_kwargs={"server_default": text("'other'")})


class OrganisationSetting(SQLModel, table=True):
    """How one organisation wants things done, from a day on: the newest row of a name counts."""

    __tablename__ = "organisation_setting"
    __table_args__ = (PrimaryKeyConstraint("org_code", "name", "valid_from"),)
    org_code: str
    name: str
    valid_from: date
    value: str
