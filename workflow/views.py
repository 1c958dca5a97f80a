"""The views of an inbox: which sorts of work each shows, what others are waited for, what was done, and views that people keep."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg.errors import UniqueViolation

from states import catalogue
from states.routes import KINDS
from states.terms import ADVICE, CONFIRM, DECISION, HELD, KINDS_OF_WORK, READING, WORK
from workflow.access import SCOPE, VISIBLE
from workflow.deadlines import FAR, due_day
from workflow.deputies import Deputy
from workflow.queries import (
    CAP,
    DESKS,
    EACH,
    LEAD,
    MUNICIPALITY,
    Connection,
    Page,
    _dicts,
    _filtered,
    _number,
    _time,
    cursor_of,
    database_now,
    place_of,
    told,
)

OTHERS, DONE = "others", "done"
# What each view of one's own work shows; the empty one is all of it.
VIEWS: Mapping[str, tuple[str, ...]] = {
    "": KINDS_OF_WORK,
    "decide": (DECISION,),
    "consent": ("review", "consent", ADVICE),
    "work": (WORK, CONFIRM),
    "read": (READING,),
    "held": (HELD,),
}
LABELS = {
    "": "すべての手番", "decide": "決裁する", "consent": "回議・合議する", "work": "処理する", "read": "読む(供覧・後閲)", "held": "保留中",
    OTHERS: "ほかの人を待つもの", DONE: "済んだもの(30日)",
}  # fmt: skip
RECENT = timedelta(days=30)

# ── for absent holders ──────────────────────────────────────────────────────────────────────────────────────────────

MOST_ACTING = 200
FOR_ABSENT = f"""WITH {SCOPE} SELECT s.role AS desk, s.kind, s.due_at, c.form -> 'route' AS route
FROM post p JOIN step s ON s.org_code = p.org_code AND s.role = '#' || p.id AND s.closed_at IS NULL AND s.kind = ANY (%(kinds)s::text[])
{EACH.format("s.case_id")} CROSS JOIN me
WHERE p.id = ANY (%(absent)s::bigint[]) AND {VISIBLE} ORDER BY s.due_at, s.id LIMIT {MOST_ACTING}"""


def for_absent(conn: Connection, person_id: int, deputy: Deputy) -> list[dict[str, Any]]:
    """What this person may do today for absent holders: kind and date of each item, of the next `MOST_ACTING`."""
    if not deputy.absent:
        return []
    params = {
        "person": person_id,
        "absent": list(deputy.absent),
        "kinds": [*VIEWS["decide"], *VIEWS["consent"], *VIEWS["held"]],
    }
    rows = _dicts(conn, FOR_ABSENT, params)
    return [row for row in rows if deputy.standing({"route": row["route"]}, int(row["desk"][1:]))]


# ── others ──────────────────────────────────────────────────────────────────────────────────────────────────────────

# Cases on whose route one drafted or answered, or comes later; not those that wait at one's own desk. Read in their order, key by key.
_WAITS = f"""{SCOPE}, desk AS ({DESKS}),
own AS (SELECT d.role::varchar AS who FROM desk d WHERE left(d.role, 1) = '#' UNION SELECT '@' || %(person)s::bigint),
theirs AS (SELECT DISTINCT w.due_at, w.case_id FROM own CROSS JOIN LATERAL (
  SELECT w.due_at, w.case_id FROM waiting w {EACH.format("w.case_id")} CROSS JOIN me
  WHERE w.who = own.who /* after */ /* filters */ AND {VISIBLE} AND NOT EXISTS (SELECT 1 FROM step o JOIN desk d ON d.org = o.org_code AND d.role = o.role
    WHERE o.case_id = w.case_id AND o.closed_at IS NULL AND o.kind <> ALL (ARRAY['{READING}', '{ADVICE}'])
      AND (o.person_id IS NULL OR o.person_id = %(person)s))
  ORDER BY w.due_at, w.case_id LIMIT %(limit)s) w ORDER BY w.due_at, w.case_id LIMIT %(limit)s)"""
_AFTER = "AND (w.due_at, w.case_id) > (%(after_at)s, %(after_id)s)"
WAITING = f"""WITH {_WAITS.replace("/* after */", _AFTER)}
SELECT n.due_at, (SELECT min(s.opened_at) FROM step s WHERE s.case_id = n.case_id AND s.closed_at IS NULL AND s.awaited_by IS NOT NULL) AS asked_at,
  c.id AS case_id, c.number, c.title, c.process, c.process_version, c.state, c.origin, {MUNICIPALITY}, {LEAD}
FROM theirs n {EACH.format("n.case_id")} ORDER BY n.due_at, n.case_id"""
_OF_PROCESS = "AND c.process = %(process)s"
WAITING_COUNT = f"WITH {_WAITS} SELECT count(*) AS number FROM theirs"


def others(conn: Connection, person_id: int, *, process: str = "", after: str = "", limit: int = 30) -> Page:
    """What waits for others on routes that concern this person, of one process or all, the next due first. Raises `BadCursor`."""
    at, last = place_of(after, 2) if after else (datetime.fromtimestamp(0, tz=FAR.tzinfo).isoformat(), "0")
    params = {"person": person_id, "process": process, "after_at": _time(at), "after_id": _number(last), "limit": limit + 1}  # fmt: skip
    rows = _dicts(conn, _filtered(WAITING, [(_OF_PROCESS, process)]), params)
    following = (
        cursor_of(rows[limit - 1]["due_at"].isoformat(), rows[limit - 1]["case_id"]) if len(rows) > limit else ""
    )
    turns = asked(conn, person_id, [row["case_id"] for row in rows[:limit]])
    return Page([row | _labels(row) | {"asked": turns.get(row["case_id"], [])} for row in rows[:limit]], following)


# ── done ────────────────────────────────────────────────────────────────────────────────────────────────────────────

_ACTED = """e.actor = %(person)s::bigint::text AND e.actor <> 'clock' AND e.at >= %(since)s
  AND (e.at, e.case_id, e.seq) < (%(before_at)s, %(before_case)s, %(before_seq)s)"""
ACTED = f"""WITH {SCOPE}
SELECT e.case_id, e.seq, e.at, e.action, e.actor, e.body, e.hash, c.number, c.title, c.process, c.process_version, c.state, c.origin,
  {MUNICIPALITY}, {LEAD}
FROM me CROSS JOIN event e {EACH.format("e.case_id")}
WHERE {_ACTED} /* filters */ AND {VISIBLE} ORDER BY e.at DESC, e.case_id DESC, e.seq DESC LIMIT %(limit)s"""
ACTED_COUNT = f"""WITH {SCOPE} SELECT count(*) AS number FROM (
  SELECT 1 FROM me CROSS JOIN event e {EACH.format("e.case_id")} WHERE {_ACTED} AND {VISIBLE} LIMIT {CAP}) x"""
_NEWEST: tuple[datetime, int, int] = (FAR + timedelta(days=1), 0, 0)


def done(conn: Connection, person_id: int, *, process: str = "", after: str = "", limit: int = 30) -> Page:
    """What this person did in the last days, in one process or all, the newest first, with how the case stands now. Raises `BadCursor`."""
    before = _NEWEST
    if after:
        at, case, seq = place_of(after, 3)
        before = (_time(at), _number(case), _number(seq))
    params = _acted(conn, person_id, before) | {"process": process, "limit": limit + 1}
    rows = _dicts(conn, _filtered(ACTED, [(_OF_PROCESS, process)]), params)
    last = rows[limit - 1] if len(rows) > limit else None
    following = cursor_of(last["at"].isoformat(), last["case_id"], last["seq"]) if last else ""
    turns = asked(conn, person_id, [row["case_id"] for row in rows[:limit]])
    shown = [row | told(row) | _labels(row) | {"asked": turns.get(row["case_id"], [])} for row in rows[:limit]]
    return Page([row | {"deputy": bool(json.loads(row["body"]).get("acting_for"))} for row in shown], following)


def _acted(conn: Connection, person_id: int, before: tuple[datetime, int, int]) -> dict[str, Any]:
    at, case, seq = before
    since = database_now(conn) - RECENT
    return {"person": person_id, "since": since, "before_at": at, "before_case": case, "before_seq": seq}


def _labels(row: Mapping[str, Any]) -> dict[str, Any]:
    process = catalogue.process(row["process"], row["process_version"])
    due = row.get("due_at")
    state = process.state(row["state"])
    return {
        "process_label": process.label, "state_label": state.label, "ended": state.final, "turn": process.holder(row["state"], row["origin"]),
        "due_day": due_day(due) if due and due < FAR else None,
    }  # fmt: skip


# ── counts and turns ────────────────────────────────────────────────────────────────────────────────────────────────


def counts(conn: Connection, person_id: int, kinds: Mapping[str, int]) -> dict[str, int]:
    """How many each view shows, up to `CAP`; `kinds` are those that the inbox counted."""
    found = {name: min(sum(kinds[kind] for kind in wanted), CAP) for name, wanted in VIEWS.items()}
    found[OTHERS] = _dicts(conn, WAITING_COUNT, {"person": person_id, "limit": CAP})[0]["number"]
    found[DONE] = _dicts(conn, ACTED_COUNT, _acted(conn, person_id, _NEWEST))[0]["number"]
    return found


ASKED = f"""WITH {SCOPE} SELECT DISTINCT s.case_id, s.kind, p.section, p.title
FROM me CROSS JOIN cases c JOIN step s ON s.case_id = c.id AND s.closed_at IS NULL AND s.awaited_by IS NOT NULL
  JOIN post p ON p.id = CASE WHEN left(s.role, 1) = '#' THEN substr(s.role, 2)::bigint END
WHERE c.id = ANY (%(cases)s::bigint[]) AND s.kind <> ALL (ARRAY['{READING}', '{ADVICE}']) AND {VISIBLE} ORDER BY s.case_id, p.section, p.title"""


def asked(conn: Connection, person_id: int, cases: Sequence[int]) -> dict[int, list[str]]:
    """Which posts are asked now on the routes of these cases, in words for the offices: 「総務課 課長(合議)」."""
    found: dict[int, list[str]] = {}
    for row in _dicts(conn, ASKED, {"person": person_id, "cases": list(cases)}) if cases else []:
        words = {HELD: "保留中", WORK: "起案者の判断"} | KINDS
        called = " ".join(filter(None, (row["section"], row["title"])))
        found.setdefault(row["case_id"], []).append(f"{called}({words.get(row['kind'], '')})")
    return found


# ── kept views ──────────────────────────────────────────────────────────────────────────────────────────────────────

LONGEST, MOST = 40, 30  # characters of a name, views of one person


@dataclass(frozen=True)
class Kept:
    """A list with its filters under a name; `own` may be dropped by this person."""

    id: int
    name: str
    path: str
    query: str
    own: bool
    shared: bool
    by: str = ""


class NotKept(ValueError):
    """A view that cannot be kept; the sentence says why and what to do."""


KEPT = f"""WITH {SCOPE} SELECT v.id, v.name, v.path, v.query, v.person_id = %(person)s AS own, v.shared_with IS NOT NULL AS shared, n.name AS by
FROM saved_view v JOIN person n ON n.id = v.person_id CROSS JOIN me
WHERE v.path = %(path)s AND (v.person_id = %(person)s OR v.shared_with IN (SELECT post ->> 1 FROM jsonb_array_elements(me.posts) AS post))
ORDER BY v.person_id <> %(person)s, v.name, v.id LIMIT 100"""


def kept(conn: Connection, person_id: int, path: str) -> list[Kept]:
    """The views of a list that this person keeps, then those that others share with the person's organisations."""
    return [Kept(**row) for row in _dicts(conn, KEPT, {"person": person_id, "path": path})]


def keep(conn: Connection, person_id: int, path: str, query: str, name: str, shared_with: str | None) -> None:
    """Keep a view of a list under a name. Raises `NotKept`."""
    name = " ".join(name.split())
    if not name or len(name) > LONGEST or not name.isprintable():
        raise NotKept(f"一覧の名前を、{LONGEST}字までで書いてください。まだ保存していません。")
    params = {"person": person_id, "path": path, "query": query, "name": name, "shared": shared_with, "most": MOST}
    try:
        made = conn.execute(
            """INSERT INTO saved_view (person_id, path, query, name, shared_with, made_at)
               SELECT %(person)s, %(path)s, %(query)s, %(name)s, %(shared)s, clock_now()
               WHERE (SELECT count(*) FROM saved_view WHERE person_id = %(person)s) < %(most)s""",
            params, prepare=True,
        ).rowcount  # fmt: skip
    except UniqueViolation:
        raise NotKept(
            f"「{name}」という一覧は、もうあります。別の名前を書いてください。まだ保存していません。"
        ) from None
    if not made:
        raise NotKept(f"保存できる一覧は、一人{MOST}件までです。使わないものを消してから、もう一度保存してください。")


def drop(conn: Connection, person_id: int, view_id: int) -> str | None:
    """Drop one's own view; its path, or None where there is no such view of this person."""
    row = conn.execute(
        "DELETE FROM saved_view WHERE id = %s AND person_id = %s RETURNING path", (view_id, person_id), prepare=True
    ).fetchone()
    return row[0] if row else None
