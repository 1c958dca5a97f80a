"""The cases under a case, and the one above it, as their pages show them: what is open, whose turn, by when."""

from dataclasses import dataclass
from typing import Any

from states import catalogue
from states.dates import short
from states.kernel import Process
from workflow.access import ONCE, SCOPE
from workflow.cases import View
from workflow.db import type_connection
from workflow.deadlines import due_day
from workflow.queries import _dicts, database_now
from workflow.web import offers

DUE = """SELECT case_id, min(due_at) AS due_at FROM deadline WHERE case_id = ANY (%(cases)s) AND closed_at IS NULL GROUP BY case_id"""
ASKED = """SELECT s.case_id, array_agg(DISTINCT o.name ORDER BY o.name) AS names FROM step s JOIN organisation o ON o.code = s.org_code
WHERE s.case_id = ANY (%(cases)s) AND s.closed_at IS NULL AND (o.valid_to IS NULL OR o.valid_to >= %(today)s) GROUP BY s.case_id"""
SEEN = f"WITH {SCOPE} SELECT c.id FROM me, cases c WHERE c.id = %(case)s AND {ONCE}"
OF_THE_OFFICE = frozenset({"bureau", "director"})  # holders that are called the same on every case of the family


@dataclass(frozen=True)
class Member:
    """A case of the family: where it is, what it says, how it stands (`kind` of a status) and whose turn it is."""

    id: int
    title: str
    label: str
    kind: str
    word: str
    turn: str
    process: str
    form: Any
    definition: Process
    state: str


def children(conn: type_connection, view: View) -> list[Member]:
    """The cases under this one that its reader sees too: open ones first, the late ones before them."""
    found = view.facts.registers["children"] if view.may_read("child") else []
    if not found:
        return []
    due = {row["case_id"]: row["due_at"] for row in _dicts(conn, DUE, {"cases": [child["id"] for child in found]})}
    names, now = offers.names_of(view), database_now(conn)
    asked = {
        row["case_id"]: "、".join(row["names"])
        for row in _dicts(conn, ASKED, {"cases": [child["id"] for child in found], "today": view.facts.today})
    }
    members = []
    for child in found:
        process = catalogue.process(child["process"], child["process_version"])
        state, at = process.state(child["state"]), due.get(child["id"])
        late = at is not None and at <= now
        day = f"{short(due_day(at))}まで" if at else ""
        part = process.holder(state.name, child["origin"])
        holder = names.get(part, "") if part in OF_THE_OFFICE else asked.get(child["id"], names.get(part, ""))
        turn = (
            ""
            if state.final
            else " ・ ".join(filter(None, (f"{holder}の番", day, "期限を過ぎています" if late else "")))
        )
        kind = "ok" if state.final else "stop" if late else "now"
        members.append(
            (
                state.final,
                not late,
                Member(
                    child["id"],
                    child["title"],
                    process.label,
                    kind,
                    state.label,
                    turn,
                    process.key,
                    child["form"],
                    process,
                    state.name,
                ),
            )
        )
    return [member for _, _, member in sorted(members, key=lambda m: m[:2])]


def parent(conn: type_connection, person_id: int, view: View) -> dict[str, Any] | None:
    """The case above this one: id, what it is called, its state; None for who may not see it."""
    told = view.facts.registers.get("parent")
    if not told or not _dicts(conn, SEEN, {"person": person_id, "case": view.parent_id}):
        return None
    return {"id": view.parent_id, **told}
