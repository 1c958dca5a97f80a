"""The two statements of an act: one read of everything a decision needs, one write of everything it brings about.

Each is one trip and, in autocommit, one transaction. Nothing is locked while Python thinks: the write compares the
version, and everything it does hangs on that comparison (`FROM cas`). Inside a data-modifying WITH the order written is
not the order run, so whoever opens a row under a unique key reads from the one that closes it.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import psycopg

from workflow.access import CLOCK_NOW, HELD, ONCE, SCOPE, TODAY
from workflow.seating import MAKING, OPEN_SEATS

MICROSECONDS = "(extract(epoch FROM {}) * 1000000)::bigint"
NOW = MICROSECONDS.format(CLOCK_NOW)
FISCAL_YEAR = f"extract(year FROM ({CLOCK_NOW} AT TIME ZONE 'Asia/Tokyo') - interval '3 months')::int"
INSTANT = "(timestamp 'epoch' + {} * interval '1 microsecond') AT TIME ZONE 'UTC'"
LOST_COUNTER = "TB001"  # SQLSTATE of a number that somebody else took first

# What the reader's units of headquarters and bodies are called; offices and municipalities stand in the directory.
_UNITS = f"""(SELECT jsonb_object_agg(o.code, o.name) FROM organisation o WHERE o.code = ANY (me.orgs)
  AND o.kind NOT IN ('bureau', 'municipality') AND (o.valid_from IS NULL OR o.valid_from <= {TODAY})
  AND (o.valid_to IS NULL OR o.valid_to >= {TODAY}))"""

_COLUMNS = f"""c.id, c.process, c.process_version, c.origin, c.lead, c.place, c.title, c.number, c.state, c.version, c.saves, c.head,
  c.acted_at, c.form, c.open, c.parent_id, c.opened_by, {MICROSECONDS.format("c.opened_at")} AS opened_us, me.posts, (SELECT name FROM person WHERE id = %(person)s) AS person_name,
  (SELECT jsonb_agg(jsonb_build_object('org', p.org_code, 'part', p.part, 'from', p.valid_from, 'to', p.valid_to, 'until', p.until_seq))
     FROM party p WHERE p.case_id = c.id) AS parties,
  (SELECT jsonb_agg(jsonb_build_array(s.id, s.org_code, s.role, s.person_id, s.ask, {MICROSECONDS.format("s.due_at")}))
     FROM step s WHERE s.case_id = c.id AND s.closed_at IS NULL) AS steps,
  (SELECT jsonb_agg(jsonb_build_array(d.id, d.kind, {MICROSECONDS.format("d.due_at")}, d.closed_at IS NULL, d.left_days, {MICROSECONDS.format("d.planned_at")}) ORDER BY d.id)
     FROM deadline d WHERE d.case_id = c.id AND (d.closed_at IS NULL OR d.left_days IS NOT NULL)) AS deadlines,
  (SELECT array_agg(DISTINCT a.person_id) FROM assignment a WHERE a.case_id = c.id) AS assigned,
  (SELECT jsonb_agg(jsonb_build_array(k.id, k.process, k.process_version, k.state, k.origin, k.title, k.form) ORDER BY k.id)
     FROM cases k WHERE k.parent_id = c.id AND k.version > 0) AS children,
  (SELECT jsonb_object_agg(k.kind, k.value) FROM counter k WHERE k.org_code = c.lead AND k.fiscal_year = {FISCAL_YEAR}) AS counters,
  (SELECT array_agg(x.kind || ' ' || x.day) FROM closure x WHERE x.office IS NULL OR x.office = c.lead) AS closures,
  (SELECT jsonb_agg(jsonb_build_array(u.kind, u.days, u.on_days) ORDER BY u.office NULLS FIRST, u.valid_from, u.id) FROM deadline_rule u
     WHERE u.process = c.process AND (u.office IS NULL OR u.office = c.lead) AND u.valid_from <= {TODAY}
       AND (u.valid_to IS NULL OR u.valid_to >= {TODAY})) AS rules,
  {OPEN_SEATS} AS seats, {{making}} AS making,
  (SELECT headquarters FROM installation) AS headquarters, (SELECT personnel FROM installation) AS personnel,
  CASE WHEN me.wide THEN (SELECT o.name FROM organisation o, installation i WHERE o.code = i.headquarters
     AND (o.valid_from IS NULL OR o.valid_from <= {TODAY}) AND (o.valid_to IS NULL OR o.valid_to >= {TODAY}) LIMIT 1) END
     AS headquarters_name, {_UNITS} AS units, e.body, {FISCAL_YEAR} AS fiscal_year, {NOW} AS now_us"""

# Everything an act's decision reads, in one row; the idempotency key is found first, so that a replay is no conflict.
_READ = f"""WITH {SCOPE}
SELECT {_COLUMNS}, i.request, i.result
FROM me CROSS JOIN cases c LEFT JOIN event e ON e.case_id = c.id AND e.seq = c.version
  LEFT JOIN idempotency i ON i.person_id = %(person)s AND i.key = %(key)s
WHERE c.id = %(case)s AND {ONCE}"""
_PLAIN = "NULL::jsonb"
READ = _READ.replace("{making}", _PLAIN)
READ_MAKING = _READ.replace("{making}", MAKING)  # for an act that may make a route

# The clock has no post: it moves what is due, and sees every case in progress.
_READ_BY_CLOCK = f"""WITH me AS (SELECT '[]'::jsonb AS posts, false AS wide, '{{}}'::text[] AS orgs)
SELECT {_COLUMNS}, NULL::bytea AS request, NULL::jsonb AS result
FROM me CROSS JOIN cases c LEFT JOIN event e ON e.case_id = c.id AND e.seq = c.version
WHERE c.id = %(case)s AND c.version > 0"""
READ_BY_CLOCK = _READ_BY_CLOCK.replace("{making}", _PLAIN)

# The post and its part in the case are looked at again: a post that ended meanwhile writes nothing.
_ME = f"""me AS MATERIALIZED (SELECT 1 FROM tenure t JOIN post p ON p.id = t.post_id
  WHERE {HELD} AND p.id = %(post)s
    AND (p.scope = 'all' OR EXISTS (SELECT 1 FROM party v WHERE v.case_id = %(case)s AND v.org_code = p.org_code AND v.valid_to IS NULL)
         OR EXISTS (SELECT 1 FROM assignment a WHERE a.case_id = %(case)s AND a.person_id = %(person)s)))"""

_NUMBERS = """num AS (
  INSERT INTO counter AS k (org_code, fiscal_year, kind, value)
  SELECT %(counts)s, %(fiscal_year)s, u.kind, 1 FROM unnest(%(n_kind)s::text[], %(n_value)s::int[]) AS u (kind, value)
  ON CONFLICT (org_code, fiscal_year, kind) DO UPDATE SET value = k.value + 1
    WHERE k.value = (%(n_seen)s::jsonb ->> k.kind)::int
  RETURNING 1)"""

_CAS = f"""cas AS (UPDATE cases SET state = %(state)s, version = version + 1, number = %(number)s, title = %(title)s, place = %(place)s,
    head = %(hash)s, lead = %(lead)s, open = %(open)s, acted_by = %(actor)s, acted_at = {INSTANT.format("%(at)s::bigint")}, form = %(form)s::jsonb
  WHERE cases.id = %(case)s AND cases.version = %(version)s AND cases.saves = %(saves)s AND cases.acted_at = %(acted_at)s {{conditions}}
  RETURNING cases.id)"""

_EVENT = f"""ev AS (INSERT INTO event (case_id, seq, at, action, actor, post, office, previous, hash, body)
  SELECT cas.id, %(version)s::int + 1, {INSTANT.format("%(at)s::bigint")}, %(action)s, %(actor)s, %(post_text)s, %(office)s,
         %(previous)s, %(hash)s, %(body)s FROM cas)"""

_CONTENT = """co AS (INSERT INTO content (case_id, seq, ord, kind, digest, salt, data)
  SELECT cas.id, %(version)s::int + 1, u.* FROM cas,
    unnest(%(c_ord)s::int[], %(c_kind)s::text[], %(c_digest)s::bytea[], %(c_salt)s::bytea[], %(c_data)s::bytea[]) AS u)"""

# The parts that are rows of the JSON text, by its keys.
ROWS = frozenset({
    "steps_close", "steps_open", "steps_await", "steps_move", "waits", "deadlines_close", "deadlines_open", "parties", "returning", "leaving", "links", "unlinks", "files",
    "assignments", "outbox",
})  # fmt: skip

# Everything else that an act brings about travels as one JSON text and is read as rows here.
_ROWS = "r AS MATERIALIZED (SELECT %(rows)s::jsonb AS rows)"

_STEPS_CLOSE = f"""sc AS (UPDATE step SET closed_at = {INSTANT.format("%(at)s::bigint")} FROM cas
  WHERE step.id = ANY (ARRAY(SELECT x::bigint FROM r, jsonb_array_elements_text(r.rows -> 'steps_close') AS x)))"""

_STEPS_OPEN = f"""so AS (INSERT INTO step (case_id, org_code, role, person_id, ask, due_at, opened_at, kind, awaited_by)
  SELECT cas.id, u.org, u.role, u.person, u.ask, {INSTANT.format("u.due")}, {INSTANT.format("%(at)s::bigint")}, u.kind, u.awaited
  FROM cas, r, jsonb_to_recordset(r.rows -> 'steps_open') AS u
    (org text, role text, person bigint, ask text, due bigint, kind text, awaited text[]))"""

# Others wait now for what stays asked: one of those who are asked together has answered.
_STEPS_AWAIT = """sa AS (UPDATE step SET awaited_by = u.awaited
  FROM cas, r, jsonb_to_recordset(r.rows -> 'steps_await') AS u (id bigint, awaited text[]) WHERE step.id = u.id)"""

# Who waits is one list for the whole case, with when the first of what is asked is due.
_WAITS = f"""wg AS (DELETE FROM waiting USING cas, r WHERE waiting.case_id = cas.id
  AND waiting.who <> ALL (ARRAY(SELECT jsonb_array_elements_text(r.rows #> '{{waits,who}}')))),
wn AS (INSERT INTO waiting (case_id, who, due_at)
  SELECT cas.id, u.who, {INSTANT.format("(r.rows #>> '{waits,due}')::bigint")} FROM cas, r, jsonb_array_elements_text(r.rows #> '{{waits,who}}') AS u (who)
  ON CONFLICT (case_id, who) DO UPDATE SET due_at = EXCLUDED.due_at WHERE waiting.due_at <> EXCLUDED.due_at)"""

_DEADLINES_CLOSE = f"""dc AS (UPDATE deadline SET closed_at = {INSTANT.format("%(at)s::bigint")}, left_days = u.days
  FROM cas, r, jsonb_to_recordset(r.rows -> 'deadlines_close') AS u (id bigint, days int) WHERE deadline.id = u.id RETURNING 1)"""

_DEADLINES_OPEN = f"""dn AS (INSERT INTO deadline (case_id, kind, holder, move, due_at, planned_at, opened_at)
  SELECT cas.id, u.kind, u.holder, u.move, {INSTANT.format("u.due")}, {INSTANT.format("u.planned")}, {INSTANT.format("%(at)s::bigint")}
  FROM cas {{after}}, r, jsonb_to_recordset(r.rows -> 'deadlines_open') AS u (kind text, holder text, move text, due bigint, planned bigint))"""

# What is asked stays asked, since the same day; only by when is another.
_STEPS_MOVE = f"""sm AS (UPDATE step SET due_at = {INSTANT.format("u.due")}
  FROM cas, r, jsonb_to_recordset(r.rows -> 'steps_move') AS u (id bigint, due bigint) WHERE step.id = u.id)"""

_PARTIES = f"""pa AS (INSERT INTO party (case_id, org_code, part, valid_from)
  SELECT cas.id, u.org, u.part, {TODAY} FROM cas, r, jsonb_to_recordset(r.rows -> 'parties') AS u (org text, part text))"""

_RETURNING = """pb AS (UPDATE party SET valid_to = NULL, until_seq = NULL
  FROM cas, r, jsonb_to_recordset(r.rows -> 'returning') AS u (org text, part text)
  WHERE party.case_id = cas.id AND party.org_code = u.org AND party.part = u.part)"""

_LEAVING = f"""pe AS (UPDATE party SET valid_to = {TODAY}, until_seq = %(version)s::int + 1
  FROM cas, r, jsonb_to_recordset(r.rows -> 'leaving') AS u (org text, part text)
  WHERE party.case_id = cas.id AND party.org_code = u.org AND party.part = u.part)"""

# The other case is known by its number, or by its id where a draft came of it: that draft's row says 0 until now.
_LINKS = """li AS (INSERT INTO link (case_id, other_id, kind, seq)
  SELECT DISTINCT cas.id, o.id, u.kind, %(version)s::int + 1
  FROM cas, r, jsonb_to_recordset(r.rows -> 'links') AS u (kind text, number text, other bigint)
    CROSS JOIN LATERAL (SELECT id FROM cases WHERE number = u.number UNION SELECT id FROM cases WHERE id = u.other) o
  WHERE o.id <> cas.id ON CONFLICT (case_id, other_id, kind) DO UPDATE SET seq = EXCLUDED.seq WHERE link.seq = 0)"""

_UNLINKS = """lu AS (DELETE FROM link USING cas, r, jsonb_to_recordset(r.rows -> 'unlinks') AS u (kind text, other bigint)
  WHERE link.case_id = cas.id AND link.other_id = u.other AND link.kind = u.kind)"""

_FILES = """fi AS (UPDATE attachment SET seq = %(version)s::int + 1 FROM cas, r
  WHERE attachment.case_id = cas.id AND attachment.seq IS NULL
    AND attachment.id = ANY (ARRAY(SELECT x::bigint FROM jsonb_array_elements_text(r.rows -> 'files') AS x)))"""

_ASSIGNMENTS = """ad AS (DELETE FROM assignment a USING cas WHERE a.case_id = cas.id RETURNING 1),
ai AS (INSERT INTO assignment (case_id, person_id, day, half)
  SELECT cas.id, u.person, u.day, u.half FROM cas, (SELECT count(*) FROM ad) AS after_delete, r,
    jsonb_to_recordset(r.rows -> 'assignments') AS u (person bigint, day date, half smallint)
  ORDER BY u.person, u.day, u.half)"""

_OUTBOX = """ob AS (INSERT INTO outbox (case_id, seq, kind, payload, dedup, next_at, tries)
  SELECT cas.id, %(version)s::int + 1, u.kind, u.payload, cas.id || ':' || (%(version)s::int + 1) || ':' || u.kind, now(), 0
  FROM cas, r, jsonb_to_recordset(r.rows -> 'outbox') AS u (kind text, payload jsonb))"""

# What the act took over is no longer being written; whatever else the office is writing on the case stays.
_WORKING = """wd AS (DELETE FROM working w USING cas
  WHERE w.case_id = cas.id AND w.org_code = %(office)s AND w.form - %(taken)s::text[] = jsonb_build_object()),
wk AS (UPDATE working w SET form = w.form - %(taken)s::text[], saves = w.saves + 1 FROM cas
  WHERE w.case_id = cas.id AND w.org_code = %(office)s AND w.form - %(taken)s::text[] <> jsonb_build_object())"""

_SETTLED = "at AS (UPDATE attention SET closed_at = clock_now() FROM cas WHERE attention.case_id = cas.id AND closed_at IS NULL)"

_IDEMPOTENCY = """ky AS (INSERT INTO idempotency (person_id, key, request, result, made_at)
  SELECT %(person)s, %(key)s, %(request)s, %(result)s::jsonb, now() FROM cas)"""


@cache
def write(parts: frozenset[str]) -> str:
    """The write for the parts that an act needs: a constant text each, prepared by the driver."""
    conditions = ("AND EXISTS (SELECT 1 FROM me)" if "me" in parts else "") + (
        "AND (SELECT count(*) FROM num) = %(n_count)s" if "numbers" in parts else ""
    )
    pieces = [_ME] if "me" in parts else []
    pieces += [_NUMBERS] if "numbers" in parts else []
    pieces += [_CAS.format(conditions=conditions), _EVENT, _CONTENT]
    pieces += [_ROWS] if parts & ROWS else []
    pieces += [_STEPS_CLOSE] if "steps_close" in parts else []
    pieces += [_STEPS_OPEN] if "steps_open" in parts else []
    pieces += [_STEPS_AWAIT] if "steps_await" in parts else []
    pieces += [_STEPS_MOVE] if "steps_move" in parts else []
    pieces += [_WAITS] if "waits" in parts else []
    pieces += [_DEADLINES_CLOSE] if "deadlines_close" in parts else []
    after = ", (SELECT count(*) FROM dc) AS after_close" if "deadlines_close" in parts else ""
    pieces += [_DEADLINES_OPEN.format(after=after)] if "deadlines_open" in parts else []
    pieces += [_PARTIES] if "parties" in parts else []
    pieces += [_RETURNING] if "returning" in parts else []
    pieces += [_LEAVING] if "leaving" in parts else []
    pieces += [_LINKS] if "links" in parts else []
    pieces += [_UNLINKS] if "unlinks" in parts else []
    pieces += [_FILES] if "files" in parts else []
    pieces += [_ASSIGNMENTS] if "assignments" in parts else []
    pieces += [_OUTBOX] if "outbox" in parts else []
    pieces += [_WORKING] if "working" in parts else []
    pieces += [_SETTLED] if "settled" in parts else []
    pieces += [_IDEMPOTENCY] if "key" in parts else []
    lost = (
        ", lost_counter((SELECT count(*) FROM num), (SELECT count(*) FROM cas), %(n_count)s)"
        if "numbers" in parts
        else ""
    )
    tail = "SELECT (SELECT count(*) FROM cas) AS won" + lost
    return "WITH " + ",\n".join(pieces) + "\n" + tail


def carry_out(conn: psycopg.Connection[Any], params: Mapping[str, Any], parts: frozenset[str] = frozenset()) -> bool:
    """Write what an act brings about; whether it was written, or somebody else was faster.

    `parts` adds "me" (the person's post is looked at again) and "key" (the answer is kept under the request's key).
    """
    rows = {
        name: value for name, value in params["rows"].items() if value or (name == "assignments" and value is not None)
    }
    needed = {
        name for name, there in (("numbers", "n_count"), ("working", "takes"), ("settled", "moved")) if params[there]
    }
    text = write(parts | needed | frozenset(rows))
    row = one_trip(conn, text, {**params, "rows": json.dumps(rows, ensure_ascii=False)}).fetchone()
    return bool(row and row[0])


@cache
def _numbered(text: str) -> tuple[bytes, tuple[str, ...]]:
    """The text with `$1` for `%(name)s`, and the names in that order. The driver would do it anew for texts of this length."""
    names: list[str] = []

    def place(found: re.Match[str]) -> str:
        if found[1] not in names:
            names.append(found[1])
        return f"${names.index(found[1]) + 1}"

    return re.sub(r"%\((\w+)\)s", place, text).encode(), tuple(names)


def one_trip(conn: psycopg.Connection[Any], text: str, params: Mapping[str, Any]) -> psycopg.RawCursor[Any]:
    """Carry out one of these statements, prepared."""
    numbered, names = _numbered(text)
    return psycopg.RawCursor(conn).execute(numbered, [params[name] for name in names], prepare=True)
