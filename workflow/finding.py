"""Finding cases by words and filters. What a person may not see is neither found nor counted, nor guessed by a count.

Words are looked up in the search entries, block by block of cases from the newest down, so that a word that stands
everywhere costs no more than a rare one; every hit is then held against the entry's text, the case and its reader.
Without words the cases themselves are read.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from psycopg.rows import dict_row

from states import catalogue
from states.dates import fiscal_year
from states.text import problems, search_key
from workflow import ended, search
from workflow.access import NARROW, ONCE, SCOPE, UNTIL, VISIBLE, Actor
from workflow.deadlines import FAR, local_day, start_of
from workflow.queries import CAP, LEAD, MUNICIPALITY, Connection, _dicts, _filtered, _number, _time, cursor_of, place_of

LONGEST = 200  # characters of what is typed
MOST_WORDS = 10
MOST = CAP  # hits that are gone through for the counts


@dataclass
class BadWords(Exception):
    """What was typed cannot be searched for; the sentence says why and what to do."""

    sentence: str


@dataclass(frozen=True)
class Wanted:
    """What is looked for. `states` are names; `person` was sent; `reports` looks in what reports what came of a case."""

    words: tuple[str, ...] = ()
    reports: bool = False
    process: str = ""
    states: tuple[str, ...] = ()
    office: str = ""
    place: str = ""
    year: int = 0
    kind: str = ""
    origin: str = ""
    person: int = 0
    due_first: bool = False


@dataclass(frozen=True)
class Found:
    """A page of cases, the cursor to go on with, and over all hits (the newest `MOST` of them) how many, and of what kind."""

    rows: Sequence[Mapping[str, Any]]
    next: str
    total: int
    more: bool
    facets: Mapping[str, Mapping[Any, int]] = field(default_factory=dict)


def words_of(typed: str) -> tuple[str, ...]:
    """What was typed as the keys that are looked for, all of them; none for nothing. Raises `BadWords`."""
    if len(typed) > LONGEST:
        raise BadWords(f"検索の言葉は{LONGEST}字までです({len(typed)}字あります)。短くして、もう一度検索してください。")
    if wrong := problems(typed):
        raise BadWords(f"検索の言葉の{'、'.join(wrong)}があります。取り除いて、もう一度検索してください。")
    # A long vowel that follows nothing may have followed something in the text that is looked for.
    keys = [search_key(word).lstrip("ー‐‑‒–—―−-") or search_key(word) for word in typed.split()]
    found = tuple(dict.fromkeys(filter(None, keys)))
    if len(found) > MOST_WORDS:
        raise BadWords(
            f"検索の言葉は{MOST_WORDS}語までです({len(found)}語あります)。減らして、もう一度検索してください。"
        )
    return found


# ── who reads what ──────────────────────────────────────────────────────────────────────────────────────────────────

# From the posts of today: the desks from which what stays inside the offices is read, and whether that is every case.
STANDING = """standing AS MATERIALIZED (
  SELECT coalesce(array_agg((post ->> 1) || ':' || split_part(d.desk, ':', 2)) FILTER (WHERE d.desk IS NOT NULL), '{}') AS desks,
         coalesce(bool_or(post ->> 5 = 'all' AND post ->> 4 = ANY (%(inner)s::text[])), false) AS above
  FROM me CROSS JOIN jsonb_array_elements(me.posts) AS post
    LEFT JOIN unnest(%(desks)s::text[]) AS d (desk) ON post ->> 5 = 'office' AND split_part(d.desk, ':', 1) = post ->> 4)"""
INSIDE = """(standing.above OR EXISTS (SELECT 1 FROM party w WHERE w.case_id = c.id AND w.valid_to IS NULL
  AND w.org_code || ':' || w.part = ANY (standing.desks)))"""

# ── the statements ──────────────────────────────────────────────────────────────────────────────────────────────────

_KIND = """CASE WHEN jsonb_exists(%(kinds)s::jsonb, c.process)
  THEN c.form #>> ARRAY(SELECT jsonb_array_elements_text(%(kinds)s::jsonb -> c.process)) END"""
_DUE = "(SELECT min(s.due_at) FROM step s WHERE s.case_id = c.id AND s.closed_at IS NULL)"
_FACTS = (
    f"c.id, c.process, c.process_version, c.state, c.origin, c.lead, c.place, c.opened_at, {_KIND} AS kind /* due */"
)
# One case at a time: a planner that takes a few cases for many would read them all.
_EACH = "CROSS JOIN LATERAL (SELECT * FROM cases WHERE cases.id = {} OFFSET 0) c"
_NARROWED = "c.id < %(before)s AND c.id >= %(from)s /* filters */"

# An entry says more of a case than a part of it that reads but little may know: by such a part nothing is found in it.
BROADLY = VISIBLE.replace(
    "v.valid_to IS NULL", f"v.valid_to IS NULL AND v.part <> ALL ('{{{','.join(sorted(NARROW))}}}')"
)

WITH_WORDS = f"""WITH {SCOPE}, {STANDING}, entry AS MATERIALIZED (
  SELECT s.case_id, s.inside FROM search_entry s
  WHERE s.grams @@ %(query)s::tsquery AND s.case_id + 0 < %(before)s AND s.case_id + 0 >= %(from)s AND s.text LIKE ALL (%(like)s::text[]))
SELECT {_FACTS}, s.inside FROM entry s {_EACH.format("s.case_id")} CROSS JOIN me CROSS JOIN standing
WHERE s.inside = {INSIDE} AND {BROADLY} AND {_NARROWED} ORDER BY c.id DESC LIMIT %(limit)s"""

# Who sees nearly everything goes through the cases; who sees few of them, through the parties.
OF_ALL = f"""WITH {SCOPE}, {STANDING} SELECT {_FACTS}, false AS inside FROM me CROSS JOIN standing CROSS JOIN cases c
WHERE {VISIBLE} AND {_NARROWED} ORDER BY c.id DESC LIMIT %(limit)s"""
OF_OWN = f"""WITH {SCOPE}, {STANDING}, near AS MATERIALIZED (
  SELECT x.case_id FROM me CROSS JOIN standing CROSS JOIN unnest(me.orgs) AS o (org) CROSS JOIN LATERAL (
    SELECT DISTINCT v.case_id FROM party v {_EACH.format("v.case_id")}
    WHERE v.org_code = o.org AND v.case_id < %(before)s AND {_NARROWED} ORDER BY v.case_id DESC LIMIT %(limit)s) x
  UNION SELECT a.case_id FROM assignment a WHERE a.person_id = %(person)s AND a.case_id < %(before)s)
SELECT {_FACTS}, false AS inside, {UNTIL} AS until FROM near n {_EACH.format("n.case_id")} CROSS JOIN me CROSS JOIN standing
WHERE {ONCE} AND {_NARROWED} ORDER BY c.id DESC LIMIT %(limit)s"""
OF_OWN_NOW = OF_OWN.replace(ONCE, VISIBLE).replace("WHERE v.org_code", "WHERE v.valid_to IS NULL AND v.org_code")

BECOMES = ("states", "office", "place", "kind", "person", "due_first")  # filters that ask how a case is now
_FILTERS: tuple[tuple[str, str], ...] = (
    ("process", "AND c.process = %(process)s"),
    ("states", "AND c.state = ANY (%(states)s)"),
    ("office", "AND c.lead = %(office)s"),
    ("place", "AND c.place = %(place)s"),
    ("year", "AND c.opened_at >= %(opened)s AND c.opened_at < %(until)s"),
    ("kind", f"AND {_KIND} = %(kind)s"),
    ("origin", "AND c.origin = %(origin)s"),
    ("person", f"""AND EXISTS (SELECT 1 FROM assignment b WHERE b.case_id = c.id AND b.person_id = %(who)s)
       AND ({INSIDE} OR %(who)s::bigint = %(person)s)"""),
    ("due_first", f"AND {_DUE} IS NOT NULL"),
)  # fmt: skip

ROWS = f"""WITH {SCOPE} SELECT c.id AS case_id, c.number, c.title, c.process, c.process_version, c.state, c.version, c.origin, c.acted_at,
  c.opened_at, {MUNICIPALITY}, {LEAD}, {_DUE} AS due_at, {UNTIL} AS until, c.form -> 'receipt' AS receipt FROM me CROSS JOIN cases c WHERE {ONCE} AND c.id = ANY (%(cases)s)"""


# ── finding ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def find(conn: Connection, reader: Actor, wanted: Wanted, *, after: str = "", limit: int = 50) -> Found:
    """The cases that this reader may see and that are wanted, the newest first, or those due next. Raises `BadCursor`."""
    if wanted.due_first:
        going = tuple(sorted(s.name for p in catalogue.all_versions().values() for s in p.states if not s.final))
        left = tuple(name for name in wanted.states if name in going) or ("",)
        wanted = replace(wanted, states=left if wanted.states else going)
        due, last = place_of(after, 2) if after else (datetime.min.replace(tzinfo=FAR.tzinfo).isoformat(), "0")
        beyond = (_time(due), _number(last))
        every = _hits(conn, reader, wanted, None, MOST + 1)
        hits = sorted(
            (row for row in every if (row["due"], row["id"]) > beyond), key=lambda row: (row["due"], row["id"])
        )
        following = [hits[limit - 1]["due"].isoformat(), hits[limit - 1]["id"]] if len(hits) > limit else []
    else:
        (last,) = place_of(after, 1) if after else ("",)
        every = _hits(conn, reader, wanted, None, MOST + 1)
        hits = _hits(conn, reader, wanted, _number(last), limit + 1) if after else every
        following = [hits[limit - 1]["id"]] if len(hits) > limit else []
    return Found(
        rows=_rows(conn, reader, hits[:limit]), next=cursor_of(*following) if following else "", total=min(len(every), MOST),
        more=len(every) > MOST, facets=_counted(every[:MOST]),
    )  # fmt: skip


def count(conn: Connection, reader: Actor, wanted: Wanted, most: int) -> int:
    """How many cases `find` would find, counted up to `most`."""
    return len(_hits(conn, reader, wanted, None, most))


def lines(conn: Connection, reader: Actor, wanted: Wanted, most: int) -> list[dict[str, Any]]:
    """The newest cases that `find` would find, up to so many, without any counts."""
    return _rows(conn, reader, _hits(conn, reader, wanted, None, most))


def newest(conn: Connection, reader: Actor, wanted: Wanted, most: int) -> list[int]:
    """The ids of the newest cases that `find` would find, up to so many."""
    return [row["id"] for row in _hits(conn, reader, wanted, None, most)]


def with_any(conn: Connection, reader: Actor, pairs: Sequence[str], most: int) -> list[int]:
    """The ids of newest cases in whose entries some of these pairs of characters may stand; the reader is asked for each."""
    blocks, low = _stretch(_newest(conn) + 1, 2)
    query = f"{_query(reader, Wanted(), blocks) or _lexeme(search.tag('inside', True))} & ({' | '.join(map(_lexeme, pairs))})"
    text = "SELECT case_id FROM search_entry WHERE grams @@ %(query)s::tsquery AND case_id >= %(low)s LIMIT %(most)s"
    return [row["case_id"] for row in _planned(conn, text, {"query": query, "low": low, "most": most})]


def reading(reader: Actor) -> dict[str, Any]:
    """The parameters of `STANDING` and of what asks for kinds."""
    inner, _ = search.roles()
    kinds = {key: p.wording.kind.split(".") for (key, _), p in catalogue.all_versions().items() if p.wording.kind}
    return {
        "person": reader.person_id,
        "inner": sorted(inner),
        "desks": list(search.desks()),
        "kinds": json.dumps(kinds),
    }


def _hits(conn: Connection, reader: Actor, wanted: Wanted, before: int | None, most: int) -> list[dict[str, Any]]:
    """The facts of the newest hits below a case, up to so many."""
    params = reading(reader) | {
        "from": 0, "before": 2**62 if before is None else before, "process": wanted.process, "states": list(wanted.states),
        "office": wanted.office, "place": wanted.place, "kind": wanted.kind, "origin": wanted.origin, "who": wanted.person,
        "opened": start_of(date(wanted.year or 1970, 4, 1)), "until": start_of(date((wanted.year or 1970) + 1, 4, 1)),
    }  # fmt: skip
    filters = [(text, getattr(wanted, name)) for name, text in _FILTERS]
    due = f", {_DUE} AS due" if wanted.due_first else ""
    narrow = bool(reader.roles) and reader.roles <= NARROW
    if not wanted.words or narrow:
        # What a case has become since is nobody's who left it: not even by a filter.
        own = OF_OWN_NOW if narrow or any(getattr(wanted, name) for name in BECOMES) else OF_OWN
        text = _filtered((OF_ALL if _wide(reader) else own).replace("/* due */", due), filters)
        if not wanted.words:
            return _planned(conn, text, params | {"limit": most})
        return (
            [] if wanted.reports else _called(conn, _planned(conn, text, params | {"limit": MOST}), wanted.words)[:most]
        )
    text = _filtered(WITH_WORDS.replace("/* due */", due), filters)
    params["like"] = [_like(word, reports=wanted.reports) for word in wanted.words]
    found: list[dict[str, Any]] = []
    high, size = (_newest(conn) + 1 if before is None else before), 0
    while high > 0 and len(found) < most:
        blocks, low = _stretch(high, size)
        query = _query(reader, wanted, blocks)
        new = _planned(conn, text, params | {"query": query, "from": low, "before": high, "limit": most - len(found)})
        found += new
        high, size = low, _size(size, (high - low) * (most - len(found)), len(new))
    return found


def _called(conn: Connection, hits: Sequence[dict[str, Any]], words: Sequence[str]) -> list[dict[str, Any]]:
    """Of these cases those whose title and number say every word."""
    text = "SELECT id, title || ' ' || coalesce(number, '') FROM cases WHERE id = ANY (%s)"
    told = {number: search_key(said) for number, said in conn.execute(text, ([row["id"] for row in hits],)).fetchall()}
    return [row for row in hits if all(word in told.get(row["id"], "") for word in words)]


def _wide(reader: Actor) -> bool:
    return any(post.scope == "all" for post in reader.posts)


def _side(reader: Actor) -> bool | None:
    """Which entries the reader's posts let one read on every case; None where it depends on the case."""
    inner, _ = search.roles()
    if any(post.scope == "all" and post.role in inner for post in reader.posts):
        return True
    within = {desk.partition(":")[0] for desk in search.desks()}
    return None if any(post.role in within for post in reader.posts) else False


def _newest(conn: Connection) -> int:
    row = conn.execute("SELECT max(case_id) FROM search_entry", prepare=True).fetchone()
    return int(row[0] or 0) if row else 0


def _planned(conn: Connection, text: str, params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows by a plan made for these values: which one is good depends on how rare they are."""
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(text, params, prepare=False).fetchall()


def _stretch(high: int, size: int) -> tuple[list[str], int]:
    """The ids below `high` that two blocks of a size cover: the blocks, and the first id; all that are left as the last."""
    if size >= len(search.BLOCKS):
        return [], 0
    power = search.BLOCKS[size]
    block = (high - 1) >> power
    low = max(block - 1, 0) << power
    return ([search.tag(f"b{power}", block), search.tag(f"b{power}", block - 1)] if low else []), low


def _size(size: int, wanted: int, hits: int) -> int:
    """The size of the next stretch: the smallest that may hold what is missing, were hits as dense as in the last one.

    `wanted` is the length of the last stretch times the hits that are missing, so that `wanted / hits` is the length that
    holds them. A stretch that is far too long reads many hits for nothing, one that is too short costs one more statement;
    from few hits little can be told, so the next one is never longer by more than three sizes. After none at all there are
    few to read anywhere, and all that is left comes at once.
    """
    longest = size + 3 if hits else len(search.BLOCKS)
    fitting = (n for n, power in enumerate(search.BLOCKS[:longest]) if wanted <= hits * 2 << power)
    return next(fitting, longest)


def _query(reader: Actor, wanted: Wanted, blocks: Sequence[str]) -> str:
    """Which entries come into question, as a tsquery: words by their pairs, the reader's organisations, filters, a stretch."""
    parts: list[list[str]] = []  # alternatives each
    before = search.REPORT if wanted.reports else ""
    for word in wanted.words:
        pairs = dict.fromkeys(word[at : at + 2] for at in range(max(len(word) - 1, 1)))
        parts.append([" & ".join(_lexeme(before + pair) for pair in pairs), _lexeme(search.CUT)])
    if (side := _side(reader)) is not None:
        parts.append([_lexeme(search.tag("inside", side))])
    if not _wide(reader):
        own = dict.fromkeys(search.tag("org", post.org_code) for post in reader.posts if post.scope == "office")
        parts.append([*map(_lexeme, own), _lexeme(search.tag("person", reader.person_id))])
    singles = ("process", "office", "place", "year", "kind", "origin", "person")
    parts += [[_lexeme(search.tag(name, value))] for name in singles if (value := getattr(wanted, name))]
    parts.append([_lexeme(search.tag("state", state)) for state in wanted.states])
    parts.append([*map(_lexeme, blocks)])
    return " & ".join(f"({' | '.join(f'({text})' for text in part)})" for part in parts if part)


def _lexeme(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


def _like(word: str, *, reports: bool) -> str:
    escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{search.REPORTS}%{escaped}%" if reports else f"%{escaped}%"


def _rows(conn: Connection, reader: Actor, hits: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The lines of a list for these hits, in their order."""
    ids = [row["id"] for row in hits]
    read = ended.as_read(conn, _dicts(conn, ROWS, {"person": reader.person_id, "cases": ids})) if ids else []
    lines = {row["case_id"]: row for row in read}
    return [_told(lines[row["id"]]) | {"inside": row["inside"]} for row in hits if row["id"] in lines]


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    process = catalogue.process(row["process"], row["process_version"])
    state = process.state(row["state"])
    return dict(row) | {
        "process_label": process.label, "state_label": state.label, "step": state.step, "final": state.final, "outcome": state.outcome,
        "holder": process.holder(row["state"], row["origin"]),
        "came": came if (came := process.arrival({"receipt": row["receipt"] or {}})) and came.entered_by else None,
    }  # fmt: skip


def _counted(hits: Sequence[Mapping[str, Any]]) -> dict[str, Counter[Any]]:
    """How many hits have which value, for every way to narrow them."""
    names = ("process", "step", "state", "ended", "outcome", "office", "place", "year", "kind", "origin")
    counts: dict[str, Counter[Any]] = {name: Counter() for name in names}
    for row in hits:
        if row.get("until") is not None:  # counted as nothing that it may have become since
            counts["process"][row["process"]] += 1
            counts["year"][fiscal_year(local_day(row["opened_at"]))] += 1
            continue
        state = catalogue.process(row["process"], row["process_version"]).state(row["state"])
        told = {
            "process": row["process"], "step": state.step, "state": row["state"], "ended": "ended" if state.final else "running",
            "outcome": state.outcome, "office": row["lead"], "place": row["place"], "year": fiscal_year(local_day(row["opened_at"])),
            "kind": row["kind"], "origin": row["origin"],
        }  # fmt: skip
        for name, value in told.items():
            counts[name][value] += bool(value)
    return {name: +counter for name, counter in counts.items()}
