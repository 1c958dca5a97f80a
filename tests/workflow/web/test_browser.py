"""What people see, in a real browser: at both widths nothing sticks out, nothing is refused, and axe finds nothing."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from fastapi import Request
from jinja2 import ChoiceLoader, DictLoader
from playwright.sync_api import Browser, Page
from starlette.responses import Response

from states.terms import Input, Level, Verdict
from tests.workflow.web.conftest import PASSWORD
from workflow import cases
from workflow.web.render import environment, page
from workflow.web.session import RowId, SignedIn

pytestmark = pytest.mark.browser

WIDTHS = (1280, 390)
SPECIMEN = (Path(__file__).parent / "specimen.html").read_text(encoding="utf-8")
SHOTS = os.environ.get("TOBIDASHI_SHOTS")  # a folder, to look at the pages


@pytest.fixture(params=WIDTHS)
def tab(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """A page of one width that remembers what the browser complained about."""
    context = browser.new_context(
        viewport={"width": request.param, "height": 900}, locale="ja-JP", timezone_id="Asia/Tokyo"
    )
    opened = context.new_page()
    complaints: list[str] = []
    opened.on(
        "console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None
    )
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    context.close()
    # A page with an error status is reported as a resource that failed to load: that is what it is.
    assert [c for c in complaints if "status of 4" not in c and "status of 5" not in c] == []


def looks_right(tab: Page, name: str) -> None:
    width = tab.viewport_size["width"]  # type: ignore[index]
    if SHOTS:
        tab.screenshot(path=f"{SHOTS}/{name}-{width}.png", full_page=True)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width, f"{name} is wider than {width}"
    found = Axe().run(tab, options={"resultTypes": ["violations"]}).response["violations"]
    assert [(v["id"], [n["target"] for n in v["nodes"]]) for v in found] == []


def sign_in(tab: Page, address: str) -> None:
    tab.goto(f"{address}/login?next=/nowhere")
    tab.get_by_label("ログイン名").fill("director")
    tab.get_by_label("パスワード").fill(PASSWORD)
    tab.get_by_role("button", name="ログインする").click()


def test_signing_in(web, tab, address):
    web.person("director")
    tab.goto(f"{address}/login?next=/nowhere")
    looks_right(tab, "login")
    tab.get_by_label("ログイン名").fill("director")
    tab.get_by_label("パスワード").fill("wrong")
    tab.keyboard.press("Enter")
    tab.locator(".error-summary:focus").get_by_text("ログインしていません").wait_for()
    looks_right(tab, "login_failed")
    assert tab.get_by_label("ログイン名").input_value() == "director"
    tab.get_by_label("パスワード").fill(PASSWORD)
    tab.get_by_role("button", name="ログインする").click()
    assert tab.url == f"{address}/nowhere"
    looks_right(tab, "404")


def test_without_script_one_signs_in_as_well(web, browser, address):
    web.person("director")
    with browser.new_context(java_script_enabled=False) as context:
        tab = context.new_page()
        sign_in(tab, address)
        assert tab.url == f"{address}/nowhere"


def test_who_came_second_loses_nothing(web, tab, address):
    found = cases.Conflict(
        "地域創生部長", datetime(2026, 10, 14, 5, 2, 31, tzinfo=UTC), "派遣を決定する", "派遣準備", 14
    )

    @web.app.get("/cases/{case_id}/try")
    def form(request: Request, case_id: RowId, signed: SignedIn) -> Response:
        return page(request, signed, "specimen_form.html")

    @web.app.post("/cases/{case_id}/try")
    def lose(case_id: RowId, signed: SignedIn) -> None:
        raise found

    text = '{% extends "base.html" %}{% block title %}差し戻す{% endblock %}{% block main %}<h1>差し戻す</h1><form method="post">{{ c.token(csrf) }}<input type="hidden" name="version" value="13">{{ c.field("reason", "理由", kind="textarea") }}{{ c.button("差し戻す") }}</form>{% endblock %}'
    add_templates(
        {"specimen_form.html": text.replace("{% block title", '{% import "components.html" as c %}{% block title')}
    )
    web.person("director")
    sign_in(tab, address)
    tab.goto(f"{address}/cases/26/try")
    reason = "旅費の見積りが10月の改定前の額になっている。改定後の額で積み直し、総額を確かめてほしい。"
    tab.get_by_label("理由").fill(reason)
    tab.get_by_role("button", name="差し戻す").click()
    assert tab.get_by_role("heading", level=1).inner_text() == "ほかの方が先に処理していました"
    assert tab.get_by_label("書いた文 1").input_value() == reason
    looks_right(tab, "409")


def test_every_component(web, tab, address):
    @web.app.get("/specimen")
    def specimen(request: Request, signed: SignedIn) -> Response:
        return page(
            request, signed, "specimen.html", at=datetime(2026, 10, 13, 7, 40, tzinfo=UTC),
            verdicts=[
                Verdict(Level.PASS, "期間26日(上限は12月8日)", rule="D-07"), Verdict(Level.WARN, "1人1週間以内程度を1日超えます。", rule="D-08"),
                Verdict(Level.BLOCK, "期間が1か月を超えます。", rule="D-07"), Verdict(Level.PROCEDURE, "本庁と協議します。", rule="D-03"),
            ],
            asks=[
                Input("internal", "局内の理由", internal=True), Input("until", "再検討する日", "date"), Input("who", "だれに", "person"),
                Input("reply", "回答", "choice", choices=(("no", "異議なし"), ("yes", "同意しない"))),
            ],
        )  # fmt: skip

    add_templates({"specimen.html": SPECIMEN})
    web.person("director")
    sign_in(tab, address)
    tab.goto(f"{address}/specimen")
    looks_right(tab, "specimen")
    tab.locator("#request-title").fill("𠮷田")
    assert tab.locator(".field__count").first.inner_text() == "2字 / 60字"


def add_templates(texts: dict[str, str]) -> None:
    made = environment()
    assert made.loader is not None
    made.loader = ChoiceLoader([DictLoader(texts), made.loader])
