"""The queues: Huey carries hints between processes, and nothing but hints.

Huey forgets a task as soon as a worker has taken it, so a killed worker would lose it.
Here the rows of the database are the truth; a hint only says "look now". A lost one
costs a moment, a doubled one nothing.
"""

import json
import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any

from huey import PriorityRedisHuey, SqliteHuey
from huey.registry import Message
from redis.exceptions import RedisError

from appliance.settings import Settings
from jobs import broker
from jobs.broker import Broker

# Idle workers look this often. With Huey's defaults a hint waits for 1.3 seconds in
# the middle; with these, the two looks from an upload to its first step (control, then
# media) stay below a tenth of a second.
POLLING = {"initial_delay": 0.02, "max_delay": 0.04}

logger = logging.getLogger(__name__)


class QueueName(StrEnum):
    """``control`` wakes the one that decides, the others those that do media work."""

    CONTROL = "control"
    CPU = "cpu"
    GPU = "gpu"
    SPEECH = "speech"


MEDIA = (QueueName.CPU, QueueName.GPU, QueueName.SPEECH)


@dataclass(frozen=True, slots=True)
class Line:
    """One queue: ``huey`` is for its consumer."""

    huey: Any
    task: Any

    def send(self, *words: str, priority: int = 0) -> bool:
        """Leave a hint; give False when the queue can't be reached.

        That is no error for the caller: the sweep finds by the rows what to do.
        """
        try:
            self.huey.enqueue(self.task.s(*words, priority=priority))
        except (sqlite3.Error, RedisError) as error:
            logger.warning("a hint was lost, the sweep will do: %s", error)
            return False
        return True

    def waiting(self) -> int:
        """Return how many hints nobody has taken yet, 0 when that can't be known."""
        try:
            return int(self.huey.pending_count())
        except (sqlite3.Error, RedisError):
            return 0


def wake(settings: Settings, job_public_id: str) -> None:
    """Ask the control worker to look at a job now; the edges call it after writing."""
    line(settings, QueueName.CONTROL).send(job_public_id)


def line(
    settings: Settings, name: QueueName, answer: Callable[..., None] | None = None
) -> Line:
    """Return a queue; its consumer gives ``answer``, which gets a hint's words."""
    redis, folder = broker.of(settings), settings.home / "queue"
    if answer is None:
        return _sending(redis, folder, name)
    return _open(redis, folder, name, answer)


@lru_cache(maxsize=16)
def _sending(redis: Broker, folder: Path, name: QueueName) -> Line:
    return _open(redis, folder, name, _nobody)


def _nobody(*words: str) -> None:
    raise RuntimeError(f"a hint came to a process that only sends: {words}")


def _never(*_task: Any) -> bool:
    return False


def _open(
    redis: Broker, folder: Path, name: QueueName, answer: Callable[..., None]
) -> Line:
    huey = _redis(redis, name) if redis.url else _sqlite(folder, name)
    # Nobody takes a hint back, and Huey would ask its store about each one.
    huey.is_revoked = _never

    def hint(*words: str) -> None:
        answer(*words)

    return Line(huey, huey.task(name="hint")(hint))


def _sqlite(folder: Path, name: QueueName) -> Any:
    folder.mkdir(parents=True, exist_ok=True)
    # Without fsync: after a power cut the rows say again what is to be done.
    return SqliteHuey(
        f"matinee-{name}",
        filename=str(folder / f"{name}.db"),
        fsync=False,
        results=False,
        serializer=_Json(),
    )


def _redis(redis: Broker, name: QueueName) -> Any:
    return PriorityRedisHuey(
        f"matinee-{name}",
        connection_pool=redis.pool(),
        results=False,
        serializer=_Json(),
    )


class _Json:
    """Hints as JSON: Huey's pickles would run whatever a stranger puts into Redis."""

    def serialize(self, message: Any) -> bytes:
        return json.dumps(list(message)).encode()

    def deserialize(self, data: bytes) -> Any:
        return Message(*json.loads(bytes(data)))
