"""The address for calendar software: its page, and what it answers. Whoever has the address reads; it changes nothing."""

import hashlib
import time
from threading import Lock

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from workflow import feed
from workflow.loading import NotFound
from workflow.settings import settings
from workflow.web.render import page
from workflow.web.session import Connection, SignedIn

router = APIRouter()

ADDRESS = "/feed"
MINUTE, MOST = 60.0, 30  # readings of one address in a minute
_readings: dict[str, tuple[float, int]] = {}
_lock = Lock()


@router.get(ADDRESS)
def show(request: Request, conn: Connection, signed: SignedIn, done: str = "") -> Response:
    made = feed.made_at(conn, signed.actor.person_id)
    return page(request, signed, "feed.html", made=made, address="", ended=done == "ended" and made is None)


@router.post(ADDRESS)
def make(request: Request, conn: Connection, signed: SignedIn) -> Response:
    """A new address, shown on this one page: only its digest is kept."""
    token = feed.make(conn, signed.actor.person_id)
    address = f"{settings().public_url.rstrip('/')}{ADDRESS}/{token}.ics"
    made = feed.made_at(conn, signed.actor.person_id)
    return page(request, signed, "feed.html", made=made, address=address, ended=False)


@router.post(ADDRESS + "/stop")
def stop(conn: Connection, signed: SignedIn) -> Response:
    """The address is good for nothing any more."""
    feed.revoke(conn, signed.actor.person_id)
    return RedirectResponse(f"{ADDRESS}?done=ended", 303)


@router.get(ADDRESS + "/{token}.ics")
def read(request: Request, conn: Connection, token: str) -> Response:
    """The calendar; 304 where the reader has it already, 404 for an address that is good for nothing."""
    person = feed.person_of(conn, token)
    if person is None:
        raise NotFound
    if not _within_limit(token):
        return Response(status_code=429, headers={"Retry-After": str(int(MINUTE))})
    data = feed.written(conn, person)
    tag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    headers = {
        "ETag": tag,
        "Cache-Control": "private, no-cache",
        "Content-Disposition": 'inline; filename="tobidashi.ics"',
    }
    known = [mark.strip().removeprefix("W/") for mark in request.headers.get("if-none-match", "").split(",")]
    if tag in known or known == ["*"]:
        return Response(status_code=304, headers=headers)
    return Response(data, media_type="text/calendar; charset=utf-8", headers=headers)


def _within_limit(token: str) -> bool:
    """Whether this address has not been read too often within the last minute, by this process."""
    name, now = feed.digest(token).hex(), time.monotonic()
    with _lock:
        since, count = _readings.get(name, (now, 0))
        if now - since >= MINUTE:
            since, count = now, 0
        if len(_readings) > 10_000:
            _readings.clear()
        _readings[name] = (since, count + 1)
    return count < MOST
