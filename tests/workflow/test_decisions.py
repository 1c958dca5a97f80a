"""The table of decisions: set by one administrator, consented to by another, previewed for any case and day."""

from datetime import timedelta

import pytest

from tests import factory, offices
from workflow import cases, previews
from workflow.loading import load


@pytest.fixture
def office(clock, conn, who):
    made = offices.line(conn, who)
    offices.rule(conn, made)
    return made


def received(conn, office):
    case = factory.opened(conn, office.who)
    factory.drive(conn, office.who, case, "submit", "receive", "propose_team")
    return case


def told(conn, office, case, on=None, **more):
    found = previews.preview(conn, load(conn, case, office.officer), on or cases.today(conn), **more)
    assert found is not None
    return found


def posts(preview):
    return [(stop.kind, stop.post, stop.asked) for stage in preview.stages for stop in stage.stops]


def test_a_draft_is_told_who_would_decide_in_which_order_and_why(conn, office):
    case = received(conn, office)
    found = told(conn, office, case)
    assert posts(found) == [
        ("回議", "地域政策課 係長", True),
        ("回議", "地域政策課 課長", True),
        ("合議", "総務課 課長", True),
        ("合議", "保健行政室 室長", True),
        ("決裁", "局長", True),
    ]
    assert (found.article, found.why) == ("専決規程 別表2の4", ("条件なし(この事項のすべて)",))
    assert found.decider.post == "局長"
    assert any(value.startswith("派遣日数 ") for value in found.values)
    put_up = cases.look(conn, office.officer, case)
    assert told(conn, office, case) == previews.preview(conn, put_up, cases.today(conn))


def test_the_preview_says_what_the_act_then_does(conn, office):
    case = received(conn, office)
    conn.execute("UPDATE tenure SET person_id = %s WHERE post_id = %s", (office.head, office.posts["general"]))
    before = told(conn, office, case)
    factory.drive(conn, office.who, case, ("put_to_director", {"by": office.officer}))
    made = load(conn, case, office.officer).facts.form["route"]["steps"]
    asked = [stop for stage in before.stages for stop in stage.stops]
    assert [(stop.no, stop.asked) for stop in asked] == [(step["no"], step.get("state") != "merged") for step in made]
    assert "同じ人" in asked[1].notes[0]


def test_absence_vacancy_and_the_person_concerned_are_told(conn, office):
    case = received(conn, office)
    offices.away(conn, office.director)
    conn.execute("UPDATE tenure SET valid_to = %s WHERE post_id = %s", (factory.LONG_AGO, office.posts["chief"]))
    found = told(conn, office, case)
    chief, decider = found.stages[0].stops[0], found.decider
    assert (chief.people, "空いています" in chief.notes[0]) == ((), True)
    assert decider.people[0].absent == "出張"
    assert "「副局長」" in decider.notes[0]
    assert "代決" in decider.notes[0]
    barred = told(conn, office, case, mark="important")
    assert "代決できません" in barred.bars
    assert "戻るのを待ちます" in barred.decider.notes[0]
    # After the trip nobody is absent.
    later = told(conn, office, case, cases.today(conn) + timedelta(days=10))
    assert later.decider.notes == ()


def test_a_rule_that_comes_later_is_seen_on_its_day_and_not_before(conn, office):
    case, day = received(conn, office), cases.today(conn) + timedelta(days=30)
    stages = [{"kind": "decide", "asked": [{"title": "部長"}]}]
    tests = [{"key": "days", "operator": "<=", "value": 100}]
    offices.rule(conn, office, stages, tests=tests, since=day, article="専決規程 別表3", standing=True, sort=-1)
    assert told(conn, office, case).decider.post == "局長"
    found = told(conn, office, case, day)
    assert (found.decider.post, found.standing, found.why) == ("部長", True, ("派遣日数 100日以下",))


def test_no_rule_and_an_unknown_post_are_said(conn, office):
    case = received(conn, office)
    conn.execute("UPDATE authority_rule SET valid_to = %s", (cases.today(conn),))
    tomorrow = cases.today(conn) + timedelta(days=1)
    assert "当てはまる定めがありません" in told(conn, office, case, tomorrow).problem
    offices.rule(conn, office, [{"kind": "decide", "asked": [{"title": "監理官"}]}], since=tomorrow)
    assert "「監理官」という職が、いまありません" in told(conn, office, case, tomorrow).problem
