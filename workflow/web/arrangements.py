"""The page on which it is settled whether a municipality approves its requests before they leave it."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from workflow import arrangements
from workflow.web.posted import Posted
from workflow.web.render import Signed, page
from workflow.web.session import Connection, SignedIn

router = APIRouter()


@router.get("/arrangements")
def show(request: Request, conn: Connection, signed: SignedIn, office: str = "", done: str = "") -> Response:
    return _page(request, conn, signed, office=office, done=done)


@router.post("/arrangements/{code}")
def settle(request: Request, conn: Connection, signed: SignedIn, posted: Posted, code: str) -> Response:
    """Settle it for one municipality; what was written stays on the page when it cannot be."""
    since = posted.get(f"since-{code}", "")
    try:
        arrangements.settle(conn, signed.actor, code, asked=posted.get("asked") == "yes", since=since)
    except arrangements.NotSettled as refusal:
        return _page(request, conn, signed, problem=(code, refusal.sentence), since=since)
    return RedirectResponse("/arrangements?done=1", 303)


def _page(
    request: Request, conn: Connection, signed: Signed, *, office: str = "", done: str = "", problem: tuple[str, str] = ("", ""),
    since: str = "",
) -> Response:  # fmt: skip
    rows = arrangements.listed(conn, signed.actor, office)
    every = arrangements.listed(conn, signed.actor) if office else rows
    offices = sorted({(row["office"] or "", row["bureau"] or "") for row in every})
    return page(
        request, signed, "arrangements.html", status=422 if problem[0] else 200, rows=rows, office=office, offices=offices, done=done,
        problem=problem, since=since,
    )  # fmt: skip
