"""What an organisation reads of a case in which its part has ended: the case as it stood after that event, nothing later.

The event's body names every content row that the case then consisted of; what was erased since stays erased. Whoever
reads a case this way has no offers and is found by no word that was written afterwards.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from states import catalogue
from states.kernel import Process
from states.places import Directory
from workflow import history
from workflow.blackout import filled
from workflow.deadlines import local_day
from workflow.numbers import short_name

Connection = psycopg.Connection[Any]
SUCCEEDED = "succeed"  # the engine's event by which another organisation takes an organisation's place

EVENTS = """SELECT e.case_id, e.seq, e.at, e.action, e.body, e.hash, c.process, c.process_version
FROM unnest(%(cases)s::bigint[], %(seqs)s::int[]) AS k (c, s) JOIN event e ON e.case_id = k.c AND e.seq = k.s JOIN cases c ON c.id = k.c"""

# Later rows are read for what was blacked out or erased since; the body says which ones the case consisted of.
WRITTEN = """SELECT x.case_id, x.seq, x.ord, x.kind, x.data, CASE WHEN x.data IS NULL THEN
  (SELECT min(b.seq) FROM content b, jsonb_array_elements(convert_from(b.data, 'UTF8')::jsonb -> 'erased') AS place
   WHERE b.case_id = x.case_id AND b.kind = 'erasure' AND place = jsonb_build_array(x.seq, x.ord)) END AS erased_by
FROM content x WHERE x.case_id = ANY (%(cases)s::bigint[]) ORDER BY x.seq, x.ord"""


@dataclass(frozen=True)
class Past:
    """A case as it stood after one of its events."""

    case_id: int
    seq: int
    at: datetime
    process: Process
    body: str
    digest: bytes
    form: Mapping[str, Any]
    parties: Sequence[Mapping[str, Any]]
    word: str  # how the list calls what happened then

    @property
    def told(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = json.loads(self.body)
        return found

    @property
    def title(self) -> str:
        return self.process.title({group: part for group, part in self.form.items() if set(part) != {"erased"}})


def as_they_were(conn: Connection, places: Mapping[int, int]) -> dict[int, Past]:
    """These cases after these events; `places` are case and number of the event."""
    keys = {"cases": list(places), "seqs": list(places.values())}
    with conn.cursor(row_factory=dict_row) as cursor:
        events = cursor.execute(EVENTS, keys, prepare=True).fetchall()
        rows = cursor.execute(WRITTEN, keys, prepare=True).fetchall()
    written = {
        (case, row["seq"], row["ord"]): row
        for case in places
        for row in filled([r for r in rows if r["case_id"] == case])
    }
    found = {}
    for event in events:
        process = catalogue.process(event["process"], event["process_version"])
        form: dict[str, Any] = {}
        parties: list[Mapping[str, Any]] = []
        for seq, ord_, kind, *_ in json.loads(event["body"])["content"]:
            row = written.get((event["case_id"], seq, ord_))
            if row is None:
                continue
            value = {"erased": row["erased_by"]} if row["data"] is None else json.loads(bytes(row["data"]))
            if kind.startswith(history.FORM):
                form[kind.removeprefix(history.FORM)] = value
            elif kind == "parties" and isinstance(value, list):
                parties = [{"part": part, "org": org, "from": None, "to": None, "until": None} for part, org in value]
        found[event["case_id"]] = Past(
            event["case_id"], event["seq"], event["at"], process, event["body"], bytes(event["hash"]), form, parties,
            word(process, event["action"]),
        )  # fmt: skip
    return found


def as_read(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows of a list, those with an `until` as the case was then: number, title, state, lead, place, and the list's word for it."""
    left = {row["case_id"]: row["until"] for row in rows if row.get("until") is not None}
    past = as_they_were(conn, left) if left else {}
    return [dict(row) | (_then(past[row["case_id"]]) if row["case_id"] in past else {"word": ""}) for row in rows]


def _then(past: Past) -> dict[str, Any]:
    told, directory, day = past.told, Directory.from_csv(), local_day(past.at)
    office, place = directory.office(told["lead"]), directory.municipality(past.process.place(past.form), day)
    return {
        "number": told["number"], "title": past.title, "state": told["to"], "lead": told["lead"], "acted_at": past.at,
        "version": past.seq, "due_at": None, "word": past.word, "lead_name": short_name(office.name) if office else "",
        "municipality": place.name if place else None,
    }  # fmt: skip


def word(process: Process, action: str) -> str:
    """How a list calls a case that an organisation left by this act."""
    if action == SUCCEEDED:
        return "引継ぎ済み"
    leads = any(row.leads for row in process.table if row.name == action)
    return "転送済み" if leads else "関わり終了"
