"""The pages of time: a deadline extended from its case, days and rules entered, every deadline of a day moved. No JavaScript."""

import re
from datetime import date, datetime

import pytest

from states import calendar as law
from tests import factory
from tests.workflow.web.browsing import browser_of, sheet, visible
from workflow import moving
from workflow.db import database
from workflow.deadlines import TOKYO, due_day


@pytest.fixture(autouse=True)
def clock(fresh_database):
    factory.set_clock(fresh_database.owner_url, datetime(2026, 10, 5, 12, tzinfo=TOKYO))


@pytest.fixture
def browse(web, conn):
    return lambda person: browser_of(web, conn, person)


@pytest.fixture
def administrator(conn, browse):
    return browse(factory.person(conn, "administrator", factory.HEADQUARTERS))


@pytest.fixture
def case(conn, who):
    made = factory.opened(conn, who, first=date(2026, 11, 16))
    factory.drive(conn, who, made, "submit", "receive")
    return made


def running(conn, case: int) -> date:
    text = "SELECT due_at FROM deadline WHERE case_id = %s AND closed_at IS NULL"
    return due_day(conn.execute(text, (case,)).fetchone()[0])


def dated(name: str, year: str, month: str, day: str) -> dict[str, str]:
    return {f"{name}~y": year, f"{name}~m": month, f"{name}~d": day}


def fields(html: str, *names: str) -> dict[str, str]:
    found = sheet(html)
    return {name: found[name] for name in names}


def test_a_deadline_is_extended_from_the_case_and_its_story_says_so(browse, conn, who, case):
    bureau, municipality = browse(who.bureau), browse(who.municipality)
    page, there = bureau.get(f"/cases/{case}"), f"/cases/{case}/deadlines/reply"
    assert f'href="{there}"' in page
    assert there not in municipality.get(f"/cases/{case}")
    form = bureau.get(there)
    assert "令和8年10月20日(火)" in visible(form)
    marks = fields(form, "version", "key")
    bureau.send(there, marks | dated("to", "R8", "10", "27") | {"reason": "災害の対応のため。"})
    assert running(conn, case) == date(2026, 10, 27)
    told = "「市町村への回答期限」10月20日(火) → 10月27日(火)。理由: 災害の対応のため。"
    assert "「期限を動かす」を行いました" in visible(bureau.get(f"/cases/{case}?done=extend_deadline"))
    for reader in (bureau, municipality):
        assert told in visible(reader.get(f"/cases/{case}"))


def test_what_was_typed_comes_back_with_a_refusal(browse, conn, who, case):
    bureau, there = browse(who.bureau), f"/cases/{case}/deadlines/reply"
    marks = fields(bureau.get(there), "version", "key")
    answer = bureau.send(there, marks | dated("to", "R8", "10", "24") | {"reason": "書いた理由"}, 422)
    assert "閉庁日です。次の開庁日は10月26日(月)です。" in visible(answer.text)
    assert "書いた理由" in answer.text
    assert fields(answer.text, "key") == {"key": marks["key"]}
    assert running(conn, case) == date(2026, 10, 20)
    assert browse(who.municipality).client.get(there).status_code == 404
    assert bureau.client.get(f"/cases/{case}/deadlines/nothing").status_code == 404


def test_an_older_page_is_told_who_acted(browse, conn, who, case):
    bureau, there = browse(who.bureau), f"/cases/{case}/deadlines/reply"
    marks = fields(bureau.get(there), "version", "key")
    factory.drive(conn, who, case, "propose_team")
    bureau.send(there, marks | dated("to", "R8", "10", "27") | {"reason": "停電"}, 409)


def test_a_day_is_looked_at_and_then_entered_and_taken_out(administrator, conn, who, case):
    given = dated("day", "R8", "10", "14") | {"kind": "closed", "office": "", "reason": "庁舎の停電のため。"}
    form = administrator.get("/calendar/days")
    looked = administrator.send("/calendar/days", given | fields(form, "key") | {"do": "check"}, 200).text
    assert "いま動いている期限1件は、ひとりでには動きません。" in visible(looked)
    assert "10月21日(水)" in visible(looked)
    assert conn.execute("SELECT count(*) FROM closure").fetchone() == (0,)
    hidden = {"day": "R8.10.14", "kind": "closed", "office": "", "reason": "庁舎の停電のため。"} | fields(looked, "key")
    for _ in range(2):  # pressed twice, it is entered once
        administrator.send("/calendar/days", hidden | {"do": "add"})
    (number,) = conn.execute("SELECT id FROM closure").fetchone()
    listed = administrator.get("/calendar/days?year=2026&done=added")
    assert "庁舎の停電のため。" in listed
    assert running(conn, case) == date(2026, 10, 20)
    there = f"/calendar/days/{number}/drop"
    assert "この日を消す" in administrator.send(there, {}, 200).text
    assert "理由を書いてください" in administrator.send(there, {"do": "drop", "ended_reason": ""}, 422).text
    administrator.send(there, {"do": "drop", "ended_reason": "停電は延期になった。"})
    assert conn.execute("SELECT count(*) FROM closure").fetchone() == (0,)
    told = visible(administrator.get("/calendar/days?year=2026&done=dropped"))
    assert re.search(r"消した日 1件.*10月14日\(水\) 閉庁日.*令和8年10月5日 ・ 停電は延期になった。", told)
    assert "消した日" not in administrator.get("/calendar/days?year=2027")


def test_the_substitute_of_a_new_holiday_is_offered_with_one_tick(administrator, conn):
    day = {"day": "R8.10.18", "kind": "holiday", "office": "", "reason": "祝日法の改正のため。"}
    for tick, entries in (({}, 1), ({"along": "yes"}, 2)):
        given = {name: text for name, text in day.items() if name != "day"} | dated("day", "R8", "10", "18")
        looked = administrator.send(
            "/calendar/days", given | fields(administrator.get("/calendar/days"), "key") | {"do": "check"}, 200
        ).text
        assert "10月19日(月)を休日にする(振替休日)" in visible(looked)
        assert re.search(r'name="along"[^>]* checked', looked)
        assert conn.execute("SELECT count(*) FROM closure").fetchone() == (0,)
        administrator.send("/calendar/days", day | tick | fields(looked, "key") | {"do": "add"})
        assert conn.execute("SELECT count(*) FROM closure").fetchone() == (entries,)
        number = conn.execute("SELECT id FROM closure WHERE NOT derived").fetchone()[0]
        listed = visible(administrator.get("/calendar/days?year=2026"))
        assert ("法律で祝日になる日(振替休日・国民の休日)" in listed) is (entries == 2)
        back = administrator.send(f"/calendar/days/{number}/drop", {}, 200).text
        assert ("10月19日(月)を開庁日にする(振替休日)" in visible(back)) is (entries == 2)
        administrator.send(f"/calendar/days/{number}/drop", tick | {"do": "drop", "ended_reason": "見送り"})
        assert conn.execute("SELECT count(*) FROM closure").fetchone() == (0,)


def test_what_was_settled_is_read_by_the_auditor_from_the_records(administrator, browse, conn, who):
    form = administrator.get("/calendar/days")
    given = {"day": "R8.10.14", "kind": "closed", "office": "", "reason": "庁舎の停電のため。"} | fields(form, "key")
    administrator.send("/calendar/days", given | {"do": "add"})
    (number,) = conn.execute("SELECT id FROM closure").fetchone()
    administrator.send(f"/calendar/days/{number}/drop", {"do": "drop", "ended_reason": "停電は延期になった。"})
    auditor = browse(who.auditor)
    assert 'href="/calendar/days/history"' in auditor.get("/audit")
    told = visible(auditor.get("/calendar/days/history"))
    for words in ("日を消した", "停電は延期になった。", "日を入れた", "庁舎の停電のため。", "令和8年10月5日"):
        assert words in told
    assert "期限をまとめて動かす" not in told, "pages that the auditor may not open"
    assert "期限をまとめて動かす" in visible(administrator.get("/calendar/days/history"))
    assert "2025年に変えたものはありません" in visible(auditor.get("/calendar/days/history?year=2025"))
    for year in ("x", "99999", "1"):
        assert auditor.client.get(f"/calendar/days/history?year={year}").status_code == 200
    assert browse(who.bureau).client.get("/calendar/days/history").status_code == 404


@pytest.mark.parametrize(
    "path", ["/calendar/days?year=x&office=%00y", "/calendar/days?year=99999", "/calendar/days?year=2099"]
)
def test_a_strange_address_is_no_error(administrator, path):
    assert administrator.client.get(path).status_code in (200, 400)


def test_a_rule_is_set_and_ended_and_the_case_page_counts_by_it(administrator, browse, conn, who):
    case = factory.opened(conn, who, first=date(2026, 11, 16))
    factory.drive(conn, who, case, "submit")
    form = administrator.get("/calendar/days/rules")
    assert "10営業日" in form
    given = {"deadline": "dispatch.reply", "office": who.office, "days": "15", "on": "", "reason": "要領の改正のため。"}
    wrong = administrator.send(
        "/calendar/days/rules", given | fields(form, "key") | {"days": "0"} | dated("since", "", "", ""), 422
    )
    assert "1から250まで" in wrong.text
    assert "要領の改正のため。" in wrong.text
    administrator.send("/calendar/days/rules", given | fields(wrong.text, "key") | dated("since", "R8", "10", "5"))
    assert "効いています" in administrator.get("/calendar/days/rules")
    assert "15営業日、10月27日(火)まで" in visible(browse(who.bureau).get(f"/cases/{case}"))
    factory.drive(conn, who, case, "receive")
    assert running(conn, case) == date(2026, 10, 27)
    (number,) = conn.execute("SELECT id FROM deadline_rule").fetchone()
    why = {f"why-{number}": "改正が見送られた。"}
    wrong = administrator.send(
        f"/calendar/days/rules/{number}/end", dated(f"until-{number}", "R8", "10", "x") | why, 422
    )
    assert "改正が見送られた。" in wrong.text
    administrator.send(f"/calendar/days/rules/{number}/end", dated(f"until-{number}", "R8", "10", "4"), 422)
    administrator.send(f"/calendar/days/rules/{number}/end", dated(f"until-{number}", "R8", "10", "4") | why)
    told = visible(administrator.get("/calendar/days/rules"))
    assert "取りやめました" in told
    assert "が最後の日を入れました: 改正が見送られた。" in told


def test_several_days_of_the_year_are_set_and_what_nobody_sets_is_said(administrator):
    form = administrator.get("/calendar/days/rules")
    assert "毎年3月10日・4月10日(閉庁日のときは次の開庁日)" in visible(form)
    assert (
        "「再検討の日」「派遣の初めの日」「派遣の終わりの日」は、案件ごとに決める日なので、ここでは変えられません。"
        in visible(form)
    )
    given = {
        "deadline": "dispatch.year_end",
        "office": "",
        "days": "",
        "on": "3/5、4/15",
        "reason": "本庁の依頼のため。",
    }
    administrator.send("/calendar/days/rules", given | fields(form, "key") | dated("since", "R8", "10", "5"))
    assert "毎年3月5日・4月15日" in visible(administrator.get("/calendar/days/rules"))


def test_all_deadlines_of_a_day_are_counted_listed_and_then_moved(administrator, conn, who, case):
    form = administrator.get("/calendar/days/moves")
    given = dated("first", "R8", "10", "20") | dated("last", "", "", "") | dated("to", "R8", "10", "22")
    given |= {"office": "", "reason": "システムが止まったため。"} | fields(form, "key")
    looked = administrator.send("/calendar/days/moves", given | {"do": "check"}, 200).text
    assert "1件の案件の、期限1件が動きます" in visible(looked)
    assert "上川-R8-001" in looked
    assert conn.execute("SELECT count(*) FROM deadline_move").fetchone() == (0,)
    hidden = {name: value for name, value in sheet(looked).items() if "~" not in name}
    order = {"first": "R8.10.20", "last": "", "to": "R8.10.22", "office": "", "reason": "システムが止まったため。"}
    for _ in range(2):
        administrator.send("/calendar/days/moves", order | {"key": hidden["key"], "do": "order"})
    assert conn.execute("SELECT count(*) FROM deadline_move").fetchone() == (1,)
    assert "動かしています" in administrator.get("/calendar/days/moves")
    assert moving.carry_out(database()) == 1
    assert running(conn, case) == date(2026, 10, 22)
    assert re.search(
        r"終わりました.*1件の案件の、期限1件を動かしました", visible(administrator.get("/calendar/days/moves"))
    )


@pytest.mark.parametrize(
    ("month", "told"),
    [
        (1, "3月の派遣を要請する締切(2月1日(月))に間に合います。"),
        (2, "3月の派遣は、2月1日(月)までに要請することになっています。"),
    ],
)
def test_the_town_reads_by_when_march_work_is_asked_for_before_it_sends(browse, conn, who, fresh_database, month, told):
    factory.set_clock(fresh_database.owner_url, datetime(2027, month, 12, 12, tzinfo=TOKYO))
    draft = factory.opened(conn, who, first=date(2027, 3, 8))
    town = browse(who.municipality)
    for page in ("edit", "actions/submit"):
        assert told in visible(town.get(f"/cases/{draft}/{page}")), page
    factory.drive(conn, who, draft, "submit")
    assert "3月の派遣" not in visible(browse(who.bureau).get(f"/cases/{draft}")), "the office knows the calendar"


def test_a_page_whose_days_lie_beyond_the_calendar_says_so(browse, conn, who, case, monkeypatch):
    monkeypatch.setattr(law, "LAST_YEAR", 2025)
    law._national_holidays.cache_clear()
    try:
        answer = browse(who.bureau).client.get(f"/cases/{case}")
    finally:
        law._national_holidays.cache_clear()
    assert answer.status_code == 422
    assert "日数を数えられません" in answer.text
    assert "2026年の祝日は分かりません" in answer.text
