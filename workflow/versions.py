"""A dry run over every running case: would the newest version of its process fit? It reads only, and moves nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row

from states import catalogue
from states.fitting import Fit, Fitting, fitting, lost

Connection = psycopg.Connection[Any]

# Those that are under way under a version that is not the newest; drafts are rewritten by their writers anyway.
RUNNING = """SELECT c.id, c.number, c.process, c.process_version, c.state, c.origin, c.form,
  (SELECT coalesce(array_agg(d.kind), '{}') FROM deadline d WHERE d.case_id = c.id AND d.closed_at IS NULL) AS deadlines
FROM cases c JOIN unnest(%(processes)s::text[], %(versions)s::int[], %(states)s::text[]) AS u (process, version, state)
  ON c.process = u.process AND c.process_version = u.version AND c.state = u.state
WHERE c.version > 0 ORDER BY c.id"""

WORDS = {Fit.OK: "そのまま移せます", Fit.MAPPING: "決めることがあります", Fit.BLOCKED: "移せません"}


@dataclass(frozen=True)
class Tried:
    """What the dry run says of one case; `lost` are verbs that it would no longer have."""

    case: int
    number: str
    process: str
    version: int
    newest: int
    state: str
    fitting: Fitting
    lost: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "case": self.case, "number": self.number, "process": self.process, "version": self.version, "newest": self.newest,
            "state": self.state, "fit": str(self.fitting.fit), "reasons": list(self.fitting.reasons), "lost": list(self.lost),
        }  # fmt: skip


def dry_run(conn: Connection, process: str = "") -> Iterator[Tried]:
    """Every running case of an earlier version (of one process, or of all), held against the newest."""
    newest = catalogue.newest()
    earlier = [
        p for p in catalogue.all_versions().values() if p.version < newest[p.key].version and process in ("", p.key)
    ]
    places = [(p.key, p.version, s.name) for p in earlier for s in p.states if not s.final]
    if not places:
        return
    columns = dict(zip(("processes", "versions", "states"), map(list, zip(*places, strict=True)), strict=True))
    with conn.cursor(row_factory=dict_row) as cursor:
        for row in cursor.execute(RUNNING, columns):
            old, new = catalogue.process(row["process"], row["process_version"]), newest[row["process"]]
            found = fitting(
                old, new, state=row["state"], origin=row["origin"], form=row["form"], deadlines=row["deadlines"]
            )
            gone = tuple(lost(old, new, row["state"]))
            yield Tried(
                row["id"],
                row["number"] or "",
                old.label,
                old.version,
                new.version,
                old.state(row["state"]).label,
                found,
                gone,
            )
