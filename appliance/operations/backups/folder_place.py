"""Backups in a folder: of a disk of this machine, or one that a file server shares."""

import errno
import json
import os
import secrets
import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import NotFound, PreconditionFailed, StorageFull
from appliance.keyring import sync_folder
from appliance.operations.backups import manifest
from appliance.operations.backups.manifest import Entry
from appliance.operations.backups.places import MARK, Bundle

_FILES = "files"
_MAKING = ".making-"
_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True, slots=True)
class FolderPlace:
    """A folder with a folder for each backup, and one for the files that they share."""

    root: Path

    @property
    def name(self) -> str:
        return str(self.root)

    def owner(self) -> str:
        with self._reached():
            try:
                found = json.loads((self.root / MARK).read_text(encoding="utf-8"))
                return str(found["installation"])
            except FileNotFoundError:
                return ""
            except (ValueError, KeyError, TypeError):
                raise PreconditionFailed(
                    "backup.place-damaged",
                    f"{self.root / MARK} is damaged: use another folder.",
                ) from None

    def claim(self, installation: str) -> None:
        text = json.dumps({"installation": installation})
        with self._reached():
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            aside = self.root / f".{MARK}.{secrets.token_hex(4)}"
            aside.write_text(text, encoding="utf-8")
            aside.replace(self.root / MARK)
            sync_folder(self.root)

    def names(self) -> list[str]:
        with self._reached():
            if not self.root.is_dir():
                return []
            return sorted(
                each.name
                for each in self.root.iterdir()
                if manifest.is_name(each.name) and (each / manifest.FILE).is_file()
            )

    def fetch(self, name: str, part: str, target: Path) -> None:
        source = self.root / manifest.require_name(name) / part
        if not source.is_file():
            raise NotFound(
                "backup.missing", f"There is no {part} of {name} in {self.name}."
            )
        with self._reached():
            _copied(source, target)

    def take(self, root: Path, files: Sequence[Entry]) -> list[Entry]:
        with self._reached():
            self._drop_half_made()
            return [each for each in files if self._taken(root, each)]

    def keep(self, bundle: Bundle) -> None:
        with self._reached():
            aside = self.root / f"{_MAKING}{bundle.name}"
            try:
                aside.mkdir(mode=0o700)
                for part in (*manifest.PARTS, manifest.FILE):
                    _copied(bundle.folder / part, aside / part)
                aside.rename(self.root / bundle.name)
            except BaseException:
                shutil.rmtree(aside, ignore_errors=True)
                raise
            sync_folder(self.root)

    def missing(self, name: str, files: Sequence[Entry]) -> list[Entry]:  # noqa: ARG002
        with self._reached():
            return [
                each for each in files if not _is(self._file(each.sha256), each.bytes)
            ]

    def fetch_files(
        self,
        name: str,  # noqa: ARG002 - the backups share their files
        files: Sequence[Entry],
        work: Path,  # noqa: ARG002 - they can be read where they are
    ) -> Iterator[tuple[Entry, Path]]:
        for each in files:
            yield each, self._file(each.sha256)

    def remove(self, names: Collection[str]) -> None:
        with self._reached():
            for name in names:
                # Out of sight at once, so that nobody sees half of it.
                gone = self.root / f"{_MAKING}{manifest.require_name(name)}"
                (self.root / name).rename(gone)
                shutil.rmtree(gone)

    def sweep(self, wanted: Collection[str]) -> None:
        with self._reached():
            for each in (self.root / _FILES).glob("*/*"):
                if each.name not in wanted:
                    each.unlink(missing_ok=True)

    def _taken(self, root: Path, each: Entry) -> bool:
        target = self._file(each.sha256)
        if not _is(target, each.bytes):
            if not (root / each.path).is_file():
                return False
            _copied(root / each.path, target)
        return True

    def _file(self, sha256: str) -> Path:
        return self.root / _FILES / sha256[:2] / sha256

    def _drop_half_made(self) -> None:
        for each in self.root.glob(f"{_MAKING}*"):
            shutil.rmtree(each)

    @contextmanager
    def _reached(self) -> Iterator[None]:
        """Explain what the disk or share refuses."""
        try:
            yield
        except OSError as error:
            if error.errno in _FULL:
                raise StorageFull(
                    "backup.full",
                    f"The disk of {self.root} is full: free some room, or keep fewer"
                    " backups (backup.keep_daily). No half of a backup was left.",
                ) from error
            raise PreconditionFailed(
                "backup.place",
                f"{error.filename or self.root} can’t be used for backups"
                f" ({error.strerror}): see to its disk, share and mode, and try again.",
            ) from error


def _is(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except FileNotFoundError:
        return False


def _copied(source: Path, target: Path) -> None:
    """Copy a file so that it appears whole, and stays after a power cut."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with source.open("rb") as reader, aside.open("xb") as writer:
            os.fchmod(writer.fileno(), 0o600)
            shutil.copyfileobj(reader, writer, 1024 * 1024)
            writer.flush()
            os.fsync(writer.fileno())
        aside.replace(target)
    finally:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
