"""The page on which an office chooses to go on with a case whose municipality went to another bureau: the reason."""

from uuid import uuid4

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from states.kernel import Refused
from workflow import cases, staying
from workflow.extending import LONGEST
from workflow.loading import NotFound
from workflow.web import sheets
from workflow.web.posted import Posted
from workflow.web.render import Signed, page
from workflow.web.session import Connection, RowId, SignedIn

router = APIRouter()


@router.get("/cases/{case_id:int}/stay")
def show(request: Request, conn: Connection, signed: SignedIn, case_id: RowId) -> Response:
    """What there is to choose, with the field for the reason."""
    return _page(request, conn, signed, case_id)


@router.post("/cases/{case_id:int}/stay")
def stay(request: Request, conn: Connection, signed: SignedIn, posted: Posted, case_id: RowId) -> Response:
    """Choose it. A refusal shows the page again, with what was typed."""
    person, reason = signed.actor.person_id, posted.get("reason", "")
    version, key = sheets.number(posted.get("version", "")), sheets.key_of(posted)
    try:
        staying.stay(conn, person, case_id, reason, version=version, key=key)
    except Refused as refusal:
        if refusal.kind != "guard":
            raise
        problem = next((v.sentence for v in refusal.verdicts), refusal.sentence)
        return _page(request, conn, signed, case_id, reason, problem, posted.get("key", ""))
    return RedirectResponse(f"/cases/{case_id}?done={staying.STAY}", 303)


def _page(
    request: Request, conn: Connection, signed: Signed, case_id: int, reason: str = "", problem: str = "", key: str = ""
) -> Response:
    view = cases.look(conn, signed.actor.person_id, case_id)
    said = staying.open_to(conn, view)
    if not said:
        raise NotFound
    return page(
        request, signed, "stay.html", status=422 if problem else 200, view=view, said=said, reason=reason, limit=LONGEST,
        problems={"reason": problem} if problem else {}, key=key or str(uuid4()),
    )  # fmt: skip
