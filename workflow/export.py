"""What an auditor takes out of the system: events as CSV for reading and as JSON lines for checking, each taking recorded.

Which events a file holds is fixed before its first line; the file is then read chunk by chunk, so that no connection
waits for a slow reader. A part that the reader may not see, or that was erased, shows its digest and why.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Unpack

from states import catalogue
from states.text import visible
from workflow import ended, queries
from workflow.access import Actor, ended_at, roles_on
from workflow.blackout import plain
from workflow.called import Called
from workflow.db import Database
from workflow.deadlines import TOKYO
from workflow.history import canonical
from workflow.queries import Connection, EventFilter, _dicts, named, told
from workflow.story import part_told

CHUNK = 200  # events read at once
MOST = 100_000  # events in one file
BOM = "\ufeff"

Key = tuple[int, int]  # case and number of an event


class TooMany(Exception):
    """More events than one file holds; nothing was recorded."""


def take(conn: Connection, person_id: int, what: str, **wanted: Unpack[EventFilter]) -> list[Key]:
    """Fix which events a file will hold, and record the taking: who, when, what, how many. Raises `TooMany`."""
    keys = queries.event_keys(conn, person_id, limit=MOST + 1, **wanted)
    if len(keys) > MOST:
        raise TooMany
    record(conn, person_id, what, {name: str(value) for name, value in wanted.items() if value}, len(keys))
    return keys


def record(conn: Connection, person_id: int, what: str, about: Mapping[str, Any], rows: int) -> None:
    """That somebody took something out: what, narrowed how, how many rows."""
    conn.execute(
        "INSERT INTO export_record (at, person_id, what, filter, rows) VALUES (clock_now(), %s, %s, %s::jsonb, %s)",
        (person_id, what, canonical(dict(about)), rows),
    )


def taken(conn: Connection, person_id: int, *, everybody: bool, limit: int = 10) -> list[dict[str, Any]]:
    """The last exports: when, by whom, what, with which filter, how many rows; `everybody` or only one's own."""
    return _dicts(
        conn,
        """SELECT r.at, n.name, r.what, r.filter, r.rows FROM export_record r JOIN person n ON n.id = r.person_id
           WHERE %(everybody)s OR r.person_id = %(person)s ORDER BY r.at DESC, r.id DESC LIMIT %(limit)s""",
        {"person": person_id, "everybody": everybody, "limit": limit},
    )


# ── CSV, for reading ────────────────────────────────────────────────────────────────────────────────────────────────

HEADINGS = (
    "日時", "案件番号", "件名", "業務", "記録番号", "操作", "前の状態", "後の状態", "所属", "職", "氏名", "書かれたこと", "指紋",
)  # fmt: skip

# What a spreadsheet takes for a formula (I-04), also in full width; the exact value stands in the JSON lines.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def as_csv(db: Database, reader: Actor, keys: Sequence[Key]) -> Iterator[bytes]:
    """The events as UTF-8 with BOM; a cell that would become a formula begins with an apostrophe."""
    yield (BOM + _csv([HEADINGS])).encode()
    for rows in _chunks(db, reader, keys):
        yield _csv(_cells(row) for row in rows).encode()


def _csv(lines: Iterable[Iterable[object]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, quoting=csv.QUOTE_ALL).writerows([cell(value) for value in line] for line in lines)
    return buffer.getvalue()


def table(headings: Sequence[str], lines: Iterable[Iterable[object]]) -> bytes:
    """A whole file of lines under their headings."""
    return (BOM + _csv([headings, *lines])).encode()


def cell(value: object) -> str:
    """A value as a cell that stays text: characters that hide are shown, what looks like a formula is quoted."""
    text = visible(str(value))
    return f"'{text}" if text.startswith(_FORMULA) else text


def _cells(row: Mapping[str, Any]) -> list[object]:
    return [
        row["at"].astimezone(TOKYO).strftime("%Y-%m-%d %H:%M:%S"), row["number"] or "", row["title"], row["process_label"], row["seq"],
        row["action_label"], row["from_label"], row["to_label"], row["org_name"], row["post_title"],
        f"{row['actor_name']}({row['acting']})" if row["acting"] else row["actor_name"],
        "\n".join(row["lines"]), row["digest_hex"],
    ]  # fmt: skip


def _written(row: Mapping[str, Any], called: Called) -> Iterator[str]:
    """What was typed with the act, a line each."""
    for part in row["parts"]:
        if part["hidden"]:
            continue
        line = part_told(row["definition"], row["action"], part, called)
        if line:
            text = line["text"] if line["text"] is not None else f"消去済み(記録{line['erased_by']}号)"
            yield f"{line['label']}: {text}"
    if any(part["hidden"] for part in row["parts"]):
        yield "(ほかに、あなたの職では見られない内容があります)"


# ── JSON lines, for checking ────────────────────────────────────────────────────────────────────────────────────────


def as_json_lines(db: Database, reader: Actor, keys: Sequence[Key]) -> Iterator[bytes]:
    """The events with `body` as the exact string that was hashed, and the content each of them wrote with its salt."""
    for rows in _chunks(db, reader, keys):
        yield "".join(json.dumps(_event(row), sort_keys=True) + "\n" for row in rows).encode()


def _event(row: Mapping[str, Any]) -> dict[str, Any]:
    previous = bytes(row["previous"]).hex() if row["previous"] else None
    return {
        "body": row["body"],
        "previous": previous,
        "hash": row["digest_hex"],
        "content": [_content(part) for part in row["parts"]],
    }


def _content(part: Mapping[str, Any]) -> dict[str, Any]:
    shown = {"seq": part["seq"], "ord": part["ord"], "kind": part["kind"], "digest": bytes(part["digest"]).hex()}
    if part["data"] is None:
        return shown | {"withheld": "erased" if part["erased_by"] else "missing", "erased_by": part["erased_by"]}
    if part["hidden"]:
        return shown | {"withheld": "hidden"}
    return shown | {"salt": bytes(part["salt"]).hex(), "data": bytes(part["data"]).decode()}


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────

WHOLE = """SELECT e.case_id, e.seq, e.at, e.action, e.actor, e.post, e.office, e.previous, e.hash, e.body,
  c.number, c.title, c.process, c.process_version, c.state
FROM unnest(%(cases)s::bigint[], %(seqs)s::int[]) WITH ORDINALITY AS k (c, s, place)
JOIN event e ON e.case_id = k.c AND e.seq = k.s JOIN cases c ON c.id = e.case_id ORDER BY k.place"""

PARTS = """SELECT x.case_id, x.seq, x.ord, x.kind, x.digest, x.salt, x.data,
  CASE WHEN x.data IS NULL THEN (SELECT min(b.seq) FROM content b, jsonb_array_elements(convert_from(b.data, 'UTF8')::jsonb -> 'erased') AS place
     WHERE b.case_id = x.case_id AND b.kind = 'erasure' AND place = jsonb_build_array(x.seq, x.ord)) END AS erased_by
FROM unnest(%(cases)s::bigint[], %(seqs)s::int[]) AS k (c, s) JOIN content x ON x.case_id = k.c AND x.seq = k.s ORDER BY x.case_id, x.seq, x.ord"""

PLACES = """SELECT k.c AS case_id, EXISTS (SELECT 1 FROM assignment a WHERE a.case_id = k.c AND a.person_id = %(person)s) AS assigned,
  (SELECT jsonb_agg(jsonb_build_object('org', p.org_code, 'part', p.part, 'to', p.valid_to, 'until', p.until_seq))
     FROM party p WHERE p.case_id = k.c) AS parties
FROM (SELECT DISTINCT unnest(%(cases)s::bigint[]) AS c) k"""


def _chunks(db: Database, reader: Actor, keys: Sequence[Key]) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, len(keys), CHUNK):
        with db.connection() as conn:
            rows = _read(conn, reader, keys[start : start + CHUNK])
        yield rows


def _read(conn: Connection, reader: Actor, keys: Sequence[Key]) -> list[dict[str, Any]]:
    """The events of these keys in their order, each with its labels and the content it wrote as this reader may see it."""
    params = {"cases": [case for case, _ in keys], "seqs": [seq for _, seq in keys], "person": reader.person_id}
    may_read = {row["case_id"]: _reader_of(reader, row) for row in _dicts(conn, PLACES, params)}
    written: dict[Key, list[dict[str, Any]]] = {}
    for part in _dicts(conn, PARTS, params):
        written.setdefault((part["case_id"], part["seq"]), []).append(part)
    found, called = [], Called(conn)
    left = {case_id: until for case_id, (_, until) in may_read.items() if until is not None}
    rows = [row | {"until": left.get(row["case_id"])} for row in _dicts(conn, WHOLE, params)]
    for row in named(conn, ended.as_read(conn, rows)):
        process = catalogue.process(row["process"], row["process_version"])
        reads, _ = may_read[row["case_id"]]
        parts = [
            part | {"hidden": not reads(process, part["kind"], row["state"])}
            for part in written.get((row["case_id"], row["seq"]), ())
        ]
        line = row | told(row) | {"parts": parts, "definition": process}
        found.append(line | {"lines": list(_written(line, called))})
    return found


def _reader_of(reader: Actor, row: Mapping[str, Any]) -> tuple[Callable[[Any, str, str], bool], int | None]:
    """What this reader may see of a case, by the roles that its parties and assignments give, and up to which event."""
    parties = row["parties"] or ()
    roles = frozenset(roles_on(reader.posts, [p for p in parties if p["to"] is None], assigned=row["assigned"]))
    until = None if roles else ended_at(reader.posts, parties)
    if until is not None:
        roles = frozenset(roles_on(reader.posts, [p for p in parties if p["until"] == until], assigned=False))
    return lambda process, kind, state: process.reads(plain(kind), roles, state), until


# ── the chain ───────────────────────────────────────────────────────────────────────────────────────────────────────


def last_check(conn: Connection) -> dict[str, Any] | None:
    """The last finished check of the chain: when, how much was read, every break; None before the first."""
    rows = _dicts(
        conn,
        """SELECT started_at, finished_at, events, cases, breaks, clock_now() - finished_at AS age FROM chain_check
           WHERE finished_at IS NOT NULL ORDER BY id DESC LIMIT 1""",
        {},
    )
    return rows[0] if rows else None
