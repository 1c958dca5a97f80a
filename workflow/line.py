"""The line of an office: posts that a route asks, that stand in for others, or above others. Their work is their own post's.

What is asked of an office's desk is its officers' work: who holds a post of the line sees it apart, unless no officer is there.
"""

from workflow.access import TODAY


def _in_force(row: str) -> str:
    return f"{row}.valid_from <= {TODAY} AND ({row}.valid_to IS NULL OR {row}.valid_to >= {TODAY})"


def _on_line(post: str) -> str:
    """Whether a post stands on the line of its organisation: columns id, org_code, section, title."""
    return f"""(EXISTS (SELECT 1 FROM authority_rule r, jsonb_array_elements(r.stages) AS stage, jsonb_array_elements(stage -> 'asked') AS a
      WHERE r.consented_at IS NOT NULL AND {_in_force("r")} AND a ->> 'title' = {post}.title
        AND coalesce(a ->> 'section', '') IN ('', '=', {post}.section)
        AND CASE WHEN coalesce(a ->> 'org', '') <> '' THEN a ->> 'org' = {post}.org_code WHEN r.office IS NOT NULL THEN r.office = {post}.org_code
          ELSE EXISTS (SELECT 1 FROM organisation o WHERE o.code = {post}.org_code AND o.kind = 'bureau') END)
    OR EXISTS (SELECT 1 FROM deputy u WHERE u.deputy_id = {post}.id AND {_in_force("u")})
    OR EXISTS (SELECT 1 FROM post b WHERE b.superior_id = {post}.id AND b.org_code = {post}.org_code AND {_in_force("b")}))"""


def apart(post: str) -> str:
    """Whether the desk's work stands apart from a post: columns id, org_code, section, title, role.

    It does from a post of the line, while an officer sits at the desk. The inbox and the notices ask the same.
    """
    return f"""({_on_line(post)} AND EXISTS (SELECT 1 FROM post q JOIN tenure t ON t.post_id = q.id
      WHERE q.org_code = {post}.org_code AND q.role = {post}.role AND {_in_force("q")} AND {_in_force("t")} AND NOT {_on_line("q")}))"""


# The desks of a person: an organisation's role, or a post of its own (#id). What stands `apart` is looked at when asked for.
DESKS = f"""SELECT k.org, k.role, false AS acting, bool_and(k.apart) AS apart FROM (
  SELECT h.org_code AS org, kind.role, kind.apart FROM me, jsonb_array_elements(me.posts) AS post,
    LATERAL (SELECT (post ->> 0)::bigint AS id, post ->> 1 AS org_code, post ->> 2 AS section, post ->> 3 AS title, post ->> 4 AS role) AS h,
    LATERAL (VALUES (h.role, {apart("h")}), ('#' || h.id, false)) AS kind (role, apart)) k
GROUP BY k.org, k.role"""
