"""A request that came on paper on a Friday is entered on the Tuesday after; the same comes by the screen; a box of others in a file.

Number, dates, deadline and letter cite the true day. What came twice is one case; what belongs elsewhere is passed on.
"""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Page

from tests import factory
from tests.stories.hands import (
    Visits,
    act,
    card,
    choose,
    done,
    group,
    open_act,
    open_case,
    press,
    told,
    until_shown,
    write_date,
)
from tests.stories.system import System
from workflow import outbox

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

TITLE = "丘の学校を生かす交流拠点の計画への助言"
CAME = "紙で到着 10月16日(金) ・ 代理入力"
SCAN = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"


def test_paper_entered_late_and_the_same_by_the_screen(system: System, visit: Visits) -> None:
    system.at("2026-10-20")  # a Tuesday
    bureau = visit("bureau")
    the_bureau_enters_what_came_on_friday(system, bureau)
    number = the_bureau_receives_it_with_the_true_day(system, bureau)
    the_town_did_not_know_and_sends_it_again(visit("municipality"), number)
    what_came_twice_is_closed_as_one(visit("bureau"), number)
    the_letter_cites_the_day_of_arrival(system, visit)
    assert system.whole()


def the_bureau_enters_what_came_on_friday(system: System, bureau: Page) -> None:
    bureau.get_by_role("link", name="案件を起こす").first.click()
    bureau.get_by_role("link", name="書き始める").first.click()
    bureau.get_by_role("heading", level=1, name="届いた要請を代わりに入れる").wait_for()
    bureau.get_by_label("要請した市町村").select_option(label="美瑛町")
    write_date(bureau, "実際に届いた日", "R8", "10", "16")
    choose(bureau, "届いた方法", "紙")
    bureau.get_by_label("件名").fill(TITLE)
    bureau.get_by_label("困っていること").fill("閉校した学校の使い方を、町だけでは決められない。")
    bureau.get_by_label("1つ目の業務の内容").fill("計画の骨子への助言")
    bureau.get_by_role("radiogroup", name="1つ目の業務での役割").get_by_label("助言").check()
    choose(bureau, "どれに当たりますか", "計画づくりへの参加・助言")
    choose(bureau, "市町村だけの事務", "含まない")
    write_date(bureau, "派遣の初めの日", "2026", "11", "16")
    write_date(bureau, "派遣の終わりの日", "2026", "11", "18")
    bureau.get_by_role("combobox", name="市町村", exact=True).select_option(label="美瑛町")
    press(bureau, "保存して、ファイルを添える")
    assert bureau.get_by_label("何のファイルか").input_value() == "原本の写し"
    choose(bureau, "だれが見るか", "市町村と共有する")
    scan: FilePayload = {"name": "要請書.pdf", "mimeType": "application/pdf", "buffer": SCAN}
    bureau.locator("input[type=file]").set_input_files(scan)
    press(bureau, "ファイルを添える")
    bureau.get_by_text("ファイルを添えました").wait_for()
    bureau.go_back()
    bureau.get_by_role("link", name="案件", exact=True).first.click()
    bureau.get_by_role("link", name=TITLE).first.click()
    bureau.get_by_role("link", name="書き続ける").click()
    press(bureau, "確認へ進む")
    press(bureau, "代理で受け付ける")
    done(bureau, "代理で受け付ける")
    assert f"{CAME} {system.names['bureau']}" in told(bureau)
    assert "原本の写し" in told(bureau)


def the_bureau_receives_it_with_the_true_day(system: System, bureau: Page) -> str:
    receive = card(bureau, "収受する")
    boxes = group(receive, "実際に届いた日")
    assert [boxes.get_by_label(name, exact=True).input_value() for name in "年月日"] == ["R8", "10", "16"]
    assert "10月30日(金)まで" in receive.inner_text(), "ten business days from the day of arrival"
    press(receive, "収受する")
    done(bureau, "収受する")
    page = told(bureau)
    number = str(system.value("SELECT number FROM cases WHERE title = %s", TITLE))
    assert re.fullmatch(r"上川-R8-\d{3}", number)
    for words in (number, "到達 令和8年10月16日", "市町村への回答期限 10月30日(金)"):
        assert words in page, words
    bureau.get_by_role("link", name="案件", exact=True).first.click()
    assert "紙で到着 10月16日(金)・代理入力" in told(bureau)
    return number


def the_town_did_not_know_and_sends_it_again(town: Page, number: str) -> None:
    town.get_by_role("link", name="派遣の要請を書く").click()
    town.get_by_label("件名").fill(TITLE)
    town.get_by_label("困っていること").fill("閉校した学校の使い方を、町だけでは決められない。")
    town.get_by_label("1つ目の業務の内容").fill("計画の骨子への助言")
    town.get_by_role("radiogroup", name="1つ目の業務での役割").get_by_label("助言").check()
    choose(town, "どれに当たりますか", "計画づくりへの参加・助言")
    choose(town, "市町村だけの事務", "含まない")
    write_date(town, "派遣の初めの日", "R8", "11", "16")
    write_date(town, "派遣の終わりの日", "R8", "11", "18")
    press(town, "確認へ進む")
    # The town is told, and sends it all the same.
    page = told(town)
    assert "よく似た要請が届いています" in page
    assert number in page
    assert "紙で到着 10月16日(金)" in page
    press(town, "要請を提出する")
    done(town, "要請を提出する")


def what_came_twice_is_closed_as_one(bureau: Page, number: str) -> None:
    bureau.get_by_role("link", name="受信箱").first.click()
    bureau.get_by_role("row").filter(has_text="収受する").get_by_role("link", name=TITLE).click()
    assert "件名が同じです。期間が同じです" in told(bureau)
    bureau.get_by_role("link", name="同じ要請として閉じる").first.click()
    closing = card(bureau, "同じ要請として閉じる")
    assert closing.get_by_role("radio").first.is_checked()
    press(closing, "同じ要請として閉じる")
    done(bureau, "同じ要請として閉じる")
    bureau.get_by_role("link", name=number).first.click()
    page = told(bureau)
    assert "重なって届いたもの" in page
    assert "画面で到着 10月20日(火)" in page


def the_letter_cites_the_day_of_arrival(system: System, visit: Visits) -> None:
    bureau = visit("bureau")
    open_case(bureau, TITLE)
    open_act(bureau, "隊の案をつくる")
    bureau.get_by_label("1行目 職員").first.select_option(index=1)
    bureau.get_by_label("1行目 派遣する日").first.fill("11/16-18")
    press(bureau, "隊の案をつくる")
    done(bureau, "隊の案をつくる")
    act(bureau, "局長の判断を求める", 起案の理由="町の計画づくりへの助言である。")
    director = visit("director")
    open_case(director, TITLE)
    decide = card(director, "派遣を決定する")
    press(decide, "派遣を決定する")
    done(director, "派遣を決定する")
    outbox.deliver(system.db)
    town = visit("municipality")
    open_case(town, TITLE)
    assert "代理入力 上川総合振興局" in told(town)
    assert system.names["bureau"] not in told(town)
    town.get_by_role("link", name="派遣決定通知").click()
    with until_shown(town, "号に綴じた文書"):
        assert "令和8年10月16日に紙で受け付けた要請について" in told(town)


def test_a_box_of_requests_in_a_file_and_one_for_another_bureau(system: System, visit: Visits, tmp_path: Path) -> None:
    system.at("2026-10-21")
    bureau = visit("bureau")
    path = tmp_path / "届いた要請.json"
    path.write_text(json.dumps(box(), ensure_ascii=False), encoding="utf-8")
    bureau.get_by_role("link", name="案件を起こす").first.click()
    bureau.get_by_role("link", name="ファイルを選ぶ").click()
    bureau.locator("input[type=file]").set_input_files(path)
    press(bureau, "読んで、1件ずつ確かめる")
    page = told(bureau)
    assert "3件のうち、取り込めるもの 2件、直すもの 1件です。" in page
    assert "2026年2月は28日まで" in page
    before = system.value("SELECT count(*) FROM cases")
    press(bureau, "よいものだけ取り込む(2件)")
    bureau.get_by_text("2件を取り込みました").wait_for()
    assert system.value("SELECT count(*) FROM cases") == before + 2
    bureau.get_by_role("row").filter(has_text="山の道しるべ").get_by_role("link").first.click()
    bureau.get_by_role("heading", level=1, name="山の道しるべの計画への助言").wait_for()
    assert f"メールで到着 10月19日(月) ・ 代理入力 {system.names['bureau']}" in told(bureau)

    passing = card(bureau, "転送する")
    passing.get_by_label("転送先の振興局").select_option(label="空知総合振興局")
    passing.get_by_label("転送の理由").fill("空知の団体と進める件のため。")
    press(passing, "転送する")
    bureau.get_by_text("転送済みの案件です").wait_for()
    page = told(bureau)
    assert "そのあとのことは、空知総合振興局に聞いてください" in page
    assert "できる操作" not in page
    with system.db.connection() as conn:
        there = factory.person(conn, "bureau", "hk-sorachi", name="空知の人（仮名）")
        case = system.value("SELECT id FROM cases WHERE title = '山の道しるべの計画への助言'")
        factory.drive(
            conn,
            system.who,
            case,
            ("ask_correction", {"by": there, "inputs": {"reason": "道しるべの数を書いてください。"}}),
        )
    bureau.reload()
    assert "道しるべの数" not in told(bureau)
    bureau.get_by_role("link", name="案件", exact=True).first.click()
    assert "転送済み" in bureau.get_by_role("row").filter(has_text="山の道しるべ").inner_text()
    assert system.whole()


def box() -> list[dict[str, object]]:
    """Three requests as somebody typed them from paper and mail; one has a day that does not exist."""
    sound: dict[str, object] = {
        "office_code": factory.OFFICE, "initiative": "municipality_request", "received_on": "R8.10.19", "channel": "mail",
        "requester": {"municipality_code": factory.MUNICIPALITY}, "title": "山の道しるべの計画への助言", "purpose": "付け替える順を決めたい。",
        "destination": {"type": "municipality", "municipality_code": factory.MUNICIPALITY}, "work_category": "request.plan",
        "tasks": ["助言"], "task_roles": ["advice"], "period": {"from": "R8.12.7", "to": "R8.12.11"},
        "staff": [{"role": "主査", "days": "12/7-9"}], "concurrent_appointment": {"needed": False, "municipal_own_affairs": False},
    }  # fmt: skip
    other = {
        "title": "川の見守りの計画への助言",
        "period": {"from": "R9.1.12", "to": "R9.1.15"},
        "staff": [{"role": "主任", "days": "1/12"}],
    }
    bad = {
        "title": "橋の計画への助言",
        "period": {"from": "2026-02-20", "to": "2026-02-30"},
        "received_on": "2026-02-02",
    }
    return [
        {"id": "郵-1", "input": sound},
        {"id": "郵-2", "input": sound | other},
        {"id": "郵-3", "input": sound | bad},
    ]
