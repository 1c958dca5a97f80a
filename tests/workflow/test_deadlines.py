"""Deadlines count business days of the leading office, end at midnight in Tokyo, and pause while the ball is elsewhere."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from states.calendar import Calendar
from states.places import Directory
from states.terms import Deadline, Facts
from tests import factory
from workflow import cases, deadline_rules, deadlines, extending
from workflow.deadlines import FAR, Standing, due_day, end_of, local_day, plan, start_of
from workflow.web import offers

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


def test_a_day_of_the_year_that_has_gone_by_opens_nothing_and_what_runs_by_it_goes_on():
    declared = [
        Deadline("d", "期限", "x", A, on=((10, 1),), year_from=lambda f: date(2026, 4, 1), starts=frozenset({"ask"}))
    ]
    first = date(2026, 10, 1)
    assert plan(declared, "ask", "", facts("a", date(2026, 9, 1)), []).open == (("d", "x", "", end_of(first)),)
    assert plan(declared, "ask", "", facts("a"), []).due == {}
    late = plan(declared, "ask", "a", facts("a"), [stands("d", first)])
    assert (late.open, late.close, late.due) == ((), (), {"d": end_of(first)})
    assert plan(declared, "ask", "a", facts("a"), [stands("d", date(2026, 9, 30))]).close == ((7, None),)


def test_days_are_counted_from_the_act_where_only_the_year_is_looked_at_elsewhere():
    days = [Deadline("d", "期限", "x", A, 3, year_from=lambda f: date(2026, 4, 1))]
    assert plan(days, "go", "", facts("a"), []).due == {"d": end_of(date(2026, 10, 8))}


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
    assert running(conn, case) == {"trip_report": october(23), "result": october(30), "year_end": date(2027, 3, 10)}
    asked = conn.execute("SELECT role, person_id FROM step WHERE closed_at IS NULL ORDER BY person_id").fetchall()
    assert asked == [("staff", who.staff), ("staff", who.staff_colleague), ("bureau", None)]
    factory.drive(conn, who, case, "file_result", "file_trip_report", ("file_trip_report", {"by": who.staff_colleague}))
    assert running(conn, case) == {"evaluation": october(30)}
    assert conn.execute("SELECT role FROM step WHERE closed_at IS NULL").fetchall() == [("municipality",)]
    factory.drive(conn, who, case, "evaluate")
    assert running(conn, case) == {}
    assert conn.execute("SELECT count(*) FROM step WHERE closed_at IS NULL").fetchone() == (0,)


def reported_from(at: Any, conn: Any, who: Any, day: date) -> int:
    """A dispatch of three days whose reports are waited for since that day."""
    first = Calendar().add_business_days(day, -3)
    at(datetime(first.year, first.month, first.day, 9, tzinfo=TOKYO) - timedelta(days=40))
    case = factory.opened(conn, who, first=first)
    factory.drive(conn, who, case, "submit", "receive", "propose_team", "put_to_director", "approve")
    at(datetime(first.year, first.month, first.day, 9, tzinfo=TOKYO))
    cases.act_by_clock(conn, case, "begin")
    at(datetime(day.year, day.month, day.day, 9, tzinfo=TOKYO))
    cases.act_by_clock(conn, case, "end")
    return case


@pytest.mark.parametrize(
    ("day", "result", "year_end", "asked"),
    [
        (date(2027, 3, 5), date(2027, 3, 19), date(2027, 3, 10), date(2027, 3, 10)),
        (date(2027, 3, 12), date(2027, 3, 29), date(2027, 4, 12), date(2027, 3, 29)),
    ],
)
def test_the_bureau_reports_in_time_for_the_year_end(at, conn, who, day, result, year_end, asked):
    case = reported_from(at, conn, who, day)
    found = running(conn, case)
    assert (found["result"], found["year_end"]) == (result, year_end)
    step = conn.execute("SELECT due_at FROM step WHERE ask = '結果を報告する' AND closed_at IS NULL").fetchone()
    assert step == (end_of(asked),), "the item carries the nearer of both"
    view = cases.look(conn, who.bureau, case)
    assert "年度末報告への締切" in [line.label for line in offers.due_lines(view)]
    assert [line for line in offers.due_lines(cases.look(conn, who.municipality, case)) if "年度末" in line.label] == []
    factory.drive(conn, who, case, "file_result")
    assert running(conn, case).keys() & {"result", "year_end"} == set()


def test_of_two_deadlines_the_item_carries_what_is_the_nearer_after_one_was_moved(at, conn, who):
    case = reported_from(at, conn, who, date(2027, 3, 5))
    item = conn.execute("SELECT id FROM step WHERE ask = '結果を報告する' AND closed_at IS NULL").fetchone()
    extending.extend(
        conn,
        who.bureau,
        case,
        "year_end",
        "R9.3.24",
        "本庁の了解による。",
        version=factory.version(conn, case),
        key=uuid4(),
    )
    moved = conn.execute("SELECT id, due_at FROM step WHERE ask = '結果を報告する' AND closed_at IS NULL").fetchone()
    assert moved == (*item, end_of(date(2027, 3, 19)))
    assert running(conn, case)["year_end"] == date(2027, 3, 24)


def test_days_and_days_of_the_year_are_set_otherwise_for_an_office(at, conn, who):
    admin = factory.reader(conn, factory.person(conn, "administrator", factory.HEADQUARTERS))
    at(datetime(2026, 10, 5, 12, tzinfo=TOKYO))
    typed = {"office": who.office, "since": "R8.10.5", "reason": "要領の改正のため。", "days": "", "on": ""}
    deadline_rules.set_rule(conn, admin, typed | {"deadline": "dispatch.year_end", "on": "3/5、4/15"})
    deadline_rules.set_rule(conn, admin, typed | {"deadline": "dispatch.evaluation", "days": "3"})
    case = reported_from(at, conn, who, date(2027, 3, 9))
    assert running(conn, case)["year_end"] == date(2027, 4, 15)
    factory.drive(conn, who, case, "file_result")
    assert running(conn, case)["evaluation"] == date(2027, 3, 12)


def test_a_moved_evaluation_stays_moved_until_it_is_given(at, conn, who):
    case = reported_from(at, conn, who, date(2026, 10, 16))
    factory.drive(conn, who, case, "file_result")
    assert running(conn, case)["evaluation"] == october(30)
    extending.extend(
        conn,
        who.bureau,
        case,
        "evaluation",
        "R8.11.6",
        "災害のため。",
        version=factory.version(conn, case),
        key=uuid4(),
    )
    factory.drive(conn, who, case, "file_trip_report", ("file_trip_report", {"by": who.staff_colleague}))
    assert running(conn, case) == {"evaluation": date(2026, 11, 6)}
    factory.drive(conn, who, case, "evaluate")
    assert running(conn, case) == {}


def own_approval(conn, owner, who) -> None:
    owner.execute(
        "INSERT INTO organisation_setting (org_code, name, value, valid_from) VALUES (%s, 'own_approval', 'yes', '2026-01-01')",
        (who.place,),
    )


def test_the_town_sees_by_when_march_work_is_asked_for_while_it_holds_the_request(at, conn, owner, who):
    own_approval(conn, owner, who)
    at(datetime(2026, 12, 7, 12, tzinfo=TOKYO))
    case = factory.opened(conn, who, first=date(2027, 3, 8))
    factory.drive(conn, who, case, "ask_own_approval")
    assert running(conn, case) == {"march_request": date(2027, 2, 1)}
    assert [line.label for line in offers.due_lines(cases.look(conn, who.municipality, case))] == [
        "3月の派遣を要請する締切"
    ]
    head = factory.person(conn, "municipality_head", who.place)
    factory.drive(conn, who, case, ("approve_own", {"by": head}))
    assert "march_request" not in running(conn, case)
    factory.drive(conn, who, case, "receive", "ask_correction")
    assert running(conn, case) == {"correction": date(2026, 12, 14), "march_request": date(2027, 2, 1)}
    steps = conn.execute("SELECT role, due_at FROM step WHERE closed_at IS NULL").fetchall()
    assert steps == [("municipality", end_of(date(2026, 12, 14)))]
    assert offers.whole_case_due(cases.look(conn, who.municipality, case)) is None, "no reply is promised by it"
    at(datetime(2027, 2, 3, 12, tzinfo=TOKYO))
    factory.drive(conn, who, case, "resubmit", "ask_correction")
    assert running(conn, case) == {"correction": date(2027, 2, 10)}, (
        "it was asked for in time; the correction is another matter"
    )


def test_who_asks_for_march_work_too_late_is_told_on_the_card_and_may_go_on(at, conn, who):
    at(datetime(2027, 2, 3, 12, tzinfo=TOKYO))
    case = factory.opened(conn, who, first=date(2027, 3, 8))
    offer = next(o for o in cases.look(conn, who.municipality, case).offers if o.action.name == "submit")
    (late,) = [v.sentence for v in offer.verdicts if "3月の派遣" in v.sentence]
    assert "2月1日(月)までに要請する" in late
    assert factory.drive(conn, who, case, "submit").state == "municipal_request"


def test_an_item_without_a_deadline_sorts_last():
    assert datetime(9999, 1, 1, tzinfo=UTC) < FAR
