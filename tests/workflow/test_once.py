"""A form sent twice makes one thing."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from tests import factory
from tests.factory import Cast
from workflow import cases
from workflow.cases import KeyReused
from workflow.db import Database, type_connection
from workflow.once import once


def test_a_draft_is_opened_once_however_often_the_form_is_sent(db: Database, conn: type_connection, who: Cast) -> None:
    key, form = uuid4(), factory.request_form(conn, who)

    def send(_: int) -> int:
        with db.connection() as own:
            return once(
                own, who.municipality, key, form,
                lambda: cases.open_case(own, who.municipality, "dispatch", "municipality_request", form),
            )  # fmt: skip

    with ThreadPoolExecutor(4) as pool:
        made = set(pool.map(send, range(8)))
    assert len(made) == 1
    assert conn.execute("SELECT count(*) FROM cases").fetchone() == (1,)


def test_another_content_under_the_same_key_is_refused(conn: type_connection, who: Cast) -> None:
    key = uuid4()
    assert once(conn, who.bureau, key, "a", lambda: 7) == 7
    with pytest.raises(KeyReused):
        once(conn, who.bureau, key, "b", lambda: 8)


def test_a_failed_request_may_be_sent_again_under_its_key(conn: type_connection, who: Cast) -> None:
    key = uuid4()

    def fails() -> int:
        raise ValueError

    with pytest.raises(ValueError):
        once(conn, who.bureau, key, "a", fails)
    assert once(conn, who.bureau, key, "a", lambda: 7) == 7
