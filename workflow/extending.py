"""Extending one running deadline of a case: an event of its own with the old day, the new one and the reason; moves no state.

Whoever answers for a deadline moves it: the leading bureau its own, the municipality's and the staff's, the director and
headquarters theirs. The desk that is asked and the other side are told, and reminders run anew by the new day.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from states.calendar import Calendar, CalendarEnds
from states.dates import read_date, short
from states.kernel import Process, Refused
from states.terms import Deadline, block
from states.text import problems
from workflow import acts, case_sql, history
from workflow.access import OUTSIDE, actor
from workflow.cases import Done, KeyReused, PostLost, View, conflict
from workflow.deadlines import Standing, due_day, promised
from workflow.loading import Connection, Loaded, load

EXTEND = "extend_deadline"
KIND, INNER = "extension", "internal:extension"  # content: what moved and why; of deadlines that only the offices know
LONGEST = 500
FURTHEST = 366  # days from today

# Holder of a deadline → the role on the case that may move it.
MOVERS: Mapping[str, str] = {
    "municipality": "bureau", "municipality_head": "bureau", "partner": "bureau", "bureau": "bureau", "staff": "bureau",
    "director": "director", "headquarters": "headquarters", "personnel": "personnel",
}  # fmt: skip


@dataclass(frozen=True)
class Due:
    """A running deadline that people move: what it is, its day, whose it is."""

    kind: str
    label: str
    holder: str
    day: date


def dues(view: View) -> list[Due]:
    """The running deadlines of a case that this reader may move, the nearest first."""
    kinds = {item.kind for item in view.process.deadlines if not item.move}
    return [
        Due(due["kind"], due["label"], due["holder"], due_day(due["due_at"]))
        for due in sorted(view.deadlines, key=lambda due: due["due_at"])
        if due["kind"] in kinds and MOVERS.get(due["holder"], "") in view.facts.roles and not view.ended
    ]


def extend(
    conn: Connection, person_id: int, case_id: int, kind: str, to: str, reason: str, *, version: int, key: UUID
) -> Done:
    """Move one running deadline to a later day, as typed. Raises `NotFound`, `Conflict`, `KeyReused`, `PostLost`, `Refused`."""
    asked = [case_id, EXTEND, version, kind, to, reason]
    if not history.keepable(asked):
        raise Refused("guard", "保存できない文字が入っています。何も変えていません。取り除いてください。")
    request = hashlib.sha256(history.canonical(asked).encode()).digest()
    while True:
        case = load(conn, case_id, person_id, key)
        if case.row.result is not None:
            if case.row.request != request:
                raise KeyReused
            return Done(case.row.result["version"], case.row.result["state"], replayed=True)
        if case.row.version != version:
            raise conflict(conn, case)
        item, row = _running(case, kind)
        post = case.held.get(MOVERS.get(item.holder, ""))
        if post is None:
            raise Refused(
                "role", f"「{item.label}」を動かす役目を、いまのあなたの職は持っていません。何も変えていません。"
            )
        day, said = _asked(case, row, to, reason)
        parts, tells = told(case, {kind: day}, said)
        params = acts.moved_to(case, EXTEND, {kind: day}, parts, tells, by=(str(person_id), post))
        done = Done(version + 1, case.row.state)
        params |= {
            "person": person_id, "key": key, "request": request,
            "result": json.dumps({"version": done.version, "state": done.state}),
        }  # fmt: skip
        if case_sql.carry_out(conn, params, frozenset({"me", "key"})):
            return done
        now_held = actor(conn, person_id)
        if post.id not in {held.id for held in (now_held.posts if now_held else ())}:
            raise PostLost


def _running(case: Loaded, kind: str) -> tuple[Deadline, Standing]:
    item = next((d for d in case.process.deadlines if d.kind == kind and not d.move), None)
    row = next((row for row in acts.standing(case) if row.open and row.kind == kind), None)
    if item is None or row is None or case.ended:
        raise Refused("state", "この期限は、いまは動いていません。何も変えていません。最新の画面を開いてください。")
    return item, row


def _asked(case: Loaded, row: Standing, to: str, reason: str) -> tuple[date, str]:
    """The new day and the reason. Raises `Refused` with a sentence for each field."""
    wrong = {}
    reading, old = read_date(to), due_day(row.due_at)
    problem = reading.problem or (
        unfit(reading.date, old, case.facts.today, case.facts.calendar) if reading.date else ""
    )
    if problem:
        wrong["to"] = problem
    if problem := unsaid(reason):
        wrong["reason"] = problem
    if wrong or reading.date is None:
        raise Refused(
            "guard", f"まだ動かしていません。{''.join(wrong.values())}", [block(s, f) for f, s in wrong.items()]
        )
    return reading.date, reason.strip()


def unsaid(reason: str) -> str:
    """What is wrong with a reason; empty where it can be kept."""
    said = reason.strip()
    if not said:
        return "理由を書いてください。"
    if found := problems(said):
        return f"理由に使えない文字({'、'.join(found)})があります。取り除いてください。"
    return f"理由は{LONGEST}字までです。いまは{len(said)}字あります。" if len(said) > LONGEST else ""


def unfit(day: date, old: date, today: date, days: Calendar) -> str:
    """Why a deadline cannot be moved from the old day to this one; empty where it can."""
    if day <= old:
        return f"新しい期限は、いまの期限の{short(old)}より後の日にしてください。"
    if day < today:
        return "新しい期限は、きょうより前の日にはできません。"
    if day > today + timedelta(days=FURTHEST):
        return "新しい期限は、きょうから1年より先にはできません。"
    try:
        following = days.add_business_days(day, 0)
    except CalendarEnds as ends:
        return str(ends)
    return "" if following == day else f"{short(day)}は閉庁日です。次の開庁日は{short(following)}です。"


def told(case: Loaded, days: Mapping[str, date], reason: str) -> tuple[list[tuple[str, Any]], list[str]]:
    """What the event says of these moves, and whom it tells by role: the holder, the bureau, and the other side where it knows."""
    running = {row.kind: due_day(row.due_at) for row in acts.standing(case) if row.open}
    items = {item.kind: item for item in case.process.deadlines}
    shared = _known_outside(case.process, running, days)
    parts: list[tuple[str, Any]] = []
    for content, kinds in ((KIND, shared), (INNER, [kind for kind in days if kind not in shared])):
        moves = [
            {"kind": kind, "label": items[kind].label, "from": running[kind].isoformat(), "to": days[kind].isoformat()}
            for kind in kinds
        ]
        if moves:
            parts.append((content, {"moves": moves, "reason": reason}))
    roles = {"bureau", *(items[kind].holder for kind in days)} | ({"municipality"} if shared else set())
    return parts, sorted(roles)


def _known_outside(process: Process, running: Iterable[str], kinds: Iterable[str]) -> Sequence[str]:
    """Those of the deadlines that are not the offices' own affair: what others owe, and by when the whole is promised."""
    whole = promised(process.deadlines, running)
    holders = {item.kind: item.holder for item in process.deadlines}
    return [kind for kind in kinds if kind == whole or holders[kind] in OUTSIDE | {"staff"}]
