"""Danger or weather: a dispatch stops at once, the director decides afterwards, and no dispatched day is lost or invented."""

from datetime import date

import pytest

from states.kernel import Refused
from tests.states.dispatch.acting import (
    CHIEF,
    DRAFTER,
    FIRST,
    ONE,
    PROCESS,
    TWO,
    Story,
    change,
    decided,
    member,
    under_way,
)


def day(number: int) -> date:
    return date(2026, 11, number)


def stopped(last: str, on: date = FIRST) -> Story:
    return under_way(on).act(DRAFTER, "stop", reason_code="weather", text="暴風雪のため。", last_day=last)


def test_a_stop_takes_the_days_away_at_once_and_asks_the_director():
    story = stopped("2026-11-02", day(3))
    assert story.state == "stopped"
    assert (story.days(ONE), story.days(TWO)) == ([2], [])
    assert [(a.holder, a.deadline) for a in story.asks()] == [("director", "ratification")]
    due = next(d for d in PROCESS.deadlines if d.kind == "ratification")
    assert (due.days, due.starts) == (3, frozenset({"stop"}))
    assert {"municipality", "staff", "director"} <= story.tells


@pytest.mark.parametrize(
    ("last", "end", "went"),
    [
        ("2026-11-03", "awaiting_report", [2, 3]),
        ("2026-11-02", "awaiting_report", [2]),
        ("2026-11-01", "cancelled", []),
    ],
)
def test_what_was_stopped_is_ratified_into_its_report_or_its_end(last, end, went):
    story = stopped(last, day(3)).run("ratify")
    assert story.state == end
    assert story.days(ONE) == went
    assert story.form["stop"]["number"] == "上川第1号"
    assert story.form["actual"]["end"] == (last if went else "")


def test_a_blizzard_at_six_in_the_morning_of_the_first_day():
    """The clock began it at midnight; nobody went."""
    story = stopped("2026-11-01").run("ratify")
    assert (story.state, story.ledger()) == ("cancelled", [])


@pytest.mark.parametrize("last", ["2026-11-04", "きのう"])
def test_the_last_day_worked_is_not_to_come(last):
    with pytest.raises(Refused) as refused:
        stopped(last, day(3))
    assert [v.field for v in refused.value.verdicts] == ["last_day"]


def test_what_is_taken_up_again_has_lost_the_days_it_stood_still():
    story = stopped("2026-11-02", day(3)).on(day(4)).run("resume")
    assert (story.state, story.days(ONE), story.days(TWO)) == ("dispatched", [2, 4], [4, 5])
    assert story.form["team"]["members"][0]["days"] == "11/2、11/4"
    story.on(day(5)).act(DRAFTER, "stop", reason_code="illness", text="けが。", last_day="2026-11-04").run("ratify")
    assert (story.days(ONE), story.days(TWO)) == ([2, 4], [4])


def test_nothing_is_taken_up_again_when_no_day_is_left():
    with pytest.raises(Refused, match="これから行く日が残っていません"):
        stopped("2026-11-02", day(3)).on(day(6)).run("resume")


def test_a_stop_ends_a_change_that_was_being_judged():
    story = (
        under_way(day(3)).run("shorten").act(CHIEF, "stop", reason_code="danger", text="熊。", last_day="2026-11-03")
    )
    assert story.state == "stopped"
    assert story.form["change"]["kind"] == ""
    story.on(day(4)).run("resume")
    assert story.state == "dispatched"


def test_a_stop_is_not_for_a_dispatch_that_has_not_begun():
    assert "stop" not in decided().offers(DRAFTER)
    assert "stop" not in decided().run("shorten").offers(DRAFTER)


def test_a_stopped_dispatch_may_go_on_with_other_days():
    later = change(
        "move", period={"from": "", "to": "2026-11-11"}, members=[member(ONE, "11/2、11/9-10"), member(TWO, "11/10-11")]
    )
    story = stopped("2026-11-02", day(3)).on(day(5)).act(DRAFTER, "propose_change", later)
    assert "ratification" in {d.kind for d in PROCESS.deadlines if "change_judgement" in d.runs}
    story.run("change")
    assert (story.state, story.days(ONE), story.days(TWO)) == ("dispatched", [2, 9, 10], [10, 11])
    assert story.form["stop"]["ratified_on"] == "2026-11-05"


def test_the_days_that_stood_still_do_not_come_back_by_a_change():
    again = change("other", members=[member(ONE, "11/2-4"), member(TWO, "11/4-6")])
    with pytest.raises(Refused, match="もう過ぎた日です"):
        stopped("2026-11-02", day(3)).on(day(4)).act(DRAFTER, "propose_change", again)
    place = change("place", place="役場")
    story = stopped("2026-11-02", day(3)).on(day(4)).act(DRAFTER, "propose_change", place).run("change")
    assert (story.state, story.days(ONE), story.days(TWO)) == ("dispatched", [2, 4], [4, 5])


def test_a_table_is_filled_without_the_days_that_stood_still():
    assert PROCESS.prefill is not None
    story = stopped("2026-11-02", day(3))
    filled = PROCESS.prefill({**story.form, **change("extend")}, {"last_day": "2026-11-06"})["change"]
    assert {m["person"]: m["days"] for m in filled["members"]} == {51: "11/2、11/4", 52: "11/4-6"}


def test_what_stands_still_may_be_cancelled_by_a_change():
    story = stopped("2026-11-02", day(3)).act(DRAFTER, "propose_change", change("cancel")).run("change")
    assert (story.state, story.days(ONE), story.form["stop"]["ratified_on"]) == ("awaiting_report", [2], "2026-11-03")
    assert stopped("2026-11-01").act(DRAFTER, "propose_change", change("cancel")).run("change").state == "cancelled"


def test_nobody_ratifies_his_own_trip(monkeypatch):
    from tests.states.dispatch import acting

    story = stopped("2026-11-02", day(3))
    monkeypatch.setitem(acting.ROLE, ONE, "director")
    with pytest.raises(Refused, match="自分の派遣を判断できません"):
        story.act(ONE, "ratify")


def test_the_director_alone_cancels_what_he_decided():
    assert "cancel" not in decided().offers(DRAFTER)
    story = decided().run("cancel")
    assert (story.state, story.form["actual"]["number"]) == ("cancelled", "上川第1号")
