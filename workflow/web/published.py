"""What was published of cases: searched by every office and municipality, each with the day until which it is true."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from workflow import cases, published
from workflow.loading import NotFound
from workflow.web import case_list, lists
from workflow.web.render import page
from workflow.web.session import Connection, SignedIn

router = APIRouter()
ADDRESS = "/published"
SHOWN = 100


@router.get(ADDRESS)
def show(request: Request, conn: Connection, signed: SignedIn, of: str = "", q: str = "", kind: str = "") -> Response:
    """What was published of a process, narrowed by words and by kind."""
    process = next((p for p in published.processes() if of in ("", p.key)), None)
    if process is None or process.published is None or not published.may_read(signed.actor):
        raise NotFound
    words, problem = case_list.read_words(q.strip())
    kinds = process.wording.choices.get(process.published.kind, {})
    wanted = kind if kind in kinds else ""
    today = cases.today(conn)
    items = [] if problem else published.found(conn, signed.actor, process, today, words, wanted)
    return page(
        request, signed, "published.html", process=process, public=process.published, items=items[:SHOWN], total=len(items), shown=SHOWN,
        words=words, q=q.strip(), kind=wanted, kinds=[("", "すべて"), *kinds.items()], called=kinds, problem=problem,
        narrowed=bool(words or wanted), everything=lists.address(ADDRESS, {"of": of}),
    )  # fmt: skip
