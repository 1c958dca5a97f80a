"""A town's own affairs: headquarters is asked, does not agree, is asked again after a correction, and clears it."""

import pytest
from playwright.sync_api import Page

from tests.factory import drive, opened
from tests.stories.hands import Visits, act, choose, done, open_act, open_case, press, told
from tests.stories.system import System

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

TITLE = "り災証明の交付に向けた窓口づくりの助言"
QUESTION = "証明の交付は町の事務だが、窓口の組み立てに道の助言が要る。"
WHY_NOT = "交付の審査そのものは町の職員が行うものである。審査を外せば差し支えない。"


def test_asked_twice_then_cleared(system: System, visit: Visits) -> None:
    with system.db.connection() as conn:
        case_id = opened(conn, system.who, title=TITLE, own_affairs="yes")
        drive(conn, system.who, case_id, "submit", "receive", "propose_team", "put_to_director")
    director = visit("director")
    open_case(director, TITLE)
    refused(director, "派遣を決定する", "市町村だけの事務か併任を含みます。本庁と協議し、回答を得てから決定します。")
    act(director, "本庁に協議する", 協議する内容と=QUESTION)
    assert "派遣を決定する" not in told(director)

    headquarters = visit("headquarters")
    from_the_queue(headquarters)
    act(headquarters, "不同意と回答する", 理由=WHY_NOT)
    open_case(director, TITLE)
    assert WHY_NOT in told(director)
    refused(
        director, "派遣を決定する", "本庁が同意していません。市町村だけの事務と併任を外して出し直せば進められます。"
    )
    act(director, "差し戻す", 直してほしい点="審査を外して出し直してもらうこと。")

    bureau = visit("bureau")
    open_case(bureau, TITLE)
    act(bureau, "補正を求める", 直してほしい点="審査を業務から外してください。")
    town = visit("municipality")
    open_case(town, TITLE)
    assert WHY_NOT not in town.content()
    open_act(town, "補正して出し直す")
    town.get_by_label("2つ目の業務の内容").fill("窓口の並びと書類の流れの検討")
    choose(town, "市町村だけの事務", "分からない")
    press(town, "補正して出し直す")
    done(town, "補正して出し直す")

    open_case(bureau, TITLE)
    act(bureau, "本庁に協議する", 協議する内容と="審査を外した。改めて協議する。")
    from_the_queue(headquarters)
    act(headquarters, "異議なしと回答する")
    open_case(bureau, TITLE)
    act(bureau, "局長の判断を求める", 起案の理由="本庁の異議がない。")
    open_case(director, TITLE)
    assert "本庁は異議なしと回答しました。" in told(director)
    act(director, "派遣を決定する")
    assert WHY_NOT not in visit_again(town)
    assert system.whole()


def from_the_queue(page: Page) -> None:
    """Headquarters' list says which bureau asks for which town, since when."""
    page.goto("/headquarters")
    row = page.get_by_role("row").filter(has_text=TITLE)
    for words in ("併任協議に回答する", "上川", "美瑛町", "0営業日"):
        assert words in row.inner_text(), words
    row.get_by_role("link", name=TITLE).click()


def refused(page: Page, label: str, sentence: str) -> None:
    """The act has no button; the page says why, and who can change it."""
    assert page.get_by_role("button", name=label, exact=True).count() == 0
    why = page.get_by_role("listitem").filter(has=page.get_by_text(label, exact=True)).filter(has_text=sentence)
    assert why.is_visible()
    assert "動かせる人:" in why.inner_text()


def visit_again(town: Page) -> str:
    town.reload()
    return town.content()
