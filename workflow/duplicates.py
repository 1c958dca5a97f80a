"""Cases that may be one matter that came twice: by post, by fax and by the screen. Found for a person; only a person decides.

The candidates share a municipality (or a partner) and were opened within a year; the process says whether two of them
are alike, and the same file beside both is a reason of its own. What the reader may not see is not found.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg
from psycopg.rows import dict_row

from states import catalogue
from states.kernel import Process
from states.terms import Arrival
from workflow.access import CLOCK_NOW, SCOPE, VISIBLE
from workflow.cases import View
from workflow.deadlines import local_day
from workflow.loading import Loaded

Connection = psycopg.Connection[Any]
KIND = "duplicate"  # of the link from a case that was closed as one to the case that goes on
LOOKED_AT = 100  # candidates, the newest first


@dataclass(frozen=True, slots=True)
class Twin:
    """A case that may be the same matter: what it is called, how and when it came, why it is taken for the same."""

    case_id: int
    number: str | None
    title: str
    state: str
    arrival: Arrival | None
    arrived_on: date  # the true day where it is known, else that of its first event
    reasons: tuple[str, ...]
    plain: bool  # so alike that somebody should look before going on


# The place stands in the row; who asks beside it (another municipality of a joint request) stands in the parties.
NEAR = f"""WITH {SCOPE}, near AS (
  SELECT c.id FROM cases c WHERE c.place = ANY (%(places)s)
  UNION SELECT p.case_id FROM party p WHERE p.org_code = ANY (%(places)s) AND p.part IN ('requester', 'partner') AND p.valid_to IS NULL)
SELECT c.id, c.number, c.title, c.process, c.process_version, c.state, c.form,
  (SELECT e.at FROM event e WHERE e.case_id = c.id AND e.seq = 1) AS at,
  (SELECT array_agg(a.sha256) FROM attachment a WHERE a.case_id = c.id AND a.erased_seq IS NULL) AS files
FROM me CROSS JOIN near JOIN cases c ON c.id = near.id
WHERE {VISIBLE} AND c.process = %(process)s AND c.version > 0 AND c.id <> %(case)s AND c.parent_id IS NULL
  AND c.opened_at > {CLOCK_NOW} - interval '1 year'
  AND NOT EXISTS (SELECT 1 FROM link l WHERE l.case_id = c.id AND l.kind = '{KIND}')
ORDER BY c.id DESC LIMIT {LOOKED_AT}"""

FILES = "SELECT array_agg(sha256) FROM attachment WHERE case_id = %s AND erased_seq IS NULL"


def find(
    conn: Connection, person_id: int, process: Process, form: Mapping[str, Any], places: Sequence[str], *, case_id: int = 0,
    number: str | None = None,
) -> list[Twin]:  # fmt: skip
    """The cases that may be the same as this form, the likeliest first; `places` are codes of municipalities.

    An earlier case that this one names as the one it continues, or the other way round, is not the same.
    """
    if not any(places):
        return []
    own = process.reading(form)
    files = conn.execute(FILES, (case_id,), prepare=True).fetchone() if case_id else None
    mine = set(files[0] or ()) if files else set()
    params = {"person": person_id, "places": [p for p in places if p], "process": process.key, "case": case_id}
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(NEAR, params, prepare=True).fetchall()
    found = []
    for row in rows:
        if _continues(form, row["number"]) or _continues(row["form"], number):
            continue
        told, plain = process.alike(own, catalogue.process(row["process"], row["process_version"]).reading(row["form"]))
        reasons = list(told)
        if mine & set(row["files"] or ()):
            reasons.append("同じファイルが添えられています。")
            plain = True
        if reasons:
            found.append(_twin(row, reasons, plain))
    return sorted(found, key=lambda twin: (not twin.plain, -len(twin.reasons), -twin.case_id))


def of_case(conn: Connection, person_id: int, case: View | Loaded) -> list[Twin]:
    """The cases that may be the same as this one."""
    about = case if isinstance(case, View) else case.row
    parties = case.parties
    places = [
        case.process.place(about.form),
        *(str(p.get("org_code") or p.get("org")) for p in parties if p["part"] in ("requester", "partner")),
    ]
    return find(conn, person_id, case.process, about.form, places, case_id=about.id, number=about.number)


def _continues(form: Mapping[str, Any], number: str | None) -> bool:
    """Whether the form names that case as the one before it."""
    request = form.get("request")
    return bool(number) and isinstance(request, Mapping) and str(request.get("previous") or "").strip() == number


def _twin(row: Mapping[str, Any], reasons: Sequence[str], plain: bool) -> Twin:
    process = catalogue.process(row["process"], row["process_version"])
    came = process.arrival(row["form"])
    arrived = came.day if came and came.day else local_day(row["at"])
    label = process.state(row["state"]).label
    return Twin(row["id"], row["number"], row["title"], label, came, arrived, tuple(reasons), plain)


# ── what was closed as one ──────────────────────────────────────────────────────────────────────────────────────────

LINKED = f"""WITH {SCOPE} SELECT c.id, c.number, c.title, c.process, c.process_version, c.state, c.form, l.case_id = c.id AS closed,
  (SELECT e.at FROM event e WHERE e.case_id = c.id AND e.seq = 1) AS at
FROM link l CROSS JOIN me JOIN cases c ON c.id = CASE WHEN l.case_id = %(case)s THEN l.other_id ELSE l.case_id END
WHERE %(case)s IN (l.case_id, l.other_id) AND l.kind = '{KIND}' AND {VISIBLE} ORDER BY c.id"""


@dataclass(frozen=True, slots=True)
class Linked:
    """What was found to be the same: the case that goes on, or those that came beside it."""

    goes_on: Twin | None
    came_beside: tuple[Twin, ...]


def linked(conn: Connection, person_id: int, case_id: int) -> Linked:
    """The cases of the same matter as this one, as far as the reader may see them."""
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(LINKED, {"person": person_id, "case": case_id}, prepare=True).fetchall()
    goes_on = next((_twin(row, (), True) for row in rows if not row["closed"]), None)
    return Linked(goes_on, tuple(_twin(row, (), True) for row in rows if row["closed"]))
