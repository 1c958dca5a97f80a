"""The page on which one running deadline of a case is moved: the old day, a new one, the reason."""

from dataclasses import dataclass, field
from uuid import uuid4

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from states.kernel import Refused
from workflow import cases, extending
from workflow.cases import View
from workflow.extending import EXTEND, LONGEST
from workflow.loading import NotFound
from workflow.web import offers, sheets
from workflow.web.posted import Posted
from workflow.web.render import Signed, page
from workflow.web.session import Connection, RowId, SignedIn

router = APIRouter()


@dataclass(frozen=True)
class Typed:
    """What was sent and refused: the day, the reason, the page's key, the sentence for each field."""

    to: str = ""
    reason: str = ""
    key: str = ""
    problems: dict[str, str] = field(default_factory=dict)


@router.get("/cases/{case_id:int}/deadlines/{kind}")
def show(request: Request, conn: Connection, signed: SignedIn, case_id: RowId, kind: str) -> Response:
    """The running deadline with the fields for its new day."""
    view = cases.look(conn, signed.actor.person_id, case_id)
    return _page(request, signed, view, kind, Typed())


@router.post("/cases/{case_id:int}/deadlines/{kind}")
def extend(request: Request, conn: Connection, signed: SignedIn, posted: Posted, case_id: RowId, kind: str) -> Response:
    """Move it. A refusal shows the page again, with everything that was typed."""
    person, to, reason = signed.actor.person_id, posted.get("to", ""), posted.get("reason", "")
    version, key = sheets.number(posted.get("version", "")), sheets.key_of(posted)
    try:
        extending.extend(conn, person, case_id, kind, to, reason, version=version, key=key)
    except Refused as refusal:
        if refusal.kind != "guard":
            raise
        view = cases.look(conn, person, case_id)
        problems = {v.field: v.sentence for v in refusal.verdicts} or {"reason": refusal.sentence}
        return _page(request, signed, view, kind, Typed(to, reason, posted.get("key", ""), problems))
    return RedirectResponse(f"/cases/{case_id}?done={EXTEND}", 303)


def _page(request: Request, signed: Signed, view: View, kind: str, typed: Typed) -> Response:
    due = next((due for due in extending.dues(view) if due.kind == kind), None)
    if due is None:
        raise NotFound
    return page(
        request, signed, "extension.html", status=422 if typed.problems else 200, view=view, due=due, typed=typed, limit=LONGEST,
        holder=offers.names_of(view).get(due.holder, due.holder), key=typed.key or str(uuid4()),
    )  # fmt: skip
