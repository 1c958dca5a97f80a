"""Change after consent: who consented to the team is asked again when it changes, and sees what is different."""

import pytest

from tests import factory, offices
from tests.stories import routed
from tests.stories.hands import Visits, act, look_up, open_case, told
from tests.stories.system import System

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]


def test_a_changed_team_is_consented_to_again_with_the_difference_shown(system: System, visit: Visits) -> None:
    title = "人を替える要請"
    line = routed.office(system, routed.TEAM)
    case = routed.put_up(system, line, title, ("general", "agree_step"))
    with system.db.connection() as conn:
        offices.act(conn, line.director, case, "send_back", reason="人を替えること。", then="straight")
        staff = factory.person(conn, "staff", line.who.office, name="替わり（仮名）")
        team = factory.team(conn, line.who, case, people=(line.who.staff, staff))
        team["team"]["members"][1]["name"] = "替わり（仮名）"
        factory.drive(conn, line.who, case, ("propose_team", {"form": team}))
    officer = visit("bureau")
    look_up(officer, title)
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
