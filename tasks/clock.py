"""Every twenty seconds: what the clock does to cases, and whom it reminds; every ten, a sign of life."""

from tasks.app import app
from workflow import moving, succession, watch
from workflow.db import database


@app.task(name="tasks.clock")
def clock() -> None:
    """Successors take their places, deadlines move as ordered, then moves whose time has come, then reminders of what is still open."""
    succession.take_over(database())
    moving.carry_out(database())
    watch.move(database())
    watch.remind(database())
    watch.beat(database(), "clock")


@app.task(name="tasks.pulse")
def pulse() -> None:
    """Shows that beat, broker, worker and database reach one another."""
    watch.beat(database(), "pulse")
