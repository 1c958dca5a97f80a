"""The ladder of reminders under time that jumps: whatever is done between, each rung that was reached reminds once.

A Hypothesis state machine opens, answers, returns and withdraws cases, lets hours and weeks pass and looks one to three
times at once; what was reminded is held against days counted one by one.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, time, timedelta

import jpholiday
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests import factory
from tests.conftest import Database as Urls
from workflow import cases, watch
from workflow.db import Database
from workflow.deadlines import TOKYO

pytestmark = pytest.mark.timeout(300)

RUNGS = (-5, -1, 0, 3, 7)
CATCH_UP = 3
BEGINNING = datetime(2026, 10, 13, 9, tzinfo=TOKYO)  # holidays, the turn of the year and of the fiscal year lie ahead


def works(day: date) -> bool:
    closed = (day.month, day.day) in {(12, 29), (12, 30), (12, 31), (1, 1), (1, 2), (1, 3)}
    return day.weekday() < 5 and not closed and not jpholiday.is_holiday(day)


def away(start: date, days: int) -> date:
    """So many business days after a day; the next one that is worked on for 0."""
    step = timedelta(days=-1 if days < 0 else 1)
    day = start
    while days == 0 and not works(day):
        day += step
    for _ in range(abs(days)):
        day += step
        while not works(day):
            day += step
    return day


def due_today(due: date, opened: date, today: date) -> int | None:
    """The rung that is to remind today of a deadline that opened on that day: the last one reached, if not long ago."""
    reached = [(away(due, rung), rung) for rung in RUNGS if away(due, rung) <= today]
    if not works(today) or not reached:
        return None
    day, rung = reached[-1]
    since, passed = day, 0
    while since < today:
        since += timedelta(days=1)
        passed += works(since)
    return rung if passed <= CATCH_UP and opened < day else None


class Ladder(RuleBasedStateMachine):
    db: Database
    urls: Urls
    who: factory.Cast

    def __init__(self) -> None:
        super().__init__()
        self.held = self.db.connection()
        self.conn = self.held.__enter__()
        self.cases: list[int] = []  # all of this ladder
        self.expected: set[tuple[int, int, datetime]] = set()

    def teardown(self) -> None:
        self.held.__exit__(None, None, None)

    @initialize(received=st.booleans())
    def begin(self, received: bool) -> None:
        # What earlier ladders left open is not ours.
        self.conn.execute("UPDATE deadline SET closed_at = clock_now() WHERE closed_at IS NULL")
        self.tell(BEGINNING)
        self.a_case_comes(received)

    def tell(self, now: datetime) -> None:
        self.now = now
        factory.set_clock(self.urls.owner_url, now)

    @rule(far=st.sampled_from([1, 7, 24, 30, 72, 24 * 7, 24 * 30]))
    def hours_pass(self, far: int) -> None:
        self.tell(self.now + timedelta(hours=far))

    @rule(data=st.data(), rung=st.sampled_from(RUNGS), hour=st.sampled_from([0, 9, 23]))
    def a_rungs_day_comes(self, data: st.DataObject, rung: int, hour: int) -> None:
        rows = self.conn.execute("SELECT due_at FROM deadline WHERE closed_at IS NULL AND move = ''").fetchall()
        if rows:
            (due_at,) = data.draw(st.sampled_from(rows))
            due = (due_at - timedelta(microseconds=1)).astimezone(TOKYO).date()
            then = datetime.combine(away(due, rung), time(hour), TOKYO)
            if self.now < then:
                self.tell(then)
                self.look(1)

    @rule(received=st.booleans())
    def another_comes(self, received: bool) -> None:
        self.a_case_comes(received)

    def a_case_comes(self, received: bool) -> None:
        if len(self.cases) < 4:
            case = factory.opened(self.conn, self.who, first=self.now.date() + timedelta(days=200))
            factory.drive(self.conn, self.who, case, "submit", *(["receive"] if received else []))
            self.cases.append(case)

    @rule(data=st.data(), action=st.sampled_from(["receive", "ask_correction", "resubmit", "withdraw"]))
    def somebody_acts(self, data: st.DataObject, action: str) -> None:
        if self.cases:
            case = data.draw(st.sampled_from(self.cases))
            by = self.who.municipality if action in ("withdraw", "resubmit") else self.who.bureau
            offers = cases.look(self.conn, by, case).offers
            if any(offer.action.name == action and offer.allowed for offer in offers):
                factory.drive(self.conn, self.who, case, (action, {"by": by}))

    @rule(schedulers=st.integers(1, 3))
    def schedulers_look(self, schedulers: int) -> None:
        self.look(schedulers)

    def look(self, schedulers: int) -> None:
        """So many at once make what is due, and nothing else."""
        today = self.now.date()
        open_ones = self.conn.execute(
            "SELECT id, due_at, opened_at FROM deadline WHERE closed_at IS NULL AND move = ''"
        ).fetchall()
        new = set()
        for number, due_at, opened_at in open_ones:
            due = (due_at - timedelta(microseconds=1)).astimezone(TOKYO).date()
            rung = due_today(due, opened_at.astimezone(TOKYO).date(), today)
            if rung is not None and (number, rung, due_at) not in self.expected:
                new.add((number, rung, due_at))
        if schedulers == 1:
            made = watch.remind(self.db)
        else:
            with ThreadPoolExecutor(schedulers) as pool:
                made = sum(pool.map(lambda _: watch.remind(self.db), range(schedulers)))
        assert made == len(new)
        self.expected |= new

    @invariant()
    def each_rung_once(self) -> None:
        text = """SELECT r.deadline_id, r.rung, r.due_at FROM reminder r JOIN deadline d ON d.id = r.deadline_id
          WHERE d.case_id = ANY (%s)"""
        rows = self.conn.execute(text, (self.cases,)).fetchall()
        assert len(rows) == len(self.expected)
        assert set(rows) == self.expected


def test_whenever_somebody_looks_each_rung_reminds_once(db: Database, who: factory.Cast, fresh_database: Urls) -> None:
    around = {"db": db, "urls": fresh_database, "who": who}
    run_state_machine_as_test(
        type("OneLadder", (Ladder,), around),
        settings=settings(
            max_examples=80, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
    with db.connection() as conn:
        rungs = {row[0] for row in conn.execute("SELECT DISTINCT rung FROM reminder").fetchall()}
    assert rungs == set(RUNGS)
