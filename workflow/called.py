"""What the codes and numbers that were picked from lists are called: posts, organisations, municipalities, persons.

A form and an act keep the code; people read the name, also of what is not there any more.
"""

from collections.abc import Callable, Mapping
from typing import Any

import psycopg

from states.kernel import Process
from workflow import offered

POST, PERSON, SEVERAL = "post", "person", "municipalities"
ORGANISATIONS = frozenset({"department", "municipality", "office", "partner"})
PERSONS = "SELECT name FROM person WHERE id = %s"

Teller = Callable[[str, Any], tuple[str, str]]  # path and value of a field → what it is called, its value in words


class Called:
    """The names by kind and code; each is looked up once, and only when something asks for it."""

    def __init__(self, conn: psycopg.Connection[Any]) -> None:
        self._conn = conn
        self._known: dict[tuple[str, str], str] = {}

    def __call__(self, kind: str, value: Any) -> Any:
        """The name of what a field of this kind holds; a value of another kind as it is."""
        if value in (None, "") or isinstance(value, bool | Mapping | list):
            return value
        if kind == SEVERAL:
            return "、".join(self._one("municipality", code) for code in str(value).split())
        return self._one(kind, str(value)) if kind in ORGANISATIONS | {POST, PERSON} else value

    def _one(self, kind: str, code: str) -> str:
        if (kind, code) not in self._known:
            self._known[kind, code] = self._looked_up(kind, code) or code
        return self._known[kind, code]

    def _looked_up(self, kind: str, code: str) -> str:
        if kind == PERSON:
            number = int(code) if code.isascii() and code.isdecimal() and len(code) < 19 else 0
            row = self._conn.execute(PERSONS, (number,), prepare=True).fetchone()
            return str(row[0]) if row else ""
        one = frozenset({code})
        found = offered.names(self._conn, *((one, frozenset()) if kind == POST else (frozenset(), one)))
        return found.get(code, "")


def teller(conn: psycopg.Connection[Any], process: Process) -> Teller:
    """`Process.told` with names where the form keeps codes."""
    form = process.form
    if form is None:
        return process.told
    called = Called(conn)
    return lambda path, value: process.told(path, form.named(path, value, called))
