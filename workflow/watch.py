"""What the clock does by itself: moves that are due, reminders around every deadline, the pulse of the processes.

However many schedulers run, and however often they are killed: a move is made once, because the case's version is
compared, and a rung reminds once, because its row stands under a unique key.
"""

import logging
from datetime import date, datetime, time

from states.calendar import Calendar
from states.kernel import Refused
from workflow import cases
from workflow.db import Database
from workflow.deadlines import TOKYO, calendar, due_day, local_day, start_of
from workflow.loading import NotFound
from workflow.notices import Connection, call_attention

log = logging.getLogger(__name__)

RUNGS = (-5, -1, 0, 3, 7)  # business days after the due day
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
RUNNING = f"""SELECT DISTINCT c.lead, d.due_at, (SELECT clock_now()) FROM deadline d JOIN cases c ON c.id = d.case_id
WHERE d.closed_at IS NULL AND d.move = '' AND d.due_at > clock_now() - interval '{_AFTER} days' AND d.due_at < clock_now() + interval '{_BEFORE} days'"""

# One statement makes the reminder and its effect, for every deadline at once. A deadline that opened on the rung's day or
# later was told of by its own notice.
REMIND = """WITH made AS (
  INSERT INTO reminder (deadline_id, rung, due_at, made_at)
  SELECT d.id, u.rung, d.due_at, clock_now()
  FROM unnest(%(lead)s::text[], %(due)s::timestamptz[], %(rung)s::int[], %(day)s::timestamptz[]) AS u (lead, due, rung, day)
    JOIN deadline d ON d.due_at = u.due JOIN cases c ON c.id = d.case_id AND c.lead = u.lead
  WHERE d.closed_at IS NULL AND d.move = '' AND d.opened_at < u.day
    AND NOT EXISTS (SELECT 1 FROM reminder r WHERE r.deadline_id = d.id AND r.rung = u.rung AND r.due_at = d.due_at)
  ON CONFLICT DO NOTHING RETURNING deadline_id, rung)
INSERT INTO outbox (case_id, seq, kind, payload, dedup, next_at, tries)
SELECT c.id, c.version, k.kind, jsonb_build_object('deadline', m.deadline_id, 'rung', m.rung), k.kind,
       now() + greatest(%(wait)s::interval, interval '0'), 0
FROM made m JOIN deadline d ON d.id = m.deadline_id JOIN cases c ON c.id = d.case_id,
  LATERAL (SELECT 'reminder:' || m.deadline_id || ':' || m.rung AS kind) k
ON CONFLICT DO NOTHING"""


def remind(db: Database) -> int:
    """Make the reminders whose rung has been reached; returns how many."""
    with db.connection() as conn:
        running = conn.execute(RUNNING, prepare=True).fetchall()
        if not running:
            return 0
        now: datetime = running[0][2]
        reached = _reached(conn, local_day(now), [(lead, due_at) for lead, due_at, _ in running])
        if not reached:
            return 0
        columns = dict(zip(("lead", "due", "rung", "day"), map(list, zip(*reached, strict=True)), strict=True))
        morning = datetime.combine(local_day(now), MORNING, TOKYO)
        return conn.execute(REMIND, columns | {"wait": morning - now}, prepare=True).rowcount


def _reached(
    conn: Connection, today: date, running: list[tuple[str, datetime]]
) -> list[tuple[str, datetime, int, datetime]]:
    """For each office and due date the rung that is due today, with the beginning of the rung's day."""
    calendars: dict[str, Calendar] = {}
    found = []
    for lead, due_at in running:
        days = calendars[lead] = calendars.get(lead) or calendar(conn, lead)
        rung = reached(days, due_day(due_at), today)
        if rung is not None:
            found.append((lead, due_at, rung[0], start_of(rung[1])))
    return found


def reached(days: Calendar, due: date, today: date) -> tuple[int, date] | None:
    """The last rung reached by today and its day; None when there is none, or when it was too long ago.

    Of several rungs missed only the last one reminds. Nothing is due on a day on which the office does not work.
    """
    if not days.is_business_day(today):
        return None
    passed = [(rung, day) for rung in RUNGS if (day := days.add_business_days(due, rung)) <= today]
    if not passed or days.business_days_between(passed[-1][1], today) > CATCH_UP:
        return None
    return passed[-1]


# ── pulse ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def beat(db: Database, name: str) -> None:
    """Write down that this process has just done its work; real time, also where the demonstration's clock is shifted."""
    with db.connection() as conn:
        conn.execute(
            "INSERT INTO heartbeat (name, beat_at) VALUES (%s, now()) ON CONFLICT (name) DO UPDATE SET beat_at = EXCLUDED.beat_at",
            (name,),
            prepare=True,
        )
