"""What comes next: decided here, from the rows, and nowhere else.

:func:`advance` looks at one job and plans, installs or ends it. :func:`hand_out` then
looks at all: it gives ready units to the queue, but only a few more than the media
workers have hands, so that a job of higher priority does not wait behind hundreds of
hints.
"""

import logging
import secrets

from appliance.db import Database, write
from appliance.errors import MatineeError, TryAgain
from appliance.media import assets, jobs, transitions, units
from appliance.media.assets import Asset
from appliance.media.jobs import Job, JobKind, JobState
from appliance.media.units import Failure, Unit, UnitState
from appliance.settings import Settings
from appliance.storage import Storage
from jobs import attempts, install, nodes, plan, protection, queue, reencrypt
from jobs.attempts import Attempt, Spec
from jobs.errands import Errand, ErrandFailed, at_once
from jobs.plan import NewUnit
from jobs.queue import QueueName

INSPECT = "inspect"
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
        tail = str(error.details.get("log_tail", ""))
        fail(db, storage, job, Failure(error.code, error.message, False, tail))


def hand_out(db: Database, storage: Storage, settings: Settings) -> None:
    """Give ready units to the queue: higher priority, older job, earlier position."""
    hands = nodes.slots(storage, db.clock.now().timestamp())
    window = sum(
        slots + _BEYOND_SLOTS for slots in hands or [nodes.own_slots(settings)]
    )
    for inspecting in (True, False):
        opened = _open_attempts(db, settings, window, inspecting=inspecting)
        for unit, key in opened:
            attempt = Attempt(storage, unit.job, key)
            attempt.prepare(Spec(unit.job, unit.name, unit.step, key, unit.spec))
            hint(settings, unit, key)


def hint(settings: Settings, unit: Unit, key: str) -> None:
    """Tell the media workers of an attempt that is prepared."""
    first = _INSPECT_FIRST if unit.step == INSPECT else 0
    queue.line(settings, QueueName.CPU).send(
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
    if job.state is JobState.QUEUED:
        _begin_again(db, storage, job)
    states = units.states(db, job.id)
    asset = assets.by_id(db, job.asset_id)
    if UnitState.FAILED in states.values():
        fail(db, storage, job, units.failure(db, job.id, settings.queue.attempts))
    elif set(states.values()) - {UnitState.DONE}:
        return
    elif not states and job.kind is JobKind.INGEST:
        transitions.add(db, job.id, plan.first(asset))
    elif not states:
        _plan(db, job, reencrypt.planned(db, settings, job, asset, errand))
    elif set(states) == {INSPECT}:
        _plan_film(db, settings, job, asset, errand)
    elif protection.as_wished(db, settings, job, asset):
        install.install(db, storage, settings, job)
    else:
        _package_again(db, storage, settings, job, asset, errand)


def _plan(db: Database, job: Job, planned: list[NewUnit] | None) -> None:
    """Write the units, once it is known what they are; without any nothing is due."""
    if planned:
        transitions.add(db, job.id, planned)
    elif planned is not None:
        jobs.finish(db, job)


def _plan_film(
    db: Database, settings: Settings, job: Job, asset: Asset, errand: Errand
) -> None:
    facts = units.result(db, job.id, INSPECT) or {}
    heights = [each.height for each in plan.renditions(facts)]
    needed = protection.labels(heights, sound=bool(facts["sounds"]))
    keys = protection.spec(db, settings, job, asset, needed, errand)
    if keys is None:
        return
    with write(db):
        assets.inspected(db, asset.id, facts, facts.get("sha256"))
        planned = plan.after_inspect(asset, facts, settings, keys.encryption)
        transitions.add(db, job.id, planned)


def _package_again(
    db: Database,
    storage: Storage,
    settings: Settings,
    job: Job,
    asset: Asset,
    errand: Errand,
) -> None:
    """Package otherwise: somebody changed their mind about the title meanwhile."""
    package = units.spec(db, job.id, "package")
    heights = [each["height"] for each in package["video"]]
    needed = protection.labels(heights, sound=bool(package["audio"]))
    keys = protection.spec(db, settings, job, asset, needed, errand)
    if keys is None:
        return
    names = ("package", "verify")
    for name in names:
        storage.remove(attempts.done_place(job.public_id, name))
    specs = {
        name: units.spec(db, job.id, name) | {"encryption": keys.encryption}
        for name in names
    }
    transitions.plan_again(db, job.id, specs)


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


def _open_attempts(
    db: Database, settings: Settings, window: int, *, inspecting: bool
) -> list[tuple[Unit, str]]:
    """Move ready units to the queue's window, all in one transaction."""
    opened: list[tuple[Unit, str]] = []
    if not units.ready(db, 1, inspecting=inspecting):
        return opened
    with write(db):
        busy = [u for u in units.active(db) if (u.step == INSPECT) is inspecting]
        for unit in units.ready(db, window - len(busy), inspecting=inspecting):
            key = secrets.token_hex(8)
            transitions.hand_out(db, unit.id, key, settings.queue.lease_seconds)
            jobs.start(db, jobs.by_public_id(db, unit.job))
            opened.append((unit, key))
    return opened
