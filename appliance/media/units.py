"""Work units: the smallest pieces of a job, each claimed, retried and resumed alone."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from appliance.db import Database, Row


class UnitState(StrEnum):
    WAITING = "waiting"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Unit:
    """One row with the public id and priority of its job.

    ``attempt`` counts how often it was handed out, ``failures`` how often it failed;
    the difference is what was lost to dying workers. ``queue`` is whose hands it needs,
    ``node`` the machine that has claimed it, ``request`` what the job was asked by.
    """

    id: int
    job_id: int
    job: str
    priority: int
    name: str
    step: str
    weight: float
    spec: dict[str, Any]
    state: UnitState
    attempt: int
    failures: int
    attempt_key: str
    lease_until: str
    heartbeat_at: str
    progress: float
    fps: float | None
    queue: str = "cpu"
    node: str = ""
    needs: tuple[str, ...] = ()
    request: str = ""

    @property
    def losses(self) -> int:
        return self.attempt - self.failures - 1


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a unit failed; ``retry`` says whether another attempt may help.

    ``redo`` names units whose outputs it found damaged.
    """

    code: str
    message: str
    retry: bool = True
    log_tail: str = ""
    redo: Sequence[str] = ()


_SELECT = """
    select u.*, j.public_id as job, j.priority, j.asked_by_request
    from work_units u join jobs j on j.id = u.job_id
"""


def active(db: Database) -> list[Unit]:
    """Return what has been handed out and has not ended."""
    rows = db.rows(f"{_SELECT} where u.state in ('queued', 'running') order by u.id")
    return [_unit(row) for row in rows]


def taken_up(db: Database) -> tuple[str, int]:
    """Return since when the oldest unit lies handed out, and how many are running."""
    row = db.one(
        """
        select
            coalesce(min(case state when 'queued' then queued_at end), '') as since,
            coalesce(sum(state = 'running'), 0) as running
        from work_units where state in ('queued', 'running')
        """
    )
    assert row is not None
    return row["since"], row["running"]


def ready(
    db: Database, limit: int, *, inspecting: bool, queue: str = "cpu"
) -> list[Unit]:
    """Return units whose needs are done, in the order in which they are handed out.

    ``inspecting`` asks for the first look at new sources, else for all other steps.
    Of a paused job nothing is ready.
    """
    if limit <= 0:
        return []
    rows = db.rows(
        f"""
        {_SELECT}
        where u.state = 'waiting'
            and u.queue = :queue
            and (u.step = 'inspect') = :inspecting
            and j.state in ('queued', 'running')
            and j.paused = 0
            and (u.lease_until is null or u.lease_until <= :now)
            and not exists (
                select 1 from json_each(u.needs) need
                where not exists (
                    select 1 from work_units other
                    where other.job_id = u.job_id
                        and other.name = need.value
                        and other.state = 'done'
                )
            )
        order by j.priority desc, j.id, u.position, u.id
        limit :limit
        """,
        {
            "inspecting": inspecting,
            "queue": queue,
            "now": db.now(),
            "limit": limit,
        },
    )
    return [_unit(row) for row in rows]


def of_step(db: Database, job_id: int, step: str) -> list[Unit]:
    """Return the units of a job that do the same, in their order."""
    rows = db.rows(
        f"{_SELECT} where u.job_id = ? and u.step = ? order by u.position, u.id",
        (job_id, step),
    )
    return [_unit(row) for row in rows]


def waiting_for(db: Database, queue: str) -> list[Unit]:
    """Return what nobody has begun of what needs the hands of a queue."""
    rows = db.rows(
        f"""
        {_SELECT}
        where u.queue = ?
            and u.state in ('waiting', 'queued')
            and j.state in ('queued', 'running')
        order by u.id
        """,
        (queue,),
    )
    return [_unit(row) for row in rows]


@dataclass(frozen=True, slots=True)
class Line:
    """How many units of jobs that go on wait for the hands of a queue, or have them.

    ``later`` wait for other units of their job first.
    """

    queue: str
    running: int
    ready: int
    later: int


def lines(db: Database) -> list[Line]:
    """Return how long the line of each queue is; one where nobody stands is left out.

    What is ready is handed out a few at a time: the queue itself knows less.
    """
    rows = db.rows(
        """
        select u.queue, sum(u.state = 'running') as running, sum(u.state = 'queued')
            + sum(u.state = 'waiting' and not blocked) as ready,
            sum(u.state = 'waiting' and blocked) as later
        from (
            select *, exists (
                select 1 from json_each(w.needs) need
                join work_units other
                    on other.job_id = w.job_id and other.name = need.value
                where other.state != 'done'
            ) as blocked
            from work_units w
            where w.state in ('waiting', 'queued', 'running')
        ) u
        join jobs j on j.id = u.job_id
        where j.state in ('queued', 'running') and j.paused = 0
        group by u.queue order by u.queue
        """
    )
    return [Line(**row) for row in rows]


def unbegun(db: Database, job: str = "") -> list[Unit]:
    """Return what nobody has begun of jobs that go on, or of one by its public id."""
    rows = db.rows(
        f"""
        {_SELECT}
        where u.state in ('waiting', 'queued')
            and j.state in ('queued', 'running')
            and j.paused = 0
            and :job in ('', j.public_id)
        order by u.id
        """,
        {"job": job},
    )
    return [_unit(row) for row in rows]


def states(db: Database, job_id: int) -> dict[str, UnitState]:
    """Return the state of every unit of a job by its name."""
    rows = db.rows("select name, state from work_units where job_id = ?", (job_id,))
    return {row["name"]: UnitState(row["state"]) for row in rows}


def spec(db: Database, job_id: int, name: str) -> dict[str, Any]:
    """Return what a unit was told; empty when the job has no such unit."""
    text = db.value(
        "select spec from work_units where job_id = ? and name = ?", (job_id, name)
    )
    loaded: dict[str, Any] = json.loads(text) if text else {}
    return loaded


def result(db: Database, job_id: int, name: str) -> dict[str, Any] | None:
    """Return what a finished unit reported, or None while it has not finished."""
    text = db.value(
        """
        select result from work_units
        where job_id = ? and name = ? and state = 'done'
        """,
        (job_id, name),
    )
    loaded: dict[str, Any] | None = json.loads(text) if text else None
    return loaded


def results_of_step(db: Database, job_id: int, step: str) -> list[dict[str, Any]]:
    """Return what the finished units of a step reported, in their order."""
    rows = db.rows(
        """
        select result from work_units
        where job_id = ? and step = ? and state = 'done' and result is not null
        order by position, id
        """,
        (job_id, step),
    )
    return [json.loads(row["result"]) for row in rows]


def failure(db: Database, job_id: int, attempts: int) -> Failure:
    """Return why a unit of the job failed for good, as the error of the job.

    ``retry`` says that it failed ``attempts`` times and might yet work.
    """
    row = db.one(
        """
        select * from work_units where job_id = ? and state = 'failed'
        order by ended_at, id limit 1
        """,
        (job_id,),
    )
    assert row is not None
    return Failure(
        row["error_code"],
        row["error_message"],
        row["failures"] >= attempts,
        row["log_tail"],
    )


def _unit(row: Row) -> Unit:
    return Unit(
        id=row["id"],
        job_id=row["job_id"],
        job=row["job"],
        priority=row["priority"],
        name=row["name"],
        step=row["step"],
        weight=row["weight"],
        spec=json.loads(row["spec"]),
        state=UnitState(row["state"]),
        attempt=row["attempt"],
        failures=row["failures"],
        attempt_key=row["attempt_key"] or "",
        lease_until=row["lease_until"] or "",
        heartbeat_at=row["heartbeat_at"] or "",
        progress=row["progress"],
        fps=row["fps"],
        queue=row["queue"],
        node=row["node"],
        needs=tuple(json.loads(row["needs"])),
        request=row["asked_by_request"],
    )
