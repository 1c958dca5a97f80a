"""A request that the director declines: the town reads one reason, the other stays inside. Without JavaScript."""

import pytest

from tests.factory import drive, opened
from tests.stories.hands import Visits, act, card, open_case, press, told
from tests.stories.system import System
from workflow import outbox

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

TITLE = "秋の収穫期の集荷場の人手"
OUTSIDE = "同じ時期に大雨の被害への対応があり、職員を送ることができません。"
INSIDE = "当局の職員は3名しか残らない。来年度に改めて相談する。"


def test_one_reason_leaves_the_office_and_one_stays(system: System, visit: Visits) -> None:
    with system.db.connection() as conn:
        case_id = opened(conn, system.who, title=TITLE)
        drive(conn, system.who, case_id, "submit", "receive", "propose_team", "put_to_director")
    director = visit("director", script=False)
    open_case(director, TITLE)
    decline = card(director, "派遣しないと決める")
    decline.get_by_label("理由(局内だけに残ります)").fill(INSIDE)
    press(decline, "派遣しないと決める")
    director.get_by_text("「派遣しないと決める」は、まだ行っていません").wait_for()
    assert card(director, "派遣しないと決める").get_by_label("理由(局内だけに残ります)").input_value() == INSIDE
    act(director, "派遣しないと決める", **{"理由(市町村にも見えます)": OUTSIDE})
    assert INSIDE in told(director)
    assert "局内のみ" in told(director)
    outbox.deliver(system.db)

    town = visit("municipality", script=False)
    town.get_by_role("link", name="案件", exact=True).click()
    assert "派遣しなかった" in told(town)
    town.get_by_role("link", name=TITLE).click()
    assert OUTSIDE in told(town)
    assert INSIDE not in town.content()
    town.get_by_role("link", name="不派遣通知").click()
    letter = told(town)
    for words in ("美瑛町長 様", "派遣しないことに決定しました", OUTSIDE, "号に綴じた文書"):
        assert words in letter, words
    assert INSIDE not in town.content()
    town.goto("/mailbox")
    assert "「派遣しないと決める」が行われました" in told(town)
    assert INSIDE not in town.content()

    bureau = visit("bureau", script=False)
    bureau.get_by_role("link", name="案件", exact=True).click()
    bureau.get_by_role("link", name=TITLE).click()
    assert INSIDE in told(bureau)
    assert system.whole()
