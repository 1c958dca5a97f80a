"""Lives of routes on the real database: random rules, absences, personnel and verbs by anybody, against the law told again.

The same machine without a database is `tests/states/test_route_lives.py`. Here every act is carried out and stored: the
history replays to the stored route, the inbox asks whom the law asks, and what is refused leaves no trace. `make test`
lives a few hundred stories, `make soak` as many as its minutes hold.
"""

import json
import os
import time
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from states import catalogue, routes
from states.kernel import Refused
from states.route_actions import BY_NAME
from tests import factory, offices
from tests.route_law import CIRCULATE, CONSENT, DECIDE, REVIEW, Law, Team
from workflow import cases, following, previews, verify
from workflow.deadlines import TOKYO
from workflow.loading import NotFound, load
from workflow.routing import mark_opened

MINUTES = float(os.environ.get("TOBIDASHI_SOAK_MINUTES") or 0)
pytestmark = [pytest.mark.timeout(0 if MINUTES else 600), pytest.mark.slow]
LIVES, STEPS = (1000, 30) if MINUTES else (200, 20)
NOW = datetime(2026, 10, 14, 9, tzinfo=TOKYO)
MATTER = catalogue.process("dispatch").matter("director_judgement")
COVERS = ("request", "team")
VERBS = (
    "approve_step", "agree_step", "disagree_step", "return_step", "pull_back_step", "hold_step", "take_up", "pass_over", "go_on",
    "ask_advice", "give_advice", "circulate", "mark_read", "decide", "decide",
)  # fmt: skip
CHOOSING = ("return_step", "pass_over", "ask_advice", "circulate")
KEYS = ("chief", "head", "general", "health", "department", "vice", "director", "officer", "above")
LINE = KEYS[:6]

keys = st.sampled_from(KEYS)
covers = st.lists(st.sampled_from(COVERS), max_size=1)
reviews = st.builds(
    lambda key, about: {"kind": REVIEW, "asked": [(key, False)], "covers": about}, st.sampled_from(LINE), covers
)
consents = st.builds(
    lambda asked, how, refusal, about: {"kind": CONSENT, "asked": asked, "passes": how if how != "quorum" or len(asked) > 1 else "all",
                                        "quorum": len(asked) - 1 if how == "quorum" and len(asked) > 1 else 0, "refusal": refusal, "covers": about},
    st.lists(st.tuples(st.sampled_from(LINE), st.booleans()), min_size=1, max_size=3, unique_by=lambda one: one[0]),
    st.sampled_from(["all", "any", "quorum"]), st.sampled_from(["first", "all"]), covers,
)  # fmt: skip
readers = st.builds(lambda key: {"kind": CIRCULATE, "asked": [(key, False)]}, st.sampled_from(LINE))


UNSEEN = "unseen"


def refused(act):
    """The sentence with which an act is refused; empty where it is done."""
    try:
        act()
    except Refused as refusal:
        return refusal.sentence
    except NotFound:
        return UNSEEN
    return ""


class RoutedCase(RuleBasedStateMachine):
    """One case on its way to a decision, with the line of an office around it."""

    db: Any
    around: tuple[Any, ...]  # the office of `offices.line`

    def __init__(self):
        super().__init__()
        self.held = self.db.connection()
        self.conn = self.held.__enter__()
        self.case = 0
        self.seen = set()
        self.backs = 0

    def teardown(self):
        self.restore()
        self.held.__exit__(None, None, None)

    @property
    def office(self):
        return self.around[0]

    # ── the beginning ───────────────────────────────────────────────────────────────────────────────────────────────

    @initialize(before=st.lists(st.one_of(reviews, reviews, consents, consents, readers), min_size=1, max_size=4), after=st.lists(readers, max_size=1), decider=st.sampled_from(["director", "director", "vice"]),
                away=st.lists(keys, max_size=2), twice=st.lists(st.tuples(st.sampled_from(LINE), keys), max_size=1), drafter=st.sampled_from(["officer", "officer", "head"]), closed=st.sampled_from([False, False, True]))  # fmt: skip
    def put_up(self, before, after, decider, away, twice, drafter, closed):
        self.today = NOW.date()
        self.stages = [*before, {"kind": DECIDE, "asked": [(decider, False)]}, *after]
        self.closed = closed
        self.rule = offices.rule(
            self.conn, self.office, [self.stored(stage) for stage in self.stages], no_deputy=closed
        )
        self.team = Team(
            {self.post(key): [(self.person(key), "main")] for key in KEYS}, set(),
            {self.post("director"): [self.post("vice"), self.post("department")], self.post("head"): [self.post("chief")]}, {self.post("director"): self.post("above")},
        )  # fmt: skip
        for post, key in twice:
            self.give(self.post(post), self.person(key))
        for key in dict.fromkeys(away):
            self.leave_or_return(self.person(key))
        drafter = drafter if self.team.posts_of(self.person(drafter)) else "officer"
        self.case = factory.opened(self.conn, self.office.who)
        factory.drive(self.conn, self.office.who, self.case, "submit", "receive", "propose_team")
        self.send_up(self.person(drafter))
        self.law = self.told(self.person(drafter))

    def stored(self, stage):
        asked = [
            {"title": self.titles[key][1], "section": self.titles[key][0], "mandatory": must}
            for key, must in stage["asked"]
        ]
        return {**stage, "asked": asked}

    @property
    def titles(self):
        return {key: (section, title) for key, section, title in offices.LINE} | {"director": ("", "局長")}

    def post(self, key):
        return self.office.posts[key]

    def person(self, key):
        return self.office.people[key]

    def told(self, drafter):
        stages = [{**stage, "asked": [(self.post(key), must) for key, must in stage["asked"]]} for stage in self.stages]
        return Law(
            self.team,
            stages,
            drafter,
            self.drafting_post(drafter),
            {self.office.who.staff, self.office.who.staff_colleague},
            self.closed,
        )

    def drafting_post(self, drafter):
        return self.route().drafter_post

    def send_up(self, drafter):
        typed = {"note": "助言の要請であり、職員2名で対応できる。"}
        foreseen = previews.preview(self.conn, load(self.conn, self.case, drafter), self.today)
        assert foreseen is not None
        factory.drive(self.conn, self.office.who, self.case, ("put_to_director", {"by": drafter, "inputs": typed}))
        if not any(step.reopened or step.answer for step in self.route().steps):
            told = [(stop.no, stop.asked) for stage in foreseen.stages for stop in stage.stops]
            assert told == [(step.no, step.state != routes.MERGED) for step in self.route().steps if step.stage]

    # ── what happens ────────────────────────────────────────────────────────────────────────────────────────────────

    @rule(key=keys, verb=st.sampled_from(VERBS), choice=st.integers(1, 8), then=st.sampled_from(["again", "straight"]))
    def anybody_does_anything(self, key, verb, choice, then):
        choice = list(self.team.holders)[choice % len(KEYS)] if verb in ("ask_advice", "circulate") else choice
        self.do(self.person(key), verb, choice, then)

    @precondition(lambda self: self.case and self.law.live() and self.law.turn()[0] and not self.law.turn()[1])
    @rule(data=st.data(), times=st.integers(1, 4))
    def those_whose_turn_it_is_answer(self, data, times):
        for _ in range(times):
            if self.law.live() and self.law.turn()[0] and not self.law.turn()[1]:
                self.whose_turn_it_is(
                    data, data.draw(st.sampled_from(["agree_step", "agree_step", "agree_step", "disagree_step"]))
                )
                self.what_is_stored_is_what_the_law_says()

    @precondition(lambda self: self.case and self.law.live() and self.law.turn()[1])
    @rule()
    def the_drafter_lets_it_go_on(self):
        if self.team.posts_of(self.law.drafter):
            assert self.do(self.law.drafter, "go_on", 0, "again")

    def whose_turn_it_is(self, data, said):
        people = sorted({self.person(key) for key in KEYS})
        asked = [p for p in people if self.law.at(p, REVIEW, CONSENT, DECIDE)]
        if asked:
            person = data.draw(st.sampled_from(asked))
            kind = self.law.at(person, REVIEW, CONSENT, DECIDE).kind
            assert self.do(person, {REVIEW: "approve_step", CONSENT: said, DECIDE: "decide"}[kind], 0, "again")

    @precondition(lambda self: self.case)
    @rule(data=st.data(), verb=st.sampled_from(VERBS), then=st.sampled_from(["again", "straight"]))
    def somebody_does_what_may_be_done(self, data, verb, then):
        choices = list(self.team.holders) if verb in ("ask_advice", "circulate") else range(1, len(self.law.slots) + 1)
        choices = choices if verb in CHOOSING else [0]
        open_ = [
            (p, c) for p in sorted(set(self.office.people.values())) for c in choices if self.law.allows(p, verb, c)
        ]
        if open_:
            person, choice = data.draw(st.sampled_from(open_))
            self.do(person, verb, choice, then)

    def do(self, person, verb, choice, then):
        """What the law allows is done and stored; everything else is refused with a sentence and leaves no trace."""
        allowed = self.law.allows(person, verb, choice)
        if verb == "pull_back_step" and allowed and (self.seen - {person}):
            allowed = False  # the next person has opened it
        inputs = {
            "remark": "意見",
            "to": str(choice),
            "then": then,
            "post": str(choice),
            "step": str(choice),
            "review_on": "R8.12.1",
        }
        name = "approve" if verb == "decide" else verb
        asks = {
            "approve": (),
            "approve_step": ("remark",),
            "return_step": ("to", "then", "remark"),
            "hold_step": ("review_on", "remark"),
        }.get(name, ("remark", "post", "step"))
        before = self.row()
        typed = {ask: inputs[ask] for ask in asks}
        said = refused(
            lambda: cases.act(self.conn, person, self.case, name, version=before[0], key=uuid4(), inputs=typed)
        )
        assert (not said) is allowed, (verb, person, said)
        if said:
            # Who holds no post any more does not even see the case.
            assert said.endswith("。") if self.team.posts_of(person) else said == UNSEEN
            assert self.row() == before
            return False
        self.seen = set()
        self.law.does(person, verb, choice, then, before[0] + 1)
        return True

    @rule(key=keys)
    def somebody_leaves_or_returns(self, key):
        self.leave_or_return(self.person(key))

    @rule(key=keys)
    def somebody_looks(self, key):
        if self.law.stands(self.person(key)):
            mark_opened(self.conn, self.case, self.row()[0], self.person(key))
            self.seen.add(self.person(key))

    @rule(post=st.sampled_from(LINE), key=keys)
    def personnel_changes(self, post, key):
        """The post is given to somebody else; the clock seats the route anew."""
        self.give(self.post(post), self.person(key))
        version = self.row()[0]
        if self.law.live():
            self.law.seat()
            following._followed(self.conn, self.case, self.today)
        if self.row()[0] != version:
            self.seen = set()

    @precondition(
        lambda self: self.case and self.backs < 1 and self.law.live() and self.law.at(self.person("director"), DECIDE)
    )
    @rule(then=st.sampled_from(["again", "straight"]))
    def it_goes_back_and_is_put_up_again(self, then):
        self.backs += 1
        person = self.person("director")
        cases.act(
            self.conn,
            person,
            self.case,
            "send_back",
            version=self.row()[0],
            key=uuid4(),
            inputs={"reason": "直すこと。", "then": then},
        )
        assert not any(step.kind in routes.BLOCKING for step in self.route().open)
        self.send_up(self.law.drafter if self.team.posts_of(self.law.drafter) else self.person("officer"))
        was, self.law = self.law, self.told(self.route().drafter)
        self.seen = set()
        if then == "straight":
            self.law.keep(was, frozenset(), self.row()[0])
        was.status = "returned"
        for old in was.slots:
            if old.kind in (CIRCULATE, "review_after") and old in was.open():
                self.law.beside(old.kind, old.post)

    # ── what holds at any time ──────────────────────────────────────────────────────────────────────────────────────

    @invariant()
    def what_is_stored_is_what_the_law_says(self):
        if not self.case:
            return
        route = self.route()
        told = [(slot.no, slot.kind, slot.post) for slot in self.law.open()]
        assert [(step.no, step.kind, step.post) for step in route.open] == told
        assert route.status == (
            "decided" if self.law.status == "decided" else "stopped" if self.law.turn()[1] else "running"
        )
        said = {s.no: (s.said, s.by) for s in self.law.slots if s.said}
        assert {
            s.no: (s.answer, s.by) for s in route.steps if s.state == routes.DONE and s.kind in routes.BLOCKING
        } == said
        desks = {
            role
            for (role,) in self.conn.execute(
                "SELECT role FROM step WHERE case_id = %s AND closed_at IS NULL AND role LIKE '#%%'", (self.case,)
            )
        }
        stopped = {routes.desk(route.drafter_post)} if route.status == "stopped" else set()
        assert desks == {routes.desk(post) for _, _, post in told} | stopped

    @invariant()
    def its_history_replays_to_what_is_stored(self):
        if not self.case:
            return
        kept = self.conn.execute(
            "SELECT data FROM content WHERE case_id = %s AND kind = 'form:route' ORDER BY seq DESC LIMIT 1",
            (self.case,),
        ).fetchone()
        assert json.loads(bytes(kept[0])) == self.row()[1]["route"]

    # ── the database ────────────────────────────────────────────────────────────────────────────────────────────────

    def row(self):
        return self.conn.execute("SELECT version, form, state FROM cases WHERE id = %s", (self.case,)).fetchone()

    def route(self):
        return routes.of(self.row()[1])

    def leave_or_return(self, person):
        self.team.away ^= {person}
        if person in self.team.away:
            offices.away(self.conn, person)
        else:
            offices.back(self.conn, person)

    def give(self, post, person):
        """The tenure of before ends yesterday, another begins today."""
        self.conn.execute(
            "UPDATE tenure SET valid_to = %s WHERE post_id = %s AND (valid_to IS NULL OR valid_to >= %s)",
            (self.today - timedelta(days=1), post, self.today),
        )
        self.conn.execute(
            "INSERT INTO tenure (person_id, post_id, valid_from) VALUES (%s, %s, %s)", (person, post, self.today)
        )
        self.team.holders[post] = [(person, "main")]

    def restore(self):
        """The office as it was, for the next life."""
        if not hasattr(self, "team"):
            return
        self.conn.execute("UPDATE authority_rule SET valid_to = valid_from - 1 WHERE id = %s", (self.rule,))
        for person in self.team.away:
            offices.back(self.conn, person)
        for key in KEYS:
            if self.team.holders[self.post(key)] != [(self.person(key), "main")]:
                self.give(self.post(key), self.person(key))


@pytest.fixture
def life(db, conn, who, fresh_database):
    """The machine over an office of this database."""
    factory.set_clock(fresh_database.owner_url, NOW)
    office = offices.line(conn, who)
    offices.deputy(conn, office.posts["head"], office.posts["chief"], 1)
    return type("OneLife", (RoutedCase,), {"db": db, "around": (office,)})


BOTH = {"kind": CONSENT, "asked": [("general", True), ("health", True)], "passes": "all", "quorum": 0, "refusal": "first", "covers": []}  # fmt: skip
ROAD = [*({"kind": REVIEW, "asked": [(key, False)], "covers": []} for key in ("chief", "head")), BOTH]
# Who does what in two lives: every verb, also those that chance seldom brings. A name alone leaves or comes back.
ON_PURPOSE = (
    (
        ("chief", "hold_step"), "chief", ("officer", "pass_over", 1), "chief", ("chief", "mark_read"),
        ("head", "ask_advice", "vice"), ("vice", "give_advice"), ("head", "circulate", "department"), ("department", "mark_read"),
        ("head", "approve_step"), ("head", "pull_back_step"), ("head", "approve_step"), ("general", "return_step", 2),
        ("head", "approve_step"), ("general", "agree_step"), ("health", "disagree_step"), ("officer", "go_on"), ("director", "decide"),
    ),
    (
        ("head", "take_up"), ("chief", "mark_read"), ("head", "approve_step"), ("general", "agree_step"), ("health", "agree_step"),
        "director", ("vice", "decide"), "director", ("director", "mark_read"),
    ),
)  # fmt: skip


@pytest.mark.parametrize("story", ON_PURPOSE, ids=["all the verbs", "taken up and decided by the deputy"])
def test_every_verb_is_lived_once_on_purpose(life, story):
    """What a drawn life may never reach is done step by step, held against the same law and the same history."""
    one = life()
    one.put_up(before=ROAD, after=[], decider="director", away=[], twice=[], drafter="officer", closed=False)
    for step in story:
        if isinstance(step, str):
            one.leave_or_return(one.person(step))
        else:
            key, verb, *rest = step
            choice = (rest[0] if isinstance(rest[0], int) else one.post(rest[0])) if rest else 0
            assert one.do(one.person(key), verb, choice, "again"), step
        one.what_is_stored_is_what_the_law_says()
        one.its_history_replays_to_what_is_stored()
    assert one.route().status == "decided"
    one.teardown()


def test_the_lives_on_purpose_leave_no_verb_out():
    assert {step[1] for story in ON_PURPOSE for step in story if not isinstance(step, str)} == set(VERBS)
    assert set(VERBS) - {"decide"} == set(BY_NAME), "a new verb wants to be lived too"


def test_every_route_lives_by_the_law_and_its_history_is_whole(db, conn, life, capsys):
    told = settings(
        max_examples=LIVES,
        stateful_step_count=STEPS,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
        phases=(Phase.generate,),  # shrinking would live thousands of lives more; the steps that failed are printed
    )
    lived, end = 0, time.monotonic() + MINUTES * 60
    while not lived or time.monotonic() < end:
        run_state_machine_as_test(life, settings=told)
        lived += LIVES
    assert not verify.run(db).breaks
    reached = dict(conn.execute("SELECT action, count(*) FROM event GROUP BY 1 ORDER BY 2 DESC").fetchall())
    with capsys.disabled():
        print(f"\n{lived} lives, {sum(reached.values())} events: {reached}")
    assert {"approve_step", "agree_step", "approve", "circulate"} <= set(reached)
