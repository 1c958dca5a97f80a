"""What a process asks for besides its own case (`Process.needs`), under neutral names.

- `assigned`: ids of the persons assigned to the case; `origin`: how the case began
- `recognitions`: bodies that the lead office has recognised as destinations: name, name_key, decided_on, valid_to, reference
- `predecessor`: the earlier case whose number the form names at `request.previous`: number, state, form
"""

from typing import Any

import psycopg

from states.kernel import Process


def registers(conn: psycopg.Connection[Any], process: Process, row: Any) -> dict[str, Any]:
    """The registers of one case. The rare ones cost a trip only when the form refers to them."""
    found: dict[str, Any] = {"assigned": tuple(sorted(set(row.assigned or ()))), "origin": row.origin}
    request = row.form.get("request") or {}
    if "recognitions" in process.needs and (request.get("destination") or {}).get("type") == "organization":
        rows = conn.execute(
            "SELECT name, name_key, decided_on, valid_to, reference FROM recognition WHERE office = %s",
            (row.lead,),
            prepare=True,
        ).fetchall()
        found["recognitions"] = [
            {"name": r[0], "name_key": r[1], "decided_on": r[2], "valid_to": r[3], "reference": r[4]} for r in rows
        ]
    if "predecessor" in process.needs and request.get("previous"):
        earlier = conn.execute(
            "SELECT number, state, form FROM cases WHERE number = %s AND id <> %s",
            (request["previous"], row.id),
            prepare=True,
        ).fetchone()
        found["predecessor"] = {"number": earlier[0], "state": earlier[1], "form": earlier[2]} if earlier else None
    return found
