"""Reports: how far a job is, per step and per rendition, for people who wait."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from appliance.clock import from_text
from appliance.db import Database, Row
from appliance.errors import NotFound
from appliance.media.jobs import OPEN, JobKind, JobState
from appliance.media.units import UnitState
from appliance.permissions import Actor, visible

LABELS: Mapping[str, str] = {
    "inspect": "Inspect",
    "analyse": "Analyse",
    "encode": "Encode",
    "encode-hevc": "Encode HEVC",
    "encode-av1": "Encode AV1",
    "audio": "Sound",
    "text": "Captions",
    "join": "Join",
    "decrypt": "Open",
    "speech": "Recognise speech",
    "package": "Package",
    "thumbnails": "Thumbnails",
    "preview": "Preview",
    "fingerprint": "Listen",
    "verify": "Verify",
}
_BEFORE = ("inspect", "analyse")
# A speed measured over less than this says little about the hours to come.
_LEAST_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Share:
    """How many work units of a step a machine has done, and does now."""

    node: str
    done: int
    running: int


@dataclass(frozen=True, slots=True)
class StepReport:
    """One step with all its work units; ``attempt`` is the highest of theirs.

    Encoding is a step for each codec. ``nodes`` are the machines that are at it now,
    ``shares`` what each has done of it. ``encoder`` is whose circuits encode, and
    ``fallback`` why they are not those that were meant to.
    """

    name: str
    label: str
    state: UnitState
    percent: float
    fps: float | None
    eta_seconds: int | None
    attempt: int
    nodes: tuple[str, ...] = ()
    shares: tuple[Share, ...] = ()
    encoder: str = ""
    fallback: str = ""


@dataclass(frozen=True, slots=True)
class RenditionReport:
    """One quality. Those of a codec are encoded from one decoding, at the same pace."""

    name: str
    width: int
    height: int
    state: UnitState
    percent: float
    fps: float | None
    eta_seconds: int | None


@dataclass(frozen=True, slots=True)
class JobReport:
    """A job as people see it.

    ``percent`` goes to 100 by the weight of the work; ``eta_seconds`` is None until
    the speed is known. ``queue_position`` is given while other jobs go before it. A
    ``paused`` job hands out no more work.
    """

    job: str
    kind: JobKind
    title_slug: str
    title_name: str
    source_name: str
    state: JobState
    paused: bool
    priority: int
    percent: float
    eta_seconds: int | None
    queue_position: int | None
    steps: tuple[StepReport, ...]
    renditions: tuple[RenditionReport, ...]
    error_code: str
    error_message: str
    log_tail: str
    created_at: str
    started_at: str | None
    ended_at: str | None


def report(db: Database, job_public_id: str) -> JobReport:
    """Return how far a job is, else ``NotFound``."""
    found = _reports(db, "j.public_id = :job", {"job": job_public_id}, 1)
    if not found:
        raise NotFound("job.missing", f"There is no job {job_public_id}.")
    return found[0]


def listing(
    db: Database, actor: Actor, *, state: JobState | None = None, limit: int = 50
) -> list[JobReport]:
    """Return the newest jobs of the titles that the actor may see."""
    predicate, params = visible(actor, db.now(), "t")
    if state is not None:
        predicate, params = (
            f"{predicate} and j.state = :state",
            params | {"state": state.value},
        )
    return _reports(db, predicate, params, limit)


def latest_of_title(db: Database, title_id: int) -> JobReport | None:
    """Return the newest job of a title."""
    found = _reports(db, "t.id = :title", {"title": title_id}, 1)
    return found[0] if found else None


def _reports(
    db: Database, predicate: str, params: Mapping[str, object], limit: int
) -> list[JobReport]:
    rows = db.rows(
        f"""
        select j.*, a.source_name, t.slug as title_slug, t.name as title_name,
            (
                select count(*) from jobs ahead
                where ahead.state in ('queued', 'running') and not ahead.paused
                    and (-ahead.priority, ahead.id) < (-j.priority, j.id)
            ) as ahead
        from jobs j
            join assets a on a.id = j.asset_id
            join titles t on t.id = a.title_id
        where {predicate}
        order by j.id desc limit :limit
        """,
        {**params, "limit": limit},
    )
    of_job = _units(db, [row["id"] for row in rows])
    return [_report(row, of_job.get(row["id"], [])) for row in rows]


def _units(db: Database, job_ids: list[int]) -> dict[int, list[Row]]:
    rows = db.rows(
        """
        select job_id, state, weight, progress, fps, attempt, heartbeat_at, node,
            started_at, ended_at,
            -- encode-av1-0007 is a unit of the step encode-av1.
            case when step = 'encode' then rtrim(rtrim(name, '0123456789'), '-')
                else step end as step,
            case when name glob 'encode*-0000' then spec -> '$.renditions' end
                as renditions,
            case when step = 'encode' then spec -> '$.encoder' end as encoder
        from work_units
        where job_id in (select value from json_each(?))
        order by job_id, position, id
        """,
        (json.dumps(job_ids),),
    )
    return {key: list(group) for key, group in groupby(rows, lambda r: r["job_id"])}


def _report(row: Row, units: list[Row]) -> JobReport:
    state = JobState(row["state"])
    steps = tuple(_steps(units, state))
    active = any(unit["state"] in ("queued", "running") for unit in units)
    paused = bool(row["paused"]) and state in OPEN
    waits = state in OPEN and row["ahead"] > 0 and not (active or paused)
    return JobReport(
        job=row["public_id"],
        kind=JobKind(row["kind"]),
        title_slug=row["title_slug"],
        title_name=row["title_name"],
        source_name=row["source_name"],
        state=state,
        paused=paused,
        priority=row["priority"],
        percent=100.0 if state is JobState.DONE else _overall(units),
        eta_seconds=_eta(units) if state in OPEN and not paused else None,
        queue_position=row["ahead"] + 1 if waits else None,
        steps=steps,
        renditions=tuple(_renditions(units, steps)),
        error_code=row["error_code"],
        error_message=row["error_message"],
        log_tail=row["log_tail"],
        created_at=row["created_at"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
    )


def _steps(units: list[Row], job: JobState) -> Iterable[StepReport]:
    names = sorted({unit["step"] for unit in units}, key=_order)
    for name in names:
        of_step = [unit for unit in units if unit["step"] == name]
        speeds = [u["fps"] for u in of_step if u["state"] == "running" and u["fps"]]
        shares, encoder = tuple(_shares(of_step)), _encoder(of_step)
        yield StepReport(
            name=name,
            label=LABELS.get(name, name.capitalize()),
            state=_state(of_step),
            percent=_percent(of_step),
            fps=round(sum(speeds), 1) if speeds else None,
            eta_seconds=_eta(of_step) if job in OPEN else None,
            attempt=max(unit["attempt"] for unit in of_step),
            nodes=tuple(each.node for each in shares if each.running),
            shares=shares,
            encoder=encoder.get("family", ""),
            fallback=encoder.get("fallback", ""),
        )


def _shares(units: list[Row]) -> Iterable[Share]:
    found = Counter((unit["node"], unit["state"]) for unit in units if unit["node"])
    for node in sorted({name for name, _ in found}):
        done, running = found[node, UnitState.DONE], found[node, UnitState.RUNNING]
        if done or running:
            yield Share(node, done, running)


def _encoder(units: list[Row]) -> Mapping[str, str]:
    """Return what encodes a group, as its units were told."""
    told = (json.loads(unit["encoder"] or "null") for unit in units)
    return next(filter(None, told), {})


def _renditions(
    units: list[Row], steps: Iterable[StepReport]
) -> Iterable[RenditionReport]:
    by_name = {step.name: step for step in steps}
    for unit in units:
        planned: list[dict[str, Any]] = json.loads(unit["renditions"] or "[]")
        encode = by_name[unit["step"]]
        for rendition in planned:
            yield RenditionReport(
                name=rendition["name"],
                width=rendition["width"],
                height=rendition["height"],
                state=encode.state,
                percent=encode.percent,
                fps=encode.fps,
                eta_seconds=encode.eta_seconds,
            )


def _order(step: str) -> int:
    known = list(LABELS)
    return known.index(step) if step in known else len(known)


def _state(units: list[Row]) -> UnitState:
    """Return the state of a step: the most telling one of its units."""
    found = {unit["state"] for unit in units}
    for state in (UnitState.FAILED, UnitState.RUNNING, UnitState.CANCELLED):
        if state in found:
            return state
    if found == {UnitState.DONE}:
        return UnitState.DONE
    begun = UnitState.QUEUED in found or UnitState.DONE in found
    return UnitState.QUEUED if begun else UnitState.WAITING


def _overall(units: list[Row]) -> float:
    """Return the share of the job; before the plan is known it has barely begun."""
    planned = any(unit["step"] not in _BEFORE for unit in units)
    return _percent(units) if planned else 0.0


def _percent(units: list[Row]) -> float:
    weight = sum(unit["weight"] for unit in units)
    done = sum(unit["weight"] * unit["progress"] for unit in units)
    return round(100 * done / weight, 1) if weight else 0.0


def _eta(units: list[Row]) -> int | None:
    """Return the seconds left at the speed of what ran, as many at once as run now."""
    begun = [unit for unit in units if _seconds(unit)]
    spent = sum(_seconds(unit) for unit in begun)
    done = float(sum(unit["weight"] * unit["progress"] for unit in begun))
    left = float(sum(unit["weight"] * (1 - unit["progress"]) for unit in units))
    running = len([unit for unit in units if unit["state"] == UnitState.RUNNING])
    if spent < _LEAST_SECONDS or not done or not running:
        return None
    return round(left / (done / spent) / running)


def _seconds(unit: Row) -> float:
    until = unit["ended_at"] or unit["heartbeat_at"]
    if not unit["started_at"] or not until:
        return 0.0
    seconds = from_text(until) - from_text(unit["started_at"])
    return max(0.0, seconds.total_seconds())
