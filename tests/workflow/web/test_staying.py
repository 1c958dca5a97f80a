"""On its page an office chooses to go on with a case whose municipality went to another bureau, and writes why."""

from collections.abc import Callable
from datetime import date
from typing import Any

import psycopg
import pytest

from tests import factory
from tests.workflow.web.browsing import Browser, browser_of, sheet, visible
from tests.workflow.web.conftest import At, Web
from workflow import following, queries
from workflow.db import database, type_connection

Browse = Callable[[int], Browser]
pytestmark = pytest.mark.usefixtures("at")


@pytest.fixture
def browse(web: Web, conn: type_connection) -> Browse:
    return lambda person_id: browser_of(web, conn, person_id)


@pytest.fixture
def elsewhere(conn: type_connection, who: factory.Cast, at: At, owner: psycopg.Connection[Any]) -> int:
    """A request that is examined when its municipality goes to the neighbouring bureau."""
    at(date(2026, 11, 24))
    case = factory.opened(conn, who, first=date(2026, 12, 21))
    factory.drive(conn, who, case, "submit", "receive")
    owner.execute("UPDATE organisation SET valid_to = '2026-11-30' WHERE code = %s AND valid_to IS NULL", (who.place,))
    owner.execute(
        """INSERT INTO organisation (code, kind, name, short, kana, office, sort, contact, valid_from)
           VALUES (%s, 'municipality', '美瑛町', '美瑛町', '', 'hk-sorachi', 1, '', '2026-12-01')""",
        (who.place,),
    )
    at(date(2026, 12, 1))
    following.follow(database())
    return case


def test_the_choice_is_put_before_the_office_and_made_with_a_reason(
    browse: Browse, conn: type_connection, who: factory.Cast, elsewhere: int
) -> None:
    seat, address = browse(who.bureau), f"/cases/{elsewhere}/stay"
    assert "「転送する」を、いまの局で続けるときは「いまの局で続ける」を選んでください" in visible(seat.get("/inbox"))
    assert f'href="{address}"' in seat.get(f"/cases/{elsewhere}")
    html = seat.get(address)
    assert "美瑛町の所管は、空知総合振興局に変わりました。" in visible(html)
    lacking = seat.client.post(address, data=sheet(html) | {"reason": ""})
    assert lacking.status_code == 422
    assert "まだ選んでいません" in visible(lacking.text)
    answer = seat.send(address, sheet(html) | {"reason": "判断が近いため、いまの局で終える。"})
    assert answer.status_code == 303
    told = visible(seat.get(answer.headers["location"]))
    assert "「いまの局で続ける」を行いました" in told
    assert "判断が近いため、いまの局で終える。" in told
    assert list(queries.inbox(conn, who.bureau).attention) == []
    assert seat.client.get(address).status_code == 404, "it is chosen"
    assert address not in seat.get(f"/cases/{elsewhere}")
    town = visible(browse(who.municipality).get(f"/cases/{elsewhere}"))
    assert "判断が近いため" not in town


def test_nobody_else_is_offered_the_choice(browse: Browse, who: factory.Cast, elsewhere: int) -> None:
    for person in (who.municipality, who.director, who.headquarters, who.auditor):
        seat = browse(person)
        assert seat.client.get(f"/cases/{elsewhere}/stay").status_code == 404
        assert "いまの局で続ける(理由を残す)" not in seat.get(f"/cases/{elsewhere}")
