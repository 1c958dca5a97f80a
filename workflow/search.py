"""What a case says as search entries: one of what every reader of it may see, one of all that the offices may see.

An entry is made from the case as it stands and carries the mark of that state; one with another mark is old. Pages make
it anew after what they changed (`refresh`), a worker finds what they missed (`catch_up`). Nothing here is the truth:
every entry may be lost and is made again.
"""

import hashlib
import json
import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import psycopg
from psycopg.rows import dict_row

from states import catalogue
from states.dates import fiscal_year
from states.kernel import RESERVED, Process
from states.places import Directory
from states.route_actions import BY_NAME
from states.text import search_key
from workflow.access import NARROW, PARTS, SCOPE_OF
from workflow.db import Database, type_connection
from workflow.deadlines import local_day
from workflow.history import FORM

log = logging.getLogger(__name__)
Connection = psycopg.Connection[Any]

EDITION = "2"  # of the way entries are made
MOST_GRAMS = 60_000  # of one entry; PostgreSQL's tsvector ends at a megabyte
REPORTS = "\f"  # parts a report's words from the rest of an entry's text; no key holds it
REPORT = "r="  # before the grams of a report
CUT = "cut="  # of an entry with more grams than it holds: only its text tells
LONGEST_TAG = 200
BLOCKS = (10, 12, 14, 16, 18, 20)  # powers of two: cases with near ids share a block of each size

# ── who may see which entry ─────────────────────────────────────────────────────────────────────────────────────────


@cache
def roles() -> tuple[frozenset[str], frozenset[str]]:
    """Roles on a case that read what stays inside the offices, whatever the process and its state; and all others.

    Who reads but little of a case finds it by no word of it, and so narrows nobody else's words.
    """
    known = {role for parts in PARTS.values() for role in parts.values()}
    known |= {role for role, scope in SCOPE_OF.items() if scope != "none" and role not in PARTS}
    known -= NARROW
    inner = frozenset(
        role for role in known
        if all(p.reads("internal", frozenset({role}), s.name) for p in catalogue.all_versions().values() for s in p.states)
    )  # fmt: skip
    return inner, frozenset(known) - inner


@cache
def desks() -> tuple[str, ...]:
    """Post role and part, as "role:part", that let one read what stays inside; a part that other posts have is the lead's."""
    inner, _ = roles()
    parted = {f"{post}:{part}" for post, parts in PARTS.items() for part, role in parts.items() if role in inner}
    return tuple(sorted(parted | {f"{role}:lead" for role in inner - set(PARTS) if SCOPE_OF.get(role) == "office"}))


# ── what a case says ────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Part:
    """Some words of a case: where they stand, how that is called, who may read them, whether they report what came of it."""

    source: str
    label: str
    text: str
    shared: bool
    inside: bool = True
    report: bool = False


@dataclass(frozen=True)
class Source:
    """A case as it was read for its entries."""

    id: int
    mark: str
    parts: Sequence[Part]
    tags: frozenset[str]


# The first two numbers never fall, so that an older state is known when it comes late.
MARK = f"""lpad(c.version::text, 10, '0') || lpad(c.saves::text, 10, '0')
  || (SELECT ':' || count(*) || '.' || coalesce(max(m.id), 0) || '.' || count(m.erased_seq) FROM comment m WHERE m.case_id = c.id)
  || (SELECT ':' || count(*) || '.' || coalesce(max(f.id), 0) || '.' || count(f.erased_seq) FROM attachment f WHERE f.case_id = c.id)
  || ':{EDITION}.' || %(edition)s::text"""
NEVER_FALLS = 20  # characters of a mark

SOURCES = f"""SELECT c.id, {MARK} AS mark, c.process, c.process_version, c.origin, c.lead, c.place, c.opened_at, c.title, c.number, c.state,
  c.form, (SELECT jsonb_agg(jsonb_build_array(p.part, p.org_code, p.valid_to IS NULL)) FROM party p WHERE p.case_id = c.id) AS parties,
  (SELECT array_agg(DISTINCT a.person_id) FROM assignment a WHERE a.case_id = c.id) AS assigned,
  (SELECT jsonb_agg(jsonb_build_array(m.scope, m.body) ORDER BY m.id) FROM comment m
     WHERE m.case_id = c.id AND m.body IS NOT NULL AND m.erased_seq IS NULL) AS comments,
  (SELECT jsonb_agg(jsonb_build_array(f.scope, f.label || ' ' || f.name) ORDER BY f.id) FROM attachment f
     WHERE f.case_id = c.id AND f.erased_seq IS NULL) AS files,
  (SELECT jsonb_agg(jsonb_build_array(e.action, x.kind, convert_from(x.data, 'UTF8')::jsonb) ORDER BY x.seq, x.ord)
     FROM content x JOIN event e ON e.case_id = x.case_id AND e.seq = x.seq
     WHERE x.case_id = c.id AND x.data IS NOT NULL AND (starts_with(x.kind, 'input:') OR starts_with(x.kind, 'internal:'))) AS inputs
FROM cases c WHERE c.id = ANY (%(cases)s)"""
READINGS = "SELECT id, kana FROM person WHERE id = ANY (%(people)s) AND kana <> ''"


def sources(conn: Connection, cases: Sequence[int]) -> list[Source]:
    """These cases as they stand now; one that is gone is left out."""
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(SOURCES, {"cases": list(cases), "edition": edition()}).fetchall()
        people = sorted({person for row in rows for person in people_in(row["form"])})
        kana = {r["id"]: r["kana"] for r in cursor.execute(READINGS, {"people": people}).fetchall()} if people else {}
    found = []
    for row in rows:
        process = catalogue.process(row["process"], row["process_version"])
        found.append(Source(row["id"], row["mark"], list(_parts(process, row, kana)), frozenset(_tags(process, row))))
    return found


def _parts(process: Process, row: Mapping[str, Any], kana: Mapping[int, str]) -> Iterator[Part]:
    yield Part("title", "件名", row["title"], shared=True)
    yield Part("number", "番号", row["number"] or "", shared=True)
    inner, outer = roles()
    for code in dict.fromkeys(
        [row["place"], row["lead"], *(org for _, org, current in row["parties"] or () if current)]
    ):
        for name in called(code):
            yield Part("place", "関わる市町村・振興局(読み・旧名を含む)", name, shared=True)
    for group, value in row["form"].items():
        if group in RESERVED:  # who decides is no word of the case; what was written on the way stands with the inputs
            continue
        kind = FORM + group
        shared, inside = _read_by(process, kind, outer, row["state"]), _read_by(process, kind, inner, row["state"])
        if shared or inside:
            report = group.partition(":")[0] in process.wording.reports
            for label, text in _words(process, group, value):
                yield Part(kind, label, text, shared, inside, report)
            for person in sorted(people_in(value)):
                yield Part("person", "職員の読み", kana.get(person, ""), shared, inside)
    here: dict[str, set[str]] = {}
    for part, org, current in row["parties"] or ():
        here.setdefault(org, set()).update([part] if current and part not in NARROW else [])
    for action, kind, value in row["inputs"] or ():
        if isinstance(value, str):
            shared = _told(process, action, here.values()) and _read_by(process, kind, outer, row["state"])
            inside = _read_by(process, kind, inner, row["state"])
            yield Part(kind, *_answer(process, action, kind, value), shared, inside)
    for scope, body in row["comments"] or ():
        yield Part("comment", "やりとり" if scope == "shared" else "庁内のやりとり", body, shared=scope == "shared")
    for scope, name in row["files"] or ():
        yield Part(
            "file", "ファイル" if scope == "shared" else "庁内のファイル", name.strip(), shared=scope == "shared"
        )


def _read_by(process: Process, kind: str, whose: frozenset[str], state: str) -> bool:
    """Whether each of these roles alone reads that content, and also, of those outside, who has none any more."""
    alone = all(process.reads(kind, frozenset({role}), state) for role in whose)
    return alone and (whose is not roles()[1] or process.reads(kind, frozenset(), state))


def shared(process: Process, group: str, state: str) -> bool:
    """Whether every reader of a case in that state may read the field group."""
    return _read_by(process, FORM + group, roles()[1], state)


def _told(process: Process, action: str, orgs: Iterable[set[str]]) -> bool:
    """Whether every organisation outside the offices, each with its parts, did the act or was told of it."""
    rows = [row for row in process.table if row.name == action]
    told = frozenset[str]().union(*(row.by | row.tells for row in rows))
    inner, outside = roles()[0], PARTS["municipality"]
    offices = {part for parts in PARTS.values() for part, role in parts.items() if role in inner}
    return all(told & {outside.get(part, "") for part in parts} for parts in orgs if parts and not parts & offices)


def _answer(process: Process, action: str, kind: str, value: str) -> tuple[str, str]:
    """What was typed with an act, as label and words."""
    name = kind.partition(":")[2]
    asks = [a for row in process.table if row.name == action for a in row.asks]
    asks += BY_NAME[action].asks if action in BY_NAME else ()
    ask = next((a for a in asks if a.name == name), None)
    if action in BY_NAME and ask and ask.kind == "choice" and not ask.choices:
        return "", ""  # the number of a step or a post
    return (ask.label.partition("(")[0], dict(ask.choices).get(value, value)) if ask else ("書かれた理由", value)


def _words(process: Process, group: str, value: Any) -> Iterator[tuple[str, str]]:
    """Every text of a field group with what its field is called; keys of choices and other marks are no words."""
    wording = process.wording

    def walk(path: str, part: Any) -> Iterator[tuple[str, str]]:
        if isinstance(part, Mapping):
            for key, inner in part.items():
                below = f"{path}.{key}"
                if key not in wording.marks or below in wording.labels:
                    yield from walk(below, inner)
        elif isinstance(part, list):
            for inner in part:
                yield from walk(f"{path}.#", inner)
        elif isinstance(part, str) and part and path not in wording.choices:
            yield wording.labels.get(path, ""), part

    head, colon, _ = group.partition(":")
    return walk(f"{head}:#" if colon else head, value)


def people_in(part: Any) -> set[int]:
    """The ids of everybody named in a part of a form."""
    if isinstance(part, Mapping):
        own = part.get("person")
        found = {own} if isinstance(own, int) and not isinstance(own, bool) else set()
        return found.union(*(people_in(value) for value in part.values()))
    return set().union(*map(people_in, part)) if isinstance(part, list) else set()


@lru_cache(maxsize=4096)
def called(code: str) -> tuple[str, ...]:
    """Every name of an organisation: its own, their readings, those it had, and those of whom it has taken in."""
    directory = Directory.from_csv()
    names: list[str] = []
    office = directory.office(code)
    if office:
        names += [office.name, office.kana, office.predecessor]
    heirs: list[str] = [code]  # grows forward to the successors, then backward to the predecessors
    for heir in heirs:
        heirs += [
            m.successor_code
            for m in directory.municipalities
            if m.code == heir and m.successor_code not in ("", *heirs)
        ]
    family = list(heirs)
    for member in family if len(heirs) == 1 else ():
        family += [m.code for m in directory.municipalities if m.successor_code == member and m.code not in family]
    for m in directory.municipalities if code else ():
        if m.code in family:
            names += [m.name, m.kana, m.county + m.name if m.county else ""]
    return tuple(dict.fromkeys(filter(None, names)))


# ── entries ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def kind_of(process: Process, form: Mapping[str, Any]) -> str:
    """By what cases of this process are told apart."""
    kind: Any = form
    for key in process.wording.kind.split("."):
        kind = kind.get(key) if isinstance(kind, Mapping) else None
    return kind if isinstance(kind, str) else ""


def tag(name: str, value: Any) -> str:
    """The lexeme for something that lists are narrowed by; longer than a pair of characters, so that it is never one."""
    return f"{name}={value}"[:LONGEST_TAG]


def _tags(process: Process, row: Mapping[str, Any]) -> Iterator[str]:
    """What lists are narrowed by; each is looked at again in the case itself."""
    yield from (tag("org", org) for _, org, _ in row["parties"] or ())
    yield from (tag("person", person) for person in row["assigned"] or ())
    yield from (tag(f"b{size}", row["id"] >> size) for size in BLOCKS)
    told = {"process": "process", "state": "state", "origin": "origin", "office": "lead", "place": "place"}
    yield from (tag(name, row[column]) for name, column in told.items())
    yield tag("year", fiscal_year(local_day(row["opened_at"])))
    yield tag("kind", kind_of(process, row["form"]))


def grams(key: str) -> set[str]:
    """The characters of a key and its pairs of neighbours."""
    return set(key) | {key[at : at + 2] for at in range(len(key) - 1)}


def entry(parts: Iterable[Part], tags: frozenset[str]) -> tuple[str, list[str]]:
    """The text of an entry, a line a part, and its lexemes."""
    keys: tuple[list[str], list[str]] = ([], [])
    found = set(tags)
    for part in parts:
        key = search_key(part.text)
        keys[part.report].append(key)
        own = grams(key)
        found |= own | {REPORT + gram for gram in own} if part.report else own
    if len(found) > MOST_GRAMS:
        found = {*tags, CUT, *sorted(found - tags)[: MOST_GRAMS - len(tags)]}
    return "\n".join(keys[0]) + REPORTS + "\n".join(keys[1]), sorted(found)


def of_entry(parts: Sequence[Part], *, inside: bool) -> list[Part]:
    """The parts that an entry is made of, in the order of its lines."""
    own = [part for part in parts if part.text and (part.inside if inside else part.shared)]
    return sorted(own, key=lambda part: part.report)


OLD = f"""SELECT c.id FROM cases c WHERE {{}} AND (SELECT count(*) FROM search_entry s WHERE s.case_id = c.id AND s.mark = {MARK}) < 2
ORDER BY c.id DESC"""
AMONG, BETWEEN = OLD.format("c.id = ANY (%(cases)s)"), OLD.format("c.id > %(above)s AND c.id <= %(upto)s")

# One statement, both entries of every case: whoever comes with an older state finds the newer one and leaves it.
KEEP = f"""INSERT INTO search_entry AS s (case_id, inside, mark, text, grams)
SELECT u.case_id, u.inside, u.mark, u.text, array_to_tsvector(ARRAY(SELECT jsonb_array_elements_text(u.grams::jsonb)))
FROM unnest(%(case)s::bigint[], %(inside)s::bool[], %(mark)s::text[], %(text)s::text[], %(grams)s::text[])
  AS u (case_id, inside, mark, text, grams) JOIN cases c ON c.id = u.case_id ORDER BY u.case_id, u.inside
ON CONFLICT (case_id, inside) DO UPDATE SET mark = EXCLUDED.mark, text = EXCLUDED.text, grams = EXCLUDED.grams
WHERE s.mark <> EXCLUDED.mark AND left(s.mark, {NEVER_FALLS}) <= left(EXCLUDED.mark, {NEVER_FALLS})"""


def refresh(conn: Connection, *cases: int) -> None:
    """Make those entries of these cases anew that are old; a case that is gone has none. In a transaction they belong to it."""
    old = conn.execute(AMONG, {"cases": list(cases), "edition": edition()}).fetchall()
    made = sources(conn, [row[0] for row in old]) if old else []
    rows: dict[str, list[Any]] = {name: [] for name in ("case", "inside", "mark", "text", "grams")}
    for source in made:
        for inside in (False, True):
            text, lexemes = entry(of_entry(source.parts, inside=inside), source.tags | {tag("inside", inside)})
            values = (source.id, inside, source.mark, text, json.dumps(lexemes, ensure_ascii=False))
            for name, value in zip(rows, values, strict=True):
                rows[name].append(value)
    if made:
        conn.execute(KEEP, rows)


@cache
def edition() -> str:
    """What entries are made with: other names, words or ways of folding characters make every entry old."""
    kana_and_kanji = (range(0x3000, 0xA000), range(0xF900, 0xFB00), range(0xFF00, 0xFFF0), range(0x20000, 0x2A6E0))
    folded = search_key.__wrapped__("".join(chr(code) for codes in kana_and_kanji for code in codes))
    directory = Directory.from_csv()
    words = [
        (key, sorted(p.wording.labels), sorted(p.wording.choices), sorted(p.wording.marks), p.wording.kind, sorted(p.wording.reports))
        for key, p in sorted(catalogue.all_versions().items())
    ]  # fmt: skip
    told = [folded, directory.offices, directory.municipalities, words, *map(sorted, roles())]
    return hashlib.sha256(repr(told).encode()).hexdigest()[:12]


# ── catching up ─────────────────────────────────────────────────────────────────────────────────────────────────────

AT_ONCE = 50  # cases read and written together
CHUNK = 1000  # cases looked at together
IDLE = 2  # chunks without an old entry after which a run ends
LOCK = 7223  # one process at a time

# What lately changed: by events since the last run, and the newest drafts, remarks and files.
LATELY = """SELECT DISTINCT e.case_id FROM event e, installation i
WHERE e.at >= coalesce((SELECT beat_at FROM heartbeat WHERE name = 'search'), now()) + i.clock_offset - interval '2 minutes'
UNION (SELECT id FROM cases ORDER BY id DESC LIMIT 200)
UNION (SELECT case_id FROM comment ORDER BY id DESC LIMIT 200)
UNION (SELECT case_id FROM attachment ORDER BY id DESC LIMIT 200)"""
_below: int | None = None  # where this process goes on looking; a new one begins at the newest case


def catch_up(db: Database, seconds: float = 5.0) -> int:
    """Make every old entry anew that is found in that time; returns how many cases that were.

    What changed lately comes first. Then all cases are gone through, from the newest down, some with every run.
    """
    until = time.monotonic() + seconds
    with db.connection() as conn:
        if not _one(conn, f"SELECT pg_try_advisory_lock({LOCK})"):
            return 0
        try:
            lately = [row[0] for row in conn.execute(LATELY).fetchall()]
            old = conn.execute(AMONG, {"cases": lately, "edition": edition()}).fetchall()
            return _renewed(conn, [row[0] for row in old], until) + _gone_through(conn, until)
        finally:
            conn.execute(f"SELECT pg_advisory_unlock({LOCK})")


def _gone_through(conn: type_connection, until: float) -> int:
    """Look through the cases from where the last run ended."""
    global _below  # noqa: PLW0603 - only a place to go on from
    renewed = idle = 0
    newest = _one(conn, "SELECT max(id) FROM cases") or 0
    while idle < IDLE and time.monotonic() < until:
        upto = newest if _below is None else min(_below, newest)
        span = {"above": upto - CHUNK, "upto": upto, "edition": edition()}
        old = [row[0] for row in conn.execute(BETWEEN, span).fetchall()]
        done = _renewed(conn, old, until)
        renewed += done
        idle += not old
        if done == len(old):
            _below = upto - CHUNK if upto > CHUNK else None
        if _below is None and idle:
            break
    return renewed


def _renewed(conn: type_connection, cases: Sequence[int], until: float) -> int:
    """Make these entries anew, newest first, as far as the time goes; returns how many were tried."""
    done = 0
    for at in range(0, len(cases), AT_ONCE):
        if at and time.monotonic() > until:
            break
        some = cases[at : at + AT_ONCE]
        try:
            refresh(conn, *some)
        except psycopg.Error:
            if conn.closed:
                raise
            for case_id in some:  # one bad case never stops the others
                try:
                    refresh(conn, case_id)
                except psycopg.Error:
                    log.exception("case %s could not be made ready for the search", case_id)
        done += len(some)
    return done


def _one(conn: type_connection, text: str) -> Any:
    row = conn.execute(text).fetchone()
    return row[0] if row else None
