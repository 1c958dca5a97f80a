"""Erasing content: one recorded event, then the bytes and salt of the listed rows go for good; the chain stays whole.

Erasure is no move: it is allowed in every state. Who may do it holds a post with the role `records`.
"""

from collections.abc import Sequence

from states.kernel import Refused
from workflow import acts, case_sql, history
from workflow.access import PostHeld
from workflow.db import Database, driver
from workflow.loading import NotFound, load


def erase(db: Database, person_id: int, case_id: int, rows: Sequence[tuple[int, int]], *, ground: str) -> int:
    """Erase the content rows (seq, ord) of a case; returns the number of the erasing event.

    The same field group written again in later events stands in rows of its own: list them all. Raises `NotFound`,
    `Refused` (no such role, no such row, no ground).
    """
    if not ground.strip():
        raise Refused("guard", "消去の理由を書いてください。何も消していません。")
    with db.transaction() as session:
        conn = driver(session)
        case = load(conn, case_id, person_id)
        post = next((PostHeld(*p) for p in case.row.posts or () if p[4] == "records"), None)
        if post is None or not case.row.version:
            raise Refused("role", "消去は文書管理の職だけができます。何も消していません。")
        found = conn.execute(
            """SELECT seq, ord, kind, digest FROM content x JOIN unnest(%s::int[], %s::int[]) AS k (s, o) ON (seq, ord) = (k.s, k.o)
               WHERE case_id = %s AND salt IS NOT NULL""",
            ([r[0] for r in rows], [r[1] for r in rows], case_id),
        ).fetchall()
        if len(found) != len(set(rows)) or any(row[2] == "erasure" for row in found):
            raise Refused("guard", "消去できない内容が含まれています。何も消していません。画面を開き直してください。")
        seq = case.row.version + 1
        standing = {tuple(ref[:2]): ref[2] for ref in (case.body or {})["content"]}
        gone = [standing[s, o].removeprefix(history.FORM) for s, o, *_ in found if standing.get((s, o), "").startswith(history.FORM)]
        form = {group: {"erased": seq} if group in gone else value for group, value in case.row.form.items()}
        erasure = {
            "erased": sorted([s, o] for s, o, *_ in found), "digests": sorted(d.hex() for _, _, _, d in found), "ground": ground,
        }  # fmt: skip
        params = acts.note(case, "erase", [("erasure", erasure)], form, kept=gone, by=(str(person_id), post))
        if not (conn.execute(case_sql.write(acts.parts_of(params)), params).fetchone() or (0,))[0]:
            raise NotFound
        conn.execute("SELECT erase_content(%s, %s::int)", (case_id, seq))
        conn.execute("DELETE FROM working WHERE case_id = %s", (case_id,))
    return seq
