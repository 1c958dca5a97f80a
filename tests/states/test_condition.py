"""A condition: shown by its owner, confirmed or waived by headquarters, and gone with the case it belongs to."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from states import catalogue
from states.calendar import Calendar
from states.kernel import Refused
from states.places import Directory
from states.terms import CLOCK, Facts

PROCESS = catalogue.process("condition")
TOLD = {"text": "協定書の写しを出すこと", "owner": "municipality", "due": "2026-10-30", "stops": "begin"}


def facts(state: str, role: str, owner: str = "municipality", **inputs: Any) -> Facts:
    form = {"condition": TOLD | {"owner": owner}}
    return Facts(
        state, form, PROCESS.reading(form), date(2026, 10, 5), Directory.from_csv(), Calendar(), frozenset({role}), "7", inputs,
        registers={"origin": owner},
    )  # fmt: skip


@pytest.mark.parametrize("owner", ["municipality", "bureau", "headquarters"])
def test_its_owner_is_asked_by_its_day_and_shows_what_meets_it(owner):
    waiting = facts("condition_open", owner, owner, evidence="協定書 10月20日")
    assert [(a.holder, a.deadline) for a in PROCESS.inbox(waiting)] == [(owner, f"due_{owner}")]
    dues = {d.kind: d.at(waiting) for d in PROCESS.deadlines if d.at}
    assert {kind for kind, day in dues.items() if day} == {f"due_{owner}"}
    assert dues[f"due_{owner}"] == date(2026, 10, 30)
    move = PROCESS.decide(waiting, "show_evidence")
    assert move.dest == "condition_shown"
    assert move.action.record is not None
    assert move.action.record(waiting) == {"evidence": {"on": "2026-10-05", "by": "7"}}


def test_the_bureau_may_enter_what_a_municipality_shows_on_paper_but_nobody_answers_for_another():
    assert PROCESS.decide(facts("condition_open", "bureau", evidence="写し"), "show_evidence").dest == "condition_shown"
    for role, owner in (("municipality", "bureau"), ("headquarters", "bureau"), ("partner", "municipality")):
        with pytest.raises(Refused) as refused:
            PROCESS.decide(facts("condition_open", role, owner, evidence="写し"), "show_evidence")
        assert refused.value.kind == "role"


@pytest.mark.parametrize(
    ("state", "action", "inputs", "end"),
    [
        ("condition_new", "set", {}, "condition_open"),
        ("condition_shown", "confirm", {}, "condition_met"),
        ("condition_shown", "return_evidence", {"reason": "印がない。"}, "condition_open"),
        ("condition_open", "waive", {"reason": "要らなくなった。"}, "condition_waived"),
        ("condition_shown", "waive", {"reason": "要らなくなった。"}, "condition_waived"),
    ],
)
def test_headquarters_sets_confirms_returns_and_waives(state, action, inputs, end):
    assert PROCESS.decide(facts(state, "headquarters", **inputs), action).dest == end
    for missing in inputs:
        with pytest.raises(Refused):
            PROCESS.decide(facts(state, "headquarters", **{**inputs, missing: " "}), action)
    for role in ("bureau", "municipality", "director"):
        with pytest.raises(Refused):
            PROCESS.decide(facts(state, role, **inputs), action)


@pytest.mark.parametrize("state", ["condition_open", "condition_shown"])
def test_it_ends_with_the_case_it_belongs_to(state):
    assert PROCESS.lapses == "lapse"
    ended = replace(facts(state, "bureau"), roles=frozenset({CLOCK}), actor=CLOCK)
    assert PROCESS.decide(ended, PROCESS.lapses).dest == "condition_lapsed"


def test_its_title_is_what_it_asks_for_and_short():
    assert PROCESS.title({"condition": TOLD}) == "条件: 協定書の写しを出すこと"
    assert len(PROCESS.title({"condition": TOLD | {"text": "長い " * 500}})) < 60
    assert PROCESS.title({"condition": {"erased": 4}}) == "(条件)"
    assert PROCESS.reading({"condition": {"erased": 4}}).condition.text == ""


def test_everybody_who_waits_reads_it_and_nobody_outside_the_inner_part():
    for role in ("municipality", "partner", "staff", "bureau", "headquarters"):
        assert PROCESS.reads("form:condition", frozenset({role}), "condition_open")
        assert PROCESS.reads("form:evidence", frozenset({role}), "condition_open")
    for role in ("municipality", "partner", "staff"):
        assert not PROCESS.reads("internal:reason", frozenset({role}), "condition_open")
