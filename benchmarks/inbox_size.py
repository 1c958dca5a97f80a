"""The inbox of a person with 100,000 open items against that of one with 100; what is shown first is the same in both.

The first hundred are real cases, most urgent. The others are copies of them, asked for later, so that the page and its
neighbourhood are alike and only the length of the queue differs. Counts end at a thousand and are shown as "1000+".
"""

import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import psycopg

from benchmarks.scale import SLICES, Ask, rate
from benchmarks.world import World, analyse, world
from workflow import models, queries
from workflow.db import Database, type_connection

SMALL, LARGE, TARGET = 100, 100_000, 0.8
COPIED = {
    "cases": {"number": "number || '-' || g"},
    "party": {"case_id": "k.id"},
    "step": {"case_id": "k.id", "due_at": "t.due_at + interval '400 days' + g * interval '1 minute'"},
}


def measure() -> Iterator[tuple[str, float, float, float, float]]:
    """(name, median ratio, lowest, highest, target)."""
    with _queue(SMALL) as small, _queue(LARGE) as large:
        for name, of in FIGURES.items():
            less, more = of(*small), of(*large)
            ratios = []
            for number in range(-1, SLICES):  # the first round warms up and is dropped
                rates = {ask: rate(ask) for ask in ([less, more] if number % 2 else [more, less])}
                if number >= 0:
                    ratios.append(rates[more] / rates[less])
            yield (
                f"inbox, {name}: {LARGE:,} items / {SMALL}",
                statistics.median(ratios),
                min(ratios),
                max(ratios),
                TARGET,
            )


def _page(conn: type_connection, place: World) -> Ask:
    found = queries.inbox(conn, place.who.bureau)
    assert len(found.rows) == 30
    return partial(queries.inbox, conn, place.who.bureau)


def _badge(conn: type_connection, place: World) -> Ask:
    return partial(queries.waiting, conn, place.who.bureau)


FIGURES: dict[str, Callable[[type_connection, World], Ask]] = {
    "the page with its counts": _page,
    "the number at the navigation": _badge,
}


@contextmanager
def _queue(number: int) -> Iterator[tuple[type_connection, World]]:
    with world(SMALL) as place:
        with psycopg.connect(place.owner_url.replace("+psycopg", ""), autocommit=True) as owner:
            owner.execute("SET synchronous_commit = off")
            _copy(owner, number // SMALL - 1)
        analyse(place.owner_url)
        app = Database(place.app_url, pool_size=1)
        with app.connection() as conn:
            yield conn, place
        app.close()


def _copy(owner: psycopg.Connection[object], times: int) -> None:
    """So many copies of every case with its parties and open items."""
    if not times:
        return
    owner.execute(
        "CREATE TEMP TABLE k AS SELECT c.id AS old, g, nextval(pg_get_serial_sequence('cases', 'id')) AS id FROM cases c, generate_series(1, %s) g",
        (times,),
    )
    for table, changed in COPIED.items():
        names = [
            column.name for column in models.metadata.tables[table].columns if column.name != "id" or table == "cases"
        ]
        values = ", ".join({"id": "k.id"}.get(name) or changed.get(name) or f"t.{name}" for name in names)
        old = "t.id" if table == "cases" else "t.case_id"
        owner.execute(
            f"INSERT INTO {table} ({', '.join(names)}) OVERRIDING SYSTEM VALUE SELECT {values} FROM {table} t JOIN k ON k.old = {old}"
            + (" WHERE t.closed_at IS NULL" if table == "step" else "")
        )
