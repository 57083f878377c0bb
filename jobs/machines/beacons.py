"""Files by which a process shows others that it lives, also those on other machines.

On one machine a lock tells at once that its process has died. Elsewhere only its
silence does: the file is written anew every few seconds. Whether two processes can see
each other's locks depends on the kernel and on the mounted file system, not on what the
machine is called; so both stand in the file.
"""

import fcntl
import json
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache, lru_cache
from io import TextIOWrapper
from pathlib import Path
from typing import Any


class Life(StrEnum):
    """What the file says of its process; of one elsewhere it says nothing."""

    HERE = "here"
    DEAD = "dead"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True)
class Seen:
    """A beacon as it was found; ``at`` is when, by the clock of the storage."""

    document: dict[str, Any]
    at: float
    life: Life


@dataclass(slots=True)
class Beacon:
    """The file of this process."""

    path: Path
    _file: TextIOWrapper | None = field(default=None)

    def show(self, document: dict[str, Any]) -> None:
        """Write the file anew, locked before it gets its name. Errors: ``OSError``."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        aside = self.path.with_suffix(f".{secrets.token_hex(4)}")
        file = aside.open("w", encoding="utf-8")
        try:
            place = locked(file.fileno(), str(self.path.parent))
            told = {**document, "place": place}
            json.dump(told, file)
            file.flush()
            aside.replace(self.path)
        except BaseException:
            file.close()
            with suppress(OSError):
                aside.unlink(missing_ok=True)
            raise
        self._let_go()
        self._file = file

    def close(self, *, remove: bool) -> None:
        """End showing it; a file that is kept tells of a process that has died."""
        if remove:
            with suppress(OSError):
                self.path.unlink(missing_ok=True)
        self._let_go()

    def _let_go(self) -> None:
        if self._file is not None:
            # On a share that went away even closing is an error.
            with suppress(OSError):
                self._file.close()
            self._file = None


def look(path: Path) -> Seen | None:
    """Return what a beacon shows, or None when there is none. Errors: ``OSError``."""
    try:
        with path.open(encoding="utf-8") as file:
            document = json.load(file)
            at = os.fstat(file.fileno()).st_mtime
            life = life_of(str(document.get("place", "")), file.fileno())
    except (FileNotFoundError, ValueError):  # torn by a power cut: as if not there
        return None
    return Seen(document, at, life)


def locked(handle: int, folder: str) -> str:
    """Lock a file as long as this process lives; return what others need to see it.

    ``folder`` is where it lies. Empty where locks do not show: the file system has
    none, or loses them when a file gets another name.
    """
    try:
        if not _locks_show(os.fstat(handle).st_dev, folder):
            return ""
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return ""
    return _place(handle)


def life_of(place: str, handle: int) -> Life:
    """Say of the process that locked the open file whether it lives."""
    if not place or place != _place(handle):
        return Life.ELSEWHERE
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return Life.HERE
    except OSError:
        return Life.ELSEWHERE
    return Life.DEAD


@lru_cache(maxsize=16)
def _locks_show(_device: int, folder: str) -> bool:
    """Try whether a locked file is seen to be locked under each of its names."""
    first = Path(folder, f".lock.{secrets.token_hex(4)}")
    second, third = first.with_suffix(".second"), first.with_suffix(".third")
    try:
        with first.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.link(first, second)
            first.rename(third)
            return _is_locked(second) and _is_locked(third)
    finally:
        for path in (first, second, third):
            with suppress(OSError):
                path.unlink(missing_ok=True)


def _is_locked(path: Path) -> bool:
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _place(handle: int) -> str:
    return f"{_boot()}/{os.fstat(handle).st_dev}"


@cache
def _boot() -> str:
    """Return what tells this running kernel, whose locks we can see, from others."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
