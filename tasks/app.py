"""The Celery application: how tasks are carried, and when each one runs.

Redis is a doorbell. Whatever it loses is found again in the tables by the next tick; no task carries anything but its name.
"""

from typing import Any

from celery import Celery, signals
from celery.schedules import crontab

from workflow import db
from workflow.memory import settle
from workflow.settings import settings

# A tick that nobody took in that time is dropped; the clocks of the hosts must agree within it.
FRESH = 30

app = Celery(
    "tasks",
    broker=settings().redis_url or None,
    include=["tasks.deliver", "tasks.clock", "tasks.digest", "tasks.compile", "tasks.search", "tasks.check"],
)
app.conf.update(
    # A task of a killed worker runs again: every one may run twice.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    task_ignore_result=True,
    # Shorter than the time after which the broker hands an unanswered task to another worker.
    task_time_limit=300,
    task_soft_time_limit=240,
    task_serializer="json",
    accept_content=["json"],
    timezone="Asia/Tokyo",
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    task_publish_retry=False,
    worker_cancel_long_running_tasks_on_connection_loss=True,
    worker_soft_shutdown_timeout=10,
    broker_transport_options={
        "visibility_timeout": 600,
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        "socket_timeout": 30,
        "socket_connect_timeout": 5,
        "socket_keepalive": True,
        "health_check_interval": 15,
        "global_keyprefix": "tobidashi:",
    },
    beat_scheduler="tasks.beating:Scheduler",
    beat_schedule={
        "deliver": {"task": "tasks.deliver", "schedule": 2.0, "options": {"expires": FRESH}},
        "compile": {"task": "tasks.compile", "schedule": 2.0, "options": {"expires": FRESH}},
        "search": {"task": "tasks.search", "schedule": 10.0, "options": {"expires": FRESH}},
        "clock": {"task": "tasks.clock", "schedule": 20.0, "options": {"expires": FRESH}},
        "digest": {"task": "tasks.digest", "schedule": 20.0, "options": {"expires": FRESH}},
        "pulse": {"task": "tasks.pulse", "schedule": 10.0, "options": {"expires": FRESH}},
        "check": {"task": "tasks.check", "schedule": crontab(hour=2, minute=10), "options": {"expires": 3600}},
    },
)


@signals.worker_process_init.connect
def _open_own_connections(**_: Any) -> None:
    """A forked process must not share its parent's sockets to the database, and shares its code as it stands."""
    db.forget()
    settle()


@signals.celeryd_init.connect
@signals.beat_init.connect
def _refuse_without_broker(**_: Any) -> None:
    if not settings().redis_url:
        raise SystemExit("REDIS_URL がありません。Redis(または Valkey)の場所を指定してから、起動し直してください。")
