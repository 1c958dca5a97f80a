"""Changes after the decision: what is shown, what is refused, where the case goes, and that the days go on meanwhile."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from states.dispatch import change as changes
from states.dispatch.form import read
from states.kernel import Refused
from states.terms import CLOCK
from tests.states.dispatch.acting import (
    CHIEF,
    DRAFTER,
    FIRST,
    HALFWAY,
    HQ,
    ONE,
    PROCESS,
    ROLE,
    TEAM,
    THREE,
    TWO,
    WRITER,
    Story,
    change,
    decided,
    member,
    own,
    request,
    under_way,
)

LONGER = change(
    "extend", period={"from": "", "to": "2026-11-10"}, members=[member(ONE, "11/2-4"), member(TWO, "11/4-5、11/9-10")]
)
SWAP = change("swap", members=[member(ONE, "11/2-4"), member(THREE, "11/4-5")])


def day(number: int) -> date:
    return date(2026, 11, number)


# ── what is shown ───────────────────────────────────────────────────────────────────────────────────────────────────


def shown(proposal: dict[str, Any], story: Story | None = None) -> list[tuple[str, str, str]]:
    return list(PROCESS.difference({**(story or decided()).form, **proposal}))


def test_the_difference_names_period_place_and_each_persons_days():
    assert shown(LONGER) == [
        ("派遣期間", "11月2日〜11月6日", "11月2日〜11月10日"),
        ("乙(仮名)の派遣日", "11/4-5", "11/4-5、11/9-10(増える日 11/9-10)"),
    ]
    assert shown(SWAP) == [
        ("乙(仮名)の派遣日", "11/4-5", "—(外れる)"),
        ("丙(仮名)の派遣日", "—", "11/4-5(加わる)"),
    ]
    assert shown(change("place", place="美瑛町役場")) == [("派遣場所", "—", "美瑛町役場")]
    assert shown(change("cancel", period={"from": "", "to": "2026-11-02"})) == [
        ("派遣", "行う", "中止する(11月2日まで)")
    ]
    half = change("shorten", members=[member(ONE, "11/2、11/3午前"), member(TWO, "11/4-5")])
    assert shown(half) == [("甲(仮名)の派遣日", "11/2-4", "11/2、11/3午前(やめる日 11/3午後、11/4)")]
    assert shown({}) == []


def test_who_leads_is_part_of_the_difference():
    story = decided()
    story.form["team"] = {"members": [TEAM["members"][0] | {"leader": True}, TEAM["members"][1]]}
    handed = change("other", members=[member(ONE, "11/2-4"), member(TWO, "11/4-5", leader=True)])
    assert shown(handed, story) == [("隊長", "甲(仮名)", "乙(仮名)")]


@pytest.mark.parametrize(
    ("kind", "quick", "told"),
    [
        ("extend", {"last_day": "2026-11-10"}, ("2026-11-10", {ONE: "11/2-4", TWO: "11/4-6、11/9-10"})),
        ("shorten", {"last_day": "R8.11.4"}, ("2026-11-04", {ONE: "11/2-4", TWO: "11/4"})),
        ("shorten", {"last_day": "2026-11-03"}, ("2026-11-03", {ONE: "11/2-3"})),
        ("move", {"first_day": "2026-11-09"}, ("2026-11-13", {ONE: "11/9-11", TWO: "11/11-12"})),
        (
            "swap",
            {"out": ONE, "in": THREE, "from": "2026-11-04"},
            ("2026-11-06", {ONE: "11/2-3", THREE: "11/4", TWO: "11/4-5"}),
        ),
        ("swap", {"out": TWO, "in": THREE, "from": ""}, ("2026-11-06", {ONE: "11/2-4", THREE: "11/4-5"})),
        ("place", {"place": "役場"}, ("2026-11-06", {ONE: "11/2-4", TWO: "11/4-5"})),
        ("extend", {"last_day": "いつか"}, ("2026-11-06", {ONE: "11/2-4", TWO: "11/4-5"})),
    ],
)
def test_a_table_is_filled_from_a_few_fields(kind, quick, told):
    assert PROCESS.prefill is not None
    filled = PROCESS.prefill({**decided().form, **change(kind)}, quick)["change"]
    assert (filled["kind"], filled["reason"]) == (kind, "町の行事が動いた。")
    assert filled["period"]["to"] == told[0]
    assert {str(m["person"]): m["days"] for m in filled["members"]} == told[1]
    assert read({**decided().form, "change": filled}).change.members


def test_who_hands_over_the_lead_hands_it_over():
    assert PROCESS.prefill is not None
    story = decided()
    story.form["team"] = {"members": [TEAM["members"][0] | {"leader": True}, TEAM["members"][1]]}
    filled = PROCESS.prefill({**story.form, **change("swap")}, {"out": ONE, "in": THREE, "from": "2026-11-03"})[
        "change"
    ]
    assert [(m["person"], m["leader"]) for m in filled["members"]] == [(51, False), (53, True), (52, False)]


@given(last=st.dates(FIRST, FIRST + timedelta(days=29)), kind=st.sampled_from(["extend", "shorten"]))
def test_what_is_filled_in_is_what_the_difference_says(last, kind):
    """A filled table changes nothing before the day it speaks of, and an empty difference is an unchanged team."""
    assert PROCESS.prefill is not None
    form = decided().form
    filled = {**form, **PROCESS.prefill({**form, **change(kind)}, {"last_day": last.isoformat()})}
    before, after = read(form), read(changes.proposed(filled))
    for one in before.team.members:
        was = {d for d in one.dates if d <= last}
        now = {d for m in after.team.members if m.person == one.person for d in m.dates if d <= max(one.dates)}
        assert now == (was if kind == "shorten" else set(one.dates))
    assert (before == read({**changes.proposed(filled), "change": {}})) == (not PROCESS.difference(filled))


# ── what is refused ─────────────────────────────────────────────────────────────────────────────────────────────────


def refusal(story: Story, proposal: dict[str, Any], by: str = DRAFTER) -> list[tuple[str | None, str]]:
    with pytest.raises(Refused) as refused:
        story.act(by, "propose_change", proposal)
    return [(v.rule, v.field) for v in refused.value.verdicts]


def test_a_proposal_says_what_changes_for_what_cause_and_why():
    story = decided()
    blank = change("", reason="", reason_code="")
    assert refusal(story, blank) == [(None, "change.kind"), (None, "change.reason_code"), (None, "change.reason")]
    assert refusal(story, change("other")) == [(None, "change.members")]
    assert refusal(story, change("shorten", members=TEAM["members"])) == [(None, "change.members")]


def test_what_goes_beyond_a_month_is_new_work_or_another_scheme():
    longer = change("extend", period={"from": "", "to": "2026-12-02"}, members=[member(ONE, "11/2-4、12/2")])
    with pytest.raises(Refused, match="新しい業務として別の要請にするか、地方自治法252条の17") as refused:
        decided().act(DRAFTER, "propose_change", longer)
    assert [(v.rule, v.field) for v in refused.value.verdicts] == [("D-07", "change.period.to")]


def test_every_rule_of_the_decision_is_asked_of_the_proposal():
    story = decided()
    outside = change("extend", members=[member(ONE, "11/2-4、11/20")])
    assert refusal(story, outside) == [("I-07", "change.members.0.days")]
    unreadable = change("move", period={"from": "2026-11-31", "to": ""})
    assert ("I-05", "change.period.from") in refusal(story, unreadable)
    nameless = change("swap", members=[member(ONE, "11/2-4") | {"person": None}])
    assert refusal(story, nameless) == [(None, "change.members")]
    long = change("extend", period={"from": "", "to": "2026-11-20"}, members=[member(ONE, "11/2-4、11/9-13")])
    with pytest.raises(Refused, match="D-08"):
        story.act(DRAFTER, "propose_change", long)
    story.act(DRAFTER, "propose_change", long, reasons={"D-08": "調査が要る。"})
    with pytest.raises(Refused, match="D-08"):
        story.act(CHIEF, "approve_change")
    story.act(CHIEF, "approve_change", confirm={"D-08": ""})


def test_days_that_are_over_stay_as_they_were():
    story = under_way(day(4))
    less = change("shorten", members=[member(ONE, "11/2、11/4"), member(TWO, "11/4")])
    assert refusal(story, less) == [(None, "change.members")]
    more = change("extend", members=[member(ONE, "11/2-4"), member(TWO, "11/3-5")])
    assert refusal(story, more) == [(None, "change.members")]
    gone = change("swap", members=[member(THREE, "11/2-4"), member(TWO, "11/4-5")])
    assert refusal(story, gone) == [(None, "change.members"), (None, "change.members")]
    story.act(DRAFTER, "propose_change", change("shorten", members=[member(ONE, "11/2-3"), member(TWO, "11/5")]))


def test_what_has_passed_since_it_was_proposed_stops_the_decision():
    less = change("shorten", members=[member(ONE, "11/2"), member(TWO, "11/4-5")])
    story = under_way(day(3)).act(DRAFTER, "propose_change", less).on(day(4))
    with pytest.raises(Refused, match="もう過ぎた日です"):
        story.run("change")
    story.act(DRAFTER, "withdraw_change")
    assert story.state == "dispatched"


def test_a_planned_day_that_nobody_began_may_be_given_up_late():
    story = decided().on(day(4)).act(DRAFTER, "propose_change", change("shorten", members=[member(TWO, "11/4-5")]))
    assert story.run("change").state == "preparing"


def test_who_drafts_a_change_does_not_decide_it_and_nobody_decides_his_own(monkeypatch):
    story = decided().run("shorten")
    monkeypatch.setitem(ROLE, DRAFTER, "director")
    with pytest.raises(Refused, match="起案した人は"):
        story.act(DRAFTER, "approve_change", confirm={})
    joins = change("swap", members=[member(ONE, "11/2-4"), member(TWO, "11/4-5") | {"person": int(CHIEF)}])
    monkeypatch.setitem(ROLE, DRAFTER, "bureau")
    with pytest.raises(Refused, match="変更で派遣される人は"):
        decided().act(DRAFTER, "propose_change", joins).run("change")


def test_the_same_director_may_decide_the_next_round():
    story = (
        decided().run("shorten", "change").act(DRAFTER, "propose_change", change("place", place="役場")).run("change")
    )
    assert [row["kind"] for row in story.form["changes"]["rows"]] == ["shorten", "place"]


def test_who_joins_while_the_days_run_needs_his_section_head_first():
    without = change("swap", members=[member(ONE, "11/2-4"), member(THREE, "11/4-5", consent="")])
    story = under_way().act(DRAFTER, "propose_change", without)
    with pytest.raises(Refused, match="丙\\(仮名\\)の所属長の承諾"):
        story.run("change")
    before = decided().act(DRAFTER, "propose_change", without).run("change")
    assert before.state == "preparing"
    with pytest.raises(Refused, match="丙\\(仮名\\)の所属長の承諾"):
        before.run("begin")


# ── what is decided ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_decision_puts_the_change_in_force_and_keeps_what_was():
    story = under_way(day(3)).act(DRAFTER, "propose_change", LONGER)
    assert (story.state, story.form["change"]["back"]) == ("change_judgement", "dispatched")
    assert [a.label for a in story.asks()] == ["変更を判断する"]
    assert story.days(TWO) == [4, 5]
    story.run("change")
    assert story.state == "dispatched"
    assert story.days(TWO) == [4, 5, 9, 10]
    assert story.form["request"]["period"] == {"from": "2026-11-02", "to": "2026-11-10"}
    assert story.form["change"] == changes.BLANK
    row = story.form["changes"]["rows"][0]
    assert (row["kind"], row["number"], row["lines"][0]) == (
        "extend", "上川第1号", ["派遣期間", "11月2日〜11月6日", "11月2日〜11月10日"],
    )  # fmt: skip
    assert story.form["decision"]["number"] == "上川第1号"
    assert story.tells == {"municipality", "staff", "bureau", "personnel", "body"}


def test_headquarters_is_told_where_a_concurrent_appointment_is_involved():
    asked = request(own_affairs="yes", concurrent_appointment="needed")
    story = Story(asked).run("submit", "receive", "consult", "agree", "propose", "put", "approve", "shorten", "change")
    assert "headquarters" in story.tells


def test_a_swap_counts_the_days_of_each():
    story = under_way(day(3)).act(
        DRAFTER,
        "propose_change",
        change("swap", members=[member(ONE, "11/2"), member(THREE, "11/3-4"), member(TWO, "11/4-5")]),
    )
    story.run("change", "end")
    assert (story.days(ONE), story.days(THREE), story.days(TWO)) == ([2], [3, 4], [4, 5])
    assert {a.person for a in story.asks() if a.holder == "staff"} == {int(ONE), int(TWO), int(THREE)}


@pytest.mark.parametrize("answer", ["keep", "withdraw"])
@pytest.mark.parametrize("back", ["preparing", "dispatched", "stopped", "awaiting_report"])
def test_what_is_not_changed_goes_on_where_it_stood(back, answer):
    story = decided() if back == "preparing" else under_way(day(3))
    if back == "stopped":
        story.run("stop")
    fewer = change("shorten", members=[member(ONE, "11/2"), member(TWO, "11/4")])
    story.act(DRAFTER, "propose_change", fewer)
    if back == "awaiting_report":
        story.run("end")
        assert story.state == "change_judgement"
    story.run("keep") if answer == "keep" else story.act(DRAFTER, "withdraw_change")
    assert story.state == back
    assert story.form["change"] == changes.BLANK
    assert "changes" not in story.form


def test_the_clock_goes_on_while_a_change_is_judged():
    story = decided().run("shorten", "begin")
    assert (story.state, story.form["change"]["back"]) == ("change_judgement", "dispatched")
    with pytest.raises(Refused) as refused:
        story.act(CLOCK, "begin")
    assert refused.value.kind == "state"
    story.run("end")
    assert (story.state, story.form["change"]["back"]) == ("change_judgement", "awaiting_report")
    story.run("keep")
    assert story.state == "awaiting_report"


def test_what_ended_while_it_was_judged_goes_on_when_days_are_added():
    story = under_way(day(5)).act(DRAFTER, "propose_change", LONGER).run("end").run("change")
    assert story.state == "dispatched"


@pytest.mark.parametrize(
    ("on", "typed", "end", "went"),
    [
        (None, "", "cancelled", []),
        (2, "", "awaiting_report", [2]),
        (4, "2026-11-03", "awaiting_report", [2, 3]),
        (4, "2026-11-01", "cancelled", []),
    ],
)
def test_what_is_cancelled_after_one_dispatched_day_goes_on_to_its_report(on, typed, end, went):
    story = under_way(day(on)) if on else decided()
    story.act(DRAFTER, "propose_change", change("cancel", period={"from": "", "to": typed})).run("change")
    assert story.state == end
    assert story.days(ONE) == went


def test_a_cancellation_names_no_day_to_come():
    assert refusal(under_way(day(3)), change("cancel", period={"from": "", "to": "2026-11-04"})) == [
        (None, "change.period.to")
    ]
    assert refusal(under_way(day(3)), change("cancel", period={"from": "", "to": "いつか"})) == [
        (None, "change.period.to")
    ]


def test_a_withdrawal_is_still_the_municipalitys_until_the_days_begin():
    story = decided().run("shorten")
    assert "withdraw" in story.offers(WRITER)
    story.run("begin")
    assert "withdraw" not in story.offers(WRITER)
    assert Story(request()).run(*HALFWAY, "approve", "shorten", "withdraw").state == "withdrawn"


def test_an_erased_proposal_can_only_be_given_up():
    story = decided().run("shorten")
    story.form["change"] = {"erased": 9}
    with pytest.raises(Refused, match="消去されています"):
        story.run("change")
    story.act(DRAFTER, "withdraw_change")
    assert story.state == "preparing"


def test_own_initiative_is_changed_in_the_same_way():
    story = Story(own(), team=TEAM).run("put", "approve", "shorten", "change", "begin")
    assert (story.state, story.days(TWO)) == ("dispatched", [4])


# ── the municipality's wish ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_wish_waits_in_the_bureau_until_it_is_answered():
    story = under_way().act(WRITER, "ask_change", text="初日を午後からにしたい。")
    assert [a.label for a in story.asks()] == ["変更の希望に答える"]
    with pytest.raises(Refused, match="まだ答えが届いていません"):
        story.act(WRITER, "ask_change", text="もう一つ。")
    story.act(DRAFTER, "answer_change_request", answer="午後からにします。")
    assert story.asks() == []
    assert "answer_change_request" not in story.offers(DRAFTER)
    story.act(WRITER, "ask_change", text="もう一つ。")


def test_a_decided_change_answers_the_wish_it_came_from():
    story = decided().act(WRITER, "ask_change", text="短くしたい。").run("shorten", "change")
    assert story.form["change_request"]["answer"] == "短縮を決定しました(上川第1号)。"
    assert story.asks() == []


# ── headquarters, asked about a change ──────────────────────────────────────────────────────────────────────────────


def consulted(**asked: Any) -> Story:
    told = request(own_affairs="yes", **asked)
    return Story(told).run("submit", "receive", "consult", "agree", "propose", "put", "approve")


def test_headquarters_is_asked_again_when_the_period_goes_beyond_what_it_answered_for():
    story = consulted().act(DRAFTER, "propose_change", LONGER)
    with pytest.raises(
        Refused, match="協議した11月2日から11月6日までの外に出ています\\(11月2日から11月10日まで\\)"
    ) as refused:
        story.run("change")
    assert {v.rule for v in refused.value.verdicts} == {"D-03"}
    story.run("consult")
    assert (story.state, [a.label for a in story.asks()]) == ("change_consultation", ["変更の協議に回答する"])
    story.run("agree")
    assert story.form["change_consultation"]["covers"]["period"] == ["2026-11-02", "2026-11-10"]
    story.run("change")
    assert story.form["consultation"]["covers"]["period"] == ["2026-11-02", "2026-11-10"]


def test_headquarters_is_asked_again_when_somebody_joins_whom_it_did_not_know():
    named = Story(request(own_affairs="yes")).run(*HALFWAY, "consult", "agree", "approve")
    assert named.form["consultation"]["covers"]["people"] == [int(ONE), int(TWO)]
    with pytest.raises(Refused, match="いなかった職員\\(丙\\(仮名\\)\\)"):
        named.act(DRAFTER, "propose_change", SWAP).run("change")
    unnamed = consulted()
    assert unnamed.form["consultation"]["covers"]["people"] == []
    unnamed.act(DRAFTER, "propose_change", SWAP).run("change")


def test_a_refused_change_leaves_the_first_answer_and_the_first_day_as_they_are():
    story = consulted().act(DRAFTER, "propose_change", LONGER).run("consult", "begin")
    assert (story.state, story.form["change"]["back"]) == ("change_consultation", "dispatched")
    story.act(HQ, "disagree", reason="長すぎる。")
    with pytest.raises(Refused, match="本庁が同意していません"):
        story.run("change")
    story.run("keep")
    assert story.state == "dispatched"
    assert story.form["consultation"]["reply"] == "no_objection"


def test_an_answer_of_before_it_was_asked_what_it_covers_still_counts():
    story = Story(request(own_affairs="yes")).run(*HALFWAY, "consult", "agree")
    del story.form["consultation"]["covers"]
    story.run("approve")
    assert story.state == "preparing"


def test_there_is_nothing_to_consult_about_an_ordinary_trip_that_changes():
    with pytest.raises(Refused, match="協議は要りません"):
        decided().run("shorten", "consult")


def test_a_proposal_is_the_offices_until_it_is_decided():
    for role in ("municipality", "partner", "staff", "municipality_head"):
        for state in ("change_judgement", "change_consultation", "dispatched"):
            assert not PROCESS.reads("form:change", frozenset({role}), state)
            assert not PROCESS.reads("form:change_consultation", frozenset({role}), state)
            assert PROCESS.reads("form:changes", frozenset({role}), state)
