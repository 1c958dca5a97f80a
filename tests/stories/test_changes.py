"""After the decision somebody falls ill and the work ends a day early: the difference is shown, decided, told, and counted."""

import io
from datetime import date

import openpyxl
import pytest
from playwright.sync_api import Page

from tests import factory
from tests.factory import drive, opened
from tests.stories.hands import Visits, act, choose, done, look_up, named, open_act, open_case, press, told, write_date
from tests.stories.system import System
from workflow import reports, watch

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

TITLE = "直売所の動線調べと案内計画への助言"


def test_swapped_then_shortened_with_the_days_in_the_workbook(system: System, visit: Visits) -> None:
    with system.db.connection() as conn:
        case = opened(conn, system.who, title=TITLE, first=date(2026, 11, 9), days=5)
        drive(conn, system.who, case, "submit", "receive", "propose_team", "put_to_director", "approve")
        third = factory.person(conn, "staff", system.who.office, name="交代する人（仮名）", section="林務課")
    system.at("2026-11-09", 1)
    assert watch.move(system.db) == 1
    system.at("2026-11-11")
    the_officer_proposes_a_swap(visit("bureau"), system.who.staff_colleague, third)
    the_director_sees_the_difference_and_decides(visit("director"))
    staff = "SELECT array_agg(DISTINCT day ORDER BY day) FROM assignment WHERE case_id = %s AND person_id = %s"
    assert system.value(staff, case, system.who.staff_colleague) == [date(2026, 11, 9), date(2026, 11, 10)]
    assert system.value(staff, case, third) == [date(2026, 11, n) for n in (11, 12, 13)]

    bureau = visit("bureau", script=False)
    the_officer_shortens_without_javascript(bureau)
    director = visit("director")
    open_case(director, TITLE)
    act(director, "変更を決定する")
    assert system.value("SELECT max(day) FROM assignment WHERE case_id = %s", case) == date(2026, 11, 12)

    town = visit("municipality")
    look_up(town, TITLE)
    assert "11月12日" in told(town)
    assert town.get_by_role("link", name="変更").count() >= 1
    system.at("2026-11-13")
    watch.move(system.db)
    with system.db.connection() as conn:
        reported = [
            ("file_trip_report", {"by": person}) for person in (system.who.staff, system.who.staff_colleague, third)
        ]
        drive(conn, system.who, case, *reported, "file_result")
        data, _ = reports.year_end(conn, "dispatch", "year-end", system.who.office, 2026)
    book = openpyxl.load_workbook(io.BytesIO(data))
    assert [named(book, name) for name in ("count", "persons", "person_days")] == [1, 3, 8]  # 4 and 2 and 2 days
    assert system.whole()


def the_officer_proposes_a_swap(page: Page, leaves: int, third: int) -> None:
    look_up(page, TITLE)
    open_act(page, "変更を伺う")
    choose(page, "変更の種類", "職員を交代する")
    choose(page, "きっかけ", "病気・けが")
    page.get_by_label("変更が要る理由").fill("一人が発熱したため。")
    page.get_by_label("交代で外れる職員").select_option(str(leaves))
    page.get_by_label("代わりに行く職員").select_option(str(third))
    write_date(page, "交代する日", "2026", "11", "11")
    press(page, "下の表に入れる")
    page.get_by_role("heading", name="変わるところ").wait_for()
    for words in ("派遣（仮名）の派遣日", "交代する人（仮名）の派遣日", "(加わる)", "やめる日"):
        assert words in told(page), words
    page.locator("[name='change.members.2.consent']").fill("11月11日 林務課長 了承")
    press(page, "変更を伺う")
    done(page, "変更を伺う")


def the_director_sees_the_difference_and_decides(page: Page) -> None:
    open_case(page, TITLE)
    for words in ("変わるところ", "交代する人（仮名）の派遣日", "一人が発熱したため。"):
        assert words in told(page), words
    act(page, "変更を決定する")


def the_officer_shortens_without_javascript(page: Page) -> None:
    look_up(page, TITLE)
    open_act(page, "変更を伺う")
    choose(page, "変更の種類", "短くする")
    choose(page, "きっかけ", "市町村の都合")
    page.get_by_label("変更が要る理由").fill("一日早く終えられる。")
    write_date(page, "新しい終わりの日", "2026", "11", "12")
    press(page, "下の表に入れる")
    assert "やめる日 11/13" in told(page)
    press(page, "変更を伺う")
    done(page, "変更を伺う")
