"""The process that decides: the only one beside portal and command that has the rows.

One thread does all of it, round after round: it reads what the media workers left, and
calls :func:`jobs.pipeline.advance` for the jobs that can go on. A hint wakes it at
once; without one it looks every half second while anything runs. A second thread does
what may take long: the watch folder and the chores. Key services are asked in threads
of their own. ``python -m jobs.control`` runs it.
"""

import fcntl
import logging
import queue as hints
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module

from appliance import db as database
from appliance import file_systems, in_use, logs, migrations, supervision
from appliance import settings as configuration
from appliance.db import Database
from appliance.errors import Locked, MatineeError, StorageFull, TryAgain
from appliance.media import jobs
from appliance.media.units import Failure
from appliance.protection import sealing
from appliance.settings import Settings
from appliance.storage import Storage
from jobs import chores, messenger, pipeline, queue, scratch, settle, watch
from jobs.backing_up import Backing
from jobs.consuming import Consumer
from jobs.encoders.degrading import Degrading
from jobs.encoders.fallback import Stranded
from jobs.errands import Beside, Errand, at_once
from jobs.exchange import lending
from jobs.fetching import Fetching
from jobs.machines import away, lease, nodes
from jobs.processes import ending_plainly
from jobs.queue import QueueName
from jobs.tools import versions

_LOCK = "control.lock"
_LOCK_WAIT_SECONDS = 5.0
_ROUND_SECONDS = 0.5
_SWEEP_SECONDS = 5.0
_SCOUR_SECONDS = 60.0
_FETCH_SECONDS = 1.0
_SLOW_SECONDS = 1.0

logger = logging.getLogger("jobs.control")  # not __main__


def main(names: Sequence[str] = ()) -> None:
    """Decide until told to stop by SIGTERM or SIGINT.

    ``names`` are modules whose ``beside`` goes on in a thread meanwhile. They may
    stand above this one, as the checks do, which look at the jobs too.
    """
    settings = configuration.load()
    logs.begin(settings)
    logs.listen(settings)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with ExitStack() as more:
        for name in names:
            more.enter_context(import_module(name).beside(settings, stop))
        run(settings, stop)


def run(settings: Settings, stop: threading.Event) -> None:
    """Decide until ``stop`` is set. Errors: ``Locked`` when another process does.

    That may be one on another machine, by mistake: it would have a database of its own,
    and throw away as unknown what this one has begun.
    """
    file_systems.require_local(settings)
    migrations.require_current(settings.database)
    storage = Storage(settings.media, settings.home)
    rung: hints.SimpleQueue[str] = hints.SimpleQueue()
    lasts = settings.queue.lease_seconds
    with (
        _only_one(settings),
        in_use.joined(settings.home),
        lease.held(storage, lasts, partial(_told, settings), stop) as mine,
        doorbell(settings, rung.put),
        _slow_hand(settings, storage, stop),
        lending.beside(settings, storage, stop),
        messenger.beside(settings, stop),
        database.connect(settings.database) as db,
    ):
        logger.info("control worker is ready")
        supervision.ready()
        errand = Beside(settings.database, rung.put, settings.queue.attempts)
        fetching = Fetching.of(storage, settings)
        backing = Backing.of(storage, settings)
        control = Control(
            db, storage, settings, errand, fetching=fetching, backing=backing
        )
        while not stop.is_set():
            mine.require()
            control.round(take(rung, _ROUND_SECONDS))
            supervision.alive()


def _told(settings: Settings) -> lease.Document:
    """Return what media workers on other machines must know of this one."""
    return {
        "versions": versions.installed(),
        "worker_key": sealing.fingerprint(settings.keys),
    }


def alive(settings: Settings) -> bool:
    """Say whether a control worker runs: somebody must be there to go on with jobs."""
    path = settings.home / _LOCK
    if not path.exists():
        return False
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@dataclass(slots=True)
class Control:
    """What one round after another does; it remembers nothing that a restart needs."""

    db: Database
    storage: Storage
    settings: Settings
    errand: Errand = at_once
    swept: float | None = None
    scoured: float | None = None
    fetched: float | None = None
    backed: float | None = None
    fetching: Fetching | None = None
    backing: Backing | None = None
    degrading: Degrading = field(default_factory=Degrading)
    stranded: Stranded = field(default_factory=Stranded)

    def round(self, rung: set[str]) -> None:
        """Look once, and do what is due for these jobs and those that can go on."""
        try:
            due = rung | settle.settle(self.db, self.storage, self.settings)
            if self._is_time("swept", _SWEEP_SECONDS):
                due |= set(jobs.unfinished(self.db))
                self._look_at_encoders()
            if self.fetching is not None and self._is_time("fetched", _FETCH_SECONDS):
                self.fetching.look(self.db)
            if self.backing is not None and self._is_time("backed", _FETCH_SECONDS):
                self.backing.look(self.db)
            for job in sorted(due):
                self._advance(job)
            pipeline.hand_out(self.db, self.storage, self.settings)
            if self._is_time("scoured", _SCOUR_SECONDS):
                scratch.sweep(self.db, self.storage)
                nodes.forget_lost(self.storage, self.db.clock.now().timestamp())
        except (MatineeError, OSError) as error:
            # The rows still say what is to be done; the next round does it.
            logger.warning("this round ended early: %s", error)

    def _look_at_encoders(self) -> None:
        now = self.db.clock.now().timestamp()
        self.degrading.look(self.db, self.storage, now)
        self.stranded.look(self.db, self.storage, now)

    def _advance(self, job_public_id: str) -> None:
        """Advance one job; what goes wrong with it must not stop the others."""
        try:
            pipeline.advance(
                self.db, self.storage, self.settings, job_public_id, self.errand
            )
        except (TryAgain, StorageFull) as error:
            logger.warning("job %s goes on later: %s", job_public_id, error)
        except OSError as error:
            if reason := away.reason(self.storage):
                logger.warning("job %s goes on later: %s", job_public_id, reason)
                return
            self._give_up(job_public_id, f"The system refused something: {error}.")
        except Exception as error:  # else it would fail unseen again and again
            logger.exception("job %s can't go on", job_public_id)
            what = type(error).__name__
            self._give_up(
                job_public_id, f"It failed unexpectedly ({what}): see the log."
            )

    def _give_up(self, job_public_id: str, sentence: str) -> None:
        job = jobs.find(self.db, job_public_id)
        if job is not None:
            failure = Failure("job.unexpected", sentence)
            pipeline.fail(self.db, self.storage, job, failure)

    def _is_time(self, what: str, seconds: float) -> bool:
        last: float | None = getattr(self, what)
        now = time.monotonic()
        if last is not None and now - last < seconds:
            return False
        setattr(self, what, now)
        return True


@contextmanager
def doorbell(settings: Settings, ring: Callable[[str], None]) -> Iterator[None]:
    """Call ``ring`` with the id of each job that a hint names, from a thread."""
    line = queue.line(settings, QueueName.CONTROL, ring)
    consumer = Consumer(line)
    consumer.start()
    try:
        yield
    finally:
        consumer.stop()


@contextmanager
def _slow_hand(
    settings: Settings, storage: Storage, stop: threading.Event
) -> Iterator[None]:
    """Do in a thread what would keep jobs waiting: copy films in, empty the trash."""

    def work() -> None:
        with database.connect(settings.database) as db:
            folder = watch.WatchFolder(db, storage, settings)
            chore = chores.Chores(db, storage, settings)
            while not stop.wait(_SLOW_SECONDS):
                for each in (folder.look, chore.do_what_is_due):
                    try:
                        each()
                    except Exception:  # the other goes on, and this one next time
                        logger.exception("%s failed", each.__qualname__)

    thread = threading.Thread(target=work, name="slow-hand", daemon=True)
    thread.start()
    yield
    stop.set()
    thread.join(_SLOW_SECONDS)


@contextmanager
def _only_one(settings: Settings) -> Iterator[None]:
    """Hold the lock of the one control worker; its predecessor may be just dying."""
    deadline = time.monotonic() + _LOCK_WAIT_SECONDS
    with (settings.home / _LOCK).open("w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Locked(
                        "control.running",
                        f"A control worker runs already for {settings.home}.",
                    ) from None
                time.sleep(0.1)
        yield


def take(rung: hints.SimpleQueue[str], seconds: float) -> set[str]:
    """Wait for a hint, and return all there are."""
    found = set()
    with suppress(hints.Empty):
        found.add(rung.get(timeout=seconds))
        while True:
            found.add(rung.get_nowait())
    return found


if __name__ == "__main__":
    with ending_plainly():
        main(sys.argv[1:])
