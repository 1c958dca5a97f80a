"""Whether this process lives, and whether it may be given requests."""

from functools import cache
from pathlib import Path

import psycopg
import redis
import sqlalchemy.exc
from fastapi import APIRouter
from fastapi.responses import JSONResponse

from states import catalogue
from workflow import migrations
from workflow.db import database, type_connection
from workflow.settings import settings

router = APIRouter()


@router.get("/livez")
async def live() -> JSONResponse:
    return JSONResponse({"status": "alive"})


@router.get("/readyz")
def ready() -> JSONResponse:
    """503 where requests would fail: the database is away or behind, or a published process differs from ours.

    With Redis away, acts go on and mails wait in their rows: that is told, and is no reason to be taken out of service.
    """
    told = {"database": "ok", "migrations": "ok", "processes": "ok", "redis": redis_state()}
    try:
        with database().connection() as conn:
            told |= {"migrations": schema_state(conn), "processes": processes_state(conn)}
    except (psycopg.Error, sqlalchemy.exc.SQLAlchemyError):
        told |= {"database": "away", "migrations": "unknown", "processes": "unknown"}
    served = told["database"] == "ok" and told["migrations"] != "behind" and told["processes"] == "ok"
    return JSONResponse({"status": "ready" if served else "not ready"} | told, 200 if served else 503)


def schema_state(conn: type_connection) -> str:
    """`ok`, `behind`, or `newer`: while hosts are renewed one by one, the old version goes on serving."""
    head, known = revisions()
    row = conn.execute("SELECT version_num FROM alembic_version").fetchone()
    found = row[0] if row else ""
    return "ok" if found == head else "behind" if found in known or not found else "newer"


@cache
def revisions() -> tuple[str, frozenset[str]]:
    """The newest migration of this version, and all that it knows."""
    from alembic.config import Config  # noqa: PLC0415 - costs a process a third of a second, and is asked once
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__path__[0])))
    scripts = ScriptDirectory.from_config(config)
    return scripts.get_current_head() or "", frozenset(s.revision for s in scripts.walk_revisions())


def processes_state(conn: type_connection) -> str:
    """`differ` when a process of ours is not, word for word, the one published under its version."""
    published = {
        (key, version): digest
        for key, version, digest in conn.execute("SELECT process, version, digest FROM published")
    }
    ours = catalogue.all_versions().items()
    return "ok" if all(published.get(version) == process.digest for version, process in ours) else "differ"


def redis_state() -> str:
    """`ok` or `away`, known within a second."""
    if not settings().redis_url:
        return "away"
    try:
        with redis.Redis.from_url(settings().redis_url, socket_timeout=1, socket_connect_timeout=1) as client:
            client.ping()
    except redis.RedisError:
        return "away"
    return "ok"
