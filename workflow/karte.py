"""The karte of a municipality (市町村カルテ): everything open and past there, what was promised and what became of it.

It is read two minutes before a visit, by whoever may see the cases: each of them is taken as its reader may read it, so
that a promise or a voice that stands in a field group kept from the reader is not told.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from states import catalogue
from states.dates import fiscal_year
from states.kernel import Process
from states.places import Directory
from states.terms import Promise
from workflow import history, thread
from workflow.access import OUTSIDE, SCOPE, TODAY, VISIBLE, Actor, roles_on
from workflow.deadlines import local_day
from workflow.queries import LEAD, Connection, _dicts

MOST = 500  # cases of one municipality, the newest first
STILL = 30  # days without a move after which a voice counts as stalled where nothing is due
LATE = 10  # days without a move where something is overdue
READERS = frozenset({"bureau", "director", "headquarters", "auditor", "records", "municipality", "municipality_head"})


@dataclass(frozen=True, slots=True)
class Line:
    """A case of the municipality, as its reader may read it."""

    id: int
    number: str | None
    title: str
    label: str  # of its process
    state: str
    final: bool
    outcome: str
    holder: str
    due_at: datetime | None
    since: datetime
    moved: datetime
    lead: str
    parent: int | None
    voice: str
    promises: Sequence[Promise]
    heard: str
    still: int  # days without a move, where it stands still; else 0
    late: bool

    @property
    def year(self) -> int:
        """The fiscal year in which it began."""
        return fiscal_year(local_day(self.since))


@dataclass(frozen=True, slots=True)
class Voice:
    """What somebody said, the case that holds it, and the cases that came of it, the oldest first."""

    line: Line
    came: Sequence[Line]


_ABOUT = f"""c.id, c.number, c.title, c.process, c.process_version, c.state, c.origin, c.form, c.acted_at, c.parent_id, {LEAD},
  (SELECT e.at FROM event e WHERE e.case_id = c.id AND e.seq = 1) AS since,
  (SELECT min(d.due_at) FROM deadline d WHERE d.case_id = c.id AND d.closed_at IS NULL) AS due_at,
  (SELECT jsonb_agg(jsonb_build_object('part', p.part, 'org', p.org_code)) FROM party p WHERE p.case_id = c.id AND p.valid_to IS NULL) AS parties,
  EXISTS (SELECT 1 FROM assignment a WHERE a.case_id = c.id AND a.person_id = %(person)s) AS sent"""

_NEAR = """near AS (SELECT c.id FROM cases c WHERE c.place = ANY (%(places)s)
  UNION SELECT p.case_id FROM party p WHERE p.org_code = ANY (%(places)s) AND p.part IN ('requester', 'partner', 'destination') AND p.valid_to IS NULL)"""

CASES = f"""WITH {SCOPE}, {_NEAR} SELECT {_ABOUT} FROM me CROSS JOIN near JOIN cases c ON c.id = near.id
WHERE c.version > 0 AND {VISIBLE} ORDER BY c.id DESC LIMIT {MOST}"""

CAME = f"""WITH {SCOPE}, tie AS (
  SELECT l.other_id AS voice, l.case_id AS id FROM link l WHERE l.other_id = ANY (%(voices)s) AND l.kind = 'origin' AND l.seq > 0
  UNION SELECT l.case_id, l.other_id FROM link l WHERE l.case_id = ANY (%(voices)s) AND l.kind = 'derived' AND l.seq > 0
  UNION SELECT k.parent_id, k.id FROM cases k WHERE k.parent_id = ANY (%(voices)s))
SELECT tie.voice, {_ABOUT} FROM me CROSS JOIN tie JOIN cases c ON c.id = tie.id WHERE c.version > 0 AND {VISIBLE} ORDER BY c.id LIMIT {MOST}"""

# Who was or will be sent there on which day; half a day counts as one.
SENT = f"""WITH {SCOPE}, {_NEAR} SELECT a.day, count(DISTINCT a.person_id) AS people, min(c.id) AS case_id
FROM me CROSS JOIN near JOIN cases c ON c.id = near.id JOIN assignment a ON a.case_id = c.id WHERE {VISIBLE} GROUP BY a.day ORDER BY a.day"""

# Open cases that may stand still, of every place of an office; only the states that are no end.
STALLED = f"""WITH {SCOPE} SELECT c.place, {_ABOUT} FROM me CROSS JOIN cases c
WHERE {VISIBLE} AND c.version > 0 AND c.place = ANY (%(places)s) AND c.process || ' ' || c.process_version || ' ' || c.state = ANY (%(open)s)
  AND c.acted_at < %(before)s ORDER BY c.acted_at LIMIT {MOST}"""

COUNTS = f"""WITH {SCOPE} SELECT c.place, max(c.acted_at) AS moved, count(*) AS total,
  count(*) FILTER (WHERE c.process || ' ' || c.process_version || ' ' || c.state = ANY (%(open)s)) AS open
FROM me CROSS JOIN cases c WHERE {VISIBLE} AND c.version > 0 AND c.parent_id IS NULL AND c.place = ANY (%(places)s) GROUP BY c.place"""

VISITED = f"""WITH {SCOPE} SELECT c.place, max(a.day) FILTER (WHERE a.day <= {TODAY}) AS last, min(a.day) FILTER (WHERE a.day > {TODAY}) AS next
FROM me CROSS JOIN cases c JOIN assignment a ON a.case_id = c.id WHERE {VISIBLE} AND c.place = ANY (%(places)s) GROUP BY c.place"""


def codes(directory: Directory, code: str) -> list[str]:
    """The code of a municipality and those of all that were merged into it, or that it was called by before."""
    found = [code]
    for one in found:
        found += [m.code for m in directory.municipalities if m.successor_code == one and m.code not in found]
    return found


def lines(conn: Connection, reader: Actor, places: Sequence[str], now: datetime) -> list[Line]:
    """The cases of a municipality (by its codes) that the reader may see, the newest first."""
    rows = _dicts(conn, CASES, {"person": reader.person_id, "places": list(places)})
    return [_line(row, reader, now) for row in rows]


def voices(conn: Connection, reader: Actor, told: Sequence[Line], now: datetime, year: int) -> list[Voice]:
    """What was said there and is open, or ended in that fiscal year: what stands still first, then the oldest."""
    found = [line for line in told if line.voice and (not line.final or fiscal_year(local_day(line.moved)) >= year)]
    rows = _dicts(conn, CAME, {"person": reader.person_id, "voices": [line.id for line in found]}) if found else []
    came: dict[int, list[Line]] = {}
    for row in rows:
        one = _line(row, reader, now)
        if (
            one.voice or not one.promises or one.parent != row["voice"]
        ):  # what is only promised stands with the promises
            came.setdefault(row["voice"], []).append(one)
    found.sort(key=lambda line: (line.final, -line.still, line.since))
    return [Voice(line, came.get(line.id, ())) for line in found]


def sent(conn: Connection, reader: Actor, places: Sequence[str]) -> list[tuple[date, int, int]]:
    """On which days how many were or will be sent there, and for which case; for the offices alone."""
    if not reader.roles - OUTSIDE:
        return []
    rows = _dicts(conn, SENT, {"person": reader.person_id, "places": list(places)})
    return [(row["day"], row["people"], row["case_id"]) for row in rows]


def stalled(conn: Connection, reader: Actor, places: Sequence[str], now: datetime) -> list[tuple[str, Line]]:
    """The voices that stand still in these municipalities, the longest first, each with its place."""
    before = now - timedelta(days=LATE)
    told = {"person": reader.person_id, "places": list(places), "open": _open(), "before": before}
    found = [(row["place"], _line(row, reader, now)) for row in _dicts(conn, STALLED, told)]
    return sorted(((p, line) for p, line in found if line.voice and line.still), key=lambda pair: -pair[1].still)


def overview(conn: Connection, reader: Actor, places: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Of each of these municipalities where there is anything: how many are open, how many in all, the last move and visits."""
    told = {"person": reader.person_id, "places": list(places), "open": _open()}
    found: dict[str, dict[str, Any]] = {
        row["place"]: row | {"last": None, "next": None} for row in _dicts(conn, COUNTS, told)
    }
    for row in _dicts(conn, VISITED, told) if reader.roles - OUTSIDE else ():
        if row["place"] in found:
            found[row["place"]] |= {"last": row["last"], "next": row["next"]}
    return found


def _open() -> list[str]:
    """Every state that is no end, as the statements name it."""
    return [
        f"{process.key} {process.version} {state.name}"
        for process in catalogue.all_versions().values()
        for state in process.states
        if not state.final
    ]


def _line(row: Mapping[str, Any], reader: Actor, now: datetime) -> Line:
    process = catalogue.process(row["process"], row["process_version"])
    state, roles = process.state(row["state"]), _roles(row, reader)
    readable = {
        group: part for group, part in row["form"].items() if process.reads(history.FORM + group, roles, row["state"])
    }
    read, brief = process.reading(readable), process.brief
    late = bool(not state.final and row["due_at"] and row["due_at"] <= now)
    return Line(
        row["id"], row["number"], row["title"], process.label, thread.stands(process, row["state"], row["origin"], reader), state.final,
        state.outcome or state.label, "" if state.final else process.holder(state.name, row["origin"]), row["due_at"], row["since"],
        row["acted_at"], row["lead_name"] or "", row["parent_id"], brief.voice(read), tuple(brief.promises(read, row["state"])),
        brief.heard(read), _still(process, row, now), late,
    )  # fmt: skip


def _roles(row: Mapping[str, Any], reader: Actor) -> frozenset[str]:
    return frozenset(roles_on(reader.posts, row["parties"] or (), assigned=row["sent"]))


def _still(process: Process, row: Mapping[str, Any], now: datetime) -> int:
    """For how many days nothing moved, where that is too long; a case that waits for a day to come does not stand still."""
    days = (local_day(now) - local_day(row["acted_at"])).days
    if process.state(row["state"]).final or (row["due_at"] and row["due_at"] > now):
        return 0
    return days if days >= (LATE if row["due_at"] else STILL) else 0


def promises(told: Sequence[Line]) -> Iterator[tuple[Line, Promise]]:
    """What was promised: first what is still to be done, by its day, then what was done, the newest first."""
    found = [(line, promise) for line in told for promise in line.promises]
    pending = [(line, p) for line, p in found if not (p.kept or p.dropped)]
    yield from sorted(pending, key=lambda pair: (pair[1].due is None, pair[1].due or date.max, pair[0].id))
    yield from ((line, p) for line, p in found if p.kept or p.dropped)
