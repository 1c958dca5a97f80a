"""The inbox at 100,000 cases against the same query at 10,000: it must not grow with the archive."""

import statistics
import time
from typing import Any

from benchmarks.world import World, analyse, world
from workflow import queries
from workflow.db import Database

SLICES, SECONDS, SMALL, LARGE = 9, 0.6, 10_000, 100_000

# Cases of many offices in every part of their life: one in ten is open, one office in twenty is ours.
FILL = """
WITH made AS (
  INSERT INTO cases (process, process_version, origin, lead, place, opened_by, opened_at, title, number, state, version, saves, head,
                     acted_by, acted_at, form)
  SELECT 'dispatch', 1, 'municipality_request', CASE WHEN n %% 20 = 0 THEN %(office)s ELSE 'hk-' || (n %% 20) END, %(place)s, %(person)s,
         now() - n * interval '1 minute', '計画づくりへの参画 ' || n, 'b-' || n, CASE WHEN n %% 10 = 0 THEN 'director_judgement' ELSE 'reported' END,
         1, 0, sha256('x'), %(person)s::text, now(), c.form
  FROM generate_series(%(first)s::int, %(last)s::int) n, (SELECT form FROM cases WHERE version > 0 LIMIT 1) c RETURNING id, lead, state),
joined AS (INSERT INTO party (case_id, org_code, part, valid_from) SELECT id, lead, 'lead', current_date FROM made)
INSERT INTO step (case_id, org_code, role, ask, due_at, opened_at, closed_at)
SELECT id, lead, 'director', '派遣を判断する', now() + (id %% 30) * interval '1 day', now(),
       CASE WHEN state = 'reported' THEN now() END FROM made
"""


def measure() -> list[tuple[str, float, float, float, float]]:
    """(name, median ratio, lowest, highest, target)."""
    with world(1) as small, world(1) as large:
        _fill(small, SMALL)
        _fill(large, LARGE)
        ratios = []
        for slice_number in range(-1, SLICES):
            order = [small, large] if slice_number % 2 else [large, small]
            rates = {id(place): _rate(place) for place in order}
            if slice_number >= 0:
                ratios.append(rates[id(large)] / rates[id(small)])
        return [("inbox page at 100,000 cases / at 10,000", statistics.median(ratios), min(ratios), max(ratios), 0.85)]


def _fill(place: World, number: int) -> None:
    owner = Database(place.owner_url, pool_size=1)
    with owner.connection() as conn:
        told: dict[str, Any] = {"office": place.who.office, "place": place.who.place, "person": place.who.bureau}
        conn.execute("SET statement_timeout = 0")
        conn.execute(FILL, told | {"first": 1, "last": number})
    owner.close()
    analyse(place.owner_url)


def _rate(place: World) -> float:
    """Inbox pages a second for the director, who has one in twenty of the open items."""
    app, done = Database(place.app_url, pool_size=1), 0
    with app.connection() as conn:
        for _ in range(10):
            queries.inbox(conn, place.who.director)
        end = time.perf_counter() + SECONDS
        while time.perf_counter() < end:
            queries.inbox(conn, place.who.director)
            done += 1
    app.close()
    return done / SECONDS
