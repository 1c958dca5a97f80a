"""The dispatch in memory: both origins from the draft to the report, every way aside, and what is refused on each."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from states.dispatch import situation
from states.kernel import Refused
from states.terms import CLOCK, STAY
from tests.states.dispatch.acting import (
    AT_WORK,
    CHIEF,
    CONTACT,
    DAY,
    DRAFTER,
    FIRST,
    HALFWAY,
    HQ,
    MAYOR,
    ONE,
    PROCESS,
    ROLE,
    TEAM,
    TWO,
    UNNAMED,
    WRITER,
    Story,
    own,
    request,
)

STORIES = {
    "asked for and reported": (request(), None, (*AT_WORK, "end", "report_one", "report_two", "result"), "reported"),
    "on paper": (request(), None, ("submit_proxy", "receive", "propose", "put", "approve"), "preparing"),
    "corrected": (request(), None, ("submit", "receive", "ask_correction", "resubmit", "propose", "put"), "director_judgement"),
    "declined": (request(), None, (*HALFWAY, "decline"), "declined"),
    "held, then approved": (request(), None, (*HALFWAY, "hold", "hold", "approve"), "preparing"),
    "sent back, put again": (request(), None, (*HALFWAY, "send_back", "put", "approve"), "preparing"),
    "not accepted": (request(), None, ("submit", "not_accept"), "not_accepted"),
    "withdrawn": (request(), None, (*HALFWAY, "withdraw"), "withdrawn"),
    "cancelled before": (request(), None, (*HALFWAY, "approve", "cancel"), "cancelled"),
    "cut short": (request(), None, (*AT_WORK, "cut", "report_one", "result"), "reported"),
    "stopped and ratified": (request(), None, (*AT_WORK, "stop", "ratify", "report_one", "result"), "reported"),
    "stopped and taken up again": (request(), None, (*AT_WORK, "stop", "resume", "end"), "awaiting_report"),
    "shortened": (request(), None, (*HALFWAY, "approve", "shorten", "change", "begin"), "dispatched"),
    "given up by a change": (request(), None, (*HALFWAY, "approve", "give_up", "change"), "cancelled"),
    "a change declined": (request(), None, (*AT_WORK, "shorten", "keep"), "dispatched"),
    "a change of an own affair": (
        request(own_affairs="yes"), None, ("submit", "receive", "consult", "agree", "propose", "put", "approve", "shorten", "consult", "agree", "change"),
        "preparing",
    ),
    "headquarters first": (
        request(own_affairs="yes"), None, ("submit", "receive", "consult", "agree", "propose", "put", "approve"), "preparing",
    ),
    "headquarters from the decision": (request(own_affairs="yes"), None, (*HALFWAY, "consult", "agree", "approve"), "preparing"),
    "own initiative": (own(), TEAM, ("put", "approve", "begin", "end", "result", "report_two", "report_one"), "reported"),
    "own initiative with headquarters": (own(own_affairs="yes"), TEAM, ("put", "consult", "agree", "approve"), "preparing"),
    "own initiative corrected": (own(), TEAM, ("put", "send_back", "put", "approve"), "preparing"),
    "own initiative given up": (own(), TEAM, ("put", "send_back", "cancel"), "cancelled"),
}  # fmt: skip


@pytest.mark.parametrize("name", STORIES)
def test_a_story_ends_where_it_should(name):
    asked, team, steps, end = STORIES[name]
    story = Story(asked, team=team).run(*steps)
    assert story.state == end
    if asked["origin"] == "director":
        assert "municipal_request" not in story.path


def test_the_stories_pass_through_every_state():
    reached = {
        state for asked, team, steps, _ in STORIES.values() for state in Story(asked, team=team).run(*steps).path
    }
    private = {"own_approval", "not_submitted"}  # a story of its own: test_parties
    assert reached | private == {s.name for s in PROCESS.states}


def test_own_initiative_has_no_way_into_the_municipalitys_request():
    """Every row that fits, guards aside, from wherever it leads; what the consultation returns to is followed too."""
    form = {"request": own(), "contact": CONTACT, "team": TEAM}
    seen: set[tuple[str, str]] = set()
    todo = [(PROCESS.initial.name, "")]
    while todo:
        state, asked_from = place = todo.pop()
        if place in seen:
            continue
        seen.add(place)
        facts = replace(
            Story(own(), team=TEAM).facts(DRAFTER),
            state=state,
            form=form | {"consultation": {"asked_from": asked_from}},
        )
        for row in PROCESS.table:
            if row.applies(facts):
                dest = state if row.dest == STAY else row.dest
                todo.append((dest, state if row.name == "consult" else asked_from))
    reached = {state for state, _ in seen}
    assert "municipal_request" not in reached
    assert {"correction", "director_judgement", "concurrent_appointment_consultation", "awaiting_report"} <= reached


# ── the municipality's screen and the paper ─────────────────────────────────────────────────────────────────────────

TOO_LONG = {"from": FIRST.isoformat(), "to": (FIRST + timedelta(days=31)).isoformat()}
REFUSED = [
    ({"period": TOO_LONG}, "D-07"),
    ({"period": {"from": "R8.2.30", "to": "R8.3.3"}}, "I-05"),
    ({"title": "題\x07"}, "I-02"),
    ({"period": {"from": "2026-11-06", "to": "2026-11-02"}}, "I-07"),
    ({"destination": {"type": "municipality", "municipality_code": "014672"}}, "I-06"),
    ({"title": " "}, None),
]


@pytest.mark.parametrize(("change", "rule"), REFUSED)
def test_the_municipality_cannot_submit_what_cannot_stand(change, rule):
    with pytest.raises(Refused) as refusal:
        Story(request(**change)).run("submit")
    assert rule in {v.rule for v in refusal.value.verdicts}


@pytest.mark.parametrize(("change", "rule"), REFUSED)
def test_paper_is_taken_in_and_received_whatever_it_says_and_stopped_before_the_director(change, rule):
    story = Story(request(**change)).run("submit_proxy", "receive")
    assert story.state == "municipal_request"
    with pytest.raises(Refused) as refusal:
        story.act(DRAFTER, "put_to_director", note="念のため。")
    assert rule in {v.rule for v in refusal.value.verdicts}


def test_what_stops_only_the_decision_is_shown_to_the_municipality_but_does_not_stop_it():
    story = Story(request(own_affairs="yes"))
    shown = {v.rule: v.refuses for v in story.offers(WRITER)["submit"].verdicts if v.level != "pass"}
    assert shown == {"D-03": False}
    story.run("submit")


def test_the_drafter_cannot_put_forward_what_was_not_received():
    with pytest.raises(Refused, match="まだ収受していません"):
        Story(request()).run("submit", "propose", "put")


def test_receiving_twice_is_refused_and_a_day_to_come_too():
    story = Story(request()).run("submit")
    with pytest.raises(Refused, match="今日より後"):
        story.act(DRAFTER, "receive", arrived_on=(DAY + timedelta(1)).isoformat())
    story.act(DRAFTER, "receive", arrived_on="R8.10.1")
    assert story.form["receipt"]["arrived_on"] == "2026-10-01"
    with pytest.raises(Refused, match="すでに収受しています"):
        story.run("receive")


def test_a_receipt_written_into_the_form_is_not_a_receipt():
    story = Story(request()).run("submit")
    story.form["receipt"] = {"number": "上川収第99号"}
    with pytest.raises(Refused, match="まだ収受していません"):
        story.run("propose", "put")
    story.run("receive")
    assert story.form["receipt"]["number"] == "上川収第1号"


def test_only_two_grounds_let_a_request_not_be_accepted():
    story = Story(request()).run("submit")
    with pytest.raises(Refused, match="選び直してください"):
        story.act(DRAFTER, "not_accept", ground="no_time", reason="忙しい。")
    story.run("not_accept")
    assert story.state == "not_accepted"


# ── correction ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_municipality_may_move_its_days_although_a_team_was_already_proposed():
    """The team is the office's to mend; it stops the drafter, not the municipality."""
    story = Story(request()).run("submit", "receive", "propose", "ask_correction")
    moved = request(period={"from": "2026-11-16", "to": "2026-11-20"})
    story.act(WRITER, "resubmit", {"request": moved})
    assert story.state == "municipal_request"
    with pytest.raises(Refused, match="派遣の期間の外"):
        story.run("put")
    later = {"members": [m | {"days": "11/16-18"} for m in TEAM["members"]]}
    story.act(DRAFTER, "propose_team", {"team": later}).run("put")


def test_what_the_office_thinks_is_not_told_to_the_municipality_in_a_verdict():
    team = {"members": [{"person": int(ONE), "name": "極秘太郎", "role": "主任", "headcount": 1, "days": "11/2-10"}]}
    asked = request(own_affairs="yes", period={"from": FIRST.isoformat(), "to": "2026-11-30"})
    story = Story(asked).run("submit", "receive", "consult")
    conditions = {"items": [{"text": "週1日に限ること", "owner": "bureau", "due": "2026-10-30", "stops": "begin"}]}
    story.act(HQ, "agree_with_conditions", {"conditions": conditions})
    story.act(DRAFTER, "propose_team", {"team": team}).run("ask_correction")
    told = "".join(v.sentence for offer in story.offers(WRITER).values() for v in offer.verdicts)
    assert "極秘太郎" not in told
    assert "週1日" not in told
    inside = "".join(v.sentence for offer in story.offers(DRAFTER).values() for v in offer.verdicts)
    assert inside == told


def test_own_initiative_is_corrected_by_the_bureau_and_put_again_with_a_changed_team():
    story = Story(own(), team=TEAM).run("put", "send_back")
    assert story.state == "correction"
    assert set(story.offers(WRITER)) == set()
    fewer = {"members": TEAM["members"][:1]}
    story.act(DRAFTER, "put_to_director", {"team": fewer, "request": own(title="見直した案")}, note="減らした。")
    assert (story.state, len(story.form["team"]["members"])) == ("director_judgement", 1)


def test_a_request_in_correction_is_not_put_to_the_director_by_the_bureau_alone():
    story = Story(request()).run("submit", "receive", "propose", "ask_correction")
    assert set(story.offers(DRAFTER)) == {"resubmit", "withdraw", "forward"}


# ── headquarters ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("action", ["agree", "trip_suffices", "disagree"])
@pytest.mark.parametrize("back", ["municipal_request", "director_judgement"])
def test_headquarters_answers_to_where_it_was_asked_from(action, back):
    before = ("submit", "receive") if back == "municipal_request" else HALFWAY
    story = Story(request(concurrent_appointment="needed")).run(*before, "consult")
    assert story.state == "concurrent_appointment_consultation"
    story.act(HQ, action, None, reason="" if action == "agree" else "そう考える。")
    assert story.state == back


def test_silence_of_headquarters_is_never_yes():
    story = Story(request(own_affairs="unknown")).run(*HALFWAY)
    for _ in range(2):
        with pytest.raises(Refused) as refusal:
            story.run("approve")
        assert {v.rule for v in refusal.value.verdicts} == {"D-03"}
        story.today += timedelta(days=30)
    story.run("consult")
    assert "approve" not in story.offers(CHIEF)


def test_a_trip_that_suffices_clears_once_the_appointment_is_unticked():
    story = Story(request(concurrent_appointment="needed", concurrent_reason="窓口に立つ")).run(
        "submit", "receive", "consult"
    )
    story.act(HQ, "trip_suffices", reason="助言にとどまる。").run("propose", "put")
    with pytest.raises(Refused, match="併任発令を「要しない」に直せば進められます"):
        story.run("approve")
    story.run("send_back", "ask_correction")
    story.act(WRITER, "resubmit", {"request": request()}).run("put", "approve")
    assert story.state == "preparing"


def test_after_not_agreed_only_a_new_version_without_own_affairs_goes_on():
    story = Story(request(own_affairs="yes")).run("submit", "receive", "consult")
    story.act(HQ, "disagree", reason="町の事務そのもの。").run("propose", "put")
    with pytest.raises(Refused, match="本庁が同意していません"):
        story.run("approve")
    story.run("send_back", "ask_correction")
    story.act(WRITER, "resubmit", {"request": request(own_affairs="no")}).run("put", "approve")


def test_there_is_nothing_to_consult_about_an_ordinary_trip():
    with pytest.raises(Refused, match="協議は要りません"):
        Story(request()).run("submit", "receive", "consult")


# ── the decision ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_holding_keeps_the_state_and_sets_the_day_of_review():
    story = Story(request()).run(*HALFWAY)
    with pytest.raises(Refused, match="明日より後"):
        story.act(CHIEF, "hold", internal_reason="待つ。", review_on=DAY.isoformat())
    story.run("hold")
    assert story.state == "director_judgement"
    assert story.form["hold"] == {"review_on": "2026-10-12"}
    assert [a.label for a in PROCESS.inbox(story.facts(CHIEF))] == ["保留中の件を再検討する"]
    story.run("send_back", "put")
    assert story.form["hold"] == {"review_on": ""}


@pytest.mark.parametrize("decision", ["approve", "decline"])
def test_who_drafted_this_round_does_not_decide_it(decision, monkeypatch):
    monkeypatch.setitem(ROLE, DRAFTER, "director")
    both = Story(own(), team=TEAM)
    monkeypatch.setitem(ROLE, DRAFTER, "bureau")
    both.run("put")
    monkeypatch.setitem(ROLE, DRAFTER, "director")
    with pytest.raises(Refused, match="起案した人は、その案件を判断できません"):
        both.act(DRAFTER, decision, confirm={}, reason="理由", internal_reason="理由")


def test_nobody_decides_his_own_dispatch(monkeypatch):
    team = {"members": [{"person": int(CHIEF), "name": "丙(仮名)", "role": "局長", "headcount": 1, "days": "11/2-4"}]}
    story = Story(own(), team=team).run("put")
    with pytest.raises(Refused, match="自分の派遣を判断できません"):
        story.run("approve")


def test_a_week_passed_needs_the_drafters_reason_and_the_deciders_word():
    wide = request(period={"from": FIRST.isoformat(), "to": "2026-11-30"})
    long = {"members": [TEAM["members"][0] | {"days": "11/2-10"}]}
    story = Story(wide).run("submit", "receive").act(DRAFTER, "propose_team", {"team": long})
    with pytest.raises(Refused, match="D-08"):
        story.run("put")
    story.act(DRAFTER, "put_to_director", note="要る。", reasons={"D-08": "調査が8日かかる。"})
    with pytest.raises(Refused, match="D-08"):
        story.run("approve")
    story.act(CHIEF, "approve", confirm={"D-08": ""})
    assert story.form["drafting"]["reasons"] == {"D-08": "調査が8日かかる。"}


def test_the_decision_needs_a_team():
    with pytest.raises(Refused, match="派遣する職員と派遣日の案がありません"):
        Story(request()).run("submit", "receive", "put")


# ── before and during the dispatch ──────────────────────────────────────────────────────────────────────────────────


def test_places_without_a_name_may_be_proposed_and_put_but_not_decided():
    story = Story(request()).run("submit", "receive").act(DRAFTER, "propose_team", {"team": UNNAMED}).run("put")
    with pytest.raises(Refused, match="氏名の決まっていない派遣職員"):
        story.run("approve")
    story.run("send_back", "propose", "put", "approve")
    assert story.state == "preparing"


@pytest.mark.parametrize("changed", [{"days": "11/2-5"}, {"headcount": 2}, {"days": ""}, {"person": 99}])
def test_what_was_decided_is_not_changed_beside_a_consent(changed):
    story = Story(request()).run(*HALFWAY, "approve")
    wrong = {"members": [TEAM["members"][0] | changed, TEAM["members"][1]]}
    with pytest.raises(Refused, match="ここでは変えられません"):
        story.act(DRAFTER, "record_consent", {"team": wrong})
    with pytest.raises(Refused):
        story.act(DRAFTER, "record_consent", {"team": {"members": TEAM["members"][:1]}})
    story.act(DRAFTER, "record_consent", {"team": {"members": [m | {"substitute": "11/20"} for m in TEAM["members"]]}})
    assert story.state == "preparing"


def test_the_clock_waits_for_the_first_day_and_for_every_sections_head():
    bare = {"members": [m | {"consent": ""} for m in TEAM["members"]]}
    story = Story(request()).run("submit", "receive").act(DRAFTER, "propose_team", {"team": bare}).run("put", "approve")
    assert [a.label for a in story.asks()] == ["承諾と発令をそろえる"]
    with pytest.raises(Refused, match="まだ来ていません"):
        story.act(CLOCK, "begin")
    with pytest.raises(Refused, match="甲\\(仮名\\)の所属長の承諾が残っていません"):
        story.run("begin")
    story.act(DRAFTER, "record_consent", {"team": TEAM}).run("begin")
    assert story.state == "dispatched"
    assert story.asks() == []


def test_the_clock_asks_headquarters_answer_again():
    story = Story(request()).run(*HALFWAY, "approve")
    story.form["request"]["own_affairs"] = "yes"
    with pytest.raises(Refused) as refusal:
        story.run("begin")
    assert {v.rule for v in refusal.value.verdicts} == {"D-03"}


@pytest.mark.parametrize("by", [WRITER, DRAFTER, CHIEF, HQ, ONE])
def test_nobody_but_the_clock_begins_or_ends_a_dispatch(by):
    story = Story(request()).run(*HALFWAY, "approve")
    story.today = FIRST
    with pytest.raises(Refused) as refusal:
        story.act(by, "begin")
    assert refusal.value.kind == "role"


def test_the_dispatch_ends_the_day_after_its_last_day():
    story = Story(request()).run(*AT_WORK)
    story.today = date(2026, 11, 5)
    with pytest.raises(Refused, match="まだ過ぎていません"):
        story.act(CLOCK, "end")
    story.run("end")
    assert story.state == "awaiting_report"


def test_cutting_a_dispatch_short_keeps_the_days_that_were_worked_and_asks_only_who_went():
    story = Story(request()).run(*AT_WORK)
    for wrong in ("2026-11-01", "2026-11-09", "きのう"):
        story.today = date(2026, 11, 3)
        with pytest.raises(Refused):
            story.act(CHIEF, "cancel", reason="熊が出た。", last_day=wrong)
    story.run("cut")
    assert story.state == "awaiting_report"
    facts = story.facts(DRAFTER)
    assert story.days(ONE) == [2, 3]
    assert story.days(TWO) == []
    assert situation.reporters(facts) == [int(ONE)]
    assert {(a.holder, a.person) for a in PROCESS.inbox(facts)} == {("staff", int(ONE)), ("bureau", None)}


def test_a_dispatch_under_way_can_be_cut_short_but_not_withdrawn():
    story = Story(request()).run(*AT_WORK)
    assert set(story.offers(WRITER)) == {"ask_change"}
    assert set(story.offers(CHIEF)) == {"cancel", "stop"}


# ── reports ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("order", [*permutations(("report_one", "report_two", "result"))])
def test_reports_complete_the_case_in_any_order(order):
    story = Story(request()).run(*AT_WORK, "end")
    for step in order[:-1]:
        assert story.run(step).state == "awaiting_report"
    assert story.run(order[-1]).state == "reported"
    assert story.form[f"report:{ONE}"]["filed_by"] == ONE


@pytest.mark.parametrize(
    ("by", "report", "told"),
    [
        (ONE, {f"report:{TWO}": {"findings": "代わりに書く。"}}, "ほかの人の復命は書けません"),
        (ONE, {f"report:{ONE}": {"findings": " "}}, "「分かったこと」を書いてください"),
        (ONE, {}, "復命の内容を書いてください"),
        (DRAFTER, {f"report:{CHIEF}": {"findings": "行っていない。"}}, "ではない人の復命"),
        (ONE, {"report:x": {"findings": "だれ"}}, "ではない人の復命"),
    ],
)
def test_only_who_went_reports_and_only_for_himself(by, report, told):
    story = Story(request()).run(*AT_WORK, "end")
    with pytest.raises(Refused, match=told):
        story.act(by, "file_trip_report", report)


def test_the_bureau_may_enter_a_report_for_somebody_who_cannot():
    story = Story(request()).run(*AT_WORK, "end")
    story.act(DRAFTER, "file_trip_report", {f"report:{ONE}": {"findings": "本人から聞き取った。"}})
    assert story.form[f"report:{ONE}"]["filed_by"] == DRAFTER


@pytest.mark.parametrize(
    ("days", "told"), [("11/2-きょう", "読めません"), ("11/20", "これからの日"), ("11/3午前、11/4", "")]
)
def test_the_days_really_worked_are_those_that_count_once_the_report_is_filed(days, told):
    story = Story(request()).run(*AT_WORK, "end")
    report = {f"report:{ONE}": {"findings": "道は歩ける。", "actual_days": days}}
    if told:
        with pytest.raises(Refused, match=told):
            story.act(ONE, "file_trip_report", report)
        return
    story.act(ONE, "file_trip_report", report)
    assert [(d.day, half) for person, d, half in story.ledger() if person == int(ONE)] == [(3, 0), (4, 0), (4, 1)]
    assert story.days(TWO) == [4, 5]


def test_a_reported_case_waits_only_for_the_municipalitys_evaluation():
    story = Story(request()).run(*AT_WORK, "end", "report_one", "report_two", "result")
    assert {who for who in ROLE if story.offers(who)} == {WRITER}
    assert [(a.holder, a.deadline) for a in story.asks()] == [("municipality", "evaluation")]
    with pytest.raises(Refused, match="「評価」を選んでください"):
        story.act(WRITER, "evaluate", {"evaluation": {"grade": "", "text": "助かった。"}})
    story.act(WRITER, "evaluate", {"evaluation": {"grade": "5", "text": "助かった。"}})
    assert (story.state, story.asks(), story.form["evaluation"]["by"]) == ("reported", [], WRITER)
    assert [story.offers(who) for who in ROLE] == [{}] * len(ROLE)


def test_an_evaluation_waits_for_the_result_and_is_not_asked_of_what_the_director_began():
    story = Story(request()).run(*AT_WORK, "end")
    assert "evaluate" not in story.offers(WRITER)
    story.run("result")
    assert "evaluate" in story.offers(WRITER)
    begun = Story(own(), team=TEAM).run("put", "approve", "begin", "end", "result", "report_two", "report_one")
    assert begun.asks() == []
    assert [begun.offers(who) for who in ROLE] == [{}] * len(ROLE)


# ── who reads, who is asked, who takes part ─────────────────────────────────────────────────────────────────────────


def test_the_municipality_reads_its_request_and_not_the_office():
    for kind in (
        "form:drafting",
        "form:consultation",
        "form:hold",
        "form:change",
        "shown",
        "internal:reason",
        "form:report:51",
    ):
        assert not PROCESS.reads(kind, frozenset({"municipality"}), "director_judgement"), kind
    for kind in ("form:request", "form:contact", "form:receipt", "form:decision", "input:reason", "names"):
        assert PROCESS.reads(kind, frozenset({"municipality"}), "director_judgement"), kind


def test_the_municipality_reads_the_team_once_it_is_decided():
    seen = [s.name for s in PROCESS.states if PROCESS.reads("form:team", frozenset({"municipality"}), s.name)]
    assert seen == [
        "preparing", "dispatched", "change_judgement", "change_consultation", "stopped", "awaiting_report", "reported",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "name", "meant"),
    [
        ("014591", "", "014591"),
        ("０１４５９１", "", "014591"),
        ("", "美瑛町", "014591"),
        ("", "ﾋﾞｴｲﾁｮｳ", "014591"),
        ("014590", "美瑛町", ""),
        ("999999", "", ""),
        ("", "どこにもない町", ""),
    ],
)
def test_a_municipality_takes_part_by_its_code_however_it_was_typed(code, name, meant):
    """Nothing but a code of the directory becomes a party: a slip of the pen must not open the case to somebody."""
    nowhere = {"type": "organization", "organization_name": "協議会"}
    story = Story(request(destination=nowhere))
    story.form["contact"] = {"municipality_code": code, "municipality_name": name}
    row = next(r for r in PROCESS.table if r.name == "submit_proxy")
    assert row.parties is not None
    assert list(row.parties(story.facts(DRAFTER))) == ([("requester", meant)] if meant else [])


def test_the_place_of_a_case_is_a_code_or_nothing():
    for code, place in (("014591", "014591"), ("０１４５９１", "014591"), ("014590", ""), ("美瑛町", ""), ("", "")):
        assert PROCESS.place({"request": {"destination": {"municipality_code": code}}}) == place


# ── offers and decisions, on any form and by anybody ────────────────────────────────────────────────────────────────

BENT: dict[str, Sequence[Any]] = {
    "own_affairs": ["no", "yes", "unknown", ""],
    "concurrent_appointment": ["needed", "not_needed"],
    "origin": ["municipality_request", "director"],
    "ground": ["request.plan", "request.event", "director.wide_area", "?"],
    "period": [request()["period"], TOO_LONG, {"from": "", "to": ""}, {"from": "2027-03-29", "to": "2027-04-02"}],
    "tasks": [[], [{"text": "荷運び", "role": "labour"}], [{"text": "助言", "role": "advice"}]],
    "title": ["", "題"],
    "partners": [[], [{"municipality_code": "014605", "municipality_name": "上富良野町"}]],
    "instruction": [{}, own()["instruction"]],
}
PARTS = st.fixed_dictionaries(
    {},
    optional={
        "contact": st.just(CONTACT),
        "receipt": st.just({"arrived_on": DAY.isoformat(), "number": "上川収第1号"}),
        "team": st.sampled_from([TEAM, UNNAMED, {"members": []}]),
        "drafting": st.sampled_from([{"by": DRAFTER}, {"by": CHIEF}]),
        "consultation": st.builds(
            lambda place, reply: {"asked_from": place, "reply": reply},
            st.sampled_from(["municipal_request", "director_judgement"]),
            st.sampled_from(["", "no_objection", "trip_suffices", "not_agreed"]),
        ),
        "decision": st.just({"conclusion": "approved", "days": [[["2026-11-02", "2026-11-03", "2026-11-04"], 1]]}),
        f"report:{ONE}": st.just({"findings": "見た。", "filed_on": DAY.isoformat()}),
        "result": st.just({"results": "できた。", "filed_on": DAY.isoformat()}),
        "change": st.builds(
            lambda kind, back: {
                "kind": kind,
                "reason_code": "office",
                "reason": "訳",
                "back": back,
                "members": TEAM["members"][:1],
            },
            st.sampled_from(["", "shorten", "cancel"]),
            st.sampled_from(["preparing", "dispatched", "stopped", "awaiting_report"]),
        ),
        "stop": st.just({"on": FIRST.isoformat(), "last_day": "2026-11-02", "reason_code": "weather"}),
        "own_approval": st.sampled_from(
            [{"asked_by": WRITER}, {"asked_by": MAYOR}, {"asked_by": WRITER, "returned_on": "2026-10-05"}]
        ),
        "change_request": st.just({"text": "延ばしたい。"}),
    },
)
COMPLETE = {
    "arrived_on": DAY.isoformat(), "note": "要る。", "reason": "理由", "question": "問い", "internal_reason": "内", "ground": "duplicate",
    "same_as": "上川-R8-000", "office": "hk-soya", "partner": "014605", "answer": "agree", "text": "訳", "reason_code": "weather",
    "review_on": "2026-12-01", "last_day": "2026-11-02",
    "reasons": {f"{book}-{n:02}": "理由" for book in "DI" for n in range(11)},
    "confirm": {f"{book}-{n:02}": "" for book in "DI" for n in range(11)},
}  # fmt: skip


@given(
    state=st.sampled_from([s.name for s in PROCESS.states]), by=st.sampled_from(sorted(ROLE)), parts=PARTS,
    bent=st.fixed_dictionaries({}, optional={key: st.sampled_from(values) for key, values in BENT.items()}),
    numbered=st.booleans(), today=st.sampled_from([DAY, FIRST, date(2026, 11, 6)]),
)  # fmt: skip
def test_what_is_offered_is_what_is_decided(state, by, parts, bent, numbered, today):
    story = Story(request(**bent), today=today)
    story.form, story.state, story.number = (
        {"request": story.form["request"], **parts},
        state,
        "上川-R8-001" if numbered else None,
    )
    story.named = {"上川-R8-000": {"id": 1}}
    facts = story.facts(by, COMPLETE)
    facts.registers = {k: v for k, v in facts.registers.items() if k != "edited"}
    offers = {o.action.name: o for o in PROCESS.actions(replace(facts, memo={}))}
    for name in PROCESS.names:
        trial = replace(facts, memo={})
        offer = offers.get(name)
        if offer is not None and offer.allowed:
            assert PROCESS.decide(trial, name).dest == trial.state == offer.dest.name
            continue
        with pytest.raises(Refused) as refusal:
            PROCESS.decide(trial, name)
        assert trial.state == state
        assert refusal.value.kind == ("guard" if offer else refusal.value.kind)
        if offer is not None:
            assert refusal.value.verdicts == offer.refusals
            assert all(v.sentence in refusal.value.sentence for v in offer.refusals)
