"""Who sits where: the desks that an act or a date concerns, and the people who hold their posts today.

The same code tells before an act who will be told, and tells them afterwards.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import psycopg

from states.routes import Route
from workflow.access import PARTS, TODAY
from workflow.deputies import acting, posts_of
from workflow.line import apart
from workflow.seating import around

Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True)
class Desk:
    """Where somebody is told: an organisation's role or one person; `ask` is empty for those who are only informed.

    `kind` is the sort of work; `absent` is the desk of an absent holder where a deputy is told that he may act.
    """

    org: str
    role: str
    person: int | None = None
    ask: str = ""
    due_at: datetime | None = None
    kind: str = ""
    absent: "Desk | None" = None


CURRENT = "v.valid_to IS NULL"
_IN_FORCE = f"""t.valid_from <= {TODAY} AND (t.valid_to IS NULL OR t.valid_to >= {TODAY})
    AND p.valid_from <= {TODAY} AND (p.valid_to IS NULL OR p.valid_to >= {TODAY})"""

# The holders that an act informs, as desks: by their part in the case, staff by their own assignment.
TELLS = f"""SELECT v.org_code, 'municipality', NULL::bigint FROM party v
  WHERE v.case_id = %(case)s AND {CURRENT}
    AND (v.part IN ('requester', 'destination', 'partner') AND 'municipality' = ANY (%(tells)s) OR v.part = 'partner' AND 'partner' = ANY (%(tells)s))
UNION SELECT v.org_code, 'bureau', NULL FROM party v
  WHERE v.case_id = %(case)s AND v.part = 'co_office' AND {CURRENT} AND 'bureau' = ANY (%(tells)s)
UNION SELECT v.org_code, 'department', NULL FROM party v
  WHERE v.case_id = %(case)s AND v.part = 'asked' AND {CURRENT} AND 'department' = ANY (%(tells)s)
UNION SELECT v.org_code, v.part, NULL FROM party v
  WHERE v.case_id = %(case)s AND v.part IN ('personnel', 'body') AND {CURRENT} AND v.part = ANY (%(tells)s)
UNION SELECT c.lead, u.role, NULL FROM cases c, unnest(%(tells)s::text[]) AS u (role) WHERE c.id = %(case)s AND u.role = ANY (%(leading)s)
UNION SELECT i.headquarters, 'headquarters', NULL FROM installation i WHERE 'headquarters' = ANY (%(tells)s)
UNION SELECT c.lead, 'staff', a.person_id FROM cases c JOIN assignment a ON a.case_id = c.id
  WHERE c.id = %(case)s AND 'staff' = ANY (%(tells)s)"""

# A named person is told while holding any post, the one of the desk's role first; else everybody at the desk. What a desk
# asks is told to whoever finds it in the inbox without looking further: not to posts of the line, while an officer is there.
HOLDERS = f"""SELECT d.no, n.id, n.mail, h.org_code, h.section, h.title
FROM unnest(%(org)s::text[], %(role)s::text[], %(person)s::bigint[], %(asks)s::boolean[]) WITH ORDINALITY AS d (org, role, person, asks, no)
JOIN LATERAL (
  SELECT DISTINCT ON (t.person_id) t.person_id, p.org_code, p.section, p.title FROM post p JOIN tenure t ON t.post_id = p.id
  WHERE {_IN_FORCE} AND CASE WHEN d.person IS NOT NULL THEN t.person_id = d.person
    WHEN p.org_code = d.org AND p.role = d.role THEN NOT (d.asks AND {apart("p")}) ELSE '#' || p.id = d.role END
  ORDER BY t.person_id, p.role <> d.role, t.id) h ON true
JOIN person n ON n.id = h.person_id ORDER BY d.no, n.id"""


def desks_told(conn: Connection, case_id: int, tells: Sequence[str]) -> list[Desk]:
    """The desks that an act by which these holders are informed tells on this case."""
    leading = [role for role, parts in PARTS.items() if "lead" in parts]
    found = conn.execute(TELLS, {"case": case_id, "tells": list(tells), "leading": leading}, prepare=True).fetchall()
    return [Desk(*row) for row in sorted(found, key=str)]


@dataclass(slots=True)
class Addressee:
    """A person with every desk that is a reason to write."""

    person_id: int
    mail: str
    org: str
    section: str
    title: str
    desks: list[Desk]


def audience(
    conn: Connection, desks: Sequence[Desk], actor: str, route: Route | None = None
) -> tuple[list[Addressee], list[Desk]]:
    """Each person at these desks once, without the one who acted; and the desks that ask but where nobody sits.

    Of a route also those who may act now for an absent holder whom it asks.
    """
    if route is not None:
        desks = [*desks, *_deputies(conn, desks, route)]
    where = {
        "org": [d.org for d in desks], "role": [d.role for d in desks], "person": [d.person for d in desks],
        "asks": [bool(d.ask) for d in desks],
    }  # fmt: skip
    found: dict[int, Addressee] = {}
    seated: set[int] = set()
    for number, person, mail, org, section, title in conn.execute(HOLDERS, where, prepare=True).fetchall():
        seated.add(number)
        if str(person) != actor:
            known = found.setdefault(person, Addressee(person, mail, org, section, title, []))
            known.desks.append(desks[number - 1])
    empty = [desk for number, desk in enumerate(desks, start=1) if desk.ask and number not in seated]
    return list(found.values()), empty


def _deputies(conn: Connection, desks: Sequence[Desk], route: Route) -> list[Desk]:
    asked = {desk: int(desk.role[1:]) for desk in desks if desk.ask and desk.role.startswith("#")}
    near = around(conn, set(asked.values()))
    return [
        replace(desk, role=f"#{one.seat}", person=person, absent=desk)
        for desk, post in asked.items()
        for person, one in acting(near, route, post)
    ]


CALLED = "SELECT '#' || id, concat_ws(' ', nullif(section, ''), title) FROM post WHERE id = ANY (%s)"


def called(conn: Connection, desks: Sequence[Desk]) -> dict[str, str]:
    """What the posts among these desks are called, by desk."""
    roles = sorted({desk.role for desk in desks if desk.role.startswith("#")})
    return dict(conn.execute(CALLED, (posts_of(roles),), prepare=True).fetchall()) if roles else {}
