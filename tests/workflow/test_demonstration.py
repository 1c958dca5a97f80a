"""The demonstration: acted out by the real engine on any day of the year, an ordinary week with something for everybody."""

import os
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests import factory
from tests.conftest import Database as Urls
from workflow import demonstration, queries
from workflow.db import Database
from workflow.deadlines import TOKYO
from workflow.verify import verify

# What has to have happened somewhere: an act, and from where.
TOLD = (
    "ask_own_approval", "return_own", "revise_own", "approve_own", "submit_proxy", "forward", "mark_duplicate", "partner_agree",
    "record_partner_consent", "agree_with_conditions", "show_evidence", "confirm", "waive", "record_orders", "record_consent",
    "propose_change", "approve_change", "ask_change", "stop", "ratify", "evaluate", "decline", "hold", "withdraw", "cancel", "attach",
    "approve_step", "agree_step", "countersign",
    "tell_region", "take_notes", "add_opinion", "handle", "merge", "distribute", "reply", "inform",
    "assign", "refuse", "ask_headquarters", "ask_check", "publish_answer", "send_answer", "call_session", "say", "tell", "evaluate",
)  # fmt: skip
START = datetime(2026, 12, 1, 5)  # noqa: DTZ001 - taken for Tokyo below
SOAKED = range(41 if os.environ.get("TOBIDASHI_SOAK_MINUTES") else 0)
# Who has something to do; the others read, keep or check.
WAITED_FOR = ("machi", "shinkokyoku", "kacho", "kyokucho", "honcho", "kotsu", "jinji", "haken")


# An ordinary Wednesday, the Sunday from which on some stories cross 31 March, the fiscal year's last night; in a soak
# every ninth day of a year.
@pytest.mark.parametrize(
    "now",
    [
        "2026-10-14T15:00", "2026-11-29T04:30", "2027-03-31T23:50",
        *(pytest.param((START + timedelta(days=9 * n, hours=n % 18)).isoformat(), marks=pytest.mark.slow) for n in SOAKED),
    ],
)  # fmt: skip
def test_it_is_acted_out_on_any_day(fresh_database: Urls, now: str) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=TOKYO)
    done = demonstration.load(fresh_database.owner_url, fresh_database.app_url, now=moment)
    assert done <= 70
    factory.set_clock(fresh_database.owner_url, moment)
    db = Database(fresh_database.app_url)
    try:
        with db.connection() as conn:
            acts = {row[0] for row in conn.execute("SELECT DISTINCT action FROM event").fetchall()}
            assert not set(TOLD) - acts
            for login in WAITED_FOR:
                (person,) = conn.execute("SELECT person_id FROM account WHERE login = %s", (login,)).fetchone() or ()
                assert queries.waiting(conn, person), login
            for table in ("skill", "absence", "comment", "attachment", "link"):
                assert rows(conn, table), table
            assert rows(conn, "(SELECT 1 FROM assignment GROUP BY person_id, day HAVING count(*) = 1) half")
            assert not rows(conn, "event WHERE at > clock_now()")
            # Somebody decided for the director, who has not read it yet.
            assert rows(conn, "event WHERE body::jsonb ->> 'acting_for' IS NOT NULL")
            assert rows(conn, "step WHERE ask = '後閲する' AND closed_at IS NULL")
        assert verify(db).whole
    finally:
        db.close()


def rows(conn: Any, what: str) -> int:
    found = conn.execute(f"SELECT count(*) FROM {what}").fetchone()
    return int(found[0])


def test_it_is_loaded_once(fresh_database: Urls) -> None:
    urls = fresh_database.owner_url, fresh_database.app_url
    assert demonstration.load(*urls)
    assert demonstration.load(*urls, if_empty=True) == 0
    with pytest.raises(demonstration.NotEmpty):
        demonstration.load(*urls)
    assert [login for login, *_ in demonstration.accounts(fresh_database.app_url)] == [
        a[0] for a in demonstration.ACCOUNTS
    ]
