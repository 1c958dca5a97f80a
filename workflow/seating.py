"""Who sits where, for a route: posts with holders, absences, deputies and superiors, and the rules of decision, on a day.

`OPEN_SEATS` is what the read of an act brings along: only the posts that a case asks now, and those that may stand in;
`MAKING` what the read of an act that may make a route brings besides.
"""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

import psycopg
from psycopg.rows import dict_row

from states.authority import Rule, rule_of
from states.seats import Seats, seats_of
from workflow.access import TODAY

Connection = psycopg.Connection[Any]


def in_force(table: str, day: str) -> str:
    return f"{table}.valid_from <= {day} AND ({table}.valid_to IS NULL OR {table}.valid_to >= {day})"


def superior_on(day: str) -> str:
    """The superior of post `p` on a day: the newest row that has begun, before the first one what the post itself says."""
    return f"""(SELECT x.superior_id FROM (
    SELECT u.superior_id, u.valid_from, u.id FROM superior u WHERE u.post_id = p.id AND u.valid_from <= {day}
    UNION ALL SELECT p.superior_id, NULL, 0) x ORDER BY x.valid_from DESC NULLS LAST, x.id DESC LIMIT 1)"""


def _seat(day: str, superior: str) -> str:
    """One post as a row of `seats_of`, in JSON; an absence shows its kind."""
    return f"""jsonb_build_array(p.id, p.org_code,
  (SELECT o.name FROM organisation o WHERE o.code = p.org_code AND (o.valid_from IS NULL OR o.valid_from <= {day})
     AND (o.valid_to IS NULL OR o.valid_to >= {day}) LIMIT 1),
  p.section, p.title, {superior},
  (SELECT jsonb_agg(jsonb_build_array(t.person_id, (SELECT n.name FROM person n WHERE n.id = t.person_id), t.kind,
       (SELECT a.kind FROM absence a WHERE a.person_id = t.person_id AND {in_force("a", day)} ORDER BY a.id LIMIT 1)) ORDER BY t.id)
     FROM tenure t WHERE t.post_id = p.id AND {in_force("t", day)}),
  (SELECT jsonb_agg(d.deputy_id ORDER BY d.sort, d.id) FROM deputy d WHERE d.post_id = p.id AND {in_force("d", day)}))"""


_ASKED = "SELECT substr(s.role, 2)::bigint AS id FROM step s WHERE s.case_id = c.id AND s.closed_at IS NULL AND left(s.role, 1) = '#'"
OPEN_SEATS = f"""CASE WHEN c.form ? 'route' THEN (SELECT jsonb_agg({_seat(TODAY, "p.superior_id")}) FROM post p WHERE p.id IN (
  SELECT a.id FROM ({_ASKED}) a UNION SELECT d.deputy_id FROM ({_ASKED}) a JOIN deputy d ON d.post_id = a.id)) END"""

# Of a whole office everything is joined at once, not post by post.
_DAY = "%(day)s::date"
SEATS = f"""WITH here AS (SELECT q.id, q.superior_id FROM post q
  WHERE q.org_code = ANY (%(orgs)s) OR q.org_code = (SELECT headquarters FROM installation)),
wanted AS (SELECT p.* FROM post p WHERE {in_force("p", _DAY)}
  AND (p.id IN (SELECT id FROM here)
    OR p.id IN (SELECT superior_id FROM here) OR p.id IN (SELECT u.superior_id FROM superior u JOIN here ON here.id = u.post_id))),
held AS (SELECT t.post_id, jsonb_agg(jsonb_build_array(t.person_id, n.name, t.kind,
    (SELECT a.kind FROM absence a WHERE a.person_id = t.person_id AND {in_force("a", _DAY)} ORDER BY a.id LIMIT 1)) ORDER BY t.id) AS people
  FROM tenure t JOIN person n ON n.id = t.person_id WHERE t.post_id IN (SELECT id FROM wanted) AND {in_force("t", _DAY)} GROUP BY t.post_id),
ranked AS (SELECT d.post_id, jsonb_agg(d.deputy_id ORDER BY d.sort, d.id) AS posts FROM deputy d WHERE {in_force("d", _DAY)} GROUP BY d.post_id),
named AS (SELECT DISTINCT ON (o.code) o.code, o.name FROM organisation o WHERE o.code IN (SELECT org_code FROM wanted)
  AND (o.valid_from IS NULL OR o.valid_from <= {_DAY}) AND (o.valid_to IS NULL OR o.valid_to >= {_DAY}) ORDER BY o.code)
SELECT jsonb_build_array(p.id, p.org_code, named.name, p.section, p.title, {superior_on(_DAY)}, held.people, ranked.posts)
FROM wanted p LEFT JOIN held ON held.post_id = p.id LEFT JOIN ranked ON ranked.post_id = p.id LEFT JOIN named ON named.code = p.org_code ORDER BY p.id"""


def seats(conn: Connection, orgs: Sequence[str], day: date) -> Seats:
    """The posts of these organisations, of headquarters, and above them, as they are held on that day."""
    asked = {"orgs": list(orgs), "day": day}
    return seats_of(row[0] for row in conn.execute(SEATS, asked, prepare=True).fetchall())


AROUND = f"""SELECT {_seat(TODAY, superior_on(TODAY))} FROM post p WHERE p.id = ANY (%(posts)s::bigint[])
  OR p.id IN (SELECT d.deputy_id FROM deputy d WHERE d.post_id = ANY (%(posts)s::bigint[]) AND {in_force("d", TODAY)}) ORDER BY p.id"""


def around(conn: Connection, posts: Collection[int]) -> Seats:
    """These posts as they are held today, with the posts of their deputies."""
    found = conn.execute(AROUND, {"posts": sorted(posts)}, prepare=True).fetchall() if posts else []
    return seats_of(row[0] for row in found)


_CONSENTED = f"{in_force('r', '{day}')} AND r.consented_at IS NOT NULL"
RULES = f"""SELECT * FROM authority_rule r WHERE process = %(process)s AND (office IS NULL OR office = %(office)s) AND {_CONSENTED.format(day=_DAY)}
ORDER BY id"""


def rules(conn: Connection, process: str, office: str, day: date) -> list[Rule]:
    """The rules of decision in force for an office on that day."""
    with conn.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(RULES, {"process": process, "office": office, "day": day}, prepare=True).fetchall()
    return [rule_of(row) for row in found]


_ON_LINE = f"p.id, p.org_code, p.section, p.title, p.valid_from, p.valid_to, {superior_on(TODAY)} AS superior_id"

# What a route is made of, for case `c`: the rules in force, the posts that they name and the drafter's, and all that stand above one.
MAKING = f"""(WITH RECURSIVE rule AS MATERIALIZED (SELECT r.* FROM authority_rule r WHERE r.process = c.process AND (r.office IS NULL OR r.office = c.lead)
    AND {_CONSENTED.format(day=TODAY)}),
asked AS MATERIALIZED (SELECT a ->> 'title' AS title, a ->> 'org' AS org FROM rule,
    jsonb_array_elements(rule.stages) AS stage, jsonb_array_elements(stage -> 'asked') AS a),
line AS (SELECT * FROM (
    SELECT {_ON_LINE} FROM post p WHERE p.org_code = ANY (ARRAY(SELECT org FROM asked WHERE org <> '') || (SELECT c.lead)::text)
      AND p.title = ANY (ARRAY(SELECT title FROM asked))
    UNION ALL SELECT {_ON_LINE} FROM post p WHERE p.id = (SELECT (c.form #>> '{{route,drafter_post}}')::bigint)) first
  UNION SELECT above.* FROM line, LATERAL (SELECT {_ON_LINE} FROM post p WHERE p.id = line.superior_id) above)
SELECT CASE WHEN EXISTS (SELECT 1 FROM rule) THEN jsonb_build_array(
  (SELECT jsonb_agg(jsonb_build_object('id', id, 'process', process, 'matter', matter, 'office', office, 'article', article, 'tests', tests,
    'stages', stages, 'standing', standing, 'no_deputy', no_deputy, 'bulk', bulk, 'sort', sort) ORDER BY id) FROM rule),
  (SELECT jsonb_agg({_seat(TODAY, "p.superior_id")} ORDER BY p.id) FROM line p WHERE {in_force("p", TODAY)}))
  ELSE '[null, null]'::jsonb END)"""
MADE_OF = f"SELECT {MAKING} FROM cases c WHERE c.id = %(case)s"


def made_of(told: Sequence[Any]) -> tuple[list[Rule], Seats]:
    """The rules and the seats that a route is made of, from what `MAKING` tells."""
    found, there = told
    return [rule_of(rule) for rule in found or ()], seats_of(there or ())


def read_made_of(conn: Connection, case_id: int) -> Sequence[Any]:
    """What a route of this case would be made of today, as `MAKING` tells it."""
    row = conn.execute(MADE_OF, {"case": case_id}, prepare=True).fetchone()
    return row[0] if row else (None, None)


POSTS = f"SELECT {_seat('%(day)s::date', 'p.superior_id')} FROM post p WHERE p.id = ANY (%(posts)s) ORDER BY p.id"


def posts_on(conn: Connection, posts: Sequence[int], day: date) -> Seats:
    """These posts as they are held on that day."""
    rows = conn.execute(POSTS, {"posts": list(posts), "day": day}, prepare=True).fetchall() if posts else []
    return seats_of(row[0] for row in rows)
