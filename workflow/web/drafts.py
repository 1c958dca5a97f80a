"""Pages that save themselves while somebody writes: small requests of the script, answered in JSON.

What comes back are pieces of the same pages that everybody gets, by the ids of their places, so that nothing is said in
two ways. Whoever has no script saves with the page's own buttons.
"""

import re
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.responses import JSONResponse
from starlette.responses import Response

from states.kernel import Refused
from states.terms import Verdict
from workflow import merging
from workflow.cases import SaveClash, View, look
from workflow.db import type_connection
from workflow.loading import NotFound
from workflow.web import forms, opening, queue, saving, sheets, written
from workflow.web.held import same_person
from workflow.web.offers import Typed
from workflow.web.posted import Fields, Posted
from workflow.web.render import Signed, date_echo
from workflow.web.session import Connection, RowId, SignedIn

router = APIRouter()

LIVE = re.compile(r"<!--live ([\w-]+)-->(.*?)<!--/live-->", re.DOTALL)


@router.post("/cases/new/autosave")
def begin(
    request: Request, conn: Connection, signed: SignedIn, posted: Posted, process: str = "", origin: str = ""
) -> Response:
    """The first thing that a new form saves makes its draft; the page goes on as the draft's."""
    wanted = opening.opening(signed, process, origin)
    if wanted is None:
        raise NotFound
    readable = posted
    try:
        form = opening.new_form(conn, signed, wanted, origin, readable)
    except Refused as refusal:
        unreadable = {verdict.field for verdict in refusal.verdicts}
        readable = Fields([pair for pair in posted.multi_items() if pair[0] not in unreadable])
        form = opening.new_form(conn, signed, wanted, origin, readable)
    return _keep(request, conn, signed, posted, opening.opened(conn, signed, wanted, origin, form, posted))


@router.post("/cases/{case_id:int}/autosave")
def keep(
    request: Request, conn: Connection, signed: SignedIn, posted: Posted, case_id: RowId, action: str = ""
) -> Response:
    """Save what can be saved of a page; what somebody else changed as well stays on the page until the person chooses."""
    return _keep(request, conn, signed, posted, case_id, action)


@router.get("/cases/{case_id:int}/autosave")
def ask(
    request: Request, conn: Connection, signed: SignedIn, case_id: RowId, action: str = "", saves: int = 0
) -> Response:
    """Whether somebody has saved since the page did."""
    person = signed.actor.person_id
    view = look(conn, person, case_id)
    last = written.last_saved(conn, view)
    if written.kept_saves(view) == saves and written.edits_of(view, action):
        return JSONResponse({"parts": {}})
    told = saving.when_back(view, last, person, queue.along(forms.page_of(case_id, action), request, signed.actor))
    return JSONResponse({"parts": saving.parts(told)})


@router.get("/form-token")
def renew(signed: SignedIn, x_form_token: Annotated[str, Header()] = "") -> Response:
    """The new token of a page that was opened in an earlier session, for the same person and nobody else."""
    if not same_person(x_form_token, signed.actor.person_id):
        return JSONResponse({"other": True}, 403)
    return JSONResponse({"csrf": signed.csrf})


@router.get("/dates")
def read_date(signed: SignedIn, typed: str = "") -> Response:
    """How a typed date is understood."""
    return JSONResponse({"echo": date_echo(typed) or ("日付として読めません" if typed else "まだ書かれていません")})


def _keep(
    request: Request, conn: type_connection, signed: Signed, posted: Fields, case_id: int, action: str = ""
) -> Response:
    person, request.state.case_id = signed.actor.person_id, case_id
    try:
        view, found, unread, before = written.keep_by_itself(conn, person, case_id, action, posted)
    except SaveClash:
        return JSONResponse({"again": True}, 503)
    last = written.last_saved(conn, view)
    query = f"?action={action}" if action else ""
    addresses = (forms.page_of(case_id, action), f"/cases/{case_id}/edit{query}", f"/cases/{case_id}/autosave{query}")
    address, post, autosave = (queue.along(one, request, signed.actor) for one in addresses)
    met = saving.others(posted, found, before, person, view.now)
    told = saving.after(view, last, person, found, unread, met, post, address)
    return JSONResponse(
        {
            "saves": written.kept_saves(view), "opened": merging.written(found.marks()), "met": met, "address": address, "post": post,
            "autosave": autosave,
            "settled": not (unread or told.both), "parts": _live(request, conn, signed, view, action, posted, unread, saving.parts(told)),
        }
    )  # fmt: skip


def _live(
    request: Request, conn: type_connection, signed: Signed, view: View, action: str, posted: Fields, unread: tuple[Verdict, ...],
    more: Mapping[str, str],
) -> dict[str, str]:  # fmt: skip
    """The pieces of the page that follow what is written, as the page itself would show them now, and some more."""
    sheet = sheets.Sheet(sheets.as_typed(posted), {verdict.field: verdict.sentence for verdict in unread})
    offer = next((offer for offer in view.offers if offer.action.name == action), None)
    if offer is None or not view.version:
        shown = forms.draft_page(request, conn, signed, view, sheet)
    else:
        shown = forms.act_page(request, conn, signed, view, offer, Typed(action, "", dict(posted)), sheet=sheet)
    return {**dict(LIVE.findall(bytes(shown.body).decode())), **more}
