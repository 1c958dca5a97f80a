"""The roll-up as headquarters sees it: the same numbers as the files, each of them a way to its cases."""

import csv
import io
import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.workflow.documents.year import Bureau, a_bureau
from workflow import accounts, db, reports
from workflow.web import rollup


@pytest.fixture
def bureau(fresh_database: Any) -> Iterator[Bureau]:
    with a_bureau(fresh_database) as found:
        yield found


@pytest.fixture
def signed(bureau: Bureau, web: Any) -> Any:
    def sign_in(person_id: int) -> tuple[TestClient, str]:
        with db.database().connection() as conn:
            conn.execute(
                "INSERT INTO account (person_id, login, password_hash, failures, disabled) VALUES (%s, %s, '', 0, false)",
                (person_id, f"p{person_id}"),
            )
            opened = accounts.open_session(conn, person_id)
        client: TestClient = web.client()
        client.cookies.set("tobidashi", opened.token)
        return client, opened.csrf

    return sign_in


def links(page: str) -> dict[str, str]:
    """What the links of the figures say, with their addresses."""
    found = re.findall(
        r'<a href="(/reports/rollup\?[^"]+)">([\d.]+)<span class="visually-hidden">([^<]+)</span></a>', page
    )
    return {f"{number}{unescape(what)}": unescape(href) for href, number, what in found}


def listed(page: str) -> list[str]:
    """The numbers of the cases behind the figures."""
    cases = page.split('id="h-cases"')[1]
    return re.findall(r'data-table__title" href="/cases/(\d+)"', re.split('id="h-(?:crossing|apart)"', cases)[0])


def test_every_figure_leads_to_its_cases(bureau: Bureau, signed: Any) -> None:
    case = bureau.reported(bureau.crossing())
    bureau.decided("2025-05-07", ["2025-06-02"], period=("2025-06-02", "2025-06-02"))
    client, _ = signed(bureau.who.headquarters)
    page = client.get("/reports/rollup?fiscal_year=2024").text
    assert "令和6年度 年度末報告 全局の集計" in page
    ways = links(page)
    assert "3人日: 上川総合振興局の延べ人日の案件" in ways
    assert "1件: 市町村の要請の件数の案件" in ways
    for address in ways.values():
        behind = client.get(address.partition("#")[0])
        assert behind.status_code == 200
        assert listed(behind.text) == [str(case)], address
    assert listed(client.get("/reports/rollup?fiscal_year=2024&office=hk-sorachi").text) == []
    assert "年度をまたぐ案件" in page
    assert "令和7年度 4人日" in page


def test_which_office_has_made_its_workbook(bureau: Bureau, signed: Any) -> None:
    bureau.crossing()
    client, csrf = signed(bureau.who.headquarters)

    def counted() -> dict[str, int]:
        page = client.get("/reports/rollup?fiscal_year=2024").text
        bar = page.split('aria-label="様式の状況で絞り込む"')[1].split("</nav>")[0]
        found = re.findall(r"</svg>([^<]+)</span><span class=\"counter__count\">(\d+)", bar)
        return {word: int(number) for word, number in found}

    assert counted() == {"すべて": 14, "未作成": 1, "作成後に変わった": 0, "作成済み": 0, "該当なし": 13}
    reports.ask_report(bureau.conn, bureau.who.bureau, "dispatch", "year-end", "hk-kamikawa", 2024)
    reports.compile_next(bureau.db)
    assert counted()["作成済み"] == 1
    narrowed = client.get("/reports/rollup?fiscal_year=2024&status=made").text.split('id="h-by-origins"')[0]
    assert "上川総合振興局" in narrowed
    assert "空知総合振興局" not in narrowed
    asked = client.post("/reports", data={"csrf": csrf, "report": "dispatch/year-end", "office": "all", "year": "2024"})
    assert asked.status_code == 303  # the workbook of all offices is made from the same page


def test_the_chart_and_its_table_say_the_same(bureau: Bureau, signed: Any) -> None:
    bureau.crossing()
    client, _ = signed(bureau.who.headquarters)
    page = client.get("/reports/rollup?fiscal_year=2025").text
    drawing = page.split('<svg viewBox="0 0 720')[1].split("</svg>")[0]
    table = page.split("(図と同じ数)")[1].split("</table>")[0]
    bars = [int(number) for number in re.findall(r'class="value"[^>]*>(\d+)<', drawing)]
    rows = [
        re.sub("<[^>]+>.*", "", cell)
        for cell in re.findall(r'align-end">(?:<a [^>]+>)?(\d+)', table.split("<tbody>")[1].split("</tbody>")[0])
    ]
    assert bars == [int(number) for number in rows[::2]]
    assert (
        drawing.count('class="before"') == sum(int(number) > 0 for number in rows[1::2]) == 1
    )  # counted in the year before
    assert "style=" not in page


def test_the_data_are_taken_out_on_record(bureau: Bureau, signed: Any) -> None:
    bureau.crossing()
    client, csrf = signed(bureau.who.headquarters)
    told = {"csrf": csrf, "fiscal_year": "2024", "kind": "lines"}
    taken = client.post("/reports/rollup/csv", data=told)
    assert taken.headers["content-type"] == "text/csv; charset=utf-8"
    assert "filename*=UTF-8''" in taken.headers["content-disposition"]
    assert len(list(csv.DictReader(io.StringIO(taken.content.decode("utf-8-sig"))))) == 2
    assert bureau.conn.execute("SELECT what FROM export_record").fetchall() == [("rollup:lines",)]
    assert client.get("/reports/rollup/csv").status_code in (404, 405)
    for wrong in (
        {"kind": "x"},
        {"fiscal_year": "２０２４"},
        {"fiscal_year": "99999"},
        {"fiscal_year": "1"},
        {"report": "dispatch/x"},
    ):
        assert client.post("/reports/rollup/csv", data=told | wrong).status_code == 404, wrong
    assert client.post("/reports/rollup/csv", data=told | {"csrf": "no"}).status_code == 403


def test_strange_filters_are_answered_with_a_page(bureau: Bureau, signed: Any) -> None:
    client, _ = signed(bureau.who.headquarters)
    for query in (
        "fiscal_year=x",
        "fiscal_year=99999",
        "office=hk-nowhere",
        "kinds=<b>",
        "only=x&status=y&why=z",
        "fiscal_year=²",
    ):
        page = client.get(f"/reports/rollup?{query}")
        assert page.status_code == 200, query
        assert "<b>" not in page.text


def test_nobody_else_finds_it(bureau: Bureau, signed: Any) -> None:
    who = bureau.who
    for person in (who.bureau, who.director, who.municipality, who.staff, who.auditor):
        client, csrf = signed(person)
        assert client.get("/reports/rollup").status_code == 404
        assert (
            client.post("/reports/rollup/csv", data={"csrf": csrf, "fiscal_year": "2024", "kind": "lines"}).status_code
            == 404
        )
    assert rollup.ADDRESS == "/reports/rollup"
