"""The pages over a database of the test's own, and people who sign in to them."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import psycopg
import pytest
import uvicorn
from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI
from starlette.testclient import TestClient

from tests import factory
from workflow import accounts, db
from workflow.deadlines import TOKYO
from workflow.settings import settings
from workflow.web.app import create_app

At = Callable[[date], None]

ORIGIN = "http://testserver"
PASSWORD = "とびだす隊の合言葉2026"

POSTS: dict[str, dict[str, Any]] = {
    "director": {"org_code": "hk-kamikawa", "title": "総合振興局長", "name": "局長の職にある人"},
    "bureau": {"org_code": "hk-kamikawa", "section": "地域政策課", "title": "主査A", "name": "受付の職にある人"},
    "municipality": {"org_code": "014613", "section": "総務課", "title": "係長", "name": "市町村の職にある人"},
    "auditor": {
        "org_code": "hk-headquarters",
        "title": "監査委員事務局 主査",
        "name": "監査の職にある人",
        "scope": "all",
    },
}


@dataclass
class Web:
    """The application, and the database under it."""

    app: FastAPI
    owner: psycopg.Connection[Any]
    hashed: str
    loop: BlockingPortal  # one for all requests, as a server has one: a client alone would start a new one for each

    def person(self, role: str, login: str | None = None) -> int:
        """Somebody who holds a post of that role; one hash serves all, since each takes its time."""
        post = {"section": "", "scope": "office"} | POSTS[role]
        login = login or role
        row = self.owner.execute(
            """WITH n AS (INSERT INTO person (staff_no, name, kana, mail) VALUES (%(login)s, %(name)s, '', '') RETURNING id),
                 a AS (INSERT INTO account (person_id, login, password_hash, failures, disabled)
                       SELECT id, %(login)s, %(hashed)s, 0, false FROM n),
                 p AS (INSERT INTO post (org_code, section, title, role, scope, valid_from)
                       VALUES (%(org_code)s, %(section)s, %(title)s, %(role)s, %(scope)s, '2020-04-01') RETURNING id)
               INSERT INTO tenure (person_id, post_id, valid_from) SELECT n.id, p.id, '2020-04-01' FROM n, p RETURNING person_id""",
            post | {"role": role, "login": login, "hashed": self.hashed},
        ).fetchone()
        assert row is not None
        return int(row[0])

    def client(self) -> TestClient:
        """A browser that follows no redirect and says where its requests come from."""
        made = TestClient(self.app, headers={"Origin": ORIGIN}, follow_redirects=False)
        made.portal = self.loop
        return made

    def signed_in(self, role: str) -> tuple[TestClient, str]:
        """A browser in which a person of that role is signed in, and the token of its forms."""
        person_id = self.person(role)
        with db.database().connection() as conn:
            opened = accounts.open_session(conn, person_id)
        client = self.client()
        client.cookies.set("tobidashi", opened.token)
        return client, opened.csrf


@pytest.fixture(scope="session")
def hashed() -> str:
    return accounts.hash_password(PASSWORD)


@pytest.fixture
def configured(fresh_database: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Settings that name the test's database; call it with more of them to change some."""

    def configure(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        forget_settings()

    for name in ("REDIS_URL", "SMTP_URL", "PUBLIC_URL", "TOBIDASHI_ENV"):
        monkeypatch.delenv(name, raising=False)
    configure(DATABASE_URL=fresh_database.app_url, DATABASE_OWNER_URL=fresh_database.owner_url)
    yield configure
    monkeypatch.undo()
    if db._database is not None:
        db._database.close()
    db._database = None
    forget_settings()


def forget_settings() -> None:
    settings.cache_clear()


@pytest.fixture
def owner(fresh_database: Any) -> Iterator[psycopg.Connection[Any]]:
    url = fresh_database.owner_url.replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def web(configured: Callable[..., None], owner: psycopg.Connection[Any], hashed: str) -> Iterator[Web]:
    with start_blocking_portal() as loop:
        yield Web(create_app(), owner, hashed, loop)


@pytest.fixture
def at(web: Web, fresh_database: Any) -> At:
    """Move the clock to ten o'clock on a day; it stands at the 5th of October 2026."""

    def move(day: date) -> None:
        factory.set_clock(fresh_database.owner_url, datetime(day.year, day.month, day.day, 10, tzinfo=TOKYO))

    move(date(2026, 10, 5))
    return move


@pytest.fixture
def address(web: Web) -> Iterator[str]:
    """Where the application is served over a real socket."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(web.app, log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()
