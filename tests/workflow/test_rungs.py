"""When reminders come is settled by process, by kind of deadline, and from a day on; a moved deadline reminds again."""

from datetime import date, timedelta

import pytest

from states import catalogue
from tests.factory import HEADQUARTERS, Cast, drive, opened, person, reader
from tests.workflow.conftest import MONDAY, Clock
from workflow import outbox, rungs, watch
from workflow.db import Database, type_connection
from workflow.loading import NotFound

pytestmark = pytest.mark.usefixtures("clock")
REPLY = "dispatch:reply"


def received(conn: type_connection, who: Cast) -> int:
    """A case that is to be answered by 17 November."""
    case = opened(conn, who, first=date(2026, 12, 1))
    drive(conn, who, case, "submit", "receive")
    return case


def reminded(db: Database, conn: type_connection, clock: Clock, last: date) -> list[tuple[date, int]]:
    """Every day up to the last one: on which of them which rung reminded."""
    found = []
    for day in (MONDAY + timedelta(days=n) for n in range((last - MONDAY).days + 1)):
        clock.at(day)
        if watch.remind(db):
            row = conn.execute("SELECT rung FROM reminder ORDER BY id DESC LIMIT 1").fetchone()
            assert row is not None
            found.append((day, row[0]))
    return found


def test_a_process_declares_its_rungs() -> None:
    for process in catalogue.newest().values():
        for due in process.deadlines:
            assert rungs.declared(process.key, process.version, due.kind) == tuple(sorted(due.rungs))
            assert all(rungs.FIRST <= rung <= rungs.LAST for rung in due.rungs)


def test_the_administrator_settles_other_days_from_a_day_on(
    db: Database, conn: type_connection, who: Cast, clock: Clock
) -> None:
    administrator = reader(conn, person(conn, "administrator", HEADQUARTERS))
    rungs.settle(conn, administrator, REPLY, typed="－2、0 10", since="R8.11.12")
    received(conn, who)
    assert reminded(db, conn, clock, date(2026, 12, 4)) == [
        (date(2026, 11, 10), -5),  # still as the process declares it
        (date(2026, 11, 13), -2),
        (date(2026, 11, 17), 0),
        (date(2026, 12, 2), 10),
    ]
    outbox.deliver(db)
    told = conn.execute("SELECT count(*) FROM message WHERE person_id = %s", (who.director,)).fetchone()
    assert told == (1,)  # what is late by ten days is told to the post above as well
    (line,) = [row for row in rungs.listed(conn, administrator) if row["code"] == REPLY]
    assert line["rungs"] == (-2, 0, 10)
    rungs.settle(conn, administrator, REPLY, typed="", since="R8.12.7")
    clock.at(date(2026, 12, 7))
    (line,) = [row for row in rungs.listed(conn, administrator) if row["code"] == REPLY]
    assert line["rungs"] == (-5, -1, 0, 3, 7)


@pytest.mark.parametrize(
    ("typed", "since", "field"),
    [("五日前", "R8.11.12", "rungs"), ("-16", "R8.11.12", "rungs"), ("1 2 3 4 5 6 7 8 9 10 11", "R8.11.12", "rungs"),
     ("3", "R8.11.1", "since"), ("3", "", "since"), ("3", "いつか", "since")],
)  # fmt: skip
def test_what_cannot_be_settled_says_why_and_changes_nothing(
    conn: type_connection, clock: Clock, typed: str, since: str, field: str
) -> None:
    administrator = reader(conn, person(conn, "administrator", HEADQUARTERS))
    with pytest.raises(rungs.NotSettled, match="何も変えていません") as refused:
        rungs.settle(conn, administrator, REPLY, typed=typed, since=since)
    assert refused.value.field == field
    assert conn.execute("SELECT count(*) FROM rung_setting").fetchone() == (0,)


def test_nobody_else_settles_them(conn: type_connection, clock: Clock, who: Cast) -> None:
    with pytest.raises(NotFound):
        rungs.settle(conn, reader(conn, who.bureau), REPLY, typed="3", since="R8.11.12")


def test_a_moved_deadline_reminds_again(db: Database, conn: type_connection, who: Cast, clock: Clock) -> None:
    received(conn, who)
    clock.at(date(2026, 11, 17))
    assert watch.remind(db) == 1  # rung 0
    outbox.deliver(db)
    # Moved by a week, whether in its own row or in a new one.
    conn.execute("UPDATE deadline SET due_at = due_at + interval '7 days' WHERE kind = 'reply'")
    conn.execute("UPDATE step SET due_at = due_at + interval '7 days'")
    assert watch.remind(db) == 0  # the move itself was told today
    clock.at(date(2026, 11, 20))
    assert watch.remind(db) == 1  # the business day before the new date
    clock.at(date(2026, 11, 24))
    assert watch.remind(db) == 1
    assert watch.remind(db) == 0
    outbox.deliver(db)
    text = "SELECT o.payload ->> 'rung', count(m.id) FROM outbox o JOIN message m ON m.outbox_id = o.id WHERE o.kind LIKE 'reminder:%' GROUP BY o.id ORDER BY o.id"
    assert conn.execute(text).fetchall() == [("0", 2), ("-1", 2), ("0", 2)]


def test_escalation_goes_to_the_post_above(db: Database, conn: type_connection, who: Cast, clock: Clock) -> None:
    received(conn, who)
    for day in (date(2026, 11, 20), date(2026, 11, 27)):
        clock.at(day)
        assert watch.remind(db) == 1
        outbox.deliver(db)
        told = conn.execute("SELECT count(*) FROM message WHERE person_id = %s", (who.director,)).fetchone()
        assert told == (1 if day.day == 27 else 0,)  # by the post: whoever is director on that day
