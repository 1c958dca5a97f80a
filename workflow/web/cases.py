"""The page of a case: evidence left, decision right; the acts that its buttons post; its letters."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse
from starlette.datastructures import ImmutableMultiDict
from starlette.responses import Response

from states.kernel import Action, Offer, Refused, Verdict
from workflow import cases, diagram, story
from workflow.cases import Conflict, View
from workflow.deadlines import local_day
from workflow.web import errors, evidence, offers
from workflow.web.offers import Typed
from workflow.web.posted import Posted
from workflow.web.render import Signed, page
from workflow.web.session import Connection, RowId, SignedIn

router = APIRouter()

SAVED = "save"


@router.get("/cases/{case_id:int}")
def show(request: Request, conn: Connection, signed: SignedIn, case_id: RowId, done: str = "") -> Response:
    view = cases.look(conn, signed.actor.person_id, case_id)
    return case_page(request, conn, signed, view, Typed(), done=done)


@router.post("/cases/{case_id:int}/actions/{action}")
def act(request: Request, conn: Connection, signed: SignedIn, fields: Posted, case_id: RowId, action: str) -> Response:
    """Do the act of a button. A refusal shows the same page again with everything that was typed."""
    person = signed.actor.person_id
    view = cases.look(conn, person, case_id)
    row = next((o.action for o in view.offers if o.action.name == action), None)
    typed = {name: fields[name] for name in fields}
    try:
        cases.act(
            conn, person, case_id, action, version=_number(fields.get("version", "")), key=_key(fields.get("key", "")),
            inputs=inputs_of(row, fields) if row else {}, form=taken_over(view, row, fields) if row else None,
        )  # fmt: skip
    except Conflict as conflict:
        return errors.conflict(
            request, conflict, errors.texts(fields), about=" ".join(filter(None, (view.number, view.title))), yours=row.label if row else ""
        )
    except Refused as refusal:
        if refusal.kind != "guard" or row is None:
            raise
        problems = {v.field: v.sentence for v in refusal.verdicts if v.field}
        back = Typed(action, fields.get("key", ""), typed, problems)
        return refused_page(request, conn, signed, view, row, back, refusal)
    return RedirectResponse(f"/cases/{case_id}?done={action}", 303)


@router.get("/cases/{case_id:int}/letters/{kind}")
def letter(request: Request, conn: Connection, signed: SignedIn, case_id: RowId, kind: str) -> Response:
    """A letter of the case, to be printed."""
    view = cases.look(conn, signed.actor.person_id, case_id)
    raise NotImplementedError
