"""Home, headquarters' queue and the list of cases: what each reader is shown, and that no address breaks them."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests import factory
from tests.workflow.web import test_browser
from tests.workflow.web.browsing import Browser, browser_of, visible
from workflow import queries, search
from workflow.queries import cursor_of
from workflow.web import case_list, inbox

Browse = Callable[[int], Browser]
tab = test_browser.tab
TO_JUDGEMENT = ("submit", "receive", "propose_team", "put_to_director")


@pytest.fixture
def browse(web, conn) -> Browse:
    """A browser in which a person is signed in."""
    return lambda person_id: browser_of(web, conn, person_id)


def put_in(conn, who, *actions, **request):
    case_id = factory.opened(conn, who, **request)
    factory.drive(conn, who, case_id, *(actions or ("submit",)))
    return case_id


def cases_in(html: str) -> list[int]:
    """The cases of the table, in order."""
    return [int(number) for number in re.findall(r'class="data-table__title" href="/cases/(\d+)["?]', html)]


def link(html: str, text: str) -> str:
    """The address behind a link."""
    found = re.search(rf'<a[^>]*href="([^"]*)"[^>]*>\s*{text}', html)
    assert found, text
    return found[1].replace("&amp;", "&")


# ── inbox ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_waits_is_listed_with_due_ask_and_clues(browse: Browse, conn, who):
    case_id = put_in(conn, who, *TO_JUDGEMENT)
    html = browse(who.director).get("/inbox")
    told = visible(html)
    assert "あなたの手番が1件あります。" in told
    for word in ("あと3営業日", "派遣を判断する", "規則はすべて適合", "美瑛町", "上川-R"):
        assert word in told, word
    assert cases_in(html) == [case_id]
    assert link(html, "期限の近い順に開く").startswith(f"/cases/{case_id}?list=")
    assert "すべて 1 件" in told
    assert "それより先 1 件" in told


def test_the_list_goes_on_page_by_page_and_keeps_its_filters(browse: Browse, conn, who, monkeypatch):
    monkeypatch.setattr(inbox, "PAGE", 2)
    put = [put_in(conn, who, title=f"計画 {n}") for n in range(5)]
    seat = browse(who.bureau)
    html, seen = seat.get("/inbox?ask=収受する&q=計画"), []
    while True:
        seen += cases_in(html)
        if "次を見る" not in html:
            break
        following = link(html, "次を見る")
        assert "ask=" in following
        assert "q=" in following
        html = seat.get(following)
    assert seen == put
    assert "続きの1件" in html
    assert cases_in(seat.get(link(html, "初めに戻る"))) == put[:2]


def test_counters_lead_to_what_they_count(browse: Browse, conn, who):
    put_in(conn, who)
    later = put_in(conn, who)
    factory.drive(conn, who, later, "receive")
    seat = browse(who.bureau)
    html = seat.get("/inbox")
    assert cases_in(seat.get("/inbox?due=later")) == [later]
    assert 'href="/inbox?due=later"' in html
    assert 'href="/inbox?due=later" aria-current="true"' in seat.get("/inbox?due=later")


def test_an_empty_inbox_says_so_kindly(browse: Browse, conn, who):
    told = visible(browse(who.director).get("/inbox"))
    assert "いま、あなたの手番はありません。" in told
    assert "ここに期限の近い順に並びます" in told
    put_in(conn, who, *TO_JUDGEMENT)
    told = visible(browse(who.director).get("/inbox?q=どこにもない言葉"))
    assert "この条件に合うものはありません。" in told


def test_the_municipality_reads_its_own_words(browse: Browse, conn, who):
    draft = factory.opened(conn, who, title="書きかけの件")
    running = put_in(conn, who, *TO_JUDGEMENT, title="進んでいる件")
    html = browse(who.municipality).get("/inbox")
    told = visible(html)
    assert "いま、あなたの市町村の手番はありません。" in told
    assert link(html, "派遣の要請を書く") == "/cases/new?process=dispatch&origin=municipality_request"
    assert cases_in(html) == [draft, running]
    assert "進んでいる件 美瑛町 ・ 上川-R" in told
    assert "決定" in told
    for inner in ("判断の手がかり", "規則", "注意", "派遣準備"):
        assert inner not in told, inner
    factory.drive(conn, who, running, ("send_back", {}), ("ask_correction", {}))
    assert "補正して出し直す" in visible(browse(who.municipality).get("/inbox"))


def test_what_needs_a_hand_stands_on_top(browse: Browse, conn, who):
    case_id = put_in(conn, who)
    conn.execute(
        "INSERT INTO attention (case_id, kind, sentence, opened_at) VALUES (%s, 'clock', '氏名の<b>ない人がいます。', now())",
        [case_id],
    )
    conn.execute("UPDATE outbox SET next_at = now() - interval '1 hour' WHERE done_at IS NULL")
    html = browse(who.bureau).get("/inbox")
    assert "氏名の&lt;b&gt;ない人がいます。" in html
    assert html.index("要対応") < html.index('class="counter"')
    assert "10分より長く待っています" in html
    told = visible(browse(who.municipality).get("/inbox"))
    assert "要対応" not in told


def test_headquarters_has_its_queue_and_nobody_else(browse: Browse, conn, who):
    case_id = put_in(conn, who, "submit", "receive", "consult", own_affairs="yes")
    seat = browse(who.headquarters)
    for path in ("/headquarters", "/inbox"):
        html = seat.get(path)
        told = visible(html)
        assert cases_in(html) == [case_id]
        for word in ("本庁の受信箱", "併任協議に回答する", "受けた日", "0営業日 持ち分 10営業日", "美瑛町"):
            assert word in told, (path, word)
    for person in (who.bureau, who.director, who.municipality, who.auditor, who.staff):
        assert browse(person).client.get("/headquarters").status_code == 404


# ── cases ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_cases_are_filtered_by_the_address(browse: Browse, conn, who, monkeypatch):
    monkeypatch.setattr(case_list, "PAGE", 2)
    put = [put_in(conn, who, title=f"計画 {n}") for n in range(3)]
    factory.drive(conn, who, put[0], "receive", "propose_team", "put_to_director")
    search.refresh(conn, *put)
    seat = browse(who.bureau)
    html = seat.get("/cases?q=計画")
    assert cases_in(html) == [put[2], put[1]]
    assert cases_in(seat.get(link(html, "次を見る"))) == [put[0]]
    assert cases_in(seat.get("/cases?state=director_judgement")) == [put[0]]
    assert cases_in(seat.get("/cases?step=決定")) == [put[0]]
    assert cases_in(seat.get("/cases?step=決定&state=municipal_request")) == []
    assert cases_in(seat.get("/cases?step=ありません")) == []
    assert len(cases_in(seat.get(f"/cases?place={who.place}"))) == 2
    assert cases_in(seat.get("/cases?place=014605")) == []


def test_the_municipality_lists_its_cases_by_public_steps(browse: Browse, conn, who):
    put_in(conn, who, *TO_JUDGEMENT)
    done = put_in(conn, who)
    factory.drive(conn, who, done, "receive", ("withdraw", {"by": who.municipality}))
    html = browse(who.municipality).get("/cases")
    told = visible(html)
    assert "決定 振興局" in told  # the office and its head are one to those outside
    assert "取り下げた" in told
    assert 'name="state"' not in html
    # A filter that is not offered does not tell the inner state either.
    assert len(cases_in(browse(who.municipality).get("/cases?state=director_judgement"))) == 2


def test_a_foreign_case_is_on_no_list(browse: Browse, conn, who):
    put_in(conn, who, title="よその局の計画")
    elsewhere = factory.cast(conn, "hk-sorachi", "012106")
    for person in (elsewhere.bureau, elsewhere.director, elsewhere.municipality, elsewhere.staff, elsewhere.records):
        for path in ("/inbox", "/cases", "/cases?q=よその"):
            assert "よその局の計画" not in browse(person).get(path)


def test_titles_are_text(browse: Browse, conn, who):
    put_in(conn, who, title='<script>alert(1)</script>\u202e"><b>')
    for person, path in ((who.bureau, "/inbox"), (who.auditor, "/cases"), (who.municipality, "/inbox")):
        html = browse(person).get(path)
        assert "<script>alert" not in html
        assert "⟦U+202E⟧" in html


# ── addresses ───────────────────────────────────────────────────────────────────────────────────────────────────────

LISTS = ("/inbox", "/headquarters", "/cases", "/audit", "/mailbox")


@pytest.mark.parametrize("cursor", ["x", "🙂", cursor_of("²", "1"), cursor_of(1, 2, 3, 4), "W" * 5000])
def test_a_broken_place_leads_back_to_the_beginning(browse: Browse, conn, who, owner, cursor):
    owner.execute("UPDATE installation SET demonstration = true")
    people = {"/headquarters": who.headquarters, "/audit": who.auditor}
    for path in LISTS:
        answer = browse(people.get(path, who.bureau)).client.get(f"{path}?after={cursor}")
        assert answer.status_code == 400, path
        assert "一覧の続きを開けませんでした" in answer.text
        assert link(answer.text, "初めから見る") == path


WEIRD: list[dict[str, Any]] = [
    {"due": "いつか", "ask": "x" * 9000, "org": "'; --", "office": "%", "q": "\\%_'\"\u202e\ufffe"},
    {"step": "%", "state": "draft' OR 1=1", "office": "🙂", "place": "\x01", "year": "99999", "q": "%" * 300},
    {"year": "²", "due": "", "q": "\ud83d".encode("utf-8", "surrogatepass")},
    {"since": "令和99年13月45日", "until": "9999-12-31", "person": "%", "post": "\\", "action": "x", "case": "'"},
    {"since": "0001-01-01", "until": "0001-01-01"}, {"since": "R8.4.1", "until": "H31.4.30"}, {"after": ""},
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(WEIRD)))
def test_no_address_breaks_a_list(browse: Browse, conn, who, owner, number):
    owner.execute("UPDATE installation SET demonstration = true")
    put_in(conn, who)
    people = {"/headquarters": who.headquarters, "/audit": who.auditor}
    for path in LISTS:
        answer = browse(people.get(path, who.bureau)).client.get(path, params=WEIRD[number])
        assert answer.status_code == 200, path


def test_reading_changes_nothing(browse: Browse, conn, who, owner):
    put_in(conn, who)
    tables = ("cases", "step", "event", "content", "outbox", "export_record", "idempotency", "working", "attention")

    def state() -> list[Any]:
        return [conn.execute(f"SELECT count(*), max(xmin::text::bigint) FROM {table}").fetchone() for table in tables]

    before = state()
    for path in ("/inbox", "/cases", "/audit"):
        browse(who.auditor).get(path)
    assert state() == before


# ── the eye ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def sit_down(tab, address: str, seat: Browser) -> None:
    """Carry the person's session over into the real browser."""
    tab.context.add_cookies([{"name": "tobidashi", "value": seat.client.cookies["tobidashi"], "url": address}])


@pytest.mark.browser
def test_the_lists_look_right(browse: Browse, tab, address, conn, who, owner, fresh_database):
    factory.set_clock(fresh_database.owner_url, None)
    for n in range(3):
        put_in(
            conn, who, title="長い件名でも折り返して読める地域防災計画の改訂と避難所運営訓練の企画への参画" * (n + 1)
        )
        put_in(conn, who, *TO_JUDGEMENT)
        put_in(conn, who, "submit", "receive", "consult", own_affairs="yes")
    factory.opened(conn, who)
    conn.execute(
        "INSERT INTO attention (case_id, kind, sentence, opened_at) SELECT id, 'clock', '始められません。', now() FROM cases LIMIT 1"
    )
    owner.execute("UPDATE installation SET clock_offset = %s", [timedelta(days=4)])
    for name, person, paths in (
        ("bureau", who.bureau, ("/inbox", "/inbox?q=どこにもない", "/cases")), ("municipality", who.municipality, ("/inbox", "/cases")),
        ("headquarters", who.headquarters, ("/headquarters",)), ("staff", who.staff, ("/inbox", "/cases")),
    ):  # fmt: skip
        sit_down(tab, address, browse(person))
        for number, path in enumerate(paths):
            tab.goto(address + path)
            assert "/login" not in tab.url
            test_browser.looks_right(tab, f"list_{name}_{number}")


@pytest.mark.browser
def test_the_most_urgent_is_one_key_away(browse: Browse, tab, address, conn, who):
    case_id = put_in(conn, who, *TO_JUDGEMENT)
    sit_down(tab, address, browse(who.director))
    tab.goto(f"{address}/inbox")
    tab.get_by_role("link", name="期限の近い順に開く").focus()
    tab.keyboard.press("Enter")
    tab.wait_for_url(f"{address}/cases/{case_id}?list=*")
    assert queries.waiting(conn, who.director) == 1
