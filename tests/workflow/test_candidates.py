"""Candidates: an order that can be told, reasons in words, and the same answer every time."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from states.calendar import Calendar
from states.dates import days_between
from states.places import Directory
from workflow.board import Elsewhere, Person, Visit
from workflow.candidates import NEAR, NOWHERE, Wanted, near, ranked
from workflow.colleagues import Colleague

DAYS = days_between(date(2026, 11, 9), date(2026, 11, 20))
MONDAY, TUESDAY = DAYS[0], DAYS[1]
OFFICE, OTHER = "hk-kamikawa", "hk-rumoi"
NEARNESS = {OFFICE: 2, OTHER: 3}


def person(number, *, section="地域政策課", kana="", title="主任", office=OFFICE, **told):
    return Person(
        Colleague(number, f"職員{number}", kana or f"ショク{number:02}", section, title, office, office), **told
    )


def order(wanted, *people):
    return [candidate.person.colleague.id for candidate in ranked(wanted, people, DAYS, Calendar(), NEARNESS)]


def reasons(wanted, one, nearness=NEARNESS):
    (found,) = ranked(wanted, [one], DAYS, Calendar(), nearness)
    return [reason.words for reason in found.reasons]


def wanted(skill="", *half_days, row=None):
    return Wanted(skill, 1, tuple(half_days), row)


def test_skill_comes_first_then_free_days_then_nearness_then_days_used_then_the_last_visit():
    busy = {(MONDAY, 0): Elsewhere(3, "上川-R8-003", "", decided=True)}
    people = [
        person(1, used=0),
        person(2, used=0, visit=Visit(date(2025, 6, 1), "")),
        person(3, used=0, visit=Visit(date(2026, 6, 1), "")),
        person(4, used=1, visit=Visit(date(2026, 6, 1), "")),
        person(5, used=0, office=OTHER),
        person(6, used=0, elsewhere=busy),
        person(7, used=9, skills=("防災計画",), elsewhere=busy),
    ]
    assert order(wanted("防災", (MONDAY, 0), (MONDAY, 1)), *people) == [7, 3, 2, 1, 4, 5, 6]


def test_equals_go_by_section_and_kana_and_say_so():
    people = [person(1, section="農務課", kana="ア"), person(2, kana="ウ"), person(3, kana="イ"), person(4, used=2)]
    found = ranked(wanted(), people, DAYS, Calendar(), NEARNESS)
    assert [c.person.colleague.id for c in found] == [3, 2, 1, 4]
    assert [c.equals for c in found] == [2, 2, 2, 0]


@pytest.mark.parametrize(
    ("skill", "skills", "title", "said"),
    [
        ("保健師", (), "主任保健師", "職: 主任保健師"),
        ("観光・景観", ("景観",), "主任", "得意なこと: 景観"),
        ("ｶﾝｺｳ", ("かんこう",), "主任", "得意なこと: かんこう"),
        ("移住", ("観光",), "主任", "「移住」の登録はありません"),
        ("", ("観光", "景観"), "主任", "得意なこと: 観光、景観"),
    ],
)
def test_the_skill_is_found_in_the_register_or_in_the_title(skill, skills, title, said):
    assert reasons(wanted(skill), person(1, skills=skills, title=title))[0] == said


def test_it_is_told_on_which_days_somebody_is_not_free_and_nobody_learns_why():
    busy = {(MONDAY, half): Elsewhere() for half in (0, 1)} | {(TUESDAY, 1): Elsewhere(4, "上川-R8-004")}
    one = person(1, elsewhere=busy, away=frozenset({DAYS[2]}))
    days = [(day, half) for day in DAYS[:4] for half in (0, 1)]
    said = reasons(wanted("", *days), one)
    assert "11月9日(月)はほかの派遣、11月10日(火)午後はほかの派遣、11月11日(水)は不在" in said
    assert "希望の1日とも空いています" in reasons(wanted("", (DAYS[3], 0)), one)
    assert "期間の平日10日のうち空き7.5日" in reasons(wanted(), one)


def test_nearness_and_the_last_visit_are_told_where_the_place_is_known():
    visited = person(1, visit=Visit(date(2026, 6, 1), "上川-R8-001"), used=2.5)
    assert reasons(wanted(), visited)[1:] == [
        NEAR[2],
        "今年度は2.5日(この中で最も少ない)",
        "派遣先へ最後に行ったのは令和8年6月1日(上川-R8-001)",
    ]
    assert "派遣先へは、この5年行っていません" in reasons(wanted(), person(1))
    assert reasons(wanted(), visited, {OFFICE: NOWHERE})[1:] == ["今年度は2.5日(この中で最も少ない)"]


@pytest.mark.parametrize(
    ("office", "place", "rank"),
    [
        (OFFICE, "012041", 0),  # 旭川市, where the office stands
        (OFFICE, "014591", 2),  # 美瑛町
        (OTHER, "014591", 3),
        ("hk-shiribeshi", "014001", 0),  # 倶知安町
        ("hk-shiribeshi", "013994", 1),  # 京極町 lies in the same county
        (OFFICE, "", NOWHERE),
        ("nowhere", "014591", NOWHERE),
    ],
)
def test_nearness_is_what_the_directory_knows(office, place, rank):
    assert near(Directory.from_csv(), office, place, date(2026, 11, 9)) == rank


PEOPLE = st.builds(
    person, st.integers(1, 9), section=st.sampled_from(["農務課", "林務課"]), used=st.sampled_from([0, 1, 2.5]),
    skills=st.sampled_from([(), ("観光",)]), office=st.sampled_from([OFFICE, OTHER]),
)  # fmt: skip


@given(st.lists(PEOPLE, unique_by=lambda one: one.colleague.id), st.randoms())
def test_the_order_does_not_depend_on_the_order_asked_in(people, chance):
    shuffled = list(people)
    chance.shuffle(shuffled)
    assert order(wanted("観光"), *people) == order(wanted("観光"), *shuffled)
