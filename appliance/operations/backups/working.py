"""Where backups are put together and taken apart: one at a time, and aside."""

import errno
import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance.errors import Locked, StorageFull
from appliance.settings import Settings

_LOCK = "backup.lock"


@contextmanager
def only_one(settings: Settings) -> Iterator[None]:
    """Hold the lock of backups. Errors: ``Locked``."""
    folder = settings.home / "state"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Locked(
                "backup.running",
                "A backup is being made, verified or restored: wait until it is done.",
            ) from None
        yield


@contextmanager
def workshop(settings: Settings, name: str) -> Iterator[Path]:
    """Give an empty folder for what is put together, and remove it afterwards.

    Errors: ``StorageFull``.
    """
    folder = settings.home / "state" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    try:
        with explained(folder):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Tell a full disk from other trouble. Errors: ``StorageFull``."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise StorageFull(
            "backup.full",
            f"The disk of {folder.parent} is full: free some room and try again.",
        ) from error
