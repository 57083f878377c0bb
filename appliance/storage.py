"""Files: every path comes from here, and none leaves its root.

A file or a folder appears whole: it is written aside on the same file system,
synced, and renamed into place.
"""

import errno
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance.errors import (
    InvalidInput,
    NotFound,
    PreconditionFailed,
    StorageFull,
)
from appliance.host_sections import Disk
from appliance.mounted import Mounted
from appliance.room import Pressure, Room

# File systems without them, and those that span disks.
_NO_LINKS = (errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK)
_SPARE_BYTES = 64 * 1024 * 1024
# What a share whose server is gone, or a disk that died, answers to everything.
_AWAY = frozenset(
    {
        errno.EIO,
        errno.ENODEV,
        errno.ENOTCONN,
        errno.EHOSTDOWN,
        errno.ESTALE,
        errno.ETIMEDOUT,
        errno.EROFS,
    }
)


class Storage:
    """A folder tree that holds sources, packages, artwork and scratch.

    With the ``home`` of the installation it knows the disk or share that it is on, and
    writes nothing while that is not mounted: every method that writes refuses with
    ``PreconditionFailed`` then.
    """

    def __init__(self, root: Path, home: Path | None = None) -> None:
        self.root = root.resolve()
        self._mounted = Mounted(self.root, home)

    def require_mounted(self) -> None:
        """Refuse while the disk or share is away; a new one is marked as ours.

        For whoever writes below the root without a method of this class.
        """
        self._mounted.require()

    def path(self, relative: str | Path) -> Path:
        """Return the absolute path of ``relative`` inside the root.

        Errors: ``InvalidInput`` for an absolute path, a ``..``, a NUL, or a link that
        leads out of the root.
        """
        text = str(relative)
        candidate = Path(text)
        if "\0" in text or candidate.is_absolute() or ".." in candidate.parts:
            raise InvalidInput("storage.outside", "That path leaves the storage.")
        full = self.root / candidate
        if not full.resolve().is_relative_to(self.root):
            raise InvalidInput("storage.outside", "That path leaves the storage.")
        return full

    def existing(self, relative: str | Path) -> Path:
        """Return the absolute path of something that is there, else ``NotFound``."""
        full = self.path(relative)
        # Of a share whose server is gone even the question is an error to `Path`.
        if not os.path.exists(full):  # noqa: PTH110
            self.require_mounted()
            raise NotFound("storage.missing", f"{relative} is not in the storage.")
        return full

    def put(self, source: Path, relative: str | Path) -> Path:
        """Move the file ``source`` in whole; across file systems copy, sync, rename.

        ``source`` is gone afterwards, and untouched on any error.
        Errors: ``StorageFull``.
        """
        target = self.path(relative)
        with self._writing(target):
            try:
                source.rename(target)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                self._copy_in(source, target)
                source.unlink()
            _sync_folder(target.parent)
        return target

    def copy(
        self,
        source: Path,
        relative: str | Path,
        see: Callable[[bytes], object] | None = None,
    ) -> Path:
        """Copy the file ``source`` in whole and leave it where it is.

        ``see`` is shown every block on its way, to count or to hash it.
        """
        target = self.path(relative)
        with self._writing(target):
            self._copy_in(source, target, see)
            _sync_folder(target.parent)
        return target

    def write(self, relative: str | Path, data: bytes) -> Path:
        """Write a small file so that it appears whole, over an older one if any."""
        return self.receive([data], relative)

    def receive(self, blocks: Iterable[bytes], relative: str | Path) -> Path:
        """Write what comes in blocks so that it appears whole, or not at all."""
        target = self.path(relative)
        with self._writing(target), self._aside(target) as aside:
            with aside.open("wb") as file:
                for block in blocks:
                    file.write(block)
                file.flush()
                os.fsync(file.fileno())
            aside.replace(target)
        return target

    def commit(self, source: str | Path, target: str | Path) -> Path:
        """Rename a finished file or folder inside the storage into its place.

        Doing it again after it has worked changes nothing, so that a caller that was
        killed in between may repeat it. Errors: ``NotFound`` when neither is there.
        """
        old, new = self.path(source), self.path(target)
        if new.exists() and not old.exists():
            return new
        if not old.exists():
            self.require_mounted()
            raise NotFound("storage.missing", f"{source} is not in the storage.")
        with self._writing(new):
            if new.is_dir():
                self.remove(target)
            old.replace(new)
            _sync_folder(new.parent)
        return new

    def link(self, source: str | Path, target: str | Path) -> Path:
        """Give a finished file of the storage a second name; copy where none can be.

        Neither may be written to any more. Doing it again changes nothing.
        """
        old, new = self.existing(source), self.path(target)
        with self._writing(new):
            try:
                os.link(old, new)
            except FileExistsError:
                return new
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                return self.copy(old, target)
            _sync_folder(new.parent)
        return new

    def remove(self, relative: str | Path) -> None:
        """Remove a file or a folder; one that is not there is removed already."""
        full = self.path(relative)
        if full == self.root:
            raise InvalidInput("storage.root", "The storage itself is not removed.")
        if full.is_dir() and not full.is_symlink():
            shutil.rmtree(full, ignore_errors=False)
        else:
            full.unlink(missing_ok=True)

    def free_bytes(self) -> int:
        """Return how many bytes the file system of the root has left."""
        self.require_mounted()
        self.root.mkdir(parents=True, exist_ok=True)
        return shutil.disk_usage(self.root).free

    def total_bytes(self) -> int:
        """Return how many bytes the file system of the root has in all."""
        self.require_mounted()
        return shutil.disk_usage(self.root).total

    def room(self) -> Room:
        """Return how full the disk of the root is."""
        self.require_mounted()
        self.root.mkdir(parents=True, exist_ok=True)
        return Room.of(self.root)

    def pressure(self, marks: Disk) -> Pressure:
        """Return what the disk of the root is too full for."""
        return self.room().pressure(marks)

    def require_takes(self, marks: Disk, size: int = 0) -> None:
        """Refuse with ``StorageFull`` a film that would fill the disk too far."""
        self.room().require(marks, size)

    def require_room(self, size: int) -> None:
        """Refuse with ``StorageFull`` when ``size`` bytes would not fit."""
        free = self.free_bytes()
        if free < size + _SPARE_BYTES:
            raise StorageFull(
                "storage.full",
                f"{_megabytes(size)} MB are needed and {_megabytes(free)} MB are free"
                f" in {self.root}: free some room and try again.",
            )

    def _copy_in(
        self,
        source: Path,
        target: Path,
        see: Callable[[bytes], object] | None = None,
    ) -> None:
        with self._aside(target) as aside:
            with source.open("rb") as reader, aside.open("wb") as writer:
                while block := reader.read(1024 * 1024):
                    writer.write(block)
                    if see is not None:
                        see(block)
                writer.flush()
                os.fsync(writer.fileno())
            aside.replace(target)

    @contextmanager
    def _writing(self, target: Path) -> Iterator[None]:
        """Make the folder of ``target`` and explain what a disk may refuse."""
        self.require_mounted()
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            yield
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise StorageFull(
                    "storage.full",
                    f"The disk that holds {target.parent} is full:"
                    " free some room and try again.",
                ) from error
            if error.errno in _AWAY:
                raise PreconditionFailed(
                    "storage.away",
                    f"The storage {self.root} cannot be written ({error.strerror}): see"
                    " to its disk or share, and try again.",
                ) from error
            raise

    @contextmanager
    def _aside(self, target: Path) -> Iterator[Path]:
        aside = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
        try:
            yield aside
        finally:
            aside.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _megabytes(size: int) -> int:
    return round(size / 1_000_000)
