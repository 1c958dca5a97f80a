"""The twelve records of round tables: what the rules are expected to say about each."""

import json
import re
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from states.calendar import Calendar
from states.places import Directory
from states.round_table.form import FORM
from states.round_table.intake import NotTakenInError, check, read_records, to_form
from workflow.__main__ import app

FILE = Path(__file__).parent / "data" / "round_tables.json"
SOURCE = FILE.read_bytes()
CASES = {case["id"]: case for case in json.loads(SOURCE)["cases"]}
ANSWERS = check(read_records(SOURCE), Directory.from_csv(), Calendar())


def rule_ids(sentences):
    """The rules that expected sentences begin with; a sentence without one is not compared."""
    return {found[0] for sentence in sentences if (found := re.match(r"[RI]-\d\d", sentence))}


def told(verdicts):
    return {verdict["rule"] for verdict in verdicts if verdict["rule"]}


def test_every_record_has_an_answer():
    assert list(ANSWERS) == list(CASES)
    assert len(ANSWERS) == 12


@pytest.mark.parametrize("record", CASES)
def test_judged_as_expected(record):
    answer, expected = ANSWERS[record], CASES[record]["expected"]
    assert answer["decision"] == expected["decision"]
    assert told(answer["warnings"]) == rule_ids(expected["warnings"])
    assert told(answer["blocking"]) == rule_ids(expected["blocking"])
    assert set(answer["rules"]) >= set(expected["rules"])
    assert answer["hq_escalation"] == expected["hq_escalation"]
    assert answer["computed"] == expected["computed"]


@pytest.mark.parametrize("record", [key for key, case in CASES.items() if "normalized" in case["expected"]])
def test_days_of_an_era_are_read(record):
    form = FORM.read(to_form(read_records(SOURCE)[record]))
    assert form.part("plan").day("held_on") == date.fromisoformat(CASES[record]["expected"]["normalized"]["held_on"])


def test_a_holiday_is_said_by_its_name_but_asks_for_no_reason():
    (told_,) = ANSWERS["RT-009"]["warnings"]
    assert told_["rule"] is None
    assert "即位礼正殿の儀" in told_["sentence"]


@pytest.mark.parametrize("record", CASES)
def test_every_sentence_names_its_field_as_the_file_does(record):
    for verdict in (*ANSWERS[record]["warnings"], *ANSWERS[record]["blocking"]):
        assert verdict["field"] in CASES[record]["input"]
        assert verdict["sentence"].endswith("。")


def test_the_command_says_the_same():
    found = CliRunner().invoke(app, ["check", "round_table", str(FILE), "--json"])
    assert found.exit_code == 0
    assert json.loads(found.stdout) == ANSWERS


@pytest.mark.parametrize(
    ("change", "field"),
    [({"form": "circle"}, "form"), ({"stranger": 1}, "stranger"), ({"follow_ups": [{"no": 1}]}, "follow_ups.0.action")],
)
def test_what_is_no_such_record_is_named(change, field):
    case = {"id": "X", "input": CASES["RT-001"]["input"] | change}
    with pytest.raises(NotTakenInError) as refused:
        read_records(json.dumps([case]))
    assert field in {problem.field for problem in refused.value.problems}
