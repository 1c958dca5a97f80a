"""A route on a real case: who is asked in which order, who decides, and that nobody else can."""

import json

import pytest

from states import routes
from states.kernel import Refused
from tests import factory, offices
from tests.offices import act
from workflow import cases, queries, routing, verify


@pytest.fixture
def office(clock, conn, who):
    made = offices.line(conn, who)
    offices.rule(conn, made)
    return made


def route(conn, case):
    found = routes.of(conn.execute("SELECT form FROM cases WHERE id = %s", (case,)).fetchone()[0])
    assert found is not None
    return found


def asked(conn, case):
    """Titles and kinds of the open steps, and the desks that the inbox has for them."""
    desks = {
        role
        for (role,) in conn.execute(
            "SELECT role FROM step WHERE case_id = %s AND closed_at IS NULL", (case,)
        ).fetchall()
    }
    found = route(conn, case)
    assert desks >= {routes.desk(step.post) for step in found.open}
    return [(routes.KINDS[step.kind], step.title) for step in found.open]


def waits(conn, person):
    return [row["case_id"] for row in queries.inbox(conn, person).rows]


def up_to_decision(conn, office, case):
    act(conn, office.chief, case, "approve_step")
    act(conn, office.head, case, "approve_step", remark="よい計画です。")
    act(conn, office.general, case, "agree_step")
    act(conn, office.health, case, "agree_step")


def test_a_route_asks_post_after_post_and_its_last_decision_moves_the_case(db, conn, office):
    case = offices.put_up(conn, office)
    assert asked(conn, case) == [("回議", "地域政策課 係長")]
    assert waits(conn, office.chief) == [case]
    assert waits(conn, office.director) == []
    act(conn, office.chief, case, "approve_step")
    assert asked(conn, case) == [("回議", "地域政策課 課長")]
    act(conn, office.head, case, "approve_step", remark="よい計画です。")
    assert asked(conn, case) == [("合議", "総務課 課長"), ("合議", "保健行政室 室長")]
    act(conn, office.health, case, "agree_step")
    assert asked(conn, case) == [("合議", "総務課 課長")]
    act(conn, office.general, case, "agree_step")
    assert asked(conn, case) == [("決裁", "局長")]
    assert waits(conn, office.director) == [case]
    done = act(conn, office.director, case, "approve")
    assert done.state == "preparing"
    found = route(conn, case)
    assert (found.status, found.deciding.answer, found.deciding.by) == ("decided", "approve", office.director)
    assert not verify.run(db).breaks


def test_the_director_does_not_decide_before_the_turn_and_is_told_whose_it_is(conn, office):
    case = offices.put_up(conn, office)
    with pytest.raises(Refused) as refusal:
        act(conn, office.director, case, "approve")
    assert "地域政策課 係長の回議を待っています" in refusal.value.sentence
    with pytest.raises(Refused):
        act(conn, office.head, case, "approve_step")


def test_only_while_away_and_in_their_order_deputies_decide_and_the_absent_one_reads_afterwards(db, conn, office):
    case = offices.put_up(conn, office)
    up_to_decision(conn, office, case)
    with pytest.raises(Refused):
        act(conn, office.vice, case, "approve")
    offices.away(conn, office.director)
    with pytest.raises(Refused):
        act(conn, office.department, case, "approve")
    act(conn, office.vice, case, "approve")
    decided = route(conn, case).deciding
    assert (decided.by, decided.acting, decided.for_person, decided.ground) == (
        office.vice,
        "deputy",
        office.director,
        "出張",
    )
    event = conn.execute("SELECT body FROM event WHERE case_id = %s ORDER BY seq DESC LIMIT 1", (case,)).fetchone()[0]
    assert json.loads(event)["acting_for"] == str(office.director)
    assert asked(conn, case) == [("後閲", "局長")]
    offices.back(conn, office.director)
    act(conn, office.director, case, "mark_read", remark="了解")
    assert asked(conn, case) == []
    assert not verify.run(db).breaks


def test_a_refused_consent_stops_the_route_until_the_drafter_lets_it_go_on(conn, office):
    case = offices.put_up(conn, office)
    act(conn, office.chief, case, "approve_step")
    act(conn, office.head, case, "approve_step")
    act(conn, office.general, case, "disagree_step", remark="予算の見通しがない。")
    assert route(conn, case).status == "stopped"
    assert asked(conn, case) == []
    assert case in waits(conn, office.officer)
    act(conn, office.officer, case, "go_on", remark="局長の判断を仰ぐ。")
    assert asked(conn, case) == [("決裁", "局長")]
    offices.away(conn, office.director)
    with pytest.raises(Refused) as refusal:
        act(conn, office.vice, case, "approve")
    assert refusal.value.kind == "role"


def test_sent_back_straight_returns_to_the_sender_without_asking_the_others_again(conn, office):
    case = offices.put_up(conn, office)
    up_to_decision(conn, office, case)
    act(conn, office.director, case, "send_back", reason="目的を書き足すこと。", then="straight")
    assert asked(conn, case) == []
    factory.drive(conn, office.who, case, ("put_to_director", {"by": office.officer}))
    assert asked(conn, case) == [("決裁", "局長")]


def test_a_changed_team_asks_those_again_whose_approval_was_about_it(conn, who, clock):
    made = offices.line(conn, who)
    stages = [
        {"kind": "review", "asked": [{"title": "課長", "section": "="}], "covers": ["request"]},
        {"kind": "consent", "asked": [{"title": "課長", "section": "総務課"}], "covers": ["team"]},
        {"kind": "decide", "asked": [{"title": "局長"}]},
    ]
    offices.rule(conn, made, stages)
    case = offices.put_up(conn, made)
    act(conn, made.head, case, "approve_step")
    act(conn, made.general, case, "agree_step")
    act(conn, made.director, case, "send_back", reason="人を替えること。", then="straight")
    staff = factory.person(conn, "staff", who.office)
    factory.drive(conn, who, case, ("propose_team", {"form": factory.team(conn, who, case, people=(who.staff, staff))}))
    factory.drive(conn, who, case, ("put_to_director", {"by": made.officer}))
    assert asked(conn, case) == [("合議", "総務課 課長")]
    assert route(conn, case).at_stage(2)[0].reopened > 0


def test_t02_who_stands_twice_is_asked_once_and_both_posts_are_recorded(conn, office):
    conn.execute("UPDATE tenure SET person_id = %s WHERE post_id = %s", (office.head, office.posts["general"]))
    case = offices.put_up(conn, office)
    act(conn, office.chief, case, "approve_step")
    # The head of the section is asked once, where he stands last.
    assert asked(conn, case) == [("合議", "総務課 課長"), ("合議", "保健行政室 室長")]
    act(conn, office.head, case, "agree_step")
    answered = [(step.title, step.answer) for step in route(conn, case).steps if step.by == office.head]
    assert answered == [("地域政策課 課長", "approve"), ("総務課 課長", "agree")]


def test_who_is_asked_again_is_whoever_holds_the_post_by_now(conn, office):
    held = "UPDATE tenure SET person_id = %s WHERE post_id = %s"
    conn.execute(held, (office.head, office.posts["general"]))
    case = offices.put_up(conn, office)
    act(conn, office.chief, case, "approve_step")
    act(conn, office.head, case, "agree_step")
    act(conn, office.health, case, "agree_step")
    conn.execute(held, (office.general, office.posts["general"]))
    act(conn, office.director, case, "return_step", to="2", then="again", remark="人が替わったので、もう一度聞くこと。")
    # Once he had answered for both posts; the one is another's now, so each is asked.
    assert asked(conn, case) == [("回議", "地域政策課 課長")]
    act(conn, office.head, case, "approve_step")
    assert asked(conn, case) == [("合議", "総務課 課長"), ("合議", "保健行政室 室長")]
    assert case in waits(conn, office.general)


def test_t03_who_is_sent_does_not_decide_his_own_dispatch_but_the_superior_does(conn, office):
    factory.post(conn, office.director, "staff", office.who.office)
    case = factory.opened(conn, office.who)
    factory.drive(conn, office.who, case, "submit", "receive")
    people = (office.who.staff, office.director)
    factory.drive(
        conn, office.who, case, ("propose_team", {"form": factory.team(conn, office.who, case, people=people)})
    )
    factory.drive(conn, office.who, case, ("put_to_director", {"by": office.officer}))
    up_to_decision(conn, office, case)
    assert asked(conn, case) == [("決裁", "局長")]
    assert route(conn, case).deciding.post == office.posts["above"]
    with pytest.raises(Refused):
        act(conn, office.director, case, "approve")
    act(conn, office.above, case, "approve")


def test_the_drafter_never_decides_also_as_a_deputy(conn, office):
    offices.away(conn, office.director)
    case = offices.put_up(conn, office, by=office.vice)
    up_to_decision(conn, office, case)
    with pytest.raises(Refused):
        act(conn, office.vice, case, "approve")
    # The next in order may, since the first may not.
    act(conn, office.department, case, "approve")


def test_pulled_back_only_until_the_next_has_opened_it(conn, office):
    case = offices.put_up(conn, office)
    act(conn, office.officer, case, "pull_back")
    assert conn.execute("SELECT state FROM cases WHERE id = %s", (case,)).fetchone() == ("municipal_request",)
    factory.drive(conn, office.who, case, ("put_to_director", {"by": office.officer}))
    cases.look(conn, office.chief, case)
    routing.mark_opened(conn, case, factory.version(conn, case), office.chief)
    with pytest.raises(Refused) as refusal:
        act(conn, office.officer, case, "pull_back")
    assert "もう開いたので" in refusal.value.sentence


def test_a_superior_takes_up_what_lies_with_others_and_they_read_it_afterwards(conn, office):
    case = offices.put_up(conn, office)
    act(conn, office.head, case, "take_up", remark="係長が不在のため。")
    assert asked(conn, case) == [("回議", "地域政策課 課長"), ("後閲", "地域政策課 係長")]
    act(conn, office.head, case, "approve_step")
    act(conn, office.chief, case, "mark_read")


def test_an_office_without_a_table_decides_as_before(conn, clock, who):
    made = offices.line(conn, who)
    case = offices.put_up(conn, made)
    assert conn.execute("SELECT form ? 'route' FROM cases WHERE id = %s", (case,)).fetchone() == (False,)
    assert act(conn, made.director, case, "approve").state == "preparing"
