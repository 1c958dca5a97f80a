"""The line goes, the session ends, the window closes: the text stays where it was written, and goes on from there."""

import pytest
from playwright.sync_api import Page, expect

from tests.factory import drive, opened
from tests.stories.hands import PHONE, Visits, card, choose, done, group, press, sign_in, told, write_date
from tests.stories.system import System, until
from tests.stories.test_two_officers import violations

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

NEW = "/cases/new?process=dispatch&origin=municipality_request"
LONG = "".join(f"{n}行目。担当は1名で、冬の停電を想定した避難の手順がない。\n" for n in range(350))
AWAY = "つながらないため、まだ残せていません。書いた内容はこの画面にあります。"


def line(page: Page, words: str) -> None:
    expect(page.locator("#save-line")).to_contain_text(words, timeout=40_000)


def notice(page: Page, words: str) -> None:
    expect(page.locator("form [role=status]").first).to_contain_text(words, timeout=20_000)


def purpose(system: System, title: str) -> str:
    return str(system.value("SELECT form #>> '{request,purpose}' FROM cases WHERE title = %s", title))


def drafts(system: System, title: str) -> int:
    found: int = system.value("SELECT count(*) FROM cases WHERE title LIKE %s", f"{title}%")
    return found


def test_a_line_lost_in_the_middle_of_a_new_request(system: System, visit: Visits) -> None:
    assert len(LONG) > 11_000
    town = visit("municipality")
    town.goto(NEW)
    line(town, "書くと、数秒で自動で残ります")
    town.get_by_label("件名").fill("線の切れた要請")
    line(town, "に自動で残しました(第1版)")
    assert "/edit" in town.url, "the page has become the draft's"
    group(town, "派遣の初めの日")
    write_date(town, "派遣の初めの日", "R8", "11", "9")
    expect(town.locator("#request-period-from-echo")).to_have_text("令和8年11月9日(月) ・ 2026年")
    expect(town.locator("#live-left")).to_contain_text("12月8日(火)までです")
    write_date(town, "派遣の終わりの日", "2026", "12", "10")
    expect(town.locator("#live-count")).to_contain_text("支障")
    town.context.set_offline(True)
    town.get_by_label("困っていること").fill(LONG)
    notice(town, AWAY)
    press(town, "確認へ進む", stays=True)
    notice(town, "まだ送っていません")
    assert town.get_by_label("困っていること").input_value() == LONG
    assert warned_of(town)
    town.context.set_offline(False)
    until(lambda: purpose(system, "線の切れた要請") == LONG)
    expect(town.locator("#save-notice .notice")).to_have_count(0)
    assert drafts(system, "線の切れた要請") == 1
    until(lambda: not warned_of(town))
    town.reload()
    assert town.get_by_label("困っていること").input_value() == LONG


def test_an_answer_that_never_came_makes_no_second_draft(system: System, visit: Visits) -> None:
    town = visit("municipality")
    town.goto(NEW)
    lost: list[str] = []

    def swallow(route: object) -> None:
        """The server gets it; the browser never hears."""
        if lost:
            route.continue_()  # type: ignore[attr-defined]
            return
        lost.append(route.fetch().text())  # type: ignore[attr-defined]
        route.abort()  # type: ignore[attr-defined]

    town.route("**/autosave*", swallow)
    town.get_by_label("件名").fill("答えの来ない要請")
    notice(town, AWAY)
    town.get_by_label("件名").fill("答えの来ない要請、続き")
    line(town, "に自動で残しました(第2版)")
    assert drafts(system, "答えの来ない要請") == 1
    assert town.locator("#save-notice .notice").count() == 0, "one's own words are no clash"


def test_leaving_at_once_loses_nothing(system: System, visit: Visits) -> None:
    town = visit("municipality")
    with system.db.connection() as conn:
        case_id = opened(conn, system.who, title="すぐ離れる要請")
    town.goto(f"/cases/{case_id}/edit")
    town.get_by_label("困っていること").fill("書いてすぐ、別の画面へ。")
    town.goto("/inbox")
    town.goto(f"/cases/{case_id}/edit")
    expect(town.get_by_label("困っていること")).to_have_value("書いてすぐ、別の画面へ。")
    town.get_by_label("件名").fill("すぐ離れる要請、戻って")
    town.go_back()
    town.go_forward()
    expect(town.get_by_label("件名")).to_have_value("すぐ離れる要請、戻って")


def test_the_session_ends_while_somebody_writes(system: System, visit: Visits) -> None:
    town = visit("municipality")
    with system.db.connection() as conn:
        case_id = opened(conn, system.who, title="途中で切れた要請")
    town.goto(f"/cases/{case_id}/edit")
    leave(town)
    town.get_by_label("困っていること").fill(LONG)
    notice(town, "ログインが切れたため、まだ残せていません。")
    assert violations(town) == []
    # Somebody else signs in at the same browser: nothing of it is kept, and nothing is shown.
    with town.context.expect_page() as opening:
        town.get_by_role("link", name="別の画面でログインする").click()
    other = opening.value
    sign_in(other, "municipality_colleague")
    other.get_by_role("heading", level=1, name="受信箱").wait_for()
    town.bring_to_front()
    town.evaluate("window.dispatchEvent(new Event('focus'))")
    notice(town, "いまは別の方がログインしています。")
    assert purpose(system, "途中で切れた要請") != LONG
    leave(town)
    other.goto("/login?next=/inbox")
    sign_in(other, "municipality")
    other.get_by_role("heading", level=1, name="受信箱").wait_for()
    town.evaluate("window.dispatchEvent(new Event('focus'))")
    line(town, "に自動で残しました(第2版)")
    assert purpose(system, "途中で切れた要請") == LONG
    press(town, "下書きに残して閉じる")  # with the new token
    town.get_by_text("書いた内容を残しました").wait_for()


@pytest.mark.parametrize("width", [1280, PHONE])
def test_without_script_the_text_waits_behind_the_sign_in(system: System, visit: Visits, width: int) -> None:
    title = f"脚本のない要請{width}"
    with system.db.connection() as conn:
        case_id = opened(conn, system.who, title=title)
    town = visit("municipality", script=False, width=width)
    town.goto(f"/cases/{case_id}/edit")
    leave(town)
    town.get_by_label("困っていること").fill(LONG)
    press(town, "下書きに残して閉じる")
    town.get_by_text("書いた内容は、この画面で預かっています").wait_for()
    assert town.evaluate("document.documentElement.scrollWidth") <= width
    sign_in(town, "municipality")
    town.get_by_role("heading", level=1, name="送りかけの内容が残っています").wait_for()
    assert town.get_by_label("書いた文").nth(0).count()
    assert LONG in [box.input_value() for box in town.get_by_label("書いた文").all()]
    assert town.evaluate("document.documentElement.scrollWidth") <= width
    press(town, "もう一度送る")
    town.get_by_text("書いた内容を残しました").wait_for()
    assert purpose(system, title) == LONG


def test_a_reason_on_a_card_outlives_the_line(system: System, visit: Visits) -> None:
    title = "線の切れた判断"
    with system.db.connection() as conn:
        case_id = opened(conn, system.who, title=title)
        drive(conn, system.who, case_id, "submit", "receive", "propose_team")
    bureau = visit("bureau")
    bureau.goto(f"/cases/{case_id}")
    asked = card(bureau, "局長の判断を求める")
    asked.get_by_label("起案の理由").fill("助言の要請で、職員2名で対応できる。")
    bureau.context.set_offline(True)
    press(asked, "局長の判断を求める", stays=True)
    expect(asked.get_by_role("status")).to_contain_text("まだ送っていません")
    expect(asked.get_by_label("起案の理由")).to_have_value("助言の要請で、職員2名で対応できる。")
    bureau.context.set_offline(False)
    press(asked, "局長の判断を求める")
    done(bureau, "局長の判断を求める")


def test_an_earlier_request_is_copied_on_the_phone(system: System, visit: Visits) -> None:
    with system.db.connection() as conn:
        source = opened(conn, system.who, title="昨年度の要請")
        drive(conn, system.who, source, "submit", "receive")
    town = visit("municipality", width=PHONE)
    town.goto(NEW)
    town.get_by_role("link", name="前の要請を写す").click()
    assert violations(town) == []
    choose(town, "どれを写しますか", "昨年度の要請")
    town.get_by_label("前の案件の続きとして出す").check()
    press(town, "写して書き始める")
    page = told(town)
    for words in ("「昨年度の要請」", "を写しました", "写していないもの", "派遣の期間"):
        assert words in page, words
    expect(town.get_by_label("件名")).to_have_value("昨年度の要請")
    assert group(town, "派遣の初めの日").get_by_label("年", exact=True).input_value() == ""
    assert violations(town) == []


def warned_of(page: Page) -> bool:
    """Whether the browser would ask before it leaves the page."""
    asked: bool = page.evaluate(
        "() => { const e = new Event('beforeunload', {cancelable: true}); dispatchEvent(e); return e.defaultPrevented }"
    )
    return asked


def leave(page: Page) -> None:
    """The same person signs out in another tab."""
    other = page.context.new_page()
    other.goto("/inbox")
    press(other, "退出する")
    other.get_by_role("heading", level=1, name="ログイン").wait_for()
    other.close()
