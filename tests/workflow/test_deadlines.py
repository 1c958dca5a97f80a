"""Deadlines count business days of the leading office, end at midnight in Tokyo, and pause while the ball is elsewhere."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from states.calendar import Calendar
from states.places import Directory
from states.terms import Deadline, Facts
from tests import factory
from workflow import cases, deadlines
from workflow.deadlines import FAR, Standing, due_day, end_of, local_day, plan, start_of

TOKYO = ZoneInfo("Asia/Tokyo")
A, B, C = frozenset({"a"}), frozenset({"b"}), frozenset({"c"})
MONDAY = date(2026, 10, 5)  # 12 October is a holiday


# ── days ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_day_ends_at_midnight_in_tokyo_and_a_move_belongs_to_the_day_before():
    assert end_of(MONDAY) == datetime(2026, 10, 5, 15, tzinfo=UTC)
    assert start_of(MONDAY) == datetime(2026, 10, 4, 15, tzinfo=UTC)
    assert due_day(end_of(MONDAY)) == MONDAY
    assert due_day(start_of(MONDAY)) == MONDAY - timedelta(1)
    assert local_day(datetime(2026, 10, 5, 14, 59, 59, tzinfo=UTC)) == MONDAY
    assert local_day(datetime(2026, 10, 5, 15, tzinfo=UTC)) == MONDAY + timedelta(1)


# ── the plan ────────────────────────────────────────────────────────────────────────────────────────────────────────


def facts(state: str, today: date = MONDAY, form: Any = None) -> Facts:
    return Facts(state, form or {}, None, today, Directory.from_csv(), Calendar())


def stands(kind: str, due: date, *, is_open: bool = True, left: int | None = None, number: int = 7) -> Standing:
    return Standing(number, kind, end_of(due), is_open, left)


def test_a_deadline_starts_on_entering_its_state_and_ends_on_leaving_it():
    declared = [Deadline("d", "期限", "x", A | B, 3)]
    entering = plan(declared, "go", "", facts("a"), [])
    assert entering.open == (("d", "x", "", end_of(date(2026, 10, 8))),)
    staying = plan(declared, "go", "a", facts("b"), [stands("d", date(2026, 10, 8))])
    assert (staying.open, staying.close) == ((), ())
    assert staying.due == {"d": end_of(date(2026, 10, 8))}
    leaving = plan(declared, "go", "b", facts("c"), [stands("d", date(2026, 10, 8))])
    assert (leaving.open, leaving.close, leaving.due) == ((), ((7, None),), {})


def test_a_deadline_started_by_an_act_waits_for_it_and_starts_anew_with_it():
    declared = [Deadline("d", "期限", "x", A, 2, starts=frozenset({"ask"}), ends=frozenset({"answer"}))]
    assert plan(declared, "go", "", facts("a"), []).open == ()
    assert plan(declared, "ask", "a", facts("a"), []).open == (("d", "x", "", end_of(date(2026, 10, 7))),)
    again = plan(declared, "ask", "a", facts("a", date(2026, 10, 7)), [stands("d", date(2026, 10, 7))])
    assert (again.close, again.open) == (((7, None),), (("d", "x", "", end_of(date(2026, 10, 9))),))
    assert plan(declared, "answer", "a", facts("a"), [stands("d", date(2026, 10, 7))]).close == ((7, None),)


def test_a_pause_keeps_the_days_that_were_left():
    declared = [Deadline("d", "期限", "x", A, 10, starts=frozenset({"ask"}), pauses=B)]
    pausing = plan(declared, "go", "a", facts("b", date(2026, 10, 8)), [stands("d", date(2026, 10, 20))])
    assert pausing.close == ((7, 7),)  # 9, 13 … 16, 19, 20
    back = plan(
        declared, "go", "b", facts("a", date(2026, 10, 15)), [stands("d", date(2026, 10, 20), is_open=False, left=7)]
    )
    assert back.open == (("d", "x", "", end_of(date(2026, 10, 26))),)
    late = plan(
        declared, "go", "b", facts("a", date(2026, 10, 15)), [stands("d", date(2026, 10, 1), is_open=False, left=-3)]
    )
    assert late.open == (("d", "x", "", end_of(date(2026, 10, 16))),), "what was late has at least one day more"
    twice = [
        stands("d", date(2026, 10, 1), is_open=False, left=8),
        stands("d", date(2026, 10, 9), is_open=False, left=2, number=8),
    ]
    assert plan(declared, "go", "b", facts("a", date(2026, 10, 15)), twice).open == (
        ("d", "x", "", end_of(date(2026, 10, 19))),
    )
    nowhere = plan(declared, "go", "c", facts("a"), [stands("d", MONDAY, is_open=False, left=7)])
    assert nowhere.open == ()


def test_a_dated_deadline_moves_with_its_date():
    declared = [Deadline("d", "期限", "x", A, at=lambda f: f.form.get("day"))]
    day = date(2026, 10, 20)
    assert plan(declared, "go", "", facts("a", form={"day": day}), []).open == (("d", "x", "", end_of(day)),)
    same = plan(declared, "go", "a", facts("a", form={"day": day}), [stands("d", day)])
    assert (same.open, same.close) == ((), ())
    moved = plan(declared, "go", "a", facts("a", form={"day": day + timedelta(1)}), [stands("d", day)])
    assert (moved.close, moved.open) == (((7, None),), (("d", "x", "", end_of(day + timedelta(1))),))
    assert plan(declared, "go", "a", facts("a"), [stands("d", day)]).close == ((7, None),)


def test_a_move_is_due_when_its_day_begins():
    declared = [Deadline("d", "期限", "x", A, at=lambda f: MONDAY, move="go")]
    assert plan(declared, "in", "", facts("a"), []).open == (("d", "x", "go", start_of(MONDAY)),)


# ── on real cases ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def at(fresh_database: Any) -> Any:
    """Shift the database's clock to noon of a day in October 2026 (or any moment)."""

    def shift(day: int | datetime) -> None:
        when = day if isinstance(day, datetime) else datetime(2026, 10, day, 12, tzinfo=TOKYO)
        factory.set_clock(fresh_database.owner_url, when)

    shift(5)
    return shift


def running(conn, case: int) -> dict[str, date]:
    rows = conn.execute(
        "SELECT kind, due_at FROM deadline WHERE case_id = %s AND closed_at IS NULL", (case,)
    ).fetchall()
    return {kind: due_day(due) for kind, due in rows}


def october(day: int) -> date:
    return date(2026, 10, day)


def test_the_reply_clock_stops_for_the_municipality_and_not_for_holding(at, conn, who):
    case = factory.opened(conn, who, first=date(2026, 11, 9))
    factory.drive(conn, who, case, "submit")
    assert running(conn, case) == {"receive": october(7)}
    at(6)
    factory.drive(conn, who, case, "receive")
    assert running(conn, case) == {"reply": october(21)}
    at(8)
    factory.drive(conn, who, case, "ask_correction")
    assert running(conn, case) == {"correction": october(16)}
    assert conn.execute("SELECT left_days FROM deadline WHERE kind = 'reply'").fetchone() == (8,)
    at(15)
    factory.drive(conn, who, case, "resubmit", "propose_team", "put_to_director")
    assert running(conn, case) == {"reply": october(27), "judgement": october(20)}
    factory.drive(conn, who, case, "hold")
    held = running(conn, case)
    assert held["reply"] == october(27)
    assert set(held) == {"reply", "review"}
    factory.drive(conn, who, case, "approve")
    assert running(conn, case) == {"begin": date(2026, 11, 8)}


def test_the_inbox_asks_by_the_deadline_of_the_desk(at, conn, who):
    case = factory.opened(conn, who, first=date(2026, 11, 9))
    factory.drive(conn, who, case, "submit")
    asked = "SELECT org_code, role, ask, due_at FROM step WHERE closed_at IS NULL"
    assert conn.execute(asked).fetchall() == [(who.office, "bureau", "収受する", end_of(october(7)))]
    factory.drive(conn, who, case, "receive", "ask_correction")
    assert conn.execute(asked).fetchall() == [(who.place, "municipality", "補正して出し直す", end_of(october(13)))]
    factory.drive(conn, who, case, "resubmit", "propose_team", "put_to_director", "approve")
    assert conn.execute(asked).fetchall() == []


def test_an_office_closed_for_a_day_has_a_day_more(at, conn, who, owner):
    owner.execute(
        "INSERT INTO closure (day, office, reason) VALUES ('2026-10-06', %s, '停電'), ('2026-10-07', 'hk-soya', '停電')",
        (who.office,),
    )
    case = factory.opened(conn, who, first=date(2026, 11, 9))
    factory.drive(conn, who, case, "submit")
    assert running(conn, case) == {"receive": october(8)}
    owner.execute("INSERT INTO closure (day, office, reason) VALUES ('2026-10-08', NULL, '臨時')")
    other = factory.opened(conn, who, first=date(2026, 11, 9))
    factory.drive(conn, who, other, "submit")
    assert running(conn, other) == {"receive": october(9)}
    assert deadlines.calendar(conn, "hk-soya").is_business_day(october(6))


def test_what_is_done_late_in_the_evening_counts_from_that_day(at, conn, who):
    at(datetime(2026, 10, 5, 23, 59, 30, tzinfo=TOKYO))
    case = factory.opened(conn, who, first=date(2026, 11, 9))
    factory.drive(conn, who, case, "submit")
    assert running(conn, case) == {"receive": october(7)}
    at(datetime(2026, 10, 6, 0, 0, 1, tzinfo=TOKYO))
    other = factory.opened(conn, who, first=date(2026, 11, 9))
    factory.drive(conn, who, other, "submit")
    assert running(conn, other) == {"receive": october(8)}


def test_the_clock_begins_and_ends_a_dispatch_and_the_reports_are_due(at, conn, who):
    case = factory.opened(conn, who, first=october(13), days=3)
    factory.drive(conn, who, case, "submit", "receive", "propose_team", "put_to_director", "approve")
    row = conn.execute("SELECT move, due_at FROM deadline WHERE closed_at IS NULL").fetchone()
    assert row == ("begin", start_of(october(13)))
    at(datetime(2026, 10, 13, 0, 0, 5, tzinfo=TOKYO))
    done = cases.act_by_clock(conn, case, "begin")
    assert done is not None
    assert done.state == "dispatched"
    row = conn.execute("SELECT move, due_at FROM deadline WHERE closed_at IS NULL").fetchone()
    assert row == ("end", start_of(october(16)))
    at(16)
    cases.act_by_clock(conn, case, "end")
    assert running(conn, case) == {"trip_report": october(23), "result": october(30)}
    asked = conn.execute("SELECT role, person_id FROM step WHERE closed_at IS NULL ORDER BY person_id").fetchall()
    assert asked == [("staff", who.staff), ("staff", who.staff_colleague), ("bureau", None)]
    factory.drive(conn, who, case, "file_result", "file_trip_report", ("file_trip_report", {"by": who.staff_colleague}))
    assert running(conn, case) == {"evaluation": october(30)}
    assert conn.execute("SELECT role FROM step WHERE closed_at IS NULL").fetchall() == [("municipality",)]
    factory.drive(conn, who, case, "evaluate")
    assert running(conn, case) == {}
    assert conn.execute("SELECT count(*) FROM step WHERE closed_at IS NULL").fetchone() == (0,)


def test_an_item_without_a_deadline_sorts_last():
    assert datetime(9999, 1, 1, tzinfo=UTC) < FAR
