"""What every request and response passes, whatever the page."""

import pytest
from fastapi.routing import iter_route_contexts
from starlette.responses import PlainTextResponse

from workflow.web import security
from workflow.web.app import PUBLIC
from workflow.web.posted import MOST_FIELDS, Posted
from workflow.web.session import SignedIn, current, current_for_long

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def echo(web):
    """A page of the test's own that says what it was sent, and one that breaks."""

    @web.app.post("/echo")
    def say(signed: SignedIn, fields: Posted) -> PlainTextResponse:
        return PlainTextResponse(repr([pair for pair in fields.multi_items() if pair[0] != "csrf"]))

    @web.app.get("/broken")
    def fail(signed: SignedIn) -> PlainTextResponse:
        raise ZeroDivisionError("内部のことば")

    return web


def uses(dependant, call) -> bool:
    return dependant.call is call or any(uses(d, call) for d in dependant.dependencies)


def test_every_route_asks_who_is_there_except_the_public_ones(web):
    found = {}
    for route in iter_route_contexts(web.app.routes):
        dependant = getattr(route.route, "dependant", None)
        found[
            route.path, dependant is not None and any(uses(dependant, ask) for ask in (current, current_for_long))
        ] = route.methods
    assert {path for path, asked in found if not asked} == PUBLIC
    assert "/logout" in {path for path, asked in found if asked}


def test_an_unlisted_open_route_would_be_found(web):
    @web.app.get("/open")
    def forgotten() -> None: ...

    with pytest.raises(AssertionError):
        test_every_route_asks_who_is_there_except_the_public_ones(web)


def test_every_answer_carries_the_headers(echo):
    client, _ = echo.signed_in("director")
    for path in ("/", "/login", "/nowhere", "/broken", "/livez", "/static/style.css", "/static/none.css", "/?q=%00"):
        response = client.get(path)
        for name, value in security.HEADERS.items():
            assert response.headers[name] == value, path
        assert response.headers["cache-control"] == ("no-cache" if path == "/static/style.css" else "no-store"), path
        assert "strict-transport-security" not in response.headers
    policy = security.HEADERS["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "data:" not in policy


def test_over_tls_browsers_are_told_to_stay_with_it(web, configured):
    configured(PUBLIC_URL="https://tobidashi.example.invalid")
    assert web.client().get("/nowhere").headers["strict-transport-security"] == "max-age=31536000"


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, True),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Origin": "http://testserver"}, True),
        ({"Origin": "http://testserver.evil.example"}, False),
        ({"Origin": "http://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({}, False),
    ],
)
def test_unsafe_requests_come_from_our_own_pages(echo, headers, passes):
    client, token = echo.signed_in("director")
    del client.headers["Origin"]
    response = client.post("/echo", data={"csrf": token, "a": "1"}, headers=headers)
    assert (response.status_code == 200) is passes
    if not passes:
        assert response.status_code == 403
        assert "何も変わっていません" in response.text


def test_unsafe_requests_carry_the_sessions_own_token(echo):
    client, token = echo.signed_in("director")
    _, foreign = echo.signed_in("bureau")
    for sent in ("", "x", "あ", foreign):
        response = client.post("/echo", data={"csrf": sent, "reason": "書いた理由です"})
        assert response.status_code == 403
        assert "画面が古くなっていた" in response.text
        assert "書いた理由です" in response.text
    assert client.post("/echo", data={"csrf": token}).status_code == 200
    for method in ("PUT", "PATCH", "DELETE"):
        assert client.request(method, "/echo", data={"csrf": token}).status_code == 405


def test_a_form_arrives_as_it_was_written(echo):
    client, token = echo.signed_in("director")
    sent = {"csrf": token, "a": ["1", "2"], "text": "一行目\r\n二行目 𠮷 🏳️‍🌈 & = + %", "empty": ""}
    shown = client.post("/echo", data=sent).text
    assert eval(shown) == [("a", "1"), ("a", "2"), ("text", "一行目\n二行目 𠮷 🏳️‍🌈 & = + %"), ("empty", "")]


@pytest.mark.parametrize(
    ("headers", "body", "said"),
    [
        (FORM, b"a=%00", "NUL"),
        (FORM, b"a%00=1", "NUL"),
        (FORM, b"a=%ED%A0%80", "UTF-8"),  # a lone surrogate
        (FORM, b"a=%FF%FE", "UTF-8"),
        (FORM, "a=生".encode(), "UTF-8"),
        (FORM, b"&".join(b"a%d=1" % n for n in range(MOST_FIELDS + 1)), "項目"),
        ({"Content-Type": "application/x-www-form-urlencoded; charset=idna"}, b"a=1", "様式"),
        ({"Content-Type": "multipart/form-data; boundary=x"}, b"--x\r\n\r\n--x--", "様式"),
        ({"Content-Type": "application/json"}, b"{}", "様式"),
        ({"Content-Type": ""}, b"a=1", "様式"),
    ],
)
def test_a_form_that_cannot_be_read_is_refused_in_words(echo, headers, body, said):
    client, _ = echo.signed_in("director")
    response = client.post("/echo", content=body, headers=headers)
    assert response.status_code == 400
    assert said in response.text


@pytest.mark.parametrize("path", ["/?q=%00", "/%00", "/cases/%00"])
def test_nul_in_an_address_is_refused(web, path):
    assert web.client().get(path).status_code == 400


def test_a_body_beyond_the_limit_is_refused_before_it_is_read(echo):
    client, token = echo.signed_in("director")
    big = b"a=" + b"x" * (2 * 1024 * 1024)
    announced = client.post("/echo", content=big, headers=FORM)
    chunked = client.post("/echo", content=(big[n : n + 65536] for n in range(0, len(big), 65536)), headers=FORM)
    for response in (announced, chunked):
        assert response.status_code == 413
        assert "大きすぎます" in response.text
    assert client.post("/echo", data={"csrf": token, "a": "x" * 1_000_000}).status_code == 200


def test_there_is_no_description_of_the_api_and_no_foreign_origin(web):
    client = web.client()
    for path in ("/docs", "/redoc", "/openapi.json", "/metrics", "/static", "/static/"):
        assert client.get(path).status_code in (404, 405, 307), path
    response = client.get("/login", headers={"Origin": "http://evil.example"})
    assert not any(name.startswith("access-control") for name in response.headers)
    assert "server" not in response.headers


def test_three_boxes_of_a_date_are_one_field(echo):
    client, token = echo.signed_in("director")
    sent = {
        "csrf": token,
        "from~y": " R8 ",
        "from~m": "12",
        "from~d": "1",
        "to~y": "令和8年12月8日",
        "to~m": "",
        "to~d": "",
    }
    assert eval(client.post("/echo", data=sent).text) == [("from", "R8.12.1"), ("to", "令和8年12月8日")]
