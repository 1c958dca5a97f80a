"""The schema is what the models say, migrating twice changes nothing, and a demonstration stays one for good."""

import threading
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, create_engine

from tests import factory
from workflow.db import migrate
from workflow.masters import load_masters
from workflow.models import metadata

SCHEMA = """
SELECT 'column', table_name || '.' || column_name, data_type || ' ' || is_nullable || ' ' || coalesce(column_default, '') || coalesce(generation_expression, '')
  FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(oid) FROM pg_constraint
  WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'trigger', tgrelid::regclass || '.' || tgname, pg_get_triggerdef(oid) || tgenabled::text FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'function', proname, pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL SELECT 'right', relname, coalesce(relacl::text, '') FROM pg_class WHERE relnamespace = 'public'::regnamespace
ORDER BY 1, 2, 3"""


def test_the_schema_is_what_the_models_say(fresh_database: Any, conn):
    engine = create_engine(fresh_database.owner_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "target_metadata": metadata})
        assert compare_metadata(context, metadata) == []
    engine.dispose()
    # What Alembic does not compare: the checks.
    declared = {
        str(rule.name)
        for table in metadata.sorted_tables
        for rule in table.constraints
        if isinstance(rule, CheckConstraint)
    }
    assert declared == set(checks(conn))


def checks(conn: Any) -> dict[str, str]:
    rows = conn.execute(
        """SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
           WHERE contype = 'c' AND connamespace = 'public'::regnamespace"""
    ).fetchall()
    return dict(rows)


def test_every_check_says_is_true(conn):
    """NULL passes a bare CHECK."""
    assert checks(conn)
    for name, said in checks(conn).items():
        assert said.endswith("IS TRUE))"), name


def test_migrating_again_changes_nothing(fresh_database: Any, owner):
    before = owner.execute(SCHEMA).fetchall()
    rows = {t.name: owner.execute(f'SELECT * FROM "{t.name}" ORDER BY 1').fetchall() for t in metadata.sorted_tables}
    migrate(fresh_database.owner_url)
    load_masters(fresh_database.owner_url)
    assert owner.execute(SCHEMA).fetchall() == before
    assert {
        t.name: owner.execute(f'SELECT * FROM "{t.name}" ORDER BY 1').fetchall() for t in metadata.sorted_tables
    } == rows


def test_two_hosts_that_start_at_once_migrate_one_after_the_other(empty_database: Any):
    trouble: list[BaseException] = []

    def start() -> None:
        try:
            migrate(empty_database.owner_url)
            load_masters(empty_database.owner_url)
        except BaseException as told:  # noqa: BLE001 - whatever it was, the test names it
            trouble.append(told)

    threads = [threading.Thread(target=start) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert trouble == []
    with psycopg.connect(empty_database.superuser_url) as su:
        assert su.execute("SELECT count(*) FROM installation").fetchone() == (1,)


def test_history_does_not_go_back():
    from importlib import import_module

    for name in ("0001_the_road", "0002_guards"):
        with pytest.raises(RuntimeError, match="restore a backup"):
            import_module(f"workflow.migrations.versions.{name}").downgrade()


# ── the mark of a demonstration ─────────────────────────────────────────────────────────────────────────────────────


def test_only_the_owner_marks_a_demonstration_and_shifts_its_clock(conn, owner):
    for statement in (
        "UPDATE installation SET demonstration = true",
        "UPDATE installation SET clock_offset = interval '1 day'",
        "INSERT INTO installation VALUES (2, 'x', 'x', true, '0')",
        "DELETE FROM installation",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute(statement)
    with pytest.raises(psycopg.errors.CheckViolation):
        owner.execute("UPDATE installation SET clock_offset = interval '1 day'")
    owner.execute("UPDATE installation SET demonstration = true, clock_offset = interval '1 day'")
    assert conn.execute("SELECT clock_now() > now() + interval '23 hours'").fetchone() == (True,)


def test_a_demonstration_stays_one_for_good(owner, superuser):
    owner.execute("UPDATE installation SET demonstration = true")
    for writer in (owner, superuser):
        for statement in (
            "UPDATE installation SET demonstration = false",
            "DELETE FROM installation",
            "TRUNCATE installation",
        ):
            with pytest.raises(psycopg.Error):
                writer.execute(statement)
    for twice in ("INSERT INTO installation SELECT 2, profile, headquarters, false, '0' FROM installation",):
        with pytest.raises(psycopg.errors.CheckViolation):
            owner.execute(twice)


def test_a_database_with_history_does_not_become_a_demonstration(conn, who, owner):
    case = factory.opened(conn, who)
    factory.drive(conn, who, case, "submit")
    with pytest.raises(psycopg.errors.RaiseException, match="history"):
        owner.execute("UPDATE installation SET demonstration = true")
