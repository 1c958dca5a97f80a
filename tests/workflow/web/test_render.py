"""Filters, static files, and what stands around a page."""

import re
from datetime import UTC, date, datetime

import pytest
from fastapi.routing import iter_route_contexts
from markupsafe import Markup

from workflow.web import render
from workflow.web.render import TEMPLATES, date_boxes, date_echo, environment, static

ALL = sorted(p.relative_to(TEMPLATES).as_posix() for p in TEMPLATES.rglob("*.html"))


@pytest.mark.parametrize("name", ALL)
def test_every_template_compiles_and_brings_no_style_or_script_of_its_own(name):
    environment().get_template(name)
    text = (TEMPLATES / name).read_text(encoding="utf-8")
    assert not re.search(r"\sstyle=|<style|\son[a-z]+=|javascript:", text)
    assert not re.search(r"<script(?! src=)", text)
    assert "|safe" not in text.replace(" ", "")


def shown(text: str, **context: object) -> str:
    return environment().from_string(text).render(**context)


def test_times_are_told_as_in_tokyo():
    at = datetime(2026, 10, 13, 15, 5, tzinfo=UTC)
    assert shown("{{ at|clock }}", at=at) == "10月14日 0:05"
    assert shown("{{ at|shortdate }} {{ at|wareki }}", at=at) == "10月14日(水) 令和8年10月14日"
    assert shown("{{ day|shortdate }} {{ day|wareki }}", day=date(2019, 5, 1)) == "5月1日(水) 令和元年5月1日"


def test_text_is_escaped_and_what_hides_is_shown():
    evil = "<b>\u202eabc\n二行目\u200b"
    assert shown("{{ t }}", t="<b>") == "&lt;b&gt;"
    assert shown("{{ t|lines }}", t=evil) == "&lt;b&gt;⟦U+202E⟧abc<br>二行目⟦U+200B⟧"
    assert shown("{{ t|visible }}", t=evil).startswith("&lt;b&gt;⟦U+202E⟧")
    assert shown("{{ t|visible }}", t=Markup("<i>ours</i>")) == "<i>ours</i>"


@pytest.mark.parametrize(
    ("typed", "boxes"),
    [
        ("R8.12.1", ("R8", "12", "1")),
        ("2026-12-01", ("2026", "12", "01")),
        ("令和8年12月1日", ("令和8", "12", "1")),
        ("２０２６／１２／１", ("２０２６", "１２", "１")),
        ("R8.12", ("R8", "12", "")),
        ("12月の初め", ("12月の初め", "", "")),
        ("20261201", ("20261201", "", "")),
        ("", ("", "", "")),
    ],
)
def test_a_typed_date_falls_into_its_boxes(typed, boxes):
    assert date_boxes(typed) == boxes


def test_a_typed_date_is_echoed_as_understood():
    assert date_echo("R8.11.9") == "令和8年11月9日(月) ・ 2026年"
    assert date_echo("11月31日") == ""


def test_static_files_are_kept_for_good_under_the_mark_of_their_content(web):
    client = web.client()
    kept = client.get(static("style.css"))
    assert kept.status_code == 200
    assert kept.headers["content-type"].startswith("text/css")
    assert "immutable" in kept.headers["cache-control"]
    assert client.get("/static/style.css?v=0").headers["cache-control"] == "no-cache"
    for path in ("/static/../base.html", "/static/%2e%2e/base.html", "/static/..%2fbase.html"):
        assert client.get(path).status_code == 404


def test_around_a_page_stand_office_post_queue_and_whom_to_ask(web, owner):
    owner.execute("UPDATE organisation SET contact = '地域政策課 電話 0000-00-0000' WHERE code = 'hk-kamikawa'")
    for role, seen, unseen in (("director", ("案件", "報告"), ("記録",)), ("auditor", ("案件", "記録"), ("報告",))):
        client, _ = web.signed_in(role)
        text = client.get("/nowhere").text
        assert "受信箱" not in text.split("<main")[0]  # nobody was asked who is there
        text = client.post("/logout", data={"csrf": "x"}).text
        head = text.split("<main")[0]
        assert all(f">{word}</a>" in head for word in seen)
        assert not any(f">{word}</a>" in head for word in unseen)
    client, _ = web.signed_in("municipality")
    text = client.post("/logout", data={"csrf": "x"}).text
    assert "総務課 係長" in text
    assert "この画面の問合せ: 地域政策課 電話 0000-00-0000" in text  # the bureau of that municipality


def test_every_entry_of_the_navigation_leads_to_a_page(web):
    pages = {route.path for route in iter_route_contexts(web.app.routes) if "GET" in (route.methods or ())}
    assert {link.href for link in render.navigation(True)} <= pages


@pytest.mark.parametrize(("waiting", "told"), [(0, ""), (1, "1"), (99, "99"), (100, "99+"), (1000, "99+")])
def test_the_queue_is_told_up_to_ninety_nine(waiting, told):
    signed = render.Signed(actor=None, csrf="", waiting=waiting)  # type: ignore[arg-type]
    assert render._queue(signed) == told
