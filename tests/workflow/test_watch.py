"""What the clock does: reminders by rung, moves when their day has come, both once however often it looks."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest

from states import catalogue
from states.calendar import Calendar
from tests import factory
from tests.factory import Cast, drive, opened
from tests.workflow.conftest import MONDAY, Clock
from workflow import cases, outbox, watch
from workflow.access import OUTSIDE
from workflow.db import Database, type_connection

pytestmark = pytest.mark.usefixtures("clock")


# ── which rung ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("today", "rung"),
    [
        ("2026-11-06", None),  # six business days before
        ("2026-11-09", -5),
        ("2026-11-10", -5),  # a night missed is caught up …
        ("2026-11-12", -5),
        ("2026-11-13", -1),  # … and gives way to the next rung
        ("2026-11-14", None),  # nobody works on a Saturday
        ("2026-11-16", 0),
        ("2026-11-18", 0),
        ("2026-11-19", 3),
        ("2026-11-24", 3),  # Monday 23rd is a holiday: two business days later
        ("2026-11-26", 7),
        ("2026-12-01", 7),
        ("2026-12-02", None),  # too long ago
    ],
)
def test_the_rung_of_a_day(today: str, rung: int | None) -> None:
    found = watch.reached(Calendar(), date(2026, 11, 16), date.fromisoformat(today))
    assert (found[0] if found else None) == rung


def test_closures_of_the_office_move_the_rungs() -> None:
    due, closed = date(2026, 11, 16), Calendar(frozenset({date(2026, 11, 13)}))
    assert watch.reached(closed, due, date(2026, 11, 12)) == (-1, date(2026, 11, 12))
    assert watch.reached(closed, due, date(2026, 11, 13)) is None


def test_a_due_day_on_which_nobody_works_is_announced_before() -> None:
    sunday = date(2026, 11, 15)
    assert watch.reached(Calendar(), sunday, date(2026, 11, 13)) == (-1, date(2026, 11, 13))
    assert watch.reached(Calendar(), sunday, date(2026, 11, 16)) == (0, date(2026, 11, 16))


# ── reminders ───────────────────────────────────────────────────────────────────────────────────────────────────────


def received(conn: type_connection, who: Cast) -> int:
    """A case that the bureau is to answer within ten business days: by 17 November."""
    case = opened(conn, who, first=date(2026, 12, 1))
    drive(conn, who, case, "submit", "receive")
    return case


def rungs(conn: type_connection) -> list[tuple[str, int]]:
    text = "SELECT d.kind, r.rung FROM reminder r JOIN deadline d ON d.id = r.deadline_id ORDER BY r.id"
    return [(row[0], row[1]) for row in conn.execute(text).fetchall()]


def reminded(conn: type_connection) -> dict[int, str]:
    """Person → subject of the mails that the last reminder brought."""
    text = """SELECT m.person_id, m.subject FROM message m WHERE m.outbox_id = (SELECT max(id) FROM outbox WHERE kind LIKE 'reminder:%')"""
    return {row[0]: row[1] for row in conn.execute(text).fetchall()}


def look(db: Database) -> int:
    """One tick, and what it brings about; its mails are due at once."""
    made = watch.remind(db)
    with db.connection() as conn:
        conn.execute("UPDATE outbox SET next_at = now() WHERE done_at IS NULL")
    outbox.deliver(db)
    return made


def test_each_rung_reminds_once_and_the_last_one_the_director(
    db: Database, conn: type_connection, who: Cast, clock: Clock
) -> None:
    received(conn, who)
    office = {who.bureau, who.bureau_colleague}
    expected = {
        date(2026, 11, 10): (-5, office, "あと5営業日"),
        date(2026, 11, 16): (-1, office, "あと1営業日"),
        date(2026, 11, 17): (0, office, "今日まで"),
        date(2026, 11, 20): (3, office, "期限を過ぎています"),
        date(2026, 11, 27): (7, office | {who.director}, "期限を過ぎています"),
    }
    for day in (MONDAY + timedelta(days=n) for n in range(40)):
        clock.at(day)
        made = look(db)
        assert look(db) == 0
        assert made == (1 if day in expected else 0), day
        if day in expected:
            rung, people, words = expected[day]
            assert rungs(conn)[-1] == ("reply", rung)
            assert set(reminded(conn)) == people
            assert all(words in subject and "上川-R8-001 美瑛町" in subject for subject in reminded(conn).values())
            assert ("検討して判断を求める" in reminded(conn).get(who.director, "")) is False
    assert len(rungs(conn)) == 5


def test_nights_missed_are_caught_up_and_not_multiplied(
    db: Database, conn: type_connection, who: Cast, clock: Clock
) -> None:
    received(conn, who)
    clock.at(date(2026, 11, 19))  # −5, −1 and 0 have passed unseen
    assert look(db) == 1
    assert rungs(conn) == [("reply", 0)]
    clock.at(date(2027, 1, 20))
    assert look(db) == 0


def test_many_schedulers_make_one_reminder(db: Database, conn: type_connection, who: Cast, clock: Clock) -> None:
    for _ in range(10):
        received(conn, who)
    clock.at(date(2026, 11, 10))
    with ThreadPoolExecutor(6) as pool:
        made = sum(pool.map(lambda _: watch.remind(db), range(12)))
    assert made == 10
    assert len(rungs(conn)) == 10
    assert conn.execute("SELECT count(*) FROM outbox WHERE kind LIKE 'reminder:%'").fetchone() == (10,)


def test_a_deadline_that_has_just_opened_was_told_of_by_its_notice(
    db: Database, conn: type_connection, who: Cast, clock: Clock
) -> None:
    case = opened(conn, who)
    drive(conn, who, case, "submit")  # to be received within two business days: by the 5th
    assert look(db) == 0
    clock.at(date(2026, 11, 4))
    assert look(db) == 1
    assert rungs(conn) == [("receive", -1)]


def test_done_work_reminds_nobody(db: Database, conn: type_connection, who: Cast, clock: Clock) -> None:
    case = received(conn, who)
    outbox.deliver(db)
    clock.at(date(2026, 11, 10), hour=1)
    assert watch.remind(db) == 1
    drive(conn, who, case, ("withdraw", {"by": who.municipality}))
    conn.execute("UPDATE outbox SET next_at = now() WHERE done_at IS NULL")
    outbox.deliver(db)
    assert reminded(conn) == {}
    assert conn.execute("SELECT count(*) FROM outbox WHERE done_at IS NULL").fetchone() == (0,)
    clock.at(date(2026, 11, 17))
    assert look(db) == 0


def test_a_date_that_no_inbox_carries_still_reminds_its_holder(
    db: Database, conn: type_connection, who: Cast, clock: Clock
) -> None:
    case = received(conn, who)
    drive(conn, who, case, "propose_team", "put_to_director")
    clock.at(date(2026, 11, 6))
    look(db)
    assert (rungs(conn)[-1], set(reminded(conn))) == (("judgement", 0), {who.director})
    # The answer to the town, which the office owes, is on nobody's list meanwhile.
    clock.at(date(2026, 11, 10))
    look(db)
    assert rungs(conn)[-1] == ("reply", -5)
    assert set(reminded(conn)) == {who.bureau, who.bureau_colleague}


def test_a_paused_date_reminds_nobody(db: Database, conn: type_connection, who: Cast, clock: Clock) -> None:
    case = received(conn, who)
    drive(conn, who, case, "ask_correction")  # the town has five business days: by the 10th
    clock.at(date(2026, 11, 10))
    assert look(db) == 1
    assert rungs(conn) == [("correction", 0)]
    assert set(reminded(conn)) == {who.municipality, who.municipality_colleague}


def test_no_mail_before_the_morning(db: Database, conn: type_connection, who: Cast, clock: Clock) -> None:
    received(conn, who)
    outbox.deliver(db)
    clock.at(date(2026, 11, 10), hour=0, minute=1)
    assert watch.remind(db) == 1
    assert outbox.deliver(db) == outbox.Delivered()
    wait = conn.execute("SELECT next_at - now() FROM outbox WHERE done_at IS NULL").fetchone()
    assert wait is not None
    assert timedelta(hours=8) < wait[0] < timedelta(hours=8, minutes=30)


def test_closures_are_read_from_the_database(db: Database, conn: type_connection, who: Cast, clock: Clock) -> None:
    received(conn, who)
    conn.execute(
        "INSERT INTO closure (day, office) VALUES ('2026-11-16', %s), ('2026-11-13', 'hk-sorachi')", (who.office,)
    )
    clock.at(date(2026, 11, 13))
    assert look(db) == 1
    assert rungs(conn) == [("reply", -1)]


# ── moves ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def approved(conn: type_connection, who: Cast, *, consent: str = "課長 了承") -> int:
    """A case whose staff go from 10 to 12 November."""
    case = opened(conn, who, first=date(2026, 11, 10))
    drive(conn, who, case, "submit", "receive")
    team = factory.team(conn, who, case)
    for member in team["team"]["members"]:
        member["consent"] = consent
    drive(conn, who, case, ("propose_team", {"form": team}), "put_to_director", "approve")
    return case


def state(conn: type_connection, case: int) -> Any:
    found = conn.execute("SELECT state FROM cases WHERE id = %s", (case,)).fetchone()
    return found[0] if found else None


def sentences(conn: type_connection) -> list[str]:
    return [row[0] for row in conn.execute("SELECT sentence FROM attention WHERE kind = 'clock' AND closed_at IS NULL")]


def test_a_case_begins_and_ends_at_midnight(db: Database, conn: type_connection, who: Cast, clock: Clock) -> None:
    case = approved(conn, who)
    for day, hour, minute, expected in (
        (date(2026, 11, 9), 23, 59, "preparing"),
        (date(2026, 11, 10), 0, 0, "dispatched"),
        (date(2026, 11, 12), 23, 59, "dispatched"),
        (date(2026, 11, 13), 0, 0, "awaiting_report"),
    ):
        clock.at(day, hour, minute)
        watch.move(db)
        assert watch.move(db) == 0
        assert state(conn, case) == expected
    assert sentences(conn) == []
    actors = conn.execute(
        "SELECT action, actor, post FROM event WHERE case_id = %s AND actor = 'clock' ORDER BY seq", (case,)
    )
    assert actors.fetchall() == [("begin", "clock", "clock"), ("end", "clock", "clock")]


def test_after_a_standstill_a_case_catches_up_in_one_run(
    db: Database, conn: type_connection, who: Cast, clock: Clock
) -> None:
    case = approved(conn, who)
    clock.at(date(2026, 12, 10))
    assert watch.move(db) == 2
    assert state(conn, case) == "awaiting_report"


def test_many_clocks_make_one_move(db: Database, conn: type_connection, who: Cast, clock: Clock) -> None:
    ids = [approved(conn, who) for _ in range(5)]
    clock.at(date(2026, 11, 10))
    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(lambda _: watch.move(db), range(6))) == 5
    begun = conn.execute("SELECT case_id, count(*) FROM event WHERE action = 'begin' GROUP BY 1 ORDER BY 1").fetchall()
    assert begun == [(case, 1) for case in ids]


def test_a_move_held_back_is_seen_until_somebody_acts(
    db: Database, conn: type_connection, who: Cast, clock: Clock
) -> None:
    case = approved(conn, who, consent="")
    clock.at(date(2026, 11, 10))
    assert watch.move(db) == 0
    assert watch.move(db) == 0
    (sentence,) = sentences(conn)
    assert "所属長の承諾が残っていません" in sentence
    assert conn.execute("SELECT count(*) FROM attention").fetchone() == (1,)
    form = conn.execute("SELECT form -> 'team' FROM cases WHERE id = %s", (case,)).fetchone()
    assert form is not None
    members = [member | {"consent": "課長 了承"} for member in form[0]["members"]]
    drive(conn, who, case, ("record_consent", {"form": {"team": {"members": members}}}))
    assert sentences(conn) == []
    assert watch.move(db) == 1
    assert state(conn, case) == "dispatched"


def test_a_broken_case_stops_no_other(
    db: Database, conn: type_connection, who: Cast, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = approved(conn, who), approved(conn, who)
    clock.at(date(2026, 11, 10))
    real = cases.act_by_clock

    def act_by_clock(connection: type_connection, case_id: int, action: str) -> cases.Done | None:
        if case_id == bad:
            raise ZeroDivisionError
        return real(connection, case_id, action)

    monkeypatch.setattr(cases, "act_by_clock", act_by_clock)
    assert watch.move(db) == 1
    assert (state(conn, bad), state(conn, good)) == ("preparing", "dispatched")
    assert "管理者に連絡してください" in sentences(conn)[0]


def test_a_pulse_is_one_row(db: Database, conn: type_connection) -> None:
    watch.beat(db, "clock")
    first = conn.execute("SELECT name, beat_at FROM heartbeat").fetchall()
    watch.beat(db, "clock")
    second = conn.execute("SELECT name, beat_at FROM heartbeat").fetchall()
    assert [row[0] for row in second] == ["clock"]
    assert second[0][1] > first[0][1]


# ── late reports ────────────────────────────────────────────────────────────────────────────────────────────────────


def told_by(conn: type_connection, kind: str, rung: int) -> set[int]:
    """Who got a mail by this rung of the deadline of that kind."""
    text = """SELECT m.person_id FROM message m JOIN outbox o ON o.id = m.outbox_id
      JOIN deadline d ON o.kind = 'reminder:' || d.id || ':' || %s WHERE d.kind = %s"""
    found = [row[0] for row in conn.execute(text, (rung, kind)).fetchall()]
    assert len(found) == len(set(found)), "each once"
    return set(found)


def days_of_november(first: date, count: int) -> list[date]:
    return [first + timedelta(days=n) for n in range(count)]


def test_a_late_report_climbs_from_the_staff_to_the_desk_to_the_director(
    db: Database, conn: type_connection, who: Cast, clock: Clock
) -> None:
    case = approved(conn, who)
    clock.at(date(2026, 11, 10), 0)
    watch.move(db)
    clock.at(date(2026, 11, 13), 0)
    watch.move(db)  # it ended: reports by the 20th
    clock.at(date(2026, 11, 13))
    drive(conn, who, case, ("file_trip_report", {"by": who.staff}))
    office, municipality = {who.bureau, who.bureau_colleague}, {who.municipality, who.municipality_colleague}
    for day in days_of_november(date(2026, 11, 13), 30):
        clock.at(day)
        look(db)
        assert look(db) == 0
    late = {rung: told_by(conn, "trip_report", rung) for rung in watch.RUNGS}
    assert late == {
        -5: set(),  # it opened on that day, and its notice told of it
        -1: {who.staff_colleague}, 0: {who.staff_colleague}, 3: {who.staff_colleague} | office,
        7: {who.staff_colleague} | office | {who.director},
    }  # fmt: skip
    assert not municipality & set().union(*late.values(), *(told_by(conn, "result", rung) for rung in watch.RUNGS))
    subjects = conn.execute(
        "SELECT subject, body FROM message WHERE person_id = %s ORDER BY id DESC", (who.director,)
    ).fetchone()
    assert subjects is not None
    assert "期限を過ぎています" in subjects[0]
    assert conn.execute(
        "SELECT count(*) FROM reminder r JOIN deadline d ON d.id = r.deadline_id WHERE d.kind = 'trip_report'"
    ).fetchone() == (4,)


def test_when_every_report_is_in_its_date_reminds_nobody(
    db: Database, conn: type_connection, who: Cast, clock: Clock
) -> None:
    case = approved(conn, who)
    clock.at(date(2026, 11, 13), 1)
    assert watch.move(db) == 2
    for person in (who.staff, who.staff_colleague):
        drive(conn, who, case, ("file_trip_report", {"by": person}))
    for day in days_of_november(date(2026, 11, 13), 30):
        clock.at(day)
        look(db)
    assert {kind for kind, _ in rungs(conn)} == {"result"}  # the office still owes the result
    assert told_by(conn, "result", 0) == {who.bureau, who.bureau_colleague}


def test_nobody_outside_the_offices_is_told_of_what_is_late_inside() -> None:
    for process in catalogue.newest().values():
        for due in process.deadlines:
            assert not OUTSIDE & {role for _, role in due.escalates}, f"{process.key} {due.kind}"
