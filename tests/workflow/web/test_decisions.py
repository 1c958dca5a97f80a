"""The pages of the table of decisions, without JavaScript: a row is typed, looked at, proposed, consented to."""

from datetime import datetime

import pytest

from tests import factory, offices
from tests.workflow.web.browsing import browser_of, sheet, visible
from workflow import decisions
from workflow.deadlines import TOKYO


@pytest.fixture
def office(conn, who, fresh_database):
    factory.set_clock(fresh_database.owner_url, datetime(2026, 10, 5, 12, tzinfo=TOKYO))
    return offices.line(conn, who)


@pytest.fixture
def first(web, conn, office):
    return browser_of(web, conn, office.administrators[0])


@pytest.fixture
def second(web, conn, office):
    return browser_of(web, conn, office.administrators[1])


NEW = "/decisions/new?process=dispatch&matter=dispatch"
TYPED = {
    "office": "hk-kamikawa", "test.days.max": "5", "test.concurrent": "no", "s1.kind": "review", "s1.p1.title": "課長", "s1.p1.section": "=",
    "s2.kind": "consent", "s2.p1.title": "課長", "s2.p1.section": "総務課", "s2.p1.must": "yes", "s2.p2.title": "室長", "s2.passes": "quorum", "s2.quorum": "1",
    "s2.refusal": "all", "s2.covers.team": "yes", "s3.kind": "decide", "s3.p1.title": "部長", "article": "専決規程 別表2の4", "standing": "yes", "bulk": "yes",
    "since~y": "R8", "since~m": "10", "since~d": "6", "reason": "規程の改正", "with.days": "3", "with.section": "地域政策課",
}  # fmt: skip


def write(browser, press, marks=None, status=200, **changed):
    marks = marks or sheet(browser.get(NEW))
    kept = {name: marks[name] for name in ("key", "process", "matter", "change", "seen")}
    return browser.send("/decisions/new", kept | TYPED | changed | {"press": press}, status)


def test_a_row_is_looked_at_before_it_is_proposed_and_holds_by_a_second_consent(first, second, conn, office):
    seen = write(first, "preview").text
    told = visible(seen)
    assert "派遣日数 5日以下、固有の事務・併任 なし" in told
    assert "2のうち1の同意(課長は欠かせない)、全員の意見を待つ ・ 隊の案(職員と日程)について" in told
    assert "地域政策課 課長" in told
    assert "変わるものはありません" in told
    assert conn.execute("SELECT count(*) FROM authority_rule").fetchone() == (0,)
    there = write(first, "save", sheet(seen), 303).headers["location"]
    assert write(first, "save", sheet(seen), 303).headers["location"] == there  # sent twice: one row
    assert "入れた人とは別の管理者の同意が要ります" in visible(first.get(there))
    path = there.partition("?")[0]
    assert "自分では同意できません" in visible(first.send(f"{path}/consent", {}, 422).text)
    assert "この行に同意する" in visible(second.get(path))
    second.send(f"{path}/consent", {})
    assert "これから" in visible(first.get("/decisions"))
    row = decisions.one(conn, factory.reader(conn, office.administrators[0]), int(path.rpartition("/")[2]))
    assert (row.rule.standing, row.rule.bulk, [s.quorum for s in row.rule.stages]) == (True, True, [0, 1, 0])


def test_what_was_changed_after_the_look_is_looked_at_again(first, conn):
    seen = sheet(write(first, "preview").text)
    again = write(first, "save", seen, 200, article="専決規程 別表9")
    assert "専決規程 別表9" in again.text
    assert conn.execute("SELECT count(*) FROM authority_rule").fetchone() == (0,)
    write(first, "save", seen, 303, **{"with.days": "9"})  # the example is no part of the row


def test_nothing_typed_is_lost_and_every_fault_is_named(first):
    wrong = {
        "test.days.min": "9",
        "s2.quorum": "7",
        "s3.p1.title": "監理官",
        "article": "",
        "reason": "",
        "since~y": "H1",
    }
    page = write(first, "preview", None, 422, **wrong).text
    told = visible(page)
    assert "根拠を書いてください" in told
    assert "上限は、下限より小さくできません" in told
    assert "始める日は、きょうより前にはできません" in told
    kept = sheet(page)
    assert (kept["s2.p2.title"], kept["s3.p1.title"], kept["s2.passes"], kept["s1.p1.section"]) == (
        "室長",
        "監理官",
        "quorum",
        "=",
    )
    unsound = visible(write(first, "preview", None, 422, **{"s2.quorum": "7", "s3.p1.title": "監理官"}).text)
    assert "同意の人数は、1人から2人まで" in unsound
    assert "「監理官」という職が、始める日にはありません" in unsound


def test_one_more_stage_and_one_more_post_without_javascript(first):
    page = write(first, "stage").text
    assert 'name="s4.p1.title"' in page
    assert 'name="s2.p3.title"' not in page
    page = write(first, "post:2").text
    assert 'name="s2.p3.title"' in page
    assert sheet(page)["s2.p2.title"] == "室長"


def test_a_row_that_holds_is_changed_or_ended_and_its_example_tried(first, second, conn, office):
    number = offices.rule(conn, office)
    page = visible(
        first.get(f"/decisions/{number}?with.section=地域政策課&with.days=3&with.on~y=R8&with.on~m=11&with.on~d=2")
    )
    assert "保健行政室 室長" in page
    typed = sheet(first.get(f"/decisions/new?change={number}"))
    assert (typed["change"], typed["s1.p1.title"], typed["s4.p1.title"]) == (str(number), "係長", "局長")
    told = visible(first.send(f"/decisions/{number}/end", {"why": "廃止"}, 422).text)
    assert "まだ何も変えていません" in told
    first.send(f"/decisions/{number}/end", {"why": "廃止", "until~y": "R8", "until~m": "10", "until~d": "31"})
    assert "令和8年10月31日までとする案" in visible(second.get("/decisions"))
    second.send(f"/decisions/{number}/consent", {})
    assert conn.execute("SELECT valid_to::text FROM authority_rule WHERE id = %s", (number,)).fetchone() == (
        "2026-10-31",
    )


def test_a_proposed_end_that_is_taken_back_is_told_on_the_row_and_in_the_table(first, second, conn, office):
    number = offices.rule(conn, office)
    first.send(f"/decisions/{number}/end", {"why": "廃止", "until~y": "R8", "until~m": "10", "until~d": "31"})
    second.send(f"/decisions/{number}/drop", {"why": "別表を直してからにする"})
    told = visible(first.get(f"/decisions/{number}"))
    assert "が令和8年10月31日までとする案を入れました: 廃止" in told
    assert "がこの案を取り下げました: 別表を直してからにする" in told
    table = first.get("/decisions")
    assert "取り下げた終わりの案 1件" in visible(table)
    assert "終わりの同意待ち" not in table


def test_the_preview_says_how_many_of_all_cases_it_has_looked_at(first, second, conn, office, monkeypatch):
    made = []
    for _ in range(3):
        made.append(factory.opened(conn, office.who))
        factory.drive(conn, office.who, made[-1], "submit", "receive", "propose_team")
    numbers = [
        row[0] for row in conn.execute("SELECT number FROM cases WHERE id = ANY (%s) ORDER BY id", (made,)).fetchall()
    ]
    any_case = {"test.days.max": "", "test.concurrent": ""}
    whole = visible(write(first, "preview", **any_case).text)
    assert "これから起案する案件 3件すべてを調べました" in whole
    monkeypatch.setattr(decisions, "MOST_LOOKED", 2)
    page = write(first, "preview", **any_case).text
    assert "これから起案する案件 3件のうち、1件目から2件目まで" in visible(page)
    assert f'value="preview:{made[1]}"' in page
    rest = visible(write(first, f"preview:{made[1]}", **any_case).text)
    assert "3件のうち、3件目から3件目まで" in rest
    assert numbers[2] in rest
    assert numbers[0] not in rest
    assert conn.execute("SELECT count(*) FROM authority_rule").fetchone() == (0,)  # looked at, and nothing kept
    seen = sheet(page)
    path = write(first, "save", seen, 303, **any_case).headers["location"].partition("?")[0]
    stored = second.get(f"{path}?with.days=3")
    assert f'href="{path}?with.days=3&amp;after={made[1]}#h-effect"' in stored
    assert numbers[2] in visible(second.get(f"{path}?with.days=3&after={made[1]}"))
    assert "3件は、すべて調べ終わりました" in visible(second.get(f"{path}?after=999999999"))
    assert "1件目から2件目まで" in visible(second.get(f"{path}?after=いつか"))


def test_others_find_no_such_page_but_everybody_reads_the_verbs(web, conn, office):
    officer = browser_of(web, conn, office.officer)
    for path in ("/decisions", NEW, "/decisions/1"):
        assert officer.client.get(path).status_code == 404
    told = visible(officer.get("/verbs"))
    assert "合議に同意しない" in told
    assert "決裁の順番にある職(経路がなければ局長)" in told
