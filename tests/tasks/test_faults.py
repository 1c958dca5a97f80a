"""A line that refuses, hangs, breaks or swallows replies, before the broker, the mail server and the database.

After each the same must hold: what was acknowledged is stored, one event per case and act, nothing left in the outbox,
every mail at the server at least once, every chain whole.
"""

import contextlib
import itertools
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
import redis

from tests.conftest import Database as Urls
from tests.factory import Cast, cast, opened
from tests.faults import FAULTS, Fault, proxied
from tests.mail_server import MailServer
from tests.tasks.test_worker import beat, broker, conn, db, environment, number, server, undone, worker
from workflow import cases, mail, outbox, verify
from workflow.db import Database, _prepare, type_connection
from workflow.servers import Valkey
from workflow.settings import settings

__all__ = ["broker", "conn", "db", "environment", "server"]  # fixtures

pytestmark = pytest.mark.timeout(300)

Acknowledged = dict[int, UUID]


def submit(line: type_connection, who: Cast, case: int, key: UUID) -> None:
    cases.act(line, who.municipality, case, "submit", version=0, key=key)


def conserved(conn: type_connection, db: Database, server: MailServer, acknowledged: Acknowledged) -> None:
    """What was acknowledged is there once, and all that follows from it was done."""
    answered = {row[0] for row in conn.execute("SELECT key FROM idempotency").fetchall()}
    assert set(acknowledged.values()) <= answered
    stored = conn.execute("SELECT case_id, count(*), count(DISTINCT seq) FROM event GROUP BY case_id").fetchall()
    assert {case for case, _, _ in stored} >= set(acknowledged)
    assert all(events == different == 1 for _, events, different in stored)
    assert len(answered) == len(stored)
    assert undone(conn) == 0
    assert number(conn, "SELECT count(*) FROM message WHERE sent_at IS NULL") == 0
    known = {row[0] for row in conn.execute("SELECT message_id FROM message").fetchall()}
    assert set(server.handler.ids) == known
    assert len(known) == 2 * len(stored)  # the two officers of the bureau
    assert not verify.run(db).breaks


def until(reached: Callable[[], bool], what: str, seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, what
        time.sleep(0.1)


@pytest.mark.parametrize("fault", FAULTS)
def test_before_the_broker(
    fault: Fault, conn: type_connection, db: Database, broker: redis.Redis, valkey: Valkey, server: MailServer,
    environment: dict[str, str], tmp_path: Path,
) -> None:  # fmt: skip
    """An act takes as long as ever, since no page talks to the broker; what it brings about waits and is done."""
    who = cast(conn)
    drafts = [opened(conn, who) for _ in range(12)]
    acknowledged: Acknowledged = {}

    def act(case: int) -> float:
        key, begun = uuid4(), time.perf_counter()
        submit(conn, who, case, key)
        acknowledged[case] = key
        return time.perf_counter() - begun

    with proxied(valkey.url) as (proxy, through):
        around = environment | {"REDIS_URL": through}
        with worker(around, tmp_path / "log"), beat(around, tmp_path / "log", "schedule"):
            calm = [act(case) for case in drafts[:4]]
            until(lambda: undone(conn) == 0, "rows are left before the fault")
            proxy.fault = fault
            wild = [act(case) for case in drafts[4:8]]
            time.sleep(5)
            proxy.fault = ""
            for case in drafts[8:]:
                act(case)
            until(lambda: undone(conn) == 0, (tmp_path / "log").read_text()[-6000:], 60)
    assert len(acknowledged) == 12
    assert min(wild) < 1 + 5 * max(calm), "an act waited for the broker"
    conserved(conn, db, server, acknowledged)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Short patience with a mail server, and the one that is named; nothing is gathered, however much there is."""
    monkeypatch.setattr(mail, "SECONDS", 0.5)
    monkeypatch.setenv("MAIL_BURST", "1000")

    def use(url: str) -> None:
        monkeypatch.setenv("SMTP_URL", url)
        settings.cache_clear()

    yield use
    settings.cache_clear()


@pytest.mark.parametrize("fault", FAULTS)
def test_before_the_mail_server(
    fault: Fault, conn: type_connection, db: Database, server: MailServer, quick: Callable[[str], None]
) -> None:
    who = cast(conn)
    acknowledged: Acknowledged = {}
    with proxied(server.url) as (proxy, through):
        quick(through)
        for faulty in (False, True, False):
            proxy.fault = fault if faulty else ""
            for case in [opened(conn, who) for _ in range(3)]:
                acknowledged[case] = uuid4()
                submit(conn, who, case, acknowledged[case])
            outbox.deliver(db, seconds=3)
            assert undone(conn) >= 3 * faulty
        conn.execute("UPDATE outbox SET next_at = now() WHERE done_at IS NULL")
        outbox.deliver(db)
    conserved(conn, db, server, acknowledged)


@pytest.mark.parametrize("fault", FAULTS)
def test_before_the_database(
    fault: Fault, conn: type_connection, db: Database, fresh_database: Urls, server: MailServer,
    quick: Callable[[str], None],
) -> None:  # fmt: skip
    """Whoever gets no answer sends the same form again; that is one act."""
    who = cast(conn)
    quick(server.url)
    drafts, acknowledged = [opened(conn, who) for _ in range(24)], dict[int, UUID]()
    with proxied(fresh_database.app_url) as (proxy, through):
        sender = threading.Thread(target=send_for_ever, args=(through, who, drafts, acknowledged))
        sender.start()
        for _ in range(3):
            time.sleep(0.15)
            proxy.fault = fault
            outbox.deliver(db, seconds=1)
            time.sleep(0.6)
            proxy.fault = ""
        sender.join(120)
        assert not sender.is_alive()
    outbox.deliver(db)
    assert set(acknowledged) == set(drafts)
    conserved(conn, db, server, acknowledged)


def send_for_ever(url: str, who: Cast, drafts: list[int], acknowledged: Acknowledged) -> None:
    """Send every draft until there is an answer, each time over a new line when the old one broke."""
    lines = itertools.count(1)
    line: type_connection | None = None
    for case in drafts:
        key = uuid4()
        while case not in acknowledged:
            assert next(lines) < 2000
            try:
                if line is None or line.closed:
                    plain = url.replace("+psycopg", "")
                    line = psycopg.connect(plain, autocommit=True, connect_timeout=1, tcp_user_timeout=1000)
                    _prepare(line, None)
                with patience(line):
                    submit(line, who, case, key)
                acknowledged[case] = key
            except psycopg.Error:
                time.sleep(0.05)
    if line is not None:
        line.close()


@contextlib.contextmanager
def patience(line: type_connection) -> Iterator[None]:
    """Breaks a line over which no answer comes for a second."""
    with socket.socket(fileno=os.dup(line.fileno())) as end:
        timer = threading.Timer(1, end.shutdown, [socket.SHUT_RDWR])
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()
