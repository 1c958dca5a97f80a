"""Ticked rows of the inbox, done one by one: each is an act of its own, and a table says what became of each."""

from dataclasses import replace

from fastapi import APIRouter, Request
from starlette.responses import Response

from workflow import bulk, queries
from workflow.bulk import MOST, Chosen
from workflow.loading import NotFound
from workflow.web import queue, sheets
from workflow.web.errors import HOME, NOTHING_LOST, Trouble, Way
from workflow.web.posted import Posted
from workflow.web.queue import INBOX
from workflow.web.render import page
from workflow.web.session import Connection, SignedIn

router = APIRouter()
OUTCOMES = {bulk.DONE: ("ok", "済み"), bulk.REFUSED: ("stop", "できません"), bulk.LATE: ("warn", "ほかの方が先")}


@router.post("/inbox/bulk")
def together(request: Request, conn: Connection, signed: SignedIn, posted: Posted) -> Response:
    """Do what may be done with each ticked row; the answer is the same however often the form is sent."""
    place = queue.read(posted.get("list", ""), signed.actor)
    back = place.back if place else INBOX
    sort = posted.get("do", "")
    if sort not in bulk.SORTS:
        raise NotFound
    chosen = [one for text in posted.getlist("row") if (one := _chosen(text))]
    if not chosen or len(chosen) > MOST:
        said = "行を選んでいないか、一度に選べる数を超えています。" if chosen else "行が選ばれていません。"
        way = Way(back, "一覧に戻る", f"左の欄で、{MOST}件までの行を選ぶ")
        raise Trouble(422, "まとめて行えませんでした", said, NOTHING_LOST, (way, HOME))
    results = bulk.run(conn, signed.actor.person_id, sort, chosen, sheets.page_key(posted))
    done = sum(one.outcome == bulk.DONE for one in results)
    told = [
        (one, *OUTCOMES[one.outcome], queue.case_href(one.case_id, place) if place else f"/cases/{one.case_id}")
        for one in results
    ]
    now = replace(signed, waiting=queries.waiting(conn, signed.actor.person_id))  # what was done no longer waits
    return page(request, now, "bulk.html", told=told, done=done, rest=len(results) - done, back=back)


def _chosen(text: str) -> Chosen | None:
    """A ticked row: case and version, as the list wrote them."""
    case, _, version = text.partition(":")
    found = Chosen(sheets.number(case), sheets.number(version))
    return found if found.case_id > 0 and found.version > 0 else None
