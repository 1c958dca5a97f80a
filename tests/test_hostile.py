"""What nobody should send: read to the letter, or refused with the reason; never an error of ours, never a broken page.

The wire and the bodies go to the real server over a socket, files and arguments to the real command, and every form of
every page is sent back bent out of shape by Hypothesis, as every role.
"""

import contextlib
import logging
import os
import re
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import factory
from tests.conftest import Database as Urls
from tests.conftest import _create, _drop
from tests.hostility import EVERYTHING, NAMES, Form, encoded, forms_of
from tests.mail_server import free_port
from tests.test_permissions import COLUMNS, FEW, ROWS, Row, World, world  # noqa: F401 - the same prefecture, every route
from workflow import accounts, cases, db
from workflow.db import Database
from workflow.processes import end, launch
from workflow.servers import Postgres
from workflow.verify import verify
from workflow.web.session import cookie_name

EXAMPLES = int(os.environ.get("HOSTILE_EXAMPLES", "200"))  # of each kind; a soak takes thousands
PATIENCE = 2.0  # seconds that this server waits for something to come
MOST_GROWN = 64 * 1024  # KiB of memory that any of this may cost
MEGABYTE = 1024 * 1024

FORM = "Content-Type: application/x-www-form-urlencoded"
ACCOUNT = "INSERT INTO account (person_id, login, password_hash, failures, disabled) VALUES (%s, %s, 'none', 0, false)"


@dataclass
class Served:
    """The server as a process of its own, somebody signed in to it, a draft to write in."""

    port: int
    token: str
    csrf: str
    draft: int
    log: Path
    pid: int = 0

    def head(self, method: str, path: str, *lines: str) -> bytes:
        """A request of ours up to its body; `lines` come instead of what we would say."""
        ours = [
            f"Host: 127.0.0.1:{self.port}", f"Origin: http://127.0.0.1:{self.port}", f"Cookie: {cookie_name()}={self.token}", "Connection: close",
        ]  # fmt: skip
        told = [f"{method} {path} HTTP/1.1", *_instead(ours, lines), *lines, "", ""]
        return "\r\n".join(told).encode("latin-1")

    def post(self, body: bytes, *lines: str, path: str = "") -> bytes:
        told = [*_instead([FORM, f"Content-Length: {len(body)}"], lines), *lines]
        return self.head("POST", path or f"/cases/{self.draft}/edit", *told) + body

    def answer(self, sent: bytes | Iterable[bytes], seconds: float = 20) -> tuple[int, str]:
        """The status and the text of the answer; what could not be sent any more is left."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as connection:
            with contextlib.suppress(ConnectionError):
                for piece in [sent] if isinstance(sent, bytes) else sent:
                    connection.sendall(piece)
            got = bytearray()
            with contextlib.suppress(ConnectionError):
                while more := connection.recv(65536):
                    got += more
        told = bytes(got).removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
        assert told.startswith(b"HTTP/1."), told[:80]
        return int(told[9:12]), told.decode(errors="replace")

    def memory(self) -> int:
        """KiB of memory that the server holds now."""
        found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.pid}/status").read_text(encoding="ascii"))
        assert found is not None
        return int(found[1])


def _instead(ours: Iterable[str], lines: Iterable[str]) -> list[str]:
    said = {line.partition(":")[0] for line in lines}
    return [line for line in ours if line.partition(":")[0] not in said]


@pytest.fixture(scope="module")
def served(postgres: Postgres, database: Urls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    urls = _create(postgres, "hostile_wire", template=database.name)
    port, log = free_port(), tmp_path_factory.mktemp("hostile") / "web.log"
    db = Database(urls.app_url)
    try:
        with db.connection() as conn:
            who = factory.cast(conn)
            conn.execute(ACCOUNT, (who.bureau, "bureau"))
            session = accounts.open_session(conn, who.bureau)
            form = factory.request_form(conn, who)
            draft = cases.open_case(conn, who.bureau, "dispatch", "municipality_request", form)
        environment = {
            **{name: value for name, value in os.environ.items() if name not in ("REDIS_URL", "SMTP_URL", "DATABASE_OWNER_URL")},
            "DATABASE_URL": urls.app_url, "PUBLIC_URL": f"http://127.0.0.1:{port}", "TOBIDASHI_ENV": "pilot",
            "REQUEST_SECONDS": str(PATIENCE), "PYTHONUNBUFFERED": "1",
        }  # fmt: skip
        with log.open("ab") as out:
            started = launch(
                [sys.executable, "-m", "workflow", "serve", "--port", str(port)], log=out, environment=environment
            )
        made = Served(port, session.token, session.csrf, draft, log, started.pid)
        try:
            _until_it_answers(made)
            yield made
            assert made.answer(made.head("GET", "/inbox"))[0] == 200
        finally:
            end(started, [(signal.SIGTERM, 5.0)])
        told = log.read_text(encoding="utf-8", errors="replace")
        assert "Traceback" not in told, told[-4000:]
        assert not re.search(r"\b50[0-9]-[0-9A-F]{6}", told), told[-4000:]
    finally:
        db.close()
        _drop(postgres, urls)


def _until_it_answers(served: Served) -> None:
    for _ in range(900):
        with contextlib.suppress(OSError):
            if served.answer(served.head("GET", "/livez"))[0] == 200:
                return
        time.sleep(0.1)
    raise AssertionError(served.log.read_text(errors="replace")[-2000:])


# ── the wire ────────────────────────────────────────────────────────────────────────────────────────────────────────

BIG = "a" * MEGABYTE
HEADS = {  # what comes instead of GET /inbox with its headers: method, path, more headers; the answer
    "a megabyte of header": ("GET", "/inbox", [f"X-A: {BIG}"], {431}),
    "a megabyte of cookie": ("GET", "/inbox", [f"Cookie: x={BIG}"], {431}),
    "a megabyte of query": ("GET", f"/cases?q={BIG}", [], {400, 414, 431}),
    "a long query": ("GET", f"/cases?q={'a' * 20_000}", [], {414}),
    "a long path": ("GET", f"/cases/{'9' * 5000}", [], {414}),
    "a number beyond all numbers": ("GET", f"/cases/{'9' * 1900}", [], {404}),
    "ten thousand headers": ("GET", "/inbox", [f"X-{n}: 1" for n in range(10_000)], {431}),
    "NUL in a header": ("GET", "/inbox", ["X: a\0b"], {400}),
    "a header that is no text": ("GET", "/inbox", ["X: \xff\xfe"], {200}),
    "a cookie that is no text": ("GET", "/inbox", ["Cookie: tobidashi=\xff\xfe"], {303}),
    "a folded header": ("GET", "/inbox", ["X: a", " b"], {400}),
    "a second host": ("GET", "/inbox", ["Host: 127.0.0.1\r\nHost: example.invalid"], {400}),
    "a method that nobody knows": ("FROB", "/inbox", [], {400}),
    "a small method": ("get", "/inbox", [], {400}),
    "TRACE": ("TRACE", "/inbox", [], {405}),
    "PUT": ("PUT", "/inbox", [], {405}),
    "DELETE": ("DELETE", "/cases/1", [], {405}),
    "OPTIONS": ("OPTIONS", "*", [], {404, 405}),
    "an escape that is none": ("GET", "/cases?q=%zz", [], {400}),
    "half an escape": ("GET", "/cases?q=%", [], {400}),
    "an escape that is none, in the path": ("GET", "/cases/%zz", [], {400}),
    "a lone surrogate": ("GET", "/cases?q=%ED%A0%80", [], {400}),
    "a lone surrogate in the path": ("GET", "/cases/1/letters/%ED%A0%80", [], {400}),
    "overlong UTF-8": ("GET", "/cases?q=%C0%AF", [], {400}),
    "no UTF-8": ("GET", "/%FF", [], {400}),
    "NUL": ("GET", "/%00", [], {400}),
    "NUL in the query": ("GET", "/cases?q=%00", [], {400}),
    "characters without an escape": ("GET", "/\xe3\x81\x82", [], {400}),
    "a way out of the folder": ("GET", "/static/%2e%2e/%2e%2e/pyproject.toml", [], {404}),
    "another way out": ("GET", "/static/..%2f..%2fpyproject.toml", [], {404}),
    "somebody else's address": ("GET", "http://example.invalid/inbox", [], {200, 400}),
    "an origin that is no address": ("POST", "/logout", ["Origin: http://[::1", FORM, "Content-Length: 0"], {403}),
    "a referrer that is no address": ("POST", "/cases/1/edit", ["Cookie: a=b", "Referer: http://[::1/", FORM, "Content-Length: 0"], {401, 403}),
    "another protocol": ("GET", "/inbox", ["Connection: Upgrade, close", "Upgrade: websocket", "Sec-WebSocket-Key: eA==", "Sec-WebSocket-Version: 13"], {200, 400, 426}),
    "a year beyond all years": ("GET", f"/reports?year={'9' * 5000}", [], {200, 404}),
    "a day beyond all days": ("GET", "/audit?since=99999999999-99-99", [], {200, 404}),
    "a place that no list gave out": ("GET", f"/cases?after={'A' * 5000}", [], {400}),
    "a digit that is none": ("GET", "/cases/%C2%B2", [], {404}),
}  # fmt: skip


@pytest.mark.parametrize("name", HEADS)
def test_a_head_is_read_to_the_letter_or_refused(served: Served, name: str) -> None:
    method, path, lines, expected = HEADS[name]
    status, text = served.answer(served.head(method, path, *lines))
    assert status in expected, text[:300]
    if status in (414, 404) or (status == 400 and "Invalid HTTP request" not in text):
        assert "起きたこと" in text


@pytest.mark.parametrize("sent", [b"GET /inbox\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET /inbox HTTP/1.1\r\nConnection: close\r\n\r\n"])  # fmt: skip
def test_what_is_no_request_is_refused(served: Served, sent: bytes) -> None:
    assert served.answer(sent)[0] in (303, 400)


# ── bodies ──────────────────────────────────────────────────────────────────────────────────────────────────────────

BODIES = {
    "NUL": (b"request.title=%00", (), 400, "NUL"),
    "NUL in a name": (b"a%00=1", (), 400, "NUL"),
    "a lone surrogate": (b"request.title=%ED%A0%80", (), 400, "UTF-8"),
    "a surrogate in two escapes": (b"request.title=%ED%A0%80%ED%B0%80", (), 400, "UTF-8"),
    "overlong UTF-8": (b"request.title=%C0%AF", (), 400, "UTF-8"),
    "beyond Unicode": (b"request.title=%F5%80%80%80", (), 400, "UTF-8"),
    "no escape at all": ("request.title=生".encode(), (), 400, "UTF-8"),
    "an escape that is none": (b"request.title=%zz", (), 400, "%"),
    "half an escape": (b"request.title=%e3%8", (), 400, "%"),
    "2,001 fields": (b"&".join(b"a%d=1" % n for n in range(2001)), (), 400, "2000"),
    "another charset": (b"a=1", (f"{FORM}; charset=utf-7",), 400, "UTF-8"),
    "a type that is none": (b"a=1", ("Content-Type: \xff\xfe/x;;=",), 400, ""),
    "JSON": (b"[" * 100_000, ("Content-Type: application/json",), 400, ""),
    "parts without a boundary": (b"a=1", ("Content-Type: multipart/form-data",), 400, ""),
    "parts with an empty boundary": (b"a=1", ("Content-Type: multipart/form-data; boundary=",), 400, ""),
    "parts that never end": (b"--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n", ("Content-Type: multipart/form-data; boundary=x",), 400, ""),
    "a length that is none": (b"a=1", ("Content-Length: abc",), 400, ""),
    "a length below nothing": (b"a=1", ("Content-Length: -1",), 400, ""),
    "a length with a sign": (b"a=1", ("Content-Length: +3",), 400, ""),
    "two lengths": (b"a=1", ("Content-Length: 3", "Content-Length: 30"), 400, ""),
    "a length beyond all numbers": (b"a=1", (f"Content-Length: 1{'0' * 400}",), 400, ""),
    "a length and pieces": (b"0\r\n\r\n", ("Content-Length: 5", "Transfer-Encoding: chunked"), 400, ""),
    "pieces without a size": (b"zz\r\na\r\n", ("Transfer-Encoding: chunked",), 400, ""),
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_cannot_be_read_is_refused_with_the_reason(served: Served, name: str) -> None:
    body, lines, expected, said = BODIES[name]
    if "Transfer-Encoding: chunked" in lines and "Content-Length: 5" not in lines:
        sent = served.head("POST", f"/cases/{served.draft}/edit", FORM, *lines) + body
    else:
        sent = served.post(body, *lines)
    status, text = served.answer(sent)
    assert status == expected, text[:300]
    assert said in text


def pieces(total: int, size: int = 65536) -> Iterator[bytes]:
    """So many bytes of one field, in pieces as a chunked body sends them."""
    block = b"%x\r\n" % size + b"a" * size + b"\r\n"
    yield from (block for _ in range(total // size))
    yield b"0\r\n\r\n"


@pytest.mark.parametrize("path", ["", "/login"])
def test_two_hundred_megabytes_are_refused_and_cost_no_memory(served: Served, path: str) -> None:
    before, total = served.memory(), 200 * MEGABYTE
    announced = served.post(b"", f"Content-Length: {total}", path=path)
    block = b"a" * 65536
    status, text = served.answer(_then(announced, (block for _ in range(total // len(block)))))
    assert (status, "大きすぎます" in text) == (413, True)
    unannounced = served.head("POST", path or f"/cases/{served.draft}/edit", FORM, "Transfer-Encoding: chunked")
    status, text = served.answer(_then(unannounced, pieces(total)))
    assert (status, "大きすぎます" in text) == (413, True)
    assert served.memory() - before < MOST_GROWN


def _then(first: bytes, rest: Iterable[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def test_a_head_without_end_costs_no_memory(served: Served) -> None:
    before = served.memory()
    start = served.head("GET", "/inbox")[:-2]
    assert served.answer(_then(start + b"X-A: ", (b"a" * 65536 for _ in range(3200))))[0] == 431
    assert served.answer(_then(start, (b"X-%d: %s\r\n" % (n, b"a" * 4000) for n in range(50_000))))[0] == 431
    # Neither do fields behind a body in pieces.
    chunked = served.head("POST", f"/cases/{served.draft}/edit", FORM, "Transfer-Encoding: chunked") + b"0\r\n"
    assert served.answer(_then(chunked, (b"X-%d: %s\r\n" % (n, b"a" * 4000) for n in range(50_000))))[0] in (
        400,
        403,
        431,
    )
    assert served.memory() - before < MOST_GROWN


def test_who_sends_slowly_keeps_nobody_waiting(served: Served) -> None:
    """Fifty half-sent forms hold no connection to the database; each is told so, and the others are served meanwhile."""
    told: list[int] = []

    def half(sent: bytes) -> None:
        told.append(served.answer(sent)[0])

    slow = [served.post(b"a=1", "Content-Length: 1000") for _ in range(50)] + [b"GET /inbox HT"] * 5
    threads = [threading.Thread(target=half, args=(sent,)) for sent in slow]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    for _ in range(5):
        begun = time.monotonic()
        assert served.answer(served.head("GET", "/inbox"))[0] == 200
        assert time.monotonic() - begun < PATIENCE / 2
    for thread in threads:
        thread.join(30)
    assert told == [408] * 55


# ── every form, bent out of shape ───────────────────────────────────────────────────────────────────────────────────

Change = tuple[str, int, str, str]  # what is done, to which field, a name, a value

values = st.one_of(
    st.sampled_from(EVERYTHING), st.text(st.characters(exclude_categories=()), max_size=40), st.integers().map(str)
)
changes = st.lists(
    st.tuples(
        st.sampled_from(("put", "put", "all", "drop", "twice", "rename", "add")), st.integers(0, 400), st.sampled_from(NAMES), values
    ),
    min_size=1, max_size=6,
)  # fmt: skip


def bent(fields: list[tuple[str, str]], wanted: list[Change]) -> list[tuple[str, str]]:
    """The fields after these changes; the token of the form stays, since nothing is read without it."""
    kept = [pair for pair in fields if pair[0] == "csrf"]
    others = [pair for pair in fields if pair[0] != "csrf"]
    for what, place, name, value in wanted:
        here = place % len(others) if others else 0
        if what == "add" or not others:
            others.append((name, value))
        elif what == "drop":
            del others[here]
        elif what == "twice":
            others.insert(here, (others[here][0], value))
        elif what == "rename":
            others[here] = (name, others[here][1])
        elif what == "all":  # but what the page itself put in
            others = [(n, v if n in ("version", "saves", "key", "do") else value) for n, v in others]
        else:
            others[here] = (others[here][0], value)
    return kept + others


class Bender:
    """Signed-in browsers of everybody, and the pages on which each of them finds something to send."""

    def __init__(self, world: World) -> None:  # noqa: F811 - the fixture's own
        self.world = world
        everybody = COLUMNS + FEW
        self.browsers = {column: world.client(column) for column in everybody}
        pages = [(c, row) for row in ROWS if row.method == "GET" for c, told in row.expected.items() if told == 200]
        self.pages = [(column, row) for column, row in pages if column != "nobody"]
        self.sending = [(column, row) for column, row in self.pages if self.form_on(column, row, 0)]
        self.posts = [(column, row) for row in ROWS if row.method == "POST" for column in everybody]

    def send(self, column: str, address: str, fields: list[tuple[str, str]], changed: list[Change]) -> None:
        client, csrf = self.browsers[column]
        body = encoded(bent([("csrf", csrf), *((n, v) for n, v in fields if n != "csrf")], changed))
        answer = client.post(address, content=body, headers={"Content-Type": "application/x-www-form-urlencoded"})
        self.judge(answer, column, address, body)
        if answer.status_code == 303:
            following = client.get(answer.headers["location"])
            self.judge(following, column, answer.headers["location"], body)

    def judge(self, answer: Any, column: str, address: str, body: bytes) -> None:
        assert answer.status_code < 500, (answer.status_code, column, address, body[:2000], answer.text[:1500])
        assert answer.status_code in (200, 303, 400, 401, 403, 404, 405, 409, 413, 422), (answer.status_code, address)
        if answer.headers.get("content-type", "").startswith("text/html"):
            assert "<script>alert" not in answer.text
            assert "Traceback" not in answer.text

    def form_on(self, column: str, row: Row, place: int) -> tuple[str, Form] | None:
        """A form of the page as it is now, and where it goes; pages change while they are used."""
        address = row.address(self.world)
        answer = self.browsers[column][0].get(address)
        self.judge(answer, column, address, b"")
        found = forms_of(answer.text) if "html" in answer.headers.get("content-type", "") else []
        found = [form for form in found if urlsplit(form.action).path != "/logout"]
        return (address, found[place % len(found)]) if found else None


@pytest.fixture
def bender(world: World) -> Bender:  # noqa: F811
    return Bender(world)


def test_no_name_that_no_page_has_breaks_one(bender: Bender) -> None:
    """Each name by itself, in the forms that hold most."""
    for column, path in (
        ("municipality", "/cases/{case_id:int}/edit"),
        ("bureau", "/cases/{case_id:int}/actions/{action}"),
        ("records", "/cases/{case_id:int}/erase"),
    ):
        row = next(row for c, row in bender.sending if c == column and row.path == path)
        found = bender.form_on(column, row, 0)
        assert found is not None
        address, form = found
        for name in NAMES:
            for value in ("あ", "0"):
                bender.send(column, form.action or address, form.fields, [("add", 0, name, value)])


@pytest.mark.timeout(0 if EXAMPLES > 300 else 300)
def test_no_form_sent_back_in_whatever_shape_breaks_a_page(bender: Bender, caplog: pytest.LogCaptureFixture) -> None:
    often = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))

    @often
    @given(st.sampled_from(bender.sending), st.integers(0, 50), st.integers(0, 50), changes)
    def on_pages(whose: tuple[str, Row], place: int, button: int, changed: list[Change]) -> None:
        column, row = whose
        found = bender.form_on(column, row, place)
        if found is None:  # the page has been used up
            return
        address, form = found
        pressed = form.buttons[button % len(form.buttons)] if form.buttons else ("", "", "")
        fields = [*form.fields, *([pressed[:2]] if pressed[0] else [])]
        bender.send(column, pressed[2] or form.action or address, fields, changed)

    @often
    @given(st.sampled_from(bender.posts), changes)
    def on_routes(whose: tuple[str, Row], changed: list[Change]) -> None:
        column, row = whose
        bender.send(column, row.address(bender.world), list(row.fields(bender.world).items()), changed)

    with caplog.at_level(logging.ERROR):
        on_pages()
        on_routes()
        # Whatever was stored by it is shown by every page, and the whole history holds.
        for column, row in bender.pages:
            address = row.address(bender.world)
            bender.judge(bender.browsers[column][0].get(address), column, address, b"")
    assert [record.getMessage() for record in caplog.records] == []
    assert verify(db.database()).whole
