"""The search page and the counts beside a list: one kind of thing at a time, shareable addresses, nothing foreign."""

import re
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from tests import factory
from tests.workflow.web.browsing import Browser, browser_of, sheet, visible
from workflow import db, finding, search
from workflow.web import case_list

Browse = Callable[[int], Browser]
ROAD = ("submit", "receive", "propose_team", "put_to_director")


@pytest.fixture
def browse(web, conn) -> Browse:
    return lambda person_id: browser_of(web, conn, person_id)


def put_in(conn, who, *actions, **request) -> int:
    case_id = factory.opened(conn, who, **request)
    factory.drive(conn, who, case_id, *(actions or ("submit",)))
    search.refresh(conn, case_id)
    return case_id


def cases_in(html: str) -> list[int]:
    return [int(number) for number in re.findall(r'class="data-table__title" href="/cases/(\d+)"', html)]


def marks(html: str) -> list[str]:
    return re.findall("<mark>([^<]*)</mark>", html)


def counts(html: str) -> dict[str, str]:
    """Every way on with a number behind it: tabs and values of the counts."""
    found = re.findall(r'<a href="([^"]*)"[^>]*>(.*?)</a>', html, re.DOTALL)
    told = ((visible(text), href) for href, text in found if 'class="number"' in text)
    return {" ".join(text.split()): href.replace("&amp;", "&") for text, href in told}


def test_every_page_leads_to_the_search(browse: Browse, conn, who):
    html = browse(who.bureau).get("/inbox")
    assert 'action="/search"' in html
    html = browse(who.bureau).get("/search")
    assert "探せるもの" in visible(html)
    assert html.count('action="/search"') == 1


def test_cases_are_found_with_the_words_marked(browse: Browse, conn, who):
    first = put_in(conn, who, title="丘の<b>計画</b>", purpose="白樺の道を直したい。")
    put_in(conn, who, title="海の計画")
    html = browse(who.bureau).get("/search?q=白樺　丘")
    assert cases_in(html) == [first]
    assert marks(html) == ["丘", "白樺"]
    assert "困っていること" in visible(html)
    assert "&lt;b&gt;計画&lt;/b&gt;" in html


def test_an_address_narrows_counts_and_leads_back(browse: Browse, conn, who):
    put = [put_in(conn, who, title=f"丘の道 {number}") for number in range(3)]
    factory.drive(conn, who, put[0], "receive", "propose_team", "put_to_director")
    factory.drive(conn, who, put[1], ("withdraw", {"by": who.municipality}))
    search.refresh(conn, *put)
    seat = browse(who.bureau)
    for path in ("/search?q=丘", "/cases?q=丘", "/cases"):
        ways = counts(seat.get(path))
        assert {"進行中 2 件", "終わった 1 件", "決定 1 件", "判断 1 件", "取り下げた 1 件"} <= set(ways)
        assert cases_in(seat.get(ways["判断 1 件"])) == [put[0]]
        narrowed = seat.get(ways["進行中 2 件"])
        assert cases_in(narrowed) == [put[2], put[0]]
        back = counts(narrowed)["進行中 ・ 外す 2 件"]
        assert cases_in(seat.get(back)) == put[::-1]
    outside = counts(browse(who.municipality).get("/search?q=丘"))
    assert "決定 1 件" in outside
    assert "判断 1 件" not in outside  # an inner state is not told by a count either


def test_other_kinds_of_things_are_counted_and_shown(browse: Browse, conn, who):
    conn.execute("UPDATE person SET name = '髙橋（仮名）', kana = 'タカハシ' WHERE id = %s", [who.staff])
    case_id = put_in(conn, who, *ROAD, "approve")
    seat = browse(who.bureau)
    ways = counts(seat.get("/search?q=たかはし"))
    assert {"案件 1 件", "職員・関係者 1 件", "報告 0 件", "市町村・団体 0 件"} <= set(ways)
    html = seat.get(ways["職員・関係者 1 件"])
    assert marks(html) == ["タカハシ"]
    told = re.search(r'href="(/cases\?person=\d+)">1件を見る', html)
    assert told
    html = seat.get(told[1])
    assert cases_in(html) == [case_id]
    assert "髙橋（仮名）さんが派遣された案件" in visible(html)
    assert counts(browse(who.municipality).get("/search?q=たかはし"))["職員・関係者 0 件"]
    assert "髙橋" not in visible(browse(who.municipality).get(told[1]))


def test_municipalities_are_found_by_former_names_and_lead_to_their_cases(browse: Browse, conn):
    oshima = factory.cast(conn, "hk-oshima", "013463")
    case_id = put_in(conn, oshima)
    for person in (oshima.bureau, oshima.headquarters, oshima.municipality):
        html = browse(person).get("/search?q=くまいし&what=places")
        assert "熊石町" in visible(html)
        assert "/cases?place=013463" in html
    assert cases_in(browse(oshima.bureau).get("/cases?place=013463")) == [case_id]
    stranger = factory.person(conn, "bureau", "hk-sorachi")
    assert "八雲町" not in visible(browse(stranger).get("/search?q=くまいし&what=places"))


def test_what_a_page_changes_is_found_at_once(browse: Browse, conn, who):
    draft = factory.opened(conn, who, title="古い題")
    seat = browse(who.municipality)
    fields = sheet(seat.get(f"/cases/{draft}/edit"))
    seat.send(f"/cases/{draft}/edit", {**fields, "request.title": "新しい白樺", "do": "save"})
    assert cases_in(seat.get("/search?q=白樺")) == [draft]
    assert cases_in(seat.get("/search?q=古い題")) == []
    pool: Any = db.database().engine.pool
    assert pool.checkedout() == 0


def test_a_new_draft_is_found_at_once(browse: Browse, conn, who):
    seat = browse(who.municipality)
    new = "/cases/new?process=dispatch&origin=municipality_request"
    fields = sheet(seat.get(new))
    answer = seat.send(new, {**fields, "request.title": "生まれたての白樺", "do": "save"})
    draft = int(answer.headers["location"].split("/")[2].partition("?")[0])
    assert cases_in(seat.get("/search?q=生まれたて")) == [draft]


def test_a_search_that_fails_to_be_kept_fresh_keeps_the_act(browse: Browse, conn, who, monkeypatch):
    def failing(*_: Any) -> None:
        raise psycopg.OperationalError

    draft = factory.opened(conn, who)
    seat = browse(who.municipality)
    fields = sheet(seat.get(f"/cases/{draft}/edit"))
    monkeypatch.setattr(search, "refresh", failing)
    seat.send(f"/cases/{draft}/edit", {**fields, "request.title": "残った題", "do": "save"})
    assert conn.execute("SELECT title FROM cases WHERE id = %s", [draft]).fetchone() == ("残った題",)


@pytest.mark.parametrize(
    "params",
    [
        {"q": "x" * 10_000}, {"q": "a\x01b"}, {"q": "%_\\'\""}, {"q": "𠮷" * 150, "what": "people"}, {"q": "丘", "what": "いつか", "year": "²"},
        {"q": "丘", "person": "9" * 40, "place": "\x01", "outcome": "%", "ended": "x", "kind": "'", "sort": "due"},
        {"q": " ".join("abcdefghijklmno"), "what": "places"}, {"q": "|&!()<>:*", "what": "reports"}, {"q": "-ー", "year": "0"},
    ],
)  # fmt: skip
def test_no_address_breaks_the_search(browse: Browse, conn, who, params):
    put_in(conn, who, title="丘")
    for person in (who.bureau, who.municipality, who.auditor, who.staff):
        answer = browse(person).client.get("/search", params=params)
        assert answer.status_code == 200
    if len(params["q"]) > finding.LONGEST:
        assert "200字までです" in visible(answer.text)


def test_long_lists_go_on_and_come_back(browse: Browse, conn, who, monkeypatch):
    monkeypatch.setattr(case_list, "PAGE", 2)
    put = [put_in(conn, who, title=f"丘 {number}") for number in range(5)]
    seat = browse(who.bureau)
    for path in ("/search?q=丘&sort=due", "/search?q=丘", "/cases?sort=due"):
        seen, html = [], seat.get(path)
        while True:
            seen += cases_in(html)
            more = re.search(r'href="([^"]*)"[^>]*>次を見る', html)
            if not more:
                break
            html = seat.get(more[1].replace("&amp;", "&"))
        assert sorted(seen) == put
        assert "初めに戻る" in html


def test_everybody_is_told_only_what_is_theirs(browse: Browse, conn, who):
    """Words of a foreign case lead nowhere, neither as a hit nor as a number."""
    put_in(conn, who, *ROAD, title="秘した白樺")
    elsewhere = factory.cast(conn, "hk-sorachi", "012106")
    for person in (elsewhere.bureau, elsewhere.municipality, elsewhere.director, elsewhere.staff, elsewhere.records):
        for what in ("", "people", "reports", "places"):
            html = browse(person).get(f"/search?q=白樺&what={what}")
            assert {"案件 0 件", "職員・関係者 0 件", "報告 0 件", "市町村・団体 0 件"} <= set(counts(html))
            assert cases_in(html) == []


def test_earlier_cases_stand_beside_a_draft_and_a_decision(browse: Browse, conn, who):
    done = put_in(conn, who, *ROAD, "decline", title="丘の道の相談")
    judged = put_in(conn, who, *ROAD)
    told = visible(browse(who.director).get(f"/cases/{judged}"))
    assert "これまでの似た案件" in told
    assert "丘の道の相談 派遣しなかった" in told
    html = browse(who.municipality).get("/cases/new?process=dispatch&origin=municipality_request")
    assert f'href="/cases/{done}"' in html
