"""Requests that come in a file: the form to fill in, the answers to a file that was brought, and its taking in.

The answers are shown first and nothing is stored by asking. The file goes along in the page, so that what is taken in is
what was judged; it is judged again then.
"""

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from states import catalogue
from states.kernel import Refused
from states.text import visible
from workflow import intake
from workflow.db import database
from workflow.intake import ACCEPTED, LEFT, RETURNED, Answer, Unreadable
from workflow.loading import NotFound
from workflow.settings import settings
from workflow.web import offers
from workflow.web.posted import Fields, Posted
from workflow.web.render import Signed, page
from workflow.web.session import SignedIn, SignedInForLong
from workflow.web.uploads import Uploaded

router = APIRouter()

MOST = 1024 * 1024  # bytes of a file
AROUND = 16 * 1024  # bytes of a form beside the file that goes along in it
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def limit() -> int:
    """Bytes of a file that can also come back in the next form."""
    return min(MOST, (settings().body_limit - AROUND) * 3 // 4)


@router.get("/intake")
def show(request: Request, signed: SignedIn) -> Response:
    """The page that a file is brought to."""
    return _begin(request, signed)


@router.get("/intake/form")
def blank(signed: SignedIn, process: str = "") -> Response:
    """The blank workbook of a process."""
    if process not in _processes(signed) or not intake.has_form(process):
        raise NotFound
    told = {"Content-Disposition": f'attachment; filename="{process}.xlsx"'}
    return Response(intake.blank_form(process), media_type=WORKBOOK, headers=told)


@router.post("/intake")
async def bring(request: Request, incoming: Uploaded, signed: SignedInForLong) -> Response:
    """What would become of every record of the file; nothing is stored."""
    process = incoming.fields.get("process", "")
    if process not in _processes(signed):
        raise NotFound
    data = bytearray()
    async for piece in incoming.pieces():
        data += piece
        if len(data) > limit():
            problem = (
                f"ファイルが大きすぎます。{limit() // 1024:,} KB までにしてください。様式なら{1000:,}行まで入ります。"
            )
            return await run_in_threadpool(_begin, request, signed, problem, process, 413)
    if not data:
        return await run_in_threadpool(_begin, request, signed, "ファイルを選んでください。", process, 422)
    return await run_in_threadpool(_answered, request, signed, process, incoming.name, bytes(data), "")


@router.post("/intake/take")
def take(request: Request, signed: SignedIn, posted: Posted) -> Response:
    """Take the file in that goes along in the form: all of it, or the good records."""
    process = posted.get("process", "")
    if process not in _processes(signed):
        raise NotFound
    return _answered(request, signed, process, posted.get("name", ""), _file_of(posted), posted.get("do", ""))


def _file_of(posted: Fields) -> bytes:
    try:
        return base64.urlsafe_b64decode(posted.get("file", "").encode())
    except (binascii.Error, ValueError):
        return b""


def _processes(signed: Signed) -> list[str]:
    return [key for key, by in intake.takers().items() if by & signed.actor.roles]


def _begin(request: Request, signed: Signed, problem: str = "", process: str = "", status: int = 200) -> Response:
    found = _processes(signed)
    if not found:
        raise NotFound
    choices = [(key, catalogue.process(key).label) for key in found]
    return page(
        request, signed, "intake.html", status=status, choices=choices, forms=[c for c in choices if intake.has_form(c[0])], chosen=process or found[0], problem=problem, limit=limit() // 1024,
    )  # fmt: skip


def _answered(request: Request, signed: Signed, process: str, name: str, data: bytes, do: str) -> Response:
    """The answers to a file: what would become of it, or with `do` what became of it."""
    people = [signed.actor.person_id]
    try:
        with database().connection() as conn:
            reading = intake.read(conn, people, process, data)
            if do:
                answers = intake.take_in(conn, people, process, reading, good_ones=do == "good")
            else:
                answers = intake.judge(conn, people, process, reading)
    except Unreadable as unreadable:
        return _begin(request, signed, f"「{name[:100]}」は受け付けられません。{unreadable}", process, 422)
    except Refused as refusal:
        return _begin(request, signed, refusal.sentence, process, 403)
    return page(request, signed, "intake_answers.html", **_context(process, name, data, do, answers))


def _context(process: str, name: str, data: bytes, do: str, answers: Sequence[Answer]) -> dict[str, Any]:
    by = {outcome: [a for a in answers if a.outcome == outcome] for outcome in (RETURNED, LEFT, ACCEPTED)}
    new = [a for a in by[LEFT] if not a.again]
    return {
        "process": catalogue.process(process), "words": offers.words(catalogue.process(process)), "name": visible(name)[:100],
        "returned": by[RETURNED], "left": by[LEFT], "accepted": by[ACCEPTED], "known": len(by[LEFT]) - len(new), "total": len(answers),
        "taken": bool(do) and bool(by[ACCEPTED]), "file": base64.urlsafe_b64encode(data).decode(),
    }  # fmt: skip
