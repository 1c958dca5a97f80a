"""Headquarters' consent with conditions: what it owes, the cases it opens, and the steps that wait for them."""

from typing import Any

import pytest

from states import catalogue
from states.kernel import Refused
from states.terms import CLOCK
from tests.states.dispatch.acting import DRAFTER, FIRST, HALFWAY, HQ, Story, request

ITEM = {"text": "協定書の写しを出すこと", "owner": "municipality", "due": "R8.10.30", "stops": "begin"}


def asked() -> Story:
    return Story(request(own_affairs="yes")).run(*HALFWAY, "consult")


def agreed(*items: dict[str, Any]) -> Story:
    return asked().act(HQ, "agree_with_conditions", {"conditions": {"items": list(items)}})


def child(story: Story, state: str = "condition_open", *, final: bool = False) -> dict[str, Any]:
    made = story.opened[0]
    return {"id": 1, "process": made.process, "state": state, "origin": made.origin, "form": made.form, "final": final}


def test_each_condition_becomes_a_case_of_its_owner():
    story = agreed(ITEM, ITEM | {"owner": "bureau", "stops": "finish"})
    assert story.state == "director_judgement"
    assert [(c.process, c.origin, c.action) for c in story.opened] == [
        ("condition", "municipality", "set"), ("condition", "bureau", "set"),
    ]  # fmt: skip
    assert story.opened[0].form["condition"]["due"] == "2026-10-30"
    catalogue.process("condition").reading(story.opened[0].form)
    assert story.tells == {"bureau", "municipality"}
    assert story.form["consultation"]["reply"] == "no_objection"


@pytest.mark.parametrize(
    ("items", "fields"),
    [
        ([], ["conditions.items"]),
        ([ITEM | {"text": " "}], ["conditions.items", "conditions.items.0.text"]),
        ([ITEM | {"owner": ""}], ["conditions.items.0.owner"]),
        ([ITEM, ITEM | {"stops": ""}], ["conditions.items.1.stops"]),
        ([ITEM | {"due": ""}], ["conditions.items.0.due"]),
        ([ITEM | {"due": "2026-10-01"}], ["conditions.items.0.due"]),
    ],
)
def test_a_condition_says_what_of_whom_by_when_and_what_waits(items, fields):
    with pytest.raises(Refused) as refused:
        agreed(*items)
    assert [v.field for v in refused.value.verdicts] == fields


@pytest.mark.parametrize("step", ["approve", "begin", "finish"])
@pytest.mark.parametrize("done", [True, False])
def test_a_condition_stops_its_step_until_it_is_met_or_waived(step, done):
    story = agreed(ITEM | {"stops": step})
    story.children = [child(story, "condition_met" if done else "condition_open", final=done)]
    ways = {
        "approve": lambda: story.run("approve"),
        "begin": lambda: story.on(FIRST).act(CLOCK, "begin"),
        "end": lambda: story.run("end", "report_one", "report_two"),
        "finish": lambda: story.run("result"),
    }
    for name, way in ways.items():
        if name == step and not done:
            with pytest.raises(
                Refused, match="条件「協定書の写しを出すこと」が済んでいません\\(担当 市町村、期限 令和8年10月30日\\)"
            ):
                way()
            story.children = [child(story, "condition_waived", final=True)]
        way()
    assert story.state == "reported"


def test_a_new_question_begins_without_the_conditions_of_the_first_answer():
    story = agreed(ITEM).run("consult")
    assert story.form["conditions"] == {"items": []}
    story.run("agree")
    assert len(story.opened) == 1


def test_conditions_are_shown_to_everybody_who_waits_for_them():
    process = catalogue.process("dispatch")
    for role in ("municipality", "partner", "staff", "bureau", "headquarters"):
        assert process.reads("form:conditions", frozenset({role}), "preparing")


def test_a_plain_consent_opens_nothing():
    story = asked().run("agree")
    assert story.opened == []
    assert "conditions" not in story.offers(DRAFTER)["consult"].action.edits
