"""The calendar of a month: whose it is, by the reader's rights; every entry in words, a link to its case."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from html import unescape
from typing import Any
from uuid import uuid4

import pytest

from tests import factory
from tests.workflow.web.browsing import Browser, browser_of, visible
from tests.workflow.web.conftest import At, Web
from workflow import extending
from workflow.db import type_connection

Browse = Callable[[int], Browser]
pytestmark = pytest.mark.usefixtures("at")
OCTOBER, NOVEMBER = "2026-10", "2026-11"


@pytest.fixture
def browse(web: Web, conn: type_connection) -> Browse:
    return lambda person_id: browser_of(web, conn, person_id)


@pytest.fixture
def proposed(conn: type_connection, who: factory.Cast) -> int:
    """A case on the director's desk, of three days in November."""
    case = factory.opened(conn, who, first=date(2026, 11, 9))
    factory.drive(conn, who, case, "submit", "receive", "propose_team", "put_to_director")
    return case


def days(html: str) -> dict[str, list[str]]:
    """What stands on which day: the words of its entries."""
    found: dict[str, list[str]] = {}
    for cell in re.findall(r'<td role="cell" class="month__day.*?</td>', html, re.DOTALL):
        when = re.search(r'datetime="([\d-]+)"', cell)
        entries = re.findall(r'<a class="entry[^>]*>(.*?)</a>', cell, re.DOTALL)
        if when and entries:
            found[when[1]] = [unescape(" ".join(visible(entry).split())) for entry in entries]
    return found


def month(browser: Browser, view: str = "", of: str = OCTOBER) -> dict[str, list[str]]:
    return days(browser.get(f"/calendar?view={view}&month={of}"))


def test_a_person_s_month_is_what_waits_for_them_and_where_they_are_sent(
    browse: Browse, conn: type_connection, who: factory.Cast, proposed: int, at: At
) -> None:
    (told,) = month(browse(who.director))["2026-10-08"]
    assert told.startswith("期限: 派遣を判断する 上川-R8-001 空き家を生かす")
    assert list(month(browse(who.bureau))) == ["2026-10-07"], "what waits, waits for somebody else"
    (told,) = month(browse(who.staff), of=NOVEMBER)["2026-11-09"]
    assert told.startswith("飛び出し隊 派遣の案"), "not decided yet"
    factory.drive(conn, who, proposed, "approve")
    sent = month(browse(who.staff), of=NOVEMBER)
    assert set(sent) == {"2026-11-09", "2026-11-10", "2026-11-11"}
    assert sent["2026-11-09"][0].startswith("飛び出し隊 派遣 上川-R8-001")
    assert f'href="/cases/{proposed}"' in browse(who.staff).get(f"/calendar?month={NOVEMBER}")


def test_an_office_s_month_has_every_deadline_and_dispatch_of_it(
    browse: Browse, who: factory.Cast, proposed: int
) -> None:
    told = month(browse(who.bureau), factory.OFFICE)
    assert set(told) == {"2026-10-07", "2026-10-08", "2026-10-20"}
    assert told["2026-10-08"][0].startswith("期限: 判断の期限(局長)")
    assert told["2026-10-20"][0].startswith("期限: 市町村への回答期限(振興局)")
    assert month(browse(who.headquarters), factory.OFFICE) == told
    assert month(browse(who.bureau), factory.MUNICIPALITY) == told
    (sent,) = month(browse(who.bureau), factory.OFFICE, NOVEMBER)["2026-11-10"]
    assert sent.startswith("飛び出し隊 派遣の案(2人)")


def test_a_municipality_reads_what_was_promised_and_what_is_decided_and_no_more(
    browse: Browse, conn: type_connection, who: factory.Cast, proposed: int
) -> None:
    town = browse(who.municipality)
    told = month(town, factory.MUNICIPALITY)
    assert list(told) == ["2026-10-20"], "an inner deadline is nobody else's"
    assert month(town, factory.MUNICIPALITY, NOVEMBER) == {}, "nor is a team that is not decided"
    assert month(town, factory.OFFICE) == {}, "an office's month is not theirs: it is their own"
    factory.drive(conn, who, proposed, "approve")
    sent = month(town, factory.MUNICIPALITY, NOVEMBER)
    assert set(sent) == {"2026-11-09", "2026-11-10", "2026-11-11"}
    assert sent["2026-11-09"][0].startswith("飛び出し隊 派遣(2人)")
    other = factory.person(conn, "municipality", "014583")
    for view in (factory.MUNICIPALITY, factory.OFFICE, "014583", "mine"):
        assert month(browse(other), view, NOVEMBER) == {}


def test_another_bureau_reads_nothing_of_it(browse: Browse, conn: type_connection, proposed: int) -> None:
    stranger = factory.person(conn, "bureau", "hk-soya")
    for view in (factory.OFFICE, factory.MUNICIPALITY, "hk-soya", "mine"):
        assert month(browse(stranger), view) == {}


def test_overdue_ones_are_told_by_word_and_shape_and_are_carried_into_this_month(
    browse: Browse, who: factory.Cast, proposed: int, at: At
) -> None:
    at(date(2026, 10, 9))
    html = browse(who.director).get(f"/calendar?month={OCTOBER}")
    (told,) = days(html)["2026-10-08"]
    assert told.startswith("期限切れ: 派遣を判断する")
    assert re.search(r'class="entry entry--over"[^>]*><svg[^>]*><use href="#i-stop"', html)
    at(date(2026, 11, 4))
    now = visible(browse(who.director).get("/calendar"))
    assert "先月までの期限切れ 1件 10月8日(木) 期限切れ: 派遣を判断する" in now
    assert "先月までの期限切れ" not in browse(who.director).get("/calendar?month=2026-12")


def test_days_on_which_nobody_works_say_so_in_words(
    browse: Browse, owner: Any, who: factory.Cast, proposed: int
) -> None:
    owner.execute("INSERT INTO closure (day, office, reason) VALUES ('2026-10-16', %s, '停電')", [factory.OFFICE])
    html = visible(browse(who.bureau).get(f"/calendar?month={OCTOBER}"))
    assert "12 日(月) スポーツの日" in html
    assert "16 日(金) 閉庁日(停電)" in html
    assert "5 日(月) きょう" in html
    december = visible(browse(who.bureau).get("/calendar?month=2026-12"))
    assert "29 日(火) 年末年始" in december
    assert "1 日(金) 元日" in visible(browse(who.bureau).get("/calendar?month=2027-01"))


def test_months_follow_one_another_in_the_address(browse: Browse, who: factory.Cast) -> None:
    html = unescape(browse(who.bureau).get(f"/calendar?view={factory.OFFICE}&month=2026-12"))
    assert f'href="/calendar?view={factory.OFFICE}&month=2026-11"' in html
    assert f'href="/calendar?view={factory.OFFICE}&month=2027-01"' in html
    assert f'href="/calendar?view={factory.OFFICE}&month=2026-10"' in html, "back to today"
    assert "令和8年12月の予定" in html
    assert len(re.findall('<tr role="row"(?: class="is-empty")?><td', html)) == 5


def test_met_deadlines_are_told_by_word_and_shape(
    browse: Browse, conn: type_connection, who: factory.Cast, proposed: int, at: At
) -> None:
    met = "済: 収受の期限(振興局) 上川-R8-001"
    assert month(browse(who.bureau))["2026-10-07"][0].startswith(met), "the desk's own"
    assert month(browse(who.bureau), factory.OFFICE)["2026-10-07"][0].startswith(met)
    html = browse(who.bureau).get(f"/calendar?month={OCTOBER}")
    assert re.search(r'class="entry entry--met"[^>]*><svg[^>]*><use href="#i-ok"', html)
    assert "2026-10-07" not in month(browse(who.municipality), factory.MUNICIPALITY), "an inner one is nobody else's"
    assert "2026-10-07" not in month(browse(who.director)), "nor is it the director's"
    at(date(2026, 10, 12))
    factory.drive(conn, who, proposed, "approve")
    late, reply = month(browse(who.director))["2026-10-08"], month(browse(who.municipality), factory.MUNICIPALITY)
    assert late[0].startswith("済(期限の後): 判断の期限(局長)")
    assert reply["2026-10-20"][0].startswith("済: 市町村への回答期限(振興局)")


def test_what_was_moved_or_rests_is_not_done(browse: Browse, conn: type_connection, who: factory.Cast, at: At) -> None:
    case = factory.opened(conn, who, first=date(2026, 11, 9))
    factory.drive(conn, who, case, "submit", "receive", "ask_correction")
    told = month(browse(who.bureau), factory.OFFICE)
    assert not [entry for entries in told.values() for entry in entries if "回答期限" in entry], "it rests"
    factory.drive(conn, who, case, "resubmit")
    (running,) = [
        day for day, entries in month(browse(who.bureau), factory.OFFICE).items() if "回答期限" in str(entries)
    ]
    later = date.fromisoformat(running) + timedelta(days=7)
    asked = {"to": later.isoformat(), "reason": "町と話し合ったため。"}
    extending.extend(conn, who.bureau, case, "reply", **asked, version=factory.version(conn, case), key=uuid4())
    told = month(browse(who.bureau), factory.OFFICE)
    assert running not in told or "回答期限" not in str(told[running]), "another day stands in its place"
    assert told[later.isoformat()][0].startswith("期限: 市町村への回答期限")
