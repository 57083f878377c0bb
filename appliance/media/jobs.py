"""Jobs: the work on one asset, from its source to an installed package."""

import json
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from appliance import trail
from appliance.catalog import states
from appliance.db import Database, Row, write
from appliance.errors import Conflict, NotFound
from appliance.events import Event, record
from appliance.media import assets, transitions
from appliance.media.units import Failure
from appliance.permissions import SYSTEM, Action, Actor, check


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class JobKind(StrEnum):
    """What a job is for."""

    INGEST = "ingest"
    REENCRYPT = "reencrypt"
    SUPPLEMENT = "supplement"
    REPLACE = "replace"
    CAPTIONS = "captions"
    QUALITY = "quality"


OPEN = frozenset({JobState.QUEUED, JobState.RUNNING})
# What makes or changes the pictures and sounds of an asset: one such job at a time.
MAKING = frozenset(
    {JobKind.INGEST, JobKind.REENCRYPT, JobKind.SUPPLEMENT, JobKind.REPLACE}
)


@dataclass(frozen=True, slots=True)
class Job:
    """One row; the error is what a person reads when the job failed.

    ``request`` says what is wanted of the kind; a ``paused`` job hands out no work.
    """

    id: int
    public_id: str
    asset_id: int
    kind: JobKind
    state: JobState
    priority: int
    publish_when_done: bool
    error_code: str
    error_message: str
    log_tail: str
    created_at: str
    started_at: str | None
    ended_at: str | None
    paused: bool = False
    request: Mapping[str, Any] = field(default_factory=dict)

    @property
    def open(self) -> bool:
        return self.state in OPEN


def by_public_id(db: Database, public_id: str) -> Job:
    """Return the job, else ``NotFound``."""
    row = db.one("select * from jobs where public_id = ?", (public_id,))
    if row is None:
        raise NotFound("job.missing", f"There is no job {public_id}.")
    return _job(row)


def find(db: Database, public_id: str) -> Job | None:
    """Return the job, or None when it was removed with its title."""
    row = db.one("select * from jobs where public_id = ?", (public_id,))
    return None if row is None else _job(row)


def latest_of_asset(db: Database, asset_id: int) -> Job | None:
    """Return the newest job of an asset."""
    row = db.one(
        "select * from jobs where asset_id = ? order by id desc limit 1", (asset_id,)
    )
    return None if row is None else _job(row)


def open_of_asset(db: Database, asset_id: int) -> Job | None:
    """Return the job that works on an asset now, if there is one."""
    row = db.one(
        """
        select * from jobs
        where asset_id = ? and state in ('queued', 'running')
        order by id limit 1
        """,
        (asset_id,),
    )
    return None if row is None else _job(row)


def making(
    db: Database, asset_id: int, kinds: Collection[JobKind] = MAKING
) -> Job | None:
    """Return the job of some kinds that works on an asset now.

    Without ``kinds`` the one that makes or changes its pictures and sounds.
    """
    row = db.one(
        """
        select * from jobs
        where asset_id = ? and state in ('queued', 'running')
            and kind in (select value from json_each(?))
        order by id limit 1
        """,
        (asset_id, json.dumps(sorted(kinds))),
    )
    return None if row is None else _job(row)


def refuse_second(db: Database, asset_id: int) -> None:
    """Refuse when another job changes the film already. Errors: ``Conflict``."""
    other = making(db, asset_id)
    if other is not None:
        raise Conflict(
            "job.busy",
            f"Job {other.public_id} ({other.kind}) works on this film: wait until it"
            " has ended, or cancel it.",
            {"job": other.public_id},
        )


def outcome(db: Database, since: str) -> tuple[int, int]:
    """Return how many jobs failed since a moment, and how many ended at all."""
    row = db.one(
        """
        select coalesce(sum(state = 'failed'), 0) as failed, count(*) as ended
        from jobs where state in ('failed', 'done') and ended_at >= ?
        """,
        (since,),
    )
    assert row is not None
    return row["failed"], row["ended"]


def unfinished(db: Database) -> list[str]:
    """Return the public ids of open jobs, in the order in which they are worked on."""
    rows = db.rows(
        """
        select public_id from jobs
        where state in ('queued', 'running')
        order by priority desc, id
        """
    )
    return [row["public_id"] for row in rows]


def create(
    db: Database,
    actor: Actor,
    asset_id: int,
    *,
    kind: JobKind = JobKind.INGEST,
    request: Mapping[str, Any] | None = None,
    priority: int = 0,
    publish: bool = False,
) -> Job:
    """Write a job for an asset; a draft shows that it is being worked on.

    ``request`` says what is wanted of the kind. The caller wakes the control worker.
    Errors: ``Forbidden``; ``Conflict`` while another job changes the same film.
    """
    public_id = secrets.token_hex(8)
    with write(db):
        asset = assets.by_id(db, asset_id)
        states.start_processing(db, actor, asset.title_id)
        if kind in MAKING:
            refuse_second(db, asset_id)
        row = {
            "public_id": public_id,
            "asset_id": asset_id,
            "kind": kind.value,
            "priority": priority,
            "publish_when_done": publish,
            "request": json.dumps(dict(request or {})),
            "created_at": db.now(),
            "asked_by_request": trail.request(),
        }
        db.table("jobs").insert(row)
        record(
            db,
            actor,
            Event.JOB_CREATE,
            f"job/{public_id}",
            asset=asset.public_id,
            kind=kind.value,
            source=asset.source_name,
        )
        return by_public_id(db, public_id)


def publish_when_done(db: Database, asset_id: int, wanted: bool) -> None:
    """Change what becomes of the title when the asset's job has ended well."""
    with write(db):
        db.conn.execute(
            """
            update jobs set publish_when_done = ?
            where asset_id = ? and state in ('queued', 'running')
            """,
            (wanted, asset_id),
        )


def note(db: Database, job: Job, **said: Any) -> None:
    """Keep something with what is wanted of a job, for whoever goes on with it."""
    with write(db):
        db.conn.execute(
            "update jobs set request = json_patch(request, ?) where id = ?",
            (json.dumps(said), job.id),
        )


def start(db: Database, job: Job) -> None:
    """Note that the first work unit was handed out."""
    with write(db):
        db.conn.execute(
            """
            update jobs set state = 'running', started_at = coalesce(started_at, ?)
            where id = ? and state = 'queued'
            """,
            (db.now(), job.id),
        )
        assets.processing(db, job.asset_id)


def finish(db: Database, job: Job) -> None:
    """Note that the job ended well."""
    with write(db):
        _end(db, job, JobState.DONE)
        record(db, SYSTEM, Event.JOB_FINISH, f"job/{job.public_id}")


def fail(db: Database, job: Job, failure: Failure) -> None:
    """End a job for good: the rest is cancelled, the title goes back to a draft."""
    with write(db):
        if not by_public_id(db, job.public_id).open:
            return
        _end(db, job, JobState.FAILED, failure)
        _give_up(db, job)
        record(
            db,
            SYSTEM,
            Event.JOB_FAIL,
            f"job/{job.public_id}",
            code=failure.code,
            message=failure.message,
        )


def cancel(db: Database, actor: Actor, job_public_id: str) -> Job:
    """Stop a job; its source is kept. Errors: ``Conflict`` when it has ended.

    The caller wakes the control worker, which stops the processes.
    """
    check(actor, Action.JOB_CONTROL)
    with write(db):
        job = by_public_id(db, job_public_id)
        if not job.open:
            raise Conflict("job.ended", f"This job has ended: it is {job.state}.")
        _end(db, job, JobState.CANCELLED)
        _give_up(db, job)
        record(db, actor, Event.JOB_CANCEL, f"job/{job.public_id}")
        return by_public_id(db, job_public_id)


def retry(db: Database, actor: Actor, job_public_id: str) -> Job:
    """Try a failed or cancelled job again; what had finished is not done twice.

    The caller wakes the control worker, which sees what there is to go on from.
    Errors: ``Conflict``, also when the source is gone or another job is at the film.
    """
    check(actor, Action.JOB_CONTROL)
    with write(db):
        job = by_public_id(db, job_public_id)
        if job.state not in (JobState.FAILED, JobState.CANCELLED):
            raise Conflict(
                "job.not-failed", f"Only a failed job is retried: this is {job.state}."
            )
        if job.kind in MAKING:
            refuse_second(db, job.asset_id)
        if job.kind in (JobKind.INGEST, JobKind.SUPPLEMENT):
            assets.require_source(assets.by_id(db, job.asset_id))
        db.conn.execute(
            """
            update jobs
            set state = 'queued', started_at = null, ended_at = null, paused = 0,
                error_code = '', error_message = '', log_tail = ''
            where id = ?
            """,
            (job.id,),
        )
        states.start_processing(db, SYSTEM, assets.by_id(db, job.asset_id).title_id)
        record(db, actor, Event.JOB_RETRY, f"job/{job.public_id}")
        return by_public_id(db, job_public_id)


def _give_up(db: Database, job: Job) -> None:
    transitions.cancel_rest(db, job.id)
    assets.failed(db, job.asset_id)
    title_id = assets.by_id(db, job.asset_id).title_id
    states.processing_failed(db, SYSTEM, title_id)


def _end(
    db: Database, job: Job, state: JobState, failure: Failure | None = None
) -> None:
    db.conn.execute(
        """
        update jobs
        set state = ?, ended_at = ?, error_code = ?, error_message = ?, log_tail = ?
        where id = ? and state in ('queued', 'running')
        """,
        (
            state.value,
            db.now(),
            failure.code if failure else "",
            failure.message if failure else "",
            failure.log_tail if failure else "",
            job.id,
        ),
    )


def _job(row: Row) -> Job:
    return Job(
        id=row["id"],
        public_id=row["public_id"],
        asset_id=row["asset_id"],
        kind=JobKind(row["kind"]),
        state=JobState(row["state"]),
        priority=row["priority"],
        publish_when_done=bool(row["publish_when_done"]),
        error_code=row["error_code"],
        error_message=row["error_message"],
        log_tail=row["log_tail"],
        created_at=row["created_at"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        paused=bool(row["paused"]),
        request=json.loads(row["request"]),
    )
