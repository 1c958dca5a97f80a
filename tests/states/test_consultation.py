"""The consultation desk without a database: the twenty records, which municipality a name means, and what a handover brings."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from states import catalogue
from states.calendar import Calendar
from states.consultation import intake
from states.consultation.places import found
from states.kernel import Refused
from states.places import Directory
from states.terms import Facts

FILE = Path(__file__).parent.parent / "data" / "consultations.json"
CASES: dict[str, Any] = {case["id"]: case for case in json.loads(FILE.read_text())["cases"]}
DIRECTORY, ON = Directory.from_csv(), date(2018, 7, 3)
PROCESS = catalogue.process("consultation")
ANSWERS = intake.check(intake.read_records(FILE.read_bytes()), DIRECTORY, Calendar())


@pytest.mark.parametrize("name", CASES)
def test_a_record_is_taken_in_or_goes_back_as_expected(name):
    expected, answer = CASES[name]["expected"], ANSWERS[name]
    goes_back = expected["disposition"] == "return_for_correction"
    assert (answer["decision"] == "return_for_correction") == goes_back
    blocking = {verdict["rule"] for verdict in answer["blocking"]}
    assert blocking == {reason.split()[0] for reason in expected["blocking"]}
    normalized = expected.get("normalized")
    if normalized and not goes_back:
        assert answer["municipality_code"] == normalized["municipality_code"]
        assert answer["municipality_name"] == normalized["municipality_name"]


def test_the_right_code_and_the_fields_are_named():
    assert "012092" in ANSWERS["CC-019"]["blocking"][0]["sentence"]
    assert {verdict["field"] for verdict in ANSWERS["CC-020"]["blocking"]} == {"subject", "body"}
    assert "北方領土" in ANSWERS["CC-008"]["blocking"][0]["sentence"]


@pytest.mark.parametrize(
    ("name", "code", "note"),
    [
        ("風連町", "012211", "風連町"),
        ("札幌市中央区", "011002", "札幌市中央区"),
        ("\ufa18文町", "015172", ""),
        ("しべつちょう", "016934", ""),
        ("びえい", "014591", "びえい"),
    ],
)
def test_a_name_finds_its_municipality(name, code, note):
    answer = found(DIRECTORY, ON, name, office="hk-kamikawa")
    assert (answer.municipality and answer.municipality.code) == code
    assert note is None or answer.note == note


@pytest.mark.parametrize(
    ("name", "several"),
    [("しべつ", ("士別市", "標津町", "上川総合振興局", "根室振興局")), ("泊村", ("014036", "016969"))],
)
def test_what_may_be_two_is_asked_and_never_guessed(name, several):
    answer = found(DIRECTORY, ON, name, office="hk-kamikawa")
    assert answer.municipality is None
    assert all(word in answer.problem for word in several)


def test_a_code_decides_between_two_and_contradicts_a_wrong_name():
    village = found(DIRECTORY, ON, "泊村", "０１４０３６").municipality
    assert village
    assert village.code == "014036"
    assert "北方領土" in found(DIRECTORY, ON, "泊村", "016969").problem
    assert "どちらが正しいか" in found(DIRECTORY, ON, "標津町", "012203").problem


def _facts(state: str, form: dict[str, Any], **inputs: str) -> Facts:
    return Facts(state, form, PROCESS.reading(form), ON, DIRECTORY, Calendar(), frozenset({"bureau"}), "1", inputs)


def test_the_second_handover_tells_the_head():
    once = {"handovers": {"items": [{"on": "2018-07-02", "kind": "refused", "reason": "所管でない"}]}}
    first = PROCESS.decide(_facts("cs_offered", {}, reason="所管でない"), "refuse")
    second = PROCESS.decide(_facts("cs_offered", once, reason="所管でない"), "refuse")
    assert "director" not in first.action.tells
    assert "director" in second.action.tells
    twice = {"handovers": {"items": once["handovers"]["items"] * 2}}
    assert [ask.holder for ask in PROCESS.inbox(_facts("cs_unowned", twice))] == ["bureau", "director"]


def test_no_answer_without_a_disposition_and_no_reading_of_law_without_basis_and_day():
    answer = {"answer": {"text": "補助の対象になります。", "law_or_money": True}}
    with pytest.raises(Refused, match=r"方針.*根拠.*いつの時点"):
        PROCESS.decide(_facts("cs_hand", answer), "ask_check")
    with pytest.raises(Refused, match="できません"):
        PROCESS.decide(_facts("cs_hand", answer), "answer")


def test_who_asked_stays_in_the_office():
    for roles in ({"headquarters"}, {"partner"}, {"auditor"}):
        assert not PROCESS.reads("form:asker", frozenset(roles), "cs_closed")
    assert PROCESS.reads("form:asker", frozenset({"bureau"}), "cs_hand")
    assert not PROCESS.reads("form:answer", frozenset({"partner"}), "cs_hand")
    assert PROCESS.reads("form:answer", frozenset({"partner"}), "cs_answered")
