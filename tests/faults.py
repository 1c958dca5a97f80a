"""Real faults for the tests: a proxy before PostgreSQL that can swallow one reply after the server has done its work."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import make_url


class Proxy:
    """A TCP proxy on a free loopback port, before the server's socket. `eat` makes it drop one connection instead of delivering the awaited reply."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._marker = b""
        self._open: list[socket.socket] = []
        self.port: int = self._listening.getsockname()[1]
        self.eaten = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def eat(self, marker: bytes) -> None:
        """Swallow the reply to the next request that contains these bytes, and cut that connection."""
        self._marker = marker

    def close(self) -> None:
        self._listening.close()
        for end in self._open:
            _cut(end)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(str(self._target))
                self._open += [client, server]
                awaited = threading.Event()
                threading.Thread(target=self._requests, args=(client, server, awaited), daemon=True).start()
                threading.Thread(target=self._replies, args=(server, client, awaited), daemon=True).start()

    def _requests(self, client: socket.socket, server: socket.socket, awaited: threading.Event) -> None:
        tail = b""
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
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
                if awaited.is_set():
                    # PostgreSQL answers after the commit: what was asked for is done, and nobody will hear of it.
                    self.eaten += 1
                    break
                client.sendall(data)
        _cut(client)
        _cut(server)


def _cut(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()


@contextmanager
def proxied(url: str) -> Iterator[tuple[Proxy, str]]:
    """A proxy before the database of this URL, and the URL that leads through it."""
    target = make_url(url)
    proxy = Proxy(Path(str(target.query["host"])) / f".s.PGSQL.{target.query['port']}")
    try:
        yield proxy, target.set(host="127.0.0.1", port=proxy.port, query={}).render_as_string(hide_password=False)
    finally:
        proxy.close()
