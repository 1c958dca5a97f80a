"""Erasing content: one recorded event, then the bytes and salt of the listed rows go for good; the chain stays whole.

Erasure is no move: it is allowed in every state. Who may do it holds a post with the role `records`.
"""

from collections.abc import Sequence

from states.kernel import Refused
from workflow import acts, case_sql, history
from workflow.cases import conflict
from workflow.db import Database, driver
from workflow.loading import load


def erase(db: Database, person_id: int, case_id: int, rows: Sequence[tuple[int, int]], *, ground: str) -> int:
    """Erase the content rows (seq, ord) of a case; returns the number of the erasing event.

    The same field group written again in later events stands in rows of its own: list them all. Raises `NotFound`,
    `Conflict`, `Refused` (no such role, no such row, no ground).
    """
    if not ground.strip() or not history.keepable(ground):
        raise Refused("guard", "消去の理由を、保存できる文字で書いてください。何も消していません。")
    with db.transaction() as session:
        conn = driver(session)
        case = load(conn, case_id, person_id)
        post = case.held.get("records")
        if post is None or not case.row.version:
            raise Refused("role", "消去は文書管理の職だけができます。何も消していません。")
        found = conn.execute(
            """SELECT seq, ord, kind, digest FROM content x JOIN unnest(%s::int[], %s::int[]) AS k (s, o) ON (seq, ord) = (k.s, k.o)
               WHERE case_id = %s AND salt IS NOT NULL""",
            ([r[0] for r in rows], [r[1] for r in rows], case_id),
        ).fetchall()
        if not rows or len(found) != len(set(rows)) or any(row[2] in ("erasure", "parties") for row in found):
            raise Refused("guard", "消去できない内容が含まれています。何も消していません。画面を開き直してください。")
        seq = case.row.version + 1
        standing = {tuple(ref[:2]): ref[2] for ref in (case.body or {})["content"]}
        gone = [
            standing[s, o].removeprefix(history.FORM)
            for s, o, *_ in found
            if standing.get((s, o), "").startswith(history.FORM)
        ]
        form = {group: {"erased": seq} if group in gone else value for group, value in case.row.form.items()}
        erasure = {
            "erased": sorted([s, o] for s, o, *_ in found), "digests": sorted(d.hex() for _, _, _, d in found), "ground": ground,
        }  # fmt: skip
        params = acts.note(case, "erase", [("erasure", erasure)], form, kept=gone, by=(str(person_id), post)) | {
            "person": person_id
        }
        if not case_sql.carry_out(conn, params, frozenset({"me"})):
            raise conflict(conn, load(conn, case_id, person_id))
        conn.execute("SELECT erase_content(%s, %s::int)", (case_id, seq))
        conn.execute("DELETE FROM working WHERE case_id = %s", (case_id,))
    return seq
