"""Moving every deadline of a day at once: looked at with its count and list, then ordered; and how far the orders are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import uuid4

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from workflow import calendar_days, moving
from workflow.calendar_days import NotTaken
from workflow.extending import LONGEST
from workflow.moving import Extent, Order
from workflow.once import once
from workflow.web import sheets
from workflow.web.posted import Posted
from workflow.web.render import Signed, page
from workflow.web.session import Connection, SignedIn

router = APIRouter()

ADDRESS = "/calendar/days/moves"
NAMES = ("first", "last", "office", "to", "reason")
DONE = "期限の移動を受け付けました。順に動かし、案件ごとに記録を残して、関係する人に知らせます。進みぐあいは下の一覧に出ます。"


@dataclass(frozen=True)
class Asked:
    """What was sent: the fields, the page's key, what is wrong, and the order with what it would move."""

    typed: Mapping[str, str] = field(default_factory=dict)
    key: str = ""
    problems: Mapping[str, str] = field(default_factory=dict)
    order: Order | None = None
    extent: Extent | None = None


@router.get(ADDRESS)
def show(request: Request, conn: Connection, signed: SignedIn, done: str = "") -> Response:
    """The fields of an order, and the last ones that were given."""
    return _page(request, conn, signed, Asked(), DONE if done else "")


@router.post(ADDRESS)
def order(request: Request, conn: Connection, signed: SignedIn, posted: Posted) -> Response:
    """Look what an order would move, or give it. A refusal shows the page again, with everything that was typed."""
    typed, key = {name: posted.get(name, "") for name in NAMES}, posted.get("key", "")
    try:
        asked = moving.read(conn, signed.actor, typed)
    except NotTaken as refusal:
        return _page(request, conn, signed, Asked(typed, key, refusal.fields))
    if posted.get("do") != "order":
        return _page(request, conn, signed, Asked(typed, key, {}, asked, moving.extent(conn, asked)))
    person = signed.actor.person_id
    once(conn, person, sheets.key_of(posted), ["move", typed], lambda: moving.place(conn, signed.actor, asked))
    return RedirectResponse(f"{ADDRESS}?done=1", 303)


def _page(request: Request, conn: Connection, signed: Signed, asked: Asked, done: str = "") -> Response:
    rows = moving.listed(conn, signed.actor)
    return page(
        request, signed, "deadline_moves.html", status=422 if asked.problems else 200, asked=asked, done=done, rows=rows,
        offices=calendar_days.offices(conn), limit=LONGEST, key=asked.key or str(uuid4()),
    )  # fmt: skip
