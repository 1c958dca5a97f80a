"""A published answer: it stands beside the form while somebody is on the telephone, a town finds it, and its correction reaches all."""

import pytest
from playwright.sync_api import expect

from tests import desk
from tests.stories.hands import PHONE, Visits, act, card, choose, done, open_case, press, told
from tests.stories.system import System

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

QUESTION, WRONG, RIGHT = "空き家を宿にできるか", "届出だけで足ります。", "用途の変更の確認が要ります。"
WHOM = "地域おこし協議会（架空）"


def test_it_is_offered_found_and_corrected_to_everybody_who_has_it(system: System, visit: Visits) -> None:
    with system.db.connection() as conn:
        case = desk.published(conn, system.who, QUESTION, WRONG)
    bureau, town = visit("bureau"), visit("municipality", width=PHONE)

    bureau.get_by_role("link", name="案件を起こす").click()
    bureau.get_by_role("listitem").filter(has_text="相談を受け付ける").get_by_role("link", name="書き始める").click()
    beside = bureau.get_by_role("region", name="公開されている似た答え")
    expect(beside).to_contain_text("まだ見つかりません")
    bureau.get_by_label("件名").fill("使わない空き家を宿に直したい")
    beside.get_by_text(QUESTION).click(timeout=15_000)
    expect(beside).to_contain_text(WRONG)
    expect(beside).to_contain_text("まで有効")

    town.goto("/published")
    town.get_by_label("探す言葉", exact=True).fill("空き家 宿")
    press(town, "探す")
    town.get_by_text(QUESTION).wait_for()
    assert town.evaluate("document.documentElement.scrollWidth") <= PHONE

    bureau.goto(f"/cases/{case}")
    handed = card(bureau, "渡した相手を記録する")
    handed.get_by_label("渡した相手").fill(WHOM)
    choose(handed, "渡した方法", "文書")
    press(handed, "渡した相手を記録する")
    done(bureau, "渡した相手を記録する")
    act(bureau, "訂正する", 誤っていたこと="届出だけと書いた。", 正しい答え=RIGHT)
    done(bureau, "訂正する")
    bureau.get_by_role("link", name="受信箱").first.click()
    assert "訂正を、渡した相手(1)に知らせる" in told(bureau)
    open_case(bureau, QUESTION)
    act(bureau, "訂正を知らせたことを記録する", どう知らせたか="電話で伝えた。")
    done(bureau, "訂正を知らせたことを記録する")

    town.goto(f"/cases/{case}")
    page = town.content()
    assert RIGHT in page
    assert WHOM not in page, "who else received it stays with the office"
    town.goto("/published?q=空き家")
    assert "訂正しています" in town.content()
    assert system.whole()
