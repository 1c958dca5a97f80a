"""Several cases at once: only what is read or confirmed and what the table of decisions allows, each row by itself."""

from uuid import uuid4

import pytest

from tests import factory, offices
from tests.offices import act
from workflow import bulk, verify
from workflow.bulk import Chosen


@pytest.fixture
def office(clock, conn, who):
    return offices.line(conn, who)


DECIDE = [{"kind": "decide", "asked": [{"title": "局長"}]}]


def put_up(conn, office, number, **inputs):
    return [offices.put_up(conn, office, inputs=inputs) for _ in range(number)]


def chosen(conn, *cases):
    return [Chosen(case, factory.version(conn, case)) for case in cases]


def outcomes(results):
    return {one.case_id: one.outcome for one in results}


def state(conn, case):
    return conn.execute("SELECT state FROM cases WHERE id = %s", (case,)).fetchone()[0]


def events(conn):
    return conn.execute("SELECT count(*) FROM event").fetchone()[0]


def test_what_is_only_read_is_marked_as_read_together(db, conn, office):
    offices.rule(conn, office, [*DECIDE, {"kind": "circulate", "asked": [{"title": "部長"}]}])
    cases = put_up(conn, office, 3)
    for case in cases:
        act(conn, office.director, case, "approve")
    results = bulk.run(conn, office.department, bulk.READ, chosen(conn, *cases), uuid4())
    assert outcomes(results) == dict.fromkeys(cases, bulk.DONE)
    assert {one.label for one in results} == {"読みました"}
    assert conn.execute("SELECT count(*) FROM step WHERE kind = 'read' AND closed_at IS NULL").fetchone() == (0,)
    assert not verify.run(db).breaks


def test_decisions_are_taken_together_only_where_the_table_allows_it(conn, office):
    offices.rule(conn, office, DECIDE, bulk=True)
    allowed = put_up(conn, office, 2)
    results = bulk.run(conn, office.director, bulk.DECISION, chosen(conn, *allowed), uuid4())
    assert outcomes(results) == dict.fromkeys(allowed, bulk.DONE)
    assert {state(conn, case) for case in allowed} == {"preparing"}


def test_a_decision_that_the_table_does_not_allow_together_is_refused_with_a_sentence(conn, office):
    offices.rule(conn, office, DECIDE)
    (case,) = put_up(conn, office, 1)
    before = events(conn)
    (result,) = bulk.run(conn, office.director, bulk.DECISION, chosen(conn, case), uuid4())
    assert (result.outcome, result.sentence) == (bulk.REFUSED, bulk.NOT_TOGETHER)
    assert events(conn) == before


def test_nobody_but_who_stands_at_the_decision_decides_together(conn, office):
    offices.rule(conn, office, DECIDE, bulk=True)
    (case,) = put_up(conn, office, 1)
    for person in (office.vice, office.officer, office.above):
        (result,) = bulk.run(conn, person, bulk.DECISION, chosen(conn, case), uuid4())
        assert result.outcome == bulk.REFUSED
    offices.away(conn, office.director)
    # A deputy decides for another case by case.
    (result,) = bulk.run(conn, office.vice, bulk.DECISION, chosen(conn, case), uuid4())
    assert (result.outcome, state(conn, case)) == (bulk.REFUSED, "director_judgement")


def test_an_office_without_a_table_decides_nothing_together(conn, office):
    (case,) = put_up(conn, office, 1)
    (result,) = bulk.run(conn, office.director, bulk.DECISION, chosen(conn, case), uuid4())
    assert result.outcome == bulk.REFUSED


def test_one_button_does_one_sort_of_work_and_decides_nothing_that_was_only_to_be_read(conn, office):
    offices.rule(conn, office, DECIDE, bulk=True)
    (case,) = put_up(conn, office, 1)
    for sort in (bulk.READ, bulk.CONFIRM):
        (result,) = bulk.run(conn, office.director, sort, chosen(conn, case), uuid4())
        assert (result.outcome, state(conn, case)) == (bulk.REFUSED, "director_judgement")


def test_one_refused_row_and_one_that_was_taken_stop_no_other(conn, office):
    offices.rule(conn, office, DECIDE, bulk=True)
    first, moved, last = put_up(conn, office, 3)
    rows = chosen(conn, first, moved, last)
    act(conn, office.director, moved, "decline", reason="時期が重なる。", internal_reason="人が足りない。")
    stranger = factory.opened(conn, factory.cast(conn, "hk-sorachi", "012106"))
    results = bulk.run(conn, office.director, bulk.DECISION, [*rows, Chosen(stranger, 1)], uuid4())
    assert outcomes(results) == {first: bulk.DONE, moved: bulk.LATE, last: bulk.DONE, stranger: bulk.REFUSED}
    late = next(one for one in results if one.case_id == moved)
    assert "「派遣しないと決める」を行いました" in late.sentence
    hidden = next(one for one in results if one.case_id == stranger)
    assert (hidden.title, hidden.number) == ("", None)


def test_the_same_form_once_more_changes_nothing_and_answers_the_same(conn, office):
    offices.rule(conn, office, DECIDE, bulk=True)
    cases = put_up(conn, office, 2)
    rows, key = chosen(conn, *cases), uuid4()
    first = bulk.run(conn, office.director, bulk.DECISION, rows, key)
    before = events(conn)
    again = bulk.run(conn, office.director, bulk.DECISION, [*rows, *rows], key)
    assert outcomes(again) == outcomes(first) == dict.fromkeys(cases, bulk.DONE)
    assert events(conn) == before


def test_a_row_that_was_refused_may_be_tried_again_with_the_same_form(conn, office):
    offices.rule(conn, office, DECIDE, bulk=True)
    (case,) = put_up(conn, office, 1)
    rows, key = chosen(conn, case), uuid4()
    (result,) = bulk.run(conn, office.vice, bulk.DECISION, rows, key)
    assert result.outcome == bulk.REFUSED
    (result,) = bulk.run(conn, office.director, bulk.DECISION, rows, key)
    assert (result.outcome, state(conn, case)) == (bulk.DONE, "preparing")


def test_headquarters_confirms_several_conditions_together(conn, office):
    who = office.who
    children = []
    for _ in range(2):
        case = factory.opened(conn, who, own_affairs="yes")
        factory.drive(conn, who, case, "submit", "receive", "consult", "agree_with_conditions")
        (child,) = conn.execute("SELECT id FROM cases WHERE parent_id = %s", (case,)).fetchone()
        factory.drive(
            conn, who, child, ("show_evidence", {"by": who.municipality, "inputs": {"evidence": "写しを送った。"}})
        )
        children.append(child)
    results = bulk.run(conn, who.headquarters, bulk.CONFIRM, chosen(conn, *children), uuid4())
    assert outcomes(results) == dict.fromkeys(children, bulk.DONE)
    assert {state(conn, child) for child in children} == {"condition_met"}
