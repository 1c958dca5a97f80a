"""A database for one command: real PostgreSQL in a temporary folder with the demonstration, gone afterwards."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import make_url

from workflow import demonstration
from workflow.db import migrate
from workflow.masters import load_masters
from workflow.servers import Postgres
from workflow.settings import settings


@contextmanager
def demonstration_database() -> Iterator[str]:
    """URL of a throw-away database that holds the demonstration."""
    with tempfile.TemporaryDirectory(prefix="tobidashi-") as folder:
        Path(folder).chmod(0o711)  # as root, PostgreSQL runs under another account, which must pass through
        server = Postgres.start(Path(folder) / "postgres", fast=True)
        try:
            migrate(server.owner_url, make_url(server.app_url).username or "")
            load_masters(server.owner_url, settings().profile)
            demonstration.load(server.owner_url, server.app_url)
            yield server.app_url
        finally:
            server.stop()
