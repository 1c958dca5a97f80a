"""A round table from its plan to the letter to the region; one opinion leads to a dispatch that the year-end workbook counts."""

from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Page

from tests.stories.hands import (
    Visits,
    act,
    card,
    choose,
    done,
    look_up,
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

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

MEETING = "びえいラウンドテーブルミーティング"
VOICE = "畑の道に車が停まり収穫に困る"
SPOT = "講習の日程を知りたい"
SPOKEN = "丘上太郎（仮名）"
RESULT = "停まりやすい六か所を確かめた。"
ANSWER = "畑の道の六か所に案内を置くことにしました。"


def test_from_the_plan_to_the_letter_and_the_workbook(system: System, visit: Visits, tmp_path: Path) -> None:
    bureau, director = visit("bureau"), visit("director")
    planned(system, bureau)
    decided(director, "開催を決定する")
    the_region_is_invited(bureau)
    held(bureau)
    reported(bureau)
    decided(director, "報告を確定する")
    handled(bureau)
    dispatched(system, bureau, director)
    system.at("2026-11-09")
    assert watch.move(system.db) == 1
    system.at("2026-11-12")
    assert watch.move(system.db) == 1
    bureau = visit("bureau")
    came_back(visit("staff"), bureau)
    answered(bureau)
    the_letter_drafts_itself(bureau, visit("municipality"))
    the_workbook_counts_the_dispatch(system, bureau, tmp_path / "year-end.xlsx")
    assert system.whole()


def planned(system: System, page: Page) -> None:
    page.get_by_role("link", name="案件を起こす").click()
    way = page.get_by_role("listitem").filter(has_text="ラウンドテーブルミーティングを計画する")
    way.get_by_role("link", name="書き始める").click()
    page.get_by_label("名前").first.fill(MEETING)
    choose(page, "対象の市町村", "美瑛町")
    page.get_by_label("テーマ").fill("農道と観光")
    choose(page, "実施形態", "座談会・円卓会議")
    write_date(page, "開く日", "令和8", "10", "14")
    page.get_by_label("場所", exact=False).and_(page.get_by_role("textbox")).first.fill("美瑛町内の集会所")
    choose(page, "場所の種類", "近隣の公共施設")
    choose(page, "選挙の時期との重なり", "重ならない")
    page.get_by_label("1行目 職", exact=True).fill("局長")
    page.get_by_label("1行目 職の区分").select_option(label="振興局長")
    page.get_by_role("textbox", name="1行目 肩書・属性").fill("農業者A")
    page.get_by_label("1行目 区分").select_option(label="地域のキーパーソン")
    page.get_by_label("氏名", exact=True).fill(SPOKEN)
    press(page, "確認へ進む")
    press(page, "計画に載せる")
    done(page, "計画に載せる")
    page.get_by_text("上川-円卓-R8-001").first.wait_for()
    open_act(page, "開催の決裁を求める")
    press(page, "開催の決裁を求める")
    done(page, "開催の決裁を求める")


def decided(page: Page, label: str) -> None:
    open_case(page, MEETING)
    press(card(page, label), label)
    done(page, label)


def the_region_is_invited(page: Page) -> None:
    open_case(page, MEETING)
    open_act(page, "案内を送る")
    press(page, "案内を送る")
    done(page, "案内を送る")
    page.get_by_role("link", name="案内状").click()
    for words in ("農道と観光", "美瑛町内の集会所", "令和8年10月14日"):
        assert words in told(page), words
    page.go_back()


def held(page: Page) -> None:
    """Who was there is ticked; what was said is written down row by row."""
    open_act(page, "開催を記録する")
    for side in ("道側の出席者", "地域側の出席者"):
        page.get_by_role("region", name=side).get_by_label("1行目 当日いた").check()
    noted(page, 1, "課題", VOICE)
    press(page, "意見を足す", stays=True)
    noted(page, 2, "要望", SPOT, answer="日程をその場でお伝えしました。")
    press(page, "開催を記録する")
    done(page, "開催を記録する")


def noted(page: Page, number: int, kind: str, summary: str, answer: str = "") -> None:
    row = page.get_by_role("region", name="出された意見").get_by_role("group", name=f"{number}行目")
    choose(row, "種類", kind)
    row.get_by_label("意見の要旨").fill(summary)
    row.get_by_label("その場での答え").fill(answer)
    if not row.get_by_label("発言した人").is_visible():  # a new row is folded as the one before it
        row.get_by_text("ほかの欄").click()
    row.get_by_label("発言した人").fill(SPOKEN)


def reported(page: Page) -> None:
    """Whoever did not agree to be named is refused by name, and what was written stays."""
    open_act(page, "報告の確認を求める")
    summary = page.get_by_label("意見交換の概要")
    summary.fill(f"{SPOKEN}から、畑の道の話があった。")
    page.get_by_label("名前を伏せたことを確かめた").check()
    press(page, "報告の確認を求める")
    assert "名前を出す同意のない人の名前があります" in told(page)
    summary.fill("農業者から、畑の道の話があった。")
    press(page, "報告の確認を求める")
    done(page, "報告の確認を求める")


def handled(page: Page) -> None:
    """One opinion ended on the spot; the other is to be met by a dispatch."""
    open_case(page, SPOT)
    open_act(page, "取扱いを決める")
    way(page, "その場で完結")
    press(page, "取扱いを決める")
    done(page, "取扱いを決める")
    open_case(page, VOICE)
    open_act(page, "取扱いを決める")
    way(page, "飛び出し隊")
    write_date(page, "いつまで", "令和8", "11", "30")
    press(page, "取扱いを決める")
    done(page, "取扱いを決める")


def way(page: Page, label: str) -> None:
    page.get_by_label("取扱い", exact=False).and_(page.get_by_role("combobox")).select_option(label=label)


def dispatched(system: System, bureau: Page, director: Page) -> None:
    """「飛び出し隊を編成する」 opens a draft that knows the place, the ground and the voice it came of."""
    press(card(bureau, "飛び出し隊を編成する"), "飛び出し隊を編成する")
    assert bureau.get_by_label("件名").input_value() == VOICE
    assert bureau.get_by_role("combobox", name="市町村").locator("option:checked").inner_text() == "美瑛町"
    write_date(bureau, "指示を受けた日", "令和8", "10", "14")
    bureau.get_by_label("指示の内容").fill("会で聞いた畑の道を、秋のうちに下調べすること。")
    bureau.get_by_label("1つ目の業務の内容").fill("停まりやすい場所の下調べ")
    bureau.get_by_role("radiogroup", name="1つ目の業務での役割").get_by_label("調査").check()
    choose(bureau, "市町村だけの事務", "含まない")
    write_date(bureau, "派遣の初めの日", "2026", "11", "9")
    write_date(bureau, "派遣の終わりの日", "2026", "11", "11")
    bureau.get_by_label("1行目 職員").select_option(label=f"{system.names['staff']}(商工労働観光課 主査)")
    bureau.get_by_label("1行目 派遣する日").fill("11/9-11")
    bureau.get_by_label("1行目 所属長の承諾").fill("10月14日 商工労働観光課長")
    press(bureau, "確認へ進む")
    bureau.get_by_label("起案の理由").fill("会で約束した下調べである。")
    press(bureau, "局長の判断を求める")
    done(bureau, "局長の判断を求める")
    open_case(director, VOICE)
    act(director, "派遣を決定する")


def came_back(staff: Page, bureau: Page) -> None:
    open_case(staff, VOICE)
    open_act(staff, "復命する")
    staff.get_by_label("分かったこと").fill("停まるのは六か所である。")
    press(staff, "復命する")
    done(staff, "復命する")
    bureau.goto("/inbox")
    bureau.get_by_role("link", name=VOICE, exact=True).first.click()
    open_act(bureau, "結果を報告する")
    bureau.get_by_label("成果").fill(RESULT)
    press(bureau, "結果を報告する")
    done(bureau, "結果を報告する")


def answered(page: Page) -> None:
    """The opinion shows what came of it, and is answered in the words for the region."""
    open_case(page, f"意見: {VOICE}")
    thread = page.get_by_role("region", name="経緯").inner_text()
    for words in (MEETING, "上川-R8-001"):
        assert words in thread, words
    act(page, "対応の結果を書く", したこと=RESULT)
    open_act(page, "回答をまとめる")
    assert page.get_by_label("地域に知らせる言葉").input_value() == RESULT
    choose(page, "反映の区分", "A 趣旨に沿って措置した")
    page.get_by_label("地域に知らせる言葉").fill(ANSWER)
    press(page, "回答をまとめる")
    done(page, "回答をまとめる")


def the_letter_drafts_itself(bureau: Page, town: Page) -> None:
    open_case(bureau, MEETING)
    open_act(bureau, "地域に回答する")
    letter = bureau.get_by_label("地域に知らせる内容").input_value()
    for words in (ANSWER, "日程をその場でお伝えしました。"):
        assert words in letter, words
    press(bureau, "地域に回答する")
    done(bureau, "地域に回答する")
    press(card(bureau, "完了にする"), "完了にする")
    done(bureau, "完了にする")
    look_up(town, MEETING)
    assert ANSWER in told(town)
    assert SPOKEN not in town.content()


def the_workbook_counts_the_dispatch(system: System, bureau: Page, path: Path) -> None:
    bureau.get_by_role("link", name="報告", exact=True).click()
    press(bureau, "様式をつくる")
    assert reports.compile_next(system.db)
    bureau.get_by_role("link", name="いまの様子を見る").click()
    with until_shown(bureau, "できました"), bureau.expect_download() as taken:
        bureau.get_by_role("button", name="受け取る").click()
    taken.value.save_as(path)
    book = openpyxl.load_workbook(path)
    assert [named(book, name) for name in ("count", "persons", "person_days")] == [1, 1, 3]
    head, *rows = book["データ"].iter_rows(values_only=True)
    (row,) = [dict(zip(head, row, strict=True)) for row in rows]
    assert row["対象業務区分コード"] == "director.round_table"
    assert row["派遣先市町村名"] == "美瑛町"
    assert row["成果"] == RESULT
