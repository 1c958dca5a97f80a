"""The verifier: recomputes every hash, link, digest and case row, and names each break it finds.

It believes no constraint: a superuser can drop them. The database computes, because the rows are there and SHA-256 costs
less than carrying them; an independent program can do the same from an export. Needs PostgreSQL 16.
"""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any

import psycopg

from workflow import standing
from workflow.db import Database, driver

WORKERS = 2

# One event: right hash, right link to the one before, no number missing, columns as the body says. The body is canonical
# JSON without nested objects, so a key with its value can be looked for as text: no quote inside a string is bare.
EVENTS = """
SELECT t.case_id, t.seq, CASE
    WHEN t.hash IS DISTINCT FROM sha256(coalesce(t.previous, ''::bytea) || convert_to(t.body, 'UTF8')) THEN 'hash'
    WHEN t.seq <> t.before + 1 THEN 'gap'
    WHEN t.previous IS DISTINCT FROM t.before_hash THEN 'link'
    WHEN NOT t.body IS JSON OBJECT THEN 'body'
    ELSE 'columns' END
FROM (SELECT e.case_id, e.seq, e.at, e.action, e.actor, e.post, e.office, e.previous, e.hash, e.body,
        coalesce(lag(e.seq) OVER w, 0) AS before, lag(e.hash) OVER w AS before_hash
      FROM event e WHERE e.case_id >= %(low)s AND e.case_id < %(high)s WINDOW w AS (PARTITION BY e.case_id ORDER BY e.seq)) t
WHERE t.hash IS DISTINCT FROM sha256(coalesce(t.previous, ''::bytea) || convert_to(t.body, 'UTF8'))
   OR t.seq <> t.before + 1 OR t.previous IS DISTINCT FROM t.before_hash
   OR (strpos(t.body, ',"action":"' || t.action || '","actor":"' || t.actor || '","at":' ||
        (extract(epoch FROM t.at) * 1000000)::bigint || ',"case":' || t.case_id || ',"content":[') > 0
     AND strpos(t.body, ',"office":"' || t.office || '","post":"' || t.post || '","process":') > 0
     AND strpos(t.body, ',"seq":' || t.seq || ',"to":') > 0) IS NOT TRUE
"""

# One content row: the digest of its bytes, the digest its event wrote; empty only by an erasing event of the same case.
CONTENT = """
WITH erased AS (
  SELECT x.case_id, (id ->> 0)::int AS seq, (id ->> 1)::int AS ord, x.seq AS by
  FROM event e JOIN content x ON x.case_id = e.case_id AND x.seq = e.seq AND x.kind = 'erasure'
  CROSS JOIN jsonb_array_elements(convert_from(x.data, 'UTF8')::jsonb -> 'erased') AS id
  WHERE e.action = 'erase' AND e.case_id >= %(low)s AND e.case_id < %(high)s)
SELECT x.case_id, x.seq, CASE WHEN x.data IS NULL OR x.salt IS NULL THEN 'missing' ELSE 'content' END, x.kind, x.ord
FROM content x LEFT JOIN erased r ON (r.case_id, r.seq, r.ord) = (x.case_id, x.seq, x.ord)
WHERE x.case_id >= %(low)s AND x.case_id < %(high)s
  AND (CASE WHEN x.data IS NULL OR x.salt IS NULL THEN r.by IS NULL
            ELSE x.digest <> sha256(x.salt || convert_to(x.kind, 'UTF8') || x.data) END)
"""

ERASED = """
SELECT x.case_id, (id ->> 0)::int, (id ->> 1)::int, x.seq
FROM event e JOIN content x ON x.case_id = e.case_id AND x.seq = e.seq AND x.kind = 'erasure'
CROSS JOIN jsonb_array_elements(convert_from(x.data, 'UTF8')::jsonb -> 'erased') AS id
WHERE e.action = 'erase' AND e.case_id >= %(low)s AND e.case_id < %(high)s ORDER BY 1, 2, 3
"""

# What each event wrote must be there, and nothing else: every row stands in its event's body, they
# are numbered without a gap, and the body names no further one.
REFERENCES = """
SELECT x.case_id, x.seq, 'reference', x.kind, x.ord
FROM content x LEFT JOIN event e ON (e.case_id, e.seq) = (x.case_id, x.seq)
WHERE x.case_id >= %(low)s AND x.case_id < %(high)s
  AND strpos(e.body, '[' || x.seq || ',' || x.ord || ',"' || x.kind || '","' || encode(x.digest, 'hex') || '"]') > 0 IS NOT TRUE
UNION ALL
SELECT e.case_id, e.seq, 'reference', '', 0
FROM event e LEFT JOIN (
  SELECT case_id, seq, count(*) AS rows, max(ord) AS last FROM content
  WHERE case_id >= %(low)s AND case_id < %(high)s GROUP BY case_id, seq) x ON (x.case_id, x.seq) = (e.case_id, e.seq)
WHERE e.case_id >= %(low)s AND e.case_id < %(high)s
  AND (x.rows IS DISTINCT FROM x.last + 1 OR strpos(e.body, '[' || e.seq || ',' || coalesce(x.rows, 0) || ',') > 0)
"""

# The case row says what its last event says: version, head, process, state, number, every field group, every party.
CASES = """
SELECT c.id, c.version, CASE
    WHEN e.case_id IS NULL OR l.last IS DISTINCT FROM c.version THEN 'tail'
    WHEN e.hash IS DISTINCT FROM c.head THEN 'head'
    WHEN (b.process, b.process_version) IS DISTINCT FROM (c.process, c.process_version) THEN 'process'
    WHEN b."to" IS DISTINCT FROM c.state THEN 'state'
    WHEN b.number IS DISTINCT FROM c.number THEN 'number'
    WHEN b.lead IS DISTINCT FROM c.lead THEN 'lead'
    WHEN p.written IS DISTINCT FROM p.standing THEN 'parties'
    ELSE 'form' END
FROM cases c
LEFT JOIN LATERAL (SELECT max(seq) AS last FROM event WHERE case_id = c.id) l ON true
LEFT JOIN event e ON e.case_id = c.id AND e.seq = c.version
LEFT JOIN LATERAL json_to_record(CASE WHEN e.body IS JSON OBJECT THEN e.body::json END)
  AS b (process text, process_version int, "to" text, number text, lead text, content json) ON true
LEFT JOIN LATERAL (
  SELECT bool_or(CASE WHEN x.data IS NULL THEN NOT c.form -> substr(ref ->> 2, 6) ? 'erased'
                      ELSE convert_from(x.data, 'UTF8')::jsonb IS DISTINCT FROM c.form -> substr(ref ->> 2, 6) END) AS differs,
         count(*) AS groups
  FROM json_array_elements(b.content) AS ref
  LEFT JOIN content x ON (x.case_id, x.seq, x.ord) = (c.id, (ref ->> 0)::int, (ref ->> 1)::int)
  WHERE ref ->> 2 LIKE 'form:%%') f ON true
LEFT JOIN LATERAL (
  SELECT (SELECT convert_from(x.data, 'UTF8')::jsonb FROM json_array_elements(b.content) AS ref
            JOIN content x ON (x.case_id, x.seq, x.ord) = (c.id, (ref ->> 0)::int, (ref ->> 1)::int)
          WHERE ref ->> 2 = 'parties') AS written,
         (SELECT jsonb_agg(jsonb_build_array(part, org_code) ORDER BY part COLLATE "C", org_code COLLATE "C")
            FROM party WHERE case_id = c.id AND valid_to IS NULL) AS standing) p ON true
WHERE c.id >= %(low)s AND c.id < %(high)s AND (c.version > 0 OR l.last IS NOT NULL)
  AND (l.last IS DISTINCT FROM c.version OR e.hash IS DISTINCT FROM c.head OR b."to" IS DISTINCT FROM c.state
       OR (b.process, b.process_version) IS DISTINCT FROM (c.process, c.process_version)
       OR b.number IS DISTINCT FROM c.number OR b.lead IS DISTINCT FROM c.lead OR p.written IS DISTINCT FROM p.standing
       OR f.differs IS NOT FALSE OR f.groups <> (SELECT count(*) FROM jsonb_object_keys(c.form)))
"""

# Every event has its case row.
ORPHANS = """
SELECT e.case_id, max(e.seq), 'case' FROM event e
WHERE e.case_id >= %(low)s AND e.case_id < %(high)s AND NOT EXISTS (SELECT 1 FROM cases c WHERE c.id = e.case_id) GROUP BY e.case_id
"""

SENTENCES = {
    "hash": "記録の内容と指紋が合いません(書き換えられたおそれがあります)。",
    "gap": "前の記録が抜けています。",
    "link": "前の記録とのつながりが切れています。",
    "body": "記録の本文が読めません。",
    "columns": "記録の本文と欄の値が合いません。",
    "content": "内容と指紋が合いません(書き換えられたおそれがあります)。",
    "missing": "内容が、消去の記録なしに失われています。",
    "reference": "記録が指す内容がないか、違う内容になっています。",
    "case": "記録だけがあり、案件がありません。",
    "tail": "案件の版と最後の記録が合いません(後ろの記録が消されたおそれがあります)。",
    "head": "案件が持つ指紋と最後の記録が合いません。",
    "process": "案件の業務フローと最後の記録が合いません。",
    "state": "案件の状態と最後の記録が合いません。",
    "number": "案件の番号と最後の記録が合いません。",
    "lead": "案件の担当局と最後の記録が合いません。",
    "parties": "案件の関係団体と記録が合いません。",
    "form": "案件の様式の内容と記録が合いません。",
    "title": "案件の件名と様式の内容が合いません。",
    "place": "案件の市町村と様式の内容が合いません。",
    "open": "案件を見せる範囲と状態が合いません。",
    "origin": "案件の契機と、起こしたときの記録が合いません。",
    "opened": "案件を起こした人か日時と、起こしたときの記録が合いません。",
    "parent": "もとの案件と、起こしたときの記録が合いません。",
    "dates": "関係団体の期間と記録が合いません。",
    "file": "添付ファイルと記録が合いません(差し替えられたか、失われたおそれがあります)。",
    "unreadable": "読める形でない記録か内容があり、案件の一部を確かめられません。",
}


@dataclass(frozen=True, slots=True)
class Break:
    """One thing that is not as history says: which case, which event, what."""

    case: int
    seq: int
    kind: str
    sentence: str
    part: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was read and every break; `erased` lists parts that an event erased: case, seq, ord, erasing event."""

    cases: int
    events: int
    breaks: list[Break]
    erased: list[tuple[int, int, int, int]] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        return not self.breaks

    def as_json(self) -> dict[str, Any]:
        """The answer of `tobidashi verify --json`."""
        return {
            "whole": self.whole, "cases": self.cases, "events": self.events,
            "breaks": [{"case": b.case, "seq": b.seq, "kind": b.kind, "sentence": b.sentence, "part": b.part} for b in self.breaks],
            "erased": [{"case": c, "seq": s, "ord": o, "erased_by": by, "sentence": f"消去済み(記録{by}号)"} for c, s, o, by in self.erased],
        }  # fmt: skip


def verify(db: Database, *, workers: int = WORKERS) -> Outcome:
    """Check everything in one snapshot, the cases split among `workers` connections."""
    with db.connection() as conn, conn.transaction():
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        conn.execute("SET LOCAL statement_timeout = 0")
        row = conn.execute(
            """SELECT pg_export_snapshot(), least((SELECT min(id) FROM cases), (SELECT min(case_id) FROM event)),
                 greatest((SELECT max(id) FROM cases), (SELECT max(case_id) FROM event)),
                 (SELECT count(*) FROM cases WHERE version > 0), (SELECT count(*) FROM event)"""
        ).fetchone()
        assert row is not None
        snapshot, low, high, cases, events = row
        if low is None:
            return Outcome(0, 0, [])
        step = (high - low) // workers + 1
        spans = [(start, min(start + step, high + 1)) for start in range(low, high + 1, step)]
        with ThreadPoolExecutor(workers) as pool:
            found = list(pool.map(lambda span: _span(db, snapshot, *span), spans))
    breaks = [b for part, _ in found for b in part]
    return Outcome(cases, events, breaks, [e for _, part in found for e in part])


def _span(db: Database, snapshot: str, low: int, high: int) -> tuple[list[Break], list[tuple[int, int, int, int]]]:
    with db.connection() as conn, conn.transaction():
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        conn.execute(f"SET TRANSACTION SNAPSHOT '{snapshot}'")
        conn.execute("SET LOCAL statement_timeout = 0")
        conn.execute("SET LOCAL work_mem = '64MB'")
        breaks = list(_breaks(conn, low, high))
        erased = [row for row in _rows(conn, ERASED, low, high) if "unreadable" not in row]
    return breaks, [(row[0], row[1], row[2], row[3]) for row in erased]


def _breaks(conn: psycopg.Connection[Any], low: int, high: int) -> Iterator[Break]:
    span = {"low": low, "high": high}
    asked = (_rows(conn, text, low, high) for text in (EVENTS, CONTENT, REFERENCES, CASES, ORPHANS, standing.ROWS))
    for case, seq, kind, *part in chain(*asked, standing.cases(conn, span), standing.files(conn, span)):
        where = " #".join(str(said) for said in part if said is not None)
        yield Break(case, seq, kind, SENTENCES[kind], where)


def _rows(conn: psycopg.Connection[Any], text: str, low: int, high: int) -> list[tuple[Any, ...]]:
    """What one check finds in these cases. Bytes that no act wrote can stop it: then the case is found that holds them."""
    try:
        with conn.transaction():
            return conn.execute(text, {"low": low, "high": high}).fetchall()
    except psycopg.DataError:
        if high - low == 1:
            return [(low, 0, "unreadable")]
        middle = (low + high) // 2
        return _rows(conn, text, low, middle) + _rows(conn, text, middle, high)


def run(db: Database) -> Outcome:
    """Verify and keep the result as a `chain_check` row, which the auditor's page shows."""
    with db.transaction() as session:
        begun = driver(session).execute("SELECT clock_now()").fetchone()
    assert begun is not None
    started: datetime = begun[0]
    outcome = verify(db)
    with db.transaction() as session:
        driver(session).execute(
            """INSERT INTO chain_check (started_at, finished_at, events, cases, breaks)
               VALUES (%s, clock_now(), %s, %s, %s::jsonb)""",
            (started, outcome.events, outcome.cases, json.dumps(outcome.as_json()["breaks"], ensure_ascii=False)),
        )
    return outcome
