"""The address by which a person's calendar software reads their days: who has one, and its digest."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, ForeignKey, LargeBinary
from sqlmodel import Field, SQLModel

from workflow.models.columns import Instant


class Feed(SQLModel, table=True):
    """One address a person; only the SHA-256 of its token is kept, so nobody reads the address here."""

    person_id: int = Field(sa_column=Column(BigInteger, ForeignKey("person.id"), primary_key=True, autoincrement=False))
    digest: bytes = Field(sa_column=Column(LargeBinary, nullable=False, unique=True))
    made_at: datetime = Field(sa_type=Instant)
