"""Consultations taken in from the file and led by people to the disposition that was expected of each."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from states.consultation.form import SENT_ON
from states.kernel import Refused
from tests import factory
from workflow import cases, intake, queries, verify
from workflow.deadlines import due_day
from workflow.loading import NotFound, load

FILE = Path(__file__).parent.parent / "data" / "consultations.json"
CASES: dict[str, Any] = {case["id"]: case for case in json.loads(FILE.read_text())["cases"]}
BACK = {"CC-008", "CC-019", "CC-020"}
TOWN = factory.MUNICIPALITY


def act(conn: Any, person: int, case: int, action: str, form: Any = None, **inputs: Any) -> Any:
    version = load(conn, case, person).row.version
    return cases.act(conn, person, case, action, version=version, key=uuid4(), inputs=inputs, form=form or {})


def received(conn: Any, who: Any, subject: str = "空き家の活用", **receipt: Any) -> int:
    form = {
        "matter": {"subject": subject, "body": "相談したい。", "municipality_name": "美瑛町"},
        "receipt": {"channel": "phone", "asker": "municipality", **receipt},
        "asker": {"name": "丘野（仮名）"},
    }
    case: int = cases.open_case(conn, who.bureau, "consultation", "desk", form)
    act(conn, who.bureau, case, "receive")
    return case


def answered(conn: Any, person: int, case: int, kind: str, forward_to: str = "") -> None:
    act(conn, person, case, "dispose", kind=kind, forward_to=forward_to, reason="相談員の判断")
    act(conn, person, case, "answer", {"answer": {"text": "お答えします。"}})


def test_the_twenty_are_taken_in_or_go_back_and_people_lead_each_to_its_disposition(db, conn):
    offices = sorted({case["input"]["office_code"] for case in CASES.values()})
    desk = {office: factory.person(conn, "bureau", office) for office in offices}
    reading = intake.read(conn, [*desk.values()], "consultation", FILE.read_bytes())
    answers = {a.record: a for a in intake.take_in(conn, [*desk.values()], "consultation", reading, good_ones=True)}
    assert {name for name, a in answers.items() if a.outcome == intake.RETURNED} == BACK
    assert all(answers[name].reasons for name in BACK)
    again = intake.take_in(conn, [*desk.values()], "consultation", reading, good_ones=True)
    assert {a.case for a in again} == {a.case for a in answers.values()}, "a second run makes nothing new"
    for name in CASES.keys() - BACK:
        given, expected, case = CASES[name]["input"], CASES[name]["expected"], answers[name].case
        person = desk[given["office_code"]]
        assert case is not None
        form = cases.look(conn, person, case).form
        assert form["matter"]["body"] == given["body"], "what was written stays as it was"
        assert form["place"]["code"] == (expected.get("normalized") or given)["municipality_code"]
        assert "disposition" not in form, "nobody guesses"
        _led(conn, person, case, expected)
        assert cases.look(conn, person, case).form["disposition"]["kind"] == expected["disposition"]
    assert not verify.run(db).breaks


def _led(conn: Any, person: int, case: int, expected: Any) -> None:
    kind, forward = expected["disposition"], expected["forward_to"]
    if kind == "duplicate":
        office = load(conn, case, person).row.lead
        first = {"matter": {"subject": "道の駅の冬の営業", "body": "相談したい。", "municipality_name": "遠別町"}}
        earlier = cases.open_case(conn, person, "consultation", "desk", first, org=office)
        act(conn, person, earlier, "receive")
        number = load(conn, earlier, person).row.number
        with pytest.raises(Refused, match="番号を確かめて"):
            act(conn, person, case, "merge", same_as="ないもの", reason="前の相談と同じ")
        act(conn, person, case, "merge", same_as=number, reason="前の相談と同じ")
        assert cases.look(conn, person, case).state.outcome == "先の相談にまとめた"
        return
    act(conn, person, case, "take")
    answered(conn, person, case, kind, forward)


def test_handed_over_twice_the_head_has_it_and_names_who_takes_it(db, conn, who):
    case = received(conn, who)
    post = str(factory.post(conn, factory.person(conn, "bureau", factory.OFFICE), "bureau", factory.OFFICE))
    for time in (1, 2):
        act(conn, who.bureau, case, "assign", post=post)
        act(conn, who.bureau, case, "refuse", reason="所管でない")
        waits = case in {row["case_id"] for row in queries.inbox(conn, who.director).rows}
        assert waits == (time == 2)
    rows = cases.look(conn, who.bureau, case).form["handovers"]["items"]
    assert [(row["post"], row["kind"]) for row in rows if row["kind"] in SENT_ON] == [(post, "refused")] * 2
    act(conn, who.director, case, "assign", post=post)
    act(conn, who.bureau, case, "accept")
    assert not verify.run(db).breaks


def test_an_owner_post_is_asked_on_its_own_desk(conn, who):
    owner = factory.person(conn, "bureau", factory.OFFICE, title="主査")
    (post,) = conn.execute("SELECT post_id FROM tenure WHERE person_id = %s", (owner,)).fetchone()
    case = received(conn, who)
    act(conn, who.bureau, case, "assign", post=str(post))
    assert case in {row["case_id"] for row in queries.inbox(conn, owner).rows}


def test_the_clock_asks_again_and_a_matter_that_is_not_solved_is_reopened(db, conn, who):
    case = received(conn, who)
    act(conn, who.bureau, case, "take")
    act(conn, who.bureau, case, "dispose", kind="answer", reason="情報で足りる")
    day = (cases.today(conn) + timedelta(days=30)).isoformat()
    act(conn, who.bureau, case, "answer", {"answer": {"text": "お答えします。"}}, on=day)
    cases.act_by_clock(conn, case, "come_back")
    act(conn, who.bureau, case, "reopen", reason="まだ困っている")
    act(conn, who.bureau, case, "answer", {"answer": {"text": "改めてお答えします。"}})
    act(conn, who.bureau, case, "close", result="solved")
    assert cases.look(conn, who.bureau, case).state.final
    assert not verify.run(db).breaks


def test_the_municipality_reads_its_own_matter_and_never_who_asked(conn, who):
    case = received(conn, who)
    assert "asker" not in cases.look(conn, who.municipality, case).form
    secret = received(conn, who, secrecy="secret")
    about = received(conn, who, asker="individual")
    for hidden in (secret, about):
        with pytest.raises(NotFound):
            cases.look(conn, who.municipality, hidden)


def test_an_answer_is_published_with_consent_and_corrected_to_all_who_have_it(db, conn, who):
    case = received(conn, who)
    act(conn, who.bureau, case, "take")
    answered(conn, who.bureau, case, "answer")
    act(conn, who.bureau, case, "make_answer")
    (question,) = conn.execute("SELECT id FROM cases WHERE parent_id = %s", (case,)).fetchone()
    day = (cases.today(conn) + timedelta(days=200)).isoformat()
    form = load(conn, question, who.bureau).row.form["answer"] | {"valid_until": day}
    with pytest.raises(Refused, match="分からないように"):
        act(conn, who.bureau, question, "consent", {"answer": form}, how="電話で", on=day)
    act(conn, who.bureau, question, "consent", {"answer": form | {"anonymous": True}}, how="電話で", on=day)
    act(conn, who.director, question, "publish_answer")
    act(conn, who.bureau, question, "send_answer", to="014583")
    other = factory.person(conn, "municipality", "014583")
    act(conn, who.bureau, question, "correct", wrong="期限が違う", right="3月末までです。")
    for reader in (who.municipality, other):
        told = cases.look(conn, reader, question).form
        assert told["answer"]["text"] == "3月末までです。"
        assert told["edition"]["no"] == "2"
        assert "consent" not in told
    cases.act_by_clock(conn, question, "lapse_answer")
    assert not verify.run(db).breaks


def test_an_extension_leads_to_a_day_that_comes_and_moves_the_deadline(conn, who):
    case = received(conn, who)
    act(conn, who.bureau, case, "take")
    today = cases.today(conn)
    with pytest.raises(Refused, match="明日より先"):
        act(conn, who.bureau, case, "extend", until=today.isoformat(), reason="本庁に確かめている。")
    later = factory.first_day(conn, after=30)
    act(conn, who.bureau, case, "extend", until=later.isoformat(), reason="本庁に確かめている。")
    (due,) = [d for d in cases.look(conn, who.bureau, case).deadlines if d["kind"] == "answer" and not d.get("closed")]
    assert due_day(due["due_at"]) == later


def test_headquarters_is_asked_and_its_words_begin_the_answer(db, conn, who):
    """What the bureau asks goes to headquarters without who asked; the answer begins with what may be said to the region."""
    case = received(conn, who)
    act(conn, who.bureau, case, "take")
    with pytest.raises(Refused, match="求めること"):
        act(conn, who.bureau, case, "ask_headquarters", text=" ")
    act(conn, who.bureau, case, "ask_headquarters", text="国の補助の要件を確かめてほしい。", due="R8.11.30")
    (made,) = conn.execute("SELECT id FROM cases WHERE parent_id = %s AND process = 'coordination'", (case,)).fetchone()
    view = cases.look(conn, who.headquarters, made)
    assert (view.form["request"]["subject"], view.form["request"]["municipality"]) == ("空き家の活用", TOWN)
    assert "丘野" not in str(view.form)
    assert made in {row["case_id"] for row in queries.inbox(conn, who.headquarters).rows}
    with pytest.raises(NotFound):
        cases.look(conn, who.municipality, made)
    department = factory.person(conn, "department", "hk-somu")
    act(conn, who.headquarters, made, "distribute", {"distribution": {"items": [{"department": "hk-somu"}]}})
    act(conn, department, made, "reply", answer="partly", text="内部: 国と協議が要る。")
    told = {"synthesis": {"text": "内部: 国と協議が要る。", "regional": "国に要件を確かめています。"}}
    act(conn, who.headquarters, made, "inform", told)
    assert cases.look(conn, who.bureau, made).state.final
    view = cases.look(conn, who.bureau, case)
    answer = next(offer.action for offer in view.offers if offer.action.name == "answer")
    assert answer.begins
    assert answer.begins(view.facts) == {"answer": {"text": "国に要件を確かめています。"}}
    assert not verify.run(db).breaks


def test_an_extension_needs_its_reason_which_stays_with_the_case(conn, who):
    case = received(conn, who)
    act(conn, who.bureau, case, "take")
    later = factory.first_day(conn, after=30).isoformat()
    with pytest.raises(Refused, match="延ばす理由"):
        act(conn, who.bureau, case, "extend", until=later, reason="  ")
    act(conn, who.bureau, case, "extend", until=later, reason="本庁に確かめている。")
    for reader in (who.bureau, who.municipality):
        assert cases.look(conn, reader, case).form["extension"] == {"until": later, "reason": "本庁に確かめている。"}
