"""The routes that a case has had, round after round, as the events wrote them; a round that was erased says by which event."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from states import routes
from states.route_words import changed
from states.routes import GROUP, Route
from workflow.blackout import filled
from workflow.cases import View
from workflow.history import FORM
from workflow.queries import Connection, _dicts

KIND = FORM + GROUP

WRITTEN = """SELECT x.seq, x.ord, x.kind, x.data, e.at, (e.body::jsonb ->> 'round')::int AS round,
  (SELECT min(b.seq) FROM content b, jsonb_array_elements(convert_from(b.data, 'UTF8')::jsonb -> 'erased') AS place
   WHERE b.case_id = x.case_id AND b.kind = 'erasure' AND place = jsonb_build_array(x.seq, x.ord)) AS erased_by
FROM content x JOIN event e ON e.case_id = x.case_id AND e.seq = x.seq
WHERE x.case_id = %(case)s AND x.seq <= %(until)s AND (x.kind = %(kind)s OR x.kind = 'erasure' OR starts_with(x.kind, 'redacted:'))
ORDER BY x.seq, x.ord"""


@dataclass(frozen=True)
class Written:
    """The route as one event left it; None where it was erased, by event `erased_by`."""

    seq: int
    at: datetime
    route: Route | None
    erased_by: int | None = None
    round: int = 0  # of the case, as its events count


@dataclass(frozen=True)
class Round:
    """One route from the event that made it to the last that changed it."""

    number: int
    first: Written
    last: Written


def written(conn: Connection, view: View) -> list[Written]:
    """The route after every event that changed it, the oldest first; none for who may not read it."""
    if not view.may_read(KIND) or not view.version:
        return []
    rows = _dicts(conn, WRITTEN, {"case": view.id, "until": view.version, "kind": KIND})
    return [
        Written(row["seq"], row["at"], routes.of({GROUP: _value(row)}), row["erased_by"], row["round"])
        for row in filled(rows)
        if row["kind"] == KIND
    ]


def _value(row: dict[str, Any]) -> Any:
    return None if row["data"] is None else json.loads(bytes(row["data"]))


def rounds(found: Sequence[Written]) -> list[Round]:
    """The same, one for each route that was made; every round keeps what it ended with."""
    made: list[Round] = []
    for one in found:
        before = made[-1] if made else None
        same = before is not None and _same(before.last, one)
        if same and before is not None:
            made[-1] = Round(before.number, before.first, one)
        else:
            made.append(Round(len(made) + 1, one, one))
    return [one for one in made if one.last.route is None or one.last.route.steps]


def _same(before: Written, one: Written) -> bool:
    """Whether two events wrote the same route: made at one moment, or, of what was erased, in one round of the case."""
    if before.route is not None and one.route is not None:
        return before.route.drafted_at == one.route.drafted_at
    return before.round == one.round


def words(found: Sequence[Written]) -> dict[int, str]:
    """What each event made of the route, by its number, in one line."""
    told: dict[int, str] = {}
    before: Route | None = None
    for one in found:
        if one.route is not None:
            told[one.seq] = changed(before, one.route)
        elif one.erased_by:
            told[one.seq] = f"消去済み(記録{one.erased_by}号)"
        before = one.route or before
    return {seq: said for seq, said in told.items() if said}


def at(found: Sequence[Written], version: int) -> Written | None:
    """The route as it stood at a version."""
    return next((one for one in reversed(found) if one.seq <= version), None)
