"""Whose turn it is, in words and figures: the strip that everybody reads, and the office's clock. The templates draw them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from states.dates import month_day, short
from states.kernel import Process
from states.route_actions import waiting
from workflow import durations
from workflow.access import NARROW, PARTS
from workflow.cases import View
from workflow.deadlines import due_day, local_day
from workflow.durations import Figure, Typical
from workflow.rounds import KIND
from workflow.story import HOLDERS
from workflow.turns import BEHIND, LINE, Ledger, Span
from workflow.web import offers

FILLS = {
    "municipality": "town", "partner": "partner", LINE: "line", "director": "director", "headquarters": "hq", "department": "department",
    "personnel": "personnel", "staff": "staff",
}  # fmt: skip


@dataclass(frozen=True)
class Strip:
    """Whose days these were, whose turn it is, what is late and for whom, and how long it usually takes."""

    parts: Sequence[tuple[str, int, bool]]  # holder, business days, whether it has the turn now
    total: int
    turn: str
    late: Sequence[tuple[str, bool]]  # sentence, whether it is the reader's own side that is late
    typical: str


def strip(view: View, ledger: Ledger, names: Mapping[str, str], figure: Figure | None) -> Strip | None:
    """The strip of a case for this reader; None where no day of it has been counted yet, or nothing more is told."""
    if view.ended or not ledger.stays:
        return None
    inner = offers.inside(view)
    shown = ledger if inner else ledger.outside()
    now = shown.now
    here = now and (now.holder, now.title if now.holder == LINE else "")
    parts = [(title or names.get(h, h), days, (h, title) == here) for (h, title), days in shown.shares.items()]
    return Strip(
        parts, sum(shown.days.values()), _whose(view, now, names, inner), _late(view, names, inner), told(figure, from_to(view.process)) if figure else ""
    )  # fmt: skip


YOURS, NOT_YOUR_TURN, NOT_YOUR_DELAY = (
    "(あなたの側)",
    "あなたの側の手番ではありません。",
    "あなたの側の遅れではありません。",
)


def on_paper(told: Strip | None) -> Strip | None:
    """The same for whoever holds the sheet: without what is said to the one reader of a page."""
    if told is None:
        return None

    def plain(sentence: str) -> str:
        for said in (YOURS, NOT_YOUR_TURN, NOT_YOUR_DELAY):
            sentence = sentence.replace(said, "")
        return sentence

    return replace(told, turn=plain(told.turn), late=[(plain(sentence), own) for sentence, own in told.late])


def _whose(view: View, now: Span | None, names: Mapping[str, str], inner: bool) -> str:
    if now is None:
        return "この案件は終わり、日数はもう数えていません。"
    who = now.title if now.holder == LINE else names.get(now.holder, now.holder)
    since = f"({month_day(local_day(now.entered))}から、{now.days}営業日)"
    if inner and view.may_read(KIND) and (awaited := waiting(view.facts)):
        return f"決裁に回っています{since}。{awaited}"
    if _own(view, now.holder):
        return f"いまは{who}{YOURS}の手番です{since}。"
    asked = any(step["role"] in view.roles & NARROW for step in view.steps)  # beside whose days are counted
    return f"いまは{who}の手番です{since}。" + ("" if inner or asked else NOT_YOUR_TURN)


def _late(view: View, names: Mapping[str, str], inner: bool) -> list[tuple[str, bool]]:
    """What is late, for whom; the other side reads that it is not theirs."""
    said = []
    for line in offers.due_lines(view):
        if line.kind != "stop":
            continue
        own = _own(view, line.holder)
        who = names.get(line.holder if inner else BEHIND.get(line.holder, line.holder), line.holder)
        other = "" if inner or own else NOT_YOUR_DELAY
        days = line.left.removesuffix("過ぎた") if line.left[0].isdecimal() else ""
        said.append((f"「{line.label}」({line.day})を{days}過ぎました。遅れているのは{who}です。{other}", own))
    return said


def _own(view: View, holder: str) -> bool:
    """Whether a holder stands on the reader's side: the reader, or somebody of the same part in the case."""
    sides: dict[str, set[str]] = {}
    for parts in PARTS.values():
        for part, role in parts.items():
            sides.setdefault(part, set()).add(role)
    return holder in view.roles or any(holder in side and side & view.roles for side in sides.values())


def usual(view: View) -> bool:
    """Whether this reader waits for the answer, and so is told how long it took others."""
    due = durations.awaited(view.process)
    return bool(
        due and view.version and not view.ended and not offers.inside(view) and view.state.name in due.runs | due.pauses
    )


def told(figure: Figure, from_to: str) -> str:
    """How long the answer took in past cases."""
    if figure.typical is None:
        return f"{from_to}の日数は、これまでの例が少ない({figure.cases}件)ため、まだお伝えできません。"
    return (
        f"これまでの例では、{from_to} {spread(figure.typical)}です({whose(figure.typical)}{figure.typical.cases}件)。"
    )


def from_to(process: Process) -> str:
    """From where to where the answer is waited for, in the words of the process."""
    return str(getattr(offers.words(process), "awaited", "始まりから答えまで"))


def spread(typical: Typical) -> str:
    """6営業日(3〜11)."""
    return f"{typical.median}営業日({typical.least}〜{typical.most})"


def whose(typical: Typical) -> str:
    return "全局の" if typical.wide else ""


@dataclass(frozen=True)
class Clock:
    """Whose turn it was, as the component `clock_chart` takes it."""

    title: str
    spans: Sequence[tuple[str, str, int, str]]
    passed: int
    end: str
    rows: Sequence[tuple[str, int, int | None, str, str]]


def clock(view: View, ledger: Ledger) -> Clock | None:
    """The spans of the ledger, one after the other, with what is left until the promised day; the table has a line a holder."""
    turns, due = ledger.spans, offers.whole_case_due(view)
    spans = [
        (
            FILLS.get(t.holder, "office"),
            t.title or HOLDERS.get(t.holder, t.holder),
            t.days,
            month_day(local_day(t.entered)),
        )
        for t in turns
    ]
    passed, end = sum(t.days for t in turns), ""
    if due:
        day = due_day(due["due_at"])
        left = view.facts.calendar.business_days_between(local_day(view.now), day)
        end = f"{month_day(day)} {due['label']}"
        if left > 0:
            spans.append(("free", "残り", left, ""))
    if not any(days for _, _, days, _ in spans):
        return None
    said = "、".join(f"{label}{days}日" for _, label, days, _ in spans)
    return Clock(
        f"営業日で数えた手番の帯。{said}", spans, passed, end, rows(turns, _given(view), _overdue(view, view.now))
    )


def _given(view: View) -> dict[str, int]:
    """The business days that a holder may take in all."""
    given: dict[str, int] = {}
    for due in view.declared:
        if due.days and not due.at:
            given[due.holder] = max(due.days, given.get(due.holder, 0))
    return given


def _overdue(view: View, now: datetime) -> frozenset[str]:
    return frozenset(d["holder"] for d in view.deadlines if d["due_at"] <= now)


def rows(
    turns: Sequence[Span], given: Mapping[str, int], late: frozenset[str]
) -> list[tuple[str, int, int | None, str, str]]:
    """One line a holder, the present one first: days used, days given, how it stands.

    What the line of posts takes before a decision comes off the time that its decider has.
    """
    used: dict[str, int] = {}
    before: dict[str, int] = {}
    now = next((turn.holder for turn in turns if turn.left is None), None)
    for turn in turns:
        used[turn.holder] = used.get(turn.holder, 0) + turn.counted
        if turn.under and turn.under != turn.holder:
            before[turn.under] = before.get(turn.under, 0) + turn.counted
    found = []
    for holder in sorted(used, key=lambda holder: holder != now):
        spent, label = (
            used[holder] + before.get(holder, 0),
            HOLDERS.get(holder, holder) + ("(いま)" if holder == now else ""),
        )
        allowed = given.get(holder)
        if allowed is None:
            kind, word = "", ""
        elif spent > allowed:
            kind, word = "stop", f"{spent - allowed}日過ぎた"
        elif holder == now and holder in late:
            kind, word = "stop", "期限を過ぎた"
        else:
            kind, word = "ok", "間に合う" if holder == now else "間に合った"
        found.append((label, used[holder], allowed, kind, word))
    return found


def dated(day: date | None) -> str:
    """10月16日(金), or a dash."""
    return short(day) if day else "—"
