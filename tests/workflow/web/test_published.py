"""The page of what was published, and what of it stands beside the form of a consultation that is being taken."""

from collections.abc import Callable
from typing import Any

import pytest

from tests import desk, factory
from tests.workflow.web.browsing import Browser, browser_of, visible
from tests.workflow.web.conftest import Web
from workflow.db import type_connection

pytestmark = pytest.mark.usefixtures("at")
Browse = Callable[[int], Browser]
QUESTION, REPLY = "空き家を宿にできるか", "用途の変更を町と確かめてください。"


@pytest.fixture
def browse(web: Web, conn: type_connection) -> Browse:
    return lambda person_id: browser_of(web, conn, person_id)


def test_a_municipality_searches_what_is_published(conn: Any, who: factory.Cast, browse: Browse) -> None:
    desk.published(conn, who, QUESTION, REPLY, field="region")
    desk.published(conn, who, "ホタテの殻の処理", "廃棄物として扱います。", field="primary")
    town = browse(factory.person(conn, "municipality", "012149"))
    assert ">公開Q&amp;A</a>" in town.get("/inbox")
    told = visible(town.get("/published"))
    assert QUESTION in told
    assert REPLY in told
    assert "まで有効" in told
    assert "地域づくり・移住" in told
    assert "丘野" not in told
    assert "相談-R8" not in told
    narrowed = visible(town.get("/published?q=ホタテ&kind=primary"))
    assert QUESTION not in narrowed
    assert "廃棄物として" in narrowed
    assert "見つかりませんでした" in visible(town.get("/published?q=ホタテ&kind=region"))
    assert "まだ探していません" in visible(town.get("/published?q=" + "長" * 201))
    assert "公開Q&amp;A 1 件" in visible(town.get("/search?q=ホタテ"))
    assert "公開Q&amp;A 0 件" in visible(town.get("/search?q=除雪"))
    assert "相談-R8" in visible(browse(who.bureau).get("/published"))  # the office may open the case


def test_nobody_opens_what_no_process_publishes(conn: Any, who: factory.Cast, browse: Browse) -> None:
    assert browse(who.bureau).client.get("/published?of=dispatch").status_code == 404
    outsider = browse(factory.person(conn, "administrator", "hk-headquarters"))
    assert outsider.client.get("/published").status_code == 404
    assert 'href="/published"' not in outsider.get("/inbox")


def test_beside_the_form_while_somebody_is_on_the_telephone(conn: Any, who: factory.Cast, browse: Browse) -> None:
    desk.published(conn, who, QUESTION, REPLY)
    officer = browse(who.bureau)
    blank = visible(officer.get("/cases/new?process=consultation&origin=desk"))
    assert "公開されている似た答え" in blank
    assert REPLY not in blank
    kept = officer.client.post(
        "/cases/new/autosave?process=consultation&origin=desk",
        data={"csrf": officer.csrf, "key": "0b6f5f2e-3d0e-4a34-9a2b-1f0a5f1f9c11", "matter.subject": "使っていない空き家を宿にしたい"},
    )  # fmt: skip
    assert REPLY in kept.json()["parts"]["live-published"]
    case = desk.received(conn, who, "空き家を宿にする手続")
    assert REPLY in visible(officer.get(f"/cases/{case}"))
    assert "公開されている似た答え" not in visible(officer.get("/cases/new?process=dispatch&origin=director"))
