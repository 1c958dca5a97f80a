"""Every twenty seconds: make the digests whose slot has come; the outbox carries them out like any mail."""

from tasks.app import app
from workflow import digests, watch
from workflow.db import database


@app.task(name="tasks.digest")
def digest() -> None:
    """One row a person and slot."""
    digests.gather(database())
    watch.beat(database(), "digest")
