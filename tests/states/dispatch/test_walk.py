"""Whatever anybody tries in whatever order: refused acts change nothing, past days stay, and what began goes on to its report."""

from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from states.dispatch import situation
from states.kernel import Refused
from states.terms import CLOCK
from tests.states.dispatch.acting import (
    DAY,
    DRAFTER,
    FIRST,
    ONE,
    PROCESS,
    ROLE,
    STEPS,
    THREE,
    TWO,
    WRITER,
    Story,
    change,
    decided,
    member,
    request,
    under_way,
)

MORE: dict[str, Any] = {
    "swap": lambda s: s.act(DRAFTER, "propose_change", change("swap", members=[member(ONE, "11/2"), member(THREE, "11/3-4"), member(TWO, "11/4-5")])),
    "extend": lambda s: s.act(
        DRAFTER, "propose_change",
        change("extend", period={"from": "", "to": "2026-11-10"}, members=[member(ONE, "11/2-4"), member(TWO, "11/4-5、11/9-10")]),
    ),
    "nobody": lambda s: s.act(DRAFTER, "stop", reason_code="danger", text="崩落。", last_day=(FIRST - timedelta(1)).isoformat()),
    "stop_now": lambda s: s.act(DRAFTER, "stop", reason_code="danger", text="崩落。", last_day=s.today.isoformat()),
    "drop": lambda s: s.act(DRAFTER, "withdraw_change"),
    "wish": lambda s: s.act(WRITER, "ask_change", text="短くしたい。"),
    "answer": lambda s: s.act(DRAFTER, "answer_change_request", answer="検討します。"),
    "evaluate": lambda s: s.act(WRITER, "evaluate", {"evaluation": {"grade": "4", "text": ""}}),
}  # fmt: skip
ACTS = STEPS | MORE | {"begin": lambda s: s.act(CLOCK, "begin"), "end": lambda s: s.act(CLOCK, "end")}
SET_DAYS = {"cut"}  # steps that move the calendar themselves
LATER = st.integers(1, 3).map(lambda days: f"+{days}")
WALK = st.lists(st.one_of(st.sampled_from(sorted(set(ACTS) - SET_DAYS)), LATER), max_size=30)
# Where a walk begins: before anything, decided, on the first day.
BEGINNINGS = {
    "request": lambda: Story(request()),
    "decided": decided,
    "under way": under_way,
}


def clock(story: Story) -> None:
    """What the clock would do by itself on this day."""
    for _ in range(3):
        for action in ("begin", "end"):
            try:
                story.act(CLOCK, action)
            except Refused:
                continue


@settings(max_examples=80, deadline=None)
@given(start=st.sampled_from(sorted(BEGINNINGS)), walk=WALK)
def test_any_walk_keeps_what_was_promised(start, walk):
    story = BEGINNINGS[start]()
    begun = story.state == "dispatched"
    for step in walk:
        before = (story.state, story.form, story.ledger())
        if step.startswith("+"):
            story.on(story.today + timedelta(days=int(step)))
            clock(story)
        else:
            try:
                ACTS[step](story)
            except Refused:
                assert (story.state, story.form, story.ledger()) == before, step
                continue
        state, _, ledger = before
        begun = begun or situation.standing(story.facts(DRAFTER)) in situation.BEGUN
        changes_days = step == "change" and before[1].get("change", {}).get("kind") != "cancel"
        if changes_days and situation.standing(story.facts(DRAFTER)) in situation.BEGUN and state == "change_judgement":
            past = [entry for entry in ledger if entry[1] < story.today]
            assert [entry for entry in story.ledger() if entry[1] < story.today] == past
        check(story, begun=begun)
    assert story.today >= DAY


def check(story: Story, *, begun: bool) -> None:
    """What holds of every case at every moment."""
    here, facts = PROCESS.state(story.state), story.facts(DRAFTER)
    if here.name in situation.NEVER_WENT:
        assert story.ledger() == []
    if begun:
        assert here.name not in {"withdrawn", "declined", "not_accepted"}
    if here.name == "reported":
        assert story.ledger()
        assert not situation.unreported(facts)
    if not here.final:
        waits = bool(PROCESS.inbox(facts)) or any(
            due.at is not None and due.move and here.name in due.runs and due.at(facts) for due in PROCESS.deadlines
        )
        assert waits or here.name == PROCESS.initial.name, f"nobody holds {here.name}"
        assert any(offer.allowed for by in ROLE if by != CLOCK for offer in story.offers(by).values()), here.name
    assert len(set(story.ledger())) == len(story.ledger())
    PROCESS.reading(story.form)
