"""Lists that people keep: the filters of a list under a name, shared with the own organisation if wanted."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from workflow import views
from workflow.loading import NotFound
from workflow.views import NotKept
from workflow.web import lists, queue
from workflow.web.errors import HOME, NOTHING_LOST, Trouble, Way
from workflow.web.posted import Posted
from workflow.web.session import Connection, RowId, SignedIn

router = APIRouter()


@router.post("/views")
def keep(request: Request, conn: Connection, signed: SignedIn, posted: Posted) -> Response:
    """Keep the list that stands in the form's address."""
    place = queue.read(posted.get("list", ""), signed.actor)
    if place is None:
        raise NotFound
    query = lists.address("", place.filters).removeprefix("?")
    home = signed.actor.home
    shared = home.org_code if home and posted.get("shared") == "yes" else None
    try:
        views.keep(conn, signed.actor.person_id, place.path, query, posted.get("name", ""), shared)
    except NotKept as told:
        way = Way(place.back, "一覧に戻る", "名前を書き直して、もう一度保存する")
        raise Trouble(422, "一覧を保存できませんでした", str(told), NOTHING_LOST, (way, HOME)) from None
    return RedirectResponse(lists.address(place.path, place.filters), 303)


@router.post("/views/{entry:int}/drop")
def drop(request: Request, conn: Connection, signed: SignedIn, posted: Posted, entry: RowId) -> Response:
    """Drop one's own view; another's does not exist here."""
    path = views.drop(conn, signed.actor.person_id, entry)
    if path is None:
        raise NotFound
    place = queue.read(posted.get("list", ""), signed.actor)
    return RedirectResponse(lists.address(place.path, place.filters) if place else path, 303)
