"""Two schedulers over thousands of deadlines, killed again and again: one row a rung, every mail at the server."""

import os
import random
import time
from datetime import datetime, timedelta
from datetime import time as time_of_day

import pytest

from states.calendar import Calendar
from tests.conftest import Database as Urls
from tests.factory import Cast, cast, drive, opened, set_clock
from tests.faults import Keeper
from tests.mail_server import MailServer
from tests.tasks.test_worker import conn, db, environment, leases_run_out, number, server, undone
from workflow import verify
from workflow.db import Database, type_connection
from workflow.deadlines import TOKYO

__all__ = ["conn", "db", "environment", "server"]  # fixtures

SOAKED = bool(os.environ.get("TOBIDASHI_SOAK_MINUTES"))
pytestmark = [pytest.mark.slow, pytest.mark.timeout(0 if SOAKED else 300)]

DUE, KILLS = (100_000, 200) if SOAKED else (2_000, 12)

WORK = "watch.remind(db.database()); outbox.deliver(db.database(), seconds=1)"

# The case that was submitted, again and again: the same act on another number, its own link of the chain.
CLONES = """
WITH one AS (SELECT * FROM cases WHERE id = %(case)s),
made AS (
  INSERT INTO cases (process, process_version, origin, lead, place, opened_by, opened_at, open, title, state, version, saves, head, acted_by,
                     acted_at, form)
  SELECT o.process, o.process_version, o.origin, o.lead, o.place, o.opened_by, o.opened_at, o.open, o.title, o.state, o.version, o.saves,
         o.head, o.acted_by, o.acted_at, o.form FROM one o, generate_series(2, %(number)s) RETURNING id),
told AS (
  SELECT m.id, replace(e.body, '"case":' || e.case_id || ',', '"case":' || m.id || ',') AS told, e.*
  FROM made m, event e WHERE e.case_id = %(case)s),
e AS (INSERT INTO event (case_id, seq, at, action, actor, post, office, previous, hash, body)
  SELECT id, seq, at, action, actor, post, office, NULL, sha256(convert_to(told, 'UTF8')), told FROM told),
p AS (INSERT INTO party (case_id, org_code, part, valid_from)
  SELECT m.id, p.org_code, p.part, p.valid_from FROM made m, party p WHERE p.case_id = %(case)s),
s AS (INSERT INTO step (case_id, org_code, role, ask, due_at, opened_at)
  SELECT m.id, s.org_code, s.role, s.ask, s.due_at, s.opened_at FROM made m, step s WHERE s.case_id = %(case)s)
INSERT INTO deadline (case_id, kind, holder, move, due_at, opened_at)
SELECT m.id, d.kind, d.holder, d.move, d.due_at, d.opened_at FROM made m, deadline d WHERE d.case_id = %(case)s
"""
HEADS = """UPDATE cases c SET head = e.hash FROM event e WHERE e.case_id = c.id AND e.seq = c.version AND c.head <> e.hash"""
CONTENT = """INSERT INTO content (case_id, seq, ord, kind, digest, salt, data)
SELECT c.id, x.seq, x.ord, x.kind, x.digest, x.salt, x.data FROM cases c, content x WHERE x.case_id = %s AND c.id <> x.case_id"""


def submitted(db: Database, who: Cast, count: int) -> None:
    """So many cases that one officer is to receive; nobody has been told of them."""
    with db.connection() as conn:
        conn.execute("SET statement_timeout = 0")
        conn.execute("UPDATE tenure SET valid_to = valid_from WHERE person_id = %s", (who.bureau_colleague,))
        case = opened(conn, who)
        drive(conn, who, case, "submit")
        conn.execute("DELETE FROM outbox")
        with conn.transaction():
            conn.execute(CLONES, {"case": case, "number": count})
            conn.execute(CONTENT, (case,))
            conn.execute(HEADS)


def test_two_schedulers_killed_again_and_again(
    conn: type_connection, db: Database, fresh_database: Urls, server: MailServer, environment: dict[str, str],
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    # Ahead of the real time, since a demonstration of the past sends no mail.
    first = Calendar().add_business_days(datetime.now(TOKYO).date() + timedelta(days=30), 0)
    set_clock(fresh_database.owner_url, datetime.combine(first, time_of_day(9), TOKYO))
    submitted(db, cast(conn), DUE)
    day_before = Calendar().add_business_days(first, 1)  # they are to be received on the second business day
    set_clock(fresh_database.owner_url, datetime.combine(day_before, time_of_day(9), TOKYO))
    chance, begun = random.Random(2026), time.monotonic()
    schedulers = [Keeper(WORK, environment | {"MAIL_BURST": "0"}) for _ in range(2)]

    def killed_again_and_again(longest: float) -> None:
        for _ in range(KILLS // 2):
            time.sleep(chance.uniform(0.05, longest))
            chance.choice(schedulers).kill()

    try:
        killed_again_and_again(0.8)  # in the middle of the sweep
        while not number(conn, "SELECT count(*) FROM reminder"):
            time.sleep(0.1)
        swept = time.monotonic() - begun
        killed_again_and_again(2.0 if SOAKED else 0.8)  # in the middle of the mails
        assert undone(conn), "nothing was left to be killed in"
        if not SOAKED:
            leases_run_out(conn)
        while undone(conn):
            assert time.monotonic() - begun < (3600 if SOAKED else 200)
            time.sleep(1)
    finally:
        for scheduler in schedulers:
            scheduler.end()
    seconds = time.monotonic() - begun
    assert number(conn, "SELECT count(*) FROM reminder") == DUE
    assert number(conn, "SELECT count(*) FROM outbox WHERE kind LIKE 'reminder:%'") == DUE
    assert number(conn, "SELECT count(*) FROM message WHERE sent_at IS NOT NULL") == DUE
    known = {row[0] for row in conn.execute("SELECT message_id FROM message").fetchall()}
    assert set(server.handler.ids) == known
    copies = len(server.handler.ids) - DUE
    with capsys.disabled():
        print(
            f"\n{DUE} due, {KILLS} killed: {DUE} rows, {DUE} mails and {copies} copies in {seconds:.0f} s (swept after {swept:.0f} s)"
        )
    assert not verify.run(db).breaks
