"""The page of a case: what each reader sees, what the buttons do, and what stays on the page when one is refused."""

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from tests import factory
from tests.workflow.web.browsing import Browser, browser_of, sheet, visible
from tests.workflow.web.conftest import Web
from workflow import cases
from workflow.db import database, type_connection
from workflow.turns import Span
from workflow.web import evidence

Browse = Callable[[int], Browser]
TO_JUDGEMENT = ("submit", "receive", "propose_team", "put_to_director")


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


@pytest.fixture
def judged(conn: type_connection, who: factory.Cast) -> int:
    """A case on the director's desk."""
    case_id = factory.opened(conn, who)
    factory.drive(conn, who, case_id, *TO_JUDGEMENT)
    return case_id


def posted(conn: type_connection, case_id: int, **fields: str) -> dict[str, str]:
    return {"version": str(factory.version(conn, case_id)), "key": str(uuid4()), **fields}


def test_the_decider_has_evidence_verdicts_and_acts_on_one_page(browse: Browse, who: factory.Cast, judged: int) -> None:
    html = browse(who.director).get(f"/cases/{judged}")
    told = visible(html)
    assert "あなたの番です" in told
    assert "派遣を判断する" in told
    assert "要領2(4) 1業務1か月以内 D-07" in told
    for effect in ("次の状態 「派遣準備」", "出る文書 派遣決定通知", "動く期限", "知らせる相手"):
        assert effect in told, effect
    assert 'class="node node--now"' in html
    assert "手番ごとの営業日" in told
    assert "派遣職員の日程表" in told
    assert f'action="/cases/{judged}/actions/approve"' in html


def test_what_is_refused_says_why_and_who_can_change_it(
    browse: Browse, conn: type_connection, who: factory.Cast
) -> None:
    case_id = factory.opened(conn, who)
    factory.drive(conn, who, case_id, "submit")
    told = visible(browse(who.bureau).get(f"/cases/{case_id}"))
    refused = told.partition("いまは押せない操作")[2]
    assert "局長の判断を求める まだ収受していません" in refused
    assert "動かせる人:" in refused


def test_the_municipality_sees_five_steps_and_no_inner_matter(browse: Browse, who: factory.Cast, judged: int) -> None:
    html = browse(who.municipality).get(f"/cases/{judged}")
    told = visible(html)
    assert "「決定」の段階" in told
    assert "決定 — いまここ" in told
    for inner in ("状態は「判断」", "起案", "局長の判断を求める", "手番ごとの営業日", "隊の案", "規則との照合"):
        assert inner not in told, inner
    assert "node" not in html
    assert "いまの手番は上川総合振興局です" in told
    assert "要請を取り下げる" in told


def test_an_act_is_done_and_the_page_says_so(
    browse: Browse, conn: type_connection, who: factory.Cast, judged: int
) -> None:
    browser = browse(who.director)
    answer = browser.send(f"/cases/{judged}/actions/approve", posted(conn, judged))
    assert answer.headers["location"] == f"/cases/{judged}?done=approve"
    told = visible(browser.get(answer.headers["location"]))
    assert "「派遣を決定する」を行いました" in told
    assert "取り消せない記録として残しました" in told
    assert "派遣決定通知" in told


def test_pressing_twice_is_one_act(browse: Browse, conn: type_connection, who: factory.Cast, judged: int) -> None:
    browser, fields = browse(who.director), posted(conn, judged)
    for _ in range(2):
        browser.send(f"/cases/{judged}/actions/approve", fields)
    assert factory.version(conn, judged) == len(TO_JUDGEMENT) + 1


def test_what_was_typed_stays_when_an_input_is_missing(
    browse: Browse, conn: type_connection, who: factory.Cast, judged: int
) -> None:
    fields = posted(conn, judged, **{"input.reason": "", "input.internal_reason": "災害対応のため"})
    answer = browse(who.director).send(f"/cases/{judged}/actions/decline", fields, 422)
    told = visible(answer.text)
    assert "「派遣しないと決める」は、まだ行っていません" in told
    assert 'href="#decline-reason"' in answer.text
    assert 'id="decline-reason"' in answer.text
    assert "災害対応のため" in answer.text
    assert fields["key"] in answer.text, "the same button keeps its key"
    assert '<details class="action" name="act" id="act-decline" open>' in answer.text


def test_a_date_is_said_back_and_its_problem_stands_beside_it(
    browse: Browse, conn: type_connection, who: factory.Cast
) -> None:
    case_id = factory.opened(conn, who)
    factory.drive(conn, who, case_id, "submit")
    date = {"input.arrived_on~y": "R8", "input.arrived_on~m": "2", "input.arrived_on~d": "30"}
    answer = browse(who.bureau).send(f"/cases/{case_id}/actions/receive", posted(conn, case_id, **date), 422)
    assert "2月は28日までです" in answer.text
    assert sheet(answer.text)["input.arrived_on~d"] == "30"
    assert 'id="input-arrived_on"' in answer.text


def test_whoever_comes_second_is_told_who_was_first(
    browse: Browse, conn: type_connection, who: factory.Cast, judged: int
) -> None:
    late = posted(
        conn, judged, **{"input.reason": "ほかの要請を優先するため", "input.internal_reason": "職員が足りない"}
    )
    browse(who.director).send(f"/cases/{judged}/actions/approve", posted(conn, judged))
    answer = browse(who.director).send(f"/cases/{judged}/actions/decline", late, 409)
    told = visible(answer.text)
    assert "ほかの方が先に処理していました" in told
    assert "あなたの「派遣しないと決める」は行っていません" in told
    assert "派遣を決定する" in told
    assert "ほかの要請を優先するため" in answer.text
    assert "職員が足りない" in answer.text


def test_a_foreign_case_does_not_exist(browse: Browse, conn: type_connection, who: factory.Cast, judged: int) -> None:
    stranger = browse(factory.person(conn, "municipality", "012025"))
    for path in ("", "/edit", "/print", "/actions/approve", "/letters/decision_notice"):
        assert stranger.client.get(f"/cases/{judged}{path}").status_code == 404, path
    stranger.send(f"/cases/{judged}/actions/withdraw", posted(conn, judged, **{"input.reason": "x"}), 404)


def test_who_lacks_the_role_is_refused_and_nothing_changes(
    browse: Browse, conn: type_connection, who: factory.Cast, judged: int
) -> None:
    before = factory.version(conn, judged)
    browse(who.auditor).send(f"/cases/{judged}/actions/approve", posted(conn, judged), 403)
    assert factory.version(conn, judged) == before
    told = visible(browse(who.auditor).get(f"/cases/{judged}"))
    assert "できる操作" not in told


def test_a_page_without_its_marks_does_nothing(
    browse: Browse, conn: type_connection, who: factory.Cast, judged: int
) -> None:
    browser = browse(who.director)
    assert browser.client.post(f"/cases/{judged}/actions/approve", data=posted(conn, judged)).status_code == 403
    browser.send(f"/cases/{judged}/actions/approve", {"version": "1", "key": "none"}, 400)


def test_the_drafters_reason_is_shown_and_may_be_accepted(
    browse: Browse, conn: type_connection, who: factory.Cast
) -> None:
    case_id = factory.opened(conn, who, days=9)
    why = {"inputs": {"note": "必要なため", "reasons": {"D-08": "代わりの職員がいない。"}}}
    factory.drive(conn, who, case_id, "submit", "receive", "propose_team", ("put_to_director", why))
    browser = browse(who.director)
    html = browser.get(f"/cases/{case_id}")
    assert "起案者の理由を読む" in html
    assert 'name="confirm.D-08" value="drafter" checked' in html
    browser.send(
        f"/cases/{case_id}/actions/approve",
        posted(conn, case_id, **{"confirm.D-08": "own", "confirm.D-08.own": ""}),
        422,
    )
    browser.send(f"/cases/{case_id}/actions/approve", posted(conn, case_id, **{"confirm.D-08": "drafter"}))
    assert "起案者の理由を認めた" in visible(browser.get(f"/cases/{case_id}"))


def test_the_points_to_mend_stand_on_the_page_where_they_are_mended(
    browse: Browse, conn: type_connection, who: factory.Cast
) -> None:
    case_id = factory.opened(conn, who)
    factory.drive(conn, who, case_id, "submit", "receive", "ask_correction")
    html = browse(who.municipality).get(f"/cases/{case_id}/actions/resubmit")
    assert "日程をもう少し詳しく書いてください。" in html
    add = f'formaction="/cases/{case_id}/edit?action=resubmit" name="do" value="add:request.tasks"'
    assert add in html, "a row is added by saving, never by the act itself"


def test_a_case_that_ended_before_its_last_step_says_so(
    browse: Browse, conn: type_connection, who: factory.Cast, judged: int
) -> None:
    factory.drive(conn, who, judged, "decline")
    told = visible(browse(who.municipality).get(f"/cases/{judged}"))
    assert "決定 — ここで終わりました" in told
    assert "派遣 (行いません)" in told
    assert "人員が足りない" not in told
    assert "時期が重なるため" in told


def test_letters_and_the_form_open_as_pages_to_print(
    browse: Browse, conn: type_connection, who: factory.Cast, judged: int
) -> None:
    factory.drive(conn, who, judged, "approve")
    browser = browse(who.municipality)
    assert "派遣決定通知" in browser.get(f"/cases/{judged}/letters/decision_notice")
    told = visible(browser.get(f"/cases/{judged}/print"))
    assert "職員の派遣について(要請)" in told
    assert "〔助言〕" in told


def test_the_clock_counts_each_day_once(conn: type_connection, who: factory.Cast, judged: int) -> None:
    view = cases.look(conn, who.director, judged)
    spans = [
        Span("bureau", view.now, view.now, 3, 3),
        Span("municipality", view.now, view.now, 2, 2),
        Span("bureau", view.now, None, 9, 9),
    ]
    rows = evidence.rows(spans, {"bureau": 10, "municipality": 5}, frozenset())
    assert rows == [("振興局(いま)", 12, 10, "stop", "2日過ぎた"), ("市町村", 2, 5, "ok", "間に合った")]
    late = evidence.rows(spans[2:], {"bureau": 10}, frozenset({"bureau"}))
    assert late == [("振興局(いま)", 9, 10, "stop", "期限を過ぎた")]
