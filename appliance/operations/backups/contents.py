"""What goes with a backup besides the database: files of the storage, and secrets.

Pictures and captions always do; sources and what was made of them as ``backup.media``
says. What lies in the object storage is not copied: it is not on this machine.
"""

import io
import json
import os
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.db import Database
from appliance.errors import StorageFull
from appliance.operations.backups import manifest, recovery
from appliance.operations.backups.manifest import Entry
from appliance.operations.backups.sealed import damaged
from appliance.settings import Settings
from appliance.storage import Storage

_ALWAYS = ("artwork", "portraits", "brand")
_BY_POLICY: Mapping[str, tuple[str, ...]] = {
    "none": (),
    "sources": ("sources",),
    "all": ("sources", "packages"),
}
_DIGESTS = "backup-digests.json"
_LARGEST_SECRETS = 64 * 1024 * 1024
_ANSWERS = "answers.yml"
_KEYS, _CONFIGURATION = "keys", "configuration"


@dataclass(frozen=True, slots=True)
class Collected:
    """The files that go with a backup; see :class:`manifest.Manifest`."""

    files: tuple[Entry, ...]
    elsewhere: int
    lost: int

    @property
    def bytes(self) -> int:
        return sum(each.bytes for each in self.files)


@dataclass(frozen=True, slots=True)
class Secrets:
    """What a backup holds sealed: keys and configuration, by file name."""

    keys: Mapping[str, bytes]
    configuration: Mapping[str, bytes]

    def __repr__(self) -> str:
        return f"Secrets({', '.join((*self.keys, *self.configuration))})"


def collect(db: Database, settings: Settings, storage: Storage) -> Collected:
    """Find the files that go with the rows of ``db``, which is a copy at rest.

    A file that was hashed for the backup before is not read again.
    """
    storage.require_mounted()
    known = _Digests.load(settings)
    folders = [*_ALWAYS, *_BY_POLICY[settings.backup.media]]
    lost = 0
    if "packages" not in folders:
        captions = _captions(db)
        present = [each for each in captions if storage.path(each).is_dir()]
        folders += present
        lost = len(captions) - len(present)
    files = tuple(
        entry
        for folder in folders
        for path in _walked(storage.path(folder))
        if (entry := known.entry(path, storage.root)) is not None
    )
    known.save(settings, {each.path for each in files})
    elsewhere = db.value("select count(*) from tracks where place = 'objects'")
    return Collected(files, elsewhere, lost)


def secrets_of(settings: Settings) -> Secrets:
    """Read the keys, and the configuration that this machine was set up with."""
    given = os.environ.get("CREDENTIALS_DIRECTORY")
    folders = [Path(given)] if given else []
    keys = {
        path.name: path.read_bytes()
        for folder in (*folders, settings.keys)
        if folder.is_dir()
        for path in sorted(folder.iterdir())
        if path.is_file() and not path.name.startswith(".")
    }
    source = settings.source
    files = (source, source.with_name(_ANSWERS)) if source else ()
    configuration = {
        path.name: path.read_bytes() for path in files if os.access(path, os.R_OK)
    }
    # Only root may read it: systemd hands it over.
    if _ANSWERS in keys:
        configuration[_ANSWERS] = keys.pop(_ANSWERS)
    return Secrets(keys, configuration)


def packed(found: Secrets) -> bytes:
    """Put keys and configuration into one piece, to be sealed."""
    with io.BytesIO() as held:
        with closing(tarfile.open(fileobj=held, mode="w")) as archive:
            for folder, files in (
                (_KEYS, found.keys),
                (_CONFIGURATION, found.configuration),
            ):
                for name, data in files.items():
                    member = tarfile.TarInfo(f"{folder}/{name}")
                    member.size, member.mode = len(data), 0o600
                    archive.addfile(member, io.BytesIO(data))
        return held.getvalue()


def unpacked(blocks: Iterator[bytes]) -> Secrets:
    """Read what :func:`packed` wrote, and nothing that leads anywhere else.

    Errors: ``PreconditionFailed`` backup.damaged.
    """
    held = bytearray()
    for block in blocks:
        held += block
        if len(held) > _LARGEST_SECRETS:
            raise damaged("its secrets are too large")
    found: dict[str, dict[str, bytes]] = {_KEYS: {}, _CONFIGURATION: {}}
    try:
        with closing(tarfile.open(fileobj=io.BytesIO(held), mode="r:")) as archive:
            for member in archive:
                folder, _, name = member.name.partition("/")
                plain = name and "/" not in name and not name.startswith(".")
                content = archive.extractfile(member) if member.isreg() else None
                if folder not in found or not plain or content is None:
                    raise damaged(f"its secrets hold “{member.name}”")
                found[folder][name] = content.read()
    except tarfile.TarError:
        raise damaged("its secrets can’t be read") from None
    return Secrets(found[_KEYS], found[_CONFIGURATION])


def _captions(db: Database) -> list[str]:
    rows = db.rows(
        """
        select path from tracks where kind = 'text' and place = 'local' order by path
        """
    )
    return [row["path"] for row in rows]


def _walked(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder; what is being written is left out."""
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            if not name.startswith("."):
                yield Path(parent, name)


@dataclass(slots=True)
class _Digests:
    """What files were, by path: size, time of change and SHA-256."""

    known: dict[str, list[Any]]

    @classmethod
    def load(cls, settings: Settings) -> "_Digests":
        try:
            found = json.loads(_remembered(settings).read_text(encoding="utf-8"))
            return cls(found if isinstance(found, dict) else {})
        except (OSError, ValueError):
            return cls({})

    def entry(self, path: Path, root: Path) -> Entry | None:
        """Return the entry of a file; None when it went away or is no plain file."""
        name = str(path.relative_to(root))
        try:
            if path.is_symlink():
                return None
            found = path.stat()
            before = self.known.get(name)
            if before is None or before[:2] != [found.st_size, found.st_mtime_ns]:
                digest = manifest.digest(path)
                before = [digest.bytes, found.st_mtime_ns, digest.sha256]
                self.known[name] = before
        except FileNotFoundError:
            return None
        return Entry(name, before[0], before[2])

    def save(self, settings: Settings, still: set[str]) -> None:
        kept = {name: each for name, each in self.known.items() if name in still}
        path = _remembered(settings)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            recovery.write_private(path, json.dumps(kept).encode())
        except OSError as error:
            raise StorageFull(
                "backup.full", f"{path} can’t be written ({error.strerror})."
            ) from error


def _remembered(settings: Settings) -> Path:
    return settings.home / "state" / _DIGESTS
