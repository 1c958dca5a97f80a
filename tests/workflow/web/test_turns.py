"""What the pages say of the turn: the strip of a case for every side, the lists, the month of an office and its table."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from html import unescape
from uuid import uuid4

import pytest

from tests import desk, factory
from tests.workflow.web.browsing import Browser, browser_of, visible
from tests.workflow.web.conftest import At, Web
from workflow import cases, outbox, watch
from workflow.db import database, type_connection
from workflow.web import months

Browse = Callable[[int], Browser]
pytestmark = pytest.mark.usefixtures("at")
TO_JUDGEMENT = ("submit", "receive", "propose_team", "put_to_director")


@pytest.fixture
def browse(web: Web, conn: type_connection) -> Browse:
    return lambda person_id: browser_of(web, conn, person_id)


@pytest.fixture
def walked(conn: type_connection, who: factory.Cast, at: At) -> int:
    """Three days with the bureau, four with the municipality, three with the director, whose three days are over."""
    case = factory.opened(conn, who, first=date(2026, 11, 9))
    factory.drive(conn, who, case, "submit", "receive")
    at(date(2026, 10, 8))
    factory.drive(conn, who, case, "ask_correction")
    at(date(2026, 10, 15))
    factory.drive(conn, who, case, "resubmit", "propose_team", "put_to_director")
    at(date(2026, 10, 21))
    return case


def strip(html: str) -> str:
    found = re.search(r'<section class="turns".*?</section>', html, re.DOTALL)
    return visible(found[0]) if found else ""


def test_both_sides_read_the_same_days_and_whose_turn_it_is(browse: Browse, who: factory.Cast, walked: int) -> None:
    office = strip(browse(who.bureau).get(f"/cases/{walked}"))
    assert "いまは上川総合振興局長(あなたの側)の手番です(10月15日から、4営業日)" in office
    for told in ("上川総合振興局 3日", "美瑛町 4日", "上川総合振興局長 4日", "計 11営業日"):
        assert told in office, told
    town = strip(browse(who.municipality).get(f"/cases/{walked}"))
    assert "いまは上川総合振興局の手番です" in town
    assert "あなたの側の手番ではありません" in town
    for told in ("上川総合振興局 7日", "美瑛町 4日", "計 11営業日"):
        assert told in town, told
    assert "局長" not in town


def test_late_is_late_for_who_holds_it(
    browse: Browse, conn: type_connection, who: factory.Cast, walked: int, at: At
) -> None:
    office = strip(browse(who.bureau).get(f"/cases/{walked}"))
    assert "「判断の期限」(10月20日(火))を1営業日過ぎました。遅れているのは上川総合振興局長です。" in office
    assert "判断の期限" not in strip(browse(who.municipality).get(f"/cases/{walked}")), "an inner deadline"
    at(date(2026, 10, 30))
    told = strip(browse(who.municipality).get(f"/cases/{walked}"))
    assert "遅れているのは上川総合振興局です。あなたの側の遅れではありません。" in told
    factory.drive(conn, who, walked, "send_back", "ask_correction")
    told = strip(browse(who.municipality).get(f"/cases/{walked}"))
    assert "いまは美瑛町(あなたの側)の手番です" in told


def test_departments_that_are_asked_have_a_column_of_their_own(
    browse: Browse, conn: type_connection, who: factory.Cast, walked: int, at: At
) -> None:
    assert "本庁各部" not in browse(who.bureau).get("/turns")
    factory.person(conn, "department", "hk-somu")
    plan = {
        "plan": {
            "name": "丘ラウンドテーブルミーティング",
            "municipalities": factory.MUNICIPALITY,
            "held_on": "2027-01-20",
        }
    }
    table = cases.open_case(conn, who.bureau, "round_table", "office", plan)
    desk.act(conn, who.bureau, table, "plan")
    desk.act(conn, who.bureau, table, "request_help", what="制度の説明")
    (asked,) = conn.execute("SELECT id FROM cases WHERE parent_id = %s", (table,)).fetchone() or (0,)
    at(date(2026, 10, 26))
    answers = {"distribution": {"items": [{"department": "hk-somu"}], "due": "2026-10-27"}}
    desk.act(conn, who.headquarters, asked, "distribute", answers)
    at(date(2026, 10, 29))
    page = visible(browse(who.bureau).get("/turns"))
    assert "本庁 本庁各部 派遣職員" in page
    late = browse(who.bureau).get("/turns?late=department")
    assert "本庁各部の期限を過ぎた案件 1件" in visible(late), "the day by which they were to answer is over"
    assert f'href="/cases/{asked}"' in late
    assert "参加する市町村" not in page


def test_before_the_submission_and_after_the_end(browse: Browse, conn: type_connection, who: factory.Cast) -> None:
    case = factory.opened(conn, who)
    assert strip(browse(who.municipality).get(f"/cases/{case}")) == ""
    factory.drive(conn, who, case, "submit", "receive", ("withdraw", {"by": who.municipality}))
    assert "この案件は終わり、日数はもう数えていません" in strip(browse(who.municipality).get(f"/cases/{case}"))


def test_the_lists_tell_the_days_of_who_has_the_turn(browse: Browse, who: factory.Cast, walked: int) -> None:
    assert "判断 局長 4営業日" in visible(browse(who.bureau).get("/cases"))
    assert "決定 振興局 4営業日" in visible(browse(who.municipality).get("/cases"))
    assert "振興局 4営業日" in visible(browse(who.municipality).get("/inbox"))
    assert "10月15日(木)から ・ 手番 4営業日" in visible(browse(who.director).get("/inbox"))


def test_how_long_it_takes_is_told_from_ten_cases_on(
    browse: Browse, conn: type_connection, who: factory.Cast, at: At
) -> None:
    waiting = factory.opened(conn, who)
    factory.drive(conn, who, waiting, "submit", "receive")
    told = strip(browse(who.municipality).get(f"/cases/{waiting}"))
    assert "これまでの例が少ない(0件)ため、まだお伝えできません" in told
    at(date(2026, 10, 5))
    made = []
    for number in range(10):
        made.append(factory.opened(conn, who, first=date(2026, 11, 2) + timedelta(days=number)))
        factory.drive(conn, who, made[-1], "submit", "receive")
    at(date(2026, 10, 9))
    for case in made:
        factory.drive(conn, who, case, "propose_team", "put_to_director", "decline")
    told = strip(browse(who.municipality).get(f"/cases/{waiting}"))
    assert "これまでの例では、収受から決定まで 4営業日(4〜4)です(10件)" in told
    assert "これまでの例では" not in strip(browse(who.bureau).get(f"/cases/{waiting}"))
    page = visible(browse(who.director).get("/turns?month=2026-10"))
    assert "収受から決定まで(市町村への回答期限に対して) 4日 4〜4日 10件 上川総合振興局" in page
    assert "補正待ち — — 0件 例が少ないため出しません" in page


def cells(html: str, label: str) -> list[str]:
    """The numbers of a row of the table beside the chart."""
    rows = re.findall(r"<tr><th scope=\"row\".*?</tr>", html, re.DOTALL)
    found = next(row for row in rows if f">{label}</a>" in row)
    return re.findall(r'<td class="align-end">(?:<strong>)?(\d+)', found)


def test_the_month_of_an_office_stands_in_chart_and_table(browse: Browse, who: factory.Cast, walked: int) -> None:
    html = browse(who.bureau).get("/turns?month=2026-10")
    assert cells(html, "令和8年10月") == ["4", "3", "0", "4", "0", "0", "11", "1"]
    assert cells(html, "令和8年9月") == ["0"] * 8
    assert '<svg viewBox="0 0 720' in html
    assert f'href="/cases/{walked}"' in html
    assert 'href="/turns?office=hk-kamikawa&amp;month=2026-11"' in html
    later = browse(who.director).get("/turns?month=2026-11")
    assert cells(later, "令和8年11月") == ["0"] * 8, "no day before it has come"


def test_headquarters_compares_the_offices_of_a_month(browse: Browse, who: factory.Cast, walked: int) -> None:
    html = browse(who.headquarters).get("/turns?month=2026-10")
    assert cells(html, "上川総合振興局") == ["4", "3", "0", "4", "0", "0", "11", "1"]
    assert cells(html, "宗谷総合振興局") == ["0"] * 8
    one = browse(who.headquarters).get("/turns?office=hk-kamikawa&month=2026-10")
    assert cells(one, "令和8年10月") == cells(html, "上川総合振興局")


def test_another_office_is_not_asked_for_by_its_name(
    browse: Browse, conn: type_connection, who: factory.Cast, walked: int
) -> None:
    stranger = factory.person(conn, "bureau", "hk-soya")
    html = browse(stranger).get("/turns?office=hk-kamikawa&month=2026-10")
    assert "宗谷総合振興局" in html
    assert f"/cases/{walked}" not in html
    for nobody in (who.municipality, who.staff, who.auditor):
        assert browse(nobody).client.get("/turns").status_code == 404


@pytest.mark.parametrize(
    "month", ["", "2026-13", "0000-00", "9999-12", "２０２６-10", "2026-10-01", "x" * 500, "-", "1900-01"]
)
def test_a_month_that_cannot_be_one_is_this_month(browse: Browse, who: factory.Cast, month: str) -> None:
    browser = browse(who.headquarters)
    for path in ("/turns", "/calendar"):
        answer = browser.client.get(path, params={"month": month, "office": "\x00", "view": "'"})
        assert answer.status_code in (200, 400), (path, month)


def test_the_first_and_the_last_month_have_no_way_out() -> None:
    assert months.beside(months.FIRST, -1) == months.FIRST
    assert months.beside(months.LAST, 1) == months.LAST
    assert months.month_of("2026-02", date(2020, 1, 1)) == date(2026, 2, 1)
    assert months.end(date(2024, 2, 1)) == date(2024, 2, 29)
    assert months.called(date(2019, 5, 1)) == "令和元年5月"


def late_row(html: str) -> list[str]:
    """The numbers of the table of what is late now, in the order of the holders."""
    found = re.search(r"<caption>いま遅れている案件.*?</table>", html, re.DOTALL)
    return re.findall(r'<td class="align-end">(?:<a[^>]*><strong>)?(\d+)', found[0]) if found else []


def test_what_is_late_now_is_counted_for_who_holds_the_date(
    browse: Browse, conn: type_connection, who: factory.Cast, walked: int, at: At
) -> None:
    page = browse(who.bureau).get("/turns")
    assert "の期限を過ぎた案件" not in visible(page), "nobody's list was asked for"
    assert late_row(page) == ["0", "0", "1", "0", "0"], "the director's day is over, the reply is not"
    href = unescape(re.findall(r'href="(/turns\?[^"]*late=director[^"]*)"', page)[0])
    listed = visible(browse(who.bureau).get(href))
    assert "局長の期限を過ぎた案件 1件" in listed
    assert "10月20日(火)" in listed
    assert f'href="/cases/{walked}"' in browse(who.bureau).get(href)
    at(date(2026, 10, 30))
    assert late_row(browse(who.headquarters).get("/turns")) == ["0", "1", "1", "0", "0"], "one case, late for two"
    factory.drive(conn, who, walked, "decline")
    assert "期限を過ぎた案件はありません" in browse(who.bureau).get("/turns")
    stranger = factory.person(conn, "bureau", "hk-soya")
    assert "期限を過ぎた案件はありません" in browse(stranger).get("/turns?late=director")
    assert browse(who.bureau).client.get("/turns?late=nobody").status_code == 200


def test_the_days_stand_on_paper_too(browse: Browse, who: factory.Cast, walked: int) -> None:
    told = visible(browse(who.bureau).get(f"/cases/{walked}/print"))
    assert "手番ごとの営業日 上川総合振興局 美瑛町 上川総合振興局長(いまの手番) 計 3日 4日 4日 11営業日" in told
    assert "遅れているのは上川総合振興局長です" in told
    town = visible(browse(who.municipality).get(f"/cases/{walked}/print"))
    assert "手番ごとの営業日 上川総合振興局(いまの手番) 美瑛町 計 7日 4日 11営業日" in town
    assert "局長" not in town.partition("手番ごとの営業日")[2]


def test_before_the_submission_no_days_stand_on_paper(browse: Browse, conn: type_connection, who: factory.Cast) -> None:
    assert "手番ごとの営業日" not in browse(who.municipality).get(f"/cases/{factory.opened(conn, who)}/print")


def test_an_act_names_to_a_municipality_only_the_dates_it_may_know(
    browse: Browse, conn: type_connection, who: factory.Cast, walked: int
) -> None:
    town = visible(browse(who.municipality).get(f"/cases/{walked}"))
    assert "「市町村への回答期限」が終わります" in town
    assert "判断の期限" not in town
    office = visible(browse(who.bureau).get(f"/cases/{walked}"))
    assert "「判断の期限」が終わります" in office


def test_reminders_and_remarks_tell_how_far_they_have_come(
    browse: Browse, conn: type_connection, who: factory.Cast, walked: int
) -> None:
    outbox.deliver(database())
    watch.remind(database())
    remark = {"scope": "shared", "text": "日程の相談です。", "back": "case", "key": str(uuid4())}
    browse(who.municipality).send(f"/cases/{walked}/remarks", remark)
    office = visible(browse(who.bureau).get(f"/cases/{walked}"))
    assert (
        "期限の知らせ 10月21日 10:00 「判断の期限」(10月20日(火)まで)の当日の知らせ 届け中(まもなく送ります)" in office
    )
    assert "日程の相談です。 知らせ: 届け中(まもなく送ります)" in office
    conn.execute("UPDATE outbox SET next_at = now()")
    outbox.deliver(database())
    office = visible(browse(who.bureau).get(f"/cases/{walked}"))
    assert "「判断の期限」(10月20日(火)まで)の当日の知らせ 届いた: 上川総合振興局 1人" in office
    assert "日程の相談です。 知らせ: 届いた: 上川総合振興局 2人" in office
    town = visible(browse(who.municipality).get(f"/cases/{walked}"))
    assert "期限の知らせ" not in town
    assert "判断の期限" not in town
