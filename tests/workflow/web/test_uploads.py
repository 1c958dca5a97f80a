"""The real server and files that are large, slow, cut off or far too large: little memory, no page waits, nothing is left."""

import contextlib
import hashlib
import http.client
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests import factory
from tests.conftest import Database as Urls
from tests.mail_server import free_port
from tests.papers import PDF, rows
from workflow import accounts
from workflow.db import Database
from workflow.verify import verify
from workflow.web.session import cookie_name

MB = 1024 * 1024
BOUNDARY = "-----------------file"
LITTLE = 20 * MB  # what a file of any size may cost in memory: a piece or two, the tail of an archive, buffers
ACCOUNT = "INSERT INTO account (person_id, login, password_hash, failures, disabled) VALUES (%s, %s, 'none', 0, false)"


class Server:
    """The web server as a process of its own, and sessions of people."""

    def __init__(self, urls: Urls, conn: Any, folder: Path, **environment: str) -> None:
        self.port, self.conn, self.log = free_port(), conn, folder / "web.log"
        address = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **os.environ,
            "DATABASE_URL": urls.app_url,
            "PUBLIC_URL": address,
            "TOBIDASHI_ENV": "pilot",
        } | environment
        self.process: subprocess.Popen[bytes] | None = None
        self.sockets: list[socket.socket] = []

    def start(self) -> None:
        command = [sys.executable, "-m", "workflow", "serve", "--port", str(self.port)]
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(command, env=self.environment, stdout=out, stderr=out)
        for _ in range(600):
            with contextlib.suppress(OSError):
                if self.ask("/livez")[0] == 200:
                    return
            time.sleep(0.1)
        raise AssertionError(self.log.read_text(errors="replace")[-2000:])

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        for opened in self.sockets:
            opened.close()

    def session(self, person_id: int) -> tuple[str, str]:
        """Cookie and token of somebody who is signed in."""
        with contextlib.suppress(Exception):
            self.conn.execute(ACCOUNT, (person_id, f"p{person_id}"))
        opened = accounts.open_session(self.conn, person_id)
        return f"{cookie_name()}={opened.token}", opened.csrf

    def ask(self, path: str, cookie: str = "") -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET", path, headers={"Cookie": cookie})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def memory(self, name: str) -> int:
        """Bytes of memory that the process holds (VmRSS) or held at most since the last `forget` (VmHWM)."""
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(re.search(rf"{name}:\s+(\d+) kB", status)[1]) * 1024  # type: ignore[index]

    def forget(self) -> None:
        assert self.process is not None
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5", encoding="ascii")


class Sending:
    """One form on its way, over a socket of its own."""

    def __init__(
        self, server: Server, session: tuple[str, str], case: int, size: int, key: str = "", *, chunked: bool = False
    ) -> None:
        cookie, csrf = session
        fields = {"csrf": csrf, "key": key or str(uuid4()), "scope": "shared", "back": "list"}
        lines = [
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields.items()
        ]
        lines.append(f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n')
        head, self.tail = "".join(lines).encode(), f"\r\n--{BOUNDARY}--\r\n".encode()
        length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(head) + size + len(self.tail)}"
        self.chunked, self.sent = chunked, 0
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=60)
        server.sockets.append(self.socket)
        self.socket.sendall(
            f"POST /cases/{case}/files HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nOrigin: http://127.0.0.1:{server.port}\r\n"
            f"Cookie: {cookie}\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\n{length}\r\n\r\n".encode()
        )  # fmt: skip
        self.send(head)

    def send(self, data: bytes) -> None:
        self.socket.sendall(f"{len(data):x}\r\n".encode() + data + b"\r\n" if self.chunked else data)
        self.sent += len(data)

    def answer(self) -> tuple[int, str]:
        """Status and text of the answer."""
        with contextlib.closing(http.client.HTTPResponse(self.socket)) as told:
            told.begin()
            return told.status, told.read().decode()

    def end(self) -> tuple[int, str]:
        self.send(self.tail)
        if self.chunked:
            self.socket.sendall(b"0\r\n\r\n")
        return self.answer()


@pytest.fixture
def db(fresh_database: Urls) -> Iterator[Database]:
    made = Database(fresh_database.app_url)
    yield made
    made.close()


@pytest.fixture
def conn(db: Database) -> Iterator[Any]:
    with db.connection() as connection:
        yield connection


@pytest.fixture
def who(conn: Any) -> factory.Cast:
    return factory.cast(conn)


@pytest.fixture
def case(conn: Any, who: factory.Cast) -> int:
    made = factory.opened(conn, who)
    factory.drive(conn, who, made, "submit", "receive")
    return made


@pytest.fixture
def serve(fresh_database: Urls, conn: Any, tmp_path: Path) -> Iterator[Callable[..., Server]]:
    started: list[Server] = []

    def start(**environment: str) -> Server:
        made = Server(fresh_database, conn, tmp_path, **environment)
        started.append(made)
        made.start()
        return made

    yield start
    for server in started:
        server.stop()


def left(conn: Any) -> list[tuple[Any, ...]]:
    return rows(conn, "SELECT (SELECT count(*) FROM attachment), (SELECT count(*) FROM attachment_part)")


def busy(conn: Any) -> int:
    """How many others hold a transaction open."""
    return int(rows(conn, "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%%'")[0][0])


def eventually(told: Callable[[], bool], seconds: float = 20) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if told():
            return True
        time.sleep(0.05)
    return False


def pieces(size: int) -> Iterator[bytes]:
    """A PDF of so many bytes, 64 KB at a time."""
    yield PDF
    given = len(PDF)
    while given < size:
        piece = hashlib.sha256(str(given).encode()).digest() * 2048
        yield piece[: size - given]
        given += len(piece)


def test_thirty_megabytes_come_in_and_go_out_in_little_memory(db, conn, who, case, serve):
    server = serve()
    session = server.session(who.bureau)
    warm = Sending(server, session, case, len(PDF))
    warm.send(PDF)
    assert warm.end()[0] == 303
    assert server.ask(f"/cases/{case}/files/1", session[0]) == (200, PDF)
    size, digest = 30 * MB, hashlib.sha256()
    before = server.memory("VmRSS")
    server.forget()
    sending = Sending(server, session, case, size)
    for piece in pieces(size):
        digest.update(piece)
        sending.send(piece)
    status, _ = sending.end()
    assert status == 303
    assert server.memory("VmHWM") - before < LITTLE
    ((kept, stored, parts),) = rows(
        conn, "SELECT sha256, size, (SELECT count(*) FROM attachment_part p WHERE p.attachment_id = a.id) FROM attachment a WHERE id = 2"
    )  # fmt: skip
    assert (kept, stored, parts) == (digest.hexdigest(), size, 30)
    before = server.memory("VmRSS")
    server.forget()
    status, given = server.ask(f"/cases/{case}/files/2", session[0])
    assert (status, hashlib.sha256(given).hexdigest()) == (200, kept)
    assert server.memory("VmHWM") - before < LITTLE
    assert verify(db).whole


@pytest.mark.parametrize("chunked", [False, True])
def test_two_hundred_megabytes_are_cut_off(conn, who, case, serve, chunked):
    server = serve()
    session = server.session(who.bureau)
    server.ask(f"/cases/{case}", session[0])
    before = server.memory("VmRSS")
    server.forget()
    sending = Sending(server, session, case, 200 * MB, chunked=chunked)
    with contextlib.suppress(ConnectionError, TimeoutError):
        for piece in pieces(200 * MB):
            sending.send(piece)
    assert sending.sent < 120 * MB
    with contextlib.suppress(ConnectionError):
        status, text = sending.answer()
        assert status == 413
        assert "1つ30 MBまでです" in text
    assert server.memory("VmHWM") - before < LITTLE
    assert left(conn) == [(0, 0)]
    assert eventually(lambda: busy(conn) == 0)
    assert server.ask(f"/cases/{case}", session[0])[0] == 200


def test_a_little_too_much_is_told_in_words(conn, who, case, serve):
    server = serve(FILE_LIMIT=str(MB))
    sending = Sending(server, server.session(who.bureau), case, 2 * MB)
    for piece in pieces(2 * MB):
        sending.send(piece)
    status, text = sending.end()
    assert (status, "1つ1 MBまでです" in text) == (413, True)
    assert left(conn) == [(0, 0)]


def test_a_sender_who_goes_away_leaves_nothing_and_may_come_back(conn, who, case, serve):
    server = serve()
    session = server.session(who.bureau)
    for _ in range(3):
        sending = Sending(server, session, case, 10 * MB)
        for _, piece in zip(range(50), pieces(10 * MB), strict=False):
            sending.send(piece)
        assert eventually(lambda: busy(conn) == 1)
        sending.socket.close()
        assert eventually(lambda: busy(conn) == 0)
        assert left(conn) == [(0, 0)]
    again = Sending(server, session, case, len(PDF))
    again.send(PDF)
    assert again.end()[0] == 303
    assert factory.version(conn, case) == 3


def test_a_sender_who_stalls_is_told_and_leaves_nothing(conn, who, case, serve):
    server = serve(REQUEST_SECONDS="1")
    sending = Sending(server, server.session(who.bureau), case, 10 * MB)
    for _, piece in zip(range(30), pieces(10 * MB), strict=False):
        sending.send(piece)
    status, text = sending.answer()
    assert status == 408
    assert "途中で止まりました" in text
    assert left(conn) == [(0, 0)]
    assert eventually(lambda: busy(conn) == 0)


def test_slow_senders_hold_no_page_up(conn, who, case, serve):
    server = serve(POOL_SIZE="4")
    people = [who.bureau, who.bureau_colleague, who.director, who.municipality]
    sendings = []
    for person in people:
        sendings.append(Sending(server, server.session(person), case, MB))
        sendings[-1].send(PDF)
    assert eventually(lambda: busy(conn) == 2)  # half of the connections
    cookie, _ = server.session(who.auditor)
    begun = time.monotonic()
    assert server.ask("/inbox", cookie)[0] == 200
    assert time.monotonic() - begun < 10
    for number, sending in enumerate(sendings):
        sending.send(bytes([number]) * (MB - len(PDF)))
    ends = [sending.end()[0] for sending in sendings]
    assert set(ends) <= {303, 503}
    for number in [number for number, status in enumerate(ends) if status == 503]:  # waited too long on a busy machine
        again = Sending(server, server.session(people[number]), case, MB)
        again.send(PDF + bytes([number]) * (MB - len(PDF)))
        assert again.end()[0] == 303
    assert rows(conn, "SELECT count(DISTINCT seq) FROM attachment") == [(len(people),)]


def test_the_server_killed_in_the_middle_leaves_nothing_and_the_form_sent_again_is_one_file(db, conn, who, case, serve):
    server = serve()
    session, key = server.session(who.bureau), str(uuid4())
    sending = Sending(server, session, case, 5 * MB, key)
    data = list(pieces(5 * MB))
    for piece in data[:60]:
        sending.send(piece)
    assert eventually(lambda: busy(conn) == 1)
    server.stop()
    assert eventually(lambda: busy(conn) == 0)
    assert left(conn) == [(0, 0)]
    server.start()
    for _ in range(2):
        again = Sending(server, session, case, 5 * MB, key)
        for piece in data:
            again.send(piece)
        assert again.end()[0] == 303
    assert left(conn) == [(1, 5)]
    assert factory.version(conn, case) == 3
    assert verify(db).whole
