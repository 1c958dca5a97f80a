"""A town asks, the bureau examines, the director decides, the staff go and report, and the workbook compiles itself."""

from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Page

from tests.stories.hands import (
    PHONE,
    Visits,
    card,
    choose,
    done,
    group,
    named,
    named_rows,
    open_act,
    open_case,
    press,
    told,
    until_shown,
    write_date,
)
from tests.stories.system import System, until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

TITLE = "丘の畑と観光の両立に向けた計画づくりへの助言"
NOTE = "町の計画づくりへの助言で、対象業務に当たる。観光と農務から1名ずつとした。"
WHY_LONG = "聞き取りを続けて行うため、途中で人を替えると初めからになる。"


def test_from_the_draft_to_the_workbook(system: System, tasks: Path, visit: Visits, tmp_path: Path) -> None:
    the_town_writes_its_request(visit("municipality"))
    the_bureau_receives_it_and_proposes_a_team(system, visit("bureau"))
    all_is_told(system)  # done work reminds nobody, so the director is not to be faster than the mail
    the_director_decides_on_one_page(visit("director"))
    the_town_reads_the_letter_and_nothing_from_inside(visit("municipality"))
    mails_have_come(system, visit)

    system.at("2026-11-09")
    system.tick()
    until(lambda: state(system) == "dispatched", lambda: tasks.read_text(errors="replace"), 90)
    bureau = visit("bureau")
    open_from_list(bureau)
    assert "派遣を始める" in told(bureau)

    system.at("2026-11-24")
    system.tick()
    until(lambda: state(system) == "awaiting_report", lambda: tasks.read_text(errors="replace"), 90)
    for person in ("staff", "staff_colleague"):
        report_on_the_phone(visit(person, width=PHONE))
    bureau = visit("bureau")
    the_result_is_filed(bureau)
    book = the_workbook_is_compiled(bureau, tmp_path)
    the_cells_say_what_happened(book, system)
    assert system.whole()


def the_town_writes_its_request(town: Page) -> None:
    town.get_by_role("link", name="派遣の要請を書く").click()
    town.get_by_label("件名").fill(TITLE)
    town.get_by_label("困っていること").fill("畑に入り込む人が増え、農家と観光業の話合いが進まない。")
    town.get_by_label("1つ目の業務の内容").fill("立入りの起きやすい場所の整理")
    town.get_by_role("radiogroup", name="1つ目の業務での役割").get_by_label("調査").check()
    press(town, "業務の行を足す")
    town.get_by_label("2つ目の業務の内容").fill("話合いの進め方への助言")
    town.get_by_role("radiogroup", name="2つ目の業務での役割").get_by_label("助言").check()
    choose(town, "どれに当たりますか", "計画づくりへの参加・助言")
    choose(town, "市町村だけの事務", "含まない")
    write_date(town, "派遣の初めの日", "令和８", "１１", "９")
    write_date(town, "派遣の終わりの日", "R8", "１１", "20")
    press(town, "保存して、いまの内容で照らす")
    assert group(town, "派遣の初めの日").get_by_label("年", exact=True).input_value() == "令和８"
    group(town, "派遣の初めの日").get_by_text("令和8年11月9日(月) ・ 2026年").wait_for()
    group(town, "派遣の終わりの日").get_by_text("令和8年11月20日(金) ・ 2026年 ・ 初めの日から12日間").wait_for()
    press(town, "確認へ進む")
    town.get_by_role("heading", level=1, name="内容を確かめて、要請を提出する").wait_for()
    assert "まだ届いていません" in told(town)
    press(town, "要請を提出する")
    done(town, "要請を提出する")
    assert "いまの手番は上川総合振興局です" in told(town)


def the_bureau_receives_it_and_proposes_a_team(system: System, bureau: Page) -> None:
    open_case(bureau, TITLE)
    receive = card(bureau, "収受する")
    write_date(receive, "実際に届いた日", "R8", "10", "13")
    press(receive, "収受する")
    done(bureau, "収受する")
    bureau.get_by_text("上川-R8-001").first.wait_for()
    bureau.get_by_text("到達 令和8年10月13日").wait_for()

    open_act(bureau, "隊の案をつくる")
    bureau.get_by_label("1行目 職員").select_option(label=f"{system.names['staff']}(商工労働観光課 主査)")
    bureau.get_by_label("1行目 派遣する日").fill("１１/９－２０")
    bureau.get_by_label("1行目を隊長にする").check()
    press(bureau, "職員の行を足す")
    bureau.get_by_label("2行目 職員").select_option(label=f"{system.names['staff_colleague']}(農務課 主任)")
    bureau.get_by_label("2行目 派遣する日").fill("11/9-11")
    for row in (1, 2):
        bureau.get_by_label(f"{row}行目 所属長の承諾").fill("10月15日 課長")
    press(bureau, "保存して、いまの内容で照らす")
    assert "12日になり、1人1週間以内程度を超えます" in told(bureau)
    press(bureau, "隊の案をつくる")
    done(bureau, "隊の案をつくる")

    ask = card(bureau, "局長の判断を求める")
    ask.get_by_label("起案の理由").fill(NOTE)
    press(ask, "局長の判断を求める")
    bureau.get_by_text("「局長の判断を求める」は、まだ行っていません").wait_for()
    ask = card(bureau, "局長の判断を求める")
    assert ask.get_by_label("起案の理由").input_value() == NOTE
    ask.get_by_label("注意 D-08 を認めてもらうための理由").fill(WHY_LONG)
    press(ask, "局長の判断を求める")
    done(bureau, "局長の判断を求める")


def the_director_decides_on_one_page(director: Page) -> None:
    assert "注意 1" in told(director)
    open_case(director, TITLE)
    page = told(director)
    for words in (
        "あなたの番です",
        "12日になり、1人1週間以内程度を超えます",
        NOTE,
        "延べ 15人日",
        "要領2(4) 1業務1か月以内 D-07",
    ):
        assert words in page, words
    director.get_by_text("起案者の理由を読む").click()
    assert WHY_LONG in told(director)
    decide = card(director, "派遣を決定する")
    for words in ("「派遣準備」", "派遣決定通知", "美瑛町"):
        assert words in decide.inner_text(), words
    choose(decide, "注意 D-08 を認める理由", "起案者の理由を認める")
    press(decide, "派遣を決定する")
    done(director, "派遣を決定する")
    director.get_by_role("link", name="派遣決定通知").click()
    with until_shown(director, "号に綴じた文書"):
        letter = told(director)
    for words in (
        "令和8年10月14日",
        "美瑛町長 様",
        "北海道上川総合振興局長",
        TITLE,
        "令和8年11月9日(月)から令和8年11月20日(金)まで",
    ):
        assert words in letter, words


def the_town_reads_the_letter_and_nothing_from_inside(town: Page) -> None:
    open_case(town, TITLE)
    town.get_by_role("link", name="派遣決定通知").click()
    assert "記録の控え" in told(town)
    town.go_back()
    whole = town.content()
    for words in (NOTE, WHY_LONG, "起案", "D-08", "規則との照合"):
        assert words not in whole, words


def all_is_told(system: System) -> None:
    until(lambda: system.value("SELECT count(*) FROM outbox WHERE done_at IS NULL") == 0)


def mails_have_come(system: System, visit: Visits) -> None:
    all_is_told(system)
    town = visit("municipality")
    town.get_by_role("link", name="届いたメール").click()
    assert "上川-R8-001" in told(town)
    town.get_by_role("link", name="この案件を開く").first.click()
    town.get_by_role("heading", level=1, name=TITLE).wait_for()
    director = visit("director")
    director.get_by_role("link", name="届いたメール").click()
    assert "[派遣を判断する] 上川-R8-001 美瑛町" in told(director)
    assert TITLE not in told(director)


def report_on_the_phone(staff: Page) -> None:
    open_case(staff, TITLE)
    staff.get_by_role("link", name="できる操作へ進む").click()
    open_act(staff, "復命する")
    staff.get_by_label("分かったこと").fill("畑の入口は6か所に絞れる。所有者は話合いに前向きだった。")
    staff.get_by_label("課題").fill("冬の間の連絡先が決まっていない。")
    assert staff.evaluate("document.documentElement.scrollWidth") <= PHONE
    press(staff, "復命する")
    done(staff, "復命する")
    assert NOTE not in staff.content()


def the_result_is_filed(bureau: Page) -> None:
    open_case(bureau, TITLE)
    open_act(bureau, "結果を報告する")
    bureau.get_by_label("成果").fill("立入りを減らす計画の骨子ができた。")
    bureau.get_by_label("今後の支援").fill("=春に一度、進みぐあいを聞く。")
    press(bureau, "結果を報告する")
    done(bureau, "結果を報告する")
    assert "この案件は終わりました" in told(bureau)


def the_workbook_is_compiled(bureau: Page, folder: Path) -> Path:
    bureau.get_by_role("link", name="報告", exact=True).click()
    assert "延べ人日 15人日" in told(bureau)
    press(bureau, "様式をつくる")
    bureau.get_by_role("heading", name="様式をつくる").wait_for()
    with until_shown(bureau, "できました"), bureau.expect_download() as taken:
        bureau.get_by_role("button", name="受け取る").click()
    path = folder / "year-end.xlsx"
    taken.value.save_as(path)
    assert taken.value.suggested_filename.endswith(".xlsx")
    return path


def the_cells_say_what_happened(path: Path, system: System) -> None:
    book = openpyxl.load_workbook(path)
    counts = {name: named(book, name) for name in ("count", "count_continued", "persons", "person_days")}
    assert counts == {"count": 1, "count_continued": 0, "persons": 2, "person_days": 15}
    lines = named_rows(book, "lines")
    assert len(lines) == 1
    line = " ".join(str(value) for value in lines[0])
    for words in (
        "上川-R8-001", "美瑛町", TITLE, "令和8年11月9日から", "令和8年11月20日まで", system.names["staff"],
        "【成果】立入りを減らす計画の骨子ができた。", "【今後】=春に一度、進みぐあいを聞く。",
    ):  # fmt: skip
        assert words in line, words
    head, *rows = book["データ"].iter_rows(values_only=True)
    data = [dict(zip(head, row, strict=True)) for row in rows]
    assert [row["延べ人日[人日]"] for row in data] == [12, 3]
    assert {row["復命の提出"] for row in data} == {row["結果報告の提出"] for row in data} == {"済"}
    assert {
        cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row if "春に" in str(cell.value)
    } == {"s"}


def open_from_list(page: Page) -> None:
    page.get_by_role("link", name="案件", exact=True).click()
    page.get_by_role("link", name=TITLE).click()


def state(system: System) -> str:
    return str(system.value("SELECT state FROM cases WHERE title = %s", TITLE))
