"""Who works at an office today: the persons that may be named for a team, with section and title."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from workflow.access import HELD

STAFF = f"""SELECT DISTINCT ON (n.id) n.id, n.name, n.kana, p.section, p.title FROM tenure t JOIN post p ON p.id = t.post_id
JOIN person n ON n.id = t.person_id
WHERE p.org_code = %(office)s AND p.role = 'staff' AND {HELD.replace("t.person_id = %(person)s AND ", "")} ORDER BY n.id, t.id"""


@dataclass(frozen=True, slots=True)
class Colleague:
    """A person who may be sent, with the post held today."""

    id: int
    name: str
    kana: str
    section: str
    title: str


def of_office(conn: psycopg.Connection[Any], office: str) -> list[Colleague]:
    """Everybody who holds a staff post of the office today, by section and kana."""
    rows = conn.execute(STAFF, {"office": office}, prepare=True).fetchall()
    return sorted((Colleague(*row) for row in rows), key=lambda c: (c.section, c.kana, c.id))


def fill_in(conn: psycopg.Connection[Any], office: str, groups: Mapping[str, Any]) -> dict[str, Any]:
    """The field groups with name, section and role of every named person, where they were left blank.

    The name always follows the person, so that no row says one and means another.
    """
    if not any(_named(part) for part in groups.values()):
        return dict(groups)
    known = {colleague.id: colleague for colleague in of_office(conn, office)}
    return {group: _filled(part, known) for group, part in groups.items()}


def _named(part: Any) -> bool:
    if isinstance(part, Mapping):
        return bool(part.get("person")) or any(_named(value) for value in part.values())
    return isinstance(part, list) and any(_named(value) for value in part)


def _filled(part: Any, known: Mapping[int, Colleague]) -> Any:
    if isinstance(part, list):
        return [_filled(value, known) for value in part]
    if not isinstance(part, Mapping):
        return part
    found = {key: _filled(value, known) for key, value in part.items()}
    colleague = known.get(found.get("person") or 0)
    if colleague:
        blank = {"role": colleague.title, "section": colleague.section}
        found |= {"name": colleague.name} | {key: value for key, value in blank.items() if not found.get(key)}
    return found
