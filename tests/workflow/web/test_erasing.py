"""Erasing on the page: what must go is looked for, found in every version and copy, and gone from all of them in one act."""

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any

import pytest

from tests import factory
from tests.papers import attach, remark
from tests.workflow.web import test_browser
from tests.workflow.web.browsing import Browser, browser_of, visible
from workflow import cases, outbox, reports, search, verify
from workflow.blackout import BLACK
from workflow.db import database

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


def boxes(html: str, label: str, name: str = "rows") -> list[str]:
    """The values of the boxes under a heading."""
    part = html.partition(f"<legend>{label}</legend>")[2].partition("</fieldset>")[0]
    return re.findall(rf'name="{name}" value="([^"]+)"', part)


def ticked(html: str) -> list[tuple[str, str]]:
    return re.findall(r'<input type="checkbox" name="(\w+)" value="([^"]+)" checked>', html)


# ── who, and row by row ─────────────────────────────────────────────────────────────────────────────────────────────


def test_only_a_records_officer_of_the_office_erases(browse: Browse, conn, who, administrator, declined):
    elsewhere = factory.cast(conn, "hk-sorachi", "012106")
    # Sees the case, but not as its records officer.
    factory.post(conn, elsewhere.records, "headquarters", factory.HEADQUARTERS)
    for person in (
        who.municipality, who.bureau, who.director, who.headquarters, who.auditor, administrator, elsewhere.records,
    ):  # fmt: skip
        seat = browse(person)
        assert seat.client.get(f"/cases/{declined}/erase").status_code == 404
        for do in ("find", "whole", "black"):
            sent = {"rows": f"{declined}.1.0", "ground": "試し", "words": "担当", "do": do}
            seat.send(f"/cases/{declined}/erase", sent, status=404)
    assert factory.version(conn, declined) == 5
    draft = factory.opened(conn, who)
    assert browse(who.records).client.get(f"/cases/{draft}/erase").status_code == 404


def test_a_whole_row_is_ticked_and_erased_and_told_everywhere(browse: Browse, conn, who, declined):
    seat, address = browse(who.records), f"/cases/{declined}/erase"
    assert boxes(seat.get(address), "様式: 市町村の連絡先・担当者") == []  # the words come first
    html = seat.get(f"{address}?by=rows")
    told = visible(html)
    for word in (
        "様式: 市町村の連絡先・担当者", "記録1号「要請を提出する」", "担当（仮名）", "書かれた理由など: 理由(局内だけに残ります)", "人員が足りない",
    ):  # fmt: skip
        assert word in told, word
    assert "parties" not in html
    (contact,) = boxes(html, "様式: 市町村の連絡先・担当者")
    (internal,) = boxes(html, "書かれた理由など: 理由(局内だけに残ります)")
    sent: dict[str, Any] = {"do": "whole", "rows": [contact, internal], "ground": "本人の申出のため"}
    answer = seat.send(address, sent)
    assert answer.headers["location"] == f"/cases/{declined}?done=erase"
    shown = visible(seat.get(answer.headers["location"]))
    assert "「内容を消去する」を行いました" in shown
    assert "消去の理由: 本人の申出のため" in shown
    assert factory.version(conn, declined) == 6
    told = visible(seat.get(f"{address}?by=rows"))
    assert "消去済み 記録1号" in told
    assert "記録6号で消去しました" in told
    assert "人員が足りない" not in told
    assert "内容を消去する" in visible(browse(who.auditor).get("/audit"))
    assert verify.verify(database()).whole
    # The same page sent again erases nothing twice.
    again = seat.send(address, sent | {"rows": contact}, status=422)
    assert "消去できない内容が含まれています" in again.text
    assert factory.version(conn, declined) == 6


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"do": "whole", "ground": "理由"}, "1つ以上選んでください"),
        ({"do": "whole", "rows": "{}.1.0", "ground": "  "}, "消去の理由を書いてください"),
        ({"do": "whole", "rows": "{}.1.999", "ground": "理由"}, "消去できない内容が含まれています"),
        ({"do": "whole", "rows": "x", "ground": "理由"}, "1つ以上選んでください"),
        ({"do": "whole", "rows": "999999.1.0", "ground": "理由"}, "1つ以上選んでください"),
        ({"do": "whole", "rows": "{}.1", "ground": "理由"}, "1つ以上選んでください"),
        ({"do": "whole", "remarks": "{}.1.0", "ground": "理由"}, "1つ以上選んでください"),
        ({"do": "whole", "rows": "{}.1.99999999999999999999", "ground": "理由"}, "1つ以上選んでください"),
        ({"do": "whole", "rows": "{}.999999999.999999999", "ground": "理由"}, "消去できない"),
        ({"do": "whole", "remarks": "{}.999999", "ground": "理由"}, "消去できない"),
        ({"do": "whole", "files": "{}.999999", "ground": "理由"}, "消去できない"),
        ({}, "消す言葉を、1行に1つ書いてください"),
        ({"do": "find", "words": " \n "}, "消す言葉を、1行に1つ書いてください"),
        ({"do": "find", "words": "長" * 101}, "1つ100字まで"),
        ({"do": "find", "words": "\n".join(f"言葉{n}" for n in range(21))}, "20個まで"),
        ({"do": "find", "words": "言\x07葉"}, "使えない文字"),
        ({"do": "black", "words": "担当", "ground": "理由"}, "1つ以上選んでください"),
        ({"do": "black", "words": "担当", "rows": "{}.1.1", "ground": "理由"}, "その言葉がない所があります"),
        ({"do": "black", "words": "担当", "rows": "{}.1.0", "ground": "担当の申出"}, "消す言葉が書かれています"),
        ({"do": "black", "words": "hk-kamikawa", "rows": "{}.1.1", "ground": "理由"}, "様式の決まった値の中にもある"),
    ],
)  # fmt: skip
def test_an_incomplete_erasure_keeps_what_was_typed(browse: Browse, conn, who, declined, fields, said):
    sent = {name: text.format(declined) for name, text in fields.items()}
    answer = browse(who.records).send(f"/cases/{declined}/erase", sent, status=422)
    assert "まだ消去していません" in answer.text
    assert said in visible(answer.text)
    if sent.get("rows") == f"{declined}.1.0" and sent["do"] == "whole":
        assert f'value="{declined}.1.0" checked' in answer.text
    if "ground" in sent and sent.get("do") == "whole":
        assert f">\n{sent['ground'].strip()}</textarea>" in answer.text
    assert factory.version(conn, declined) == 5


# ── words ───────────────────────────────────────────────────────────────────────────────────────────────────────────

MARK, SPELLED = "標石タカオ", "標石　ﾀｶｵ"  # the same name as two people wrote it
ELSEWHERE = "標石たかお"
COPIES = {
    "cases", "content", "comment", "attachment", "attachment_part", "search_entry", "retention_hold", "attention", "step", "message", "outbox",
    "working", "report_job",
}  # fmt: skip
RECORDED = frozenset({"export_record"})  # what somebody looked for is not the case's


def everywhere(conn: Any, who: factory.Cast) -> int:
    """A case in which the name was typed wherever a person can type, by everybody who has a part in it."""
    db = database()
    today = cases.today(conn).isoformat()
    form = factory.request_form(
        conn, who, first=cases.today(conn), days=2, title=f"{MARK}さんの件", purpose=f"助言がほしい。\n{SPELLED}の紹介。", place=MARK, expected_result=MARK, cost=f"{MARK}が払う",
        source=MARK, tasks=[{"text": f"{MARK}への助言", "role": "advice"}], own_affairs="yes", concurrent_reason=MARK,
        wishes=[{"skill": SPELLED, "headcount": "1", "days": ""}],
    )  # fmt: skip
    form["contact"] |= {"department": MARK, "name": SPELLED, "tel": MARK, "mail": f"{MARK}@example.invalid"}
    made = cases.open_case(conn, who.municipality, "dispatch", "municipality_request", form)
    attach(db, who.municipality, made, [f"{MARK}の地図".encode()], name=f"{MARK}.txt", label=f"{MARK}の地図")
    factory.drive(conn, who, made, "submit", "receive")
    team = factory.team(conn, who, made)
    for member in team["team"]["members"]:
        member |= {"name": MARK, "role": f"{MARK}班", "section": SPELLED, "consent": ""}
    factory.drive(
        conn, who, made, ("propose_team", {"form": team}), ("ask_correction", {"inputs": {"reason": f"{MARK}を直す"}}), ("resubmit", {"form": {"request": form["request"]}}),
        ("consult", {"inputs": {"question": MARK}}),
        ("agree_with_conditions", {"form": {"conditions": {"items": [{"text": f"{MARK}の協定書", "owner": "bureau", "due": today, "stops": "begin"}]}}}),
    )  # fmt: skip
    child = conn.execute("SELECT id FROM cases WHERE parent_id = %s", (made,)).fetchone()[0]
    factory.drive(conn, who, child, ("show_evidence", {"by": who.bureau, "inputs": {"evidence": f"{SPELLED}の印"}}), ("return_evidence", {"by": who.headquarters, "inputs": {"reason": f"{MARK}が足りない"}}),
                  ("show_evidence", {"by": who.bureau, "inputs": {"evidence": f"{MARK}の印"}}), ("confirm", {"by": who.headquarters, "inputs": {}}))  # fmt: skip
    factory.drive(conn, who, made, ("put_to_director", {"inputs": {"note": MARK, "reasons": dict.fromkeys(("D-08", "D-03", "D-04", "D-09", "D-01"), MARK)}}),
                  ("send_back", {"inputs": {"reason": MARK}}), ("put_to_director", {"inputs": {"note": SPELLED, "reasons": {}}}))  # fmt: skip
    factory.drive(
        conn,
        who,
        made,
        ("hold", {"inputs": {"internal_reason": MARK, "review_on": factory.first_day(conn, after=5).isoformat()}}),
    )
    factory.drive(conn, who, made, "approve")
    outbox.deliver(db)
    for scope in ("shared", "internal"):
        remark(db, who.bureau, made, f"{scope} {SPELLED}", scope=scope)
        attach(
            db, who.bureau, made, [f"{scope} {MARK}".encode()], name=f"{scope}-{MARK}.txt", label=SPELLED, scope=scope
        )
    attach(db, who.bureau, child, [MARK.encode()], name=f"条件-{MARK}.txt", label=SPELLED)
    outbox.deliver(db)
    return int(made)


def tables(superuser: Any) -> Iterator[tuple[str, str]]:
    """Every row of every table as text, with workbooks unpacked."""
    found = superuser.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    for (table,) in found:
        for row in superuser.execute(f'SELECT * FROM "{table}"').fetchall():
            for value in row:
                raw = bytes(value) if isinstance(value, bytes | memoryview) else b""
                if raw.startswith(b"PK"):
                    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
                        raw = b"".join(archive.read(name) for name in archive.namelist())
                yield table, unescape(raw.decode("utf-8", "replace")) if raw else str(value)


def holding(superuser: Any) -> set[str]:
    """The tables in which the name still stands, in any spelling."""
    return {
        table for table, text in tables(superuser) if any(word in text for word in (MARK, SPELLED, ELSEWHERE, "標石"))
    }


def pages(browse: Browse, who: factory.Cast, made: int, child: int) -> Iterator[str]:
    """What everybody reads of it: pages, search, exports, mails, letters."""
    for person in (who.municipality, who.bureau, who.director, who.headquarters, who.staff, who.auditor, who.records):
        seat = browse(person)
        for path in (
            "/inbox", "/cases", "/cases?q=%E6%A8%99%E7%9F%B3", f"/cases/{made}", f"/cases/{child}", f"/cases/{made}/print", f"/cases/{made}/files", f"/cases/{made}/remarks",
            f"/cases/{made}/letters/decision_notice", f"/cases/{made}/actions/file_result", f"/cases/{made}/erase?by=rows", "/audit", "/mailbox", "/reports", "/board",
        ):  # fmt: skip
            answer = seat.client.get(path, follow_redirects=True)
            assert answer.status_code < 500, path
            yield answer.text.replace('value="標石"', "")
    seat = browse(who.auditor)
    for kind in ("csv", "jsonl"):
        text = seat.client.post("/audit/export", data={"csrf": seat.csrf, "kind": kind}).text
        yield text if kind == "csv" else text.encode().decode("unicode_escape", "replace")


def test_a_name_typed_everywhere_goes_from_everywhere_in_one_act(browse: Browse, conn, who, owner, superuser):
    owner.execute("ALTER TABLE installation DISABLE TRIGGER keep_mark")
    owner.execute("UPDATE installation SET demonstration = true")
    made = everywhere(conn, who)
    child = conn.execute("SELECT id FROM cases WHERE parent_id = %s", (made,)).fetchone()[0]
    team = cases.look(conn, who.bureau, made).form["team"]
    cases.save(
        conn, who.bureau, made, {"team": {"members": [m | {"consent": f"{SPELLED}が承諾"} for m in team["members"]]}}, 0
    )
    reports.ask_report(conn, who.bureau, "dispatch", "year-end", factory.OFFICE, 2026)
    assert reports.compile_next(database())
    search.refresh(conn, made, child)
    # Today no ask and no mail names anybody; what the erasure does not reach would show here tomorrow.
    conn.execute(
        "INSERT INTO retention_hold (case_id, reason, set_by, set_at) VALUES (%s, %s, %s, now())",
        (made, f"{MARK}の訴訟", who.records),
    )
    conn.execute(
        "INSERT INTO attention (case_id, kind, sentence, opened_at) VALUES (%s, 'x', %s, now())",
        (made, f"{MARK}の日程"),
    )
    conn.execute("UPDATE step SET ask = %s WHERE case_id = %s", (f"{MARK}に復命を頼む", made))
    conn.execute(
        "UPDATE message SET subject = %s, body = %s WHERE case_id = %s", (f"{MARK}さんの件", f"…\n{SPELLED}\n…", made)
    )
    conn.execute(
        "UPDATE outbox SET payload = payload || %s::jsonb, trouble = %s WHERE case_id = %s",
        (f'{{"asks": [["x", "y", null, "{MARK}"]]}}', MARK, made),
    )
    assert holding(superuser) == COPIES
    seat, address = browse(who.records), f"/cases/{made}/erase"
    found = seat.send(address, {"do": "find", "words": ELSEWHERE}, status=200).text
    for label in ("様式: 要請の内容", "やりとり", "ファイルの名前", "判断のときに示した照合と計算"):
        assert label in visible(found), label
    assert f"<mark>{SPELLED}</mark>" in found
    chosen: dict[str, Any] = {}
    for name, mark in [
        *ticked(found),
        *(("files", mark) for mark in re.findall(r'name="files" value="([^"]+)"', found)),
    ]:
        chosen.setdefault(name, []).append(mark)
    warned = seat.send(
        address, {"do": "black", "words": ELSEWHERE, "ground": f"{MARK}さんの申出", **chosen}, status=422
    )
    assert "消す言葉が書かれています" in warned.text
    seat.send(address, {"do": "black", "words": ELSEWHERE, "ground": "本人の申出のため", **chosen})
    assert holding(superuser) == set()
    assert conn.execute("SELECT count(*) FROM idempotency").fetchone() == (
        0,
    )  # the digest of a name tells who guesses it
    outbox.deliver(database())
    for text in pages(browse, who, made, child):
        assert "標石" not in text, text[max(0, text.index("標石") - 300) : text.index("標石") + 100]
    assert holding(superuser) <= RECORDED
    # The rest is as readable as before, and the chain is whole.
    told = visible(browse(who.bureau).get(f"/cases/{made}"))
    for word in (f"{BLACK}さんの件", f"{BLACK}の紹介。", f"{BLACK}への助言", "黒塗り", "本人の申出のため"):
        assert word in told, word
    outcome = verify.verify(database())
    assert outcome.whole, outcome.breaks
    # What was compiled with it is taken back, and made anew without it.
    assert "取り下げました" in visible(browse(who.bureau).get("/reports"))
    again = reports.ask_report(conn, who.bureau, "dispatch", "year-end", factory.OFFICE, 2026)
    assert reports.compile_next(database())
    assert reports.file(conn, who.bureau, again).data
    assert holding(superuser) <= RECORDED


@pytest.mark.browser
def test_it_looks_right(browse: Browse, tab, address, conn, who, declined):
    remark(database(), who.bureau, declined, "担当の方から電話があった。")
    attach(database(), who.bureau, declined, name="担当者名簿.pdf")
    token = browse(who.records).client.cookies["tobidashi"]
    tab.context.add_cookies([{"name": "tobidashi", "value": token, "url": address}])
    tab.goto(f"{address}/cases/{declined}/erase")
    test_browser.looks_right(tab, "erase_words")
    tab.get_by_label("消す言葉").fill("担当（仮名）\n担当の方")
    tab.get_by_role("button", name="この言葉を探す").click()
    tab.get_by_text("か所です").wait_for()
    test_browser.looks_right(tab, "erase_found")
    tab.get_by_role("button", name="選んだ所を黒塗りにする").click()
    tab.get_by_text("消去の理由を書いてください。").first.wait_for()
    test_browser.looks_right(tab, "erase_refused")
    tab.get_by_label("消去の理由").fill("本人の申出のため")
    tab.get_by_role("button", name="選んだ所を黒塗りにする").click()
    tab.get_by_text("「内容を消去する」を行いました").wait_for()
    test_browser.looks_right(tab, "erase_done")
    tab.goto(f"{address}/cases/{declined}/erase?by=rows")
    test_browser.looks_right(tab, "erase_rows")
