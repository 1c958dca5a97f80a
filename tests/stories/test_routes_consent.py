"""合議 of two sections at once: one does not agree, the drafter lets it go on, and the director decides knowing that."""

import pytest

from tests.stories import routed
from tests.stories.hands import Visits, act, card, look_up, open_case, press, told
from tests.stories.system import System

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

REFUSED = "予算の見通しがありません。"


def test_one_of_two_does_not_agree_and_the_drafter_lets_the_director_judge(system: System, visit: Visits) -> None:
    title = "二つの課に合議する要請"
    line = routed.office(system)
    case = routed.put_up(system, line, title, *routed.ALL_BUT_DECIDED[:2])
    general = visit("general")
    open_case(general, title)
    assert "総務課 課長、保健行政室 室長に同時に回します(" in told(general)
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
