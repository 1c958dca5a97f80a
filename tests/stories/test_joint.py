"""Three towns ask together: one leads, each of the others agrees, one of them on paper; then the director can decide."""

from datetime import date

import pytest

from tests import factory
from tests.factory import drive, opened
from tests.stories.hands import PHONE, Visits, act, choose, done, look_up, press, told
from tests.stories.system import ACCOUNT, BEGINNING, System, hashed

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

TITLE = "三町で行う広域の催しの企画への参画"
SECOND, THIRD = "014613", "014583"  # 中富良野町, 東川町


def test_three_towns(system: System, visit: Visits) -> None:
    system.at(BEGINNING)
    with system.db.connection() as conn:
        for login, code in (("second", SECOND), ("third", THIRD)):
            person = factory.person(conn, "municipality", code, section="企画課", title="係長", name=f"{login}（仮名）")
            conn.execute(ACCOUNT, (person, login, hashed()))
        case = opened(conn, system.who, title=TITLE, first=date(2026, 11, 9))
    lead = visit("municipality")
    lead.goto(f"/cases/{case}/edit")
    lead.get_by_text("ほかの市町村と共同で要請する").click()
    for number, code in enumerate((SECOND, THIRD)):
        if number:
            press(lead, "市町村を足す")
        lead.locator(f"[name='request.partners.{number}.municipality_code']").select_option(code)
    press(lead, "確認へ進む")
    press(lead, "要請を提出する")
    done(lead, "要請を提出する")

    second = visit("second", width=PHONE)
    second.get_by_role("link", name=TITLE).first.click()
    assert "同意" in told(second)
    assert second.evaluate("document.documentElement.scrollWidth") <= PHONE
    act(second, "共同の要請に同意する")

    with system.db.connection() as conn:
        drive(conn, system.who, case, "receive", "propose_team")
    bureau = visit("bureau", script=False)
    look_up(bureau, TITLE)
    assert "まだ答えがありません" in told(bureau)
    assert bureau.get_by_role("button", name="局長の判断を求める", exact=True).count() == 0
    opened_card = bureau.locator("details", has=bureau.locator("summary strong", has_text="市町村の同意を紙で受ける"))
    opened_card.locator("summary").first.click()
    opened_card.get_by_label("答えた市町村").select_option(THIRD)
    choose(opened_card, "答え", "同意する")
    opened_card.get_by_label("届いた文書").fill("東企第12号の文書で同意。")
    press(opened_card, "市町村の同意を紙で受ける")
    done(bureau, "市町村の同意を紙で受ける")
    act(bureau, "局長の判断を求める", 起案の理由="三町がそろった。")

    director = visit("director")
    look_up(director, TITLE)
    assert told(director).count("同意しています") == 2
    act(director, "派遣を決定する")
    third = visit("third")
    look_up(third, TITLE)
    assert ("東企第12号" not in told(second) and "派遣準備" in told(third)) or "派遣" in told(third)
    assert "起案の理由" not in told(third)
    assert system.whole()
