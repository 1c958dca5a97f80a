"""合議 of two sections at once, one of which does not agree; and consent that is asked again since what it was about changed."""

import pytest

from tests import factory, offices
from tests.stories import routed
from tests.stories.hands import Visits, act, card, look_up, open_act, open_case, press, told
from tests.stories.system import System

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

REFUSED = "予算の見通しがありません。"


def test_one_of_two_does_not_agree_and_the_drafter_lets_the_director_judge(system: System, visit: Visits) -> None:
    title = "二つの課に合議する要請"
    line = routed.office(system)
    case = routed.put_up(system, line, title, *routed.ALL_BUT_DECIDED[:2])
    general = visit("general")
    open_case(general, title)
    assert "総務課 課長、保健行政室 室長に同時に回します。" in told(general)
    # A reason belongs to it: without one nothing is done, and the page says what is missing.
    press(card(general, "合議に同意しない"), "合議に同意しない")
    general.get_by_text("「合議に同意しない」は、まだ行っていません").wait_for()
    act(general, "合議に同意しない", 理由=REFUSED)
    assert "同意しない職があったので、起案した人が進め方を決めるのを待っています。" in told(general)
    health = visit("health")
    look_up(health, title)
    assert health.get_by_role("button", name="合議に同意する", exact=True).count() == 0

    officer = visit("bureau")
    open_case(officer, title)
    assert REFUSED in told(officer)
    act(officer, "不同意のまま上げる", 理由="局長の判断を仰ぎます。")
    director = visit("director")
    open_case(director, title)
    for said in (REFUSED, "不同意", "同意しない職があるので、代決できません。"):
        assert said in told(director), said
    act(director, "派遣を決定する")
    assert system.value("SELECT state FROM cases WHERE id = %s", case) == "preparing"
    assert system.whole()


def test_a_changed_team_is_consented_to_again_with_the_difference_shown(system: System, visit: Visits) -> None:
    title = "人を替える要請"
    line = routed.office(system, routed.TEAM) if not system.value("SELECT count(*) FROM authority_rule") else None
    if line is None:
        pytest.fail("the story needs a system of its own")
    case = routed.put_up(system, line, title, ("general", "agree_step"))
    with system.db.connection() as conn:
        offices.act(conn, line.director, case, "send_back", reason="人を替えること。", then="straight")
        staff = factory.person(conn, "staff", line.who.office, name="替わり（仮名）")
        team = factory.team(conn, line.who, case, people=(line.who.staff, staff))
        team["team"]["members"][1]["name"] = "替わり（仮名）"
        factory.drive(conn, line.who, case, ("propose_team", {"form": team}))
    officer = visit("bureau")
    look_up(officer, title)
    open_act(officer, "局長の判断を求める") if officer.get_by_role("link", name="「局長の判断を求める」の画面を開く").count() else None
    act(officer, "局長の判断を求める", 起案="職員を替えました。")
    general = visit("general")
    open_case(general, title)
    page = told(general)
    assert "承認のあとに内容が変わったので、もう一度答えてください" in page
    assert "替わり（仮名）" in page
    act(general, "合議に同意する")
    director = visit("director")
    open_case(director, title)
    act(director, "派遣を決定する")
    assert system.whole()
