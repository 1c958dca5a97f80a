"""The thread of a case (経緯): what it came of, what came of it, and what it was tied to by hand; each tie with who, when and why.

It is walked for one reader from case to case: up to where it began, down to what became of it. What one may not see ends
the walk there, so that nothing beyond it is told either.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from states import catalogue, thread
from states.kernel import Process
from workflow import history
from workflow.access import OUTSIDE, SCOPE, VISIBLE, Actor
from workflow.queries import Connection, _dicts, named

MOST = 200  # cases of one thread
CHILD = "child"  # the tie of a case to the one above it
WHY = "internal:link"  # content: kind of tie, id of the other case, reason; kept inside the offices
ENDED = "internal:derived"  # content: a case that came of this one, and how it ended
_UP = tuple(kind for kind, tie in thread.TIES.items() if tie.way == "up")
_DOWN = tuple(kind for kind, tie in thread.TIES.items() if tie.way == "down")


@dataclass(frozen=True, slots=True)
class Node:
    """A case of the thread as this reader may know it."""

    id: int
    number: str | None
    title: str
    label: str  # of its process
    state: str
    final: bool
    outcome: str
    holder: str  # whose turn it is, as a role; empty where it has ended
    since: datetime
    moved: datetime
    here: bool


@dataclass(frozen=True, slots=True)
class Strand:
    """How one case belongs to an earlier one: what that one is to it; who tied them, when and why.

    `on` is the case that the tie stands on, where a person may take it away again.
    """

    earlier: int
    later: int
    kind: str
    label: str
    who: str
    at: datetime
    why: str
    on: int


@dataclass(frozen=True, slots=True)
class Branch:
    """A case with what came of it; `again` where it was shown before, `others` how many more stand under it."""

    node: Node
    strand: Strand | None
    below: Sequence["Branch"] = ()
    again: bool = False
    others: int = 0


@dataclass(frozen=True, slots=True)
class Thread:
    """The whole thread: from each beginning down to what became of it, the ties beside it, and every tie in the order of time."""

    roots: Sequence[Branch] = ()
    beside: Sequence[tuple[str, Strand, Node]] = ()  # what the other case is to this one, the tie, the other case
    strands: Sequence[Strand] = ()
    nodes: Mapping[int, Node] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return len(self.nodes) > 1


# Whoever is on the way up is followed up only, so that the other children of a parent do not come along.
WALK = f"""WITH RECURSIVE {SCOPE}, walk (id, way) AS (
  SELECT %(case)s::bigint, u.way FROM (VALUES ('up'), ('down')) AS u (way)
  UNION SELECT n.id, w.way FROM walk w CROSS JOIN me CROSS JOIN LATERAL (
    SELECT k.parent_id AS id FROM cases k WHERE w.way = 'up' AND k.id = w.id
    UNION ALL SELECT l.other_id FROM link l WHERE l.case_id = w.id AND l.seq > 0 AND l.kind = ANY (CASE w.way WHEN 'up' THEN %(up)s::text[] ELSE %(down)s::text[] END)
    UNION ALL SELECT k.id FROM cases k WHERE w.way = 'down' AND k.parent_id = w.id
    UNION ALL SELECT l.case_id FROM link l WHERE l.other_id = w.id AND l.seq > 0 AND l.kind = ANY (CASE w.way WHEN 'up' THEN %(down)s::text[] ELSE %(up)s::text[] END)
  ) n JOIN cases c ON c.id = n.id WHERE c.version > 0 AND {VISIBLE})
SELECT id, way FROM walk LIMIT {MOST * 2}"""

BESIDE = f"""WITH {SCOPE} SELECT c.id FROM me CROSS JOIN link l JOIN cases c ON c.id = CASE WHEN l.case_id = %(case)s THEN l.other_id ELSE l.case_id END
WHERE %(case)s IN (l.case_id, l.other_id) AND l.seq > 0 AND l.kind = ANY (%(beside)s) AND c.version > 0 AND {VISIBLE} LIMIT {MOST}"""

NODES = """SELECT c.id, c.number, c.title, c.process, c.process_version, c.state, c.origin, c.acted_at,
  (SELECT e.at FROM event e WHERE e.case_id = c.id AND e.seq = 1) AS since FROM cases c WHERE c.id = ANY (%(cases)s) AND c.version > 0"""

TIED = """SELECT l.case_id, l.other_id, l.kind, l.seq FROM link l
  WHERE l.case_id = ANY (%(cases)s) AND l.other_id = ANY (%(cases)s) AND l.seq > 0
UNION ALL SELECT k.id, k.parent_id, %(child)s, 1 FROM cases k WHERE k.id = ANY (%(cases)s) AND k.parent_id = ANY (%(cases)s)"""

WRITTEN = """SELECT e.case_id, e.seq, e.at, e.action, e.actor, c.process, c.process_version, c.state,
  (SELECT jsonb_object_agg(x.kind, convert_from(x.data, 'UTF8')::jsonb) FROM content x
     WHERE x.case_id = e.case_id AND x.seq = e.seq AND x.data IS NOT NULL AND x.kind = ANY (%(kinds)s)) AS said
FROM event e JOIN cases c ON c.id = e.case_id
JOIN unnest(%(on)s::bigint[], %(seqs)s::int[]) AS k (c, s) ON e.case_id = k.c AND e.seq = k.s"""

OTHERS = f"""WITH {SCOPE} SELECT c.parent_id, count(*) AS number FROM me CROSS JOIN cases c
WHERE c.parent_id = ANY (%(cases)s) AND c.id <> ALL (%(cases)s) AND c.version > 0 AND {VISIBLE} GROUP BY c.parent_id"""

DRAFTS = f"""WITH {SCOPE} SELECT c.id, c.title, c.process, c.process_version, c.opened_at FROM me CROSS JOIN link l JOIN cases c ON c.id = l.case_id
WHERE l.other_id = %(case)s AND l.seq = 0 AND c.version = 0 AND {VISIBLE} ORDER BY c.id"""


def of_case(conn: Connection, reader: Actor, case_id: int) -> Thread:
    """The thread of a case for a person who sees it; of a case that stands alone it is false."""
    about = {"person": reader.person_id, "case": case_id}
    found = _dicts(conn, WALK, about | {"up": list(_UP), "down": list(_DOWN)})
    line = list(dict.fromkeys([case_id, *(row["id"] for row in found)]))[:MOST]
    kinds = [kind for kind, tie in thread.TIES.items() if tie.way == "beside"]
    near = [row["id"] for row in _dicts(conn, BESIDE, about | {"beside": kinds})]
    if len(line) == 1 and not near:
        return Thread()
    nodes = {row["id"]: _node(row, reader, case_id) for row in _dicts(conn, NODES, {"cases": [*line, *near]})}
    strands = _strands(conn, reader, nodes)
    upper = [row["id"] for row in found if row["way"] == "up" and row["id"] != case_id]
    counted = _dicts(conn, OTHERS, {"person": reader.person_id, "cases": [*nodes]}) if upper else []
    others = {row["parent_id"]: row["number"] for row in counted if row["parent_id"] in upper}
    ties = [s for s in strands if s.earlier in line and s.later in line and s.kind not in kinds]
    beside = [
        (
            s.label if s.on == case_id else thread.TIES[s.kind].back,
            s,
            nodes[s.later if s.earlier == case_id else s.earlier],
        )
        for s in strands
        if s.kind in kinds and case_id in (s.earlier, s.later)
    ]
    return Thread(_grown(nodes, ties, line, others), beside, strands, nodes)


def drafts(conn: Connection, reader: Actor, case_id: int) -> list[dict[str, Any]]:
    """The drafts that were begun from a case and are not put in yet, as far as the reader may see them."""
    rows = _dicts(conn, DRAFTS, {"person": reader.person_id, "case": case_id})
    return [row | {"label": catalogue.process(row["process"], row["process_version"]).label} for row in rows]


def _node(row: Mapping[str, Any], reader: Actor, here: int) -> Node:
    process = catalogue.process(row["process"], row["process_version"])
    state = process.state(row["state"])
    return Node(
        row["id"], row["number"], row["title"], process.label, stands(process, row["state"], row["origin"], reader), state.final,
        state.outcome or state.label, "" if state.final else process.holder(state.name, row["origin"]), row["since"], row["acted_at"],
        row["id"] == here,
    )  # fmt: skip


def stands(process: Process, name: str, origin: str, reader: Actor) -> str:
    """What a state is called for a reader: by its own name for the offices and its holder, to others the public step."""
    state = process.state(name)
    own = bool(reader.roles - OUTSIDE) or state.final or process.holder(name, origin) in reader.roles
    return state.label if own else f"「{state.step}」の段階"


def _strands(conn: Connection, reader: Actor, nodes: Mapping[int, Node]) -> list[Strand]:
    """Every tie among these cases, the oldest first."""
    rows = _dicts(conn, TIED, {"cases": [*nodes], "child": CHILD})
    on = {"on": [row["case_id"] for row in rows], "seqs": [row["seq"] for row in rows]}
    events = _dicts(conn, WRITTEN, on | {"kinds": [history.FORM + thread.GROUP, WHY]})
    told = {(row["case_id"], row["seq"]): row for row in named(conn, events)}
    found = []
    for row in rows:
        event = told[row["case_id"], row["seq"]]
        tie = thread.TIES.get(row["kind"])
        came_first = tie is not None and tie.way == "down"
        earlier, later = (row["case_id"], row["other_id"]) if came_first else (row["other_id"], row["case_id"])
        who = " ".join(filter(None, (event["org_name"], event["post_title"]))) or event["actor_name"]
        label = "この案件の上の案件" if tie is None else tie.back if came_first else tie.label
        found.append(
            Strand(earlier, later, row["kind"], label, who, event["at"], _why(event, row, reader), row["case_id"])
        )
    return sorted(found, key=lambda s: (s.at, s.later))


def _why(event: Mapping[str, Any], row: Mapping[str, Any], reader: Actor) -> str:
    """The reason that was written, for those who read what is internal on that case."""
    process = catalogue.process(event["process"], event["process_version"])
    for kind, said in (event["said"] or {}).items():
        if row["other_id"] in (said.get("from"), said.get("case")) and process.reads(
            kind, reader.roles, event["state"]
        ):
            return str(said.get("why") or "")
    return ""


def _grown(
    nodes: Mapping[int, Node], ties: Sequence[Strand], line: Sequence[int], others: Mapping[int, int]
) -> list[Branch]:
    """The trees from the beginnings down; a case that two ways lead to is grown once."""
    below: dict[int, list[Strand]] = {}
    for strand in ties:
        below.setdefault(strand.earlier, []).append(strand)
    seen: set[int] = set()

    def grow(number: int, strand: Strand | None) -> Branch:
        if number in seen:
            return Branch(nodes[number], strand, again=True)
        seen.add(number)
        grown = [grow(next_one.later, next_one) for next_one in below.get(number, ())]
        return Branch(nodes[number], strand, grown, others=others.get(number, 0))

    later = {strand.later for strand in ties}
    roots = [grow(number, None) for number in sorted(set(line) & nodes.keys()) if number not in later]
    # Ties by hand may run in a circle; then it begins with the case itself.
    return roots + [grow(number, None) for number in line if number in nodes and number not in seen]


def written(kind: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """What an event of the thread says in the story of its case; the other case is told by the thread alone."""
    if kind == ENDED:
        return {"label": "ここから起こした案件", "text": f"{said['label']}が「{said['outcome']}」で終わりました"}
    tie = thread.TIES.get(str(said.get("kind")))
    return {"label": f"「{tie.label if tie else '経緯'}」の訳", "text": str(said.get("why") or "")}
