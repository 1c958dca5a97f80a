"""What was settled about time – days, rules, moves – by whom, when and why; the newest first. For administrators and auditors."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from psycopg.rows import dict_row

from states import catalogue
from states.dates import wareki
from workflow.access import Actor
from workflow.calendar_days import called
from workflow.deadline_rules import pairs, said
from workflow.deadlines import start_of
from workflow.loading import Connection, NotFound

READERS = frozenset({"administrator", "auditor", "records"})
MOST = 500  # of one year


@dataclass(frozen=True)
class Settled:
    """One thing that somebody settled: what was done, to what, where it holds, why, by whom and when."""

    at: datetime
    did: str
    what: str
    office: str
    reason: str
    by: str


_DAYS = """SELECT day, office, kind, derived, reason, set_by, set_at, NULL AS ended_reason, NULL::bigint AS ended_by, NULL::timestamptz AS ended_at FROM closure
UNION ALL SELECT day, office, kind, derived, reason, set_by, set_at, ended_reason, ended_by, ended_at FROM closure_ended"""

# Every row as one or two happenings; what the words are made of travels as JSON.
LISTED = f"""WITH days AS ({_DAYS}), told AS (
  SELECT set_at AS at, 'day' AS did, office, reason, set_by AS by, to_jsonb(d) AS body FROM days d WHERE set_at IS NOT NULL
  UNION ALL SELECT ended_at, 'day_out', office, ended_reason, ended_by, to_jsonb(d) FROM days d WHERE ended_at IS NOT NULL
  UNION ALL SELECT set_at, 'rule', office, reason, set_by, to_jsonb(r) FROM deadline_rule r
  UNION ALL SELECT ended_at, 'rule_out', office, coalesce(ended_reason, ''), ended_by, to_jsonb(r) FROM deadline_rule r WHERE ended_at IS NOT NULL
  UNION ALL SELECT set_at, 'move', office, reason, set_by, to_jsonb(m) FROM deadline_move m)
SELECT t.*, n.name, (SELECT o.name FROM organisation o WHERE o.code = t.office ORDER BY o.valid_to DESC NULLS FIRST LIMIT 1) AS office_name
FROM told t LEFT JOIN person n ON n.id = t.by WHERE t.at >= %(first)s AND t.at < %(next)s ORDER BY t.at DESC, t.did LIMIT {MOST}"""

DID = {
    "day": "日を入れた",
    "day_out": "日を消した",
    "rule": "期限の日数を変えた",
    "rule_out": "変えた日数を終えた",
    "move": "期限をまとめて動かした",
}


def reader(actor: Actor) -> None:
    """Who settles time, and who audits. Raises `NotFound`."""
    if not READERS & actor.roles:
        raise NotFound


def listed(conn: Connection, actor: Actor, year: int) -> list[Settled]:
    """What was settled in a year. Raises `NotFound`."""
    reader(actor)
    span = {"first": start_of(date(year, 1, 1)), "next": start_of(date(year + 1, 1, 1))}
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(LISTED, span, prepare=True).fetchall()
    return [
        Settled(row["at"], DID[row["did"]], _what(row["did"], row["body"]), row["office_name"] or row["office"] or "すべての局",
                row["reason"], row["name"] or "")
        for row in rows
    ]  # fmt: skip


def _what(did: str, body: Mapping[str, Any]) -> str:
    if did in ("day", "day_out"):
        return f"{_day(body['day'])} {called(body['kind'], body['derived'])}"
    if did == "move":
        last = f"から{_day(body['day_to'])}まで" if body["day_to"] != body["day_from"] else ""
        return f"{_day(body['day_from'])}{last}が期限のものを、{_day(body['to_day'])}に"
    label = next((f"{p.label} ・ {d.label}" for p in catalogue.newest().values() for d in p.deadlines
                  if (p.key, d.kind) == (body["process"], body["kind"])), body["kind"])  # fmt: skip
    days = f"「{label}」を{said(body['days'], pairs(body['on_days']))}に"
    return f"{days}。{_day(body['valid_to'])}まで" if did == "rule_out" else f"{days}。{_day(body['valid_from'])}から"


def _day(written: str) -> str:
    return wareki(date.fromisoformat(written))
