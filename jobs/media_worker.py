"""The process that encodes: it answers hints and never opens the database.

``python -m jobs.media_worker`` runs it; the same code runs on one box, with the queue
in SQLite, and on other machines, with Redis and shared storage.
"""

import logging
import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

from huey.consumer import Consumer

from appliance import settings as configuration
from appliance.settings import Settings
from appliance.storage import Storage
from jobs import nodes, queue, runner
from jobs.attempts import Attempt
from jobs.processes import ending_plainly, log_to_stderr
from jobs.queue import QueueName
from jobs.runner import Step
from jobs.steps import STEPS

_ANNOUNCE_SECONDS = 10.0

logger = logging.getLogger("jobs.media_worker")  # not __main__


def main() -> None:
    """Work until told to stop: SIGINT lets units end first, SIGTERM does not."""
    log_to_stderr()
    settings = configuration.load()
    storage = Storage(settings.media, settings.home)
    slots = nodes.own_slots(settings)
    with nodes.announced(storage, slots) as announcement:
        _keep_fresh(announcement)
        logger.info("media worker takes %d work units at once", slots)
        consumer(settings, storage, slots, STEPS).run()


def consumer(
    settings: Settings, storage: Storage, slots: int, steps: Mapping[str, Step]
) -> Consumer:
    """Return a Huey consumer that runs the attempts that hints name."""

    def answer(job: str, key: str) -> None:
        attempt = Attempt(storage, job, key)
        runner.run(attempt, settings, steps, partial(queue.wake, settings, job))

    line = queue.line(settings, QueueName.CPU, answer)
    return Consumer(line.huey, workers=slots, periodic=False, **queue.POLLING)


def _keep_fresh(path: Path) -> None:
    never = threading.Event()

    def touch() -> None:
        while not never.wait(_ANNOUNCE_SECONDS):
            with suppress(FileNotFoundError):
                os.utime(path)

    threading.Thread(target=touch, name="announce", daemon=True).start()


if __name__ == "__main__":
    with ending_plainly():
        main()
