"""The page of the months: who opens it, what it says, and the workbook that is taken out of it with a record."""

import io
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from openpyxl import load_workbook

from tests import desk, factory
from tests.workflow.web.browsing import Browser, browser_of, visible
from tests.workflow.web.conftest import At, Web
from workflow.db import type_connection

Browse = Callable[[int], Browser]
PAGE = "/monthly/consultation"


@pytest.fixture
def browse(web: Web, conn: type_connection) -> Browse:
    return lambda person_id: browser_of(web, conn, person_id)


def test_the_months_the_choices_and_what_is_open(conn: Any, who: factory.Cast, browse: Browse, at: At) -> None:
    case = desk.received(conn, who, "農家の納屋", field="region")
    desk.act(conn, who.bureau, case, "take")
    desk.act(conn, who.bureau, case, "extend", until="R8.11.30", reason="農地の扱いを本庁に確かめている。")
    desk.answered(conn, who, desk.received(conn, who, "すぐ答えた相談"))
    at(date(2026, 11, 16))
    officer = browse(who.bureau)
    told = visible(officer.get(PAGE))
    for words in (
        "令和8年度 総合相談の月次処理状況",
        "受けた方法ごとの受付",
        "分野ごとの受付",
        "処理の方針ごとの受付",
        "農家の納屋",
        "農地の扱いを本庁に確かめている。",
        "28開庁日",
    ):
        assert words in told, words
    assert "すぐ答えた相談" not in told
    assert "この日に未処理のものはありません" in visible(officer.get(PAGE + "?month=2026-09-30"))
    assert "農家の納屋" in visible(officer.get(PAGE + "?month=2026-10-31"))
    assert "農家の納屋" not in visible(officer.get(PAGE + "?year=2025"))
    assert f'href="{PAGE}"' in officer.get("/reports")
    assert "全局" in visible(browse(who.headquarters).get(PAGE))


def test_the_workbook_is_taken_out_with_a_record(conn: Any, who: factory.Cast, browse: Browse, at: At) -> None:
    desk.received(conn, who, "農家の納屋")
    officer = browse(who.bureau)
    answer = officer.send(f"{PAGE}/file", {"office": factory.OFFICE, "year": "2026", "month": "2026-10-05"}, 200)
    book = load_workbook(io.BytesIO(answer.content))
    assert [row[1] for row in book["未処理"].iter_rows(min_row=5, values_only=True)] == ["農家の納屋"]
    assert conn.execute("SELECT what, rows FROM export_record").fetchall() == [("monthly", 1)]


def test_who_stands_outside_has_no_such_page(conn: Any, who: factory.Cast, browse: Browse, at: At) -> None:
    assert browse(who.municipality).client.get(PAGE).status_code == 404
    assert browse(who.bureau).client.get("/monthly/dispatch").status_code == 404
    assert browse(who.municipality).send(f"{PAGE}/file", {"year": "2026"}, 404)
