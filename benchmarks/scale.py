"""Inbox, search and ledger at 1,000,000 cases against the same at 10,000: what people wait for must not grow with the archive.

Both archives (`benchmarks.archive`) hold the same present year; the large one has ninety-nine more behind it. Every figure
is rates of one slice at 1,000,000 cases over those at 10,000, both in this process, one after the other in turns.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from benchmarks.archive import MORE, SAME, fill
from benchmarks.world import World, world
from states.dates import fiscal_year
from tests import factory
from workflow import balance, board, cases, colleagues, finding, queries, reports
from workflow.db import Database, type_connection

SLICES, SECONDS, SMALL, LARGE = 9, 0.4, 10_000, 1_000_000
BOARD = timedelta(days=27)  # from the first day that the page of an office shows to the last

Ask = Callable[[], Any]


@dataclass(frozen=True)
class Figure:
    """What is asked over and over of the large archive, by name, and the ratio to reach; of the small one, if it is something else."""

    name: str
    target: float
    of: Callable[["Archive"], Ask]
    against: Callable[["Archive"], Ask] | None = None


@dataclass(frozen=True)
class Archive:
    """A filled world as a process of the product sees it, with the people who ask."""

    conn: type_connection
    place: World

    def inbox(self) -> Ask:
        return lambda: queries.inbox(self.conn, self.place.who.director)

    def search(self, who: str, typed: str) -> Ask:
        reader = factory.reader(self.conn, getattr(self.place.who, who))
        wanted = finding.Wanted(finding.words_of(typed))
        return lambda: finding.find(self.conn, reader, wanted)

    def board(self) -> Ask:
        first = self._today() - timedelta(days=self._today().weekday())

        def ask() -> Any:
            staff = colleagues.of_offices(self.conn, [self.place.who.office])
            return board.over(self.conn, self.place.who.bureau, staff, first, first + BOARD)

        return ask

    def balance(self) -> Ask:
        reader = factory.reader(self.conn, self.place.who.bureau)
        return lambda: balance.of_year(self.conn, reader, self.place.who.office, fiscal_year(self._today()))

    def report(self) -> Ask:
        reader = factory.reader(self.conn, self.place.who.bureau)
        (choice,) = reports.choices(self.conn, reader)
        return lambda: reports.preview(self.conn, reader, choice, self.place.who.office, fiscal_year(self._today()))

    def _today(self) -> date:
        return cases.today(self.conn)


def _searches(who: str, called: str) -> list[Figure]:
    """Those of one reader; a thousand hits that only the large archive has are held against a thousand hits of the small one."""

    def of(typed: str) -> Callable[[Archive], Ask]:
        return lambda archive: archive.search(who, typed)

    frequent = of(SAME[0][1])
    return [
        *(Figure(f"search, {called}, {kind}", 0.7, of(typed)) for kind, typed in SAME),
        *(Figure(f"search, {called}, {kind} (1,000 hits each)", 0.7, of(typed), frequent) for kind, typed in MORE),
    ]


FIGURES = (
    Figure("inbox page of a director", 0.85, Archive.inbox),
    *_searches("bureau", "office"),
    *_searches("headquarters", "headquarters"),
    Figure("ledger, board of an office, four weeks", 0.7, Archive.board),
    Figure("ledger, year's balance of an office", 0.7, Archive.balance),
    Figure("ledger, year's report of an office", 0.7, Archive.report),
)


def measure() -> Iterator[tuple[str, float, float, float, float]]:
    """(name, median ratio, lowest, highest, target)."""
    with _archive(SMALL) as small, _archive(LARGE) as large:
        for figure in FIGURES:
            less, more = (figure.against or figure.of)(small), figure.of(large)
            ratios = []
            for slice_number in range(-1, SLICES):  # the first round warms up and is dropped
                order = [less, more] if slice_number % 2 else [more, less]
                rates = {ask: rate(ask) for ask in order}
                if slice_number >= 0:
                    ratios.append(rates[more] / rates[less])
            name = f"{figure.name}: {LARGE:,} cases / {SMALL:,}"
            yield name, statistics.median(ratios), min(ratios), max(ratios), figure.target


@contextmanager
def _archive(number: int) -> Iterator[Archive]:
    with world(1) as place:
        fill(place, number)
        app = Database(place.app_url, pool_size=1)
        with app.connection() as conn:
            yield Archive(conn, place)
        app.close()


def rate(ask: Ask) -> float:
    """How often a second."""
    begun, done = time.perf_counter(), 0
    while (passed := time.perf_counter() - begun) < SECONDS or not done:
        ask()
        done += 1
    return done / passed
