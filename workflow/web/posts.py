"""Organisations with their posts, for the administrator: who holds each on a day, and what is changed of it, each from a day on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from uuid import uuid4

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from states.dates import read_date
from states.seats import TENURES
from workflow import posts, reassigning, tenures
from workflow.cases import today
from workflow.colleagues import NotTaken
from workflow.loading import NotFound
from workflow.once import once
from workflow.web import sheets
from workflow.web.posted import Fields, Posted
from workflow.web.render import Signed, page
from workflow.web.session import Connection, RowId, SignedIn

router = APIRouter()

ADDRESS = "/posts"
DEPUTIES = 5  # places in the order of deputies
POST = ("office", "section", "title", "role", "since")
TENURE = ("person", "kind", "from", "to", "order")
DONE = {
    "added": "職を加えました。就く人と、上位の職、代決の順を入れてください。",
    "ended": "終わる日を入れました。記録に残りました。",
    "begun": "就く人を入れました。始まりの日の0時から、その職の手番が見えるようになります。",
    "deputies": "代決の順を入れました。",
    "superior": "上位の職を入れました。",
    "cleared": "メールアドレスを消し、アカウントを使えなくしました。記録の氏名は残ります。",
    "reassigned": "回す職を替えました。理由は案件の記録に残りました。",
}


@dataclass(frozen=True)
class Asked:
    """What was sent, under which form of the page, and what is wrong with it."""

    form: str = ""
    typed: Mapping[str, str] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)
    key: str = ""

    def value(self, form: str, name: str, otherwise: str = "") -> str:
        return self.typed.get(name, otherwise) if form == self.form else otherwise

    def error(self, form: str, name: str) -> str:
        return self.problems.get(name, "") if form == self.form else ""


# ── the organisation ────────────────────────────────────────────────────────────────────────────────────────────────


@router.get(ADDRESS)
def show(
    request: Request, conn: Connection, signed: SignedIn, office: str = "", day: str = "", done: str = ""
) -> Response:
    """The posts of an organisation, on today or on the day asked for."""
    return _office(request, conn, signed, Asked(), office, day, DONE.get(done, ""))


@router.post(ADDRESS)
def add(request: Request, conn: Connection, signed: SignedIn, posted: Posted) -> Response:
    """Add a post. A refusal shows the page again, with everything that was typed."""
    posts.administrator(signed.actor)
    typed = {name: posted.get(name, "") for name in POST}
    try:
        made = once(
            conn, signed.actor.person_id, sheets.key_of(posted), ["post", typed], partial(tenures.add_post, conn, signed.actor, typed)
        )  # fmt: skip
    except NotTaken as refusal:
        return _office(
            request, conn, signed, Asked("add", typed, refusal.fields, posted.get("key", "")), typed["office"]
        )
    return RedirectResponse(f"{ADDRESS}/{made}?done=added", 303)


@router.post(f"{ADDRESS}/people/{{entry:int}}/clear")
def clear(conn: Connection, signed: SignedIn, posted: Posted, entry: RowId) -> Response:
    """Remove the address of somebody who has left, and close the account."""
    tenures.clear_contact(conn, signed.actor, entry)
    return RedirectResponse(f"{ADDRESS}?done=cleared", 303)


def _office(
    request: Request, conn: Connection, signed: Signed, asked: Asked, office: str = "", typed: str = "", done: str = ""
) -> Response:
    reading, now = read_date(typed), today(conn)
    day = reading.date or now
    every = posts.offices(conn, signed.actor, day)
    shown = next((one for one in every if one.code == office), None) or next(
        (one for one in every if one.posts), every[0]
    )
    return page(
        request, signed, "posts.html", status=422 if asked.problems else 200, asked=asked, done=done, shown=shown, day=day, today=now,
        typed=typed, unread=reading.problem if typed and reading.date is None else "",
        offices=[(one.code, one.label) for one in every if one.posts or one.code == shown.code], all_offices=[(one.code, one.name) for one in every],
        rows=posts.listed(conn, signed.actor, shown.code, day), roles=list(posts.ROLES.items()), key=asked.key or str(uuid4()),
        records=posts.records(conn, signed.actor), left=posts.left(conn, signed.actor), orphans=len(reassigning.orphans(conn, signed.actor)),
    )  # fmt: skip


# ── one post ────────────────────────────────────────────────────────────────────────────────────────────────────────


@router.get(f"{ADDRESS}/{{entry:int}}")
def one(request: Request, conn: Connection, signed: SignedIn, entry: RowId, done: str = "") -> Response:
    """A post with everything that was and will be, and the forms that change it."""
    return _post(request, conn, signed, entry, Asked(), DONE.get(done, ""))


@router.post(f"{ADDRESS}/{{entry:int}}/end")
def end_post(request: Request, conn: Connection, signed: SignedIn, posted: Posted, entry: RowId) -> Response:
    """End the post."""
    typed = {"last": posted.get("last", "")}
    change = partial(tenures.end_post, conn, signed.actor, entry, typed)
    return _changed(request, conn, signed, entry, Asked("end", typed), change, "ended")


@router.post(f"{ADDRESS}/{{entry:int}}/tenures")
def begin(request: Request, conn: Connection, signed: SignedIn, posted: Posted, entry: RowId) -> Response:
    """Seat a person."""
    posts.administrator(signed.actor)
    typed = {name: posted.get(name, "") for name in TENURE}
    made = partial(tenures.begin, conn, signed.actor, entry, typed)
    change = partial(once, conn, signed.actor.person_id, sheets.key_of(posted), ["tenure", entry, typed], made)
    return _changed(request, conn, signed, entry, Asked("begin", typed, key=posted.get("key", "")), change, "begun")


@router.post(f"{ADDRESS}/{{entry:int}}/deputies")
def deputies(request: Request, conn: Connection, signed: SignedIn, posted: Posted, entry: RowId) -> Response:
    """Set who stands in, in which order."""
    typed = {name: posted.get(name, "") for name in ("deputies-since", *_places())}
    order = [typed[name] for name in _places() if typed[name]]
    change = partial(tenures.set_deputies, conn, signed.actor, entry, order, typed["deputies-since"])
    return _changed(request, conn, signed, entry, Asked("deputies", typed), change, "deputies")


@router.post(f"{ADDRESS}/{{entry:int}}/superior")
def superior(request: Request, conn: Connection, signed: SignedIn, posted: Posted, entry: RowId) -> Response:
    """Set the post above."""
    typed = {"superior": posted.get("superior", ""), "superior-since": posted.get("superior-since", "")}
    change = partial(tenures.set_superior, conn, signed.actor, entry, typed["superior"], typed["superior-since"])
    return _changed(request, conn, signed, entry, Asked("superior", typed), change, "superior")


@router.post(f"{ADDRESS}/{{entry:int}}/tenures/{{tenure:int}}/end")
def end(request: Request, conn: Connection, signed: SignedIn, posted: Posted, entry: RowId, tenure: RowId) -> Response:
    """End a tenure of the post."""
    posts.administrator(signed.actor)
    if tenure not in {row["id"] for row in posts.one(conn, signed.actor, entry).tenures}:
        raise NotFound
    typed = _only(posted, f"last-{tenure}")
    change = partial(tenures.end, conn, signed.actor, tenure, typed)
    return _changed(request, conn, signed, entry, Asked(f"tenure-{tenure}", typed), change, "ended")


def _only(posted: Fields, *names: str) -> dict[str, str]:
    return {name: posted.get(name, "") for name in names}


def _places() -> list[str]:
    return [f"deputy-{place}" for place in range(1, DEPUTIES + 1)]


def _changed(
    request: Request, conn: Connection, signed: Signed, entry: int, asked: Asked, change: Callable[[], object], done: str
) -> Response:  # fmt: skip
    try:
        change()
    except NotTaken as refusal:
        return _post(request, conn, signed, entry, Asked(asked.form, asked.typed, refusal.fields, asked.key))
    return RedirectResponse(f"{ADDRESS}/{entry}?done={done}", 303)


def _post(request: Request, conn: Connection, signed: Signed, entry: int, asked: Asked, done: str = "") -> Response:
    post = posts.one(conn, signed.actor, entry)
    now = posts.listed(conn, signed.actor, "", today(conn), entry)
    stands_in = [str(number) for number in (now[0]["deputy_ids"] or ())] if now else []
    return page(
        request, signed, "post.html", status=422 if asked.problems else 200, post=post, asked=asked, done=done, kinds=list(TENURES.items()),
        now=now[0] if now else None, key=asked.key or str(uuid4()), records=posts.records(conn, signed.actor, entry),
        places=list(enumerate(_places())), stands_in=stands_in, here=posts.choices(conn, post, wide=False), above=posts.choices(conn, post, wide=True),
    )  # fmt: skip


# ── steps that nobody can answer ────────────────────────────────────────────────────────────────────────────────────

ORPHANS = f"{ADDRESS}/orphans"


@router.get(ORPHANS)
def orphans(request: Request, conn: Connection, signed: SignedIn, done: str = "") -> Response:
    """The steps of routes whose posts nobody holds."""
    return _orphans(request, conn, signed, {}, {}, DONE.get(done, ""))


@router.post(f"{ORPHANS}/{{entry:int}}/{{step:int}}")
def reassign(
    request: Request, conn: Connection, signed: SignedIn, posted: Posted, entry: RowId, step: RowId
) -> Response:
    """Give a step to another post."""
    names = (f"post-{entry}-{step}", f"reason-{entry}-{step}")
    typed, version = _only(posted, *names), sheets.number(posted.get("version", ""))
    try:
        reassigning.reassign(
            conn, signed.actor, entry, step, version=version, post=typed[names[0]], reason=typed[names[1]]
        )
    except NotTaken as refusal:
        return _orphans(request, conn, signed, typed, refusal.fields)
    return RedirectResponse(f"{ORPHANS}?done=reassigned", 303)


def _orphans(
    request: Request,
    conn: Connection,
    signed: Signed,
    typed: Mapping[str, str],
    problems: Mapping[str, str],
    done: str = "",
) -> Response:
    rows = reassigning.orphans(conn, signed.actor)
    return page(
        request, signed, "orphans.html", status=422 if problems else 200, rows=rows, typed=typed, problems=problems, done=done,
        limit=reassigning.LONGEST,
    )  # fmt: skip
