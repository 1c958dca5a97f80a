"""What guards every request and response, as plain ASGI: headers, addresses, origin of unsafe requests, bodies, last resort."""

import asyncio
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from urllib.parse import unquote_to_bytes, urlsplit

from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from workflow.settings import settings
from workflow.web import errors

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

LONGEST_PATH, LONGEST_QUERY = 2 * 1024, 16 * 1024  # bytes
LONGEST_HEAD = 64 * 1024  # bytes of all header fields
_DRAIN = 16 * 1024 * 1024  # bytes of a refused form that are taken all the same
_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


class SecurityHeaders:
    """Puts the headers on every response, errors included; what says nothing about caching is not kept anywhere."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
                if settings().secure:
                    headers["Strict-Transport-Security"] = "max-age=31536000"
            await send(message)

        await self.app(scope, receive, send_guarded if scope["type"] == "http" else send)


class LastResort:
    """Turns what nobody foresaw into a page with an id, and goes on serving."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def send_watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, send_watched)
        except ClientDisconnect:
            return  # whoever asked has gone
        except Exception as error:
            if scope["type"] != "http" or started:
                raise
            request = Request(scope, receive)
            typed = await errors.typed_text(request)
            await errors.respond(request, errors.for_status(500), typed, error)(scope, receive, send)


class SameOrigin:
    """Refuses requests whose head cannot be read to the letter, and unsafe ones that did not come from our own pages."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            wrong = wrong_head(scope)
            if wrong:
                await _refuse(wrong, scope, receive, send)
                return
            if scope["method"] not in SAFE_METHODS and not from_our_pages(Headers(scope=scope)):
                await errors.respond(Request(scope), errors.STALE_FORM, [])(scope, receive, send)
                return
        await self.app(scope, receive, send)


def wrong_head(scope: Scope) -> int:
    """The status that refuses what stands before the body; 0 where nothing is wrong with it.

    An address is UTF-8 with whole escapes and no NUL: what a framework would mend in silence is not what was typed.
    """
    path, query = scope.get("raw_path") or b"", scope["query_string"]
    if len(path) > LONGEST_PATH or len(query) > LONGEST_QUERY:
        return 414
    if sum(len(name) + len(value) + 4 for name, value in scope["headers"]) > LONGEST_HEAD:
        return 431
    for part in (path, query):
        try:
            plain = unquote_to_bytes(part).decode()
        except UnicodeDecodeError:
            return 400
        if "\0" in plain or _BROKEN_ESCAPE.search(part):
            return 400
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    return 400 if len(hosts) > 1 or (not hosts and scope["http_version"] == "1.1") else 0


def from_our_pages(headers: Headers) -> bool:
    """What the browser says of the page that sent the request; where it says nothing, or nothing readable, no."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    try:
        origin = urlsplit(headers.get("origin", ""))
    except ValueError:
        return False
    return bool(origin.netloc) and origin.netloc == headers.get("host")


@dataclass(frozen=True)
class Larger:
    """Where more is taken than a form: the addresses, the bytes of a whole body, what is said of one beyond them."""

    path: re.Pattern[str]
    limit: int
    sentence: str


class BodyLimit:
    """Refuses bodies beyond the limit before anybody parses them, and those that stop coming for `seconds`."""

    def __init__(self, app: ASGIApp, limit: int, seconds: float, larger: Sequence[Larger] = ()) -> None:
        self.app = app
        self.limit = limit
        self.seconds = seconds
        self.larger = larger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        place = next((larger for larger in self.larger if larger.path.fullmatch(scope["path"])), None)
        taking = _Taking(receive, place.limit if place else self.limit, self.seconds)
        announced = Headers(scope=scope).get("content-length", "0")
        if not announced.isdecimal() or len(announced) > 18 or int(announced) > taking.limit:
            answer = taking.answer(send, 3 * place.limit if place else _DRAIN)
            await _refuse(413, scope, receive, answer, place.sentence if place else "")
            return
        await self.app(scope, taking, taking.answer(send, place.limit) if place else send)


class _Taking:
    """A body as it comes, held against its limit and the seconds for each piece."""

    def __init__(self, receive: Receive, limit: int, seconds: float) -> None:
        self.receive, self.limit, self.seconds = receive, limit, seconds
        self.taken, self.complete = 0, False

    async def __call__(self) -> Message:
        try:
            # Behind the last piece comes only that the browser went away: that may take as long as the answer does.
            async with asyncio.timeout(None if self.complete else self.seconds):
                message = await self.receive()
        except TimeoutError:
            raise HTTPException(408) from None
        self.complete = not message.get("more_body")
        self.taken += len(message.get("body", b""))
        if self.taken > self.limit:
            raise HTTPException(413)
        return message

    def answer(self, send: Send, most: int) -> Send:
        """The way back from a body that was refused at its beginning: so much of the rest is taken first, then it is cut off."""

        async def send_when_taken(message: Message) -> None:
            if message["type"] == "http.response.start" and not self.complete:
                room = most - self.taken if self.taken <= self.limit else 0
                if not room or not await _drain(self.receive, room, self.seconds):
                    MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        return send_when_taken


async def _drain(receive: Receive, most: int, seconds: float) -> bool:
    """Drop what still comes, for so many bytes and seconds: a browser reads the answer only when its body was taken.

    Whether it was all of it.
    """
    taken, more = 0, True
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while more and taken <= most:
                message = await receive()
                taken += len(message.get("body", b""))
                more = bool(message.get("more_body"))
    return not more


async def _refuse(status: int, scope: Scope, receive: Receive, send: Send, sentence: str = "") -> None:
    trouble = errors.for_status(status)
    trouble = replace(trouble, happened=sentence or trouble.happened)
    await errors.respond(Request(scope), trouble, [])(scope, receive, send)
