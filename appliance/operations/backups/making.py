"""Making a backup while everything serves.

The database is copied as it was at one moment; then come the files that its rows name.
All is put together aside, and only what is whole goes to the place of backups.
"""

import hashlib
import hmac
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance import __version__, keyring
from appliance import db as database
from appliance.db import Database
from appliance.errors import NotFound, PreconditionFailed
from appliance.operations.backups import (
    contents,
    manifest,
    places,
    recovery,
    retention,
    runs,
    sealed,
    snapshots,
    working,
)
from appliance.operations.backups.contents import Collected
from appliance.operations.backups.manifest import Manifest, Part
from appliance.operations.backups.places import Bundle, Place
from appliance.operations.backups.runs import RunKind
from appliance.permissions import Action, Actor, check
from appliance.settings import Settings
from appliance.storage import Storage

_BLOCK = 1024 * 1024
# The fastest: what is saved by more is little, and takes several times as long.
_COMPRESSION = 1

Tell = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was made; ``bytes`` are its own, ``file_bytes`` those of files."""

    name: str
    place: str
    at: str
    version: str
    media: str
    bytes: int
    files: int
    file_bytes: int
    elsewhere: int
    lost: int


@dataclass(frozen=True, slots=True)
class Unread:
    """A backup that can't be used, and why."""

    name: str
    trouble: str


def create(
    db: Database,
    settings: Settings,
    storage: Storage,
    actor: Actor,
    place: Place,
    *,
    new_place: bool = False,
    tell: Tell = lambda _: None,
) -> Backup:
    """Make a backup, whole or not at all.

    ``new_place`` lets it begin anew in a place that has lost those from before;
    ``tell`` hears what is done.
    Errors: ``PreconditionFailed`` backup.no-key and others, ``Locked`` while another
    one is made, ``StorageFull``, ``TryAgain``, ``Conflict``.
    """
    check(actor, Action.SYSTEM_MANAGE)
    to = recovery.load(settings)
    with working.only_one(settings):
        run = runs.begin(db, actor, RunKind.CREATE, place.name)
        name = manifest.new_name(db.clock.now())
        try:
            places.claim(settings, place, identity(settings), anew=new_place)
            with working.workshop(settings, "backup-work") as work:
                making = _Making(db, settings, storage, place, name, work, tell)
                made = making.bundle(to)
                tell(f"Putting it into {place.name}")
                place.keep(made.bundle)
        except Exception as error:
            runs.failed(db, actor, run, name, error)
            raise
        runs.done(db, actor, run, name, **figures(made.manifest))
        return described(made.manifest, place)


def figures(found: Manifest) -> dict[str, Any]:
    """Return what the row of a backup's run tells people of it."""
    return {
        "bytes": found.bytes,
        "files": found.files,
        "file_bytes": found.file_bytes,
        "media": found.media,
        "version": found.version,
    }


def prune(db: Database, settings: Settings, actor: Actor, place: Place) -> list[str]:
    """Remove the backups that are not to be kept, and return their names."""
    check(actor, Action.SYSTEM_MANAGE)
    with working.only_one(settings):
        places.claim(settings, place, identity(settings))
        names = place.names()
        stay = retention.kept(names, settings.backup)
        gone = [name for name in names if name not in stay]
        if gone:
            place.remove(gone)
            with working.workshop(settings, "backup-prune") as work:
                place.sweep(_wanted(place, sorted(stay), work))
        runs.keeps(db, stay)
        return gone


def listing(place: Place) -> list[Manifest | Unread]:
    """Return what lies in a place, the oldest first."""
    found: list[Manifest | Unread] = []
    for name in place.names():
        try:
            found.append(read(place, name))
        except (NotFound, PreconditionFailed) as error:
            found.append(Unread(name, error.message))
    return found


def read(place: Place, name: str) -> Manifest:
    """Return the manifest of a backup. Errors: as of :func:`manifest.from_json`."""
    with tempfile.TemporaryDirectory(prefix="matinee-backup-") as folder:
        path = Path(folder, manifest.FILE)
        place.fetch(name, manifest.FILE, path)
        if path.stat().st_size > manifest.LARGEST:
            raise sealed.damaged("its manifest is too large")
        return manifest.from_json(path.read_bytes(), name)


def described(found: Manifest, place: Place) -> Backup:
    """Return what a list tells of a backup."""
    return Backup(
        name=found.name,
        place=place.name,
        at=found.at,
        version=found.version,
        media=found.media,
        bytes=found.bytes,
        files=found.files,
        file_bytes=found.file_bytes,
        elsewhere=found.elsewhere,
        lost=found.lost,
    )


def identity(settings: Settings) -> str:
    """Return what tells this installation from others, also after a restore."""
    key = keyring.key(settings.keys, sealed.HERE)
    return hmac.new(key, b"matinee installation", hashlib.sha256).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class _Made:
    bundle: Bundle
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class _Making:
    """Puts one backup together in a folder."""

    db: Database
    settings: Settings
    storage: Storage
    place: Place
    name: str
    work: Path
    tell: Tell

    def bundle(self, to: recovery.Recipient) -> _Made:
        at = self.db.now()
        key = sealed.new(self.settings, to)
        self.tell("Copying the database")
        copy = self.work / "matinee.db"
        snapshots.copy_live(self.settings.database, copy, lasting=False)
        with database.connect(copy) as rows:
            counts, schema = _counts(rows), _schema(rows)
            self.tell("Copying files")
            files = self._files(rows)
        self.tell("Sealing")
        folder = self.work / self.name
        folder.mkdir(mode=0o700)
        whole = _seal_database(key, copy, folder / manifest.DATABASE)
        copy.unlink()
        with (folder / manifest.SECRETS).open("xb") as file:
            secrets = contents.packed(contents.secrets_of(self.settings))
            key.seal(manifest.SECRETS, [secrets], file)
        manifest.write_index(files.files, folder / manifest.FILES)
        written = self._manifest(at, counts, schema, files, whole, folder, key).signed(
            key
        )
        (folder / manifest.FILE).write_bytes(manifest.to_json(written))
        return _Made(Bundle(self.name, folder, self.storage.root, files.files), written)

    def _files(self, rows: Database) -> Collected:
        found = contents.collect(rows, self.settings, self.storage)
        taken = self.place.take(self.storage.root, found.files)
        gone = len(found.files) - len(taken)
        return Collected(tuple(taken), found.elsewhere, found.lost + gone)

    def _manifest(
        self,
        at: str,
        counts: dict[str, int],
        schema: tuple[str, ...],
        files: Collected,
        whole: Part,
        folder: Path,
        key: sealed.FileKey,
    ) -> Manifest:
        return Manifest(
            name=self.name,
            at=at,
            version=__version__,
            schema=schema,
            installation=identity(self.settings),
            media=self.settings.backup.media,
            counts=counts,
            database=whole,
            parts={part: manifest.digest(folder / part) for part in manifest.PARTS},
            files=len(files.files),
            file_bytes=files.bytes,
            elsewhere=files.elsewhere,
            lost=files.lost,
            sealing=key.wrapped,
        )


def _seal_database(key: sealed.FileKey, copy: Path, target: Path) -> Part:
    """Compress and seal the copy; return what it was before."""
    digest = hashlib.sha256()

    def compressed() -> Iterator[bytes]:
        squeeze = zlib.compressobj(_COMPRESSION)
        with copy.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
                yield squeeze.compress(block)
        yield squeeze.flush()

    with target.open("xb") as file:
        key.seal(manifest.DATABASE, compressed(), file)
    return Part(copy.stat().st_size, digest.hexdigest())


def _counts(rows: Database) -> dict[str, int]:
    tables = rows.rows(
        """
        select name from sqlite_schema
        where type = 'table' and sql not like 'create virtual%'
            and name not like 'sqlite_%' and name not glob '*_fts*'
        order by name
        """
    )
    return {
        each["name"]: rows.value(f"select count(*) from [{each['name']}]")
        for each in tables
    }


def _schema(rows: Database) -> tuple[str, ...]:
    found = rows.rows("select name from _sqlite_migrations order by applied_at, name")
    return tuple(each["name"] for each in found)


def _wanted(place: Place, names: list[str], work: Path) -> set[str]:
    """Return the SHA-256 of every file that one of the backups names."""
    found: set[str] = set()
    for name in names:
        index = work / name
        place.fetch(name, manifest.FILES, index)
        found |= {each.sha256 for each in manifest.read_index(index)}
        with suppress(FileNotFoundError):
            index.unlink()
    return found
