"""Beginning a new case as a copy of an earlier one of the same office."""

from dataclasses import dataclass
from functools import partial
from uuid import uuid4

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from states.kernel import Process, Refused
from workflow import cases
from workflow.access import PostHeld
from workflow.cases import View
from workflow.db import type_connection
from workflow.earlier import MOST, copy_of, earlier
from workflow.loading import NotFound
from workflow.once import once
from workflow.web import opening, sheets
from workflow.web.posted import Posted
from workflow.web.render import Signed, page
from workflow.web.session import Connection, SignedIn

router = APIRouter()


@router.get("/cases/copy")
def choose(
    request: Request, conn: Connection, signed: SignedIn, process: str = "", origin: str = "", q: str = ""
) -> Response:
    """The office's earlier cases, to choose one from."""
    wanted, _ = _wanted(signed, process, origin)
    return _page(request, conn, signed, wanted, origin, q=q.strip())


@router.post("/cases/copy")
def copy(
    request: Request, conn: Connection, signed: SignedIn, posted: Posted, process: str = "", origin: str = ""
) -> Response:
    """Make a draft of the chosen one, once, and go on writing it."""
    wanted, post = _wanted(signed, process, origin)
    person, source = signed.actor.person_id, sheets.number(posted.get("source", ""))
    if source < 1:
        return _page(request, conn, signed, wanted, origin, problem="写す要請を選んでください。", status=422)
    if not earlier(conn, person, post, wanted.key, origin, only=source):
        raise NotFound
    try:
        form, _ = copy_of(conn, person, wanted, source, continues=posted.get("continues") == "yes")
    except Refused as refusal:
        return _page(request, conn, signed, wanted, origin, problem=refusal.sentence, status=422)
    form = opening.of_this_writer(conn, signed, origin, form)
    made = partial(cases.open_case, conn, person, wanted.key, origin, form)
    case_id = once(conn, person, sheets.key_of(posted), ["copy", wanted.key, origin, source], made)
    return RedirectResponse(f"/cases/{case_id}/edit?copied={source}", 303)


@dataclass(frozen=True)
class Notice:
    """What is said above a form."""

    title: str
    text: str


def told(conn: type_connection, signed: Signed, view: View, source: int) -> Notice | None:
    """What came of an earlier case into a new draft, and what did not; nothing once something was written."""
    if source < 1 or view.saves or view.process.copied is None:
        return None
    try:
        earlier_one = cases.look(conn, signed.actor.person_id, source)
    except NotFound:
        return None
    left_out = view.process.copied(earlier_one.form, "")[1]
    not_copied = f"写していないもの: {'、'.join(left_out)}。" if left_out else ""
    title = f"「{earlier_one.title}」({earlier_one.number or '番号なし'})を写しました"
    return Notice(title, f"{not_copied}日付から書いてください。")


def _wanted(signed: Signed, process: str, origin: str) -> tuple[Process, PostHeld]:
    wanted, home = opening.opening(signed, process, origin), signed.actor.home
    if wanted is None or wanted.copied is None or home is None:
        raise NotFound
    return wanted, next((p for p in signed.actor.posts if p.role in wanted.opens[origin]), home)


def _page(
    request: Request, conn: type_connection, signed: Signed, process: Process, origin: str, *, q: str = "", problem: str = "",
    status: int = 200,
) -> Response:  # fmt: skip
    _, post = _wanted(signed, process.key, origin)
    found = earlier(conn, signed.actor.person_id, post, process.key, origin, q)
    return page(
        request, signed, "case_copy.html", status=status, found=found, q=q, process=process, origin=origin, key=str(uuid4()),
        problem=problem, full=len(found) == MOST,
    )  # fmt: skip
