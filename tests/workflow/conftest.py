"""A fresh database as the application reaches it, and the people who work on it."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests import factory
from workflow.db import Database, type_connection


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
