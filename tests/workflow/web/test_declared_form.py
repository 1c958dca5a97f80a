"""A process that only declares its form has every page: draft, act, case and paper, without a template of its own."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest

from states import catalogue
from states.forms import Field, Form, Group, Table
from states.kernel import Process
from states.places import Directory
from states.terms import STAY, Action, Facts, Input, State
from tests import factory
from tests.workflow.web.browsing import Browser, browser_of, sheet, visible
from tests.workflow.web.conftest import Web
from workflow import cases
from workflow.db import database, type_connection
from workflow.web import offers

BUREAU = frozenset({"bureau"})
WEATHER = (("sun", "晴れ"), ("rain", "雨"))
FORM = Form(
    (
        Group("walk", "まち歩き", (
            Field("title", "題", need=True, most=40), Field("aim", "ねらい", "long", hint="だれのためか"), Field("on", "日", "date", need=True),
            Field("from", "始まり", "time"), Field("weather", "天気", "choice", options=WEATHER), Field("free", "だれでも来てよい", "tick"),
            Field("heads", "人数", "number"), Field("towns", "市町村", "municipalities"), Field("about", "主な市町村", "municipality"),
            Field("kinds", "持ち物", "several", options=(("hat", "帽子"), ("map", "地図"), ("cup", "水筒"))),
            Table("stops", "立ち寄る所", (Field("place", "場所"), Field("long", "長く", "tick"), Field("sky", "空", "choice", options=WEATHER)), add="所を足す"),
        ), lead="歩いて話します。"),
        Group("guests", "来た人", (Table("items", "来た人", (Field("who", "だれ"), Field("said", "話", "long")), need=True),)),
        Group("letter", "お礼", (Field("text", "文", "long", need=True), Field("inner", "内輪のこと", inside=True), Field("on", "出した日", "mark"))),
        Group("keeper", "担当", (Field("post", "担当の職", "post"), Field("town", "担当する市町村", "municipality")), typed=False),
        Group("word", "一言", (Field("text", "一言"),), many=True),
    ),
)  # fmt: skip


def thanks(facts: Facts) -> Mapping[str, Mapping[str, Any]]:
    return {"letter": {"text": f"「{facts.read.text('walk.title')}」へのお礼です。"}}


PROCESS = Process(
    key="walk", version=1, label="まち歩き",
    states=(
        State("w_draft", "下書き", "準備", "bureau", private=True), State("w_open", "進行中", "進行", "bureau", "お礼を書く"),
        State("w_done", "終わり", "終わり", final=True, outcome="終わった"),
    ),
    table=(
        Action("begin", ("w_draft",), "w_open", "始める", BUREAU, "番号がつきます", guards=(FORM.letters, FORM.lacking("walk")), edits=frozenset({"walk"}), numbers=("case",), main=True),
        Action("welcome", ("w_open",), STAY, "来た人と一言を書く", BUREAU, "残ります", guards=(FORM.letters,), edits=frozenset({"guests", "word"})),
        Action("give", ("w_open",), STAY, "担当を決める", BUREAU, "担当に伝わります", asks=(Input("post", "担当の職", "post", into="keeper.post"), Input("town", "担当する市町村", "municipality", into="keeper.town"))),
        Action("thank", ("w_open",), "w_done", "お礼を送る", BUREAU, "終わります", guards=(FORM.lacking("letter"),), edits=frozenset({"letter"}), begins=thanks,
               record=lambda facts: {"letter": {"on": facts.today.isoformat()}}, main=True),
    ),
    form=FORM, read=FORM.read, fields=FORM.fields, told=FORM.told, wording=FORM.wording, mark="歩き",
    title=lambda form: str((form.get("walk") or {}).get("title") or "(題なし)"), opens={"office": BUREAU},
    words={"begins": {"office": "まち歩きを始める"}, "heading": {"office": "まち歩きを計画する"}, "lead": {"office": "歩いて話を聞きます。"}, "origins": {"office": "局の計画"}},
)  # fmt: skip
NEW = "/cases/new?process=walk&origin=office"


@pytest.fixture(autouse=True)
def published(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {**catalogue.all_versions.__wrapped__(), ("walk", 1): PROCESS}
    monkeypatch.setattr(catalogue, "all_versions", lambda: known)
    monkeypatch.setattr(catalogue, "newest", lambda: {key: p for (key, _), p in sorted(known.items())})


@pytest.fixture
def conn(web: Web) -> Iterator[type_connection]:
    with database().connection() as connection:
        yield connection


@pytest.fixture
def who(conn: type_connection) -> factory.Cast:
    return factory.cast(conn)


@pytest.fixture
def browse(web: Web, conn: type_connection) -> Callable[[int], Browser]:
    return lambda person_id: browser_of(web, conn, person_id)


def towns(conn: type_connection, office: str) -> Sequence[Any]:
    return Directory.from_csv().of_office(office, cases.today(conn))


def typed(conn: type_connection, who: factory.Cast, **more: Any) -> dict[str, Any]:
    first, second, *_ = towns(conn, who.office)
    return {
        "saves": "0", "walk.title": "駅から川まで", "walk.aim": "若い人の\r\n話を聞く", "walk.on~y": "R8", "walk.on~m": "11", "walk.on~d": "9", "walk.from": "13:30",
        "walk.weather": "sun", "walk.free": ["", "on"], "walk.heads": "12", "walk.towns": ["", first.code, second.code], "walk.about": first.code,
        "walk.kinds": ["", "hat", "cup"], "walk.stops.0.place": "駅", "walk.stops.0.long": ["", "on"], "walk.stops.0.sky": "rain",
        "walk.stops.1.place": "", "walk.stops.1.long": "", "walk.stops.1.sky": "", **more,
    }  # fmt: skip


def drafted(conn: type_connection, who: factory.Cast, browser: Browser, **more: Any) -> int:
    where = browser.send(NEW, typed(conn, who, **more)).headers["location"]
    found = re.match(r"/cases/(\d+)", where)
    assert found, where
    return int(found[1])


def begun(conn: type_connection, who: factory.Cast, browser: Browser) -> int:
    case_id = drafted(conn, who, browser)
    page = f"/cases/{case_id}/actions/begin"
    browser.send(page, sheet(browser.get(page)))
    return case_id


def kept(conn: type_connection, person: int, case_id: int) -> Any:
    return cases.look(conn, person, case_id).form


def test_the_empty_form_names_every_field_of_its_draft_and_no_other(
    browse: Callable[[int], Browser], who: factory.Cast
) -> None:
    html = browse(who.bureau).get(NEW)
    text = visible(html)
    assert "まち歩きを計画する" in text
    assert "歩いて話を聞きます。" in text
    assert "歩いて話します。" in text
    assert all(
        label in text for label in ("題", "ねらい", "始まり", "だれでも来てよい", "持ち物", "立ち寄る所", "所を足す")
    )
    assert "お礼" not in text
    assert "来た人" not in text
    assert "出した日" not in text


def test_what_was_typed_is_stored_as_typed_and_stands_on_the_page_again(
    conn: type_connection, browse: Callable[[int], Browser], who: factory.Cast
) -> None:
    browser = browse(who.bureau)
    case_id = drafted(conn, who, browser)
    first, second, *_ = towns(conn, who.office)
    walk = kept(conn, who.bureau, case_id)["walk"]
    assert walk == {
        "title": "駅から川まで", "aim": "若い人の\n話を聞く", "on": "R8.11.9", "from": "13:30", "weather": "sun", "free": True, "heads": "12",
        "towns": f"{first.code} {second.code}", "about": first.code, "kinds": "hat cup", "stops": [{"place": "駅", "long": True, "sky": "rain"}],
    }  # fmt: skip
    again = browser.get(f"/cases/{case_id}/edit")
    for name, value in (("walk.kinds", "hat"), ("walk.kinds", "cup"), ("walk.towns", second.code), ("walk.free", "on")):
        assert re.search(rf'type="checkbox" name="{name}" value="{value}"[^>]* checked', again), (name, value)
    assert not re.search(r'name="walk.kinds" value="map"[^>]* checked', again)
    sent = sheet(again)
    assert sent["walk.about"] == first.code
    assert sent["walk.stops.0.place"] == "駅"
    assert sent["walk.stops.0.sky"] == "rain"


def test_boxes_that_are_cleared_are_empty_afterwards(
    conn: type_connection, browse: Callable[[int], Browser], who: factory.Cast
) -> None:
    browser = browse(who.bureau)
    case_id = drafted(conn, who, browser)
    page = sheet(browser.get(f"/cases/{case_id}/edit"))
    cleared = {"walk.free": "", "walk.kinds": "", "walk.towns": "", "walk.stops.0.long": ""}
    browser.send(f"/cases/{case_id}/edit", page | cleared)
    walk = kept(conn, who.bureau, case_id)["walk"]
    assert (walk["free"], walk["kinds"], walk["towns"], walk["stops"][0]["long"]) == (False, "", "", False)


def test_what_lacks_or_is_no_choice_is_said_beside_its_field_and_nothing_typed_is_lost(
    conn: type_connection, browse: Callable[[int], Browser], who: factory.Cast
) -> None:
    browser = browse(who.bureau)
    refused = browser.send(NEW, typed(conn, who, **{"walk.weather": "snow"}), status=422).text
    assert "「天気」を選び直してください。" in visible(refused)
    assert re.search(r'name="walk.kinds" value="cup"[^>]* checked', refused)
    assert 'value="駅から川まで"' in refused
    case_id = drafted(conn, who, browser, **{"walk.title": ""})
    again = browser.get(f"/cases/{case_id}/edit?check=1")
    assert 'href="#walk-title"' in again
    assert "「題」を書いてください。" in visible(again)
    assert kept(conn, who.bureau, case_id)["walk"]["aim"].startswith("若い人")


def test_the_case_and_its_paper_read_everything_back_in_words(
    conn: type_connection, browse: Callable[[int], Browser], who: factory.Cast
) -> None:
    browser = browse(who.bureau)
    case_id = begun(conn, who, browser)
    first, second, *_ = towns(conn, who.office)
    for path in (f"/cases/{case_id}", f"/cases/{case_id}/print"):
        text = visible(browser.get(path))
        for said in (
            "令和8年11月9日(月)",
            "晴れ",
            "帽子、水筒",
            f"{first.name}、{second.name}",
            "だれでも来てよい はい",
            "駅",
            "雨",
        ):
            assert said in text, (path, said)
        assert first.code not in text
        assert "walk" not in text
    number = str(cases.look(conn, who.bureau, case_id).number)
    assert "-歩き-R8-001" in number
    assert number in visible(browser.get(f"/cases/{case_id}/print"))


def test_an_act_writes_its_groups_and_the_part_of_the_office_that_acts(
    conn: type_connection, browse: Callable[[int], Browser], who: factory.Cast
) -> None:
    browser = browse(who.bureau)
    case_id = begun(conn, who, browser)
    page = f"/cases/{case_id}/actions/welcome"
    html = browser.get(page)
    assert "来た人" in visible(html)
    assert f'name="word:{who.office}.text"' in html
    assert "walk.title" not in html
    written = {
        "guests.items.0.who": "店の人",
        "guests.items.0.said": "朝は人がいる",
        f"word:{who.office}.text": "また来ます",
    }
    browser.send(page, sheet(html) | written)
    form = kept(conn, who.bureau, case_id)
    assert form["guests"] == {"items": [{"who": "店の人", "said": "朝は人がいる"}]}
    assert form[f"word:{who.office}"] == {"text": "また来ます"}
    text = visible(browser.get(f"/cases/{case_id}"))
    assert "朝は人がいる" in text
    assert "また来ます" in text
    assert who.office not in text
    assert "一言(上川総合振興局)" in text


def test_a_letter_drafts_itself_until_somebody_wrote_another(
    conn: type_connection, browse: Callable[[int], Browser], who: factory.Cast
) -> None:
    browser = browse(who.bureau)
    case_id = begun(conn, who, browser)
    page = f"/cases/{case_id}/actions/thank"
    html = browser.get(page)
    assert sheet(html)["letter.text"] == "「駅から川まで」へのお礼です。"
    assert "局内のみ" in visible(html)
    browser.send(f"/cases/{case_id}/edit?action=thank", sheet(html) | {"letter.text": "別の文です。", "do": "save"})
    again = browser.get(page)
    assert sheet(again)["letter.text"] == "別の文です。"
    browser.send(page, sheet(again))
    assert kept(conn, who.bureau, case_id)["letter"]["text"] == "別の文です。"
    assert "出した日" in visible(browser.get(f"/cases/{case_id}"))


def test_a_post_and_a_municipality_are_picked_from_the_lists_of_the_office_and_nothing_else_is_taken(
    conn: type_connection, browse: Callable[[int], Browser], who: factory.Cast
) -> None:
    browser = browse(who.bureau)
    case_id = begun(conn, who, browser)
    first, *_ = towns(conn, who.office)
    page = browser.get(f"/cases/{case_id}")
    options = re.findall(r'<option value="(\d+)"[^>]*>([^<]*)', page)
    own = conn.execute(
        "SELECT p.id::text FROM tenure t JOIN post p ON p.id = t.post_id WHERE t.person_id = %s", (who.bureau,)
    ).fetchone()
    away = conn.execute("SELECT id::text FROM post WHERE org_code <> %s ORDER BY id LIMIT 1", (who.office,)).fetchone()
    assert own
    assert away
    assert own[0] in dict(options)
    assert away[0] not in dict(options)
    assert first.code in dict(options)
    act = {
        "version": "1",
        "key": "6f0e7f0a-8d0c-4a52-9b7c-5a5b4f9a0001",
        "input.post": away[0],
        "input.town": first.code,
    }
    refused = browser.send(f"/cases/{case_id}/actions/give", act, status=422).text
    assert "「担当の職」を選び直してください。" in visible(refused)
    browser.send(f"/cases/{case_id}/actions/give", act | {"input.post": own[0]})
    assert kept(conn, who.bureau, case_id)["keeper"] == {"post": own[0], "town": first.code}
    text = visible(browser.get(f"/cases/{case_id}"))
    assert dict(options)[own[0]].strip() in text
    assert first.name in text


def test_its_words_are_those_that_it_declares() -> None:
    words = offers.words(PROCESS)
    assert words.groups == ("walk", "guests", "letter", "keeper", "word")
    assert words.group_names["letter"] == "お礼"
    assert words.group_names["route"] == "決裁の順序"
    assert words.origins == {"office": "局の計画"}
    assert words.folded == ()
