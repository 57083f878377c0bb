"""Quick copies of the database on this machine: what an upgrade or a restore undoes by.

They are no backups: they lie on the same disk, without keys, configuration and files.
"""

import os
import re
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from appliance.clock import Clock, SystemClock
from appliance.errors import InvalidInput, NotFound, PreconditionFailed, StorageFull
from appliance.keyring import sync_folder
from appliance.settings import Settings

KEPT = 5
_SPARE_BYTES = 64 * 1024 * 1024
_REASON = re.compile(r"[a-z0-9][a-z0-9.-]{0,60}", re.ASCII)
_ASIDE = ".being-made"


def snapshot(settings: Settings, reason: str, clock: Clock | None = None) -> Path:
    """Copy the database as it is now, while others write to it, and return the copy.

    ``reason`` becomes part of its name, as ``before-1.4.0``. The last five are kept.
    Errors: ``StorageFull``, ``PreconditionFailed`` without a database.
    """
    if not _REASON.fullmatch(reason):
        raise InvalidInput("snapshot.reason", f"“{reason}” can’t be part of a name.")
    now = (clock or SystemClock()).now().strftime("%Y%m%dT%H%M%S%fZ")
    made = folder(settings) / f"{now}-{reason}.db"
    copy_live(settings.database, made)
    for each in listing(settings)[KEPT:]:
        each.unlink(missing_ok=True)
    return made


def folder(settings: Settings) -> Path:
    """Return where snapshots lie."""
    return settings.home / "state" / "snapshots"


def listing(settings: Settings) -> list[Path]:
    """Return the snapshots there are, the newest first."""
    return sorted(folder(settings).glob("*.db"), reverse=True)


def put_back(settings: Settings, copy: Path) -> None:
    """Put a snapshot in the place of the database; nothing may have it open.

    The log beside the database goes first: SQLite would replay it over the copy. Done
    again after a power cut, it ends as it should. Errors: ``NotFound``,
    ``PreconditionFailed`` for a file that is no whole database, ``StorageFull``.
    """
    if not copy.is_file():
        raise NotFound("snapshot.missing", f"There is no snapshot {copy}.")
    require_whole(copy)
    require_room(settings.database.parent, copy.stat().st_size)
    aside = settings.database.with_name(f".{settings.database.name}{_ASIDE}")
    shutil.copyfile(copy, aside)
    put_in_place(aside, settings.database)


def put_in_place(ready: Path, database: Path) -> None:
    """Rename a whole database of the same file system into place."""
    ready.chmod(0o600)
    _sync(ready)
    for suffix in ("-wal", "-shm", "-journal"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)
    forget_copies(database)
    sync_folder(database.parent)
    ready.replace(database)
    sync_folder(database.parent)


def forget_copies(database: Path) -> None:
    """Drop what Litestream remembers of a database: another one takes its place."""
    remembered = database.with_name(f".{database.name}-litestream")
    shutil.rmtree(remembered, ignore_errors=True)


def copy_live(database: Path, target: Path, *, lasting: bool = True) -> None:
    """Write a whole copy of a database that others use to ``target``, or nothing.

    Writers go on meanwhile: the copy is of the moment when it began. One that is not
    ``lasting`` need not outlive a power cut, and nobody waits for the disk.
    Errors: ``StorageFull``, ``PreconditionFailed``.
    """
    if not database.is_file():
        raise PreconditionFailed(
            "database.missing", f"There is no database {database}: nothing to copy."
        )
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    require_room(target.parent, database.stat().st_size)
    aside = target.with_name(f".{target.name}{_ASIDE}")
    aside.unlink(missing_ok=True)
    os.close(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        _vacuum(database, aside)
        if lasting:
            _sync(aside)
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)
    if lasting:
        sync_folder(target.parent)


def require_whole(path: Path, *, keys: bool = True) -> None:
    """Refuse a database that is damaged, or whose foreign keys lead nowhere.

    Errors: ``PreconditionFailed`` database.damaged.
    """
    wrong = "it is no database"
    with suppress(sqlite3.DatabaseError), closing(_open(path)) as database:
        found = database.execute("pragma integrity_check(1)").fetchone()[0]
        lost = database.execute("pragma foreign_key_check").fetchone() if keys else None
        if found == "ok" and lost is None:
            return
        wrong = f"a row of {lost[0]} belongs to nothing" if lost else found
    raise PreconditionFailed(
        "database.damaged", f"{path} is damaged: {wrong}. Use another one."
    )


def require_room(place: Path, size: int) -> None:
    """Refuse with ``StorageFull`` where so many bytes would not fit."""
    free = shutil.disk_usage(place).free
    if free < size + _SPARE_BYTES:
        raise StorageFull(
            "backup.full",
            f"{size // 1_000_000 + 1} MB are needed in {place}, and"
            f" {free // 1_000_000} MB are free: free some room and try again.",
        )


def _vacuum(database: Path, target: Path) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as source:
        source.execute("pragma busy_timeout = 10000")
        try:
            # It only reads; when the copy is on the disk is ours to see to.
            source.execute("pragma synchronous = off")
            source.execute("vacuum into ?", (str(target),))
        except sqlite3.DatabaseError as error:
            raise _explained(error, database, target) from error


def _explained(error: sqlite3.DatabaseError, database: Path, target: Path) -> Exception:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return StorageFull(
            "backup.full",
            f"The disk of {target.parent} is full: free some room and try again."
            " Nothing was left there.",
        )
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return PreconditionFailed(
            "database.damaged",
            f"The database {database} is damaged: restore the last backup.",
        )
    return error


def _open(path: Path) -> sqlite3.Connection:
    """Open a copy that nobody uses, without leaving anything beside it."""
    return sqlite3.connect(f"{path.resolve().as_uri()}?immutable=1", uri=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
