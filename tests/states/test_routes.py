"""Routes step by step: groups of any, all and some, refusals, readers, sending back, merging, and the way through JSON."""

from dataclasses import replace

import pytest

from states import route_making, routes
from states import route_verbs as verbs
from states.authority import CIRCULATE, CONSENT, DECIDE, REVIEW, Address, Matter, Rule, Stage
from states.route_making import Drafter
from states.routes import AFTER, Answer
from states.seats import Holder, Seat, Seats
from states.terms import Ask

MATTER = Matter("m", "事項", frozenset({"judged"}), "director", frozenset({"approve"}))
TITLES = ("係長", "課長", "甲", "乙", "丙", "局長", "本庁局長")
DECISION = Stage(DECIDE, (Address("局長"),))
DRAFTER = Drafter(90, "起案", 9, "主査", "o", "")


def seats(**people):
    """Each post held by the person of its number, or by whom it is said."""
    held = {title: people.get(title, number) for number, title in enumerate(TITLES, 1)}
    found = {}
    for number, title in enumerate(TITLES, 1):
        holders = tuple(Holder(p, f"人{p}") for p in ([held[title]] if isinstance(held[title], int) else held[title]))
        found[number] = Seat(number, "o", "局", "", title, 7 if title == "局長" else None, holders)
    return Seats(found)


def review(title, *covers):
    return Stage(REVIEW, (Address(title),), covers=covers)


def consent(*titles, passes="all", quorum=0, refusal="first", must=()):
    return Stage(CONSENT, tuple(Address(t, mandatory=t in must) for t in titles), passes, quorum, refusal)


def made(*stages, there=None, drafter=DRAFTER, excluded=()):
    rule = Rule(1, "p", "m", "", "別表", (), (*stages, DECISION) if DECISION not in stages else stages)
    return route_making.made(rule, MATTER, there or seats(), drafter, "o", at=1, excluded=excluded)


def says(route, no, said="approve", at=5, **more):
    return verbs.answered(route, no, said, Answer(no, f"人{no}", no, "", at, at, **more))


def asked(route):
    return [step.no for step in route.open]


def test_stage_after_stage_is_asked():
    route = made(review("係長"), consent("甲", "乙"))
    assert asked(route) == [1]
    route = says(route, 1)
    assert asked(route) == [2, 3]
    route = says(route, 3, "agree")
    assert asked(route) == [2]
    route = says(route, 2, "agree")
    assert asked(route) == [4]
    done = verbs.concluded(route, Answer(6, "人6", 6, "", 9, 9), "approve")
    assert (done.status, asked(done)) == (routes.DECIDED, [])


@pytest.mark.parametrize(
    ("stage", "answers", "then"),
    [
        (consent("甲", "乙", "丙", passes="any"), {1: "agree"}, "passed"),
        (consent("甲", "乙", "丙", passes="any"), {1: "disagree"}, "stopped"),
        (consent("甲", "乙", "丙", passes="any", refusal="all"), {1: "disagree"}, "asked"),
        (consent("甲", "乙", "丙", passes="any", refusal="all"), {1: "disagree", 2: "disagree", 3: "agree"}, "passed"),
        (consent("甲", "乙", passes="any", refusal="all"), {1: "disagree", 2: "disagree"}, "stopped"),
        (consent("甲", "乙", "丙"), {1: "agree", 2: "agree"}, "asked"),
        (consent("甲", "乙", "丙", refusal="all"), {1: "disagree", 2: "agree"}, "asked"),
        (consent("甲", "乙", "丙", refusal="all"), {1: "disagree", 2: "agree", 3: "agree"}, "stopped"),
        (consent("甲", "乙", "丙", passes="quorum", quorum=2), {1: "agree"}, "asked"),
        (consent("甲", "乙", "丙", passes="quorum", quorum=2), {1: "agree", 3: "agree"}, "passed"),
        (consent("甲", "乙", "丙", passes="quorum", quorum=2, must=("乙",)), {1: "agree", 3: "agree"}, "asked"),
        (consent("甲", "乙", "丙", passes="quorum", quorum=2, must=("乙",)), {1: "agree", 2: "agree"}, "passed"),
        (consent("甲", "乙", "丙", passes="any", must=("丙",)), {1: "agree"}, "asked"),
        (
            consent("甲", "乙", "丙", passes="quorum", quorum=3, refusal="all"),
            {1: "agree", 2: "agree", 3: "disagree"},
            "stopped",
        ),
    ],
)
def test_a_group_passes_waits_or_stops(stage, answers, then):
    route = made(stage)
    for no, said in answers.items():
        route = says(route, no, said)
    decide = len(stage.asked) + 1
    left = [n for n in range(1, decide) if n not in answers]
    assert (route.status, asked(route)) == {
        "passed": (routes.RUNNING, [decide]), "asked": (routes.RUNNING, left), "stopped": (routes.STOPPED, []),
    }[then]  # fmt: skip


def test_the_drafter_lets_a_stopped_route_go_on_and_no_deputy_decides_it():
    route = verbs.went_on(says(made(consent("甲", "乙")), 1, "disagree"), 6)
    assert (route.status, asked(route)) == (routes.RUNNING, [3])
    assert "同意しない職" in route.barred()


def test_readers_before_are_beside_and_readers_after_wait_for_the_decision():
    route = made(Stage(CIRCULATE, (Address("甲"),)), review("係長"), DECISION, Stage(CIRCULATE, (Address("乙"),)))
    assert asked(route) == [1, 2]
    route = says(route, 2)
    assert asked(route) == [1, 3]
    done = verbs.concluded(route, Answer(6, "人6", 6, "", 9, 9), "approve")
    assert asked(done) == [1, 4]
    assert asked(says(says(done, 1, "read"), 4, "read")) == []


def test_a_superior_takes_it_up_and_who_is_passed_over_reads_it_afterwards():
    route = verbs.taken_up(made(review("係長"), review("課長")), 3, 5)
    assert [(step.no, step.kind) for step in route.open] == [(3, DECIDE), (4, AFTER), (5, AFTER)]
    one = verbs.passed_over(made(review("係長"), review("課長")), 1, 5)
    assert [(step.no, step.kind) for step in one.open] == [(2, REVIEW), (4, AFTER)]


def test_who_was_absent_reads_what_a_deputy_decided():
    done = verbs.concluded(made(), Answer(2, "人2", 2, "", 9, 9, "deputy", 6, "人6", "出張"), "approve")
    assert [(step.kind, step.post, step.asker) for step in done.open] == [(AFTER, 6, 1)]
    assert verbs.concluded(made(), Answer(6, "人6", 6, "", 9, 9), "approve").open == ()


def test_sent_back_runs_again_or_comes_straight_back():
    route = made(review("係長"), review("課長"), consent("甲"))
    for no in (1, 2, 3):
        route = says(route, no, "agree" if no == 3 else "approve", at=no + 1)
    again, straight = (verbs.sent_back(route, 4, 1, then, 9) for then in (routes.AGAIN, routes.STRAIGHT))
    assert asked(again) == asked(straight) == [1]
    assert asked(says(straight, 1, at=10)) == [4]
    again = says(again, 1, at=10)
    assert asked(again) == [2]
    assert again.step(2).reopened == 3


def test_sent_straight_to_who_refused_the_group_is_asked_and_another_groups_refusal_stays_passed():
    route = verbs.went_on(says(made(consent("甲"), consent("乙")), 1, "disagree"), 6)
    route = says(route, 2, "agree", at=7)
    back = verbs.sent_back(route, 3, 2, routes.STRAIGHT, 8)
    assert (back.status, asked(back)) == (routes.RUNNING, [2])
    assert asked(says(back, 2, "agree", at=9)) == [3]
    assert asked(verbs.sent_back(route, 3, 1, routes.STRAIGHT, 8)) == [1]


def test_a_change_asks_exactly_those_whose_approval_was_about_it():
    route = says(says(made(review("係長", "team"), review("課長", "cost")), 1), 2)
    assert asked(verbs.reopened(route, {"cost"}, 9)) == [2]
    assert asked(verbs.reopened(route, {"team:3"}, 9)) == [1]
    assert asked(verbs.reopened(route, {"other"}, 9)) == [3]
    assert asked(verbs.reopened(says(made(review("係長")), 1), {"other"}, 9)) == [1]  # an approval of everything


def test_a_person_who_stands_twice_is_asked_once_at_the_last_and_all_posts_are_recorded():
    route = made(review("係長"), review("課長"), consent("甲"), there=seats(係長=3, 課長=3, 甲=3))
    assert asked(route) == [3]
    route = says(route, 3, "agree")
    assert [(step.answer, step.by) for step in route.steps[:3]] == [("approve", 3), ("approve", 3), ("agree", 3)]
    back = verbs.pulled_back(route, 3, 9)
    assert asked(back) == [3]
    assert [step.answer for step in back.steps[:3]] == ["", "", ""]


def test_who_is_asked_later_does_not_pass_a_group_of_any():
    """Two posts of one person in a group of any, or one that is asked again at the decision, agree to nothing by that."""
    assert asked(made(consent("甲", "乙", "丙", passes="any"), there=seats(甲=4))) == [2, 3]
    assert asked(made(consent("甲", "乙", passes="any"), there=seats(甲=6))) == [2]
    assert asked(made(consent("甲", "乙", "丙", passes="quorum", quorum=2), there=seats(甲=6))) == [2, 3]


def test_a_review_is_never_put_off_to_a_consent_that_may_pass_without_it():
    route = made(review("係長"), consent("甲", "乙", passes="any"), there=seats(係長=3))
    assert asked(route) == [1]
    assert asked(says(route, 1)) == [4]  # the same person has agreed by it


def test_after_a_refusal_is_passed_over_who_was_to_be_asked_there_is_asked_at_the_own_step():
    route = made(review("係長"), consent("甲", "乙"), there=seats(係長=4))
    assert asked(route) == [2, 3]
    route = verbs.went_on(says(route, 2, "disagree"), 6)
    assert asked(route) == [1]


def test_the_drafters_own_post_is_not_asked_and_the_drafter_never_decides():
    route = made(review("係長"), there=seats(係長=90, 局長=90))
    assert asked(route) == [2]
    assert (route.deciding.post, route.deciding.instead) == (7, "局長は起案者なので、上位の職に回します")
    concerned = made(there=seats(), excluded=(6,))
    assert (concerned.deciding.post, "この件の本人" in concerned.deciding.instead) == (7, True)


def test_a_changed_holder_parts_what_was_merged():
    route = made(review("係長"), review("課長"), there=seats(係長=2))
    assert asked(route) == [2]
    assert asked(routes.settled(route_making.seated(route, seats()), 5)) == [1]


def twice_answered_once():
    """A consent about the team and a review of everything, both with person 2, who was asked once at the review."""
    team = replace(consent("課長"), covers=("team",))
    route = made(review("係長"), team, review("課長"))
    route = verbs.answered(says(route, 1), 3, "approve", Answer(2, "人2", 2, "", 6, 6))
    assert [(s.answer, s.by, s.into) for s in route.steps[1:3]] == [("agree", 2, 3), ("approve", 2, -1)]
    return route


def test_what_changed_is_asked_again_though_the_same_person_consented_to_something_else_before():
    route = verbs.reopened(twice_answered_once(), {"request"}, 7)
    assert [s.state for s in route.steps[:3]] == [routes.OPEN, routes.DONE, routes.WAITING]
    for there in (seats(乙=1), seats()):  # others come and go elsewhere: the review stays to be asked
        route = routes.settled(route_making.seated(route, there), 8)
        assert [(s.state, s.into) for s in route.steps[1:3]] == [(routes.DONE, 3), (routes.WAITING, -1)]
    both = verbs.reopened(route, {"team", "request"}, 9)
    assert [(s.state, s.into) for s in both.steps[1:3]] == [(routes.MERGED, 3), (routes.WAITING, -1)]
    both = says(both, 1, at=10)
    assert asked(both) == [3], "asked once again, for both posts"
    both = verbs.answered(both, 3, "approve", Answer(2, "人2", 2, "", 11, 11))
    assert [(s.answer, s.by) for s in both.steps[1:3]] == [("agree", 2), ("approve", 2)]
    assert asked(both) == [4]


def test_who_was_heard_by_an_answer_given_before_is_asked_once_what_the_other_post_is_about_changes():
    team = replace(consent("係長"), covers=("team",))
    route = says(made(team, review("課長")), 1, "agree")
    route = routes.settled(route_making.seated(route, seats(課長=1)), 6)
    assert (route.steps[1].into, asked(route)) == (1, [3])
    changed = verbs.reopened(route, {"request"}, 7)
    assert (changed.steps[0].state, asked(changed), changed.steps[1].reopened) == (routes.DONE, [2], 5)


def test_a_step_sent_back_is_asked_itself_whoever_comes_or_goes_meanwhile():
    route = verbs.sent_back(twice_answered_once(), 4, 3, routes.STRAIGHT, 7)
    assert asked(routes.settled(route_making.seated(route, seats(乙=1)), 8)) == [3]


def test_taken_back_is_what_was_answered_at_once_and_not_what_was_answered_later_alone():
    route = twice_answered_once()
    assert [s.state for s in verbs.pulled_back(route, 3, 7).steps[1:3]] == [routes.MERGED, routes.OPEN]
    route = verbs.reopened(route, {"request"}, 7)
    route = verbs.answered(says(route, 1, at=8), 3, "approve", Answer(2, "人2", 2, "", 9, 9))
    assert [s.state for s in verbs.pulled_back(route, 3, 10).steps[1:3]] == [routes.DONE, routes.OPEN]


def test_who_stands_in_for_a_vacant_post_has_spoken_and_who_acts_for_the_absent_has_not():
    for acting, next_asked in (("charge", [3]), ("deputy", [2])):
        route = made(consent("甲"), review("課長"))
        route = verbs.answered(route, 1, "agree", Answer(2, "人2", 2, "", 5, 5, acting))
        assert asked(routes.settled(route_making.seated(route, seats(甲=2)), 6)) == next_asked


def test_who_was_not_needed_while_a_group_had_passed_is_asked_once_it_has_not():
    there = seats(係長=1, 丙=1)
    route = made(consent("課長", "丙", passes="any"), consent("甲", "丙", passes="any"), there=there)
    assert route.steps[3].into == 2
    route = verbs.answered(route, 2, "agree", Answer(1, "人1", 5, "", 5, 5))
    assert asked(route) == [5]
    route = verbs.reopened(route, {"request"}, 6)
    assert asked(route) == [1, 2]
    route = says(route, 1, "agree", at=7)
    assert (asked(route), route.status) == ([3], routes.RUNNING), "nobody has refused, so nothing has stopped"


def test_put_up_again_asks_whom_only_an_answer_from_before_the_change_had_covered():
    team, cost = replace(consent("課長"), covers=("team",)), review("課長", "cost")
    before = verbs.answered(made(team, cost), 2, "approve", Answer(2, "人2", 2, "", 5, 5))
    before = replace(verbs.paused(replace(before, status=routes.RETURNED)), then=routes.STRAIGHT)
    kept = route_making.carried(made(team, cost), before, lambda step: "team" in step.covers, 9)
    assert (asked(kept), kept.steps[0].reopened, kept.steps[1].agreed) == ([1], 5, True)


def test_a_refusal_counts_from_both_posts_of_who_is_asked_once():
    route = verbs.answered(made(consent("甲"), consent("甲")), 2, "disagree", Answer(3, "人3", 3, "", 5, 5))
    assert [s.answer for s in route.steps[:2]] == ["disagree", "disagree"]
    assert route.status == routes.STOPPED
    assert asked(verbs.went_on(route, 6)) == [3]


def test_put_up_again_keeps_what_has_not_changed_and_a_rule_that_names_nobody_is_said():
    before = says(says(made(review("係長", "team"), review("課長", "cost")), 1), 2)
    before = replace(verbs.paused(replace(before, status=routes.RETURNED)), then=routes.STRAIGHT)
    anew = made(review("係長", "team"), review("課長", "cost"))
    kept = route_making.carried(anew, before, lambda step: "cost" in step.covers, 9)
    assert (asked(kept), [step.reopened for step in kept.steps[:2]]) == ([2], [0, 5])
    assert asked(route_making.carried(anew, replace(before, then=routes.AGAIN), lambda step: False, 9)) == [1]
    with pytest.raises(route_making.Unresolved, match="「参事」という職が"):
        made(review("参事"))


def test_the_inbox_asks_the_posts_in_place_of_the_decider():
    route = made(Stage(CIRCULATE, (Address("甲"),)), review("係長"))
    own, other = Ask("director", "判断する", "judgement"), Ask("bureau", "別の仕事")
    found = routes.asked(route, MATTER, [own, other])
    assert [(ask.holder, ask.label) for ask in found] == [
        ("bureau", "別の仕事"),
        ("#3", "供覧を読む"),
        ("#1", "回議する"),
    ]
    stopped = says(made(consent("甲", "乙")), 1, "disagree")
    assert [ask.holder for ask in routes.asked(stopped, MATTER, [own])] == ["#9"]
    assert routes.asked(route, None, [own])[0] is own  # elsewhere the route asks only its readers


def test_a_route_survives_json():
    route = verbs.went_on(says(made(review("係長", "team"), consent("甲", "乙", passes="quorum", quorum=1)), 1), 6)
    assert routes.of({"route": routes.to_json(route)}) == route
    assert routes.of({}) is None
    assert routes.of({"route": {"erased": 4}}) is None
