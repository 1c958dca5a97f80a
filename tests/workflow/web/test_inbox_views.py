"""The inbox with its views in a browser: from a row to the case, on to the next one and back, several at once, by keys."""

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest

from tests import factory, offices
from tests.offices import act
from tests.workflow.web import test_browser
from tests.workflow.web.browsing import Browser, browser_of, sheet, visible
from tests.workflow.web.test_inbox import cases_in, link, sit_down
from workflow import queries
from workflow.access import actor
from workflow.web import inbox, queue

Browse = Callable[[int], Browser]
tab = test_browser.tab
DECIDE = [{"kind": "decide", "asked": [{"title": "局長"}]}]


@pytest.fixture
def browse(web, conn) -> Browse:
    """A browser in which a person is signed in."""
    return lambda person_id: browser_of(web, conn, person_id)


@pytest.fixture
def office(conn, who):
    return offices.line(conn, who)


def put_up(conn, office, number):
    return [offices.put_up(conn, office, title=f"計画 {n}") for n in range(number)]


# ── views ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_director_sees_at_once_what_to_decide(browse: Browse, conn, office):
    offices.rule(conn, office, [*DECIDE, {"kind": "circulate", "asked": [{"title": "局長"}]}])
    first, second = put_up(conn, office, 2)
    seat = browse(office.director)
    html = seat.get("/inbox")
    assert "決裁するものは2件です。" in visible(html)
    assert link(html, "決裁する") == "/inbox?view=decide"
    act(conn, office.director, first, "approve")
    assert cases_in(seat.get("/inbox?view=decide")) == [second]
    assert cases_in(seat.get("/inbox?view=read")) == [first]
    told = visible(seat.get("/inbox"))
    assert re.search(r"決裁する\s+1\b", told)
    assert re.search(r"読む\(供覧・後閲\)\s+1\b", told)
    assert re.search(r"済んだもの\(30日\)\s+1\b", told)
    assert "「保留中」は、いまはありません。" in visible(seat.get("/inbox?view=held"))


def test_what_waits_for_others_names_the_post_whose_turn_it_is(browse: Browse, conn, office):
    offices.rule(conn, office)
    (case,) = put_up(conn, office, 1)
    html = browse(office.officer).get("/inbox?view=others")
    assert cases_in(html) == [case]
    assert "地域政策課 係長(回議)" in visible(html)
    assert "地域政策課 係長(回議)" in visible(browse(office.officer).get("/cases"))
    assert "係長(回議)" not in visible(browse(office.who.municipality).get("/cases"))
    assert "起案した件" in visible(browse(office.vice).get("/inbox?view=others"))
    act(conn, office.chief, case, "approve_step")
    told = visible(browse(office.chief).get("/inbox?view=done"))
    assert "承認して上げる" in told
    assert "地域政策課 課長(回議)" in told


def test_what_waits_for_others_and_what_is_done_are_narrowed_by_process(browse: Browse, conn, office):
    offices.rule(conn, office)
    (case,) = put_up(conn, office, 1)
    seat = browse(office.officer)
    for view in ("others", "done"):
        html = seat.get(f"/inbox?view={view}&process=dispatch")
        assert set(cases_in(html)) == {case}, view
        assert 'name="process"' in html
        assert 'name="ask"' not in html, "what is asked narrows one's own work alone"
        other = seat.get(f"/inbox?view={view}&process=condition")
        assert cases_in(other) == []
        assert "この業務のものはありません。" in visible(other)
        assert link(other, "絞込みを外して") == f"/inbox?view={view}"


def test_the_switch_of_a_deputy_says_for_whom_and_why(browse: Browse, conn, office):
    offices.rule(conn, office, DECIDE)
    (case,) = put_up(conn, office, 1)
    seat = browse(office.vice)
    assert "代決できる分も" not in seat.get("/inbox")
    offices.away(conn, office.director)
    html = seat.get("/inbox")
    assert "代決できる分も 1件" in visible(html)
    assert cases_in(html) == []
    assert "代決できる分も見ると、1件 あります。" in visible(html)
    html = seat.get(link(html, "代決できる分も"))
    assert cases_in(html) == [case]
    assert "代決できます 局長(出張)に代わって" in visible(html)
    assert "代決できる分も" not in browse(office.department).get("/inbox")


def test_an_address_with_an_unknown_view_shows_everything(browse: Browse, conn, office):
    put_up(conn, office, 1)
    for query in ("view=nothing", "scope=everybody", "view=decide&scope=x&due=never"):
        assert browse(office.director).client.get(f"/inbox?{query}").status_code == 200


# ── from row to row ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_after_an_act_the_page_leads_to_the_next_item_of_the_same_view_and_back_to_the_row(
    browse: Browse, conn, office, monkeypatch
):
    first, second, third = put_up(conn, office, 3)
    seat = browse(office.director)
    html = seat.get("/inbox?view=decide")
    assert cases_in(html) == [first, second, third]
    address = re.findall(r'data-table__title" href="([^"]+)"', html)[1].replace("&amp;", "&")
    page = seat.get(address)
    back = link(page, "一覧へ戻る")
    assert back.startswith("/inbox?view=decide&at=")
    row = back.partition("#")[2]
    assert f'id="{row}"' in seat.get(back)
    posted = re.search(rf'action="(/cases/{second}/actions/approve[^"]*)"', page)
    assert posted
    answer = seat.send(posted[1].replace("&amp;", "&"), sheet(page))
    page = seat.get(answer.headers["location"])
    assert "次の件へ" in page
    following = link(page, "次の件へ")
    assert following.startswith(f"/cases/{third}?list=")
    # From the last one the list begins anew.
    page = seat.get(following)
    posted = re.search(rf'action="(/cases/{third}/actions/approve[^"]*)"', page)
    assert posted
    answer = seat.send(posted[1].replace("&amp;", "&"), sheet(page))
    assert link(seat.get(answer.headers["location"]), "次の件へ").startswith(f"/cases/{first}?list=")


def test_the_last_item_says_that_there_is_no_next_one(browse: Browse, conn, office):
    (only,) = put_up(conn, office, 1)
    seat = browse(office.director)
    page = seat.get(re.findall(r'data-table__title" href="([^"]+)"', seat.get("/inbox"))[0].replace("&amp;", "&"))
    posted = re.search(rf'action="(/cases/{only}/actions/approve[^"]*)"', page)
    assert posted
    answer = seat.send(posted[1].replace("&amp;", "&"), sheet(page))
    assert "この一覧に、次の件はありません。" in seat.get(answer.headers["location"])


@pytest.mark.parametrize(
    "told",
    [
        "https://example.com/inbox", "//example.com/inbox", "/logout", "/headquarters?due=over", "/inbox/../logout", "javascript:alert(1)",
        "/inbox?at=%00", "/inbox?at=bm9wbGFjZQ==", "/inbox?at=WyJ4IiwgInkiXQ==", "/inbox?" + "q=x&" * 50, "/inbox?q=" + "x" * 3000, "[",
    ],
)  # fmt: skip
def test_a_place_that_no_list_gave_out_leads_nowhere(browse: Browse, conn, office, told):
    (case,) = put_up(conn, office, 1)
    person = actor(conn, office.director)
    assert person is not None
    assert queue.read(told, person) is None
    answer = browse(office.director).client.get(f"/cases/{case}", params={"list": told})
    assert answer.status_code == 200
    assert "一覧へ戻る" not in answer.text
    assert "example.com" not in answer.text


def test_only_known_filters_are_carried(conn, office):
    person = actor(conn, office.director)
    assert person is not None
    place = queue.read("/inbox?view=decide&evil=1&due=all&scope=deputy", person)
    assert place is not None
    assert place.told == "/inbox?view=decide&scope=deputy"


# ── several at once ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_ticked_rows_are_done_one_by_one_and_a_table_says_what_became_of_each(browse: Browse, conn, office):
    offices.rule(conn, office, DECIDE, bulk=True)
    first, second, third = put_up(conn, office, 3)
    seat = browse(office.director)
    html = seat.get("/inbox?view=decide")
    rows = re.findall(r'name="row" value="(\d+:\d+)"', html)
    assert [row.partition(":")[0] for row in rows] == [str(case) for case in (first, second, third)]
    act(conn, office.director, second, "decline", reason="時期が重なる。", internal_reason="人が足りない。")
    fields = {"csrf": seat.csrf, "key": sheet(html)["key"], "list": sheet(html)["list"], "row": rows, "do": "decide"}
    answer = seat.client.post("/inbox/bulk", data=fields)
    assert answer.status_code == 200
    told = visible(answer.text)
    assert "2件を行い、1件は行っていません。" in told
    assert "「派遣しないと決める」を行いました" in told
    assert link(answer.text, "一覧へ戻る") == "/inbox?view=decide"
    again = visible(seat.client.post("/inbox/bulk", data=fields).text)
    assert "2件を行い、1件は行っていません。" in again
    assert cases_in(seat.get("/inbox?view=decide")) == []


def test_only_rows_that_may_be_done_together_can_be_ticked(browse: Browse, conn, office):
    offices.rule(conn, office, [*DECIDE, {"kind": "circulate", "asked": [{"title": "部長"}]}])
    (case,) = put_up(conn, office, 1)
    assert 'name="row"' not in browse(office.director).get("/inbox")
    act(conn, office.director, case, "approve")
    assert f'name="row" value="{case}:' in browse(office.department).get("/inbox?view=read")


def test_a_form_without_rows_or_with_nonsense_changes_nothing(browse: Browse, conn, office):
    seat = browse(office.director)
    key = "00000000-0000-4000-8000-000000000001"
    for rows in ([], ["x"], ["1"], ["0:1"], ["1:-1"], [f"{n}:1" for n in range(1, 103)]):
        answer = seat.client.post("/inbox/bulk", data={"csrf": seat.csrf, "key": key, "row": rows, "do": "read"})
        assert answer.status_code == 422, rows
        assert "まとめて行えませんでした" in answer.text

    assert (
        seat.client.post("/inbox/bulk", data={"csrf": seat.csrf, "key": key, "row": ["1:1"], "do": "x"}).status_code
        == 404
    )


# ── kept views ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_list_is_kept_shared_and_dropped(browse: Browse, conn, office):
    put_up(conn, office, 1)
    seat = browse(office.director)
    told = sheet(seat.get("/inbox?view=decide&due=later"))["list"]
    answer = seat.send("/views", {"list": told, "name": "あとの決裁", "shared": "yes"})
    assert answer.headers["location"] == "/inbox?view=decide&due=later"
    assert link(seat.get("/inbox"), "あとの決裁") == "/inbox?view=decide&due=later"
    colleague = browse(office.officer)
    assert "所属で共有の一覧" in colleague.get("/inbox")
    assert "あとの決裁" not in browse(office.above).get("/inbox")
    (dropped,) = re.findall(r'action="(/views/\d+/drop)"', seat.get("/inbox"))
    assert "/drop" not in colleague.get("/inbox")
    colleague.send(dropped, {}, status=404)
    seat.send(dropped, {"list": told})
    assert "あとの決裁" not in seat.get("/inbox")


def test_a_view_that_cannot_be_kept_says_why_and_leads_back(browse: Browse, conn, office):
    seat = browse(office.director)
    answer = seat.send("/views", {"list": "/inbox?view=held", "name": " "}, status=422)
    assert "一覧の名前を、40字までで書いてください" in answer.text
    assert link(answer.text, "一覧に戻る") == "/inbox?view=held"
    seat.send("/views", {"list": "https://example.com/", "name": "x"}, status=404)


# ── the eye and the keys ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.browser
def test_the_views_look_right(browse: Browse, tab, address, conn, office):
    offices.rule(conn, office, [*DECIDE, {"kind": "circulate", "asked": [{"title": "副局長"}]}], bulk=True)
    cases = put_up(conn, office, 3)
    act(conn, office.director, cases[0], "approve")
    offices.away(conn, office.director)
    queries_kept = "/inbox?view=decide"
    for name, person, paths in (
        ("director", office.director, ("/inbox", queries_kept, "/inbox?view=done", "/inbox?view=others")),
        ("vice", office.vice, ("/inbox", "/inbox?scope=deputy", "/inbox?view=read&scope=deputy")),
        ("officer", office.officer, ("/inbox?view=others",)),
    ):
        sit_down(tab, address, browse(person))
        for number, path in enumerate(paths):
            tab.goto(address + path)
            assert "/login" not in tab.url
            test_browser.looks_right(tab, f"views_{name}_{number}")


@pytest.mark.browser
def test_keys_move_tick_and_open_only_inside_the_list(browse: Browse, tab, address, conn, office):
    offices.rule(conn, office, DECIDE, bulk=True)
    second = put_up(conn, office, 2)[1]
    sit_down(tab, address, browse(office.director))
    tab.goto(f"{address}/inbox?q=計画")
    help_ = tab.locator("details.keys")
    # Outside the list, and while something is written, the keys are what they are.
    tab.keyboard.press("?")
    field = tab.get_by_label("件名・番号")
    field.fill("")
    field.press("j")
    field.press("x")
    field.press("?")
    assert field.input_value() == "jx?"
    assert help_.get_attribute("open") is None
    titles = tab.locator("a.data-table__title")
    titles.first.focus()
    tab.keyboard.press("?")
    assert help_.get_attribute("open") is not None
    tab.keyboard.press("j")
    assert titles.nth(1).evaluate("a => a === document.activeElement")
    tab.keyboard.press("x")
    ticks = tab.locator("input[name=row]")
    assert [ticks.nth(n).is_checked() for n in range(2)] == [False, True]
    tab.keyboard.press("ArrowUp")
    assert titles.first.evaluate("a => a === document.activeElement")
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("Enter")
    tab.wait_for_url(f"{address}/cases/{second}?list=*")
    assert parse_qs(urlsplit(tab.url).query)["list"][0].startswith("/inbox?")


def test_the_headquarters_list_has_views_of_its_own(browse: Browse, conn, who):
    case_id = factory.opened(conn, who, own_affairs="yes")
    factory.drive(conn, who, case_id, "submit", "receive", "consult")
    html = browse(who.headquarters).get("/headquarters?view=work")
    assert cases_in(html) == [case_id]
    assert queries.inbox(conn, who.headquarters, role="headquarters").counts["all"] == 1
    assert inbox.FEW < inbox.PAGE


# ── the desk of the office, and processes ───────────────────────────────────────────────────────────────────────────


def test_a_switch_shows_the_line_what_lies_at_the_desk_of_the_office(browse: Browse, conn, office):
    offices.rule(conn, office)
    case = factory.opened(conn, office.who)
    factory.drive(conn, office.who, case, "submit", "receive")
    assert "係の仕事も" not in browse(office.officer).get("/inbox")
    seat = browse(office.head)
    html = seat.get("/inbox?view=work")
    assert cases_in(html) == []
    assert "係の仕事も 1件" in visible(html)
    html = seat.get(link(html, "係の仕事も"))
    assert cases_in(html) == [case]
    assert "desk=office" in link(html, "回議・合議する"), "a view keeps the switch"
    assert cases_in(seat.get(link(html, "自分の職の分"))) == []
    assert cases_in(seat.get("/inbox?desk=anything")) == []


def test_the_process_is_a_filter_of_the_address_and_of_a_kept_view(browse: Browse, conn, office):
    (case,) = put_up(conn, office, 1)
    seat = browse(office.director)
    assert cases_in(seat.get("/inbox?process=dispatch")) == [case]
    html = seat.get("/inbox?process=condition")
    assert cases_in(html) == []
    assert "この条件に合うものはありません。" in visible(html)
    answer = seat.send("/views", sheet(html) | {"list": "/inbox?process=dispatch", "name": "派遣の件"})
    assert answer.headers["location"] == "/inbox?process=dispatch"
    assert link(seat.get("/inbox"), "派遣の件") == "/inbox?process=dispatch"
