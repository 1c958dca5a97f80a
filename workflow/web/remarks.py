"""Remarks on a case: the page with all of them, and the two forms that write one, shared or inside."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from states.kernel import Refused
from workflow import cases, comments
from workflow.loading import NotFound
from workflow.web import papers, sheets
from workflow.web.posted import Posted
from workflow.web.render import page
from workflow.web.session import Connection, RowId, SignedIn

router = APIRouter()

CASE, LIST = "case", "list"  # the pages that the forms stand on


@router.get("/cases/{case_id:int}/remarks")
def show(request: Request, conn: Connection, signed: SignedIn, case_id: RowId, done: str = "") -> Response:
    """Every remark on a case that this reader may see."""
    view = cases.look(conn, signed.actor.person_id, case_id)
    panel = papers.remarks(conn, signed, view, back=LIST, done=done)
    if panel is None:
        raise NotFound
    return page(request, signed, "papers.html", view=view, files=None, remarks=panel)


@router.post("/cases/{case_id:int}/remarks")
def write(request: Request, conn: Connection, signed: SignedIn, posted: Posted, case_id: RowId) -> Response:
    """Write a remark. A refusal shows the form again, with everything that was typed."""
    scope, text, back = posted.get("scope", ""), posted.get("text", ""), posted.get("back", LIST)
    try:
        comments.add(conn, signed.actor, case_id, scope=scope, body=text, key=sheets.key_of(posted))
    except Refused as refusal:
        if refusal.kind != "guard":
            raise
        view = cases.look(conn, signed.actor.person_id, case_id)
        panel = papers.remarks(conn, signed, view, back=back, scope=scope, text=text, problem=refusal.sentence)
        return page(request, signed, "papers.html", status=422, view=view, files=None, remarks=panel)
    here, done = f"/cases/{case_id}", f"?done={scope}"
    return RedirectResponse(f"{here}{done}#remarks" if back == CASE else f"{here}/remarks{done}", 303)
