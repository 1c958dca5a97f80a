"""Letters: written from the case as it stood at its event, filed once by an event of their own, shown as they were filed.

The process declares every word (`states.documents.Letter`); the template only lays them out.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from functools import cache
from typing import Any

import psycopg
from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup, escape

from states.dates import wareki
from states.documents import Letter, Matter, Paper
from states.places import Directory
from states.route_words import acted
from states.routes import GROUP
from states.text import visible
from workflow import acts, case_sql, history
from workflow.access import OUTSIDE, TODAY
from workflow.blackout import filled
from workflow.deadlines import local_day
from workflow.documents import declared
from workflow.documents.declared import DocumentProblem
from workflow.loading import Loaded, NotFound, load

Connection = psycopg.Connection[Any]
KIND = "letter:"  # content kind of a filed letter
FILED = "file_letter"  # the event that files one

# The latest event whose effect was this letter, as it was or will be written by the outbox.
WANTED = """SELECT e.seq FROM event e WHERE e.case_id = %(case)s AND e.action = ANY (%(actions)s) AND e.seq <= %(until)s ORDER BY e.seq DESC LIMIT 1"""

EVENT = "SELECT e.body, e.hash, e.at FROM event e WHERE e.case_id = %(case)s AND e.seq = %(seq)s"

CONTENT = """SELECT x.seq, x.ord, x.kind, x.data,
  (SELECT min(b.seq) FROM content b, jsonb_array_elements(convert_from(b.data, 'UTF8')::jsonb -> 'erased') AS place
   WHERE b.case_id = x.case_id AND b.kind = 'erasure' AND place = jsonb_build_array(x.seq, x.ord)) AS erased_by
FROM content x WHERE x.case_id = %(case)s"""

# A letter whose content was erased does not say any more for which event it was; it counts for every earlier one.
ALREADY = """SELECT 1 FROM content x WHERE x.case_id = %(case)s AND x.kind = %(kind)s AND x.seq > %(seq)s
  AND (x.data IS NULL OR (convert_from(x.data, 'UTF8')::json ->> 'event')::int = %(seq)s)"""

OFFICE = f"""SELECT o.name, o.contact FROM organisation o WHERE o.code = %s
  AND (o.valid_from IS NULL OR o.valid_from <= {TODAY}) AND (o.valid_to IS NULL OR o.valid_to >= {TODAY})
ORDER BY o.valid_from DESC NULLS LAST LIMIT 1"""


def render(conn: Connection, case_id: int, key: str, person_id: int | None) -> str:
    """The letter as a page to print: as filed, or as it will be filed. None as person is the system.

    Raises `NotFound` where there is no such letter for this person.
    """
    case = load(conn, case_id, person_id)
    letter = declared.letter(case.process, key)
    if letter is None or not case.process.reads(KIND + key, case.reads, case.row.state):
        raise NotFound
    until = case.row.version
    rows = [row for row in _content(conn, case_id) if row["kind"] == KIND + key and row["seq"] <= until]
    if rows:
        latest = rows[-1]
        if latest["data"] is None:
            gone = f"消去済み(記録{latest['erased_by']}号)" if latest["erased_by"] else "内容が失われています"
            return _page(letter, None, gone=gone)
        kept = json.loads(bytes(latest["data"]))
        told = _decided_by(conn, case, kept["event"])
        return _page(letter, _paper(kept["paper"]), receipt=kept["receipt"], filed=latest["seq"], decided=told)
    wanted = conn.execute(
        WANTED, {"case": case_id, "actions": _brings(case, key), "until": until}, prepare=True
    ).fetchone()
    if wanted is None:
        raise NotFound
    paper, receipt = _written(conn, case, letter, wanted[0])
    return _page(letter, paper, receipt=receipt, decided=_decided_by(conn, case, wanted[0]))


NAMES = "SELECT e.action, x.data FROM event e JOIN content x ON x.case_id = e.case_id AND x.seq = e.seq AND x.kind = 'names' WHERE e.case_id = %s AND e.seq = %s"


def _decided_by(conn: Connection, case: Loaded, seq: int) -> str:
    """Who decided what a letter tells, and for whom: said on the offices' copy, while the letter speaks in its sender's name."""
    inside = case.reads - OUTSIDE and case.process.reads(history.FORM + GROUP, case.reads, case.row.state)
    row = conn.execute(NAMES, (case.row.id, seq), prepare=True).fetchone() if inside else None
    if row is None:
        return ""
    if row[1] is None:
        return "消去済み"
    names = json.loads(bytes(row[1]))
    who = " ".join(filter(None, (names["office"], names["post"], names["actor"])))
    return f"{who}({acting})" if (acting := acted(names, row[0])) else who


def file(conn: Connection, case_id: int, key: str, seq: int) -> bool:
    """Write the letter that event `seq` brought forth, and file it once.

    True when it is filed, also by somebody before; False when the case was just moving: ask again. Raises `NotFound`,
    `DocumentProblem` for a letter that the process does not declare.
    """
    case = load(conn, case_id, None)
    letter = declared.letter(case.process, key)
    if letter is None:
        raise DocumentProblem(f"「{key}」という文書は、この業務フローにありません。")
    if conn.execute(ALREADY, {"case": case_id, "kind": KIND + key, "seq": seq}, prepare=True).fetchone():
        return True
    paper, receipt = _written(conn, case, letter, seq)
    content = {"event": seq, "paper": asdict(paper) | {"on": paper.on.isoformat()}, "receipt": receipt}
    # Loaded before it was looked for: whoever filed it meanwhile has moved the version, and nothing is written here.
    params = acts.note(case, FILED, [(KIND + key, content)])
    return case_sql.carry_out(conn, params)


def _written(conn: Connection, case: Loaded, letter: Letter, seq: int) -> tuple[Paper, str]:
    """The letter from the case as it stood at that event, and the receipt that ties it to the record."""
    found = conn.execute(EVENT, {"case": case.row.id, "seq": seq}, prepare=True).fetchone()
    if found is None:
        raise NotFound
    body, digest, at = json.loads(found[0]), bytes(found[1]).hex(), found[2]
    there = {(row["seq"], row["ord"]): row for row in _content(conn, case.row.id)}
    form: dict[str, Any] = {}
    inputs: dict[str, str] = {}
    for of, order, kind, *_ in body["content"]:
        row = there[of, order]
        value = json.loads(bytes(row["data"])) if row["data"] is not None else {"erased": row["erased_by"]}
        if kind.startswith(history.FORM):
            form[kind.removeprefix(history.FORM)] = value
        elif kind.startswith("input:") and of == seq:
            inputs[kind.removeprefix("input:")] = (
                value if isinstance(value, str) else f"消去済み(記録{row['erased_by']}号)"
            )
    office = conn.execute(OFFICE, (body["lead"],), prepare=True).fetchone()
    known = Directory.from_csv().office(body["lead"])
    matter = Matter(
        number=body["number"] or "", form=form, inputs=inputs, office_name=office[0] if office else body["lead"],
        office_contact=office[1] if office else "", prefecture=known.prefecture if known else "", on=local_day(at),
        directory=case.facts.directory,
    )  # fmt: skip
    return letter.compose(matter), f"{body['number'] or body['case']} 記録{seq}号 {digest}"


def _brings(case: Loaded, key: str) -> list[str]:
    """The actions that bring this letter forth."""
    return sorted({row.name for row in case.process.table if key in row.letters})


def _content(conn: Connection, case_id: int) -> list[dict[str, Any]]:
    rows = conn.execute(f"{CONTENT} ORDER BY x.seq, x.ord", {"case": case_id}, prepare=True).fetchall()
    return filled([dict(zip(("seq", "ord", "kind", "data", "erased_by"), row, strict=True)) for row in rows])


def _paper(kept: Mapping[str, Any]) -> Paper:
    told = dict(kept) | {
        "on": date.fromisoformat(kept["on"]), "items": tuple((label, text) for label, text in kept["items"]),
        "contact": tuple(kept["contact"]),
    }  # fmt: skip
    return Paper(**told)


def _page(
    letter: Letter, paper: Paper | None, *, receipt: str = "", filed: int = 0, gone: str = "", decided: str = ""
) -> str:
    template = _environment().get_template(letter.template)
    return template.render(label=letter.label, paper=paper, receipt=receipt, filed=filed, gone=gone, decided=decided)


@cache
def _environment() -> SandboxedEnvironment:
    """Letters may be laid out by an office: its template stands before the shipped one, and runs in the sandbox."""
    made = SandboxedEnvironment(
        loader=FileSystemLoader([declared.own_templates(), declared.SHIPPED]), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.filters["visible"] = visible
    made.filters["wareki"] = wareki
    made.filters["lines"] = _lines
    return made


def _lines(value: str) -> Markup:
    """Text of several lines, escaped, its line breaks kept."""
    return Markup("<br>").join(escape(visible(line)) for line in value.splitlines())
