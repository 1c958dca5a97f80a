"""The reception page: three fields first, it saves itself, and earlier consultations like the one at hand stand beside it."""

import re
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests import factory
from tests.workflow.web.browsing import Browser, browser_of, visible
from tests.workflow.web.conftest import Web
from workflow import cases
from workflow.db import database, type_connection
from workflow.loading import load

NEW = "/cases/new?process=consultation&origin=desk"


@pytest.fixture
def conn(web: Web) -> Iterator[type_connection]:
    with database().connection() as connection:
        yield connection


@pytest.fixture
def who(conn: type_connection) -> factory.Cast:
    return factory.cast(conn)


@pytest.fixture
def browse(web: Web, conn: type_connection) -> Callable[[int], Browser]:
    return lambda person_id: browser_of(web, conn, person_id)


def drafted(conn: Any, who: factory.Cast, subject: str) -> int:
    form = {"matter": {"subject": subject, "body": "聞きたい。", "municipality_name": "美瑛町"}}
    case: int = cases.open_case(conn, who.bureau, "consultation", "desk", form)
    return case


def test_the_three_fields_come_first(who, browse):
    page = browse(who.bureau).client.get(NEW).text
    names = re.findall(r'<(?:input|textarea|select)[^>]*\sname="([a-z_]+\.[a-z_]+)"', page)
    assert list(dict.fromkeys(names))[:3] == ["matter.subject", "matter.body", "matter.municipality_name"]
    assert "data-autosave=" in page


def test_an_earlier_consultation_like_it_stands_beside_the_page(conn, who, browse):
    earlier = drafted(conn, who, "空き家バンクの立ち上げ")
    cases.act(conn, who.bureau, earlier, "receive", version=0, key=uuid4(), inputs={}, form={})
    number = load(conn, earlier, who.bureau).row.number
    later = drafted(conn, who, "空き家バンクの始め方")
    shown = visible(browse(who.bureau).client.get(f"/cases/{later}/edit").text)
    assert number
    assert number in shown


def test_its_case_page_and_every_act_page_open(conn, who, browse):
    case = drafted(conn, who, "空き家の活用")
    cases.act(conn, who.bureau, case, "receive", version=0, key=uuid4(), inputs={}, form={})
    cases.act(conn, who.bureau, case, "take", version=1, key=uuid4(), inputs={}, form={})
    client = browse(who.bureau).client
    assert client.get(f"/cases/{case}").status_code == 200
    pages = [f"/cases/{case}/actions/{o.action.name}" for o in cases.look(conn, who.bureau, case).offers]
    assert {page: client.get(page).status_code for page in pages} == dict.fromkeys(pages, 200)
