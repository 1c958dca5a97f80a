"""A request that is too long cannot be put in; one that says too little goes back and comes again. All of it without JavaScript."""

import pytest
from playwright.sync_api import Page

from tests.stories.hands import Visits, act, card, choose, done, group, open_act, open_case, press, told, write_date
from tests.stories.system import System

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

TITLE = "冬まつりの見直しに向けた企画への参画"
ASKED = "商工会との役割の分け方を、もう少し詳しく書いてください。"
ADDED = "商工会は会場を、町は交通を受け持つ。"


def test_sent_back_twice_and_taken_in(system: System, visit: Visits) -> None:
    town = visit("municipality", script=False)
    too_long(town)
    write_date(town, "派遣の終わりの日", "R8", "12", "8")
    press(town, "確認へ進む")
    press(town, "要請を提出する")
    done(town, "要請を提出する")

    bureau = visit("bureau", script=False)
    open_case(bureau, TITLE)
    receive = card(bureau, "収受する")
    write_date(receive, "実際に届いた日", "8年", "2", "30")
    press(receive, "収受する")
    bureau.get_by_text("「収受する」は、まだ行っていません").wait_for()
    receive = card(bureau, "収受する")
    write_date(receive, "実際に届いた日", "R8", "10", "14")
    press(receive, "収受する")
    done(bureau, "収受する")
    act(bureau, "補正を求める", 直してほしい点=ASKED)
    assert "補正待ち" in told(bureau)

    open_case(town, TITLE)
    assert "あなたの番です" in told(town)
    assert ASKED in told(town)
    assert "補正の期限" in told(town)
    open_act(town, "補正して出し直す")
    town.get_by_label("困っていること").fill(f"祭りの担い手が減った。{ADDED}")
    press(town, "補正して出し直す")
    done(town, "補正して出し直す")

    open_case(bureau, TITLE)
    assert ADDED in told(bureau)
    assert "補正して出し直す" in told(bureau)
    assert "市町村への回答期限" in told(bureau)
    assert system.whole()


def too_long(town: Page) -> None:
    """42 days: the form says so in a sentence, up to which day it would do, and keeps all that was written."""
    town.get_by_role("link", name="派遣の要請を書く").click()
    town.get_by_label("件名").fill(TITLE)
    town.get_by_label("困っていること").fill("祭りの担い手が減った。")
    town.get_by_label("1つ目の業務の内容").fill("企画の話合いへの出席")
    town.get_by_role("radiogroup", name="1つ目の業務での役割").get_by_label("参画").check()
    choose(town, "どれに当たりますか", "広域的なイベントの企画・準備・実施")
    choose(town, "市町村だけの事務", "含まない")
    write_date(town, "派遣の初めの日", "R8", "11", "9")
    write_date(town, "派遣の終わりの日", "R8", "12", "20")
    press(town, "確認へ進む")
    town.get_by_role("heading", name="まだ提出していません。直すところが1か所あります").wait_for()
    town.get_by_role("link", name="期間が42日で、1か月を超えます。12月8日までなら受けられます。").click()
    assert town.url.endswith("#request-period-to")
    assert group(town, "派遣の終わりの日").get_by_text("12月8日までなら受けられます").is_visible()
    assert town.get_by_label("件名").input_value() == TITLE
