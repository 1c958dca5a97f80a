"""How long things take: median and range over past cases, from ten of them on; fewer would tell of one of them.

What is told is a figure over many cases, so whoever waits for an answer reads it, whatever cases they may see.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from statistics import median_high

from states.dates import fiscal_year
from states.kernel import Process
from states.terms import OUTSIDE, Deadline
from workflow.deadlines import local_day, start_of
from workflow.queries import Connection, _dicts
from workflow.turns import DAY, PAST, Held, ledgers

FEWEST = 10
MOST = 300  # the newest cases that are looked at


@dataclass(frozen=True, slots=True)
class Typical:
    """Business days over past cases: median (of an even number the higher), least, most; `wide` when of all offices."""

    median: int
    least: int
    most: int
    cases: int
    wide: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """How long one thing takes, or, where `typical` is None, over how few cases one could have told."""

    name: str
    typical: Typical | None
    cases: int


@dataclass(frozen=True)
class Durations:
    """What past cases tell of an office: how long until the answer, and how long in every state."""

    answer: Figure
    states: Sequence[Figure] = ()


def awaited(process: Process) -> Deadline | None:
    """The deadline that an applicant waits for: the one of the offices over the most states that is no move of the clock."""
    known = [
        due
        for due in process.deadlines
        if due.days and not due.move and len(due.runs) > 1 and due.holder not in OUTSIDE
    ]
    return max(known, key=lambda due: len(due.runs), default=None)


def _place(process: Process, state: str) -> int:
    """How far along the public steps a state stands."""
    steps = list(dict.fromkeys(s.step for s in process.states))
    return steps.index(process.state(state).step)


def _last(process: Process, due: Deadline) -> int:
    return max(_place(process, state) for state in due.runs)


def is_answered(process: Process, state: str) -> bool:
    """Whether a case in this state has had its answer: it stands behind the steps in which one waits."""
    due = awaited(process)
    return due is None or _place(process, state) > _last(process, due)


def until_answer(held: Held) -> int | None:
    """Business days from where the awaited deadline starts until the answer, without those of a pause; None without an answer."""
    process = held.ledger.process
    due = awaited(process)
    if due is None:
        return None
    begins = (m for m in held.moves if m.dest in due.runs and (m.action in due.starts or not due.starts))
    begun = next(begins, None)
    if begun is None:
        return None
    first = local_day(begun.at) + (timedelta() if begun.by_clock else DAY)
    later = [m for m in held.moves if m.at >= begun.at and m.dest not in due.runs | due.pauses]
    if not later or _place(process, later[0].dest) < _last(process, due):
        return None  # still waiting, or it ended without one
    stays = [s for s in held.ledger.stays if s.state in due.runs and s.entered < later[0].at]
    spans = ((max(stay.first, first), stay.until - DAY) for stay in stays)
    return sum(held.days.business_days_in(begin, end) for begin, end in spans if begin <= end)


def in_states(held: Held) -> dict[str, int]:
    """Business days that the case took in each state it has left for good."""
    found: dict[str, int] = {}
    for stay in held.ledger.stays:
        found[stay.state] = found.get(stay.state, 0) + stay.days
    here = {stay.state for stay in held.ledger.stays if stay.left is None}
    return {state: days for state, days in found.items() if state not in here}


def spread(values: Iterable[int], *, wide: bool = False) -> Typical | None:
    """Median and range, from `FEWEST` values on."""
    known = sorted(values)
    if len(known) < FEWEST:
        return None
    return Typical(median_high(known), known[0], known[-1], len(known), wide)


def answer(conn: Connection, process: Process, office: str, today: date) -> Figure:
    """How long an applicant of this office waited for the answer; of all offices where it has too few cases."""
    return _answer(process, _past(conn, process, office, today), lambda: _past(conn, process, None, today))


def of_office(conn: Connection, process: Process, office: str | None, today: date) -> Durations:
    """The figures of an office, each of all offices where it has too few cases; `office` None asks for all at once."""
    own = _past(conn, process, office, today)
    everywhere: list[list[Held]] = [own] if office is None else []

    def others() -> list[Held]:
        if not everywhere:
            everywhere.append(_past(conn, process, None, today))
        return everywhere[0]

    shown = [s for s in process.states if not s.final and not s.private and s is not process.initial]
    states = [_figure(s.label, _of_state(own, s.name), partial(_of_others, others, s.name)) for s in shown]
    return Durations(_answer(process, own, others), states)


def _of_others(others: Callable[[], Sequence[Held]], state: str) -> list[int]:
    return _of_state(others(), state)


def _answer(process: Process, own: Sequence[Held], others: Callable[[], Sequence[Held]]) -> Figure:
    def values(cases: Sequence[Held]) -> list[int]:
        return [days for held in cases if (days := until_answer(held)) is not None]

    return _figure("", values(own), lambda: values(others()))


def _of_state(cases: Sequence[Held], state: str) -> list[int]:
    return [days for held in cases if (days := in_states(held).get(state)) is not None]


def _figure(name: str, own: Sequence[int], others: Callable[[], Sequence[int]]) -> Figure:
    found = spread(own)
    if found is not None:
        return Figure(name, found, len(own))
    wider = others()
    return Figure(name, spread(wider, wide=True), len(wider))


def _past(conn: Connection, process: Process, office: str | None, today: date) -> list[Held]:
    """The newest cases of this fiscal year and the one before."""
    since = start_of(date(fiscal_year(today) - 1, 4, 1))
    params = {"process": process.key, "office": office, "since": since, "most": MOST}
    return ledgers(conn, _dicts(conn, PAST, params), today)
