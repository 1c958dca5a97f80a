"""The sweep of reminders over 1,000,000 open deadlines: with 100,000 due, and with nothing to do.

Against what it could cost least: a hand-written INSERT … SELECT of the same rows that knows beforehand which day is due,
and single-key look-ups of one deadline each.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from datetime import date, datetime
from datetime import time as clock
from typing import Any

from benchmarks.world import World, analyse, world
from tests import factory
from workflow import watch
from workflow.db import Database, type_connection
from workflow.deadlines import TOKYO, calendar, end_of

OPEN, DUE, ROUNDS, LOOKS, KEYS = 1_000_000, 100_000, 5, 200, 10

# Every case waits for an answer of its office; the due days lie on the forty business days around today, one day in ten
# deadlines is the one whose last reminder but one comes today.
FILL = """
WITH made AS (
  INSERT INTO cases (process, process_version, origin, lead, place, opened_by, opened_at, open, title, number, state, version, saves, head,
                     acted_by, acted_at, form)
  SELECT 'dispatch', 1, 'municipality_request', CASE WHEN n %% 20 = 0 THEN %(office)s ELSE 'hk-' || (n %% 20) END, %(place)s, %(person)s,
         now(), true, '計画づくりへの助言', 'b-' || n, 'municipal_request', 1, 0, sha256('x'), %(person)s::text, now(), '{}'
  FROM generate_series(1, %(open)s) n RETURNING id)
INSERT INTO deadline (case_id, kind, holder, move, due_at, opened_at)
SELECT id, 'reply', 'bureau', '', (%(days)s::timestamptz[])[CASE WHEN id %% 10 = 0 THEN 1 ELSE 2 + id %% %(others)s END],
       clock_now() - interval '60 days' FROM made"""

HAND = """
WITH made AS (
  INSERT INTO reminder (deadline_id, rung, due_at, made_at)
  SELECT d.id, -1, d.due_at, clock_now() FROM deadline d WHERE d.due_at = %(due)s AND d.closed_at IS NULL RETURNING deadline_id)
INSERT INTO outbox (case_id, seq, kind, payload, dedup, next_at, tries)
SELECT d.case_id, 1, 'reminder:' || d.id || ':-1', jsonb_build_object('deadline', d.id, 'rung', -1), 'reminder:' || d.id || ':-1', now(), 0
FROM made m JOIN deadline d ON d.id = m.deadline_id"""


def measure() -> Iterator[tuple[str, float, float, float, float]]:
    """(name, median ratio, lowest, highest, target)."""
    with world(0) as place:
        owner, app = Database(place.owner_url, pool_size=1), Database(place.app_url, pool_size=1)
        with owner.connection() as conn:
            conn.execute("SET statement_timeout = 0")
            due = _fill(conn, place)
            analyse(place.owner_url)
            ratios = [_swept(conn, app, due, first=number % 2 == 0) for number in range(ROUNDS)]
            yield f"sweep of {DUE:,} due among {OPEN:,} open / hand-written", *_told(ratios), 0.35
            assert watch.remind(app) == DUE
            key = conn.execute("SELECT max(id) FROM deadline").fetchone()
            ratios = [_idle(conn, app, key) for _ in range(ROUNDS)]
            yield f"{KEYS} single-key look-ups / a sweep that finds nothing", *_told(ratios), 1.0
        owner.close()
        app.close()


def _fill(conn: type_connection, place: World) -> datetime:
    """A million open deadlines; returns when those are due that are to be reminded of today, a business day at nine."""
    days = calendar(conn, place.who.office)
    today = days.add_business_days(date.today(), 40)  # noqa: DTZ011 - any working day that lies ahead
    factory.set_clock(place.owner_url, datetime.combine(today, clock(9), TOKYO))
    due = end_of(days.add_business_days(today, 1))
    # Days on which no rung falls today: 2 to 4 and 6 and more business days ahead, 6 and more than 11 behind.
    quiet = [n for n in range(-25, 20) if n not in (1, 5, 0, -3, -7) and not -10 <= n <= 0 and not 1 <= n <= 5]
    others = [end_of(days.add_business_days(today, n)) for n in quiet]
    told: dict[str, Any] = {"office": place.who.office, "place": place.who.place, "person": place.who.bureau}
    conn.execute(FILL, told | {"open": OPEN, "days": [due, *others], "others": len(others)})
    return due


def _swept(conn: type_connection, app: Database, due: datetime, *, first: bool) -> float:
    """Seconds of the hand-written one over those of the sweep, each on the same untouched tables."""
    contenders: list[Callable[[], int]] = [lambda: watch.remind(app), lambda: conn.execute(HAND, {"due": due}).rowcount]
    seconds = {}
    for contender in contenders if first else contenders[::-1]:
        begun = time.perf_counter()
        assert contender() == DUE
        seconds[contender] = time.perf_counter() - begun
        conn.execute("TRUNCATE reminder, sweep")
        conn.execute("TRUNCATE outbox CASCADE")
        conn.execute("VACUUM ANALYZE deadline")
    return seconds[contenders[1]] / seconds[contenders[0]]


def _idle(conn: type_connection, app: Database, key: Any) -> float:
    """Seconds of a few look-ups over those of a sweep that finds nothing."""
    seconds = []
    for ask in (
        lambda: watch.remind(app),
        lambda: [conn.execute(LOOK, key, prepare=True).fetchone() for _ in range(KEYS)],
    ):
        begun = time.perf_counter()
        for _ in range(LOOKS):
            ask()
        seconds.append(time.perf_counter() - begun)
    return seconds[1] / seconds[0]


LOOK = "SELECT due_at, closed_at FROM deadline WHERE id = %s"


def _told(ratios: list[float]) -> tuple[float, float, float]:
    return statistics.median(ratios), min(ratios), max(ratios)
