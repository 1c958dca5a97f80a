"""Who works at an office today: the persons that may be named for a team, what each is good at, when each is away."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg

from states.text import problems, search_key, visible
from workflow.access import HELD, TODAY, Actor
from workflow.loading import Loaded, NotFound
from workflow.search import people_in

Connection = psycopg.Connection[Any]

KEEPS = "bureau"  # the role that enters skills of its office
LONGEST_SKILL = 40
MOST_SKILLS = 20  # of one person
LONGEST_ABSENCE = 366  # days

STAFF = f"""WITH called AS (SELECT DISTINCT ON (o.code) o.code, o.short FROM organisation o
  WHERE o.code = ANY (%(offices)s) AND (o.valid_to IS NULL OR o.valid_to >= {TODAY}) ORDER BY o.code, o.valid_from DESC NULLS LAST)
SELECT DISTINCT ON (n.id) n.id, n.name, n.kana, p.section, p.title, p.org_code, o.short
FROM tenure t JOIN post p ON p.id = t.post_id JOIN person n ON n.id = t.person_id LEFT JOIN called o ON o.code = p.org_code
WHERE p.org_code = ANY (%(offices)s) AND p.role = 'staff' AND {HELD.replace("t.person_id = %(person)s AND ", "")}
ORDER BY n.id, array_position(%(offices)s, p.org_code), t.id"""


@dataclass(frozen=True, slots=True)
class Colleague:
    """A person who may be sent, with the post held today."""

    id: int
    name: str
    kana: str
    section: str
    title: str
    office: str
    office_name: str


def offices_of(lead: str, parties: Iterable[Mapping[str, Any]]) -> list[str]:
    """The offices whose staff may go for a case: the one that leads it, then those that join in."""
    return list(dict.fromkeys([lead, *(str(p["org_code"]) for p in parties if p["part"] == "co_office")]))


def of_offices(conn: Connection, offices: Sequence[str]) -> list[Colleague]:
    """Everybody who holds a staff post of the offices today: office by office, then by section and kana."""
    rows = conn.execute(STAFF, {"offices": list(offices)}, prepare=True).fetchall()
    found = (Colleague(r[0], r[1], r[2], r[3], r[4], r[5], r[6] or r[5]) for r in rows)
    return sorted(found, key=lambda c: (offices.index(c.office), c.section, c.kana, c.id))


def all_known(conn: Connection, case: Loaded, groups: Mapping[str, Any]) -> bool:
    """Whether everybody whom these field groups bring into a case works at one of its offices today.

    Whoever is named there may come to see the case, so that a page lists colleagues only; this holds for a page that was
    made up. Who stood in the case before stays, also after leaving the office.
    """
    begun = case.row.version > 0
    if begun and not groups:
        return True
    new = people_in(groups) - people_in(case.row.form) if begun else people_in({**case.row.form, **groups})
    if not new:
        return True
    co_offices = (p["org"] for p in case.parties if p["part"] == "co_office" and p["to"] is None)
    return new <= {colleague.id for colleague in of_offices(conn, [case.row.lead, *co_offices])}


def fill_in(conn: Connection, offices: Sequence[str], groups: Mapping[str, Any]) -> dict[str, Any]:
    """The field groups with name, section and role of every named person, where they were left blank.

    The name always follows the person, so that no row says one and means another; whoever takes another's place does
    not keep the other's section and role.
    """
    if not any(_named(part) for part in groups.values()):
        return dict(groups)
    known = {colleague.id: colleague for colleague in of_offices(conn, offices)}
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
    if colleague and "name" in found:
        of_post = {"role": colleague.title, "section": colleague.section}
        changed = bool(found["name"]) and found["name"] != colleague.name
        found |= {"name": colleague.name}
        found |= {key: value for key, value in of_post.items() if changed or not found.get(key)}
    return found


# ── skills, and days away ─────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class NotTaken(Exception):
    """Why something was not entered: field → sentence. Nothing was changed."""

    fields: Mapping[str, str]


def own_office(actor: Actor) -> str:
    """The office for which this person keeps skills. Raises `NotFound` for anybody else."""
    found = next((post.org_code for post in actor.posts if post.role == KEEPS), None)
    if found is None:
        raise NotFound
    return found


SKILLS = "SELECT person_id, skill FROM skill WHERE person_id = ANY (%(people)s) ORDER BY person_id, skill"


def skills(conn: Connection, people: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """What each of these persons is good at, in the words of the office."""
    found: dict[int, tuple[str, ...]] = dict.fromkeys(people, ())
    for person_id, skill in conn.execute(SKILLS, {"people": list(people)}, prepare=True).fetchall():
        found[person_id] = (*found[person_id], skill)
    return found


def set_skills(conn: Connection, actor: Actor, person_id: int, written: str) -> None:
    """Replace what a person of one's own office is good at; `written` separates with 、 or line breaks.

    Raises `NotFound`, `NotTaken`.
    """
    _of_own_office(conn, actor, person_id)
    wanted = {search_key(w): w for w in (word.strip() for word in written.replace("\n", "、").split("、")) if w}
    field = f"skills-{person_id}"
    if found := problems(written):
        raise NotTaken({field: f"得意なことの{'、'.join(found)}があります。取り除いてください。"})
    if long := next((w for w in wanted.values() if len(w) > LONGEST_SKILL), None):
        raise NotTaken(
            {field: f"「{visible(long[:LONGEST_SKILL])}…」が長すぎます。一つを{LONGEST_SKILL}字までにしてください。"}
        )
    if len(wanted) > MOST_SKILLS:
        raise NotTaken({field: f"得意なことは{MOST_SKILLS}個までです。いまは{len(wanted)}個あります。"})
    with conn.transaction():
        conn.execute(
            "DELETE FROM skill WHERE person_id = %s AND NOT skill = ANY (%s)", (person_id, list(wanted.values()))
        )
        conn.execute(
            "INSERT INTO skill (person_id, skill) SELECT %s, unnest(%s::text[]) ON CONFLICT DO NOTHING",
            (person_id, list(wanted.values())),
        )


def away(conn: Connection, people: Sequence[int], first: date, last: date) -> dict[int, list[tuple[date, date]]]:
    """Person → the spans of absence that touch the days from first to last."""
    found: dict[int, list[tuple[date, date]]] = {}
    told = {"people": list(people), "first": first, "last": last}
    for person_id, begins, ends in conn.execute(AWAY, told, prepare=True).fetchall():
        found.setdefault(person_id, []).append((max(begins, first), min(ends, last)))
    return found


# None is longer than LONGEST_ABSENCE, so the index ends the search where it cannot reach the first day any more.
AWAY = f"""SELECT person_id, valid_from, valid_to FROM absence WHERE person_id = ANY (%(people)s)
  AND valid_from BETWEEN %(first)s - {LONGEST_ABSENCE} AND %(last)s AND valid_to >= %(first)s ORDER BY person_id, valid_from"""


def _of_own_office(conn: Connection, actor: Actor, person_id: int) -> None:
    """Raises `NotFound` unless the person works at the office for which the actor keeps the entries."""
    if person_id not in {colleague.id for colleague in of_offices(conn, [own_office(actor)])}:
        raise NotFound
