"""The lists from which something of a case is picked: posts of an office, departments of headquarters, municipalities."""

from collections.abc import Mapping
from typing import Any

import psycopg

from states.places import Directory
from workflow.access import TODAY

_IN_FORCE = f"({{0}}.valid_from IS NULL OR {{0}}.valid_from <= {TODAY}) AND ({{0}}.valid_to IS NULL OR {{0}}.valid_to >= {TODAY})"
HANDLES = ("bureau", "director")  # roles of the posts that may be asked for something at an office
POSTS = f"""SELECT p.id::text, p.section, p.title FROM post p WHERE p.org_code = %(org)s AND p.role = ANY (%(roles)s) AND {_IN_FORCE.format("p")}
ORDER BY p.id"""
DEPARTMENTS = f"""SELECT o.code, o.name FROM organisation o WHERE o.kind = 'department' AND {_IN_FORCE.format("o")} ORDER BY o.sort, o.code"""


def lists(conn: psycopg.Connection[Any], kinds: frozenset[str], office: str) -> dict[str, Mapping[str, str]]:
    """By kind, what may be picked today: value and label, in the order of the page."""
    found: dict[str, Mapping[str, str]] = {}
    if "post" in kinds:
        rows = conn.execute(POSTS, {"org": office, "roles": list(HANDLES)}, prepare=True).fetchall()
        found["post"] = {key: " ".join(filter(None, words)) for key, *words in rows}
    if "department" in kinds:
        found["department"] = dict(conn.execute(DEPARTMENTS, prepare=True).fetchall())
    if "municipality" in kinds:
        today = conn.execute(f"SELECT {TODAY}", prepare=True).fetchone()
        assert today is not None
        found["municipality"] = {place.code: place.name for place in Directory.from_csv().of_office(office, today[0])}
    return found


def names(conn: psycopg.Connection[Any], posts: frozenset[str], organisations: frozenset[str]) -> dict[str, str]:
    """What these posts and organisations are called, whether they are there today or not."""
    found: dict[str, str] = {}
    numbers = [int(post) for post in posts if post.isascii() and post.isdecimal() and len(post) < 19]
    if numbers:
        rows = conn.execute(
            "SELECT id::text, section, title FROM post WHERE id = ANY (%s)", (numbers,), prepare=True
        ).fetchall()
        found |= {key: " ".join(filter(None, words)) for key, *words in rows}
    if organisations:
        text = "SELECT code, name FROM organisation WHERE code = ANY (%s) ORDER BY valid_from NULLS FIRST"
        found |= dict(conn.execute(text, (sorted(organisations),), prepare=True).fetchall())
    return found
