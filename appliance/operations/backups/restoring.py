"""Restoring an installation from a backup, where nothing runs.

Everything is brought aside and checked first. What is there is copied before it is
replaced, and the database comes last, by one rename. Cut short, the same command goes
on; until it is done nothing else begins.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from appliance import db as database
from appliance import in_use, keyring, migrations
from appliance.clock import Clock, SystemClock
from appliance.db import Database, write
from appliance.errors import MatineeError
from appliance.events import Event, record
from appliance.operations.backups import (
    making,
    manifest,
    missing,
    opening,
    recovery,
    runs,
    snapshots,
    working,
)
from appliance.operations.backups.manifest import Entry
from appliance.operations.backups.missing import MissingFilm
from appliance.operations.backups.opening import Opened
from appliance.operations.backups.places import Place
from appliance.operations.backups.sealed import damaged
from appliance.permissions import Action, Actor, check
from appliance.settings import Settings
from appliance.storage import Storage

Tell = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored; ``safety`` holds what was there before.

    ``configuration`` are files that the caller may put in place: this does not.
    """

    name: str
    version: str
    at: str
    applied: tuple[str, ...]
    files: int
    safety: Path | None
    missing: tuple[MissingFilm, ...]
    configuration: Mapping[str, bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a copy that was taken in; as in :class:`Restored`."""

    applied: tuple[str, ...]
    safety: Path | None
    missing: tuple[MissingFilm, ...]


def restore(
    settings: Settings,
    storage: Storage,
    actor: Actor,
    place: Place,
    name: str,
    *,
    recovery_key: X25519PrivateKey | None = None,
    clock: Clock | None = None,
    tell: Tell = lambda _: None,
) -> Restored:
    """Put the installation back as it was when the backup was made.

    Errors: ``Locked`` restore.live while anything uses it, ``PreconditionFailed``
    backup.newer, backup.damaged, backup.key-needed, ``InvalidInput`` backup.key-wrong,
    ``NotFound``, ``StorageFull``, ``TryAgain``. Until all of the backup was checked
    nothing is changed.
    """
    check(actor, Action.SYSTEM_MANAGE)
    with in_use.alone(settings.home), working.only_one(settings):
        whole = opening.named(place, name)
        found = making.read(place, whole)
        opening.require_known(found)
        key = opening.key_of(found, settings, recovery_key)
        storage.require_mounted()
        with _workshop(settings, whole) as work:
            opened = opening.open_aside(place, found, key, work, tell)
            moment = clock or SystemClock()
            putting = _Putting(settings, storage, actor, moment, tell)
            return _Restoring(putting, place, work).done(opened)


def take_in(
    settings: Settings,
    storage: Storage,
    actor: Actor,
    copy: Path,
    *,
    clock: Clock | None = None,
    tell: Tell = lambda _: None,
) -> Taken:
    """Let a copy of the database, which is whole, be the database here.

    The caller has the installation alone. Keys and films must be here already.
    """
    check(actor, Action.SYSTEM_MANAGE)
    putting = _Putting(settings, storage, actor, clock or SystemClock(), tell)
    applied = migrations.migrate(copy, putting.clock)
    snapshots.require_room(settings.database.parent, copy.stat().st_size)
    safety = putting.begun("matinee backup standby")
    lacking = putting.rows(copy, "backup/copy")
    putting.in_place(copy)
    return Taken(tuple(applied), safety, tuple(lacking))


@contextmanager
def _workshop(settings: Settings, name: str) -> Iterator[Path]:
    """Give the folder of this restore; it stays when that is cut short."""
    parent = settings.home / "state" / "restore"
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for other in parent.iterdir():
        if other.name != name:
            shutil.rmtree(other)
    work = parent / name
    work.mkdir(mode=0o700, exist_ok=True)
    with working.explained(work):
        yield work
    shutil.rmtree(parent, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class _Putting:
    """Puts a database in the place of the one that is here."""

    settings: Settings
    storage: Storage
    actor: Actor
    clock: Clock
    tell: Tell

    @property
    def mark(self) -> Path:
        return self.settings.home / "state" / in_use.RESTORING

    def begun(self, command: str) -> Path:
        """Copy what is there and say that it is being replaced; return the copy.

        ``command`` is what goes on when this is cut short. Then the copy was made, of
        what was there before.
        """
        folder = self.settings.home / "state" / "before-restore"
        if not self.mark.exists():
            self.tell("Copying what is there")
            folder = self._safety_copy(folder)
            recovery.write_private(self.mark, f"{command}\n{folder.name}\n".encode())
            return folder
        known = self.mark.read_text(encoding="utf-8").splitlines()
        recovery.write_private(self.mark, f"{command}\n{known[1]}\n".encode())
        return folder / known[1]

    def rows(self, copy: Path, subject: str, **facts: object) -> list[MissingFilm]:
        """Bring the rows in line with what is here, before they are put in place."""
        with database.connect(copy, self.clock) as rows:
            _start_work_anew(rows)
            lacking = missing.note(rows, self.storage)
            with write(rows):
                record(
                    rows,
                    self.actor,
                    Event.BACKUP_RESTORE,
                    subject,
                    missing=len(lacking),
                    **facts,
                )
        return lacking

    def in_place(self, copy: Path) -> None:
        """Put the database in place; from then on the restore is done."""
        # Hints of another time would wake somebody up for nothing.
        for each in (self.settings.home / "queue").glob("*"):
            # They are only hints: none keeps a restore from its end.
            with suppress(OSError):
                each.unlink()
        aside = self.settings.database.with_name(".matinee.db.restored")
        shutil.copyfile(copy, aside)
        snapshots.put_in_place(aside, self.settings.database)
        self.mark.with_name(in_use.FENCED).unlink(missing_ok=True)
        self.mark.unlink()
        keyring.sync_folder(self.mark.parent)

    def _safety_copy(self, parent: Path) -> Path:
        now = self.clock.now()
        folder = parent / f"{now:%Y%m%dT%H%M%S}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700, parents=True)
        if self.settings.keys.is_dir():
            shutil.copytree(self.settings.keys, folder / "keys")
        if self.settings.database.is_file():
            self._copy_database(folder)
        for old in sorted(parent.iterdir())[: -snapshots.KEPT]:
            shutil.rmtree(old)
        return folder

    def _copy_database(self, folder: Path) -> None:
        try:
            snapshots.copy_live(self.settings.database, folder / "matinee.db")
        except MatineeError as error:
            # It may be what a restore is wanted for: the files, as they are.
            self.tell(f"What is there is kept as it is: {error.message}")
            for suffix in ("", "-wal"):
                name = f"{self.settings.database.name}{suffix}"
                with suppress(FileNotFoundError):
                    shutil.copyfile(
                        self.settings.database.with_name(name), folder / name
                    )


@dataclass(frozen=True, slots=True)
class _Restoring:
    """Puts keys and files of a backup in place, and then its database."""

    putting: _Putting
    place: Place
    work: Path

    def done(self, opened: Opened) -> Restored:
        putting, found = self.putting, opened.manifest
        applied = migrations.migrate(opened.database, putting.clock)
        snapshots.require_room(
            putting.settings.database.parent, opened.database.stat().st_size
        )
        safety = putting.begun(f"matinee backup restore {found.name}")
        self._files(opened.files)
        putting.tell("Putting keys and database in place")
        self._keys(opened.secrets.keys)
        with database.connect(opened.database, putting.clock) as rows:
            runs.restored(rows, found.name, found.at, **making.figures(found))
        lacking = putting.rows(
            *(opened.database, f"backup/{found.name}"),
            at=found.at,
            version=found.version,
        )
        putting.in_place(opened.database)
        return Restored(
            name=found.name,
            version=found.version,
            at=found.at,
            applied=tuple(applied),
            files=len(opened.files),
            safety=safety,
            missing=tuple(lacking),
            configuration=opened.secrets.configuration,
        )

    def _files(self, files: Sequence[Entry]) -> None:
        """Bring the files that are not there; what is there in full length stays."""
        storage = self.putting.storage
        lacking = [each for each in files if not self._is_there(each)]
        storage.require_room(sum(each.bytes for each in lacking))
        if lacking:
            self.putting.tell(f"Bringing {len(lacking)} of {len(files)} files")
        work = "work/restore"
        storage.remove(work)
        folder = storage.path(work)
        folder.mkdir(parents=True)
        try:
            brought = self.place.fetch_files(self.work.name, lacking, folder)
            for entry, path in brought:
                self._put(entry, path, folder)
        finally:
            storage.remove(work)

    def _put(self, entry: Entry, path: Path, folder: Path) -> None:
        try:
            good = manifest.digest(path).sha256 == entry.sha256
        except FileNotFoundError:
            good = False
        if not good:
            raise damaged(f"its file {entry.path} is missing or was changed")
        if path.is_relative_to(folder):
            self.putting.storage.put(path, entry.path)
        else:
            self.putting.storage.copy(path, entry.path)

    def _is_there(self, each: Entry) -> bool:
        path = self.putting.storage.path(each.path)
        return path.is_file() and path.stat().st_size == each.bytes

    def _keys(self, keys: Mapping[str, bytes]) -> None:
        """Let the keys be those of the backup; those that were there are copied."""
        folder = self.putting.settings.keys
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in folder.glob("*.key"):
            if path.name not in keys:
                path.unlink()
        for name, content in keys.items():
            recovery.write_private(folder / name, content)


def _start_work_anew(rows: Database) -> None:
    """Let jobs begin again that were under way: what they had made is not here."""
    with write(rows):
        rows.conn.execute(
            """
            delete from work_units where job_id in (
                select id from jobs where state in ('queued', 'running')
            )
            """
        )
        rows.conn.execute(
            """
            update jobs set state = 'queued', started_at = null
            where state in ('queued', 'running')
            """
        )
        rows.conn.execute(
            """
            update backup_runs set state = 'failed', ended_at = ?, message = ?
            where state in ('waiting', 'running')
            """,
            (rows.now(), "The installation was restored before that was done."),
        )
