"""Runs the whole system as one process tree, for `make run`: database, broker, web, worker and beat.

What the environment names (`DATABASE_URL`, `REDIS_URL`) is used; what it does not name is started here.
The tree ends as a whole: at Ctrl-C and SIGTERM in order, at a kill -9 of this process by the kernel.
"""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from workflow.launch import end_with
from workflow.processes import ServerError, end, last_lines, launch, open_log, reserve
from workflow.servers import Postgres, Valkey

_READY_SECONDS = 90.0
_LONG_LIFE_SECONDS = 60.0
_TRIES_AT_FIRST = 4
_TRIES_ONCE_PROVED = 8
_PATIENCE = {
    "web": [(signal.SIGTERM, 5.0)],
    "beat": [(signal.SIGTERM, 3.0)],
    "worker": [(signal.SIGTERM, 5.0), (signal.SIGQUIT, 2.0)],
}


@dataclass
class Part:
    """A program of ours that is started again when it ends; stopping follows the order in which parts are listed."""

    name: str
    label: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    failures: int = 0
    proved: bool = False  # has once lived long, so that what ends it now may pass


@dataclass(frozen=True)
class Plan:
    """The commands of a tree, in the order in which they run."""

    migrate: Sequence[str]
    demonstrate: Sequence[str]
    accounts: Sequence[str]
    parts: Sequence[Part] = field(default_factory=list)


class _Stopped(BaseException):
    """Somebody asked us to stop; no Exception, so that nothing on the way takes it for a failure."""


def up(port: int, data: Path) -> int:
    """Starts everything, serves on the port until told to stop, and returns the exit code."""
    python = [sys.executable, "-m"]
    celery = [*python, "celery", "-A", "tasks.app"]
    schedule = str(data.resolve() / "beat")
    plan = Plan(
        migrate=[*python, "workflow", "migrate"],
        demonstrate=[*python, "workflow", "demo", "--if-empty"],
        accounts=[*python, "workflow", "demo", "--accounts"],
        parts=[
            Part("web", "画面(web)", [*python, "workflow", "serve", "--port", str(port)]),
            Part("beat", "時計(beat)", [*celery, "beat", "-s", schedule, "--pidfile=", "-l", "WARNING"]),
            Part(
                "worker",
                "裏方(worker)",
                [*celery, "worker", "--without-gossip", "--without-mingle", "-c", "2", "-l", "WARNING"],
            ),
        ],
    )
    return run(plan, port, data)


def run(plan: Plan, port: int, data: Path) -> int:
    """Runs a plan's tree; `up` with other commands, for the tests."""
    if os.environ.get("TOBIDASHI_END_WITH_PARENT"):
        end_with(os.getppid(), signal.SIGTERM)
    for wanted in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(wanted, _stop)
    try:
        with ExitStack() as stack:
            try:
                _run(plan, port, data.resolve(), stack)
            finally:
                # From here on nothing interrupts: every step has its own limit.
                for wanted in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                    signal.signal(wanted, signal.SIG_IGN)
    except _Stopped:
        _say("止めました。データはそのまま残っています。")
        return 0
    except ServerError as refusal:
        _say(f"止まりました。{refusal}")
        return 1
    return 0


def _run(plan: Plan, port: int, data: Path, stack: ExitStack) -> None:
    _check_port(port)
    logs = data / "log"
    lock = reserve(data)
    stack.callback(os.close, lock)
    _say("起動しています。")
    environment = {
        **os.environ,
        "PORT": str(port),
        "PYTHONUNBUFFERED": "1",
        "TOBIDASHI_DATA": str(data),
    }
    environment.pop("TOBIDASHI_END_WITH_PARENT", None)
    environment.setdefault("PUBLIC_URL", f"http://127.0.0.1:{port}")
    servers: list[Postgres | Valkey] = []
    embedded = "DATABASE_URL" not in os.environ
    if embedded:
        postgres = Postgres.start(data / "postgres", log=logs / "postgres.log")
        stack.callback(postgres.stop)
        servers.append(postgres)
        environment |= {"DATABASE_URL": postgres.app_url, "DATABASE_OWNER_URL": postgres.owner_url}
        environment.setdefault("TOBIDASHI_ENV", "demo")
    if "REDIS_URL" not in os.environ:
        valkey = Valkey.start(data / "valkey", log=logs / "valkey.log")
        stack.callback(valkey.stop)
        servers.append(valkey)
        environment["REDIS_URL"] = valkey.url

    demonstration = embedded and environment["TOBIDASHI_ENV"] == "demo"
    _finish("データベースの準備(migrate)", plan.migrate, logs / "migrate.log", environment)
    if demonstration:
        _finish("お試し用の案件(demo)", plan.demonstrate, logs / "demo.log", environment)

    for part in reversed(plan.parts):  # a stack: the part listed first starts last and ends first
        stack.callback(_end, part)
        _start(part, logs, environment)
    _await_ready(plan.parts, port, logs, environment)
    _say(f"準備ができました。ブラウザーで http://127.0.0.1:{port}/ を開いてください。")
    if demonstration:
        _say(subprocess.run(plan.accounts, env=environment, capture_output=True, check=False).stdout.decode().rstrip())
    _say(f"止めるには Ctrl-C を押してください。記録は {logs} にあります。")
    while True:
        for server in servers:
            if not server.alive():
                _say(f"{server.label}が止まったので、起動し直します。")
                server.restart()
        _tend(plan.parts, logs, environment)
        time.sleep(0.2)


def _stop(number: int, frame: FrameType | None) -> None:
    raise _Stopped


def _say(text: str) -> None:
    with suppress(OSError):  # a closed terminal must not keep us from stopping the rest
        print(text, flush=True)


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise ServerError(
                f"ポート {port} はほかのプログラムが使っているか、使う権限がありません。"
                "まだ何も始めていません。make run PORT=8001 のように、別の番号を指定してください。"
            ) from None


def _finish(label: str, command: Sequence[str], path: Path, environment: Mapping[str, str]) -> None:
    """Runs a command to its end and refuses to go on when it fails."""
    with open_log(path) as log:
        process = launch(command, log=log, environment=environment)
    try:
        code = process.wait()
    finally:
        end(process, [(signal.SIGTERM, 5.0)])
    if code != 0:
        raise ServerError(
            f"{label}ができませんでした。データはそのままです。記録 {path} の終わりは次のとおりです。{last_lines(path)}"
        )


def _start(part: Part, logs: Path, environment: Mapping[str, str]) -> None:
    with open_log(logs / f"{part.name}.log") as log:
        part.process = launch(part.command, log=log, environment=environment)
    part.started = time.monotonic()


def _end(part: Part) -> None:
    if part.process is not None:
        end(part.process, _PATIENCE.get(part.name, [(signal.SIGTERM, 5.0)]))


def _tend(parts: Sequence[Part], logs: Path, environment: Mapping[str, str]) -> None:
    """Starts again what ended, later each time; gives up on a part that ends again and again."""
    for part in parts:
        if part.process is None:
            if time.monotonic() >= part.started:
                _start(part, logs, environment)
            continue
        code = part.process.poll()
        if code is None:
            continue
        end(part.process, [])  # what it may have left in its session
        if time.monotonic() - part.started > _LONG_LIFE_SECONDS:
            part.failures, part.proved = 0, True
        part.failures += 1
        path = logs / f"{part.name}.log"
        if part.failures >= (_TRIES_ONCE_PROVED if part.proved else _TRIES_AT_FIRST):
            raise ServerError(
                f"{part.label}が続けて {part.failures} 回止まりました(終了コード {code})。データはそのままです。"
                f"記録 {path} の終わりは次のとおりです。{last_lines(path)}"
            )
        _say(f"{part.label}が止まった(終了コード {code})ので、起動し直します。記録は {path} にあります。")
        part.process = None
        part.started = time.monotonic() + min(30.0, 0.5 * 2 ** (part.failures - 1))


def _await_ready(parts: Sequence[Part], port: int, logs: Path, environment: Mapping[str, str]) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    answer = "答えがありません"
    while time.monotonic() < deadline:
        _tend(parts, logs, environment)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            response = connection.getresponse()
            if response.status == http.HTTPStatus.OK:
                return
            answer = f"{response.status} {response.read(2000).decode(errors='replace')}"
        except (OSError, http.client.HTTPException):
            pass  # not listening yet
        finally:
            connection.close()
        time.sleep(0.1)
    raise ServerError(
        f"{_READY_SECONDS:.0f} 秒たっても準備が終わりません(/readyz: {answer})。データはそのままです。"
        f"{logs} の記録を確かめてください。{last_lines(logs / 'web.log')}"
    )
