"""kill -9 in the middle of digests and of deadlines that move: each is made once, and every mail is at the server."""

import os
import random
import time
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path

import pytest
import redis
from celery import Celery

from states.calendar import Calendar
from tests.conftest import Database as Urls
from tests.factory import HEADQUARTERS, OFFICE, cast, drive, opened, person, reader, set_clock
from tests.faults import Keeper
from tests.mail_server import MailServer
from tests.tasks.test_sweep import submitted
from tests.tasks.test_worker import (
    beat,
    broker,
    conn,
    db,
    environment,
    kill,
    leases_run_out,
    number,
    server,
    undone,
    until,
    worker,
)
from workflow import moving, outbox, preferences, verify
from workflow.db import Database, type_connection
from workflow.deadlines import TOKYO, due_day
from workflow.preferences import MORNING, Preference

__all__ = ["broker", "conn", "db", "environment", "server"]  # fixtures

SOAKED = bool(os.environ.get("TOBIDASHI_SOAK_MINUTES"))
pytestmark = [pytest.mark.slow, pytest.mark.timeout(0 if SOAKED else 300)]

OFFICERS, WORKERS = (600, 20) if SOAKED else (40, 2)
DUE, KILLS = (5_000, 200) if SOAKED else (300, 12)
# Ahead of the real time, since a demonstration of the past sends no mail.
FIRST = Calendar().add_business_days(datetime.now(TOKYO).date() + timedelta(days=30), 0)
NEXT = Calendar().add_business_days(FIRST, 1)
LATER = Calendar().add_business_days(FIRST, 6)


def ring(environment: dict[str, str], *tasks: str) -> None:
    """Ask the worker for these tasks now; beat would within twenty seconds."""
    with Celery(broker=environment["REDIS_URL"]) as app:
        app.conf.broker_transport_options = {"global_keyprefix": "tobidashi:"}
        for task in tasks:
            app.send_task(task, expires=60)


def test_a_worker_killed_among_digests_tells_everybody_once(
    conn: type_connection, db: Database, fresh_database: Urls, broker: redis.Redis, server: MailServer,
    environment: dict[str, str], tmp_path: Path,
) -> None:  # fmt: skip
    """One row a person and slot, one mail or copies of it, all that was gathered told."""
    set_clock(fresh_database.owner_url, datetime.combine(FIRST, time_of_day(9), TOKYO))
    who = cast(conn)
    officers = {who.bureau, who.bureau_colleague} | {person(conn, "bureau", OFFICE) for _ in range(OFFICERS - 2)}
    for officer in officers:
        preferences.choose(conn, officer, Preference(MORNING))
    for _ in range(3):
        drive(conn, who, opened(conn, who), "submit")
    outbox.deliver(db)
    assert number(conn, "SELECT count(*) FROM message WHERE gathered AND sent_at IS NULL") == 3 * OFFICERS
    set_clock(fresh_database.owner_url, datetime.combine(NEXT, time_of_day(9), TOKYO))
    server.handler.delay, server.handler.swallow = 0.05, 2
    log = tmp_path / "log"
    with beat(environment, log, "schedule"):
        for killed in range(WORKERS):
            with worker(environment, log) as process:
                begun = len(server.handler.letters)
                ring(environment, "tasks.digest", "tasks.digest")
                until(lambda begun=begun: len(server.handler.letters) >= begun + 4, "no digest", log, 120)  # type: ignore[misc]
                kill(process)
            assert undone(conn), f"nothing was left for the kill number {killed + 1} to be in the middle of"
            leases_run_out(conn)
        server.handler.delay = 0
        with worker(environment, log):
            until(lambda: not undone(conn), "rows are left", log)
            ring(environment, "tasks.digest", "tasks.deliver")
            until(lambda: not broker.llen("tobidashi:celery"), "the bell was not heard", log)
    made = conn.execute("SELECT (payload ->> 'person')::bigint FROM outbox WHERE kind = 'digest'").fetchall()
    assert Counter(row[0] for row in made) == Counter(officers)
    # What the clock reminded of meanwhile waits for the next slot.
    assert (
        number(conn, "SELECT count(*) FROM message WHERE sent_at IS NULL AND (NOT gathered OR digest_id IS NOT NULL)")
        == 0
    )
    assert number(conn, "SELECT count(*) FROM message WHERE digest_id IS NOT NULL") == 3 * OFFICERS
    known = conn.execute("SELECT address, message_id FROM message WHERE NOT gathered").fetchall()
    assert len(known) == OFFICERS
    arrived = defaultdict(list)
    for address, message_id in zip(server.handler.recipients, server.handler.ids, strict=True):
        arrived[address].append(message_id)
    assert {address: set(ids) for address, ids in arrived.items()} == {address: {told} for address, told in known}
    copies = len(server.handler.letters) - OFFICERS
    assert 2 <= copies <= 2 + 2 * WORKERS  # the two lost replies, and at most one for each process that was killed
    assert number(conn, "SELECT count(*) FROM attention") == 0


MOVING = "moving.carry_out(db.database(), seconds=1); outbox.deliver(db.database(), seconds=1)"
MOVED = """SELECT c.id, (SELECT count(*) FROM event e WHERE e.case_id = c.id AND e.action = 'extend_deadline'),
  (SELECT count(*) FROM event e WHERE e.case_id = c.id), (SELECT array_agg(d.due_at) FROM deadline d WHERE d.case_id = c.id AND d.closed_at IS NULL),
  (SELECT count(*) FROM outbox o WHERE o.case_id = c.id) FROM cases c"""


def test_workers_killed_among_deadlines_that_move_move_each_once(
    conn: type_connection, db: Database, fresh_database: Urls, server: MailServer, environment: dict[str, str],
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    set_clock(fresh_database.owner_url, datetime.combine(FIRST, time_of_day(9), TOKYO))
    submitted(db, cast(conn), DUE)
    due = Calendar().add_business_days(FIRST, 2)
    administrator = reader(conn, person(conn, "administrator", HEADQUARTERS))
    typed = {
        "first": due.isoformat(),
        "last": "",
        "office": "",
        "to": LATER.isoformat(),
        "reason": "止まっていたため。",
    }
    order = moving.place(conn, administrator, moving.read(conn, administrator, typed))
    chance, begun, among = random.Random(31), time.monotonic(), list[int]()
    keepers = [Keeper(MOVING, environment | {"MAIL_BURST": "0"}) for _ in range(2)]
    try:
        for killed in range(KILLS):
            # The next kill waits for a few more moves, so that all of them come among the first half.
            while (
                moved := number(conn, f"SELECT moved FROM deadline_move WHERE id = {order}")
            ) <= killed * DUE // KILLS // 2:
                assert time.monotonic() - begun < 200, f"nothing moves after kill number {killed}"
                time.sleep(chance.uniform(0, 0.02))
            chance.choice(keepers).kill()
            if moved == DUE:  # the machine was faster than the kills
                break
            among.append(moved)
        if not SOAKED:
            leases_run_out(conn)
        while undone(conn) or not number(conn, "SELECT count(*) FROM deadline_move WHERE done_at IS NOT NULL"):
            assert time.monotonic() - begun < (1800 if SOAKED else 200)
            time.sleep(0.2)
    finally:
        for keeper in keepers:
            keeper.end()
    assert len(among) >= KILLS // 4, "the kills came too late; they proved nothing"
    found = conn.execute(MOVED).fetchall()
    assert len(found) == DUE
    assert {(extended, events, len(open_), notices) for _, extended, events, open_, notices in found} == {(1, 2, 1, 1)}
    assert {due_day(open_[0]) for *_, open_, _ in found} == {LATER}
    row = moving.listed(conn, administrator)[0]
    assert (row["moved"], row["failed"], row["done_at"] is not None) == (DUE, 0, True)
    assert number(conn, "SELECT count(*) FROM message WHERE sent_at IS NULL") == 0
    known = {row[0] for row in conn.execute("SELECT message_id FROM message")}
    assert len(known) == number(conn, "SELECT count(*) FROM (SELECT DISTINCT case_id, person_id FROM message) x")
    assert set(server.handler.ids) == known
    copies = len(server.handler.letters) - len(known)
    with capsys.disabled():
        print(
            f"\n{DUE} moved, {KILLS} killed, when {among[0]} to {among[-1]} were: {len(known)} mails and {copies} copies"
        )
    assert not verify.run(db).breaks
