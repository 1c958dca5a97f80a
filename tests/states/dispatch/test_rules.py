"""The rules on a case in progress: what headquarters answered, the register of bodies, warnings on the way."""

import copy
from datetime import date
from typing import Any

import pytest

from states.calendar import Calendar
from states.dispatch.form import read
from states.dispatch.rules import GUARDS, computed
from states.places import Directory
from states.terms import Facts, Level
from states.text import search_key

FORM: dict[str, Any] = {
    "request": {
        "origin": "municipality_request",
        "office_code": "hk-soya",
        "title": "港の計画",
        "purpose": "計画を見直す",
        "ground": "request.plan",
        "tasks": [{"text": "素案", "role": "planning"}],
        "period": {"from": "R8.11.9", "to": "R8.12.8"},
        "destination": {"municipality_code": "015121", "municipality_name": "浜頓別町"},
        "own_affairs": "no",
        "concurrent_appointment": "not_needed",
    },
    "contact": {"municipality_code": "015121", "municipality_name": "浜頓別町"},
    "receipt": {"arrived_on": "2026-10-01"},
    "team": {"members": [{"person": 7, "role": "主査", "days": "11/9-11、12/3"}]},
}


def facts(registers=None, inputs=None, number=None, **changes):
    """The facts of the form with values replaced, by path with _ _ for the dots."""
    form = copy.deepcopy(FORM)
    for path, value in changes.items():
        *way, last = path.split("__")
        part = form
        for step in way:
            part = part.setdefault(step, {})
        part[last] = value
    return Facts(
        "director_judgement", form, read(form), date(2026, 10, 5), Directory.from_csv(), Calendar(),
        registers=registers or {}, inputs=inputs or {}, number=number,
    )  # fmt: skip


def levels(rule, given):
    return [verdict.level for verdict in GUARDS[rule].verdicts(given)]


def test_the_rule_book_is_complete():
    assert list(GUARDS) == [*(f"D-{n:02}" for n in range(1, 11)), *(f"I-{n:02}" for n in range(1, 8))]
    for rule, found in GUARDS.items():
        assert found.rule == rule
        assert found.ask.__doc__
        assert "要領" in found.ask.__doc__ or rule.startswith("I-")


def test_a_sound_case_is_refused_by_no_rule():
    given = facts()
    for rule, found in GUARDS.items():
        assert not any(verdict.level is not Level.PASS for verdict in found.verdicts(given)), rule


def test_every_verdict_is_a_sentence():
    given = facts(
        request__own_affairs="yes", request__period__to="R8.12.31", request__tasks=[{"text": "x", "role": "labour"}]
    )
    for found in GUARDS.values():
        for verdict in found.verdicts(given):
            assert verdict.sentence.endswith("。")
            assert verdict.rule == found.rule


@pytest.mark.parametrize(
    ("own", "appointment", "consultation", "expected"),
    [
        ("no", "not_needed", {}, []),
        ("no", "not_needed", {"reply": "not_agreed"}, []),
        ("yes", "not_needed", {}, [Level.PROCEDURE]),
        ("unknown", "not_needed", {}, [Level.PROCEDURE]),
        ("no", "needed", {}, [Level.PROCEDURE]),
        ("yes", "needed", {"asked_from": "municipal_request"}, [Level.PROCEDURE]),
        ("yes", "needed", {"reply": "no_objection"}, [Level.PASS]),
        ("yes", "needed", {"reply": "trip_suffices"}, [Level.BLOCK]),
        ("yes", "not_needed", {"reply": "trip_suffices"}, [Level.PASS]),
        ("yes", "not_needed", {"reply": "not_agreed"}, [Level.BLOCK]),
        ("no", "needed", {"reply": "not_agreed"}, [Level.BLOCK]),
    ],
)
def test_headquarters_answer(own, appointment, consultation, expected):
    given = facts(request__own_affairs=own, request__concurrent_appointment=appointment, consultation=consultation)
    assert levels("D-03", given) == expected


def test_conditions_of_headquarters_are_shown():
    given = facts(
        request__own_affairs="yes", consultation={"reply": "no_objection", "conditions": "現地で町職員が立ち会う"}
    )
    assert "現地で町職員が立ち会う" in GUARDS["D-03"].verdicts(given)[0].sentence


def body(name, decided_on, valid_to=None):
    return {"name": name, "name_key": search_key(name), "decided_on": decided_on, "valid_to": valid_to, "reference": ""}


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ([body("港づくりの会", date(2026, 11, 9))], ""),
        ([body("港づくりの会", date(2020, 4, 1), date(2026, 11, 9))], ""),
        ([body("港づくりの会", date(2026, 11, 10))], "間に合いません"),
        ([body("港づくりの会", date(2020, 4, 1), date(2026, 11, 8))], "終わっています"),
        ([body("別の会", date(2020, 4, 1))], "台帳にありません"),
        ([], "台帳にありません"),
    ],
)
def test_the_register_decides_about_a_body(entries, said):
    destination = {
        "type": "organization",
        "organization_name": "港づくりの会",
        "recognition": {"approved": True, "approved_on": "R8.10.1"},
    }
    [verdict] = GUARDS["D-04"].verdicts(facts({"recognitions": entries}, request__destination=destination))
    assert verdict.refuses == bool(said)
    assert said in verdict.sentence


@pytest.mark.parametrize(
    ("state", "level"),
    [("reported", Level.WARN), ("preparing", Level.WARN), ("withdrawn", Level.PASS), ("declined", Level.PASS)],
)
def test_only_work_that_went_on_is_added_up(state, level):
    earlier = copy.deepcopy(FORM)
    earlier["request"]["period"] = {"from": "R8.10.10", "to": "R8.11.8"}
    given = facts({"predecessor": {"number": "1", "state": state, "form": earlier}}, request__previous="1")
    assert levels("D-07", given) == [level]


def test_a_case_does_not_continue_itself():
    given = facts({"predecessor": None}, number="宗谷8-1", request__previous="宗谷8-1")
    assert levels("I-07", given) == [Level.BLOCK]


def test_wishes_are_weighed_until_there_is_a_team():
    wishes = [{"skill": "保健師", "headcount": "1", "days": "11/9-16"}]
    [verdict] = GUARDS["D-08"].verdicts(facts(request__wishes=wishes, team={"members": []}))
    assert verdict.level is Level.WARN
    assert "「保健師」の方が8日" in verdict.sentence
    assert levels("D-08", facts(request__wishes=wishes)) == [Level.PASS]


def test_one_person_in_two_rows_is_one_person():
    members = [{"person": 7, "role": "主査", "days": "11/9-12"}, {"person": 7, "role": "隊長", "days": "11/16-19"}]
    assert levels("D-08", facts(team={"members": members})) == [Level.WARN]
    members[1]["person"] = 8
    assert levels("D-08", facts(team={"members": members})) == [Level.PASS]


def test_wished_days_are_held_to_the_period_and_the_calendar():
    given = facts(request__wishes=[{"skill": "", "headcount": "", "days": "11/10、11/31、12/9"}])
    assert [(v.field, v.level) for v in GUARDS["I-05"].verdicts(given)] == [("request.wishes.0.days", Level.BLOCK)]
    assert [(v.field, v.level) for v in GUARDS["I-07"].verdicts(given)] == [("request.wishes.0.days", Level.BLOCK)]


def test_what_was_typed_with_the_act_is_held_to_its_characters_too():
    given = facts(inputs={"reason": "だめ\x00", "reasons": {"D-08": "よい\x1b"}})
    assert [v.field for v in GUARDS["I-02"].verdicts(given)] == ["reason", "reasons.D-08"]
    assert "「書いた内容」" in GUARDS["I-02"].verdicts(given)[0].sentence


def test_an_instruction_after_the_start_goes_back():
    given = facts(
        request__origin="director", request__instruction={"given_on": "R8.11.10", "text": "行くこと"}, receipt={}
    )
    assert levels("I-07", given) == [Level.BLOCK]


def test_figures_of_a_case():
    figures = computed(facts())
    assert figures is not None
    assert figures["total_days"] == 30
    assert figures["staff"] == [
        {"role": "主査", "calendar_days": 4, "business_days": 4, "over_one_week": False, "outside_period": False}
    ]
    assert computed(facts(request__period__to="R8.11.31")) is None
    assert computed(facts(request__period__to="R8.11.8")) is None
    assert computed(facts(request__period={"from": "1920-01-01", "to": "1920-01-02"}, team={"members": []})) is None
