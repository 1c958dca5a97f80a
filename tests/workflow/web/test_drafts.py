"""Nothing typed is lost: pages that save themselves, two people on one form, a session that ended, a copy of an earlier case."""

import html
import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests import factory
from tests.workflow.web.browsing import Browser, browser_of, sheet, visible
from tests.workflow.web.conftest import PASSWORD, Web
from workflow import accounts, cases
from workflow.db import database, type_connection
from workflow.web import clashes, held

NEW = "/cases/new?process=dispatch&origin=municipality_request"
SAVE_NEW = NEW.replace("?", "/autosave?")
COPY = NEW.replace("new", "copy")
JSON = {"Accept": "application/json"}


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


class Tab:
    """A page that stays open: its fields, its marks, and what its script sends and takes in."""

    def __init__(self, browser: Browser, path: str) -> None:
        self.browser = browser
        page = browser.get(path)
        found = re.search(r'data-autosave="([^"]+)"', page)
        assert found
        self.autosave = html.unescape(found[1])
        self.fields = {name: value for name, value in sheet(page).items() if name not in ("csrf", "do", "q")}

    def save(self, status: int = 200, /, **typed: str) -> dict[str, Any]:
        self.fields |= {name.replace("__", "."): value for name, value in typed.items()}
        answer = self.browser.client.post(self.autosave, data={"csrf": self.browser.csrf, **self.fields}, headers=JSON)
        assert answer.status_code == status, answer.text
        told: dict[str, Any] = answer.json()
        if status == 200:
            self.fields |= {name: str(told[name]) for name in ("saves", "opened", "met")}
            self.autosave = told["autosave"]
        return told

    def send(self, path: str, status: int = 303, /, **typed: str) -> Any:
        return self.browser.send(path, self.fields | typed, status)


def said(told: dict[str, Any]) -> str:
    return visible(told["parts"]["save-notice"])


def drafted(conn: type_connection, who: factory.Cast, **request: Any) -> int:
    return factory.opened(conn, who, **request)


def stored(conn: type_connection, case_id: int) -> dict[str, Any]:
    row = conn.execute("SELECT form FROM cases WHERE id = %s", (case_id,)).fetchone()
    assert row
    found: dict[str, Any] = row[0]
    return found


# ── a page that saves itself ────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_form_makes_its_draft_once_whatever_it_sends(
    browse: Callable[[int], Browser], conn: type_connection, who: factory.Cast
) -> None:
    browser = browse(who.municipality)
    tab = Tab(browser, NEW)
    assert tab.autosave == SAVE_NEW
    first = tab.save(request__title="書きはじめ")
    assert first["address"] == tab.autosave.removesuffix("/autosave") + "/edit"
    lost = Tab(browser, NEW)
    lost.fields["key"] = tab.fields["key"]  # the answer never came, so the page still is a new one
    again = lost.save(request__title="書きはじめて、もう少し")
    assert again["address"] == first["address"]
    sent = browser.send(NEW, lost.fields | {"do": "save", "request.title": "ボタンで残す"})
    assert sent.headers["location"] == first["address"].replace("/edit", "?done=save")
    assert conn.execute("SELECT count(*), min(title) FROM cases").fetchone() == (1, "ボタンで残す")


def test_what_comes_back_is_what_the_page_itself_shows(
    browse: Callable[[int], Browser], conn: type_connection, who: factory.Cast
) -> None:
    first = factory.first_day(conn, who.office)
    browser = browse(who.municipality)
    tab = Tab(browser, NEW)
    told = tab.save(
        request__title="計画づくり", **{"request.period.from~y": f"R{first.year - 2018}", "request.period.from~m": str(first.month)},
        **{"request.period.from~d": str(first.day), "request.period.to~y": str(first.year), "request.period.to~m": str(first.month), "request.period.to~d": str(first.day), "request.wishes.0.skill": "企画"},
        **{"request.wishes.0.days": f"{first.month}/{first.day}"},
    )  # fmt: skip
    page = browser.get(told["address"])
    for name in ("live-verdicts", "live-count", "request-period-from-echo", "request-wishes-0-counted", "live-left"):
        assert told["parts"][name].strip() in page, name
    assert f"・ {first.year}年" in told["parts"]["request-period-from-echo"]
    assert "目安まで6日" in visible(told["parts"]["request-wishes-0-counted"])
    assert re.fullmatch(r"\s*\d\d:\d\d に自動で残しました\(第1版\)\s*", visible(told["parts"]["save-line"]))
    assert "あなたが残した第1版です" in visible(page)


def test_a_field_that_cannot_be_read_holds_back_nothing_else(
    browse: Callable[[int], Browser], conn: type_connection, who: factory.Cast
) -> None:
    case_id = factory.opened(conn, who)
    factory.drive(conn, who, case_id, "submit", "receive")
    tab = Tab(browse(who.bureau), f"/cases/{case_id}/actions/propose_team")
    row = {"team.members.0.person": str(who.staff), "team.members.0.days": "11/4", "team.members.0.headcount": "二人"}
    told = tab.save(**row)
    assert "人数」1行目は1以上の数で書いてください" in said(told)
    assert told["settled"] is False
    kept = cases.look(conn, who.bureau, case_id).working
    assert kept
    assert kept["form"]["team"]["members"][0]["days"] == "11/4"
    told = tab.save(**{"team.members.0.headcount": "2"})
    assert (told["settled"], said(told).strip()) == (True, "")
    kept = cases.look(conn, who.bureau, case_id).working
    assert kept
    assert kept["form"]["team"]["members"][0]["headcount"] == 2


def test_saving_what_is_kept_already_makes_no_version(
    browse: Callable[[int], Browser], conn: type_connection, who: factory.Cast
) -> None:
    tab = Tab(browse(who.municipality), f"/cases/{drafted(conn, who)}/edit")
    assert tab.save()["saves"] == 0
    assert tab.save(request__title="一度")["saves"] == 1
    assert tab.save(request__title="一度")["saves"] == 1


@pytest.mark.parametrize(
    ("sent", "status"),
    [({"opened": "[" * 100_000, "saves": "9" * 30}, 200), ({"opened": '{"request.title":[[]]}'}, 200), ({"request.nothing": "x"}, 200)],
)  # fmt: skip
def test_hostile_marks_do_no_harm(
    browse: Callable[[int], Browser], conn: type_connection, who: factory.Cast, sent: dict[str, str], status: int
) -> None:
    tab = Tab(browse(who.municipality), f"/cases/{drafted(conn, who)}/edit")
    tab.save(status, **sent)


def test_nobody_saves_into_a_draft_or_a_state_that_is_not_theirs(
    browse: Callable[[int], Browser], conn: type_connection, who: factory.Cast
) -> None:
    case_id = drafted(conn, who)
    tab = Tab(browse(who.municipality), f"/cases/{case_id}/edit")
    stranger = browse(who.bureau)
    answer = stranger.client.post(tab.autosave, data={"csrf": stranger.csrf, **tab.fields}, headers=JSON)
    assert answer.status_code == 404
    factory.drive(conn, who, case_id, "submit")
    told = tab.save(403, request__title="遅れて届いた")
    assert "書き換えられません" in told["happened"]
    assert "最新を開く" in tab.send(f"/cases/{case_id}/edit", 409, do="save").text
    back = tab.browser.client.get(f"{tab.autosave}?saves=0", headers=JSON)
    assert "操作に使われました" in visible(back.json()["parts"]["save-notice"])


def test_a_date_is_said_back_as_the_rules_read_it(browse: Callable[[int], Browser], who: factory.Cast) -> None:
    browser = browse(who.municipality)
    echo = lambda typed: browser.client.get("/dates", params={"typed": typed}).json()["echo"]  # noqa: E731
    assert echo("R8.11.9") == "令和8年11月9日(月) ・ 2026年"
    assert echo("令和８.11.9") == "令和8年11月9日(月) ・ 2026年"
    assert echo("2026.13.1") == "日付として読めません"
    assert echo("") == "まだ書かれていません"


# ── two people on one form ──────────────────────────────────────────────────────────────────────────────────────────


def test_two_people_write_different_fields_and_both_stay(
    browse: Callable[[int], Browser], conn: type_connection, who: factory.Cast
) -> None:
    case_id = drafted(conn, who)
    one = Tab(browse(who.municipality), f"/cases/{case_id}/edit")
    other = Tab(browse(who.municipality_colleague), f"/cases/{case_id}/edit")
    one.save(request__title="一人目の件名")
    told = other.save(request__purpose="二人目の目的", **{"request.tasks.1.text": "二人目の業務"})
    name = conn.execute("SELECT name FROM person WHERE id = %s", (who.municipality,)).fetchone()
    assert name
    assert f"{name[0]}さん(" in said(told)
    assert "が書き換えた所があります: 件名" in said(told)
    assert "最新を開く" in said(told)
    form = stored(conn, case_id)["request"]
    assert (form["title"], form["purpose"]) == ("一人目の件名", "二人目の目的")
    assert form["tasks"][1]["text"] == "二人目の業務"
    # The page still shows the old title; saving again does not bring it back, and does not forget to say so.
    told = other.save(request__purpose="二人目の目的、続き")
    assert "件名" in said(told)
    assert stored(conn, case_id)["request"]["title"] == "一人目の件名"
    assert said(one.save(request__title="一人目の件名、続き")).count("困っていること") == 1


def test_what_both_wrote_is_kept_by_neither_until_the_person_chooses(
    browse: Callable[[int], Browser], conn: type_connection, who: factory.Cast
) -> None:
    case_id = drafted(conn, who)
    one = Tab(browse(who.municipality), f"/cases/{case_id}/edit")
    other = Tab(browse(who.municipality_colleague), f"/cases/{case_id}/edit")
    one.save(request__title="一人目の件名", request__place="役場")
    told = other.save(request__title="二人目の件名", request__cost="道の旅費")
    assert "も同じ所を書き換えました: 件名" in said(told)
    assert told["settled"] is False
    form = stored(conn, case_id)["request"]
    assert (form["title"], form["cost"]) == ("一人目の件名", "道の旅費"), "all but the one field was kept"
    for _ in range(2):  # saving once more must not decide it
        other.save(request__expected_result="成果")
        assert stored(conn, case_id)["request"]["title"] == "一人目の件名"
    clash = other.send(f"/cases/{case_id}/edit", 409, do="look")
    shown = visible(clash.text)
    for words in ("一人目の件名", "二人目の件名", "両方が書き換えました"):
        assert words in shown
    fields = {n: v for n, v in sheet(clash.text).items() if n not in ("csrf", "q")}
    assert fields["request.title"] == "二人目の件名"
    assert "take:request.title" not in fields, "nothing is chosen for the person"
    unchosen = other.browser.send(f"/cases/{case_id}/edit", fields, 409)
    assert "選んでいない所が1か所あります" in unchosen.text
    other.browser.send(f"/cases/{case_id}/edit", fields | {"take:request.title": "mine"})
    form = stored(conn, case_id)["request"]
    assert (form["title"], form["place"], form["expected_result"]) == ("二人目の件名", "役場", "成果")


@pytest.mark.parametrize(("button", "title", "place"), [("mine", "二人目", "会館"), ("theirs", "一人目", "役場")])
def test_without_script_the_page_shows_the_difference_and_one_button_takes_a_side(
    browse: Callable[[int], Browser], conn: type_connection, who: factory.Cast, button: str, title: str, place: str
) -> None:
    case_id = drafted(conn, who)
    one = Tab(browse(who.municipality), f"/cases/{case_id}/edit")
    other = Tab(browse(who.municipality_colleague), f"/cases/{case_id}/edit")
    one.send(
        f"/cases/{case_id}/edit",
        **{"do": "save", "request.title": "一人目", "request.place": "役場", "request.cost": "町"},
    )
    typed = {"do": "save", "request.title": "二人目", "request.place": "会館", "request.source": "相談窓口"}
    clash = other.send(f"/cases/{case_id}/edit", 409, **typed)
    fields = {n: v for n, v in sheet(clash.text).items() if n not in ("csrf", "q")}
    assert fields["take:request.cost"] == "theirs", "what they alone changed is chosen beforehand"
    assert stored(conn, case_id)["request"]["source"] == ""
    where = other.browser.send(f"/cases/{case_id}/edit", fields | {"take": button})
    assert where.headers["location"] == f"/cases/{case_id}?done=save"
    form = stored(conn, case_id)["request"]
    assert (form["title"], form["place"], form["source"]) == (title, place, "相談窓口")
    assert form["cost"] == ("" if button == "mine" else "町")


def test_a_third_save_while_somebody_chooses_is_shown_too(
    browse: Callable[[int], Browser], conn: type_connection, who: factory.Cast
) -> None:
    case_id = drafted(conn, who)
    one = Tab(browse(who.municipality), f"/cases/{case_id}/edit")
    other = Tab(browse(who.municipality_colleague), f"/cases/{case_id}/edit")
    one.save(request__title="一人目")
    fields = sheet(other.send(f"/cases/{case_id}/edit", 409, **{"do": "save", "request.title": "二人目"}).text)
    fields = {n: v for n, v in fields.items() if n not in ("csrf", "q")}
    one.save(request__title="一人目の二度目")
    again = other.browser.send(f"/cases/{case_id}/edit", fields | {"take:request.title": "mine"}, 409)
    assert "一人目の二度目" in visible(again.text)
    assert stored(conn, case_id)["request"]["title"] == "一人目の二度目"


def test_one_more_save_of_ones_own_that_was_never_answered_is_no_clash(
    browse: Callable[[int], Browser], conn: type_connection, who: factory.Cast
) -> None:
    case_id = drafted(conn, who)
    tab = Tab(browse(who.municipality), f"/cases/{case_id}/edit")
    before = dict(tab.fields)
    tab.save(request__title="答えの来なかった分")
    tab.fields |= {name: before[name] for name in ("saves", "opened")}
    assert said(tab.save(request__title="答えの来なかった分")).strip() == "", "the same once more"
    tab.fields |= {name: before[name] for name in ("saves", "opened")}
    told = tab.save(request__title="離れるときの分", unheard="yes")
    assert (said(told).strip(), stored(conn, case_id)["request"]["title"]) == ("", "離れるときの分")
    colleague = Tab(browse(who.municipality_colleague), f"/cases/{case_id}/edit")
    colleague.fields["saves"] = str(int(colleague.fields["saves"]) - 1)
    told = colleague.save(request__title="同僚", unheard="yes")
    assert stored(conn, case_id)["request"]["title"] == "同僚", "nobody had changed it since this page was opened"
    tab.save(request__title="離れるときの分、続き")
    assert stored(conn, case_id)["request"]["title"] == "同僚"


def test_the_confirmed_draft_is_the_one_that_was_shown(
    browse: Callable[[int], Browser], conn: type_connection, who: factory.Cast
) -> None:
    case_id = drafted(conn, who)
    browser = browse(who.municipality)
    page = f"/cases/{case_id}/actions/submit"
    hidden = sheet(browser.get(page))
    Tab(browse(who.municipality_colleague), f"/cases/{case_id}/edit").save(request__title="あとから変わった件名")
    sent = {name: hidden[name] for name in ("version", "key", "saves")}
    refused = browser.send(page, sent, 409)
    assert "に書き換えました。下の内容を確かめて、もう一度押してください" in visible(refused.text)
    assert "あとから変わった件名" in refused.text
    again = sheet(refused.text)
    browser.send(page, {name: again[name] for name in ("version", "key", "saves")})


# ── the page of an act ──────────────────────────────────────────────────────────────────────────────────────────────


def test_an_acts_page_shares_the_offices_copy_with_everything_typed(
    browse: Callable[[int], Browser], conn: type_connection, who: factory.Cast
) -> None:
    form = factory.request_form(conn, who, origin="director", ground="director.round_table")
    form["request"]["instruction"] = {"given_on": "2026-04-01", "text": "町の計画に入ること"}
    case_id = cases.open_case(conn, who.bureau, "dispatch", "director", form)
    cases.save(conn, who.bureau, case_id, factory.team(conn, who, case_id), 0)
    sent_back = ("send_back", {"by": who.director})
    factory.drive(conn, who, case_id, "put_to_director", sent_back)
    page = f"/cases/{case_id}/actions/put_to_director"
    one, other = Tab(browse(who.bureau), page), Tab(browse(who.bureau_colleague), page)
    one.save(**{"input.note": "起案の理由を長く書いた。", "request.place": "役場"})
    shown = browse(who.bureau_colleague).get(page)
    assert "書きかけを開いています" in shown
    assert sheet(shown)["input.note"] == "起案の理由を長く書いた。"
    told = other.save(**{"input.note": "同僚の理由。"})
    assert "も同じ所を書き換えました: 起案の理由" in said(told)
    clash = other.send(page, 409)
    assert "起案の理由を長く書いた。" in clash.text
    assert cases.look(conn, who.bureau, case_id).state.name == "correction"
    assert cases.look(conn, who.director, case_id).form["request"].get("place", "") == "", (
        "a working copy is not the case"
    )


def test_an_act_takes_over_nothing_that_its_page_did_not_show(
    browse: Callable[[int], Browser], conn: type_connection, who: factory.Cast
) -> None:
    case_id = factory.opened(conn, who)
    factory.drive(conn, who, case_id, "submit", "receive", "ask_correction")
    page = f"/cases/{case_id}/actions/resubmit"
    one, other = Tab(browse(who.municipality), page), Tab(browse(who.municipality_colleague), page)
    one.save(request__purpose="一人目が直した目的")
    clash = other.send(page, 409, **{"request.title": "二人目の件名"})
    assert "一人目が直した目的" in clash.text
    fields = {n: v for n, v in sheet(clash.text).items() if n not in ("csrf", "q")}
    where = other.browser.send(f"/cases/{case_id}/edit?action=resubmit", fields).headers["location"]
    assert where == page
    again = {n: v for n, v in sheet(other.browser.get(where)).items() if n not in ("csrf", "do", "q")}
    assert (again["request.purpose"], again["request.title"]) == ("一人目が直した目的", "二人目の件名")
    other.browser.send(page, again)
    form = cases.look(conn, who.municipality, case_id).form["request"]
    assert (form["purpose"], form["title"]) == ("一人目が直した目的", "二人目の件名")


def test_what_another_is_writing_on_the_case_outlives_an_act(
    browse: Callable[[int], Browser], conn: type_connection, who: factory.Cast
) -> None:
    first = cases.today(conn)
    case_id = factory.opened(conn, who, first=first, days=1)
    factory.drive(conn, who, case_id, "submit", "receive", "propose_team", "put_to_director", "approve")
    assert cases.act_by_clock(conn, case_id, "begin")
    factory.drive(conn, who, case_id, ("cancel", {"inputs": {"reason": "荒天のため。", "last_day": first.isoformat()}}))
    page = f"/cases/{case_id}/actions/file_trip_report"
    own, others = Tab(browse(who.staff), page), Tab(browse(who.staff_colleague), page)
    others.save(**{f"report:{who.staff_colleague}.findings": "書きかけの復命"})
    own.save(**{f"report:{who.staff}.findings": "わたしの復命"})
    own.send(page)
    assert f"report:{who.staff}" in cases.look(conn, who.bureau, case_id).form
    back = sheet(others.browser.get(page))
    assert back[f"report:{who.staff_colleague}.findings"] == "書きかけの復命"


def test_who_acted_meanwhile_is_told_and_the_text_stays(
    browse: Callable[[int], Browser], conn: type_connection, who: factory.Cast
) -> None:
    case_id = factory.opened(conn, who)
    factory.drive(conn, who, case_id, "submit", "receive", "ask_correction")
    page = f"/cases/{case_id}/actions/resubmit"
    tab = Tab(browse(who.municipality_colleague), page)
    factory.drive(conn, who, case_id, ("resubmit", {"form": {}}))
    tab.save(403, request__purpose="間に合わなかった文")
    answer = tab.send(f"/cases/{case_id}/edit?action=resubmit", 409, do="save")
    assert "補正して出し直す" in visible(answer.text)
    assert "間に合わなかった文" in answer.text


# ── long texts ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_eleven_thousand_characters_survive_every_page(
    browse: Callable[[int], Browser], conn: type_connection, who: factory.Cast
) -> None:
    long = "".join(f"{n}番目の文は、背景を説明する。<b>&\n" for n in range(520))
    assert len(long) > 11_000
    shown = html.escape(long.strip(), quote=False).splitlines()[-1]
    case_id = drafted(conn, who, purpose="短い")
    tab = Tab(browse(who.municipality), f"/cases/{case_id}/edit")
    other = Tab(browse(who.municipality_colleague), f"/cases/{case_id}/edit")
    tab.save(request__purpose=long)
    assert stored(conn, case_id)["request"]["purpose"] == long
    assert sheet(tab.browser.get(f"/cases/{case_id}/edit"))["request.purpose"] == long
    mine = long.replace("300番目", "三百番目")
    clash = other.send(f"/cases/{case_id}/edit", 409, **{"do": "look", "request.purpose": mine})
    assert sheet(clash.text)["request.purpose"] == mine
    assert "三百番目の文は" in visible(clash.text)
    assert "(同じ文" in clash.text
    fields = {n: v for n, v in sheet(clash.text).items() if n not in ("csrf", "q")}
    other.browser.send(f"/cases/{case_id}/edit", fields | {"take": "mine"})
    assert stored(conn, case_id)["request"]["purpose"] == mine
    page = f"/cases/{case_id}/actions/submit"
    assert shown in tab.browser.get(page)
    factory.drive(conn, who, case_id, "submit")
    for path in (f"/cases/{case_id}", f"/cases/{case_id}/print"):
        assert shown in tab.browser.get(path), path


def test_texts_side_by_side_mark_what_differs_and_shorten_what_does_not() -> None:
    same = "同じ文。" * 100
    mine, theirs = clashes.side_by_side(f"{same}私の文。末。", f"{same}相手の文。末。")
    assert [(p.text, p.other) for p in mine[1:]] == [("私の文。", True), ("末。", False)]
    assert [(p.text, p.other) for p in theirs[1:]] == [("相手の文。", True), ("末。", False)]
    assert "(同じ文 240字)" in mine[0].text
    assert clashes.side_by_side("", "全部") == ([], [clashes.Piece("全部", other=True)])
    many = "あ。" * 5000
    assert clashes.side_by_side(many, many + "い。")[1][-1].other, "thousands of equal sentences take no time"


# ── the session ended ───────────────────────────────────────────────────────────────────────────────────────────────


def sign_in_page(client: Any, text: str, login: str, password: str = PASSWORD) -> Any:
    """Fill in the sign-in form of that page."""
    fields = sheet(text)
    sent = {name: fields[name] for name in ("csrf", "next", "held")} | {"login": login, "password": password}
    return client.post("/login", data=sent)


def lost(web: Web, browser: Browser, case_id: int, **typed: str) -> Any:
    """What a page of this person gets that is sent after the session ended."""
    tab = Tab(browser, f"/cases/{case_id}/edit")
    token = re.search(r'name="csrf" value="([^"]+)"', browser.get(f"/cases/{case_id}/edit"))
    assert token
    web.owner.execute("DELETE FROM session")
    sent = {"csrf": token[1], **tab.fields, "do": "save", **typed}
    return browser.client.post(
        f"/cases/{case_id}/edit", data=sent, headers={"Referer": f"http://testserver/cases/{case_id}/edit"}
    )


def test_what_was_sent_after_the_session_goes_on_for_the_same_person(
    web: Web, browse: Callable[[int], Browser], conn: type_connection, who: factory.Cast
) -> None:
    case_id, browser = drafted(conn, who), browse(who.municipality)
    answer = lost(web, browser, case_id, **{"request.purpose": "半時間かけて\n書いた文<b>"})
    assert answer.status_code == 401
    assert "書いた内容は、この画面で預かっています" in answer.text
    failed = sign_in_page(browser.client, answer.text, f"p{who.municipality}", "まちがえた合言葉")
    assert failed.status_code == 401
    back = sign_in_page(browser.client, failed.text, f"p{who.municipality}")
    assert back.status_code == 200
    assert "送りかけの内容が残っています" in back.text
    assert "半時間かけて\n書いた文&lt;b&gt;</textarea>" in back.text
    assert PASSWORD not in back.text
    fields = sheet(back.text)
    again = browser.client.post(f"/cases/{case_id}/edit", data={n: v for n, v in fields.items() if n != "q"})
    assert again.status_code == 303, visible(again.text)
    assert stored(conn, case_id)["request"]["purpose"] == "半時間かけて\n書いた文<b>"


def test_what_was_sent_after_the_session_is_nobody_elses(
    web: Web, browse: Callable[[int], Browser], conn: type_connection, who: factory.Cast
) -> None:
    case_id, browser = drafted(conn, who), browse(who.municipality)
    browse(who.municipality_colleague)
    answer = lost(web, browser, case_id, **{"request.purpose": "ほかの人に見せない文"})
    other = sign_in_page(browser.client, answer.text, f"p{who.municipality_colleague}")
    assert (other.status_code, other.headers["location"]) == (303, "/inbox")
    assert "ほかの人に見せない文" not in browser.client.get("/inbox").text
    old = sheet(answer.text)
    # The same sent again by the browser's own button finds a sign-in form whose token is spent.
    spent = browser.client.post(
        "/login", data={n: old[n] for n in ("csrf", "next", "held")} | {"login": "x", "password": "y"}
    )
    assert spent.status_code == 403
    assert stored(conn, case_id)["request"]["purpose"] != "ほかの人に見せない文"


def test_a_page_of_an_earlier_session_is_sent_again_by_the_same_person_only(
    web: Web, browse: Callable[[int], Browser], conn: type_connection, who: factory.Cast
) -> None:
    case_id, browser = drafted(conn, who), browse(who.municipality)
    page = browser.get(f"/cases/{case_id}/edit")
    fields = {n: v for n, v in sheet(page).items() if n != "q"} | {
        "do": "save",
        "request.purpose": "前のログインで書いた文",
    }
    token = re.search(r'name="csrf" value="([^"]+)"', page)
    assert token
    fields["csrf"] = token[1]
    again, colleague = browse(who.municipality), browse(who.municipality_colleague)
    refused = colleague.client.post(f"/cases/{case_id}/edit", data=fields)
    assert refused.status_code == 403
    assert "前のログインで書いた文" not in refused.text
    told = again.client.post(f"/cases/{case_id}/edit", data=fields)
    assert told.status_code == 403
    assert "前のログインで書いた文" in told.text
    assert (
        again.client.post(
            f"/cases/{case_id}/edit", data={n: v for n, v in sheet(told.text).items() if n != "q"}
        ).status_code
        == 303
    )
    assert stored(conn, case_id)["request"]["purpose"] == "前のログインで書いた文"


def test_a_new_token_is_given_to_the_same_person_alone(
    web: Web, browse: Callable[[int], Browser], conn: type_connection, who: factory.Cast
) -> None:
    before = held.token_for("before", who.municipality)
    answer = browse(who.municipality).client.get("/form-token", headers={"X-Form-Token": before})
    assert held.same_person(answer.json()["csrf"], who.municipality)
    other = browse(who.municipality_colleague).client
    assert other.get("/form-token", headers={"X-Form-Token": before}).status_code == 403
    for wrong in ("", "x", "x.y", "before."):
        assert other.get("/form-token", headers={"X-Form-Token": wrong}).status_code == 403
    assert web.client().get("/form-token", headers=JSON | {"X-Form-Token": before}).status_code == 401


@pytest.mark.parametrize(
    "text", ["", "[]", "[1,2,3]", '["//evil.example",[],"x.y"]', '["/ok",[1],"x"]', "[" * 100_000, "{"]
)
def test_what_carries_a_lost_form_is_read_strictly(text: str) -> None:
    assert held.read(text) is None


def test_the_script_is_answered_in_json_whatever_happens(
    web: Web, browse: Callable[[int], Browser], conn: type_connection, who: factory.Cast
) -> None:
    case_id = drafted(conn, who)
    browser = browse(who.municipality)
    address = f"/cases/{case_id}/autosave"
    for sent, status in (({"a": "1"}, 403), ({"csrf": browser.csrf, "x\0": "1"}, 400)):
        answer = browser.client.post(address, data=sent, headers=JSON)
        assert (answer.status_code, bool(answer.json()["happened"])) == (status, True)
    web.owner.execute("DELETE FROM session")
    assert browser.client.post(address, data={}, headers=JSON).json()["happened"]
    assert browser.client.get(address, headers=JSON).status_code == 401


# ── a copy of an earlier request ────────────────────────────────────────────────────────────────────────────────────


def test_an_earlier_request_begins_a_new_one_without_what_was_only_true_then(
    browse: Callable[[int], Browser], conn: type_connection, who: factory.Cast
) -> None:
    source = factory.opened(
        conn, who, title="去年の要請", expected_result="骨子", wishes=[{"skill": "企画", "headcount": "1", "days": factory.first_day(conn, who.office).isoformat()}],
    )  # fmt: skip
    factory.drive(conn, who, source, "submit", "receive")
    browser = browse(who.municipality)
    assert "前の要請を写す" in browser.get(NEW)
    page = browser.get(COPY)
    assert "去年の要請" in page
    key = sheet(page)["key"]
    sent = {"key": key, "source": str(source)}
    where = browser.send(COPY, sent).headers["location"]
    assert browser.send(COPY, sent).headers["location"] == where, "sent twice it is one draft"
    told = visible(browser.get(where))
    for words in ("「去年の要請」", "を写しました", "派遣の期間", "来てほしい日", "収受の記録と番号"):
        assert words in told
    case_id = int(where.split("/")[2])
    form = stored(conn, case_id)
    asked = form["request"]
    assert (asked["title"], asked["expected_result"], asked["tasks"]) == (
        "去年の要請",
        "骨子",
        stored(conn, source)["request"]["tasks"],
    )
    assert asked["wishes"] == [{"skill": "企画", "headcount": "1", "days": ""}]
    assert (asked["period"], asked["previous"]) == ({"from": "", "to": ""}, "")
    assert set(form) == {"request", "contact"}
    assert form["contact"]["name"] == ""
    number = cases.look(conn, who.municipality, source).number
    where = browser.send(COPY, {"key": str(uuid4()), "source": str(source), "continues": "yes"}).headers["location"]
    assert stored(conn, int(where.split("/")[2]))["request"]["previous"] == number


def test_only_cases_of_ones_own_office_are_offered_and_copied(
    browse: Callable[[int], Browser], conn: type_connection, who: factory.Cast
) -> None:
    source = factory.opened(conn, who, title="うちの要請")
    draft = factory.opened(conn, who, title="出していない下書き")
    factory.drive(conn, who, source, "submit")
    stranger = browse(factory.person(conn, "municipality", "014583"))
    assert "うちの要請" not in stranger.get(COPY)
    stranger.send(COPY, {"key": str(uuid4()), "source": str(source)}, 404)
    own = browse(who.municipality_colleague)
    assert "出していない下書き" not in own.get(COPY)
    own.send(COPY, {"key": str(uuid4()), "source": str(draft)}, 404)
    assert "写す要請を選んでください" in own.send(COPY, {"key": str(uuid4())}, 422).text
    assert "うちの要請" in own.get(f"{COPY}&q=うち%25".replace("%25", ""))
    assert "見つかりません" in own.get(f"{COPY}&q=%25")
    assert browse(who.auditor).client.get(COPY).status_code == 404
    assert "うちの要請" in browse(who.bureau).get(COPY), "the bureau enters requests for its municipalities"


def test_an_erased_request_cannot_be_copied(
    browse: Callable[[int], Browser], conn: type_connection, who: factory.Cast
) -> None:
    source = factory.opened(conn, who, title="消す要請")
    factory.drive(conn, who, source, "submit")
    form = json.dumps({"request": {"erased": 2}, "contact": {"erased": 2}})
    conn.execute("UPDATE cases SET form = %s::jsonb WHERE id = %s", (form, source))
    refused = browse(who.municipality).send(COPY, {"key": str(uuid4()), "source": str(source)}, 422)
    assert "写せる内容がありません" in refused.text


def test_a_session_row_is_all_that_the_server_keeps_of_a_form_token(
    web: Web, conn: type_connection, who: factory.Cast
) -> None:
    opened = accounts.open_session(conn, who.municipality)
    token = held.token_for(opened.csrf, who.municipality)
    assert token.startswith(opened.csrf + ".")
    assert not held.same_person(token, who.municipality_colleague)
    assert not held.same_person(opened.csrf, who.municipality)
