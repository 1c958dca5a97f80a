"""What guards every request and response, as plain ASGI: headers, origin of unsafe requests, size of bodies, last resort."""

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from workflow.settings import settings
from workflow.web import errors

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

_DRAIN = 16 * 1024 * 1024  # a browser reads the answer only when its body was taken


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
        except Exception as error:
            if scope["type"] != "http" or started:
                raise
            request = Request(scope, receive)
            typed = await errors.typed_text(request)
            await errors.respond(request, errors.for_status(500), typed, error)(scope, receive, send)


class SameOrigin:
    """Refuses unsafe requests that did not come from our own pages, and addresses with NUL."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if "\0" in scope["path"] or b"%00" in scope["query_string"]:
                await _refuse(400, scope, receive, send)
                return
            if scope["method"] not in SAFE_METHODS and not from_our_pages(Headers(scope=scope)):
                await errors.respond(Request(scope), errors.STALE_FORM, [])(scope, receive, send)
                return
        await self.app(scope, receive, send)


def from_our_pages(headers: Headers) -> bool:
    """What the browser says of the page that sent the request; where it says nothing, no."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = urlsplit(headers.get("origin", ""))
    return bool(origin.netloc) and origin.netloc == headers.get("host")


class BodyLimit:
    """Refuses bodies beyond the limit before anybody parses them."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        if not announced.isdecimal() or int(announced) > self.limit:
            await _drain(receive)
            await _refuse(413, scope, receive, send)
            return
        await self.app(scope, _limited(receive, self.limit), send)


def _limited(receive: Receive, limit: int) -> Callable[[], Awaitable[Message]]:
    taken = 0

    async def receive_limited() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > limit:
            raise HTTPException(413)
        return message

    return receive_limited


async def _drain(receive: Receive) -> None:
    taken = 0
    while taken < _DRAIN:
        message = await receive()
        taken += len(message.get("body", b""))
        if not message.get("more_body"):
            return


async def _refuse(status: int, scope: Scope, receive: Receive, send: Send) -> None:
    await errors.respond(Request(scope), errors.for_status(status), [])(scope, receive, send)
