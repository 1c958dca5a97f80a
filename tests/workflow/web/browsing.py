"""A browser without JavaScript: reads pages, sends their forms with the page's own token and keys."""

import re
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from uuid import uuid4

from starlette.testclient import TestClient

from tests.workflow.web.conftest import Web
from workflow import accounts
from workflow.db import type_connection


class Page(HTMLParser):
    """What a browser would send from the form that holds a button of that name and value, and what stands on the page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.fields: list[tuple[str, str]] = []
        self.text: list[str] = []
        self._area: str | None = None
        self._select: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        a = {key: value or "" for key, value in attrs}
        if tag == "input" and a.get("name") and (a.get("type") not in ("radio", "checkbox") or "checked" in a):
            self.fields.append((a["name"], a.get("value", "")))
        if tag == "textarea":
            self._area = a.get("name", "")
            self.fields.append((self._area, ""))
        if tag == "select":
            self._select = a.get("name", "")
        if tag == "option" and self._select and "selected" in a:
            self.fields.append((self._select, a["value"]))

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._area = None
        if tag == "select":
            self._select = None

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self.fields[-1] = (self._area, data.removeprefix("\n"))
        else:
            self.text.append(data)


@dataclass
class Browser:
    """One person's browser: reads pages, sends forms with the page's own token and keys."""

    client: TestClient
    csrf: str

    def get(self, path: str) -> str:
        answer = self.client.get(path, follow_redirects=True)
        assert answer.status_code == 200, (path, answer.status_code)
        return answer.text

    def send(self, path: str, fields: dict[str, str], status: int = 303) -> Any:
        key = {} if "key" in fields or not path.startswith("/cases/new") else {"key": str(uuid4())}
        answer = self.client.post(path, data={"csrf": self.csrf, **key, **fields})
        assert answer.status_code == status, (answer.status_code, visible(answer.text)[:2000])
        return answer


def visible(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))


def sheet(html: str) -> dict[str, str]:
    return dict(Page(html).fields)


def browser_of(web: Web, conn: type_connection, person_id: int) -> Browser:
    """A browser in which the person is signed in; the account is made where there is none."""
    conn.execute(
        """INSERT INTO account (person_id, login, password_hash, failures, disabled)
           VALUES (%s, %s, %s, 0, false) ON CONFLICT DO NOTHING""",
        (person_id, f"p{person_id}", web.hashed),
    )
    opened = accounts.open_session(conn, person_id)
    client = web.client()
    client.cookies.set("tobidashi", opened.token)
    return Browser(client, opened.csrf)
