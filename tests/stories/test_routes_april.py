"""1 April with drafts in every queue: the queues follow the posts, who has moved loses the right, the record keeps its names."""

from datetime import date

import pytest

from tests.stories import routed
from tests.stories.hands import Visits, act, open_case
from tests.stories.system import System

pytestmark = [pytest.mark.browser, pytest.mark.timeout(500)]

DAY = date(2027, 4, 1)
QUEUES = (
    ("係長の番の要請", "chief", "承認して上げる", ()),
    ("課長の番の要請", "head", "承認して上げる", routed.ALL_BUT_DECIDED[:1]),
    ("合議の番の要請", "general", "合議に同意する", routed.ALL_BUT_DECIDED[:2]),
)


def test_on_the_first_of_april_every_queue_has_its_successor(system: System, visit: Visits) -> None:
    line = routed.office(system)
    system.at("2027-03-30")
    found = {title: routed.put_up(system, line, title, *answered) for title, _, _, answered in QUEUES}
    before = visit("head")
    open_case(before, "課長の番の要請")
    names = {}
    with system.db.connection() as conn:
        for _, key, _, _ in QUEUES:
            names[key] = f"後任の{key}（仮名）"
            routed.succeeded(conn, line, key, DAY, names[key])
    system.at(DAY.isoformat())

    # Whoever held the post until yesterday has neither the queue nor the right.
    old = visit("head")
    assert old.get_by_role("link", name="課長の番の要請").count() == 0
    old.goto(f"/cases/{found['課長の番の要請']}")
    assert old.get_by_role("button", name="承認して上げる", exact=True).count() == 0
    assert names["head"] in old.locator(".route .is-now").inner_text()

    for title, key, verb, _ in QUEUES:
        page = visit(f"new_{key}")
        open_case(page, title)
        act(page, verb)
    # Answers given before keep the name of their day.
    kept = visit("director")
    kept.goto(f"/cases/{found['合議の番の要請']}/route")
    held = system.value("SELECT name FROM person WHERE id = %s", line.people["chief"])
    boxes = kept.locator(".route").first.inner_text()
    assert held in boxes
    assert names["chief"] not in boxes
    assert names["general"] in boxes
    assert system.whole()
