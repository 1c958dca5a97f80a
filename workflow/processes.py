"""Starts, watches and ends other programs, which never outlive the process that started them."""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

_LAUNCH = Path(__file__).with_name("launch.py")
_LOG_BYTES = 10_000_000
_LOCK_SECONDS = 10.0


class ServerError(RuntimeError):
    """Something could not be started; the message says why and what to do, in Japanese."""


def launch(
    command: Sequence[str | Path],
    *,
    log: IO[bytes] | int,
    at_parent_death: signal.Signals = signal.SIGKILL,
    account: str = "self",
    environment: Mapping[str, str] | None = None,
    keep: Sequence[int] = (),
    told: bytes | None = None,
) -> subprocess.Popen[bytes]:
    """Starts a program in a session of its own that the kernel signals when we die.

    `log` takes both outputs; `keep` lists file descriptors that stay open in the program; `told` is its standard input.
    Call it from the thread that lives longest: on Linux the death of the starting *thread* counts.
    """
    head = [sys.executable, "-I", "-S", str(_LAUNCH), str(int(at_parent_death)), str(os.getpid()), account]
    process = subprocess.Popen(
        [*head, *map(str, command)],
        stdin=subprocess.DEVNULL if told is None else subprocess.PIPE,
        stdout=log,
        stderr=subprocess.STDOUT,
        env=environment,
        cwd="/" if account != "self" else None,
        start_new_session=True,
        pass_fds=keep,
    )
    if told is not None and process.stdin is not None:
        with process.stdin as pipe, contextlib.suppress(BrokenPipeError):  # its log tells why it went
            pipe.write(told)
    return process


def end(process: subprocess.Popen[bytes], polite: Sequence[tuple[signal.Signals, float]]) -> None:
    """Ends a launched program: each signal with its seconds of patience, then kill -9 for it and all of its session."""
    for wanted, seconds in polite:
        if process.poll() is not None:
            break
        process.send_signal(wanted)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
    with contextlib.suppress(ProcessLookupError, PermissionError):  # nobody is left in the session
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def open_log(path: Path) -> IO[bytes]:
    """Opens a log for appending; one that has grown beyond 10 MB is first put aside as `.1`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > _LOG_BYTES:
        path.replace(path.with_name(path.name + ".1"))
    return path.open("ab", buffering=0)


def last_lines(path: Path, count: int = 8) -> str:
    """The end of a log, indented for a message."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()[-count:] if path.exists() else []
    return "".join(f"\n    {line}" for line in lines)


def reserve(directory: Path) -> int:
    """Takes the directory for this process and returns the lock's file descriptor; refuses while another one has it.

    Servers inherit the descriptor, so that the lock falls only when the last of them is gone.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as trouble:
        raise ServerError(
            f"データの置き場所 {directory} に書き込めません({trouble.strerror})。まだ何も始めていません。"
            "その場所の持ち主として実行するか、DATA= で別の場所を指定してください。"
        ) from None
    deadline = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 20, 0).decode().strip()
            # A holder that was killed leaves servers that are just stopping: those are worth waiting for.
            if time.monotonic() > deadline or (holder.isdecimal() and _alive(int(holder))):
                os.close(descriptor)
                raise ServerError(
                    f"データの置き場所 {directory} は、すでに動いている別の起動(プロセス番号 {holder or '不明'})が使っています。"
                    "データはそのままです。動いているほうを止めるか、DATA= で別の場所を指定してください。"
                ) from None
            time.sleep(0.1)
        else:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
            return descriptor


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
