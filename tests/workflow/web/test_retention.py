"""The page of keeping and disposing: proposed by one, confirmed by another, told in the register and its file."""

import csv
import io
import re
from collections.abc import Callable
from datetime import datetime

import pytest

from tests import factory
from tests.workflow.web import test_browser
from tests.workflow.web.browsing import Browser, browser_of, visible
from workflow import retention, verify
from workflow.db import database
from workflow.deadlines import TOKYO

Browse = Callable[[int], Browser]
tab = test_browser.tab
GROUND = "保存期間の満了。歴史資料には当たらない。"


@pytest.fixture
def browse(web, conn) -> Browse:
    """A browser in which a person is signed in."""
    return lambda person_id: browser_of(web, conn, person_id)


@pytest.fixture
def clock(fresh_database):
    def at(day: str) -> None:
        factory.set_clock(fresh_database.owner_url, datetime.fromisoformat(f"{day}T09:00:00").replace(tzinfo=TOKYO))

    at("2026-10-14")
    return at


@pytest.fixture
def over(conn, who, clock) -> list[int]:
    """Three cases that ended in 令和8年度, five years and more ago, and one of a year later."""
    made = []
    for number in range(4):
        clock("2026-10-14" if number < 3 else "2027-06-01")
        made.append(factory.opened(conn, who, title=f"終わった件{number}"))
        factory.drive(conn, who, made[-1], "submit", "receive", "propose_team", ("withdraw", {"by": who.municipality}))
    clock("2033-04-01")
    return made


def mark(conn, case: int) -> str:
    return f"{case}.{factory.version(conn, case)}"


def test_a_case_goes_by_the_hands_of_two(browse: Browse, conn, who, over):
    records, director = browse(who.records), browse(who.director)
    told = visible(records.get("/retention"))
    assert "保存期間が過ぎた案件 4件" in told
    assert "令和13年度に満了(3件)" in told
    assert "終わった件3" not in visible(records.get("/retention?year=2031")).partition("廃棄を止めている案件")[0]
    assert "終わった件3" in visible(records.get("/retention?year=²"))
    sent = {"do": "propose", "cases": mark(conn, over[0]), "reason-propose": GROUND}
    assert records.send("/retention", sent).headers["location"] == "/retention?done=propose"
    assert "まだ何も消えていません" in visible(records.get("/retention?done=propose"))
    # The director is asked by the inbox, and finds the way from the case.
    assert "廃棄を確かめる" in visible(director.get("/inbox"))
    assert 'href="/retention">廃棄を確かめる' in director.get(f"/cases/{over[0]}")
    own = records.send("/retention", {"do": "confirm", "cases": mark(conn, over[0])}, status=403)
    assert "あなたが起案しました" in visible(own.text)
    director.send("/retention", {"do": "confirm", "cases": mark(conn, over[0])})
    assert factory.version(conn, over[0]) == 6
    told = visible(director.get("/retention?done=confirm"))
    assert "廃棄(記録6号)" in told
    assert "終わった件0" not in told
    for person in (who.municipality, who.bureau, who.director, who.records, who.auditor):
        page = visible(browse(person).get(f"/cases/{over[0]}"))
        assert "廃棄(記録6号)" in page
        assert "終わった件0" not in page
    assert "消去済み(記録6号)" in visible(browse(who.bureau).get(f"/cases/{over[0]}"))
    assert verify.verify(database()).whole


def test_the_register_is_taken_out_on_record(browse: Browse, conn, who, over):
    db = database()
    retention.propose(db, who.records, [(over[0], 4), (over[1], 4)], GROUND)
    retention.confirm(db, who.director, [(over[0], 5), (over[1], 5)])
    answer = browse(who.records).send("/retention/register", {}, status=200)
    assert re.fullmatch(
        r'attachment; filename="tobidashi-disposals_2033-04-01.csv"', answer.headers["content-disposition"]
    )
    lines = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [(line["案件番号"], line["終わった日"], line["保存期間の終わり"], line["延長"], line["記録番号"]) for line in lines] == [
        ("上川-R8-002", "2026-10-14", "2032-03-31", "なし", "6"), ("上川-R8-001", "2026-10-14", "2032-03-31", "なし", "6"),
    ]  # fmt: skip
    assert "文書主任" in lines[0]["廃棄を起案した人"]
    assert "局長" in lines[0]["廃棄を確かめた人"]
    (digest,) = conn.execute(
        "SELECT encode(hash, 'hex') FROM event WHERE case_id = %s AND seq = 6", (over[0],)
    ).fetchone()
    assert lines[1]["指紋"] == digest
    assert conn.execute("SELECT person_id, what, rows FROM export_record").fetchall() == [(who.records, "disposals", 2)]
    assert "廃棄簿 CSV" in visible(browse(who.records).get("/audit"))
    # Another office's records are another office's.
    other = browse(factory.person(conn, "records", "hk-soya"))
    assert "上川-R8" not in visible(other.get("/retention")) + other.send("/retention/register", {}, status=200).text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "どの操作かを読み取れませんでした"), ({"do": "eat"}, "どの操作かを読み取れませんでした"),
        ({"do": "propose", "reason-propose": "理由です"}, "1つ以上選んでください"),
        ({"do": "propose", "cases": "x", "reason-propose": "理由です"}, "読み取れませんでした"),
        ({"do": "propose", "cases": "99999999999999999999.1", "reason-propose": "理由です"}, "読み取れませんでした"),
        ({"do": "propose", "cases": "{}", "reason-propose": " "}, "理由を、保存できる文字で"),
        ({"do": "propose", "cases": "{}", "reason-propose": "理由\x07"}, "理由を、保存できる文字で"),
        ({"do": "extend", "cases": "{}", "reason-extend": "理由です", "years": "999"}, "延ばす年数は"),
        ({"do": "extend", "cases": "{}", "reason-extend": "理由です", "years": "²"}, "延ばす年数は"),
        ({"do": "hold", "number": "ない番号", "reason-hold": "理由です"}, "「ない番号」の案件は見つかりません"),
        ({"do": "decline", "cases": "{}", "reason-decline": "理由です"}, "いま起案されていません"),
    ],
)  # fmt: skip
def test_a_refusal_keeps_what_was_typed(browse: Browse, conn, who, over, fields, said):
    sent = {name: text.format(mark(conn, over[0])) for name, text in fields.items()}
    answer = browse(who.records).send("/retention", sent, status=422)
    told = visible(answer.text)
    assert said in told
    assert "まだ何も変えていません" in told
    if (
        "cases" in sent
        and "." in sent["cases"]
        and sent["cases"].startswith(str(over[0]))
        and sent["do"] in ("propose", "extend")
    ):
        assert f'value="{mark(conn, over[0])}" checked' in answer.text
    typed = sent.get(f"reason-{sent.get('do')}", "")
    if typed.strip() and "\x07" not in typed and sent["do"] != "decline":
        assert f">\n{typed}</textarea>" in answer.text
    assert factory.version(conn, over[0]) == 4


def test_a_hold_is_set_by_number_and_released(browse: Browse, conn, who, over):
    seat = browse(who.records)
    seat.send("/retention", {"do": "hold", "number": " 上川-R8-001 ", "reason-hold": "住民監査請求のため。"})
    told = visible(seat.get("/retention?done=hold"))
    assert "住民監査請求のため。" in told
    assert "保存期間が過ぎた案件 3件" in told
    seat.send("/retention", {"do": "release", "case": str(over[0]), "reason-release": "監査が終わった。"})
    assert "保存期間が過ぎた案件 4件" in visible(seat.get("/retention"))
    seat.send("/retention", {"do": "release", "case": str(over[0]), "reason-release": "監査が終わった。"}, status=422)
    # Who only reads finds no buttons.
    page = browse(who.auditor).get("/retention")
    assert "案件の廃棄を止める" not in page
    assert 'name="cases"' not in page


def test_what_was_seen_before_somebody_acted_is_not_disposed_of(browse: Browse, conn, who, over):
    db = database()
    retention.propose(db, who.records, [(over[0], 4)], GROUND)
    seen = mark(conn, over[0])
    retention.decline(db, who.records, [(over[0], 5)], "調べ直す。")
    retention.propose(db, who.records, [(over[0], 6)], GROUND)
    answer = browse(who.director).send("/retention", {"do": "confirm", "cases": seen}, status=409)
    assert "廃棄を起案する" in visible(answer.text)


@pytest.mark.browser
def test_it_looks_right(browse: Browse, tab, address, conn, who, over):
    db = database()
    retention.hold(db, who.records, "上川-R8-003", "住民監査請求のため、結論が出るまで残す。")
    retention.propose(db, who.records, [(over[0], 4)], GROUND)
    retention.confirm(db, who.director, [(over[0], 5)])
    retention.propose(db, who.records, [(over[1], 4)], GROUND)
    for name, person, path in (
        ("records", who.records, "/retention?done=propose"), ("director", who.director, "/retention"), ("auditor", who.auditor, "/retention"),
        ("disposed", who.bureau, f"/cases/{over[0]}"),
    ):  # fmt: skip
        token = browse(person).client.cookies["tobidashi"]
        tab.context.add_cookies([{"name": "tobidashi", "value": token, "url": address}])
        tab.goto(address + path)
        assert "/login" not in tab.url
        test_browser.looks_right(tab, f"retention_{name}")
    tab.goto(f"{address}/retention")
