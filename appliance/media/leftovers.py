"""What may lie in a storage though no track says so: half-made copies, old ones.

A row is written before a copy is begun and in the transaction that lets one go, so
that whoever is killed leaves a note of what to remove.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from appliance.db import Database, write
from appliance.errors import Locked
from appliance.media.tracks import Place
from appliance.objects import Stores
from appliance.settings import Settings

_LOCK = "storage-move.lock"


@contextmanager
def only_one(settings: Settings) -> Iterator[None]:
    """Hold the lock of whoever moves or removes copies. Errors: ``Locked``."""
    with (settings.home / _LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Locked(
                "storage.moving",
                "Something is being moved already: wait until that has ended.",
            ) from error
        yield


def note(db: Database, place: Place, path: str) -> None:
    """Say that files may lie there that no track names."""
    with write(db):
        db.conn.execute(
            "insert into leftovers (place, path) values (?, ?) on conflict do nothing",
            (place.value, path),
        )


def forget(db: Database, place: Place, path: str) -> None:
    """Say that nothing lies there, or that a track names it now."""
    with write(db):
        db.conn.execute(
            "delete from leftovers where place = ? and path = ?", (place.value, path)
        )


def of_path(db: Database, path: str) -> set[Place]:
    """Return where files of a path may lie that no track names."""
    rows = db.rows("select place from leftovers where path = ?", (path,))
    return {Place(row["place"]) for row in rows}


def sweep(db: Database, stores: Stores) -> int:
    """Remove everything that was left, and return how many folders it was.

    Nothing is done while something is being moved. Errors: those of the storages.
    """
    rows = db.rows("select place, path from leftovers order by id")
    if not rows:
        return 0
    try:
        with only_one(stores.settings):
            for row in rows:
                clear(db, stores, Place(row["place"]), row["path"])
    except Locked:
        return 0
    return len(rows)


def clear(db: Database, stores: Stores, place: Place, path: str) -> None:
    """Remove the files of a path at a place, unless a track says they belong there."""
    named = db.value(
        "select 1 from tracks where place = ? and path = ?", (place.value, path)
    )
    if named is None:
        if place is Place.LOCAL:
            stores.storage.remove(path)
        else:
            stores.objects.remove_folder(path)
    forget(db, place, path)
