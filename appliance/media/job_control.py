"""Holding a job, letting it go on, and letting it go before others."""

from appliance.db import Database, write
from appliance.errors import Conflict, InvalidInput
from appliance.events import Event, record
from appliance.media import jobs
from appliance.media.jobs import Job
from appliance.permissions import Action, Actor, check

LEAST_PRIORITY, MOST_PRIORITY = -100, 100


def pause(db: Database, actor: Actor, job_public_id: str) -> Job:
    """Let a job hand out no more work; what runs already ends first.

    The caller wakes the control worker. Errors: ``NotFound``, ``Forbidden``,
    ``Conflict`` when it has ended or is paused.
    """
    return _held(db, actor, job_public_id, Event.JOB_PAUSE, paused=True)


def resume(db: Database, actor: Actor, job_public_id: str) -> Job:
    """Let a paused job go on. The caller wakes the control worker.

    Errors: ``NotFound``, ``Forbidden``, ``Conflict`` when it is not paused.
    """
    return _held(db, actor, job_public_id, Event.JOB_RESUME, paused=False)


def prioritise(db: Database, actor: Actor, job_public_id: str, priority: int) -> Job:
    """Let a job go before those of lower priority; the usual one is 0.

    What has been handed out already is not taken back.
    Errors: ``NotFound``, ``Forbidden``, ``InvalidInput``, ``Conflict``.
    """
    check(actor, Action.JOB_CONTROL)
    if not LEAST_PRIORITY <= priority <= MOST_PRIORITY:
        raise InvalidInput(
            "job.priority",
            f"A priority lies between {LEAST_PRIORITY} and {MOST_PRIORITY}.",
            {"field": "priority"},
        )
    with write(db):
        job = _open(db, job_public_id)
        db.conn.execute("update jobs set priority = ? where id = ?", (priority, job.id))
        record(
            db,
            actor,
            Event.JOB_PRIORITY,
            f"job/{job.public_id}",
            before=job.priority,
            after=priority,
        )
        return jobs.by_public_id(db, job_public_id)


def _held(
    db: Database, actor: Actor, job_public_id: str, event: Event, *, paused: bool
) -> Job:
    check(actor, Action.JOB_CONTROL)
    with write(db):
        job = _open(db, job_public_id)
        if job.paused is paused:
            raise Conflict(
                "job.paused" if paused else "job.not-paused",
                "This job is paused already." if paused else "This job is not paused.",
            )
        db.conn.execute("update jobs set paused = ? where id = ?", (paused, job.id))
        record(db, actor, event, f"job/{job.public_id}")
        return jobs.by_public_id(db, job_public_id)


def _open(db: Database, job_public_id: str) -> Job:
    job = jobs.by_public_id(db, job_public_id)
    if not job.open:
        raise Conflict("job.ended", f"This job has ended: it is {job.state}.")
    return job
