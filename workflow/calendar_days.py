"""The administrator's table of days: an office is closed, a law makes a holiday of a day or takes one back; and what follows.

Running deadlines never move by themselves: the page says beforehand which of them would now be counted otherwise.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from psycopg.rows import dict_row

from states import catalogue
from states.calendar import Calendar, CalendarEnds, brought_along, following, named_holidays
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
AROUND = timedelta(days=40)  # further than one national holiday reaches to others


@dataclass
class NotTaken(Exception):
    """Why nothing was changed: field → sentence."""

    fields: Mapping[str, str]


@dataclass(frozen=True)
class Change:
    """A day that goes into the table (`entry` 0), or the entry of it that is taken out.

    A `derived` one is no national holiday itself: the Act brings it, or took it, along with another.
    """

    day: date
    kind: str
    office: str
    reason: str = ""
    entry: int = 0
    derived: bool = False

    @property
    def sentence(self) -> str:
        """What becomes of the day."""
        holiday = (self.kind == HOLIDAY) != bool(self.entry)
        return f"{short(self.day)}を{'休日にする' if holiday else '開庁日にする'}"


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


LISTED = f"""SELECT x.id, x.day, x.kind, x.office, x.reason, x.derived, x.set_at, n.name AS set_by,
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


TAKEN_OUT = """SELECT x.day, x.kind, x.derived, x.office, x.reason, x.ended_reason, x.ended_at, n.name AS ended_by,
  (SELECT o.name FROM organisation o WHERE o.code = x.office ORDER BY o.valid_to DESC NULLS FIRST LIMIT 1) AS office_name
FROM closure_ended x JOIN person n ON n.id = x.ended_by WHERE x.day BETWEEN %(first)s AND %(last)s ORDER BY x.day, x.ended_at"""


def taken_out(conn: Connection, actor: Actor, year: int) -> list[dict[str, Any]]:
    """The days of a year that were entered and taken out again, with who did it, when and why. Raises `NotFound`."""
    administrator(actor)
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            TAKEN_OUT, {"first": date(year, 1, 1), "last": date(year, 12, 31)}, prepare=True
        ).fetchall()


def called(kind: str, derived: bool) -> str:
    """What a page calls an entry of this kind."""
    return KINDS[kind] + ("(振替休日・国民の休日)" if derived else "")


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
        return _holiday_still(conn, day) if law else f"{short(day)}は、もともと祝日ではありません。"
    if kind == HOLIDAY:
        named = law and day in named_holidays(day.year, day.year)
        return f"{short(day)}は、もともと祝日({law})です。" if named else ""
    if calendar(conn, office).is_business_day(day):
        return ""
    return f"{short(day)}は、もともと開庁日ではありません。"


def _holiday_still(conn: Connection, day: date) -> str:
    """Why a day that is no national holiday any more stays one all the same; empty where it does not."""
    national, _ = _national(conn, day)
    name = brought_along(national - {day}).get(day, "") if day in national else ""
    also = "、".join(short(f.day) for f in following(national, day, becomes=False) if not f.holiday)
    more = f"代わりに{also}が祝日でなくなります。その日を入れてください。" if also else "入れる日はありません。"
    return f"{short(day)}は、祝日でなくなっても「{name}」になります。{more}" if name else ""


def _national(conn: Connection, day: date) -> tuple[frozenset[date], dict[date, tuple[int, str]]]:
    """The national holidays around a day as the law and the table have them; and the entries there by day: number, kind."""
    rows = conn.execute(
        "SELECT id, day, kind, derived FROM closure WHERE office IS NULL AND day BETWEEN %s AND %s",
        (day - AROUND, day + AROUND),
    ).fetchall()
    working = {there for _, there, kind, _ in rows if kind == WORKING}
    made = {there for _, there, kind, derived in rows if kind == HOLIDAY and not derived}
    named = named_holidays((day - AROUND).year, (day + AROUND).year)
    return (named - working) | made, {there: (number, kind) for number, there, kind, _ in rows}


def follows(conn: Connection, change: Change) -> list[Change]:
    """The changes that the Act brings along with this one (祝日法3条2項・3項): days that go in, entries that are taken out."""
    national, there = _national(conn, change.day)
    named = change.day in named_holidays(change.day.year, change.day.year)
    if change.kind == CLOSED or change.derived or (change.kind == WORKING and not named):
        return []
    becomes = (change.kind == HOLIDAY) != bool(change.entry)
    found, known = [], Calendar()
    for follow in following(national, change.day, becomes=becomes):
        number, kind = there.get(follow.day, (0, ""))
        wanted, other = (HOLIDAY, WORKING) if follow.holiday else (WORKING, HOLIDAY)
        if kind == other:
            found.append(Change(follow.day, kind, "", follow.name, number, derived=True))
        elif not kind and bool(known.holiday_name(follow.day)) != follow.holiday:
            found.append(Change(follow.day, wanted, "", follow.name, derived=True))
    return found


def entry(conn: Connection, actor: Actor, number: int) -> Change:
    """An entry as it would be taken out. Raises `NotFound`."""
    administrator(actor)
    row = conn.execute(
        "SELECT day, kind, coalesce(office, ''), reason, id, derived FROM closure WHERE id = %s", (number,)
    ).fetchone()
    if row is None:
        raise NotFound
    return Change(*row)


def add(conn: Connection, actor: Actor, change: Change, *, along: bool = False) -> int:
    """Enter the day, and `along` with it what the Act brings; returns the entry's number.

    Raises `NotFound`, and `NotTaken` where somebody else has just entered it.
    """
    administrator(actor)
    with conn.transaction():
        more = follows(conn, change) if along else []
        made = _enter(conn, actor, change)
        if made is None:
            raise NotTaken({"day": f"{short(change.day)}は、ほかの方が先に入れました。一覧を確かめてください。"})
        _carry(conn, actor, more, change.reason)
    return made


def drop(conn: Connection, actor: Actor, number: int, reason: str, *, along: bool = False) -> None:
    """Take an entry out, and `along` with it what the Act brought; who, when and why stays. Raises `NotFound`, `NotTaken`."""
    change = entry(conn, actor, number)
    if problem := unsaid(reason.strip()):
        raise NotTaken({"reason": problem})
    with conn.transaction():
        more = follows(conn, change) if along else []
        _carry(conn, actor, [change, *more], reason.strip())


def _carry(conn: Connection, actor: Actor, changes: Sequence[Change], reason: str) -> None:
    for change in changes:
        if change.entry:
            conn.execute(TAKE_OUT, {"entry": change.entry, "reason": reason, "person": actor.person_id})
        else:
            _enter(conn, actor, replace(change, reason=reason))


def _enter(conn: Connection, actor: Actor, change: Change) -> int | None:
    row = conn.execute(
        """INSERT INTO closure (day, office, kind, reason, derived, set_by, set_at) VALUES (%s, %s, %s, %s, %s, %s, clock_now())
           ON CONFLICT DO NOTHING RETURNING id""",
        (change.day, change.office or None, change.kind, change.reason, change.derived, actor.person_id),
    ).fetchone()
    return None if row is None else int(row[0])


# What is in force stands in the one table, what was taken out of it in the other: no count has to tell them apart.
TAKE_OUT = """WITH gone AS (DELETE FROM closure WHERE id = %(entry)s RETURNING *)
INSERT INTO closure_ended (id, day, office, kind, reason, derived, set_by, set_at, ended_reason, ended_by, ended_at)
SELECT id, day, office, kind, reason, derived, set_by, set_at, %(reason)s, %(person)s, clock_now() FROM gone"""


# A day counts for a deadline that began before it and ends with it or later. What somebody moved by hand is not counted.
COUNTED = """SELECT c.lead, c.process, c.process_version, d.kind, d.due_at, count(*),
  (SELECT o.name FROM organisation o WHERE o.code = c.lead ORDER BY o.valid_to DESC NULLS FIRST LIMIT 1)
FROM deadline d JOIN cases c ON c.id = d.case_id
WHERE d.closed_at IS NULL AND d.move = '' AND d.planned_at IS NULL AND d.due_at > %(begins)s AND d.opened_at < %(begins)s
  AND (%(office)s = '' OR c.lead = %(office)s)
GROUP BY c.lead, c.process, c.process_version, d.kind, d.due_at ORDER BY d.due_at, c.lead, d.kind"""


def effects(conn: Connection, change: Change, along: Sequence[Change] = ()) -> list[Effect]:
    """The open deadlines that would be counted otherwise if they opened after the change, and those `along` with it.

    They stay as they are.
    """
    changes = (change, *along)
    begins = min(one.day for one in changes)
    rows = conn.execute(COUNTED, {"begins": start_of(begins), "office": change.office}).fetchall()
    found, before = [], begins - timedelta(days=1)
    for lead, process, version, kind, due_at, count, name in rows:
        item = next((d for d in catalogue.process(process, version).deadlines if d.kind == kind), None)
        if item is None or item.at is not None:
            continue
        now, then, due = calendar(conn, lead), _changed(conn, lead, changes), due_day(due_at)
        try:
            left = 0 if item.on else now.business_days_between(before, due)
            instead = then.add_business_days(before, left) if left else due
            if item.on and item.rolls:
                instead = then.add_business_days(due, 0)
        except CalendarEnds:
            continue
        if instead != due:
            label = catalogue.process(process, version).label
            found.append(Effect(name or lead, label, item.label, due, instead, count))
    return found


def _changed(conn: Connection, office: str, changes: Sequence[Change]) -> Calendar:
    """The calendar of an office as it would be."""
    rows = conn.execute(
        "SELECT kind || ' ' || day FROM closure WHERE (office IS NULL OR office = %s) AND id <> ALL (%s::bigint[])",
        (office, [change.entry for change in changes]),
    ).fetchall()
    more = {f"{change.kind} {change.day.isoformat()}" for change in changes if not change.entry}
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
