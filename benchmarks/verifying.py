"""Verifying everything against the least it could cost: SHA-256 of the same bytes, already in memory."""

import hashlib
import statistics
import time
from collections.abc import Callable
from typing import Any

from benchmarks.world import world
from tests import factory
from workflow.db import Database
from workflow.verify import WORKERS, verify

CASES, ROUNDS, SLICES = 60, 60, 7


def measure() -> list[tuple[str, float, float, float, float]]:
    """(name, median ratio, lowest, highest, target): events a second, bare hashing of events and content being 1."""
    with world(CASES) as place:
        app = Database(place.app_url, pool_size=WORKERS + 1)
        with app.connection() as conn:
            for _ in range(ROUNDS):
                for case in place.cases:
                    factory.drive(conn, place.who, case, "put_to_director", "send_back")
            rows = conn.execute("SELECT coalesce(previous, ''), convert_to(body, 'UTF8') FROM event").fetchall()
            rows += conn.execute("SELECT salt || convert_to(kind, 'UTF8'), data FROM content").fetchall()
        assert verify(app).whole
        ratios = []
        for _ in range(SLICES):
            bare = _seconds(lambda: [hashlib.sha256(bytes(a) + bytes(b)).digest() for a, b in rows])
            ratios.append(bare / _seconds(lambda: verify(app)))
        app.close()
        return [("verify / SHA-256 in memory", statistics.median(ratios), min(ratios), max(ratios), 0.2)]


def _seconds(run: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    run()
    return time.perf_counter() - begun
