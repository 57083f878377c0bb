"""Brings the rows up to date with what the media workers left in their folders."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from appliance.db import Database, write
from appliance.errors import MatineeError
from appliance.media import transitions, units
from appliance.media.units import Failure, Unit, UnitState
from appliance.settings import Settings
from appliance.storage import Storage
from jobs import attempts, pipeline, queue
from jobs.attempts import Attempt, Heartbeat
from jobs.encoders import fallback, hardware
from jobs.runner import STORAGE_AWAY

# A worker or encoder that is killed is nobody's failure, but one after another is.
_MOST_LOSSES = 20
_HINT_SECONDS = 2.0
# The first losses cost no time; more than these may have a cause that lasts.
_FREE_LOSSES, _LONGEST_PAUSE = 3, 30.0
_NOBODYS_FAILURE = frozenset({"process.killed", STORAGE_AWAY})

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Round:
    """One look at everything that was handed out."""

    db: Database
    storage: Storage
    settings: Settings
    due: set[str] = field(default_factory=set)
    alive: list[tuple[Unit, Heartbeat, str]] = field(default_factory=list)
    unclaimed: list[Unit] = field(default_factory=list)

    @property
    def lease(self) -> int:
        return self.settings.queue.lease_seconds


def settle(db: Database, storage: Storage, settings: Settings) -> set[str]:
    """Accept results, note signs of life, take back what is lost.

    Return the public ids of the jobs that can go on. While the storage is away nothing
    is known of any attempt. Errors: ``PreconditionFailed``.
    """
    storage.require_mounted()
    this = _Round(db, storage, settings)
    for unit in units.active(db):
        try:
            _look(this, unit)
        except (MatineeError, OSError) as error:
            # Its title may be going away; whatever it is, it must not stop the others.
            logger.warning("%s of job %s can't be read: %s", unit.name, unit.job, error)
    if this.alive:
        with write(db):
            for unit, heartbeat, node in this.alive:
                _note(this, unit, heartbeat, node)
    if this.unclaimed:
        _hint_again(this)
    return this.due


def _look(this: _Round, unit: Unit) -> None:
    attempt = Attempt(this.storage, unit.job, unit.attempt_key)
    report = attempt.report()
    if report is not None:
        _end(this, unit, attempt, report)
        return
    if attempt.spec() is None:
        _without_folder(this, unit)
        return
    node = attempt.claimed_by()
    if node is None:
        this.unclaimed.append(unit)
    elif attempt.owner_died or _silent(this, unit, attempt):
        _take_back(this, unit, attempt)
    else:
        this.alive.append((unit, attempt.heartbeat() or Heartbeat(at=""), node))


def _end(this: _Round, unit: Unit, attempt: Attempt, report: dict[str, Any]) -> None:
    """Accept what a worker left at its end: the outputs move before the row does."""
    this.due.add(unit.job)
    node = attempt.claimed_by() or ""
    if report["ok"]:
        this.storage.commit(attempt.place, attempts.done_place(unit.job, unit.name))
        transitions.done(this.db, unit, report["result"], node)
        return
    failure = Failure(**report["error"])
    logger.warning("%s of job %s failed: %s", unit.name, unit.job, failure.message)
    if failure.code in _NOBODYS_FAILURE:
        _lose(this, unit)
    elif failure.code == hardware.CODE:
        fallback.let_another(this.db, this.storage, unit, failure.message, node)
    else:
        tries_left = unit.failures + 1 < this.settings.queue.attempts
        again = 2.0**unit.failures if failure.retry and tries_left else None
        _make_again(this, unit, failure.redo)
        transitions.failed(this.db, unit, failure, again_in=again)
    attempt.throw_away()


def _make_again(this: _Round, unit: Unit, names: Sequence[str]) -> None:
    """Let units that were done wait again, since what they left is damaged.

    The rows change last: whoever is killed before finds the same report again.
    """
    if not names:
        return
    spoiled = {
        each.name: each.spec
        for each in units.of_step(this.db, unit.job_id, "encode")
        if each.name in names
    }
    for name in spoiled:
        this.storage.remove(attempts.done_place(unit.job, name))
    transitions.plan_again(this.db, unit.job_id, spoiled)


def _without_folder(this: _Round, unit: Unit) -> None:
    """Somebody was killed between moving the folder and writing the row."""
    report = attempts.done_report(this.storage, unit.job, unit.name)
    this.due.add(unit.job)
    if report is not None:
        node = attempts.done_by(this.storage, unit.job, unit.name)
        transitions.done(this.db, unit, report["result"], node)
    else:
        transitions.lost(this.db, unit)


def _silent(this: _Round, unit: Unit, attempt: Attempt) -> bool:
    """Say whether the lease ran out without a sign of life since we last looked."""
    if unit.state is UnitState.QUEUED or this.db.now() < unit.lease_until:
        return False
    heartbeat = attempt.heartbeat()
    return (heartbeat.at if heartbeat else "") == unit.heartbeat_at


def _take_back(this: _Round, unit: Unit, attempt: Attempt) -> None:
    if not attempt.discard():
        report = attempt.report()
        assert report is not None
        _end(this, unit, attempt, report)
        return
    logger.warning("%s of job %s lost its worker", unit.name, unit.job)
    _lose(this, unit)


def _lose(this: _Round, unit: Unit) -> None:
    """Let the unit wait for the next attempt, unless it kills everything it meets."""
    this.due.add(unit.job)
    if unit.losses < _MOST_LOSSES:
        more = unit.losses - _FREE_LOSSES
        pause = min(2.0**more, _LONGEST_PAUSE) if more >= 0 else 0
        transitions.lost(this.db, unit, again_in=pause)
        return
    failure = Failure(
        "work.lost",
        f"“{unit.name}” was killed {_MOST_LOSSES + 1} times: look for lack of memory"
        " in the system's log, then try again.",
    )
    transitions.failed(this.db, unit, failure, again_in=None)


def _note(this: _Round, unit: Unit, heartbeat: Heartbeat, node: str) -> None:
    if unit.state is UnitState.RUNNING and heartbeat.at == unit.heartbeat_at:
        return
    transitions.beat(
        this.db,
        unit,
        this.lease,
        heartbeat_at=heartbeat.at,
        progress=heartbeat.progress,
        fps=heartbeat.fps,
        node=node,
    )


def _hint_again(this: _Round) -> None:
    """Repeat hints that got lost with the worker that took them, or with the queue.

    As long as as many hints as units wait, the workers are only busy.
    """
    late = this.db.now(seconds=this.lease - _HINT_SECONDS)
    for name in queue.MEDIA:
        unclaimed = [unit for unit in this.unclaimed if unit.queue == name]
        overdue = [unit for unit in unclaimed if unit.lease_until <= late]
        if not overdue:
            continue
        if queue.line(this.settings, name).waiting() >= len(unclaimed):
            continue
        with write(this.db):
            for unit in overdue:
                transitions.renew(this.db, unit, this.lease)
        for unit in overdue:
            pipeline.hint(this.settings, unit, unit.attempt_key)
