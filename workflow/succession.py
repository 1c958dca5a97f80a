"""Organisations that end with a successor: on the day after, the successor takes their place in every open case.

Made by the clock, one event a case, compared with its version: however often it runs and is killed, it is made once. The
form keeps what was written, names included; who is asked is worked out again, so that steps move to the new desk.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from psycopg.rows import dict_row

from states import catalogue
from workflow import acts, case_sql
from workflow.access import TODAY
from workflow.db import Database
from workflow.ended import SUCCEEDED
from workflow.loading import Connection, NotFound, load
from workflow.notices import call_attention

log = logging.getLogger(__name__)

KIND = "succession"  # content of the event: part, code and name of who left and who came
HELD_UP = "succession"  # kind of attention

# The codes that nobody has any more, with who came after them, through any number of mergers.
HEIRS = f"""WITH RECURSIVE last AS (
  SELECT DISTINCT ON (o.code) o.code, o.name, o.successor FROM organisation o
  WHERE o.valid_to < {TODAY} AND o.successor IS NOT NULL AND o.successor <> o.code
    AND NOT EXISTS (SELECT 1 FROM organisation n WHERE n.code = o.code AND (n.valid_to IS NULL OR n.valid_to >= {TODAY}))
  ORDER BY o.code, o.valid_to DESC),
way AS (SELECT code, name, successor, 1 AS steps FROM last
  UNION ALL SELECT w.code, w.name, l.successor, w.steps + 1 FROM way w JOIN last l ON l.code = w.successor WHERE w.steps < 20),
heir AS (SELECT DISTINCT ON (w.code) w.code, w.name, n.code AS to_code, n.name AS to_name FROM way w
  JOIN organisation n ON n.code = w.successor AND (n.valid_from IS NULL OR n.valid_from <= {TODAY}) AND (n.valid_to IS NULL OR n.valid_to >= {TODAY})
  ORDER BY w.code, w.steps DESC)"""

OPEN = f"""{HEIRS}
SELECT c.id, c.version, c.process, c.process_version, c.state, jsonb_agg(jsonb_build_object(
    'part', p.part, 'from', h.code, 'from_name', h.name, 'to', h.to_code, 'to_name', h.to_name) ORDER BY p.part, h.code) AS parts
FROM heir h JOIN party p ON p.org_code = h.code AND p.valid_to IS NULL JOIN cases c ON c.id = p.case_id
GROUP BY c.id ORDER BY c.id"""

# What has no history yet simply belongs to the successor's office from now on.
DRAFTS = f"""{HEIRS}
UPDATE party p SET org_code = h.to_code FROM heir h JOIN cases c ON true
WHERE p.case_id = c.id AND c.version = 0 AND p.org_code = h.code AND p.valid_to IS NULL
  AND NOT EXISTS (SELECT 1 FROM party q WHERE q.case_id = c.id AND q.org_code = h.to_code AND q.part = p.part)"""


def take_over(db: Database) -> int:
    """Let successors take their places; returns in how many cases. One that cannot be written is shown to its holder."""
    with db.connection() as conn:
        with conn.cursor(row_factory=dict_row) as cursor:
            found = cursor.execute(OPEN, prepare=True).fetchall()
        if not found:
            return 0
        conn.execute(DRAFTS, prepare=True)
        return sum(_succeeded(conn, row) for row in found if row["version"] and not _final(row))


def _final(row: Mapping[str, Any]) -> bool:
    return catalogue.process(row["process"], row["process_version"]).state(row["state"]).final


def _succeeded(conn: Connection, row: Mapping[str, Any]) -> bool:
    try:
        case = load(conn, row["id"], None)
        current = {(p["part"], p["org"]) for p in case.parties if p["to"] is None}
        parts = [part for part in row["parts"] if (part["part"], part["from"]) in current]
        if not parts:
            return False  # somebody was faster
        params = acts.concern(
            case, SUCCEEDED, [(KIND, parts)], joins=_pairs(parts, "to"), leaves=_pairs(parts, "from"),
            leads=next((part["to"] for part in parts if part["from"] == case.row.lead), ""), heirs={p["from"]: p["to"] for p in parts},
        )  # fmt: skip
        return case_sql.carry_out(conn, params)
    except NotFound:
        return False
    except Exception:  # one bad case never stops the others
        if conn.closed:
            raise
        log.exception("nobody could take the place of an organisation in case %s", row["id"])
        sentence = "終わった団体から後の団体への引継ぎが、自動ではできませんでした。案件はそのままです。管理者に連絡してください。"
        call_attention(conn, row["id"], HELD_UP, sentence)
        return False


def _pairs(parts: Sequence[Mapping[str, Any]], side: str) -> list[tuple[str, str]]:
    return [(part["part"], part[side]) for part in parts]
