"""Signing in and out. The sign-in form is guarded by a token that stands in a cookie and in the form alike."""

import hmac
import logging
import secrets
from collections.abc import Iterator
from dataclasses import replace

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from workflow import accounts
from workflow.db import database
from workflow.settings import settings
from workflow.web import errors, held
from workflow.web.errors import STALE_FORM, Trouble, Way
from workflow.web.posted import BadForm, Posted, fields_of
from workflow.web.render import Signed, page
from workflow.web.session import (
    Connection,
    SignedIn,
    back_to,
    cookie_name,
    give_cookie,
    local_path,
    sign_in_address,
    take_cookie,
)

logger = logging.getLogger(__name__)
router = APIRouter()

_FORM_MINUTES = 60


def one_of_few() -> Iterator[None]:
    """A turn at the hashing, as long as the request takes; who waits for one occupies no thread."""
    yield


@router.get("/")
def start(signed: SignedIn) -> Response:
    return RedirectResponse("/inbox", 303)


@router.get("/login")
def show(request: Request, next: str = "") -> Response:  # noqa: A002 - the word in the address
    return _form(request, next, ended=cookie_name() in request.cookies)


@router.post("/login", dependencies=[Depends(one_of_few, scope="function", max_concurrency=accounts.HASHES_AT_ONCE)])
def sign_in(request: Request, fields: Posted) -> Response:
    login, wanted = fields.get("login", ""), fields.get("next", "")
    token = request.cookies.get(_form_cookie(), "")
    sent = held.read(fields.get("held", ""))
    if not token or not hmac.compare_digest(token.encode(), fields.get("csrf", "").encode()):
        return _form(request, wanted, login=login, stale=True, sent=sent, status=403)
    found = accounts.sign_in(database(), login, fields.get("password", ""))
    if isinstance(found, accounts.Failure):
        return _form(request, wanted, login=login, failed=True, sent=sent, status=401)
    with database().connection() as conn:
        opened = accounts.open_session(conn, found, request.cookies.get(cookie_name()))
    logger.info("sign-in: person=%s", found)
    if sent is None:
        response: Response = RedirectResponse(local_path(wanted), 303)
    elif held.same_person(sent.token, found):
        response = _send_again(request, sent, held.token_for(opened.csrf, found), local_path(wanted))
    else:
        response = RedirectResponse("/inbox", 303)  # what somebody else had written goes no further
    give_cookie(response, cookie_name(), opened.token)
    take_cookie(response, _form_cookie())
    return response


@router.post("/logout")
def sign_out(request: Request, conn: Connection, signed: SignedIn) -> Response:
    accounts.sign_out(conn, request.cookies[cookie_name()])
    logger.info("sign-out: person=%s", signed.actor.person_id)
    response = RedirectResponse("/login", 303)
    take_cookie(response, cookie_name())
    return response


async def send_to_sign_in(request: Request, error: Exception) -> Response:
    """The sign-in page for who wanted to read; for who wanted to send, one that carries what was written."""
    address = sign_in_address(request)
    script = errors.for_script(request)
    if request.method in ("GET", "HEAD") and not script:
        return RedirectResponse(address, 303)
    sent = None if script else await _sent(request)
    if sent is not None:
        return _form(request, back_to(request), sent=sent, status=401)
    trouble = Trouble(
        401,
        "ログインし直してください",
        "しばらく操作がなかったか、ほかの画面で退出したため、まだ受け付けていません。",
        "最後に保存した分までは、下書きに残っています。",
        (Way(address, "ログインする", "元の画面に戻って続ける"),),
    )
    return errors.respond(request, trouble, await errors.typed_text(request), error)


async def ask_to_send_again(request: Request, error: Exception) -> Response:
    """The same person has signed in again since the form was opened: what it holds may be sent with the new token."""
    sent, signed = None if errors.for_script(request) else await _sent(request), errors.signed_of(request)
    if sent is None or signed is None:
        return errors.respond(request, replace(STALE_FORM), await errors.typed_text(request), error)
    return _send_again(request, sent, signed.csrf, back_to(request), signed, status=403)


async def _sent(request: Request) -> held.Held | None:
    """What was sent, where there are words in it that would be missed."""
    try:
        found = held.held(request, await fields_of(request))
    except (BadForm, HTTPException, ClientDisconnect):
        return None
    return found if found and found.texts else None


def _send_again(
    request: Request, sent: held.Held, csrf: str, back: str, signed: Signed | None = None, status: int = 200
) -> Response:
    return page(request, signed, "held.html", status=status, sent=sent, csrf=csrf, back=back)


def _form(
    request: Request,
    wanted: str,
    *,
    login: str = "",
    failed: bool = False,
    stale: bool = False,
    ended: bool = False,
    sent: held.Held | None = None,
    status: int = 200,
) -> Response:
    token = request.cookies.get(_form_cookie()) or secrets.token_urlsafe(32)  # two tabs share one
    plain = not settings().secure and settings().env != "demo"
    response = page(
        request, None, "login.html", status=status, login=login, failed=failed, stale=stale, ended=ended, plain=plain,
        wanted=local_path(wanted), token=token, sent=sent, failures=accounts.FAILURES, minutes=accounts.LOCK_MINUTES,
    )  # fmt: skip
    give_cookie(response, _form_cookie(), token, _FORM_MINUTES * 60)
    return response


def _form_cookie() -> str:
    return cookie_name() + "-form"
