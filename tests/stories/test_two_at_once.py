"""Two tabs, two clicks, a session that ended: nothing is done twice, and nothing that was typed is lost."""

import pytest
from playwright.sync_api import Page

from tests.factory import drive, opened
from tests.stories.hands import Visits, act, card, done, open_case, press, sign_in, told
from tests.stories.system import System

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

OUTSIDE, INSIDE = "ほかの要請と時期が重なるため。", "川沿いの件を先にする。"
NOTE = "助言の要請であり、職員2名で対応できる。\n二行目も残ること。"


def waiting(system: System, title: str, *steps: str) -> int:
    with system.db.connection() as conn:
        case_id = opened(conn, system.who, title=title)
        drive(conn, system.who, case_id, "submit", "receive", "propose_team", *steps)
    return case_id


def decisions(system: System, case_id: int) -> int:
    found: int = system.value(
        "SELECT count(*) FROM event WHERE case_id = %s AND action IN ('approve', 'decline')", case_id
    )
    return found


def test_the_second_tab_is_told_who_was_first_and_keeps_the_words(system: System, visit: Visits) -> None:
    title = "二つの画面で開いた件"
    case_id = waiting(system, title, "put_to_director")
    first = visit("director")
    open_case(first, title)
    second = first.context.new_page()
    second.goto(first.url)
    decline = card(second, "派遣しないと決める")
    decline.get_by_label("理由(市町村にも見えます)").fill(OUTSIDE)
    decline.get_by_label("理由(局内だけに残ります)").fill(INSIDE)
    act(first, "派遣を決定する")
    press(decline, "派遣しないと決める")
    second.get_by_role("heading", level=1, name="ほかの方が先に処理していました").wait_for()
    page = told(second)
    for words in (
        "あなたの「派遣しないと決める」は行っていません",
        "上川総合振興局 局長",
        "10月14日 9:",
        "派遣を決定する",
    ):
        assert words in page, words
    assert [second.get_by_label(f"書いた文 {n}").input_value() for n in (1, 2)] == [OUTSIDE, INSIDE]
    second.get_by_role("link", name="最新を開く").click()
    second.get_by_role("link", name="派遣決定通知").wait_for()
    assert decisions(system, case_id) == 1


@pytest.mark.parametrize("script", [True, False])
def test_a_double_click_decides_once(system: System, visit: Visits, script: bool) -> None:
    title = f"二度押した件{'' if script else '・脚本なし'}"
    case_id = waiting(system, title, "put_to_director")
    director = visit("director", script=script)
    open_case(director, title)
    card(director, "派遣を決定する").get_by_role("button", name="派遣を決定する").dblclick()
    done(director, "派遣を決定する")
    assert decisions(system, case_id) == 1
    assert system.value("SELECT count(*) FROM outbox WHERE case_id = %s AND kind = 'notice' AND seq = 5", case_id) == 1


def test_what_was_typed_outlives_the_session(system: System, visit: Visits) -> None:
    title = "途中で退出した件"
    waiting(system, title)
    first = visit("bureau")
    open_case(first, title)
    ask = card(first, "局長の判断を求める")
    ask.get_by_label("起案の理由").fill(NOTE)
    leave_elsewhere(first)
    press(ask, "局長の判断を求める")
    first.get_by_text("ログインし直してください。まだ送られていません。").wait_for()
    sign_in(first, "bureau")
    first.get_by_role("heading", level=1, name="送りかけの内容が残っています").wait_for()
    assert first.get_by_label("書いた文 1").input_value() == NOTE
    press(first, "もう一度送る")
    done(first, "局長の判断を求める")


def leave_elsewhere(page: Page) -> None:
    """The same person signs out in another tab."""
    other = page.context.new_page()
    other.goto("/inbox")
    press(other, "退出する")
    other.get_by_role("heading", level=1, name="ログイン").wait_for()
    other.close()
