"""Figures beside a decision: whose turn it was. Numbers only; the templates draw them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from states.calendar import Calendar
from states.dates import month_day, short
from workflow.deadlines import due_day, local_day

FILLS = {"municipality": "town", "headquarters": "hq", "staff": "staff"}


@dataclass(frozen=True)
class Clock:
    """Whose turn it was, as the component `clock_chart` takes it."""

    title: str
    spans: Sequence[tuple[str, str, int, str]]
    passed: int
    end: str
    rows: Sequence[tuple[str, int, int | None, str, str]]


def clock(
    turns: Sequence[Mapping[str, Any]],
    given: Mapping[str, int],
    due: Mapping[str, Any] | None,
    now: datetime,
    calendar: Calendar,
    late: frozenset[str] = frozenset(),
) -> Clock | None:
    """The spans of `turns`, one after the other, with what is left until `due`; the table has a line for each holder.

    `given` are the business days that a holder may take in all, `late` the holders with a deadline that has passed.
    """
    if not turns:
        return None
    spans = [
        (FILLS.get(t["holder"], "office"), str(t["label"]), int(t["business_days"]), month_day(local_day(t["from_at"])))
        for t in turns
    ]
    passed, today, end = sum(days for _, _, days, _ in spans), local_day(now), ""
    if due:
        day = due_day(due["due_at"])
        left = calendar.business_days_between(today, day)
        end = f"{month_day(day)} {due['label']}"
        if left > 0:
            spans.append(("free", "残り", left, ""))
    if not any(days for _, _, days, _ in spans):
        return None
    told = "、".join(f"{label}{days}日" for _, label, days, _ in spans)
    return Clock(f"営業日で数えた手番の帯。{told}", spans, passed, end, _rows(turns, given, late))


def _rows(
    turns: Sequence[Mapping[str, Any]], given: Mapping[str, int], late: frozenset[str]
) -> list[tuple[str, int, int | None, str, str]]:
    """One line a holder, the present one first."""
    used: dict[str, int] = {}
    labels: dict[str, str] = {}
    now = next((t["holder"] for t in turns if t["to_at"] is None), None)
    for turn in turns:
        used[turn["holder"]] = used.get(turn["holder"], 0) + int(turn["counted"])
        labels[turn["holder"]] = str(turn["label"])
    rows = []
    for holder in sorted(used, key=lambda holder: holder != now):
        allowed, label = given.get(holder), labels[holder] + ("(いま)" if holder == now else "")
        if allowed is None:
            kind, word = "", ""
        elif used[holder] > allowed:
            kind, word = "stop", f"{used[holder] - allowed}日過ぎた"
        elif holder == now and holder in late:
            kind, word = "stop", "期限を過ぎた"
        else:
            kind, word = "ok", "間に合う" if holder == now else "間に合った"
        rows.append((label, used[holder], allowed, kind, word))
    return rows


def dated(day: date | None) -> str:
    """10月16日(金), or a dash."""
    return short(day) if day else "—"
