"""Beat writes its own sign of life, straight into the database: what stands still is told apart without the broker."""

import logging
import time
from typing import Any

import psycopg
import sqlalchemy.exc
from celery.beat import PersistentScheduler

from workflow import watch
from workflow.db import database

log = logging.getLogger(__name__)

EVERY = 5.0  # seconds


class Scheduler(PersistentScheduler):  # type: ignore[misc] # Celery comes without types
    """Celery's own, which says with its ticks that it is alive; a beat that hangs says nothing."""

    _said = 0.0

    def tick(self, *arguments: Any, **named: Any) -> float:
        wait: float = super().tick(*arguments, **named)
        if time.monotonic() - self._said >= EVERY:
            self._said = time.monotonic()
            try:
                watch.beat(database(), watch.BEAT)
            except (psycopg.Error, sqlalchemy.exc.SQLAlchemyError) as error:  # without a sign it beats all the same
                log.warning("beat could not write its sign of life: %s", type(error).__name__)
        return wait
