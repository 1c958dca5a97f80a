"""A multipart form that brings a file: its fields are read first, then the file piece by piece, never the whole of it.

The token of the session comes in the first field, so that nothing of a foreign form is looked at, let alone stored.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect

from workflow.settings import settings
from workflow.web.errors import HOME, UNCHANGED, Trouble
from workflow.web.posted import BadForm, Fields

PIECE = 1024 * 1024  # bytes of a file that are stored at once
AGE = 15.0  # seconds after which a smaller piece is stored: no transaction waits idle for a slow line
LONGEST = 15 * 60.0  # seconds that one file may take
MOST_FIELDS, MOST_BYTES = 20, 64 * 1024  # before the file
SLICE = 64 * 1024  # bytes that are parsed at once
PATIENCE = 25.0  # seconds to wait for others' files

STALLED = "送られた内容を、最後まで受け取れませんでした。もう一度送ってください。"
UNREADABLE = "ファイルを送る様式(multipart/form-data、UTF-8)で送られていません。画面のボタンから送ってください。"
SEVERAL = "一度に添えられるファイルは1つです。1つずつ添えてください。"
BUSY = Trouble(
    503, "いま、ほかのファイルを受け取っています", "少し待ってから、もう一度添えてください。", UNCHANGED, (HOME,)
)


class Incoming:
    """A form that still arrives: `fields` once it has begun, the name of its file, and the file's pieces."""

    def __init__(self, request: Request) -> None:
        """Raises `BadForm` for what is no such form."""
        kind, options = parse_options_header(request.headers.get("content-type", ""))
        self.fields, self.name = Fields(), ""
        self._headers: dict[bytes, bytes] = {}
        self._field, self._value = bytearray(), bytearray()
        self._told: deque[tuple[str, bytes]] = deque()
        self._until = time.monotonic() + LONGEST
        try:
            self._parser = MultipartParser(
                options.get(b"boundary", b""),
                {
                    "on_part_begin": self._headers.clear,
                    "on_header_field": lambda data, start, end: self._field.extend(data[start:end]),
                    "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
                    "on_header_end": self._header,
                    "on_headers_finished": lambda: self._told.append(
                        ("part", self._headers.get(b"content-disposition", b""))
                    ),
                    "on_part_data": lambda data, start, end: self._told.append(("data", data[start:end])),
                    "on_part_end": lambda: self._told.append(("end", b"")),
                    "on_end": lambda: self._told.append(("over", b"")),
                },
            )
        except FormParserError as error:
            raise BadForm(UNREADABLE) from error
        if kind != b"multipart/form-data" or not options.get(b"boundary"):
            raise BadForm(UNREADABLE)
        self._events = self._read(request)

    async def begin(self) -> None:
        """Read the fields, up to the beginning of the file. Raises `BadForm`."""
        pairs: list[tuple[str, bytearray]] = []
        size = 0
        async for event, data in self._events:
            if event == "part":
                name, file = _disposition(data)
                if file is not None:
                    self.fields, self.name = _fields(pairs), file
                    return
                pairs.append((name, bytearray()))
            elif event == "data" and pairs:
                pairs[-1][1].extend(data)
                size += len(data)
            if len(pairs) > MOST_FIELDS or size > MOST_BYTES or (pairs and pairs[0][0] != "csrf"):
                raise BadForm(UNREADABLE)
        self.fields = _fields(pairs)

    async def pieces(self) -> AsyncIterator[bytes]:
        """The file, a piece at a time. Raises `BadForm` where it breaks off or another one follows."""
        held, since = bytearray(), time.monotonic()
        async for event, data in self._events:
            if event == "part":
                raise BadForm(SEVERAL)
            held += data
            while len(held) >= PIECE or (held and time.monotonic() - since > AGE):
                yield bytes(held[:PIECE])
                del held[:PIECE]
                since = time.monotonic()
        if held:
            yield bytes(held)

    async def _read(self, request: Request) -> AsyncIterator[tuple[str, bytes]]:
        """What the parser tells, until the form is over. Raises `BadForm` where it never is."""
        try:
            async for chunk in request.stream():
                if time.monotonic() > self._until:
                    raise BadForm(STALLED)
                for start in range(0, len(chunk), SLICE):
                    self._parser.write(chunk[start : start + SLICE])
                    while self._told:
                        event, data = self._told.popleft()
                        if event == "over":
                            return
                        yield event, data
        except FormParserError as error:
            raise BadForm(UNREADABLE) from error
        except ClientDisconnect as error:
            raise BadForm(STALLED) from error
        raise BadForm(STALLED)

    def _header(self) -> None:
        self._headers[bytes(self._field).lower()] = bytes(self._value)
        self._field.clear()
        self._value.clear()


def _disposition(header: bytes) -> tuple[str, str | None]:
    """The name of a part, and of its file where it has one. Raises `BadForm`."""
    _, options = parse_options_header(header)
    file = options.get(b"filename")
    try:
        # A browser writes a quotation mark in a name as %22.
        return options.get(b"name", b"").decode(), None if file is None else file.decode().replace("%22", '"')
    except UnicodeDecodeError as error:
        raise BadForm("ファイルの名前の文字コードが UTF-8 でないため、読み取れません。") from error


def _fields(pairs: list[tuple[str, bytearray]]) -> Fields:
    try:
        found = [(name, value.decode().replace("\r\n", "\n")) for name, value in pairs]
    except UnicodeDecodeError as error:
        raise BadForm(UNREADABLE) from error
    if any("\0" in name or "\0" in value for name, value in found):
        raise BadForm("使えない文字(NUL)が入っています。その文字を消して、もう一度送ってください。")
    return Fields(found)


async def incoming(request: Request) -> Incoming:
    """The form, read up to its file. Stands before the sign-in among a route's parameters, which looks at its fields."""
    request.state.fields = BadForm(STALLED)
    made = Incoming(request)
    await made.begin()
    request.state.fields = made.fields
    return made


Uploaded = Annotated[Incoming, Depends(incoming)]

_taken: set[int] = set()  # who is sending a file to this process


@asynccontextmanager
async def turn(person_id: int) -> AsyncIterator[None]:
    """One file a person, and so many at once that pages never wait for a connection. Raises `Trouble` after some patience."""
    until = time.monotonic() + PATIENCE
    while person_id in _taken or len(_taken) >= max(1, settings().pool_size // 2):
        if time.monotonic() > until:
            raise replace(BUSY)
        await asyncio.sleep(0.05)
    _taken.add(person_id)
    try:
        yield
    finally:
        _taken.discard(person_id)
