"""Digests: what a person did not want to be told one by one, gathered into one mail a slot.

A digest is a row of the outbox under a unique key of person and slot, so that it is made once, however many look for it and
however often they are killed. What it says is written when it goes out: done work has dropped out by then.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from psycopg.rows import class_row

from workflow import coming
from workflow.access import CLOCK_NOW, TODAY
from workflow.audience import Connection
from workflow.db import Database
from workflow.deadlines import FAR, calendar
from workflow.notices import Item, Row, message_id, still_said, written
from workflow.preferences import AT_ONCE, chosen, last_slot

DIGEST = "digest"  # kind of the row

_WAITS = "m.gathered AND m.digest_id IS NULL AND m.sent_at IS NULL"
# Whose calendar counts: that of the organisation where the person holds a post today.
_HOME = f"""(SELECT p.org_code FROM tenure t JOIN post p ON p.id = t.post_id WHERE t.person_id = {{person}}
  AND t.valid_from <= {TODAY} AND (t.valid_to IS NULL OR t.valid_to >= {TODAY})
  AND p.valid_from <= {TODAY} AND (p.valid_to IS NULL OR p.valid_to >= {TODAY}) ORDER BY t.id LIMIT 1)"""
WAITING = f"""SELECT w.person_id, w.since, coalesce({_HOME.format(person="w.person_id")}, ''), {CLOCK_NOW}
FROM (SELECT m.person_id, min(m.made_at) AS since FROM message m WHERE {_WAITS} GROUP BY m.person_id) w"""

GATHER = f"""WITH due AS (SELECT * FROM unnest(%(person)s::bigint[], %(slot)s::timestamptz[], %(key)s::text[]) AS u (person, slot, key)),
made AS (INSERT INTO outbox (seq, kind, payload, dedup, next_at, tries)
  SELECT 0, '{DIGEST}', jsonb_build_object('person', due.person), due.key, now(), 0 FROM due ON CONFLICT DO NOTHING RETURNING id, dedup)
UPDATE message m SET digest_id = made.id FROM made JOIN due ON due.key = made.dedup
WHERE m.person_id = due.person AND m.made_at < due.slot AND {_WAITS}"""


def gather(db: Database) -> int:
    """Make the digests whose slot has come; returns how many messages went into one."""
    with db.connection() as conn:
        waiting = conn.execute(WAITING, prepare=True).fetchall()
        wanted = chosen(conn, [row[0] for row in waiting])
        due: dict[str, list[Any]] = {"person": [], "slot": [], "key": []}
        for person, since, org, now in waiting:
            slot = last_slot(wanted[person].mail, calendar(conn, org), now)
            if slot is not None and since < slot:
                due["person"].append(person)
                due["slot"].append(slot)
                due["key"].append(key_of(person, slot))
        return conn.execute(GATHER, due, prepare=True).rowcount if due["person"] else 0


def key_of(person_id: int, slot: datetime) -> str:
    """What makes a second digest of the same person and slot impossible."""
    return f"{DIGEST}:{person_id}:{slot.astimezone(UTC):%Y%m%dT%H%MZ}"


GATHERED = """SELECT o.id, coalesce(o.case_id, 0) AS case_id, o.seq, o.kind, o.payload, o.dedup, o.tries, o.trouble
FROM message m JOIN outbox o ON o.id = m.outbox_id WHERE m.digest_id = %(id)s AND m.sent_at IS NULL ORDER BY o.id"""
SALT = "SELECT min(message_id) FROM message WHERE digest_id = %(id)s"
ADDRESSEE = f"""SELECT n.mail, (SELECT concat_ws(' ', o.name, nullif(p.section, ''), p.title)
  FROM tenure t JOIN post p ON p.id = t.post_id LEFT JOIN organisation o ON o.code = p.org_code
    AND (o.valid_from IS NULL OR o.valid_from <= {TODAY}) AND (o.valid_to IS NULL OR o.valid_to >= {TODAY})
  WHERE t.person_id = n.id AND t.valid_from <= {TODAY} AND (t.valid_to IS NULL OR t.valid_to >= {TODAY}) ORDER BY t.id LIMIT 1)
FROM person n WHERE n.id = %(person)s"""
DROP = "DELETE FROM message WHERE digest_id = %(id)s AND outbox_id = ANY (%(rows)s) AND sent_at IS NULL"
UNMAKE = "DELETE FROM message WHERE outbox_id = %(id)s AND sent_at IS NULL"
# The Message-ID of the first making stays.
MAKE = """INSERT INTO message (outbox_id, person_id, address, message_id, subject, body, made_at)
VALUES (%(id)s, %(person)s, %(address)s, %(message_id)s, %(subject)s, %(body)s, clock_now())
ON CONFLICT (outbox_id, person_id) DO UPDATE SET address = EXCLUDED.address, subject = EXCLUDED.subject, body = EXCLUDED.body
  WHERE message.sent_at IS NULL"""
TOLD = "UPDATE message SET sent_at = clock_now() WHERE digest_id = %(id)s AND sent_at IS NULL"
CASES = "SELECT DISTINCT case_id FROM message WHERE digest_id = %(id)s AND case_id IS NOT NULL ORDER BY 1"


def write(conn: Connection, row: Row) -> str:
    """Write the digest's mail as of now, or no mail where nothing is left to tell; returns why it cannot go out, if so."""
    person, place = row.payload["person"], {"id": row.id}
    with conn.cursor(row_factory=class_row(Row)) as cursor:
        gathered = cursor.execute(GATHERED, place, prepare=True).fetchall()
    wanted = chosen(conn, [person])[person]
    said = {one.id: [i for i in _still(conn, one, person) if i.acts or wanted.informed] for one in gathered}
    conn.execute(DROP, place | {"rows": [number for number, items in said.items() if not items]}, prepare=True)
    items = _once([item for told in said.values() for item in told])
    found = conn.execute(ADDRESSEE, {"person": person}, prepare=True).fetchone()
    salt = conn.execute(SALT, place, prepare=True).fetchone()
    if not items or found is None or salt is None:
        conn.execute(UNMAKE, place, prepare=True)
        return ""
    address, post = found
    if not address.strip():
        conn.execute(UNMAKE, place, prepare=True)
        return "メールアドレスの登録がありません"
    subject, body = written("digest.txt", _words(items) | {"post": post or "", "at_once": wanted.mail == AT_ONCE})
    mail_id = message_id(row, str(salt[0]).encode(), person)
    made = {"person": person, "address": address.strip(), "message_id": mail_id, "subject": subject, "body": body}
    conn.execute(MAKE, place | made, prepare=True)
    return ""


def told(conn: Connection, row: Row) -> None:
    """The digest has gone out: what it gathered is told."""
    conn.execute(TOLD, {"id": row.id}, prepare=True)


def cases_of(conn: Connection, row: Row) -> list[int]:
    """The cases that a row of the outbox speaks of: its own, or those whose notices a digest gathered; one may speak of none."""
    if row.kind != DIGEST:
        return [row.case_id] if row.case_id else []
    return [number for (number,) in conn.execute(CASES, {"id": row.id}, prepare=True).fetchall()]


def _still(conn: Connection, row: Row, person: int) -> list[Item]:
    return (coming.still_said if row.kind in (coming.CAME, coming.AWAY) else still_said)(conn, row, person)


def _once(items: Sequence[Item]) -> list[Item]:
    """The same thing of the same case once, the nearest date first; what only informs stands last."""
    found = {(item.case_id, item.what): item for item in items}
    return sorted(found.values(), key=lambda i: (not i.acts, i.due_at or FAR, i.case_id))


def _words(items: Sequence[Item]) -> dict[str, Any]:
    groups: dict[tuple[bool, str], list[Item]] = {}
    for item in items:
        groups.setdefault((item.acts, item.what), []).append(item)
    newest: dict[int, Item] = {}
    for item in items:
        if item.case_id not in newest or item.words["version"] > newest[item.case_id].words["version"]:
            newest[item.case_id] = item
    return {
        "groups": [{"what": what, "acts": acts, "lines": told} for (acts, what), told in groups.items()],
        "acting": sum(item.acts for item in items), "informing": sum(not item.acts for item in items),
        "over": sum(bool(item.due and item.due["over"]) for item in items), "receipts": list(newest.values()),
    }  # fmt: skip
