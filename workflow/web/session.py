"""Who is asking: the cookie, the session behind it, the posts of this moment, and the token that every form carries.

A route is open to nobody unless it depends on `current` (as `SignedIn`; on `current_for_long`, where the body takes its time)
or stands in the list of public ones.
"""

import hmac
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated
from urllib.parse import quote, urlsplit

from fastapi import Depends, Path, Request
from starlette.responses import Response

from workflow import accounts, queries
from workflow.access import TODAY, Actor, actor
from workflow.db import database, type_connection
from workflow.settings import settings
from workflow.web.errors import STALE_FORM, Trouble, Way
from workflow.web.held import same_person, token_for
from workflow.web.posted import Posted
from workflow.web.render import Signed
from workflow.web.security import SAFE_METHODS


def connection(fields: Posted) -> Iterator[type_connection]:
    """A connection in autocommit for one request; taken when its body has come, given back before the response leaves."""
    with database().connection() as conn:
        yield conn


Connection = Annotated[type_connection, Depends(connection, scope="function")]
RowId = Annotated[int, Path(ge=1, le=2**63 - 1)]


class SignInNeeded(Exception):
    """Nobody is signed in; the page is shown after the sign-in."""


class SentEarlier(Exception):
    """A form of an earlier session of the same person; it may be sent again, with the token of this one."""


def current(request: Request, conn: Connection, fields: Posted) -> Signed:
    """The signed-in person. Unsafe requests must carry the session's token. Raises `SignInNeeded`, `SentEarlier`, `Trouble`."""
    live = accounts.live_session(conn, request.cookies.get(cookie_name(), ""))
    if live is None:
        raise SignInNeeded
    person = actor(conn, live.person_id)
    if person is None:
        raise SignInNeeded
    token = token_for(live.csrf, person.person_id)
    signed = Signed(person, token, queries.waiting(conn, person.person_id), _contact(conn, person))
    request.state.signed = signed
    sent = fields.get("csrf", "")
    if request.method not in SAFE_METHODS and not hmac.compare_digest(
        sent.partition(".")[0].encode(), live.csrf.encode()
    ):
        if same_person(sent, person.person_id):
            raise SentEarlier
        raise replace(STALE_FORM, hides="." in sent)  # somebody else's words are not shown to this person
    if not person.posts and request.url.path != "/logout":
        raise replace(NO_POST)
    return signed


SignedIn = Annotated[Signed, Depends(current, scope="function")]


def current_for_long(request: Request, fields: Posted) -> Signed:
    """The signed-in person of a request that takes minutes: like `current`, with no connection held afterwards."""
    with database().connection() as conn:
        return current(request, conn, fields)


SignedInForLong = Annotated[Signed, Depends(current_for_long, scope="function")]

NO_POST = Trouble(
    403,
    "いま就いている職がありません",
    "今日の日付で有効な職が登録されていません。新しい職は、発令日の0時から使えます。所属の庶務担当に確かめてください。",
    "前の職で書いたものは、その所属に残っています。",
    (Way("/inbox", "もう一度開く", "職の登録が済んだら、受信箱を開く"),),
)

# Whom to ask: the contact of the first post's organisation; a municipality asks its bureau.
_CONTACT = f"""SELECT coalesce(nullif(u.contact, ''), o.contact, '')
FROM organisation o LEFT JOIN organisation u ON u.code = o.office AND (u.valid_to IS NULL OR u.valid_to >= {TODAY})
WHERE o.code = %s AND (o.valid_to IS NULL OR o.valid_to >= {TODAY}) ORDER BY o.valid_from DESC NULLS LAST LIMIT 1"""


def _contact(conn: type_connection, person: Actor) -> str:
    row = conn.execute(_CONTACT, [person.home.org_code], prepare=True).fetchone() if person.home else None
    return row[0] if row else ""


def cookie_name() -> str:
    """`__Host-` binds the cookie to this host and to TLS, where there is TLS."""
    return "__Host-tobidashi" if settings().secure else "tobidashi"


def give_cookie(response: Response, name: str, value: str, seconds: int | None = None) -> None:
    """Set a cookie that scripts cannot read and other sites do not send; it ends with the browser or after `seconds`."""
    response.set_cookie(name, value, max_age=seconds, httponly=True, samesite="lax", secure=settings().secure)


def take_cookie(response: Response, name: str) -> None:
    response.delete_cookie(name, httponly=True, samesite="lax", secure=settings().secure)


def local_path(wanted: str) -> str:
    """The wanted address if it is a page of ours, else the inbox: no redirect ever leaves the system."""
    if not wanted.startswith("/") or wanted.startswith("//") or "\\" in wanted or not wanted.isprintable():
        return "/inbox"
    return "/inbox" if urlsplit(wanted).path in ("/", "/login", "/logout") else wanted


def sign_in_address(request: Request) -> str:
    """The sign-in page that leads back to where the person was."""
    return f"/login?next={quote(back_to(request))}"


def back_to(request: Request) -> str:
    """Where the person was: on this page, or on the one the form stood on."""
    if request.method in SAFE_METHODS:
        return local_path(request.url.path + (f"?{request.url.query}" if request.url.query else ""))
    try:
        referrer = urlsplit(request.headers.get("referer", ""))
    except ValueError:
        return "/inbox"
    return local_path(referrer.path + (f"?{referrer.query}" if referrer.query else ""))
