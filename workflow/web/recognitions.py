"""The register of recognised bodies: read by the office, kept by its director."""

from collections.abc import Mapping
from functools import partial
from uuid import uuid4

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from workflow import recognitions
from workflow.loading import NotFound
from workflow.once import once
from workflow.web import sheets
from workflow.web.posted import Posted
from workflow.web.render import Signed, page
from workflow.web.session import Connection, RowId, SignedIn

router = APIRouter()

NAMES = ("name", "decided_on", "reference", "scope")


@router.get("/recognitions")
def show(request: Request, conn: Connection, signed: SignedIn) -> Response:
    return _page(request, conn, signed)


@router.post("/recognitions")
def register(request: Request, conn: Connection, signed: SignedIn, posted: Posted) -> Response:
    """Enter a body; what was written stays on the page when something is wrong with it."""
    typed = {name: posted.get(name, "") for name in NAMES}
    try:
        made = partial(recognitions.register, conn, signed.actor, typed)
        once(conn, signed.actor.person_id, sheets.key_of(posted), ["recognise", typed], made)
    except recognitions.NotRegistered as refusal:
        return _page(request, conn, signed, typed, refusal.fields)
    return RedirectResponse("/recognitions?done=registered", 303)


@router.post("/recognitions/{entry:int}/end")
def end(request: Request, conn: Connection, signed: SignedIn, posted: Posted, entry: RowId) -> Response:
    """Give an entry its last day."""
    try:
        recognitions.end(conn, signed.actor, entry, posted.get(f"valid_to-{entry}", ""))
    except recognitions.NotRegistered as refusal:
        return _page(request, conn, signed, problems={f"valid_to-{entry}": refusal.fields["valid_to"]})
    return RedirectResponse("/recognitions?done=ended", 303)


def _page(
    request: Request,
    conn: Connection,
    signed: Signed,
    typed: Mapping[str, str] | None = None,
    problems: Mapping[str, str] | None = None,
) -> Response:
    if not signed.actor.roles & recognitions.READERS:
        raise NotFound
    done = {"registered": "台帳に載せました。", "ended": "認定の終わりの日を入れました。"}.get(
        request.query_params.get("done", ""), ""
    )
    return page(
        request, signed, "recognitions.html", status=422 if problems else 200, rows=recognitions.listed(conn, signed.actor.person_id),
        keeps=recognitions.RECOGNISES in signed.actor.roles, typed=typed or {}, problems=problems or {}, done=done, labels=recognitions.LABELS,
        limits=recognitions.LONGEST, key=str(uuid4()),
    )  # fmt: skip
