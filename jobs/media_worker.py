"""The process that does media work: it answers hints and never opens the database.

``python -m jobs.media_worker`` runs it; the same code runs on one box, with the queue
in SQLite, and on other machines, with Redis and shared storage.
"""

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from types import FrameType

from appliance import logs, supervision
from appliance import settings as configuration
from appliance.errors import MatineeError
from appliance.settings import Settings
from appliance.storage import Storage
from jobs import queue, runner
from jobs.attempts import Attempt, Spec
from jobs.consuming import Consumer
from jobs.encoders import proving
from jobs.machines import announcing, nodes
from jobs.machines.announcing import Announcer
from jobs.machines.board import Board
from jobs.machines.gate import Gate
from jobs.making import encryption
from jobs.processes import ending_plainly
from jobs.queue import QueueName
from jobs.runner import Step
from jobs.steps import STEPS
from jobs.tools.encoders import Codec, Family

_LOOK_SECONDS = 0.1
# Not at once again: the other machine must get a chance to take it.
_LEFT_SECONDS = 0.5
_HEALTH_SECONDS = 10.0

logger = logging.getLogger("jobs.media_worker")  # not __main__


def main() -> None:
    """Work until told to stop: SIGINT lets units end first, SIGTERM does not."""
    settings = configuration.load()
    logs.begin(settings)
    logs.listen(settings)
    storage = Storage(settings.media, settings.home)
    slots = announcing.own_slots(settings)
    proving.tend_beside(settings)
    worker = MediaWorker(settings, storage, STEPS)
    announcer = Announcer(settings, storage, worker.board, worker.gate, slots)
    worker.others_unseal = announcer.others_unseal
    worker.others_encode = announcer.others_encode
    ending = Ending()
    ending.by_signals()
    with announcing.announced(announcer), worker.consuming(slots, ending) as consume:
        shown = ", ".join(f"{count} of {name}" for name, count in slots.items())
        logger.info("media worker takes at once: %s", shown or "nothing")
        supervision.ready()
        while not ending.begun.wait(_HEALTH_SECONDS):
            # A graphics processor may have passed its test meanwhile.
            announcer.slots |= announcing.own_slots(settings)
            consume(announcer.slots)
            supervision.alive()
        logger.info("media worker ends, and %d units with it", worker.running)


@dataclass(slots=True)
class Ending:
    """How far this process has come with ending: begun, or to be done at once."""

    begun: threading.Event = field(default_factory=threading.Event)
    at_once: threading.Event = field(default_factory=threading.Event)

    def by_signals(self) -> None:
        """Let the first SIGINT begin it; the second, and SIGTERM, end at once."""
        signal.signal(signal.SIGINT, self._interrupt)
        signal.signal(signal.SIGTERM, self._terminate)

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        if self.begun.is_set():
            self.at_once.set()
        self.begun.set()

    def _terminate(self, _number: int, _frame: FrameType | None) -> None:
        self.at_once.set()
        self.begun.set()


@dataclass(slots=True)
class MediaWorker:
    """Answers the hints of one or more queues."""

    settings: Settings
    storage: Storage
    steps: Mapping[str, Step]
    board: Board = field(default_factory=Board)
    gate: Gate = field(default_factory=Gate)
    others_unseal: Callable[[], bool] = lambda: False
    others_encode: Callable[[Codec, Family, Iterable[str]], bool] = lambda *_: False

    @property
    def running(self) -> int:
        return len(self.board.doing())

    def answer(self, name: QueueName, job: str, key: str) -> None:
        """Run the attempt that a hint names, or leave it to others after all."""
        if not self.gate.open:
            # Somebody closed it while this waited for a hint.
            queue.line(self.settings, name).send(job, key)
            return
        attempt = Attempt(self.storage, job, key)
        ring = partial(queue.wake, self.settings, job)
        try:
            if self._is_for_others(attempt):
                queue.line(self.settings, name).send(job, key)
                time.sleep(_LEFT_SECONDS)
                return
            runner.run(attempt, self.settings, self.steps, ring, self.board)
        except (MatineeError, OSError) as error:
            # The storage went away; the sweep finds by its lease what was lost.
            logger.warning("an attempt at job %s ended with nothing: %s", job, error)

    def _is_for_others(self, attempt: Attempt) -> bool:
        """Say whether this needs what another machine has, and this one has not.

        That is the key of protected films, or a graphics processor. Where nobody has
        it, it is run, and fails with the reason.
        """
        spec = attempt.spec()
        if spec is None:
            return False
        sealed = not self.gate.unseals and encryption.in_spec(spec.spec)
        return (sealed and self.others_unseal()) or self._is_for_others_graphics(spec)

    def _is_for_others_graphics(self, spec: Spec) -> bool:
        told = spec.spec.get("encoder", {})
        family = Family(told.get("family", Family.SOFTWARE))
        if spec.queue != QueueName.GPU or family is Family.SOFTWARE:
            return False
        codec, tried = Codec(told.get("codec", Codec.H264)), told.get("tried", {})
        usable = proving.usable(self.settings)
        able = any((each.codec, each.family) == (codec, family) for each in usable)
        if able and nodes.own_name(self.settings) not in tried:
            return False
        return self.others_encode(codec, family, tried)

    @contextmanager
    def consuming(
        self, slots: Mapping[QueueName, int], ending: Ending
    ) -> Iterator[Callable[[Mapping[QueueName, int]], None]]:
        """Take hints in threads; give what looks after these. Ends after their units.

        Encoders of units that are not waited for die with this process.
        """
        consumers: dict[QueueName, Consumer] = {}

        def consume(slots: Mapping[QueueName, int]) -> None:
            for each in consumers.values():
                each.check_worker_health()
            for name, count in slots.items():
                if name not in consumers:
                    consumers[name] = self._consumer(name, count)
                    consumers[name].start()

        consume(slots)
        try:
            yield consume
        finally:
            found = list(consumers.values())
            for each in found:
                each.stop_flag.set()
            threads = [thread for each in found for _, thread in each.worker_threads]
            while any(map(_lives, threads)) and not ending.at_once.wait(_LOOK_SECONDS):
                pass

    def _consumer(self, name: QueueName, count: int) -> Consumer:
        line = queue.line(self.settings, name, partial(self.answer, name))
        return Consumer(line, count, self.gate)


def _lives(thread: threading.Thread) -> bool:
    return thread.is_alive()


if __name__ == "__main__":
    with ending_plainly():
        main()
