"""The records: every event in scope across cases, taken out as CSV or JSON lines, and what the last check of the chain found."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from states.dates import fiscal_year, wareki
from states.spans import read_span
from workflow import export, queries
from workflow.access import Actor
from workflow.db import Database, database
from workflow.deadlines import TOKYO, local_day
from workflow.loading import NotFound
from workflow.queries import EventFilter
from workflow.web import lists
from workflow.web.posted import Posted
from workflow.web.render import Signed, page
from workflow.web.session import Connection, SignedIn

router = APIRouter()

PAGE = 50
READERS = frozenset({"auditor", "records", "administrator"})
STALE = timedelta(hours=36)  # a nightly check that is older did not run
FILTERS = ("since", "until", "office", "person", "post", "action", "case")

Maker = Callable[[Database, Actor, Sequence[export.Key]], Iterator[bytes]]


@dataclass(frozen=True)
class Kind:
    """A kind of file: how it is called, what makes it, how it is sent."""

    label: str
    make: Maker
    suffix: str
    media: str


KINDS = {
    "csv": Kind("CSV", export.as_csv, "csv", "text/csv; charset=utf-8"),
    "jsonl": Kind("JSON Lines", export.as_json_lines, "jsonl", "application/jsonl"),
}


@dataclass(frozen=True)
class Asked:
    """The filters as typed, as understood, and what could not be read."""

    typed: Mapping[str, str]
    wanted: EventFilter
    problems: Mapping[str, str] = field(default_factory=dict)


@router.get("/audit")
def audit(
    request: Request, conn: Connection, signed: SignedIn, since: str = "", until: str = "", office: str = "", person: str = "",
    post: str = "", action: str = "", case: str = "", after: str = "",
) -> Response:  # fmt: skip
    """The newest events of the period; without one, of this fiscal year."""
    given = dict(zip(FILTERS, (since, until, office, person, post, action, case), strict=True))
    return _page(request, conn, signed, _read(conn, given), after)


@router.post("/audit/export")
def take(request: Request, conn: Connection, signed: SignedIn, posted: Posted) -> Response:
    """The events of the same filters as a file; that it was taken is recorded before its first line is sent."""
    _may_read(signed.actor)
    asked, kind = _read(conn, {name: posted.get(name, "") for name in FILTERS}), KINDS.get(posted.get("kind", ""))
    if kind is None:
        raise NotFound
    if asked.problems:
        return _page(request, conn, signed, asked, "", status=422)
    try:
        keys = export.take(conn, signed.actor.person_id, f"events.{kind.suffix}", **asked.wanted)
    except export.TooMany:
        many = f"1つのファイルに入るのは{export.MOST:,}件までです。期間を短く分けて書き出してください。"
        return _page(request, conn, signed, Asked(asked.typed, asked.wanted, {"since": many}), "", status=422)
    name = f"tobidashi-events_{asked.wanted['since']}_{asked.wanted['until']}.{kind.suffix}"
    return StreamingResponse(
        kind.make(database(), signed.actor, keys),
        media_type=kind.media,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _may_read(actor: Actor) -> None:
    if not READERS & actor.roles:
        raise NotFound


def _read(conn: Connection, given: Mapping[str, str]) -> Asked:
    """The filters; a period that was left open is this fiscal year up to today."""
    today = local_day(queries.database_now(conn))
    typed = {name: lists.words(given[name]) for name in FILTERS}
    since, trouble = _day(typed["since"], date(fiscal_year(today), 4, 1), last=False)
    until, more = _day(typed["until"], today, last=True)
    problems = {name: text for name, text in (("since", trouble), ("until", more)) if text}
    if not problems and since > until:
        problems["until"] = "終わりの日が初めの日より前になっています。どちらかを直してください。"
    typed |= {"since": typed["since"] or since.isoformat(), "until": typed["until"] or until.isoformat()}
    wanted: EventFilter = {
        "since": since, "until": until, "office": typed["office"], "person": typed["person"], "post": typed["post"],
        "action": typed["action"], "case": typed["case"],
    }  # fmt: skip
    return Asked(typed, wanted, problems)


def _day(typed: str, otherwise: date, *, last: bool) -> tuple[date, str]:
    """The day that was typed, the first or last one of a month or year, or the other one; and why it could not be read."""
    if not typed:
        return otherwise, ""
    reading = read_span(typed)
    day = reading.last if last else reading.first
    return (day, "") if day else (otherwise, reading.problem or "期間の端が書かれていません。")


def _page(
    request: Request, conn: Connection, signed: Signed, asked: Asked, after: str, *, status: int = 200
) -> Response:
    _may_read(signed.actor)
    person, wide = (
        signed.actor.person_id,
        any(p.scope == "all" or p.role == "administrator" for p in signed.actor.posts),
    )
    found = queries.Page([])
    if not asked.problems:
        with lists.place_in("/audit"):
            found = queries.events(conn, person, after=after, limit=PAGE, **asked.wanted)
    return page(
        request, signed, "audit.html", status=status, asked=asked, errors=[(f"f-{name}", text) for name, text in asked.problems.items()], rows=[dict(row) | _when(row["at"]) for row in found.rows], moment=lists.moment, offices=_offices(conn),
        actions=queries.actions_known(), kinds=KINDS, check=_check(conn, person), stale=STALE,
        exports=[row | {"label": _label(row["what"])} for row in export.taken(conn, person, everybody=wide)],
        filter_labels=FILTER_LABELS, everybody=wide,
        next_href=lists.address("/audit", asked.typed, after=found.next) if found.next else "",
        first_href=lists.address("/audit", asked.typed) if after else "",
    )  # fmt: skip


FILTER_LABELS = {
    "since": "初めの日",
    "until": "終わりの日",
    "office": "所属・担当局",
    "person": "人",
    "post": "職",
    "action": "操作",
    "case": "案件番号",
}


def _when(at: datetime) -> dict[str, str]:
    """The day with its year and the time to the second, in Tokyo."""
    return {"day": wareki(local_day(at)), "time": f"{at.astimezone(TOKYO):%H:%M:%S}"}


def _label(what: str) -> str:
    kind = KINDS.get(what.removeprefix("events."))
    return (
        f"記録 {kind.label}"
        if kind
        else {"disposals": "廃棄簿 CSV", "balance": "行き先のかたより CSV", "monthly": "月ごとの処理状況 xlsx"}.get(
            what, what
        )
    )


def _offices(conn: Connection) -> list[tuple[str, str]]:
    return [(o["code"], o["name"]) for o in lists.organisations(conn)]


def _check(conn: Connection, person: int) -> dict[str, Any] | None:
    """The last check; of its breaks those in this person's cases with the case's number, of the others how many."""
    check = export.last_check(conn)
    if check is None:
        return None
    numbers = queries.case_names(conn, person, [b["case"] for b in check["breaks"]])
    mine = [b | {"about": numbers[b["case"]]} for b in check["breaks"] if b["case"] in numbers]
    return check | {"mine": mine, "elsewhere": len(check["breaks"]) - len(mine)}
