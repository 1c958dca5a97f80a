"""Effects are carried out: once in the database, at least once by mail, whatever fails on the way."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest

from tests.conftest import Database as Urls
from tests.factory import Cast, cast, drive, opened, set_clock
from tests.mail_server import MailServer, free_port, serving, silent
from workflow import mail, notices, outbox
from workflow.db import Database, type_connection
from workflow.deadlines import TOKYO
from workflow.documents import letters
from workflow.settings import settings


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No mail server unless a test names one, short patience, and people who are mailed however often."""
    monkeypatch.setattr(mail, "SECONDS", 0.5)
    monkeypatch.delenv("SMTP_URL", raising=False)
    monkeypatch.setenv("MAIL_BURST", "1000")
    settings.cache_clear()
    yield
    settings.cache_clear()


def use(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("SMTP_URL", url)
    settings.cache_clear()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    with serving() as made:
        use(monkeypatch, made.url)
        yield made


def submitted(conn: type_connection, who: Cast, count: int = 1) -> list[int]:
    """That many cases put in: each tells the two officers of the bureau."""
    ids = [opened(conn, who) for _ in range(count)]
    for case in ids:
        drive(conn, who, case, "submit")
    return ids


def again(conn: type_connection) -> None:
    """Time passes: every wait and every lease runs out."""
    conn.execute("UPDATE outbox SET next_at = now() WHERE done_at IS NULL")


def rows(conn: type_connection) -> list[tuple[Any, ...]]:
    return conn.execute("SELECT done_at IS NOT NULL, tries, trouble FROM outbox ORDER BY id").fetchall()


def unsent(conn: type_connection) -> int:
    found = conn.execute("SELECT count(*) FILTER (WHERE sent_at IS NULL) FROM message").fetchone()
    assert found is not None
    return int(found[0])


def attention(conn: type_connection) -> dict[str, str]:
    return dict(conn.execute("SELECT kind, sentence FROM attention WHERE closed_at IS NULL").fetchall())


# ── the way it should go ────────────────────────────────────────────────────────────────────────────────────────────


def test_without_a_server_mails_are_in_the_mailbox_at_once(db: Database, conn: type_connection, who: Cast) -> None:
    submitted(conn, who)
    assert outbox.deliver(db) == outbox.Delivered(done=1)
    assert outbox.deliver(db) == outbox.Delivered()
    assert rows(conn) == [(True, 1, None)]
    assert conn.execute("SELECT count(*), count(sent_at) FROM message").fetchone() == (2, 2)


def test_a_mail_arrives_as_it_was_written(db: Database, conn: type_connection, who: Cast, server: MailServer) -> None:
    submitted(conn, who)
    outbox.deliver(db)
    assert server.handler.recipients == ["bureau.3@example.lg.jp", "bureau.4@example.lg.jp"]
    found = server.handler.accepted[0]
    kept = conn.execute("SELECT subject, body, message_id, sent_at IS NOT NULL FROM message ORDER BY id").fetchone()
    assert kept == (found["Subject"], found.get_content().replace("\r\n", "\n"), found["Message-ID"], True)
    (sender,) = found["From"].addresses
    assert (sender.display_name, sender.addr_spec) == ("Tobidashi(上川総合振興局)", "noreply@tobidashi.invalid")
    assert found["To"] == "bureau.3@example.lg.jp"
    assert found["Auto-Submitted"] == "auto-generated"
    assert found.is_multipart() is False


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
def test_a_server_that_wants_a_password(
    db: Database, conn: type_connection, who: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(login=("user", "p@ss")) as server:
        submitted(conn, who)
        use(monkeypatch, server.url.replace("p@ss", "wrong"))
        assert outbox.deliver(db) == outbox.Delivered(waiting=1)
        again(conn)
        use(monkeypatch, server.url.replace("p@ss", "p%40ss"))
        assert outbox.deliver(db) == outbox.Delivered(done=1)
        assert len(server.handler.accepted) == 2


def test_a_server_that_offers_no_encryption_gets_nothing(
    db: Database, conn: type_connection, who: Cast, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    submitted(conn, who)
    use(monkeypatch, server.url + "?starttls=1")
    assert outbox.deliver(db) == outbox.Delivered(waiting=1)
    assert server.handler.accepted == []


def test_many_workers_at_once_make_and_send_each_mail_once(
    db: Database, conn: type_connection, who: Cast, server: MailServer
) -> None:
    submitted(conn, who, 45)
    with ThreadPoolExecutor(4) as pool:
        done = sum(told.done for told in pool.map(lambda _: outbox.deliver(db), range(4)))
    assert done == 45
    assert len(server.handler.ids) == len(set(server.handler.ids)) == 90
    assert all(row == (True, 1, None) for row in rows(conn))


def test_nothing_leaves_a_demonstration_that_plays_in_the_past(
    db: Database, conn: type_connection, fresh_database: Urls, server: MailServer
) -> None:
    set_clock(fresh_database.owner_url, datetime(2026, 4, 1, 10, tzinfo=TOKYO))
    submitted(conn, cast(conn))
    outbox.deliver(db)
    assert server.handler.accepted == []
    assert unsent(conn) == 0


# ── the server fails ────────────────────────────────────────────────────────────────────────────────────────────────


def test_mail_waits_for_a_server_that_is_away(
    db: Database, conn: type_connection, who: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    use(monkeypatch, f"smtp://127.0.0.1:{port}")
    submitted(conn, who, 25)
    assert outbox.deliver(db).waiting == outbox.CHUNK
    wait = conn.execute(
        "SELECT max(next_at - now()) < interval '61 seconds', min(next_at) <= now() FROM outbox"
    ).fetchone()
    assert wait == (True, True)  # five were not even tried
    assert attention(conn) == {}
    for _ in range(outbox.PATIENT_TRIES):
        again(conn)
        outbox.deliver(db)
    # Every row that was tried too often is seen, and goes on being tried.
    assert "自動で送り直しています" in attention(conn)["mail_waits"]
    with serving(port) as server:
        again(conn)
        outbox.deliver(db)
        assert len(set(server.handler.ids)) == len(server.handler.ids) == 50
    assert attention(conn) == {}
    assert all(done and trouble is None for done, _, trouble in rows(conn))


def test_a_server_that_never_answers_holds_nobody(
    db: Database, conn: type_connection, who: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = submitted(conn, who, 3)
    drive(conn, who, cases[0], "receive", "propose_team", "put_to_director", "approve")
    with silent() as url:
        use(monkeypatch, url)
        began = time.monotonic()
        told = outbox.deliver(db)
        assert time.monotonic() - began < 2.0  # one patience, not one a mail
    assert told.done == 3  # the letter, and two notices of what is done already
    assert told.waiting == 4
    assert unsent(conn) > 0


def test_a_server_that_goes_away_in_the_middle(
    db: Database, conn: type_connection, who: Cast, server: MailServer
) -> None:
    submitted(conn, who, 3)
    server.handler.refuse = lambda address: "421 going away" if len(server.handler.accepted) == 3 else None
    assert outbox.deliver(db) == outbox.Delivered(done=1, waiting=2)
    server.handler.refuse = lambda address: None
    again(conn)
    assert outbox.deliver(db) == outbox.Delivered(done=2)
    assert len(set(server.handler.ids)) == len(server.handler.ids) == 6


def test_a_lost_reply_makes_a_copy_with_the_same_id(
    db: Database, conn: type_connection, who: Cast, server: MailServer
) -> None:
    submitted(conn, who)
    server.handler.swallow = 1
    assert outbox.deliver(db) == outbox.Delivered(waiting=1)
    again(conn)
    assert outbox.deliver(db) == outbox.Delivered(done=1)
    assert len(server.handler.ids) == 3
    assert len(set(server.handler.ids)) == 2
    assert conn.execute("SELECT count(*) FROM message").fetchone() == (2,)


# ── one message fails ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_busy_mailbox_is_tried_again_and_the_others_get_theirs_once(
    db: Database, conn: type_connection, who: Cast, server: MailServer
) -> None:
    server.handler.refuse = lambda address: "451 try again" if address.startswith("bureau.3") else None
    submitted(conn, who, 2)
    assert outbox.deliver(db) == outbox.Delivered(waiting=2)
    assert unsent(conn) == 2
    server.handler.refuse = lambda address: None
    again(conn)
    assert outbox.deliver(db) == outbox.Delivered(done=2)
    assert sorted(server.handler.recipients) == ["bureau.3@example.lg.jp"] * 2 + ["bureau.4@example.lg.jp"] * 2


def test_an_address_refused_for_good_is_seen_and_the_others_go_on(
    db: Database, conn: type_connection, who: Cast, server: MailServer
) -> None:
    server.handler.refuse = lambda address: "550 no such user" if address.startswith("bureau.3") else None
    submitted(conn, who)
    assert outbox.deliver(db) == outbox.Delivered(done=1)
    assert server.handler.recipients == ["bureau.4@example.lg.jp"]
    assert "上川総合振興局 主査への通知メール" in attention(conn)["mail"]
    again(conn)
    assert outbox.deliver(db) == outbox.Delivered()


@pytest.mark.parametrize(
    "address",
    [
        '"x" <a@example.lg.jp>, evil@example.com',
        "a@example.lg.jp, evil@example.com",
        "a@example.lg.jp\r\nBcc: evil@example.com",
        "@",
        "か@例",
    ],
)
def test_a_broken_address_adds_no_recipient(
    address: str, db: Database, conn: type_connection, who: Cast, server: MailServer
) -> None:
    conn.execute("UPDATE person SET mail = %s WHERE id = %s", (address, who.bureau))
    submitted(conn, who)
    assert outbox.deliver(db) == outbox.Delivered(done=1)
    assert server.handler.recipients == ["bureau.4@example.lg.jp"]
    assert "mail" in attention(conn)


# ── a row fails ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_row_that_fails_is_given_up_in_the_end_and_the_others_go_on(
    db: Database, conn: type_connection, who: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, _ = submitted(conn, who, 2)

    def notice(connection: Any, row: notices.Row) -> notices.Told:
        if row.case_id == bad:
            raise ZeroDivisionError
        return notices.notice(connection, row)

    monkeypatch.setattr(outbox, "notice", notice)
    assert outbox.deliver(db) == outbox.Delivered(done=1, waiting=1)
    for _ in range(outbox.PATIENT_TRIES - 1):
        again(conn)
        assert outbox.deliver(db) == outbox.Delivered(waiting=1)
    again(conn)
    assert outbox.deliver(db) == outbox.Delivered(given_up=1)
    assert rows(conn)[0] == (True, 9, "ZeroDivisionError")
    assert "通知メールを送れませんでした" in attention(conn)["mail"]


def test_a_row_that_kills_its_worker_is_given_up(db: Database, conn: type_connection, who: Cast) -> None:
    submitted(conn, who, 2)
    for _ in range(outbox.PATIENT_TRIES):
        again(conn)
        first = next(row for row in outbox._claim(conn) if row.id == 1)
        begun = int((first.trouble or "begun 0").removeprefix(outbox.BEGUN)) + 1
        outbox._ours(conn, outbox.BEGIN, first, trouble=f"{outbox.BEGUN}{begun}")  # and here the worker dies
    again(conn)
    assert outbox.deliver(db) == outbox.Delivered(done=1, given_up=1)
    assert "通知メールを送れませんでした" in attention(conn)["mail"]


def test_a_kind_of_a_newer_version_is_left_to_it(db: Database, conn: type_connection, who: Cast) -> None:
    submitted(conn, who)
    conn.execute("UPDATE outbox SET kind = 'telegram'")
    assert outbox.deliver(db) == outbox.Delivered(waiting=1)
    conn.execute("UPDATE outbox SET kind = 'notice'")
    again(conn)
    assert outbox.deliver(db) == outbox.Delivered(done=1)


# ── a worker fails ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_claimed_row_is_left_alone_until_its_lease_runs_out(db: Database, conn: type_connection, who: Cast) -> None:
    submitted(conn, who)
    (lost,) = outbox._claim(conn)
    assert outbox.deliver(db) == outbox.Delivered()
    again(conn)
    assert outbox.deliver(db) == outbox.Delivered(done=1)
    assert rows(conn) == [(True, lost.tries + 1, None)]


def test_a_worker_that_wakes_up_too_late_does_nothing(
    db: Database, conn: type_connection, who: Cast, server: MailServer
) -> None:
    submitted(conn, who)
    (late,) = outbox._claim(conn)
    again(conn)
    outbox.deliver(db)
    with mail.Post(server.url) as post:
        told = outbox.Delivered()
        outbox._carry_out(conn, post, late, told)
    assert told == outbox.Delivered()
    assert len(server.handler.ids) == 2


def test_a_run_that_has_no_time_left_gives_its_rows_back(db: Database, conn: type_connection, who: Cast) -> None:
    submitted(conn, who, 3)
    assert outbox.deliver(db, seconds=-1) == outbox.Delivered()
    assert outbox.deliver(db) == outbox.Delivered(done=3)


# ── letters ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_letter_is_filed_once_by_an_event_of_its_own(db: Database, conn: type_connection, who: Cast) -> None:
    (case,) = submitted(conn, who)
    done = drive(conn, who, case, "receive", "propose_team", "put_to_director", "approve")
    outbox.deliver(db)
    conn.execute("UPDATE outbox SET done_at = NULL, next_at = now() WHERE kind LIKE 'letter:%'")  # its end was lost
    outbox.deliver(db)
    filed = conn.execute("SELECT seq FROM event WHERE case_id = %s AND seq > %s", (case, done.version)).fetchall()
    assert filed == [(done.version + 1,)]


def test_a_letter_waits_a_moment_while_the_case_moves(
    db: Database, conn: type_connection, who: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    (case,) = submitted(conn, who)
    done = drive(conn, who, case, "receive", "propose_team", "put_to_director", "approve")
    asked: list[tuple[int, str, int]] = []

    def file(connection: Any, case_id: int, key: str, seq: int) -> bool:
        asked.append((case_id, key, seq))
        return len(asked) > 1

    monkeypatch.setattr(letters, "file", file)
    assert outbox.deliver(db).waiting == 1
    soon = conn.execute("SELECT next_at - now() < interval '1.1 seconds' FROM outbox WHERE done_at IS NULL").fetchone()
    assert soon == (True,)
    again(conn)
    assert outbox.deliver(db).done == 1
    assert asked == [(case, "decision_notice", done.version)] * 2
    assert attention(conn) == {}
