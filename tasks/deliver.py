"""Every two seconds: carry out what the outbox holds."""

from tasks.app import app
from workflow import outbox, watch
from workflow.db import database


@app.task(name="tasks.deliver")
def deliver() -> None:
    """Mails, letters and reminders that are due."""
    outbox.deliver(database())
    watch.beat(database(), "deliver")
