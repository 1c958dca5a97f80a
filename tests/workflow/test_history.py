"""What the database itself refuses of history: false hashes and links, bodies unlike their columns, every later change."""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

import psycopg
import pytest
from psycopg import sql

from tests import factory
from workflow import history
from workflow.verify import verify

APP_TABLES = ("event", "content", "export_record", "closure_ended", "post_record", "superior")
READ_ONLY = ("installation", "published", "alembic_version")

LOCKED = psycopg.errors.InsufficientPrivilege
BROKEN = (psycopg.errors.CheckViolation, psycopg.errors.ForeignKeyViolation, psycopg.errors.UniqueViolation)


@pytest.fixture
def case(conn, who) -> int:
    made = factory.opened(conn, who)
    factory.drive(conn, who, made, "submit", "receive")
    return made


@pytest.fixture
def empty_case(conn, who) -> int:
    """A case row that says it has one event, without any."""
    made = factory.opened(conn, who)
    conn.execute("UPDATE cases SET version = 1, head = '\\x00' WHERE id = %s", (made,))
    return made


INSERT = """INSERT INTO event (case_id, seq, at, action, actor, post, office, previous, hash, body)
VALUES (%(case)s, %(seq)s, to_timestamp(%(at)s::numeric / 1000000), %(action)s, %(actor)s, %(post)s, %(office)s, %(previous)s, %(hash)s, %(body)s)"""


def event(conn, case: int, seq: int, previous: bytes | None, **changes: Any) -> dict[str, Any]:
    """The columns of an event that nothing is wrong with, but for `changes`; `body_…` changes a key of the body alone."""
    columns: dict[str, Any] = {
        "case": case,
        "seq": seq,
        "at": 1_900_000_000_123_456,
        "action": "note",
        "actor": "1",
        "post": "1",
        "office": "x",
    }
    body = json.loads(
        history.event_body(
            **columns, source="draft", dest="draft", process=("p", 1, "d"), lead="x", round_no=0, number=None, content=[],
        )
    )  # fmt: skip
    for key, value in changes.items():
        if key.startswith("body_"):
            body[key.removeprefix("body_")] = value
    body = {key: value for key, value in body.items() if value is not Ellipsis}
    text = changes.get("text", history.canonical(body))
    columns |= {"previous": previous, "body": text, "hash": history.event_hash(previous, text)}
    return columns | {key: value for key, value in changes.items() if key in columns}


def last(conn, case: int) -> tuple[int, bytes]:
    row = conn.execute("SELECT seq, hash FROM event WHERE case_id = %s ORDER BY seq DESC LIMIT 1", (case,)).fetchone()
    assert row is not None
    return row[0], bytes(row[1])


def by_both(app, owner) -> tuple[tuple[str, Any], ...]:
    return ("application", app), ("owner", owner)


# ── what may not be added ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_true_event_is_taken(conn, case):
    seq, head = last(conn, case)
    conn.execute(INSERT, event(conn, case, seq + 1, head))


FALSE: Mapping[str, Callable[[Any, int, int, bytes], dict[str, Any]]] = {
    "a wrong hash": lambda c, case, seq, head: event(c, case, seq + 1, head, hash=hashlib.sha256(b"x").digest()),
    "the hash of the body alone": lambda c, case, seq, head: event(
        c, case, seq + 1, head, hash=hashlib.sha256(event(c, case, seq + 1, head)["body"].encode()).digest()
    ),
    "no hash": lambda c, case, seq, head: event(c, case, seq + 1, head, hash=None),
    "a link to nothing": lambda c, case, seq, head: event(c, case, seq + 1, hashlib.sha256(b"x").digest()),
    "a link to itself": lambda c, case, seq, head: event(c, case, seq + 1, event(c, case, seq + 1, head)["hash"]),
    "no link in the middle": lambda c, case, seq, head: event(c, case, seq + 1, None),
    "a missing middle": lambda c, case, seq, head: event(c, case, seq + 2, head),
    "a number that is taken": event,
    "the number zero": lambda c, case, seq, head: event(c, case, 0, None),
    "a negative number": lambda c, case, seq, head: event(c, case, -1, head),
    "no body": lambda c, case, seq, head: event(c, case, seq + 1, head, body=None),
    "a body that is a list": lambda c, case, seq, head: event(c, case, seq + 1, head, text="[]"),
    "a body that is null": lambda c, case, seq, head: event(c, case, seq + 1, head, text="null"),
}


def test_a_false_event_is_refused_whoever_writes_it(conn, owner, superuser, case, subtests):
    for name, make in FALSE.items():
        wrong = make(conn, case, *last(conn, case))
        for writer in (conn, owner, superuser):
            with subtests.test(name), pytest.raises((*BROKEN, psycopg.errors.NotNullViolation)):
                writer.execute(INSERT, wrong)


def test_a_body_that_is_no_json_is_refused(conn, owner, case):
    for writer in (conn, owner):
        with pytest.raises(psycopg.DataError):
            writer.execute(INSERT, event(conn, case, 3, last(conn, case)[1], text="{"))


def test_a_body_that_does_not_say_what_its_columns_say_is_refused(conn, owner, case, subtests):
    head = last(conn, case)[1]
    for key in ("case", "seq", "at", "action", "actor", "post", "office"):
        another = 7 if key in ("case", "seq", "at") else "somebody"
        for told in (another, None, ...):
            for writer in (conn, owner):
                with subtests.test(f"{key}: {told}"), pytest.raises(psycopg.errors.CheckViolation):
                    writer.execute(INSERT, event(conn, case, 3, head, **{f"body_{key}": told}))


def test_a_column_that_is_null_is_refused(conn, case, subtests):
    for key in ("action", "actor", "post", "office"):
        with subtests.test(key), pytest.raises((psycopg.errors.NotNullViolation, psycopg.errors.CheckViolation)):
            conn.execute(INSERT, event(conn, case, 3, last(conn, case)[1], **{key: None}))


def test_the_first_event_has_no_previous_and_only_the_first(conn, owner, empty_case, case):
    borrowed = last(conn, case)[1]
    for writer in (conn, owner):
        with pytest.raises(BROKEN):
            writer.execute(INSERT, event(conn, empty_case, 1, borrowed))
        with pytest.raises(BROKEN):
            writer.execute(INSERT, event(conn, empty_case, 2, None))
        with pytest.raises(BROKEN):
            writer.execute(INSERT, event(conn, empty_case, 2, borrowed))
    conn.execute(INSERT, event(conn, empty_case, 1, None))


def test_an_event_needs_its_case_and_content_its_event(conn, case):
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        conn.execute(INSERT, event(conn, case + 99, 1, None))
    row = history.contents(99, [("form:x", {})])[0]
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        conn.execute(CONTENT, (case, 99, 0, row.kind, row.digest, row.salt, row.data))


def test_the_number_before_is_the_databases_to_compute(conn, case):
    wrong = event(conn, case, 3, last(conn, case)[1])
    with pytest.raises(psycopg.errors.GeneratedAlways):
        conn.execute(INSERT.replace("seq, at", "seq, prev_seq, at").replace("%(seq)s,", "%(seq)s, 1,"), wrong)


CONTENT = "INSERT INTO content (case_id, seq, ord, kind, digest, salt, data) VALUES (%s, %s, %s, %s, %s, %s, %s)"


def test_content_is_what_its_digest_says(conn, owner, case):
    row = history.contents(2, [("form:x", {"a": 1})])[0]
    salt, data, digest = row.salt, row.data, row.digest
    false = [
        (row.kind, digest, salt, b'{"a":2}'),
        ("form:y", digest, salt, data),
        (row.kind, digest, bytes(32), data),
        (row.kind, digest, salt[:31], data),
        (row.kind, hashlib.sha256(salt[:16] + row.kind.encode() + data).digest(), salt[:16], data),
        (row.kind, digest, None, data),
        (row.kind, digest, salt, None),
    ]
    for writer in (conn, owner):
        for kind, said, seasoned, told in false:
            with pytest.raises(psycopg.errors.CheckViolation):
                writer.execute(CONTENT, (case, 2, 90, kind, said, seasoned, told))
    conn.execute(CONTENT, (case, 2, 90, row.kind, digest, salt, data))


# ── what may not be changed ─────────────────────────────────────────────────────────────────────────────────────────

CHANGES = {
    "event": ["UPDATE event SET actor = 'x'", "UPDATE event SET body = body", "DELETE FROM event", "TRUNCATE event CASCADE"],
    "content": [
        "UPDATE content SET data = 'x'", "UPDATE content SET salt = NULL, data = NULL", "UPDATE content SET kind = 'form:other'",
        "DELETE FROM content", "TRUNCATE content",
    ],
    "export_record": ["UPDATE export_record SET rows = 0", "DELETE FROM export_record", "TRUNCATE export_record"],
}  # fmt: skip


@pytest.fixture
def exported(conn, who) -> None:
    conn.execute(
        "INSERT INTO export_record (at, person_id, what, filter, rows) VALUES (now(), %s, 'events.csv', '{}', 3)",
        (who.auditor,),
    )


@pytest.mark.usefixtures("exported", "case")
def test_history_is_changed_by_nobody(db, conn, owner, superuser, fresh_database, subtests):
    with psycopg.connect(fresh_database.superuser_url, autocommit=True) as replica:
        replica.execute("SET session_replication_role = replica")
        for statement in (s for some in CHANGES.values() for s in some):
            for writer in (conn, owner, superuser, replica):
                with subtests.test(statement), pytest.raises(LOCKED):
                    writer.execute(statement)
    assert verify(db).whole


def test_history_stays_even_where_the_case_would_go(conn, owner, superuser, case):
    for writer in (conn, owner, superuser):
        for statement in ("DELETE FROM cases", "TRUNCATE cases CASCADE"):
            with pytest.raises((LOCKED, psycopg.errors.ForeignKeyViolation)):
                writer.execute(statement)


def test_the_application_may_not_take_the_guards_away(conn, case, subtests):
    for statement in (
        "ALTER TABLE event DISABLE TRIGGER ALL",
        "DROP TRIGGER keep_rows ON event",
        "ALTER TABLE event DROP CONSTRAINT ck_event_hash",
        "ALTER TABLE content DROP CONSTRAINT ck_content_digest",
        "SET session_replication_role = replica",
        "DROP TABLE event CASCADE",
        "CREATE TABLE public.mine (id int)",
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$",
        "SET ROLE tobidashi_owner",
        "UPDATE installation SET demonstration = true",
        "UPDATE published SET digest = 'x'",
    ):
        with subtests.test(statement), pytest.raises(psycopg.Error):
            conn.execute(statement)


def test_the_application_has_no_more_rights_than_it_needs(conn):
    def may(table: str) -> set[str]:
        rights = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
        return {r for r in rights if value(conn, "SELECT has_table_privilege(%s, %s)", table, r)}

    assert all(may(table) == {"SELECT", "INSERT"} for table in APP_TABLES)
    assert all(may(table) == {"SELECT"} for table in READ_ONLY)
    tables = [row[0] for row in conn.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()]
    for table in set(tables) - {*APP_TABLES, *READ_ONLY}:
        assert may(table) == {"SELECT", "INSERT", "UPDATE", "DELETE"}, table
    assert not conn.execute("SELECT 1 FROM pg_tables WHERE tableowner = current_user").fetchall()


def value(conn, text: str, *values: Any) -> Any:
    row = conn.execute(text, values).fetchone()
    return row[0] if row else None


# ── emptying content ────────────────────────────────────────────────────────────────────────────────────────────────


def erasing(conn, case: int, rows: list[list[int]]) -> int:
    """An event that erases these rows, written by hand; its number."""
    seq, head = last(conn, case)
    content = history.contents(seq + 1, [("erasure", {"erased": rows, "digests": [], "ground": "x"})])
    told = event(conn, case, seq + 1, head, action="erase", body_action="erase", body_content=[r.ref for r in content])
    conn.execute(INSERT, told)
    for row in content:
        conn.execute(CONTENT, (case, row.seq, row.ord, row.kind, row.digest, row.salt, row.data))
    return seq + 1


EMPTY = "UPDATE content SET salt = NULL, data = NULL WHERE case_id = %s AND (seq, ord) = (%s, %s)"


def with_an_erasing_event(owner, of_case: int, rows: list[list[int]], statement: str, values: tuple[Any, ...]) -> None:
    with owner.transaction():
        erasing(owner, of_case, rows)
        owner.execute(statement, values)


def test_an_erasing_event_opens_exactly_the_rows_it_lists(owner, case, subtests):
    """Not the row with the numbers the other way round, and not the one beside it."""
    for listed, emptied in (
        ([[1, 2]], (2, 1)), ([[1, 0]], (1, 1)), ([[2, 1]], (1, 2)), ([[1, 0], [2, 1]], (1, 1)), ([], (1, 0)),
    ):  # fmt: skip
        with subtests.test(f"{listed} {emptied}"), pytest.raises(LOCKED):
            with_an_erasing_event(owner, case, listed, EMPTY, (case, *emptied))
    with_an_erasing_event(owner, case, [[1, 2]], EMPTY, (case, 1, 2))


def test_an_erasing_event_opens_content_only_while_it_is_written(owner, case):
    with owner.transaction():
        erasing(owner, case, [[1, 0]])
    with pytest.raises(LOCKED):
        owner.execute(EMPTY, (case, 1, 0))


def test_another_cases_erasing_event_opens_nothing(conn, owner, who, case):
    other = factory.opened(conn, who)
    factory.drive(conn, who, other, "submit")
    with pytest.raises(LOCKED):
        with_an_erasing_event(owner, other, [[1, 0]], EMPTY, (case, 1, 0))


def test_an_erasing_event_does_not_let_content_be_rewritten(owner, case):
    for change in (
        "data = '{}'",
        "salt = NULL, data = NULL, kind = 'x'",
        "salt = NULL, data = NULL, digest = 'x'",
        "data = NULL",
    ):
        with pytest.raises(LOCKED):
            with_an_erasing_event(
                owner, case, [[1, 0]], f"UPDATE content SET {change} WHERE (case_id, seq, ord) = (%s, 1, 0)", (case,),
            )  # fmt: skip


def test_the_application_empties_only_through_the_owners_function(conn, case):
    with conn.transaction():
        seq = erasing(conn, case, [[1, 0]])
        with pytest.raises(LOCKED), conn.transaction():
            conn.execute(EMPTY, (case, 1, 0))
        assert value(conn, "SELECT erase_content(%s, %s::int)", case, seq) == 1
    assert value(conn, "SELECT count(*) FROM content WHERE salt IS NULL") == 1
    assert value(conn, "SELECT erase_content(%s, %s::int)", case, seq) == 0


def test_the_owners_function_belongs_to_the_application_alone(superuser):
    who_may = superuser.execute(
        "SELECT proacl::text[] FROM pg_proc WHERE proname = 'erase_content'",
    ).fetchone()
    assert who_may is not None
    assert not any(right.startswith("=") for right in who_may[0])


# ── canonical bytes ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_canonical_text_is_one():
    assert history.canonical({"b": [1, None, True], "a": "髙𠮷"}) == '{"a":"髙𠮷","b":[1,null,true]}'
    for wrong in (float("nan"), float("inf"), "\ud800", {1, 2}):
        with pytest.raises((ValueError, TypeError)):
            history.canonical(wrong)


@pytest.mark.parametrize(
    ("value_", "kept"),
    [
        ({"a": "x"}, True),
        ({"a": "\\u0000 と書いた文字"}, True),
        ({"a": "x\x00"}, False),
        ({"x\x00": 1}, False),
        ([["\x00"]], False),
        ("\ud800", False),
        (float("nan"), False),
        (object(), False),
    ],
)
def test_only_what_the_database_can_hold_is_keepable(value_, kept):
    assert history.keepable(value_) is kept


def test_a_salt_is_never_used_twice():
    rows = history.contents(1, [("form:a", {}), ("form:b", {})]) + history.contents(1, [("form:a", {})])
    assert len({row.salt for row in rows}) == len({row.digest for row in rows}) == 3
    assert all(len(row.salt) == 32 for row in rows)


def test_identifiers_are_quoted_where_roles_are_granted(superuser):
    """A role with a quote in its name is granted to, not executed."""
    from workflow.db import _grant

    with superuser.transaction(force_rollback=True):
        odd = 'od"d; DROP TABLE event'
        superuser.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(odd)))

        class Spoken:
            def execute(self, statement: Any) -> None:
                superuser.execute(str(statement))

        _grant(Spoken(), odd)
        assert value(superuser, "SELECT has_table_privilege(%s, 'event', 'INSERT')", odd)
