"""A blizzard at six in the morning: the officer stops the dispatch at once, the director ratifies it later, the days stay true."""

import io
from datetime import date

import openpyxl
import pytest
from playwright.sync_api import Page

from tests.factory import drive, opened
from tests.stories.hands import (
    PHONE,
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
    write_date,
)
from tests.stories.system import BEGINNING, System
from workflow import reports, watch

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

TITLE = "冬の避難所の下見と手順づくり"
STORM = "暴風雪警報。幹線道路が通行止めのため、けさから取りやめる。"


def test_stopped_at_six_ratified_on_the_second_day_reported_in_the_workbook(system: System, visit: Visits) -> None:
    system.at(BEGINNING)
    with system.db.connection() as conn:
        case = opened(conn, system.who, title=TITLE, first=date(2026, 12, 7), days=4)
        drive(conn, system.who, case, "submit", "receive", "propose_team", "put_to_director", "approve")
    system.at("2026-12-07", 1)
    assert watch.move(system.db) == 1
    system.at("2026-12-09", 6)
    the_officer_stops_it_on_the_phone(visit("bureau", width=PHONE))
    days = "SELECT count(DISTINCT day) FROM assignment WHERE case_id = %s AND day > '2026-12-08'"
    assert system.value(days, case) == 0  # nobody is where the snow is

    town = visit("municipality")
    look_up(town, TITLE)
    assert STORM in told(town)
    assert "振興局長の追認を待っています" in told(town)

    system.at("2026-12-10")
    the_director_ratifies_between_two_meetings(visit("director", width=PHONE))
    open_case(reporting := visit("staff", script=False), TITLE)
    open_act(reporting, "復命する")
    assert "12/7-8" in told(reporting)
    reporting.get_by_label("分かったこと").fill("二日で六か所を見た。")
    press(reporting, "復命する")
    done(reporting, "復命する")
    with system.db.connection() as conn:
        drive(conn, system.who, case, ("file_trip_report", {"by": system.who.staff_colleague}), "file_result")
        data, _ = reports.year_end(conn, "dispatch", "year-end", system.who.office, 2026)
    book = openpyxl.load_workbook(io.BytesIO(data))
    assert [named(book, name) for name in ("count", "persons", "person_days")] == [1, 2, 4]
    assert system.whole()


def test_a_stop_on_the_first_morning_with_nobody_gone_ends_as_called_off(system: System, visit: Visits) -> None:
    title = "吹雪で始まらなかった調査"
    system.at(BEGINNING)
    with system.db.connection() as conn:
        case = opened(conn, system.who, title=title, first=date(2026, 12, 14), days=2)
        drive(conn, system.who, case, "submit", "receive", "propose_team", "put_to_director", "approve")
    system.at("2026-12-14", 6)
    assert watch.move(system.db) >= 1
    bureau = visit("bureau")
    look_up(bureau, title)
    stop(bureau, "2026", "12", "13")
    director = visit("director")
    open_case(director, title)
    act(director, "停止を追認する")
    assert "中止" in told(director)
    assert system.value("SELECT count(*) FROM assignment WHERE case_id = %s", case) == 0


def the_officer_stops_it_on_the_phone(page: Page) -> None:
    look_up(page, TITLE)
    opened_card = card(page, "緊急に停止する")
    press(opened_card, "緊急に停止する")  # nothing typed yet: the page says what is missing
    page.get_by_text("まだ行っていません").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE
    stop(page, "2026", "12", "8")
    assert "緊急停止" in told(page)


def stop(page: Page, year: str, month: str, day: str) -> None:
    opened_card = card(page, "緊急に停止する")
    choose(opened_card, "事由", "天候・災害")
    opened_card.get_by_label("状況").fill(STORM)
    write_date(opened_card, "実際に行った最後の日", year, month, day)
    press(opened_card, "緊急に停止する")
    done(page, "緊急に停止する")


def the_director_ratifies_between_two_meetings(page: Page) -> None:
    page.get_by_role("link", name="受信箱").first.click()
    row = page.get_by_role("row").filter(has_text=TITLE)
    assert "緊急の停止を追認する" in row.inner_text()
    open_case(page, TITLE)
    assert STORM in told(page)
    act(page, "停止を追認する")
    assert page.get_by_role("link", name="停止").count() >= 1 or "停止の通知" in told(page)
