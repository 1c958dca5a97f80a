"""「決裁時の画面」: every past decision can be opened again as it was shown, what was erased or differs since is marked."""

from collections.abc import Callable, Iterator
from datetime import date

import pytest

from tests import factory, offices
from tests.offices import act
from tests.papers import PDF, PNG, attach
from tests.workflow.web.browsing import Browser, browser_of, visible
from tests.workflow.web.conftest import At, Web
from tests.workflow.web.test_route import up_to_decision
from workflow import erase
from workflow.db import database, type_connection

Browse = Callable[[int], Browser]


@pytest.fixture
def conn(web: Web) -> Iterator[type_connection]:
    with database().connection() as connection:
        yield connection


@pytest.fixture
def office(conn: type_connection, at: At) -> offices.Line:
    made = offices.line(conn, factory.cast(conn))
    offices.rule(conn, made)
    return made


@pytest.fixture
def browse(web: Web, conn: type_connection) -> Browse:
    return lambda person_id: browser_of(web, conn, person_id)


@pytest.fixture
def decided(conn: type_connection, office: offices.Line) -> tuple[int, int]:
    """A case with its decision, and the event of it."""
    case = offices.put_up(conn, office, purpose="はじめに書いた目的。")
    up_to_decision(conn, office, case)
    return case, act(conn, office.director, case, "approve").version


def test_a_decision_is_opened_again_with_form_verdicts_and_route_as_they_were(
    browse: Browse, office: offices.Line, decided: tuple[int, int]
) -> None:
    case, seq = decided
    officer = browse(office.officer)
    assert f'href="/cases/{case}/shown/{seq}"' in officer.get(f"/cases/{case}")
    told = visible(officer.get(f"/cases/{case}/shown/{seq}"))
    for said in (
        "決裁時の画面", "令和8年10月5日の「派遣を決定する」のときの画面です", f"第{seq - 1}版を見て行われました", "はじめに書いた目的。",
        "派遣職員の日程表", "要領2(4)", "決裁 局長 ▶", "よい計画です。",
    ):  # fmt: skip
        assert said in told, said
    assert "一致" in told
    assert "不一致" not in told
    assert "この画面の内容は、いまも変わっていません。" in told.partition("いまと違うところ")[2]


def test_the_figures_of_a_decision_are_told_in_words(
    browse: Browse, office: offices.Line, decided: tuple[int, int]
) -> None:
    case, seq = decided
    told = visible(browse(office.officer).get(f"/cases/{case}/shown/{seq}"))
    counted = told.partition("数えた値")[2].partition("書かれたこと")[0]
    for said in (
        "派遣の期間",
        "日間",
        "そのうち営業日",
        "1か月以内に終わるか はい",
        "年度をまたぐか いいえ",
        "派遣職員 1",
    ):
        assert said in counted, said
    for key in ("total_days", "business_days", "staff", "True", "False", "{", "["):
        assert key not in counted, key


def test_the_files_that_lay_beside_a_decision_are_shown_and_those_added_later_are_not(
    browse: Browse, conn: type_connection, office: offices.Line
) -> None:
    case = offices.put_up(conn, office)
    before = attach(database(), office.officer, case, PDF, name="前からの要綱.pdf", scope="internal")
    up_to_decision(conn, office, case)
    seq = act(conn, office.director, case, "approve").version
    attach(database(), office.officer, case, PNG, name="会場の写真.png")
    html = browse(office.officer).get(f"/cases/{case}/shown/{seq}")
    told = visible(html).partition("添付ファイル(このとき)")[2].partition("規則との照合")[0]
    assert "1件" in told
    assert "前からの要綱.pdf" in told
    assert "会場の写真.png" not in html
    assert f'<iframe src="/cases/{case}/files/{before}/view#' in html
    assert "ファイルを添える" not in html


def test_the_form_that_a_past_screen_leads_to_is_the_one_of_that_day(
    browse: Browse, conn: type_connection, office: offices.Line
) -> None:
    case = offices.put_up(conn, office, purpose="はじめに書いた目的。")
    seq = act(conn, office.chief, case, "approve_step").version
    act(conn, office.head, case, "send_back", reason="目的を書き足すこと。", then="again")
    factory.drive(conn, office.who, case, "ask_correction")
    form = {"request": factory.request_form(conn, office.who, purpose="書き足した目的。")["request"]}
    factory.drive(conn, office.who, case, ("resubmit", {"form": form}))
    officer = browse(office.officer)
    screen = officer.get(f"/cases/{case}/shown/{seq}")
    assert f'href="/cases/{case}/shown/{seq}/print"' in screen
    assert f'href="/cases/{case}/print"' not in screen
    then, now = visible(officer.get(f"/cases/{case}/shown/{seq}/print")), visible(officer.get(f"/cases/{case}/print"))
    assert "「承認して上げる」のときの内容です" in then
    assert f"第{seq - 1}版" in then
    assert "はじめに書いた目的。" in then
    assert "書き足した目的。" not in then
    assert "書き足した目的。" in now
    assert browse(office.who.municipality).client.get(f"/cases/{case}/shown/{seq}/print").status_code == 404


def test_what_a_reviewer_had_on_the_screen_is_opened_too(
    browse: Browse, conn: type_connection, office: offices.Line
) -> None:
    case = offices.put_up(conn, office)
    seq = act(conn, office.chief, case, "approve_step", remark="日程に無理がない。").version
    told = visible(browse(office.head).get(f"/cases/{case}/shown/{seq}"))
    assert "「承認して上げる」のときの画面です" in told
    assert "日程に無理がない。" in told
    assert "回議 地域政策課 係長 ▶" in told
    # An answer is held against no rule of its own: what the reviewer read is what the drafter's act was held against.
    rules = told.partition("規則との照合")[2].partition("書かれたこと")[0]
    assert f"記録{seq - 1}号の結果です" in rules
    assert "要領2(4)" in rules


def test_what_was_erased_since_is_marked_with_its_event(
    browse: Browse, conn: type_connection, office: offices.Line, decided: tuple[int, int]
) -> None:
    case, seq = decided
    row = conn.execute(
        "SELECT seq, ord FROM content WHERE case_id = %s AND kind = 'form:request' ORDER BY seq LIMIT 1", (case,)
    ).fetchone()
    assert row is not None
    erased = erased_part(office, case, (row[0], row[1]))
    told = visible(browse(office.officer).get(f"/cases/{case}/shown/{seq}"))
    assert f"要請の内容: 消去済み(記録{erased}号)" in told
    assert "はじめに書いた目的。" not in told


def erased_part(office: offices.Line, case: int, place: tuple[int, int]) -> int:
    """One content row erased by who keeps the records; the event that did it."""
    return erase.erase(database(), office.who.records, case, [place], ground="本人の申し出")


def test_only_who_may_read_what_deciders_saw_opens_it_and_only_decisions(
    browse: Browse, office: offices.Line, decided: tuple[int, int]
) -> None:
    case, seq = decided
    for person, status in (
        (office.director, 200),
        (office.who.auditor, 200),
        (office.who.municipality, 404),
        (office.who.staff, 404),
    ):
        assert browse(person).client.get(f"/cases/{case}/shown/{seq}").status_code == status
    officer = browse(office.officer)
    for other in (1, seq + 1, 10**9):
        assert officer.client.get(f"/cases/{case}/shown/{other}").status_code == 404


def test_the_screen_of_an_earlier_round_stays_what_it_was(
    browse: Browse, conn: type_connection, at: At, office: offices.Line
) -> None:
    case = offices.put_up(conn, office, purpose="はじめに書いた目的。")
    up_to_decision(conn, office, case)
    seq = act(conn, office.director, case, "send_back", reason="目的を書き足すこと。", then="again").version
    at(date(2026, 10, 7))
    factory.drive(conn, office.who, case, "ask_correction")
    form = {"request": factory.request_form(conn, office.who, purpose="書き足した目的。")["request"]}
    factory.drive(conn, office.who, case, ("resubmit", {"form": form}))
    told = visible(browse(office.officer).get(f"/cases/{case}/shown/{seq}"))
    changes = told.partition("いまと違うところ")[2]
    assert "はじめに書いた目的。" in told.partition("いまと違うところ")[0]
    assert "書き足した目的。" in changes


def test_a_round_that_was_erased_says_by_which_event_and_the_others_stay(
    browse: Browse, conn: type_connection, office: offices.Line
) -> None:
    case = offices.put_up(conn, office)
    seq = act(conn, office.chief, case, "approve_step").version
    act(conn, office.head, case, "send_back", reason="目的を書き足すこと。", then="again")
    factory.drive(conn, office.who, case, ("put_to_director", {"by": office.officer}))
    act(conn, office.chief, case, "approve_step")
    rows = conn.execute(
        "SELECT seq, ord FROM content WHERE case_id = %s AND kind = 'form:route' ORDER BY seq", (case,)
    ).fetchall()
    first = [(row[0], row[1]) for row in rows][:-2]
    assert len(first) == 3
    erased = erase.erase(database(), office.who.records, case, first, ground="本人の申し出")
    told = visible(browse(office.head).get(f"/cases/{case}/route"))
    assert f"前の回(第1回) 消去済み(記録{erased}号)" in " ".join(told.split())
    assert "決裁欄(第2回)" in told
    assert "地域政策課 係長 済" in told.partition("前の回")[0]
    story = visible(browse(office.head).get(f"/cases/{case}"))
    assert f"決裁の順序: 消去済み(記録{erased}号)" in story
    screen = visible(browse(office.head).get(f"/cases/{case}/shown/{seq}"))
    assert f"決裁の順序: 消去済み(記録{erased}号)" in screen
