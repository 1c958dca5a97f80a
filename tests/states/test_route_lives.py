"""Lives of routes without a database: random teams, rules, verbs and personnel changes against the law told a second time."""

import os
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from states import catalogue, route_making, routes
from states import route_verbs as verbs
from states.authority import Address, Rule, Stage
from states.kernel import Refused
from states.route_actions import BY_NAME, judged, turned
from states.route_making import Drafter, reseated
from states.routes import AGAIN, RETURNED, STRAIGHT, Answer
from states.seats import Holder, Seat, Seats
from states.standings import stands
from states.terms import Facts
from tests.route_law import CIRCULATE, CONSENT, DECIDE, REVIEW, Law, Slot, Team
from workflow.access import PostHeld
from workflow.routing import granted

MINUTES = float(os.environ.get("TOBIDASHI_SOAK_MINUTES") or 0)
LIVES = 3000 if MINUTES else 200
pytestmark = pytest.mark.timeout(0 if MINUTES else 600)
OFFICE, STATE = "hk-kamikawa", "director_judgement"
PROCESS = catalogue.process("dispatch")
MATTER = PROCESS.matters[0]
NOWHERE: Any = None  # what no verb of a route asks
POSTS = {1: "係長", 2: "課長", 3: "総務課長", 4: "室長", 5: "部長", 6: "副局長", 7: "局長", 8: "主査", 9: "主任"}
PERSONS = range(1, 10)
COVERS = ("request", "team", "consultation")
ANSWERS = {"decide": (DECIDE,), "approve_step": (REVIEW,), "agree_step": (CONSENT,), "disagree_step": (CONSENT,)}
VERBS = sorted(BY_NAME) + ["decide"] * 4 + ["approve_step", "agree_step"] * 3

persons = st.sampled_from(PERSONS)
posts = st.sampled_from(sorted(POSTS))
covers = st.lists(st.sampled_from(COVERS), max_size=2, unique=True)
reviews = st.builds(
    lambda post, about: {"kind": REVIEW, "asked": [(post, False)], "covers": about}, st.integers(1, 6), covers
)
circulations = st.builds(lambda post: {"kind": CIRCULATE, "asked": [(post, False)]}, posts)


@st.composite
def consents(draw):
    asked = draw(
        st.lists(st.tuples(st.integers(1, 6), st.booleans()), min_size=1, max_size=3, unique_by=lambda one: one[0])
    )
    passes = draw(st.sampled_from(["all", "any", "quorum"]))
    quorum = draw(st.integers(1, len(asked))) if passes == "quorum" else 0
    return {
        "kind": CONSENT,
        "asked": asked,
        "passes": passes,
        "quorum": quorum,
        "refusal": draw(st.sampled_from(["first", "all"])),
        "covers": draw(covers),
    }


@st.composite
def regulations(draw):
    """Stages before a decision, the decision, and readers after it."""
    before = draw(st.lists(st.one_of(reviews, reviews, consents(), circulations), max_size=4))
    decide = {"kind": DECIDE, "asked": [(draw(st.sampled_from([5, 6, 7, 7])), False)]}
    return [*before, decide, *draw(st.lists(circulations, max_size=1))]


@st.composite
def teams(draw):
    """Every post with nobody, somebody or two; now and then one person on several."""
    holders = {post: [(post, "main")] for post in POSTS}
    for post, person, tenure in draw(
        st.lists(st.tuples(posts, persons, st.sampled_from(["main", "concurrent", "charge", "acting"])), max_size=4)
    ):
        holders[post] = [(person, tenure)]
    for post in draw(st.lists(posts, max_size=1)):
        holders[post] = []
    for post, person in draw(st.lists(st.tuples(posts, persons), max_size=1)):
        if person not in [one for one, _ in holders[post]]:
            holders[post] = [*holders[post], (person, "concurrent")]
    deputies = {
        post: draw(st.lists(st.sampled_from([p for p in POSTS if p != post]), max_size=3, unique=True))
        for post in (1, 2, 3, 7)
    }
    return Team(holders, set(draw(st.lists(persons, max_size=3))), deputies, {1: 2, 5: 6, 6: 7, 7: 9})


def refused(act):
    """The sentence with which something is refused; empty where it is not."""
    try:
        act()
    except Refused as refusal:
        return refusal.sentence
    return ""


class RouteLife(RuleBasedStateMachine):
    """One route of one case; time is a count of what was done."""

    def __init__(self):
        super().__init__()
        self.now = 1
        self.changed_at = {}

    @initialize(
        team=teams(),
        stages=regulations(),
        drafter=st.sampled_from([8, 8, 8, 2, 7]),
        excluded=st.lists(persons, max_size=1),
        closed=st.booleans(),
    )
    def put_up(self, team, stages, drafter, excluded, closed):
        self.team, self.stages, self.no_deputy = team, stages, closed and len(excluded) == 0
        self.excluded = set(excluded)
        self.law = self.told_again(drafter)
        self.route = self.made(drafter)

    # ── the engine's side ───────────────────────────────────────────────────────────────────────────────────────────

    def seats(self):
        found = {}
        for post, title in POSTS.items():
            people = tuple(
                Holder(p, f"人{p}", tenure, "trip" if p in self.team.away else "")
                for p, tenure in self.team.holders[post]
            )
            found[post] = Seat(
                post,
                OFFICE,
                "局",
                "",
                title,
                self.team.superior.get(post),
                people,
                tuple(self.team.deputies.get(post, ())),
            )
        return Seats(found)

    def made(self, drafter):
        stages = tuple(
            Stage(s["kind"], tuple(Address(POSTS[p], mandatory=must) for p, must in s["asked"]), s.get("passes", "all"), s.get("quorum", 0), s.get("refusal", "first"), tuple(s.get("covers", ())))
            for s in self.stages
        )  # fmt: skip
        rule_ = Rule(1, "dispatch", "dispatch", "", "別表2", (), stages, no_deputy=self.no_deputy)
        who = Drafter(drafter, f"人{drafter}", 8, "主査", OFFICE, "")
        return route_making.made(rule_, MATTER, self.seats(), who, OFFICE, at=self.now, excluded=self.excluded)

    def facts(self, person):
        own = [
            PostHeld(post, OFFICE, "", POSTS[post], "bureau", "office") for post in sorted(self.team.posts_of(person))
        ]
        held = {"bureau": own[0]} if own else {}
        roles, found = granted(PROCESS, STATE, self.route, held, own, person, self.seats())
        registers = {"stands": found, "posts": frozenset(post.id for post in own), "seats": self.seats()}
        form = {"route": routes.to_json(self.route)}
        return Facts(
            STATE, form, None, date(2026, 11, 2), NOWHERE, NOWHERE, frozenset(roles), str(person), registers=registers
        )

    def answer(self, facts, person, verb):
        kinds = ANSWERS.get(verb, ())
        one = next((s for s in facts.registers["stands"].steps if s.step.kind in kinds), None)
        acting = one.acting if one else ""
        return Answer(
            person, f"人{person}", one.seat if one else 0, "", self.now, self.now, acting, one.for_person if one else 0
        )

    # ── what happens ────────────────────────────────────────────────────────────────────────────────────────────────

    def told_again(self, drafter):
        return Law(self.team, self.stages, drafter, 8, self.excluded, self.no_deputy)

    @rule(
        person=persons, verb=st.sampled_from(VERBS), choice=st.integers(1, 12), then=st.sampled_from([AGAIN, STRAIGHT])
    )
    def anybody_does_anything(self, person, verb, choice, then):
        self.do(person, verb, choice, then)

    @precondition(lambda self: self.law.live() and self.law.turn()[0] and not self.law.turn()[1])
    @rule(data=st.data(), said=st.sampled_from(["agree_step", "agree_step", "agree_step", "disagree_step"]))
    def whose_turn_it_is_answers(self, data, said):
        asked = [
            p
            for p in PERSONS
            if any(self.law.slots[no - 1].kind in (REVIEW, CONSENT, DECIDE) for no in self.law.stands(p))
        ]
        if asked:
            person = data.draw(st.sampled_from(asked))
            kind = self.law.at(person, REVIEW, CONSENT, DECIDE).kind
            assert self.do(person, {REVIEW: "approve_step", CONSENT: said, DECIDE: "decide"}[kind], 0, AGAIN)

    @rule(data=st.data(), verb=st.sampled_from(sorted({*BY_NAME, "decide"})), then=st.sampled_from([AGAIN, STRAIGHT]))
    def somebody_does_what_may_be_done(self, data, verb, then):
        choices = range(1, 13) if verb in ("return_step", "pass_over", "ask_advice", "circulate") else [0]
        open_ = [(p, c) for p in PERSONS for c in choices if self.law.allows(p, verb, c)]
        if open_:
            person, choice = data.draw(st.sampled_from(open_))
            assert self.do(person, verb, choice, then)

    def do(self, person, verb, choice, then):
        """Ask both; they agree on whether it may be done, and on what it makes of the route."""
        self.now += 1
        allowed = self.law.allows(person, verb, choice)
        facts = self.facts(person)
        facts.inputs = {
            "remark": "意見",
            "to": str(choice),
            "then": then,
            "post": str(choice),
            "step": str(choice),
            "review_on": "R8.12.1",
        }
        if verb == "decide":
            assert (MATTER.role in facts.roles) is allowed
            after = verbs.concluded(self.route, self.answer(facts, person, verb), "approve") if allowed else None
        else:
            after = self.engine(facts, verb, person, allowed)
        if allowed:
            self.law.does(person, verb, choice, then, self.now)
            self.route = after
        return allowed

    def engine(self, facts, verb, person, allowed):
        said = refused(lambda: judged(PROCESS, facts, verb))
        assert (not said) is allowed, (verb, person, said)
        assert said.endswith("。") or allowed
        return turned(facts, verb, self.answer(facts, person, verb)) if allowed else None

    @rule(person=persons)
    def somebody_leaves_or_returns(self, person):
        self.team.away ^= {person}

    @rule(
        post=posts,
        people=st.lists(
            st.tuples(persons, st.sampled_from(["main", "concurrent", "charge", "acting"])),
            max_size=2,
            unique_by=lambda one: one[0],
        ),
    )
    def personnel_changes(self, post, people):
        """The post is given to others, and every live route is seated anew."""
        self.team.holders[post] = people
        if self.law.live():
            self.law.seat()
            self.route = reseated(self.route, self.seats(), self.now)

    @precondition(lambda self: self.law.live())
    @rule(groups=st.sets(st.sampled_from(COVERS), min_size=1))
    def the_case_is_changed(self, groups):
        self.now += 1
        self.law.changed(groups, self.now)
        self.route = reseated(verbs.reopened(self.route, groups, self.now), self.seats(), self.now)

    @precondition(lambda self: self.law.live() and any(slot.said for slot in self.law.slots))
    @rule(
        then=st.sampled_from([AGAIN, STRAIGHT]),
        groups=st.sets(st.sampled_from(COVERS)),
        drafter=st.sampled_from([8, 9]),
    )
    def it_goes_back_to_the_drafter_and_is_put_up_again(self, then, groups, drafter):
        self.now += 1
        before = verbs.paused(replace(self.route, status=RETURNED, then=then))
        self.route = route_making.carried(
            self.made(drafter), before, lambda step: verbs.touches(step.covers, groups), self.now
        )
        self.route = route_making.with_readers(self.route, before)
        was, self.law = self.law, self.told_again(drafter)
        if then == STRAIGHT:
            self.law.keep(was, groups, self.now)
        was.status = "returned"
        for old in was.slots:
            if old.kind in (CIRCULATE, "review_after") and old in was.open():
                self.law.slots.append(Slot(len(self.law.slots) + 1, 0, old.kind, old.post))

    # ── what holds at any time ──────────────────────────────────────────────────────────────────────────────────────

    @invariant()
    def both_ask_the_same_and_let_the_same_people_answer(self):
        if not hasattr(self, "route"):
            return
        told = [(s.no, s.kind, s.post) for s in self.law.open()]
        assert [(s.no, s.kind, s.post) for s in self.route.open] == told
        assert self.route.status == (
            "decided" if self.law.status == "decided" else "stopped" if self.law.turn()[1] else "running"
        )
        said = {s.no: (s.said, s.by) for s in self.law.slots if s.said}
        assert {
            s.no: (s.answer, s.by) for s in self.route.steps if s.state == routes.DONE and s.kind in routes.BLOCKING
        } == said
        there = self.seats()
        for person in PERSONS:
            found = {
                one.step.no: one.acting == "deputy"
                for one in stands(self.route, person, self.team.posts_of(person), there).steps
            }
            assert found == self.law.stands(person), person
        assert routes.of({"route": routes.to_json(self.route)}) == self.route

    @invariant()
    def nobody_decides_what_is_his_own_and_nobody_is_asked_twice(self):
        if not hasattr(self, "route"):
            return
        decided = self.route.deciding
        if decided.state == routes.DONE:
            assert decided.by not in {self.route.drafter, *self.excluded}
        waiting = [
            s for s in self.route.steps if s.kind in (REVIEW, CONSENT) and s.state in (routes.WAITING, routes.OPEN)
        ]
        assert all(step.into != 0 or step.no for step in waiting)


def test_routes_live_by_the_law_whatever_happens():
    settings_ = settings(
        max_examples=LIVES,
        stateful_step_count=30,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    run_state_machine_as_test(RouteLife, settings=settings_)
