"""The tree starts in order, mends itself, and ends as a whole. Its commands are stand-ins of a few lines."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.workflow.test_servers import children, gone, place, running

__all__ = ["place"]

TREE = """
import json, sys
from pathlib import Path
from workflow.up import Part, Plan, run
port, data, commands = int(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])
parts = [Part(name, name, commands[name]) for name in ("web", "beat", "worker")]
sys.exit(run(Plan(commands["migrate"], commands["demo"], commands["accounts"], parts), port, data))
"""
WEB = """
import http.server, os, sys
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(os.environ["DATABASE_URL"].encode())
    def log_message(self, *arguments):
        print("asked", flush=True)
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Ready).serve_forever()
"""
IDLE = "import time; time.sleep(600)"
# Ignores the polite signals and has a child of its own, like a worker in the middle of a task.
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGQUIT, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
time.sleep(600)
"""


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


COMMANDS = {
    "migrate": python("import os; assert os.environ['DATABASE_OWNER_URL']; print('migrated')"),
    "demo": python("print('demonstrated')"),
    "accounts": python("print('町の担当: town / demo')"),
    "web": python(WEB),
    "beat": python(IDLE),
    "worker": python(IDLE),
}


class Tree:
    """A running tree, and what it said."""

    def __init__(self, place: Path, **commands: list[str]) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.said = place / f"said-{self.port}"
        self.logs = place / "log"
        # Only what a fresh shell would give.
        environment = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
        with self.said.open("wb") as said:
            self.process = subprocess.Popen(
                [*python(TREE), str(self.port), str(place), json.dumps(COMMANDS | commands)],
                stdout=said,
                stderr=subprocess.STDOUT,
                env=environment,
            )

    def text(self) -> str:
        return self.said.read_text(encoding="utf-8")

    def say(self, word: str, seconds: float = 60) -> None:
        until(lambda: word in self.text() or self.process.poll() is not None, seconds)
        assert word in self.text()

    def pids(self) -> list[int]:
        """Every process below the tree's own."""
        found, fresh = list[int](), [self.process.pid]
        while fresh:
            fresh = [child for pid in fresh for child in children(pid)]
            found += fresh
        return found

    def part(self, word: str) -> int:
        """The part whose command line has the word; a part is always our direct child."""
        return next(pid for pid in children(self.process.pid) if word in Path(f"/proc/{pid}/cmdline").read_text())

    def ask(self) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/")
            return connection.getresponse().read().decode()
        finally:
            connection.close()


def until(done: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def tree(place: Path) -> Iterator[Callable[..., Tree]]:
    made: list[Tree] = []

    def start(**commands: list[str]) -> Tree:
        made.append(Tree(place, **commands))
        return made[-1]

    yield start
    for each in made:
        pids = each.pids()
        each.process.kill()
        each.process.wait()
        assert gone(pids)


pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux の仕組みを使います。")


def test_it_says_where_to_go_and_who_may_sign_in(tree: Callable[..., Tree]) -> None:
    running_tree = tree()
    running_tree.say("止めるには Ctrl-C")
    said = running_tree.text()
    assert f"http://127.0.0.1:{running_tree.port}/" in said
    assert said.index("準備ができました") < said.index("町の担当: town / demo")
    assert "tobidashi_app" in running_tree.ask()
    assert "migrated" in (running_tree.logs / "migrate.log").read_text()
    assert "demonstrated" in (running_tree.logs / "demo.log").read_text()


@pytest.mark.parametrize("wanted", [signal.SIGINT, signal.SIGTERM])
def test_a_polite_signal_ends_all_within_seconds(tree: Callable[..., Tree], wanted: signal.Signals) -> None:
    running_tree = tree()
    running_tree.say("止めるには Ctrl-C")
    pids = running_tree.pids()
    assert len(pids) > 5
    running_tree.process.send_signal(wanted)
    assert running_tree.process.wait(10) == 0
    assert not any(map(running, pids))
    assert "止めました" in running_tree.text()


def test_a_stubborn_part_and_its_child_end_too(tree: Callable[..., Tree]) -> None:
    running_tree = tree(worker=python(STUBBORN))
    running_tree.say("止めるには Ctrl-C")
    worker = running_tree.part("SIGQUIT")
    until(lambda: len(children(worker)) == 1, 10)
    pids = running_tree.pids()
    running_tree.process.terminate()
    running_tree.process.send_signal(signal.SIGINT)  # impatience changes nothing
    assert running_tree.process.wait(20) == 0
    assert not any(map(running, pids))


def test_a_signal_during_the_start_ends_all(tree: Callable[..., Tree]) -> None:
    running_tree = tree(migrate=python(IDLE))
    until(lambda: len(running_tree.pids()) > 4 and (running_tree.logs / "migrate.log").exists(), 30)
    pids = running_tree.pids()
    running_tree.process.terminate()
    assert running_tree.process.wait(10) == 0
    assert not any(map(running, pids))


def test_kill_9_of_the_tree_leaves_no_process(tree: Callable[..., Tree]) -> None:
    running_tree = tree()
    running_tree.say("止めるには Ctrl-C")
    pids = running_tree.pids()
    running_tree.process.kill()
    running_tree.process.wait()
    assert gone(pids, 10)


def test_what_dies_is_started_again(tree: Callable[..., Tree]) -> None:
    running_tree = tree()
    running_tree.say("止めるには Ctrl-C")
    database = running_tree.ask()
    killed = [running_tree.part(word) for word in ("http.server", "postgres", "valkey")]
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    assert gone(killed)

    def mended() -> bool:
        try:
            return running_tree.ask() == database and running_tree.part("postgres") not in killed
        except (OSError, StopIteration):
            return False

    until(mended, 20)
    assert running_tree.process.poll() is None
    assert running_tree.text().count("起動し直します") == 3


def test_a_part_that_cannot_live_stops_the_start_with_its_log(tree: Callable[..., Tree]) -> None:
    running_tree = tree(worker=python("raise SystemExit('壊れた設定')"))
    assert running_tree.process.wait(60) == 1
    said = running_tree.text()
    assert "続けて" in said
    assert "壊れた設定" in said
    assert "worker.log" in said


def test_a_failed_migration_stops_the_start_with_its_log(tree: Callable[..., Tree]) -> None:
    running_tree = tree(migrate=python("raise SystemExit('列がありません')"))
    assert running_tree.process.wait(60) == 1
    assert "列がありません" in running_tree.text()
    assert "データはそのまま" in running_tree.text()


def test_a_taken_port_is_told_before_anything_starts(tree: Callable[..., Tree], place: Path) -> None:
    first = tree()
    first.say("止めるには Ctrl-C")
    second = subprocess.run(
        [*python(TREE), str(first.port), str(place / "other"), json.dumps(COMMANDS)], capture_output=True
    )
    assert second.returncode == 1
    assert "PORT=" in second.stdout.decode()
    assert not (place / "other").exists()


def test_a_second_tree_on_the_same_data_is_refused(tree: Callable[..., Tree]) -> None:
    first = tree()
    first.say("止めるには Ctrl-C")
    second = tree()
    assert second.process.wait(30) == 1
    assert first.process.poll() is None
