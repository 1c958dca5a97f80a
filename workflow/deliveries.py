"""How far the messages of a case have come: arrived, on their way, or not arrived and why. Numbers and organisations, no names.

Notices of events, reminders of dates and remarks are told in the same words, since the same outbox carries them.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from psycopg.rows import class_row

from states.dates import short
from workflow.access import CLOCK_NOW, TODAY
from workflow.audience import Connection
from workflow.deadlines import TOKYO, calendar
from workflow.outbox import BEGUN
from workflow.preferences import AT_ONCE, next_slot
from workflow.troubles import KINDS

MOST = 30  # reminders of one case that are told of, the newest


class Line(NamedTuple):
    """One row of the outbox, with one of its messages where there is one."""

    dedup: str
    done: bool
    trouble: str
    called: bool
    person_id: int | None
    sent: bool
    gathered: bool
    digest_done: bool | None
    digest_trouble: str
    way: str
    org: str
    org_name: str
    now: datetime


# The rows by their keys; a person is counted where they hold a post today. What failed is somebody's as long as it is called.
FOUND = f"""SELECT o.dedup, o.done_at IS NOT NULL AS done, coalesce(o.trouble, '') AS trouble,
  EXISTS (SELECT 1 FROM attention a WHERE a.case_id = o.case_id AND a.closed_at IS NULL AND a.kind = ANY (%(kinds)s)) AS called,
  m.person_id, m.sent_at IS NOT NULL AS sent,
  coalesce(m.gathered, false) AS gathered, CASE WHEN d.id IS NOT NULL THEN d.done_at IS NOT NULL END AS digest_done, coalesce(d.trouble, '') AS digest_trouble,
  coalesce(f.mail, '{AT_ONCE}') AS way, coalesce(h.org_code, '') AS org, coalesce(h.name, '') AS org_name, {CLOCK_NOW} AS now
FROM outbox o LEFT JOIN message m ON m.outbox_id = o.id LEFT JOIN outbox d ON d.id = m.digest_id
LEFT JOIN preference f ON f.person_id = m.person_id
LEFT JOIN LATERAL (SELECT p.org_code, (SELECT g.name FROM organisation g WHERE g.code = p.org_code
    AND (g.valid_from IS NULL OR g.valid_from <= {TODAY}) AND (g.valid_to IS NULL OR g.valid_to >= {TODAY}) LIMIT 1) AS name
  FROM tenure t JOIN post p ON p.id = t.post_id WHERE t.person_id = m.person_id AND t.valid_from <= {TODAY}
    AND (t.valid_to IS NULL OR t.valid_to >= {TODAY}) ORDER BY t.id LIMIT 1) h ON true
WHERE o.dedup = ANY (%(keys)s) AND (%(orgs)s::text[] IS NULL OR h.org_code = ANY (%(orgs)s)) ORDER BY o.id, m.id"""


def of_events(
    conn: Connection, case_id: int, seqs: Sequence[int], *, orgs: Sequence[str] | None = None
) -> dict[int, str]:
    """For each of these events what became of its notices; with `orgs` only as far as it concerns people of these."""
    keys = {f"{case_id}:{seq}:notice": seq for seq in seqs}
    return {keys[key]: said for key, said in _told(conn, list(keys), orgs).items()}


def of_remarks(
    conn: Connection, case_id: int, remarks: Sequence[int], *, orgs: Sequence[str] | None = None
) -> dict[int, str]:
    """For each of these remarks, by id, what became of the mails that tell of it."""
    keys = {f"{case_id}:remark:{remark}": remark for remark in remarks}
    return {keys[key]: said for key, said in _told(conn, list(keys), orgs).items()}


class Reminded(NamedTuple):
    """A reminder of a date that ran on the case; `said` is what became of it, nothing where nobody was to be told any more."""

    dedup: str
    kind: str
    holder: str
    rung: int
    due_at: datetime
    made_at: datetime
    said: str = ""


REMINDERS = f"""SELECT o.dedup, d.kind, d.holder, r.rung, r.due_at, r.made_at FROM outbox o
JOIN deadline d ON d.id = (o.payload ->> 'deadline')::bigint JOIN reminder r ON r.deadline_id = d.id
  AND o.dedup = 'reminder:' || r.deadline_id || ':' || r.rung || ':' || to_char(r.due_at AT TIME ZONE 'UTC', 'YYYYMMDDHH24MI')
WHERE o.case_id = %(case)s AND starts_with(o.kind, 'reminder:') ORDER BY o.id DESC LIMIT {MOST}"""


def of_reminders(conn: Connection, case_id: int, *, orgs: Sequence[str] | None = None) -> list[Reminded]:
    """The reminders of a case that went, go or failed to go to somebody, the newest first."""
    with conn.cursor(row_factory=class_row(Reminded)) as cursor:
        made = cursor.execute(REMINDERS, {"case": case_id}, prepare=True).fetchall()
    said = _told(conn, [reminder.dedup for reminder in made], orgs)
    return [reminder._replace(said=said[reminder.dedup]) for reminder in made if said.get(reminder.dedup)]


def _told(conn: Connection, keys: Sequence[str], orgs: Sequence[str] | None) -> dict[str, str]:
    if not keys:
        return {}
    asked = {"keys": list(keys), "orgs": None if orgs is None else list(orgs), "kinds": list(KINDS)}
    with conn.cursor(row_factory=class_row(Line)) as cursor:
        lines = cursor.execute(FOUND, asked, prepare=True).fetchall()
    groups: dict[str, dict[str, dict[str, int]]] = {}
    for line in lines:
        for word in _words(conn, line, inside=orgs is None):
            places = groups.setdefault(line.dedup, {}).setdefault(word, {})
            if line.person_id is not None and not (word.startswith(_NOT) and line.sent):
                places[line.org_name] = places.get(line.org_name, 0) + 1
    return {key: "。".join(_said(word, places) for word, places in found.items()) for key, found in groups.items()}


_ARRIVED, _ON_ITS_WAY, _NOT = "届いた", "届け中", "届かなかった"
_SEEN_TO = "係が確かめています"


def _words(conn: Connection, line: Line, *, inside: bool) -> list[str]:
    """What became of one message; beside it, for the offices, why others of the row got none."""
    if line.person_id is None:
        if line.done:
            return [_failed(line, line.trouble, inside=inside)] if line.trouble else []
        return [f"{_ON_ITS_WAY}(まもなく送ります)"]
    if line.sent:
        # Those who could not be told have no message of their own: the row says so.
        lacking = inside and line.done and line.trouble
        return [_ARRIVED, *([_failed(line, line.trouble, inside=inside)] if lacking else [])]
    if line.gathered:
        if line.digest_trouble and line.digest_done:
            return [_failed(line, line.digest_trouble, inside=inside)]
        slot = next_slot(line.way, calendar(conn, line.org), line.now) if line.digest_done is None else None
        return [f"{_ON_ITS_WAY}({_at(slot)} にまとめて送ります)" if slot else _ON_ITS_WAY]
    if line.done:
        return [_failed(line, line.trouble, inside=inside)]
    waits = inside and line.trouble and not line.trouble.startswith(BEGUN)
    return [f"{_ON_ITS_WAY}({line.trouble}。自動で送り直しています)" if waits else _ON_ITS_WAY]


def _failed(line: Line, reason: str, *, inside: bool) -> str:
    """Not arrived; the reason is for the offices, who may send again. While it stands under 要対応, somebody sees to it."""
    why = f"({reason})" if reason and inside else ""
    return f"{_NOT}{why}" + (f"・{_SEEN_TO}" if line.called else "")


def _at(slot: datetime) -> str:
    local = slot.astimezone(TOKYO)
    return f"{short(local.date())} {local.hour}:{local.minute:02}"


def _said(word: str, places: dict[str, int]) -> str:
    where: list[Any] = [f"{name} {count}人" if name else f"{count}人" for name, count in places.items()]
    return f"{word}: {'、'.join(where)}" if where else word
