"""The write side: `open_case`, `save`, `act`. Deep: three verbs hide everything; `look` reads one case as `act` reads it.

An act is one read and one write (`case_sql`). Python decides in between, with no lock held; the write compares the
version. Whoever loses is told who acted and when; whoever repeats a request gets the first answer again.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import psycopg

from states import catalogue, route_actions, thread
from states.dates import short
from states.kernel import Offer, Process, Refused
from states.places import Directory
from states.route_words import acted
from states.terms import Deadline, Facts, State, block
from workflow import acts, case_sql, colleagues, families, history, routes, routing
from workflow.access import OUTSIDE, PARTS, SCOPE, TODAY, VISIBLE, actor
from workflow.blackout import plain
from workflow.loading import Connection, Loaded, NotFound, instant, load
from workflow.queries import label_of

HALVES = ("午前", "午後")
STRANGER = "この案件の振興局(協力する振興局を含みます)の、いまの職員ではない人が含まれています。何も変えていません。職員を選び直してください。"
TYPED = "~"  # before an act's name: what was typed beside the fields of its page, kept with the working copy


class PostLost(Exception):
    """The post that gave the right ended between reading and writing; nothing was done."""


class KeyReused(Exception):
    """The key of an earlier request came with another content; nothing was done."""


@dataclass
class Conflict(Exception):
    """Somebody else acted first; nothing was done."""

    who: str
    when: datetime
    action_label: str
    state_label: str
    version: int


@dataclass
class SaveClash(Exception):
    """The draft was saved elsewhere meanwhile; what was typed here is still on the screen."""

    saved_at: datetime
    form: Mapping[str, Any]
    who: str = "ほかの方"


@dataclass(frozen=True, slots=True)
class Done:
    """An act that is in history: the version it made, the state it led to, whether this is a replay."""

    version: int
    state: str
    replayed: bool = False


def open_case(
    conn: Connection, person_id: int, process_key: str, origin: str, form: Mapping[str, Any], *, org: str = "",
    begun: Mapping[str, Any] | None = None,
) -> int:  # fmt: skip
    """A new draft of the person's office; it has no events and no number until its first action.

    `org` names the office where the person has posts at several, `begun` the case that it came of (`thread.begun`). Raises
    `Refused` when no post of the person may open a case of that origin.
    """
    process = catalogue.process(process_key)
    by = process.opens.get(origin, frozenset())
    writer = actor(conn, person_id)
    posts = [p for p in writer.posts if p.role in by and org in ("", p.org_code)] if writer else []
    post = next(iter(posts), None)
    if post is None:
        raise Refused("role", f"「{process.label}」を起こす役目を、いまのあなたの職は持っていません。")
    if not set(form) <= _writes(process, process.initial.name, frozenset({post.role}), opens=True):
        raise Refused(
            "role", "下書きには書けない内容が含まれています。何も保存していません。最新の画面を開いてください。"
        )
    acts.taken_over(process, {}, form)
    area = Directory.from_csv().office_of(post.org_code, today(conn))
    row = conn.execute(
        f"""WITH made AS (INSERT INTO cases (process, process_version, origin, lead, place, opened_by, opened_at, title, state, version,
                                    saves, acted_by, acted_at, form)
          VALUES (%(process)s, %(version)s, %(origin)s, %(lead)s, %(place)s, %(person)s, clock_now(), %(title)s, %(state)s, 0,
                  0, %(person)s::text, clock_now(), %(form)s::jsonb) RETURNING id),
        joined AS (INSERT INTO party (case_id, org_code, part, valid_from) SELECT id, %(org)s, %(part)s, {TODAY} FROM made),
        tied AS (INSERT INTO link (case_id, other_id, kind, seq) SELECT id, %(other)s::bigint, %(kind)s, 0 FROM made WHERE %(other)s::bigint > 0)
        SELECT id FROM made""",
        {
            "person": person_id, "process": process.key, "version": process.version, "origin": origin,
            "title": process.title(form), "place": process.place(form), "state": process.initial.name, "form": history.canonical({**form, **({thread.GROUP: dict(begun)} if begun else {})}),
            "lead": area.code if area else post.org_code, "org": post.org_code, "part": next(iter(PARTS[post.role])),
            "other": begun["from"] if begun else None, "kind": begun["kind"] if begun else None,
        },
        prepare=True,
    ).fetchone()  # fmt: skip
    assert row is not None
    return int(row[0])


def today(conn: Connection) -> date:
    """Today in Tokyo by the database's clock."""
    row = conn.execute(f"SELECT {TODAY}", prepare=True).fetchone()
    assert row is not None
    day: date = row[0]
    return day


def save(conn: Connection, person_id: int, case_id: int, groups: Mapping[str, Any], saves: int) -> int:
    """Keep what is being written, outside history: in the draft itself, or as the office's working copy.

    `saves` is the count the page was opened with. Returns the new count; raises `SaveClash`, `Conflict`, `NotFound`, `Refused`.
    """
    case = load(conn, case_id, person_id)
    allowed = editable(case)
    fields = {group: part for group, part in groups.items() if not group.startswith(TYPED)}
    if not allowed or not {group.partition(":")[0] for group in fields} <= allowed:
        raise Refused("role", "この内容は、いまは書き換えられません。最新の画面を開いてください。")
    form, _ = acts.taken_over(case.process, case.row.form, fields)
    if case.row.version == 0:
        row = conn.execute(
            """UPDATE cases SET form = %(form)s::jsonb, title = %(title)s, place = %(place)s, saves = saves + 1, acted_by = %(person)s::text,
                 acted_at = clock_now() WHERE id = %(case)s AND version = 0 AND saves = %(saves)s RETURNING saves""",
            {
                "form": history.canonical(form),
                "title": case.process.title(form),
                "place": case.process.place(form),
                "case": case_id,
                "saves": saves,
                "person": person_id,
            },
            prepare=True,
        ).fetchone()
        if row is None:
            latest = load(conn, case_id, person_id)
            if latest.row.version:
                raise conflict(conn, latest)
            raise SaveClash(latest.row.acted_at, latest.row.form, last_saved(conn, case_id)["who"])
        return int(row[0])
    row = conn.execute(
        """INSERT INTO working AS w (case_id, org_code, form, saves, saved_by, saved_at)
           SELECT %(case)s, %(org)s::text, %(form)s::jsonb, 1, %(person)s, clock_now() WHERE %(saves)s::int = 0
             OR EXISTS (SELECT 1 FROM working x WHERE x.case_id = %(case)s AND x.org_code = %(org)s)
           ON CONFLICT (case_id, org_code) DO UPDATE
             SET form = w.form || EXCLUDED.form, saves = w.saves + 1, saved_by = EXCLUDED.saved_by, saved_at = EXCLUDED.saved_at
             WHERE w.saves = %(saves)s RETURNING saves""",
        {
            "case": case_id,
            "org": desk(case),
            "form": history.canonical(dict(groups)),
            "person": person_id,
            "saves": saves,
        },
        prepare=True,
    ).fetchone()
    if row is None:
        kept = working(conn, case)
        raise SaveClash(kept["saved_at"], kept["form"], kept["who"]) if kept else SaveClash(case.now, {})
    return int(row[0])


def working(conn: Connection, case: Loaded) -> dict[str, Any] | None:
    """The office's working copy of a case in progress: form groups, what was typed beside them, count of saves, who and when."""
    row = conn.execute(
        "SELECT form, saves, saved_at, saved_by FROM working WHERE case_id = %s AND org_code = %s",
        (case.row.id, desk(case)),
        prepare=True,
    ).fetchone()
    if row is None:
        return None
    form = {group: part for group, part in row[0].items() if not group.startswith(TYPED)}
    typed = {group: part for group, part in row[0].items() if group.startswith(TYPED)}
    return {"form": form, "typed": typed, "saves": row[1], "saved_at": row[2], **_writer(conn, row[3])}


def last_saved(conn: Connection, case_id: int) -> dict[str, Any]:
    """Who saved a draft last, and when; the caller has seen the case."""
    row = conn.execute("SELECT saves, acted_at, acted_by FROM cases WHERE id = %s", (case_id,), prepare=True).fetchone()
    if row is None:
        raise NotFound
    return {"saves": row[0], "saved_at": row[1], **_writer(conn, int(row[2]) if row[2].isdecimal() else 0)}


def _writer(conn: Connection, person_id: int) -> dict[str, Any]:
    """A person as colleagues speak of one: section, post and name."""
    found = actor(conn, person_id)
    home = found.home if found else None
    words = (home.section, home.title, found.name) if found and home else (found.name if found else "",)
    return {"person_id": person_id, "who": " ".join(filter(None, words)) or "ほかの方"}


def desk(case: Loaded) -> str:
    """The organisation for which the person works on this case."""
    return next(
        (post.org_code for post in case.held.values() if post.role in PARTS), next(iter(case.held.values())).org_code
    )


def editable(case: Loaded) -> frozenset[str]:
    """The field groups that some act open to the person takes over; who may open a draft may write it."""
    opens = case.row.version == 0 and bool(case.process.opens.get(case.row.origin, frozenset()) & case.facts.roles)
    return _writes(case.process, case.row.state, case.facts.roles, opens)


def _writes(process: Process, state: str, roles: frozenset[str], opens: bool) -> frozenset[str]:
    here = [row for row in process.table if state in row.source]
    mine = [row for row in here if row.by & roles]
    return frozenset().union(*(row.edits for row in mine or (here if opens else [])))


def touch_draft(conn: Connection, person_id: int, case_id: int) -> bool:
    """Hold a draft until the transaction ends, so that an act worked out meanwhile looks again; False when it is none any more."""
    return bool(
        conn.execute(
            "UPDATE cases SET acted_at = clock_now(), acted_by = %s::text WHERE id = %s AND version = 0",
            (person_id, case_id),
            prepare=True,
        ).rowcount
    )


def delete_draft(conn: Connection, person_id: int, case_id: int) -> None:
    """Drop a draft that never became a case. Raises `NotFound` for anything else."""
    if not editable(load(conn, case_id, person_id)):
        raise NotFound
    with conn.transaction():
        # Held first: a file that is just arriving is either waited for or comes too late.
        if not conn.execute("SELECT 1 FROM cases WHERE id = %s AND version = 0 FOR UPDATE", (case_id,)).fetchone():
            raise NotFound
        conn.execute("DELETE FROM party WHERE case_id = %s", (case_id,))
        conn.execute("DELETE FROM link WHERE case_id = %s", (case_id,))
        conn.execute("DELETE FROM attachment WHERE case_id = %s", (case_id,))
        conn.execute("DELETE FROM search_entry WHERE case_id = %s", (case_id,))
        conn.execute("DELETE FROM cases WHERE id = %s", (case_id,))


def act(
    conn: Connection, person_id: int, case_id: int, action: str, *, version: int, key: UUID,
    inputs: Mapping[str, Any] | None = None, form: Mapping[str, Any] | None = None, saves: int | None = None,
) -> Done:  # fmt: skip
    """Do one act: decide, then write state, event, content, steps, deadlines, effects and the answer in one transaction.

    `conn` is in autocommit and joins nothing. `version` is that of the page, `key` that of its form, `form` the field
    groups that the act takes over; `saves` the count of the draft that was shown, where it must be still the same. Raises
    `NotFound`, `Conflict`, `SaveClash`, `KeyReused`, `PostLost`, `Refused`.
    """
    asked = [case_id, action, version, inputs or {}, form or {}]
    if not history.keepable(asked):
        raise Refused(
            "guard",
            "保存できない文字(NUL など)が入っています。何も変えていません。その文字を消して、もう一度送ってください。",
        )
    request = hashlib.sha256(history.canonical(asked).encode()).digest()
    while True:
        case = load(conn, case_id, person_id, key, named=_named(inputs), making=routing.may_make(action))
        if case.row.result is not None:
            if case.row.request != request:
                raise KeyReused
            return Done(case.row.result["version"], case.row.result["state"], replayed=True)
        if case.row.version != version:
            raise conflict(conn, case)
        if saves not in (None, case.row.saves):
            raise SaveClash(case.row.acted_at, case.row.form, last_saved(conn, case_id)["who"])
        routing.prepare(conn, case, action)
        if action in route_actions.BY_NAME:
            params = routes.work_out(case, action, dict(inputs or {}))
        else:
            params = acts.work_out(case, action, dict(inputs or {}), dict(form or {}))
        if not colleagues.all_known(conn, case, form or {}):
            raise Refused("guard", STRANGER)
        params |= {"person": person_id, "key": key, "request": request}
        done = Done(version + 1, params["state"])
        params["result"] = json.dumps({"version": done.version, "state": done.state})
        if _write(conn, case, params, person_id):
            return done
        # Lost. The next round says why: replayed, acted before us, saved before us, or the number we drew was taken.
        now_held = actor(conn, person_id)
        if params["post"] not in {post.id for post in (now_held.posts if now_held else ())}:
            raise PostLost


def act_by_clock(conn: Connection, case_id: int, action: str) -> Done | None:
    """A move that time makes; None when somebody was faster. Raises `Refused` when a guard holds it back."""
    case = load(conn, case_id, None)
    routing.prepare(conn, case, action)
    params = acts.work_out(case, action, {}, {})
    return Done(case.row.version + 1, params["state"]) if _write(conn, case, params, None) else None


def _named(inputs: Mapping[str, Any] | None) -> str:
    """The number of another case that the act names."""
    typed = next((value for name, value in (inputs or {}).items() if name in catalogue.naming()), None)
    return typed.strip() if isinstance(typed, str) and history.keepable(typed) else ""


def _write(conn: Connection, case: Loaded, params: dict[str, Any], person_id: int | None) -> bool:
    """Carry the write out; False when nothing was written because somebody else was faster."""
    parts = frozenset({"me", "key"} if person_id is not None else ())
    try:
        if families.concerned(case, params):
            return families.carry_out(conn, case, params, parts)
        return case_sql.carry_out(conn, params, parts)
    except psycopg.errors.DeadlockDetected:
        return False
    except psycopg.errors.UniqueViolation as error:
        if error.diag.constraint_name == "uq_assignment_place":
            raise _taken(conn, person_id, error.diag.message_detail or "") from error
        if error.diag.constraint_name != "pk_idempotency":
            raise
        return False
    except psycopg.DatabaseError as error:
        if error.sqlstate == case_sql.LOST_COUNTER:
            return False
        raise


TAKEN = f"""WITH {SCOPE} SELECT n.name, (SELECT c.number FROM assignment a JOIN cases c ON c.id = a.case_id
    WHERE a.person_id = n.id AND a.day = %(day)s AND a.half = %(half)s AND {VISIBLE.replace("a.", "b.").replace("assignment a", "assignment b")})
FROM me CROSS JOIN person n WHERE n.id = %(taken)s"""


def _taken(conn: Connection, person_id: int | None, detail: str) -> Refused:
    """Who is already somewhere else on which half-day, as the constraint told it."""
    found = re.search(r"=\((\d+), (\d{4}-\d\d-\d\d), ([01])\)", detail)
    said = "同じ人が、同じ日にほかの派遣に入っています。"
    if found:
        day, half = date.fromisoformat(found[2]), int(found[3])
        row = conn.execute(
            TAKEN, {"person": person_id, "taken": int(found[1]), "day": day, "half": half}, prepare=True
        ).fetchone()
        if row:
            other = f"({row[1]})" if row[1] else ""
            said = f"{row[0]}さんは、{short(day)}の{HALVES[half]}、ほかの派遣{other}に入っています。"
    said += "何も変えていません。ほかの人か、ほかの日にしてください。"
    return Refused("guard", said, (block(said, "team.members"),))


def conflict(conn: Connection, case: Loaded) -> Conflict:
    """Who acted last on the case, in words for the person who came later."""
    if case.body is None:
        return Conflict("ほかの方", case.row.acted_at, "下書きを保存する", case.process.state(case.row.state).label, 0)
    row = conn.execute(
        "SELECT data FROM content WHERE case_id = %s AND seq = %s AND kind = 'names'",
        (case.row.id, case.row.version),
        prepare=True,
    ).fetchone()
    names = json.loads(bytes(row[0])) if row and row[0] else {}
    label = label_of(case.process, case.body["action"], case.body["from"])
    who = " ".join(filter(None, (names.get("office"), names.get("post"), names.get("actor")))) or "ほかの方"
    who += f"({told})" if (told := acted(names, case.body["action"])) and case.reads - OUTSIDE else ""
    return Conflict(who, case.row.acted_at, label, case.process.state(case.row.state).label, case.row.version)


@dataclass(frozen=True)
class View:
    """One case as one person may see it: what the page shows and what it offers."""

    id: int
    process: Process
    number: str | None
    title: str
    origin: str
    lead: str
    state: State
    version: int
    saves: int
    form: Mapping[str, Any]  # the field groups this person may read
    read: Any
    facts: Facts
    offers: Sequence[Offer]
    roles: frozenset[str]
    parties: Sequence[Mapping[str, Any]]
    steps: Sequence[Mapping[str, Any]]
    deadlines: Sequence[Mapping[str, Any]]
    declared: Sequence[Deadline]  # the process's deadlines, as set for this office
    working: Mapping[str, Any] | None
    editable: frozenset[str]
    erased: Mapping[str, int]  # field group → number of the event that erased it
    now: datetime
    head_hex: str
    parent_id: int | None = None
    ended: str = ""  # how a list calls a case that the reader's organisation has left; it is shown as it was then

    @property
    def holder(self) -> str:
        """Whose turn it is."""
        return self.process.holder(self.state.name, self.origin)

    def may_read(self, kind: str) -> bool:
        return self.process.reads(plain(kind), self.roles, self.state.name)


def look(conn: Connection, person_id: int, case_id: int) -> View:
    """The case for one person. Raises `NotFound`, also for a case that is not theirs to see."""
    case = load(conn, case_id, person_id)
    row, process = case.row, case.process
    names = dict(
        conn.execute(ORGANISATION_NAMES, ([p["org"] for p in case.parties] + [row.lead],), prepare=True).fetchall()
    )
    # Whoever reads by scope or as staff has roles on the case that act nothing; they still decide what is readable.
    roles = case.reads
    form = {group: value for group, value in row.form.items() if process.reads(history.FORM + group, roles, row.state)}
    labels = {d.kind: d for d in process.deadlines}
    routing.prepare(conn, case)
    return View(
        id=row.id, process=process, number=row.number, title=row.title, origin=row.origin, lead=row.lead,
        state=process.state(row.state), version=row.version, saves=row.saves, form=form, read=process.reading(form),
        facts=case.facts, offers=[*process.actions(case.facts), *route_actions.offers(process, case.facts)], roles=roles,
        parties=[{"org_code": p["org"], "org_name": names.get(p["org"], p["org"]), "part": p["part"]} for p in case.parties if p["to"] is None],
        steps=[
            {"org_code": org, "role": role, "person_id": person, "ask": ask, "due_at": instant(due)}
            for _, org, role, person, ask, due in row.steps or ()
        ],
        deadlines=[
            {"kind": kind, "label": labels[kind].label, "holder": labels[kind].holder, "due_at": instant(due), "left": left}
            for _, kind, due, is_open, left, _ in row.deadlines or () if is_open and kind in labels
        ],
        declared=case.declared,
        working=working(conn, case) if row.version and editable(case) else None, editable=editable(case),
        erased={group: value["erased"] for group, value in row.form.items() if set(value) == {"erased"}},
        now=case.now, head_hex=bytes(row.head).hex() if row.head else "",
        parent_id=row.parent_id, ended=case.ended,
    )  # fmt: skip


ORGANISATION_NAMES = f"""SELECT code, name FROM organisation WHERE code = ANY (%s)
  AND (valid_from IS NULL OR valid_from <= {TODAY}) AND (valid_to IS NULL OR valid_to >= {TODAY})"""
