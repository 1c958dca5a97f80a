"""代決 and 後閲: the director is away, the vice director decides for him, and he reads it when he is back."""

import pytest

from tests import offices
from tests.stories import routed
from tests.stories.hands import Visits, act, look_up, open_case, told
from tests.stories.system import System, until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

TITLE = "空き家を生かす移住計画づくりの助言"


def test_a_deputy_decides_for_the_absent_and_he_reads_it_afterwards(
    system: System, visit: Visits, tasks: object
) -> None:
    line = routed.office(system)
    case = routed.put_up(system, line, TITLE, ("chief", "approve_step"))
    head = visit("head")
    open_case(head, TITLE)
    act(head, "承認して上げる", 意見="よい計画です。")
    assert "いまは、総務課 課長の合議、保健行政室 室長の合議を待っています。" in told(head)
    with system.db.connection() as conn:
        for key in ("general", "health"):
            offices.act(conn, line.people[key], case, "agree_step")

    # While the director is there, nobody decides for him, and the page says why.
    vice = visit("vice")
    look_up(vice, TITLE)
    assert "「局長」は不在ではないので、代わることはできません。" in told(vice)
    with system.db.connection() as conn:
        offices.away(conn, line.director)
    vice.reload()
    assert "よい計画です。" in told(vice)
    assert "あとで読む人: 局長" in told(vice)
    act(vice, "派遣を決定する")
    assert "局長 局長（仮名） 出張につき代決" in told(vice)

    # The absent one is told, and it stays with him until it is read.
    until(
        lambda: system.value("SELECT count(*) FROM message WHERE person_id = %s AND case_id = %s", line.director, case)
    )
    with system.db.connection() as conn:
        offices.back(conn, line.director)
    director = visit("director")
    open_case(director, TITLE)
    assert "後閲" in told(director)
    assert "局長 局長（仮名） 出張につき代決" in told(director)
    act(director, "読みました", 意見="了解")
    look_up(director, TITLE)
    director.goto(f"/cases/{case}/route")
    assert "代=不在の人に代わって答えた印" in told(director)
    assert "後閲=先へ進め、戻ってから読む印" in told(director)

    # The town has a decision in the director's name, and of the deputy the post alone.
    town = visit("municipality")
    look_up(town, TITLE)
    assert "副局長(局長の代決)" in told(town)
    assert "出張" not in told(town)
    town.goto(f"/cases/{case}/letters/decision_notice")
    assert "代決" not in told(town)
    assert system.whole()
