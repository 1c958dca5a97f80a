"""Files of a case over the wire: taken in as they come, given out as downloads that no browser opens as a page."""

import logging
import re
from dataclasses import replace
from functools import partial
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.concurrency import contextmanager_in_threadpool, run_in_threadpool
from fastapi.responses import RedirectResponse, StreamingResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response

from states.kernel import Refused
from workflow import arriving, attachments, cases
from workflow.archives import extension_of
from workflow.arriving import Arriving, TooLarge
from workflow.db import database, driver
from workflow.loading import NotFound
from workflow.settings import settings
from workflow.web import arrivals, papers, sheets
from workflow.web.errors import NOTHING_LOST, Trouble
from workflow.web.posted import Fields, Posted
from workflow.web.render import Signed, page
from workflow.web.security import Larger
from workflow.web.session import Connection, RowId, SignedIn, SignedInForLong
from workflow.web.uploads import Incoming, Uploaded, turn

router = APIRouter()
logger = logging.getLogger(__name__)

CASE, LIST = papers.CASE, "list"  # the pages that the form stands on
AROUND = 128 * 1024  # bytes of a form besides its file
SANDBOX = "sandbox; default-src 'none'"
# A browser shows a PDF with a viewer of its own, which a sandbox would shut out; the file itself may still load nothing.
# Our own pages may hold it in a frame, beside the decision; nobody else's may.
VIEWER = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'"
DAMAGED = Trouble(
    500,
    "このファイルは渡せません",
    "保管しているファイルの中身が、受け取ったときの指紋と合いません。壊れたものを渡さないように止めました。管理者に知らせてください。",
    NOTHING_LOST,
)


def larger() -> Larger:
    """How much more the form of a file may bring than other forms."""
    return Larger(re.compile(r"/cases/\d+/files"), settings().file_limit + AROUND, TooLarge().sentence)


@router.get("/cases/{case_id:int}/files")
def show(request: Request, conn: Connection, signed: SignedIn, case_id: RowId, done: str = "") -> Response:
    """The files of a case, and the form to add one."""
    view = cases.look(conn, signed.actor.person_id, case_id)
    panel = papers.files(conn, signed, view, back=LIST, done=done, label=arrivals.original(view))
    return page(request, signed, "papers.html", view=view, files=panel, remarks=None)


@router.post("/cases/{case_id:int}/files")
async def attach(request: Request, incoming: Uploaded, signed: SignedInForLong, case_id: RowId) -> Response:
    """Take a file in. `incoming` stands first: the form's fields are read before anybody asks who sends it."""
    fields = incoming.fields
    try:
        async with turn(signed.actor.person_id):
            await _take(incoming, signed, case_id)
    except Refused as refusal:
        if refusal.kind != "guard":
            raise
        return await run_in_threadpool(_refused, request, signed, case_id, fields, refusal)
    except HTTPException as error:
        if error.status_code != 413:
            raise
        return await run_in_threadpool(_refused, request, signed, case_id, fields, TooLarge())
    here, done = f"/cases/{case_id}", f"?done={papers.ATTACHED}"
    return RedirectResponse(f"{here}{done}#files" if fields.get("back") == CASE else f"{here}/files{done}", 303)


async def _take(incoming: Incoming, signed: Signed, case_id: int) -> None:
    """Store the file in one transaction: whatever breaks it off leaves nothing."""
    fields, key = incoming.fields, sheets.key_of(incoming.fields)
    told = {"name": incoming.name, "scope": fields.get("scope", ""), "label": fields.get("label", "").strip()}
    async with contextmanager_in_threadpool(database().transaction()) as session:
        conn = await run_in_threadpool(driver, session)
        arrives = await run_in_threadpool(partial(Arriving, conn, signed.actor, case_id, **told))
        async for piece in incoming.pieces():
            await run_in_threadpool(arrives.add, piece)
        await run_in_threadpool(arrives.finish, key)


def _refused(request: Request, signed: Signed, case_id: int, fields: Fields, refusal: Refused) -> Response:
    """The form again, with what was wrong with the file. The file itself a browser does not keep."""
    with database().connection() as conn:
        view = cases.look(conn, signed.actor.person_id, case_id)
        panel = papers.files(
            conn, signed, view, back=fields.get("back", LIST), label=fields.get("label", ""), scope=fields.get("scope", ""),
            problem=refusal.sentence,
        )  # fmt: skip
        status = 413 if isinstance(refusal, TooLarge) else 422
        return page(request, signed, "papers.html", status=status, view=view, files=panel, remarks=None)


@router.get("/cases/{case_id:int}/files/{file_id:int}")
def give(request: Request, conn: Connection, signed: SignedIn, case_id: RowId, file_id: RowId) -> Response:
    """A file as a download, read through once before a byte of it leaves."""
    view = cases.look(conn, signed.actor.person_id, case_id)
    file = attachments.one(conn, view.id, papers.beside(view), file_id)
    if file is None:
        raise NotFound
    try:
        attachments.prove(conn, file)
    except attachments.Damaged:
        logger.exception("attachment %s of case %s is not what was received", file.id, view.id)
        raise replace(DAMAGED) from None
    plain = f"file-{file.id}.{extension_of(file.name)}"
    headers = {
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(file.name, safe='')}",
        "Content-Length": str(file.size),
        "Content-Security-Policy": SANDBOX,
    }
    return StreamingResponse(attachments.stream(database(), file), media_type=file.media_type, headers=headers)


@router.get("/cases/{case_id:int}/files/{file_id:int}/view")
def look_at(conn: Connection, signed: SignedIn, case_id: RowId, file_id: RowId) -> Response:
    """A picture or a PDF to be looked at in the browser: of no other type, and nothing in it may run or load anything."""
    view = cases.look(conn, signed.actor.person_id, case_id)
    file = attachments.one(conn, view.id, papers.beside(view), file_id)
    if file is None or file.media_type not in papers.LOOKED_AT:
        raise NotFound
    try:
        attachments.prove(conn, file)
    except attachments.Damaged:
        logger.exception("attachment %s of case %s is not what was received", file.id, view.id)
        raise replace(DAMAGED) from None
    headers = {
        "Content-Disposition": f'inline; filename="file-{file.id}.{extension_of(file.name)}"',
        "Content-Length": str(file.size),
        "Content-Security-Policy": SANDBOX if file.media_type != papers.PDF else VIEWER,
    }
    return StreamingResponse(attachments.stream(database(), file), media_type=file.media_type, headers=headers)


@router.post("/cases/{case_id:int}/files/{file_id:int}/delete")
def remove(conn: Connection, signed: SignedIn, posted: Posted, case_id: RowId, file_id: RowId) -> Response:
    """Take a file out of a draft again."""
    arriving.remove(conn, signed.actor.person_id, case_id, file_id)
    return RedirectResponse(f"/cases/{case_id}/files", 303)
