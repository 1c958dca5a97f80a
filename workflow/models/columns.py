"""Column types that every table shares: aware time, JSON, bytes, identity keys."""

from sqlalchemy import BigInteger, Column, DateTime, Identity, LargeBinary
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import SQLModel

# Names that PostgreSQL and Alembic agree on; set before the first table is declared.
SQLModel.metadata.naming_convention = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

Instant = DateTime(timezone=True)


def identity() -> Column[int]:
    """A bigint key that the database counts."""
    return Column(BigInteger, Identity(always=False), primary_key=True)


def json_column(*, nullable: bool = False) -> Column[object]:
    """A JSONB column; replace the value, in-place edits are not seen."""
    return Column(JSONB, nullable=nullable)


def bytes_column(*, nullable: bool = False, primary_key: bool = False) -> Column[bytes]:
    """A bytea column."""
    return Column(LargeBinary, nullable=nullable, primary_key=primary_key)
