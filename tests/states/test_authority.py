"""The table of decisions: which rule fits, in which words, and what is no rule at all."""

import pytest

from states import authority
from states.authority import (
    CIRCULATE,
    CONSENT,
    DECIDE,
    REVIEW,
    Address,
    Condition,
    Matter,
    Rule,
    Stage,
    chosen,
    problems,
    reasons,
    rule_of,
    stored,
)

DAYS = Condition("days", "派遣日数", lambda facts: 0, "number", "日")
JOINT = Condition("joint", "併任", lambda facts: False)
KIND = Condition("kind", "変更の種類", lambda facts: "", "choice", choices=(("extend", "延長"), ("move", "日程の変更")))
MATTER = Matter(
    "dispatch",
    "派遣の決定",
    frozenset({"judged"}),
    "director",
    frozenset({"approve"}),
    covers={"team": "隊の案"},
    conditions=(DAYS, JOINT, KIND),
)
DECISION = Stage(DECIDE, (Address("局長"),))


def rule(number=1, *tests, stages=(DECISION,), office="", order=0, matter="dispatch"):
    return Rule(number, "p", matter, office, "別表2", tests, stages, order=order)


@pytest.mark.parametrize(
    ("test", "values", "met"),
    [
        (authority.Test("days", "<=", 5), {"days": 5}, True),
        (authority.Test("days", "<=", 5), {"days": 6}, False),
        (authority.Test("days", ">=", 5), {"days": 5}, True),
        (authority.Test("days", ">=", 5), {"days": 4}, False),
        (authority.Test("days", "=", 5), {"days": 5}, True),
        (authority.Test("joint", "=", True), {"joint": False}, False),
        (authority.Test("kind", "=", "move"), {"kind": "move"}, True),
        (authority.Test("days", "<=", 5), {}, False),
        (authority.Test("days", "<=", 5), {"days": "5"}, False),
    ],
)
def test_a_condition_is_met_or_not(test, values, met):
    assert test.met(values) is met


def test_the_offices_own_rule_comes_first_then_the_order_of_the_table():
    general, own = rule(1), rule(2, office="o", order=9)
    early, late = rule(3, authority.Test("days", "<=", 5), order=1), rule(4, authority.Test("days", "<=", 9), order=2)
    assert chosen([general, own], MATTER, {}) == own
    assert chosen([late, early], MATTER, {"days": 5}) == early
    assert chosen([late, early], MATTER, {"days": 6}) == late
    assert chosen([late, early], MATTER, {"days": 10}) is None
    assert chosen([rule(5, matter="other")], MATTER, {}) is None


def test_the_reasons_are_said_in_the_words_of_the_conditions():
    found = rule(
        1, authority.Test("days", "<=", 5), authority.Test("joint", "=", False), authority.Test("kind", "=", "move")
    )
    assert reasons(found, MATTER) == ["派遣日数 5日以下", "併任 なし", "変更の種類 日程の変更"]
    assert reasons(rule(), MATTER) == ["条件なし(この事項のすべて)"]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (rule(1, authority.Test("cost", "=", True)), "「cost」という条件は、この事項にありません"),
        (rule(1, authority.Test("joint", ">=", 1)), "「併任」は、数ではない"),
        (rule(stages=()), "ちょうど一つ"),
        (rule(stages=(DECISION, DECISION)), "ちょうど一つ"),
        (rule(stages=(Stage(DECIDE, (Address("局長"), Address("副局長"))),)), "ちょうど一つ"),
        (rule(stages=(DECISION, Stage(REVIEW, (Address("課長"),)))), "決裁より前に"),
        (rule(stages=(Stage(REVIEW, (Address(" "),)), DECISION)), "職名を書いてください"),
        (rule(stages=(Stage(REVIEW, (Address("係長"), Address("課長"))), DECISION)), "一段に一つの職"),
        (rule(stages=(Stage(CONSENT, (Address("係長"), Address("課長")), "quorum", 3), DECISION)), "1人から2人まで"),
        (
            rule(stages=(Stage(REVIEW, (Address("課長"),), covers=("cost",)), DECISION)),
            "「cost」という内容はありません",
        ),
    ],
)
def test_what_is_no_rule_is_said(wrong, words):
    assert any(words in sentence for sentence in problems(wrong, MATTER))
    assert all(sentence.endswith("。") for sentence in problems(wrong, MATTER))


def test_a_sound_rule_has_no_problem_and_survives_being_stored():
    stages = (
        Stage(CIRCULATE, (Address("参事"),)),
        Stage(REVIEW, (Address("課長", "="),), covers=("team",)),
        Stage(CONSENT, (Address("課長", "総務課", mandatory=True), Address("室長", org="o")), "quorum", 1, "all"),
        DECISION,
        Stage(CIRCULATE, (Address("部長"),)),
    )
    made = rule(7, authority.Test("days", "<=", 5), stages=stages)
    assert problems(made, MATTER) == []
    row = {"id": 7, "process": "p", "matter": "dispatch", "office": None, "article": "別表2", "tests": [vars(t) for t in made.tests],
           "stages": stored(stages), "standing": False, "no_deputy": False, "bulk": False, "sort": 0}  # fmt: skip
    assert rule_of(row) == made
