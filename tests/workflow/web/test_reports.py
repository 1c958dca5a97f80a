"""The reports page: figures within one's sight, a workbook asked for and taken out, without JavaScript."""

import io
from collections.abc import Iterator
from typing import Any

import openpyxl
import pytest
from starlette.testclient import TestClient

from tests.workflow.documents.year import Bureau, a_bureau
from workflow import accounts, db, reports
from workflow.web import reports as pages


@pytest.fixture
def bureau(fresh_database: Any) -> Iterator[Bureau]:
    with a_bureau(fresh_database) as found:
        yield found


@pytest.fixture
def page(bureau: Bureau, web: Any) -> Any:
    """Opens the pages as one of the bureau's people."""

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


def test_figures_ask_progress_and_file(bureau: Bureau, page: Any) -> None:
    bureau.reported(bureau.crossing())
    client, csrf = page(bureau.who.bureau)
    shown = client.get("/reports?year=2024")
    assert shown.status_code == 200
    assert "令和6年度 年度末報告" in shown.text
    assert 'data-label="延べ人日" class="align-end"><span>3</span>' in shown.text
    asked = client.post(
        "/reports", data={"csrf": csrf, "report": "dispatch/year-end", "office": "hk-kamikawa", "year": "2024"}
    )
    assert asked.status_code == 303
    waiting = client.get(asked.headers["location"])
    assert "順番を待っています" in waiting.text
    assert "いまの様子を見る" in waiting.text
    assert reports.compile_next(bureau.db)
    done = client.get(asked.headers["location"])
    assert "できました" in done.text
    (job_id,) = bureau.conn.execute("SELECT id FROM report_job").fetchone() or ()
    assert client.get(f"/reports/{job_id}/file").status_code == 405  # taking it out is recorded, so it is no GET
    assert client.post(f"/reports/{job_id}/file", data={"csrf": "no"}).status_code == 403
    taken = client.post(f"/reports/{job_id}/file", data={"csrf": csrf})
    assert taken.headers["content-type"] == pages.XLSX
    assert "filename*=UTF-8''%E5%B9%B4%E5%BA%A6%E6%9C%AB" in taken.headers["content-disposition"]
    assert "総括" in openpyxl.load_workbook(io.BytesIO(taken.content)).sheetnames
    assert bureau.conn.execute("SELECT count(*) FROM export_record").fetchone() == (1,)


def test_headquarters_sees_every_office(bureau: Bureau, page: Any) -> None:
    bureau.crossing()
    client, csrf = page(bureau.who.headquarters)
    shown = client.get("/reports?office=all&year=2024")
    assert "振興局ごとの数" in shown.text
    assert "オホーツク総合振興局" in shown.text
    asked = client.post("/reports", data={"csrf": csrf, "report": "dispatch/year-end", "office": "all", "year": "2024"})
    assert asked.status_code == 303


def test_what_is_outside_ones_sight_does_not_exist(bureau: Bureau, page: Any) -> None:
    client, csrf = page(bureau.who.bureau)
    assert "全局" not in client.get("/reports?office=all").text
    for fields in (
        {"report": "dispatch/year-end", "office": "all", "year": "2024"},
        {"report": "dispatch/year-end", "office": "hk-sorachi", "year": "2024"},
        {"report": "dispatch/other", "office": "hk-kamikawa", "year": "2024"},
        {"report": "x", "office": "hk-kamikawa", "year": "2024"},
        {"report": "dispatch/year-end", "office": "hk-kamikawa", "year": "二千"},
        {"report": "dispatch/year-end", "office": "hk-kamikawa", "year": "99999"},
        {},
    ):
        assert client.post("/reports", data={"csrf": csrf, **fields}).status_code == 404
    assert client.post("/reports/1/file", data={"csrf": csrf}).status_code == 404
    for person in (bureau.who.municipality, bureau.who.staff, bureau.who.auditor):
        other, token = page(person)
        assert other.get("/reports").status_code == 404
        assert (
            other.post(
                "/reports", data={"csrf": token, "report": "dispatch/year-end", "office": "hk-kamikawa", "year": "2024"}
            ).status_code
            == 404
        )


def test_names_of_the_database_are_text_on_the_page(bureau: Bureau, page: Any) -> None:
    bureau.conn.execute("UPDATE person SET name = '<script>alert(1)</script>' WHERE id = %s", (bureau.who.bureau,))
    client, csrf = page(bureau.who.bureau)
    client.post("/reports", data={"csrf": csrf, "report": "dispatch/year-end", "office": "hk-kamikawa", "year": "2024"})
    assert "<script>alert" not in client.get("/reports").text
