"""What a page says when something did not work: what happened, what was kept, what to do next.

An error page carries an id that stands in the log, shows the text that was typed, and never shows how we are made.
"""

import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus
from urllib.parse import urlencode

import psycopg
import sqlalchemy.exc
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.datastructures import ImmutableMultiDict
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from states.calendar import CalendarEnds
from states.kernel import Refused
from states.terms import Verdict
from states.text import visible
from workflow import cases
from workflow.loading import NotFound
from workflow.queries import BadCursor
from workflow.settings import settings
from workflow.web.posted import BadForm, fields_of
from workflow.web.render import TOKYO, Signed, clock, page

logger = logging.getLogger(__name__)

_RETRY_SECONDS = "10"
_NOT_KEPT = {
    "csrf",
    "key",
    "version",
    "saves",
    "password",
    "next",
    "do",
    "back",
    "scope",
    "opened",
    "unheard",
    "met",
    "listed",
    "held",
}


@dataclass(frozen=True, slots=True)
class Way:
    """One way on: where to, the words on the button, what one finds there."""

    href: str
    button: str
    what: str
    more: str = ""


@dataclass(eq=False)
class Trouble(Exception):
    """A page instead of the one that was asked for. Raise a copy (`replace`): a traceback sticks to what is raised."""

    status: int
    title: str
    happened: str
    kept: str = ""
    ways: tuple[Way, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    hides: bool = False  # what was typed: it is not this person's


HOME = Way("/inbox", "受信箱へ", "あなたの手番を見る")
NOTHING_LOST = "保存してある案件と下書きは、そのままです。"
UNCHANGED = "何も変わっていません。"
UNCOUNTED = "日数を数えられません"

_PAGES = {
    400: Trouble(
        400,
        "送られた内容を読み取れませんでした",
        "画面から送られた形と違っていたため、受け付けませんでした。",
        UNCHANGED,
        (HOME,),
    ),
    403: Trouble(403, "この操作は受け付けませんでした", "いまのあなたの職では行えない操作です。", UNCHANGED, (HOME,)),
    404: Trouble(
        404,
        "この画面は見つかりません",
        "アドレスが違うか、なくなったか、いまのあなたの職では見られないものです。",
        NOTHING_LOST,
        (HOME,),
    ),
    405: Trouble(405, "この開き方はできません", "このアドレスは、画面のボタンから使うものです。", UNCHANGED, (HOME,)),
    408: Trouble(
        408,
        "送られた内容が、途中で止まりました",
        "最後まで届かなかったため、受け付けませんでした。",
        UNCHANGED,
        (HOME,),
    ),
    413: Trouble(
        413, "送られた内容が大きすぎます", "一度に送れる大きさを超えたため、受け付けませんでした。", UNCHANGED, (HOME,)
    ),
    414: Trouble(
        414, "アドレスが長すぎます", "アドレスが決まった長さを超えたため、受け付けませんでした。", UNCHANGED, (HOME,)
    ),
    431: Trouble(
        431,
        "送られた見出しが大きすぎます",
        "ブラウザーの覚え書き(Cookie)などが大きすぎるため、受け付けませんでした。",
        UNCHANGED,
        (HOME,),
    ),
    422: Trouble(
        422,
        "送られた内容に直すところがあります",
        "読み取れない項目があったため、受け付けませんでした。",
        UNCHANGED,
        (HOME,),
    ),
    500: Trouble(
        500,
        "こちらの不具合で、処理できませんでした",
        "原因を調べるための記録を残しました。操作は行われていないか、行われた場合も記録は正しく残っています。",
        NOTHING_LOST,
        (HOME,),
    ),
    503: Trouble(
        503,
        "いま、つながりにくくなっています",
        "記録の保管場所につながらないか、混み合っています。少し待ってから、もう一度試してください。",
        NOTHING_LOST,
        (HOME,),
    ),
}
STALE_FORM = Trouble(
    403,
    "画面が古くなっていたため、受け付けませんでした",
    "画面を開いた後にログインし直したか、ほかの所から送られた操作です。",
    UNCHANGED,
    (HOME,),
)


def for_status(status: int) -> Trouble:
    """The page for a status; one without words of its own reads like 400 or 500."""
    found = _PAGES.get(status) or _PAGES[400 if status < HTTPStatus.INTERNAL_SERVER_ERROR else 500]
    return replace(found, status=status)


def respond(request: Request, trouble: Trouble, typed: list[str], error: BaseException | None = None) -> Response:
    """The trouble as a page, or as JSON for our own script; logged under its id."""
    made = error_id(trouble.status)
    _log(request, trouble.status, made, error)
    if for_script(request):
        return JSONResponse({"title": trouble.title, "happened": trouble.happened, "id": made}, trouble.status)
    response = page(
        request,
        signed_of(request),
        "errors/trouble.html",
        status=trouble.status,
        trouble=trouble,
        typed=typed,
        error_id=made,
    )
    if trouble.status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = _RETRY_SECONDS
    return response


def conflict(
    request: Request, found: cases.Conflict, typed: list[str], *, about: str = "", yours: str = ""
) -> Response:
    """Somebody acted first: who, when, what was kept, three ways on. `about` names the case, `yours` the act."""
    made = error_id(409)
    _log(request, 409, made, None)
    if for_script(request):
        happened = f"{found.who}さんが {clock(found.when)} に「{found.action_label}」を行いました。この画面からは、もう書き換えられません。"
        return JSONResponse({"title": "ほかの方が先に処理していました", "happened": happened, "id": made}, 409)
    return page(
        request, signed_of(request), "errors/conflict.html", status=409, found=found, typed=typed, about=about, yours=yours,
        latest=_case_address(request), opened=_opened(request), error_id=made,
    )  # fmt: skip


def for_script(request: Request) -> bool:
    """Whether our own script asks, which has a page of its own to say it on."""
    return request.headers.get("accept") == "application/json"


def error_id(status: int) -> str:
    """Status, chance and the time of day: 409-7F3A2C-1403."""
    return f"{status}-{secrets.token_hex(3).upper()}-{datetime.now(TOKYO):%H%M}"


def signed_of(request: Request) -> Signed | None:
    """Who is signed in, as far as the request got."""
    found = getattr(request.state, "signed", None)
    return found if isinstance(found, Signed) else None


async def typed_text(request: Request) -> list[str]:
    """What the person had written, to be shown again; nothing where it cannot be read."""
    if request.method in ("GET", "HEAD"):
        return []
    try:
        fields = await fields_of(request)
    except (BadForm, HTTPException, ClientDisconnect):
        return []
    return [value for name, value in fields.multi_items() if name.split(".")[-1] not in _NOT_KEPT and value.strip()]


def install(app: FastAPI) -> None:
    """Give every kind of error its page."""
    app.add_exception_handler(
        HTTPException, _answer(lambda e: for_status(e.status_code) if isinstance(e, HTTPException) else _PAGES[500])
    )
    app.add_exception_handler(RequestValidationError, _answer(_unreadable))
    app.add_exception_handler(Trouble, _answer(lambda e: e if isinstance(e, Trouble) else _PAGES[500]))
    app.add_exception_handler(BadForm, _answer(lambda e: replace(_PAGES[400], happened=str(e))))
    app.add_exception_handler(BadCursor, _answer(lambda e: _PAGES[404]))
    app.add_exception_handler(CalendarEnds, _answer(lambda e: replace(_PAGES[422], title=UNCOUNTED, happened=str(e))))
    app.add_exception_handler(Refused, _answer(_refused))
    app.add_exception_handler(NotFound, _answer(lambda e: _PAGES[404]))
    app.add_exception_handler(cases.PostLost, _answer(lambda e: _POST_LOST))
    app.add_exception_handler(cases.KeyReused, _answer(lambda e: _KEY_REUSED))
    app.add_exception_handler(cases.SaveClash, _answer(lambda e: _SAVE_CLASH))
    app.add_exception_handler(cases.Conflict, _conflict)
    for away in (
        psycopg.OperationalError,
        sqlalchemy.exc.OperationalError,
        sqlalchemy.exc.InterfaceError,
        sqlalchemy.exc.TimeoutError,
    ):
        app.add_exception_handler(away, _answer(lambda e: _PAGES[503]))


_POST_LOST = Trouble(
    403,
    "職を離れたため、受け付けませんでした",
    "画面を開いた後に、あなたの職の期間が終わりました。後任の方が続けられます。",
    UNCHANGED,
    (HOME,),
)
_KEY_REUSED = Trouble(
    409, "同じ画面から違う内容が送られました", "先に送られたほうを受け付けています。最新の画面を開いて確かめてください。",
    "先に送られた内容は、そのまま残っています。", (HOME,),
)  # fmt: skip
_SAVE_CLASH = Trouble(
    409, "ほかの画面で先に保存されていました", "この下書きは、別の画面かほかの方が先に保存しました。上書きはしていません。",
    "先に保存された内容は、そのまま残っています。最新を開いて、足りない所を写してください。", (HOME,),
)  # fmt: skip
_STATUS_OF = {"role": 403, "state": 409, "guard": 422}


def _refused(error: Exception) -> Trouble:
    assert isinstance(error, Refused)
    status = _STATUS_OF.get(error.kind, 422)
    return Trouble(status, "まだ行っていません", error.sentence, UNCHANGED, (HOME,), error.verdicts)


def _unreadable(error: Exception) -> Trouble:
    # An address that holds no number where one belongs is an address that does not exist.
    places = [e["loc"][0] for e in error.errors()] if isinstance(error, RequestValidationError) else []
    return _PAGES[404] if "path" in places else _PAGES[422]


Handler = Callable[[Request, Exception], Awaitable[Response]]


def _answer(trouble_of: Callable[[Exception], Trouble]) -> Handler:
    async def answer(request: Request, error: Exception) -> Response:
        trouble = trouble_of(error)
        latest = _case_address(request)
        if latest and trouble.status not in (404, 503):
            trouble = replace(trouble, ways=(Way(latest, "最新を開く", "いまの内容を確かめる"), *trouble.ways))
        return respond(request, trouble, [] if trouble.hides else await typed_text(request), error)

    return answer


async def _conflict(request: Request, error: Exception) -> Response:
    assert isinstance(error, cases.Conflict)
    return conflict(request, error, await typed_text(request))


def _case_address(request: Request) -> str:
    """The page of the case that the request was about, if any, as it was opened from its list."""
    case_id, place = request.path_params.get("case_id"), request.query_params.get("list", "")
    about = f"?{urlencode({'list': place})}" if place else ""
    return f"/cases/{case_id}{about}" if case_id is not None and str(case_id).isdecimal() else ""


def _opened(request: Request) -> str:
    """The version that the posted form was opened with."""
    fields = getattr(request.state, "fields", None)
    version = fields.get("version", "") if isinstance(fields, ImmutableMultiDict) else ""
    return version if version.isdecimal() else ""


def _log(request: Request, status: int, made: str, error: BaseException | None) -> None:
    signed = signed_of(request)
    what = (made, visible(request.method), visible(request.url.path), signed.actor.person_id if signed else "-")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.error("%s %s %s person=%s", *what, exc_info=error)
    elif status != HTTPStatus.NOT_FOUND or settings().env != "demo":
        logger.info("%s %s %s person=%s", *what)
