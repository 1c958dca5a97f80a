"""Every page in a real browser: axe finds nothing, nothing sticks out, keys and paper are enough.

At desk and phone width, at 200 % zoom, with the keyboard alone, and printed on A4.
"""

import io
import json
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import psycopg
import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page
from pypdf import PdfReader

from tests import council, desk, factory, offices, round_table
from tests.conftest import Database as Urls
from tests.factory import OFFICE, Cast, drive, first_day, opened, request_form
from tests.papers import PDF, attach, remark
from tests.round_table import PLAN
from tests.stories import system as prefecture
from tests.stories.hands import DESK, PHONE, Visits, card, done, press, quiet
from tests.stories.routed import ALL_BUT_DECIDED
from tests.stories.system import Pages, System
from tests.workflow.test_consultation import received
from workflow import cases, outbox, recognitions, reports, search, verify, watch
from workflow.access import actor
from workflow.servers import Postgres

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

TITLE = "空き家を生かす移住計画づくりの助言"
LONG = "代わりに行ける職員がいない。聞き取りは同じ人が続けて行うほうがよい。"

NOBODY = "nobody"
ELSEWHERE = "014613"  # goes to another bureau while a request of it is examined
# Who uses which page; {name} is a case of `furnished`. `?` after a name: with what is wrong shown.
PAGES = {
    NOBODY: ("/login", "/login?next=/cases"),
    "municipality": (
        "/inbox", "/cases", "/cases?q=ない", "/search", "/search?q=空き家", "/search?q=びえい&what=places", "/cases/new?process=dispatch&origin=municipality_request", "/cases/{draft}", "/cases/{draft}/edit", "/cases/{draft}/files", "/cases/{judged}/remarks",
        "/cases/{blank}/edit?check=1", "/cases/copy?process=dispatch&origin=municipality_request", "/cases/{draft}/actions/submit", "/cases/{corrected}", "/cases/{corrected}/actions/resubmit",
        "/cases/{declined}", "/cases/{declined}/letters/decline_notice", "/cases/{judged}/print", "/cases/{reported}/actions/evaluate",
        "/cases/{reported}/print", "/mailbox", "/preferences", "/preferences?done=1", "/nowhere", "/calendar?view=014591&month=2026-11",
        "/municipalities/014591", "/cases/{reported}/thread", "/cases/{session}", "/cases/{session}/board", "/cases/{table}", "/cases/{table}/print", "/published", "/cases/{question}",
    ),
    "bureau": (
        "/inbox", "/attention", "/cases", "/search?q=空き家 助言", "/search?q=主任&what=people", "/search?q=紹介&what=reports", "/search?q=" + "長" * 300, "/cases/new", "/cases/new?process=round_table&origin=office", "/cases?process=round_table", "/cases/new?process=dispatch&origin=municipality_request", "/cases/new?process=dispatch&origin=director",
        "/cases/{submitted}", "/cases/{judged}/deadlines/reply", "/cases/{judged}/files", "/cases/{judged}/remarks", "/cases/{examined}", "/cases/{examined}/route?on=R9.4.1", "/cases/{examined}/actions/propose_team", "/cases/{decided}", "/cases/{decided}/actions/record_consent",
        "/cases/{returned}", "/cases/{returned}/actions/file_result", "/cases/{reported}", "/cases/{paper}/thread", "/reports", "/recognitions",
        "/intake", "/cases/{paper}", "/cases/{paper}?same=上川-R8-001", "/cases/{passed}", "/cases/{decided}/actions/propose_change", "/cases/{moved}/stay", "/board", "/people", "/absences", "/absences?done=entered", "/balance", "/turns", "/calendar?view=hk-kamikawa&month=2026-11", "/feed",
        "/plans/regional_council", "/cases/{body}", "/cases/{session}", "/cases/{session}/actions/arrange", "/cases/{session}/board", "/cases/{session}/print",
        "/cases/{plan}", "/cases/{plan}/edit", "/cases/{table}", "/cases/{table}/actions/take_notes", "/cases/{table}/actions/hold", "/cases/{table}/actions/attend", "/cases/{table}/print", "/cases/{table}/thread",
        "/cases/new?process=consultation&origin=desk", "/cases/{consultation}", "/cases/{consultation}/print",
        "/cases/{reported_table}", "/cases/{reported_table}/board", "/cases/{opinion}", "/cases/{opinion}/actions/handle", "/cases/{opinion}/print", "/cases/{coordination}", "/cases/{body}/print",
        "/cases/{project}", "/cases/{project}/print", "/cases/{duty}", "/cases/{duty}/print",
        "/published", "/published?q=ない", "/monthly/consultation", "/cases/{question}", "/cases/{question}/print", "/cases/{question}/actions/correct", "/cases/{topic}", "/cases/new?process=council_topic&origin=office",
    ),
    "director": ("/inbox", "/municipalities", "/municipalities/014591", "/cases/{reported}/thread", "/board", "/cases/{judged}", "/cases/{late}", "/cases/{own}", "/cases/{routed}", "/cases/{routed}/route", "/cases/{settled}/route", "/cases/{settled}/shown/{seq}", "/cases/{decided}/letters/decision_notice", "/recognitions", "/retention"),
    "headquarters": ("/headquarters", "/cases/{coordination}/actions/redistribute", "/cases/{coordination}/print", "/monthly/consultation", "/municipalities?office=hk-kamikawa", "/balance", "/cases/{consulted}", "/reports?office=all", "/reports/rollup", "/reports/rollup?office=hk-kamikawa&only=expected", "/turns", "/calendar?view=hk-kamikawa"),
    "staff": ("/inbox", "/cases/{returned}", "/cases/{returned}/actions/file_trip_report"),
    "personnel": ("/inbox", "/cases/{appointed}", "/cases/{appointed}/actions/return_orders", "/cases/{appointed}/print"),
    "body": ("/inbox", "/cases/{gone_to}", "/cases/{gone_to}/files", "/cases/{gone_to}/print"),
    "department": ("/inbox", "/cases/{coordination}", "/cases/{coordination}/actions/reply", "/cases/{coordination}/print"),
    "auditor": ("/inbox", "/audit", "/audit?since=2026-13-01", "/cases/{reported}", "/recognitions"),
    "records": ("/cases/{judged}/erase", "/cases/{judged}/erase?by=rows", "/retention"),
    "administrator": ("/attention", "/attention?done=again", "/rungs", "/arrangements?office=hk-kamikawa", "/calendar/days", "/calendar/days/rules", "/calendar/days/moves", "/calendar/days/history", "/posts?office=hk-kamikawa", "/posts?day=よめない", "/posts/1", "/posts/orphans", "/appointments", "/absences"),
}  # fmt: skip

# Elements that hold more than they show, the visually hidden ones (one pixel wide) and fields for typing aside.
HIDING = """() => [...document.querySelectorAll('main *')].filter(e => {
  const look = getComputedStyle(e);
  return e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 1 && look.overflowX !== 'visible' && look.display !== 'inline'
    && !e.closest('.visually-hidden, svg, input, textarea, select') && e.getClientRects().length;
})"""
# What may be scrolled sideways is a labelled region that the keyboard reaches. On paper nothing can be scrolled at all.
REGION = "e => e.tabIndex === 0 && e.getAttribute('aria-label') && e.getAttribute('role')"
TOLD = "e => e.outerHTML.slice(0, 120)"
CUT_OFF = f"() => ({HIDING})().map({TOLD})"
STICKS_OUT = f"() => ({HIDING})().filter(e => !({REGION})(e)).map({TOLD})"
RUN_AXE = """() => axe.run({resultTypes: ['violations']})
  .then(told => told.violations.map(v => [v.id, v.nodes.map(n => n.target)]))"""
UNFOLD = "() => document.querySelectorAll('details').forEach(e => { e.removeAttribute('name'); e.open = true; })"


@dataclass
class Furnished:
    """The system with a case at every point of the road."""

    system: System
    cases: dict[str, int]

    def address(self, page: str) -> str:
        return page.format(**self.cases)


@pytest.fixture(scope="module")
def furnished(pages: Pages, postgres: Postgres, database: Urls) -> Iterator[Furnished]:
    with prefecture.opened(pages, postgres, database) as made:
        yield Furnished(made, with_cases(made))


@pytest.fixture
def visit(browser: Browser, furnished: Furnished) -> Iterator[Visits]:
    made = Visits(browser, furnished.system)
    yield made
    made.close()
    assert quiet(made.complaints) == []


def with_cases(system: System) -> dict[str, int]:
    who, found = system.who, {}
    road = ("submit", "receive", "propose_team", "put_to_director")
    longer = {"inputs": {"note": "助言の要請である。", "reasons": {"D-08": LONG}}}
    with system.db.connection() as conn:
        system.at("2026-09-16")
        found["late"] = opened(conn, who, title="期限を過ぎた件")
        drive(conn, who, found["late"], *road)
        for name, first in (("reported", date(2026, 9, 28)), ("returned", date(2026, 10, 5))):
            found[name] = opened(conn, who, first=first, title=f"{TITLE}({name})")
            drive(conn, who, found[name], *road, "approve")
        system.at("2026-10-12")
        neighbour = replace(who, place=ELSEWHERE, municipality=factory.person(conn, "municipality", ELSEWHERE))
        watch.move(system.db)
        drive(
            conn,
            who,
            found["reported"],
            "file_trip_report",
            ("file_trip_report", {"by": who.staff_colleague}),
            "file_result",
        )
        found["moved"] = opened(conn, neighbour, title=f"{TITLE}(moved)")
        drive(conn, neighbour, found["moved"], *road[:2])
        to_another_office(system, ELSEWHERE, last="2026-10-12", first="2026-10-13")
        system.at(prefecture.BEGINNING)
        for name, steps in {
            "draft": (), "submitted": road[:1], "examined": road[:2], "corrected": (*road[:2], "ask_correction"), "decided": (*road, "approve"),
            "declined": (*road, "decline"),
        }.items():  # fmt: skip
            found[name] = opened(conn, who, title=f"{TITLE}({name})")
            if steps:
                drive(conn, who, found[name], *steps)
        found["judged"] = opened(conn, who, days=9)
        drive(conn, who, found["judged"], *road[:3], ("put_to_director", longer))
        found["consulted"] = opened(conn, who, own_affairs="yes", title=f"{TITLE}(consulted)")
        drive(conn, who, found["consulted"], *road, ("consult", {"by": who.director}))
        found["own"] = opened(conn, who, own_affairs="yes", title=f"{TITLE}(own)")
        drive(conn, who, found["own"], *road)
        on_paper = request_form(conn, who, title=f"{TITLE}(judged)") | {
            "receipt": {"channel": "fax", "arrived_on": "R8.10.9"}
        }
        found["paper"] = cases.open_case(conn, who.bureau, "dispatch", "municipality_request", on_paper)
        drive(conn, who, found["paper"], "submit_proxy")
        found["passed"] = opened(conn, who, title=f"{TITLE}(passed)")
        passing = {"inputs": {"office": "hk-sorachi", "reason": "所管が違うため。"}}
        drive(conn, who, found["passed"], "submit", "receive", ("forward", passing))
        found["blank"] = cases.open_case(
            conn, who.municipality, "dispatch", "municipality_request", {"request": {"office_code": OFFICE}}
        )
        line = offices.line(conn, who)
        offices.rule(conn, line, tests=[{"key": "cost", "operator": "=", "value": True}])
        for name in ("routed", "settled"):
            found[name] = offices.put_up(conn, line, title=f"{TITLE}({name})", cost="旅費は道の負担")
            for key, verb in ALL_BUT_DECIDED:
                offices.act(conn, line.people[key], found[name], verb, **({"remark": LONG} if key == "head" else {}))
        offices.away(conn, who.director)
        found["seq"] = offices.act(conn, line.vice, found["settled"], "approve").version
        offices.back(conn, who.director)
        director = actor(conn, who.director)
        assert director is not None
        body = recognitions.register(
            conn, director, {"name": "丘の協議会", "decided_on": "R8.4.1", "scope": "計画づくり"}
        )
        found |= of_the_few(conn, who, body)
        reports.ask_report(conn, who.bureau, "dispatch", "year-end", OFFICE, 2026)
        reports.compile_next(system.db)
        reports.ask_report(conn, who.bureau, "dispatch", "year-end", OFFICE, 2026)
        found |= of_the_other_processes(conn, who)
    attach(system.db, who.municipality, found["draft"], name="地図.pdf", label="位置図")
    attach(system.db, who.bureau, found["judged"], name=f"併任協議への回答{'とても長い名前' * 9}.pdf", scope="internal")
    attach(system.db, who.municipality, found["judged"], PDF + b" ", name="検討会議の日程.pdf")
    remark(system.db, who.bureau, found["judged"], f"局内の検討\n{LONG}", scope="internal")
    for number in range(12):
        remark(system.db, who.municipality, found["judged"], f"{number + 1}回目の打合せの日程です。")
    outbox.deliver(system.db)
    watch.remind(system.db)
    verify.run(system.db)
    search.catch_up(system.db)
    return found


def to_another_office(system: System, place: str, *, last: str, first: str) -> None:
    """A municipality goes to the neighbouring bureau: the last day with its own, and the first with the other."""
    with psycopg.connect(system.urls.owner_url.replace("+psycopg", ""), autocommit=True) as owner:
        owner.execute("UPDATE organisation SET valid_to = %s WHERE code = %s AND valid_to IS NULL", (last, place))
        owner.execute(
            """INSERT INTO organisation (code, kind, name, short, kana, office, sort, contact, valid_from)
               SELECT code, kind, name, short, kana, 'hk-sorachi', sort, contact, %s FROM organisation WHERE code = %s AND valid_to = %s""",
            (first, place, last),
        )


def of_the_few(conn: Any, who: Cast, entry: int) -> dict[str, int]:
    """A case whose orders personnel sees, and one that goes to a body which has somebody to sign in."""
    found = {
        "appointed": opened(conn, who, own_affairs="yes", concurrent_appointment="needed", title=f"{TITLE}(appointed)")
    }
    drive(
        conn,
        who,
        found["appointed"],
        *("submit", "receive", "propose_team", "consult", "agree", "put_to_director", "approve", "record_orders"),
    )
    code = conn.execute("SELECT org_code FROM recognition WHERE id = %s", (entry,)).fetchone()[0]
    signing_in = (factory.person(conn, "body", code), "body", prefecture.hashed())
    conn.execute(prefecture.ACCOUNT, signing_in)
    going = {
        "type": "organization",
        "municipality_code": who.place,
        "municipality_name": "美瑛町",
        "organization_name": "丘の協議会",
    }
    found["gone_to"] = opened(conn, who, destination=going, title=f"{TITLE}(gone_to)")
    drive(conn, who, found["gone_to"], "submit", "receive", "propose_team", "put_to_director", "approve")
    return found


def of_the_other_processes(conn: Any, who: Cast) -> dict[str, int]:
    """A body with a session, a round table that is written and one to which people are invited, a consultation."""
    body = council.body(conn, who)
    found = {"body": body, "session": council.called(conn, who, body)}
    held_on = first_day(conn).isoformat()
    planned = PLAN | {"plan": PLAN["plan"] | {"held_on": held_on}}
    for name in ("plan", "table"):
        found[name] = cases.open_case(conn, who.bureau, "round_table", "office", planned)
    for person, action in (
        (who.bureau, "plan"),
        (who.bureau, "ask_decision"),
        (who.director, "approve"),
        (who.bureau, "invite"),
    ):
        council.act(conn, person, found["table"], action)
    found["consultation"] = received(conn, who, "空き家の活用を続けたい")
    desk.act(conn, who.bureau, found["consultation"], "keep", reason="どの課か調べる。")
    desk.act(conn, who.bureau, found["consultation"], "take")
    stale = desk.published(conn, who, "空き家の補助はあるか", "あります。")
    cases.act_by_clock(conn, stale, "lapse_answer")
    found["question"] = desk.published(
        conn, who, "空き家を活用した宿は開けるか", "用途の変更を町と確かめてください。", asker="individual"
    )
    desk.act(conn, who.bureau, found["question"], "send_answer", to=who.place)
    desk.act(
        conn, who.bureau, found["question"], "correct", wrong="届出だけと書いた。", right="用途の変更の確認が要ります。"
    )
    found |= of_what_hangs_below(conn, who, body)
    topic = {"topic": {"title": "冬の観光", "kind": "exchange", "text": "話し合いたい。"}}
    found["topic"] = cases.open_case(conn, who.bureau, "council_topic", "office", topic)
    desk.act(conn, who.bureau, found["topic"], "propose")
    return found


def of_what_hangs_below(conn: Any, who: Cast, body: int) -> dict[str, int]:
    """An opinion, a coordination that departments are asked in, a duty that a session left and a project of the body."""
    reported = round_table.reported(conn, who)
    opinion, *_, asked = (case for case, _ in council.children(conn, reported))
    signing_in = (factory.person(conn, "department", "hk-somu"), "department", prefecture.hashed())
    conn.execute(prefecture.ACCOUNT, signing_in)
    desk.act(
        conn,
        who.headquarters,
        asked,
        "distribute",
        {"distribution": {"items": [{"department": "hk-somu"}, {"department": "hk-nosei"}]}},
    )
    council.act(conn, who.bureau, body, "add_project", title="丘のまちの交通", aim="足の確保")
    project = council.children(conn, body)[-1][0]
    council.act(conn, who.bureau, body, "call_session", format="face")
    session = council.children(conn, body)[-1][0]
    council.held(
        conn,
        who,
        session,
        [{"no": "1", "what": "資料を配る", "owner_kind": "office", "due": first_day(conn, after=60).isoformat()}],
    )
    duty = next(case for case, process in council.children(conn, session) if process == "council_action")
    return {"reported_table": reported, "opinion": opinion, "coordination": asked, "project": project, "duty": duty}


def opened_by(visit: Visits, login: str, **how: Any) -> Page:
    if login == NOBODY:
        return visit.nobody(**how)
    page = visit(login, **how)
    page.locator(".site-header__who").wait_for()  # or every page would be the one of the sign-in
    return page


@pytest.mark.parametrize("login", PAGES)
def test_axe_finds_nothing_and_nothing_sticks_out(furnished: Furnished, visit: Visits, login: str) -> None:
    """On the desk, on the phone, and on the paper that comes out of the printer."""
    page = opened_by(visit, login)
    found = {}
    for path in PAGES[login]:
        page.set_viewport_size({"width": DESK, "height": 900})
        page.goto(furnished.address(path))
        page.evaluate(UNFOLD)
        found[path] = [*on_screen(page, DESK), *on_paper(page), *on_screen(page, PHONE)]
    assert {path: wrong for path, wrong in found.items() if wrong} == {}


def on_screen(page: Page, width: int) -> list[Any]:
    page.set_viewport_size({"width": width, "height": 900})
    return [*violations(page), *overflowing(page, width, STICKS_OUT)]


def on_paper(page: Page) -> list[Any]:
    """What A4 leaves between its margins is 700 pixels wide."""
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 700, "height": 1000})
    wrong = overflowing(page, 700, CUT_OFF)
    page.emulate_media(media="screen")
    return wrong


def overflowing(page: Page, width: int, inside: str) -> list[Any]:
    wrong: list[Any] = []
    if (wide := page.evaluate("document.documentElement.scrollWidth")) > width:
        wrong.append((f"wider than {width}", wide))
    if inner := page.evaluate(inside):
        wrong.append((f"hides what it holds at {width}", inner))
    return wrong


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_the_answers_to_a_file_are_read_by_everybody(visit: Visits, width: int) -> None:
    """A page that comes back from a sent file, with a record that goes back and one that may be taken in."""
    page = visit("bureau", width=width)
    page.goto("/intake")
    good = {
        "office_code": OFFICE, "initiative": "municipality_request", "received_on": "R8.10.13", "title": TITLE, "purpose": "順を決めたい。",
        "requester": {"municipality_code": "014591"}, "destination": {"type": "municipality", "municipality_code": "014591"},
        "work_category": "request.plan", "tasks": ["助言"], "task_roles": ["advice"], "period": {"from": "R8.11.9", "to": "R8.11.20"},
        "staff": [{"role": "主査", "days": "11/9-18"}], "concurrent_appointment": {"needed": False, "municipal_own_affairs": True},
    }  # fmt: skip
    data = json.dumps([good, good | {"received_on": ""}]).encode()
    page.locator("input[type=file]").set_input_files(
        {"name": "記録.json", "mimeType": "application/json", "buffer": data}
    )
    press(page, "読んで、1件ずつ確かめる")
    for heading in ("1件ずつ確かめました", "取り込みました"):
        page.get_by_role("heading", level=1, name=heading).wait_for()
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(STICKS_OUT) == []
        if heading != "取り込みました":
            press(page, "よいものだけ取り込む(1件)")


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_what_a_list_would_do_is_read_by_everybody(furnished: Furnished, visit: Visits, width: int) -> None:
    """Appointments and absences that are brought as files, each with a row that goes back and one that may be taken in."""
    with furnished.system.db.connection() as conn:
        row = conn.execute(
            "SELECT staff_no, name FROM person WHERE id = %s", (furnished.system.who.director,)
        ).fetchone()
    assert row is not None
    told = (
        ("administrator", "/appointments", "職員番号,氏名,異動後の組織,係・課,職名,発令の種類\n{0},{1},,,,退職・離任\nX1,だれか,,,,本務", "読んで、影響を確かめる", "影響を確かめました"),
        ("bureau", "/absences", "職員番号,種類,初めの日\n{0},出張,R8.12.1\nX1,出張,R8.12.1", "読んで、1行ずつ確かめる", "1行ずつ確かめました"),
    )  # fmt: skip
    for login, path, text, button, heading in told:
        page = visit(login, width=width)
        page.goto(path)
        if path == "/appointments":
            page.locator("#effective").fill("R8.12.1")
        data = text.format(*row).encode("cp932")
        page.locator("input[type=file]").set_input_files({"name": "一覧.csv", "mimeType": "text/csv", "buffer": data})
        press(page, button)
        page.get_by_role("heading", level=1, name=heading).wait_for()
        assert violations(page) == []
        assert overflowing(page, width, STICKS_OUT) == []


def violations(page: Page) -> list[Any]:
    """What axe finds on the page: rule and places."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found: list[Any] = page.evaluate(RUN_AXE)
    return found


def test_a_refused_act_is_told_to_everybody(furnished: Furnished, visit: Visits) -> None:
    """The page that comes back reads its summary first, and axe finds nothing there either."""
    director = visit("director")
    director.goto(furnished.address("/cases/{judged}"))
    press(card(director, "派遣しないと決める"), "派遣しないと決める")
    director.locator(".error-summary:focus").get_by_role(
        "link", name="「理由(市町村にも見えます)」を書いてください。"
    ).click()
    assert director.evaluate("document.activeElement.name") == "input.reason"
    assert violations(director) == []


@pytest.mark.parametrize(
    ("login", "path"),
    [("director", "/cases/{judged}"), ("municipality", "/cases/{draft}/edit"), ("bureau", "/inbox"), ("bureau", "/reports"), ("auditor", "/audit")],
)  # fmt: skip
def test_at_twice_the_size_nothing_is_lost(furnished: Furnished, visit: Visits, login: str, path: str) -> None:
    """200 % of a desk of 1280 is a window of 640: what can be pressed and read there is the same."""
    normal = visit(login)
    normal.goto(furnished.address(path))
    zoomed = visit.nobody("zoom", width=DESK // 2, scale=2)
    zoomed.context.add_cookies(
        [{"name": c["name"], "value": c["value"], "url": furnished.system.address} for c in normal.context.cookies()]
    )
    zoomed.goto(furnished.address(path))
    assert zoomed.evaluate("document.documentElement.scrollWidth") <= DESK // 2
    assert zoomed.evaluate(STICKS_OUT) == []
    for role in ("button", "link", "heading", "textbox", "radio", "combobox"):
        assert names(normal, role) <= names(zoomed, role), role


def names(page: Page, role: Any) -> set[str]:
    """The words of everything of that role that can be seen in the main part."""
    found = page.locator("main").get_by_role(role).locator("visible=true")
    return {" ".join(words.split()) for words in found.evaluate_all("all => all.map(e => e.innerText || e.name || '')")}


def test_the_decision_is_reached_and_made_with_keys(furnished: Furnished, visit: Visits) -> None:
    with furnished.system.db.connection() as conn:
        case_id = opened(conn, furnished.system.who, title="鍵盤だけで決める件")
        drive(conn, furnished.system.who, case_id, "submit", "receive", "propose_team", "put_to_director")
    page = visit("director")
    page.goto(f"/cases/{case_id}")
    page.keyboard.press("Tab")
    assert focused(page) == "本文へ移動"
    assert page.get_by_role("link", name="本文へ移動").bounding_box()["y"] >= 0  # type: ignore[index]
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    seen: list[str] = []
    while "派遣を決定する" not in seen[-1:]:
        page.keyboard.press("Tab")
        seen.append(focused(page))
        assert len(seen) < 40, seen
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none", seen[-1]
    page.keyboard.press("Enter")
    done(page, "派遣を決定する")


def focused(page: Page) -> str:
    return " ".join(page.evaluate("document.activeElement.innerText || ''").split())


@pytest.mark.parametrize(
    ("login", "path", "words"),
    [
        ("director", "/cases/{judged}", [TITLE, "9日になり、1人1週間以内程度を超えます", "要領2(4)1業務1か月以内D-07", "局長の判断を求める"]),
        ("municipality", "/cases/{judged}/print", [TITLE, "別記様式第1号", "上川総合振興局長様", "〔助言〕"]),
        ("bureau", "/inbox", ["受信箱", f"{TITLE}(examined)"]),
        ("bureau", "/reports", ["年度末報告", "延べ人日", "数えなかった案件"]),
        ("bureau", "/calendar?view=hk-kamikawa&month=2026-11", ["令和8年11月の予定", "文化の日", "飛び出し隊 派遣"]),
        ("bureau", "/turns", ["手番の日数", "どれだけかかるか", "派遣職員"]),
        ("auditor", "/audit?action=approve", ["すべての記録がつながっています", "派遣を決定する"]),
        ("municipality", "/cases/{declined}/letters/decline_notice", ["美瑛町長様", "派遣しないことに決定しました", "時期が重なるため。"]),
    ],
)  # fmt: skip
def test_it_prints_on_a4(furnished: Furnished, visit: Visits, login: str, path: str, words: list[str]) -> None:
    page = visit(login)
    page.goto(furnished.address(path))
    paper = PdfReader(io.BytesIO(page.pdf(format="A4", prefer_css_page_size=True)))
    sizes = {tuple(sorted((round(float(p.mediabox.width)), round(float(p.mediabox.height))))) for p in paper.pages}
    assert all(abs(size[0] - 595) <= 1 and abs(size[1] - 842) <= 1 for size in sizes), sizes
    text = plain("".join(p.extract_text() for p in paper.pages))
    for told in words:
        assert plain(told) in text, told
    assert on_paper(page) == []


def test_the_prescribed_form_is_one_sheet_and_nothing_else(furnished: Furnished, visit: Visits) -> None:
    page = visit("bureau")
    page.goto(furnished.address("/cases/{judged}/print"))
    (sheet,) = PdfReader(io.BytesIO(page.pdf(format="A4", prefer_css_page_size=True))).pages
    text = plain(sheet.extract_text())
    assert text.startswith("別記様式第1号")
    assert plain(furnished.system.names["bureau"]) not in text


def plain(text: str) -> str:
    """Words without blanks; a PDF names some characters by their radicals, and breaks lines where it likes."""
    return "".join(unicodedata.normalize("NFKC", text).replace("⻑", "長").split())
