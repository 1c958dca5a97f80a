"""Signing in and out, and where one is led."""

import re
import time
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
from starlette.testclient import TestClient

from tests.workflow.web.conftest import PASSWORD
from workflow import accounts
from workflow.web.session import local_path


def form_token(text: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', text)
    assert found is not None
    return found[1]


def try_to_sign_in(client: TestClient, login: str, password: str, **more: str):
    token = form_token(client.get("/login").text)
    return client.post("/login", data={"login": login, "password": password, "csrf": token} | more)


def test_signing_in_opens_the_page_that_was_wanted(web):
    web.person("director")
    client = web.client()
    first = client.get("/cases/5?tab=2")
    assert (first.status_code, first.headers["location"]) == (303, "/login?next=/cases/5%3Ftab%3D2")
    response = try_to_sign_in(client, "director", PASSWORD, next="/cases/5?tab=2")
    assert (response.status_code, response.headers["location"]) == (303, "/cases/5?tab=2")
    assert client.get("/").headers["location"] == "/inbox"


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(web, configured):
    web.person("director")
    client = web.client()
    given = try_to_sign_in(client, "director", PASSWORD).headers["set-cookie"]
    assert given.startswith("tobidashi=")
    assert "HttpOnly" in given
    assert "SameSite=lax" in given
    assert "Secure" not in given
    configured(PUBLIC_URL="https://tobidashi.example.invalid")
    given = web.client().get("/login").headers["set-cookie"]
    assert given.startswith("__Host-tobidashi-form=")
    assert "Secure" in given
    assert "Domain" not in given


def test_a_failure_does_not_tell_which_names_exist(web):
    web.person("director")
    client = web.client()
    answers = [try_to_sign_in(client, name, "wrong") for name in ("director", "nobody")]
    answers += [try_to_sign_in(client, "director", "wrong") for _ in range(4)]
    answers.append(try_to_sign_in(client, "director", PASSWORD))  # locked by now
    assert {a.status_code for a in answers} == {401}
    texts = {re.sub(r'value="[^"]*"', "", a.text) for a in answers}
    assert len(texts) == 1
    assert "ログインしていません" in texts.pop()


def test_what_was_typed_stays_but_not_the_password(web):
    response = try_to_sign_in(web.client(), '"><b>名前', "ひみつのことば12345")
    assert 'value="&#34;&gt;&lt;b&gt;名前"' in response.text
    assert "ひみつ" not in response.text


def test_a_form_without_its_cookie_signs_nobody_in(web):
    web.person("director")
    client = web.client()
    token = form_token(client.get("/login").text)
    stranger = web.client()
    response = stranger.post("/login", data={"login": "director", "password": PASSWORD, "csrf": token})
    assert response.status_code == 403
    assert "まだログインしていません" in response.text
    again = {"login": "director", "password": PASSWORD, "csrf": form_token(response.text)}
    assert stranger.post("/login", data=again).status_code == 303


def test_two_tabs_may_both_sign_in(web):
    web.person("director")
    client = web.client()
    first = form_token(client.get("/login").text)
    assert form_token(client.get("/login").text) == first


def test_each_sign_in_has_a_new_id_and_ends_the_old_one(web, owner):
    web.person("director")
    client = web.client()
    try_to_sign_in(client, "director", PASSWORD)
    before = client.cookies["tobidashi"]
    try_to_sign_in(client, "director", PASSWORD)
    assert client.cookies["tobidashi"] != before
    assert owner.execute("SELECT count(*) FROM session").fetchone() == (1,)


def test_signing_out_ends_the_session_on_the_server(web):
    client, token = web.signed_in("director")
    kept = client.cookies["tobidashi"]
    response = client.post("/logout", data={"csrf": token})
    assert (response.status_code, response.headers["location"]) == (303, "/login")
    client.cookies.set("tobidashi", kept)
    assert client.get("/").headers["location"].startswith("/login")
    assert "いったん退出しました" in client.get("/login").text


def test_signing_out_by_a_link_or_without_token_does_nothing(web):
    client, _ = web.signed_in("director")
    assert client.get("/logout").status_code == 405
    assert client.post("/logout").status_code == 403
    assert client.get("/").headers["location"] == "/inbox"


def test_who_holds_no_post_today_is_told_so_and_may_sign_out(web, owner):
    client, token = web.signed_in("director")
    owner.execute("UPDATE tenure SET valid_to = '2020-12-31'")
    response = client.get("/")
    assert response.status_code == 403
    assert "いま就いている職がありません" in response.text
    assert client.post("/logout", data={"csrf": token}).status_code == 303


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)", "/\t/evil.example",
        "/a\\..\\b", "/login", "/logout", "", "cases", "/\nSet-Cookie: a=b", "http:/evil",
    ],
)  # fmt: skip
def test_no_redirect_leaves_the_system(web, wanted):
    assert local_path(wanted) == "/inbox"
    web.person("director")
    response = try_to_sign_in(web.client(), "director", PASSWORD, next=wanted)
    assert response.headers["location"] == "/inbox"


@pytest.mark.parametrize("wanted", ["/cases/5?tab=2", "/inbox?due=today&q=%E6%9D%91", "/reports"])
def test_our_own_pages_are_reached(wanted):
    assert local_path(wanted) == wanted


def test_only_a_few_passwords_are_hashed_at_once(web, address, monkeypatch):
    running, most = 0, 0

    def slow(db, login, password):
        nonlocal running, most
        running += 1
        most = max(most, running)
        time.sleep(0.05)
        running -= 1
        return accounts.Failure.WRONG

    monkeypatch.setattr(accounts, "sign_in", slow)
    with httpx2.Client(headers={"Origin": address}) as client, ThreadPoolExecutor(12) as pool:
        token = form_token(client.get(f"{address}/login").text)
        sent = {"login": "a", "password": "b", "csrf": token}
        answers = list(pool.map(lambda n: client.post(f"{address}/login", data=sent), range(12)))
    assert {a.status_code for a in answers} == {401}
    assert most == accounts.HASHES_AT_ONCE


def test_over_plain_http_the_page_says_so_except_in_a_demonstration(web, configured):
    assert "暗号化されていません" in web.client().get("/login").text
    configured(TOBIDASHI_ENV="demo")
    assert "暗号化されていません" not in web.client().get("/login").text
