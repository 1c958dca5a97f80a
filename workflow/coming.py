"""What comes to a person without any act: the queue of a post newly held, and what a deputy may do since an absence began.

The clock writes a row of the outbox once a tenure, once an absence. What it says is written when it goes out: who holds no
such post by then, or finds nothing there, gets no mail.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from states import routes
from states.terms import DECISION, HELD
from states.terms import KINDS_OF_WORK as KINDS
from workflow.access import CLOCK_NOW, SCOPE, TODAY, VISIBLE, actor
from workflow.audience import Connection
from workflow.db import Database
from workflow.deadlines import FAR, calendar
from workflow.deputies import acting
from workflow.line import DESKS
from workflow.notices import Item, Message, Row, Told, _about, _due, _words, message_id, written
from workflow.queries import EACH
from workflow.seating import around, in_force
from workflow.settings import settings

CAME, AWAY = "came", "away"  # kinds of rows
RECENT, MOST = 31, 200  # days behind which a tenure is no news; items that a mail counts

TENURES = f"""INSERT INTO outbox (seq, kind, payload, dedup, next_at, tries)
SELECT 0, '{CAME}', jsonb_build_object('tenure', t.id), '{CAME}:' || t.id, now(), 0 FROM tenure t
WHERE t.valid_from BETWEEN {TODAY} - {RECENT} AND {TODAY} AND (t.valid_to IS NULL OR t.valid_to >= {TODAY})
  AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.dedup = '{CAME}:' || t.id)
  AND NOT EXISTS (SELECT 1 FROM tenure b WHERE b.person_id = t.person_id AND b.post_id = t.post_id AND b.id <> t.id
    AND b.valid_from < t.valid_from AND b.valid_to >= t.valid_from - 1)
ON CONFLICT DO NOTHING"""
ABSENCES = f"""INSERT INTO outbox (seq, kind, payload, dedup, next_at, tries)
SELECT 0, '{AWAY}', jsonb_build_object('person', a.person_id), '{AWAY}:' || a.id, now(), 0 FROM absence a
WHERE {in_force("a", TODAY)} AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.dedup = '{AWAY}:' || a.id) ON CONFLICT DO NOTHING"""


def tell(db: Database) -> int:
    """Write the rows of tenures and absences that have begun; returns how many. Any number of clocks may do so."""
    with db.connection() as conn:
        return sum(conn.execute(text, prepare=True).rowcount for text in (TENURES, ABSENCES))


class Waits(NamedTuple):
    """An item that waits, the version of its case, and the post at whose desk."""

    case_id: int
    version: int
    ask: str
    due_at: datetime
    post: str


@dataclass(frozen=True)
class Comes:
    """What comes to one person."""

    person: int
    items: Sequence[Waits]


def told(conn: Connection, row: Row) -> Told:
    """The mails of a row, to those to whom something comes and who have an address."""
    found = []
    for one in _comes(conn, row):
        who = actor(conn, one.person)
        address = conn.execute("SELECT mail FROM person WHERE id = %s", (one.person,), prepare=True).fetchone()
        if who and who.home and address and address[0].strip():
            post = " ".join(filter(None, (who.home.org_name, who.home.section, who.home.title)))
            subject, body = written("coming.txt", _said(conn, row, one) | {"post": post})
            mail_id = message_id(row, secrets.token_bytes(16), one.person)
            found.append(Message(one.person, address[0].strip(), mail_id, subject, body))
    return Told(found)


def still_said(conn: Connection, row: Row, person_id: int) -> list[Item]:
    """The same as lines of a person's digest."""
    found = []
    for one in _comes(conn, row):
        for item in one.items if one.person == person_id else ():
            about = _about(conn, replace(row, case_id=item.case_id, seq=item.version), [])
            days = calendar(conn, about.lead)
            what = f"{item.ask}({'代決' if row.kind == AWAY else '就いた職に来ていたもの'})"
            due = _due(item.due_at, about.now, days)
            found.append(Item(item.case_id, what, True, item.due_at, due, _words(about, days)))
    return found


def _said(conn: Connection, row: Row, one: Comes) -> dict[str, Any]:
    groups: dict[tuple[str, str], list[Waits]] = {}
    for item in one.items:
        groups.setdefault((item.post, item.ask), []).append(item)
    now = conn.execute(f"SELECT {CLOCK_NOW}", prepare=True).fetchone()
    assert now is not None
    days = calendar(conn, "")
    lines = [
        {"post": post, "ask": ask, "count": len(items), "due": _due(min(i.due_at for i in items), now[0], days)}
        for (post, ask), items in groups.items()
    ]
    deputy = row.kind == AWAY
    path = "/inbox?scope=deputy" if deputy else "/inbox"
    return {
        "lines": lines, "total": f"{MOST}+" if len(one.items) >= MOST else str(len(one.items)), "deputy": deputy,
        "url": settings().public_url.rstrip("/") + path,
    }  # fmt: skip


def _comes(conn: Connection, row: Row) -> list[Comes]:
    if row.kind == CAME:
        return _queue(conn, row.payload["tenure"])
    return _of_absent(conn, row.payload["person"])


# ── a post newly held ───────────────────────────────────────────────────────────────────────────────────────────────

# The desk of the role is no news for who sat at it before, from another post.
SEAT = f"""SELECT t.person_id, p.id, p.org_code, CASE WHEN EXISTS (SELECT 1 FROM tenure b JOIN post q ON q.id = b.post_id
    WHERE b.person_id = t.person_id AND q.org_code = p.org_code AND q.role = p.role AND b.valid_from < t.valid_from
      AND (b.valid_to IS NULL OR b.valid_to >= t.valid_from - 1)) THEN '' ELSE p.role END, concat_ws(' ', nullif(p.section, ''), p.title)
FROM tenure t JOIN post p ON p.id = t.post_id WHERE t.id = %s AND {in_force("t", TODAY)} AND {in_force("p", TODAY)}"""
QUEUE = f"""WITH {SCOPE}, desk AS ({DESKS}) SELECT c.id, c.version, s.ask, s.due_at FROM desk d CROSS JOIN LATERAL (
  SELECT s.id, s.case_id, s.ask, s.due_at FROM unnest(%(kinds)s::text[]) AS k (kind) JOIN step s ON s.org_code = d.org AND s.role = d.role
    AND s.kind = k.kind AND s.closed_at IS NULL AND (s.person_id IS NULL OR s.person_id = %(person)s) ORDER BY s.due_at, s.id LIMIT {MOST}) s
{EACH.format("s.case_id")} CROSS JOIN me
WHERE NOT d.apart AND d.org = %(org)s AND d.role IN ('#' || %(post)s::bigint, %(role)s) AND {VISIBLE} ORDER BY s.due_at, s.id LIMIT {MOST}"""


def _queue(conn: Connection, tenure: int) -> list[Comes]:
    """What lay at the desks of a post when its new holder came; nobody's where he holds it no more."""
    seat = conn.execute(SEAT, (tenure,), prepare=True).fetchone()
    if seat is None:
        return []
    person, post, org, role, title = seat
    asked = {"person": person, "post": post, "org": org, "role": role, "kinds": list(KINDS)}
    found = conn.execute(QUEUE, asked, prepare=True).fetchall()
    items = [Waits(case_id, version, ask, due_at, title) for case_id, version, ask, due_at in found]
    return [Comes(person, items)] if items else []


# ── an absent holder ────────────────────────────────────────────────────────────────────────────────────────────────

# The posts that the absent person holds, and those for which he stands in: the next in the order may act by now.
POSTS = f"""WITH own AS (SELECT t.post_id AS id FROM tenure t WHERE t.person_id = %s AND {in_force("t", TODAY)})
SELECT id FROM own UNION SELECT d.post_id FROM deputy d JOIN own ON own.id = d.deputy_id WHERE {in_force("d", TODAY)}"""
ITEMS = f"""SELECT c.id, c.version, s.ask, s.due_at, p.id, concat_ws(' ', nullif(p.section, ''), p.title), c.form -> 'route', s.opened_at
FROM post p JOIN step s ON s.org_code = p.org_code AND s.role = '#' || p.id AND s.closed_at IS NULL AND s.kind = ANY (%(kinds)s::text[])
{EACH.format("s.case_id")} WHERE p.id = ANY (%(posts)s::bigint[]) ORDER BY s.due_at, s.id LIMIT {MOST}"""
# Whoever was mailed of the case since the item came knows of it: the absence had begun by then.
KNOWN = "SELECT EXISTS (SELECT 1 FROM message WHERE case_id = %s AND person_id = %s AND made_at >= %s)"


def _of_absent(conn: Connection, person: int) -> list[Comes]:
    """What the first deputies present may do by now of the work of this absent person, as far as they do not know yet."""
    posts = [post for (post,) in conn.execute(POSTS, (person,), prepare=True).fetchall()]
    near = around(conn, posts)
    asked = {"posts": posts, "kinds": [DECISION, HELD, "review", "consent"]}
    found: dict[int, list[Waits]] = {}
    for case_id, version, ask, due_at, post, title, told_, opened_at in conn.execute(
        ITEMS, asked, prepare=True
    ).fetchall():
        route = routes.of({routes.GROUP: told_})
        for deputy, _ in acting(near, route, post) if route else ():
            known = conn.execute(KNOWN, (case_id, deputy, opened_at), prepare=True).fetchone()
            if known and not known[0]:
                found.setdefault(deputy, []).append(Waits(case_id, version, ask, due_at or FAR, title))
    return [Comes(deputy, items) for deputy, items in sorted(found.items())]
