"""Every route × role in one table. A route that is not listed fails; a foreign case does not exist; reading changes nothing.

How a cell is asked: what a person may do is asked with something missing where doing it would use the case up, so that
422 says "allowed, but incomplete", 403 "not your role", 404 "there is no such thing for you". 303 is done, or the way to
the sign-in; 401 is a post of nobody.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.testclient import TestClient

from tests import factory
from tests.conftest import Database as Urls
from tests.factory import HEADQUARTERS, OFFICE
from workflow import accounts, db, reports
from workflow.deadlines import TOKYO
from workflow.settings import settings
from workflow.web import render
from workflow.web.app import create_app

ORIGIN = "http://testserver"
NOW = datetime(2026, 10, 14, 9, tzinfo=TOKYO)

# Who asks. First nobody and those whose case it is; behind the line the same roles elsewhere: another municipality, another
# bureau's officer, director and records officer, and a member of the same bureau's staff who is not sent.
COLUMNS = """
    nobody municipality bureau director headquarters staff auditor records administrator |
    other_municipality other_bureau other_director other_staff other_records
"""
# Method, path, [what is asked], and a status for each column.
TABLE = """
"""


@dataclass
class World:
    """The application, its people, and something of every kind that a path can name; made once for the whole table."""

    app: FastAPI
    conn: psycopg.Connection[Any]
    who: factory.Cast
    people: dict[str, int]
    cases: dict[str, int] = field(default_factory=dict)
    clients: dict[str, tuple[TestClient, str]] = field(default_factory=dict)

    def client(self, column: str, *, fresh: bool = False) -> tuple[TestClient, str]:
        """A browser of that person and the token of its forms."""
        if column not in self.clients or fresh:
            client, csrf = TestClient(self.app, headers={"Origin": ORIGIN}, follow_redirects=False), ""
            if column in self.people:
                opened = accounts.open_session(self.conn, self.people[column])
                client.cookies.set("tobidashi", opened.token)
                csrf = opened.csrf
            self.clients[column] = client, csrf
        return self.clients[column]

    def draft(self) -> int:
        return factory.opened(self.conn, self.who)

    def version(self, case: str) -> str:
        return str(factory.version(self.conn, self.cases[case]))


@pytest.fixture
def world(fresh_database: Urls, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name in ("REDIS_URL", "SMTP_URL", "PUBLIC_URL", "TOBIDASHI_ENV"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATABASE_URL", fresh_database.app_url)
    settings.cache_clear()
    render.environment.cache_clear()
    factory.set_clock(fresh_database.owner_url, NOW)
    with db.database().connection() as conn:
        yield _furnished(create_app(), conn)
    db.database().close()
    db._database = None
    monkeypatch.undo()
    settings.cache_clear()
    render.environment.cache_clear()


def _furnished(app: FastAPI, conn: psycopg.Connection[Any]) -> World:
    who = factory.cast(conn)
    people = {role: getattr(who, role) for role in ("municipality", "bureau", "director", "headquarters", "staff", "auditor", "records")}
    people["administrator"] = factory.person(conn, "administrator", HEADQUARTERS)
    people["other_municipality"] = factory.person(conn, "municipality", "014583")
    people["other_staff"] = factory.person(conn, "staff", OFFICE)
    people |= {f"other_{role}": factory.person(conn, role, "hk-sorachi") for role in ("bureau", "director", "records")}
    for person_id in people.values():
        conn.execute(
            "INSERT INTO account (person_id, login, password_hash, failures, disabled) VALUES (%s, %s, '', 0, false)",
            (person_id, f"p{person_id}"),
        )
    made = World(app, conn, who, people)
    steps = ["submit", "receive", "propose_team", "put_to_director", "approve"]
    for name, count in (("examined", 3), ("judged", 4), ("decided", 5)):
        made.cases[name] = made.draft()
        factory.drive(conn, who, made.cases[name], *steps[:count])
    made.cases["draft"] = made.draft()
    made.cases["job"] = reports.ask_report(conn, who.bureau, "dispatch", "year-end", OFFICE, 2026)
    assert reports.compile_next(db.database())
    row = conn.execute(
        """INSERT INTO recognition (office_code, name, name_key, decided_on, reference, scope) VALUES (%s, 'x', 'x', '2026-04-01', '', '')
           RETURNING id""",
        (OFFICE,),
    ).fetchone()
    assert row is not None
    made.cases["entry"] = row[0]
    return made


Fields = dict[str, str]
REPORT = {"report": "dispatch/year-end", "office": OFFICE, "year": "2026"}


def _act(case: str) -> Callable[[World], Fields]:
    return lambda world: {"version": world.version(case), "key": str(uuid4())}


# What is asked, by the word in brackets: the parts of the path, the question behind it, the fields of a post.
ASKED: dict[str, tuple[Callable[[World], dict[str, Any]], str, Callable[[World], Fields]]] = {}


def test_the_table_lists_every_route_and_no_other(world: World) -> None: ...
