"""The page of turns at 100,000 cases against the same at 10,000: what it says of a month must not grow with the archive.

Both archives (`benchmarks.archive`) hold the same present year; the large one has nine more behind it. The archive leaves
one case in ten open, however old: here those of earlier years are ended, since nobody counts the days of a case for ten years.
"""

import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from functools import partial

import psycopg

from benchmarks.archive import STATES, fill
from benchmarks.scale import SLICES, Ask, rate
from benchmarks.world import World, analyse, world
from states import catalogue
from states.dates import fiscal_year
from workflow import cases, durations, month, turns
from workflow.db import Database, type_connection
from workflow.deadlines import start_of

SMALL, LARGE, TARGET = 10_000, 100_000, 0.7
MONTHS = timedelta(days=5 * 31)  # before the present one, as the page of an office shows them

# As acts would have left them: nothing waits any more. Every case has had one deadline, met where the case has ended.
END = """WITH ended AS (UPDATE cases SET state = %(ended)s WHERE opened_at < %(since)s AND state = %(waits)s RETURNING id, opened_at)
UPDATE step SET opened_at = ended.opened_at, closed_at = ended.opened_at FROM ended WHERE case_id = ended.id AND closed_at IS NULL"""
DUE = """INSERT INTO deadline (case_id, kind, holder, due_at, opened_at, closed_at, move)
SELECT case_id, 'judgement', 'director', opened_at + interval '3 days', opened_at, closed_at, '' FROM step WHERE case_id > 1000 ORDER BY case_id"""


def measure() -> Iterator[tuple[str, float, float, float, float]]:
    """(name, median ratio, lowest, highest, target)."""
    with _archive(SMALL) as small, _archive(LARGE) as large:
        for name, of in FIGURES.items():
            less, more = of(*small), of(*large)
            ratios = []
            for slice_number in range(-1, SLICES):  # the first round warms up and is dropped
                rates = {ask: rate(ask) for ask in ([less, more] if slice_number % 2 else [more, less])}
                if slice_number >= 0:
                    ratios.append(rates[more] / rates[less])
            yield (
                f"turns, {name}: {LARGE:,} cases / {SMALL:,}",
                statistics.median(ratios), min(ratios), max(ratios), TARGET,
            )  # fmt: skip


def _months(conn: type_connection, place: World) -> Ask:
    last = cases.today(conn)
    first = (last - MONTHS).replace(day=1)
    return partial(turns.of_offices, conn, place.who.bureau, [place.who.office], first, last)


def _last_year(conn: type_connection, place: World) -> Ask:
    first = date(fiscal_year(cases.today(conn)), 4, 1)
    return partial(turns.of_offices, conn, place.who.bureau, [place.who.office], first, first + timedelta(days=29))


def _late(conn: type_connection, place: World) -> Ask:
    return partial(turns.late, conn, place.who.bureau, [place.who.office])


def _calendar(conn: type_connection, place: World) -> Ask:
    first, office = cases.today(conn).replace(day=1), place.who.office
    last = first + timedelta(days=27)
    return partial(month.of_organisation, conn, place.who.bureau, office, first, last, inside=True, met=True)


def _usual(conn: type_connection, place: World) -> Ask:
    return partial(durations.of_office, conn, catalogue.process("dispatch"), place.who.office, cases.today(conn))


FIGURES: dict[str, Callable[[type_connection, World], Ask]] = {
    "six months of an office": _months,
    "the first month of the year": _last_year,
    "what is late": _late,
    "how long it takes": _usual,
    "calendar of an office": _calendar,
}


@contextmanager
def _archive(number: int) -> Iterator[tuple[type_connection, World]]:
    with world(1) as place:
        fill(place, number)
        app = Database(place.app_url, pool_size=1)
        with app.connection() as conn:
            since = start_of(date(fiscal_year(cases.today(conn)), 4, 1))
            with psycopg.connect(place.owner_url.replace("+psycopg", ""), autocommit=True) as owner:
                owner.execute(END, {"ended": STATES[0], "waits": STATES[1], "since": since})
                owner.execute(DUE)
            analyse(place.owner_url)
            yield conn, place
        app.close()
