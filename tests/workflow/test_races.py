"""Many at once, replies that never arrive, processes that die: one act happens once, and whoever comes late is told."""

import json
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from tests import factory
from tests.faults import proxied
from workflow import cases
from workflow.cases import Conflict, Done, KeyReused, SaveClash
from workflow.db import Database
from workflow.loading import NotFound
from workflow.verify import verify

CROWD = 20
ROUNDS = 10


@pytest.fixture
def crowd(fresh_database: Any) -> Iterator[Database]:
    """A pool in which everybody has a connection of his own."""
    made = Database(fresh_database.app_url, pool_size=CROWD)
    yield made
    made.close()


def at_once(db: Database, work: Sequence[Callable[[Any], Any]]) -> list[Any]:
    """Do every piece of work at the same moment, each on its own connection; answers or what was raised, in order."""
    barrier, found = threading.Barrier(len(work)), [None] * len(work)

    def one(place: int) -> None:
        with db.connection() as conn:
            conn.execute("SELECT 1")
            barrier.wait(30)
            try:
                found[place] = work[place](conn)
            except Exception as told:  # noqa: BLE001 - what was raised is what is looked at
                found[place] = told  # type: ignore[call-overload]

    threads = [threading.Thread(target=one, args=(place,)) for place in range(len(work))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return found


def acting(person: int, case: int, action: str, version: int, inputs: Any, key: Any = None) -> Callable[[Any], Any]:
    return lambda conn: cases.act(conn, person, case, action, version=version, key=key or uuid4(), inputs=inputs)


def value(conn, text: str, *values: Any) -> Any:
    row = conn.execute(text, values).fetchone()
    return row[0] if row else None


def test_of_twenty_decisions_one_wins_and_nineteen_are_told_who_and_when(crowd, conn, who, db):
    chiefs = [factory.person(conn, "director", who.office) for _ in range(CROWD)]
    names = dict(conn.execute("SELECT id, name FROM person").fetchall())
    inputs = [
        ("approve", {"confirm": {}}),
        ("decline", {"reason": "時期が重なる。", "internal_reason": "人が足りない。"}),
        ("send_back", {"reason": "隊を見直すこと。"}),
    ]
    won = []
    for _ in range(ROUNDS):
        case = factory.opened(conn, who)
        factory.drive(conn, who, case, "submit", "receive", "propose_team", "put_to_director")
        asked = [inputs[place % 3] for place in range(CROWD)]
        found = at_once(crowd, [acting(chiefs[n], case, asked[n][0], 4, asked[n][1]) for n in range(CROWD)])
        winners = [n for n, answer in enumerate(found) if isinstance(answer, Done)]
        assert len(winners) == 1, found
        action, winner = asked[winners[0]][0], chiefs[winners[0]]
        assert value(conn, "SELECT action FROM event WHERE case_id = %s AND seq = 5", case) == action
        at = value(conn, "SELECT at FROM event WHERE case_id = %s AND seq = 5", case)
        for n, told in enumerate(found):
            if n != winners[0]:
                assert isinstance(told, Conflict), told
                assert (told.version, told.when) == (5, at)
                assert names[winner] in told.who
        assert value(conn, "SELECT count(*) FROM event WHERE case_id = %s", case) == 5
        assert value(conn, "SELECT count(*) FROM outbox WHERE case_id = %s AND seq = 5 AND kind = 'notice'", case) == 1
        assert value(conn, "SELECT count(*) FROM outbox WHERE case_id = %s AND kind LIKE 'letter:%%'", case) == (
            action != "send_back"
        )
        won.append(action)
    letters = sum(action != "send_back" for action in won)
    assert (value(conn, "SELECT value FROM counter WHERE kind = 'letter'") or 0) == letters
    numbers = value(conn, "SELECT array_agg(form -> 'decision' ->> 'number') FROM cases WHERE form ? 'decision'") or []
    assert sorted(numbers) == sorted(f"上川第{n}号" for n in range(1, letters + 1))
    assert verify(db).whole


def test_twenty_sends_of_one_key_are_one_act_and_twenty_equal_answers(crowd, conn, who, db):
    for _ in range(3):
        case, key = factory.opened(conn, who), uuid4()
        factory.drive(conn, who, case, "submit")
        inputs = {"arrived_on": cases.today(conn).isoformat()}
        found = at_once(crowd, [acting(who.bureau, case, "receive", 1, inputs, key)] * CROWD)
        assert {(done.version, done.state) for done in found} == {(2, "municipal_request")}, found
        assert [done.replayed for done in found].count(False) == 1
        assert value(conn, "SELECT count(*) FROM event WHERE case_id = %s AND seq > 1", case) == 1
    assert value(conn, "SELECT value FROM counter WHERE kind = 'case'") == 3
    assert verify(db).whole


def test_one_key_on_eight_cases_acts_on_one(crowd, conn, who):
    some, key = [factory.opened(conn, who) for _ in range(8)], uuid4()
    found = at_once(crowd, [acting(who.municipality, case, "submit", 0, {}, key) for case in some])
    assert sum(isinstance(answer, Done) for answer in found) == 1, found
    assert sum(isinstance(answer, KeyReused) for answer in found) == 7
    assert value(conn, "SELECT count(*) FROM event") == value(conn, "SELECT count(*) FROM cases WHERE version > 0") == 1


def test_twenty_receipts_at_once_are_numbered_without_gap_or_double(crowd, conn, who, db):
    some = [factory.opened(conn, who) for _ in range(CROWD)]
    for case in some:
        factory.drive(conn, who, case, "submit")
    inputs = {"arrived_on": cases.today(conn).isoformat()}
    found = at_once(crowd, [acting(who.bureau, case, "receive", 1, inputs) for case in some])
    assert all(isinstance(answer, Done) for answer in found), found
    receipts = value(conn, "SELECT array_agg(form -> 'receipt' ->> 'number') FROM cases")
    assert sorted(receipts) == sorted(f"上川収第{n}号" for n in range(1, CROWD + 1))
    ends = {int(number.rpartition("-")[2]) for number in value(conn, "SELECT array_agg(number) FROM cases")}
    assert ends == set(range(1, CROWD + 1))
    assert conn.execute("SELECT DISTINCT value FROM counter").fetchall() == [(CROWD,)]
    assert verify(db).whole


def test_of_twenty_windows_one_saves(crowd, conn, who):
    case = factory.opened(conn, who)
    form = value(conn, "SELECT form FROM cases")
    drafts = [{"request": form["request"] | {"title": f"{n}番目の窓"}} for n in range(CROWD)]
    found = at_once(crowd, [lambda c, d=draft: cases.save(c, who.municipality, case, d, 0) for draft in drafts])  # type: ignore[misc]
    assert found.count(1) == 1
    assert sum(isinstance(answer, SaveClash) for answer in found) == CROWD - 1
    assert value(conn, "SELECT title FROM cases") == f"{found.index(1)}番目の窓"


def test_a_draft_is_submitted_or_deleted_never_both(crowd, conn, who, db):
    ends = []
    for _ in range(6):
        case = factory.opened(conn, who)
        removing = [lambda c, i=case: cases.delete_draft(c, who.municipality_colleague, i)] * 2
        found = at_once(crowd, [*removing, *[acting(who.municipality, case, "submit", 0, {}) for _ in range(2)]])
        left = value(conn, "SELECT version FROM cases WHERE id = %s", case)
        parts = value(conn, "SELECT count(*) FROM party WHERE case_id = %s", case)
        assert (left, parts) in ((1, 2), (None, 0)), found
        assert sum(isinstance(answer, NotFound) for answer in found) >= 2
        ends.append(left)
    assert verify(db).whole


def test_the_clock_and_a_person_never_move_one_case_both(crowd, conn, who, db, fresh_database):
    case = factory.opened(conn, who, first=factory.first_day(conn, after=12))
    factory.drive(conn, who, case, "submit", "receive", "propose_team", "put_to_director", "approve")
    # No clock is shifted in a database with history: the dispatch begins today because its days are moved there.
    withdrawing = [acting(who.municipality, case, "withdraw", 5, {"reason": "取りやめ。"}) for _ in range(3)]
    beginning: list[Callable[[Any], Any]] = [lambda c: cases.act_by_clock(c, case, "begin")] * 3
    found = at_once(crowd, [*withdrawing, *beginning])
    assert sum(isinstance(answer, Done) for answer in found) == 1, found
    assert value(conn, "SELECT count(*) FROM event WHERE case_id = %s", case) == 6
    assert verify(db).whole


# ── replies that never arrive ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("action", ["submit", "receive"])
def test_a_lost_reply_and_its_retry_make_one_act(fresh_database, conn, who, db, action):
    case, key = factory.opened(conn, who), uuid4()
    if action == "receive":
        factory.drive(conn, who, case, "submit")
    version = factory.version(conn, case)
    inputs = {"arrived_on": cases.today(conn).isoformat()} if action == "receive" else {}
    person = who.bureau if action == "receive" else who.municipality
    with proxied(fresh_database.app_url) as (proxy, url), closing(Database(url, pool_size=1)) as through:
        proxy.eat(f'"action":"{action}"'.encode())
        with pytest.raises(psycopg.OperationalError), through.connection() as lost:
            acting(person, case, action, version, inputs, key)(lost)
        assert proxy.eaten == 1
        assert factory.version(conn, case) == version + 1
        with through.connection() as again:
            done = acting(person, case, action, version, inputs, key)(again)
    assert (done.version, done.replayed) == (version + 1, True)
    assert value(conn, "SELECT count(*) FROM event WHERE action = %s", action) == 1
    assert value(conn, "SELECT count(*) FROM outbox WHERE seq = %s", version + 1) == 1
    if action == "receive":
        assert conn.execute("SELECT DISTINCT value FROM counter").fetchall() == [(1,)]
    assert verify(db).whole


def test_a_request_that_never_reached_the_server_is_done_by_its_retry(fresh_database, conn, who):
    case, key = factory.opened(conn, who), uuid4()
    with proxied(fresh_database.app_url) as (proxy, url), closing(Database(url, pool_size=1)) as through:
        # The statement's own text goes ahead of its values: what is cut off here was only prepared.
        proxy.eat(b"UPDATE cases SET")
        with pytest.raises(psycopg.OperationalError), through.connection() as lost:
            acting(who.municipality, case, "submit", 0, {}, key)(lost)
        assert factory.version(conn, case) == 0
        with through.connection() as again:
            done = acting(who.municipality, case, "submit", 0, {}, key)(again)
    assert (done.version, done.replayed) == (1, False)


# ── processes that die ──────────────────────────────────────────────────────────────────────────────────────────────

WORKER = """
import json, sys
from uuid import uuid4
from workflow import cases
from workflow.db import Database
url, person, case, form = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), json.loads(sys.argv[4])
with Database(url, pool_size=1).connection() as conn:
    version = cases.look(conn, person, case).version
    while True:
        key = uuid4()
        print("try", version, key, flush=True)
        version = cases.act(conn, person, case, "propose_team", version=version, key=key, form=form).version
        print("done", version, key, flush=True)
"""


def test_what_a_killed_process_had_acknowledged_is_there_and_what_it_tried_is_done_once(fresh_database, conn, who, db):
    """kill -9 in mid-act, five times: every answer given stands, and the last request sent again is one act."""
    dice = random.Random(20261122)
    running = []
    for _ in range(5):
        case = factory.opened(conn, who)
        factory.drive(conn, who, case, "submit", "receive")
        form = factory.team(conn, who, case, people=(factory.person(conn, "staff", who.office),))
        told = [fresh_database.app_url, str(who.bureau), str(case), json.dumps(form)]
        worker = subprocess.Popen(
            [sys.executable, "-c", WORKER, *told], stdout=subprocess.PIPE, text=True, cwd=Path(cases.__file__).parent.parent,
        )  # fmt: skip
        running.append((case, form, worker))
    for case, form, worker in running:
        assert worker.stdout is not None
        lines = [worker.stdout.readline() for _ in range(7)]
        time.sleep(dice.uniform(0, 0.1))
        worker.send_signal(signal.SIGKILL)
        rest = worker.stdout.read()
        worker.wait()
        worker.stdout.close()
        said = [line.split() for line in ("".join(lines) + rest).splitlines() if len(line.split()) == 3]
        done = [int(version) for verb, version, _ in said if verb == "done"]
        assert done == list(range(3, 3 + len(done)))
        version, last = factory.version(conn, case), max(done, default=2)
        assert version in (last, last + 1)
        assert value(conn, "SELECT max(seq) FROM event WHERE case_id = %s", case) == version
        tried = [(int(number), key) for verb, number, key in said if verb == "try"]
        before, key = tried[-1][0], UUID(tried[-1][1])
        again = cases.act(conn, who.bureau, case, "propose_team", version=before, key=key, form=form)
        assert again.version == before + 1
        assert again.replayed == (version == before + 1)
        assert value(conn, "SELECT count(*) FROM event WHERE case_id = %s AND seq > %s", case, before) == 1
    assert verify(db).whole
