"""kill -9 of the real web server in mid-request: what it answered stands, and the form sent again makes one act."""

import contextlib
import http.client
import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from tests import factory
from tests.conftest import Database as Urls
from tests.factory import Cast
from tests.mail_server import free_port
from workflow import accounts
from workflow.db import Database, type_connection
from workflow.verify import verify
from workflow.web.session import cookie_name

PATIENCE = (0.002, 0.005, 0.01, 0.03)  # seconds from sending to the kill, one round each
# They are signed in already; nobody signs in with this.
ACCOUNT = "INSERT INTO account (person_id, login, password_hash, failures, disabled) VALUES (%s, %s, 'none', 0, false)"


class Pages:
    """The server as a process of its own, and two people signed in to it."""

    def __init__(self, urls: Urls, conn: type_connection, who: Cast, folder: Path) -> None:
        self.port, self.log = free_port(), folder / "web.log"
        address = f"http://127.0.0.1:{self.port}"
        self.environment = {**os.environ, "DATABASE_URL": urls.app_url, "PUBLIC_URL": address, "TOBIDASHI_ENV": "pilot"}
        for name in ("bureau", "director"):
            conn.execute(ACCOUNT, (getattr(who, name), name))
        self.sessions = {name: accounts.open_session(conn, getattr(who, name)) for name in ("bureau", "director")}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as out:
            command = [sys.executable, "-m", "workflow", "serve", "--port", str(self.port)]
            self.process = subprocess.Popen(command, env=self.environment, stdout=out, stderr=out)
        for _ in range(300):
            with contextlib.suppress(OSError):
                if self._ask("GET", "/livez") == 200:
                    return
            time.sleep(0.1)
        raise AssertionError(self.log.read_text(errors="replace")[-2000:])

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def act(self, by: str, case: int, action: str, fields: dict[str, str]) -> int:
        """Status of the answer. Raises OSError or HTTPException when there was none."""
        session = self.sessions[by]
        told = {
            "Cookie": f"{cookie_name()}={session.token}",
            "Origin": f"http://127.0.0.1:{self.port}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        return self._ask("POST", f"/cases/{case}/actions/{action}", urlencode({"csrf": session.csrf, **fields}), told)

    def _ask(self, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, headers or {})
            return connection.getresponse().status
        finally:
            connection.close()


def _next(version: int) -> tuple[str, str, dict[str, str]]:
    """Who does what next: put to the director, sent back, and so on."""
    fields = {"version": str(version), "key": str(uuid4())}
    if version % 2:
        return "bureau", "put_to_director", fields | {"input.note": "必要なため。"}
    return "director", "send_back", fields | {"input.reason": "見直すこと。"}


def test_a_request_cut_off_by_a_kill_is_one_act_when_it_is_sent_again(
    fresh_database: Urls, db: Database, conn: type_connection, who: Cast, tmp_path: Path
) -> None:
    case = factory.opened(conn, who)
    factory.drive(conn, who, case, "submit", "receive", "propose_team")
    pages, dice, known = Pages(fresh_database, conn, who, tmp_path), random.Random(20261122), 3
    cut_off = 0
    pages.start()
    try:
        for patience in PATIENCE:
            for _ in range(dice.randint(1, 4)):
                by, action, fields = _next(known)
                assert pages.act(by, case, action, fields) == 303
                known += 1
            by, action, fields = _next(known)
            answers: list[Any] = []

            def send(told: tuple[str, str, dict[str, str]] = (by, action, fields), into: list[Any] = answers) -> None:
                with contextlib.suppress(OSError, http.client.HTTPException):
                    into.append(pages.act(told[0], case, told[1], told[2]))

            asking = threading.Thread(target=send)
            asking.start()
            time.sleep(patience)
            pages.kill()
            asking.join()
            cut_off += not answers
            assert factory.version(conn, case) in ((known + 1,) if answers else (known, known + 1))
            pages.start()
            assert pages.act(by, case, action, fields) == 303
            known += 1
            assert factory.version(conn, case) == known
    finally:
        pages.kill()
    assert cut_off, "no kill came in mid-request; the test proved nothing"
    rows = conn.execute("SELECT count(*), max(seq) FROM event WHERE case_id = %s", (case,)).fetchone()
    assert rows == (known, known)
    assert verify(db).whole
