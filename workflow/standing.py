"""What stands outside history and must agree with it: a case row's title and place, how it came about, parties' dates, files.

The verifier's second half. What the process alone can say – a title, a place, who may see a state – is worked out here; the rest
is asked of the database. Each check yields rows of (case, event, kind of break, and for a part what and which).
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

from states import catalogue
from states.kernel import Process
from workflow.history import disposed

Connection = psycopg.Connection[Any]
Found = tuple[Any, ...]
READ_AT_ONCE = 500  # rows of cases held in memory
PIECES_AT_ONCE = 8

CASES = """SELECT c.id, c.version, c.process, c.process_version, c.state, c.title, c.place, c.open, c.form
FROM cases c WHERE c.id >= %(low)s AND c.id < %(high)s AND c.version > 0"""

# Few rows of content are about what stands outside history; all of it is read for them once.
BESIDE = """WITH x AS MATERIALIZED (
  SELECT case_id, seq, kind, data FROM content WHERE case_id >= %(low)s AND case_id < %(high)s
    AND (kind = 'parties' OR kind = 'opened' OR kind LIKE 'file:%%' OR kind LIKE 'internal:file:%%')),"""

# How a case came about stands in its first event, and beside it since when that is written down.
OPENED = """opened AS (
  SELECT c.id, 1 AS seq, CASE
    WHEN s.origin IS DISTINCT FROM c.origin THEN 'origin'
    WHEN s.parent IS DISTINCT FROM c.parent_id OR (c.parent_id IS NOT NULL AND p.id IS NULL) THEN 'parent' ELSE 'opened' END AS wrong
  FROM x JOIN cases c ON c.id = x.case_id LEFT JOIN cases p ON p.id = c.parent_id AND p.version > 0
  CROSS JOIN LATERAL jsonb_to_record(convert_from(x.data, 'UTF8')::jsonb) AS s (origin text, parent bigint, by bigint, at bigint)
  WHERE x.seq = 1 AND x.kind = 'opened' AND x.data IS NOT NULL
    AND (s.origin IS DISTINCT FROM c.origin OR s.parent IS DISTINCT FROM c.parent_id OR (c.parent_id IS NOT NULL AND p.id IS NULL)
         OR s.by IS DISTINCT FROM c.opened_by OR s.at IS DISTINCT FROM (extract(epoch FROM c.opened_at) * 1000000)::bigint)),"""

# A part begins on the day of the event that first names it (the first event's parts may be as old as the draft) and ends with
# the event of its `until_seq`, which names it no more. An act may read before midnight and write behind it.
PARTIES = """named AS (
  SELECT x.case_id, pair ->> 0 AS part, pair ->> 1 AS org, min(x.seq) AS since, max(x.seq) AS last
  FROM x CROSS JOIN LATERAL jsonb_array_elements(convert_from(x.data, 'UTF8')::jsonb) AS pair
  WHERE x.kind = 'parties' AND x.data IS NOT NULL GROUP BY 1, 2, 3),
dated AS (
  SELECT p.case_id, coalesce(p.until_seq, n.since, 0) AS seq, p.part
  FROM party p JOIN cases c ON c.id = p.case_id AND c.version > 0
  LEFT JOIN named n ON (n.case_id, n.part, n.org) = (p.case_id, p.part, p.org_code)
  LEFT JOIN event b ON (b.case_id, b.seq) = (p.case_id, n.since)
  LEFT JOIN event u ON (u.case_id, u.seq) = (p.case_id, p.until_seq)
  CROSS JOIN LATERAL (SELECT (b.at AT TIME ZONE 'Asia/Tokyo')::date AS begun, (u.at AT TIME ZONE 'Asia/Tokyo')::date AS ended) d
  WHERE p.case_id >= %(low)s AND p.case_id < %(high)s AND (n.since IS NOT NULL OR p.valid_to IS NOT NULL) AND (
    n.since IS NOT NULL AND p.valid_from <= d.begun + 1 AND (n.since = 1 OR p.valid_from >= d.begun)
    AND (p.valid_to IS NULL) = (p.until_seq IS NULL)
    AND (p.until_seq IS NULL OR (p.valid_to BETWEEN d.ended AND d.ended + 1 AND n.last < p.until_seq
         AND EXISTS (SELECT 1 FROM x WHERE x.case_id = p.case_id AND x.seq = p.until_seq AND x.kind = 'parties')))
  ) IS NOT TRUE),"""

# A file says what its event wrote of it; an erased one was erased by an erasing event that lists it.
FILES = """told AS (SELECT case_id, seq, kind, data, split_part(kind, 'file:', 2)::bigint AS id FROM x WHERE kind LIKE '%%file:%%'),
filed AS (
  SELECT coalesce(a.case_id, t.case_id) AS case_id, coalesce(a.seq, t.seq, 0) AS seq, coalesce(a.id, t.id) AS id
  FROM (SELECT f.* FROM attachment f JOIN cases c ON c.id = f.case_id AND c.version > 0
        WHERE f.case_id >= %(low)s AND f.case_id < %(high)s) a
  FULL JOIN told t ON t.case_id = a.case_id AND t.id = a.id AND t.seq = a.seq
    AND t.kind = CASE a.scope WHEN 'internal' THEN 'internal:file:' ELSE 'file:' END || a.id
  LEFT JOIN content r ON r.case_id = a.case_id AND r.seq = a.erased_seq AND r.kind = 'erasure'
  WHERE (CASE
    WHEN a.id IS NULL THEN false
    WHEN a.erased_seq IS NOT NULL THEN CASE WHEN r.data IS NULL THEN r.case_id IS NOT NULL
      ELSE convert_from(r.data, 'UTF8')::jsonb -> 'files' @> to_jsonb(a.id) END
    WHEN t.data IS NULL THEN t.case_id IS NOT NULL
    ELSE convert_from(t.data, 'UTF8')::jsonb @> jsonb_build_object('id', a.id, 'sha256', a.sha256, 'size', a.size, 'scope', a.scope,
      'name', a.name, 'label', a.label, 'media_type', a.media_type) END) IS NOT TRUE)"""

ROWS = f"""{BESIDE} {OPENED} {PARTIES} {FILES}
SELECT id, seq, wrong, NULL::text, NULL::bigint FROM opened
UNION ALL SELECT case_id, seq, 'dates', part, NULL FROM dated
UNION ALL SELECT case_id, seq, 'file', 'file', id FROM filed"""

PIECES = """SELECT a.case_id, a.seq, a.id, a.sha256, a.size, p.data FROM attachment a LEFT JOIN attachment_part p ON p.attachment_id = a.id
WHERE a.case_id >= %(low)s AND a.case_id < %(high)s AND a.erased_seq IS NULL ORDER BY a.case_id, a.id, p.ord"""


def cases(conn: Connection, span: Mapping[str, int]) -> Iterator[Found]:
    """Case rows that do not say what their process makes of form and state."""
    with conn.cursor("standing_cases", row_factory=namedtuple_row) as cursor:
        cursor.itersize = READ_AT_ONCE
        row: Any
        for row in cursor.execute(CASES, span):
            kind = _wrong(row)
            if kind:
                yield row.id, row.version, kind


def _wrong(row: Any) -> str:
    process = catalogue.all_versions().get((row.process, row.process_version))
    if process is None:
        return ""  # of an application that is newer than this one
    try:
        return _differs(process, row)
    except (AttributeError, KeyError, TypeError, ValueError):
        return "title"  # not the form of this process at all


def _differs(process: Process, row: Any) -> str:
    if row.title != process.title(row.form) and not disposed(row.form, row.title):
        return "title"
    place = process.place(row.form)
    if place and place != row.place:
        return "place"
    return "open" if row.open is process.state(row.state).private else ""


def files(conn: Connection, span: Mapping[str, int]) -> Iterator[Found]:
    """Files whose bytes are not those that were received, read piece by piece."""
    with conn.cursor("standing_files", binary=True) as cursor:
        cursor.itersize = PIECES_AT_ONCE
        at: Found = ()
        digest, size = hashlib.sha256(), 0
        for case, seq, file, sha256, length, data in cursor.execute(PIECES, span):
            here = (case, seq, file, sha256, length)
            if here != at:
                yield from _other(at, digest.hexdigest(), size)
                at, digest, size = here, hashlib.sha256(), 0
            if data is not None:
                digest.update(data)
                size += len(data)
        yield from _other(at, digest.hexdigest(), size)


def _other(file: Found, digest: str, size: int) -> Iterator[Found]:
    if file and (file[3], file[4]) != (digest, size):
        yield file[0], file[1] or 0, "file", "file", file[2]
