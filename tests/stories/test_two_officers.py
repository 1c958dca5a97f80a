"""Two officers on one draft, and on one act: each sees the other's words, and what both changed is chosen by a person."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.factory import drive, opened
from tests.stories.hands import DESK, PHONE, Visits, done, press, told
from tests.stories.system import System

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

BY_ITSELF = "に自動で残しました"


def title_of(system: System, case_id: int) -> str:
    return str(system.value("SELECT title FROM cases WHERE id = %s", case_id))


def draft(system: System, title: str) -> int:
    with system.db.connection() as conn:
        return opened(conn, system.who, title=title)


def saved(page: Page, version: int) -> None:
    expect(page.locator("#save-line")).to_contain_text(f"{BY_ITSELF}(第{version}版)")


def notice(page: Page) -> str:
    place = page.locator("#save-notice .notice").first
    place.wait_for()
    return " ".join(place.inner_text().split())


def test_t10_two_officers_on_one_draft_see_the_conflict(system: System, visit: Visits) -> None:
    case_id = draft(system, "二人で書く要請")
    one, other = visit("municipality"), visit("municipality_colleague")
    for page in (one, other):
        page.goto(f"/cases/{case_id}/edit")
    one.get_by_label("困っていること").fill("一人目が書いた、いまの体制。")
    saved(one, 2)
    other.get_by_label("件名").fill("二人で書く要請(二人目が直した題)")
    saved(other, 3)
    assert "まちづくり推進課 係長 丘野（仮名）さん(" in notice(other)
    assert "が書き換えた所があります: 困っていること" in notice(other)
    # Both stay: whoever opens the page anew sees all of it.
    other.get_by_role("link", name="最新を開く").click()
    expect(other.get_by_label("困っていること")).to_have_value("一人目が書いた、いまの体制。")
    assert title_of(system, case_id) == "二人で書く要請(二人目が直した題)"

    # The same field on both pages: the later one keeps nothing of it, and says so at once.
    one.get_by_label("件名").fill("一人目の題")
    assert "畑中（仮名）さん(" in notice(one)
    assert "も同じ所を書き換えました: 件名" in notice(one)
    assert title_of(system, case_id) == "二人で書く要請(二人目が直した題)"
    press(one, "ちがいを見て選ぶ")
    one.get_by_role("heading", level=1, name="同じものが書き換えられていました").wait_for()
    for words in ("一人目の題", "二人目が直した題", "両方が書き換えました", "畑中（仮名）さん("):
        assert words in told(one), words
    press(one, "選んだとおりに残す")
    one.locator(".error-summary:focus").get_by_role("link", name="件名").click()
    assert one.evaluate("document.activeElement.name") == "take:request.title"
    one.get_by_role("group", name="件名").get_by_label("あなたの版").check()
    press(one, "選んだとおりに残す")
    expect(one.get_by_label("件名")).to_have_value("一人目の題")
    assert title_of(system, case_id) == "一人目の題"

    # Coming back to the page is enough to be told.
    other.bring_to_front()
    other.evaluate("window.dispatchEvent(new Event('focus'))")
    assert "丘野（仮名）さんが" in notice(other)
    assert "に書き足しました" in notice(other)


def test_two_tabs_of_one_person_without_script(system: System, visit: Visits) -> None:
    case_id = draft(system, "二つの画面の要請")
    first = visit("municipality", script=False)
    first.goto(f"/cases/{case_id}/edit")
    second = first.context.new_page()
    second.goto(f"/cases/{case_id}/edit")
    first.get_by_label("件名").fill("一つ目の画面の題")
    first.get_by_text("担当課と担当者").click()
    first.get_by_label("担当課").fill("企画財政課")
    press(first, "下書きに残して閉じる")
    first.get_by_text("書いた内容を残しました").wait_for()
    second.get_by_label("件名").fill("二つ目の画面の題")
    second.get_by_label("困っていること").fill("二つ目の画面の文。")
    press(second, "確認へ進む")
    assert "あなた(別の画面、" in told(second)
    assert second.get_by_role("group", name="担当課").get_by_label("残っている版").is_checked()
    second.get_by_role("group", name="件名").get_by_label("あなたの版").check()
    press(second, "選んだとおりに残す")
    second.get_by_role("heading", level=1, name="内容を確かめて、要請を提出する").wait_for()
    page = told(second)
    for words in ("二つ目の画面の題", "二つ目の画面の文。", "企画財政課"):
        assert words in page, words
    press(second, "要請を提出する")
    done(second, "要請を提出する")


def test_two_officers_in_one_act(system: System, visit: Visits) -> None:
    with system.db.connection() as conn:
        case_id = opened(conn, system.who, title="二人で補正する要請")
        drive(conn, system.who, case_id, "submit", "receive", "ask_correction")
    page = f"/cases/{case_id}/actions/resubmit"
    one, other = visit("municipality"), visit("municipality_colleague")
    for tab in (one, other):
        tab.goto(page)
    one.get_by_label("困っていること").fill("一人目が補正した文。")
    saved(one, 1)
    other.reload()
    assert "丘野（仮名）さんが残した第1版です" in told(other)
    expect(other.get_by_label("困っていること")).to_have_value("一人目が補正した文。")
    one.get_by_label("困っていること").fill("一人目が補正した文。続き。")
    saved(one, 2)
    other.get_by_label("件名").fill("二人で補正した要請")
    press(other, "補正して出し直す")  # with one field older than what is kept
    other.get_by_role("heading", level=1, name="同じものが書き換えられていました").wait_for()
    press(other, "選んだとおりに残す")
    expect(other.get_by_label("困っていること")).to_have_value("一人目が補正した文。続き。")
    press(other, "補正して出し直す")
    done(other, "補正して出し直す")
    one.get_by_label("困っていること").fill("出した後に気づいた文。")
    assert "いまは書き換えられません" in notice(one) or "もう書き換えられません" in notice(one)
    expect(one.get_by_label("困っていること")).to_have_value("出した後に気づいた文。")


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_the_difference_can_be_read_by_everybody(system: System, visit: Visits, width: int) -> None:
    case_id = draft(system, f"幅{width}の要請")
    one, other = visit("municipality"), visit("municipality_colleague", width=width)
    for page in (one, other):
        page.goto(f"/cases/{case_id}/edit")
    one.get_by_label("困っていること").fill("同じ文。" * 200 + "一人目の終わり。")
    one.get_by_label("件名").fill("一人目の題")
    saved(one, 2)
    other.get_by_label("困っていること").fill("同じ文。" * 200 + "二人目の終わり。")
    notice(other)
    assert violations(other) == []
    press(other, "ちがいを見て選ぶ")
    other.get_by_role("heading", level=1, name="同じものが書き換えられていました").wait_for()
    assert violations(other) == []
    assert other.evaluate("document.documentElement.scrollWidth") <= width
    assert "(同じ文" in told(other)


def violations(page: Page) -> list[tuple[str, list[str]]]:
    run = Axe().run(page, options={"resultTypes": ["violations"]}).response
    return [(v["id"], [n["target"] for n in v["nodes"]]) for v in run["violations"]]
