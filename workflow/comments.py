"""Remarks beside a case: shared with its parties or kept inside the offices, told by mail without a word of what they say.

A remark is part of no decision: it moves no version. It is shown as it was typed, with the names of that day.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from states.kernel import Refused
from states.terms import block
from states.text import problems
from workflow.access import OUTSIDE, Actor, PostHeld
from workflow.history import canonical
from workflow.loading import Connection, Loaded, load
from workflow.once import once
from workflow.reach import INTERNAL, READERS, Reach, reach

FIELD = "text"
LONGEST = 4000  # characters


@dataclass(frozen=True, slots=True)
class Remark:
    """One remark; `body` is None where it was erased, by the event `erased_seq`. `names` are office, post and name."""

    id: int
    at: datetime
    scope: str
    names: Mapping[str, str]
    body: str | None
    erased_seq: int | None


READABLE = """SELECT r.id, r.at, r.scope, r.names, r.body, r.erased_seq FROM comment r
WHERE r.case_id = %(case)s AND (r.scope = 'shared' OR %(internal)s)
  AND (%(until)s::int IS NULL OR r.at <= (SELECT e.at FROM event e WHERE e.case_id = r.case_id AND e.seq = %(until)s))
ORDER BY r.id DESC"""

WRITTEN = """WITH made AS (
  INSERT INTO comment (case_id, at, person_id, org_code, names, scope, body)
  VALUES (%(case)s, clock_now(), %(person)s, %(org)s, %(names)s::jsonb, %(scope)s, %(body)s) RETURNING id),
told AS (INSERT INTO outbox (case_id, seq, kind, payload, dedup, next_at, tries)
  SELECT c.id, c.version, 'remark', jsonb_build_object('remark', made.id), c.id || ':remark:' || made.id, now(), 0
  FROM cases c, made WHERE c.id = %(case)s)
SELECT id FROM made"""


def listed(conn: Connection, case_id: int, beside: Reach) -> list[Remark]:
    """The remarks on a case that a reader may see, the newest first."""
    if not beside.hears:
        return []
    wanted = {"case": case_id, "internal": beside.remarks, "until": beside.until}
    with conn.cursor(row_factory=class_row(Remark)) as cursor:
        return cursor.execute(READABLE, wanted, prepare=True).fetchall()


def scopes(beside: Reach, *, version: int, private: bool) -> tuple[str, ...]:
    """The scopes in which a reader may write: none while the case is its writer's office alone."""
    return beside.remark_scopes if version and not private else ()


def add(conn: Connection, person: Actor, case_id: int, *, scope: str, body: str, key: UUID) -> int:
    """Write a remark, once for a key, and have the other side's desk told; returns its id. Raises `NotFound`, `Refused`."""
    case = load(conn, case_id, person.person_id)
    post = _post(conn, case, person, scope)
    wrong = problems(body)
    if not body.strip():
        raise _refuse("何も書かれていません。書き込む内容を書いてから、もう一度押してください。")
    if len(body) > LONGEST:
        raise _refuse(
            f"長すぎます({len(body):,}文字)。{LONGEST:,}文字までにするか、ファイルにして添えてください。書いた内容は欄に残っています。"
        )
    if wrong:
        raise _refuse(
            f"使えない文字があります({'、'.join(wrong)})。その文字を消してください。書いた内容は欄に残っています。"
        )
    office = next((held.org_name for held in person.posts if held.id == post.id), post.org_code)
    names = {"actor": person.name, "post": " ".join(filter(None, (post.section, post.title))), "office": office}
    row = {
        "case": case_id, "person": person.person_id, "org": post.org_code, "names": canonical(names), "scope": scope, "body": body,
    }  # fmt: skip

    def write() -> int:
        made = conn.execute(WRITTEN, row, prepare=True).fetchone()
        assert made is not None
        return int(made[0])

    return once(conn, person.person_id, key, ["remark", case_id, scope, body], write)


def _post(conn: Connection, case: Loaded, person: Actor, scope: str) -> PostHeld:
    """The post with which the person writes. Raises `Refused` where there is none."""
    roles, state = case.facts.roles, case.process.state(case.row.state)
    beside = reach(roles, lambda kind: case.process.reads(kind, roles, state.name))
    if scope not in scopes(beside, version=case.row.version, private=state.private):
        raise Refused(
            "role", "この案件にこの書き込みをすることは、いまのあなたの職ではできません。何も書き込んでいません。"
        )
    others = READERS | OUTSIDE if scope == INTERNAL else READERS
    return next(post for role, post in case.held.items() if role not in others)


def _refuse(sentence: str) -> Refused:
    return Refused("guard", sentence, (block(sentence, FIELD),))


def erase(conn: Connection, case_id: int, comment_id: int, seq: int) -> None:
    """Let what a remark said go with the erasing event `seq`; that somebody wrote one stays told."""
    conn.execute(
        "UPDATE comment SET body = NULL, erased_seq = %s WHERE case_id = %s AND id = %s", (seq, case_id, comment_id)
    )
