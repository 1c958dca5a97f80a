"""経緯 and 市町村カルテ through a browser: begun from a finished dispatch, tied by hand, read before a visit, never beyond one's reach."""

import html
import re
from datetime import date, datetime, timedelta
from uuid import uuid4

import pytest

from tests import factory
from workflow import accounts, cases, watch
from workflow.db import database
from workflow.deadlines import TOKYO

WHY = "台帳づくりが残ったため。"
ROAD = ("submit", "receive", "propose_team", "put_to_director", "approve")


@pytest.fixture
def conn(web):
    with database().connection() as connection:
        yield connection


@pytest.fixture
def noon(fresh_database):
    def shift(day: date) -> None:
        factory.set_clock(fresh_database.owner_url, datetime(day.year, day.month, day.day, 12, tzinfo=TOKYO))

    shift(date(2026, 9, 1))
    return shift


@pytest.fixture
def who(noon, conn):
    return factory.cast(conn)


@pytest.fixture
def reported(noon, conn, who):
    made = factory.opened(conn, who, first=date(2026, 9, 28))
    factory.drive(conn, who, made, *ROAD)
    noon(date(2026, 10, 5))
    watch.move(database())
    left = {"result": {"results": "骨子ができた。", "issues": "台帳がない。", "follow_up": "台帳づくりを助ける。"}}
    factory.drive(
        conn, who, made, "file_trip_report", ("file_trip_report", {"by": who.staff_colleague}), ("file_result", {"form": left})
    )  # fmt: skip
    return made


class Browser:
    """Somebody who is signed in, with the token of the forms."""

    def __init__(self, web, conn, person):
        conn.execute(
            "INSERT INTO account (person_id, login, password_hash, failures, disabled) VALUES (%s, %s, '', 0, false) ON CONFLICT DO NOTHING",
            (person, f"p{person}"),
        )
        opened = accounts.open_session(conn, person)
        self.client, self.csrf = web.client(), opened.csrf
        self.client.cookies.set("tobidashi", opened.token)

    def get(self, path, status=200):
        answer = self.client.get(path)
        assert answer.status_code == status, answer.text
        return words(answer.text)

    def send(self, path, told=None, status=303):
        answer = self.client.post(path, data={"csrf": self.csrf, "key": str(uuid4()), **(told or {})})
        assert answer.status_code == status, answer.text
        return answer


def words(text):
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


@pytest.fixture
def browser(web, conn):
    return lambda person: Browser(web, conn, person)


def number(conn, case):
    return conn.execute("SELECT number FROM cases WHERE id = %s", (case,)).fetchone()[0]


def test_a_finished_dispatch_leads_to_the_next_one_by_its_button(conn, who, reported, browser):
    bureau = browser(who.bureau)
    assert "残った課題から次の派遣を起こす" in bureau.get(f"/cases/{reported}")
    assert "残った課題から次の派遣を起こす" not in browser(who.municipality).get(f"/cases/{reported}")
    key = {"key": str(uuid4()), "why-next": WHY}
    there = [bureau.send(f"/cases/{reported}/derive/next", key).headers["location"] for _ in range(2)]
    assert there[0] == there[1]
    page = bureau.get(there[0])
    assert f"「{number(conn, reported)} 空き家を生かす移住計画づくりの助言」から起こした下書きです" in page
    assert "台帳がない。" in page
    draft = int(there[0].split("/")[2])
    assert "もとになった案件" in bureau.get(f"/cases/{draft}")
    assert "下書き" in bureau.get(f"/cases/{reported}").partition("ここから起こす")[2][:40]
    browser(who.municipality).send(f"/cases/{reported}/derive/next", status=403)
    bureau.send(f"/cases/{reported}/derive/other", status=404)
    # Written to its end and drafted, it stands in the thread of both.
    view = cases.look(conn, who.bureau, draft)
    day = factory.first_day(conn).isoformat()
    told = {
        **view.form["request"], "ground": "director.other", "own_affairs": "no", "concurrent_appointment": "not_needed",
        "period": {"from": day, "to": day}, "tasks": [{"text": "台帳の様式づくり", "role": "advice"}],
        "instruction": {"given_on": cases.today(conn).isoformat(), "text": "助言すること。"},
    }  # fmt: skip
    cases.save(conn, who.bureau, draft, {"request": told}, view.saves)
    cases.save(conn, who.bureau, draft, factory.team(conn, who, draft), view.saves + 1)
    factory.drive(conn, who, draft, ("put_to_director", {"form": {}}))
    for case in (reported, draft):
        page = browser(who.director).get(f"/cases/{case}")
        assert "経緯" in page
        assert WHY in page
    assert "つないだ人" in bureau.get(f"/cases/{draft}/thread")
    assert WHY not in browser(who.municipality).get(f"/cases/{reported}/thread")


def test_two_cases_are_tied_and_untied_on_the_page_with_a_reason(conn, who, browser):
    first, second = (factory.opened(conn, who, title=title) for title in ("はじめの件", "つぎの件"))
    for case in (first, second):
        factory.drive(conn, who, case, "submit", "receive")
    bureau, path = browser(who.bureau), f"/cases/{second}/thread"
    assert "ほかの案件とつながっていません" in bureau.get(path)
    told = {"version": str(factory.version(conn, second)), "kind": "successor", "number": "上川-R8-999", "why": WHY}
    page = words(bureau.send(path, told, 422).text)
    assert "あなたが見られる中にありません" in page
    assert WHY in page
    bureau.send(path, told | {"number": number(conn, first)})
    page = bureau.get(f"{path}?done=link_case")
    assert "「経緯につなぐ」を行いました" in page
    assert "はじめの件" in page
    assert "続きのもとの案件" in page
    assert "つぎの件" in bureau.get(f"/cases/{first}")
    # What is kept inside is not told to the municipality; that the cases belong together is.
    outside = browser(who.municipality).get(path)
    assert "はじめの件" in outside
    assert WHY not in outside
    assert "つなぐ・外す" not in outside
    again = {"version": str(factory.version(conn, second)), "tie": f"{first} successor", "untie_why": ""}
    assert "理由を書いてください" in words(bureau.send(f"{path}/untie", again, 422).text)
    bureau.send(f"{path}/untie", again | {"untie_why": "取り違えたため。"})
    assert "ほかの案件とつながっていません" in bureau.get(path)
    assert "取り違えたため。" in bureau.get(f"/cases/{second}")


def test_the_karte_gathers_what_is_open_past_and_promised(noon, conn, who, reported, browser):
    judged = factory.opened(
        conn, who, first=date(2026, 11, 16), title="冬の足の確保", purpose="冬にバスがなくなり、通院できない。"
    )
    factory.drive(conn, who, judged, *ROAD)
    page = browser(who.director).get(f"/municipalities/{who.place}")
    for said in (
        "美瑛町", "冬にバスがなくなり、通院できない。", "冬の足の確保", "職員を派遣する(11月16日から11月18日まで)", "これから", "派遣した",
        "台帳づくりを助ける。", "令和8年度",
    ):  # fmt: skip
        assert said in page, said
    assert "約束して、まだのこと 1 件" in page
    assert "止まっている声 0 件" in page
    assert "次に行く日 11月16日(月)" in page


def test_a_voice_that_stands_still_is_named_with_its_days(noon, conn, who, browser):
    still = factory.opened(conn, who, first=date(2026, 11, 16), purpose="除雪の担い手がいない。")
    factory.drive(conn, who, still, "submit", "receive")
    director = browser(who.director)
    assert "止まっている声はありません" in director.get("/municipalities")
    day = cases.today(conn) + timedelta(days=40)
    noon(day)
    director = browser(who.director)
    page = director.get("/municipalities")
    assert "除雪の担い手がいない。" in page
    assert "40日動きがない" in page
    page = director.get(f"/municipalities/{who.place}")
    assert "40日動きがない" in page
    assert "止まっている声 1 件" in page


def test_nobody_reads_the_karte_of_a_place_beyond_his_reach(conn, who, reported, browser):
    outside = browser(factory.person(conn, "director", "hk-soya"))
    outside.get(f"/municipalities/{who.place}", 404)
    assert "美瑛町" not in outside.get("/municipalities")
    outside.get("/municipalities/999999", 404)
    browser(factory.person(conn, "administrator", who.office)).get("/municipalities", 404)
    own = browser(who.municipality)
    assert own.client.get("/municipalities").headers["location"] == f"/municipalities/{who.place}"
    page = own.get(f"/municipalities/{who.place}")
    assert "空き家を生かす移住計画づくりの助言" in page
    assert "出向く日数" not in page
    own.get("/municipalities/014613", 404)
    # Headquarters chooses the office.
    assert "音威子府村" in browser(who.headquarters).get("/municipalities?office=hk-kamikawa")


def test_a_municipality_is_found_by_the_search_and_leads_to_its_karte(conn, who, browser):
    answer = browser(who.director).client.get("/search?q=びえい&what=places")
    assert f'href="/municipalities/{who.place}"' in answer.text
