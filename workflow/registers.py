"""What a process asks for besides its own case (`Process.needs`), under neutral names.

- `assigned`: ids of the persons assigned to the case; `origin`: how the case began
- `children`: the case's child cases: id, process, state, state_label, final, origin, title, form
- `parent`: of a child case: number, title, state, final, origin, form, and its place among those under that parent
- `partners`: the municipalities that take part in it beside its requester, by code
- `personnel`: the unit of headquarters that confirms appointments, by code
- `asked`: the departments of headquarters that are asked about it, by code
- `files`: of a draft: the files that wait for its first event
- `deadlines`: those of the process as an administrator has set them for the leading office (put there by `loading`)
- `own_approval`: of a case that is not open yet: whether its writer's organisation approves before anybody else sees it
- `heirs`: where an organisation of the case was succeeded by another: who stands in its place, by its code
- `named`: the case whose number the act names, by that number, if the actor may see it: id, number, title, place, state_label
- `recognitions`: bodies that the lead office has recognised as destinations: name, name_key, decided_on, valid_to, reference, org
- `offered`: of a process that picks from lists (`states.terms.PICKED`): by kind, value and label of what may be picked now
- `origin_case`: the case that this one came of: id, number, title, process, state, state_label, final, outcome, form
- `derived`: of a process that lets others begin, the cases that came of this one, in the same words but without their forms
- `quoted`: the cases that were tied to this one as resting on it, in the same words
- `predecessor`: the earlier case whose number the form names at `request.previous`: number, state, form
"""

from typing import Any

import psycopg
from psycopg.rows import dict_row

from states import catalogue, thread
from states.kernel import Process
from workflow import offered
from workflow.access import SCOPE, TODAY, VISIBLE

NAMED = f"""WITH {SCOPE} SELECT c.id, c.number, c.title, c.place, c.process, c.process_version, c.state
FROM me CROSS JOIN cases c WHERE c.number = %(number)s AND c.id <> %(case)s AND {VISIBLE}"""

PARENT = """SELECT c.number, c.title, c.process, c.process_version, c.state, c.origin, c.form,
  (SELECT count(*) FROM cases s WHERE s.parent_id = c.id AND s.id <= %(child)s) AS place FROM cases c WHERE c.id = %(case)s"""

_TIED = "c.id, c.number, c.title, c.process, c.process_version, c.state"
CAME_OF = f"SELECT {_TIED}, c.form FROM cases c WHERE c.id = %(case)s"
# An act of a process ties from either end.
DERIVED = f"""SELECT {_TIED} FROM link l JOIN cases c ON c.id = CASE WHEN l.other_id = %(case)s THEN l.case_id ELSE l.other_id END
WHERE c.version > 0 AND (l.other_id = %(case)s AND l.kind = '{thread.ORIGIN}' OR l.case_id = %(case)s AND l.kind = '{thread.DERIVED}')
ORDER BY c.id"""

QUOTED = f"""SELECT {_TIED} FROM link l JOIN cases c ON c.id = l.case_id WHERE l.other_id = %(case)s AND l.kind = '{thread.QUOTED}' AND l.seq > 0 AND c.version > 0
ORDER BY c.id"""

FILES = """SELECT id, name, size, sha256, media_type, scope, label FROM attachment WHERE case_id = %(case)s AND seq IS NULL ORDER BY id"""

SUCCESSIONS = """SELECT convert_from(data, 'UTF8')::jsonb AS parts FROM content WHERE case_id = %(case)s AND kind = 'succession'
  AND data IS NOT NULL ORDER BY seq"""

SETTING = f"""SELECT value FROM organisation_setting WHERE org_code = ANY (%(orgs)s) AND name = 'own_approval' AND valid_from <= {TODAY}
ORDER BY valid_from DESC LIMIT 1"""


def registers(
    conn: psycopg.Connection[Any], process: Process, row: Any, person_id: int | None = None, named: str = ""
) -> dict[str, Any]:
    """The registers of one case. The rare ones cost a trip only when the case is such a one or the form refers to them."""
    found: dict[str, Any] = {
        "assigned": tuple(sorted(row.assigned or ())),
        "origin": row.origin,
        "children": [child(*entry) for entry in row.children or ()],
        "partners": tuple(p["org"] for p in row.parties or () if p["part"] == "partner" and p["to"] is None),
        "asked": tuple(p["org"] for p in row.parties or () if p["part"] == "asked" and p["to"] is None),
        "personnel": row.personnel,
        "own_approval": False,
        "named": {},
    }
    if row.parent_id is not None:
        found["parent"] = _stated(_dicts(conn, PARENT, {"case": row.parent_id, "child": row.id})[0])
    begun = thread.of(row.form)
    if begun:
        came = _dicts(conn, CAME_OF, {"case": begun.case})
        found["origin_case"] = _stated(came[0]) if came else None
    if "quoted" in process.needs:
        found["quoted"] = [_stated(entry) for entry in _dicts(conn, QUOTED, {"case": row.id})]
    if "derived" in process.needs or _lets_begin(process, row.state):
        found["derived"] = [_stated(entry) for entry in _dicts(conn, DERIVED, {"case": row.id})]
    if process.picks:
        found["offered"] = offered.lists(conn, process.picks, row.lead)
    if any(party["to"] for party in row.parties or ()):
        found["heirs"] = _heirs(conn, row.id)
    if not row.version:
        found["files"] = _dicts(conn, FILES, {"case": row.id})
    if not row.open:
        requesters = [party["org"] for party in row.parties or () if party["part"] == "requester" and not party["to"]]
        found["own_approval"] = any(r["value"] == "yes" for r in _dicts(conn, SETTING, {"orgs": requesters}))
    if named:
        rows = _dicts(conn, NAMED, {"person": person_id, "number": named, "case": row.id})
        found["named"] = {entry["number"]: _stated(entry) for entry in rows}
    request = row.form.get("request") or {}
    if "recognitions" in process.needs and (request.get("destination") or {}).get("type") == "organization":
        found["recognitions"] = _dicts(
            conn,
            "SELECT name, name_key, decided_on, valid_to, reference, org_code AS org FROM recognition WHERE office = %(office)s",
            {"office": row.lead},
        )
    if "predecessor" in process.needs and request.get("previous"):
        earlier = _dicts(
            conn,
            "SELECT number, state, form FROM cases WHERE number = %(number)s AND id <> %(case)s",
            {"number": request["previous"], "case": row.id},
        )
        found["predecessor"] = earlier[0] if earlier else None
    return found


def _lets_begin(process: Process, state: str) -> bool:
    """Whether others may come of the case; where that is so only of an ended one, nobody asks before."""
    late = all(way.states and all(process.state(s).final for s in way.states) for way in process.derives)
    return bool(process.derives) and (not late or process.state(state).final)


def _heirs(conn: psycopg.Connection[Any], case_id: int) -> dict[str, str]:
    found: dict[str, str] = {}
    for row in _dicts(conn, SUCCESSIONS, {"case": case_id}):
        for part in row["parts"]:
            found = {old: part["to"] if new == part["from"] else new for old, new in found.items()}
            found[part["from"]] = part["to"]
    return found


def child(
    case_id: int, process: str, version: int, state: str, origin: str, title: str, form: dict[str, Any]
) -> dict[str, Any]:
    """A child case as its parent's facts hold it."""
    told = {
        "id": case_id,
        "process": process,
        "process_version": version,
        "state": state,
        "origin": origin,
        "title": title,
    }
    return _stated(told | {"form": form})


def _stated(row: dict[str, Any]) -> dict[str, Any]:
    """The row with what its state is called and whether it is an end."""
    state = catalogue.process(row["process"], row["process_version"]).state(row["state"])
    return row | {"state_label": state.label, "final": state.final, "outcome": state.outcome}


def _dicts(conn: psycopg.Connection[Any], text: str, params: dict[str, Any]) -> list[dict[str, Any]]:
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(text, params, prepare=True).fetchall()
