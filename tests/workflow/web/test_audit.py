"""The records and what belongs to them: who may open them, what is taken out, the chain's last check, mails."""

import csv
import io
import json
from collections.abc import Callable

import pytest

from tests import factory
from tests.workflow.web import test_browser
from tests.workflow.web.browsing import Browser, browser_of, visible
from workflow import cases, export, verify
from workflow.db import database
from workflow.web import audit

Browse = Callable[[int], Browser]
tab = test_browser.tab
TO_JUDGEMENT = ("submit", "receive", "propose_team", "put_to_director")


@pytest.fixture
def browse(web, conn) -> Browse:
    """A browser in which a person is signed in."""
    return lambda person_id: browser_of(web, conn, person_id)


@pytest.fixture
def declined(conn, who):
    """A case that was declined, with a reason that the municipality does not read."""
    case_id = factory.opened(conn, who)
    factory.drive(conn, who, case_id, *TO_JUDGEMENT, "decline")
    return case_id


@pytest.fixture
def administrator(conn):
    return factory.person(conn, "administrator", factory.HEADQUARTERS)


# ── who, what ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_only_who_keeps_the_records_opens_them(browse: Browse, conn, who, administrator, declined):
    for person in (who.municipality, who.bureau, who.director, who.headquarters, who.staff):
        seat = browse(person)
        assert seat.client.get("/audit").status_code == 404
        seat.send("/audit/export", {"kind": "csv"}, status=404)
    for person in (who.auditor, who.records, administrator):
        assert "記録のつながりの点検" in browse(person).get("/audit")
    assert export.taken(conn, who.auditor, everybody=True) == []


def test_events_of_every_case_in_scope_are_told(browse: Browse, conn, who, declined):
    told = visible(browse(who.auditor).get("/audit"))
    for word in (
        "派遣しないと決める",
        "判断 → 派遣しない",
        "上川総合振興局 局長",
        "空き家を生かす移住計画づくりの助言",
        "全5件",
    ):
        assert word in told, word
    elsewhere = factory.cast(conn, "hk-sorachi", "012106")
    assert "この条件に合う記録はありません。" in visible(browse(elsewhere.records).get("/audit"))


def test_filters_and_pages_stay_in_the_address(browse: Browse, conn, who, declined, monkeypatch):
    monkeypatch.setattr(audit, "PAGE", 2)
    seat = browse(who.auditor)
    html = seat.get(f"/audit?office={who.office}&person=氏名")
    assert "1〜2件目" in html
    following = html.rpartition('href="/audit?')[2].partition('"')[0].replace("&amp;", "&")
    for name in ("office=hk-kamikawa", "person=", "since=", "until=", "after="):
        assert name in following
    assert "続きの2件" in seat.get(f"/audit?{following}")
    assert "全1件" in seat.get("/audit?action=decline")


def test_a_period_is_read_generously_and_an_unreadable_one_is_told(browse: Browse, conn, who, declined):
    seat, today = browse(who.auditor), cases.today(conn)
    era = f"R{today.year - 2018}.{today.month}.{today.day}"
    assert "全5件" in seat.get(f"/audit?since={era}&until={era}")
    for since, until, said in (
        ("あした", "", "あした"),
        ("R8.13.1", "", "13"),
        ("2026-10-02", "2026-10-01", "初めの日より前"),
        ("1300-01-01", "", "暦が違います"),
    ):
        html = seat.get(f"/audit?since={since}&until={until}&q=")
        assert "期間を直してください" in html
        assert said in visible(html)
        assert f'value="{since}"' in html
        answer = seat.send("/audit/export", {"kind": "csv", "since": since, "until": until}, status=422)
        assert "期間を直してください" in answer.text
    assert export.taken(conn, who.auditor, everybody=True) == []


# ── taking out ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_same_events_leave_as_csv_and_as_json_lines_and_both_are_recorded(browse: Browse, conn, who, declined):
    seat, today = browse(who.auditor), cases.today(conn).isoformat()
    fields = {"since": today, "until": today, "office": "", "person": "", "post": "", "action": "", "case": ""}
    answer = seat.send("/audit/export", fields | {"kind": "csv"}, status=200)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="tobidashi-events_{today}_{today}.csv"'
    assert answer.headers["cache-control"] == "no-store"
    assert answer.content.startswith("\ufeff".encode())
    assert len(list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))) == 6
    answer = seat.send("/audit/export", fields | {"kind": "jsonl", "action": "decline"}, status=200)
    assert answer.headers["content-type"] == "application/jsonl"
    assert json.loads(json.loads(answer.text)["body"])["action"] == "decline"
    told = visible(seat.get("/audit"))
    assert "記録 JSON Lines 初めの日:" in told
    assert "操作: decline" in told
    assert "5件" in told
    assert [row["rows"] for row in export.taken(conn, who.auditor, everybody=True)] == [1, 5]


def test_without_a_period_this_fiscal_year_is_taken(browse: Browse, conn, who, declined):
    answer = browse(who.records).send("/audit/export", {"kind": "jsonl"}, status=200)
    today = cases.today(conn)
    assert f"events_{today.year - (today.month < 4)}-04-01_{today}.jsonl" in answer.headers["content-disposition"]
    assert len(answer.text.splitlines()) == 5


def test_taking_out_is_refused_without_token_kind_or_measure(browse: Browse, conn, who, declined, monkeypatch):
    seat = browse(who.auditor)
    assert seat.client.post("/audit/export", data={"kind": "csv"}).status_code == 403
    assert seat.client.get("/audit/export").status_code == 405
    seat.send("/audit/export", {"kind": "xlsx"}, status=404)
    monkeypatch.setattr(export, "MOST", 4)
    assert "期間を短く分けて" in seat.send("/audit/export", {"kind": "csv"}, status=422).text
    assert export.taken(conn, who.auditor, everybody=True) == []


# ── the chain ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_last_check_is_told_in_words(browse: Browse, conn, who, declined, superuser):
    seat = browse(who.auditor)
    assert "まだ点検の結果がありません。" in seat.get("/audit")
    verify.run(database())
    told = visible(seat.get("/audit"))
    assert "すべての記録がつながっています。" in told
    assert "5件(1案件)" in told
    conn.execute("UPDATE chain_check SET finished_at = finished_at - interval '5 days'")
    assert "最後の点検から5日たっています。" in seat.get("/audit")
    superuser.execute("UPDATE cases SET state = 'reported'")
    verify.run(database())
    told = visible(seat.get("/audit"))
    assert "つながりの切れたところが1か所あります。" in told
    assert "案件の状態と最後の記録が合いません。" in told
    elsewhere = factory.cast(conn, "hk-sorachi", "012106")
    told = visible(browse(elsewhere.records).get("/audit"))
    assert "あなたの職で見られない案件に1か所あります。" in told
    assert "空き家" not in told


# ── mails ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def mails(conn, who, declined):
    for number, person in enumerate((who.bureau, who.director)):
        conn.execute(
            """INSERT INTO message (outbox_id, case_id, person_id, address, message_id, subject, body, made_at)
               SELECT min(id), %s, %s, 'a@example.invalid', %s, %s, E'一行目\n<script>二行目', now() FROM outbox""",
            [declined, person, f"<{number}>", f"題{number}"],
        )


def test_the_mailbox_is_the_demonstrations_alone(browse: Browse, conn, who, owner, administrator, mails, configured):
    seat = browse(who.bureau)
    assert seat.client.get("/mailbox").status_code == 404
    owner.execute("ALTER TABLE installation DISABLE TRIGGER keep_mark")
    owner.execute("UPDATE installation SET demonstration = true")
    html = seat.get("/mailbox")
    assert "題0" in html
    assert "題1" not in html
    assert "一行目<br>&lt;script&gt;二行目" in html
    everything = visible(browse(administrator).get("/mailbox"))
    assert "題0" in everything
    assert "題1" in everything
    assert "届いたメールは、まだありません。" in browse(who.staff).get("/mailbox")
    configured(SMTP_URL="smtp://127.0.0.1:1")
    assert seat.client.get("/mailbox").status_code == 404


# ── the eye ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.browser
def test_the_records_look_right(browse: Browse, tab, address, conn, who, owner, mails, declined):
    owner.execute("ALTER TABLE installation DISABLE TRIGGER keep_mark")
    owner.execute("UPDATE installation SET demonstration = true")
    export.take(conn, who.auditor, "events.csv")
    verify.run(database())
    for name, person, path in (
        ("records", who.auditor, "/audit"), ("unreadable", who.auditor, "/audit?since=あした"), ("mailbox", who.bureau, "/mailbox"),
    ):  # fmt: skip
        token = browse(person).client.cookies["tobidashi"]
        tab.context.add_cookies([{"name": "tobidashi", "value": token, "url": address}])
        tab.goto(address + path)
        assert "/login" not in tab.url
        test_browser.looks_right(tab, f"audit_{name}")
