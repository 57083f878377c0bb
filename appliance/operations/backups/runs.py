"""What became of every backup that was made or verified, as rows.

What is kept is what lies in the place of backups; the rows say when it was made and
verified, without asking there. A run that somebody asked for in the Studio waits for
the control worker.
"""

import json
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from appliance.db import Database, Row, write
from appliance.errors import Conflict, MatineeError, NotFound
from appliance.events import Event, record
from appliance.permissions import Action, Actor, check

LAST = "last"
"""What is said in place of a name for the newest backup."""
_INTERRUPTED = "It was interrupted: the process ended before it was done."


class RunKind(StrEnum):
    CREATE = "create"
    VERIFY = "verify"


class RunState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Run:
    """One row; ``name`` is that of the backup, ``facts`` are figures for people."""

    id: int
    public_id: str
    kind: RunKind
    state: RunState
    name: str
    place: str
    asked_by: str
    asked_at: str
    started_at: str | None
    ended_at: str | None
    message: str
    facts: Mapping[str, Any]
    removed_at: str | None

    @property
    def open(self) -> bool:
        return self.state in (RunState.WAITING, RunState.RUNNING)


def ask(db: Database, actor: Actor, kind: RunKind, name: str = "") -> Run:
    """Ask the control worker for a backup, or to verify one.

    Errors: ``Conflict`` while one is waiting or under way, ``Forbidden``, ``NotFound``
    when none of that name is kept.
    """
    with write(db):
        check(actor, Action.SYSTEM_MANAGE)
        if name not in ("", LAST, *(each.name for each in kept(db))):
            raise NotFound("backup.missing", "No backup of that name is kept.")
        if _open(db, kind) is not None:
            raise Conflict(
                "backup.running",
                "That was asked for already: wait until it is done.",
            )
        return _insert(db, actor, kind, RunState.WAITING, name)


def begin(db: Database, actor: Actor, kind: RunKind, place: str, name: str = "") -> Run:
    """Say that a run begins: the one that waits, or another one.

    Only who holds the lock of backups may: what says that it runs was interrupted.
    """
    with write(db):
        check(actor, Action.SYSTEM_MANAGE)
        db.conn.execute(
            """
            update backup_runs set state = 'failed', ended_at = ?, message = ?
            where state = 'running'
            """,
            (db.now(), _INTERRUPTED),
        )
        run = _open(db, kind) or _insert(db, actor, kind, RunState.RUNNING, name)
        db.conn.execute(
            """
            update backup_runs
            set state = 'running', started_at = ?, place = ?, name = ?
            where id = ?
            """,
            (db.now(), place, name, run.id),
        )
        return _by_id(db, run.id)


def done(db: Database, actor: Actor, run: Run, name: str, **facts: object) -> Run:
    """Say that a run ended well."""
    with write(db):
        db.conn.execute(
            """
            update backup_runs set state = 'done', name = ?, ended_at = ?, facts = ?
            where id = ?
            """,
            (name, db.now(), json.dumps(facts), run.id),
        )
        event = _EVENTS[run.kind]
        record(db, actor, event, f"backup/{name}", place=run.place, **facts)
        return _by_id(db, run.id)


def restored(db: Database, name: str, at: str, **facts: object) -> None:
    """Say of the run that is under way in a copy that it made this backup, at ``at``.

    The copy was taken in the middle of it; that it can be restored shows how it ended.
    """
    with write(db):
        db.conn.execute(
            """
            update backup_runs set state = 'done', name = ?, ended_at = ?, facts = ?
            where kind = 'create' and state = 'running'
            """,
            (name, at, json.dumps(facts)),
        )


def failed(db: Database, actor: Actor, run: Run, name: str, error: Exception) -> Run:
    """Say that a run failed, and why."""
    known = isinstance(error, MatineeError)
    sentence = str(error) if known else f"It failed unexpectedly: {error!r}."
    with write(db):
        db.conn.execute(
            """
            update backup_runs set state = 'failed', name = ?, ended_at = ?, message = ?
            where id = ?
            """,
            (name, db.now(), sentence, run.id),
        )
        subject = f"backup/{name or run.public_id}"
        doing = run.kind.value
        record(db, actor, Event.BACKUP_FAIL, subject, doing=doing, message=sentence)
        return _by_id(db, run.id)


def give_up(db: Database, actor: Actor, run: Run, error: Exception) -> None:
    """Say that a run failed before it began, if it did not."""
    with write(db):
        if _by_id(db, run.id).open:
            failed(db, actor, run, run.name, error)


def removed(db: Database, names: Collection[str]) -> None:
    """Say that these backups are kept no more."""
    with write(db):
        db.conn.execute(
            """
            update backup_runs set removed_at = ?
            where removed_at is null and name in (select value from json_each(?))
            """,
            (db.now(), json.dumps(sorted(names))),
        )


def keeps(db: Database, names: Collection[str]) -> None:
    """Bring the rows in line with what lies in the place of backups."""
    gone = {each.name for each in kept(db)} - set(names)
    if gone:
        removed(db, gone)


def waiting(db: Database) -> Run | None:
    """Return what the control worker is asked for, the eldest first."""
    row = db.one("select * from backup_runs where state = 'waiting' order by id")
    return None if row is None else _run(row)


def latest(db: Database, limit: int = 30) -> list[Run]:
    """Return the last runs, the newest first."""
    rows = db.rows("select * from backup_runs order by id desc limit ?", (limit,))
    return [_run(row) for row in rows]


def kept(db: Database) -> list[Run]:
    """Return the backups that are kept, as far as rows know, the newest first."""
    rows = db.rows(
        """
        select * from backup_runs
        where kind = 'create' and state = 'done' and removed_at is null
        order by name desc
        """
    )
    return [_run(row) for row in rows]


def last(db: Database, kind: RunKind, *states: RunState) -> Run | None:
    """Return the last run of a kind that is in one of these states."""
    row = db.one(
        """
        select * from backup_runs
        where kind = ? and state in (select value from json_each(?))
        order by id desc limit 1
        """,
        (kind.value, json.dumps(states)),
    )
    return None if row is None else _run(row)


def verified(db: Database) -> Mapping[str, str]:
    """Return when backups were verified last, by their names."""
    rows = db.rows(
        """
        select name, max(ended_at) as at from backup_runs
        where kind = 'verify' and state = 'done' group by name
        """
    )
    return {row["name"]: row["at"] for row in rows}


def forget_old(db: Database) -> None:
    """Forget runs of a year ago, but for backups that are kept."""
    with write(db):
        db.conn.execute(
            """
            delete from backup_runs
            where ended_at < ? and (kind = 'verify' or removed_at is not null
                or state = 'failed')
            """,
            (db.now(days=-365),),
        )


_EVENTS: Mapping[RunKind, Event] = {
    RunKind.CREATE: Event.BACKUP_CREATE,
    RunKind.VERIFY: Event.BACKUP_VERIFY,
}


def _open(db: Database, kind: RunKind) -> Run | None:
    row = db.one(
        """
        select * from backup_runs
        where kind = ? and state in ('waiting', 'running')
        """,
        (kind.value,),
    )
    return None if row is None else _run(row)


def _insert(
    db: Database, actor: Actor, kind: RunKind, state: RunState, name: str
) -> Run:
    row = {
        "public_id": secrets.token_hex(8),
        "kind": kind.value,
        "state": state.value,
        "name": name,
        "asked_by": actor.username,
        "asked_at": db.now(),
    }
    return _by_id(db, int(db.table("backup_runs").insert(row).last_pk or 0))


def _by_id(db: Database, run_id: int) -> Run:
    row = db.one("select * from backup_runs where id = ?", (run_id,))
    assert row is not None
    return _run(row)


def _run(row: Row) -> Run:
    return Run(
        id=row["id"],
        public_id=row["public_id"],
        kind=RunKind(row["kind"]),
        state=RunState(row["state"]),
        name=row["name"],
        place=row["place"],
        asked_by=row["asked_by"],
        asked_at=row["asked_at"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        message=row["message"],
        facts=json.loads(row["facts"]),
        removed_at=row["removed_at"],
    )
