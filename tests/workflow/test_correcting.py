"""An answer that was wrong: everybody who received it hears of it, the municipalities by the system, the others by people, on record."""

from typing import Any
from uuid import uuid4

import pytest

from states.kernel import Refused
from tests import desk, factory
from workflow import cases, outbox, queries, tying, verify
from workflow.loading import load

QUESTION, WRONG, RIGHT = "空き家を宿にできるか", "届出だけで足ります。", "用途の変更の確認が要ります。"
OTHER, THIRD = "014583", "012149"


def rows(conn: Any, who: Any, case: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = load(conn, case, who.bureau).row.form["receivers"]["items"]
    return found


def mailed(conn: Any, case: int, action: str) -> set[int]:
    """Who got a mail of the newest such act."""
    text = """SELECT m.person_id FROM message m JOIN outbox o ON o.id = m.outbox_id WHERE o.case_id = %(case)s
      AND o.seq = (SELECT max(seq) FROM event WHERE case_id = %(case)s AND action = %(action)s)"""
    return {row[0] for row in conn.execute(text, {"case": case, "action": action}).fetchall()}


def wanted(conn: Any, person: int, case: int) -> list[str]:
    return [row["ask"] for row in queries.inbox(conn, person).rows if row["case_id"] == case]


def test_a_correction_reaches_who_asked_who_was_sent_it_and_who_got_it_by_hand(db, conn, who):
    question = desk.published(conn, who, QUESTION, WRONG)
    desk.act(conn, who.bureau, question, "send_answer", to=OTHER)
    desk.act(conn, who.bureau, question, "note_receiver", who="地域おこし協議会", how="paper")
    assert [(row.get("to", ""), row.get("who", ""), row["edition"]) for row in rows(conn, who, question)] == [
        (who.place, "", "1"), (OTHER, "", "1"), ("", "地域おこし協議会", "1"),
    ]  # fmt: skip
    assert wanted(conn, who.bureau, question) == []
    desk.act(conn, who.bureau, question, "correct", wrong="届出だけと書いた。", right=RIGHT)
    # The municipalities have the new edition; the body waits for somebody to tell it.
    assert [(row["edition"], bool(row.get("told"))) for row in rows(conn, who, question)] == [
        ("2", True),
        ("2", True),
        ("1", False),
    ]
    assert wanted(conn, who.bureau, question) == ["訂正を、渡した相手(1)に知らせる"]
    (due,) = [d for d in cases.look(conn, who.bureau, question).deadlines if d["kind"] == "tell"]
    assert due
    with pytest.raises(Refused, match="まだ知らせていない相手が1"):
        desk.act(conn, who.bureau, question, "take_down", reason="制度が終わった。")
    desk.act(conn, who.bureau, question, "tell_receivers", how="文書で")
    assert wanted(conn, who.bureau, question) == []
    last = rows(conn, who, question)[-1]
    assert (last["edition"], last["told_how"]) == ("2", "文書で")
    with pytest.raises(Refused):
        desk.act(conn, who.bureau, question, "tell_receivers", how="もう一度")
    # A second correction begins anew.
    desk.act(conn, who.bureau, question, "correct", wrong="期限が違う。", right="3月末までです。")
    assert wanted(conn, who.bureau, question) == ["訂正を、渡した相手(1)に知らせる"]
    assert not verify.run(db).breaks


def test_every_municipality_that_has_it_gets_the_mail(db, conn, who):
    question = desk.published(conn, who, QUESTION, WRONG)
    other, third = (factory.person(conn, "municipality", code) for code in (OTHER, THIRD))
    desk.act(conn, who.bureau, question, "send_answer", to=OTHER)
    desk.act(conn, who.bureau, question, "correct", wrong="届出だけと書いた。", right=RIGHT)
    outbox.deliver(db)
    got = mailed(conn, question, "correct")
    assert {who.municipality, who.municipality_colleague, other, who.director} <= got
    assert third not in got, "who never received it is not told"


def test_who_asked_without_being_a_municipality_is_told_by_people(conn, who):
    question = desk.published(conn, who, QUESTION, WRONG, asker="individual")
    (row,) = rows(conn, who, question)
    assert row["who"].startswith("もとの相談の相談者(")
    assert row["how"] == "phone"
    assert "丘野" not in str(row), "who it was stands in the consultation alone"
    desk.act(conn, who.bureau, question, "correct", wrong="届出だけと書いた。", right=RIGHT)
    assert wanted(conn, who.bureau, question) == ["訂正を、渡した相手(1)に知らせる"]


def test_it_is_sent_once_and_who_received_it_stays_in_the_offices(conn, who):
    question = desk.published(conn, who, QUESTION, WRONG)
    desk.act(conn, who.bureau, question, "send_answer", to=OTHER)
    for code in (OTHER, who.place):
        with pytest.raises(Refused, match="もう渡しています"):
            desk.act(conn, who.bureau, question, "send_answer", to=code)
    form = cases.look(conn, factory.person(conn, "municipality", OTHER), question).form
    assert form["answer"]["text"] == WRONG
    assert not {"receivers", "consent", "source"} & set(form)


def test_who_was_answered_with_it_in_another_consultation_is_told_as_well(db, conn, who):
    """The tie by hand (引き合いに出した案件) says that an answer rests on it."""
    question = desk.published(conn, who, QUESTION, WRONG)
    other = desk.received(conn, who, "納屋を宿にしたい", asker="individual")
    desk.answered(conn, who, other, text=WRONG)
    numbers = [load(conn, case, who.bureau).row.number for case in (question, other)]
    version = load(conn, other, who.bureau).row.version
    tying.tie(conn, who.bureau, other, "quoted", str(numbers[0]), "この答えで回答した。", version=version, key=uuid4())
    for time, wrong in enumerate(("届出だけと書いた。", "期限が違う。"), start=1):
        desk.act(conn, who.bureau, question, "correct", wrong=wrong, right=RIGHT)
        named = [row["who"] for row in rows(conn, who, question) if row.get("who")]
        assert named == [f"これを引いて答えた相談の相談者({numbers[1]})"], time
        assert wanted(conn, who.bureau, question) == ["訂正を、渡した相手(1)に知らせる"]
        desk.act(conn, who.bureau, question, "tell_receivers", how="電話で")
    assert not verify.run(db).breaks


def test_what_is_out_of_date_is_corrected_at_once_and_stays_out_of_date(conn, who):
    question = desk.published(conn, who, QUESTION, WRONG, asker="individual")
    cases.act_by_clock(conn, question, "lapse_answer")
    before = wanted(conn, who.bureau, question)
    desk.act(conn, who.bureau, question, "correct", wrong="届出だけと書いた。", right=RIGHT)
    view = cases.look(conn, who.bureau, question)
    assert (view.state.label, view.form["answer"]["text"]) == ("期限切れ", RIGHT)
    assert wanted(conn, who.bureau, question) == ["訂正を、渡した相手(1)に知らせる"]
    desk.act(conn, who.bureau, question, "tell_receivers", how="電話で")
    assert wanted(conn, who.bureau, question) == before == ["確かめて、期限を改めるか取り下げる"]


def test_it_is_renewed_only_to_a_day_that_comes(conn, who):
    question = desk.published(conn, who, QUESTION, RIGHT)
    cases.act_by_clock(conn, question, "lapse_answer")
    for wrong in ("R8.1.1", "いつか"):
        with pytest.raises(Refused, match="明日より先の日"):
            desk.act(conn, who.bureau, question, "renew", until=wrong)
    later = factory.first_day(conn, after=300).isoformat()
    desk.act(conn, who.bureau, question, "renew", until=later)
    assert cases.look(conn, who.bureau, question).state.label == "公開中"
