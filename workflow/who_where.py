"""Persons, organisations and recognised bodies that a search finds, within the reader's reach; few enough to be gone through."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from states.places import Directory
from states.text import search_key
from workflow import finding, recognitions, search
from workflow.access import HELD, SCOPE, TODAY, VISIBLE, Actor
from workflow.finding import INSIDE, STANDING
from workflow.queries import Connection, _dicts

PEOPLE = f"""WITH {SCOPE}
SELECT DISTINCT ON (n.id) n.id, n.name, n.kana, n.staff_no, p.section, p.title, p.org_code,
  (SELECT o.name FROM organisation o WHERE o.code = p.org_code AND (o.valid_from IS NULL OR o.valid_from <= {TODAY})
   AND (o.valid_to IS NULL OR o.valid_to >= {TODAY}) LIMIT 1) AS org_name
FROM me CROSS JOIN tenure t JOIN post p ON p.id = t.post_id JOIN person n ON n.id = t.person_id
WHERE {HELD.replace("t.person_id = %(person)s AND ", "")} AND (me.wide OR p.org_code = ANY (me.orgs))
  AND (%(only)s = 0 OR n.id = %(only)s) ORDER BY n.id, t.id"""

# On which cases somebody was or will be sent, as far as the reader stands inside them.
SENT = f"""WITH {SCOPE}, {STANDING} SELECT a.person_id, count(DISTINCT a.case_id) AS cases
FROM me CROSS JOIN standing CROSS JOIN assignment a JOIN cases c ON c.id = a.case_id
WHERE a.person_id = ANY (%(people)s) AND {VISIBLE} AND {INSIDE} GROUP BY a.person_id"""

ORGANISATIONS = f"""SELECT code, kind, name, short, office FROM organisation
WHERE kind NOT IN ('headquarters', 'body') AND (valid_from IS NULL OR valid_from <= {TODAY}) AND (valid_to IS NULL OR valid_to >= {TODAY})
ORDER BY kind, sort, code"""


def people(conn: Connection, reader: Actor, words: Sequence[str], *, only: int = 0) -> list[dict[str, Any]]:
    """Who of the offices in the reader's reach is called so, or has such a post; of one person without any word."""
    told = ("name", "kana", "staff_no", "section", "title")
    rows = _dicts(conn, PEOPLE, {"person": reader.person_id, "only": only})
    rows = [row for row in rows if only or says([row[key] for key in told], words)]
    rows.sort(key=lambda row: (row["org_code"], row["kana"], row["id"]))
    return rows


def sent(conn: Connection, reader: Actor, people_ids: Sequence[int]) -> dict[int, int]:
    """On how many cases each of these persons is, counting those that the reader may know of."""
    params = finding.reading(reader) | {"people": list(people_ids)}
    return {row["person_id"]: row["cases"] for row in _dicts(conn, SENT, params)}


def organisations(conn: Connection, reader: Actor, words: Sequence[str]) -> list[dict[str, Any]]:
    """Offices and municipalities in the reader's reach by their names, readings and former names.

    `former` are the names under which it was found, where it is not called so any more.
    """
    wide = any(post.scope == "all" for post in reader.posts)
    rows = _dicts(conn, ORGANISATIONS, {})
    own = {row["office"] for row in rows if row["code"] in reader.orgs} | reader.orgs
    found = []
    for row in rows:
        near = wide or row["code"] in own or row["office"] in reader.orgs
        names = [row["name"], row["short"], *search.called(row["code"])]
        if near and says(names, words):
            former = [
                name
                for name, reading in _former(row["code"])
                if name != row["name"] and any(says([name, reading], [w]) for w in words)
            ]
            found.append(row | {"former": former})
    return found


def bodies(conn: Connection, reader: Actor, words: Sequence[str]) -> list[Mapping[str, Any]]:
    """Recognised bodies in the reader's reach."""
    if not reader.roles & recognitions.READERS:
        return []
    return [row for row in recognitions.listed(conn, reader.person_id) if says([row["name"], row["scope"]], words)]


@lru_cache(maxsize=4096)
def _former(code: str) -> tuple[tuple[str, str], ...]:
    """What the organisation, or one that it took in, was called before, with the reading."""
    directory = Directory.from_csv()
    office = directory.office(code)
    own = [(office.predecessor, "")] if office and office.predecessor else []
    ended = [(m.name, m.kana) for m in directory.municipalities if m.valid_to and code in (m.code, m.successor_code)]
    return tuple(dict.fromkeys([*own, *ended]))


def says(texts: Iterable[str | None], words: Sequence[str]) -> bool:
    """Whether every word stands in one of the texts."""
    keys = [_key(text) for text in texts if text]
    return bool(words) and all(any(word in key for key in keys) for word in words)


@lru_cache(maxsize=20_000)
def _key(text: str) -> str:
    return search_key.__wrapped__(text)
