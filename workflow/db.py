"""The only place that begins or commits.

Busy verbs take a psycopg connection in autocommit (`Database.connection`): their one statement is one transaction.
Everything else uses `Database.transaction`, a SQLModel session that commits on leaving.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg.types.numeric import Int8BinaryDumper, Int8Dumper
from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import Engine, make_url
from sqlmodel import Session

from workflow import models
from workflow.settings import settings

type_connection = psycopg.Connection[tuple[Any, ...]]

# Statements give up rather than queue for ever; lock waits are short because no lock is held while Python thinks. None runs
# long enough to be worth compiling.
OPTIONS = "-c statement_timeout=30000 -c lock_timeout=5000 -c idle_in_transaction_session_timeout=60000 -c timezone=UTC -c jit=off"


class Database:
    """A pool of connections of one role."""

    def __init__(self, url: str, *, pool_size: int = 8) -> None:
        self.engine: Engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=5,
            pool_pre_ping=True,
            connect_args={"options": OPTIONS},
        )
        event.listen(self.engine, "connect", _prepare)

    @contextmanager
    def connection(self) -> Iterator[type_connection]:
        """A driver connection in autocommit: each statement is its own transaction, nothing joins it."""
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as outer:
            driver = outer.connection.driver_connection
            assert isinstance(driver, psycopg.Connection)
            yield driver

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session; commits when the block ends, rolls back when it raises."""
        with Session(self.engine) as session, session.begin():
            yield session

    def close(self) -> None:
        self.engine.dispose()


def driver(session: Session) -> type_connection:
    """The psycopg connection under a session, so that constant SQL can run inside its transaction."""
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    return connection


def _prepare(connection: psycopg.Connection[Any], record: object) -> None:
    # psycopg sends an int as int2, int4 or int8 by its value; one SQL text would become many prepared statements.
    connection.adapters.register_dumper(int, Int8Dumper)
    connection.adapters.register_dumper(int, Int8BinaryDumper)
    connection.prepare_threshold = 3


_database: Database | None = None


def database() -> Database:
    """The database of this process, opened at the first call."""
    global _database  # noqa: PLW0603 - one pool a process is the point
    if _database is None:
        _database = Database(settings().database_url, pool_size=settings().pool_size)
    return _database


def forget() -> None:
    """Drop the pool without closing its sockets: a forked worker must not share them with its parent."""
    global _database  # noqa: PLW0603
    if _database is not None:
        _database.engine.dispose(close=False)
        _database = None


def migrate(owner_url: str, app_role: str = "tobidashi_app") -> None:
    """Bring the schema to its newest form as the owner role, then grant the application role what it needs."""
    # Imported here, since every process and every command imports this module and few of them migrate.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    engine = create_engine(owner_url)
    try:
        with engine.begin() as connection:
            # Two hosts that start at once migrate one after the other.
            connection.execute(text("SELECT pg_advisory_xact_lock(7221)"))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            known = connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": app_role}).first()
            if known and app_role != make_url(owner_url).username:
                _grant(connection, app_role)
    finally:
        engine.dispose()


READ_ONLY = ("installation", "published", "alembic_version")
APPEND_ONLY = ("event", "content", "export_record", "closure_ended", "post_record", "superior")


def _grant(connection: Any, role: str) -> None:
    """Deny by default: the application changes what it must, appends to history, reads the rest."""
    quoted = '"' + role.replace('"', '""') + '"'
    tables = [t.name for t in models.metadata.sorted_tables]
    connection.execute(text(f"GRANT USAGE ON SCHEMA public TO {quoted}"))
    connection.execute(text(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {quoted}"))
    for name in (*tables, "alembic_version"):
        rights = (
            "SELECT"
            if name in READ_ONLY
            else "SELECT, INSERT"
            if name in APPEND_ONLY
            else "SELECT, INSERT, UPDATE, DELETE"
        )
        connection.execute(text(f'GRANT {rights} ON "{name}" TO {quoted}'))
    connection.execute(text(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {quoted}"))
    connection.execute(text(f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {quoted}"))
