"""Huey's consumer as part of a process of ours, and calm while its queue is away.

As it comes it takes the signals of its process, asks every second for tasks that were
put off, of which there are none here, and writes a traceback twenty-five times a second
while Redis can't be reached.
"""

import logging
import sqlite3
import threading
from typing import Any

from huey.consumer import Consumer as HueyConsumer
from huey.consumer import Scheduler as HueyScheduler
from huey.consumer import Worker as HueyWorker
from redis.exceptions import RedisError

from jobs.machines.gate import Gate
from jobs.queue import POLLING, Line

_AWAY_SECONDS = 1.0
_CLOSED_SECONDS = 0.5

logger = logging.getLogger(__name__)


class Consumer(HueyConsumer):  # type: ignore[misc]
    """Answers the hints of a queue from ``threads``, while the gate is open."""

    def __init__(self, line: Line, threads: int = 1, gate: Gate | None = None) -> None:
        self.gate = gate or Gate(trouble="")
        # One sentence for all threads.
        self.away = threading.Event()
        super().__init__(line.huey, workers=threads, periodic=False, **POLLING)

    def _create_worker(self) -> "_Worker":
        self.worker_class = _Worker
        worker: _Worker = super()._create_worker()
        worker.gate, worker.away = self.gate, self.away
        return worker

    def _create_scheduler(self) -> "_NoScheduler":
        self.scheduler_class = _NoScheduler
        scheduler: _NoScheduler = super()._create_scheduler()
        return scheduler

    def _set_signal_handlers(self) -> None:
        pass


class _Worker(HueyWorker):  # type: ignore[misc]
    gate: Gate
    away: threading.Event

    def loop(self, now: Any = None) -> None:
        with self.gate.place() as free:
            if free:
                self._take(now)
                return
        self.stop_flag.wait(_CLOSED_SECONDS)

    def _take(self, now: Any) -> None:
        try:
            task = self.huey.dequeue()
        except (RedisError, sqlite3.Error, OSError) as error:
            if not self.away.is_set():
                self.away.set()
                logger.warning("the queue does not answer, trying again: %s", error)
            self.stop_flag.wait(_AWAY_SECONDS)
            return
        if self.away.is_set():
            self.away.clear()
            logger.info("the queue answers")
        if task is not None:
            self.delay = self.default_delay
            try:
                self.huey.execute(task, now)
            except (RedisError, sqlite3.Error) as error:
                # After a task Huey clears in its store what would have revoked it.
                logger.warning("the queue went away under a hint: %s", error)
            except Exception:  # the thread goes on with the next
                logger.exception("the hint %s could not be answered", task)
        elif not self.huey.storage.blocking:
            self.sleep()


class _NoScheduler(HueyScheduler):  # type: ignore[misc]
    """Nothing is ever put off: hints are for now."""

    def loop(self, _now: Any = None) -> None:
        self.stop_flag.wait(1.0)
