"""The 復命 on a phone: little to write, days as planned by a tick or otherwise, late ones chased, then the town's own word."""

import io
from datetime import date

import openpyxl
import pytest
from playwright.sync_api import Page

from tests.factory import drive, opened
from tests.stories.hands import PHONE, Visits, done, group, named, open_act, open_case, press, told
from tests.stories.system import System
from workflow import outbox, reports, watch

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

TITLE = "丘の農道の駐車の案内計画への助言"
FOUND = "展望地4か所で車の台数を数えた。止まる車の7割は10分以内に出ていく。"
SMALL = """() => [...document.querySelectorAll('main button, main .choice, main input[type=text], main textarea, main summary')]
  .filter(e => e.getClientRects().length && !e.classList.contains('visually-hidden'))
  .filter(e => e.getBoundingClientRect().height < 43.5 && e.tagName !== 'SUMMARY').map(e => e.outerHTML.slice(0, 90))"""


def test_two_reports_one_late_and_the_towns_evaluation(system: System, visit: Visits) -> None:
    with system.db.connection() as conn:
        case = opened(conn, system.who, title=TITLE, first=date(2026, 11, 9), place="丘の農道")
        drive(conn, system.who, case, "submit", "receive", "propose_team", "put_to_director", "approve")
    system.at("2026-11-12")
    assert watch.move(system.db) == 2
    the_first_is_filed_as_planned(visit("staff", width=PHONE))
    the_late_one_is_chased_inside_only(system, visit)
    the_second_is_filed_without_javascript(visit("staff_colleague", width=PHONE, script=False))
    bureau = visit("bureau")
    open_case(bureau, TITLE)
    open_act(bureau, "結果を報告する")
    assert bureau.get_by_label("残った課題").input_value() == "線引きが決まっていない。"
    bureau.get_by_label("成果").fill("台数の調べ方を町へ渡した。")
    press(bureau, "結果を報告する")
    done(bureau, "結果を報告する")
    the_town_says_what_it_thinks(visit("municipality", width=PHONE))
    bureau.reload()
    for words in ("市町村の評価", "4 役に立った", "また来てほしい。"):
        assert words in told(bureau), words
    the_workbook_counts_the_days_really_worked(system)
    assert system.whole()


def the_first_is_filed_as_planned(page: Page) -> None:
    open_case(page, TITLE)
    open_act(page, "復命する")
    shown = told(page)
    for words in ("上川-R8-001", "美瑛町", "丘の農道", "予定のとおり行った", "11/9-11(3日)", "いっしょに行った職員"):
        assert words in shown, words
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE
    assert page.evaluate(SMALL) == []
    assert page.get_by_label("予定のとおり行った").is_checked()
    assert page.locator("main textarea:visible, main input[type=text]:visible").count() <= 5
    page.get_by_label("分かったこと").fill(FOUND)
    page.get_by_label("課題").fill("線引きが決まっていない。")
    press(page, "復命する")
    done(page, "復命する")
    assert "復命 1人分 ・ まだ 1人" in told(page)
    assert "結果報告は、まだ書かれていません。" in told(page)


def the_late_one_is_chased_inside_only(system: System, visit: Visits) -> None:
    """Three business days after the date the bureau's desk hears of it, too; the town never."""
    system.at("2026-11-25")  # due on the 19th; the 23rd is a holiday
    assert watch.remind(system.db)
    with system.db.connection() as conn:
        conn.execute("UPDATE outbox SET next_at = now() WHERE done_at IS NULL")
    outbox.deliver(system.db)
    late = "SELECT array_agg(DISTINCT m.person_id) FROM message m WHERE m.subject LIKE '%%期限を過ぎています%%'"
    who = system.who
    assert set(system.value(late)) == {who.staff_colleague, who.bureau, who.bureau_colleague}
    bureau = visit("bureau")
    open_case(bureau, TITLE)
    assert "遅れています" in told(bureau)
    town = visit("municipality", width=PHONE)
    for address in ("/inbox", "/cases"):
        town.goto(address)
        assert not [word for word in ("過ぎ", "遅れ") if word in told(town) and "期限を過ぎた 0件" not in told(town)], (
            address
        )
    town.get_by_role("link", name=TITLE).first.click()
    town.get_by_role("heading", level=1, name=TITLE).wait_for()
    shown = told(town)
    assert not [word for word in ("過ぎた", "遅れ", "復命の期限", "結果報告の期限", "まだ 1人") if word in shown]


def the_second_is_filed_without_javascript(page: Page) -> None:
    open_case(page, TITLE)
    open_act(page, "復命する")
    page.get_by_label("予定と違う日がある").check()
    page.get_by_label("分かったこと").fill("畑の持ち主5人に話を聞いた。")
    press(page, "復命する")
    assert "実際に行った日を書いてください。" in told(page)
    assert page.get_by_label("分かったこと").input_value() == "畑の持ち主5人に話を聞いた。"
    assert page.get_by_label("予定と違う日がある").is_checked()
    page.get_by_label("実際に行った日(予定と違うときだけ)").fill("11/9、11/10午前")
    press(page, "復命する")
    done(page, "復命する")
    assert "まだ 0人" in told(page)


def the_town_says_what_it_thinks(page: Page) -> None:
    open_case(page, TITLE)
    open_act(page, "派遣を評価する")
    for words in ("ありがとうございました", "台数の調べ方を町へ渡した。", "行った職員 2人"):
        assert words in told(page), words
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE
    press(page, "派遣を評価する")
    page.get_by_text("「派遣を評価する」は、まだ行っていません").wait_for()
    group(page, "評価").get_by_label("役に立った", exact=True).check()
    page.get_by_label("よかったこと").fill("また来てほしい。")
    press(page, "派遣を評価する")
    done(page, "派遣を評価する")
    assert page.get_by_role("link", name="「派遣を評価する」の画面を開く").count() == 0  # once


def the_workbook_counts_the_days_really_worked(system: System) -> None:
    with system.db.connection() as conn:
        data, _ = reports.year_end(conn, "dispatch", "year-end", system.who.office, 2026)
    book = openpyxl.load_workbook(io.BytesIO(data))
    assert [named(book, name) for name in ("count", "persons", "person_days")] == [1, 2, 4.5]
