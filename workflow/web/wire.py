"""The server's HTTP protocol with an end to its patience: no endless head, no head that never comes.

Uvicorn bounds bodies by flow control and leaves heads to a proxy in front. A small installation has none, so memory and
idle connections are bounded here; what fits is judged by `security`, with a page that says what was wrong.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from workflow.settings import settings

MOST = 128 * 1024  # bytes that may arrive before a head is whole, or without any of the body


class Bounded(HttpToolsProtocol):
    """Answers 431 to a head that grows on and on, 408 to one that stops coming."""

    _waiting: asyncio.TimerHandle | None = None
    _reading_head = False
    _idle = 0  # bytes since the head began, or since the body last grew

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._idle += len(data)
        super().data_received(data)
        if self._idle > MOST and not self.transport.is_closing():
            self._refuse(431)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._reading_head = True
        if self._waiting is None:
            self._wait()

    def on_headers_complete(self) -> None:
        self._wait_no_more()
        self._reading_head, self._idle = False, 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._idle = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._idle = 0
        super().on_message_complete()

    def _wait(self) -> None:
        self._waiting = self.loop.call_later(settings().request_seconds, self._too_late)

    def _wait_no_more(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _too_late(self) -> None:
        self._waiting = None
        if self._reading_head:
            self._refuse(408)
        else:
            self.transport.close()  # nothing was asked

    def _refuse(self, status: int) -> None:
        """An answer without a page: so far nobody knows what was asked."""
        answering: Any = self.cycle
        if answering is None or not answering.response_started or answering.response_complete:
            self.transport.write(STATUS_LINE[status] + b"content-length: 0\r\nconnection: close\r\n\r\n")
        self.transport.close()
