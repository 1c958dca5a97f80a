"""The administrator's table of days: an office is closed, a law makes a holiday of a day or takes one back; and what follows.

Running deadlines never move by themselves: the page says beforehand which of them would now be counted otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from psycopg.rows import dict_row

from states import catalogue
from states.calendar import Calendar, CalendarEnds
from states.dates import WEEKDAYS, read_date, short, wareki
from states.text import problems
from workflow.access import TODAY, Actor
from workflow.cases import today
from workflow.deadlines import calendar, calendar_of, due_day, start_of
from workflow.loading import Connection, NotFound

SETS = "administrator"
CLOSED, HOLIDAY, WORKING = "closed", "holiday", "working"
KINDS = {CLOSED: "閉庁日(窓口を閉める日)", HOLIDAY: "法律で祝日になる日", WORKING: "法律で祝日でなくなる日"}
LABELS = {"day": "日", "kind": "種類", "office": "局", "reason": "理由"}
LONGEST = 200
PAST, AHEAD = 366, 3660  # days from today


@dataclass
class NotTaken(Exception):
    """Why nothing was changed: field → sentence."""

    fields: Mapping[str, str]


@dataclass(frozen=True)
class Change:
    """A day that goes into the table (`entry` 0), or the entry of it that is taken out."""

    day: date
    kind: str
    office: str
    reason: str = ""
    entry: int = 0


@dataclass(frozen=True)
class Effect:
    """Open deadlines of one office, kind and day that would be counted otherwise, with the day they would have."""

    office: str
    process: str
    label: str
    due: date
    instead: date
    count: int


OFFICES = f"""SELECT code, name FROM organisation WHERE kind IN ('bureau', 'headquarters')
  AND (valid_from IS NULL OR valid_from <= {TODAY}) AND (valid_to IS NULL OR valid_to >= {TODAY}) ORDER BY sort, code"""


def administrator(actor: Actor) -> None:
    """Nobody else settles time. Raises `NotFound`."""
    if SETS not in actor.roles:
        raise NotFound


def offices(conn: Connection) -> list[tuple[str, str]]:
    """Code and name of the offices of today."""
    return [(code, name) for code, name in conn.execute(OFFICES, prepare=True).fetchall()]


LISTED = f"""SELECT x.id, x.day, x.kind, x.office, x.reason, x.set_at, n.name AS set_by,
  (SELECT o.name FROM organisation o WHERE o.code = x.office ORDER BY o.valid_to DESC NULLS FIRST LIMIT 1) AS office_name,
  x.day < {TODAY} AS past
FROM closure x LEFT JOIN person n ON n.id = x.set_by
WHERE x.day BETWEEN %(first)s AND %(last)s AND (%(office)s = '' OR x.office = %(office)s OR x.office IS NULL)
ORDER BY x.day, x.office NULLS FIRST"""


def listed(conn: Connection, actor: Actor, year: int, office: str = "") -> list[dict[str, Any]]:
    """The entries of a year; with `office` those that hold there. Raises `NotFound`."""
    administrator(actor)
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            LISTED, {"first": date(year, 1, 1), "last": date(year, 12, 31), "office": office}, prepare=True
        ).fetchall()


def read(conn: Connection, actor: Actor, typed: Mapping[str, str]) -> Change:
    """The change that was typed: day, kind, office ("" for all), reason. Raises `NotFound`, `NotTaken`."""
    administrator(actor)
    wrong: dict[str, str] = {}
    kind, office, reason = typed.get("kind", ""), typed.get("office", ""), typed.get("reason", "").strip()
    reading, now = read_date(typed.get("day", "")), today(conn)
    if kind not in KINDS:
        wrong["kind"] = "種類を選んでください。"
    if office and office not in dict(offices(conn)):
        wrong["office"] = "局を選び直してください。"
    elif office and kind in (HOLIDAY, WORKING):
        wrong["office"] = "祝日は法律で決まるので、すべての局で同じです。「すべての局」を選んでください。"
    if problem := unsaid(reason):
        wrong["reason"] = problem
    if reading.date is None:
        wrong["day"] = reading.problem
    elif not -PAST <= (reading.date - now).days <= AHEAD:
        wrong["day"] = "1年前から10年先までの日を書いてください。"
    elif not wrong and (problem := _pointless(conn, reading.date, kind, office)):
        wrong["day"] = problem
    if wrong or reading.date is None:
        raise NotTaken(wrong)
    return Change(reading.date, kind, office, reason)


def unsaid(reason: str) -> str:
    """What is wrong with a reason; empty where it can be kept."""
    if not reason:
        return "理由を書いてください。"
    if found := problems(reason):
        return f"理由に使えない文字({'、'.join(found)})があります。取り除いてください。"
    return f"理由は{LONGEST}字までです。いまは{len(reason)}字あります。" if len(reason) > LONGEST else ""


def _pointless(conn: Connection, day: date, kind: str, office: str) -> str:
    """Why the table need not say this of the day; empty where it must."""
    there = conn.execute(
        "SELECT kind FROM closure WHERE day = %s AND office IS NOT DISTINCT FROM %s", (day, office or None)
    ).fetchone()
    if there:
        return f"{short(day)}は、もう「{KINDS[there[0]]}」として入っています。替えるときは、先に消してください。"
    try:
        law = Calendar().holiday_name(day)
    except CalendarEnds as ends:
        return str(ends)
    if kind == WORKING:
        return "" if law else f"{short(day)}は、もともと祝日ではありません。"
    if kind == HOLIDAY:
        return f"{short(day)}は、もともと祝日({law})です。" if law else ""
    if calendar(conn, office).is_business_day(day):
        return ""
    return f"{short(day)}は、もともと開庁日ではありません。"


def entry(conn: Connection, actor: Actor, number: int) -> Change:
    """An entry as it would be taken out. Raises `NotFound`."""
    administrator(actor)
    row = conn.execute(
        "SELECT day, kind, coalesce(office, ''), reason, id FROM closure WHERE id = %s", (number,)
    ).fetchone()
    if row is None:
        raise NotFound
    return Change(*row)


def add(conn: Connection, actor: Actor, change: Change) -> int:
    """Enter the day; returns the entry's number. Raises `NotFound`, and `NotTaken` where somebody else has just entered it."""
    administrator(actor)
    row = conn.execute(
        """INSERT INTO closure (day, office, kind, reason, set_by, set_at) VALUES (%s, %s, %s, %s, %s, clock_now())
           ON CONFLICT DO NOTHING RETURNING id""",
        (change.day, change.office or None, change.kind, change.reason, actor.person_id),
    ).fetchone()
    if row is None:
        raise NotTaken({"day": f"{short(change.day)}は、ほかの方が先に入れました。一覧を確かめてください。"})
    return int(row[0])


def drop(conn: Connection, actor: Actor, number: int) -> None:
    """Take an entry out; one that is gone already is no trouble. Raises `NotFound`."""
    administrator(actor)
    conn.execute("DELETE FROM closure WHERE id = %s", (number,))


# A day counts for a deadline that began before it and ends with it or later. What somebody moved by hand is not counted.
COUNTED = """SELECT c.lead, c.process, c.process_version, d.kind, d.due_at, count(*),
  (SELECT o.name FROM organisation o WHERE o.code = c.lead ORDER BY o.valid_to DESC NULLS FIRST LIMIT 1)
FROM deadline d JOIN cases c ON c.id = d.case_id
WHERE d.closed_at IS NULL AND d.move = '' AND d.planned_at IS NULL AND d.due_at > %(begins)s AND d.opened_at < %(begins)s
  AND (%(office)s = '' OR c.lead = %(office)s)
GROUP BY c.lead, c.process, c.process_version, d.kind, d.due_at ORDER BY d.due_at, c.lead, d.kind"""


def effects(conn: Connection, change: Change) -> list[Effect]:
    """The open deadlines that would be counted otherwise if they opened after the change. They stay as they are."""
    rows = conn.execute(COUNTED, {"begins": start_of(change.day), "office": change.office}).fetchall()
    found, before = [], change.day - timedelta(days=1)
    for lead, process, version, kind, due_at, count, name in rows:
        item = next((d for d in catalogue.process(process, version).deadlines if d.kind == kind), None)
        if item is None or item.at is not None:
            continue
        now, then, due = calendar(conn, lead), _changed(conn, lead, change), due_day(due_at)
        try:
            left = now.business_days_between(before, due)
            instead = then.add_business_days(before, left) if left else due
        except CalendarEnds:
            continue
        if instead != due:
            label = catalogue.process(process, version).label
            found.append(Effect(name or lead, label, item.label, due, instead, count))
    return found


def _changed(conn: Connection, office: str, change: Change) -> Calendar:
    """The calendar of an office as it would be."""
    rows = conn.execute(
        "SELECT kind || ' ' || day FROM closure WHERE (office IS NULL OR office = %s) AND id <> %s",
        (office, change.entry),
    ).fetchall()
    more = set() if change.entry else {f"{change.kind} {change.day.isoformat()}"}
    return calendar_of(frozenset({row[0] for row in rows} | more))


# ── for the command ─────────────────────────────────────────────────────────────────────────────────────────────────


def of_office(conn: Connection, office: str) -> Calendar:
    """The business days of an office by its code. Raises `ValueError` with a sentence for an unknown one."""
    if not conn.execute("SELECT 1 FROM organisation WHERE code = %s", (office,)).fetchone():
        raise ValueError(f"「{office}」という局はありません。hk-kamikawa のようなコードで指定してください。")
    return calendar(conn, office)


def told(start: date, n: int, found: date) -> str:
    """「令和8年9月18日(金)の1営業日後は 令和8年9月24日(木) です」."""
    way = f"の{abs(n)}営業日{'前' if n < 0 else '後'}は" if n else "か、その次の開庁日は"
    begun, reached = (f"{wareki(day)}({WEEKDAYS[day.weekday()]})" for day in (start, found))
    return f"{begun}{way} {reached} です({found.isoformat()})。"


def as_json(start: date, n: int, found: date) -> dict[str, Any]:
    """The same for programs."""
    names = {"weekday": WEEKDAYS[found.weekday()], "wareki": wareki(found)}
    return {"from": start.isoformat(), "n": n, "day": found.isoformat(), **names}
