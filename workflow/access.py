"""The one answer to *may this person see, or do, this?* – fragments for every query, roles for every act.

`SCOPE` is the actor's posts of today by the database's clock, `VISIBLE` what they let one read. Both are plain SQL with
the parameter `person`, so that constant SQL uses them as they are: `WITH {SCOPE} SELECT … FROM me, cases c WHERE {VISIBLE}`.
Headquarters and auditors see by their post's scope, everybody else through the parties of a case, staff through their
own assignments. A case that is not open yet (a draft, a municipality's own approval) is its writer's office alone. What
one may not see does not exist.

`VISIBLE` is the case as it is now. An organisation whose part has ended reads it as it was then (`ended`): `ONCE` lets such
a case through too, only where `UNTIL`, the last event that the reader has, is asked as well.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import psycopg

# What `clock_now()` returns, written out: inside a busy statement the function would be called row by row.
CLOCK_NOW = "(now() + (SELECT clock_offset FROM installation))"
TODAY = f"({CLOCK_NOW} AT TIME ZONE 'Asia/Tokyo')::date"

HELD = f"""t.person_id = %(person)s AND t.valid_from <= {TODAY} AND (t.valid_to IS NULL OR t.valid_to >= {TODAY})
  AND p.valid_from <= {TODAY} AND (p.valid_to IS NULL OR p.valid_to >= {TODAY})"""

SCOPE = f"""me AS MATERIALIZED (
  SELECT coalesce(array_agg(DISTINCT p.org_code) FILTER (WHERE p.scope = 'office'), '{{}}') AS orgs,
         coalesce(bool_or(p.scope = 'all'), false) AS wide,
         jsonb_agg(jsonb_build_array(p.id, p.org_code, p.section, p.title, p.role, p.scope) ORDER BY t.id) AS posts
  FROM tenure t JOIN post p ON p.id = t.post_id WHERE {HELD})"""

VISIBLE = """((me.wide AND c.open)
  OR EXISTS (SELECT 1 FROM party v WHERE v.case_id = c.id AND v.org_code = ANY (me.orgs) AND v.valid_to IS NULL)
  OR EXISTS (SELECT 1 FROM assignment a WHERE a.case_id = c.id AND a.person_id = %(person)s AND c.open))"""
_LEFT = "FROM party v WHERE v.case_id = c.id AND v.org_code = ANY (me.orgs) AND v.until_seq IS NOT NULL"
ONCE = f"({VISIBLE} OR EXISTS (SELECT 1 {_LEFT}))"
UNTIL = f"(CASE WHEN NOT {VISIBLE} THEN (SELECT max(v.until_seq) {_LEFT}) END)"


@dataclass(frozen=True, slots=True)
class PostHeld:
    """A post that somebody holds today."""

    id: int
    org_code: str
    section: str
    title: str
    role: str
    scope: str
    org_name: str = ""
    org_short: str = ""


@dataclass(frozen=True)
class Actor:
    """A signed-in person with the posts of today; no post, no right."""

    person_id: int
    name: str
    staff_no: str
    posts: tuple[PostHeld, ...]

    @cached_property
    def roles(self) -> frozenset[str]:
        return frozenset(p.role for p in self.posts)

    @cached_property
    def orgs(self) -> frozenset[str]:
        return frozenset(p.org_code for p in self.posts)

    @property
    def home(self) -> PostHeld | None:
        return self.posts[0] if self.posts else None


ACTOR = f"""SELECT n.id, n.name, n.staff_no, p.id, p.org_code, p.section, p.title, p.role, p.scope, o.name, o.short
FROM person n LEFT JOIN (tenure t JOIN post p ON p.id = t.post_id AND {HELD}) ON t.person_id = n.id
LEFT JOIN LATERAL (SELECT name, short FROM organisation o WHERE o.code = p.org_code
  AND (o.valid_from IS NULL OR o.valid_from <= {TODAY}) AND (o.valid_to IS NULL OR o.valid_to >= {TODAY}) LIMIT 1) o ON true
WHERE n.id = %(person)s ORDER BY t.id"""


def actor(conn: psycopg.Connection[Any], person_id: int) -> Actor | None:
    """The person with the posts held today by the database's clock; None when there is no such person."""
    rows = conn.execute(ACTOR, {"person": person_id}, prepare=True).fetchall()
    if not rows:
        return None
    held = [row[3:] for row in rows if row[3] is not None]
    posts = tuple(PostHeld(h[0], h[1], h[2], h[3], h[4], h[5], h[6] or h[1], h[7] or h[1]) for h in held)
    return Actor(rows[0][0], rows[0][1], rows[0][2], posts)


# What the part of a post's organisation in the case makes of the post's role; the first part is that of who opens one.
PARTS: Mapping[str, Mapping[str, str]] = {
    "municipality": {"requester": "municipality", "partner": "partner"},
    "municipality_head": {"requester": "municipality_head"},
    "bureau": {"lead": "bureau", "co_office": "co_office"},
    "director": {"lead": "director", "co_office": "co_office"},
    "department": {"asked": "department"},
    "personnel": {"personnel": "personnel"},
    "body": {"body": "body"},
}
# Who stands outside the offices that handle a case: they read what is shared, and the public steps.
OUTSIDE = frozenset({"municipality", "municipality_head", "partner", "body"})
# Who reads some contents of a case and nothing that is said beside it: no remarks, and no words of it in a search.
NARROW = frozenset({"personnel", "body"})
# Whose inbox a role on the case reads, where it is not a post's own.
DESKS = {"partner": "municipality", "co_office": "bureau"}


def roles_on(posts: Iterable[PostHeld], parties: Iterable[Mapping[str, Any]], *, assigned: bool) -> dict[str, PostHeld]:
    """The roles that these posts give on a case with these parties, each with the post it comes from.

    A party that has ended (`to` set) still reads, but acts no more; the caller passes only current parties.
    """
    by_part: dict[str, set[str]] = {}
    for party in parties:
        by_part.setdefault(party["part"], set()).add(party["org"])
    found: dict[str, PostHeld] = {}
    for post in posts:
        if post.role in PARTS:
            for part, role in PARTS[post.role].items():
                if post.org_code in by_part.get(part, ()):
                    found.setdefault(role, post)
            continue
        if post.role == "staff":
            here = assigned
        else:
            here = post.scope == "all" or (post.scope == "office" and post.org_code in by_part.get("lead", ()))
        if here:
            found.setdefault(post.role, post)
    return found


def ended_at(posts: Iterable[PostHeld], parties: Iterable[Mapping[str, Any]]) -> int | None:
    """The last event that these posts let one read where every part of their organisations has ended; else None."""
    orgs = {post.org_code for post in posts if post.scope == "office"}
    own = [party for party in parties if party["org"] in orgs]
    if not own or any(party["to"] is None for party in own):
        return None
    return max((party["until"] or 0 for party in own), default=0)


def seated_in(role: str, kind: str) -> bool:
    """Whether a post of that role stands in an organisation of that kind: who acts for a body in a body, and nobody else there."""
    return (role == "body") == (kind == "body")


# What a role's post lets one read: the cases of its office, every case, one's own, or none.
SCOPE_OF = {
    "municipality": "office",
    "municipality_head": "office",
    "bureau": "office",
    "director": "office",
    "headquarters": "all",
    "department": "office",
    "personnel": "office",
    "body": "office",
    "staff": "own",
    "auditor": "all",
    "records": "office",
    "administrator": "none",
}
