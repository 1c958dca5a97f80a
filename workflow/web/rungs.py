"""The page on which the administrator settles when reminders come, for each kind of deadline and from a day on."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from workflow import rungs
from workflow.story import HOLDERS
from workflow.web.posted import Posted
from workflow.web.render import Signed, page
from workflow.web.session import Connection, SignedIn

router = APIRouter()


@router.get("/rungs")
def show(request: Request, conn: Connection, signed: SignedIn, done: str = "") -> Response:
    return _page(request, conn, signed, done=bool(done))


@router.post("/rungs/{code}")
def settle(request: Request, conn: Connection, signed: SignedIn, posted: Posted, code: str) -> Response:
    """Settle it for one kind of deadline; what was written stays on the page when it cannot be."""
    typed, since = posted.get("rungs", ""), posted.get(f"since-{code}", "")
    try:
        rungs.settle(conn, signed.actor, code, typed=typed, since=since)
    except rungs.NotSettled as refusal:
        return _page(request, conn, signed, problem=refusal, code=code, typed=typed, since=since)
    return RedirectResponse("/rungs?done=1", 303)


def _page(
    request: Request, conn: Connection, signed: Signed, *, done: bool = False, problem: rungs.NotSettled | None = None,
    code: str = "", typed: str = "", since: str = "",
) -> Response:  # fmt: skip
    rows = [
        row | {"holder": HOLDERS.get(row["holder"], row["holder"]), "told": rungs.told(row["rungs"]), "coming": [
            (one["valid_from"], rungs.told(sorted(one["rungs"])) if one["rungs"] else "業務フローの定めのとおり") for one in row["coming"]
        ]}
        for row in map(dict, rungs.listed(conn, signed.actor))
    ]  # fmt: skip
    return page(
        request, signed, "rungs.html", status=422 if problem else 200, rows=rows, done=done, code=code, typed=typed, since=since,
        problem=problem.sentence if problem else "", field=problem.field if problem else "",
    )  # fmt: skip
