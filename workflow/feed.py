"""A person's days for calendar software: an address that one makes, renews and stops; what stands in it names nobody."""

import hashlib
import secrets
from datetime import date, datetime, timedelta
from urllib.parse import urlsplit

from states.places import Directory
from workflow import ical, month
from workflow.access import actor
from workflow.deadlines import local_day
from workflow.month import DUE, Entry
from workflow.queries import Connection, database_now
from workflow.settings import settings

BACK, AHEAD = timedelta(days=31), timedelta(days=366)
LONGEST = 100  # characters of a token that are looked for
NAME = "Tobidashi 期限と派遣の日"

MAKE = """INSERT INTO feed (person_id, digest, made_at) VALUES (%(person)s, %(digest)s, clock_now())
ON CONFLICT (person_id) DO UPDATE SET digest = excluded.digest, made_at = excluded.made_at"""
READER = (
    "SELECT f.person_id FROM feed f JOIN account a ON a.person_id = f.person_id AND NOT a.disabled WHERE f.digest = %s"
)


def make(conn: Connection, person_id: int) -> str:
    """A new token for this person; an earlier one ends. It is told now and never again."""
    token = secrets.token_urlsafe(32)
    conn.execute(MAKE, {"person": person_id, "digest": digest(token)}, prepare=True)
    return token


def revoke(conn: Connection, person_id: int) -> None:
    """No address is good for this person any more."""
    conn.execute("DELETE FROM feed WHERE person_id = %s", [person_id], prepare=True)


def made_at(conn: Connection, person_id: int) -> datetime | None:
    """Since when this person has an address; None without one."""
    row = conn.execute("SELECT made_at FROM feed WHERE person_id = %s", [person_id], prepare=True).fetchone()
    return row[0] if row else None


def digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def person_of(conn: Connection, token: str) -> int | None:
    """Whose address this is; None for one that was never given out, has ended, or is of a closed account."""
    if not 0 < len(token) <= LONGEST:
        return None
    row = conn.execute(READER, [digest(token)], prepare=True).fetchone()
    return int(row[0]) if row else None


def written(conn: Connection, person_id: int) -> bytes:
    """The calendar of this person: what waits for them by its deadline, and the days they are sent; nothing without a post."""
    reader = actor(conn, person_id)
    if reader is None or not reader.posts:
        return ical.text(NAME, ())
    today = local_day(database_now(conn))
    found = month.of_person(conn, person_id, today - BACK, today + AHEAD, overdue=True)
    base = settings().public_url.rstrip("/")
    host, directory = urlsplit(base).hostname or "tobidashi", Directory.from_csv()
    seen: dict[str, int] = {}
    events = []
    for entry in found:
        seen[entry.key] = again = seen.get(entry.key, 0) + 1
        uid = f"{entry.key}{'' if again == 1 else f'-{again}'}@{host}"
        events.append(_event(entry, uid, f"{base}/cases/{entry.case_id}", directory, today))
    return ical.text(NAME, events)


def _event(entry: Entry, uid: str, url: str, directory: Directory, today: date) -> ical.Event:
    """Number and place say which case it is; its title and its people stay in the system, as they do with mails."""
    place = directory.municipality(entry.place, min(entry.day, today)) if entry.place else None
    which = " ".join(filter(None, (entry.number or "番号なし", place.name if place else "")))
    what = f"期限: {entry.words}" if entry.kind == DUE else entry.words
    return ical.Event(
        uid,
        entry.day,
        entry.since,
        f"{what} {which}",
        f"{what}\n案件 {which}\n{url}",
        url,
        "期限" if entry.kind == DUE else "派遣",
    )
