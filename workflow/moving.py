"""Moving every deadline of a day at once, as after a day on which the system was down: ordered by a person, done by the worker.

Each case gets one event of its own, compared with its version. What was moved is due after the days of the order, so that
it is found once, however often the worker is killed and however many of them run.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from psycopg.rows import dict_row

from states import catalogue
from states.calendar import CalendarEnds
from states.dates import read_date, short
from workflow import acts, case_sql, extending
from workflow.access import Actor, PostHeld
from workflow.calendar_days import SETS, NotTaken, administrator, offices
from workflow.cases import today
from workflow.db import Database, driver
from workflow.deadlines import calendar, due_day, end_of, start_of
from workflow.loading import Connection, NotFound, load
from workflow.notices import call_attention

log = logging.getLogger(__name__)

BATCH = 100  # cases found at once
LONGEST_SPAN = 31  # days from the first to the last that an order takes in
HELD_UP = "moving"  # kind of attention
LABELS = {
    "first": "動かす期限の日(初め)",
    "last": "動かす期限の日(終わり)",
    "office": "局",
    "to": "新しい期限",
    "reason": "理由",
}


@dataclass(frozen=True)
class Order:
    """What is to be moved where: deadlines due from `first` to `last`, of one office or of all, to the day `to`."""

    first: date
    last: date
    to: date
    office: str
    reason: str


@dataclass(frozen=True)
class Group:
    """Open deadlines of one office, kind and day that an order would move."""

    office: str
    process: str
    label: str
    due: date
    count: int
    numbers: Sequence[str]


@dataclass(frozen=True)
class Extent:
    """What an order would move: its groups, and how many deadlines of how many cases they come to."""

    groups: Sequence[Group]
    cases: int

    @property
    def deadlines(self) -> int:
        return sum(group.count for group in self.groups)


def read(conn: Connection, actor: Actor, typed: Mapping[str, str]) -> Order:
    """The order that was typed: first, last (empty: the same day), to, office ("" for all), reason. Raises `NotFound`, `NotTaken`."""
    administrator(actor)
    wrong: dict[str, str] = {}
    first, to = read_date(typed.get("first", "")), read_date(typed.get("to", ""))
    last = read_date(typed["last"]) if typed.get("last", "").strip() else first
    office, reason, now = typed.get("office", ""), typed.get("reason", "").strip(), today(conn)
    for name, reading in (("first", first), ("last", last), ("to", to)):
        if reading.date is None and name not in wrong and (name != "last" or last is not first):
            wrong[name] = reading.problem
    if office and office not in dict(offices(conn)):
        wrong["office"] = "局を選び直してください。"
    if problem := extending.unsaid(reason):
        wrong["reason"] = problem
    if first.date and last.date and not 0 <= (last.date - first.date).days < LONGEST_SPAN:
        wrong["last"] = f"初めの日から{LONGEST_SPAN}日以内の、同じか後の日を書いてください。"
    if last.date and to.date and "last" not in wrong:
        try:
            problem = extending.unfit(to.date, last.date, now, calendar(conn, office))
        except CalendarEnds as ends:
            problem = str(ends)
        if problem:
            wrong["to"] = problem.replace("いまの期限", "動かす期限")
    if wrong or first.date is None or last.date is None or to.date is None:
        raise NotTaken(wrong)
    return Order(first.date, last.date, to.date, office, reason)


_DUE = """FROM deadline d JOIN cases c ON c.id = d.case_id
WHERE d.closed_at IS NULL AND d.move = '' AND d.due_at > %(begins)s AND d.due_at <= %(ends)s AND (%(office)s = '' OR c.lead = %(office)s)"""

GROUPS = f"""SELECT c.lead, c.process, c.process_version, d.kind, d.due_at, count(*), (array_agg(c.number ORDER BY c.number))[1:10],
  (SELECT o.name FROM organisation o WHERE o.code = c.lead ORDER BY o.valid_to DESC NULLS FIRST LIMIT 1),
  (SELECT count(DISTINCT d.case_id) {_DUE})
{_DUE} GROUP BY c.lead, c.process, c.process_version, d.kind, d.due_at ORDER BY d.due_at, c.lead, d.kind"""


def extent(conn: Connection, order: Order) -> Extent:
    """What the order would move, as it stands now."""
    rows = conn.execute(GROUPS, _span(order)).fetchall()
    found = []
    for lead, key, version, kind, due_at, count, numbers, name, _ in rows:
        process = catalogue.process(key, version)
        label = next((item.label for item in process.deadlines if item.kind == kind), kind)
        found.append(
            Group(name or lead, process.label, label, due_day(due_at), count, [n for n in numbers if n])
        )  # fmt: skip
    return Extent(found, rows[0][-1] if rows else 0)


def _span(order: Order) -> dict[str, Any]:
    return {"begins": start_of(order.first), "ends": end_of(order.last), "office": order.office}


def place(conn: Connection, actor: Actor, order: Order) -> int:
    """Have it done; returns the order's number. Raises `NotFound`."""
    post = next((post for post in actor.posts if post.role == SETS), None)
    if post is None:
        raise NotFound
    row = conn.execute(
        """INSERT INTO deadline_move (office, day_from, day_to, to_day, reason, set_by, post_id, set_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s, clock_now()) RETURNING id""",
        (order.office or None, order.first, order.last, order.to, order.reason, actor.person_id, post.id),
    ).fetchone()
    assert row is not None
    return int(row[0])


LISTED = """SELECT m.*, n.name AS set_by_name,
  (SELECT o.name FROM organisation o WHERE o.code = m.office ORDER BY o.valid_to DESC NULLS FIRST LIMIT 1) AS office_name
FROM deadline_move m JOIN person n ON n.id = m.set_by ORDER BY m.id DESC LIMIT 20"""


def listed(conn: Connection, actor: Actor) -> list[dict[str, Any]]:
    """The last orders, with how far each has come. Raises `NotFound`."""
    administrator(actor)
    return _dicts(conn, LISTED, {})


# ── the worker's part ───────────────────────────────────────────────────────────────────────────────────────────────

OPEN = """SELECT m.*, n.name AS person, p.org_code, p.section, p.title, p.role, p.scope,
  (SELECT o.name FROM organisation o WHERE o.code = p.org_code ORDER BY o.valid_to DESC NULLS FIRST LIMIT 1) AS org_name
FROM deadline_move m JOIN person n ON n.id = m.set_by JOIN post p ON p.id = m.post_id WHERE m.done_at IS NULL ORDER BY m.id"""

# What opened after the order is not meant by it.
FOUND = f"""SELECT DISTINCT d.case_id {_DUE} AND d.opened_at < %(set_at)s AND d.case_id <> ALL (%(tried)s::bigint[]) ORDER BY d.case_id LIMIT {BATCH}"""


def carry_out(db: Database, seconds: float = 15.0) -> int:
    """Carry on with the orders that stand open, for at most about that long; returns how many cases were moved."""
    moved, until = 0, time.monotonic() + seconds
    with db.connection() as conn:
        for told in _dicts(conn, OPEN, {}):
            order = Order(told["day_from"], told["day_to"], told["to_day"], told["office"] or "", told["reason"])
            tried: list[int] = []
            failed: list[int] = []
            while found := _found(conn, order, told["set_at"], tried):
                for case_id in found:
                    if time.monotonic() > until:
                        return moved
                    tried.append(case_id)
                    outcome = _moved(db, conn, told, order, case_id)
                    moved += outcome is True
                    failed += [case_id] if outcome is None else []
            # Whoever was faster than we has only delayed a case: it is looked for once more before the order is done.
            if set(_found(conn, order, told["set_at"], failed)) - set(failed):
                continue
            conn.execute(
                "UPDATE deadline_move SET done_at = clock_now(), failed = %s WHERE id = %s AND done_at IS NULL",
                (len(failed), told["id"]),
            )
    return moved


def _found(conn: Connection, order: Order, set_at: datetime, tried: Sequence[int]) -> list[int]:
    rows = conn.execute(FOUND, _span(order) | {"set_at": set_at, "tried": list(tried)}).fetchall()
    return [row[0] for row in rows]


def _moved(db: Database, conn: Connection, told: Mapping[str, Any], order: Order, case_id: int) -> bool | None:
    """Move what is due in one case, and count it with it; False where somebody was faster, None where it cannot be done."""
    try:
        with db.transaction() as session:
            inside = driver(session)
            params = _params(inside, told, order, case_id)
            if params is None or not case_sql.carry_out(inside, params):
                return False
            inside.execute(
                "UPDATE deadline_move SET moved = moved + 1, deadlines = deadlines + %s WHERE id = %s",
                (len(params["rows"]["deadlines_open"]), told["id"]),
            )
            return True
    except NotFound:
        return False
    except Exception:  # one bad case never stops the others
        if conn.closed:
            raise
        log.exception("the deadlines of case %s could not be moved", case_id)
        sentence = f"{short(order.to)}への期限の移動が、この案件ではできませんでした。期限は元のままです。管理者に連絡してください。"
        call_attention(conn, case_id, HELD_UP, sentence)
        return None


def _params(conn: Connection, told: Mapping[str, Any], order: Order, case_id: int) -> dict[str, Any] | None:
    """The write for one case, as the person who gave the order; None where nothing of it is due any more."""
    case = load(conn, case_id, None)
    names = {"person_name": told["person"], "headquarters_name": told["org_name"]}
    case = replace(case, row=case.row._replace(**names))
    movable = {item.kind for item in case.process.deadlines if not item.move}
    kinds = [
        row.kind for row in acts.standing(case)
        if row.open and row.kind in movable and order.first <= due_day(row.due_at) <= order.last
    ]  # fmt: skip
    if not kinds:
        return None
    to = case.facts.calendar.add_business_days(order.to, 0)  # the office may be closed on a day of its own
    post = PostHeld(*(told[name] for name in ("post_id", "org_code", "section", "title", "role", "scope")))
    parts, tells = extending.told(case, dict.fromkeys(kinds, to), order.reason)
    by = (str(told["set_by"]), post)
    return acts.moved_to(case, extending.EXTEND, dict.fromkeys(kinds, to), parts, tells, by=by) | {"person": None}


def _dicts(conn: Connection, text: str, params: Mapping[str, Any]) -> list[dict[str, Any]]:
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(text, params, prepare=True).fetchall()
