"""The broker as a doorbell: what it costs to hand notices over, to deliver them, and what its hanging costs a page.

A task carries nothing but its name: the rows of the outbox are the notices, and one ring has a worker read them all.
Against it stands the usual way, one Celery task for each notice, with the same worker, broker, database and mail server.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg.rows import class_row

from benchmarks.world import TEXT, World, world
from tasks.app import app
from tests import factory
from tests.conftest import Database as Urls
from tests.faults import proxied
from tests.mail_server import serving
from tests.tasks.test_worker import beat, celery
from tests.workflow.test_web_killed import Pages, _next
from workflow import mail, outbox
from workflow.db import Database, database, type_connection
from workflow.notices import Row
from workflow.servers import Valkey
from workflow.web.session import cookie_name

DELIVERED, HANDED, ROUNDS = 200, 2_000, 5
SLICES, HUNG = 5, 6.0  # of pages, and seconds of each

Figure = tuple[str, float, float, float, float]


@app.task(name="benchmarks.one")  # type: ignore[untyped-decorator]
def one(number: int) -> None:
    """One notice by its row, over a line to the mail server of its own."""
    with database().connection() as conn, mail.Post(outbox._server(conn)) as post:
        with conn.cursor(row_factory=class_row(Row)) as cursor:
            rows = cursor.execute(CLAIM_ONE, {"id": number}, prepare=True).fetchall()
        for row in rows:
            outbox._carry_out(conn, post, row, outbox.Delivered())


CLAIM_ONE = outbox.CLAIM.replace("next_at <= now()", "next_at <= now() AND id = %(id)s")

# A notice of one act, as often as it takes; the rows that the act itself would have written.
NOTICES = """INSERT INTO outbox (case_id, seq, kind, payload, dedup, next_at, tries)
SELECT o.case_id, o.seq, o.kind, o.payload, o.dedup || ':' || n, now(), 0 FROM outbox o, generate_series(1, %(number)s) n
WHERE o.id = %(like)s RETURNING id"""


def measure() -> Iterator[Figure]:
    """(name, median ratio, lowest, highest, target)."""
    with tempfile.TemporaryDirectory(prefix="tobidashi-bench-") as folder, world(0) as place:
        broker = Valkey.start(Path(folder) / "valkey")
        try:
            yield from _notices(place, broker, Path(folder))
            yield from _pages(place, broker, Path(folder))
        finally:
            broker.stop()


# ── notices ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Contest:
    """The tables, the row that all notices are like, and the broker as a program that rings sees it."""

    conn: type_connection
    like: int

    def notices(self, number: int) -> list[int]:
        """So many more of them, in one statement; their ids."""
        rows = self.conn.execute(NOTICES, {"number": number, "like": self.like}).fetchall()
        return [row[0] for row in rows]

    def sweep(self) -> None:
        """As before the notices."""
        self.conn.execute("DELETE FROM message")
        self.conn.execute("DELETE FROM outbox WHERE id <> %s", (self.like,))
        app.control.purge()

    def done(self) -> bool:
        return self.conn.execute("SELECT 1 FROM outbox WHERE done_at IS NULL LIMIT 1").fetchone() is None


def _notices(place: World, broker: Valkey, folder: Path) -> Iterator[Figure]:
    app.conf.broker_url = broker.url
    owner = Database(place.owner_url, pool_size=1)
    with owner.connection() as conn, serving() as server:
        conn.execute("UPDATE tenure SET valid_to = valid_from WHERE person_id = %s", (place.who.bureau_colleague,))
        factory.drive(conn, place.who, factory.opened(conn, place.who, purpose=TEXT), "submit")
        row = conn.execute("UPDATE outbox SET done_at = now() RETURNING id").fetchone()
        assert row is not None
        contest = Contest(conn, row[0])
        ratios = [_handed(contest, first=number % 2 == 0) for number in range(-1, ROUNDS)][1:]
        yield f"hand-over of {HANDED:,} notices: rows and one ring / one task each", *_told(ratios), 50.0
        around = _environment(place, broker.url, server.url)
        alone = ("worker", "--without-gossip", "--without-mingle", "-c", "1", "-I", "benchmarks.doorbell")
        with celery(around, folder / "log", *alone):
            ratios = [_delivered(contest, first=number % 2 == 0) for number in range(-1, ROUNDS)][1:]
        yield f"{DELIVERED:,} notices delivered by mail: one ring / one task each", *_told(ratios), 1.0
    owner.close()


def _handed(contest: Contest, *, first: bool) -> float:
    """Seconds that the process with the notices spends: on so many tasks, over those on the rows and the ring."""

    def ring() -> None:
        contest.notices(HANDED)
        app.send_task("tasks.deliver")

    def tasks() -> None:
        for number in range(HANDED):
            one.apply_async((number,))

    return _ratio(contest, ring, tasks, first=first)


def _delivered(contest: Contest, *, first: bool) -> float:
    """Seconds until the last notice is at the mail server, each way."""

    def ring() -> None:
        contest.notices(DELIVERED)
        app.send_task("tasks.deliver")
        _until(contest.done)

    def tasks() -> None:
        for number in contest.notices(DELIVERED):
            one.apply_async((number,))
        _until(contest.done)

    return _ratio(contest, ring, tasks, first=first)


def _ratio(contest: Contest, ours: Callable[[], Any], theirs: Callable[[], Any], *, first: bool) -> float:
    seconds = {}
    for contender in (ours, theirs) if first else (theirs, ours):
        contest.sweep()
        begun = time.perf_counter()
        contender()
        seconds[contender] = time.perf_counter() - begun
    contest.sweep()
    return seconds[theirs] / seconds[ours]


# ── pages ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _pages(place: World, broker: Valkey, folder: Path) -> Iterator[Figure]:
    """Pages and acts a second while the broker hangs over those while it runs, with a worker and a beat behind the same line."""
    urls = Urls("", place.owner_url, place.app_url, "")
    owner = Database(place.owner_url, pool_size=1)
    with owner.connection() as conn, serving() as server, proxied(broker.url) as (line, through):
        case = factory.opened(conn, place.who, purpose=TEXT)
        factory.drive(conn, place.who, case, "submit", "receive", "propose_team")
        around = _environment(place, through, server.url)
        pages = Pages(urls, conn, place.who, folder)
        pages.environment |= {"REDIS_URL": through}
        asking = _Asking(pages, case)
        pages.start()
        try:
            with celery(around, folder / "log", "worker", "-c", "2"), beat(around, folder / "log", "schedule"):
                _until(lambda: bool(line.taken))
                asking.seconds(HUNG)
                looks, acts = [], []
                for _ in range(SLICES):
                    running = asking.seconds(HUNG)
                    line.fault = "hang"
                    hung = asking.seconds(HUNG)
                    line.fault = ""
                    looks.append(running[0] / hung[0])
                    acts.append(running[1] / hung[1])
        finally:
            pages.kill()
        yield "pages while the broker hangs / while it runs", *_told(looks), 0.8
        yield "acts while the broker hangs / while it runs", *_told(acts), 0.8
    owner.close()


class _Asking:
    """Somebody who looks at a case and acts on it in turn."""

    def __init__(self, pages: Pages, case: int) -> None:
        self.pages, self.case, self.version = pages, case, 3
        self.cookie = {"Cookie": f"{cookie_name()}={pages.sessions['bureau'].token}"}

    def seconds(self, during: float) -> tuple[float, float]:
        """The median of a page and of an act."""
        end, looks, acts = time.monotonic() + during, list[float](), list[float]()
        while time.monotonic() < end:
            looks.append(_seconds(self._look))
            acts.append(_seconds(self._act))
        return statistics.median(looks), statistics.median(acts)

    def _look(self) -> None:
        assert self.pages._ask("GET", f"/cases/{self.case}", None, self.cookie) == 200

    def _act(self) -> None:
        by, action, fields = _next(self.version)
        assert self.pages.act(by, self.case, action, fields) == 303
        self.version += 1


def _environment(place: World, broker: str, post: str) -> dict[str, str]:
    return {
        **os.environ,
        "DATABASE_URL": place.app_url, "REDIS_URL": broker, "SMTP_URL": post, "TOBIDASHI_ENV": "pilot", "MAIL_BURST": "0",
    }  # fmt: skip


def _seconds(run: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    run()
    return time.perf_counter() - begun


def _until(reached: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not reached():
        assert time.monotonic() < end, "the worker does not answer"
        time.sleep(0.01)


def _told(ratios: list[float]) -> tuple[float, float, float]:
    return statistics.median(ratios), min(ratios), max(ratios)
