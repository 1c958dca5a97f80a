"""Signing in and out. The sign-in form is guarded by a token that stands in a cookie and in the form alike."""

import hmac
import logging
import secrets
from collections.abc import Iterator

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from workflow import accounts
from workflow.db import database
from workflow.settings import settings
from workflow.web import errors
from workflow.web.errors import Trouble, Way
from workflow.web.posted import Posted
from workflow.web.render import page
from workflow.web.session import (
    Connection,
    SignedIn,
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
    if not token or not hmac.compare_digest(token.encode(), fields.get("csrf", "").encode()):
        return _form(request, wanted, login=login, stale=True, status=403)
    found = accounts.sign_in(database(), login, fields.get("password", ""))
    if isinstance(found, accounts.Failure):
        return _form(request, wanted, login=login, failed=True, status=401)
    with database().connection() as conn:
        opened = accounts.open_session(conn, found, request.cookies.get(cookie_name()))
    logger.info("sign-in: person=%s", found)
    response = RedirectResponse(local_path(wanted), 303)
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
    """The sign-in page for who wanted to read; for who wanted to send, a page that still holds what was written."""
    address = sign_in_address(request)
    if request.method in ("GET", "HEAD"):
        return RedirectResponse(address, 303)
    trouble = Trouble(
        401,
        "ログインし直してください",
        "しばらく操作がなかったか、ほかの画面で退出したため、まだ受け付けていません。",
        "最後に保存した分までは、下書きに残っています。",
        (Way(address, "ログインする", "元の画面に戻って続ける"),),
    )
    return errors.respond(request, trouble, await errors.typed_text(request), error)


def _form(
    request: Request,
    wanted: str,
    *,
    login: str = "",
    failed: bool = False,
    stale: bool = False,
    ended: bool = False,
    status: int = 200,
) -> Response:
    token = request.cookies.get(_form_cookie()) or secrets.token_urlsafe(32)  # two tabs share one
    plain = not settings().secure and settings().env != "demo"
    response = page(
        request, None, "login.html", status=status, login=login, failed=failed, stale=stale, ended=ended, plain=plain,
        wanted=local_path(wanted), token=token, failures=accounts.FAILURES, minutes=accounts.LOCK_MINUTES,
    )  # fmt: skip
    give_cookie(response, _form_cookie(), token, _FORM_MINUTES * 60)
    return response


def _form_cookie() -> str:
    return cookie_name() + "-form"
