"""How work units move: the only module that changes their rows.

Every transition of an attempt names the attempt it speaks of: a worker that was given
up, and reports after all, finds its key replaced and changes nothing.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from appliance.db import Database, write
from appliance.media.units import Failure, Unit, UnitState


class Planned(Protocol):
    """What the plan says of a unit that does not exist yet."""

    @property
    def name(self) -> str: ...
    @property
    def step(self) -> str: ...
    @property
    def needs(self) -> tuple[str, ...]: ...
    @property
    def weight(self) -> float: ...
    @property
    def spec(self) -> dict[str, Any]: ...
    @property
    def position(self) -> int: ...
    @property
    def queue(self) -> str: ...


def add(db: Database, job_id: int, planned: Iterable[Planned]) -> None:
    """Write units that wait; one that has been written already is left alone."""
    with write(db):
        db.conn.executemany(
            """
            insert or ignore into work_units
                (job_id, name, step, position, weight, needs, spec, queue)
            values (?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                (
                    job_id,
                    each.name,
                    each.step,
                    each.position,
                    each.weight,
                    json.dumps(each.needs),
                    json.dumps(each.spec),
                    each.queue,
                )
                for each in planned
            ],
        )


def hand_out(db: Database, unit_id: int, key: str, lease_seconds: float) -> bool:
    """Open a new attempt of a waiting unit under ``key``."""
    return _moved(
        db,
        """
        update work_units
        set state = 'queued', attempt = attempt + 1, attempt_key = ?,
            queued_at = ?, lease_until = ?, heartbeat_at = null, started_at = null,
            ended_at = null, progress = 0, fps = null, node = ''
        where id = ? and state = 'waiting'
        """,
        (key, db.now(), db.now(seconds=lease_seconds), unit_id),
    )


def renew(db: Database, unit: Unit, lease_seconds: float) -> bool:
    """Lengthen the lease of a unit that nobody has claimed yet."""
    return _moved(
        db,
        f"update work_units set lease_until = ? {_SAME_ATTEMPT}",
        (db.now(seconds=lease_seconds), unit.id, unit.attempt_key),
    )


def beat(
    db: Database,
    unit: Unit,
    lease_seconds: float,
    *,
    heartbeat_at: str,
    progress: float,
    fps: float | None,
    node: str = "",
) -> bool:
    """Note a sign of life of the attempt; the first one makes the unit running.

    ``node`` is the machine that has claimed it, by the name people know.
    """
    return _moved(
        db,
        f"""
        update work_units
        set state = 'running', started_at = coalesce(started_at, ?),
            lease_until = ?, heartbeat_at = ?, progress = ?, fps = ?, node = ?
        {_SAME_ATTEMPT}
        """,
        (
            db.now(),
            db.now(seconds=lease_seconds),
            heartbeat_at,
            progress,
            fps,
            node,
            unit.id,
            unit.attempt_key,
        ),
    )


def done(db: Database, unit: Unit, report: dict[str, Any], node: str = "") -> bool:
    """Accept the result of the attempt; ``node`` is the machine that it is from.

    One that ended within a moment was never seen to run.
    """
    return _moved(
        db,
        f"""
        update work_units
        set state = 'done', progress = 1, result = ?, ended_at = ?,
            started_at = coalesce(started_at, queued_at), lease_until = null,
            node = coalesce(nullif(?, ''), node),
            error_code = '', error_message = '', log_tail = ''
        {_SAME_ATTEMPT}
        """,
        (json.dumps(report), db.now(), node, unit.id, unit.attempt_key),
    )


def lost(db: Database, unit: Unit, *, again_in: float = 0) -> bool:
    """Take the unit back from a worker that died; it waits for the next attempt.

    That comes after ``again_in`` seconds: what kills one after another shall not do so
    without a pause.
    """
    return _moved(
        db,
        f"""
        update work_units
        set state = 'waiting', attempt_key = null, lease_until = ?,
            heartbeat_at = null, started_at = null, progress = 0, fps = null
        {_SAME_ATTEMPT}
        """,
        (
            db.now(seconds=again_in) if again_in else None,
            unit.id,
            unit.attempt_key,
        ),
    )


def withdraw(db: Database, unit: Unit) -> bool:
    """Take back what nobody has claimed, as if it had never been handed out."""
    return _moved(
        db,
        f"""
        update work_units
        set state = 'waiting', attempt = attempt - 1, attempt_key = null,
            lease_until = null
        {_SAME_ATTEMPT}
        """,
        (unit.id, unit.attempt_key),
    )


def failed(
    db: Database, unit: Unit, failure: Failure, *, again_in: float | None
) -> bool:
    """Count a failure; try again after ``again_in`` seconds, or never when None."""
    return _moved(
        db,
        f"""
        update work_units
        set state = ?, failures = failures + 1, attempt_key = null, lease_until = ?,
            ended_at = ?, progress = 0, fps = null,
            error_code = ?, error_message = ?, log_tail = ?
        {_SAME_ATTEMPT}
        """,
        (
            UnitState.FAILED if again_in is None else UnitState.WAITING,
            None if again_in is None else db.now(seconds=again_in),
            db.now(),
            failure.code,
            failure.message,
            failure.log_tail,
            unit.id,
            unit.attempt_key,
        ),
    )


def cancel_rest(db: Database, job_id: int) -> None:
    """Cancel what has not ended of a job that ends now."""
    with write(db):
        db.conn.execute(
            """
            update work_units
            set state = 'cancelled', attempt_key = null, lease_until = null,
                ended_at = ?
            where job_id = ? and state in ('waiting', 'queued', 'running')
            """,
            (db.now(), job_id),
        )


def try_again(db: Database, job_id: int) -> None:
    """Let what failed or was cancelled wait again, as if it had never been tried."""
    with write(db):
        db.conn.execute(
            """
            update work_units
            set state = 'waiting', attempt = 0, failures = 0, attempt_key = null,
                lease_until = null, heartbeat_at = null, progress = 0, fps = null,
                queued_at = null, started_at = null, ended_at = null,
                error_code = '', error_message = '', log_tail = ''
            where job_id = ? and state in ('failed', 'cancelled')
            """,
            (job_id,),
        )


def plan_again(db: Database, job_id: int, specs: Mapping[str, dict[str, Any]]) -> None:
    """Let finished units wait again, with other specs, as if never tried."""
    with write(db):
        db.conn.executemany(
            """
            update work_units
            set spec = ?, state = 'waiting', attempt = 0, failures = 0,
                attempt_key = null, lease_until = null, heartbeat_at = null,
                progress = 0, fps = null, result = null, queued_at = null,
                started_at = null, ended_at = null
            where job_id = ? and name = ? and state = 'done'
            """,
            [(json.dumps(spec), job_id, name) for name, spec in specs.items()],
        )


def elsewhere(
    db: Database, job_id: int, specs: Mapping[str, dict[str, Any]], queue: str
) -> None:
    """Let units wait again for other hands, as if never tried, finished ones too."""
    with write(db):
        db.conn.executemany(
            """
            update work_units
            set spec = ?, queue = ?, state = 'waiting', attempt = 0, failures = 0,
                attempt_key = null, lease_until = null, heartbeat_at = null,
                progress = 0, fps = null, result = null, queued_at = null,
                started_at = null, ended_at = null, node = '',
                error_code = '', error_message = '', log_tail = ''
            where job_id = ? and name = ? and state != 'cancelled'
            """,
            [(json.dumps(spec), queue, job_id, name) for name, spec in specs.items()],
        )


def forget(db: Database, job_id: int) -> None:
    """Remove every unit of a job that starts anew."""
    with write(db):
        db.conn.execute("delete from work_units where job_id = ?", (job_id,))


def slim(db: Database, job_id: int) -> None:
    """Drop what nobody reads after the job: results that became tracks, and specs.

    Of hundreds of chunks of a codec the first goes on telling which renditions there
    are, and what encoded them.
    """
    with write(db):
        db.conn.execute(
            """
            update work_units
            set result = case when step = 'verify' then result end,
                spec = case
                    when name glob 'encode*-0000'
                    then json_object(
                        'renditions', spec -> '$.renditions',
                        'encoder', spec -> '$.encoder'
                    )
                    else '{}'
                end
            where job_id = ?
            """,
            (job_id,),
        )


_SAME_ATTEMPT = "where id = ? and attempt_key = ? and state in ('queued', 'running')"


def _moved(db: Database, sql: str, params: tuple[Any, ...]) -> bool:
    with write(db):
        return db.conn.execute(sql, params).rowcount == 1
