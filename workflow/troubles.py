"""What does not go by itself, as figures: notices that failed, jobs that wait, dates that have passed, signs of life.

The administrator learns numbers and offices, no content of any case. An office sees the failed notices of the cases that it
leads, and may try each of them once more.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from psycopg.rows import dict_row

from workflow.access import SCOPE, TODAY, VISIBLE, Actor
from workflow.audience import Connection
from workflow.loading import NotFound
from workflow.notices import NO_ADDRESS, NO_HOLDER
from workflow.outbox import BEGUN, PATIENT_TRIES, UNSENT, UNWRITTEN

SEES_ALL = "administrator"
OWNERS = frozenset({"bureau", "director"})
READERS = OWNERS | {SEES_ALL}
KINDS = (UNSENT, UNWRITTEN, NO_ADDRESS, NO_HOLDER)  # of attention that a failed row calls
OFF = 2.0  # seconds by which two clocks may differ
MOST = 50  # failed rows shown

_OFFICE = f"""(SELECT o.name FROM organisation o WHERE o.code = {{code}}
  AND (o.valid_from IS NULL OR o.valid_from <= {TODAY}) AND (o.valid_to IS NULL OR o.valid_to >= {TODAY}) LIMIT 1)"""
_FAILED = "o.done_at IS NOT NULL AND o.trouble IS NOT NULL"
_OWN = f"(%(all)s OR (c.lead = ANY (me.orgs) AND {VISIBLE}))"
_CALLED = "a.closed_at IS NULL AND a.kind = ANY (%(kinds)s)"

# Whatever failed is shown while its case still calls for attention: the case's next act has made it pointless.
FAILED = f"""WITH {SCOPE}, failed AS (
  SELECT o.id, a.case_id FROM attention a JOIN outbox o ON o.case_id = a.case_id AND {_FAILED} WHERE {_CALLED}
  UNION
  SELECT o.id, m.case_id FROM outbox o JOIN message m ON m.digest_id = o.id AND m.sent_at IS NULL
    JOIN attention a ON a.case_id = m.case_id AND {_CALLED} WHERE o.case_id IS NULL AND {_FAILED})
SELECT o.id, o.kind, o.trouble, o.done_at,
  jsonb_agg(DISTINCT jsonb_build_array(c.id, c.number, {_OFFICE.format(code="c.lead")})) AS cases
FROM failed f JOIN outbox o ON o.id = f.id JOIN cases c ON c.id = f.case_id CROSS JOIN me
WHERE {_OWN} GROUP BY o.id ORDER BY o.id DESC LIMIT {MOST}"""

# One row is opened again, with the addresses and the holders of this moment; what went out already does not go again.
RETRY = f"""WITH {SCOPE}, seen AS (
  SELECT DISTINCT o.id FROM outbox o CROSS JOIN me JOIN cases c ON c.id = o.case_id
      OR c.id IN (SELECT m.case_id FROM message m WHERE m.digest_id = o.id)
  WHERE o.id = %(row)s AND {_OWN}),
again AS (UPDATE outbox o SET done_at = NULL, trouble = NULL, tries = 0, next_at = now() FROM seen
  WHERE o.id = seen.id AND {_FAILED} RETURNING o.id, o.case_id),
gone AS (DELETE FROM message m USING again WHERE m.outbox_id = again.id AND m.sent_at IS NULL AND NOT m.gathered),
settled AS (UPDATE attention a SET closed_at = clock_now() FROM again
  WHERE {_CALLED} AND (a.case_id = again.case_id OR a.case_id IN (SELECT m.case_id FROM message m WHERE m.digest_id = again.id))
    AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.case_id = a.case_id AND o.id <> again.id AND {_FAILED}))
SELECT (SELECT count(*) FROM seen), (SELECT count(*) FROM again)"""

# Rows that nobody has taken, and rows that were tried in vain; counted no further than anybody needs to know.
WAITING = f"""SELECT count(*) FILTER (WHERE next_at < now() - interval '10 minutes') AS untouched,
  count(*) FILTER (WHERE tries > {PATIENT_TRIES}) AS in_vain,
  max(trouble) FILTER (WHERE tries > {PATIENT_TRIES} AND trouble NOT LIKE '{BEGUN}%%') AS reason
FROM (SELECT next_at, tries, trouble FROM outbox WHERE done_at IS NULL
  AND (next_at < now() - interval '10 minutes' OR tries > {PATIENT_TRIES}) LIMIT 1000) o"""
REPORTS = f"""SELECT {_OFFICE.format(code="j.office")} AS office, count(*) FILTER (WHERE j.finished_at IS NULL) AS waiting,
  count(*) FILTER (WHERE j.finished_at IS NOT NULL) AS failed, min(j.asked_at) AS since
FROM report_job j WHERE (j.finished_at IS NULL AND j.asked_at < clock_now() - interval '10 minutes')
  OR (j.file_name IS NULL AND j.finished_at > clock_now() - interval '7 days') GROUP BY j.office ORDER BY 1"""
OVERDUE = f"""SELECT {_OFFICE.format(code="g.lead")} AS office, g.holder, g.count, g.since FROM (
  SELECT c.lead, d.holder, count(*) AS count, min(d.due_at) AS since FROM deadline d JOIN cases c ON c.id = d.case_id
  WHERE d.closed_at IS NULL AND d.move = '' AND d.due_at <= clock_now() GROUP BY c.lead, d.holder) g ORDER BY g.lead, g.count DESC, g.holder"""
CALLED = f"""SELECT {_OFFICE.format(code="g.lead")} AS office, g.kind, g.count, g.since FROM (
  SELECT c.lead, a.kind, count(*) AS count, min(a.opened_at) AS since FROM attention a JOIN cases c ON c.id = a.case_id
  WHERE a.closed_at IS NULL GROUP BY c.lead, a.kind) g ORDER BY g.lead, g.count DESC, g.kind"""
PULSES = "SELECT name, beat_at, extract(epoch FROM now() - beat_at)::float AS seconds FROM heartbeat"


def failed(conn: Connection, actor: Actor) -> list[dict[str, Any]]:
    """Rows that ended without telling everybody, the newest first: of own cases, for the administrator of all. Raises `NotFound`."""
    return _rows(conn, FAILED, _of(actor))


def retry(conn: Connection, actor: Actor, row: int) -> bool:
    """Try one failed row once more; False when it is being tried already. Raises `NotFound`."""
    found = conn.execute(RETRY, _of(actor) | {"row": row}, prepare=True).fetchone()
    assert found is not None
    if not found[0]:
        raise NotFound
    return bool(found[1])


def _of(actor: Actor) -> dict[str, Any]:
    if not actor.roles & READERS:
        raise NotFound
    return {"person": actor.person_id, "all": SEES_ALL in actor.roles, "kinds": list(KINDS)}


def waiting(conn: Connection) -> Mapping[str, Any]:
    """How many effects nobody has taken for ten minutes, how many were tried in vain, and why."""
    return _rows(conn, WAITING)[0]


def reports(conn: Connection) -> Sequence[Mapping[str, Any]]:
    """By office the reports that wait for more than ten minutes, and those that failed within a week."""
    return _rows(conn, REPORTS)


def overdue(conn: Connection) -> Sequence[Mapping[str, Any]]:
    """By office and holder how many dates have passed, and since when."""
    return _rows(conn, OVERDUE)


def called(conn: Connection) -> Sequence[Mapping[str, Any]]:
    """By office and kind how many cases call for attention."""
    return _rows(conn, CALLED)


def pulses(conn: Connection) -> dict[str, float]:
    """Seconds since each background work was last done, in real time."""
    return {row["name"]: row["seconds"] for row in _rows(conn, PULSES)}


def clock_difference(conn: Connection, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> float:
    """By how many seconds this host is ahead of the database; 0 where less than can be told."""
    before = now()
    row = conn.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    after = now()
    ahead = ((before - row[0]) + (after - row[0])).total_seconds() / 2
    return ahead if abs(ahead) > OFF + (after - before).total_seconds() / 2 else 0.0


def _rows(conn: Connection, text: str, params: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(text, params or {}, prepare=True).fetchall()
