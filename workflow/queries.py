"""The read side: inbox, lists, an event's story, the auditor's view. Every query starts from `visible_to`.

Lists are keyset-paged: `after` is the cursor of the last row shown, `next` the one to go on with (empty at the end).
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, TypedDict, Unpack

import psycopg
from psycopg.rows import dict_row

from states import catalogue
from states.kernel import Process
from states.route_actions import LABELS
from states.route_words import acted, acted_outside
from states.terms import CLOCK, DECISION, KINDS_OF_WORK
from workflow import ended
from workflow.access import ONCE, SCOPE, TODAY, UNTIL, VISIBLE
from workflow.deadlines import FAR, calendar, due_day, end_of, local_day, start_of
from workflow.deputies import Deputy, ground_of
from workflow.line import DESKS as OWN_DESKS

Connection = psycopg.Connection[Any]
CAP = 1000  # counts stop here and say "1000+"
BADGE = 100  # the number at the navigation stops here and says "99+"
LONGEST_CURSOR = 200


@dataclass(frozen=True)
class Page:
    """Some rows, the cursor to go on with, and what stands beside the list."""

    rows: Sequence[Mapping[str, Any]]
    next: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    kinds: Mapping[str, int] = field(default_factory=dict)
    attention: Sequence[Mapping[str, Any]] = ()


class BadCursor(ValueError):
    """A cursor that this list did not give out."""


def cursor_of(*parts: Any) -> str:
    """An opaque place in a list; ISO times and numbers."""
    return base64.urlsafe_b64encode(json.dumps([str(p) for p in parts]).encode()).decode()


def place_of(cursor: str, size: int) -> list[str]:
    """The parts of a cursor. Raises `BadCursor`."""
    try:
        if len(cursor) > LONGEST_CURSOR:
            raise BadCursor
        parts = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        if isinstance(parts, list) and len(parts) == size and all(isinstance(p, str) for p in parts):
            return parts
    except ValueError:
        pass
    raise BadCursor


# The name of today; of a municipality that has ended its last one.
MUNICIPALITY = f"""(SELECT o.name FROM organisation o WHERE o.code = c.place AND (o.valid_from IS NULL OR o.valid_from <= {TODAY})
  ORDER BY o.valid_to DESC NULLS FIRST LIMIT 1) AS municipality"""
LEAD = f"""(SELECT o.short FROM organisation o WHERE o.code = c.lead AND (o.valid_to IS NULL OR o.valid_to >= {TODAY}) LIMIT 1) AS lead_name"""

# A desk is an organisation's role, or a post of its own (#id): what a route asks of a post goes to whoever holds it.
DESKS = """SELECT DISTINCT post ->> 1 AS org, kind.role, false AS acting FROM me, jsonb_array_elements(me.posts) AS post,
  LATERAL (VALUES (post ->> 4), ('#' || (post ->> 0))) AS kind (role)"""
# The desks of posts whose holder is absent, for who may act instead: what of them, is held against the route afterwards.
_ABSENT = "SELECT p.org_code, '#' || p.id, true, false FROM post p WHERE p.id = ANY (%(absent)s::bigint[])"
# One case at a time: a planner that takes a few items for many would read every case.
EACH = "CROSS JOIN LATERAL (SELECT * FROM cases WHERE cases.id = {} OFFSET 0) c"
_KINDS = "unnest(%(kinds)s::text[]) AS k (kind)"
_MINE = """s.org_code = d.org AND s.role = d.role AND s.kind = k.kind AND s.closed_at IS NULL
    AND (s.person_id = %(person)s OR (s.person_id IS NULL AND (%(whole)s OR NOT d.apart)))"""

# On a route the item came with its round: whoever stands later is shown what the drafter was.
_ROUND = """least(o.opened_at, CASE WHEN left(s.role, 1) = '#'
    THEN timestamptz 'epoch' + (c.form #>> '{route,drafted_at}')::bigint * interval '1 microsecond' END)"""

# The page of one desk comes off the covering index; only its rows are joined to their cases. The verdicts are the last
# that were shown since the item came: a file or a letter filed meanwhile shows none.
INBOX = f"""WITH {SCOPE}, desk AS ({OWN_DESKS} UNION ALL {_ABSENT})
SELECT s.id AS step_id, s.due_at, s.ask, s.kind, s.role AS desk, s.acting, c.id AS case_id,
  CASE WHEN s.acting OR s.kind = '{DECISION}' THEN c.form -> 'route' END AS route, c.number, c.title, c.process, c.process_version, c.state, c.version,
  c.origin, c.acted_at, {MUNICIPALITY}, {LEAD}, o.opened_at AS asked_at,
  (SELECT x.data FROM content x WHERE x.case_id = c.id AND x.kind = 'shown'
     AND x.seq >= (SELECT min(e.seq) FROM event e WHERE e.case_id = c.id AND e.at >= {_ROUND})
   ORDER BY x.seq DESC LIMIT 1) AS shown
FROM desk d CROSS JOIN {_KINDS} CROSS JOIN LATERAL (
  SELECT s.id, s.case_id, s.ask, s.due_at, s.kind, d.acting, s.role FROM step s /* join */
  WHERE {_MINE} AND (s.due_at, s.id) > (%(after_at)s, %(after_id)s) AND s.due_at >= %(from)s AND s.due_at < %(until)s /* filters */
  ORDER BY s.due_at, s.id LIMIT %(limit)s) s
{EACH.format("s.case_id")} CROSS JOIN LATERAL (SELECT opened_at FROM step WHERE step.id = s.id OFFSET 0) o CROSS JOIN me
WHERE {VISIBLE} ORDER BY s.due_at, s.id LIMIT %(limit)s"""

COUNTS = f"""WITH {SCOPE}, desk AS ({OWN_DESKS}),
mine AS (SELECT k.kind, s.due_at FROM desk d CROSS JOIN {_KINDS} CROSS JOIN LATERAL (
  SELECT s.due_at FROM step s WHERE {_MINE} /* filters */ ORDER BY s.due_at, s.id LIMIT {CAP}) s)
SELECT kind, count(*) AS "all", count(*) FILTER (WHERE due_at <= %(now)s) AS over,
  count(*) FILTER (WHERE due_at > %(now)s AND due_at <= %(today)s) AS today,
  count(*) FILTER (WHERE due_at > %(today)s AND due_at <= %(soon)s) AS soon,
  count(*) FILTER (WHERE due_at > %(soon)s) AS later FROM mine GROUP BY kind"""

WAITING = f"""WITH {SCOPE}, desk AS ({OWN_DESKS}) SELECT count(*) AS number FROM (SELECT 1 FROM desk d CROSS JOIN {_KINDS} CROSS JOIN LATERAL (
  SELECT 1 FROM step s WHERE {_MINE} LIMIT {BADGE}) s LIMIT {BADGE}) x"""

ATTENTION = f"""WITH {SCOPE} SELECT t.id, t.kind, t.sentence, t.opened_at, c.id AS case_id, c.number, c.title
FROM attention t JOIN cases c ON c.id = t.case_id CROSS JOIN me
WHERE t.closed_at IS NULL AND (c.lead = ANY (me.orgs) OR me.wide) AND {VISIBLE} ORDER BY t.opened_at LIMIT 50"""


def database_now(conn: Connection) -> datetime:
    """The database's time, which decides what is late."""
    row = conn.execute("SELECT clock_now()", prepare=True).fetchone()
    assert row is not None
    now: datetime = row[0]
    return now


def edges(conn: Connection, now: datetime) -> dict[str, datetime]:
    """The moments at which an item becomes more urgent."""
    today = local_day(now)
    return {"now": now, "today": end_of(today), "soon": end_of(calendar(conn, "").add_business_days(today, 2))}


def inbox(  # one filter a parameter, as in the URL
    conn: Connection, person_id: int, *, due: str = "all", ask: str = "", org: str = "", office: str = "",
    process: str = "",
    whole: bool = False, q: str = "", role: str = "", kinds: Sequence[str] = KINDS_OF_WORK, deputy: Deputy | None = None, after: str = "", limit: int = 30,
) -> Page:  # fmt: skip
    """What waits for this person, by urgency; with `role` only at the desks of that role. Raises `BadCursor`.

    `whole` adds, for somebody of the line, the desk of the office. `kinds` are the sorts of work wanted; `deputy` adds
    what the person may do for absent holders. The counts are of all
    the work of these kinds, whatever the filters; `kinds` of the page counts every kind.
    """
    now = database_now(conn)
    marks = edges(conn, now)
    first = datetime.fromtimestamp(0, tz=now.tzinfo)
    tick = timedelta(microseconds=1)
    window = {
        "over": (first, marks["now"] + tick), "today": (marks["now"] + tick, marks["today"] + tick),
        "soon": (marks["today"] + tick, marks["soon"] + tick), "later": (marks["soon"] + tick, FAR + timedelta(days=1)),
    }.get(due, (first, FAR + timedelta(days=1)))  # fmt: skip
    at, step = place_of(after, 2) if after else (first.isoformat(), "0")
    filters = [("AND s.ask = %(ask)s", ask), ("AND x.place = %(org)s", org), ("AND x.lead = %(office)s", office),
               ("AND x.process = %(process)s", process), (_WORDS.format("x"), q), (_AT_DESK, role)]  # fmt: skip
    text = _filtered(INBOX, filters).replace(
        "/* join */", "JOIN cases x ON x.id = s.case_id" if org or office or process or q else ""
    )
    params = {
        "person": person_id, "after_at": _time(at), "after_id": _number(step), "from": window[0], "until": window[1],
        "ask": ask, "org": org, "office": office, "process": process, "whole": whole, "q": _pattern(q), "role": role, "kinds": list(kinds), "limit": limit + 1,
        "absent": list(deputy.absent) if deputy else [],
    }  # fmt: skip
    rows = _lawful(conn, text, params, deputy)
    counts = _counted(conn, person_id, role, marks, whole=whole)
    days = calendar(conn, "")
    shown = [row | _item(row, marks, days) for row in rows[:limit]]
    following = place(rows[limit - 1]) if len(rows) > limit else ""
    every = {name: min(sum(counts[kind][name] for kind in kinds), CAP) for name in _URGENCIES}
    found = {kind: counts[kind]["all"] for kind in KINDS_OF_WORK}
    return Page(shown, following, every, found, _dicts(conn, ATTENTION, {"person": person_id}))


def place(row: Mapping[str, Any]) -> str:
    """The place of a row in the inbox, to go on after it."""
    return cursor_of(row["due_at"].isoformat(), row["step_id"])


def _lawful(conn: Connection, text: str, params: Mapping[str, Any], deputy: Deputy | None) -> list[dict[str, Any]]:
    """One more row than the page shows; of the work of others only what the law lets this deputy do, with for whom and why."""
    found: list[dict[str, Any]] = []
    while True:
        batch = _dicts(conn, text, params)
        for row in batch:
            acts = deputy.standing({"route": row["route"]}, int(row["desk"][1:])) if deputy and row["acting"] else None
            if acts or not row["acting"]:
                found.append(row | {"instead": acts.step.title if acts else "", "why": ground_of(acts) if acts else ""})
        if len(batch) < params["limit"] or len(found) >= params["limit"]:
            return found[: params["limit"]]
        params = {**params, "after_at": batch[-1]["due_at"], "after_id": batch[-1]["step_id"]}


_URGENCIES = ("all", "over", "today", "soon", "later")


def _counted(
    conn: Connection, person_id: int, role: str, marks: Mapping[str, datetime], *, whole: bool
) -> dict[str, dict[str, int]]:
    """How much waits at the person's own desks, by kind and urgency, each counted up to `CAP`."""
    text = _filtered(COUNTS, [(_AT_DESK, role)])
    told = {"person": person_id, "role": role, "kinds": list(KINDS_OF_WORK), "whole": whole}
    rows = _dicts(conn, text, {**told, **marks})
    found = {row["kind"]: {name: min(row[name], CAP) for name in _URGENCIES} for row in rows}
    return {kind: found.get(kind, dict.fromkeys(_URGENCIES, 0)) for kind in KINDS_OF_WORK}


def waiting(conn: Connection, person_id: int) -> int:
    """How many items wait for this person, counted up to `BADGE`: every page shows it."""
    return int(_dicts(conn, WAITING, {"person": person_id, "kinds": list(KINDS_OF_WORK), "whole": False})[0]["number"])


def urgency_of(due_at: datetime, marks: Mapping[str, datetime]) -> str:
    """How urgent something is that is due then: over, today, soon or later."""
    known = (("over", "now"), ("today", "today"), ("soon", "soon"))
    return next((kind for kind, mark in known if due_at <= marks[mark]), "later")


def _item(row: Mapping[str, Any], marks: Mapping[str, datetime], days: Any) -> dict[str, Any]:
    """What the list says of a row: how urgent, whose turn, and clues from the verdicts last shown."""
    process = catalogue.process(row["process"], row["process_version"])
    state, due = process.state(row["state"]), row["due_at"]
    kind = urgency_of(due, marks)
    shown = json.loads(bytes(row["shown"])) if row["shown"] else {}
    levels = [v[0] for v in shown.get("verdicts", ())]
    clues = [("warn", f"注意 {levels.count('warn')}")] if "warn" in levels else []
    clues += (
        [("stop", f"支障 {sum(v in ('block', 'procedure') for v in levels)}")]
        if {"block", "procedure"} & set(levels)
        else []
    )
    clues += [("ok", "規則はすべて適合")] if levels and not clues else []
    today, asked = local_day(marks["now"]), local_day(row["asked_at"])
    return {
        "process_label": process.label, "state_label": state.label, "holder": process.holder(row["state"], row["origin"]), "due_kind": kind,
        "dated": due < FAR, "due_day": due_day(due),
        "business_days_left": days.business_days_between(today, due_day(due)) if due < FAR else None, "clues": clues,
        "days_used": days.business_days_between(asked, today),
        "days_given": days.business_days_between(asked, due_day(due)) if due < FAR else None,
    }  # fmt: skip


_AT_DESK = "AND d.role = %(role)s"
_WORDS = "AND ({0}.title ILIKE %(q)s OR {0}.number ILIKE %(q)s)"

NAMES = (
    f"WITH {SCOPE} SELECT c.id, c.number, c.title FROM me CROSS JOIN cases c WHERE {VISIBLE} AND c.id = ANY (%(cases)s)"
)


def case_names(conn: Connection, person_id: int, cases: Sequence[int]) -> dict[int, str]:
    """What the cases among these that this person may see are called: number and title."""
    rows = _dicts(conn, NAMES, {"person": person_id, "cases": list(cases)}) if cases else []
    return {row["id"]: " ".join(filter(None, (row["number"], row["title"]))) for row in rows}


EVENTS = f"""WITH {SCOPE}
SELECT e.case_id, e.seq, e.at, e.action, e.actor, e.post, e.office, e.body, e.hash, c.number, c.title, c.process, c.process_version,
  {UNTIL} AS until
FROM me CROSS JOIN event e JOIN cases c ON c.id = e.case_id
WHERE {ONCE} AND e.seq <= coalesce({UNTIL}, e.seq) AND (e.at, e.case_id, e.seq) < (%(before_at)s, %(before_case)s, %(before_seq)s) /* filters */
ORDER BY e.at DESC, e.case_id DESC, e.seq DESC LIMIT %(limit)s"""


class EventFilter(TypedDict, total=False):
    """Which events are wanted: period, office (of the post or of the case), person, post, action, number of the case.

    `person` is a name, a staff number or an id; `post` a title or an id.
    """

    since: date | None
    until: date | None
    office: str
    person: str
    post: str
    action: str
    case: str


def _event_filters(wanted: EventFilter) -> tuple[list[tuple[str, Any]], dict[str, Any]]:
    since, until, who, post = wanted.get("since"), wanted.get("until"), wanted.get("person", ""), wanted.get("post", "")
    given = {name: wanted.get(name, "") for name in ("office", "action", "case")}
    filters = [
        ("AND e.at >= %(since)s", since), ("AND e.at < %(until)s", until),
        ("AND (e.office = %(office)s OR c.lead = %(office)s)", given["office"]),
        ("AND (e.actor = %(who)s OR e.actor IN (SELECT id::text FROM person WHERE staff_no = %(who)s OR name ILIKE %(who_like)s))", who),
        ("AND (e.post = %(post)s OR e.post IN (SELECT id::text FROM post WHERE title ILIKE %(post_like)s))", post),
        ("AND e.action = %(action)s", given["action"]), ("AND c.number = %(case)s", given["case"]),
    ]  # fmt: skip
    params = {
        "since": start_of(since) if since else None, "until": end_of(until) if until else None, **given,
        "who": who, "who_like": _pattern(who), "post": post, "post_like": _pattern(post),
    }  # fmt: skip
    return filters, params


def events(
    conn: Connection, person_id: int, *, after: str = "", limit: int = 100, **wanted: Unpack[EventFilter]
) -> Page:
    """Events across the cases this person may see, the newest first. Raises `BadCursor`."""
    filters, params = _event_filters(wanted)
    at, number, seq = place_of(after, 3) if after else ((FAR + timedelta(days=1)).isoformat(), "0", "0")
    place = {"before_at": _time(at), "before_case": _number(number), "before_seq": _number(seq)}
    rows = _dicts(conn, _filtered(EVENTS, filters), {"person": person_id, "limit": limit + 1, **place, **params})
    following = (
        cursor_of(rows[limit - 1]["at"].isoformat(), rows[limit - 1]["case_id"], rows[limit - 1]["seq"])
        if len(rows) > limit
        else ""
    )
    return Page([row | told(row) for row in named(conn, ended.as_read(conn, rows[:limit]))], following)


EVENT_KEYS = f"""WITH {SCOPE} SELECT e.case_id, e.seq FROM me CROSS JOIN event e JOIN cases c ON c.id = e.case_id
WHERE {ONCE} AND e.seq <= coalesce({UNTIL}, e.seq) /* filters */ ORDER BY e.at, e.case_id, e.seq LIMIT %(limit)s"""


def event_keys(conn: Connection, person_id: int, *, limit: int, **wanted: Unpack[EventFilter]) -> list[tuple[int, int]]:
    """Case and number of the same events, the oldest first: what an export holds is fixed before its first line."""
    filters, params = _event_filters(wanted)
    return [
        (row["case_id"], row["seq"])
        for row in _dicts(conn, _filtered(EVENT_KEYS, filters), {"person": person_id, "limit": limit, **params})
    ]


def told(row: Mapping[str, Any]) -> dict[str, Any]:
    """Labels of an event from its process."""
    process, body = catalogue.process(row["process"], row["process_version"]), json.loads(row["body"])
    names = {s.name: s.label for s in process.states}
    return {
        "action_label": label_of(process, row["action"], body["from"]), "from_label": names.get(body["from"], ""), "to_label": names.get(body["to"], ""),
        "moved": body["from"] != body["to"], "holder": process.state(body["to"]).holder, "content": body["content"],
        "digest_hex": bytes(row["hash"]).hex(), "process_label": process.label, "version": body["seq"],
    }  # fmt: skip


ENGINE_LABELS = {
    "file_letter": "通知を綴じる", "erase": "内容を消去する", "attach": "ファイルを添える", "child_moved": "この案件の下の案件が動く",
    "succeed": "合併などで引き継ぐ", "follow": "もとの案件に従う", "propose_disposal": "廃棄を起案する", "decline_disposal": "廃棄を取りやめる",
    "extend_retention": "保存期間を延ばす", "hold_disposal": "廃棄を止める", "release_disposal": "廃棄の停止を解く",
    "extend_deadline": "期限を動かす", "stay_with_office": "いまの局で続ける", "link_case": "経緯につなぐ", "unlink_case": "経緯から外す",
    "derived_ended": "ここから起こした案件が終わる",
} | LABELS  # fmt: skip


def label_of(process: Process, action: str, source: str) -> str:
    """The verb of an action as done from that state, also of those that the engine itself writes."""
    return ENGINE_LABELS.get(action) or process.label_of(action, source)


def named(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows of events with the names of that day, as far as they still exist."""
    keys = [(row["case_id"], row["seq"]) for row in rows]
    found = _dicts(
        conn,
        """SELECT x.case_id, x.seq, x.data FROM content x JOIN unnest(%(cases)s::bigint[], %(seqs)s::int[]) AS k (c, s)
           ON x.case_id = k.c AND x.seq = k.s WHERE x.kind = 'names'""",
        {"cases": [k[0] for k in keys], "seqs": [k[1] for k in keys]},
    )
    names = {(row["case_id"], row["seq"]): json.loads(bytes(row["data"])) if row["data"] else None for row in found}
    result = []
    for row in rows:
        of_day = names.get((row["case_id"], row["seq"]))
        erased = of_day is None and row["actor"] != CLOCK
        of_day = of_day or {"actor": "消去済み" if erased else "時計(自動)", "post": "", "office": ""}
        result.append(
            dict(row)
            | {"actor_name": of_day["actor"], "post_title": of_day["post"], "org_name": of_day["office"]}
            | {"acting": acted(of_day, row["action"]), "acting_outside": acted_outside(of_day, row["action"])}
        )
    return result


LATE = """SELECT count(*) FROM (SELECT 1 FROM outbox WHERE done_at IS NULL AND next_at < now() - interval '10 minutes' LIMIT 1000) o"""


def late_effects(conn: Connection) -> int:
    """How many effects, such as mails, have waited for more than ten minutes: then nothing delivers them."""
    row = conn.execute(LATE, prepare=True).fetchone()
    assert row is not None
    return int(row[0])


MESSAGES = """SELECT m.id, m.case_id, m.address, m.subject, m.body, m.made_at, m.sent_at, n.name FROM message m JOIN person n ON n.id = m.person_id
WHERE m.id < %(before)s AND NOT m.gathered /* filters */ ORDER BY m.id DESC LIMIT %(limit)s"""


def messages(conn: Connection, person_id: int, *, everybody: bool = False, after: str = "", limit: int = 30) -> Page:
    """Mails to this person, or to everybody, the newest first. Raises `BadCursor`."""
    (last,) = place_of(after, 1) if after else (str(2**62),)
    params = {"person": person_id, "before": _number(last), "limit": limit + 1}
    rows = _dicts(conn, _filtered(MESSAGES, [("AND m.person_id = %(person)s", not everybody)]), params)
    return Page(rows[:limit], cursor_of(rows[limit - 1]["id"]) if len(rows) > limit else "")


def actions_known() -> list[tuple[str, str]]:
    """Every action name with its verbs, for filters; two processes may call theirs by one name."""
    found: dict[str, dict[str, None]] = {}
    for process in catalogue.newest().values():
        for row in process.table:
            found.setdefault(row.name, {})[row.label] = None
    told = {name: " / ".join(labels) for name, labels in found.items()}
    return sorted((told | ENGINE_LABELS).items(), key=lambda pair: pair[1])


def _filtered(text: str, filters: Sequence[tuple[str, Any]]) -> str:
    """The statement with the filters that were given: a few constant texts, values as parameters."""
    return text.replace("/* filters */", " ".join(sql for sql, value in filters if value))


def _dicts(conn: Connection, text: str, params: Mapping[str, Any]) -> list[dict[str, Any]]:
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(text, params, prepare=True).fetchall()


def _pattern(words: str) -> str:
    escaped = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def _time(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BadCursor from None
    if found.tzinfo is None:
        raise BadCursor
    return found


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 20) or int(text) >= 2**63:
        raise BadCursor
    return int(text)
