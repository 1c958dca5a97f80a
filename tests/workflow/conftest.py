"""A fresh database as the application reaches it, its clock, the people who work on it, and a mail server."""

from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any

import psycopg
import pytest

from tests import factory
from tests.mail_server import MailServer, serving
from workflow import mail
from workflow.db import Database, type_connection
from workflow.deadlines import TOKYO
from workflow.settings import settings

MONDAY = date(2026, 11, 2)  # the 3rd and the 23rd are holidays


class Clock:
    """The database's clock, set by the owner."""

    def __init__(self, url: str) -> None:
        self.url = url

    def at(self, day: date, hour: int = 9, minute: int = 0) -> None:
        factory.set_clock(self.url, datetime.combine(day, time(hour, minute), TOKYO))


@pytest.fixture
def clock(fresh_database: Any) -> Clock:
    """A clock that stands at nine o'clock on `MONDAY`."""
    made = Clock(fresh_database.owner_url)
    made.at(MONDAY)
    return made


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    """A real mail server, named in the settings."""
    monkeypatch.setattr(mail, "SECONDS", 0.5)
    with serving() as made:
        monkeypatch.setenv("SMTP_URL", made.url)
        settings.cache_clear()
        yield made
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture
def db(fresh_database: Any) -> Iterator[Database]:
    made = Database(fresh_database.app_url)
    yield made
    made.close()


@pytest.fixture
def conn(db: Database) -> Iterator[type_connection]:
    with db.connection() as connection:
        yield connection


@pytest.fixture
def who(conn: type_connection) -> factory.Cast:
    return factory.cast(conn)


@pytest.fixture
def owner(fresh_database: Any) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(fresh_database.owner_url.replace("+psycopg", ""), autocommit=True) as connection:
        yield connection


@pytest.fixture
def superuser(fresh_database: Any) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(fresh_database.superuser_url, autocommit=True) as connection:
        yield connection
