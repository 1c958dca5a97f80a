"""Beat stands still over the end of the fiscal year: started again in April, what was due is made up for once, and not twice."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

from tests.conftest import Database as Urls
from tests.factory import HEADQUARTERS, OFFICE, Cast, cast, drive, opened, person, reader, set_clock
from tests.mail_server import MailServer
from tests.tasks.test_killed_clock import ring
from tests.tasks.test_worker import beat, broker, conn, db, environment, number, server, undone, until, worker
from workflow import digests, moving, outbox, preferences, succession, verify, watch
from workflow.db import Database, type_connection
from workflow.deadlines import TOKYO, due_day
from workflow.preferences import MORNING, Preference

__all__ = ["broker", "conn", "db", "environment", "server"]  # fixtures

pytestmark = pytest.mark.timeout(300)

# In 2027 the 31st of March is a Wednesday.
LAST, FIRST, SECOND = date(2027, 3, 31), date(2027, 4, 1), date(2027, 4, 2)
TOWN, HEIR = "014583", "014999"  # a town that ends with the fiscal year, and an invented one that takes its place
CLOCKWORK = ("tasks.clock", "tasks.digest", "tasks.deliver")


@dataclass(frozen=True)
class March:
    """What March leaves behind: case ids by what April is to do with them, and who gathers mails."""

    begins: int
    ends: int
    passes: int  # begins and ends while nothing runs
    late: int
    moved: int
    succeeded: int
    gathers: int


def at(urls: Urls, day: date, hour: int) -> None:
    set_clock(urls.owner_url, datetime.combine(day, time(hour), TOKYO))


def tick(db: Database) -> None:
    """What beat brings about while it runs."""
    succession.take_over(db)
    moving.carry_out(db)
    watch.move(db)
    watch.remind(db)
    digests.gather(db)
    outbox.deliver(db)


def march(conn: type_connection, db: Database, urls: Urls, who: Cast) -> March:
    """The clock runs until the 29th; what people do on the 30th and 31st finds it standing still."""
    preferences.choose(conn, who.bureau, Preference(MORNING))
    at(urls, date(2027, 3, 1), 9)
    begins = opened(conn, who, first=FIRST, days=3)
    ends = opened(conn, who, first=date(2027, 3, 29), days=3)
    passes = opened(conn, who, first=LAST, days=1)
    for case in (begins, ends, passes):
        drive(conn, who, case, "submit", "receive", "propose_team", "put_to_director", "approve")
    tick(db)
    at(urls, date(2027, 3, 29), 9)
    tick(db)
    late = opened(conn, who, first=date(2027, 5, 10))
    drive(conn, who, late, "submit")  # to be received by the 31st
    tick(db)
    at(urls, date(2027, 3, 30), 10)
    moved = opened(conn, who, first=date(2027, 5, 10))
    drive(conn, who, moved, "submit")  # to be received by the 1st
    at(urls, LAST, 16)
    there = cast(conn, place=TOWN)
    succeeded = opened(conn, there, first=date(2027, 5, 10))
    drive(conn, there, succeeded, "submit")
    administrator = reader(conn, person(conn, "administrator", HEADQUARTERS))
    typed = {"first": "R9.4.1", "last": "", "office": "", "to": "R9.4.20", "reason": "年度の初めのため。"}
    moving.place(conn, administrator, moving.read(conn, administrator, typed))
    with psycopg.connect(urls.owner_url.replace("+psycopg", ""), autocommit=True) as owner:
        owner.execute(
            "UPDATE organisation SET valid_to = %s, successor = %s WHERE code = %s AND valid_to IS NULL",
            (LAST, HEIR, TOWN),
        )
        owner.execute(
            "INSERT INTO organisation (code, kind, name, short, kana, office, sort, contact, valid_from)"
            " VALUES (%s, 'municipality', '丘野市', '丘野市', 'オカノシ', %s, 1, '', %s)", (HEIR, OFFICE, FIRST),
        )  # fmt: skip
    return March(begins, ends, passes, late, moved, succeeded, who.bureau)


def tally(conn: type_connection) -> Mapping[str, Any]:
    """Everything that the clock makes, as it stands."""
    texts = {
        "events": "SELECT case_id, action, count(*) FROM event GROUP BY 1, 2 ORDER BY 1, 2",
        "reminders": "SELECT d.case_id, d.kind, r.rung FROM reminder r JOIN deadline d ON d.id = r.deadline_id ORDER BY r.id",
        "deadlines": "SELECT case_id, kind, due_at, closed_at IS NULL FROM deadline ORDER BY id",
        "rows": "SELECT id, kind, dedup, done_at FROM outbox ORDER BY id",
        "mails": "SELECT outbox_id, person_id, sent_at FROM message ORDER BY id",
        "orders": "SELECT id, moved, failed, done_at FROM deadline_move ORDER BY id",
    }
    return {name: conn.execute(text).fetchall() for name, text in texts.items()}


@pytest.mark.parametrize("day", [FIRST, SECOND])
def test_beat_down_over_the_end_of_the_year(
    day: date, conn: type_connection, db: Database, fresh_database: Urls, broker: redis.Redis, server: MailServer,
    environment: dict[str, str], tmp_path: Path,
) -> None:  # fmt: skip
    who = cast(conn)
    left = march(conn, db, fresh_database, who)
    known = {(case, action) for case, action, _ in tally(conn)["events"]}
    assert (left.ends, "begin") in known
    digested = number(conn, "SELECT count(*) FROM outbox WHERE kind = 'digest'")
    reminded = number(conn, "SELECT count(*) FROM reminder")
    at(fresh_database, day, 10)
    log = tmp_path / "log"

    def quiet() -> bool:
        """The bell was heard, and nothing is left to be done."""
        ring(environment, *CLOCKWORK)
        orders = number(conn, "SELECT count(*) FROM deadline_move WHERE done_at IS NULL")
        return (
            not undone(conn)
            and not orders
            and number(conn, "SELECT count(*) FROM heartbeat WHERE name = 'digest'") == 1
        )

    with worker(environment, log), beat(environment, log, "one"), beat(environment, log, "two"):
        until(quiet, "April was not caught up with", log, 120)
        once = tally(conn)
        beats = "SELECT count(*) FROM heartbeat WHERE name IN ('clock', 'digest', 'deliver') AND beat_at > '{}'"
        since = conn.execute("SELECT now()").fetchone()
        ring(environment, *CLOCKWORK)
        until(lambda: number(conn, beats.format(since and since[0])) == len(CLOCKWORK), "nothing came after it", log)
    assert tally(conn) == once

    told = {(case, action): count for case, action, count in once["events"]}
    by_clock = {
        (left.begins, "begin"),
        (left.ends, "begin"),
        (left.ends, "end"),
        (left.passes, "begin"),
        (left.passes, "end"),
    }
    assert {key for key in told if key[1] in ("begin", "end")} == by_clock
    assert {key: count for key, count in told.items() if count != 1} == {}
    assert (left.succeeded, "succeed") in told
    assert [key for key in told if key[1] == "extend_deadline"] == [(left.moved, "extend_deadline")]
    assert [row[1:3] for row in once["orders"]] == [(1, 0)]
    (due,) = [
        due_day(due)
        for case, kind, due, open_ in once["deadlines"]
        if (case, kind, open_) == (left.moved, "receive", True)
    ]
    assert due == date(2027, 4, 20)
    # Of several rungs missed only the last one reminds.
    assert once["reminders"][reminded:] == [
        (left.late, "receive", 0),
        (left.succeeded, "receive", -1 if day == FIRST else 0),
    ]
    assert sum(kind.startswith("reminder:") for _, kind, *_ in once["rows"]) == len(once["reminders"])
    # Two or three slots went by: one digest, with what all of them would have told.
    assert number(conn, "SELECT count(*) FROM outbox WHERE kind = 'digest'") == digested + 1
    assert (
        number(conn, f"SELECT count(*) FROM message WHERE person_id = {left.gathers} AND NOT gathered") == digested + 1
    )
    assert number(conn, "SELECT count(*) FROM attention WHERE kind = 'clock'") == 0
    assert not verify.run(db).breaks
