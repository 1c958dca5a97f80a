"""Every twenty seconds: what the clock does to cases, and whom it reminds; every ten, a sign of life."""

from tasks.app import app
from workflow import coming, following, moving, succession, watch
from workflow.db import database


@app.task(name="tasks.clock")
def clock() -> None:
    """Successors take their places, routes follow the posts, deadlines move as ordered, then moves whose time has come, then reminders of what is still open."""
    succession.take_over(database())
    following.follow(database())
    coming.tell(database())
    moving.carry_out(database())
    watch.move(database())
    watch.remind(database())
    watch.beat(database(), "clock")


@app.task(name="tasks.pulse")
def pulse() -> None:
    """The worker's sign of life: it takes what beat sends. Beat writes one of its own."""
    watch.beat(database(), watch.WORKER)
