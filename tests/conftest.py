"""Real servers for the tests: each xdist worker has its own PostgreSQL and Valkey, each test its own database."""

import contextlib
import fcntl
import itertools
import math
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from workflow.servers import APP_ROLE, OWNER_ROLE, Postgres, Valkey

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.stories.system import Pages

# The servers of a worker have been seen to hold 250 MB: room for several workers that look at the same moment.
MEMORY_BYTES = 2 << 30

# Chromium draws the list under its address bar as two pages of its own, in a process beside every window: nobody sees
# them, and they take more than our page does. The others are playwright's, since only the last such switch counts.
UNNEEDED = (
    "WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose",
    "HttpsUpgrades", "HttpsFirstBalancedModeAutoEnable", "LensOverlay", "MediaRouter", "PaintHolding", "ThirdPartyStoragePartitioning",
    "AvoidCorsURLLoaderRestartOnRedirect", "OptimizationHints", "NetworkTimeServiceQuerying", "AimEnabled", "PreconnectToSearch",
)  # fmt: skip

PREFIX = "tobidashi-test-"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Database:
    """One test's database, and the three roles that may come to it."""

    name: str
    owner_url: str
    app_url: str
    superuser_url: str  # in psycopg's own form; for what the other two are refused


@pytest.fixture(scope="session")
def server_dir() -> Iterator[Path]:
    """A directory that other accounts may pass, since PostgreSQL is another account where the tests run as root."""
    path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=_memory()))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="session")
def postgres(server_dir: Path) -> Iterator[Postgres]:
    server = Postgres.start(server_dir / "postgres", fast=True)
    _fit(server)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def valkey(server_dir: Path) -> Iterator[Valkey]:
    server = Valkey.start(server_dir / "valkey")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def database(postgres: Postgres) -> Database:
    """The template: migrated once, with the master data of one profile. Tests copy it and never write to it."""
    from workflow.db import migrate
    from workflow.masters import load_masters

    made = _create(postgres, "template_ready")
    migrate(made.owner_url)
    load_masters(made.owner_url, profile="hokkaido")
    with psycopg.connect(postgres.superuser_url("postgres"), autocommit=True) as connection:
        # A template must have no guests while it is copied.
        connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [made.name])
        connection.execute(sql.SQL("alter database {} allow_connections false").format(sql.Identifier(made.name)))
    return made


@pytest.fixture
def fresh_database(postgres: Postgres, database: Database) -> Iterator[Database]:
    """A migrated database with master data and no cases."""
    made = _create(postgres, f"t_{next(_numbers)}", template=database.name)
    yield made
    _drop(postgres, made)


@pytest.fixture
def empty_database(postgres: Postgres) -> Iterator[Database]:
    """A database without any table, for the migrations themselves."""
    made = _create(postgres, f"t_{next(_numbers)}")
    yield made
    _drop(postgres, made)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium or Chrome on this machine."""
    return _program("ブラウザー(chromium)", "chromium", "chromium-browser", "google-chrome", "chrome")


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator["Browser"]:
    """The one browser of this process: playwright cannot be started twice in a thread."""
    from playwright.sync_api import sync_playwright

    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-default-apps"]
    quiet += ["--disable-gpu", "--disable-gpu-compositing"]  # there is none, and imitating one costs a tenth of all
    quiet.append(f"--disable-features={','.join(UNNEEDED)}")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=chromium, args=quiet + (["--no-sandbox"] if os.geteuid() == 0 else [])
        )
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def pages(
    postgres: Postgres, database: Database, valkey: Valkey, tmp_path_factory: pytest.TempPathFactory
) -> Iterator["Pages"]:
    """The one process of the pages that the stories of this worker share, each with a database of its own."""
    from tests.stories.system import serving

    with serving(postgres, database, valkey, tmp_path_factory.mktemp("pages")) as made:
        yield made


@pytest.fixture(scope="session")
def libreoffice() -> str:
    """The path of LibreOffice on this machine."""
    return _program("LibreOffice", "soffice", "libreoffice")


def _memory() -> Path | None:
    """A file system in memory with room, where there is one: a thousand databases are made and thrown away there.

    None stands for the usual place: nothing is tested less there, it only takes longer.
    """
    shared = Path("/dev/shm")
    if not os.access(shared, os.W_OK | os.X_OK) or shutil.disk_usage(shared).free < MEMORY_BYTES:
        return None
    for lock in shared.glob(f"{PREFIX}*/postgres/lock"):  # what a killed run left: nobody holds its lock any more
        with contextlib.suppress(OSError), lock.open() as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(lock.parents[1])
    return shared


def _fit(postgres: Postgres) -> None:
    """For ten thousand short connections and little room: each password hashed once instead of 4096 times, little log kept."""
    with psycopg.connect(postgres.superuser_url("postgres"), autocommit=True) as connection:
        connection.execute("alter system set max_wal_size = '128MB'")
        connection.execute("select pg_reload_conf()")
        connection.execute("set scram_iterations = 1")
        for role, password in postgres.passwords.items():
            statement = sql.SQL("alter role {} password {}").format(sql.Identifier(role), sql.Literal(password))
            connection.execute(statement)


def _create(postgres: Postgres, name: str, template: str = "template1", *, anew: bool = False) -> Database:
    with psycopg.connect(postgres.superuser_url("postgres"), autocommit=True) as connection:
        if anew:
            connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
        connection.execute(
            sql.SQL("create database {} owner {} template {} strategy file_copy").format(
                sql.Identifier(name), sql.Identifier(OWNER_ROLE), sql.Identifier(template)
            )
        )
    return Database(
        name,
        postgres.url(OWNER_ROLE, name),
        postgres.url(APP_ROLE, name),
        postgres.superuser_url(name),
    )


def _drop(postgres: Postgres, made: Database) -> None:
    with psycopg.connect(postgres.superuser_url("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(made.name)))


def _program(label: str, *names: str) -> str:
    for name in names:
        if found := shutil.which(name):
            return found
    if os.environ.get("CI"):
        pytest.fail(f"{label} がありません。CI ではこの試験を飛ばせません。")
    pytest.skip(f"{label} がないため、この試験を飛ばしました。")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What may take longest begins first, so that no worker is left alone with it at the end; otherwise as shuffled."""
    longest: dict[Path, float] = {}
    for item in items:
        longest[item.path] = max(longest.get(item.path, 0.0), _may_take(item))
    items.sort(key=lambda item: -longest[item.path])


def _may_take(item: pytest.Item) -> float:
    """The seconds that the test asks for itself; 0 where it takes what everybody gets, infinite where it has no end."""
    marker = item.get_closest_marker("timeout")
    return float(marker.args[0]) or math.inf if marker else 0.0


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says aloud at the end what could not be tested on this machine."""
    skipped = [report.longrepr for report in terminalreporter.stats.get("skipped", [])]
    reasons = {where[2] if isinstance(where, tuple) else str(where) for where in skipped}
    if reasons:
        terminalreporter.section("この環境では試していないものがあります", red=True, bold=True)
        for reason in sorted(reasons):
            terminalreporter.line(reason, red=True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI nothing may be skipped: what was not tried there was not tried anywhere."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
