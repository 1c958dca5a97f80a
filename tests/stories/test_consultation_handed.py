"""A consultation that two sections refuse: the head is alerted, names who takes it, and that section answers it."""

import pytest
from playwright.sync_api import Page

from tests import factory
from tests.factory import OFFICE
from tests.stories.hands import PHONE, Visits, act, card, choose, done, open_act, open_case, press, told
from tests.stories.routed import account
from tests.stories.system import System

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

SUBJECT = "農家の納屋を宿にしたいという相談"
SECTIONS = {"tourism": ("商工労働観光課", "係長"), "farming": ("農務課", "係長")}
WHY_NOT = {"tourism": "納屋は農業用の建物であり、農務課の所管である。", "farming": "宿泊は観光の所管である。"}
ALERT = "担当を決める(2回引き継がれています)"
REPLY = "宿にする前に、農地と建物の用途を町と確かめてください。"


def test_two_refusals_reach_the_head_and_somebody_answers(system: System, visit: Visits) -> None:
    with system.db.connection() as conn:
        for login, (section, title) in SECTIONS.items():
            account(conn, factory.person(conn, "bureau", OFFICE, section=section, title=title), login)
    bureau, director = visit("bureau"), visit("director")
    received_by_telephone(bureau)
    refused(bureau, visit("tourism"), "tourism")
    director.get_by_role("link", name="受信箱").first.click()
    assert SUBJECT not in told(director), "one refusal is no reason to call the head"
    refused(bureau, visit("farming"), "farming")

    director.reload()
    assert ALERT in told(director)
    open_case(director, SUBJECT)
    page = told(director)
    for words in WHY_NOT.values():
        assert words in page, words
    offered(director, "tourism")
    answered(visit("tourism", width=PHONE))

    town = visit("municipality")
    town.get_by_role("link", name="案件", exact=True).first.click()
    town.get_by_role("link", name=SUBJECT).first.click()
    page = town.content()
    assert REPLY in page
    for words in (*WHY_NOT.values(), "畑野"):
        assert words not in page, words
    assert system.whole()


def received_by_telephone(page: Page) -> None:
    """Three fields first, then who asked; the municipality stands as it was heard."""
    page.get_by_role("link", name="案件を起こす").click()
    page.get_by_role("listitem").filter(has_text="相談を受け付ける").get_by_role("link", name="書き始める").click()
    page.get_by_label("件名").fill(SUBJECT)
    page.get_by_role("textbox", name="内容").fill("使わない納屋を直して、旅の人を泊めたい。")
    page.get_by_role("textbox", name="市町村必須").fill("びえい")
    choose(page, "だれから", "市町村")
    page.get_by_label("氏名").fill("畑野（仮名）")
    press(page, "確認へ進む")
    press(page, "受け付ける")
    done(page, "受け付ける")
    page.get_by_text("上川-相談-R8-001").first.wait_for()
    assert "美瑛町" in told(page)


def offered(page: Page, login: str) -> None:
    opened = card(page, "担当を割り振る")
    opened.get_by_label("担当の職").select_option(label=" ".join(SECTIONS[login]))
    press(opened, "担当を割り振る")
    done(page, "担当を割り振る")


def refused(bureau: Page, owner: Page, login: str) -> None:
    """Offered to the post of that section, which says why it is not the one."""
    open_case(bureau, SUBJECT)
    offered(bureau, login)
    open_case(owner, SUBJECT)
    act(owner, "断る", 断る理由=WHY_NOT[login])


def answered(owner: Page) -> None:
    open_case(owner, SUBJECT)
    press(card(owner, "受ける"), "受ける")
    done(owner, "受ける")
    way = card(owner, "処理の方針を決める")
    choose(way, "方針", "回答・情報の提供")
    way.get_by_label("理由").fill("制度の案内で足りる。")
    press(way, "処理の方針を決める")
    done(owner, "処理の方針を決める")
    open_act(owner, "回答する")
    owner.get_by_role("textbox", name="回答必須").fill(REPLY)
    assert owner.evaluate("document.documentElement.scrollWidth") <= PHONE
    press(owner, "回答する")
    done(owner, "回答する")
