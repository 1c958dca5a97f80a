"""What was published is found by every office and municipality, with the day until which it is true; nothing else of its case is."""

from datetime import timedelta
from typing import Any

import pytest

from states import catalogue
from tests import desk, factory
from workflow import cases, finding, published, verify
from workflow.loading import NotFound

QUESTIONS = catalogue.process("qa_answer")
CONSULTATION = catalogue.process("consultation")


def looked_up(conn: Any, person: int, typed: str = "", kind: str = "") -> list[str]:
    words, today = finding.words_of(typed), cases.today(conn)
    return [i.head for i in published.found(conn, factory.reader(conn, person), QUESTIONS, today, words, kind)]


@pytest.fixture
def stranger(conn):
    """A municipality of another bureau, which takes part in nothing."""
    return factory.person(conn, "municipality", "012149")


def test_what_is_published_is_found_by_who_takes_no_part_and_the_case_is_not(db, conn, who, stranger):
    question = desk.published(conn, who, "空き家を宿にできるか", "用途の変更を町と確かめてください。")
    desk.candidate(conn, who, "まだ公開していない問い", "まだ。")
    for person in (stranger, who.bureau, who.headquarters, factory.person(conn, "department", "hk-headquarters")):
        assert looked_up(conn, person) == ["空き家を宿にできるか"]
        assert looked_up(conn, person, "用途 町") == ["空き家を宿にできるか"]
        assert looked_up(conn, person, "ホタテ") == []
    with pytest.raises(NotFound):
        cases.look(conn, stranger, question)
    (item,) = published.found(conn, factory.reader(conn, stranger), QUESTIONS, cases.today(conn))
    assert (item.case, item.holds) == (None, True)
    assert "丘野" not in str(item)
    (own,) = published.found(conn, factory.reader(conn, who.bureau), QUESTIONS, cases.today(conn))
    assert own.case == question
    assert not verify.run(db).breaks


def test_who_sees_but_one_case_or_none_looks_nothing_up(conn, who):
    desk.published(conn, who, "空き家を宿にできるか", "用途の変更を町と確かめてください。")
    for role, office in (
        ("administrator", "hk-headquarters"),
        ("body", factory.OFFICE),
        ("personnel", "hk-headquarters"),
    ):
        assert looked_up(conn, factory.person(conn, role, office)) == []


def test_what_has_expired_is_marked_comes_last_and_is_not_offered(conn, who):
    old = desk.published(conn, who, "空き家の補助はあるか", "あります。")
    form = {"matter": {"subject": "空き家の補助について"}}
    assert [item.head for _, item in _beside(conn, who, form)] == ["空き家の補助はあるか"]
    desk.published(conn, who, "空き家の台帳の様式はあるか", "様式集にあります。")
    cases.act_by_clock(conn, old, "lapse_answer")
    items = published.found(conn, factory.reader(conn, who.municipality), QUESTIONS, cases.today(conn))
    assert [(item.head, item.holds) for item in items] == [
        ("空き家の台帳の様式はあるか", True),
        ("空き家の補助はあるか", False),
    ]
    assert "空き家の補助はあるか" not in [item.head for _, item in _beside(conn, who, form)]
    desk.act(conn, who.bureau, old, "take_down", reason="制度が終わった。")
    assert looked_up(conn, who.municipality) == ["空き家の台帳の様式はあるか"]


def test_the_day_itself_ends_it_even_before_the_clock_has_come(fresh_database, conn, who):
    desk.published(conn, who, "空き家の補助はあるか", "あります。", days=10)
    (item,) = published.found(conn, factory.reader(conn, who.bureau), QUESTIONS, cases.today(conn))
    later = cases.today(conn) + timedelta(days=11)
    assert item.holds
    (item,) = published.found(conn, factory.reader(conn, who.bureau), QUESTIONS, later)
    assert not item.holds


def test_beside_a_form_only_what_is_like_its_question(conn, who):
    desk.published(conn, who, "空き家を宿にできるか", "用途の変更を町と確かめてください。")
    desk.published(conn, who, "ホタテの殻の処理", "廃棄物として扱います。")
    assert [item.head for _, item in _beside(conn, who, {"matter": {"subject": "使わない空き家を宿に直したい"}})] == [
        "空き家を宿にできるか"
    ]
    assert _beside(conn, who, {}) == []
    assert _beside(conn, who, {"matter": {"subject": "除雪の助成"}}) == []
    form = {"request": {"title": "空き家を宿にする計画"}}
    other = catalogue.process("dispatch")
    assert published.beside(conn, factory.reader(conn, who.bureau), other, form, cases.today(conn)) == []


def _beside(conn: Any, who: Any, form: Any) -> Any:
    return published.beside(conn, factory.reader(conn, who.bureau), CONSULTATION, form, cases.today(conn))


def test_words_that_were_erased_are_not_published_any_more(conn, who):
    question = desk.published(conn, who, "空き家を宿にできるか", "用途の変更を町と確かめてください。")
    conn.execute("""UPDATE cases SET form = jsonb_set(form, '{answer}', '{"erased": 9}') WHERE id = %s""", (question,))
    assert looked_up(conn, who.municipality) == []
