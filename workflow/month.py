"""A month of deadlines and of days on which somebody is sent: of a person, an office or a municipality, as far as the reader may see them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from states import catalogue
from states.calendar import Calendar
from workflow import durations
from workflow.access import PARTS, SCOPE, VISIBLE
from workflow.deadlines import due_day, end_of, start_of
from workflow.queries import DESKS, Connection, _dicts, database_now
from workflow.story import HOLDERS

MOST = 1000  # entries that one page shows
EVER = datetime(1970, 1, 1, tzinfo=UTC)
DUE, SENT = "due", "sent"

_CASE = "c.id AS case_id, c.number, c.title, c.place, c.process, c.process_version, c.state, c.origin"

# What waits at the reader's desks, as the inbox has it.
DUE_MINE = f"""WITH {SCOPE}, desk AS ({DESKS})
SELECT {_CASE}, s.ask AS what, s.role AS holder, s.due_at, s.opened_at, d.kind, true AS own, NULL::text[] AS parts
FROM desk k JOIN step s ON s.org_code = k.org AND s.role = k.role AND s.closed_at IS NULL AND (s.person_id IS NULL OR s.person_id = %(person)s)
  AND s.due_at > %(since)s AND s.due_at <= %(until)s
JOIN cases c ON c.id = s.case_id LEFT JOIN LATERAL (SELECT min(x.kind) AS kind FROM deadline x
  WHERE x.case_id = s.case_id AND x.due_at = s.due_at AND x.closed_at IS NULL) d ON true CROSS JOIN me
WHERE {VISIBLE} ORDER BY s.due_at, s.id LIMIT %(most)s"""

_PART_OF = """(c.lead = %(org)s OR c.place = %(org)s
  OR EXISTS (SELECT 1 FROM party w WHERE w.case_id = c.id AND w.org_code = %(org)s AND w.valid_to IS NULL))"""

DUE_OF = f"""WITH {SCOPE} SELECT {_CASE}, NULL AS what, d.holder, d.due_at, d.opened_at, d.kind, false AS own,
  ARRAY(SELECT v.part FROM party v WHERE v.case_id = c.id AND v.org_code = ANY (me.orgs) AND v.valid_to IS NULL) AS parts
FROM me CROSS JOIN deadline d JOIN cases c ON c.id = d.case_id
WHERE d.closed_at IS NULL AND d.move = '' AND d.due_at > %(since)s AND d.due_at <= %(until)s AND c.open AND {_PART_OF} AND {VISIBLE}
ORDER BY d.due_at, d.id LIMIT %(most)s"""

# A deadline that nobody waits for any more: closed, neither paused nor replaced by another day in the same moment. OFFSET
# keeps the planner from joining with every deadline there ever was.
_MET = """d.closed_at IS NOT NULL AND d.left_days IS NULL AND d.move = '' AND d.due_at > %(since)s AND d.due_at <= %(until)s AND c.open
  AND NOT EXISTS (SELECT 1 FROM deadline n WHERE n.case_id = d.case_id AND n.kind = d.kind AND n.opened_at = d.closed_at OFFSET 0)"""

# Those of the reader's own desks: where the part of the post's organisation makes the post the deadline's holder.
MET_MINE = f"""WITH {SCOPE}, desk AS (SELECT DISTINCT post ->> 1 AS org, post ->> 4 AS role FROM me, jsonb_array_elements(me.posts) AS post)
SELECT {_CASE}, NULL AS what, d.holder, d.due_at, d.opened_at, d.closed_at, d.kind, true AS own, NULL::text[] AS parts
FROM me CROSS JOIN deadline d JOIN cases c ON c.id = d.case_id
WHERE {_MET} AND {VISIBLE} AND (
  EXISTS (SELECT 1 FROM desk k JOIN unnest(%(roles)s::text[], %(parts)s::text[]) AS u (role, part) ON u.role = k.role AND k.role = d.holder
    JOIN party v ON v.case_id = c.id AND v.org_code = k.org AND v.part = u.part AND v.valid_to IS NULL)
  OR d.holder = 'headquarters' AND EXISTS (SELECT 1 FROM desk k WHERE k.role = d.holder)
  OR d.holder = 'staff' AND EXISTS (SELECT 1 FROM assignment a WHERE a.case_id = c.id AND a.person_id = %(person)s))
ORDER BY d.due_at, d.id LIMIT %(most)s"""

MET_OF = f"""WITH {SCOPE} SELECT {_CASE}, NULL AS what, d.holder, d.due_at, d.opened_at, d.closed_at, d.kind, false AS own,
  ARRAY(SELECT v.part FROM party v WHERE v.case_id = c.id AND v.org_code = ANY (me.orgs) AND v.valid_to IS NULL) AS parts
FROM me CROSS JOIN deadline d JOIN cases c ON c.id = d.case_id
WHERE {_MET} AND {_PART_OF} AND {VISIBLE} ORDER BY d.due_at, d.id LIMIT %(most)s"""

SENT_MINE = f"""WITH {SCOPE} SELECT {_CASE}, a.day, 1 AS people, array_agg(a.half ORDER BY a.half) AS halves, c.acted_at
FROM me CROSS JOIN assignment a JOIN cases c ON c.id = a.case_id
WHERE a.person_id = %(person)s AND a.day BETWEEN %(first)s AND %(last)s AND {VISIBLE}
GROUP BY c.id, a.day ORDER BY a.day, c.id LIMIT %(most)s"""

SENT_OF = f"""WITH {SCOPE} SELECT {_CASE}, a.day, count(DISTINCT a.person_id) AS people, NULL::smallint[] AS halves, c.acted_at
FROM me CROSS JOIN assignment a JOIN cases c ON c.id = a.case_id
WHERE a.day BETWEEN %(first)s AND %(last)s AND c.open AND {_PART_OF} AND {VISIBLE}
GROUP BY c.id, a.day ORDER BY a.day, c.id LIMIT %(most)s"""


@dataclass(frozen=True, slots=True)
class Entry:
    """A deadline or a day of being sent: what it is in words, of which case; `key` stays the same as long as it stands."""

    day: date
    kind: str
    words: str
    case_id: int
    title: str
    number: str | None
    place: str
    since: datetime
    key: str
    over: bool = False
    met: str = ""  # by word: that it is done with, or done with late
    tentative: bool = False


def of_person(
    conn: Connection, person_id: int, first: date, last: date, *, overdue: bool = False, met: bool = False
) -> list[Entry]:
    """The deadlines of what waits for this person and the days on which the person is sent.

    `overdue` ones from before, too; with `met` those of the own desks that nobody waits for any more.
    """
    params = _params(person_id, first, last, overdue)
    due = [*_dicts(conn, DUE_MINE, params), *(_dicts(conn, MET_MINE, _own(params, first)) if met else ())]
    return _entries(due, _dicts(conn, SENT_MINE, params), database_now(conn), inside=True)


def _own(params: Mapping[str, Any], first: date) -> dict[str, Any]:
    """Which part in a case makes a post's role a holder: the same word for both."""
    pairs = [(role, part) for role, parts in PARTS.items() for part, told in parts.items() if told == role]
    told = {"roles": [role for role, _ in pairs], "parts": [part for _, part in pairs]}
    return {**params, "since": start_of(first), **told}


def of_organisation(
    conn: Connection, person_id: int, org: str, first: date, last: date, *, inside: bool, overdue: bool = False,
    met: bool = False,
) -> list[Entry]:  # fmt: skip
    """The deadlines of the cases of an office or a municipality that this person sees.

    Who stands outside reads the promised day and what their own part owes, and the days of who is sent once that is decided.
    """
    params = _params(person_id, first, last, overdue) | {"org": org}
    due = [*_dicts(conn, DUE_OF, params), *(_dicts(conn, MET_OF, params | {"since": start_of(first)}) if met else ())]
    return _entries(due, _dicts(conn, SENT_OF, params), database_now(conn), inside=inside)


def _params(person_id: int, first: date, last: date, overdue: bool) -> dict[str, Any]:
    since = EVER if overdue else start_of(first)
    return {
        "person": person_id, "since": since, "until": end_of(last), "first": first, "last": last, "most": MOST,
    }  # fmt: skip


def _entries(
    due: Sequence[Mapping[str, Any]], sent: Sequence[Mapping[str, Any]], now: datetime, *, inside: bool
) -> list[Entry]:
    found = [entry for row in due if (entry := _due(row, now, inside=inside)) is not None]
    found += [entry for row in sent if (entry := _sent(row, inside=inside)) is not None]
    return sorted(found, key=lambda entry: (entry.day, entry.kind != DUE, entry.case_id, entry.key))


def _due(row: Mapping[str, Any], now: datetime, *, inside: bool) -> Entry | None:
    process, closed = catalogue.process(row["process"], row["process_version"]), row.get("closed_at")
    if row["own"] and not closed:
        words, kind = row["what"], row["kind"] or ""
    else:
        declared = next((d for d in process.deadlines if d.kind == row["kind"]), None)
        if declared is None:
            return None
        promised = durations.awaited(process)
        roles = {told.get(part) for told in PARTS.values() for part in row["parts"] or ()}
        if not (inside or row["own"]) and row["holder"] not in roles and declared is not promised:
            return None
        words, kind = f"{declared.label}({HOLDERS.get(row['holder'], row['holder'])})", row["kind"]
    key = f"due-{row['case_id']}-{kind or 'ask'}-{row['holder'].replace('#', 'post')}"
    return Entry(
        due_day(row["due_at"]), DUE, words, row["case_id"], row["title"], row["number"], row["place"], row["opened_at"], key,
        over=not closed and row["due_at"] <= now, met="" if not closed else "済(期限の後)" if closed > row["due_at"] else "済",
    )  # fmt: skip


def _sent(row: Mapping[str, Any], *, inside: bool) -> Entry | None:
    process = catalogue.process(row["process"], row["process_version"])
    decided = durations.is_answered(process, row["state"])
    if not inside and not decided:
        return None
    half = {(0,): "午前", (1,): "午後"}.get(tuple(row["halves"] or ()), "")
    who = f"({row['people']}人)" if row["halves"] is None else half and f"({half})"
    return Entry(
        row["day"], SENT, f"{process.label}{who}" if decided else f"{process.label}の案{who}", row["case_id"], row["title"],
        row["number"], row["place"], row["acted_at"], f"day-{row['case_id']}-{row['day']:%Y%m%d}", tentative=not decided,
    )  # fmt: skip


def mark(day: date, days: Calendar, reasons: Mapping[date, str]) -> str:
    """Why a day is no business day, in words; nothing where it is one."""
    if name := days.holiday_name(day):
        return name
    if day in reasons:
        return f"閉庁日({reasons[day]})" if reasons[day] else "閉庁日"
    if days.is_business_day(day):
        return ""
    return "" if day.weekday() > 4 else "年末年始"


CLOSED = """SELECT day, reason FROM closure WHERE kind = 'closed' AND (office IS NULL OR office = %(org)s) AND day BETWEEN %(first)s AND %(last)s"""


def closures(conn: Connection, org: str, first: date, last: date) -> dict[date, str]:
    """The days on which an office is closed besides, each with its reason."""
    rows = _dicts(conn, CLOSED, {"org": org, "first": first, "last": last})
    return {row["day"]: row["reason"] for row in rows}
