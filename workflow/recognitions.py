"""The register of bodies that a director has recognised as destinations (要領2(2)): when, under which number, for what.

A register entry is never changed; one that no longer holds gets its last day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from psycopg.rows import dict_row

from states.dates import read_date
from states.text import problems, search_key
from workflow.access import SCOPE, TODAY, Actor
from workflow.loading import Connection, NotFound

READERS = frozenset({"bureau", "director", "headquarters", "auditor"})
RECOGNISES = "director"
LONGEST = {"name": 120, "reference": 60, "scope": 400}
LABELS = {
    "name": "団体の名称",
    "decided_on": "認めた日",
    "reference": "文書番号",
    "scope": "認める範囲",
    "valid_to": "認定の終わりの日",
}


@dataclass
class NotRegistered(Exception):
    """Why an entry was not taken in: field → sentence. Nothing was changed."""

    fields: Mapping[str, str]


LISTED = f"""WITH {SCOPE}
SELECT r.id, r.office, r.name, r.decided_on, r.reference, r.scope, r.valid_to, r.recorded_at, n.name AS recorded_by,
  o.name AS office_name, (r.valid_to IS NULL OR r.valid_to >= {TODAY}) AS stands, r.office = ANY (me.orgs) AS own
FROM me CROSS JOIN recognition r JOIN person n ON n.id = r.recorded_by
LEFT JOIN organisation o ON o.code = r.office AND (o.valid_to IS NULL OR o.valid_to >= {TODAY})
WHERE me.wide OR r.office = ANY (me.orgs) ORDER BY stands DESC, o.sort, r.decided_on DESC, r.id DESC"""


def listed(conn: Connection, person_id: int) -> Sequence[Mapping[str, Any]]:
    """The register as far as the person's posts reach, entries in force first."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(LISTED, {"person": person_id}, prepare=True).fetchall()


def register(conn: Connection, actor: Actor, typed: Mapping[str, str]) -> int:
    """Enter a body for the director's own office; returns the entry's id.

    `typed` holds name, decided_on, reference, scope as written. Raises `NotFound` for anybody else, `NotRegistered`.
    """
    office = next((post.org_code for post in actor.posts if post.role == RECOGNISES), None)
    if office is None:
        raise NotFound
    today = _today(conn)
    wrong = {
        name: f"「{LABELS[name]}」を書いてください。"
        for name in ("name", "decided_on", "scope")
        if not typed.get(name, "").strip()
    }
    for name, most in LONGEST.items():
        if found := problems(typed.get(name, "")):
            wrong[name] = f"「{LABELS[name]}」の{'、'.join(found)}があります。取り除いてください。"
        elif len(typed.get(name, "")) > most:
            wrong[name] = f"「{LABELS[name]}」は{most}字までです。いまは{len(typed[name])}字あります。"
    reading = read_date(typed.get("decided_on", ""))
    if "decided_on" not in wrong and reading.date is None:
        wrong["decided_on"] = reading.problem
    elif reading.date and reading.date > today:
        wrong["decided_on"] = "認めた日が今日より後になっています。実際に認めた日を書いてください。"
    if wrong:
        raise NotRegistered(wrong)
    name = typed["name"].strip()
    row = conn.execute(
        """INSERT INTO recognition (office, name, name_key, decided_on, reference, scope, recorded_by, recorded_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s, clock_now()) RETURNING id""",
        (
            office,
            name,
            search_key(name),
            reading.date,
            typed.get("reference", "").strip(),
            typed["scope"].strip(),
            actor.person_id,
        ),
    ).fetchone()
    assert row is not None
    return int(row[0])


def end(conn: Connection, actor: Actor, entry: int, last_day: str) -> None:
    """Give an entry of the director's own office its last day. Raises `NotFound`, `NotRegistered`."""
    offices = [post.org_code for post in actor.posts if post.role == RECOGNISES]
    found = conn.execute(
        "SELECT decided_on FROM recognition WHERE id = %s AND office = ANY (%s) AND valid_to IS NULL", (entry, offices)
    ).fetchone()
    if found is None:
        raise NotFound
    reading = read_date(last_day)
    decided: date = found[0]
    if reading.date is None or reading.date < decided:
        raise NotRegistered({"valid_to": reading.problem or "終わりの日は、認めた日より前にはできません。"})
    conn.execute("UPDATE recognition SET valid_to = %s WHERE id = %s AND valid_to IS NULL", (reading.date, entry))


def _today(conn: Connection) -> date:
    row = conn.execute(f"SELECT {TODAY}", prepare=True).fetchone()
    assert row is not None
    day: date = row[0]
    return day
