"""Real faults for the tests: a proxy before a server that refuses, hangs, resets or swallows replies, as it is told."""

import contextlib
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from sqlalchemy.engine import make_url

Fault = Literal["", "refuse", "hang", "reset", "eat"]
FAULTS: tuple[Fault, ...] = ("refuse", "hang", "reset", "eat")
_RESET = struct.pack("ii", 1, 0)  # closing sends RST


class Proxy:
    """A TCP proxy on a free loopback port, before a server at a socket's path or a port.

    `fault` says what happens from now on: "refuse" takes no connection, "hang" takes it and moves nothing, "reset" breaks
    it, "eat" delivers what is asked and swallows every answer. Connections that stand are broken too, except by "hang".
    """

    def __init__(self, target: Path | int) -> None:
        self._target = target
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._marker = b""
        self._open: list[socket.socket] = []
        self._flows = threading.Event()
        self._flows.set()
        self._fault: Fault = ""
        self._closed = False
        self.eaten = 0
        self.taken = 0  # connections, ever
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def fault(self) -> Fault:
        return self._fault

    @fault.setter
    def fault(self, fault: Fault) -> None:
        was, self._fault = self._fault, fault
        if fault == "hang":
            self._flows.clear()
        else:
            # What a hanging line held back is lost with it.
            self.cut()
            self._flows.set()
        if fault == "refuse":
            _cut(self._listening)
        elif was == "refuse":
            self._listening = socket.create_server(("127.0.0.1", self.port))
            threading.Thread(target=self._accept, daemon=True).start()

    def eat(self, marker: bytes) -> None:
        """Swallow the reply to the next request that contains these bytes, and cut that connection."""
        self._marker = marker

    def cut(self) -> None:
        """Break every connection that stands."""
        ends, self._open = self._open, []
        for end in ends:
            _cut(end, reset=self._fault == "reset")

    def close(self) -> None:
        self._closed = True
        _cut(self._listening)
        self.cut()
        self._flows.set()

    def _accept(self) -> None:
        listening = self._listening
        with contextlib.suppress(OSError):
            while not self._closed:
                client, _ = listening.accept()
                self.taken += 1
                if self._fault == "reset":
                    _cut(client, reset=True)
                    continue
                try:
                    server = self._server()
                except OSError:
                    _cut(client)
                    continue
                self._open += [client, server]
                awaited = threading.Event()
                threading.Thread(target=self._requests, args=(client, server, awaited), daemon=True).start()
                threading.Thread(target=self._replies, args=(server, client, awaited), daemon=True).start()

    def _server(self) -> socket.socket:
        if isinstance(self._target, int):
            return socket.create_connection(("127.0.0.1", self._target))
        server = socket.socket(socket.AF_UNIX)
        server.connect(str(self._target))
        return server

    def _requests(self, client: socket.socket, server: socket.socket, awaited: threading.Event) -> None:
        tail = b""
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                self._flows.wait()
                seen, marker = tail + data, self._marker
                tail = seen[-256:]
                if marker and marker in seen:
                    self._marker = b""
                    awaited.set()
                server.sendall(data)
        _cut(server)

    def _replies(self, server: socket.socket, client: socket.socket, awaited: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                self._flows.wait()
                if awaited.is_set() or self._fault == "eat":
                    # PostgreSQL answers after the commit: what was asked for is done, and nobody will hear of it.
                    self.eaten += 1
                    break
                client.sendall(data)
        _cut(client)
        _cut(server)


def _cut(end: socket.socket, *, reset: bool = False) -> None:
    with contextlib.suppress(OSError):
        if reset:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        else:
            end.shutdown(socket.SHUT_RDWR)
    end.close()


@contextmanager
def proxied(url: str) -> Iterator[tuple[Proxy, str]]:
    """A proxy before the server of this URL (a database, a broker, a mail server), and the URL that leads through it."""
    target = make_url(url)
    folder = target.query.get("host")
    proxy = Proxy(Path(str(folder)) / f".s.PGSQL.{target.query['port']}" if folder else int(target.port or 0))
    query = {name: value for name, value in target.query.items() if name not in ("host", "port")}
    through = target.set(host="127.0.0.1", port=proxy.port, query=query)
    try:
        yield proxy, through.render_as_string(hide_password=False)
    finally:
        proxy.close()


# Imports once, then works in children that may be killed; says who the present one is.
_KEEPER = """
import os
from workflow import db, digests, moving, outbox, watch
while True:
    child = os.fork()
    if not child:
        while True:
            {work}
    print(child, flush=True)
    os.waitpid(child, 0)
"""


class Keeper:
    """A process that does the same work again and again, and comes back when it is killed.

    `work` is a statement over the modules of the clock, as in `watch.remind(db.database())`.
    """

    def __init__(self, work: str, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _KEEPER.format(work=work)], cwd=Path(__file__).parents[1], env=environment,
            stdout=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        self._children = self._process.stdout
        self._child = int(self._children.readline())

    def kill(self) -> None:
        """Kill -9 of what works now; another has begun when this returns."""
        os.kill(self._child, signal.SIGKILL)
        self._child = int(self._children.readline())

    def end(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._children.close()
