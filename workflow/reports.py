"""Reports: asked for as a row, compiled by whoever claims it, kept with their SHA-256, handed out on record.

A claim is a lease by the database's own time. A worker that dies with it loses nothing: the lease runs out and another
takes the row over. Somebody with a post of the office compiles what that person may see, and nothing else.
"""

import hashlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row

from states.dates import FIRST_YEAR, LAST_YEAR, fiscal_year, fiscal_year_label
from states.documents import Report
from states.kernel import Process
from workflow import cases
from workflow.access import SCOPE, Actor, actor
from workflow.db import Database
from workflow.documents import declared, workbook
from workflow.documents.declared import DocumentProblem
from workflow.documents.lines import ALL, Gathered, gather
from workflow.loading import NotFound

log = logging.getLogger(__name__)

Connection = psycopg.Connection[Any]
LEASE = 60  # seconds a claimed row stays ours; every report of progress renews it
TRIES = 3
PAUSE = 10  # seconds before a failed row is tried again
STEPS = 20  # how often progress is told

# The same report that is still being made is not made twice for the same person.
ASK = """WITH waiting AS (
  SELECT id FROM report_job WHERE finished_at IS NULL AND asked_by = %(person)s AND process = %(process)s AND report = %(report)s
    AND office = %(office)s AND fiscal_year = %(year)s LIMIT 1),
made AS (INSERT INTO report_job (process, report, office, fiscal_year, asked_by, asked_at, tries, done, total)
  SELECT %(process)s, %(report)s, %(office)s, %(year)s, %(person)s, clock_now(), 0, 0, 0 WHERE NOT EXISTS (SELECT 1 FROM waiting)
  RETURNING id)
SELECT id FROM waiting UNION ALL SELECT id FROM made"""

# A report is seen by whom its office (or all) lies in sight of, in a role that the report is for.
_JOB = """j.id, j.process, j.report, j.office, j.fiscal_year, j.asked_by, j.asked_at, j.tries, j.done, j.total, j.finished_at,
  j.trouble, j.file_name, j.sha256, octet_length(j.file) AS size,
  (SELECT name FROM person WHERE id = j.asked_by) AS asked_by_name"""
_SEEN = """(me.wide OR j.office = ANY (me.orgs)) AND EXISTS (
  SELECT 1 FROM jsonb_array_elements(me.posts) AS post WHERE post ->> 4 = ANY (%(roles)s))"""
JOBS = f"""WITH {SCOPE} SELECT {_JOB} FROM me CROSS JOIN report_job j
WHERE {_SEEN} AND (%(office)s = '' OR j.office = %(office)s) ORDER BY j.id DESC LIMIT %(limit)s"""
# Handing out and recording it are one statement: no file leaves without its record.
FILE = f"""WITH {SCOPE}, found AS (SELECT {_JOB}, j.file FROM me CROSS JOIN report_job j WHERE {_SEEN} AND j.id = %(job)s AND j.file IS NOT NULL),
told AS (INSERT INTO export_record (at, person_id, what, filter, rows)
  SELECT clock_now(), %(person)s, 'report:' || report, jsonb_build_object('job', id, 'process', process, 'report', report, 'office', office,
    'fiscal_year', fiscal_year, 'sha256', sha256), total FROM found)
SELECT file_name, file, sha256 FROM found"""

CLAIM = f"""UPDATE report_job SET lease_until = now() + interval '{LEASE} seconds', tries = tries + 1, done = 0, trouble = NULL
WHERE id = (SELECT id FROM report_job WHERE finished_at IS NULL AND tries < {TRIES} AND (lease_until IS NULL OR lease_until < now())
  ORDER BY id FOR UPDATE SKIP LOCKED LIMIT 1)
RETURNING id, process, report, office, fiscal_year, asked_by, tries"""
_OURS = "id = %(id)s AND tries = %(tries)s AND finished_at IS NULL"
TELL = f"UPDATE report_job SET done = %(done)s, total = %(total)s, lease_until = now() + interval '{LEASE} seconds' WHERE {_OURS}"
KEEP = f"""UPDATE report_job SET finished_at = clock_now(), done = total, lease_until = NULL, trouble = NULL, file_name = %(name)s,
  sha256 = %(sha256)s, file = %(file)s WHERE {_OURS}"""
GIVE_UP = f"UPDATE report_job SET finished_at = clock_now(), lease_until = NULL, trouble = %(trouble)s WHERE {_OURS}"
POSTPONE = (
    f"UPDATE report_job SET lease_until = now() + interval '{PAUSE} seconds', trouble = %(trouble)s WHERE {_OURS}"
)
# Whoever died with the last try has told nobody.
BURY = f"""UPDATE report_job SET finished_at = clock_now(), lease_until = NULL, trouble = %(trouble)s
WHERE finished_at IS NULL AND tries >= {TRIES} AND lease_until < now()"""

AGAIN = "作れませんでした。少し待って、もう一度試します。"
FAILED = "3回試しましたが、作れませんでした。案件の記録はそのままです。もう一度作るか、画面の下の問合せ先に知らせてください。"
NOT_SEEN = "頼んだ人が、この局の報告を見る職を離れたため、作りませんでした。案件の記録はそのままです。いまの職の人がもう一度作ってください。"


class Taken(Exception):
    """Another worker has the row: our lease ran out."""


@dataclass(frozen=True, slots=True)
class File:
    """A compiled report."""

    name: str
    data: bytes
    sha256: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A report that somebody may have made, and for which offices (code, name)."""

    process: Process
    report: Report
    offices: Sequence[tuple[str, str]]


def choices(conn: Connection, person: Actor) -> list[Choice]:
    """What this person may have made: his own office, or every one and all together for a post that sees all."""
    found = []
    for process, report in declared.reports():
        posts = [post for post in person.posts if post.role in report.by]
        if any(post.scope == ALL for post in posts):
            rows = conn.execute(_BUREAUS, prepare=True).fetchall()
            found.append(Choice(process, report, [*rows, (ALL, "全局")]))
        elif posts:
            found.append(Choice(process, report, list({p.org_code: (p.org_code, p.org_name) for p in posts}.values())))
    return found


_BUREAUS = """SELECT code, name FROM (SELECT DISTINCT ON (code) code, name, sort FROM organisation WHERE kind = 'bureau'
  ORDER BY code, valid_from DESC NULLS LAST) o ORDER BY sort, code"""


def years(conn: Connection, this_year: int) -> list[int]:
    """Fiscal years to choose from, the newest first: this one, and back to the first with an assigned day (ten at most)."""
    row = conn.execute("SELECT min(day) FROM assignment", prepare=True).fetchone()
    first = fiscal_year(row[0]) if row and row[0] else this_year
    return list(range(this_year, max(min(first, this_year), this_year - 10) - 1, -1))


def preview(conn: Connection, person: Actor, choice: Choice, office: str, year: int) -> Gathered:
    """What the report would say now: the same query as the file. Raises `NotFound` outside the person's sight."""
    _within(choice, office, year)
    return gather(conn, choice.process, choice.report, office, year, person.person_id)


def ask_report(conn: Connection, person_id: int, process_key: str, report_key: str, office: str, year: int) -> int:
    """Ask for a report; returns the job's id, that of the one still being made where the same was asked before.

    Raises `NotFound` when the report or the office is not in the person's sight.
    """
    person = actor(conn, person_id)
    found = (
        [c for c in choices(conn, person) if (c.process.key, c.report.key) == (process_key, report_key)]
        if person
        else []
    )
    if not found:
        raise NotFound
    _within(found[0], office, year)
    row = conn.execute(
        ASK,
        {"person": person_id, "process": process_key, "report": report_key, "office": office, "year": year},
        prepare=True,
    ).fetchone()
    assert row is not None
    return int(row[0])


def _within(choice: Choice, office: str, year: int) -> None:
    if office not in dict(choice.offices) or not FIRST_YEAR <= year < LAST_YEAR:
        raise NotFound


def jobs(conn: Connection, person_id: int, *, office: str = "", limit: int = 20) -> list[dict[str, Any]]:
    """Reports that were asked for within the person's sight, the newest first, without their bytes."""
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            JOBS, {"person": person_id, "roles": _roles(), "office": office, "limit": limit}, prepare=True
        ).fetchall()
    return [row | _standing(row) for row in rows]


def file(conn: Connection, person_id: int, job_id: int) -> File:
    """The bytes of a report, handed out on record. Raises `NotFound`."""
    row = conn.execute(FILE, {"person": person_id, "roles": _roles(), "job": job_id}, prepare=True).fetchone()
    if row is None:
        raise NotFound
    return File(row[0], bytes(row[1]), row[2])


def _roles() -> list[str]:
    return sorted({role for _, report in declared.reports() for role in report.by})


def _standing(row: Mapping[str, Any]) -> dict[str, Any]:
    """How a job stands, in a word and a shape."""
    known = {(process.key, report.key): report.label for process, report in declared.reports()}
    kind, word = ("now", f"{row['total']}件のうち{row['done']}件まで" if row["total"] else "作り始めています")
    if row["finished_at"]:
        kind, word = ("stop", "作れませんでした") if row["file_name"] is None else ("ok", "できました")
        if row["file_name"] is not None and row["sha256"] is None:
            kind, word = "none", "取り下げました"
    elif not row["tries"]:
        kind, word = "none", "順番を待っています"
    elif row["trouble"]:
        kind, word = "warn", "もう一度試します"
    return {
        "label": known.get((row["process"], row["report"]), row["report"]), "kind": kind, "word": word,
        "year_label": fiscal_year_label(row["fiscal_year"]),
    }  # fmt: skip


# ── making them ─────────────────────────────────────────────────────────────────────────────────────────────────────


def compile_next(db: Database) -> bool:
    """Compile one report that waits; False when there is none. Any number of these may run at once."""
    with db.connection() as conn:
        conn.execute(BURY, {"trouble": FAILED}, prepare=True)
        claimed = conn.execute(CLAIM, prepare=True).fetchone()
        if claimed is None:
            return False
        job_id, process_key, report_key, office, year, asked_by, tries = claimed
        ours = {"id": job_id, "tries": tries}
        try:
            process, report = declared.report(process_key, report_key)
            person = actor(conn, asked_by)
            if person is None or not _still_sees(conn, person, process, report, office):
                raise DocumentProblem(NOT_SEEN)
            found = _gathered(conn, process, report, office, year, asked_by)
            data = workbook.fill(found, _teller(conn, ours, len(found.lines)))
            made = ours | {"name": file_name(found), "sha256": hashlib.sha256(data).hexdigest(), "file": data}
            conn.execute(KEEP, made, prepare=True)
        except Taken:
            log.warning("report %s was taken over by another worker", job_id)
        except DocumentProblem as problem:  # the same next time: nobody needs to try again
            conn.execute(GIVE_UP, ours | {"trouble": str(problem)}, prepare=True)
        except Exception:
            if conn.closed:
                raise
            log.exception("report %s failed at try %s", job_id, tries)
            if tries >= TRIES:
                conn.execute(GIVE_UP, ours | {"trouble": FAILED}, prepare=True)
            else:
                conn.execute(POSTPONE, ours | {"trouble": AGAIN}, prepare=True)
    return True


def _still_sees(conn: Connection, person: Actor, process: Process, report: Report, office: str) -> bool:
    return any(
        c.process.key == process.key and c.report.key == report.key and office in dict(c.offices)
        for c in choices(conn, person)
    )


def _teller(conn: Connection, ours: Mapping[str, Any], total: int) -> Callable[[int], None]:
    """Tells how far it is, each time in a statement of its own, and keeps the lease alive. Raises `Taken`."""
    told = time.monotonic()

    def tell(done: int) -> None:
        nonlocal told
        if done not in (0, total) and done % max(1, total // STEPS) and time.monotonic() - told < LEASE / 4:
            return
        told = time.monotonic()
        if not conn.execute(TELL, {**ours, "done": min(done, total), "total": total}, prepare=True).rowcount:
            raise Taken

    tell(0)
    return tell


def _gathered(
    conn: Connection, process: Process, report: Report, office: str, year: int, person_id: int | None
) -> Gathered:
    """All of it as of one moment."""
    with conn.transaction():
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        return gather(conn, process, report, office, year, person_id)


def year_end(
    conn: Connection, process_key: str, report_key: str, office: str, year: int | None
) -> tuple[bytes, dict[str, Any]]:
    """A report for the command line, made for the system: its bytes and its figures. No year means the current one.

    Raises `DocumentProblem` (a ValueError) with a Japanese sentence.
    """
    process, report = declared.report(process_key, report_key)
    year = fiscal_year(cases.today(conn)) if year is None else year
    if not FIRST_YEAR <= year < LAST_YEAR:
        raise DocumentProblem(f"年度「{year}」は西暦4けた({FIRST_YEAR}〜{LAST_YEAR - 1})で指定してください。")
    found = _gathered(conn, process, report, office, year, None)
    data = workbook.fill(found)
    return data, summary(found) | {"sha256": hashlib.sha256(data).hexdigest()}


def summary(found: Gathered) -> dict[str, Any]:
    """The figures of a report as plain JSON."""
    return {
        "process": found.process.key, "report": found.report.key, "office": found.office, "office_name": found.office_name,
        "fiscal_year": found.year, "made_on": found.today.isoformat(), "figures": asdict(found.figures),
        "by_office": {name: asdict(figures) for _, name, figures in found.by_office},
        **{f"by_{grouping.key}": {label: asdict(figures) for _, label, figures in found.by(grouping)} for grouping in found.report.groupings},
        "not_counted": dict(found.by_reason),
    }  # fmt: skip


def file_name(found: Gathered) -> str:
    """「年度末報告_令和8年度_上川総合振興局.xlsx」."""
    office = "全局" if found.office == ALL else found.office_name
    return f"{found.report.label}_{fiscal_year_label(found.year)}_{office}.xlsx".replace("/", "_")
