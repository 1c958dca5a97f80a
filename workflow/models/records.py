"""Records about the records: published processes, compiled reports, exports, chain checks."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, PrimaryKeyConstraint
from sqlmodel import Field, SQLModel

from workflow.models.columns import Instant, bytes_column, identity, json_column


class Published(SQLModel, table=True):
    """A process version as it was published; the application refuses to start when the code differs."""

    __table_args__ = (PrimaryKeyConstraint("process", "version"),)
    process: str
    version: int
    digest: str


class ReportJob(SQLModel, table=True):
    """A report asked for, its progress and, once compiled, the file."""

    __tablename__ = "report_job"
    __table_args__ = (Index("ix_report_job_office", "office", "id"),)
    id: int | None = Field(default=None, sa_column=identity())
    process: str
    report: str
    office: str
    fiscal_year: int
    asked_by: int = Field(foreign_key="person.id", sa_type=BigInteger)
    asked_at: datetime = Field(sa_type=Instant)
    lease_until: datetime | None = Field(default=None, sa_type=Instant)
    tries: int = 0
    done: int = 0
    total: int = 0
    finished_at: datetime | None = Field(default=None, sa_type=Instant)
    trouble: str | None = None
    file_name: str | None = None
    sha256: str | None = None
    file: bytes | None = Field(default=None, sa_column=bytes_column(nullable=True))


class ExportRecord(SQLModel, table=True):
    """Who took what out of the system, when, and how much."""

    __tablename__ = "export_record"
    __table_args__ = (Index("ix_export_record_at", "at"),)
    id: int | None = Field(default=None, sa_column=identity())
    at: datetime = Field(sa_type=Instant)
    person_id: int = Field(foreign_key="person.id", sa_type=BigInteger)
    what: str
    filter: dict[str, Any] = Field(sa_column=json_column())
    rows: int


class ChainCheck(SQLModel, table=True):
    """One run of the verifier: how much it read and every break it found."""

    __tablename__ = "chain_check"
    id: int | None = Field(default=None, sa_column=identity())
    started_at: datetime = Field(sa_type=Instant)
    finished_at: datetime | None = Field(default=None, sa_type=Instant)
    events: int = 0
    cases: int = 0
    breaks: list[Any] = Field(default_factory=list, sa_column=json_column())
