"""Every ten seconds: make ready for the search what a page could not."""

from tasks.app import app
from workflow import search, watch
from workflow.db import database


@app.task(name="tasks.search")
def catch_up() -> None:
    """Entries that are older than their cases, the latest first."""
    search.catch_up(database())
    watch.beat(database(), "search")
