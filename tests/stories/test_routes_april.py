"""1 April with drafts in every queue, by the pages: a list is brought, tried out and taken in; on its day the queues follow the posts.

Who has moved loses the right with the next request, the successor finds the work, and the record keeps its names.
"""

from datetime import date

import pytest
from playwright.sync_api import Page

from tests import factory, offices
from tests.offices import Line
from tests.stories import routed
from tests.stories.hands import Visits, act, open_case, press
from tests.stories.system import System
from workflow.db import type_connection

pytestmark = [pytest.mark.browser, pytest.mark.timeout(500)]

DAY = date(2027, 4, 1)
HEADS = "職員番号,氏名,異動後の組織,係・課,職名,発令の種類,発令番号"
OFFICE = "上川総合振興局"
QUEUES = (
    ("係長の番の要請", "chief", "承認して上げる", ()),
    ("課長の番の要請", "head", "承認して上げる", routed.ALL_BUT_DECIDED[:1]),
    ("合議の番の要請", "general", "合議に同意する", routed.ALL_BUT_DECIDED[:2]),
)
OWN = "自分が起案した要請"  # put up by the head, who becomes the director


def test_on_the_first_of_april_every_queue_has_its_successor(system: System, visit: Visits) -> None:
    line = routed.office(system)
    system.at("2027-03-30")
    found = {title: routed.put_up(system, line, title, *answered) for title, _, _, answered in QUEUES}
    with system.db.connection() as conn:
        found[OWN] = offices.put_up(conn, line, by=line.head, title=OWN)
        names = {key: newcomer(conn, line, key) for _, key, _, _ in QUEUES}
        orders = written(conn, line, names)
    the_list_is_tried_out_and_taken_in(system, visit("administrator"), orders, found)
    # Nothing has changed yet: today the queue is still the head's.
    before = visit("head")
    open_case(before, "課長の番の要請")
    assert before.get_by_role("button", name="承認して上げる", exact=True).count() == 1
    system.at(DAY.isoformat())
    who_left_has_neither_the_queue_nor_the_right(visit("head"), found, names["head"])
    for title, key, verb, _ in QUEUES:
        page = visit(f"new_{key}")
        open_case(page, title)
        act(page, verb)
    the_record_keeps_its_names(system, visit("vice"), line, names, found)
    assert "替わりました" in lists(visit("administrator"))
    assert system.whole()


def newcomer(conn: type_connection, line: Line, key: str) -> str:
    """Somebody of another bureau who can sign in; the name."""
    name = f"後任の{key}（仮名）"
    new = factory.person(conn, "bureau", "hk-soya", section="地域創生部", title="主任", name=name)
    routed.account(conn, new, f"new_{key}")
    return name


def written(conn: type_connection, line: Line, names: dict[str, str]) -> bytes:
    """The list of orders: each post of the queues has a new holder, the head becomes the director."""
    rows = [HEADS]
    for key, section, title in offices.LINE:
        if key in names:
            rows.append(order(conn, names[key], section, title))
            if key != "head":
                rows.append(order(conn, held_by(conn, line.people[key]), kind="離任"))
    rows.append(order(conn, held_by(conn, line.director), kind="離任"))
    rows.append(order(conn, held_by(conn, line.head), "", "局長"))
    return "\r\n".join(rows).encode("cp932")


def held_by(conn: type_connection, person: int) -> str:
    row = conn.execute("SELECT name FROM person WHERE id = %s", (person,)).fetchone()
    assert row is not None
    return str(row[0])


def order(conn: type_connection, name: str, section: str = "", title: str = "", kind: str = "本務") -> str:
    row = conn.execute("SELECT staff_no FROM person WHERE name = %s", (name,)).fetchone()
    assert row is not None
    return f"{row[0]},{name},{OFFICE if title else ''},{section},{title},{kind},人発第1号"


def the_list_is_tried_out_and_taken_in(system: System, page: Page, orders: bytes, found: dict[str, int]) -> None:
    """The dry run tells what becomes of each open case, by its number; it stores nothing. Then the list is taken in."""
    page.get_by_role("link", name="発令", exact=True).first.click()
    page.get_by_label("発令日").fill("R9.4.1")
    page.get_by_label("ファイル").set_input_files(
        {"name": "令和9年4月1日.csv", "mimeType": "text/csv", "buffer": orders}
    )
    press(page, "読んで、影響を確かめる")
    page.get_by_role("heading", level=1, name="影響を確かめました").wait_for()
    table = page.get_by_role("table", name="影響を受ける案件")
    for title, case in found.items():
        number = system.value("SELECT number FROM cases WHERE id = %s", case)
        line = table.get_by_role("row").filter(has_text=number).inner_text()
        assert title not in line, "an administrator is shown no content"
        assert ("自分の起案" in line) is (title == OWN), line
    assert system.value("SELECT count(*) FROM appointment_list") == 0
    press(page, "取り込む(7行)")
    page.get_by_text("発令日の0時から、手番と権限が替わります").wait_for()
    assert "これから" in lists(page)


def lists(page: Page) -> str:
    """What the page says of the lists that were taken in."""
    page.goto("/appointments")
    return page.get_by_role("table", name="取り込んだ一覧").inner_text()


def who_left_has_neither_the_queue_nor_the_right(old: Page, found: dict[str, int], successor: str) -> None:
    assert old.get_by_role("link", name="課長の番の要請").count() == 0
    old.goto(f"/cases/{found['課長の番の要請']}")
    assert old.get_by_role("button", name="承認して上げる", exact=True).count() == 0
    assert successor in old.locator(".route .is-now").inner_text()


def the_record_keeps_its_names(
    system: System, page: Page, line: Line, names: dict[str, str], found: dict[str, int]
) -> None:
    """Answers given before keep the name of their day."""
    page.goto(f"/cases/{found['合議の番の要請']}/route")
    held = system.value("SELECT name FROM person WHERE id = %s", line.people["chief"])
    boxes = page.locator(".route").first.inner_text()
    assert held in boxes
    assert names["chief"] not in boxes
    assert names["general"] in boxes
