"""Every night: check the whole history and keep the outcome."""

from tasks.app import app
from workflow import verify, watch
from workflow.db import database


@app.task(name="tasks.check")
def check() -> None:
    """Every chain, every content row, every case row against its last event."""
    verify.run(database())
    watch.beat(database(), "check")
