"""Headquarters agrees under conditions; on the first day one is unmet and nobody starts; it is met, and the next clock starts it."""

from datetime import date

import pytest
from playwright.sync_api import Page

from tests.factory import drive, opened
from tests.stories.hands import PHONE, Visits, act, choose, done, look_up, open_act, press, told, write_date
from tests.stories.system import BEGINNING, System
from workflow import watch

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

TITLE = "被害の認定の立会いと手順づくり"
AGREEMENT, LIST = "町との協定を結ぶこと。", "立ち会う職員の名簿を出すこと。"


def test_unmet_on_the_first_day(system: System, visit: Visits) -> None:
    system.at(BEGINNING)
    with system.db.connection() as conn:
        case = opened(
            conn, system.who, title=TITLE, first=date(2026, 11, 9), own_affairs="yes", concurrent_appointment="needed",
            concurrent_reason="町の事務を含むため。",
        )  # fmt: skip
        drive(conn, system.who, case, "submit", "receive", "propose_team", "consult")
    headquarters_sets_two_conditions(visit("headquarters"))
    with system.db.connection() as conn:
        drive(conn, system.who, case, "put_to_director", "approve", "record_orders")
    personnel_confirms_the_orders(visit("personnel"))
    town = visit("municipality", width=PHONE)
    look_up(town, TITLE)
    for words in (AGREEMENT, LIST, "満たすまで進まないもの: 派遣の開始", "2件のうち2件が残っています"):
        assert words in told(town), words
    the_town_shows_what_it_owes(town)
    headquarters_confirms(visit("headquarters"))

    system.at("2026-11-09", 1)
    watch.move(system.db)
    state = "SELECT state FROM cases WHERE id = %s"
    assert system.value(state, case) == "preparing"
    bureau = visit("bureau")
    bureau.get_by_text(AGREEMENT[:8]).first.wait_for()  # in the inbox, under what needs attention or to do
    look_up(bureau, TITLE)
    assert AGREEMENT in told(bureau)
    bureau.get_by_role("link", name="条件: " + AGREEMENT).click()
    act(bureau, "満たしたことを示す", 何によって満たしたか="けさ協定書を交わした。")
    queue = visit("headquarters")
    queue.goto("/headquarters")
    queue.get_by_role("link", name="条件: " + AGREEMENT).first.click()
    act(queue, "満たされたと確認する")
    system.at("2026-11-09", 10)
    watch.move(system.db)
    assert system.value(state, case) == "dispatched"
    assert system.whole()


def personnel_confirms_the_orders(page: Page) -> None:
    """What personnel opens from its inbox has the orders, and no word of how the case was weighed."""
    page.goto("/inbox")
    page.get_by_role("link", name=TITLE).click()
    for words in ("発令と身分証", "市町村長", "併任を命ずる", "本庁の回答"):
        assert words in told(page), words
    for words in ("起案の理由", "やりとり", "局内のみ", "決裁の順序"):
        assert words not in told(page), words
    act(page, "併任の発令を確かめる")
    assert "人事担当が確かめました" in told(page)


def headquarters_sets_two_conditions(page: Page) -> None:
    page.goto("/headquarters")
    page.get_by_role("link", name=TITLE).click()
    open_act(page, "条件をつけて同意する")
    for number, (text, owner) in enumerate(((AGREEMENT, "振興局"), (LIST, "市町村"))):
        if number:
            press(page, "条件を足す")
        row = page.get_by_role("group", name=f"条件 {number + 1}", exact=True)
        row.get_by_label("何を満たすか").fill(text)
        choose(row, "満たす人", owner)
        write_date(row, "期限", "2026", "11", "6")
        choose(row, "満たすまで進まないもの", "派遣の開始")
    press(page, "条件をつけて同意する")
    done(page, "条件をつけて同意する")


def the_town_shows_what_it_owes(page: Page) -> None:
    page.get_by_role("link", name="条件: " + LIST).click()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE
    act(page, "満たしたことを示す", 何によって満たしたか="名簿を添付しました。")


def headquarters_confirms(page: Page) -> None:
    page.goto("/headquarters")
    page.get_by_role("link", name="条件: " + LIST).first.click()
    assert "名簿を添付しました。" in told(page)
    act(page, "満たされたと確認する")
