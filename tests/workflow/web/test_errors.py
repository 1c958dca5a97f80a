"""Pages for what went wrong: what happened, what was kept, what to do next."""

import logging
import re
from datetime import UTC, datetime

import psycopg
import pytest
import sqlalchemy.exc
from starlette.responses import PlainTextResponse

from states.kernel import Refused
from states.terms import block
from workflow import cases, db
from workflow.loading import NotFound
from workflow.queries import BadCursor
from workflow.web.session import RowId, SignedIn

WORDS = ("起きたこと", "残っているもの", "次にできること", "問合せのときは、この番号を伝えてください")
CONFLICT = cases.Conflict(
    "地域創生部長", datetime(2026, 10, 14, 5, 2, 31, tzinfo=UTC), "派遣を決定する", "派遣準備", 14
)


@pytest.fixture
def failing(web):
    """A page of the test's own that fails as it is told."""
    web.error = None

    @web.app.post("/cases/{case_id}/fail")
    def fail(case_id: RowId, signed: SignedIn) -> PlainTextResponse:
        raise web.error

    @web.app.get("/cases/{case_id}/fail")
    def read(case_id: RowId, signed: SignedIn) -> PlainTextResponse:
        raise web.error

    return web


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (NotFound(), 404, "この画面は見つかりません"),
        (BadCursor(), 404, "この画面は見つかりません"),
        (cases.PostLost(), 403, "職を離れたため"),
        (cases.KeyReused(), 409, "同じ画面から違う内容"),
        (cases.SaveClash(datetime.now(UTC), {}), 409, "ほかの画面で先に保存"),
        (Refused("role", "役目を持っていません。"), 403, "役目を持っていません。"),
        (Refused("state", "いまは終わっています。"), 409, "いまは終わっています。"),
        (Refused("guard", "まだできません。", [block("1か月を超えています。")]), 422, "1か月を超えています。"),
        (psycopg.OperationalError("secret"), 503, "つながりにくく"),
        (sqlalchemy.exc.TimeoutError("secret"), 503, "つながりにくく"),
        (ZeroDivisionError("secret"), 500, "こちらの不具合"),
    ],
)
def test_each_error_has_its_page_that_keeps_what_was_written(failing, error, status, said, caplog):
    client, token = failing.signed_in("bureau")
    failing.error = error
    sent = {"csrf": token, "key": "k-1", "version": "13", "reason": "長く考えて書いた理由<b>です。"}
    with caplog.at_level(logging.INFO):
        response = client.post("/cases/7/fail", data=sent)
    assert response.status_code == status
    for word in (said, *WORDS, "長く考えて書いた理由&lt;b&gt;です。"):
        assert word in response.text
    for word in ("secret", "Traceback", "k-1", token):
        assert word not in re.sub(r'name="csrf" value="[^"]+"', "", response.text)
    shown = re.search(rf"{status}-[0-9A-F]{{6}}-\d{{4}}", response.text)
    assert shown is not None
    assert shown[0] in caplog.text
    assert "長く考えて" not in caplog.text
    assert (response.headers.get("retry-after") is not None) is (status == 503)


def test_who_came_second_is_told_who_was_first(failing):
    client, token = failing.signed_in("director")
    failing.error = CONFLICT
    response = client.post("/cases/7/fail", data={"csrf": token, "version": "13", "reason": "積み直してほしい。"})
    assert response.status_code == 409
    for word in (
        "地域創生部長",
        "10月14日 14:02",
        "派遣を決定する",
        "開いた時は第13版、いまは第14版",
        "派遣準備",
        "積み直してほしい。",
    ):
        assert word in response.text
    assert 'href="/cases/7">最新を開く' in response.text


def test_an_address_without_a_number_is_no_page(failing):
    client, _ = failing.signed_in("bureau")
    for path in ("/cases/x/fail", "/cases/0/fail", "/cases/9223372036854775808/fail", "/nowhere"):
        assert client.get(path).status_code == 404, path


def test_a_text_sent_after_the_session_ended_is_shown_again(failing, owner):
    client, token = failing.signed_in("bureau")
    owner.execute("DELETE FROM session")
    sent = {"csrf": token, "reason": "半時間かけて書いた文"}
    response = client.post("/cases/7/fail", data=sent, headers={"Referer": "http://testserver/cases/7?a=1"})
    assert response.status_code == 401
    assert "半時間かけて書いた文" in response.text
    assert 'href="/login?next=/cases/7%3Fa%3D1"' in response.text


def test_with_the_database_away_every_page_says_so(web, monkeypatch):
    client, _ = web.signed_in("director")
    away = db.Database("postgresql+psycopg://nobody@127.0.0.1:1/none")
    monkeypatch.setattr(db, "_database", away)
    response = client.get("/")
    assert response.status_code == 503
    assert "つながりにくく" in response.text
    assert client.get("/login").status_code == 200
    assert client.get("/livez").status_code == 200
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["database"]) == (503, "away")
    away.close()
