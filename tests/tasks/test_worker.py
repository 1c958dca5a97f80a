"""A real worker on a real broker: what is killed, wiped or doubled loses nothing and makes nothing twice."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from tasks.app import app
from tests.conftest import Database as Urls
from tests.factory import cast, drive, opened
from tests.mail_server import MailServer, serving
from workflow.db import Database, type_connection
from workflow.servers import Valkey

ROOT = Path(__file__).parents[2]


@pytest.fixture
def db(fresh_database: Urls) -> Iterator[Database]:
    made = Database(fresh_database.app_url)
    yield made
    made.close()


@pytest.fixture
def conn(db: Database) -> Iterator[type_connection]:
    with db.connection() as connection:
        yield connection


@pytest.fixture
def broker(valkey: Valkey) -> Iterator[redis.Redis]:
    """The broker, emptied."""
    with redis.Redis.from_url(valkey.url) as client:
        client.flushall()
        yield client


@pytest.fixture
def server() -> Iterator[MailServer]:
    with serving() as made:
        yield made


@pytest.fixture
def environment(fresh_database: Urls, valkey: Valkey, server: MailServer, tmp_path: Path) -> dict[str, str]:
    return {
        **os.environ,
        "DATABASE_URL": fresh_database.app_url, "REDIS_URL": valkey.url, "SMTP_URL": server.url,
        "TOBIDASHI_ENV": "pilot", "TOBIDASHI_DATA": str(tmp_path), "PYTHONUNBUFFERED": "1", "MAIL_BURST": "1000",
    }  # fmt: skip


@contextlib.contextmanager
def celery(environment: dict[str, str], log: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A Celery process with its children in a session of their own, all of it gone afterwards."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "tasks.app", *arguments, "-l", "INFO"],
            cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        yield process
    finally:
        kill(process)


def worker(environment: dict[str, str], log: Path) -> contextlib.AbstractContextManager[subprocess.Popen[bytes]]:
    return celery(environment, log, "worker", "--without-gossip", "--without-mingle", "-c", "2")


def beat(
    environment: dict[str, str], log: Path, name: str
) -> contextlib.AbstractContextManager[subprocess.Popen[bytes]]:
    return celery(environment, log, "beat", "-s", str(log.with_name(name)), "--pidfile=")


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill -9 of the process and all its children."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def until(reached: Callable[[], bool], what: str, log: Path, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, f"{what}\n{log.read_text(errors='replace')[-4000:]}"
        time.sleep(0.05)


def submitted(conn: type_connection, count: int) -> None:
    who = cast(conn)
    for _ in range(count):
        drive(conn, who, opened(conn, who), "submit")


def number(conn: type_connection, text: str) -> int:
    row = conn.execute(text).fetchone()
    assert row is not None
    return int(row[0])


def undone(conn: type_connection) -> int:
    return number(conn, "SELECT count(*) FROM outbox WHERE done_at IS NULL")


def leases_run_out(conn: type_connection) -> None:
    """What a dead worker held is free again, as it would be in less than a minute."""
    conn.execute("UPDATE outbox SET next_at = now() WHERE done_at IS NULL")


def test_the_settings_that_were_proved() -> None:
    conf = app.conf
    assert conf.task_acks_late
    assert conf.task_reject_on_worker_lost
    assert conf.worker_prefetch_multiplier == 1
    assert conf.task_ignore_result
    assert conf.result_backend is None
    assert conf.accept_content == ["json"]
    assert conf.task_time_limit < conf.broker_transport_options["visibility_timeout"]
    assert conf.broker_transport_options["global_keyprefix"] == "tobidashi:"
    assert str(conf.timezone) == "Asia/Tokyo"
    app.loader.import_default_modules()
    assert {entry["task"] for entry in conf.beat_schedule.values()} <= set(app.tasks)
    assert all(entry["options"]["expires"] for entry in conf.beat_schedule.values())


def test_neither_starts_without_a_broker(environment: dict[str, str], tmp_path: Path) -> None:
    without = environment | {"REDIS_URL": ""}
    logs = {program: tmp_path / program for program in ("worker", "beat")}
    with celery(without, logs["worker"], "worker") as one, beat(without, logs["beat"], "schedule") as other:
        assert (one.wait(30), other.wait(30)) == (1, 1)
    assert all("REDIS_URL がありません" in log.read_text() for log in logs.values())


def test_a_killed_worker_loses_nothing_and_doubles_no_row(
    conn: type_connection, broker: redis.Redis, server: MailServer, environment: dict[str, str], tmp_path: Path
) -> None:
    submitted(conn, 30)
    server.handler.delay = 0.02
    log = tmp_path / "log"
    with beat(environment, log, "schedule"):
        for killed in (1, 2):
            with worker(environment, log) as process:
                begun = len(server.handler.ids)
                until(lambda begun=begun: len(server.handler.ids) >= begun + 4, "no mail", log)  # type: ignore[misc]
                kill(process)
            assert undone(conn) > 0, killed
            leases_run_out(conn)
        with worker(environment, log):
            until(lambda: undone(conn) == 0, "rows are left", log)
    assert (
        number(conn, "SELECT count(*) FROM message")
        == number(conn, "SELECT count(DISTINCT message_id) FROM message")
        == 60
    )
    assert number(conn, "SELECT count(*) FROM message WHERE sent_at IS NULL") == 0
    assert len(set(server.handler.ids)) == 60
    assert len(server.handler.ids) <= 60 + 2 * 2  # a copy for each process that was killed in mid-mail
    assert number(conn, "SELECT count(*) FROM attention") == 0


def test_a_wiped_broker_loses_nothing(
    conn: type_connection, broker: redis.Redis, server: MailServer, environment: dict[str, str], tmp_path: Path
) -> None:
    log = tmp_path / "log"
    server.handler.delay = 0.02
    with worker(environment, log), beat(environment, log, "schedule"):
        until(lambda: number(conn, "SELECT count(*) FROM heartbeat WHERE name = 'deliver'") == 1, "no pulse", log)
        submitted(conn, 20)
        until(lambda: len(server.handler.ids) >= 3, "no mail", log)
        broker.flushall()
        until(lambda: undone(conn) == 0, "rows are left", log)
    assert len(server.handler.ids) == len(set(server.handler.ids)) == 40


def test_two_schedulers_and_two_workers_do_everything_once(
    conn: type_connection, broker: redis.Redis, server: MailServer, environment: dict[str, str], tmp_path: Path
) -> None:
    who = cast(conn)
    for _ in range(10):
        drive(conn, who, opened(conn, who), "submit", "receive")
    log = tmp_path / "log"
    with contextlib.ExitStack() as stack:
        for name in ("one", "two"):
            stack.enter_context(worker(environment, log))
            stack.enter_context(beat(environment, log, name))
        until(lambda: undone(conn) == 0, "rows are left", log)
        pulses = ("deliver", "pulse", "compile")
        until(
            lambda: (
                number(conn, "SELECT count(*) FROM heartbeat WHERE name = ANY (ARRAY['deliver','pulse','compile'])")
                == len(pulses)
            ),
            "pulse",
            log,
        )
    assert len(server.handler.ids) == len(set(server.handler.ids)) == number(conn, "SELECT count(*) FROM message")
    assert not [key for key in broker.scan_iter() if not key.startswith(b"tobidashi:")]


def test_asked_to_stop_a_worker_ends_what_it_has_begun(
    conn: type_connection, broker: redis.Redis, server: MailServer, environment: dict[str, str], tmp_path: Path
) -> None:
    submitted(conn, 3)
    server.handler.delay = 0.2
    log = tmp_path / "log"
    with worker(environment, log) as process, beat(environment, log, "schedule"):
        until(lambda: len(server.handler.ids) >= 1, "no mail", log)
        process.terminate()
        process.wait(20)
    assert undone(conn) == 0
    assert len(server.handler.ids) == len(set(server.handler.ids)) == 6
