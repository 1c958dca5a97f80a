"""The pages of posts, absences and appointment lists, through a browser; and that rights end with the next request."""

import html
import re
from datetime import date, datetime
from uuid import uuid4

import pytest

from tests import factory, offices
from workflow import absences, accounts, cases, following, posts
from workflow.db import database
from workflow.deadlines import TOKYO

DAY = date(2026, 11, 2)
HEADS = "職員番号,氏名,異動後の組織,係・課,職名,発令の種類,発令番号"


@pytest.fixture
def conn(web):
    with database().connection() as connection:
        yield connection


@pytest.fixture
def office(at, conn):
    at(DAY)
    made = offices.line(conn, factory.cast(conn))
    offices.rule(conn, made)
    return made


class Browser:
    """Somebody who is signed in, with the token of the forms."""

    def __init__(self, web, conn, person):
        conn.execute(
            "INSERT INTO account (person_id, login, password_hash, failures, disabled) VALUES (%s, %s, '', 0, false) ON CONFLICT DO NOTHING",
            (person, f"p{person}"),
        )
        opened = accounts.open_session(conn, person)
        self.client, self.csrf, self.person = web.client(), opened.csrf, person
        self.client.cookies.set("tobidashi", opened.token)

    def get(self, path, status=200):
        answer = self.client.get(path)
        assert answer.status_code == status, answer.text
        return words(answer.text)

    def send(self, path, told=None, status=303, file=None):
        files = {"file": ("一覧.csv", file)} if file is not None else None
        answer = self.client.post(path, data={"csrf": self.csrf, "key": str(uuid4()), **(told or {})}, files=files)
        assert answer.status_code == status, answer.text
        return answer


def words(text):
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


@pytest.fixture
def midnight(fresh_database):
    """The clock goes to five to midnight, and later to five past: no session is idle for long."""

    def go(*, over):
        when = datetime(2026, 11, 3, 0, 5, tzinfo=TOKYO) if over else datetime(2026, 11, 2, 23, 55, tzinfo=TOKYO)
        factory.set_clock(fresh_database.owner_url, when)

    return go


@pytest.fixture
def browser(web, conn, office):
    return lambda person: Browser(web, conn, person)


@pytest.fixture
def keeper(browser, office):
    return browser(office.administrators[0])


def name(conn, person):
    return conn.execute("SELECT staff_no, name FROM person WHERE id = %s", (person,)).fetchone()


def day(field, when):
    return {f"{field}~y": str(when.year), f"{field}~m": str(when.month), f"{field}~d": str(when.day)}


def test_a_post_is_added_filled_and_ended_on_the_pages(conn, office, keeper):
    typed = {"office": office.who.office, "section": "産業課", "title": "課長", "role": "bureau"} | day("since", DAY)
    key = {"key": str(uuid4())}
    first, again = (keeper.send("/posts", typed | key).headers["location"] for _ in range(2))
    assert first == again, "sent twice, made once"
    address = first.partition("?")[0]
    page = keeper.get(first)
    assert "職を加えました" in page
    assert "いま、この職は空席です" in page
    number = name(conn, office.general)[0]
    answer = keeper.send(
        f"{address}/tenures", {"person": "X1", "kind": "concurrent", "order": "人発9"} | day("from", DAY), 422
    )
    assert "その職員番号の人は登録されていません" in words(answer.text)
    assert 'value="人発9"' in answer.text, "what was typed is still there"
    keeper.send(f"{address}/tenures", {"person": number, "kind": "concurrent", "order": "人発9"} | day("from", DAY))
    page = keeper.get(f"/posts?office={office.who.office}")
    assert "産業課 課長" in page
    assert "兼務" in page
    (tenure,) = [
        row["id"]
        for row in posts.one(conn, factory.reader(conn, keeper.person), int(address.rpartition("/")[2])).tenures
    ]
    keeper.send(f"{address}/tenures/{tenure}/end", day(f"last-{tenure}", date(2026, 11, 1)), 422)
    keeper.send(f"{address}/tenures/{tenure}/end", day(f"last-{tenure}", DAY))
    other = office.posts["chief"]
    keeper.send(f"/posts/{other}/tenures/{tenure}/end", day(f"last-{tenure}", DAY), 404)
    keeper.send(f"{address}/end", day("last", DAY))
    assert "空席" not in keeper.get(f"/posts?office={office.who.office}&day=2026-11-03")


def test_deputies_and_superior_are_set_with_their_day(conn, office, keeper):
    head, chief, vice = (office.posts[key] for key in ("head", "chief", "vice"))
    answer = keeper.send(f"/posts/{head}/deputies", {"deputy-1": str(head)} | day("deputies-since", DAY), 422)
    assert "自分の職を、自分の代わりにはできません" in words(answer.text)
    keeper.send(
        f"/posts/{head}/deputies",
        {"deputy-1": str(chief), "deputy-2": "", "deputy-3": str(vice)} | day("deputies-since", DAY),
    )
    keeper.send(f"/posts/{head}/superior", {"superior": str(vice)} | day("superior-since", DAY))
    page = keeper.get(f"/posts/{head}")
    assert "1 地域政策課 係長 2 副局長" in page
    assert "いま: 副局長" in page
    keeper.send(f"/posts/{vice}/superior", {"superior": str(head)} | day("superior-since", DAY), 422)


def test_any_day_is_shown_and_an_unreadable_one_is_told(office, keeper):
    assert "その日に決裁できた職と人" in keeper.get(f"/posts?office={office.who.office}&day=R6.4.1")
    assert "今日の日付で示しています" in keeper.get("/posts?day=いつか")


def test_a_session_loses_its_rights_with_the_next_request(conn, office, browser, midnight):
    """The same cookie: before the change the case, after it nothing."""
    case = offices.put_up(conn, office)
    midnight(over=False)
    chief = browser(office.chief)
    assert chief.get(f"/cases/{case}")
    conn.execute("UPDATE tenure SET valid_to = %s WHERE person_id = %s", (DAY, office.chief))
    assert chief.get(f"/cases/{case}"), "still on the last day"
    midnight(over=True)
    assert "いま就いている職がありません" in chief.get(f"/cases/{case}", 403)
    chief.send(f"/cases/{case}/actions/approve_step", {"version": str(factory.version(conn, case))}, 403)
    new = browser(factory.person(conn, "bureau", "hk-sorachi"))
    new.get(f"/cases/{case}", 404)
    conn.execute(
        "INSERT INTO tenure (person_id, post_id, valid_from) VALUES (%s, %s, '2026-11-03')",
        (new.person, office.posts["chief"]),
    )
    assert new.get(f"/cases/{case}")


def test_a_disabled_account_is_out_with_the_next_request(conn, office, browser, midnight):
    midnight(over=False)
    keeper = browser(office.administrators[0])
    chief = browser(office.chief)
    chief.get("/inbox")
    conn.execute("UPDATE tenure SET valid_to = %s WHERE person_id = %s", (DAY, office.chief))
    midnight(over=True)
    assert name(conn, office.chief)[1] in keeper.get("/posts")
    keeper.send(f"/posts/people/{office.chief}/clear")
    assert chief.client.get("/inbox").status_code == 303
    assert "職がありません" not in words(chief.client.get("/inbox").text)


# ── lists of appointments ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_list_is_tried_out_taken_in_once_and_taken_back(conn, office, keeper):
    case = offices.put_up(conn, office)
    title, number = conn.execute("SELECT title, number FROM cases WHERE id = %s", (case,)).fetchone()
    no, called = name(conn, office.chief)
    data = f"{HEADS}\n{no},{called},,,,退職・離任,人発1\nX1,だれか,,,,本務,".encode("cp932")
    page = words(keeper.send("/appointments", {"effective": "R8.12.1"}, 200, data).text)
    assert "だれの手にも渡らない" in page
    assert number in page
    assert title not in page
    assert "3行目 職員番号" in page
    assert conn.execute("SELECT count(*) FROM appointment_list").fetchone() == (0,)
    answer = keeper.send("/appointments", {"effective": "R8.12.1"}, 200, data)
    sheet = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', answer.text))
    told = {name: html.unescape(value) for name, value in sheet.items() if name != "csrf"}
    assert "取り込んでいません" in words(keeper.send("/appointments/take", told | {"do": "all"}, 422).text)
    for _ in range(2):
        keeper.send("/appointments/take", told | {"do": "good"})
    ((made, effective),) = conn.execute("SELECT id, effective_on FROM appointment_list").fetchall()
    assert effective == date(2026, 12, 1)
    assert "これから" in keeper.get("/appointments")
    keeper.send(f"/appointments/{made}/undo")
    assert "取り消しました" in keeper.get("/appointments")
    assert conn.execute("SELECT valid_to FROM tenure WHERE person_id = %s", (office.chief,)).fetchone() == (None,)


@pytest.mark.parametrize(
    ("told", "data", "said"),
    [
        ({"effective": ""}, b"x", "日付が書かれていません"),
        ({"effective": "R8.12.1"}, b"", "ファイルを選んでください"),
        ({"effective": "R8.12.1"}, b"x,y", "見出し"),
    ],
)
def test_a_list_that_is_none_is_told(office, keeper, told, data, said):
    assert said in words(keeper.send("/appointments", told, 422, data).text)


def test_the_blank_forms_are_workbooks(office, keeper, browser):
    assert keeper.client.get("/appointments/form").content.startswith(b"PK")
    assert browser(office.officer).client.get("/absences/form").content.startswith(b"PK")


# ── orphaned steps ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_orphaned_step_is_shown_without_its_case_and_given_away(conn, office, keeper, browser, at):
    case = offices.put_up(conn, office)
    title, number = conn.execute("SELECT title, number FROM cases WHERE id = %s", (case,)).fetchone()
    assert "宙に浮いた手番はありません" in keeper.get("/posts/orphans")
    conn.execute("UPDATE tenure SET valid_to = %s WHERE person_id = %s", (DAY, office.chief))
    at(date(2026, 11, 3))
    keeper = browser(office.administrators[0])
    page = keeper.get("/posts/orphans")
    assert number in page
    assert title not in page
    assert "だれも答えられない手番が1件" in keeper.get("/posts")
    keeper.get(f"/cases/{case}", 404)
    told = {
        "version": str(factory.version(conn, case)),
        f"post-{case}-1": str(office.posts["vice"]),
        f"reason-{case}-1": "",
    }
    answer = keeper.send(f"/posts/orphans/{case}/1", told, 422)
    assert "理由を書いてください" in words(answer.text)
    keeper.send(f"/posts/orphans/{case}/1", told | {f"reason-{case}-1": "係長は置かないため。"})
    following.follow(database())
    assert cases.look(conn, office.vice, case).offers


# ── absences ────────────────────────────────────────────────────────────────────────────────────────────────────────


def entered(conn, person):
    return conn.execute(
        "SELECT id, kind, valid_from, valid_to FROM absence WHERE person_id = %s ORDER BY id", (person,)
    ).fetchall()


def test_everybody_enters_his_own_and_sees_the_kind_others_only_that_one_is_away(conn, office, browser):
    director, officer = browser(office.director), browser(office.officer)
    director.send("/absences", {"kind": "illness"} | day("from", DAY) | day("to", date(2026, 11, 5)))
    assert "病気" in director.get("/absences")[director.get("/absences").index("自分の不在") :]
    page = officer.get("/absences")
    others = page[page.index("所属の人の不在") :]
    assert name(conn, office.director)[1] in others
    assert "病気" not in others
    assert "病気" not in officer.get("/board")
    director.send("/absences", {"person": str(office.officer), "kind": "trip"} | day("from", DAY), 404)
    officer.send("/absences", {"person": str(office.director), "kind": "trip"} | day("from", date(2026, 12, 1)))
    page = officer.get("/absences")
    assert "出張" in page[page.index("所属の人の不在") :], "what one has entered oneself"
    answer = director.send("/absences", {"kind": "war"} | day("from", DAY), 422)
    assert "種類を選んでください" in words(answer.text)


def test_who_comes_back_ends_the_absence_and_sees_what_was_decided_meanwhile(conn, office, browser, at):
    case = offices.put_up(conn, office)
    director = browser(office.director)
    director.send("/absences", {"kind": "trip"} | day("from", DAY) | day("to", date(2026, 11, 13)))
    for key, verb in (
        ("chief", "approve_step"),
        ("head", "approve_step"),
        ("general", "agree_step"),
        ("health", "agree_step"),
        ("vice", "approve"),
    ):
        offices.act(conn, office.people[key], case, verb)
    at(date(2026, 11, 5))
    director = browser(office.director)
    ((entry, _, _, _),) = entered(conn, office.director)
    director.send(f"/absences/{entry}/drop", status=422)
    location = director.send(f"/absences/{entry}/back").headers["location"]
    page = director.get(location)
    assert "お帰りなさい" in page
    assert "後閲を待っている件が1件" in page
    assert entered(conn, office.director)[0][3] == date(2026, 11, 4)
    assert "後閲する" in director.get("/inbox")
    director.send(f"/absences/{entry}/back", status=422)
    offices.act(conn, office.director, case, "mark_read")
    assert "後閲を待っている" not in director.get("/absences")


def test_one_that_began_this_morning_is_gone_and_a_coming_one_is_dropped(conn, office, browser):
    director = browser(office.director)
    for first in (DAY, date(2026, 12, 1)):
        director.send("/absences", {"kind": "leave"} | day("from", first))
    now, coming = (row[0] for row in entered(conn, office.director))
    director.send(f"/absences/{coming}/back", status=422)
    director.send(f"/absences/{now}/back")
    director.send(f"/absences/{coming}/drop")
    assert entered(conn, office.director) == []


def test_a_file_of_absences_is_tried_out_and_taken_in_once(conn, office, browser):
    officer = browser(office.officer)
    no, called = name(conn, office.director)
    stranger = name(conn, factory.person(conn, "staff", "hk-sorachi"))[0]
    heads = "職員番号,氏名,種類,初めの日,終わりの日"
    data = "\n".join(
        (heads, f"{no},{called},出張,R8.12.1,R8.12.3", f"{no},別人,出張,R8.12.8,", f"{stranger},,休み,R8.13.1,R8.1.1")
    ).encode()
    answer = officer.send("/absences/file", {}, 200, data)
    page = words(answer.text)
    assert "氏名: この職員番号は" in page
    assert "種類: 「休み」は種類にありません" in page
    assert "初めの日:" in page
    assert entered(conn, office.director) == []
    sheet = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', answer.text))
    officer.send("/absences/take", {"file": sheet["file"], "do": "all"}, 422)
    for _ in range(2):
        officer.send("/absences/take", {"file": sheet["file"], "do": "good"})
    ((_, kind, first, last),) = entered(conn, office.director)
    assert (kind, first, last) == ("trip", date(2026, 12, 1), date(2026, 12, 3))
    browser(office.who.staff).send("/absences/file", {}, 404, data)
    assert absences.listed(conn, [office.director])[0]["kind_label"] == "不在"


# ── drafts that somebody left behind ────────────────────────────────────────────────────────────────────────────────


def test_the_draft_of_who_has_left_is_told_apart_and_goes_on(conn, office, browser, at):
    left = cases.open_case(conn, office.officer, "dispatch", "director", {"request": {"title": "前任の書きかけ"}})
    own = cases.open_case(conn, office.head, "dispatch", "director", {"request": {"title": "自分の書きかけ"}})
    assert "前任の下書き" not in browser(office.head).get("/inbox")
    conn.execute("UPDATE tenure SET valid_to = %s WHERE person_id = %s", (DAY, office.officer))
    at(date(2026, 11, 3))
    successor = browser(office.head)
    page = successor.get("/inbox")
    assert f"前任の下書き({name(conn, office.officer)[1]})" in page
    assert page.count("前任の下書き(") == 1
    assert successor.get(f"/cases/{left}/edit")
    assert posts.predecessors(conn, [left, own]).keys() == {left}
