"""Figures that are read when somebody asks: from rows, disks and other processes.

Each reading is a few looks at an index. One that fails leaves its figures out, and the
others are told.
"""

import logging
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import appliance
from appliance.clock import from_text
from appliance.counts import Series, series
from appliance.db import Database
from appliance.errors import MatineeError
from appliance.operations import health
from appliance.operations.backups import runs
from appliance.operations.backups.runs import RunKind, RunState
from appliance.operations.certificates import place
from appliance.room import Room
from jobs import control
from jobs.encoders import degrading
from jobs.machines import nodes
from web import context, door
from web.context import Installation
from web.monitoring.families import HEARTBEATS, LICENCES

Found = Iterator[tuple[Series, float]]

_SYSTEMS = ("clearkey", "widevine", "playready", "fairplay")
_HEARTBEAT = "api.heartbeat"
_NODE_STATES = ("idle", "working", "draining", "drained", "waiting", "refused", "lost")

logger = logging.getLogger("matinee.monitoring")


def derived(counted: Mapping[Series, float]) -> Found:
    """Yield what follows from the requests that were counted."""
    granted: dict[Series, float] = {}
    for (name, labels), value in counted.items():
        if name != door.REQUESTS:
            continue
        told = dict(labels)
        view, status = told["view"], told["status"]
        what = None
        if view == _HEARTBEAT:
            what = series(HEARTBEATS, status=status)
        elif view.startswith("licence.") and view[8:] in _SYSTEMS:
            what = series(LICENCES, system=view[8:], outcome=_outcome(status))
        if what is not None:
            granted[what] = granted.get(what, 0.0) + value
    yield from granted.items()


def measured(here: Installation) -> Found:
    """Yield what is true now."""
    yield series("matinee_build_info", version=appliance.__version__), 1.0
    for reading in _READINGS:
        yield from _guarded(reading, here)
    yield from _of_rows()


def _guarded(reading: Callable[[Installation], Found], here: Installation) -> Found:
    try:
        yield from list(reading(here))
    except (MatineeError, OSError, ValueError) as error:
        logger.warning("%s: %s", reading.__name__.lstrip("_"), error)


def _outcome(status: str) -> str:
    return {"2": "granted", "4": "refused"}.get(status[:1], "failed")


def _disks(here: Installation) -> Found:
    rooms = {
        "films": here.storage.room(),
        "home": Room.of(here.settings.home),
        "temporary": Room.of(Path(tempfile.gettempdir())),
    }
    for disk, room in rooms.items():
        yield series("matinee_disk_free_bytes", disk=disk), room.free
        yield series("matinee_disk_size_bytes", disk=disk), room.size
    pressure = rooms["films"].pressure(here.settings.disk)
    yield series("matinee_disk_pressure"), pressure


def _files(here: Installation) -> Found:
    for name, end in (("database", ""), ("wal", "-wal")):
        path = here.database.with_name(f"{here.database.name}{end}")
        size = path.stat().st_size if path.exists() else 0
        yield series("matinee_database_bytes", file=name), size


def _machines(here: Installation) -> Found:
    now = here.clock.now().timestamp()
    states = [node.state for node in nodes.listing(here.storage, now)]
    for state in _NODE_STATES:
        yield series("matinee_nodes", state=state), states.count(state)
    lame = degrading.sentences(here.storage, now)
    yield series("matinee_encoders_degraded"), len(lame)


def _control(here: Installation) -> Found:
    yield series("matinee_control_worker_up"), control.alive(here.settings)


def _certificate(here: Installation) -> Found:
    if here.settings.nginx.tls_certificate:
        ends = place.described(place.of(here.settings)).ends
        left = (ends - here.clock.now()).total_seconds() / 86400
        yield series("matinee_certificate_days"), round(left, 2)


def _findings(here: Installation) -> Found:
    told = health.read(here.settings)
    if told is None:
        return
    for level in ("ok", "warn", "fail"):
        count = sum(each.level == level for each in told.findings)
        yield series("matinee_findings", level=level), count
    for each in told.findings:
        if each.level != "ok":
            weight = 2.0 if each.level == "fail" else 1.0
            yield series("matinee_finding", check=each.id), weight
    age = here.clock.now() - from_text(told.at)
    yield series("matinee_findings_age_seconds"), round(age.total_seconds(), 1)


_READINGS: tuple[Callable[[Installation], Found], ...] = (
    *(_disks, _files, _machines, _control, _certificate, _findings),
)


def _of_rows() -> Found:
    try:
        db = context.db()
        found = [each for reading in _TABLES for each in reading(db)]
    except (MatineeError, sqlite3.Error) as error:
        logger.warning("the database can't be read: %s", error)
        found = []
    yield series("matinee_database_up"), bool(found)
    yield from found


def _playing(db: Database) -> Found:
    rows = db.rows(
        """
        select coalesce(nullif(state, ''), 'opened') as state, count(*) as many,
            coalesce(sum(json_extract(quality, '$.bandwidth')), 0) as bandwidth
        from playback_sessions
        where ended_at is null and expires_at >= ?
        group by 1
        """,
        (db.now(),),
    )
    counts = {row["state"]: row["many"] for row in rows}
    for state in ("opened", "playing", "paused", "buffering", "ended"):
        yield series("matinee_playback_sessions", state=state), counts.get(state, 0)
    bandwidth = sum(row["bandwidth"] for row in rows) / 8
    yield series("matinee_playback_bandwidth_bytes"), bandwidth


def _arriving(db: Database) -> Found:
    sent = db.value("select count(*) from uploads where state = 'receiving'")
    yield series("matinee_uploads", origin="sent"), sent
    fetched = "select count(*) from fetches where state in ('waiting', 'running')"
    yield series("matinee_uploads", origin="fetched"), db.value(fetched)


def _jobs(db: Database) -> Found:
    counts = _counted(db, "select state, count(*) as many from jobs group by state")
    for state in ("queued", "running", "done", "failed", "cancelled"):
        yield series("matinee_jobs", state=state), counts.get(state, 0)
    # Of those that are done there are millions.
    states = ("waiting", "queued", "running", "failed")
    for state in states:
        sql = "select count(*) from work_units where state = ?"
        yield series("matinee_units", state=state), db.value(sql, (state,))


def _queues(db: Database) -> Found:
    now = from_text(db.now())
    waiting = {
        row["queue"]: row
        for row in db.rows(
            """
            select queue, count(*) as many, min(queued_at) as oldest
            from work_units where state = 'queued' group by queue
            """
        )
    }
    running = {
        row["queue"]: row["pickup"]
        for row in db.rows(
            """
            select queue, avg(
                (julianday(started_at) - julianday(queued_at)) * 86400
            ) as pickup
            from work_units where state = 'running' group by queue
            """
        )
    }
    for queue in ("cpu", "gpu", "speech"):
        row = waiting.get(queue)
        oldest = (now - from_text(row["oldest"])).total_seconds() if row else 0.0
        many = row["many"] if row else 0
        yield series("matinee_queue_units", queue=queue), many
        yield series("matinee_queue_oldest_seconds", queue=queue), round(oldest, 3)
        pickup = max(0.0, running.get(queue) or 0.0)
        yield series("matinee_queue_pickup_seconds", queue=queue), round(pickup, 3)


def _kept(db: Database) -> Found:
    for kind in RunKind:
        run = runs.last(db, kind, RunState.DONE)
        if run is not None and run.ended_at:
            age = from_text(db.now()) - from_text(run.ended_at)
            what = series("matinee_backup_age_seconds", kind=kind.value)
            yield what, round(age.total_seconds())


def _told(db: Database) -> Found:
    raised = _counted(
        db,
        """
        select level as state, count(*) as many from alerts
        where cleared_at is null and raised_at is not null group by level
        """,
    )
    for level in ("warn", "fail"):
        yield series("matinee_alerts", level=level), raised.get(level, 0)
    for kind, table in (("mail", "mails"), ("webhook", "webhook_deliveries")):
        sql = f"select count(*) from {table} where state = 'waiting'"
        yield series("matinee_messages_waiting", kind=kind), db.value(sql)


def _sign_ins(db: Database) -> Found:
    sql = "select coalesce(sum(failures), 0) from sign_in_failures"
    yield series("matinee_sign_in_failures"), db.value(sql)


_TABLES: tuple[Callable[[Database], Found], ...] = (
    *(_playing, _arriving, _jobs, _queues, _kept, _told, _sign_ins),
)


def _counted(db: Database, sql: str) -> dict[str, int]:
    return {row["state"]: row["many"] for row in db.rows(sql)}
