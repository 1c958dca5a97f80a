"""How each person wants to be told by mail: at once, or gathered into digests; also of what asks nothing of them, or not.

On screen everybody is told always, and what asks somebody to act is mailed always.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from states.calendar import Calendar
from workflow.audience import Connection
from workflow.deadlines import TOKYO, local_day

AT_ONCE, MORNING, TWICE = "at_once", "morning", "twice"
TIMES = {MORNING: (time(8, 45),), TWICE: (time(8, 45), time(13, 0))}
OVERFLOW = timedelta(minutes=10)  # how often what was too much to be mailed at once is gathered
_LONGEST_REST = 30  # days without a business day, beyond which no slot is looked for


@dataclass(frozen=True, slots=True)
class Preference:
    """One person's choice; this one where nothing was chosen."""

    mail: str = AT_ONCE
    informed: bool = True


CHOSEN = "SELECT person_id, mail, informed FROM preference WHERE person_id = ANY (%s)"
CHOOSE = """INSERT INTO preference (person_id, mail, informed, changed_at) VALUES (%(person)s, %(mail)s, %(informed)s, clock_now())
ON CONFLICT (person_id) DO UPDATE SET mail = EXCLUDED.mail, informed = EXCLUDED.informed, changed_at = EXCLUDED.changed_at"""


def chosen(conn: Connection, people: Sequence[int]) -> dict[int, Preference]:
    """What each of these people has chosen."""
    rows = conn.execute(CHOSEN, (list(people),), prepare=True).fetchall() if people else []
    found = {person: Preference(mail, informed) for person, mail, informed in rows}
    return {person: found.get(person, Preference()) for person in people}


def choose(conn: Connection, person_id: int, preference: Preference) -> None:
    """Keep a person's choice; it counts for what is told from now on."""
    told = {"person": person_id, "mail": preference.mail, "informed": preference.informed}
    conn.execute(CHOOSE, told, prepare=True)


def last_slot(mail: str, days: Calendar, now: datetime) -> datetime | None:
    """The moment up to which mails are gathered by now: the last one that has come, however late it is."""
    if mail == AT_ONCE:
        return now - (now - datetime(2000, 1, 1, tzinfo=TOKYO)) % OVERFLOW
    today = local_day(now)
    past = (today - timedelta(days=n) for n in range(_LONGEST_REST))
    found = (_at(day, at) for day in past if days.is_business_day(day) for at in reversed(TIMES[mail]))
    return next((slot for slot in found if slot <= now), None)


def next_slot(mail: str, days: Calendar, now: datetime) -> datetime | None:
    """The moment at which what is gathered now will go out."""
    if mail == AT_ONCE:
        last = last_slot(mail, days, now)
        return last + OVERFLOW if last else None
    ahead = (local_day(now) + timedelta(days=n) for n in range(_LONGEST_REST))
    found = (_at(day, at) for day in ahead if days.is_business_day(day) for at in TIMES[mail])
    return next((slot for slot in found if slot > now), None)


def _at(day: date, at: time) -> datetime:
    return datetime.combine(day, at, TOKYO)
