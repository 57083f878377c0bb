"""Who works with an installation, so that nobody replaces it under them.

Web server, control worker and commands hold a lock together for as long as they live,
which the kernel drops with the process. A restore wants it alone. While a restore is
under way, or was cut short, nothing else begins.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from io import TextIOWrapper
from pathlib import Path

from appliance.errors import Locked, PreconditionFailed

_LOCK = "in-use.lock"
RESTORING = "restoring"
"""The mark, in the folder ``state`` of the home, of a restore that is not done.

Its first line is the command that goes on with it.
"""
STANDBY = "stands-by"
"""The mark of a machine that waits to take over, with the backup that it has."""
FENCED = "fenced"
"""The mark of a machine in whose place another one goes on."""


@dataclass(slots=True)
class Hold:
    """A place among those who use an installation, until it is closed."""

    file: TextIOWrapper = field(repr=False)

    def close(self) -> None:
        self.file.close()


def join(home: Path) -> Hold:
    """Take a place among those who use the installation.

    Errors: ``Locked`` while it is being restored, ``PreconditionFailed`` when that was
    cut short: what lies there is half of this and half of that.
    """
    hold = Hold(_opened(home))
    try:
        fcntl.flock(hold.file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        require_whole(home)
    except BlockingIOError:
        hold.close()
        raise Locked(
            "restore.running",
            f"{home} is being restored from a backup: begin when that is done.",
        ) from None
    except BaseException:
        hold.close()
        raise
    return hold


@contextmanager
def joined(home: Path) -> Iterator[None]:
    """Be among those who use the installation for a while. Errors: as :func:`join`."""
    hold = join(home)
    try:
        yield
    finally:
        hold.close()


@contextmanager
def alone(home: Path) -> Iterator[None]:
    """Have the installation alone.

    Errors: ``Locked`` with the processes that use it.
    """
    with _opened(home) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            users = _users(file)
            raise Locked(
                "restore.live",
                f"{home} is in use{users}: stop what runs there first, as with"
                " `systemctl stop matinee.target`, then try again. Nothing was"
                " changed.",
            ) from None
        yield


def require_whole(home: Path) -> None:
    """Refuse an installation whose restore was cut short, or that was replaced.

    Errors: ``PreconditionFailed`` restore.unfinished, standby.fenced.
    """
    if (home / "state" / FENCED).exists():
        raise PreconditionFailed(
            "standby.fenced",
            "Another machine has taken over from this one: what was written here would"
            " be lost. Say `matinee backup standby --refresh` to make this one the"
            " standby.",
        )
    mark = home / "state" / RESTORING
    with suppress(FileNotFoundError):
        command = mark.read_text(encoding="utf-8").partition("\n")[0]
        raise PreconditionFailed(
            "restore.unfinished",
            f"Restoring {home} was cut short: say `{command}` again, and it goes on.",
        )


def _opened(home: Path) -> TextIOWrapper:
    home.mkdir(parents=True, exist_ok=True)
    path = home / _LOCK
    try:
        file = path.open("a")
    except OSError:
        # A service that only reads may hold the lock as well.
        return path.open("r")
    if os.geteuid() == 0:
        # What root makes with a command, the service must be able to open.
        owner = home.stat()
        os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
    return file


def _users(file: TextIOWrapper) -> str:
    """Return which processes hold the lock, for people; empty where nobody tells."""
    inode = os.fstat(file.fileno()).st_ino
    found = set()
    with suppress(OSError):
        for line in Path("/proc/locks").read_text(encoding="ascii").splitlines():
            parts = line.split()
            if len(parts) > 5 and parts[5].endswith(f":{inode}") and "->" not in parts:
                found.add(parts[4])
    return f" (by process {', '.join(sorted(found))})" if found else ""
