"""Headquarters' coordination: an opinion that a bureau cannot answer goes through two departments and comes back as its words."""

from typing import Any

import pytest
from playwright.sync_api import Page

from tests import factory
from tests.round_table import PLAN
from tests.round_table import act as do
from tests.stories.hands import Visits, card, choose, done, look_up, open_act, open_case, press, told, write_date
from tests.stories.routed import account
from tests.stories.system import BEGINNING, System
from tests.workflow.test_round_table import NOSEI, SOMU
from workflow import cases

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

DEPARTMENTS = {"somu": (SOMU, "総務部", "一部は対応できる"), "nosei": (NOSEI, "農政部", "対応できない")}
OPINION = "補助の要件を小さな農家に合わせてほしい"
WHY = "補助の要件は国と道が決めている。"
REPLIES = {"somu": "窓口の一本化はできる。", "nosei": "要件は国の決定であり、変えられない。"}
INSIDE = "国への要望に載せるかは、来月の会議で決める。"
REGIONAL = "要件は国が決めていますが、窓口を一つにまとめます。"


def test_through_two_departments_to_the_answer_for_the_region(system: System, visit: Visits) -> None:
    meeting(system)
    bureau = visit("bureau")
    the_bureau_asks(bureau)
    headquarters = visit("headquarters")
    distributed(headquarters)
    for login in DEPARTMENTS:
        replied(visit(login), login)
    put_together(headquarters)

    open_case(bureau, OPINION)
    open_act(bureau, "回答をまとめる")
    assert bureau.get_by_label("地域に知らせる言葉").input_value() == REGIONAL
    choose(bureau, "反映の区分", "B 実現に努力している")
    press(bureau, "回答をまとめる")
    done(bureau, "回答をまとめる")
    the_region_hears_it(bureau, visit("municipality"))
    assert system.whole()


def meeting(system: System) -> None:
    """A meeting that was held and reported; one opinion is open."""
    plan = PLAN | {"plan": PLAN["plan"] | {"held_on": BEGINNING}}
    sides = ("office_side", "region_side")
    there: dict[str, Any] = {s: {"items": [row | {"attended": True} for row in PLAN[s]["items"]]} for s in sides}
    notes = {"notes": {"items": [{"kind": "request", "summary": OPINION, "speaker_class": "農業者"}]}}
    with system.db.connection() as conn:
        for login, (code, _, _) in DEPARTMENTS.items():
            account(conn, factory.person(conn, "department", code), login)
        who = system.who
        case = cases.open_case(conn, who.bureau, "round_table", "office", plan)
        for person, name, form in (
            (who.bureau, "plan", {}), (who.bureau, "ask_decision", {}), (who.director, "approve", {}), (who.bureau, "invite", {}),
            (who.bureau, "hold", there | notes), (who.bureau, "ask_report", {"report": {"summary": "要件の意見があった。", "masked": True}}),
            (who.director, "confirm_report", {}),
        ):  # fmt: skip
            do(conn, person, case, name, form)


def the_bureau_asks(page: Page) -> None:
    open_case(page, OPINION)
    open_act(page, "取扱いを決める")
    page.get_by_label("取扱い", exact=False).and_(page.get_by_role("combobox")).select_option(label="本庁調整")
    write_date(page, "いつまで", "令和8", "11", "20")
    page.get_by_label("調整してほしいこと").fill("小さな農家にも使える道を探したい。")
    page.get_by_label("局で対応できない理由").fill(WHY)
    page.get_by_label("速やかな対応が要る").check()
    press(page, "取扱いを決める")
    done(page, "取扱いを決める")


def distributed(page: Page) -> None:
    open_case(page, OPINION)
    assert WHY in told(page)
    open_act(page, "関係する部に照会する")
    for number, (_, label, _) in enumerate(DEPARTMENTS.values(), start=1):
        if number > 1:
            press(page, "部を足す", stays=True)
        row = page.get_by_role("group", name=f"{number}行目")
        row.get_by_label("部", exact=True).select_option(label=label)
    press(page, "関係する部に照会する")
    done(page, "関係する部に照会する")


def replied(page: Page, login: str) -> None:
    """Each department reads what is asked, and nothing of what the other answers."""
    open_case(page, OPINION)
    others = [text for name, text in REPLIES.items() if name != login]
    assert not [text for text in others if text in page.content()]
    reply = card(page, "照会に回答する")
    choose(reply, "回答", DEPARTMENTS[login][2])
    reply.get_by_label("内容").fill(REPLIES[login])
    press(reply, "照会に回答する")
    done(page, "照会に回答する")


def put_together(page: Page) -> None:
    """The draft begins with both replies; what stays inside and what the region may hear are two texts."""
    open_case(page, OPINION)
    open_act(page, "取りまとめて局に知らせる")
    text = page.get_by_label("局への情報提供")
    for reply in REPLIES.values():
        assert reply in text.input_value(), reply
    text.fill(INSIDE)
    page.get_by_label("地域に伝えられること").fill(REGIONAL)
    press(page, "取りまとめて局に知らせる")
    done(page, "取りまとめて局に知らせる")


def the_region_hears_it(bureau: Page, town: Page) -> None:
    open_case(bureau, PLAN["plan"]["name"])
    open_act(bureau, "地域に回答する")
    letter = bureau.get_by_label("地域に知らせる内容").input_value()
    assert REGIONAL in letter
    assert INSIDE not in letter
    press(bureau, "地域に回答する")
    done(bureau, "地域に回答する")
    look_up(town, PLAN["plan"]["name"])
    page = town.content()
    assert REGIONAL in page
    for words in (INSIDE, WHY, *REPLIES.values()):
        assert words not in page, words
