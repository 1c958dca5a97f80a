"""The boxes of a decision on the page of a case, whose turn it is in words, and the route on a page of its own."""

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from states.text import search_key
from tests import factory, offices
from tests.offices import act
from tests.papers import PDF, attach
from tests.workflow.web.browsing import Browser, browser_of, visible
from tests.workflow.web.conftest import At, Web
from workflow import search
from workflow.db import database, type_connection

Browse = Callable[[int], Browser]
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)


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


def name(conn: type_connection, person: int) -> str:
    row = conn.execute("SELECT name FROM person WHERE id = %s", (person,)).fetchone()
    assert row is not None
    return str(row[0])


def page(browse: Browse, person: int, case: int, more: str = "") -> str:
    return visible(browse(person).get(f"/cases/{case}{more}"))


def up_to_decision(conn: type_connection, office: offices.Line, case: int) -> None:
    act(conn, office.chief, case, "approve_step")
    act(conn, office.head, case, "approve_step", remark="よい計画です。")
    act(conn, office.general, case, "agree_step")
    act(conn, office.health, case, "agree_step")


def part(told: str, after: str, before: str) -> str:
    return told.partition(after)[2].partition(before)[0]


def test_the_boxes_say_who_answered_who_is_asked_and_since_when(
    browse: Browse, conn: type_connection, office: offices.Line
) -> None:
    case = offices.put_up(conn, office)
    act(conn, office.chief, case, "approve_step")
    act(conn, office.head, case, "approve_step", remark="よい計画です。")
    told = page(browse, office.general, case)
    boxes = part(told, "決裁欄", "添付ファイル")
    assert "専決規程 別表2の4" in boxes
    for said in (
        f"起案 地域政策課 主査 済 済み {name(conn, office.officer)}",
        f"回議 地域政策課 課長 済 承認しました {name(conn, office.head)}",
    ):
        assert said in boxes, boxes
    assert f"合議 (同時) 総務課 課長 ▶ 待っています {name(conn, office.general)} 10月5日から" in boxes
    assert "決裁 局長 ・ これから" in boxes
    assert "総務課 課長、保健行政室 室長に同時に回します(全員の同意、一つの不同意で止める)。" in boxes
    assert "よい計画です。" in boxes
    # Who answers on the way has the same rules before him as who decides.
    assert "要領2(4) 1業務1か月以内 D-07" in told
    # What the buttons of the turn bring about: whose turn it is then.
    assert "合議に同意する" in told
    assert f"次の手番 保健行政室 室長({name(conn, office.health)}さん)の合議" in told
    assert "ほかの操作" in told


def test_who_is_not_asked_reads_whose_turn_it_is_and_from_when_he_may_act(
    browse: Browse, conn: type_connection, office: offices.Line
) -> None:
    case = offices.put_up(conn, office)
    told = page(browse, office.director, case)
    waits = part(told, "何を、だれを待っているか", "規則との照合")
    assert "いまは、地域政策課 係長の回議を待っています。" in waits
    assert "あなたの番(決裁)は、残りの回議 2、合議 2が済んでから来ます。" in waits
    deputy = part(page(browse, office.vice, case), "何を、だれを待っているか", "できる操作")
    assert "代決できるのは、決裁の番になり、「局長」が不在の間だけです。" in deputy
    up_to_decision(conn, office, case)
    assert "「局長」は不在ではないので、代わることはできません。" in page(browse, office.vice, case)


def test_others_see_neither_boxes_nor_names_and_the_route_does_not_exist(
    browse: Browse, conn: type_connection, office: offices.Line
) -> None:
    case = offices.put_up(conn, office)
    up_to_decision(conn, office, case)
    offices.away(conn, office.director)
    act(conn, office.vice, case, "approve")
    town = browse(office.who.municipality)
    told = visible(town.get(f"/cases/{case}"))
    for inner in (
        "決裁欄",
        "回議",
        "後閲",
        "よい計画です。",
        name(conn, office.vice),
        name(conn, office.director),
        "出張",
        "別表2",
    ):
        assert inner not in told, inner
    assert "副局長(局長の代決)" in told
    for path in ("/route", "/shown/9"):
        assert town.client.get(f"/cases/{case}{path}").status_code == 404
    search.refresh(conn, case)
    row = conn.execute("SELECT text FROM search_entry WHERE case_id = %s AND NOT inside", (case,)).fetchone()
    assert row is not None
    for inner in ("別表", "副局長", "よい計画です。"):
        assert search_key(inner) not in row[0]
    # Of the offices' own entry the route itself is no part either; what was written on the way is.
    row = conn.execute("SELECT text FROM search_entry WHERE case_id = %s AND inside", (case,)).fetchone()
    assert row is not None
    assert "別表" not in row[0]
    assert search_key("よい計画です。") in row[0]


def test_a_deputy_is_named_with_whom_and_why_everywhere(
    browse: Browse, conn: type_connection, office: offices.Line
) -> None:
    case = offices.put_up(conn, office)
    up_to_decision(conn, office, case)
    offices.away(conn, office.director)
    # Until a deputy has acted only the deputy reads why: it is the ground of the act.
    before = page(browse, office.officer, case)
    assert f"決裁 局長 ▶ 待っています {name(conn, office.director)}(不在)" in before
    assert "(出張" not in before
    assert "出張" not in page(browse, office.officer, case, "/route")
    instead = part(page(browse, office.vice, case), "何を、だれを待っているか", "規則との照合")
    assert "「局長」が不在(出張)なので、あなたが代わってできます(代決)。" in instead
    act(conn, office.vice, case, "approve")
    vice, director = name(conn, office.vice), name(conn, office.director)
    told = page(browse, office.officer, case)
    assert f"決裁 局長 代 派遣を決定する 副局長 {vice}(局長 {director} 出張につき代決)" in told
    assert f"副局長 {vice}(局長 {director} 出張につき代決)" in part(told, "添付ファイル", "記録の指紋")
    assert "後閲 局長 ▶ 待っています" in told
    audit = visible(browse(office.who.auditor).get("/audit"))
    assert f"{vice}(局長 {director} 出張につき代決)" in audit
    # The office's copy of the letter says who decided; the letter itself is in the director's name for everybody.
    letter = visible(browse(office.officer).get(f"/cases/{case}/letters/decision_notice"))
    assert f"副局長 {vice}(局長 {director} 出張につき代決)" in letter
    sent = visible(browse(office.who.municipality).get(f"/cases/{case}/letters/decision_notice"))
    assert vice not in sent
    assert "代決" not in sent


def test_who_stands_in_for_a_vacant_post_is_named_as_such(
    browse: Browse, conn: type_connection, office: offices.Line
) -> None:
    case = offices.put_up(conn, office)
    up_to_decision(conn, office, case)
    conn.execute("UPDATE tenure SET valid_to = '2026-10-04' WHERE post_id = %s", (office.posts["director"],))
    conn.execute(
        "INSERT INTO tenure (person_id, post_id, kind, valid_from) VALUES (%s, %s, 'acting', '2026-10-05')",
        (office.vice, office.posts["director"]),
    )
    told = page(browse, office.officer, case)
    assert f"決裁 局長 ▶ 待っています {name(conn, office.vice)}(職務代理)" in told
    act(conn, office.vice, case, "approve")
    told = page(browse, office.officer, case)
    assert f"決裁 局長 済 派遣を決定する {name(conn, office.vice)}(職務代理)" in told
    assert f"局長 {name(conn, office.vice)}(職務代理)" in told.partition("添付ファイル")[2]
    assert "後閲" not in told


def test_the_history_says_in_one_line_what_became_of_the_route(
    browse: Browse, conn: type_connection, office: offices.Line
) -> None:
    case = offices.put_up(conn, office)
    act(conn, office.chief, case, "approve_step")
    act(conn, office.chief, case, "pull_back_step")
    told = part(page(browse, office.head, case), "手番と経過", "記録の指紋")
    assert (
        "決裁の順序: 回る順: 回議 地域政策課 係長 → 回議 地域政策課 課長 → 合議 総務課 課長・保健行政室 室長 → 決裁 局長"
        in told
    )
    assert "次は 地域政策課 課長(回議)" in told
    assert "地域政策課 係長(回議)はもう一度答えます" in told
    for raw in ("drafted_at", "stages", "covers", "{"):
        assert raw not in told, raw


def test_opening_the_page_when_asked_ends_pulling_back(
    browse: Browse, conn: type_connection, office: offices.Line
) -> None:
    case = offices.put_up(conn, office)
    # Whoever is not asked leaves no mark.
    page(browse, office.director, case)
    assert conn.execute("SELECT count(*) FROM opened").fetchone() == (0,)
    assert "引き戻す" in part(page(browse, office.officer, case), "できる操作", "いまは押せない操作")
    page(browse, office.chief, case)
    page(browse, office.chief, case)
    assert conn.execute("SELECT count(*) FROM opened").fetchone() == (1,)
    told = part(page(browse, office.officer, case), "いまは押せない操作", "これまでの似た案件")
    assert "次の人がもう開いたので、引き戻せません。" in told


def test_the_route_page_keeps_every_round_and_foresees_any_day(
    browse: Browse, conn: type_connection, office: offices.Line
) -> None:
    case = factory.opened(conn, office.who)
    factory.drive(conn, office.who, case, "submit", "receive", "propose_team")
    told = page(browse, office.officer, case, "/route")
    assert "まだ決裁に回っていません" in told
    assert "いま上げると、だれが決めるか" in told
    assert "地域政策課 係長" in told
    later = page(browse, office.officer, case, "/route?on=R12.4.3")
    assert "令和12年4月3日の定め" in later
    assert "読めません" in page(browse, office.officer, case, "/route?on=いつか") or "今日の日付で示します" in page(
        browse, office.officer, case, "/route?on=いつか"
    )
    assert f"次の手番 地域政策課 係長({name(conn, office.chief)}さん)の回議" in page(browse, office.officer, case)
    factory.drive(conn, office.who, case, ("put_to_director", {"by": office.officer}))
    act(conn, office.chief, case, "approve_step")
    act(conn, office.head, case, "send_back", reason="目的を書き足すこと。", then="again")
    factory.drive(conn, office.who, case, ("put_to_director", {"by": office.officer}))
    told = page(browse, office.head, case, "/route")
    assert "令和8年10月5日 現在" in told.partition("決裁欄(第2回)")[0]
    assert "このまま A4 に印刷すると" in told
    assert "決裁欄(第2回)" in told
    assert "前の回(第1回)" in told
    first = told.partition("前の回(第1回)")[2]
    assert "起案した人に戻っています" in first
    assert f"回議 地域政策課 係長 済 承認しました {name(conn, office.chief)}" in first


def test_who_answers_again_sees_what_changed_since(browse: Browse, conn: type_connection, at: At) -> None:
    office = offices.line(conn, factory.cast(conn))
    offices.rule(
        conn, office,
        [{"kind": "consent", "asked": [{"title": "課長", "section": "総務課"}], "covers": ["team"]}, {"kind": "decide", "asked": [{"title": "局長"}]}],
    )  # fmt: skip
    case = offices.put_up(conn, office)
    act(conn, office.general, case, "agree_step")
    act(conn, office.director, case, "send_back", reason="人を替えること。", then="straight")
    staff = factory.person(conn, "staff", office.who.office, name="替わりの職員（仮名）")
    team = factory.team(conn, office.who, case, people=(office.who.staff, staff))
    team["team"]["members"][1]["name"] = "替わりの職員（仮名）"
    factory.drive(conn, office.who, case, ("propose_team", {"form": team}))
    factory.drive(conn, office.who, case, ("put_to_director", {"by": office.officer}))
    html = browse(office.general).get(f"/cases/{case}")
    again = part(visible(html), "もう一度 総務課 課長", "規則との照合")
    assert "承認のあとに内容が変わったので、もう一度答えてください" in again
    assert "替わりの職員（仮名）" in again
    boxes = part(visible(html), "決裁欄", "添付ファイル")
    assert "承認のあとに内容が変わったので、もう一度答えます" in boxes


def test_every_verb_of_a_route_can_be_done_from_the_page(
    browse: Browse, conn: type_connection, office: offices.Line
) -> None:
    case = offices.put_up(conn, office)
    chief = browse(office.chief)
    html = chief.get(f"/cases/{case}")
    assert f'action="/cases/{case}/actions/approve_step"' in html
    sent = {"version": str(factory.version(conn, case)), "key": str(uuid4()), "input.remark": "日程に無理がない。"}
    answer = chief.send(f"/cases/{case}/actions/approve_step", sent)
    done = visible(chief.get(answer.headers["location"]))
    assert "「承認して上げる」を行いました" in done
    assert "日程に無理がない。" in done
    assert "いまは、地域政策課 課長の回議を待っています。" in done
    # Sent back with nothing chosen beside: everybody between is asked again.
    back = browse(office.head)
    sent = {
        "version": str(factory.version(conn, case)),
        "key": str(uuid4()),
        "input.remark": "日程を見直すこと。",
        "input.to": "1",
    }
    back.send(f"/cases/{case}/actions/return_step", sent)
    assert "地域政策課 係長(回議)はもう一度答えます" in page(browse, office.chief, case)
    act(conn, office.chief, case, "approve_step")
    # A refusal comes back with what was typed.
    head = browse(office.head)
    sent = {"version": str(factory.version(conn, case)), "key": str(uuid4()), "input.remark": "来週に考える。"}
    refused = head.send(f"/cases/{case}/actions/hold_step", sent, 422)
    assert "来週に考える。" in refused.text
    assert "いまは、地域政策課 課長の回議を待っています。" in visible(
        head.client.post(
            f"/cases/{case}/actions/agree_step", data={"csrf": head.csrf, **sent, "key": str(uuid4())}
        ).text
    )


def test_a_file_after_the_decision_is_an_addition_and_can_be_looked_at(
    browse: Browse, conn: type_connection, office: offices.Line
) -> None:
    case = offices.put_up(conn, office)
    attach(database(), office.officer, case, PDF, name="前からの要綱.pdf")
    attach(database(), office.officer, case, "集合は9時。\n".encode("cp932"), name="集合.txt", scope="internal")
    up_to_decision(conn, office, case)
    act(conn, office.director, case, "approve")
    after = attach(database(), office.officer, case, PNG, name="会場の写真.png")
    html = browse(office.director).get(f"/cases/{case}")
    files = part(visible(html), "添付ファイル", "手番と経過") or part(visible(html), "添付ファイル", "経過")
    assert files.count("追記") == 1
    assert "追記 「派遣を決定する」(10月5日 10:00)のあとに添えたもの" in files.partition("会場の写真.png")[2]
    assert "集合は9時。" in files
    assert f'<img src="/cases/{case}/files/{after}/view"' in html
    town = browse(office.who.municipality)
    assert "のあとに添えたもの" in visible(town.get(f"/cases/{case}"))
    assert "集合は9時。" not in town.get(f"/cases/{case}")


def test_only_pictures_and_pdf_are_given_to_be_looked_at_and_nothing_in_them_runs(
    browse: Browse, conn: type_connection, office: offices.Line
) -> None:
    case = offices.put_up(conn, office)
    picture = attach(database(), office.officer, case, PNG, name="地図.png")
    paper = attach(database(), office.officer, case, PDF, name="要綱.pdf", scope="internal")
    text = attach(database(), office.officer, case, b"plain <script>alert(1)</script>", name="a.txt")
    officer, town = browse(office.officer), browse(office.who.municipality)
    shown = officer.client.get(f"/cases/{case}/files/{picture}/view")
    assert (shown.status_code, shown.headers["content-type"], shown.content) == (200, "image/png", PNG)
    assert shown.headers["content-disposition"].startswith("inline")
    assert shown.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert shown.headers["x-content-type-options"] == "nosniff"
    pdf = officer.client.get(f"/cases/{case}/files/{paper}/view")
    assert pdf.status_code == 200
    assert pdf.headers["content-type"] == "application/pdf"
    assert pdf.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in pdf.headers["content-security-policy"]
    assert "frame-ancestors 'self'" in pdf.headers["content-security-policy"]
    assert f'<iframe src="/cases/{case}/files/{paper}/view#' in officer.get(f"/cases/{case}")
    assert officer.client.get(f"/cases/{case}/files/{text}/view").status_code == 404
    assert town.client.get(f"/cases/{case}/files/{paper}/view").status_code == 404
    assert "plain &lt;script&gt;alert(1)" in officer.get(f"/cases/{case}")


def test_any_day_that_is_typed_is_answered(browse: Browse, conn: type_connection, office: offices.Line) -> None:
    case = offices.put_up(conn, office)
    client = browse(office.officer).client
    for typed in (
        "on=",
        "on=いつか",
        "on=0001-01-01",
        "on=9999-12-31",
        "on~y=2027&on~m=4&on~d=1",
        "on~y=&on~m=4",
        "matter=nothing",
    ):
        assert client.get(f"/cases/{case}/route?{typed}").status_code == 200, typed
    assert "令和9年4月1日の定め" in visible(client.get(f"/cases/{case}/route?on~y=2027&on~m=4&on~d=1").text)
