"""Absences: everybody's own, those of the office for who keeps them, and a file of them."""

from collections.abc import Mapping
from functools import partial
from uuid import uuid4

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from states.routes import AFTER, ASKS
from states.seats import ABSENCES
from states.text import visible
from workflow import absences
from workflow.colleagues import NotTaken
from workflow.db import database
from workflow.loading import NotFound
from workflow.once import once
from workflow.web import brought, lists, sheets
from workflow.web.posted import Posted
from workflow.web.render import Signed, page
from workflow.web.session import Connection, RowId, SignedIn, SignedInForLong
from workflow.web.uploads import Uploaded

router = APIRouter()

ADDRESS = "/absences"
NAMES = ("person", "kind", "from", "to")
DONE = {
    "entered": "不在を入れました。その間の決裁は、代決の順にある職ができます。",
    "dropped": "不在を取り消しました。",
    "back": "お帰りなさい。不在は昨日までになりました。",
    "taken": "ファイルの不在を取り込みました。",
}


@router.get(ADDRESS)
def show(request: Request, conn: Connection, signed: SignedIn, done: str = "") -> Response:
    return _page(request, conn, signed, done=DONE.get(done, ""))


@router.post(ADDRESS)
def enter(request: Request, conn: Connection, signed: SignedIn, posted: Posted) -> Response:
    """Enter an absence; what was written stays on the page when something is wrong with it."""
    typed = {name: posted.get(name, "") for name in NAMES}
    typed["person"] = typed["person"] or str(signed.actor.person_id)
    try:
        made = partial(absences.enter, conn, signed.actor, typed)
        once(conn, signed.actor.person_id, sheets.key_of(posted), ["absence", typed], made)
    except NotTaken as refusal:
        return _page(request, conn, signed, typed, refusal.fields)
    return RedirectResponse(f"{ADDRESS}?done=entered", 303)


@router.post(f"{ADDRESS}/{{entry:int}}/drop")
def drop(request: Request, conn: Connection, signed: SignedIn, posted: Posted, entry: RowId) -> Response:
    """Take an absence back before it begins."""
    try:
        absences.drop(conn, signed.actor, entry)
    except NotTaken as refusal:
        return _page(request, conn, signed, None, refusal.fields)
    return RedirectResponse(f"{ADDRESS}?done=dropped", 303)


@router.post(f"{ADDRESS}/{{entry:int}}/back")
def back(request: Request, conn: Connection, signed: SignedIn, posted: Posted, entry: RowId) -> Response:
    """End an absence: the person is back."""
    try:
        absences.came_back(conn, signed.actor, entry)
    except NotTaken as refusal:
        return _page(request, conn, signed, None, refusal.fields)
    return RedirectResponse(f"{ADDRESS}?done=back", 303)


@router.get(f"{ADDRESS}/form")
def blank(signed: SignedIn) -> Response:
    """The blank workbook."""
    _keeps(signed)
    told = {"Content-Disposition": 'attachment; filename="absences.xlsx"'}
    return Response(absences.blank(), media_type=brought.WORKBOOK, headers=told)


@router.post(f"{ADDRESS}/file")
async def bring(request: Request, incoming: Uploaded, signed: SignedInForLong) -> Response:
    """What the rows of a file would enter; nothing is stored."""
    _keeps(signed)
    try:
        data = await brought.bytes_of(incoming)
    except NotTaken as refusal:
        return await run_in_threadpool(_refused, request, signed, refusal.fields)
    return await run_in_threadpool(_tried, request, signed, incoming.name, data)


def _tried(request: Request, signed: Signed, name: str, data: bytes) -> Response:
    try:
        with database().connection() as conn:
            lines = absences.read_file(conn, signed.actor, data)
    except NotTaken as refusal:
        return _refused(request, signed, refusal.fields)
    good = [line for line in lines if not line.problems]
    return page(
        request, signed, "absence_trial.html", good=good, new=[line for line in good if not line.known],
        wrong=[line for line in lines if line.problems], name=visible(name)[:100], file=brought.kept(data),
    )  # fmt: skip


@router.post(f"{ADDRESS}/take")
def take(request: Request, conn: Connection, signed: SignedIn, posted: Posted) -> Response:
    """Take in the file that goes along in the form. The same row is never entered twice."""
    _keeps(signed)
    try:
        absences.take_in(conn, signed.actor, brought.again(posted), good_ones=posted.get("do") == "good")
    except NotTaken as refusal:
        return _page(request, conn, signed, None, refusal.fields)
    return RedirectResponse(f"{ADDRESS}?done=taken", 303)


def _keeps(signed: Signed) -> None:
    if not absences.offices(signed.actor):
        raise NotFound


def _refused(request: Request, signed: Signed, problems: Mapping[str, str]) -> Response:
    with database().connection() as conn:
        return _page(request, conn, signed, None, problems)


def _page(
    request: Request, conn: Connection, signed: Signed, typed: Mapping[str, str] | None = None, problems: Mapping[str, str] | None = None,
    done: str = "",
) -> Response:  # fmt: skip
    actor, people = signed.actor, absences.people(conn, signed.actor)
    rows = absences.listed(conn, [person for person, _ in people], actor.person_id)
    return page(
        request, signed, "absences.html", status=422 if problems else 200, typed=typed or {}, problems=problems or {}, done=done,
        own=[row for row in rows if row["person_id"] == actor.person_id], others=[row for row in rows if row["person_id"] != actor.person_id],
        people=[(str(person), called) for person, called in people], kinds=list(ABSENCES.items()), keeps=bool(absences.offices(actor)),
        waiting=absences.to_read_afterwards(conn, actor.person_id), waiting_href=lists.address("/inbox", {"ask": ASKS[AFTER]}),
        limit=brought.limit() // 1024, key=str(uuid4()),
    )  # fmt: skip
