"""What the clock does by itself: moves that are due, reminders around every deadline, the pulse of the processes.

However many schedulers run, and however often they are killed: a move is made once, because the case's version is
compared, and a rung reminds once, because its row stands under a unique key.
"""

import logging
from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any

from states.calendar import Calendar, CalendarEnds
from states.kernel import Refused
from workflow import cases, rungs
from workflow.access import CLOCK_NOW, TODAY
from workflow.audience import Connection
from workflow.db import Database
from workflow.deadlines import TOKYO, calendar, due_day, local_day, start_of
from workflow.loading import NotFound
from workflow.notices import call_attention

log = logging.getLogger(__name__)

RUNGS = rungs.STANDARD  # business days after the due day, where neither process nor administrator says otherwise
CATCH_UP = 3  # business days after which a rung that was missed is no longer worth a reminder
MORNING = time(8, 30)  # no mail before
HELD_UP = "clock"  # kind of attention

# ── moves ───────────────────────────────────────────────────────────────────────────────────────────────────────────

DUE_MOVES = """SELECT id, case_id, move FROM deadline WHERE closed_at IS NULL AND move <> '' AND due_at <= clock_now()
ORDER BY due_at, id"""


def move(db: Database) -> int:
    """Make every move whose time has come; returns how many. A refused one is shown to the case's holder."""
    moved, tried = 0, set[int]()
    with db.connection() as conn:
        # A move may open another that is due as well: after a long standstill a case catches up in one run.
        while due := [row for row in conn.execute(DUE_MOVES, prepare=True).fetchall() if row[0] not in tried]:
            tried.update(row[0] for row in due)
            moved += sum(_moved(conn, case_id, action) for _, case_id, action in due)
    return moved


def _moved(conn: Connection, case_id: int, action: str) -> bool:
    try:
        return cases.act_by_clock(conn, case_id, action) is not None
    except NotFound:
        return False
    except Refused as refusal:
        sentence = refusal.sentence
    except Exception:  # one bad case never stops the others
        if conn.closed:
            raise
        log.exception("the clock could not move case %s by %s", case_id, action)
        sentence = "時計による自動の操作ができませんでした。案件はそのままです。管理者に連絡してください。"
    call_attention(conn, case_id, HELD_UP, sentence)
    return False


# ── reminders ───────────────────────────────────────────────────────────────────────────────────────────────────────

# Beyond these days no rung is near, whatever holidays and closures lie between.
_BEFORE, _AFTER = 30, 60
RUNNING = f"""SELECT DISTINCT c.lead, d.due_at, c.process, c.process_version, d.kind FROM deadline d JOIN cases c ON c.id = d.case_id
WHERE d.closed_at IS NULL AND d.move = '' AND d.due_at > clock_now() - interval '{_AFTER} days' AND d.due_at < clock_now() + interval '{_BEFORE} days'"""

# One statement makes the reminder and its effect, for every deadline at once. The unique key alone tells what is there: to
# look for it first was planned for an empty table and read again and again what the statement itself had made. A deadline
# that opened on the rung's day or later was told of by its own notice; one that somebody moved reminds on that day, too.
REMIND = """WITH made AS (
  INSERT INTO reminder (deadline_id, rung, due_at, made_at)
  SELECT d.id, u.rung, d.due_at, clock_now()
  FROM unnest(%(lead)s::text[], %(due)s::timestamptz[], %(process)s::text[], %(version)s::int[], %(kind)s::text[], %(rung)s::int[],
      %(day)s::timestamptz[]) AS u (lead, due, process, version, kind, rung, day)
    JOIN deadline d ON d.due_at = u.due AND d.kind = u.kind
    JOIN cases c ON c.id = d.case_id AND c.lead = u.lead AND c.process = u.process AND c.process_version = u.version
  WHERE d.closed_at IS NULL AND d.move = '' AND (d.opened_at < u.day OR (d.planned_at IS NOT NULL AND d.opened_at < u.day + interval '1 day'))
  ON CONFLICT DO NOTHING RETURNING deadline_id, rung, due_at)
INSERT INTO outbox (case_id, seq, kind, payload, dedup, next_at, tries)
SELECT c.id, c.version, k.kind, jsonb_build_object('deadline', m.deadline_id, 'rung', m.rung),
       k.kind || ':' || to_char(m.due_at AT TIME ZONE 'UTC', 'YYYYMMDDHH24MI'), now() + greatest(%(wait)s::interval, interval '0'), 0
FROM made m JOIN deadline d ON d.id = m.deadline_id JOIN cases c ON c.id = d.case_id,
  LATERAL (SELECT 'reminder:' || m.deadline_id || ':' || m.rung AS kind) k
ON CONFLICT DO NOTHING"""


# Only what opened before its rung's day is reminded of, so one sweep finds all that a day holds. Another is needed when
# closures or rungs are others, a deadline was moved since, or the demonstration's clock was set.
SWEPT = f"""SELECT t.terms, {CLOCK_NOW}, EXISTS (SELECT 1 FROM sweep s WHERE s.day = {TODAY} AND s.terms = t.terms)
FROM (SELECT concat_ws('/', (SELECT count(*) || '.' || coalesce(max(id), 0) FROM closure),
        (SELECT count(*) || '.' || coalesce(max(set_at)::text, '') FROM rung_setting),
        (SELECT count(*) FROM deadline WHERE planned_at IS NOT NULL AND opened_at >= ({TODAY})::timestamp AT TIME ZONE 'Asia/Tokyo'), (SELECT clock_offset FROM installation)) AS terms) t"""
SWEEP = """INSERT INTO sweep (day, terms, swept_at) VALUES (%s, %s, now())
ON CONFLICT (day) DO UPDATE SET terms = EXCLUDED.terms, swept_at = EXCLUDED.swept_at"""
LATE = time(0, 10)  # by then what was done before midnight has been written


def remind(db: Database) -> int:
    """Make the reminders whose rung has been reached; returns how many."""
    with db.connection() as conn:
        row = conn.execute(SWEPT, prepare=True).fetchone()
        assert row is not None
        terms, now, swept = row
        today = local_day(now)
        if swept:
            return 0
        reached = _reached(conn, today, conn.execute(RUNNING, prepare=True).fetchall())
        made = _made(conn, today, now, reached) if reached else 0
        if now.astimezone(TOKYO).time() >= LATE:
            conn.execute(SWEEP, (today, terms), prepare=True)
        return made


def _made(conn: Connection, today: date, now: datetime, reached: list[tuple[Any, ...]]) -> int:
    names = ("lead", "due", "process", "version", "kind", "rung", "day")
    columns = dict(zip(names, map(list, zip(*reached, strict=True)), strict=True))
    morning = datetime.combine(today, MORNING, TOKYO)
    return conn.execute(REMIND, columns | {"wait": morning - now}, prepare=True).rowcount


def _reached(conn: Connection, today: date, running: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """For each office, due date and kind of deadline the rung that is due today, with the beginning of the rung's day."""
    calendars: dict[str, Calendar] = {}
    settled = rungs.in_force(conn)
    found = []
    for lead, due_at, process, version, kind in running:
        days = calendars[lead] = calendars.get(lead) or calendar(conn, lead)
        wanted = settled.get((process, kind)) or rungs.declared(process, version, kind)
        rung = reached(days, due_day(due_at), today, wanted)
        if rung is not None:
            found.append((lead, due_at, process, version, kind, rung[0], start_of(rung[1])))
    return found


def reached(days: Calendar, due: date, today: date, wanted: Sequence[int] = RUNGS) -> tuple[int, date] | None:
    """The last rung reached by today and its day; None when there is none, or when it was too long ago.

    Of several rungs missed only the last one reminds. Nothing is due on a day on which the office does not work.
    """
    if not days.is_business_day(today):
        return None
    passed = [(rung, day) for rung in wanted if (day := _day_of(days, due, rung)) and day <= today]
    if not passed or days.business_days_between(passed[-1][1], today) > CATCH_UP:
        return None
    return passed[-1]


def _day_of(days: Calendar, due: date, rung: int) -> date | None:
    """The day of a rung; None where it lies beyond the calendar, so that it stops no other reminder."""
    try:
        return days.add_business_days(due, rung)
    except CalendarEnds as ends:
        log.warning("a reminder cannot be counted: %s", ends)
        return None


# ── signs of life ───────────────────────────────────────────────────────────────────────────────────────────────────────────


PROCESSES = BEAT, WORKER = "beat", "pulse"  # signs of the two themselves; every other is of one kind of work


def beat(db: Database, name: str) -> None:
    """Write down that this process has just done its work; real time, also where the demonstration's clock is shifted."""
    with db.connection() as conn:
        conn.execute(
            "INSERT INTO heartbeat (name, beat_at) VALUES (%s, now()) ON CONFLICT (name) DO UPDATE SET beat_at = EXCLUDED.beat_at",
            (name,),
            prepare=True,
        )
