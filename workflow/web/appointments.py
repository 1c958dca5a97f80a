"""Lists of appointment orders: brought, tried out with what becomes of every open case, taken in, taken back before their day."""

from collections.abc import Mapping
from uuid import uuid4

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from states.text import visible
from workflow import appointments, posts, touched
from workflow.colleagues import NotTaken
from workflow.db import database
from workflow.once import once
from workflow.web import brought, sheets
from workflow.web.posted import Posted
from workflow.web.render import Signed, page
from workflow.web.session import Connection, RowId, SignedIn, SignedInForLong
from workflow.web.uploads import Uploaded

router = APIRouter()

ADDRESS = "/appointments"
DONE = {
    "taken": "取り込みました。発令日の0時から、手番と権限が替わります。発令日の前の日までは取り消せます。",
    "undone": "取り消しました。取り込む前のとおりに戻っています。",
}


@router.get(ADDRESS)
def show(request: Request, conn: Connection, signed: SignedIn, done: str = "") -> Response:
    """The lists that were taken in, and the form to bring another."""
    return _begin(request, conn, signed, {}, {}, DONE.get(done, ""))


@router.get(f"{ADDRESS}/form")
def blank(signed: SignedIn) -> Response:
    """The blank workbook."""
    posts.administrator(signed.actor)
    told = {"Content-Disposition": 'attachment; filename="appointments.xlsx"'}
    return Response(appointments.blank(), media_type=brought.WORKBOOK, headers=told)


@router.post(ADDRESS)
async def bring(request: Request, incoming: Uploaded, signed: SignedInForLong) -> Response:
    """What the list would do; nothing is stored."""
    posts.administrator(signed.actor)
    typed = incoming.fields.get("effective", "")
    try:
        data = await brought.bytes_of(incoming)
    except NotTaken as refusal:
        return await run_in_threadpool(_refused, request, signed, typed, refusal.fields)
    return await run_in_threadpool(_tried, request, signed, typed, incoming.name, data)


def _tried(request: Request, signed: Signed, typed: str, name: str, data: bytes) -> Response:
    try:
        with database().connection() as conn:
            effective = appointments.effective_day(conn, typed)
            report = appointments.trial(conn, signed.actor, effective, data)
    except NotTaken as refusal:
        return _refused(request, signed, typed, refusal.fields)
    counts = [
        (touched.LABELS[kind], kind, sum(kind in dict(case.notes) for case in report.cases)) for kind in touched.LABELS
    ]
    return page(
        request, signed, "appointment_trial.html", report=report, name=visible(name)[:100], typed=typed, file=brought.kept(data),
        key=str(uuid4()), counts=counts, labels=touched.LABELS,
    )  # fmt: skip


@router.post(f"{ADDRESS}/take")
def take(request: Request, conn: Connection, signed: SignedIn, posted: Posted) -> Response:
    """Take in the list that goes along in the form: all of it, or the good rows."""
    posts.administrator(signed.actor)
    typed = posted.get("effective", "")
    good, name = posted.get("do") == "good", posted.get("name", "")[:100]
    try:
        data, effective = brought.again(posted), appointments.effective_day(conn, typed)
        once(
            conn, signed.actor.person_id, sheets.key_of(posted), ["appointments", typed, good],
            lambda: appointments.take(conn, signed.actor, effective, data, name, good_ones=good),
        )  # fmt: skip
    except NotTaken as refusal:
        return _begin(request, conn, signed, {"effective": typed}, refusal.fields)
    return RedirectResponse(f"{ADDRESS}?done=taken", 303)


@router.post(f"{ADDRESS}/{{entry:int}}/undo")
def undo(request: Request, conn: Connection, signed: SignedIn, posted: Posted, entry: RowId) -> Response:
    """Take a list back before its day."""
    try:
        appointments.take_back(conn, signed.actor, entry)
    except NotTaken as refusal:
        return _begin(request, conn, signed, {}, refusal.fields)
    return RedirectResponse(f"{ADDRESS}?done=undone", 303)


def _refused(request: Request, signed: Signed, typed: str, problems: Mapping[str, str]) -> Response:
    with database().connection() as conn:
        return _begin(request, conn, signed, {"effective": typed}, problems)


def _begin(
    request: Request,
    conn: Connection,
    signed: Signed,
    typed: Mapping[str, str],
    problems: Mapping[str, str],
    done: str = "",
) -> Response:
    rows = appointments.listed(conn, signed.actor)
    return page(
        request, signed, "appointments.html", status=422 if problems else 200, rows=rows, typed=typed, problems=problems, done=done,
        limit=brought.limit() // 1024, columns=appointments.COLUMNS,
    )  # fmt: skip
