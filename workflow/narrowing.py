"""What an inbox can be narrowed by, and widened: the choices of its filters, and what lies at the desk of the office."""

from collections.abc import Sequence

from states import catalogue
from states.terms import KINDS_OF_WORK
from workflow.access import SCOPE, VISIBLE
from workflow.line import DESKS
from workflow.queries import _AT_DESK, _KINDS, _MINE, CAP, EACH, LEAD, MUNICIPALITY, Connection, _dicts, _filtered

# What the filters of the inbox offer: what is asked of this person, and for which places and offices.
CHOICES = f"""WITH {SCOPE}, desk AS ({DESKS}),
mine AS MATERIALIZED (SELECT DISTINCT s.ask, s.case_id FROM desk d CROSS JOIN {_KINDS} CROSS JOIN LATERAL (
  SELECT s.ask, s.case_id FROM step s WHERE {_MINE} /* filters */ ORDER BY s.due_at, s.id LIMIT {CAP}) s LIMIT {CAP})
SELECT c.ask, c.place, c.lead, c.process, {MUNICIPALITY}, {LEAD}
FROM (SELECT DISTINCT m.ask, c.place, c.lead, c.process FROM mine m {EACH.format("m.case_id")} CROSS JOIN me WHERE {VISIBLE}) c"""

# What lies at the desk of the office, for somebody of its line: no row where nothing stands apart.
APART = f"""WITH {SCOPE}, desk AS ({DESKS}) SELECT count(s.found) AS number FROM desk d CROSS JOIN {_KINDS} LEFT JOIN LATERAL (
  SELECT true AS found FROM step s WHERE s.org_code = d.org AND s.role = d.role AND s.kind = k.kind AND s.closed_at IS NULL
    AND s.person_id IS NULL LIMIT {CAP}) s ON true
WHERE d.apart HAVING count(*) > 0"""


def of_desk(conn: Connection, person_id: int, kinds: Sequence[str]) -> int | None:
    """How much lies at the desk of the office, for somebody of its line; None for everybody else, who sees it anyway."""
    rows = _dicts(conn, APART, {"person": person_id, "kinds": list(kinds)})
    return min(rows[0]["number"], CAP) if rows else None


def choices(
    conn: Connection, person_id: int, *, role: str = "", kinds: Sequence[str] = KINDS_OF_WORK, whole: bool = False
) -> dict[str, list[tuple[str, str]]]:
    """What the inbox can be filtered by, each a value and its label: `ask`, `org` (municipality), `office`, `process`."""
    given = {"person": person_id, "role": role, "kinds": list(kinds), "whole": whole}
    rows = _dicts(conn, _filtered(CHOICES, [(_AT_DESK, role)]), given)
    places = {row["place"]: row["municipality"] or row["place"] for row in rows if row["place"]}
    offices = {row["lead"]: row["lead_name"] or row["lead"] for row in rows}
    asked = sorted({row["ask"] for row in rows})
    known = catalogue.newest()
    processes = {row["process"]: known[row["process"]].label for row in rows if row["process"] in known}
    return {
        "process": sorted(processes.items()),
        "ask": [(ask, ask) for ask in asked],
        "org": sorted(places.items()),
        "office": sorted(offices.items()),
    }
