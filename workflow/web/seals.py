"""The boxes of a decision (決裁欄): every step of a route as its reader sees it, and what each is to know of his turn."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from states import routes
from states.authority import DECIDE
from states.dates import month_day, short
from states.kernel import Process
from states.route_actions import BY_NAME, waiting
from states.route_words import STANDS, answered_by, beside, later, mark, together
from states.routes import AFTER, BLOCKING, DONE, KINDS, OPEN, SKIPPED, STOPPED, WAITING, Route, Step
from states.seats import ABSENCES, MAIN, TENURES, Seats
from states.standings import Stands
from workflow import differences, ended, rounds, seating
from workflow.called import teller
from workflow.cases import View
from workflow.db import type_connection
from workflow.deadlines import local_day
from workflow.differences import Line
from workflow.loading import instant
from workflow.web import offers


@dataclass(frozen=True)
class Seal:
    """One box: what was asked of which post, by whom and how it was answered; or who is asked, since when."""

    kind: str
    post: str
    who: str
    mark: str
    look: str = ""
    at: datetime | None = None
    told: tuple[str, ...] = ()
    now: bool = False
    word: str = ""  # how it stands, for who does not see the mark
    beside: bool = False  # asked together with others
    seq: int = 0  # event whose screen can be opened again


@dataclass(frozen=True)
class Remark:
    """What somebody wrote with an answer."""

    who: str
    said: str
    text: str
    at: datetime


@dataclass(frozen=True)
class Reopened:
    """A step that is asked again: who answered before, and what has changed since then of what it was about."""

    post: str
    mine: bool
    lines: Sequence[Line]


@dataclass(frozen=True)
class Boxes:
    """A route as the page shows it."""

    label: str
    article: str
    why: Sequence[str]
    stands: str
    seals: Sequence[Seal]
    together: Sequence[str]
    remarks: Sequence[Remark]
    reopened: Sequence[Reopened] = ()
    bars: str = ""
    live: bool = False
    marks: frozenset[str] = frozenset()


def of_case(conn: type_connection, view: View) -> Boxes | None:
    """The boxes of the route as it stands; None for who stands outside, and where there is none."""
    route = routes.of(view.form) if view.process.matters and offers.inside(view) else None
    if route is None:
        return None
    seats = seating.posts_on(conn, sorted({step.post for step in route.open}), view.facts.today)
    return boxes(view, route, seats, again=_again(conn, view, route))


def boxes(view: View, route: Route, seats: Seats, *, again: Sequence[Reopened] = ()) -> Boxes:
    """A route in boxes."""
    drafted = instant(route.drafted_at) if route.drafted_at else None
    first = Seal("起案", route.drafter_title, route.drafter_name, "済", at=drafted, word="済み")
    shown = [step for step in route.steps if not (step.kind == AFTER and _folded(route, step))]
    seals = [_seal(view, route, step, seats) for step in shown]
    rules = [said for number in range(1, len(route.stages) + 1) if (said := together(route, number))]
    return Boxes(
        route.label, route.article, route.why, STANDS.get(route.status, ""), [first, *seals], rules, _remarks(view.process, route), again,
        route.barred() if route.status in (routes.RUNNING, STOPPED) else "", route.status in (routes.RUNNING, STOPPED),
        frozenset(seal.mark for seal in seals),
    )  # fmt: skip


def _folded(route: Route, step: Step) -> bool:
    """Whether the box of a step that was passed over says already when it was read."""
    of = route.step(step.asker)
    return of is not None and of.state == SKIPPED


def _seal(view: View, route: Route, step: Step, seats: Seats) -> Seal:
    sign, look = mark(step)
    told = beside(step, route)
    at = instant(step.at) if step.state == DONE and step.at else None
    who = answered_by(step) if step.state == DONE else ""
    word = _word(view.process, step)
    now = step.state == OPEN and step.kind in BLOCKING
    if step.state == OPEN:
        who = _seated(seats, step.post)
        told = [*told, _since(view, step)]
        if step.hold:
            told.append(f"再検討の日: {_day(step.hold)}")
    if step.state == SKIPPED:
        read = next((s for s in route.steps if s.kind == AFTER and s.asker == step.no), None)
        if read is not None and read.state == DONE:
            who, at, word = read.name, instant(read.at), "読みました"
        elif read is not None:
            told, word = [*told, "まだ読んでいません"], "読むのを待っています"
    few = len([s for s in route.at_stage(step.stage) if step.stage]) > 1
    return Seal(
        KINDS[step.kind], step.title, who, sign, look, at, tuple(told), now, word, few,
        step.version + 1 if step.state == DONE and step.version else 0,
    )  # fmt: skip


def _word(process: Process, step: Step) -> str:
    if step.state == DONE:
        labels = {"approve": "承認しました", "agree": "同意しました", "disagree": "同意しません", "read": "読みました", "advise": "意見を返しました"}  # fmt: skip
        rows = [row.label for row in process.table if row.name == step.answer]
        return rows[0] if step.kind == DECIDE and rows else labels.get(step.answer, "済み")
    return {OPEN: "待っています", WAITING: "これから", SKIPPED: "先へ進めました"}.get(step.state, "聞きません")


def _seated(seats: Seats, post: int) -> str:
    """Who holds a post today, with what keeps them away."""
    seat = seats.get(post)
    if seat is None or not seat.holders:
        return "空席"
    told = []
    for holder in seat.holders:
        notes = [TENURES[holder.tenure]] if holder.tenure != MAIN else []
        notes += ["不在"] if holder.absent else []  # why is nobody's business until a deputy has acted
        told.append(f"{holder.name}({'・'.join(notes)})" if notes else holder.name)
    return "、".join(told)


def _since(view: View, step: Step) -> str:
    """Since when a step waits, in business days; the day it came is not counted."""
    day = local_day(instant(step.opened_at))
    days = view.facts.calendar.business_days_between(day, view.facts.today)
    return f"{month_day(day)}から{f'、{days}営業日' if days else ''}"


def _day(iso: str) -> str:
    return short(date.fromisoformat(iso))


def _remarks(process: Process, route: Route) -> list[Remark]:
    """What was written with the answers, the oldest first."""
    wrote = sorted((s for s in route.steps if s.state == DONE and s.remark), key=lambda s: s.at)
    return [
        Remark(
            step.title, f"{KINDS[step.kind]} {answered_by(step)} {_word(process, step)}",
            step.remark, instant(step.at),
        )
        for step in wrote
    ]  # fmt: skip


# ── what is asked again ─────────────────────────────────────────────────────────────────────────────────────────────


def _again(conn: type_connection, view: View, route: Route) -> list[Reopened]:
    """The open steps that were answered before, each with what has changed since that it was about."""
    steps = [step for step in route.open if step.reopened]
    found: Stands = view.facts.registers.get("stands") or Stands()
    mine = {one.step.no for one in found.steps}
    matter = next((m for m in view.process.matters if m.key == route.matter), None)
    told = []
    for step in steps:
        past = ended.as_they_were(conn, {view.id: step.reopened}).get(view.id)
        covers = step.covers or tuple((matter.covers or {}) if matter else ())
        lines = differences.between(teller(conn, view.process), past.form, view.form, covers) if past else []
        told.append(Reopened(step.title, step.no in mine, lines))
    return sorted(told, key=lambda one: not one.mine)


# ── whose turn it is, for who waits ─────────────────────────────────────────────────────────────────────────────────


def waits(view: View) -> list[str]:
    """For one of the offices who is not asked now: whose answer is awaited, from when he may act, why not in another's place."""
    route = routes.of(view.form) if view.process.matters and offers.inside(view) else None
    if route is None or not (said := waiting(view.facts)):
        return []
    found: Stands = view.facts.registers.get("stands") or Stands()
    if any(one.step.kind in BLOCKING for one in found.steps):
        return _instead(found)
    posts = view.facts.registers.get("posts", ())
    told = [said]
    for step in route.steps:
        if step.state == WAITING and step.post in posts:
            left = later(route, step)
            told.append(
                f"あなたの番({KINDS[step.kind]})は、{f'残りの{left}が済んで' if left else '前の段が済んで'}から来ます。"
            )
    told += found.refused
    told += _as_deputy(view, route, posts) if not found.refused else []
    early = [o.action.label for o in view.offers if o.allowed and o.action.name in BY_NAME and not o.action.main]
    if route.status != STOPPED and early and len(told) > 1:
        told.append(f"いまできるのは、{'、'.join(f'「{label}」' for label in early)}です。")
    return list(dict.fromkeys(told))


def _instead(found: Stands) -> list[str]:
    """For whom and why a deputy would answer, before it is done."""
    told = "「{post}」が不在({ground})なので、あなたが代わってできます(代決)。二人の名前と事由が記録に残り、「{post}」は戻ってから後閲します。"
    return [
        told.format(post=one.step.title, ground=ABSENCES.get(one.ground, one.ground))
        for one in found.steps
        if one.acting == "deputy" and one.step.kind == DECIDE
    ]


def desks(view: View) -> dict[str, str]:
    """What the desks of posts are called that the case asks."""
    route = routes.of(view.form)
    return {routes.desk(step.post): step.title for step in route.steps} if route else {}


def _as_deputy(view: View, route: Route, posts: Any) -> list[str]:
    """From which moment a deputy of the decider may act."""
    seats: Seats = view.facts.registers.get("seats") or Seats()
    step = route.deciding
    seat = seats.get(step.post)
    if step.state != WAITING or seat is None or not set(seat.deputies) & set(posts):
        return []
    bar = route.barred()
    return [bar or f"代決できるのは、決裁の番になり、「{seat.called}」が不在の間だけです。"]


# ── rounds ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Shown:
    """One round on the page of the route: its boxes, or by which event it was erased."""

    number: int
    at: datetime
    boxes: Boxes | None
    erased_by: int | None
    current: bool


def every_round(conn: type_connection, view: View) -> list[Shown]:
    """Every round of the case, the last one first."""
    found = rounds.written(conn, view)
    made = rounds.rounds(found)
    now = of_case(conn, view)
    told = []
    for one in reversed(made):
        current = one is made[-1]
        route = one.last.route
        shown = now if current and now else boxes(view, route, Seats()) if route else None
        told.append(Shown(one.number, one.first.at, shown, one.last.erased_by, current))
    return told
