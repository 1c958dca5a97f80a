"""The kernel refuses contradictory tables, moves facts only by rule, and explains exactly what it enforces."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transitions import Machine

from states import kernel
from states.calendar import Calendar
from states.kernel import DefinitionError, Process, Refused
from states.places import Directory
from states.terms import (
    STAY,
    Action,
    Ask,
    Deadline,
    Facts,
    Guard,
    Input,
    Level,
    State,
    Verdict,
    block,
    guard,
    ok,
    procedure,
    warn,
)

CLERK, CHIEF = frozenset({"clerk"}), frozenset({"chief"})


@guard("R-1")
def small_enough(facts: Facts) -> Iterator[Verdict]:
    yield block("多すぎます。3つまでなら受けられます。", "amount") if facts.read["amount"] > 3 else ok("多すぎません。")


@guard("R-2")
def rather_many(facts: Facts) -> Iterator[Verdict]:
    if facts.read["amount"] > 1:
        yield warn("多めです。", "amount")


@guard("R-3")
def somebody_asked(facts: Facts) -> Iterator[Verdict]:
    if facts.read["abroad"]:
        yield procedure("先に本庁に聞いてください。", "abroad")


STATES = (
    State("new", "新規", "一", "clerk", "書く"),
    State("weighed", "検討", "二", "chief", "決める"),
    State("away", "照会", "二", "clerk", "待つ"),
    State("done", "済", "三", final=True),
)
SEND = Action("send", ("new",), "weighed", "送る", CLERK, guards=(small_enough,), advises=(somebody_asked,))
REASON = Input("reason", "理由")
CHOICE = Input("ground", "事由", "choice", choices=(("a", "甲"), ("b", "乙")))
TABLE = (
    SEND,
    Action("note", ("new", "weighed"), STAY, "書き添える", CLERK | CHIEF, asks=(REASON,)),
    Action("ask", ("weighed",), "away", "照会する", CHIEF),
    Action("answer", ("away",), "weighed", "答える", CLERK, asks=(CHOICE,)),
    Action(
        "decide", ("weighed",), "done", "決める", CHIEF, guards=(small_enough, rather_many, somebody_asked), weighs="decider"
    ),
    Action("propose", ("weighed",), STAY, "伺う", CLERK, guards=(rather_many,), weighs="drafter"),
    Action("drop", ("new", "weighed", "away"), "done", "やめる", CLERK | CHIEF, asks=(Input("why", "わけ", required=False),)),
)  # fmt: skip


def process(states: tuple[State, ...] = STATES, table: tuple[Action, ...] = TABLE, **more: Any) -> Process:
    return Process("sample", 1, "見本", states, table, read=lambda form: form["g"], title=lambda form: "題", **more)


SAMPLE = process()


def facts(
    state: str = "new", roles: frozenset[str] = CLERK, amount: int = 1, abroad: bool = False,
    inputs: Mapping[str, Any] | None = None,
) -> Facts:  # fmt: skip
    read = {"amount": amount, "abroad": abroad}
    return Facts(
        state=state, form={"g": read}, read=read, today=date(2026, 4, 1), directory=Directory.from_csv(),
        calendar=Calendar(), roles=roles, inputs=inputs or {},
    )  # fmt: skip


# ── a table that contradicts itself ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("states", "table", "told"),
    [
        pytest.param(STATES, (*TABLE, replace(SEND, source=("nowhere",))), "unknown state nowhere", id="unknown source"),
        pytest.param(STATES, (*TABLE, replace(SEND, dest="nowhere")), "unknown state nowhere", id="unknown destination"),
        pytest.param(STATES, (*TABLE, replace(SEND, source=("done",))), "leaves final done", id="out of a final state"),
        pytest.param(STATES, (*TABLE, replace(SEND, by=frozenset())), "no role", id="no role"),
        pytest.param(STATES, (*TABLE, replace(SEND, weighs="boss")), "weighs boss", id="nobody weighs"),
        pytest.param((*STATES, STATES[0]), TABLE, "new twice", id="a state twice"),
        pytest.param((*STATES, State("lost", "迷", "一", "clerk")), TABLE, "lost: unreachable", id="unreachable"),
        pytest.param(
            (*STATES, State("trap", "罠", "一", "clerk")), (*TABLE, replace(SEND, name="fall", dest="trap")),
            "trap: no way to an end", id="trap",
        ),
        pytest.param(STATES, tuple(r for r in TABLE if "new" not in r.source), "weighed: unreachable", id="no way in"),
    ],
)  # fmt: skip
def test_a_table_that_contradicts_itself_is_refused_when_it_is_made(states, table, told):
    with pytest.raises(DefinitionError, match=told):
        process(states, table)


@pytest.mark.parametrize(
    "due",
    [
        Deadline("d", "期限", "clerk", frozenset({"nowhere"}), 1),
        Deadline("d", "期限", "clerk", frozenset({"new"}), 1, pauses=frozenset({"nowhere"})),
        Deadline("d", "期限", "clerk", frozenset({"new"}), 1, starts=frozenset({"jump"})),
        Deadline("d", "期限", "clerk", frozenset({"new"}), 1, ends=frozenset({"jump"})),
        Deadline("d", "期限", "clerk", frozenset({"new"}), move="jump"),
    ],
)
def test_a_deadline_that_names_what_is_not_there_is_refused(due):
    with pytest.raises(DefinitionError, match="unknown"):
        process(deadlines=(due,))


# ── deciding ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_decided_act_moves_the_facts_and_tells_from_where_to_where():
    asked = facts()
    move = SAMPLE.decide(asked, "send")
    assert (move.source, move.dest, asked.state) == ("new", "weighed", "weighed")
    assert [v.level for v in move.verdicts] == [Level.PASS]


def test_an_act_that_stays_leaves_the_state():
    asked = facts(inputs={"reason": "念のため"})
    assert SAMPLE.decide(asked, "note").dest == asked.state == "new"


@pytest.mark.parametrize(
    ("asked", "action", "kind"),
    [
        (facts(amount=4), "send", "guard"),
        (facts(roles=CHIEF), "send", "role"),
        (facts(roles=frozenset()), "send", "role"),
        (facts("weighed"), "send", "state"),
        (facts("done"), "drop", "state"),
        (facts(), "fly", "state"),
        (facts(), "note", "guard"),
    ],
)
def test_a_refusal_never_moves_the_facts(asked, action, kind):
    before = asked.state
    with pytest.raises(Refused) as refusal:
        SAMPLE.decide(asked, action)
    assert refusal.value.kind == kind
    assert refusal.value.sentence.endswith("。")
    assert asked.state == before


def test_a_when_is_silent_and_a_guard_speaks():
    small = replace(SEND, name="go", when=lambda f: f.read["amount"] <= 2)
    large = replace(SEND, name="go", when=lambda f: f.read["amount"] > 2, dest="away")
    routed = process(table=(*TABLE, small, large))
    assert routed.decide(facts(amount=2), "go").dest == "weighed"
    assert routed.decide(facts(amount=3), "go").dest == "away"
    with pytest.raises(Refused, match="3つまでなら受けられます") as refusal:
        routed.decide(facts(amount=4), "go")
    assert [(v.rule, v.field) for v in refusal.value.verdicts] == [("R-1", "amount")]


def test_a_guard_never_routes_to_another_row_of_the_same_name():
    """The first row that fits is the act; where it refuses, no later row of that name takes its place."""
    strict, lax = replace(SEND, name="go"), replace(SEND, name="go", dest="away", guards=())
    both = process(table=(*TABLE, strict, lax))
    asked = facts(amount=9)
    with pytest.raises(Refused):
        both.decide(asked, "go")
    assert asked.state == "new"
    assert not next(o for o in both.actions(asked) if o.action.name == "go").allowed


def test_the_row_does_not_depend_on_who_asks():
    theirs, ours = replace(SEND, name="go", by=CHIEF, guards=()), replace(SEND, name="go", dest="away", guards=())
    both = process(table=(*TABLE, theirs, ours))
    assert "go" not in {o.action.name for o in both.actions(facts())}
    with pytest.raises(Refused) as refusal:
        both.decide(facts(), "go")
    assert refusal.value.kind == "role"


def test_an_advice_is_shown_but_refuses_only_later():
    move = SAMPLE.decide(facts(abroad=True), "send")
    assert [(v.level, v.refuses) for v in move.verdicts if v.rule == "R-3"] == [(Level.PROCEDURE, False)]
    with pytest.raises(Refused, match="先に本庁に聞いてください"):
        SAMPLE.decide(facts("weighed", CHIEF, abroad=True), "decide")


@pytest.mark.parametrize("reasons", [{}, {"reasons": {}}, {"reasons": {"R-2": "  "}}, {"reasons": {"R-9": "別の理由"}}])
def test_a_warning_needs_the_drafters_reason(reasons):
    with pytest.raises(Refused, match="R-2") as refusal:
        SAMPLE.decide(facts("weighed", amount=2, inputs=reasons), "propose")
    assert [v.field for v in refusal.value.verdicts] == ["reasons.R-2"]


def test_a_written_reason_lets_a_warning_pass():
    assert (
        SAMPLE.decide(facts("weighed", amount=2, inputs={"reasons": {"R-2": "急ぐため"}}), "propose").dest == "weighed"
    )


def test_the_decider_confirms_a_warning_or_writes_his_own_reason():
    with pytest.raises(Refused, match="R-2"):
        SAMPLE.decide(facts("weighed", CHIEF, amount=2), "decide")
    for confirm in ("", "よく分かった"):
        assert SAMPLE.decide(facts("weighed", CHIEF, 2, inputs={"confirm": {"R-2": confirm}}), "decide").dest == "done"


@pytest.mark.parametrize("blank", [None, "", "  ", " \n", [], {}])
def test_a_blank_answer_is_no_answer(blank):
    with pytest.raises(Refused, match="「理由」を書いてください"):
        SAMPLE.decide(facts(inputs={"reason": blank}), "note")


def test_a_choice_takes_only_what_was_offered():
    with pytest.raises(Refused, match="選び直してください"):
        SAMPLE.decide(facts("away", inputs={"ground": "c"}), "answer")
    assert SAMPLE.decide(facts("away", inputs={"ground": "b"}), "answer").dest == "weighed"


def test_a_guard_is_asked_once_for_the_same_facts():
    asked = []

    def count(given: Facts) -> Iterator[Verdict]:
        asked.append(given)
        yield ok("数えました。")

    counted = Guard(None, "counted", count)
    rows = tuple(replace(row, guards=(*row.guards, counted)) for row in TABLE)
    process(table=rows).actions(facts("weighed", CLERK | CHIEF))
    assert len(asked) == 1


# ── one machine ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_no_machine_is_built_per_act(monkeypatch):
    built = []

    def count(*args: Any, **more: Any) -> Any:
        built.append(args)
        return Machine(*args, **more)

    monkeypatch.setattr(kernel, "Machine", count)
    one = process()
    for _ in range(5):
        one.decide(facts(), "send")
        one.actions(facts("weighed", CHIEF))
        with pytest.raises(Refused):
            one.decide(facts(amount=9), "send")
    assert len(built) == 1


def test_the_machine_holds_no_facts_and_offers_no_way_of_its_own():
    machine = SAMPLE.machine
    assert machine.models == []
    assert set(machine.events) == SAMPLE.names


# ── digest ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_digest_is_of_the_table_not_of_its_words():
    assert SAMPLE.digest == process().digest
    said = tuple(replace(row, label=row.label + "!", effect="ほかの言い方") for row in TABLE)
    assert process(table=said).digest == SAMPLE.digest


@pytest.mark.parametrize(
    "change",
    [
        {"by": CHIEF},
        {"dest": "away"},
        {"source": ("weighed",)},
        {"guards": ()},
        {"advises": ()},
        {"asks": (REASON,)},
        {"edits": frozenset({"g"})},
        {"weighs": "drafter"},
        {"numbers": ("case",)},
        {"letters": ("notice",)},
        {"tells": CHIEF},
        {"name": "dispatch"},
    ],
)
def test_the_digest_changes_with_the_table(change):
    assert process(table=(replace(SEND, **change), *TABLE)).digest != process(table=(SEND, *TABLE)).digest


def test_the_digest_changes_with_states_deadlines_and_version():
    due = (Deadline("d", "期限", "chief", frozenset({"weighed"}), 3),)
    later = (replace(due[0], days=4),)
    other = (replace(STATES[0], holder="chief"), *STATES[1:])
    digests = {
        SAMPLE.digest, process(other).digest, process(deadlines=due).digest, process(deadlines=later).digest,
        replace(SAMPLE, version=2).digest,
    }  # fmt: skip
    assert len(digests) == 5


# ── inbox ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_inbox_asks_the_holder_unless_the_process_says_otherwise():
    due = (Deadline("d", "期限", "chief", frozenset({"weighed"}), 3),)
    assert process(deadlines=due).inbox(facts("weighed")) == [Ask("chief", "決める", "d")]
    assert SAMPLE.inbox(facts("done")) == []
    own = process(asks=lambda f: [Ask("clerk", "見る")] if f.state == "done" else None)
    assert own.inbox(facts("done")) == [Ask("clerk", "見る")]
    assert own.inbox(facts("new")) == [Ask("clerk", "書く")]


# ── the button and the command ask the same question ────────────────────────────────────────────────────────────────

EVERY_INPUT = {"reason": "わけ", "ground": "a", "why": "わけ", "reasons": {"R-2": "わけ"}, "confirm": {"R-2": ""}}


@given(
    state=st.sampled_from([s.name for s in STATES]), roles=st.frozensets(st.sampled_from(["clerk", "chief"])),
    amount=st.integers(0, 5), abroad=st.booleans(),
)  # fmt: skip
def test_what_is_offered_is_what_is_decided(state, roles, amount, abroad):
    given_facts = facts(state, roles, amount, abroad, EVERY_INPUT)
    offers = {o.action.name: o for o in SAMPLE.actions(replace(given_facts, memo={}))}
    for name in SAMPLE.names:
        trial = replace(given_facts, memo={})
        offer = offers.get(name)
        if offer is not None and offer.allowed:
            assert SAMPLE.decide(trial, name).dest == trial.state == offer.dest.name
            continue
        with pytest.raises(Refused) as refusal:
            SAMPLE.decide(trial, name)
        assert trial.state == state
        if offer is None:
            assert refusal.value.kind in ("role", "state")
        else:
            assert refusal.value.kind == "guard"
            assert refusal.value.verdicts == offer.refusals
