"""The thirty records: what the rules are expected to say about each."""

import json
import re
from pathlib import Path

import pytest

from states.calendar import Calendar
from states.dispatch.intake import check, read_records
from states.places import Directory

ROOT = Path(__file__).parents[3]
SOURCE = (ROOT / "tests" / "data" / "dispatch_requests.json").read_bytes()
CASES = {case["id"]: case for case in json.loads(SOURCE)["cases"]}
ANSWERS = check(read_records(SOURCE), Directory.from_csv(), Calendar())
RULE_BOOK = json.loads((ROOT / "tests" / "data" / "rules.json").read_bytes())["rules"]


def rule_ids(sentences):
    """The rules that expected sentences begin with; a sentence without one is not compared."""
    return {found[0] for sentence in sentences if (found := re.match(r"[DI]-\d\d", sentence))}


def told(verdicts):
    return {verdict["rule"] for verdict in verdicts}


def test_every_record_has_an_answer():
    assert list(ANSWERS) == list(CASES)
    assert len(ANSWERS) == 30


@pytest.mark.parametrize("record", CASES)
def test_decision(record):
    assert ANSWERS[record]["decision"] == CASES[record]["expected"]["decision"]


@pytest.mark.parametrize("record", CASES)
def test_warnings_and_blocking(record):
    expected = CASES[record]["expected"]
    assert told(ANSWERS[record]["warnings"]) == rule_ids(expected["warnings"])
    assert told(ANSWERS[record]["blocking"]) == rule_ids(expected["blocking"])


@pytest.mark.parametrize("record", CASES)
def test_rules_that_were_asked(record):
    asked, given = set(ANSWERS[record]["rules"]), CASES[record]["input"]
    assert asked >= set(CASES[record]["expected"]["rules"])
    appointment = given["concurrent_appointment"]
    assert ("D-03" in asked) == (appointment["needed"] or appointment["municipal_own_affairs"])
    assert ("D-06" in asked) == ("labour" in given["task_roles"] or given["work_category"] == "request.event")


@pytest.mark.parametrize("record", CASES)
def test_computed_figures(record):
    assert ANSWERS[record]["computed"] == CASES[record]["expected"]["computed"]


def test_every_answer_names_field_and_sentence_of_a_known_rule():
    known = {rule["id"] for rule in RULE_BOOK}
    for answer in ANSWERS.values():
        assert set(answer["rules"]) <= known
        for verdict in (*answer["warnings"], *answer["blocking"]):
            assert verdict["field"]
            assert verdict["sentence"].endswith("。")
            assert verdict["rule"] in answer["rules"]


def test_a_record_judged_alone_gets_the_same_answer():
    for record, case in CASES.items():
        if not case["input"]["links"].get("previous_request_id"):
            alone = read_records(json.dumps([case]))
            assert check(alone, Directory.from_csv(), Calendar()) == {record: ANSWERS[record]}


def test_no_record_is_known_to_the_program():
    program = [path for folder in ("states", "workflow", "tasks", "templates") for path in (ROOT / folder).rglob("*")]
    texts = "\n".join(path.read_text("utf-8") for path in program if path.suffix in (".py", ".html", ".json", ".txt"))
    for record, case in CASES.items():
        given = case["input"]
        sentences = [given["title"], *given["tasks"], *re.split(r"[。\n]", given["purpose"])]
        for sentence in [record, *(s for s in sentences if len(s) >= 12)]:
            assert sentence not in texts, (record, sentence)
