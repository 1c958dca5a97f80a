"""A host with a wrong clock and another time zone changes no deadline: the day ends at 24:00 in Tokyo, by the database."""

import time
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine

from tests import factory
from workflow import cases, extending, watch
from workflow.deadlines import TOKYO, due_day, end_of


@pytest.fixture(params=["America/New_York", "Pacific/Kiritimati"])
def elsewhere(request, monkeypatch):
    """The application's host lives there, and its clock is three years slow."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def deadlines_of(conn: Any, case: int) -> list[tuple[str, datetime]]:
    rows = conn.execute("SELECT kind, due_at FROM deadline WHERE case_id = %s ORDER BY id", (case,)).fetchall()
    return [(kind, due) for kind, due in rows]


def test_no_deadline_is_another(elsewhere, fresh_database, db, conn, who):
    late = datetime(2026, 10, 5, 23, 59, 30, tzinfo=TOKYO)  # in New York it is the morning, on Kiritimati the day after
    factory.set_clock(fresh_database.owner_url, late)
    with time_machine.travel(datetime(2023, 2, 28, 23, 30, tzinfo=TOKYO), tick=True):
        assert cases.today(conn) == date(2026, 10, 5)
        case = factory.opened(conn, who, first=date(2026, 11, 16))
        factory.drive(conn, who, case, "submit")
        assert deadlines_of(conn, case) == [("receive", end_of(date(2026, 10, 7)))]
        due = cases.look(conn, who.bureau, case).deadlines[0]["due_at"]
        assert due == datetime(2026, 10, 8, tzinfo=TOKYO)
        assert due_day(due) == date(2026, 10, 7)
        version = factory.version(conn, case)
        extending.extend(conn, who.bureau, case, "receive", "R8.10.9", "停電", version=version, key=uuid4())
        assert deadlines_of(conn, case)[-1] == ("receive", end_of(date(2026, 10, 9)))


def test_a_deadline_passes_at_midnight_in_tokyo_and_not_before(elsewhere, fresh_database, db, conn, who):
    factory.set_clock(fresh_database.owner_url, datetime(2026, 10, 5, 12, tzinfo=TOKYO))
    case = factory.opened(conn, who, first=date(2026, 10, 13), days=1)
    factory.drive(conn, who, case, "submit", "receive", "propose_team", "put_to_director", "approve")
    begins = datetime(2026, 10, 13, tzinfo=TOKYO)
    with time_machine.travel(datetime(2030, 1, 1, tzinfo=TOKYO), tick=True):
        factory.set_clock(fresh_database.owner_url, begins - timedelta(seconds=20))
        assert watch.move(db) == 0
        factory.set_clock(fresh_database.owner_url, begins + timedelta(seconds=1))
        assert watch.move(db) == 1
