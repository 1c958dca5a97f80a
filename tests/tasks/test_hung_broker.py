"""The broker hangs for longer than anybody's patience, before real worker, beat and pages: no page and no act waits for it.

The pages cannot: they never open a line to the broker, which the proxy before it would have seen.
"""

import os
import time
from pathlib import Path

import pytest
import redis

from tests.conftest import Database as Urls
from tests.factory import cast, drive, opened
from tests.faults import proxied
from tests.mail_server import MailServer
from tests.tasks.test_worker import beat, broker, conn, db, environment, number, server, undone, until, worker
from tests.workflow.test_web_killed import Pages, _next
from workflow import verify
from workflow.db import Database, type_connection
from workflow.servers import Valkey
from workflow.web.session import cookie_name

__all__ = ["broker", "conn", "db", "environment", "server"]  # fixtures

SOAKED = bool(os.environ.get("TOBIDASHI_SOAK_MINUTES"))
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

# Longer than a broker's patience of 5 s; at length also than the 30 s after which the worker's own line gives up.
HUNG = 45 if SOAKED else 12


class Officers:
    """The director and the bureau, who act on one case by the pages, one after the other; `version` counts what was answered."""

    def __init__(self, pages: Pages, case: int, version: int) -> None:
        self.pages, self.case, self.version = pages, case, version

    def act(self) -> None:
        by, action, fields = _next(self.version)
        assert self.pages.act(by, self.case, action, fields) == 303
        self.version += 1

    def look(self) -> None:
        for path in ("/inbox", f"/cases/{self.case}"):
            cookie = f"{cookie_name()}={self.pages.sessions['bureau'].token}"
            assert self.pages._ask("GET", path, None, {"Cookie": cookie}) == 200


def conserved(conn: type_connection, db: Database, server: MailServer, officers: Officers) -> None:
    """What was acknowledged is there once, in its order, and all that follows from it was done."""
    told = conn.execute("SELECT seq, action FROM event WHERE case_id = %s AND seq > 3 ORDER BY seq", (officers.case,))
    assert told.fetchall() == [(seq, _next(seq - 1)[1]) for seq in range(4, officers.version + 1)]
    assert undone(conn) == 0
    assert number(conn, "SELECT count(*) FROM message WHERE sent_at IS NULL") == 0
    known = [row[0] for row in conn.execute("SELECT message_id FROM message").fetchall()]
    assert len(known) == len(set(known))
    assert set(server.handler.ids) == set(known)
    assert not verify.run(db).breaks


def test_a_broker_that_hangs_holds_no_page_and_loses_nothing(
    conn: type_connection, db: Database, fresh_database: Urls, broker: redis.Redis, valkey: Valkey, server: MailServer,
    environment: dict[str, str], tmp_path: Path,
) -> None:  # fmt: skip
    who = cast(conn)
    case = opened(conn, who)
    drive(conn, who, case, "submit", "receive", "propose_team")
    pages, log = Pages(fresh_database, conn, who, tmp_path), tmp_path / "log"
    with proxied(valkey.url) as (line, through), proxied(valkey.url) as (lines_of_pages, seen):
        pages.environment |= {"REDIS_URL": seen, "SMTP_URL": server.url}
        around = environment | {"REDIS_URL": through}
        with worker(around, log), beat(around, log, "schedule"):
            pages.start()
            try:
                officers = Officers(pages, case, 3)
                officers.act()
                until(lambda: not undone(conn), "rows are left before the fault", log)
                line.fault = lines_of_pages.fault = "hang"
                end = time.monotonic() + HUNG
                while time.monotonic() < end:
                    officers.act()
                    officers.look()
                    time.sleep(0.5)
                assert undone(conn), "the line did not hang: everything was delivered"
                line.fault = lines_of_pages.fault = ""
                officers.act()
                until(lambda: not undone(conn), "rows are left after the fault", log, 120)
                officers.look()
            finally:
                pages.kill()
        assert line.taken, "nobody came through the proxy; the test proved nothing"
        assert lines_of_pages.taken == 0, "the pages opened a line to the broker"
    conserved(conn, db, server, officers)
