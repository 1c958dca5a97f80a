"""The table of decisions: read, proposed with a preview, consented to by a second administrator, ended; nothing is rewritten."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.datastructures import QueryParams
from starlette.responses import Response

from states.authority import KINDS, PASSES, REFUSALS, Matter
from states.dates import read_date
from states.kernel import Process
from states.previews import Preview, stages_said, worked_out
from workflow import decision_typing as typing
from workflow import decisions, history, previews
from workflow.calendar_days import LONGEST, NotTaken, administrator, offices
from workflow.cases import today
from workflow.decisions import Proposal
from workflow.loading import NotFound
from workflow.once import once
from workflow.seating import seats
from workflow.web import lists, sheets
from workflow.web.posted import Posted
from workflow.web.render import Signed, page
from workflow.web.session import Connection, RowId, SignedIn

router = APIRouter()

ADDRESS = "/decisions"
ASIDE = frozenset({"csrf", "key", "press", "seen"})
PREVIEW = (
    "preview"  # value of the button that looks at a row before it is kept; after a colon, behind which case it goes on
)
DONE = {
    "proposed": "行を残しました。ほかの管理者が同意すると、始める日から効きます。それまでは何も変わりません。",
    "consented": "同意しました。いま回っている案件の順序は変わりません。",
    "ending": "終わりの日を残しました。ほかの管理者が同意すると、その日で終わります。",
    "dropped": "取り下げました。",
}
LABELS = {
    decisions.WAITING: ("warn", "同意待ち", ""), decisions.HOLDS: ("ok", "効いています", ""), decisions.COMING: ("none", "これから", "later"),
    decisions.ENDED: ("none", "終わりました", ""), decisions.DROPPED: ("none", "取り下げました", ""),
}  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """What was typed, and what is wrong with it; `told` is the preview that was asked for."""

    typed: Mapping[str, str] = field(default_factory=dict)
    key: str = ""
    wrong: Mapping[str, str] = field(default_factory=dict)
    more: str = ""
    told: Mapping[str, Any] | None = None


@router.get(ADDRESS)
def show(request: Request, conn: Connection, signed: SignedIn, done: str = "", office: str = "") -> Response:
    """Every matter with its rows; `office` leaves that office's own and those of all."""
    found = decisions.listed(conn, signed.actor)
    shown = [
        (process, matter, [row for row in rows if office in ("", row.rule.office) or not row.rule.office])
        for process, matter, rows in found
    ]
    names = previews.names_of(conn)
    return page(
        request, signed, "decisions.html", groups=shown, done=DONE.get(done, ""), labels=LABELS, office=office, offices=decisions.bureaus(conn),
        stages=lambda row: stages_said(row.rule.stages, row.matter, names), me=signed.actor.person_id,
    )  # fmt: skip


@router.get(ADDRESS + "/new")
def begin(request: Request, conn: Connection, signed: SignedIn, process: str = "", matter: str = "", change: int = 0) -> Response:  # fmt: skip
    """An empty row of a matter, or a stored one to change."""
    administrator(signed.actor)
    typed: dict[str, str] = {}
    if change:
        row = decisions.one(conn, signed.actor, change)
        process, matter = row.rule.process, row.rule.matter
        typed = typing.typed_of(row.rule, row.matter)
    about = decisions.about(process, matter)
    return _form(request, conn, signed, about, change, Asked(typed))


@router.post(ADDRESS + "/new")
def write(request: Request, conn: Connection, signed: SignedIn, posted: Posted) -> Response:
    """One more stage or post, a preview, or the row itself; a refusal shows the page again, with everything that was typed."""
    administrator(signed.actor)
    about = decisions.about(posted.get("process", ""), posted.get("matter", ""))
    change = sheets.number(posted.get("change", "") or "0")
    if change and decisions.one(conn, signed.actor, change).rule.matter != about[1].key:
        raise NotFound
    typed = {name: posted[name] for name in posted if name not in ASIDE}
    key, press = posted.get("key", ""), posted.get("press", "")
    look, _, after = press.partition(":")
    if look not in (PREVIEW, "save"):
        return _form(request, conn, signed, about, change, Asked(typed, key, more=press))
    leads = [code for code, _ in decisions.bureaus(conn)]
    read = typing.read(typed, about[0].key, about[1], leads, today(conn), change)
    if read.proposal is None:
        return _form(request, conn, signed, about, change, Asked(typed, key, read.wrong))
    if unfit := decisions.unfit(conn, read.proposal, about[1]):
        wrong = {f"s1.kind~{n}": sentence for n, sentence in enumerate(unfit)}
        return _form(request, conn, signed, about, change, Asked(typed, key, wrong))
    if look == PREVIEW or posted.get("seen", "") != seen_of(typed):
        told = _told(conn, read.proposal, about[1], typed, after=_after(after))
        return _form(request, conn, signed, about, change, Asked(typed, key, told=told))
    proposal = read.proposal
    try:
        made = once(
            conn,
            signed.actor.person_id,
            sheets.key_of(posted),
            ["decision", typed],
            lambda: decisions.propose(conn, signed.actor, proposal),
        )
    except NotTaken as refusal:
        return _form(request, conn, signed, about, change, Asked(typed, key, refusal.fields))
    return RedirectResponse(f"{ADDRESS}/{made}?done=proposed", 303)


def seen_of(typed: Mapping[str, str]) -> str:
    """A mark of the row itself as it was previewed; what was only tried out (`with.`) is no part of it."""
    own = {name: value for name, value in typed.items() if value and not name.startswith("with.")}
    return hashlib.sha256(history.canonical(own).encode()).hexdigest()[:32]


@router.get(ADDRESS + "/{entry:int}")
def show_one(request: Request, conn: Connection, signed: SignedIn, entry: RowId, done: str = "") -> Response:
    """A row in words, what it does in an example, and what can be done with it."""
    return _one(request, conn, signed, entry, Asked(), DONE.get(done, ""))


@router.post(ADDRESS + "/{entry:int}/consent")
def consent(request: Request, conn: Connection, signed: SignedIn, posted: Posted, entry: RowId) -> Response:
    """A second administrator consents to a row, or to its end."""
    try:
        decisions.consent(conn, signed.actor, entry)
    except NotTaken as refusal:
        return _one(request, conn, signed, entry, Asked(wrong=refusal.fields))
    return RedirectResponse(f"{ADDRESS}/{entry}?done=consented", 303)


@router.post(ADDRESS + "/{entry:int}/end")
def end(request: Request, conn: Connection, signed: SignedIn, posted: Posted, entry: RowId) -> Response:
    """Propose the last day of a row."""
    typed = {name: posted.get(name, "") for name in ("until", "why")}
    return _change(request, conn, signed, entry, typed, "ending", "end")


@router.post(ADDRESS + "/{entry:int}/drop")
def drop(request: Request, conn: Connection, signed: SignedIn, posted: Posted, entry: RowId) -> Response:
    """Take back what waits for consent."""
    return _change(request, conn, signed, entry, {"why": posted.get("why", "")}, "dropped", "drop")


def _change(request: Request, conn: Connection, signed: Signed, entry: int, typed: Mapping[str, str], done: str, verb: str) -> Response:  # fmt: skip
    try:
        if verb == "end":
            decisions.end(conn, signed.actor, entry, typed["until"], typed["why"])
        else:
            decisions.drop(conn, signed.actor, entry, typed["why"])
    except NotTaken as refusal:
        return _one(request, conn, signed, entry, Asked(typed, "", refusal.fields, verb))
    return RedirectResponse(f"{ADDRESS}/{entry}?done={done}", 303)


# ── the pages ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _one(request: Request, conn: Connection, signed: Signed, entry: int, asked: Asked, done: str = "") -> Response:
    row = decisions.one(conn, signed.actor, entry)
    proposal, open_ = decisions.proposal_of(row), row.status in (decisions.WAITING, decisions.HOLDS, decisions.COMING)
    typed = _query(request.query_params) or typing.fitting(row.rule, row.matter)
    after = _after(request.query_params.get("after", ""))
    told = _told(conn, proposal, row.matter, typed, ending=row.ending, after=after) if open_ else None
    tried = {name: value for name, value in request.query_params.items() if name.startswith("with.")}
    onward = lists.address(f"{ADDRESS}/{entry}", tried, after=told["rerouted"].following) if told else ""
    return page(
        request, signed, "decision.html", status=422 if asked.wrong else 200, row=row, asked=asked, done=done, labels=LABELS, told=told, typed=typed,
        stages=stages_said(row.rule.stages, row.matter, previews.names_of(conn)), why=[test.said(row.matter) for test in row.rule.tests],
        me=signed.actor.person_id, mine=not row.waits_for(signed.actor.person_id), limit=LONGEST, options=typing.options, offices=decisions.bureaus(conn),
        sections=_sections(conn), open=open_, onward=f"{onward}#h-effect",
    )  # fmt: skip


def _form(
    request: Request, conn: Connection, signed: Signed, about: tuple[Process, Matter], change: int, asked: Asked
) -> Response:
    process, matter = about
    return page(
        request, signed, "decision_edit.html", status=422 if asked.wrong else 200, process=process, matter=matter, change=change, asked=asked,
        typed=asked.typed, errors=[(name.partition("~")[0], sentence) for name, sentence in asked.wrong.items()], blocks=typing.blocks(asked.typed, more=asked.more), key=asked.key or str(uuid4()), kinds=list(KINDS.items()),
        passes=list(PASSES.items()), refusals=list(REFUSALS.items()), options=typing.options, limit=LONGEST, offices=decisions.bureaus(conn),
        organisations=offices(conn), sections=_sections(conn), titles=_titles(conn), seen=seen_of(asked.typed) if asked.told else "",
    )  # fmt: skip


def _told(
    conn: Connection,
    proposal: Proposal,
    matter: Matter,
    typed: Mapping[str, str],
    *,
    ending: bool = False,
    after: int = 0,
) -> dict[str, Any]:
    """The row in words, the example, the cases that would go another way, the posts that some offices lack."""
    return {
        "stages": stages_said(proposal.rule.stages, matter, previews.names_of(conn)),
        "why": [test.said(matter) for test in proposal.rule.tests],
        "proposal": proposal,
        "example": _example(conn, proposal, matter, typed, ending=ending),
        "rerouted": decisions.rerouted(conn, proposal, ending=ending, after=after),
        "unseated": decisions.unseated(conn, proposal),
    }


def _after(typed: str) -> int:
    """The case behind which an address or a button goes on; from the first one where it says none."""
    return max(sheets.number(typed), 0)


def _example(
    conn: Connection, proposal: Proposal, matter: Matter, typed: Mapping[str, str], *, ending: bool
) -> Preview:
    """Who would decide in an office, for typed conditions, a drafter's section and a day."""
    bureaus = [code for code, _ in decisions.bureaus(conn)]
    office = proposal.rule.office or typed.get("with.office", "")
    office = office if office in bureaus else bureaus[0]
    day = _day(typed) or proposal.since
    known = decisions.known_then(conn, replace(proposal, since=day), office)
    known = [rule for rule in known if rule.id != proposal.rule.id] if ending else known
    there = seats(conn, previews.organisations(office, known), day)
    drafter = previews.nobody(office, typed.get("with.section", ""))
    return worked_out(known, matter, typing.example(typed, matter), there, drafter, office)


# Of the offices whose posts a rule may name.
SECTIONS = "SELECT DISTINCT p.section FROM post p WHERE p.section <> '' AND p.org_code = ANY (SELECT code FROM organisation WHERE kind IN ('bureau', 'headquarters')) ORDER BY 1"
TITLES = "SELECT DISTINCT p.title FROM post p WHERE p.org_code = ANY (SELECT code FROM organisation WHERE kind IN ('bureau', 'headquarters')) ORDER BY 1"


def _day(typed: Mapping[str, str]) -> date | None:
    return read_date(typed["with.on"]).date if typed.get("with.on", "").strip() else None


def _query(query: QueryParams) -> dict[str, str]:
    """The example that the address asks for; a date has three boxes."""
    found = {name: value for name, value in query.items() if name.startswith("with.")}
    boxes = [found.pop(f"with.on~{box}", "").strip() for box in "ymd"]
    return found | ({"with.on": ".".join(filter(None, boxes))} if any(boxes) else {})


def _sections(conn: Connection) -> list[tuple[str, str]]:
    return [(name, name) for (name,) in conn.execute(SECTIONS, prepare=True)]


def _titles(conn: Connection) -> list[str]:
    return [name for (name,) in conn.execute(TITLES, prepare=True)]
