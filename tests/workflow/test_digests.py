"""What is gathered comes as one mail a person and slot, once, and only what is still wanted."""

import os
import signal
import subprocess
import sys
import time as clocks
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from states.calendar import Calendar
from tests.conftest import Database as Urls
from tests.factory import Cast, drive, opened, reader, set_clock
from tests.mail_server import MailServer
from tests.workflow.conftest import MONDAY, Clock
from workflow import comments, digests, outbox, preferences, watch
from workflow.db import Database, type_connection
from workflow.deadlines import TOKYO
from workflow.preferences import AT_ONCE, MORNING, TWICE, Preference
from workflow.settings import settings

pytestmark = pytest.mark.usefixtures("clock")
WEDNESDAY = date(2026, 11, 4)


def tick(db: Database) -> None:
    """What beat brings about, all waits over."""
    with db.connection() as conn:
        conn.execute("UPDATE outbox SET next_at = now() WHERE done_at IS NULL")
    outbox.deliver(db)
    digests.gather(db)
    outbox.deliver(db)


def prefers(conn: type_connection, person: int, way: str, *, informed: bool = True) -> None:
    preferences.choose(conn, person, Preference(way, informed))


def mails(conn: type_connection, person: int) -> list[tuple[str, str]]:
    """What this person was mailed: subject and body."""
    text = "SELECT subject, body FROM message WHERE person_id = %s AND NOT gathered AND sent_at IS NOT NULL ORDER BY id"
    return [(row[0], row[1]) for row in conn.execute(text, (person,)).fetchall()]


def submitted(conn: type_connection, who: Cast, count: int = 1) -> list[int]:
    ids = [opened(conn, who, title=f"案件{n}") for n in range(count)]
    for case in ids:
        drive(conn, who, case, "submit")
    return ids


# ── when ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("way", "now", "last", "following"),
    [
        (MORNING, "2026-11-04 08:44", "2026-11-02 08:45", "2026-11-04 08:45"),  # the 3rd is a holiday
        (MORNING, "2026-11-04 08:45", "2026-11-04 08:45", "2026-11-05 08:45"),
        (MORNING, "2026-11-07 12:00", "2026-11-06 08:45", "2026-11-09 08:45"),  # a Saturday
        (TWICE, "2026-11-04 12:59", "2026-11-04 08:45", "2026-11-04 13:00"),
        (TWICE, "2026-11-04 23:00", "2026-11-04 13:00", "2026-11-05 08:45"),
        (TWICE, "2027-01-02 09:00", "2026-12-28 13:00", "2027-01-04 08:45"),
        (AT_ONCE, "2026-11-03 03:27", "2026-11-03 03:20", "2026-11-03 03:30"),
    ],
)
def test_the_slots_are_those_of_business_days(way: str, now: str, last: str, following: str) -> None:
    def at(text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=TOKYO)

    assert preferences.last_slot(way, Calendar(), at(now)) == at(last)
    assert preferences.next_slot(way, Calendar(), at(now)) == at(following)


# ── what ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_messages_are_gathered_into_one_mail_a_person_and_slot(
    db: Database, conn: type_connection, who: Cast, clock: Clock
) -> None:
    prefers(conn, who.bureau, MORNING)
    submitted(conn, who, 3)
    tick(db)
    assert mails(conn, who.bureau) == []
    assert len(mails(conn, who.bureau_colleague)) == 3  # who chose nothing is told at once
    clock.at(WEDNESDAY, 8, 44)
    tick(db)
    assert mails(conn, who.bureau) == []
    clock.at(WEDNESDAY, 8, 46)
    tick(db)
    tick(db)
    ((subject, body),) = mails(conn, who.bureau)
    assert subject == "【Tobidashi】まとめてのお知らせ すること 3件"
    assert body.count("/cases/") == 3
    assert "■ 収受する 3件" in body
    assert "11月5日(木)まで" in body  # two business days from Monday
    assert "美瑛町" in body
    hidden = [row[0] for row in conn.execute("SELECT name FROM person UNION ALL SELECT title FROM cases")]
    assert not [word for word in hidden if word in subject + body]
    head = conn.execute("SELECT encode(hash, 'hex') FROM event ORDER BY case_id LIMIT 1").fetchone()
    assert head is not None
    assert " ".join(head[0][i : i + 4] for i in (0, 4, 8, 12)) in body


def test_done_work_drops_out_and_nothing_to_tell_is_no_mail(
    db: Database, conn: type_connection, who: Cast, clock: Clock
) -> None:
    prefers(conn, who.bureau, MORNING)
    first, second = submitted(conn, who, 2)
    tick(db)
    drive(conn, who, first, ("withdraw", {"by": who.municipality}))
    conn.execute("UPDATE preference SET informed = false")
    clock.at(WEDNESDAY)
    tick(db)
    ((subject, body),) = mails(conn, who.bureau)
    assert "すること 1件" in subject
    assert (f"/cases/{second}\n" in body, f"/cases/{first}\n" in body) == (True, False)
    (third,) = submitted(conn, who)
    tick(db)
    drive(conn, who, third, ("withdraw", {"by": who.municipality}))
    clock.at(WEDNESDAY + timedelta(days=1))
    tick(db)
    assert len(mails(conn, who.bureau)) == 1
    assert conn.execute("SELECT count(*) FROM outbox WHERE done_at IS NULL").fetchone() == (0,)
    assert conn.execute("SELECT count(*) FROM message WHERE gathered AND sent_at IS NULL").fetchone() == (0,)


def test_reminders_before_and_after_the_date_stand_in_the_digest(
    db: Database, conn: type_connection, who: Cast, clock: Clock
) -> None:
    prefers(conn, who.bureau, TWICE)
    case = opened(conn, who, first=date(2026, 12, 1))
    drive(conn, who, case, "submit", "receive")  # an answer is due by the 17th
    told: dict[date, list[str]] = {}
    for day in (MONDAY + timedelta(days=n) for n in range(1, 30)):
        for hour, minute in ((8, 31), (8, 46), (13, 1)):
            clock.at(day, hour, minute)
            watch.remind(db)
            tick(db)
        told[day] = [subject for subject, _ in mails(conn, who.bureau)]
    days = [day for day in told if len(told[day]) > len(told.get(day - timedelta(days=1), []))]
    # Nobody is told of what they did themselves; then the rungs -5, -1, 0, +3, +7.
    assert days == [date(2026, 11, n) for n in (10, 16, 17, 20, 27)]
    late = [subject for subject in told[date(2026, 11, 27)] if "期限を過ぎたもの 1件" in subject]
    assert len(late) == 2


def test_what_only_informs_can_be_switched_off_and_what_asks_cannot(
    db: Database, conn: type_connection, who: Cast, clock: Clock
) -> None:
    for person in (who.municipality, who.bureau_colleague):
        prefers(conn, person, AT_ONCE, informed=False)
    case = opened(conn, who)
    drive(conn, who, case, "submit", "receive")  # tells the municipality, asks the bureau
    comments.add(conn, reader(conn, who.bureau), case, scope="shared", body="日程はいかがですか。", key=uuid4())
    tick(db)
    assert mails(conn, who.municipality) == []
    assert mails(conn, who.municipality_colleague) != []
    assert len(mails(conn, who.bureau_colleague)) == 1
    drive(conn, who, case, "ask_correction")
    tick(db)
    assert "あなたの手番です" in mails(conn, who.municipality)[-1][1]


# ── once ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_slot_that_was_missed_is_sent_late_and_once(
    db: Database, conn: type_connection, who: Cast, clock: Clock
) -> None:
    prefers(conn, who.bureau, TWICE)
    submitted(conn, who, 2)
    tick(db)
    clock.at(date(2026, 11, 10), 18, 30)  # nothing ran for a week
    tick(db)
    tick(db)
    assert len(mails(conn, who.bureau)) == 1
    clock.at(date(2026, 11, 11), 9)
    tick(db)
    assert len(mails(conn, who.bureau)) == 1


def test_many_schedulers_make_one_digest(db: Database, conn: type_connection, who: Cast, clock: Clock) -> None:
    prefers(conn, who.bureau, MORNING)
    submitted(conn, who, 5)
    tick(db)
    clock.at(WEDNESDAY)
    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(lambda _: digests.gather(db), range(6))) == [0, 0, 0, 0, 0, 5]
        list(pool.map(lambda _: outbox.deliver(db), range(6)))
    assert len(mails(conn, who.bureau)) == 1
    assert conn.execute("SELECT count(*) FROM outbox WHERE kind = 'digest'").fetchone() == (1,)


def test_closures_of_the_persons_office_count(db: Database, conn: type_connection, who: Cast, clock: Clock) -> None:
    prefers(conn, who.bureau, MORNING)
    conn.execute("INSERT INTO closure (day, office) VALUES (%s, %s)", (WEDNESDAY, who.office))
    submitted(conn, who)
    tick(db)
    clock.at(WEDNESDAY)
    tick(db)
    assert mails(conn, who.bureau) == []
    clock.at(WEDNESDAY + timedelta(days=1))
    tick(db)
    assert len(mails(conn, who.bureau)) == 1


def real_time(conn: type_connection, clock: Clock) -> None:
    """Back to the present, where mails really leave; what was gathered is old enough for any slot."""
    set_clock(clock.url, None)
    conn.execute("UPDATE message SET made_at = clock_now() - interval '20 days' WHERE gathered")


def test_a_lost_reply_makes_a_copy_with_the_same_id(
    db: Database, conn: type_connection, who: Cast, clock: Clock, server: MailServer
) -> None:
    prefers(conn, who.bureau, MORNING)
    prefers(conn, who.bureau_colleague, MORNING)
    set_clock(clock.url, None)
    submitted(conn, who, 2)
    outbox.deliver(db)
    assert server.handler.accepted == []
    real_time(conn, clock)
    digests.gather(db)
    server.handler.swallow = 1
    outbox.deliver(db)
    tick(db)
    tick(db)
    assert len(server.handler.ids) == 3
    assert len(set(server.handler.ids)) == 2
    assert conn.execute("SELECT count(*) FROM message WHERE sent_at IS NULL").fetchone() == (0,)


KILLED = """import os, signal
from workflow import mail, outbox
from workflow.db import database
send = mail.Post.send
def send_and_die(self, made):
    send(self, made)
    os.kill(os.getpid(), signal.SIGKILL)
mail.Post.send = send_and_die
outbox.deliver(database())
"""


def test_killed_between_send_and_record_makes_a_copy_with_the_same_id(
    db: Database,
    conn: type_connection,
    who: Cast,
    clock: Clock,
    server: MailServer,
    fresh_database: Urls,
    tmp_path: Path,
) -> None:
    prefers(conn, who.bureau, MORNING)
    prefers(conn, who.bureau_colleague, MORNING)
    set_clock(clock.url, None)
    submitted(conn, who, 2)
    outbox.deliver(db)
    real_time(conn, clock)
    digests.gather(db)
    environment = os.environ | {"DATABASE_URL": fresh_database.app_url, "SMTP_URL": server.url}
    ended = subprocess.run([sys.executable, "-c", KILLED], env=environment, cwd=Path(__file__).parents[2], check=False)
    assert ended.returncode == -signal.SIGKILL
    until = clocks.monotonic() + 5
    while not server.handler.ids and clocks.monotonic() < until:
        clocks.sleep(0.05)
    tick(db)
    tick(db)
    assert len(server.handler.ids) == 3
    assert len(set(server.handler.ids)) == 2


def test_a_digest_that_no_server_takes_is_seen_on_every_case_and_goes_on(
    db: Database, conn: type_connection, who: Cast, clock: Clock, server: MailServer
) -> None:
    prefers(conn, who.bureau, MORNING)
    set_clock(clock.url, None)
    cases = submitted(conn, who, 2)
    outbox.deliver(db)
    real_time(conn, clock)
    digests.gather(db)
    server.handler.refuse = lambda address: "550 no such user"
    outbox.deliver(db)
    text = "SELECT case_id FROM attention WHERE kind = 'mail' AND closed_at IS NULL ORDER BY 1"
    assert [row[0] for row in conn.execute(text)] == cases
    assert outbox.deliver(db) == outbox.Delivered()


# ── never a storm ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_storm_of_mails_ends_in_one(
    db: Database, conn: type_connection, who: Cast, clock: Clock, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIL_BURST", "3")
    settings.cache_clear()
    set_clock(clock.url, None)
    submitted(conn, who, 9)
    outbox.deliver(db)
    assert len(server.handler.ids) == 2 * 3
    conn.execute("UPDATE message SET made_at = made_at - interval '11 minutes'")
    tick(db)
    assert len(server.handler.ids) == 2 * 4
    last: Any = server.handler.accepted[-1]
    assert "すること 6件" in last["Subject"]
    assert "短い間に知らせが重なった" in last.get_content()
