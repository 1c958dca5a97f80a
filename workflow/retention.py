"""How long a case is kept, and how it goes: its period, what holds it back, who proposes and who confirms its disposal.

The period counts from the fiscal year after the case ended (文書管理規程). Nothing is ever disposed of by itself: a records
officer proposes it with a ground, another person confirms it – the office's director, who answers for its records, or a second
records officer – and whatever happens to the case in between makes the proposal void. Every step is an event of the case.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from psycopg.rows import dict_row

from states import catalogue
from states.dates import fiscal_year, wareki
from states.kernel import Process, Refused
from states.terms import CONFIRM
from states.text import problems
from workflow import acts, case_sql, erase, history
from workflow.access import SCOPE, VISIBLE, PostHeld
from workflow.cases import conflict
from workflow.db import Database, driver
from workflow.deadlines import FAR, local_day
from workflow.loading import Connection, Loaded, NotFound, load, microseconds
from workflow.settings import settings

KEEPS, ANSWERS = "records", "director"  # who keeps the records; who answers for those of the office
PROPOSE, DECLINE, EXTEND = "propose_disposal", "decline_disposal", "extend_retention"
HOLD, RELEASE = "hold_disposal", "release_disposal"
REASON, PERIOD = "internal:retention", "retention"  # content: why; until when
ASK = "廃棄を確かめる"  # the item in the director's inbox
LONGEST = 500
LONGEST_EXTENSION = 30  # years


@dataclass(frozen=True)
class Kept:
    """A case that has ended, and how long it is kept. `until` is the last day of its period, after any extension."""

    id: int
    number: str | None
    title: str
    process_label: str
    outcome: str
    version: int
    lead: str
    ended_on: date
    until: date
    extended: bool
    over: bool  # its period has passed
    held: Mapping[str, Any] | None  # reason, who, when
    proposed: Mapping[str, Any] | None  # reason, who, person, when
    children: int

    @property
    def year(self) -> int:
        """The fiscal year at whose end its period ends."""
        return fiscal_year(self.until)


@dataclass(frozen=True)
class Disposed:
    """A line of the register of disposals (廃棄簿)."""

    id: int
    number: str | None
    process_label: str
    seq: int
    at: datetime
    hash: str
    confirmed_by: str
    rows: int
    told: Mapping[str, Any]


def years_of(process: Process) -> int:
    """How many fiscal years a case of this process is kept."""
    return int(getattr(process, "retention_years", 0) or settings().retention_years)


def last_day(ended_on: date, years: int) -> date:
    """The end of a period that begins with the fiscal year after the case ended."""
    return date(fiscal_year(ended_on) + years + 1, 3, 31)


# ── what is kept ────────────────────────────────────────────────────────────────────────────────────────────────────

_NAMES = """(SELECT concat_ws(' ', nullif(d.j ->> 'office', ''), nullif(d.j ->> 'post', ''), d.j ->> 'actor')
  FROM content x, LATERAL (SELECT convert_from(x.data, 'UTF8')::jsonb AS j) d WHERE x.case_id = c.id AND x.seq = {} AND x.kind = 'names')"""
_SAID = "(SELECT convert_from(x.data, 'UTF8')::jsonb #>> '{{}}' FROM content x WHERE x.case_id = c.id AND x.seq = {} AND x.kind = 'internal:retention')"

# A case has ended with the first event that led to the state in which it is.
ENDED = f"""WITH {SCOPE}
SELECT c.id, c.number, c.title, c.process, c.process_version, c.state, c.version, c.lead, done.at AS ended_at, clock_now() AS now,
  CASE WHEN starts_with(c.title, '廃棄(') THEN c.form ELSE '{{}}' END AS form,
  (SELECT count(*) FROM cases k WHERE k.parent_id = c.id) AS children,
  (SELECT convert_from(x.data, 'UTF8')::jsonb ->> 'until' FROM content x WHERE x.case_id = c.id AND x.kind = '{PERIOD}' AND x.data IS NOT NULL
   ORDER BY x.seq DESC LIMIT 1) AS extended,
  (SELECT jsonb_build_object('reason', h.reason, 'by', n.name, 'at', h.set_at) FROM retention_hold h JOIN person n ON n.id = h.set_by
   WHERE h.case_id = c.id AND h.ended_at IS NULL) AS held,
  CASE WHEN head.action = '{PROPOSE}' THEN jsonb_build_object('person', head.actor, 'at', head.at, 'by', {_NAMES.format("head.seq")},
    'reason', {_SAID.format("head.seq")}) END AS proposed
FROM me CROSS JOIN cases c
JOIN event head ON head.case_id = c.id AND head.seq = c.version
JOIN LATERAL (SELECT min(e.at) AS at FROM event e WHERE e.case_id = c.id AND strpos(e.body, ',"to":"' || c.state || '","v":') > 0) done ON true
WHERE {VISIBLE} AND c.version > 0 AND c.parent_id IS NULL
  AND c.process || '/' || c.process_version || '/' || c.state = ANY (%(ends)s)
  AND (%(case)s::bigint IS NULL OR c.id = %(case)s)
ORDER BY done.at, c.id"""


def kept(conn: Connection, person_id: int, *, case_id: int | None = None) -> list[Kept]:
    """Every ended case (or this one) in the person's sight that still says something, those that ended first at the head."""
    wanted = {"person": person_id, "ends": _ends(), "case": case_id}
    return [_kept(row) for row in _dicts(conn, ENDED, wanted) if not history.disposed(row["form"], row["title"])]


def _kept(row: Mapping[str, Any]) -> Kept:
    process = catalogue.process(row["process"], row["process_version"])
    ended_on = local_day(row["ended_at"])
    until = last_day(ended_on, years_of(process))
    extended = date.fromisoformat(row["extended"]) if row["extended"] else None
    until = max(until, extended) if extended else until
    return Kept(
        row["id"], row["number"], row["title"], process.label, process.state(row["state"]).outcome, row["version"], row["lead"], ended_on,
        until, extended is not None, local_day(row["now"]) > until, _moment(row["held"]), _moment(row["proposed"]), row["children"],
    )  # fmt: skip


def _moment(told: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return {**told, "at": datetime.fromisoformat(told["at"])} if told else None


def _ends() -> list[str]:
    """Every end of every process, as the query compares it."""
    return [
        f"{process.key}/{process.version}/{state.name}"
        for process in catalogue.all_versions().values() for state in process.states if state.final
    ]  # fmt: skip


DISPOSED = f"""WITH {SCOPE}
SELECT c.id, c.number, c.process, c.process_version, e.seq, e.at, encode(e.hash, 'hex') AS hash, {_NAMES.format("e.seq")} AS confirmed_by,
  jsonb_array_length(r.j -> 'erased') AS rows, r.j -> 'disposal' AS told
FROM me CROSS JOIN cases c JOIN event e ON e.case_id = c.id AND e.seq = substring(c.title FROM '^廃棄\\(記録([0-9]{{1,9}})号\\)$')::int
  AND e.action = '{erase.ACTION}'
JOIN content x ON x.case_id = e.case_id AND x.seq = e.seq AND x.kind = '{erase.RECORD}' AND x.data IS NOT NULL
CROSS JOIN LATERAL (SELECT convert_from(x.data, 'UTF8')::jsonb AS j) r
WHERE {VISIBLE} AND r.j ? 'disposal' AND c.parent_id IS NULL
ORDER BY e.at DESC, c.id DESC LIMIT %(limit)s"""


def disposed(conn: Connection, person_id: int, *, limit: int = 1_000_000) -> list[Disposed]:
    """The register of disposals as far as this person's posts reach, the newest first."""
    rows = _dicts(conn, DISPOSED, {"person": person_id, "limit": limit})
    return [
        Disposed(
            row["id"], row["number"], catalogue.process(row["process"], row["process_version"]).label, row["seq"], row["at"], row["hash"],
            row["confirmed_by"] or "", row["rows"], row["told"],
        )
        for row in rows
    ]  # fmt: skip


def taken(conn: Connection, person_id: int, rows: int) -> None:
    """Record that the register was taken out as a file."""
    conn.execute(
        "INSERT INTO export_record (at, person_id, what, filter, rows) VALUES (clock_now(), %s, 'disposals', '{}', %s)",
        (person_id, rows),
    )


# ── steps ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def propose(db: Database, person_id: int, cases: Sequence[tuple[int, int]], reason: str) -> None:
    """Put the disposal of these cases (id and version as they were seen) to the director; all or none.

    Raises `NotFound`, `Refused`, `Conflict`.
    """
    said = _reason(reason)
    with db.transaction() as session:
        for case, found, post in _open(driver(session), person_id, cases, KEEPS):
            if found.held is not None:
                raise _no(found, "は廃棄が止められています")
            if not found.over:
                raise _no(found, f"の保存期間は{wareki(found.until)}までです")
            if found.proposed is not None:
                raise _no(found, "は、もう廃棄が起案されています")
            step = {
                "org": found.lead,
                "role": ANSWERS,
                "person": None,
                "ask": ASK,
                "due": microseconds(FAR),
                "kind": CONFIRM,
            }
            _note(driver(session), case, PROPOSE, [(REASON, said)], (person_id, post), {"steps_open": [step]})


def decline(db: Database, person_id: int, cases: Sequence[tuple[int, int]], reason: str) -> None:
    """Take a proposal back, or answer it with no. Raises `NotFound`, `Refused`, `Conflict`."""
    said = _reason(reason)
    with db.transaction() as session:
        for case, found, post in _open(driver(session), person_id, cases, KEEPS, ANSWERS):
            if found.proposed is None:
                raise _no(found, "の廃棄は、いま起案されていません")
            _note(driver(session), case, DECLINE, [(REASON, said)], (person_id, post), _closing(case))


def confirm(db: Database, person_id: int, cases: Sequence[tuple[int, int]]) -> list[int]:
    """Dispose of these cases with everything under them, each as its proposer gave the ground; all or none.

    Returns the numbers of the erasing events. Raises `NotFound`, `Refused`, `Conflict`.
    """
    done = []
    with db.transaction() as session:
        conn = driver(session)
        for case, found, post in _open(conn, person_id, cases, KEEPS, ANSWERS):
            if found.proposed is None:
                raise _no(found, "の廃棄は起案されていないか、起案の後に案件が動きました")
            if found.proposed["person"] == str(person_id):
                raise _no(found, "は、あなたが起案しました。ほかの人が確かめます", "role")
            if found.held is not None or not found.over:
                raise _no(found, "の保存期間が終わっていないか、廃棄が止められています")
            told = {
                "proposed_by": found.proposed["by"] or "", "proposed_on": local_day(found.proposed["at"]).isoformat(),
                "ended_on": found.ended_on.isoformat(), "until": found.until.isoformat(), "extended": found.extended,
            }  # fmt: skip
            ground = found.proposed["reason"] or "保存期間の満了"
            seq = erase.dispose(conn, case, (person_id, post), ground, told)
            for (child,) in conn.execute(
                "SELECT id FROM cases WHERE parent_id = %s ORDER BY id", (case.row.id,)
            ).fetchall():
                _dispose_child(
                    conn, child, (person_id, post), ground, told | {"with": case.row.number or "", "record": seq}
                )
            done.append(seq)
    return done


def _dispose_child(
    conn: Connection, child: int, by: tuple[int, PostHeld], ground: str, told: Mapping[str, Any]
) -> None:
    """A case under one that goes goes with it. It is read as the clock reads it: whoever disposes of the parent need not see it."""
    case = load(conn, child, None)
    name = conn.execute("SELECT name FROM person WHERE id = %s", (by[0],)).fetchone()
    erase.dispose(conn, replace(case, row=case.row._replace(person_name=name[0] if name else "")), by, ground, told)


def extend(db: Database, person_id: int, cases: Sequence[tuple[int, int]], years: int, reason: str) -> None:
    """Keep these cases for so many years more, counted from the end of their period. Raises `NotFound`, `Refused`, `Conflict`."""
    said = _reason(reason)
    if not 1 <= years <= LONGEST_EXTENSION:
        raise Refused("guard", f"延ばす年数は、1から{LONGEST_EXTENSION}までで選んでください。何も変えていません。")
    with db.transaction() as session:
        for case, found, post in _open(driver(session), person_id, cases, KEEPS):
            until = found.until.replace(year=found.until.year + years)
            parts = [(REASON, said), (PERIOD, {"until": until.isoformat(), "years": years})]
            _note(driver(session), case, EXTEND, parts, (person_id, post), _closing(case))


def hold(db: Database, person_id: int, number: str, reason: str) -> int:
    """Keep a case from disposal while somebody needs it; returns its id. Raises `NotFound`, `Refused`, `Conflict`."""
    said = _reason(reason)
    with db.transaction() as session:
        conn = driver(session)
        rows = _dicts(
            conn, f"WITH {SCOPE} SELECT c.id FROM me CROSS JOIN cases c WHERE {VISIBLE} AND c.number = %(number)s AND c.version > 0",
            {"person": person_id, "number": number},
        )  # fmt: skip
        if not number or not rows:
            raise Refused(
                "guard", f"案件番号「{number}」の案件は見つかりません。何も変えていません。番号を確かめてください。"
            )
        case, post = _load(conn, person_id, rows[0]["id"], KEEPS)
        if conn.execute(
            "SELECT 1 FROM retention_hold WHERE case_id = %s AND ended_at IS NULL", (case.row.id,)
        ).fetchone():
            raise Refused("guard", f"{number}の廃棄は、もう止められています。何も変えていません。")
        _note(conn, case, HOLD, [(REASON, said)], (person_id, post), _closing(case))
        conn.execute(
            "INSERT INTO retention_hold (case_id, reason, set_by, set_at) VALUES (%s, %s, %s, clock_now())",
            (case.row.id, said, person_id),
        )
        return case.row.id


def release(db: Database, person_id: int, case_id: int, reason: str) -> None:
    """Let a case go its way again. Raises `NotFound`, `Refused`, `Conflict`."""
    said = _reason(reason)
    with db.transaction() as session:
        conn = driver(session)
        case, post = _load(conn, person_id, case_id, KEEPS)
        ended = conn.execute(
            "UPDATE retention_hold SET ended_by = %s, ended_at = clock_now() WHERE case_id = %s AND ended_at IS NULL",
            (person_id, case_id),
        ).rowcount
        if not ended:
            raise Refused("guard", "この案件の廃棄は、いま止められていません。何も変えていません。")
        _note(conn, case, RELEASE, [(REASON, said)], (person_id, post), {})


HELD = f"""WITH {SCOPE} SELECT c.id, c.number, c.title, h.reason, n.name AS by, h.set_at AS at FROM me CROSS JOIN cases c
JOIN retention_hold h ON h.case_id = c.id AND h.ended_at IS NULL JOIN person n ON n.id = h.set_by WHERE {VISIBLE} ORDER BY h.set_at"""


def held(conn: Connection, person_id: int) -> list[dict[str, Any]]:
    """The cases that are held back, also those that have not ended."""
    return _dicts(conn, HELD, {"person": person_id})


def _open(
    conn: Connection, person_id: int, cases: Sequence[tuple[int, int]], *roles: str
) -> list[tuple[Loaded, Kept, PostHeld]]:
    """The cases as they stand, always in one order. Raises `NotFound`, `Refused`, `Conflict` where one was acted on since."""
    if not cases:
        raise Refused("guard", "案件を1つ以上選んでください。何も変えていません。")
    found = []
    for case_id, version in sorted(set(cases)):
        case, post = _load(conn, person_id, case_id, *roles)
        if case.row.version != version:
            raise conflict(conn, case)
        (state,) = kept(conn, person_id, case_id=case_id) or (None,)
        if state is None:
            raise NotFound
        found.append((case, state, post))
    return found


def _load(conn: Connection, person_id: int, case_id: int, *roles: str) -> tuple[Loaded, PostHeld]:
    case = load(conn, case_id, person_id)
    post = next((case.held[role] for role in roles if role in case.held), None)
    if post is None or not case.row.version:
        raise Refused(
            "role", "保存と廃棄は、文書管理の職と、廃棄を確かめる振興局長だけが扱えます。何も変えていません。"
        )
    return case, post


def _note(
    conn: Connection,
    case: Loaded,
    action: str,
    parts: list[tuple[str, Any]],
    by: tuple[int, PostHeld],
    rows: Mapping[str, Any],
) -> None:
    params = acts.note(case, action, parts, by=(str(by[0]), by[1])) | {"person": by[0], "rows": dict(rows)}
    if not case_sql.carry_out(conn, params, frozenset({"me"})):
        raise conflict(conn, load(conn, case.row.id, by[0]))


def _closing(case: Loaded) -> dict[str, Any]:
    """The director is no longer asked."""
    return {"steps_close": [step[0] for step in case.row.steps or () if step[4] == ASK]}


def _reason(typed: str) -> str:
    said = typed.strip()
    if not said or len(said) > LONGEST or problems(said):
        raise Refused("guard", f"理由を、保存できる文字で{LONGEST}字までに書いてください。何も変えていません。")
    return said


def _no(found: Kept, why: str, kind: str = "guard") -> Refused:
    return Refused(kind, f"{found.number or found.title}{why}。何も変えていません。画面を開き直してください。")


def _dicts(conn: Connection, text: str, params: Mapping[str, Any]) -> list[dict[str, Any]]:
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(text, params, prepare=True).fetchall()
