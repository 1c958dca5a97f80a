"""What a process publishes and counts is checked when it is made: no unknown state, nothing that those outside may not read."""

from dataclasses import replace

import pytest

from states import catalogue
from states.consultation.form import passed
from states.kernel import DefinitionError
from states.terms import OUTSIDE

QUESTIONS, CONSULTATION = catalogue.process("qa_answer"), catalogue.process("consultation")


def test_a_process_that_publishes_what_is_internal_is_refused():
    public = QUESTIONS.published
    assert public is not None
    with pytest.raises(DefinitionError, match="publishes consent"):
        replace(QUESTIONS, published=replace(public, told=("consent.how",)))
    with pytest.raises(DefinitionError, match="publishes answer"):
        replace(QUESTIONS, published=replace(public, states=public.states | {"qa_candidate"}))


def test_a_state_that_there_is_not_is_refused():
    public, month = QUESTIONS.published, CONSULTATION.monthly
    assert public is not None
    assert month is not None
    with pytest.raises(DefinitionError, match="unknown state qa_gone"):
        replace(QUESTIONS, published=replace(public, stale=frozenset({"qa_gone"})))
    with pytest.raises(DefinitionError, match="unknown state cs_gone"):
        replace(CONSULTATION, monthly=replace(month, void=frozenset({"cs_gone"})))


def test_what_counts_as_settled_leaves_every_other_state_open():
    month = CONSULTATION.monthly
    assert month is not None
    assert {state.name for state in CONSULTATION.states if state.final} <= month.answered | month.void
    assert not month.answered & month.void


def test_who_received_an_answer_and_how_it_was_handed_on_stay_inside():
    for process, groups in ((QUESTIONS, ("receivers", "source", "consent")), (CONSULTATION, ("handovers", "asker"))):
        for state in process.states:
            assert not any(process.reads(f"form:{group}", OUTSIDE, state.name) for group in groups)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (
            {"kind": "割り振った", "to_post": "農務課 係長", "to": "畑作係"},
            "窓口が、農務課 係長・畑作係に割り振りました",
        ),
        ({"kind": "割り振った", "to_post": "農務課 係長", "to": "農務課"}, "窓口が、農務課 係長に割り振りました"),
        (
            {"kind": "断った", "post": "農務課 係長", "reason": "所管でない。"},
            "農務課 係長が断り、窓口に戻しました(所管でない。)",
        ),
        ({"kind": "引き継いだ"}, "窓口が、ほかの担当に引き継ぎました"),
        ({"kind": "何か"}, "何か"),
    ],
)
def test_a_step_is_told_in_a_sentence(row, sentence):
    assert passed({"post": "", "to_post": "", "to": "", "reason": "", **row}) == sentence
