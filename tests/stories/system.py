"""One small prefecture on real servers: a database of its own, the pages as a process, worker and beat where a story needs them."""

import contextlib
import os
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from datetime import time as clock
from functools import cache
from pathlib import Path
from signal import SIGTERM
from typing import Any
from urllib.error import URLError

from celery import Celery

from tests import factory
from tests.conftest import Database as Urls
from tests.conftest import _create, _drop
from tests.factory import HEADQUARTERS, MUNICIPALITY, OFFICE
from tests.mail_server import free_port
from workflow import accounts, verify
from workflow.db import Database
from workflow.deadlines import TOKYO
from workflow.processes import end, launch
from workflow.servers import Postgres, Valkey

ROOT = Path(__file__).parents[2]
PASSWORD = "とびだす隊の合言葉2026"
DATABASE = "stories"
BEGINNING = "2026-10-14"  # a Wednesday

# The login name, the role, where, the section, the title, the name.
PEOPLE = (
    ("municipality", "municipality", MUNICIPALITY, "まちづくり推進課", "係長", "丘野（仮名）"),
    ("municipality_colleague", "municipality", MUNICIPALITY, "まちづくり推進課", "主事", "畑中（仮名）"),
    ("bureau", "bureau", OFFICE, "地域政策課", "主査", "川上（仮名）"),
    ("bureau_colleague", "bureau", OFFICE, "地域政策課", "主任", "川下（仮名）"),
    ("director", "director", OFFICE, "", "局長", "局長（仮名）"),
    ("headquarters", "headquarters", HEADQUARTERS, "地域戦略担当", "主幹", "本町（仮名）"),
    ("staff", "staff", OFFICE, "商工労働観光課", "主査", "早瀬（仮名）"),
    ("staff_colleague", "staff", OFFICE, "農務課", "主任", "成田（仮名）"),
    ("auditor", "auditor", HEADQUARTERS, "監査担当", "主査", "調（仮名）"),
    ("records", "records", OFFICE, "総務課", "文書主任", "文野（仮名）"),
    ("administrator", "administrator", HEADQUARTERS, "情報担当", "主任", "管田（仮名）"),
    ("personnel", "personnel", factory.PERSONNEL, "服務担当", "主査", "人見（仮名）"),
)
APART = ("administrator", "personnel")  # play in no cast

ACCOUNT = "INSERT INTO account (person_id, login, password_hash, failures, disabled) VALUES (%s, %s, %s, 0, false)"


@dataclass(frozen=True)
class Pages:
    """The pages of one worker: started once, since nothing that they keep in mind comes from the database."""

    address: str
    environment: Mapping[str, str]


@dataclass
class System:
    """Where the pages are, the database under them, and the people who use them."""

    address: str
    urls: Urls
    db: Database
    environment: Mapping[str, str]
    who: factory.Cast
    names: Mapping[str, str]

    def at(self, day: str, hour: int = 9) -> None:
        """It is that day now. Who was signed in before has long been signed out."""
        factory.set_clock(self.urls.owner_url, datetime.combine(datetime.fromisoformat(day), clock(hour), TOKYO))

    def tick(self) -> None:
        """Ask the worker for the clock's task now; beat would within twenty seconds."""
        with Celery(broker=self.environment["REDIS_URL"]) as app:
            app.conf.broker_transport_options = {"global_keyprefix": "tobidashi:"}
            app.send_task("tasks.clock", expires=60)

    def value(self, text: str, *values: Any) -> Any:
        """The first column of the first row of a question to the database."""
        with self.db.connection() as conn:
            row = conn.execute(text, values).fetchone()
        return row[0] if row else None

    def whole(self) -> bool:
        """Whether the whole history holds."""
        return verify.verify(self.db).whole


@contextlib.contextmanager
def serving(postgres: Postgres, template: Urls, valkey: Valkey, folder: Path) -> Iterator[Pages]:
    """The pages as a process of their own, over a database that `opened` makes anew for each story."""
    urls = _create(postgres, DATABASE, template=template.name)
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    environment = {
        **{name: value for name, value in os.environ.items() if name not in ("SMTP_URL", "DATABASE_OWNER_URL")},
        "DATABASE_URL": urls.app_url, "REDIS_URL": valkey.url, "PUBLIC_URL": address, "TOBIDASHI_ENV": "demo",
        "TOBIDASHI_DATA": str(folder), "PYTHONUNBUFFERED": "1",
    }  # fmt: skip
    log = folder / "web.log"
    try:
        with process(["-m", "workflow", "serve", "--port", str(port)], environment, log):
            until(lambda: _answers(f"{address}/readyz"), lambda: log.read_text(errors="replace"))
            yield Pages(address, environment)
    finally:
        _drop(postgres, urls)


@contextlib.contextmanager
def opened(pages: Pages, postgres: Postgres, template: Urls) -> Iterator[System]:
    """A demonstration with people and no case, on the day of the beginning; nothing is left of the story before."""
    urls = _create(postgres, DATABASE, template=template.name, anew=True)
    db = Database(urls.app_url)
    try:
        with db.connection() as conn:
            ids = {
                login: factory.person(conn, role, org, section=section, title=title, name=name)
                for login, role, org, section, title, name in PEOPLE
            }
            for login, person_id in ids.items():
                conn.execute(ACCOUNT, (person_id, login, hashed()))
        players = {login: person for login, person in ids.items() if login not in APART}
        cast = factory.Cast(**players, office=OFFICE, place=MUNICIPALITY)
        names = {login: name for login, *_, name in PEOPLE}
        made = System(pages.address, urls, db, pages.environment, cast, names)
        made.at(BEGINNING)
        yield made
    finally:
        db.close()


@contextlib.contextmanager
def process(arguments: list[str], environment: Mapping[str, str], log: Path) -> Iterator[None]:
    """A Python program of ours that ends with the test, and with this process if that is killed."""
    with log.open("ab", buffering=0) as out:
        started = launch([sys.executable, *arguments], log=out, environment=dict(environment))
    try:
        yield
    finally:
        end(started, [(SIGTERM, 1.0)])


@contextlib.contextmanager
def celery(environment: Mapping[str, str], folder: Path) -> Iterator[Path]:
    """The real worker and the real beat; yields their log."""
    log, app = folder / "tasks.log", ["-m", "celery", "-A", "tasks.app"]
    worker = [*app, "worker", "--without-gossip", "--without-mingle", "-c", "1", "-l", "INFO"]
    beat = [*app, "beat", "-s", str(folder / "schedule"), "--pidfile=", "-l", "INFO"]
    with process(worker, environment, log), process(beat, environment, log):
        yield log


def until(reached: Callable[[], Any], why_not: Callable[[], str] = lambda: "", seconds: float = 60.0) -> None:
    """Wait for something that happens by itself."""
    last = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < last, why_not()[-4000:]
        time.sleep(0.1)


@cache
def hashed() -> str:
    """One hash for everybody: each takes its time."""
    return accounts.hash_password(PASSWORD)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except (URLError, OSError):
        return False
