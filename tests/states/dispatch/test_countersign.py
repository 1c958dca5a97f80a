"""Personnel confirms the orders of a concurrent appointment, and a body reads its own dispatch: who is asked, who reads what."""

from typing import Any

import pytest

from states.kernel import Refused
from states.terms import CLOCK
from states.text import search_key
from tests.states.dispatch.acting import (
    CHIEF,
    CLERK,
    DRAFTER,
    FIRST,
    HALFWAY,
    ONE,
    PROCESS,
    TEAM,
    TWO,
    WRITER,
    Story,
    change,
    member,
    own,
    request,
)
from tests.states.dispatch.test_appointment import BOTH, appointed, order, orders

PERSONNEL, BODY = frozenset({"personnel"}), frozenset({"body"})
NAME = "丘のまち学びの会"


def entered() -> Story:
    """Decided with a concurrent appointment, and every order is there."""
    return appointed().act(DRAFTER, "record_orders", orders(*BOTH))


def asked(story: Story) -> list[tuple[str, str]]:
    return [(ask.holder, ask.label) for ask in story.asks()]


def test_personnel_joins_by_the_decision_where_somebody_is_appointed():
    assert ("personnel", "hk-jinji") in appointed().parties
    assert {"personnel"} <= appointed().tells
    assert not {part for part, _ in Story(request()).run(*HALFWAY, "approve").parties} & {"personnel"}


def test_orders_are_asked_of_personnel_when_they_are_there():
    assert asked(appointed()) == [("bureau", "承諾と発令をそろえる")]
    story = entered()
    assert asked(story) == [("personnel", "併任の発令を確かめる")]
    assert {ask.deadlines for ask in story.asks()} == {("countersign", "begin")}
    assert asked(story.run("countersign")) == []
    assert story.tells == {"bureau"}


def test_an_ordinary_trip_asks_personnel_nothing():
    story = Story(request()).run(*HALFWAY, "approve").act(DRAFTER, "record_orders", orders(*BOTH))
    assert asked(story) == []
    assert story.parties == Story(request()).run(*HALFWAY, "approve").parties
    assert story.offers(CLERK) == {}
    assert "countersign_on_paper" not in story.offers(DRAFTER)


@pytest.mark.parametrize("key", ["from", "to", "dated_on", "number"])
def test_an_order_that_is_changed_is_confirmed_anew(key):
    story = entered().run("countersign")
    other = {"from": "2026-11-01", "to": "2026-11-06", "dated_on": "2026-10-29", "number": "第9号"}
    story.act(DRAFTER, "record_orders", orders(BOTH[0] | {key: other[key]}, *BOTH[1:]))
    assert ("personnel", "併任の発令を確かめる") in asked(story)
    with pytest.raises(Refused):
        story.act(CLOCK, "begin")


def test_the_rows_of_the_orders_may_change_places():
    story = entered().run("countersign").act(DRAFTER, "record_orders", orders(*reversed(BOTH)))
    assert asked(story) == []
    with pytest.raises(Refused, match="新しく確かめる発令はありません"):
        story.run("countersign")


def test_what_personnel_sends_back_is_asked_of_the_bureau_and_then_again_of_personnel():
    story = entered().act(CLERK, "return_orders", reason="乙の辞令の日付を確かめてください。")
    assert asked(story) == [("bureau", "人事担当から戻った発令を直す")]
    with pytest.raises(Refused):
        story.act(CLOCK, "begin")
    story.act(DRAFTER, "record_orders", orders(*BOTH[:3], BOTH[3] | {"dated_on": "2026-10-27"}))
    assert (asked(story), story.form["countersign"]["reason"]) == ([("personnel", "併任の発令を確かめる")], "")
    story.run("countersign").act(CLOCK, "begin")


def test_sending_back_needs_a_reason():
    with pytest.raises(Refused, match="直してほしい点"):
        entered().act(CLERK, "return_orders", reason=" ")


def test_the_bureau_enters_on_paper_what_personnel_confirmed_and_says_how():
    with pytest.raises(Refused, match="確かめた人・日・文書"):
        entered().act(DRAFTER, "countersign_on_paper", note="")
    story = entered().act(
        DRAFTER, "countersign_on_paper", note="10月30日、人事課の担当から電話。画面が止まっていたため。"
    )
    assert story.form["countersign"]["paper"] is True
    assert story.tells == {"personnel"}
    assert asked(story) == []
    story.act(CLOCK, "begin")
    assert story.state == "dispatched"


def test_nobody_else_confirms():
    for by in (CHIEF, WRITER, ONE):
        with pytest.raises(Refused) as refusal:
            entered().act(by, "countersign")
        assert refusal.value.kind == "role"
    assert set(entered().offers(CLERK)) == {"countersign", "return_orders"}


def test_a_change_of_days_that_have_begun_waits_for_personnel_too():
    story = entered().run("countersign").act(CLOCK, "begin").on(FIRST)
    story.act(DRAFTER, "propose_change", change("other", members=[member(ONE, "11/2-4"), member(TWO, "11/4-6")]))
    later = [order(TWO, issuer, to="2026-11-06") for issuer in ("municipality", "prefecture")]
    story.act(DRAFTER, "record_orders", orders(*BOTH[:2], *later))
    with pytest.raises(Refused, match="乙\\(仮名\\)の併任の発令を、人事担当がまだ確かめていません"):
        story.run("change")
    assert ("personnel", "併任の発令を確かめる") in asked(story)
    story.run("countersign", "change")
    assert story.state == "dispatched"


def test_a_release_is_asked_of_personnel_and_stops_nothing():
    story = entered().run("countersign").act(CLOCK, "begin").run("cut")
    releases = [row | {"kind": "release", "from": "", "to": ""} for row in BOTH]
    story.act(DRAFTER, "record_orders", orders(*BOTH, *releases))
    assert ("personnel", "併任の発令を確かめる") in asked(story)
    story.run("report_one", "result")
    assert story.state == "reported"


@pytest.mark.parametrize("state", [state.name for state in PROCESS.states])
def test_personnel_reads_the_orders_and_none_of_the_deliberation(state):
    for group in ("request", "team", "appointment", "countersign", "consultation", "conditions", "change", "decision"):
        assert PROCESS.reads(f"form:{group}", PERSONNEL, state), group
    for group in ("drafting", "hold", "contact", "receipt", "consent:014591", "consent_note:014591", "own_approval", "change_request",
                  "report:51", "result", "evaluation", "route", "thread"):  # fmt: skip
        assert not PROCESS.reads(f"form:{group}", PERSONNEL, state), group
    for kind in ("internal:reason", "internal:remark", "internal:file:3", "shown", "input:reason", "internal"):
        assert not PROCESS.reads(kind, PERSONNEL, state), kind
    assert PROCESS.reads("file:3", PERSONNEL, state)


def test_the_municipality_does_not_read_what_personnel_wrote():
    for role in ("municipality", "municipality_head", "partner", "staff", "body"):
        assert not PROCESS.reads("form:countersign", frozenset({role}), "preparing"), role


# ── a body ──────────────────────────────────────────────────────────────────────────────────────────────────────────

TO_BODY = {
    "type": "organization",
    "municipality_code": "014591",
    "municipality_name": "美瑛町",
    "organization_name": NAME,
}
ENTRY = {
    "name": NAME,
    "name_key": search_key(NAME),
    "decided_on": FIRST.replace(month=4),
    "valid_to": None,
    "reference": "上地第1号",
    "org": "body-1",
}


def to_body(
    asked: dict[str, Any], entries: list[dict[str, Any]] | None = None, team: dict[str, Any] | None = None
) -> Story:
    story = Story(asked | {"destination": TO_BODY}, team=team)
    story.recognitions = [ENTRY] if entries is None else entries
    return story


def test_a_body_joins_when_the_request_to_go_there_is_received():
    story = to_body(request()).run("submit")
    assert ("body", "body-1") not in story.parties
    assert ("body", "body-1") in story.run("receive").parties


def test_of_the_directors_own_plans_a_body_hears_by_the_decision_alone():
    story = to_body(own(), team=TEAM).run("put")
    assert ("body", "body-1") not in story.parties
    assert ("body", "body-1") in story.run("approve").parties
    assert {"body"} <= story.tells


@pytest.mark.parametrize(
    "entry",
    [
        {"name_key": search_key("ほかの団体")},
        {"decided_on": FIRST.replace(month=12)},
        {"valid_to": FIRST.replace(month=10)},
    ],
)
def test_only_a_body_that_is_recognised_for_the_first_day_joins(entry):
    story = to_body(request(), [ENTRY | entry]).run("submit", "receive")
    assert not {part for part, _ in story.parties} & {"body"}


def test_a_corrected_request_that_goes_elsewhere_lets_the_body_go():
    other = ENTRY | {"name": "別の会", "name_key": search_key("別の会"), "org": "body-2"}
    story = to_body(request(), [ENTRY, other]).run("submit", "receive", "ask_correction")
    again = request(destination=TO_BODY | {"organization_name": "別の会"})
    story.act(WRITER, "resubmit", {"request": again})
    assert {org for part, org in story.parties if part == "body"} == {"body-2"}
    story.run("ask_correction").act(WRITER, "resubmit", {"request": request()})
    assert {org for part, org in story.parties if part == "body"} == set()


@pytest.mark.parametrize("state", [state.name for state in PROCESS.states])
def test_a_body_reads_what_is_asked_and_decided_about_its_place(state):
    for group in ("request", "decision", "changes", "stop", "result"):
        assert PROCESS.reads(f"form:{group}", BODY, state), group
    for group in ("contact", "consultation", "conditions", "appointment", "countersign", "drafting", "hold", "change", "change_request",
                  "consent:014591", "consent_note:014591", "own_approval", "own_decision", "report:51", "evaluation", "route", "thread"):  # fmt: skip
        assert not PROCESS.reads(f"form:{group}", BODY, state), group
    for kind in ("internal:reason", "shown", "input:reason"):
        assert not PROCESS.reads(kind, BODY, state), kind
    assert PROCESS.reads("form:team", BODY, state) == (state in (
        "preparing", "change_judgement", "change_consultation", "dispatched", "stopped", "awaiting_report", "reported",
    ))  # fmt: skip


def test_a_body_does_nothing_but_read():
    assert not [row.name for row in PROCESS.table if "body" in row.by]


def test_who_has_another_part_besides_reads_what_that_part_reads():
    both = frozenset({"personnel", "municipality"})
    assert PROCESS.reads("input:reason", both, "preparing")
    assert PROCESS.reads("form:contact", both, "preparing")
    assert PROCESS.reads("form:countersign", both, "preparing")
    assert not PROCESS.reads("internal:reason", both, "preparing")


def test_a_stop_that_waits_for_the_director_stays_with_him_whatever_else_waits():
    """What the municipality wishes, or personnel is asked, does not take his turn away."""
    story = entered().run("countersign").act(CLOCK, "begin").on(FIRST).run("stop")
    assert asked(story) == [("director", "緊急の停止を追認する(事後決裁)")]
    story.act(WRITER, "ask_change", text="日を改めたい。")
    assert asked(story) == [("director", "緊急の停止を追認する(事後決裁)"), ("bureau", "変更の希望に答える")]
