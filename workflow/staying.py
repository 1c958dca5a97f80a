"""A municipality went to another bureau: each of its open cases chooses to stay or to be passed on (T7).

To be passed on is the process's own act. To stay is an event of its own, with its reason; until one of the two is chosen,
every day puts the choice before the office that leads.
"""

import hashlib
import json
from uuid import UUID

from states.kernel import Refused
from states.terms import block
from workflow import acts, case_sql, history
from workflow.access import CLOCK_NOW, TODAY, actor
from workflow.cases import Done, KeyReused, PostLost, View, conflict
from workflow.extending import unsaid
from workflow.loading import Connection, load

STAY = "stay_with_office"
REASON = "internal:stay"  # content of the event
OFFICE_CHANGED = "office_changed"  # kind of attention
CHOOSES = "bureau"  # role on the case of who may choose, as of who may pass it on

# The office that leads a case was the municipality's when it was opened, and is so no more; nobody has chosen to stay since.
_ELSEWHERE = f"""FROM cases c JOIN party p ON p.case_id = c.id AND p.part = 'requester' AND p.valid_to IS NULL
  JOIN organisation n ON n.code = p.org_code AND n.office <> c.lead
    AND (n.valid_from IS NULL OR n.valid_from <= {TODAY}) AND (n.valid_to IS NULL OR n.valid_to >= {TODAY})
  JOIN LATERAL (SELECT o.name FROM organisation o WHERE o.code = n.office ORDER BY o.valid_to DESC NULLS FIRST LIMIT 1) b ON true
  JOIN LATERAL (SELECT max(o.valid_to) AS until FROM party q JOIN organisation o ON o.code = q.org_code
    WHERE q.case_id = c.id AND q.part = 'requester' AND o.office = c.lead AND o.valid_to < {TODAY}
      AND (o.valid_from IS NULL OR o.valid_from <= (c.opened_at AT TIME ZONE 'Asia/Tokyo')::date)
      AND o.valid_to >= (c.opened_at AT TIME ZONE 'Asia/Tokyo')::date) was ON was.until IS NOT NULL
WHERE c.version > 0 AND c.open
  AND EXISTS (SELECT 1 FROM deadline d WHERE d.case_id = c.id AND d.closed_at IS NULL UNION ALL
              SELECT 1 FROM step s WHERE s.case_id = c.id AND s.closed_at IS NULL)
  AND NOT EXISTS (SELECT 1 FROM event e WHERE e.case_id = c.id AND e.action = '{STAY}'
    AND (e.at AT TIME ZONE 'Asia/Tokyo')::date > was.until)"""
CHANGED = f"""INSERT INTO attention (case_id, kind, sentence, opened_at)
SELECT DISTINCT ON (c.id) c.id, '{OFFICE_CHANGED}', n.name || 'の所管は、' || b.name
  || 'に変わりました。この件を引き継ぐときは「転送する」を、いまの局で続けるときは「いまの局で続ける」を選んでください。', {CLOCK_NOW}
{_ELSEWHERE} AND NOT EXISTS (SELECT 1 FROM attention t WHERE t.case_id = c.id AND t.kind = '{OFFICE_CHANGED}' AND t.closed_at IS NULL)
ORDER BY c.id"""
OPEN = f"SELECT n.name, b.name {_ELSEWHERE} AND c.id = %s LIMIT 1"


def moved_to_other_offices(conn: Connection) -> int:
    """Put the choice before the office of each open case whose municipality went to another, where it is not put already."""
    return conn.execute(CHANGED).rowcount


def open_to(conn: Connection, view: View) -> str:
    """What there is to choose, as a sentence for who may choose; empty where there is nothing."""
    if CHOOSES not in view.facts.roles or view.ended:
        return ""
    row = conn.execute(OPEN, (view.id,), prepare=True).fetchone()
    return f"{row[0]}の所管は、{row[1]}に変わりました。" if row else ""


def stay(conn: Connection, person_id: int, case_id: int, reason: str, *, version: int, key: UUID) -> Done:
    """Choose that the case stays with the office that leads it. Raises `NotFound`, `Conflict`, `KeyReused`, `PostLost`, `Refused`."""
    asked = [case_id, STAY, version, reason]
    if not history.keepable(asked):
        raise Refused("guard", "保存できない文字が入っています。何も変えていません。取り除いてください。")
    request = hashlib.sha256(history.canonical(asked).encode()).digest()
    while True:
        case = load(conn, case_id, person_id, key)
        if case.row.result is not None:
            if case.row.request != request:
                raise KeyReused
            return Done(case.row.result["version"], case.row.result["state"], replayed=True)
        post = case.held.get(CHOOSES)
        if post is None:
            raise Refused(
                "role", "この件を続けるかどうかを選ぶ役目を、いまのあなたの職は持っていません。何も変えていません。"
            )
        if case.row.version != version:
            raise conflict(conn, case)
        if case.ended or conn.execute(OPEN, (case_id,), prepare=True).fetchone() is None:
            raise Refused(
                "state", "この件には、いま選ぶことがありません。何も変えていません。最新の画面を開いてください。"
            )
        if problem := unsaid(reason):
            raise Refused("guard", f"まだ選んでいません。{problem}", [block(problem, "reason")])
        done = Done(version + 1, case.row.state)
        params = acts.concern(case, STAY, [(REASON, reason.strip())], by=(str(person_id), post)) | {
            "person": person_id, "key": key, "request": request,
            "result": json.dumps({"version": done.version, "state": done.state}),
        }  # fmt: skip
        if case_sql.carry_out(conn, params, frozenset({"me", "key"})):
            return done
        now_held = actor(conn, person_id)
        if post.id not in {held.id for held in (now_held.posts if now_held else ())}:
            raise PostLost
