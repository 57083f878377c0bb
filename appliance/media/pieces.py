"""The work units of a job, one by one, for who looks for the slow or the lost one."""

from dataclasses import dataclass

from appliance.clock import from_text
from appliance.db import Database, Row
from appliance.media.units import UnitState


@dataclass(frozen=True, slots=True)
class Piece:
    """One work unit; ``node`` is the machine that did it, does it, or last tried.

    ``seconds`` is how long its last attempt took, None while it has not ended.
    ``attempt`` counts how often it was handed out, ``failures`` how often it failed.
    """

    name: str
    step: str
    state: UnitState
    node: str
    seconds: float | None
    attempt: int
    failures: int
    error_message: str


def of_job(db: Database, job: str) -> list[Piece]:
    """Return the work units of a job, in the order in which they are handed out."""
    rows = db.rows(
        """
        select u.name, u.step, u.state, u.node, u.started_at, u.ended_at, u.attempt,
            u.failures, u.error_message
        from work_units u join jobs j on j.id = u.job_id
        where j.public_id = ?
        order by u.position, u.id
        """,
        (job,),
    )
    return [_piece(row) for row in rows]


def _piece(row: Row) -> Piece:
    began, ended = row.pop("started_at"), row.pop("ended_at")
    seconds = None
    if began and ended:
        seconds = round((from_text(ended) - from_text(began)).total_seconds(), 1)
    return Piece(**row | {"state": UnitState(row["state"]), "seconds": seconds})
