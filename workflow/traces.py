"""Where words stand in a case and in those tied to it as parent and child: what an erasure may choose from, in one go."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workflow import cases, erase, story
from workflow.blackout import Words
from workflow.cases import View
from workflow.loading import Connection, NotFound

ROW, REMARK, FILE = "row", "remark", "file"

FAMILY = """SELECT k.id FROM cases c JOIN cases k ON k.id = c.id OR k.id = c.parent_id OR k.parent_id = c.id
WHERE c.id = %s AND k.version > 0 ORDER BY k.id <> c.id, k.id"""
REMARKS = "SELECT id, at, names, scope, body FROM comment WHERE case_id = %s AND body IS NOT NULL AND erased_seq IS NULL ORDER BY id"
FILES = "SELECT id, added_at, name, label, scope FROM attachment WHERE case_id = %s AND erased_seq IS NULL AND seq IS NOT NULL ORDER BY id"


@dataclass(frozen=True)
class Trace:
    """Something of a case that can be erased: a content row, a remark, a file; where the words stand in it, if any were looked for.

    `mark` names it in a form: case, number, and for a row its ord. `gone` is the event that erased it already, 0 where it
    has gone without one. `event` is the line of the story that wrote a row.
    """

    kind: str
    mark: str
    row: Mapping[str, Any]
    event: Mapping[str, Any] | None = None
    excerpts: Sequence[tuple[str, str, str]] = ()
    hidden: bool = False  # this reader may erase it, but not read it
    gone: int | None = None


def family(conn: Connection, person_id: int, case_id: int) -> list[View]:
    """The case, its parent and its children, as far as this person may erase in them; the case itself first."""
    found = []
    for (member,) in conn.execute(FAMILY, (case_id,), prepare=True).fetchall():
        try:
            view = cases.look(conn, person_id, member)
        except NotFound:
            continue
        if erase.ERASES in view.roles:
            found.append(view)
    return found


def everything(conn: Connection, view: View) -> Iterator[Trace]:
    """All that can be erased of a case, row by row."""
    events = {line["seq"]: line for line in story.timeline(conn, view)}
    for row in story.content_rows(conn, view):
        if row["kind"] not in erase.KEPT:
            gone = (row["erased_by"] or 0) if row["data"] is None else None
            hidden = not view.may_read(row["kind"])
            yield Trace(ROW, f"{view.id}.{row['seq']}.{row['ord']}", row, events[row["seq"]], hidden=hidden, gone=gone)
    for remark, at, names, scope, body in conn.execute(REMARKS, (view.id,), prepare=True).fetchall():
        told = {"at": at, "names": names, "scope": scope, "body": body}
        yield Trace(REMARK, f"{view.id}.{remark}", told)
    for file, at, name, label, scope in conn.execute(FILES, (view.id,), prepare=True).fetchall():
        yield Trace(FILE, f"{view.id}.{file}", {"at": at, "name": name, "label": label, "scope": scope})


def with_words(conn: Connection, view: View, typed: Sequence[str]) -> Iterator[Trace]:
    """Where the words stand. Files are all listed: nobody looks into them."""
    words = Words(tuple(typed), erase.codes(view.process))
    for trace in everything(conn, view):
        if trace.gone is not None:
            continue
        said = json.loads(bytes(trace.row["data"])) if trace.kind == ROW else trace.row.get("body")
        excerpts = words.excerpts(said)
        if excerpts or trace.kind == FILE:
            yield Trace(trace.kind, trace.mark, trace.row, trace.event, () if trace.hidden else excerpts, trace.hidden)
