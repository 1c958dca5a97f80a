"""What the pages of a family of cases say to each reader: whose turn it is below, what stands above, with whom words are shared."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests import factory
from tests.round_table import act
from tests.workflow.test_round_table import children, following, table  # noqa: F401 - fixtures
from tests.workflow.web.browsing import Browser, browser_of, visible
from tests.workflow.web.conftest import Web
from workflow import cases
from workflow.db import type_connection
from workflow.loading import load


@pytest.fixture
def browse(web: Web, conn: type_connection) -> Callable[[int], Browser]:
    return lambda person: browser_of(web, conn, person)


@pytest.fixture
def due(conn):
    return (cases.today(conn) + timedelta(days=20)).isoformat()


def test_who_may_not_see_the_case_above_is_not_told_of_it(conn, who, browse, following, due):  # noqa: F811 - fixture
    opinion = children(conn, following)[0]
    ask = {"handling": {"way": "headquarters", "due": due}, "asking": {"text": "要件の緩和", "why": "国の制度である"}}
    act(conn, who.bureau, opinion, "handle", ask)
    (coordination,) = children(conn, opinion)
    officer = factory.person(conn, "department", "hk-somu")
    sent = {"distribution": {"items": [{"department": "hk-somu"}]}}
    act(conn, who.headquarters, coordination, "distribute", sent)
    number = load(conn, opinion, who.bureau).row.number
    assert f"もとの案件: {number} " in visible(browse(who.headquarters).get(f"/cases/{coordination}"))
    page = browse(officer).get(f"/cases/{coordination}")
    assert "もとの案件" not in visible(page)
    assert f"/cases/{opinion}" not in page
    assert "総務部の番" in visible(browse(who.bureau).get(f"/cases/{opinion}"))


def test_words_are_shared_only_where_somebody_outside_takes_part(conn, who, browse, following, due):  # noqa: F811 - fixture
    opinion, bureau = children(conn, following)[0], browse(who.bureau)
    assert "共有して書く" not in visible(bureau.get(f"/cases/{opinion}"))
    asked = {"handling": {"way": "municipality", "municipality": factory.MUNICIPALITY, "due": due}}
    act(conn, who.bureau, opinion, "handle", asked)
    assert "美瑛町と共有して書く" in visible(bureau.get(f"/cases/{opinion}"))
    assert "美瑛町の番" in visible(bureau.get(f"/cases/{following}"))


def test_a_board_tells_days_in_words_and_sets_apart_what_ended_undecided(conn, who, browse, following, due):  # noqa: F811 - fixture
    one, other, third = children(conn, following)[:3]
    act(conn, who.bureau, one, "merge", same_as=load(conn, third, who.bureau).row.number)
    act(conn, who.bureau, other, "handle", {"handling": {"way": "bureau", "due": due}})
    page = visible(browse(who.bureau).get(f"/cases/{following}/board"))
    undecided, _, ended = page.partition("決めずに終わったもの")
    assert "ほかの意見にまとめた" in ended
    assert "ほかの意見にまとめた" not in undecided
    assert due not in page
    assert "いつまで: 令和" in page
