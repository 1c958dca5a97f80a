"""Sent back, and straight back to who sent it: the others are not asked again."""

import pytest

from tests.stories import routed
from tests.stories.hands import Visits, act, card, choose, done, look_up, open_case, press, told
from tests.stories.system import System

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

TITLE = "直して戻す要請"
MEND = "目的をもう少し詳しく書いてください。"


def test_sent_back_it_comes_straight_back_to_who_sent_it(system: System, visit: Visits) -> None:
    line = routed.office(system)
    case = routed.put_up(system, line, TITLE, *routed.ALL_BUT_DECIDED)
    director = visit("director")
    open_case(director, TITLE)
    back = card(director, "差し戻す")
    assert "起案した人(地域政策課 主査 川上（仮名）)。直して、もう一度上げます" in told(director)
    back.get_by_label("直してほしい点").fill(MEND)
    choose(back, "直したあとの回り方", "戻した人に直接戻す")
    press(back, "差し戻す")
    done(director, "差し戻す")
    assert "起案した人に戻っています" in told(director)

    officer = visit("bureau")
    open_case(officer, TITLE)
    assert MEND in told(officer)
    act(officer, "局長の判断を求める", 起案="目的を書き足しました。")
    assert "いまは、局長の決裁を待っています。" in told(officer)
    # Who agreed before is not asked again, and keeps the mark.
    chief = visit("chief")
    look_up(chief, TITLE)
    assert chief.get_by_role("button", name="承認して上げる", exact=True).count() == 0
    open_case(director, TITLE)
    act(director, "派遣を決定する")
    director.goto(f"/cases/{case}/route")
    page = told(director)
    assert "決裁欄(第2回)" in page
    assert "前の回(第1回)" in page
    assert system.whole()
