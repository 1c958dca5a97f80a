"""Two directors on two devices in the same second: the decision is taken once, the other is told who took it."""

import pytest
from playwright.sync_api import Page

from tests import factory
from tests.stories import routed
from tests.stories.hands import Visits, open_case, told
from tests.stories.system import System, until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

TITLE = "同じ時に決める要請"
PRESS = """() => { const form = document.querySelector('#act-approve form');
  setTimeout(() => form.requestSubmit(), new Date().setMilliseconds(0) + 2000 - Date.now()); }"""


def test_two_who_hold_the_post_decide_in_the_same_second(system: System, visit: Visits) -> None:
    line = routed.office(system)
    with system.db.connection() as conn:
        second = factory.person(conn, "director", line.who.office, title="局長（併任）", name="二人目（仮名）")
        conn.execute(
            "UPDATE tenure SET post_id = %s, kind = 'joint' WHERE person_id = %s", (line.posts["director"], second)
        )
        routed.account(conn, second, "second_director")
    case = routed.put_up(system, line, TITLE, *routed.ALL_BUT_DECIDED)
    pages = [visit("director"), visit("second_director", width=390)]
    for page in pages:
        open_case(page, TITLE)
    for page in pages:
        page.evaluate(PRESS)
    until(lambda: all(settled(page) for page in pages))
    words = [told(page) for page in pages]
    assert sum("「派遣を決定する」を行いました" in said for said in words) == 1
    (late,) = [said for said in words if "ほかの方が先に処理していました" in said]
    winner = "局長（仮名）" if "行いました" in words[0] else "二人目（仮名）"
    assert winner in late
    assert system.value("SELECT count(*) FROM event WHERE case_id = %s AND action = 'approve'", case) == 1
    assert system.whole()


def settled(page: Page) -> bool:
    """Whether the answer has come."""
    page.wait_for_load_state()
    return any(word in told(page) for word in ("「派遣を決定する」を行いました", "ほかの方が先に処理していました"))
