"""Whose turn it was on which business day: a ledger read from the events of a case, never stored a second time.

A day belongs to whoever held the turn when it began; what the clock does, it does as the day begins. So each business day
after the submission has exactly one holder, up to and with the last (docs/adr/0015-turns.md). While a route stands, that is
the post it asks: of several asked at once the first in the order of the table of decisions that has not answered.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from states import catalogue
from states.authority import DECIDE
from states.calendar import Calendar
from states.kernel import Process
from states.routes import BLOCKING, GROUP, OPEN, RUNNING, STOPPED
from states.terms import CLOCK, Deadline
from workflow.access import CLOCK_NOW, SCOPE, VISIBLE
from workflow.deadlines import calendar, end_of, local_day, start_of
from workflow.history import FORM
from workflow.queries import Connection, _dicts, database_now

DAY = timedelta(days=1)
_Key = TypeVar("_Key")
LINE, DRAFTER_S = "line", "bureau"  # who reviews or consents before the decision; with whom a drafter sits
HOLDERS = ("municipality", "partner", "bureau", LINE, "director", "headquarters", "department", "personnel", "staff")
# Outside, an office, its line and its head are one: who of them has it is the office's own matter. The sums stay the same.
BEHIND = {"director": "bureau", LINE: "bureau"}


@dataclass(frozen=True, slots=True)
class Hand:
    """The post that a route asks: for which matter, by which kind of step; no kind where it stands still with its drafter."""

    matter: str = ""
    kind: str = ""
    post: int = 0
    title: str = ""


NOBODY = Hand()


def hand_of(route: Mapping[str, Any] | None) -> Hand:
    """Whose the days are while a route stands as the form keeps it; nobody's of its own where it asks nobody, or was erased."""
    status = route.get("status") if route else None
    if route is None or status not in (RUNNING, STOPPED):
        return NOBODY
    if status == STOPPED:
        return Hand(route["matter"], "", route["drafter_post"], route["drafter_title"])
    asked = [step for step in route["steps"] if step.get("state") == OPEN and step["kind"] in BLOCKING]
    first = min(asked, key=lambda step: step["no"], default=None)
    return Hand(route["matter"], first["kind"], first["post"], first["title"]) if first else NOBODY


@dataclass(frozen=True, slots=True)
class Move:
    """An event as the ledger needs it: when, which action, from which state to which, and whether time itself did it.

    `hand` is whom its route asks since then; None where the event left the route as it was.
    """

    at: datetime
    action: str
    source: str
    dest: str
    by_clock: bool = False
    hand: Hand | None = None


@dataclass(frozen=True, slots=True)
class Stay:
    """A time in one state and one hand: its holder, the days from `first` to before `until`, the business days among them.

    `under` is the holder whose state it is, also while a route asks others before; `post` and `title` are whom it asks.
    """

    state: str
    holder: str
    entered: datetime
    left: datetime | None
    first: date
    until: date
    days: int
    under: str = ""
    post: int = 0
    title: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """A time in one hand, over however many states; `counted` are the days in states where a deadline of days runs.

    It runs for `under`, whose state it is: what reviews take is of the time that its decider has.
    """

    holder: str
    entered: datetime
    left: datetime | None
    days: int
    counted: int
    under: str = ""
    title: str = ""


def _at_once(process: Process, item: Deadline) -> bool:
    """Whether a deadline runs from the day its state is entered, not only after an act in that state."""
    return not item.starts or any(row.name in item.starts and row.dest in item.runs for row in process.table)


@dataclass(frozen=True)
class Ledger:
    """Every business day of a case from its submission on, each with one holder."""

    process: Process
    stays: tuple[Stay, ...] = ()

    @property
    def days(self) -> dict[str, int]:
        """Business days per holder, in the order in which each had the turn first."""
        found: dict[str, int] = {}
        for stay in self.stays:
            found[stay.holder] = found.get(stay.holder, 0) + stay.days
        return found

    @property
    def spans(self) -> tuple[Span, ...]:
        """The stays, those in one hand together."""
        spans: list[Span] = []
        for stay in self.stays:
            timed = any(
                d.days and d.holder == stay.under and stay.state in d.runs and _at_once(self.process, d)
                for d in self.process.deadlines
            )
            counted, same = stay.days if timed else 0, (stay.holder, stay.under, stay.title)
            if spans and (spans[-1].holder, spans[-1].under, spans[-1].title) == same:
                last = spans[-1]
                spans[-1] = replace(last, left=stay.left, days=last.days + stay.days, counted=last.counted + counted)
            else:
                spans.append(Span(stay.holder, stay.entered, stay.left, stay.days, counted, stay.under, stay.title))
        return tuple(spans)

    @property
    def now(self) -> Span | None:
        """Who has the turn at this moment; nobody when the case is over."""
        return next((span for span in self.spans[-1:] if span.left is None), None)

    def outside(self) -> "Ledger":
        """The same days as those outside read them."""
        return Ledger(self.process, tuple(
            replace(s, holder=BEHIND.get(s.holder, s.holder), under=BEHIND.get(s.under, s.under), post=0, title="") for s in self.stays
        ))  # fmt: skip

    @property
    def shares(self) -> dict[tuple[str, str], int]:
        """Business days per holder; of those before a decision per post, by its title."""
        found: dict[tuple[str, str], int] = {}
        for stay in self.stays:
            share = (stay.holder, stay.title if stay.holder == LINE else "")
            found[share] = found.get(share, 0) + stay.days
        return found

    def within(self, first: date, last: date, days: Calendar) -> dict[str, int]:
        """Business days per holder that fall on `first` to `last`."""
        return self._by(lambda stay: stay.holder, first, last, days)

    def of_posts(self, first: date, last: date, days: Calendar) -> dict[tuple[int, str], int]:
        """Business days per post that a route asked, by id and title, that fall on `first` to `last`."""
        found = self._by(lambda stay: (stay.post, stay.title), first, last, days)
        return {post: count for post, count in found.items() if post[0]}

    def _by(self, key: Callable[[Stay], _Key], first: date, last: date, days: Calendar) -> dict[_Key, int]:
        found: dict[_Key, int] = {}
        for stay in self.stays:
            begin, end = max(stay.first, first), min(stay.until - DAY, last)
            if begin <= end and (count := days.business_days_in(begin, end)):
                found[key(stay)] = found.get(key(stay), 0) + count
        return found


def ledger(moves: Iterable[Move], process: Process, origin: str, days: Calendar, today: date) -> Ledger:
    """The ledger of a case with these moves, the oldest first, up to and with `today`.

    It begins with the first state that others than the writer's own office know of, and ends with a final one.
    """
    begun: list[tuple[Move, date, Hand]] = []
    known = NOBODY
    for move in moves:
        known = known if move.hand is None else move.hand
        matter = process.matter(move.dest)
        hand = known if matter and matter.key == known.matter else NOBODY
        before = begun[-1] if begun else None
        if before and (process.state(before[0].dest).final or (move.source == move.dest and hand == before[2])):
            continue
        if not before and (move.dest == process.initial.name or process.state(move.dest).private):
            continue
        first = local_day(move.at) + (timedelta() if move.by_clock else DAY)
        begun.append((move, max(first, before[1]) if before else first, hand))
    stays = []
    for number, (move, first, hand) in enumerate(begun):
        following = begun[number + 1] if number + 1 < len(begun) else None
        if process.state(move.dest).final:
            break
        until = following[1] if following else max(first, today + DAY)
        count = days.business_days_in(first, until - DAY) if until > first else 0
        under = process.holder(move.dest, origin)
        holder = under if hand == NOBODY or hand.kind == DECIDE else LINE if hand.kind else DRAFTER_S
        left = following[0].at if following else None
        stays.append(Stay(move.dest, holder, move.at, left, first, until, count, under, hand.post, hand.title))
    return Ledger(process, tuple(stays))


def moves_of(events: Iterable[Mapping[str, Any]]) -> list[Move]:
    """The moves of one case from its events (`at`, `action`, `actor`, `body`, `hand` where it changed), the oldest first."""
    found = []
    for event in events:
        told = json.loads(event["body"])
        by_clock = event["actor"] == CLOCK
        found.append(Move(event["at"], event["action"], told["from"], told["to"], by_clock, event.get("hand")))
    return found


# ── many cases at once ──────────────────────────────────────────────────────────────────────────────────────────────

# The route as an event left it, as far as the ledger asks: without what was answered.
_ROUTE = f"""SELECT true AS written, (SELECT jsonb_build_object('matter', w -> 'matter', 'status', w -> 'status',
    'drafter_post', w -> 'drafter_post', 'drafter_title', w -> 'drafter_title',
    'steps', jsonb_path_query_array(w, '$.steps[*] ? (@.state == "{OPEN}")'))
  FROM (SELECT convert_from(x.data, 'UTF8')::jsonb AS w OFFSET 0) y WHERE w ? 'steps') AS route
FROM content x WHERE x.case_id = e.case_id AND x.seq = e.seq AND x.kind = '{FORM}{GROUP}'"""
_MOVED = f"""SELECT c.id, c.process, c.process_version, c.origin, c.lead, e.at, e.action, e.actor = '{CLOCK}' AS by_clock,
  b.told ->> 'from' AS source, b.told ->> 'to' AS dest, r.written, r.route
FROM {{cases}} c JOIN event e ON e.case_id = c.id CROSS JOIN LATERAL (SELECT e.body::jsonb AS told OFFSET 0) b
LEFT JOIN LATERAL ({_ROUTE}) r ON true"""
_ORDERED = "ORDER BY c.id, e.seq"

OF_CASES = f"""WITH {SCOPE}, mine AS (SELECT c.* FROM me CROSS JOIN cases c WHERE {VISIBLE} AND c.open AND c.id = ANY (%(cases)s::bigint[]))
{_MOVED.format(cases="mine")} {_ORDERED}"""

# Which cases may have had a day from a moment on: something happened on them since, or they still wait at a desk or for a
# date. Both are asked of indexes, and each case is then looked up by itself: an archive behind them is never read.
NEAR = """near AS MATERIALIZED (
  SELECT e.case_id FROM event e WHERE e.at >= %(since)s
  UNION SELECT s.case_id FROM step s WHERE s.closed_at IS NULL
  UNION SELECT d.case_id FROM deadline d WHERE d.closed_at IS NULL)"""

# What runs beside a case is a case of its own, with days of its own: an office's month counts those that stand by themselves.
OF_OFFICES = f"""WITH {SCOPE}, {NEAR}, mine AS (
  SELECT c.* FROM me CROSS JOIN near n CROSS JOIN LATERAL (SELECT * FROM cases k WHERE k.id = n.case_id OFFSET 0) c
  WHERE c.lead = ANY (%(offices)s::text[]) AND c.open AND c.parent_id IS NULL AND c.opened_at < %(until)s
    AND (c.acted_at >= %(since)s OR c.state = ANY (%(going)s::text[])) AND {VISIBLE})
{_MOVED.format(cases="mine")} {_ORDERED}"""

# Figures over many past cases are told to whoever waits for one, so this alone asks for no reader: it gives no case away.
PAST = f"""WITH past AS (SELECT c.* FROM cases c WHERE c.process = %(process)s AND c.open AND c.parent_id IS NULL
  AND (%(office)s::text IS NULL OR c.lead = %(office)s) AND c.opened_at >= %(since)s ORDER BY c.id DESC LIMIT %(most)s)
{_MOVED.format(cases="past")} {_ORDERED}"""


@dataclass(frozen=True)
class Held:
    """One of many cases with its ledger."""

    case_id: int
    lead: str
    days: Calendar
    ledger: Ledger
    moves: tuple[Move, ...]


def ledgers(conn: Connection, rows: Iterable[Mapping[str, Any]], today: date) -> list[Held]:
    """The ledgers of the cases whose moves these rows are, by the calendar of the office that leads each."""
    by_case: dict[int, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_case.setdefault(row["id"], []).append(row)
    calendars: dict[str, Calendar] = {}
    found = []
    for case_id, own in by_case.items():
        told = own[0]
        process = catalogue.process(told["process"], told["process_version"])
        if told["lead"] not in calendars:
            calendars[told["lead"]] = calendar(conn, told["lead"])
        moves = tuple(_move(row) for row in own)
        counted = ledger(moves, process, told["origin"], calendars[told["lead"]], today)
        found.append(Held(case_id, told["lead"], calendars[told["lead"]], counted, moves))
    return found


def _move(row: Mapping[str, Any]) -> Move:
    hand = hand_of(row["route"]) if row["written"] else None
    return Move(row["at"], row["action"], row["source"], row["dest"], row["by_clock"], hand)


def held_now(conn: Connection, person_id: int, cases: Sequence[int], *, inside: bool) -> dict[int, Span]:
    """Who has the turn on those of these cases that this person sees as they are now, since when, for how many days."""
    if not cases:
        return {}
    today = local_day(database_now(conn))
    rows = _dicts(conn, OF_CASES, {"person": person_id, "cases": list(cases)})
    known = {held.case_id: held.ledger if inside else held.ledger.outside() for held in ledgers(conn, rows, today)}
    return {case_id: now for case_id, found in known.items() if (now := found.now) is not None}


def turn(row: Mapping[str, Any], held: Mapping[int, Span], *, inside: bool) -> dict[str, Any]:
    """What a line of a list says of the turn: the holder as this reader reads it, and the days it has had it for."""
    span, holder = held.get(row["case_id"]), row["holder"]
    return {
        "holder": span.holder if span else holder if inside else BEHIND.get(holder, holder),
        "held_days": span.days if span else None,
    }


def going() -> list[str]:
    """The states in which a case of any process is not over."""
    return sorted({s.name for p in catalogue.all_versions().values() for s in p.states if not s.final})


def of_offices(conn: Connection, person_id: int, offices: Sequence[str], first: date, last: date) -> list[Held]:
    """The ledgers of the cases of these offices that may have had a day from `first` to `last`."""
    params = {
        "person": person_id, "offices": list(offices), "since": start_of(first), "until": end_of(last), "going": going(),
    }  # fmt: skip
    return ledgers(conn, _dicts(conn, OF_OFFICES, params), local_day(database_now(conn)))


# ── what is late now ────────────────────────────────────────────────────────────────────────────────────────────────

# A case is late for whoever holds a date that has passed, and for nobody else, whatever else runs on it.
_LATE = f"""late AS (
  SELECT c.id, c.lead, c.number, c.title, d.holder, min(d.due_at) AS due_at
  FROM me CROSS JOIN deadline d JOIN cases c ON c.id = d.case_id
  WHERE d.closed_at IS NULL AND d.move = '' AND d.due_at <= {CLOCK_NOW} AND c.lead = ANY (%(offices)s::text[]) AND c.open AND {VISIBLE}
  GROUP BY c.id, d.holder)"""
LATE_COUNTS = f"WITH {SCOPE}, {_LATE} SELECT lead, holder, count(*) AS cases FROM late GROUP BY lead, holder"
LATE_CASES = f"""WITH {SCOPE}, {_LATE} SELECT id AS case_id, lead, number, title, due_at FROM late
WHERE holder = %(holder)s ORDER BY due_at, id LIMIT %(most)s"""


def late(conn: Connection, person_id: int, offices: Sequence[str]) -> dict[str, dict[str, int]]:
    """By office and holder how many cases have a date of theirs behind them."""
    found: dict[str, dict[str, int]] = {}
    for row in _dicts(conn, LATE_COUNTS, {"person": person_id, "offices": list(offices)}):
        found.setdefault(row["lead"], {})[row["holder"]] = row["cases"]
    return found


def late_cases(
    conn: Connection, person_id: int, offices: Sequence[str], holder: str, most: int
) -> Sequence[Mapping[str, Any]]:
    """The cases of these offices that are late for this holder, the longest first."""
    params = {"person": person_id, "offices": list(offices), "holder": holder, "most": most}
    return _dicts(conn, LATE_CASES, params)
