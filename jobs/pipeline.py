"""What comes next: decided here, from the rows, and nowhere else.

:func:`advance` looks at one job and plans, installs or ends it. :func:`hand_out` then
looks at all: it gives ready units to the queue, but only a few more than the media
workers have hands, so that a job of higher priority does not wait behind hundreds of
hints.
"""

import logging
import secrets
from collections.abc import Mapping

from appliance.db import Database, write
from appliance.errors import MatineeError, TryAgain
from appliance.media import assets, jobs, transitions, units
from appliance.media.jobs import Job, JobKind, JobState
from appliance.media.units import Failure, Unit, UnitState
from appliance.room import Pressure
from appliance.settings import Settings
from appliance.storage import Storage
from jobs import attempts, queue
from jobs.attempts import Attempt, Spec
from jobs.errands import Errand, ErrandFailed, at_once
from jobs.machines import away, nodes
from jobs.machines.nodes import Node
from jobs.making import ingest, install, recheck, reencrypt, speech, supplement
from jobs.making.kinds import Due, Kind
from jobs.planning.plan import INSPECT
from jobs.queue import QueueName

_KINDS: Mapping[JobKind, Kind] = {
    JobKind.INGEST: Kind(ingest.planned, install.install),
    JobKind.REPLACE: Kind(ingest.planned, install.install),
    JobKind.REENCRYPT: Kind(reencrypt.planned, install.install),
    JobKind.SUPPLEMENT: Kind(supplement.planned, supplement.finish),
    JobKind.CAPTIONS: speech.KIND,
    JobKind.QUALITY: recheck.KIND,
}
_BEYOND_SLOTS = 2
# A first look takes seconds and tells somebody whether the film is any good: it goes
# before the hours of encoding that others wait for.
_INSPECT_FIRST = 1000

logger = logging.getLogger(__name__)


def advance(
    db: Database,
    storage: Storage,
    settings: Settings,
    job_public_id: str,
    errand: Errand = at_once,
) -> None:
    """Do what is due for a job: plan it, install it, end it, or clear up after it.

    Doing it twice, or again after being killed in the middle, changes nothing.
    ``errand`` asks for what others may take long to answer.
    """
    job = jobs.find(db, job_public_id)
    if job is None or not job.open:
        _clear_up(db, storage, job, job_public_id)
        return
    try:
        _go_on(db, storage, settings, job, errand)
    except TryAgain:
        raise
    except ErrandFailed as error:
        # What is done stays: it did not depend on who was asked.
        fail(db, storage, job, Failure(error.code, error.message, retry=True))
    except MatineeError as error:
        if reason := away.reason(storage):
            raise TryAgain("storage.away", reason) from error
        tail = str(error.details.get("log_tail", ""))
        fail(db, storage, job, Failure(error.code, error.message, False, tail))


def hand_out(db: Database, storage: Storage, settings: Settings) -> None:
    """Give ready units to the queues: higher priority, older job, earlier position.

    On a disk that is nearly full none, and those that nobody has begun are taken back:
    what runs may end, and its outputs need the room that is left.
    """
    if storage.pressure(settings.disk) >= Pressure.PAUSE:
        _withdraw(db, storage)
        return
    opened = []
    found = nodes.listing(storage, db.clock.now().timestamp())
    for name in queue.MEDIA:
        window = _window(found, settings, name)
        for inspecting in (True, False):
            opened += _open_attempts(
                db, settings, window, name=name, inspecting=inspecting
            )
    for unit, key in opened:
        attempt = Attempt(storage, unit.job, key)
        attempt.prepare(
            Spec(
                unit.job,
                unit.name,
                unit.step,
                key,
                unit.spec,
                unit.needs,
                unit.queue,
                unit.request,
            )
        )
        hint(settings, unit, key)


def hint(settings: Settings, unit: Unit, key: str) -> None:
    """Tell the media workers of an attempt that is prepared."""
    first = _INSPECT_FIRST if unit.step == INSPECT else 0
    queue.line(settings, QueueName(unit.queue)).send(
        unit.job, key, priority=unit.priority + first
    )


def fail(db: Database, storage: Storage, job: Job, failure: Failure) -> None:
    """End a job for good; the source is kept.

    What had finished is kept for a day when trying again may help, so that a retry
    goes on from there; else the scratch goes at once.
    """
    logger.warning("job %s failed: %s", job.public_id, failure.message)
    jobs.fail(db, job, failure)
    if failure.retry:
        attempts.throw_away_attempts(storage, job.public_id)
    else:
        install.clear_up(db, storage, job, job.public_id)


def _go_on(
    db: Database, storage: Storage, settings: Settings, job: Job, errand: Errand
) -> None:
    if job.paused:
        _withdraw(db, storage, job)
        return
    if job.state is JobState.QUEUED:
        _begin_again(db, storage, job)
    states = units.states(db, job.id)
    if UnitState.FAILED in states.values():
        fail(db, storage, job, units.failure(db, job.id, settings.queue.attempts))
    elif not set(states.values()) - {UnitState.DONE}:
        asset, done = assets.by_id(db, job.asset_id), frozenset(states)
        _next(Due(db, storage, settings, job, asset, done, errand))


def _next(due: Due) -> None:
    """Plan what comes next; when nothing does, install what there is."""
    kind = _KINDS[due.job.kind]
    planned = kind.planned(due)
    if planned:
        transitions.add(due.db, due.job.id, planned)
    elif planned is not None and not due.done:
        jobs.finish(due.db, due.job)
    elif planned is not None:
        kind.install(due)
        ended = jobs.by_public_id(due.db, due.job.public_id)
        if not ended.open:
            install.clear_up(due.db, due.storage, ended, ended.public_id)


def _withdraw(db: Database, storage: Storage, job: Job | None = None) -> None:
    """Take back what was handed out, of a job or all, and nobody has begun."""
    for unit in units.active(db):
        attempt = Attempt(storage, unit.job, unit.attempt_key)
        meant = job is None or unit.job_id == job.id
        idle = unit.state is UnitState.QUEUED and not attempt.claimed
        if meant and idle and attempt.discard():
            transitions.withdraw(db, unit)


def _begin_again(db: Database, storage: Storage, job: Job) -> None:
    """Let what failed wait again in a job that is retried; anew if its scratch went."""
    states = units.states(db, job.id)
    finished = [name for name, state in states.items() if state is UnitState.DONE]
    if all(attempts.done_report(storage, job.public_id, name) for name in finished):
        transitions.try_again(db, job.id)
    else:
        transitions.forget(db, job.id)


def _clear_up(
    db: Database, storage: Storage, job: Job | None, job_public_id: str
) -> None:
    """Throw away the scratch of a job that ended; a failed one keeps its own."""
    if job is None or job.state is not JobState.FAILED:
        install.clear_up(db, storage, job, job_public_id)


def _window(found: list[Node], settings: Settings, name: QueueName) -> int:
    """Return how many units of a queue may be handed out at once."""
    hands = nodes.hands(found, name)
    if not hands and name is QueueName.CPU:
        hands = [nodes.own_slots(settings)]
    return sum(slots + _BEYOND_SLOTS for slots in hands)


def _open_attempts(
    db: Database,
    settings: Settings,
    window: int,
    *,
    name: QueueName,
    inspecting: bool,
) -> list[tuple[Unit, str]]:
    """Move ready units to the window of a queue, all in one transaction."""
    opened: list[tuple[Unit, str]] = []
    if not units.ready(db, min(window, 1), inspecting=inspecting, queue=name):
        return opened
    with write(db):
        busy = [
            unit
            for unit in units.active(db)
            if (unit.step == INSPECT) is inspecting and unit.queue == name
        ]
        room = window - len(busy)
        for unit in units.ready(db, room, inspecting=inspecting, queue=name):
            key = secrets.token_hex(8)
            transitions.hand_out(db, unit.id, key, settings.queue.lease_seconds)
            jobs.start(db, jobs.by_public_id(db, unit.job))
            opened.append((unit, key))
    return opened
