"""The plan of a year, and the cases under a case as a board: what they hold, who may open them."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from tests import council, factory
from tests.workflow.web.browsing import Browser, browser_of, visible
from tests.workflow.web.conftest import Web
from workflow.db import type_connection

pytestmark = pytest.mark.usefixtures("at")
Browse = Callable[[int], Browser]


@pytest.fixture
def browse(web: Web, conn: type_connection) -> Browse:
    return lambda person_id: browser_of(web, conn, person_id)


@pytest.fixture
def body(conn: Any, who: factory.Cast) -> int:
    return council.body(conn, who)


def words(html: str) -> str:
    return " ".join(visible(html).split())


def test_a_year_s_plan_shows_each_month_and_what_has_no_day(
    conn: Any, who: factory.Cast, browse: Browse, body: int
) -> None:
    settled, undated = council.called(conn, who, body), council.called(conn, who, body, "writing")
    council.convened(conn, who, settled)
    told = words(browse(who.bureau).get("/plans/regional_council"))
    assert "令和8年度 連携会議の年間計画" in told
    assert "2件" in told
    assert told.index("日の決まっていないもの") < told.index("第2回") < told.index("4月")
    day = date.fromisoformat(
        conn.execute("SELECT form #>> '{meeting,held_on}' FROM cases WHERE id = %s", (settled,)).fetchone()[0]
    )
    assert f"{day.month}月{day.day}日" in told
    assert f"/cases/{undated}" in browse(who.bureau).get("/plans/regional_council")
    assert "0件" in words(browse(who.bureau).get("/plans/regional_council?year=2025"))
    assert "2件" in words(browse(who.headquarters).get("/plans/regional_council")), (
        "it begins where something is planned"
    )


def test_nobody_outside_the_offices_opens_a_plan_and_nobody_one_that_is_none(who: factory.Cast, browse: Browse) -> None:
    for person, path in (
        (who.municipality, "/plans/regional_council"),
        (who.bureau, "/plans/dispatch"),
        (who.bureau, "/plans/nothing"),
    ):
        assert browse(person).client.get(path).status_code == 404
    assert "年間計画" in browse(who.bureau).get("/calendar")
    assert "/plans/" not in browse(who.municipality).get("/calendar")


def test_the_board_has_a_column_for_each_way_and_a_card_for_each_case(
    conn: Any, who: factory.Cast, browse: Browse, body: int
) -> None:
    session, due = council.called(conn, who, body), factory.first_day(conn, after=60) + timedelta(days=1)
    council.held(conn, who, session, [
        {"no": "1", "what": "案内板の様式をそろえる", "owner_kind": "municipality", "municipality": council.OTHER, "due": due.isoformat()},
        {"no": "1", "what": "事例を配る", "owner_kind": "office", "due": due.isoformat()},
    ])  # fmt: skip
    told = words(browse(who.bureau).get(f"/cases/{session}/board"))
    assert (
        told.index("事務局 1件")
        < told.index("対応: 事例を配る")
        < told.index("市町村 1件")
        < told.index("対応: 案内板の様式をそろえる")
    )
    assert "まだ終わっていないもの 2件" in told
    assert f"/cases/{session}/board" in browse(who.bureau).get(f"/cases/{session}")
    assert browse(who.bureau).client.get(f"/cases/{body}/board").status_code == 404, "a body has none"
    stranger = factory.person(conn, "municipality", "012041")
    assert browse(stranger).client.get(f"/cases/{session}/board").status_code == 404
