"""The director's own initiative: his instruction, the officer's proposal, his decision, the staff's way, the workbook."""

from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Page

from tests.stories.hands import (
    PHONE,
    Visits,
    act,
    choose,
    done,
    named,
    open_act,
    open_case,
    press,
    told,
    until_shown,
    write_date,
)
from tests.stories.system import System
from workflow import reports, watch

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

TITLE = "三町を結ぶ自転車の道の下調べ"
INSTRUCTION = "ラウンドテーブルで出た三町の自転車の道について、秋のうちに下調べを行うこと。"


def test_from_the_instruction_to_the_workbook(system: System, visit: Visits, tmp_path: Path) -> None:
    the_officer_drafts_it(system, visit("bureau"))
    town = visit("municipality")
    town.get_by_role("link", name="案件", exact=True).click()
    assert TITLE not in told(town), "nobody outside knows before the decision"

    director = visit("director")
    open_case(director, TITLE)
    assert INSTRUCTION in told(director)
    act(director, "派遣を決定する")
    letter_is_addressed_to_the_town(director)
    town.reload()
    town.get_by_role("link", name=TITLE).click()
    town.get_by_role("link", name="派遣決定通知").wait_for()

    system.at("2026-11-09")
    assert watch.move(system.db) == 1
    system.at("2026-11-12")
    assert watch.move(system.db) == 1
    staff = visit("staff", width=PHONE)
    open_case(staff, TITLE)
    open_act(staff, "復命する")
    staff.get_by_label("分かったこと").fill("橋の手前だけ、道を分ける必要がある。")
    press(staff, "復命する")
    done(staff, "復命する")
    bureau = visit("bureau")
    open_case(bureau, TITLE)
    open_act(bureau, "結果を報告する")
    bureau.get_by_label("成果").fill("三町で道筋を確かめた。")
    press(bureau, "結果を報告する")
    done(bureau, "結果を報告する")
    the_workbook_counts_it(system, bureau, tmp_path / "year-end.xlsx")
    assert system.whole()


def the_officer_drafts_it(system: System, bureau: Page) -> None:
    bureau.get_by_role("link", name="案件を起こす").click()
    bureau.get_by_role("listitem").filter(has_text="振興局長の判断").get_by_role("link", name="書き始める").click()
    write_date(bureau, "指示を受けた日", "令和8", "10", "9")
    bureau.get_by_label("指示の内容").fill(INSTRUCTION)
    bureau.get_by_label("件名").fill(TITLE)
    bureau.get_by_label("派遣の目的").fill("三町が同じ地図で話し合えるようにする。")
    bureau.get_by_label("1つ目の業務の内容").fill("道筋の下調べ")
    bureau.get_by_role("radiogroup", name="1つ目の業務での役割").get_by_label("調査").check()
    choose(bureau, "どれに当たりますか", "ラウンドテーブル等で把握した課題の解決")
    choose(bureau, "市町村だけの事務", "含まない")
    write_date(bureau, "派遣の初めの日", "2026", "11", "9")
    write_date(bureau, "派遣の終わりの日", "2026", "11", "11")
    bureau.get_by_role("combobox", name="市町村").select_option(label="美瑛町")
    bureau.get_by_label("1行目 職員").select_option(label=f"{system.names['staff']}(商工労働観光課 主査)")
    bureau.get_by_label("1行目 派遣する日").fill("11/9-11")
    bureau.get_by_label("1行目 所属長の承諾").fill("10月14日 商工労働観光課長")
    press(bureau, "確認へ進む")
    bureau.get_by_role("heading", level=1, name="内容を確かめて、局長の判断を求める").wait_for()
    bureau.get_by_label("起案の理由").fill("三町の話合いの前に要る。")
    press(bureau, "局長の判断を求める")
    done(bureau, "局長の判断を求める")
    bureau.get_by_text("上川-R8-001").first.wait_for()
    assert "受付・検討 — いまここ" not in told(bureau)


def letter_is_addressed_to_the_town(page: Page) -> None:
    page.get_by_role("link", name="派遣決定通知").click()
    letter = told(page)
    for words in (
        "美瑛町長 様",
        "地域づくりを連携して進めるため",
        TITLE,
        "令和8年11月9日(月)から令和8年11月11日(水)まで",
    ):
        assert words in letter, words
    page.go_back()


def the_workbook_counts_it(system: System, bureau: Page, path: Path) -> None:
    bureau.get_by_role("link", name="報告", exact=True).click()
    press(bureau, "様式をつくる")
    assert "順番を待っています" in told(bureau)
    assert reports.compile_next(system.db)
    bureau.get_by_role("link", name="いまの様子を見る").click()
    with until_shown(bureau, "できました"), bureau.expect_download() as taken:
        bureau.get_by_role("button", name="受け取る").click()
    taken.value.save_as(path)
    book = openpyxl.load_workbook(path)
    assert [named(book, name) for name in ("count", "persons", "person_days")] == [1, 1, 3]
    head, *rows = book["データ"].iter_rows(values_only=True)
    (row,) = [dict(zip(head, row, strict=True)) for row in rows]
    assert row["区分"] == "振興局長の判断"
    assert row["対象業務区分コード"] == "director.round_table"
    assert row["派遣先市町村名"] == "美瑛町"
    assert row["派遣期間(自)"] == "2026-11-09"
    assert row["成果"] == "三町で道筋を確かめた。"
