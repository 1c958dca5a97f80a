"""Pages of what came on paper, in a file or twice, and of what was passed on: what each reader sees and what a click does."""

import io
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import openpyxl
import pytest

from states.dates import short
from tests import factory
from tests.workflow.web.browsing import Browser, browser_of, sheet, visible
from tests.workflow.web.conftest import Web
from workflow import cases, comments, intake
from workflow.access import actor
from workflow.db import database, type_connection
from workflow.web import intake as page

Browse = Callable[[int], Browser]
TITLE = "空き家を生かす移住計画づくりの助言"
RIGHT = "hk-sorachi"


@pytest.fixture
def conn(web: Web) -> Iterator[type_connection]:
    with database().connection() as connection:
        yield connection


@pytest.fixture
def who(conn: type_connection) -> factory.Cast:
    return factory.cast(conn)


@pytest.fixture
def browse(web: Web, conn: type_connection) -> Browse:
    return lambda person_id: browser_of(web, conn, person_id)


def on_paper(conn: type_connection, who: factory.Cast, days: int = 4) -> int:
    form = factory.request_form(conn, who, title=TITLE)
    form["receipt"] = {"channel": "fax", "arrived_on": (cases.today(conn) - timedelta(days=days)).isoformat()}
    made = cases.open_case(conn, who.bureau, "dispatch", "municipality_request", form)
    factory.drive(conn, who, made, "submit_proxy")
    return made


def record(conn: type_connection, who: factory.Cast, **changes: Any) -> dict[str, Any]:
    first = factory.first_day(conn)
    return {
        "office_code": who.office, "initiative": "municipality_request", "received_on": cases.today(conn).isoformat(),
        "requester": {"municipality_code": who.place}, "destination": {"type": "municipality", "municipality_code": who.place},
        "title": "丘の道しるべ<b>", "work_category": "request.plan", "purpose": "順を決めたい。", "tasks": ["助言"], "task_roles": ["advice"],
        "period": {"from": first.isoformat(), "to": first.isoformat()}, "staff": [{"role": "主査", "days": first.isoformat()}],
        "concurrent_appointment": {"needed": False, "municipal_own_affairs": False},
    } | changes  # fmt: skip


def bring(browser: Browser, data: bytes, name: str = "記録.json", status: int = 200, **fields: str) -> str:
    """The form of a file, as the page sends it."""
    told = {"csrf": browser.csrf, "process": "dispatch"} | fields
    answer = browser.client.post("/intake", data=told, files={"file": (name, data)})
    assert answer.status_code == status, visible(answer.text)[:2000]
    return str(answer.text)


# ── entered on behalf ───────────────────────────────────────────────────────────────────────────────────────────────


def test_who_entered_it_when_it_came_and_how_stands_on_the_case(browse: Browse, conn: Any, who: factory.Cast) -> None:
    case = on_paper(conn, who)
    day = short(cases.today(conn) - timedelta(days=4))
    name = conn.execute("SELECT name FROM person WHERE id = %s", (who.bureau,)).fetchone()[0]
    inside = visible(browse(who.director).get(f"/cases/{case}"))
    assert f"ファクシミリで到着 {day} ・ 代理入力 {name}" in inside
    outside = visible(browse(who.municipality).get(f"/cases/{case}"))
    assert f"ファクシミリで到着 {day} ・ 代理入力 上川総合振興局" in outside
    assert name not in outside
    html = browse(who.bureau).get(f"/cases/{case}")
    arrived = cases.today(conn) - timedelta(days=4)
    assert sheet(html)["input.arrived_on~d"] == str(arrived.day), "the day that was entered stands in the field"


# ── twice ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_repetition_is_shown_at_reception_and_closed_with_two_clicks(
    browse: Browse, conn: Any, who: factory.Cast
) -> None:
    first, paper = factory.opened(conn, who, title=TITLE), on_paper(conn, who)
    factory.drive(conn, who, first, "submit", "receive")
    number = str(cases.look(conn, who.bureau, first).number)
    browser = browse(who.bureau)
    told = visible(browser.get(f"/cases/{paper}"))
    assert "よく似た要請が届いています" in told
    assert f"{number} {TITLE}" in told
    assert f"画面で到着 {short(cases.today(conn))}" in told
    html = browser.get(f"/cases/{paper}?same={number}")
    assert f'value="{number}" checked' in html
    fields = {"version": "1", "key": str(uuid4()), "input.same_as": number}
    browser.send(f"/cases/{paper}/actions/mark_duplicate", fields)
    assert f"同じ要請として、 {number} {TITLE} で進めています。" in visible(browser.get(f"/cases/{paper}"))
    beside = visible(browse(who.municipality).get(f"/cases/{first}"))
    assert "重なって届いたもの" in beside
    assert "ファクシミリで到着" in beside


def test_a_number_that_was_written_counts_before_one_that_was_chosen(
    browse: Browse, conn: Any, who: factory.Cast
) -> None:
    first, paper = factory.opened(conn, who, title=TITLE), on_paper(conn, who)
    factory.drive(conn, who, first, "submit", "receive")
    number = str(cases.look(conn, who.bureau, first).number)
    sent = {
        "csrf": browse(who.bureau).csrf,
        "version": "1",
        "key": str(uuid4()),
        "input.same_as": [number, " 上川-R8-999 "],
    }
    answer = browse(who.bureau)
    sent["csrf"] = answer.csrf
    refused = answer.client.post(f"/cases/{paper}/actions/mark_duplicate", data=sent)
    assert refused.status_code == 422
    assert "「上川-R8-999」という案件が見つかりません" in visible(refused.text)


def test_the_writer_sees_it_before_sending(browse: Browse, conn: Any, who: factory.Cast) -> None:
    first, draft = factory.opened(conn, who, title=TITLE), factory.opened(conn, who, title=TITLE)
    factory.drive(conn, who, first, "submit")
    for path in (f"/cases/{draft}/edit", f"/cases/{draft}/actions/submit"):
        assert "よく似た要請が届いています" in visible(browse(who.municipality).get(path))


# ── passed on ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_right_bureau_is_chosen_and_who_passed_it_on_reads_it_as_it_was(
    browse: Browse, conn: Any, who: factory.Cast
) -> None:
    case = factory.opened(conn, who, title=TITLE)
    factory.drive(conn, who, case, "submit", "receive")
    with database().transaction() as session:
        moved = session.connection().exec_driver_sql  # the town belongs to another bureau from today
        moved("UPDATE organisation SET office = %s WHERE code = %s AND valid_to IS NULL", (RIGHT, who.place))
    browser = browse(who.bureau)
    html = browser.get(f"/cases/{case}")
    assert "美瑛町は空知総合振興局の所管です" in visible(html)
    assert f'<option value="{RIGHT}" selected>' in html
    assert who.office not in html.split('name="input.office"')[1].split("</select>")[0]
    sent = {"version": "2", "key": str(uuid4()), "input.office": RIGHT, "input.reason": "所管が変わったため。"}
    browser.send(f"/cases/{case}/actions/forward", sent)
    there = factory.person(conn, "bureau", RIGHT)
    clerk = actor(conn, there)
    assert clerk is not None
    comments.add(conn, clerk, case, scope="internal", body="転送後の相談", key=uuid4())
    factory.drive(conn, who, case, ("ask_correction", {"by": there, "inputs": {"reason": "転送後の補正"}}))
    later = browse(there)
    sent = {"csrf": later.csrf, "key": str(uuid4()), "back": "list", "scope": "shared", "label": "転送後の図"}
    later.client.post(f"/cases/{case}/files", data=sent, files={"file": ("転送後の図.txt", b"plan")})
    (file,) = conn.execute("SELECT id FROM attachment WHERE case_id = %s", (case,)).fetchone()
    assert later.client.get(f"/cases/{case}/files/{file}").status_code == 200
    assert browser.client.get(f"/cases/{case}/files/{file}").status_code == 404
    told = visible(browser.get(f"/cases/{case}"))
    assert "転送済みの案件です" in told
    assert "ここに見えるのは、記録3号" in told
    assert "所管が変わったため。" in told
    assert "できる操作" not in told
    for path in (f"/cases/{case}", f"/cases/{case}/print", "/cases", "/inbox", "/search?q=転送後"):
        assert "転送後の" not in visible(browser.get(path)), path
    assert "転送済み" in visible(browser.get("/cases"))
    assert "転送後の相談" in visible(browse(there).get(f"/cases/{case}"))
    for path in (f"/cases/{case}/edit", f"/cases/{case}/actions/ask_correction"):
        answer = browser.client.get(path)
        assert answer.headers["location"] == f"/cases/{case}"


# ── in a file ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_file_is_answered_first_and_taken_in_then(browse: Browse, conn: Any, who: factory.Cast) -> None:
    browser = browse(who.bureau)
    assert "まとめて受け付ける" in visible(browser.get("/cases/new"))
    bad = record(conn, who, title="長い件", received_on="")
    data = json.dumps([{"id": "よい", "input": record(conn, who)}, {"id": "悪い", "input": bad}]).encode()
    html = bring(browser, data)
    told = visible(html)
    assert "2件のうち、取り込めるもの 1件、直すもの 1件です。" in told
    assert "received_on: 届いた日が書かれていません" in told
    assert "<b>" not in html
    assert conn.execute("SELECT count(*) FROM cases").fetchone() == (0,)
    hidden = sheet(html)
    fields = {name: hidden[name] for name in ("process", "name", "file")}
    for _ in range(2):
        answer = visible(browser.send("/intake/take", fields | {"do": "good"}, status=200).text)
        assert "1件を取り込みました" in answer
        assert "上川-R8-001" in answer or "上川-R" in answer
    assert conn.execute("SELECT count(*) FROM cases").fetchone() == (1,)
    kept = browser.send("/intake/take", fields | {"do": "all"}, status=200)
    assert "まだ何も取り込んでいません" in visible(kept.text)


def test_the_blank_form_comes_back_filled_in(browse: Browse, conn: Any, who: factory.Cast) -> None:
    browser = browse(who.bureau)
    answer = browser.client.get("/intake/form?process=dispatch")
    assert answer.content == intake.blank_form("dispatch")
    assert "attachment" in answer.headers["content-disposition"]
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    places: dict[Any, int] = {cell.value: cell.column or 0 for cell in book["要請"][1]}
    book["要請"].cell(2, places["件名"]).value = "件名だけ"
    written = io.BytesIO()
    book.save(written)
    told = visible(bring(browser, written.getvalue(), "様式.xlsx"))
    assert "D列「届いた日」: 書いてください。" in told
    assert "BF列「市町村だけの事務」: 選んでください。含まない、含む、分からない のどれかです。" in told


@pytest.mark.parametrize(
    ("data", "status", "said"),
    [
        (b"", 422, "ファイルを選んでください"),
        (b"[{]", 422, "受け付けられません"),
        (b"PK\x03\x04", 422, "ではありません"),
        (b"[" * 100_000, 422, "入れ子"),
        (b" " * (page.MOST + 1), 413, "大きすぎます"),
        (b'[{"id": NaN}]', 422, "受け付けられません"),
    ],
)
def test_what_cannot_be_read_is_said_on_the_page(
    browse: Browse, who: factory.Cast, data: bytes, status: int, said: str
) -> None:
    told = visible(bring(browse(who.bureau), data, "<i>.json", status))
    assert "まだ何も取り込んでいません" in told
    assert said in told


@pytest.mark.parametrize("file", ["", "***", "あ", "A"])
def test_a_form_whose_file_is_broken_takes_nothing_in(browse: Browse, who: factory.Cast, file: str) -> None:
    browser = browse(who.bureau)
    browser.send("/intake/take", {"process": "dispatch", "name": "x", "file": file, "do": "all"}, status=422)


def test_only_who_enters_for_others_finds_the_page(browse: Browse, who: factory.Cast) -> None:
    for person in (who.municipality, who.director, who.headquarters, who.staff, who.auditor):
        browser = browse(person)
        for path in ("/intake", "/intake/form?process=dispatch"):
            assert browser.client.get(path).status_code == 404
        bring(browser, b"[]", status=404)
        browser.send("/intake/take", {"process": "dispatch", "file": ""}, status=404)
    assert browse(who.bureau).client.get("/intake/form?process=nothing").status_code == 404
