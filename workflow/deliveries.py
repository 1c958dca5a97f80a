"""How far the notices of a case's events have come: sent, gathered, not yet, or not at all and why. Numbers and organisations, no names."""

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


class Line(NamedTuple):
    """One notice row, with one of its messages where there is one."""

    seq: int
    done: bool
    trouble: str
    person_id: int | None
    sent: bool
    gathered: bool
    digest_done: bool | None
    digest_trouble: str
    way: str
    org: str
    org_name: str
    now: datetime


# The rows of the events' own notices, by their keys; a person is counted where they hold a post today.
FOUND = f"""SELECT o.seq, o.done_at IS NOT NULL AS done, coalesce(o.trouble, '') AS trouble, m.person_id, m.sent_at IS NOT NULL AS sent,
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
    keys = [f"{case_id}:{seq}:notice" for seq in seqs]
    told = {"keys": keys, "orgs": None if orgs is None else list(orgs)}
    with conn.cursor(row_factory=class_row(Line)) as cursor:
        lines = cursor.execute(FOUND, told, prepare=True).fetchall()
    groups: dict[int, dict[str, dict[str, int]]] = {}
    for line in lines:
        for word in _words(conn, line, inside=orgs is None):
            places = groups.setdefault(line.seq, {}).setdefault(word, {})
            if line.person_id is not None and not (word.startswith(_NOT) and line.sent):
                places[line.org_name] = places.get(line.org_name, 0) + 1
    return {seq: "。".join(_said(word, places) for word, places in found.items()) for seq, found in groups.items()}


_NOT = "送れませんでした"


def _words(conn: Connection, line: Line, *, inside: bool) -> list[str]:
    """What became of one message; beside it, for the offices, why others of the row got none."""
    if line.person_id is None:
        return [] if line.done and not line.trouble else [_failed(line.trouble) if line.done else "これから送ります"]
    if line.sent:
        # Those who could not be told have no message of their own: the row says so.
        return ["送りました", *([_failed(line.trouble)] if inside and line.done and line.trouble else [])]
    if line.gathered:
        if line.digest_trouble and line.digest_done:
            return [_failed(line.digest_trouble)]
        slot = next_slot(line.way, calendar(conn, line.org), line.now) if line.digest_done is None else None
        return [f"まとめて送ります({_at(slot)})" if slot else "まだ送れていません"]
    if line.done:
        return [_failed(line.trouble)]
    waits = line.trouble and not line.trouble.startswith(BEGUN)
    return [f"まだ送れていません({line.trouble}。自動で送り直しています)" if waits else "まだ送れていません"]


def _failed(reason: str) -> str:
    return f"{_NOT}({reason})" if reason else _NOT


def _at(slot: datetime) -> str:
    local = slot.astimezone(TOKYO)
    return f"{short(local.date())} {local.hour}:{local.minute:02}"


def _said(word: str, places: dict[str, int]) -> str:
    where: list[Any] = [f"{name} {count}人" if name else f"{count}人" for name, count in places.items()]
    return f"{word}: {'、'.join(where)}" if where else word
