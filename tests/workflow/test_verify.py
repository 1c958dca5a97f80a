"""The verifier finds what a superuser did after taking every guard away, names it, and keeps quiet about the rest."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

import workflow
from tests import factory
from tests.papers import attach
from workflow import history
from workflow.verify import SENTENCES, Outcome, run, verify

Superuser = psycopg.Connection[Any]
LAST = 4  # events of every case here


@pytest.fixture
def unguarded(superuser: Superuser) -> Superuser:
    """A superuser who has disabled every trigger and dropped every constraint."""
    for table in ("event", "content", "cases", "party", "attachment", "attachment_part"):
        superuser.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        rows = superuser.execute(
            "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype IN ('c', 'f', 'p', 'u')",
            (table,),
        ).fetchall()
        for (name,) in rows:
            superuser.execute(f'ALTER TABLE {table} DROP CONSTRAINT IF EXISTS "{name}" CASCADE')
    return superuser


def rehash(su: Superuser, case: int, seq: int) -> None:
    su.execute(
        "UPDATE event SET hash = sha256(coalesce(previous, '') || convert_to(body, 'UTF8')) WHERE case_id = %s AND seq = %s",
        (case, seq),
    )


def statement(*texts: str) -> Callable[[Superuser, int], None]:
    def do(su: Superuser, case: int) -> None:
        for text in texts:
            su.execute(text, {"case": case})

    return do


def edited_body_rehashed(su: Superuser, case: int) -> None:
    su.execute(
        "UPDATE event SET body = replace(body, '\"receive\"', '\"decline\"') WHERE case_id = %s AND seq = 2", (case,)
    )
    rehash(su, case, 2)


def garbage_rehashed(su: Superuser, case: int) -> None:
    su.execute("UPDATE event SET body = '{' WHERE case_id = %s AND seq = 3", (case,))
    rehash(su, case, 3)


def chain_rewritten(su: Superuser, case: int) -> None:
    """Every later hash made anew: the chain is whole again, the case row's head is not."""
    su.execute(
        'UPDATE event SET body = replace(body, \'"lead":"hk-\', \'"lead":"zz-\') WHERE case_id = %s AND seq = 2',
        (case,),
    )
    for seq in range(2, LAST + 1):
        su.execute(
            "UPDATE event e SET previous = b.hash FROM event b WHERE e.case_id = %s AND e.seq = %s AND b.case_id = e.case_id AND b.seq = e.seq - 1",
            (case, seq),
        )
        rehash(su, case, seq)


def content_and_digest(su: Superuser, case: int) -> None:
    row = history.contents(1, [("form:request", {"title": "別の題"})])[0]
    su.execute(
        "UPDATE content SET data = %s, salt = %s, digest = %s WHERE case_id = %s AND seq = 1 AND kind = 'form:request'",
        (row.data, row.salt, row.digest, case),
    )


def content_unreadable(su: Superuser, case: int) -> None:
    su.execute(
        """UPDATE content SET data = '\\xff00', digest = sha256(salt || convert_to(kind, 'UTF8') || '\\xff00'::bytea)
           WHERE case_id = %s AND seq = 1 AND kind = 'form:request'""",
        (case,),
    )


def content_added(su: Superuser, case: int) -> None:
    row = history.contents(2, [("input:reason", "あとから")])[0]
    su.execute(
        "INSERT INTO content VALUES (%s, 2, 77, %s, %s, %s, %s)", (case, row.kind, row.digest, row.salt, row.data)
    )


def tail_cut(su: Superuser, case: int) -> None:
    su.execute("DELETE FROM content WHERE case_id = %s AND seq = 4", (case,))
    su.execute("DELETE FROM event WHERE case_id = %s AND seq = 4", (case,))


def tail_cut_and_row_set_back(su: Superuser, case: int) -> None:
    tail_cut(su, case)
    su.execute(
        "UPDATE cases SET version = 3, head = (SELECT hash FROM event WHERE case_id = %(c)s AND seq = 3) WHERE id = %(c)s",
        {"c": case},
    )


def middle_missing(su: Superuser, case: int) -> None:
    su.execute("DELETE FROM content WHERE case_id = %s AND seq = 2", (case,))
    su.execute("DELETE FROM event WHERE case_id = %s AND seq = 2", (case,))


def middle_missing_and_closed_up(su: Superuser, case: int) -> None:
    """The gap is closed: the later numbers are counted down, the link leads past it."""
    middle_missing(su, case)
    su.execute("UPDATE event SET seq = seq - 1 WHERE case_id = %s AND seq > 2", (case,))
    su.execute("UPDATE content SET seq = seq - 1 WHERE case_id = %s AND seq > 2", (case,))
    su.execute("UPDATE cases SET version = 3 WHERE id = %s", (case,))


def rows_swapped(su: Superuser, case: int) -> None:
    su.execute("UPDATE event SET seq = 5 - seq WHERE case_id = %s AND seq IN (2, 3)", (case,))


def party_put_in(su: Superuser, case: int) -> None:
    su.execute("INSERT INTO party VALUES (%s, '014583', 'requester', current_date)", (case,))


FILE = "SELECT id FROM attachment WHERE case_id = %(case)s"
ROW = "UPDATE cases SET {} WHERE id = %(case)s"
DONE: dict[str, tuple[Callable[[Superuser, int], None], set[tuple[int, str]]]] = {
    "body edited": (
        statement("UPDATE event SET body = replace(body, '\"receive\"', '\"decline\"') WHERE case_id = %(case)s AND seq = 2"),
        {(2, "hash")},
    ),
    "body edited, hash made anew": (edited_body_rehashed, {(2, "columns"), (3, "link")}),
    "body made garbage": (statement("UPDATE event SET body = '[' WHERE case_id = %(case)s AND seq = 3"), {(3, "hash"), (3, "reference")}),
    "body made garbage, hash made anew": (garbage_rehashed, {(3, "body"), (4, "link"), (3, "reference")}),
    "chain made anew": (chain_rewritten, {(4, "head")}),
    "actor edited": (statement("UPDATE event SET actor = '1' WHERE case_id = %(case)s AND seq = 2"), {(2, "columns")}),
    "time edited": (
        statement("UPDATE event SET at = at + interval '1 microsecond' WHERE case_id = %(case)s AND seq = 1"), {(1, "columns")},
    ),
    "hash edited": (statement("UPDATE event SET hash = '\\x00' WHERE case_id = %(case)s AND seq = 2"), {(2, "hash"), (3, "link")}),
    "link cut": (statement("UPDATE event SET previous = NULL WHERE case_id = %(case)s AND seq = 3"), {(3, "hash")}),
    "content edited": (
        statement("UPDATE content SET data = data || ' '::bytea WHERE case_id = %(case)s AND (seq, kind) = (2, 'names')"), {(2, "content")},
    ),
    "form content edited": (
        statement(
            "UPDATE content SET data = convert_to(replace(convert_from(data, 'UTF8'), '助言', '労務'), 'UTF8') "
            "WHERE case_id = %(case)s AND kind = 'form:request'"
        ),
        {(1, "content"), (4, "form")},
    ),
    "content edited, digest made anew": (content_and_digest, {(1, "reference"), (4, "form")}),
    "content made unreadable": (content_unreadable, {(1, "reference"), (0, "unreadable")}),
    "content removed": (statement("DELETE FROM content WHERE case_id = %(case)s AND (seq, kind) = (2, 'names')"), {(2, "reference")}),
    "content added": (content_added, {(2, "reference")}),
    "content renamed": (
        statement("UPDATE content SET kind = 'input:x' WHERE case_id = %(case)s AND (seq, kind) = (2, 'names')"),
        {(2, "content"), (2, "reference")},
    ),
    "content emptied by hand": (
        statement("UPDATE content SET salt = NULL, data = NULL WHERE case_id = %(case)s AND (seq, kind) = (2, 'names')"), {(2, "missing")},
    ),
    "salt alone taken": (
        statement("UPDATE content SET salt = NULL WHERE case_id = %(case)s AND (seq, kind) = (2, 'names')"), {(2, "missing")},
    ),
    "tail cut": (tail_cut, {(4, "tail")}),
    "tail cut, row set back": (tail_cut_and_row_set_back, {(3, "state")}),
    "first event cut": (
        statement("DELETE FROM content WHERE case_id = %(case)s AND seq = 1", "DELETE FROM event WHERE case_id = %(case)s AND seq = 1"),
        {(2, "gap"), (4, "parties")},
    ),
    "middle missing": (middle_missing, {(3, "gap"), (4, "form")}),
    "middle missing, closed up": (middle_missing_and_closed_up, {(2, "link"), (2, "reference"), (3, "columns"), (3, "reference"), (3, "form")}),
    "rows swapped": (rows_swapped, {(2, "link"), (3, "link"), (4, "link"), (2, "reference"), (3, "reference")}),
    "all events gone": (
        statement("DELETE FROM content WHERE case_id = %(case)s", "DELETE FROM event WHERE case_id = %(case)s"),
        {(4, "tail")},
    ),
    "case row gone": (statement("DELETE FROM cases WHERE id = %(case)s"), {(4, "case")}),
    "state edited": (statement(ROW.format("state = 'preparing'")), {(4, "state")}),
    "number edited": (statement(ROW.format("number = '上川-R8-999'")), {(4, "number")}),
    "lead edited": (statement(ROW.format("lead = 'hk-soya'")), {(4, "lead")}),
    "head edited": (statement(ROW.format("head = '\\x00'")), {(4, "head")}),
    "version edited": (statement(ROW.format("version = 9")), {(9, "tail")}),
    "process edited": (statement(ROW.format("process_version = 2")), {(4, "process")}),
    "form edited": (statement(ROW.format("form = jsonb_set(form, '{request,title}', '\"別の題\"')")), {(4, "form"), (4, "title")}),
    "group taken out of the form": (statement(ROW.format("form = form - 'contact'")), {(4, "form")}),
    "group put into the form": (statement(ROW.format("form = form || '{\"result\": {}}'")), {(4, "form")}),
    "group blanked as if erased": (statement(ROW.format("form = jsonb_set(form, '{contact}', '{\"erased\": 3}')")), {(4, "form")}),
    "party put in": (party_put_in, {(4, "parties")}),
    "party taken out": (statement("DELETE FROM party WHERE case_id = %(case)s AND part = 'requester'"), {(4, "parties")}),
    "title edited": (statement(ROW.format("title = '別の題'")), {(4, "title")}),
    "title that looks disposed of": (statement(ROW.format("title = '廃棄(記録4号)'")), {(4, "title")}),
    "place edited": (statement(ROW.format("place = '014583'")), {(4, "place")}),
    "hidden from those who may see it": (statement(ROW.format("open = false")), {(4, "open")}),
    "origin edited": (statement(ROW.format("origin = 'director'")), {(1, "origin")}),
    "writer edited": (statement(ROW.format("opened_by = 1 + opened_by")), {(1, "opened")}),
    "day of the draft edited": (statement(ROW.format("opened_at = opened_at - interval '1 day'")), {(1, "opened")}),
    "parent put in": (statement(ROW.format("parent_id = %(case)s")), {(1, "parent")}),
    "party begun later": (statement("UPDATE party SET valid_from = valid_from + 30 WHERE case_id = %(case)s AND part = 'lead'"), {(1, "dates")}),
    "party ended by hand": (
        statement("UPDATE party SET valid_to = current_date, until_seq = 3 WHERE case_id = %(case)s AND part = 'lead'"), {(4, "parties"), (3, "dates")},
    ),
    "party kept to the past": (statement("INSERT INTO party VALUES (%(case)s, '014583', 'reader', current_date, current_date, 2)"), {(2, "dates")}),
    "file exchanged": (statement(f"UPDATE attachment_part SET data = 'anders' WHERE attachment_id = ({FILE})"), {(5, "file")}),
    "file exchanged with its digest": (
        statement(
            f"UPDATE attachment_part SET data = 'anders' WHERE attachment_id = ({FILE})",
            "UPDATE attachment SET size = 6, sha256 = encode(sha256('anders'), 'hex') WHERE case_id = %(case)s",
        ),
        {(5, "file")},
    ),
    "file emptied": (statement(f"DELETE FROM attachment_part WHERE attachment_id = ({FILE})"), {(5, "file")}),
    "file renamed": (statement("UPDATE attachment SET name = 'anders.pdf' WHERE case_id = %(case)s"), {(5, "file")}),
    "file shared": (statement("UPDATE attachment SET scope = 'internal' WHERE case_id = %(case)s"), {(5, "file")}),
    "file gone": (
        statement(f"DELETE FROM attachment_part WHERE attachment_id = ({FILE})", "DELETE FROM attachment WHERE case_id = %(case)s"), {(5, "file")},
    ),
    "file called erased": (
        statement(
            f"DELETE FROM attachment_part WHERE attachment_id = ({FILE})",
            "UPDATE attachment SET erased_seq = 4, name = '', sha256 = '' WHERE case_id = %(case)s",
        ),
        {(5, "file")},
    ),
    "file slipped in": (
        statement(
            """INSERT INTO attachment (case_id, seq, scope, label, name, media_type, size, sha256, org_code, added_by, added_at)
               SELECT case_id, 3, scope, label, name, media_type, size, sha256, org_code, added_by, added_at FROM attachment WHERE case_id = %(case)s"""
        ),
        {(3, "file")},
    ),
    "party turned": (statement("UPDATE party SET part = 'reader' WHERE case_id = %(case)s AND part = 'lead'"), {(4, "parties")}),
}  # fmt: skip


def found(outcome: Outcome, case: int) -> set[tuple[int, str]]:
    return {(b.seq, b.kind) for b in outcome.breaks if b.case == case}


def test_every_tampering_is_found_where_it_was_done_and_nowhere_else(db, conn, who, unguarded, subtests):
    cases = {}
    untouched = []
    for name in DONE:
        case = cases[name] = factory.opened(conn, who)
        factory.drive(conn, who, case, "submit", "receive", "propose_team", "put_to_director")
        if name.startswith("file "):
            attach(db, who.bureau, case)
        untouched.append(factory.opened(conn, who))
        factory.drive(conn, who, untouched[-1], "submit")
    drafts = [factory.opened(conn, who) for _ in range(2)]
    assert verify(db).whole
    for name, (do, _) in DONE.items():
        do(unguarded, cases[name])
    outcome = verify(db)
    assert not outcome.whole
    for name, (_, expected) in DONE.items():
        with subtests.test(name):
            assert found(outcome, cases[name]) == expected
    assert not {b.case for b in outcome.breaks} & {*untouched, *drafts}
    assert {b.kind for b in outcome.breaks} == set(SENTENCES)
    for told in outcome.breaks:
        assert told.sentence.endswith("。")
    alone = verify(db, workers=1)
    assert sorted(alone.as_json()["breaks"], key=str) == sorted(outcome.as_json()["breaks"], key=str)


def test_a_sound_database_is_whole_and_an_empty_one_too(db, conn, who):
    assert verify(db).as_json() == {"whole": True, "cases": 0, "events": 0, "breaks": [], "erased": []}
    case = factory.opened(conn, who)
    assert verify(db).whole
    factory.drive(conn, who, case, "submit", "receive")
    outcome = verify(db)
    assert (outcome.whole, outcome.cases, outcome.events) == (True, 1, 2)


def test_a_check_is_kept_for_the_auditor(db, conn, who, unguarded):
    case = factory.opened(conn, who)
    factory.drive(conn, who, case, "submit", "receive")
    run(db)
    unguarded.execute("UPDATE cases SET state = 'reported' WHERE id = %s", (case,))
    run(db)
    kept = conn.execute(
        "SELECT cases, events, breaks, finished_at >= started_at FROM chain_check ORDER BY id"
    ).fetchall()
    assert kept[0] == (1, 2, [], True)
    assert kept[1][:2] == (1, 2)
    assert [(b["case"], b["seq"], b["kind"]) for b in kept[1][2]] == [(case, 2, "state")]


def test_the_verifier_reads_one_moment_while_others_act(db, conn, who):
    """It never takes a case in the middle of an act for a broken one."""
    case = factory.opened(conn, who)
    factory.drive(conn, who, case, "submit", "receive")
    for _ in range(5):
        factory.drive(conn, who, case, "propose_team")
        assert verify(db).whole


def test_the_command_ends_with_what_it_found(fresh_database, conn, who, unguarded):
    case = factory.opened(conn, who)
    factory.drive(conn, who, case, "submit")

    def command() -> tuple[int, dict[str, Any]]:
        done = subprocess.run(
            [sys.executable, "-m", "workflow", "verify", "--json"], capture_output=True, text=True,
            env=os.environ | {"DATABASE_URL": fresh_database.app_url, "DATABASE_OWNER_URL": fresh_database.owner_url},
            cwd=Path(workflow.__file__).parent.parent,
        )  # fmt: skip
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)

    code, told = command()
    assert (code, told["whole"]) == (0, True)
    unguarded.execute("UPDATE cases SET state = 'reported'")
    code, told = command()
    assert (code, told["whole"]) == (1, False)
    assert [(b["case"], b["seq"], b["kind"]) for b in told["breaks"]] == [(case, 1, "state")]
