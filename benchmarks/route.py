"""An act inside a route of five steps against the same act in an office without a table of decisions.

Two worlds alike, but that one office has a line of posts and a rule: review, review, two consents, decision. The first figure is
the same pair of acts in both – put up, and sent back by whoever is asked – over and over; the second is a whole round in the
route, every step answered before it is sent back, act for act against that pair without one.
"""

import itertools
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from uuid import uuid4

from benchmarks.world import World, analyse, world
from tests import factory, offices
from workflow import cases
from workflow.db import Database, type_connection
from workflow.memory import settle

CASES, SLICES, SECONDS, TARGET = 100, 7, 2.0, 0.75
PUT_UP, SEND_BACK = "put_to_director", "send_back"
Acts = tuple[tuple[str, str], ...]  # who, what
PLAIN: Acts = (("officer", PUT_UP), ("director", SEND_BACK))
PAIR: Acts = (("officer", PUT_UP), ("chief", SEND_BACK))
ROUND: Acts = (
    ("officer", PUT_UP), ("chief", "approve_step"), ("head", "approve_step"), ("general", "agree_step"), ("health", "agree_step"),
    ("director", SEND_BACK),
)  # fmt: skip
TYPED = {SEND_BACK: {"reason": "隊の案を見直すこと。", "then": "again"}}


def measure() -> Iterator[tuple[str, float, float, float, float]]:
    """(name, median ratio, lowest, highest, target)."""
    settle()
    with world(CASES) as plain, world(CASES) as routed:
        without, within = Database(plain.app_url, pool_size=1), Database(routed.app_url, pool_size=1)
        with without.connection() as one, within.connection() as other:
            line = offices.line(other, routed.who)
            offices.rule(other, line)
            analyse(routed.owner_url)
            usual = _acting(one, plain, {"officer": plain.who.bureau, "director": plain.who.director}, PLAIN)
            for name, acts, own in (
                ("put up and sent back", PAIR, slice(0, None, 2)),
                ("a whole round", ROUND, slice(1, None, 2)),
            ):
                inside = _acting(other, replace(routed, cases=routed.cases[own]), line.people, acts)
                ratios = []
                for number in range(-1, SLICES):  # the first round warms up and is dropped
                    spent = _spent(usual, inside)
                    if number >= 0:
                        ratios.append(spent[usual] / spent[inside])
                yield f"route, {name}: inside / without", statistics.median(ratios), min(ratios), max(ratios), TARGET
        without.close()
        within.close()


def _acting(conn: type_connection, place: World, people: Mapping[str, int], acts: Acts) -> Callable[[], None]:
    """One act after the other, case after case; every case stands at the beginning again after its round."""
    persons = {who: people[who] for who, _ in acts}
    rounds = itertools.cycle(place.cases)
    left: Iterator[tuple[int, str, str]] = iter(())
    version = 0

    def one() -> None:
        nonlocal left, version
        following = next(left, None)
        if following is None:
            case = next(rounds)
            left, version = iter([(case, who, name) for who, name in acts]), factory.version(conn, case)
            following = next(left)
        case, who, name = following
        inputs = TYPED.get(name) or factory.TYPED.get(name) or {}
        version = cases.act(conn, persons[who], case, name, version=version, key=uuid4(), inputs=inputs).version

    return one


def _spent(*acts: Callable[[], None]) -> dict[Callable[[], None], float]:
    """Seconds spent on as many acts of each; they alternate act by act, so that the machine's moods strike both alike."""
    spent = dict.fromkeys(acts, 0.0)
    begun = time.perf_counter()
    while time.perf_counter() - begun < SECONDS:
        for act in acts:
            started = time.perf_counter()
            act()
            spent[act] += time.perf_counter() - started
    return spent
