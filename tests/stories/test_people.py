"""People's days: absences and skills entered, a team put together on the board, two officers who want one person at once."""

from datetime import date

import pytest
from playwright.sync_api import Locator, Page

from tests import factory
from tests.stories.hands import PHONE, Visits, done, open_act, open_case, press, told, write_date
from tests.stories.system import System

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

FIRST = date(2026, 11, 9)  # a Monday
PLAN, WALK = "避難計画の見直しへの助言", "商店街の歩き方の調べ"


@pytest.fixture(scope="module")
def requests(system: System) -> dict[str, int]:
    """Two requests that have been received, for the same week; one wishes for somebody who knows disaster planning."""
    wish = {"skill": "防災", "headcount": "1", "days": "11/9-10"}
    with system.db.connection() as conn:
        found = {
            title: factory.opened(conn, system.who, first=FIRST, days=7, title=title, wishes=wishes)
            for title, wishes in ((PLAN, [wish]), (WALK, []))
        }
        for case in found.values():
            factory.drive(conn, system.who, case, "submit", "receive")
    return found


def test_a_week_of_the_people_of_a_bureau(system: System, visit: Visits, requests: dict[str, int]) -> None:
    a_team_is_put_together_on_the_board(system, visit, requests)
    two_officers_want_one_person_at_once(system, visit, requests)
    who_is_let_go_is_free_again_and_the_board_fits_a_phone(system, visit, requests)
    assert system.whole()


def a_team_is_put_together_on_the_board(system: System, visit: Visits, requests: dict[str, int]) -> None:
    early, late = system.names["staff"], system.names["staff_colleague"]
    officer = visit("bureau", script=False)  # all of it works without script
    skills_and_absences_are_entered(officer, early, late)

    open_case(officer, PLAN)
    open_act(officer, "隊の案をつくる")
    wanted = officer.get_by_role("table", name="市町村の希望: 防災(1人 ・ 11/9-10) の候補と理由")
    first, second = wanted.get_by_role("row").nth(1), wanted.get_by_role("row").nth(2)
    assert late in first.inner_text(), "who knows disaster planning comes first"
    assert "得意なこと: 防災" in first.inner_text()
    assert "11月9日(月)は不在" in second.inner_text()
    officer.get_by_label("1行目 職", exact=True).fill("保健師")
    officer.get_by_label("1行目 派遣する日").fill("11/12午後")
    first.get_by_role("button", name="この人を入れる").click()

    assert officer.get_by_label("1行目 派遣する日").input_value() == "11/12午後", "what was typed is still there"
    assert officer.get_by_label("2行目 派遣する日").input_value() == "11/9-10"
    assert cell(officer, late, "11月9日(月)").is_checked()
    assert cell(officer, early, "11月9日(月)").count() == 0, "who is away cannot be ticked"
    tick(officer, early, "11月11日(水)")
    tick(officer, late, "11月14日(土)")
    officer.get_by_label("2行目を隊長にする").check()
    press(officer, "保存して、いまの内容で照らす")

    assert officer.get_by_label("2行目 派遣する日").input_value() == "11/9-10、11/14"
    assert officer.get_by_label("3行目 派遣する日").input_value() == "11/11"
    words = told(officer)
    assert "11月14日(土)の勤務: 10月17日(土)から1月9日(土)までに振り替えます" in words
    officer.get_by_label("2行目 振替の日").fill("11/17")
    officer.get_by_label("2行目 所属長の承諾").fill("10月14日 農務課長")
    press(officer, "保存して、いまの内容で照らす")
    assert "振替はそろっています" in told(officer)
    assert f"{late}(隊長)" in told(officer)
    press(officer, "隊の案をつくる")
    done(officer, "隊の案をつくる")
    assert system.value("SELECT count(*) FROM assignment WHERE case_id = %s", requests[PLAN]) == 8


def skills_and_absences_are_entered(officer: Page, early: str, late: str) -> None:
    officer.get_by_role("link", name="派遣ボード").click()
    officer.get_by_role("link", name="不在と得意分野を入れる").click()
    officer.get_by_label(f"{late}の得意なこと").fill("防災、農村計画")
    press(officer, "得意分野を保存する")
    officer.get_by_text("得意なことを保存しました。").wait_for()
    officer.get_by_label("職員", exact=False).first.select_option(label=f"{early}(商工労働観光課 主査)")
    write_date(officer, "初めの日", "令和8", "11", "9")
    press(officer, "不在を入れる")
    officer.get_by_text("不在を入れました。").wait_for()
    assert "川上（仮名）" in officer.get_by_role("table", name="これからの不在").inner_text()


def two_officers_want_one_person_at_once(system: System, visit: Visits, requests: dict[str, int]) -> None:
    late = system.names["staff_colleague"]
    colleague = visit("bureau_colleague")
    open_case(colleague, WALK)
    open_act(colleague, "隊の案をつくる")
    tick(colleague, late, "11月12日(木)")  # still free: the other officer has not pressed the button yet
    officer = visit("bureau")
    open_case(officer, PLAN)
    open_act(officer, "隊の案をつくる")
    tick(officer, late, "11月12日(木)")
    press(officer, "隊の案をつくる")
    done(officer, "隊の案をつくる")

    press(colleague, "隊の案をつくる")
    colleague.get_by_text("「隊の案をつくる」は、まだ行っていません").wait_for()
    words = told(colleague)
    assert f"{late}さんは、11月12日(木)の" in words
    assert "上川-R8-001" in words
    assert colleague.get_by_label("1行目 派遣する日").input_value() == "11/12"
    assert "11/12はほかの派遣(上川-R8-001)に入っています" in words

    open_case(officer, PLAN)
    open_act(officer, "隊の案をつくる")
    row = officer.locator("input[aria-label$='行目 派遣する日']").filter(visible=True)
    (number,) = [n for n in range(row.count()) if "11/9-10" in row.nth(n).input_value()]
    row.nth(number).fill("11/9-10、11/12午前、11/14")
    press(officer, "隊の案をつくる")
    done(officer, "隊の案をつくる")
    colleague.get_by_label("1行目 派遣する日").fill("11/12午後")
    press(colleague, "隊の案をつくる")
    done(colleague, "隊の案をつくる")
    halves = "SELECT string_agg(half || ':' || case_id, ' ' ORDER BY half) FROM assignment WHERE person_id = %s AND day = '2026-11-12'"
    assert system.value(halves, system.who.staff_colleague) == f"0:{requests[PLAN]} 1:{requests[WALK]}"


def who_is_let_go_is_free_again_and_the_board_fits_a_phone(
    system: System, visit: Visits, requests: dict[str, int]
) -> None:
    late = system.names["staff_colleague"]
    with system.db.connection() as conn:
        factory.drive(conn, system.who, requests[WALK], "withdraw")
    phone = visit("bureau", width=PHONE)
    phone.goto("/board?since=2026-11-09")
    card = phone.get_by_role("row").filter(has_text=late)
    assert card.get_by_text("候", exact=False).count() == 4, "9th, 10th, the morning of the 12th, the 14th"
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE
    open_case(phone, PLAN)
    open_act(phone, "隊の案をつくる")
    assert cell(phone, late, "11月12日(木) 午前").is_checked()
    boxes = phone.locator(".tick").evaluate_all("ticks => ticks.map(e => e.getBoundingClientRect().height)")
    assert min(boxes) >= 40, "a finger hits it"
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE


def test_the_balance_names_the_towns_nobody_has_been_to(system: System, visit: Visits) -> None:
    officer = visit("bureau")
    officer.get_by_role("link", name="派遣ボード").click()
    officer.get_by_role("link", name="市町村ごとの数を見る").click()
    officer.get_by_role("heading", level=1, name="令和8年度 行き先のかたより").wait_for()
    assert "美瑛町" in told(officer)
    assert officer.get_by_label("年度", exact=True).input_value() == "2026"
    with officer.expect_download() as taken:
        press(officer, "表を受け取る(CSV)", stays=True)
    assert taken.value.suggested_filename == "行き先のかたより_令和8年度_上川総合振興局.csv"
    assert system.value("SELECT what FROM export_record ORDER BY id DESC LIMIT 1") == "balance"


def cell(page: Page, name: str, day: str) -> Locator:
    """The tick of a person on a day."""
    return page.locator(f"input[type=checkbox][aria-label^='{name}'][aria-label$='{day}']")


def tick(page: Page, name: str, day: str) -> None:
    """Click the cell itself, as a person does."""
    page.locator("label.tick", has=cell(page, name, day)).click()
