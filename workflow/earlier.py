"""Earlier cases of an office, of which a new one may begin as a copy."""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg.rows import dict_row

from states import catalogue
from states.kernel import Process, Refused
from workflow import cases
from workflow.access import PARTS, SCOPE, VISIBLE, PostHeld

MOST = 30

# Of the office that writes: as the one that asked, or as the one that leads; never a draft, never what one may not see.
EARLIER = f"""WITH {SCOPE}
SELECT c.id, c.number, c.title, c.process, c.process_version, c.state, c.origin, c.opened_at
FROM me CROSS JOIN cases c
WHERE EXISTS (SELECT 1 FROM party p WHERE p.case_id = c.id AND p.org_code = %(org)s AND p.part = %(part)s)
  AND c.process = %(process)s AND c.origin = %(origin)s AND c.version > 0 AND {VISIBLE}
  AND (%(only)s = 0 OR c.id = %(only)s) AND (%(q)s = '' OR c.title ILIKE %(like)s OR c.number ILIKE %(like)s)
ORDER BY c.id DESC LIMIT %(limit)s"""


def earlier(
    conn: psycopg.Connection[Any], person_id: int, post: PostHeld, process: str, origin: str, q: str = "", only: int = 0
) -> Sequence[Mapping[str, Any]]:  # fmt: skip
    """The office's own cases of that kind, the newest first, each with how it stands.

    `q` is looked for in title and number; `only` asks for one case.
    """
    if post.role not in PARTS:
        return []
    with conn.cursor(row_factory=dict_row) as cursor:
        like = "%" + q.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        told = {"person": person_id, "org": post.org_code, "part": next(iter(PARTS[post.role])), "process": process}
        rows = cursor.execute(
            EARLIER, told | {"origin": origin, "q": q, "like": like, "only": only, "limit": MOST}
        ).fetchall()
    for row in rows:
        state = catalogue.process(row["process"], row["process_version"]).state(row["state"])
        row["stands"] = state.outcome or state.step
    return rows


def copy_of(
    conn: psycopg.Connection[Any], person_id: int, process: Process, case_id: int, *, continues: bool
) -> tuple[dict[str, Any], Sequence[str]]:
    """The form to begin with and what was left out, from what this person may read of the earlier case.

    Raises `NotFound`; `Refused` where there is nothing to copy.
    """
    view = cases.look(conn, person_id, case_id)
    form, left_out = process.copied(view.form, view.number or "" if continues else "") if process.copied else ({}, [])
    if not form:
        raise Refused("guard", "写せる内容がありません。消去されたか、あなたの職では読めないものです。")
    return form, left_out
