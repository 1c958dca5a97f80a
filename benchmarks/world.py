"""The world that is measured in: a real, durable PostgreSQL over TCP as between hosts, an office with its people, cases that are under way."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import make_url

from tests import factory
from workflow.db import Database, migrate
from workflow.masters import load_masters
from workflow.servers import Postgres

TEXT = "畑の広がりを生かした滞在の仕組みを、町と生産者と宿とで考えたい。" * 8  # a form of about 2 KB


@dataclass(frozen=True)
class World:
    """URLs, the people who act, and the cases they act on."""

    owner_url: str
    app_url: str
    who: factory.Cast
    cases: tuple[int, ...] = ()


@contextmanager
def world(number: int) -> Iterator[World]:
    """A fresh server (fsync on) with `number` received cases that the director has once sent back."""
    with tempfile.TemporaryDirectory(prefix="tobidashi-bench-") as folder:
        Path(folder).chmod(0o711)
        server = Postgres.start(Path(folder) / "postgres", tcp=True)
        try:
            migrate(server.owner_url, make_url(server.app_url).username or "")
            load_masters(server.owner_url)
            app = Database(server.app_url, pool_size=2)
            with app.connection() as conn:
                who = factory.cast(conn)
                made = tuple(factory.opened(conn, who, purpose=TEXT) for _ in range(number))
                for case in made:
                    factory.drive(conn, who, case, "submit", "receive", "propose_team", "put_to_director", "send_back")
            app.close()
            analyse(server.owner_url)
            yield World(server.owner_url, server.app_url, who, made)
        finally:
            server.stop()


def analyse(owner_url: str) -> None:
    """Fresh statistics and an empty write-ahead queue before anything is timed."""
    owner = Database(owner_url, pool_size=1)
    with owner.connection() as conn:
        conn.execute("VACUUM ANALYZE")
    owner.close()
