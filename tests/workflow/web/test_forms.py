"""The forms as a browser without JavaScript uses them: nothing typed is lost, everything read is said back."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from urllib.parse import unquote

import pytest

from states import catalogue
from states.dispatch import labels
from tests import factory
from tests.workflow.web.browsing import Browser, browser_of, sheet, visible
from tests.workflow.web.conftest import Web
from workflow import cases
from workflow.db import database, type_connection
from workflow.web import offers, sheets
from workflow.web.posted import Fields

NEW = "/cases/new?process=dispatch&origin=municipality_request"


@pytest.fixture
def conn(web: Web) -> Iterator[type_connection]:
    with database().connection() as connection:
        yield connection


@pytest.fixture
def who(conn: type_connection) -> factory.Cast:
    return factory.cast(conn)


@pytest.fixture
def browse(web: Web, conn: type_connection) -> Callable[[int], Browser]:
    return lambda person_id: browser_of(web, conn, person_id)


def typed(conn: type_connection, who: factory.Cast, **fields: str) -> dict[str, str]:
    """A request as it is typed into the page: eras, full-width digits, three boxes a date."""
    first = factory.first_day(conn, who.office)
    last = first + timedelta(days=2)
    return {
        "saves": "0", "request.title": "空き家を生かす計画づくり", "request.purpose": "担当は1名で、\r\n調べ方が分かりません。",
        "request.tasks.0.text": "骨子への助言", "request.tasks.0.role": "advice", "request.ground": "request.plan",
        "request.own_affairs": "no", "request.period.from~y": f"R{first.year - 2018}",
        "request.period.from~m": "".join(chr(0xFF10 + int(d)) for d in str(first.month)), "request.period.from~d": str(first.day),
        "request.period.to~y": str(last.year), "request.period.to~m": str(last.month), "request.period.to~d": str(last.day),
        "request.destination.type": "municipality", "request.destination.municipality_code": who.place,
        "contact.municipality_code": who.place, "contact.department": "企画課", **fields,
    }  # fmt: skip


def drafted(browser: Browser, fields: dict[str, str]) -> tuple[int, str]:
    """The id of a draft made by the page, and where its button led."""
    where = browser.send(NEW, fields).headers["location"]
    found = re.match(r"/cases/(\d+)", where)
    assert found
    return int(found[1]), where


def test_the_words_of_the_pages_are_those_of_the_process(web: Web) -> None:
    words = offers.words(catalogue.process("dispatch"))
    assert {o: [value for value, _, _ in g] for o, g in words.grounds.items()} == {
        "municipality_request": ["request.plan", "request.event", "request.other"],
        "director": list(labels.GROUNDS["director"]),
    }
    assert {v for g in words.grounds.values() for v, _, _ in g} == set(labels.CHOICES["request.ground"])
    assert list(words.roles.items()) == list(labels.ROLES.items())
    assert words.own_affairs == labels.OWN_AFFAIRS
    assert set(words.channels) == set(labels.CHANNELS)
    assert words.replies == labels.REPLIES
    assert set(words.origins) == set(labels.ORIGINS)


def test_a_person_sees_only_what_the_post_may_begin(browse: Callable[[int], Browser], who: factory.Cast) -> None:
    assert "市町村の要請" in browse(who.municipality).get("/cases/new")
    assert "振興局長の判断" not in browse(who.municipality).get("/cases/new")
    assert "振興局長の判断" in browse(who.bureau).get("/cases/new")
    assert "起こせる案件はありません" in browse(who.auditor).get("/cases/new")
    browse(who.auditor).send(NEW, {}, 404)


def test_a_draft_comes_back_as_it_was_typed(
    browse: Callable[[int], Browser], conn: type_connection, who: factory.Cast
) -> None:
    browser = browse(who.municipality)
    fields = typed(
        conn, who, **{"do": "save", "request.wishes.0.skill": "<保健師> & 企画", "request.wishes.0.days": "11/9-11"}
    )
    case_id, where = drafted(browser, fields)
    assert where == f"/cases/{case_id}?done=save"
    assert "書いた内容を残しました" in browser.get(where)
    back = sheet(browser.get(f"/cases/{case_id}/edit"))
    for name in (
        "request.title",
        "request.tasks.0.text",
        "request.tasks.0.role",
        "request.wishes.0.skill",
        "request.period.from~y",
    ):
        assert back[name] == fields[name], name
    assert back["request.period.from~m"] == fields["request.period.from~m"], "full-width digits stay full-width"
    assert back["request.purpose"] == "担当は1名で、\n調べ方が分かりません。"


def test_the_page_says_how_dates_and_days_were_read(
    browse: Callable[[int], Browser], conn: type_connection, who: factory.Cast
) -> None:
    browser = browse(who.municipality)
    first = factory.first_day(conn, who.office)
    days = f"{first.month}/{first.day}-{(first + timedelta(days=1)).day}、13/40"
    case_id, _ = drafted(
        browser, typed(conn, who, **{"do": "look", "request.wishes.0.skill": "企画", "request.wishes.0.days": days})
    )
    told = visible(browser.get(f"/cases/{case_id}/edit"))
    assert f"・ {first.year}年" in told
    assert "初めの日から3日間" in told
    assert "読めた日だけ" in told
    assert "13/40" in told


def test_a_row_is_added_without_javascript(
    browse: Callable[[int], Browser], conn: type_connection, who: factory.Cast
) -> None:
    browser = browse(who.municipality)
    case_id, where = drafted(browser, typed(conn, who, do="add:request.tasks"))
    assert where == f"/cases/{case_id}/edit?add=request.tasks#request-tasks"
    html = browser.get(where.partition("#")[0])
    assert 'name="request.tasks.1.text"' in html
    assert 'name="request.tasks.2.text"' not in html
    assert sheet(html)["request.tasks.0.text"] == "骨子への助言"


def test_the_summary_links_to_each_field_and_says_what_was_kept(
    browse: Callable[[int], Browser], conn: type_connection, who: factory.Cast
) -> None:
    browser = browse(who.municipality)
    case_id, where = drafted(
        browser, typed(conn, who, **{"do": "confirm", "request.title": "", "request.tasks.0.role": ""})
    )
    assert where == f"/cases/{case_id}/edit?check=1"
    html = browser.get(where)
    assert "まだ提出していません。直すところが2か所あります" in html
    assert "下書き(第1版)に残っています" in html
    for place in re.findall(r'<li><a href="#([^"]+)"', html):
        assert f'id="{place}"' in html, place
    assert {"request-title", "request-tasks-0-role"} <= set(re.findall(r'<li><a href="#([^"]+)"', html))


def test_a_value_that_cannot_be_stored_stays_on_the_page(
    browse: Callable[[int], Browser], conn: type_connection, who: factory.Cast
) -> None:
    browser = browse(who.municipality)
    answer = browser.send(NEW, typed(conn, who, **{"request.own_affairs": "perhaps", "do": "save"}), 422)
    assert "選び直してください" in answer.text
    assert sheet(answer.text)["request.title"] == "空き家を生かす計画づくり"
    assert "書いた内容はこの画面に残っています" in answer.text
    assert conn.execute("SELECT count(*) FROM cases").fetchone() == (0,)


def test_a_request_goes_from_the_empty_page_to_the_bureau(
    browse: Callable[[int], Browser], conn: type_connection, who: factory.Cast
) -> None:
    browser = browse(who.municipality)
    assert "宛先は上川総合振興局長です" in browser.get(NEW)
    case_id, where = drafted(browser, typed(conn, who, do="confirm"))
    assert where == f"/cases/{case_id}/actions/submit"
    html = browser.get(where)
    assert "まだ届いていません" in html
    hidden = sheet(html)
    done = browser.send(where, {"version": hidden["version"], "key": hidden["key"]})
    assert done.headers["location"] == f"/cases/{case_id}?done=submit"
    assert "「要請を提出する」を行いました" in browser.get(done.headers["location"])
    assert cases.look(conn, who.bureau, case_id).state.name == "municipal_request"


def test_the_bureau_enters_a_paper_request(
    browse: Callable[[int], Browser], conn: type_connection, who: factory.Cast
) -> None:
    browser = browse(who.bureau)
    assert "届いた要請を代わりに入れる" in browser.get(NEW)
    case_id, where = drafted(
        browser,
        typed(
            conn,
            who,
            **{"do": "confirm", "receipt.channel": "paper", "receipt.arrived_on": "R8.4.1", "request.title": ""},
        ),
    )
    assert where == f"/cases/{case_id}/actions/submit_proxy", "proxy entry is never held back by what the paper lacks"
    hidden = sheet(browser.get(where))
    browser.send(where, {"version": hidden["version"], "key": hidden["key"]})
    view = cases.look(conn, who.bureau, case_id)
    assert view.form["receipt"]["channel"] == "paper"
    assert cases.look(conn, who.municipality, case_id).id == case_id


def test_the_directors_instruction_is_drafted_with_its_team(
    browse: Callable[[int], Browser], conn: type_connection, who: factory.Cast
) -> None:
    browser = browse(who.bureau)
    new = "/cases/new?process=dispatch&origin=director"
    html = browser.get(new)
    assert "局長の指示による派遣を起案する" in html
    first = factory.first_day(conn, who.office)
    fields = typed(conn, who, **{
        "do": "confirm", "request.ground": "director.round_table", "request.instruction.text": "町の防災計画に入ること",
        "request.instruction.given_on~y": "2026", "request.instruction.given_on~m": "4", "request.instruction.given_on~d": "1",
        "team.members.0.person": str(who.staff), "team.members.0.days": first.isoformat(), "team.members.0.leader": "on",
        "team.members.0.headcount": "1",
    })  # fmt: skip
    where = browser.send(new, fields).headers["location"]
    case_id = int(where.split("/")[2])
    assert where.endswith("/actions/put_to_director"), visible(browser.get(where))
    member = cases.look(conn, who.bureau, case_id).form["team"]["members"][0]
    assert member["person"] == who.staff
    assert (member["section"], member["role"]) == ("", "主任"), "section and role come from the post"
    hidden = sheet(browser.get(where))
    refused = browser.send(where, {"version": hidden["version"], "key": hidden["key"], "input.note": ""}, 422)
    assert "「起案の理由」を書いてください" in refused.text
    browser.send(where, {"version": hidden["version"], "key": hidden["key"], "input.note": "必要なため"})
    assert cases.look(conn, who.director, case_id).state.name == "director_judgement"


def test_a_second_window_does_not_overwrite_the_first(
    browse: Callable[[int], Browser], conn: type_connection, who: factory.Cast
) -> None:
    browser = browse(who.municipality)
    case_id, _ = drafted(browser, typed(conn, who, do="save"))
    browser.send(f"/cases/{case_id}/edit", typed(conn, who, **{"do": "save", "request.title": "一つ目の画面"}))
    clash = browser.send(
        f"/cases/{case_id}/edit", typed(conn, who, **{"do": "save", "request.title": "二つ目の画面"}), 409
    )
    assert "同じものが書き換えられていました" in clash.text
    assert "二つ目の画面" in clash.text
    assert "一つ目の画面" in clash.text
    assert cases.look(conn, who.municipality, case_id).title == "一つ目の画面"


def test_a_draft_can_be_dropped_and_is_nobody_elses(
    browse: Callable[[int], Browser], conn: type_connection, who: factory.Cast
) -> None:
    browser = browse(who.municipality)
    case_id, _ = drafted(browser, typed(conn, who, do="save"))
    other = browse(who.bureau)
    assert other.client.get(f"/cases/{case_id}/edit").status_code == 404
    other.send(f"/cases/{case_id}/delete", {}, 404)
    browser.send(f"/cases/{case_id}/delete", {})
    assert browser.client.get(f"/cases/{case_id}").status_code == 404


def test_a_team_is_written_in_steps_and_taken_over(
    browse: Callable[[int], Browser], conn: type_connection, who: factory.Cast
) -> None:
    case_id = factory.opened(conn, who)
    factory.drive(conn, who, case_id, "submit", "receive")
    browser, first = browse(who.bureau), factory.first_day(conn, who.office)
    page = f"/cases/{case_id}/actions/propose_team"
    html = browser.get(page)
    assert f'<option value="{who.staff}"' in html
    rows = {
        "saves": "0",
        "team.members.0.person": str(who.staff),
        "team.members.0.days": f"{first.month}/{first.day}、9/99",
    }
    step = browser.send(
        f"/cases/{case_id}/edit?action=propose_team",
        {**rows, "team.members.0.headcount": "1", "do": "add:team.members"},
    )
    assert unquote(step.headers["location"]) == f"{page}?add=team.members#team-members"
    html = browser.get(page + "?add=team.members")
    assert "書きかけを開いています" in html
    assert 'name="team.members.1.days"' in html
    assert "読めた日だけ" in html
    assert "だれが空いているか" in html
    assert cases.look(conn, who.director, case_id).form.get("team", {}).get("members", []) == [], (
        "a working copy is not the case"
    )
    hidden = sheet(html)
    wanted = {
        "version": hidden["version"],
        "key": hidden["key"],
        "saves": hidden["saves"],
        "team.members.0.person": str(who.staff),
    }
    browser.send(page, {**wanted, "team.members.0.days": f"{first.month}/{first.day}", "team.members.0.headcount": "1"})
    view = cases.look(conn, who.bureau, case_id)
    assert [m["person"] for m in view.form["team"]["members"]] == [who.staff]
    assert view.working is None


def test_a_refused_act_keeps_the_page_and_the_working_copy(
    browse: Callable[[int], Browser], conn: type_connection, who: factory.Cast
) -> None:
    case_id = factory.opened(conn, who)
    factory.drive(conn, who, case_id, "submit", "receive", "ask_correction")
    browser = browse(who.municipality)
    page = f"/cases/{case_id}/actions/resubmit"
    hidden = sheet(browser.get(page))
    fields = {**hidden, "request.purpose": "書き直した目的", "request.title": ""}
    fields.pop("csrf")
    refused = browser.send(page, fields, 422)
    assert "「件名」を書いてください" in refused.text
    assert 'href="#request-title"' in refused.text
    assert sheet(refused.text)["request.purpose"] == "書き直した目的"
    kept = cases.look(conn, who.municipality, case_id).working
    assert kept is not None
    assert kept["form"]["request"]["purpose"] == "書き直した目的"
    again = {**sheet(refused.text), "request.title": "直した件名"}
    again.pop("csrf")
    browser.send(page, again)
    assert cases.look(conn, who.municipality, case_id).title == "直した件名"


def test_a_report_is_prefilled_from_the_assignment(
    browse: Callable[[int], Browser], conn: type_connection, who: factory.Cast
) -> None:
    case_id = factory.opened(conn, who)
    factory.drive(conn, who, case_id, "submit", "receive", "propose_team", "put_to_director", "approve")
    view = cases.look(conn, who.bureau, case_id)
    flat = sheets.flat(view.form)
    assert flat["team.members.0.leader"] == "on"
    assert flat["team.members.1.leader"] == ""
    assert flat["team.members.0.person"] == str(who.staff)


def test_the_deciders_answers_become_inputs() -> None:
    approve = next(row for row in catalogue.process("dispatch").table if row.weighs == "decider")
    posted = Fields(
        [
            ("confirm.D-08", "drafter"),
            ("confirm.D-08.own", "捨てる"),
            ("confirm.D-99", "own"),
            ("confirm.D-99.own", " "),
        ]
    )
    assert sheets.inputs_of([approve], posted) == {"confirm": {"D-08": ""}}
