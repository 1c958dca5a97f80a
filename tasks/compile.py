"""Every two seconds: compile the next report that somebody asked for."""

from tasks.app import app
from workflow import reports, watch
from workflow.db import database


@app.task(name="tasks.compile")
def compile_reports() -> None:
    """One report a run; the next tick takes the next one."""
    reports.compile_next(database())
    watch.beat(database(), "compile")
