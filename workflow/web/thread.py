"""The thread on the pages: drawn on every case, told in full on a page of its own, tied and taken away by hand, begun from.

The page of the thread shows each tie with who, when and why; the forms below it are there for the offices alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from states import thread as ties
from states.kernel import Refused
from workflow import cases, deriving, thread, tying
from workflow.cases import View
from workflow.db import type_connection
from workflow.extending import LONGEST
from workflow.queries import ENGINE_LABELS, case_names
from workflow.story import HOLDERS
from workflow.web import sheets
from workflow.web.posted import Fields, Posted
from workflow.web.render import Signed, page
from workflow.web.session import Connection, RowId, SignedIn

router = APIRouter()


@dataclass(frozen=True)
class Typed:
    """What was sent and refused: its fields, the page's key, a sentence for each field."""

    fields: Mapping[str, str] = field(default_factory=dict)
    key: str = ""
    problems: Mapping[str, str] = field(default_factory=dict)

    def value(self, name: str) -> str:
        return self.fields.get(name, "")


@dataclass(frozen=True)
class Notice:
    """What is said above a page."""

    title: str
    text: str


@router.get("/cases/{case_id:int}/thread")
def show(request: Request, conn: Connection, signed: SignedIn, case_id: RowId, done: str = "") -> Response:
    """The whole thread of a case."""
    view = cases.look(conn, signed.actor.person_id, case_id)
    return _page(request, conn, signed, view, Typed(), done=done)


@router.post("/cases/{case_id:int}/thread")
def tie(request: Request, conn: Connection, signed: SignedIn, posted: Posted, case_id: RowId) -> Response:
    """Tie the case to another. A refusal shows the page again, with everything that was typed."""
    version, key = sheets.number(posted.get("version", "")), sheets.key_of(posted)
    kind, number, why = posted.get("kind", ""), posted.get("number", ""), posted.get("why", "")
    try:
        tying.tie(conn, signed.actor.person_id, case_id, kind, number, why, version=version, key=key)
    except Refused as refusal:
        return _again(request, conn, signed, case_id, posted, refusal)
    return RedirectResponse(f"/cases/{case_id}/thread?done={tying.LINK}", 303)


@router.post("/cases/{case_id:int}/thread/untie")
def untie(request: Request, conn: Connection, signed: SignedIn, posted: Posted, case_id: RowId) -> Response:
    """Take a tie away."""
    version, key = sheets.number(posted.get("version", "")), sheets.key_of(posted)
    other, _, kind = posted.get("tie", "").partition(" ")
    why = posted.get("untie_why", "")
    try:
        tying.untie(conn, signed.actor.person_id, case_id, kind, sheets.number(other), why, version=version, key=key)
    except Refused as refusal:
        return _again(request, conn, signed, case_id, posted, refusal, {"why": "untie_why"})
    return RedirectResponse(f"/cases/{case_id}/thread?done={tying.UNLINK}", 303)


@router.post("/cases/{case_id:int}/derive/{action}")
def derive(
    request: Request, conn: Connection, signed: SignedIn, posted: Posted, case_id: RowId, action: str
) -> Response:
    """Begin a draft from the case, and go on writing it."""
    made = deriving.derive(conn, signed.actor, case_id, action, posted.get(f"why-{action}", ""), sheets.key_of(posted))
    request.state.case_id = made
    return RedirectResponse(f"/cases/{made}/edit", 303)


def context(conn: type_connection, signed: Signed, view: View) -> dict[str, Any]:
    """What the page of a case shows of its thread, and what may be begun from it."""
    whole = thread.Thread() if view.ended or not view.version else thread.of_case(conn, signed.actor, view.id)
    ways = deriving.ways(signed.actor, view)
    return {
        "thread": whole if _beyond(whole, view) else thread.Thread(), "came_of": came_of(conn, signed, view), "holders": HOLDERS, "ties": tying.may_tie(view),
        "ways": [(way, str(uuid4())) for way in ways], "most_why": deriving.LONGEST,
        "begun": thread.drafts(conn, signed.actor, view.id) if view.process.derives and view.version else [],
    }  # fmt: skip


def _beyond(whole: thread.Thread, view: View) -> bool:
    """Whether the thread says more than the list of the cases under this one does."""
    return any(strand.kind != thread.CHILD or strand.later == view.id for strand in whole.strands)


def came_of(conn: type_connection, signed: Signed, view: View) -> dict[str, Any] | None:
    """The case that this one came of, where the reader may see it: id and what it is called."""
    begun = ties.of(view.facts.form)
    if begun is None or view.ended:
        return None
    names = case_names(conn, signed.actor.person_id, [begun.case])
    return {"id": begun.case, "name": names[begun.case]} if begun.case in names else None


def told(conn: type_connection, signed: Signed, view: View) -> Notice | None:
    """What a new draft says of the case that it came of; nothing once something was written."""
    came = came_of(conn, signed, view) if not (view.version or view.saves) else None
    if came is None:
        return None
    text = "分かっていることは書き入れました。足りないところを書いて出すと、もとの案件の経緯につながります。"
    return Notice(f"「{came['name']}」から起こした下書きです", text)


def _again(
    request: Request, conn: type_connection, signed: Signed, case_id: int, posted: Fields, refusal: Refused,
    called: Mapping[str, str] | None = None,
) -> Response:  # fmt: skip
    """The page once more, with what is wrong; what is no matter of a field is told by the page of errors."""
    if refusal.kind != "guard" or not refusal.verdicts:
        raise refusal
    view = cases.look(conn, signed.actor.person_id, case_id)
    problems = {(called or {}).get(v.field, v.field): v.sentence for v in refusal.verdicts}
    return _page(request, conn, signed, view, Typed(dict(posted), posted.get("key", ""), problems))


def _page(
    request: Request, conn: type_connection, signed: Signed, view: View, typed: Typed, *, done: str = ""
) -> Response:
    whole = thread.Thread() if view.ended or not view.version else thread.of_case(conn, signed.actor, view.id)
    mine = tying.by_hand(conn, view.id) if tying.may_tie(view) else set()
    removable = [
        (f"{other} {kind}", f"{ties.TIES[kind].label}: {' '.join(filter(None, (node.number, node.title)))}")
        for other, kind in sorted(mine)
        if (node := whole.nodes.get(other))
    ]
    return page(
        request, signed, "case_thread.html", status=422 if typed.problems else 200, view=view, thread=whole, holders=HOLDERS,
        ties=tying.may_tie(view), removable=removable, kinds=ties.BY_HAND, typed=typed, key=typed.key or str(uuid4()), limit=LONGEST,
        done=ENGINE_LABELS.get(done, ""),
    )  # fmt: skip
