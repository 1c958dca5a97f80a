"""市町村カルテ: one page of a municipality with everything open and past, for who is about to visit it; and the list that leads there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from states.dates import fiscal_year, fiscal_year_label, short
from states.places import Directory
from workflow import cases, karte
from workflow.access import OUTSIDE
from workflow.db import type_connection
from workflow.deadlines import due_day, local_day
from workflow.karte import Line, Voice
from workflow.loading import NotFound
from workflow.queries import database_now
from workflow.story import HOLDERS
from workflow.web import lists
from workflow.web.render import Signed, page
from workflow.web.session import Connection, SignedIn

router = APIRouter()

ADDRESS = "/municipalities"
MOST_VOICES, MOST_PAST, MOST_KEPT, MOST_STALLED, MOST_CAME = 12, 40, 6, 50, 3


@dataclass(frozen=True)
class Stage:
    """A stage of what became of a voice: its name, its mark and words, the case, a small line; `look` is its class."""

    name: str
    kind: str
    word: str
    href: str = ""
    text: str = ""
    number: str = ""
    small: str = ""
    look: str = ""


@router.get(ADDRESS)
def index(request: Request, conn: Connection, signed: SignedIn, office: str = "") -> Response:
    """The municipalities of an office, with the voices that stand still there; a municipality is led to its own page."""
    known = _near(conn, signed)
    if len(known) == 1 and not signed.actor.roles - OUTSIDE:
        return RedirectResponse(f"{ADDRESS}/{known[0]['code']}", 303)
    offices = _offices(conn, {row["office"] for row in known})
    here = office if office in dict(offices) else _own(signed, offices)
    places = [row for row in known if row["office"] == here]
    codes = [row["code"] for row in places]
    now = database_now(conn)
    found = karte.overview(conn, signed.actor, codes)
    still = karte.stalled(conn, signed.actor, codes, now)
    of_place = {code: sum(place == code for place, _ in still) for code in codes}
    names = {row["code"]: row["name"] for row in places}
    rows = [row | {"still": of_place[row["code"]], "told": found.get(row["code"])} for row in places]
    return page(
        request, signed, "municipalities.html", offices=offices, office=here, office_name=dict(offices)[here], rows=rows,
        still=[(names[place], line) for place, line in still[:MOST_STALLED]], more=max(len(still) - MOST_STALLED, 0), holders=HOLDERS,
        today=cases.today(conn), inside=bool(signed.actor.roles - OUTSIDE),
    )  # fmt: skip


@router.get(ADDRESS + "/{code}")
def show(request: Request, conn: Connection, signed: SignedIn, code: str) -> Response:
    """The karte of a municipality."""
    town = next((row for row in _near(conn, signed) if row["code"] == code), None)
    if town is None:
        raise NotFound
    directory, today, now = Directory.from_csv(), cases.today(conn), database_now(conn)
    codes, year = karte.codes(directory, code), fiscal_year(cases.today(conn))
    told = karte.lines(conn, signed.actor, codes, now)
    voices = karte.voices(conn, signed.actor, told, now, year)
    promised = list(karte.promises(told))
    pending = [pair for pair in promised if not (pair[1].kept or pair[1].dropped)]
    tops = [line for line in told if line.parent is None]
    opened = sorted((line for line in tops if not line.final), key=_urgency)
    past = sorted((line for line in tops if line.final), key=lambda line: line.since, reverse=True)
    days, here = karte.sent(conn, signed.actor, codes), directory.municipality(code, today)
    return page(
        request, signed, "municipality.html", town=town, kana=here.kana if here else "", county=here.county if here else "",
        former=[m.name for m in directory.municipalities if m.code in codes[1:]], office_name=dict(_offices(conn, {town["office"]})).get(town["office"], ""),
        today=today, year_label=fiscal_year_label(year), figures=_figures(told, opened, pending, days, today, year, town["name"]),
        next_day=next((day for day, _, _ in days if day >= today), None), voices=[(v, _mark(v), _stages(v)) for v in voices[:MOST_VOICES]],
        more_voices=max(len(voices) - MOST_VOICES, 0), opened=opened, pending=pending, kept=promised[len(pending) :][:MOST_KEPT],
        past=[(fiscal_year_label(number), list(rows)) for number, rows in groupby(past[:MOST_PAST], key=lambda line: line.year)], past_total=len(past),
        numbers={line.id: line.number for line in told}, holders=HOLDERS, everything=lists.address("/cases", {"place": code}), inside=bool(signed.actor.roles - OUTSIDE), full=len(told) == karte.MOST,
    )  # fmt: skip


def reaches(conn: type_connection, signed: Signed, code: str) -> bool:
    """Whether the reader has a karte of that municipality."""
    return bool(code) and any(row["code"] == code for row in _near(conn, signed))


def to_read(conn: type_connection, signed: Signed, codes: Sequence[str]) -> list[tuple[str, str]]:
    """Address and name of the karte of each of these municipalities, as far as the reader has one."""
    near = {row["code"]: row["name"] for row in _near(conn, signed)} if codes else {}
    return [(f"{ADDRESS}/{code}", near[code]) for code in codes if code in near]


def _near(conn: type_connection, signed: Signed) -> list[dict[str, Any]]:
    """The municipalities of today in the reader's reach. Raises `NotFound` for who has no such page."""
    actor = signed.actor
    if not actor.roles & karte.READERS:
        return []
    wide = any(post.scope == "all" for post in actor.posts)
    known = [row for row in lists.organisations(conn) if row["kind"] == "municipality"]
    return [row for row in known if wide or row["code"] in actor.orgs or row["office"] in actor.orgs]


def _offices(conn: type_connection, wanted: set[str]) -> list[tuple[str, str]]:
    """The offices among these, in their order. Raises `NotFound` where there is none."""
    found = [(row["code"], row["name"]) for row in lists.organisations(conn) if row["code"] in wanted]
    if not found:
        raise NotFound
    return found


def _own(signed: Signed, offices: Sequence[tuple[str, str]]) -> str:
    return next((code for code, _ in offices if code in signed.actor.orgs), offices[0][0])


def _urgency(line: Line) -> tuple[bool, float]:
    return line.due_at is None, line.due_at.timestamp() if line.due_at else line.since.timestamp()


def _figures(
    told: Sequence[Line], opened: Sequence[Line], pending: Sequence[Any], days: Sequence[tuple[date, int, int]], today: date, year: int,
    name: str,
) -> list[tuple[str, Any, str]]:  # fmt: skip
    waiting = [line for line in opened if line.holder in OUTSIDE]
    still = [line for line in told if line.voice and line.still]
    this_year = [(day, people) for day, people, _ in days if fiscal_year(day) == year]
    figures: list[tuple[str, Any, str]] = [
        ("進行中", len(opened), "件"), (f"{name[-1:]}の返事を待つもの", len(waiting), "件"), ("約束して、まだのこと", len(pending), "件"),
        ("止まっている声", len(still), "件"),
    ]  # fmt: skip
    if days:
        figures.append(("今年度に出向く日数", sum(people for _, people in this_year), "人日(予定を含む)"))
    return figures


def _mark(voice: Voice) -> tuple[str, str]:
    """How a voice stands, as mark and words."""
    line = voice.line
    if line.final:
        return "ok", line.outcome
    return ("warn", f"{line.still}日動きがない") if line.still else ("now", "対応中")


def _stages(voice: Voice) -> list[Stage]:
    """From the voice by what is done about it to what the place was told."""
    line = voice.line
    stages = [Stage("声", "ok", short(local_day(line.since)), f"/cases/{line.id}", line.label, line.number or "")]
    if not line.final:
        small = " ・ ".join(filter(None, (_turn(line), _due(line))))
        look, kind = ("is-stuck", "warn") if line.still else ("is-now", "now")
        stages.append(Stage("いま", kind, line.state, small=small, look=look))
    shown = voice.came if len(voice.came) <= MOST_CAME else voice.came[-MOST_CAME + 1 :]
    if len(shown) < len(voice.came):
        stages.append(Stage("ここから起こした案件", "none", f"ほかに{len(voice.came) - len(shown)}件", look="is-next"))
    stages += [_of(one, line) for one in shown]
    end = Stage("結果", "ok", line.outcome, text=line.heard, small=short(local_day(line.moved))) if line.final else None
    return [*stages, end or Stage("結果", "none", "これから", look="is-next")]


def _of(one: Line, voice: Line) -> Stage:
    """A case that came of the voice."""
    name = one.label if one.parent == voice.id else "ここから起こした案件"
    if one.final:
        return Stage(
            name, "ok", one.outcome, f"/cases/{one.id}", one.label, one.number or "", short(local_day(one.moved))
        )
    kind, look = ("warn", "is-stuck") if one.still else ("now", "is-now")
    small = " ・ ".join(filter(None, (_turn(one), _due(one))))
    return Stage(name, kind, one.state, f"/cases/{one.id}", one.label, one.number or "", small, look)


def _turn(line: Line) -> str:
    holder = HOLDERS.get(line.holder, line.holder)
    return f"{holder}の番" if line.holder else ""


def _due(line: Line) -> str:
    return f"{short(due_day(line.due_at))}まで" if line.due_at else ""
