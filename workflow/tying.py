"""Tying a case to another by hand, and taking such a tie away: an event each, with the reason; no state moves.

The event stands on the case that was looked at and says which one the other is by its id alone: who may not see the other
case reads of the tie that there is one, and why, and nothing else.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from states import thread
from states.kernel import Refused
from states.terms import block
from workflow import acts, case_sql, history
from workflow.access import PostHeld, actor
from workflow.cases import Done, KeyReused, PostLost, View, conflict
from workflow.extending import unsaid
from workflow.loading import Connection, Loaded, load
from workflow.queries import _dicts
from workflow.thread import WHY

LINK, UNLINK = "link_case", "unlink_case"
TIERS = ("bureau", "co_office", "director", "headquarters")  # roles on the case that tie it
MADE = """SELECT 1 FROM link WHERE case_id = %(case)s AND other_id = %(other)s AND kind = %(kind)s AND seq > 0"""
BY_HAND = f"""SELECT l.other_id, l.kind FROM link l JOIN event e ON e.case_id = l.case_id AND e.seq = l.seq
WHERE l.case_id = %(case)s AND e.action = '{LINK}' ORDER BY l.seq"""

Told = tuple[dict[str, Any], dict[str, Any]]  # content of the event, its rows


def may_tie(view: View) -> bool:
    """Whether the reader ties this case to others."""
    return bool(view.version) and not view.ended and bool(set(TIERS) & view.facts.roles)


def by_hand(conn: Connection, case_id: int) -> set[tuple[int, str]]:
    """The ties of a case that were made by hand and may be taken away: the other case and the kind."""
    return {(row["other_id"], row["kind"]) for row in _dicts(conn, BY_HAND, {"case": case_id})}


def tie(
    conn: Connection, person_id: int, case_id: int, kind: str, number: str, why: str, *, version: int, key: UUID
) -> Done:
    """Tie a case to the one of that number. Raises `NotFound`, `Conflict`, `KeyReused`, `PostLost`, `Refused`."""
    number = number.strip()

    def told(case: Loaded) -> Told:
        wrong = {"why": problem} if (problem := unsaid(why)) else {}
        other = case.facts.registers["named"].get(number)
        if kind not in dict(thread.BY_HAND):
            wrong["kind"] = "どうつながるかを選んでください。"
        if other is None:
            wrong["number"] = "この番号の案件は、あなたが見られる中にありません。番号を確かめてください。"
        elif _dicts(conn, MADE, {"case": case_id, "other": other["id"], "kind": kind}):
            wrong["number"] = "この案件とは、もう同じようにつながっています。"
        if wrong or other is None:
            raise _refused(wrong)
        said = {"kind": kind, "case": other["id"], "why": why.strip()}
        return said, {"links": [{"kind": kind, "other": other["id"]}]}

    return _write(conn, person_id, case_id, LINK, [kind, number, why], told, version, key, number)


def untie(
    conn: Connection, person_id: int, case_id: int, kind: str, other: int, why: str, *, version: int, key: UUID
) -> Done:
    """Take a tie away that was made by hand. Raises as `tie`."""

    def told(case: Loaded) -> Told:
        if (other, kind) not in by_hand(conn, case_id):
            raise Refused("state", "このつながりは、いまはありません。何も変えていません。最新の画面を開いてください。")
        if problem := unsaid(why):
            raise _refused({"why": problem})
        return {"kind": kind, "case": other, "why": why.strip(), "off": True}, {
            "unlinks": [{"kind": kind, "other": other}]
        }

    return _write(conn, person_id, case_id, UNLINK, [kind, other, why], told, version, key, "")


def _refused(wrong: Mapping[str, str]) -> Refused:
    return Refused(
        "guard", f"まだ何も変えていません。{''.join(wrong.values())}", [block(s, f) for f, s in wrong.items()]
    )


def _write(
    conn: Connection, person_id: int, case_id: int, action: str, asked: list[Any], told: Callable[[Loaded], Told], version: int,
    key: UUID, named: str,
) -> Done:  # fmt: skip
    whole = [case_id, action, version, *asked]
    if not history.keepable(whole):
        raise Refused("guard", "保存できない文字が入っています。何も変えていません。取り除いてください。")
    request = hashlib.sha256(history.canonical(whole).encode()).digest()
    while True:
        case = load(conn, case_id, person_id, key, named=named)
        if case.row.result is not None:
            if case.row.request != request:
                raise KeyReused
            return Done(case.row.result["version"], case.row.result["state"], replayed=True)
        if case.row.version != version:
            raise conflict(conn, case)
        post = _post(case)
        said, rows = told(case)
        params = acts.note(case, action, [(WHY, said)], by=(str(person_id), post)) | {"rows": rows}
        done = Done(version + 1, case.row.state)
        params |= {
            "person": person_id, "key": key, "request": request,
            "result": json.dumps({"version": done.version, "state": done.state}),
        }  # fmt: skip
        if case_sql.carry_out(conn, params, frozenset({"me", "key"})):
            return done
        now_held = actor(conn, person_id)
        if post.id not in {held.id for held in (now_held.posts if now_held else ())}:
            raise PostLost


def _post(case: Loaded) -> PostHeld:
    post = next((case.held[role] for role in TIERS if role in case.held), None)
    if post is None or case.ended or not case.row.version:
        raise Refused(
            "role", "この案件をほかの案件につなぐ役目を、いまのあなたの職は持っていません。何も変えていません。"
        )
    return post
