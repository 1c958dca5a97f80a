"""A round table whose holding an office decides by a route: the verbs of routes serve it as they serve every process."""

from typing import Any

import pytest

from states import routes
from states.kernel import Refused
from states.route_actions import BY_NAME
from tests import desk, factory, offices
from tests.offices import act
from workflow import cases, queries, verify
from workflow.loading import NotFound

OTHER = "014583"  # 東川町
PLAN: dict[str, Any] = {
    "plan": {
        "name": "びえいラウンドテーブルミーティング", "municipalities": factory.MUNICIPALITY, "theme": "農道と観光", "form": "table",
        "held_on": "2026-12-10", "place": "美瑛町内の公共施設", "place_kind": "public_facility", "election": "none",
    },
    "office_side": {"items": [{"role": "局長", "rank": "director"}]},
    "region_side": {"items": [{"role": "農業者A", "kind": "key_person"}]},
    "people": {"items": [{"role": "農業者A", "name": "丘上太郎（仮名）", "affiliation": "丘の会"}]},
}  # fmt: skip
SHORT = (
    {"kind": "review", "asked": [{"title": "課長", "section": "="}]},
    {"kind": "decide", "asked": [{"title": "局長"}]},
)
UP = (("chief", "approve_step"), ("head", "approve_step"), ("general", "agree_step"), ("health", "agree_step"))
MATTER: dict[str, Any] = {"process": "round_table", "matter": "holding"}


@pytest.fixture
def office(clock, conn, who):
    return offices.line(conn, who)


def put_up(conn, office, **plan: str) -> int:
    case = cases.open_case(conn, office.officer, "round_table", "office", PLAN | {"plan": PLAN["plan"] | plan})
    act(conn, office.officer, case, "plan")
    act(conn, office.officer, case, "ask_decision")
    return int(case)


def route(conn, case):
    found = routes.of(conn.execute("SELECT form FROM cases WHERE id = %s", (case,)).fetchone()[0])
    assert found is not None
    return found


def asked(conn, case) -> list[str]:
    return [f"{routes.KINDS[step.kind]} {step.title}" for step in route(conn, case).open]


def waits(conn, person: int) -> list[int]:
    return [row["case_id"] for row in queries.inbox(conn, person).rows]


def test_the_line_is_asked_post_after_post_and_only_its_last_decides(db, conn, office):
    offices.rule(conn, office, **MATTER)
    case = put_up(conn, office)
    assert asked(conn, case) == ["回議 地域政策課 係長"]
    assert (waits(conn, office.chief), waits(conn, office.director)) == ([case], [])
    with pytest.raises(Refused) as refusal:
        act(conn, office.director, case, "approve")
    assert "地域政策課 係長の回議を待っています" in refusal.value.sentence
    for key, verb in UP:
        # Whoever of the office is asked reads the whole plan, the names of who comes among it; so does who waits for his turn.
        for person in (office.people[key], office.director):
            assert "people" in cases.look(conn, person, case).form, key
        act(conn, office.people[key], case, verb)
    assert asked(conn, case) == ["決裁 局長"]
    done = act(conn, office.director, case, "approve")
    assert done.state == "table_approved"
    assert (route(conn, case).status, route(conn, case).deciding.by) == ("decided", office.director)
    assert not verify.run(db).breaks


def test_it_is_sent_back_pulled_back_and_withdrawn_and_goes_up_again(conn, office):
    offices.rule(conn, office, **MATTER)
    case = put_up(conn, office)
    assert act(conn, office.officer, case, "pull_back").state == "table_planned"
    act(conn, office.officer, case, "ask_decision")
    assert act(conn, office.chief, case, "send_back", reason="場所を確かめること。").state == "table_planned"
    act(conn, office.officer, case, "ask_decision")
    act(conn, office.chief, case, "approve_step")
    assert act(conn, office.officer, case, "withdraw_draft", reason="日を改める。").state == "table_planned"
    assert (waits(conn, office.head), waits(conn, office.officer)) == ([], [case])
    act(conn, office.officer, case, "ask_decision")
    for key, verb in UP:
        act(conn, office.people[key], case, verb)
    act(conn, office.director, case, "send_back", reason="出席者を足すこと。", then="straight")
    sides = {"office_side": {"items": [*PLAN["office_side"]["items"], {"role": "部長", "rank": "department_head"}]}}
    desk.act(conn, office.officer, case, "ask_decision", sides)
    assert asked(conn, case) == ["回議 地域政策課 係長"], "what they agreed to has changed: it goes all the way again"


def test_an_office_without_a_rule_decides_as_before_and_conditions_choose_the_rule(conn, office):
    case = put_up(conn, office)
    assert routes.of(cases.look(conn, office.director, case).form) is None
    offered = {offer.action.name for offer in cases.look(conn, office.officer, case).offers}
    assert not offered & {"pull_back", "withdraw_draft", *BY_NAME}
    assert act(conn, office.director, case, "approve").state == "table_approved"
    offices.rule(conn, office, SHORT, tests=[{"key": "places", "operator": "<=", "value": 1}], sort=1, **MATTER)
    offices.rule(conn, office, tests=[{"key": "form", "operator": "=", "value": "table"}], sort=2, **MATTER)
    assert asked(conn, put_up(conn, office)) == ["回議 地域政策課 課長"]
    assert asked(conn, put_up(conn, office, municipalities=f"{factory.MUNICIPALITY} {OTHER}")) == [
        "回議 地域政策課 係長"
    ]


def test_while_the_director_is_away_his_deputy_decides_and_the_reading_stays_inside(conn, office):
    offices.rule(conn, office, SHORT, **MATTER)
    case = put_up(conn, office)
    act(conn, office.head, case, "approve_step")
    offices.away(conn, office.director)
    act(conn, office.vice, case, "approve")
    decided = route(conn, case).deciding
    assert (decided.by, decided.acting, decided.ground) == (office.vice, "deputy", "出張")
    assert asked(conn, case) == ["後閲 局長"]
    desk.act(conn, office.officer, case, "invite")
    seen = cases.look(conn, office.who.municipality, case).form
    assert not {"route", "people"} & set(seen)
    with pytest.raises(NotFound):
        cases.look(conn, factory.person(conn, "municipality", OTHER), case)


def test_cancelled_on_its_way_up_nobody_is_asked_any_more(db, conn, office):
    offices.rule(conn, office, **MATTER)
    case = put_up(conn, office)
    act(conn, office.officer, case, "cancel_table", cause="other", reason="会場が使えない。")
    assert (route(conn, case).status, asked(conn, case)) == ("ended", [])
    assert (waits(conn, office.chief), waits(conn, office.officer)) == ([], [])
    assert not verify.run(db).breaks
