"""A route in words: marks of the boxes, who answered for whom, one line for what an act made of it."""

from dataclasses import replace

import pytest

from states import route_verbs as verbs
from states import route_words, routes
from states.authority import Address, Stage
from states.routes import Answer, Route, Step

STAGES = (
    Stage("review", (Address("課長"),)),
    Stage("consent", (Address("総務課長"), Address("室長", mandatory=True)), "quorum", 1, "all"),
    Stage("decide", (Address("局長"),)),
)
STEPS = (
    Step(1, "review", 11, "o", "課長", 1),
    Step(2, "consent", 12, "o", "総務課長", 2),
    Step(3, "consent", 13, "o", "室長", 2, mandatory=True),
    Step(4, "decide", 14, "o", "局長", 3),
)


def route() -> Route:
    made = Route(
        "m", "決定", 1, "別表1", (), False, False, False, 1, "起案（仮名）", 10, "主査", STAGES, STEPS, drafted_at=5
    )
    return routes.settled(made, 5)


def answer(person: int = 2, **told: object) -> Answer:
    return replace(Answer(person, "答える人（仮名）", 11, "課長", 7, 3), **told)  # type: ignore[arg-type]


def test_a_new_route_is_told_as_its_order() -> None:
    assert route_words.changed(None, route()) == "回る順: 回議 課長 → 合議 総務課長・室長 → 決裁 局長(別表1)"


def test_an_answer_is_told_as_who_is_next() -> None:
    after = verbs.answered(route(), 1, "approve", answer())
    assert route_words.changed(route(), after) == "次は 総務課長(合議)・室長(合議)"
    back = verbs.pulled_back(after, 1, 8)
    assert route_words.changed(after, back) == "課長(回議)はもう一度答えます。次は 課長(回議)"


def test_what_changes_nothing_that_one_asks_about_is_not_told() -> None:
    assert route_words.changed(route(), route()) == ""


def test_a_deputy_s_answer_names_both_and_the_ground() -> None:
    for_director = answer(acting="deputy", seat_title="副局長", for_person=9, for_name="局長（仮名）", ground="出張")
    decided = verbs.answered(route(), 4, "approve", for_director).deciding
    assert route_words.mark(decided) == ("代", "for")
    assert route_words.answered_by(decided) == "副局長 答える人（仮名）(局長 局長（仮名） 出張につき代決)"
    reviewed = verbs.answered(route(), 1, "approve", for_director).step(1)
    assert reviewed is not None
    assert route_words.answered_by(reviewed) == "副局長 答える人（仮名）(課長 局長（仮名） 出張につき代わり)"


@pytest.mark.parametrize(
    ("names", "action", "inside", "outside"),
    [
        ({"for": "局（仮名）", "for_post": "局長", "ground": "病気"}, "approve", "局長 局（仮名） 病気につき代決", "局長の代決"),
        ({"for": "課（仮名）", "for_post": "課長", "ground": "休暇"}, "approve_step", "課長 課（仮名） 休暇につき代わり", "課長の代わり"),
        ({"as": "職務代理"}, "approve", "職務代理", "職務代理"),
        ({}, "approve", "", ""),
    ],
)  # fmt: skip
def test_an_event_tells_others_neither_name_nor_ground(
    names: dict[str, str], action: str, inside: str, outside: str
) -> None:
    assert route_words.acted(names, action) == inside
    assert route_words.acted_outside(names, action) == outside


def test_how_those_asked_together_pass_is_one_sentence() -> None:
    assert route_words.together(route(), 2) == (
        "総務課長、室長に同時に回します(2のうち1の同意(室長は欠かせない)、全員の意見を待つ)。"
    )
    assert route_words.together(route(), 1) == ""
