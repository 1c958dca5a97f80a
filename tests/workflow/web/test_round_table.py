"""The pages of a round table, an opinion and a coordination: made of their declarations, each with what its reader fills in."""

from collections.abc import Callable

import pytest

from tests.workflow.test_round_table import act, children, following, table  # noqa: F401 - fixtures
from tests.workflow.web.browsing import Browser, browser_of, visible
from tests.workflow.web.conftest import Web
from workflow.db import type_connection


@pytest.fixture
def browse(web: Web, conn: type_connection) -> Callable[[int], Browser]:
    return lambda person: browser_of(web, conn, person)


def test_each_page_asks_for_what_its_act_writes(conn, who, browse, following):  # noqa: F811 - fixture
    opinion, coordination = children(conn, following)[0], children(conn, following)[-1]
    bureau, headquarters = browse(who.bureau), browse(who.headquarters)
    assert "ラウンドテーブルミーティングを計画する" in visible(
        bureau.get("/cases/new?process=round_table&origin=office")
    )
    page = bureau.get(f"/cases/{opinion}/actions/handle")
    for name in ("handling.way", "handling.owner", "handling.municipality", "handling.due", "asking.text"):
        assert f'name="{name}' in page
    sent = headquarters.get(f"/cases/{coordination}/actions/distribute")
    assert "農政部" in visible(sent)
    case = visible(browse(who.municipality).get(f"/cases/{following}"))
    assert "農道と観光について意見があった。" in case
    assert "丘上太郎" not in case


def test_an_act_that_lacks_only_what_its_page_writes_has_its_page_open(conn, who, browse, following):  # noqa: F811 - fixture
    opinion, bureau = children(conn, following)[0], browse(who.bureau)
    assert f'href="/cases/{opinion}/actions/handle"' in bureau.get(f"/cases/{opinion}")
    meeting = bureau.get(f"/cases/{following}")
    assert f"/cases/{following}/actions/tell_region" not in meeting, "what others have to end keeps its page shut"
    assert "まだ終わっていない意見・調整が4件あります" in visible(meeting)


def test_a_case_stands_on_the_day_its_deadline_ends(conn, who, browse, table):  # noqa: F811 - fixture
    for person, action in ((who.bureau, "ask_decision"), (who.director, "approve"), (who.bureau, "invite")):
        act(conn, person, table, action)
    assert "きょうまで" in visible(browse(who.bureau).get(f"/cases/{table}"))
