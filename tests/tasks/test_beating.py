"""Beat gives a sign of its own: with no worker, and with the broker gone, one still sees that it is alive."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Database as Urls
from workflow import watch
from workflow.db import Database, type_connection
from workflow.servers import Valkey

ROOT = Path(__file__).parents[2]


@pytest.fixture
def conn(fresh_database: Urls) -> Iterator[type_connection]:
    made = Database(fresh_database.app_url)
    with made.connection() as connection:
        yield connection
    made.close()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Valkey]:
    """One of the test's own, that may be stopped."""
    made = Valkey.start(tmp_path / "broker")
    yield made
    made.stop()


@contextlib.contextmanager
def celery(urls: Urls, broker: Valkey, log: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    environment = {
        **os.environ, "DATABASE_URL": urls.app_url, "REDIS_URL": broker.url, "SMTP_URL": "", "TOBIDASHI_ENV": "pilot",
        "TOBIDASHI_DATA": str(log.parent),
    }  # fmt: skip
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "tasks.app", *arguments, "-l", "INFO"],
            cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def signs(conn: type_connection) -> dict[str, float]:
    return dict(conn.execute("SELECT name, extract(epoch FROM beat_at)::float FROM heartbeat").fetchall())


def until(reached: Callable[[], bool], what: str, log: Path, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, f"{what}\n{log.read_text(errors='replace')[-4000:]}"
        time.sleep(0.1)


def test_beat_and_worker_are_told_apart_and_beat_needs_no_broker_to_be_seen(
    conn: type_connection, fresh_database: Urls, broker: Valkey, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    worker = "worker", "--without-gossip", "--without-mingle", "-c", "1"
    beat = "beat", "-s", str(tmp_path / "schedule"), "--pidfile="
    with celery(fresh_database, broker, log, *worker):
        until(lambda: "ready." in log.read_text(errors="replace"), "no worker", log)
        assert signs(conn) == {}, "without beat a worker has nothing to show for itself"
    with celery(fresh_database, broker, log, *beat):
        until(lambda: watch.BEAT in signs(conn), "no sign of beat", log)
        assert set(signs(conn)) == {watch.BEAT}, "without a worker there is no sign of one"
        with celery(fresh_database, broker, log, *worker):
            until(lambda: watch.WORKER in signs(conn), "no sign of the worker", log)
        broker.stop()
        gone = signs(conn)
        until(lambda: signs(conn)[watch.BEAT] > gone[watch.BEAT] + 10, "beat is silent without a broker", log)
        assert signs(conn)[watch.WORKER] == gone[watch.WORKER]
