"""The servers start for anyone, keep what was committed, and never outlive the process that started them."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from workflow.processes import ServerError
from workflow.servers import OWNER_ROLE, Postgres, Valkey

JAPANESE = re.compile("[ぁ-ん]")

PARENT = """
import sys, time
from pathlib import Path
from workflow.servers import Postgres, Valkey
where = Path(sys.argv[1])
postgres = Postgres.start(where / "postgres", fast=True)
valkey = Valkey.start(where / "valkey")
print(postgres.pid, valkey.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def place() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="tobidashi-test-"))
    path.chmod(0o711)
    yield path
    moved = path / "postgres" / "moved-to"
    if moved.exists():
        shutil.rmtree(moved.read_text())
    shutil.rmtree(path)


def plain(url: str) -> str:
    return url.replace("+psycopg", "")


def running(pid: int) -> bool:
    """Whether the process still does something; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def children(pid: int) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent == pid:
            found.append(int(entry.name))
    return found


def gone(pids: list[int], seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while any(map(running, pids)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_both_roles_connect_by_the_url_alone(postgres: Postgres) -> None:
    with psycopg.connect(plain(postgres.owner_url)) as owner:
        assert owner.execute("select current_user, current_setting('TimeZone')").fetchone() == (OWNER_ROLE, "UTC")
        powers = "select rolsuper, rolcreatedb, rolcreaterole from pg_roles where rolname = %s"
        assert owner.execute(powers, [OWNER_ROLE]).fetchone() == (False, True, False)
        assert owner.execute(powers, ["tobidashi_app"]).fetchone() == (False, False, False)
    with (
        psycopg.connect(plain(postgres.app_url)) as app,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        app.execute("create table of_my_own (id int)")


def test_nobody_connects_without_the_password(postgres: Postgres) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(host=str(postgres.socket_dir), user=OWNER_ROLE, dbname="tobidashi")
    assert (postgres.data_dir / "passwords.json").stat().st_mode & 0o777 == 0o600


def test_japanese_is_indexed_by_trigrams(postgres: Postgres) -> None:
    with psycopg.connect(postgres.superuser_url()) as connection:
        connection.execute("create extension pg_trgm")
        assert connection.execute("select array_length(show_trgm('申請書'), 1)").fetchone() == (4,)
        connection.rollback()


def test_a_committed_row_survives_kill_9_of_postgres(place: Path) -> None:
    server = Postgres.start(place / "postgres")
    try:
        with psycopg.connect(plain(server.owner_url)) as connection:
            connection.execute("create table kept (word text)")
            connection.execute("insert into kept values ('残る')")
        url, pid = server.owner_url, server.pid
        os.kill(pid, signal.SIGKILL)
        assert gone([pid])
        assert not server.alive()
        server.restart()
        assert server.owner_url == url
        with psycopg.connect(plain(url)) as connection:
            assert connection.execute("select word from kept").fetchone() == ("残る",)
    finally:
        server.stop()
    again = Postgres.start(place / "postgres")
    with psycopg.connect(plain(again.owner_url)) as connection:
        assert connection.execute("select word from kept").fetchone() == ("残る",)
    again.stop()


def test_a_message_survives_kill_9_of_valkey(place: Path) -> None:
    server = Valkey.start(place / "valkey")
    try:
        with redis.Redis.from_url(server.url) as client:
            client.set("word", "残る")
        time.sleep(1.5)  # the append-only file is synced once a second
        url, pid = server.url, server.pid
        os.kill(pid, signal.SIGKILL)
        assert gone([pid])
        server.restart()
        assert server.url == url
        with redis.Redis.from_url(url) as client:
            assert client.get("word") == "残る".encode()
        with (
            redis.Redis(port=server.port, retry=Retry(NoBackoff(), 0)) as stranger,
            pytest.raises(redis.AuthenticationError),
        ):
            stranger.ping()
    finally:
        server.stop()


@pytest.mark.parametrize("kind", [Postgres, Valkey])
def test_a_second_start_on_the_same_data_is_refused_in_japanese(
    place: Path, kind: type[Postgres] | type[Valkey]
) -> None:
    first = kind.start(place / "server")
    with pytest.raises(ServerError, match="すでに動いている") as refusal:
        kind.start(place / "server")
    assert str(os.getpid()) in str(refusal.value)
    assert first.alive()
    first.stop()
    kind.start(place / "server").stop()


def test_a_place_that_cannot_be_written_is_told_in_japanese(place: Path) -> None:
    (place / "file").touch()
    with pytest.raises(ServerError, match="書き込めません"):
        Valkey.start(place / "file" / "valkey")


def test_stopping_twice_is_stopping_once(place: Path) -> None:
    server = Postgres.start(place / "postgres", fast=True)
    pid = server.pid
    server.stop()
    server.stop()
    assert not running(pid)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux の仕組みを使います。")
def test_kill_9_of_the_parent_leaves_no_process_and_the_next_start_works(place: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, str(place)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        servers = [int(word) for word in parent.stdout.readline().split()]
        pids = [*servers, *(child for pid in servers for child in children(pid))]
        assert len(pids) > len(servers)
        assert all(map(running, pids))
        parent.kill()
    # At once, as an impatient person would: the new start waits for the old servers' end.
    server = Postgres.start(place / "postgres", fast=True)
    server.stop()
    assert gone(pids)


def test_a_deep_directory_gets_a_short_socket(place: Path) -> None:
    deep = place / ("長い名前の場所" * 5) / "postgres"
    server = Postgres.start(deep, fast=True)
    psycopg.connect(plain(server.app_url)).close()
    near = server.socket_dir
    assert near.parent != server.home
    server.stop()
    server = Postgres.start(deep, fast=True)
    assert server.socket_dir == near
    server.stop()
    shutil.rmtree(near)


def test_an_interrupted_initialisation_is_begun_anew(place: Path) -> None:
    making = place / "postgres" / "files" / "cluster.new"
    making.mkdir(parents=True)
    (making / "PG_VERSION").write_text("18")
    Postgres.start(place / "postgres", fast=True).stop()


def test_lost_passwords_are_told_in_japanese_and_nothing_is_overwritten(place: Path) -> None:
    Postgres.start(place / "postgres", fast=True).stop()
    (place / "postgres" / "passwords.json").unlink()
    with pytest.raises(ServerError, match=r"passwords\.json") as refusal:
        Postgres.start(place / "postgres", fast=True)
    assert JAPANESE.search(str(refusal.value))
    assert not (place / "postgres" / "passwords.json").exists()


def test_valkey_answers_only_on_the_loopback_address(valkey: Valkey) -> None:
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", valkey.port)) == 0
    listening = Path("/proc/net/tcp")
    if listening.exists():
        ports = [line.split()[1].split(":") for line in listening.read_text().splitlines()[1:]]
        assert {address for address, port in ports if int(port, 16) == valkey.port and address == "00000000"} == set()
