"""What a card says of an act before it is done: whose turn comes, who is told, which day is counted."""

import pytest

from tests import factory, offices
from tests.offices import act
from workflow import cases, foreseen, telling
from workflow.web import offers


@pytest.fixture
def office(clock, conn, who):
    made = offices.line(conn, who)
    offices.rule(conn, made)
    return made


@pytest.fixture
def decided_next(conn, office):
    """A case that waits for its decision."""
    case = offices.put_up(conn, office)
    act(conn, office.chief, case, "approve_step")
    act(conn, office.head, case, "approve_step")
    act(conn, office.general, case, "agree_step")
    act(conn, office.health, case, "agree_step")
    return case


def card(conn, person, case, name):
    """What the card of that act says, by label."""
    view = cases.look(conn, person, case)
    offer = next(one for one in view.offers if one.action.name == name)
    turn = foreseen.turns(conn, person, case, [offer]).get(name, "")
    told = telling.before(conn, person, case, [offer])[name]
    return {line.label: line.text for line in offers.effects(view, offer, view.facts, told, turn)}


def test_sent_back_to_a_step_it_names_whoever_each_choice_would_ask(conn, office, decided_next):
    said = card(conn, office.director, decided_next, "return_step")
    assert said["次の手番"].count("、または") == 2  # those who consent together are asked together
    for post in ("地域政策課 係長(", "地域政策課 課長(", "総務課 課長(", "保健行政室 室長("):
        assert post in said["次の手番"]
    assert said["知らせる相手"] == telling.CHOSEN


def test_where_one_step_can_be_chosen_it_alone_is_named(conn, office):
    case = offices.put_up(conn, office)
    act(conn, office.chief, case, "approve_step")
    assert "、または" not in card(conn, office.head, case, "return_step")["次の手番"]


def test_a_refused_consent_that_goes_on_names_and_tells_who_is_asked_next(conn, office):
    case = offices.put_up(conn, office)
    for person in (office.chief, office.head):
        act(conn, person, case, "approve_step")
    act(conn, office.general, case, "disagree_step", remark="日程が重なる。")
    said = card(conn, office.officer, case, "go_on")
    assert "局長" in said["次の手番"]
    assert "派遣を判断する" in said["知らせる相手"]


def test_what_is_held_stays_with_the_decider_until_the_day_that_is_written(conn, office, decided_next):
    said = card(conn, office.director, decided_next, "hold")
    assert said["次の手番"] == "変わりません。いまは、局長の決裁を待っています。"
    assert said["動く期限"] == "「判断の期限」が終わります。「再検討の日」が始まります(ここで書く日)"
    assert "再検討の日" not in card(conn, office.director, decided_next, "approve")["動く期限"]


def test_an_office_is_named_once_with_those_of_it_who_are_told(conn, office, decided_next):
    told = card(conn, office.director, decided_next, "approve")["知らせる相手"]
    assert told.count("上川総合振興局") == 1
    assert {"地域政策課", "総務課", "保健行政室", "副局長"} <= set(told.partition("上川総合振興局 ")[2].split("・"))


def test_who_stands_outside_reads_the_offices_alone(conn, who):
    case = factory.opened(conn, who)
    view = cases.look(conn, who.municipality, case)
    told = telling.before(conn, who.municipality, case, view.offers)
    assert told["submit"].partition("(")[0] == "上川総合振興局"
