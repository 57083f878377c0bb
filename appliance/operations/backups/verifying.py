"""Verifying a backup: it is restored aside, and what it is for is tried.

Every hash is compared, the database is checked whole, all files must be there, and of a
few titles, chosen by chance, the pictures and captions are read and the content keys
opened with the keys that lie in the backup itself.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from appliance import db as database
from appliance import migrations
from appliance.catalog import titles
from appliance.db import Database
from appliance.errors import MatineeError
from appliance.media import assets
from appliance.operations.backups import making, manifest, opening, runs, working
from appliance.operations.backups.manifest import Entry
from appliance.operations.backups.opening import Opened
from appliance.operations.backups.places import Place
from appliance.operations.backups.runs import RunKind
from appliance.operations.backups.sealed import damaged
from appliance.permissions import Action, Actor, check
from appliance.protection import keys
from appliance.settings import Settings

_TITLES = 3
# Also of those that belong to none of these titles, some are read.
_FILES = 20


@dataclass(frozen=True, slots=True)
class Verified:
    """What was tried; ``titles`` are slugs, ``hashed`` files were read whole."""

    name: str
    place: str
    at: str
    titles: tuple[str, ...]
    keys: int
    files: int
    hashed: int


def verify(
    db: Database,
    settings: Settings,
    actor: Actor,
    place: Place,
    name: str = runs.LAST,
    *,
    every_file: bool = False,
    recovery_key: X25519PrivateKey | None = None,
    tell: Callable[[str], object] = lambda _: None,
) -> Verified:
    """Restore a backup aside and try it. ``every_file`` reads all of its files.

    Errors: ``PreconditionFailed`` backup.damaged, backup.key-needed, backup.newer;
    ``NotFound``, ``Locked``, ``StorageFull``, ``TryAgain``.
    """
    check(actor, Action.SYSTEM_MANAGE)
    with working.only_one(settings):
        run = runs.begin(db, actor, RunKind.VERIFY, place.name, name)
        whole = "" if name == runs.LAST else name
        try:
            whole = opening.named(place, name)
            with working.workshop(settings, "backup-verify") as work:
                trial = _Trial(settings, place, whole, work, every_file, tell)
                verified = trial.verified(recovery_key, db.now())
        except Exception as error:
            runs.failed(db, actor, run, whole, error)
            raise
        figures = {
            "titles": list(verified.titles),
            "keys": verified.keys,
            "files": verified.files,
            "hashed": verified.hashed,
        }
        runs.done(db, actor, run, whole, **figures)
        return verified


@dataclass(frozen=True, slots=True)
class _Trial:
    settings: Settings
    place: Place
    name: str
    work: Path
    every_file: bool
    tell: Callable[[str], object]

    def verified(self, recovery_key: X25519PrivateKey | None, at: str) -> Verified:
        found = making.read(self.place, self.name)
        opening.require_known(found)
        key = opening.key_of(found, self.settings, recovery_key)
        opened = opening.open_aside(self.place, found, key, self.work, self.tell)
        self._all_there(opened)
        migrations.migrate(opened.database)
        chosen, count, files = self._tried(opened)
        self.tell("Reading files")
        hashed = self._read(opened.files if self.every_file else files)
        return Verified(
            name=self.name,
            place=self.place.name,
            at=at,
            titles=tuple(chosen),
            keys=count,
            files=len(opened.files),
            hashed=hashed,
        )

    def _all_there(self, opened: Opened) -> None:
        self.tell("Looking for its files")
        missing = self.place.missing(self.name, opened.files)
        if missing:
            raise damaged(
                f"{len(missing)} of its {len(opened.files)} files are missing, as"
                f" {missing[0].path}"
            )

    def _tried(self, opened: Opened) -> tuple[list[str], int, list[Entry]]:
        """Open a few titles; return them, how many keys opened, and files to read."""
        self.tell("Opening titles")
        aside = self._installation(opened)
        chance = random.Random()  # noqa: S311 - nobody gains by knowing which
        files = chance.sample(opened.files, min(_FILES, len(opened.files)))
        count = 0
        with database.connect(opened.database) as rows:
            _as_counted(rows, opened)
            chosen = _chosen(rows, chance)
            for title_id in chosen.values():
                public_id = titles.by_id(rows, title_id).public_id
                folders = [f"artwork/{public_id}/"]
                for asset in assets.of_title(rows, title_id):
                    count += len(_opened_keys(rows, aside, asset.id))
                    folders.append(f"packages/{asset.public_id}/")
                files += [e for e in opened.files if e.path.startswith(tuple(folders))]
        return list(chosen), count, list(dict.fromkeys(files))

    def _installation(self, opened: Opened) -> Settings:
        """Return the settings of an installation that has the keys of the backup."""
        folder = self.work / "keys"
        folder.mkdir(mode=0o700)
        for name, content in opened.secrets.keys.items():
            (folder / name).write_bytes(content)
        places = replace(self.settings.storage, keys=str(folder))
        return replace(self.settings, home=self.work, storage=places)

    def _read(self, files: Sequence[Entry]) -> int:
        work = self.work / "files"
        work.mkdir()
        for entry, path in self.place.fetch_files(self.name, files, work):
            digest = manifest.digest(path)
            if digest.sha256 != entry.sha256:
                raise damaged(f"its file {entry.path} is not what was written")
            if path.is_relative_to(work):
                path.unlink()
        return len(files)


def _as_counted(rows: Database, opened: Opened) -> None:
    for table in ("titles", "assets", "accounts", "content_keys"):
        known = opened.manifest.counts.get(table, 0)
        if rows.value(f"select count(*) from {table}") != known:
            raise damaged(f"it has not the {known} rows of {table} it was made with")


def _chosen(rows: Database, chance: random.Random) -> dict[str, int]:
    """Choose titles by chance; one whose film is protected is among them, if any."""
    found = rows.rows("select id, slug from titles")
    protected = rows.rows(
        """
        select distinct t.id, t.slug from titles t
        join assets a on a.title_id = t.id
        join content_keys k on k.asset_id = a.id
        """
    )
    first = chance.sample(protected, min(1, len(protected)))
    rest = chance.sample(found, min(_TITLES, len(found)))
    chosen = {row["slug"]: row["id"] for row in (*first, *rest)}
    return dict(list(chosen.items())[:_TITLES])


def _opened_keys(rows: Database, aside: Settings, asset_id: int) -> Sequence[object]:
    try:
        return keys.of_asset(rows, aside, asset_id)
    except MatineeError as error:
        raise damaged(f"a content key in it does not open: {error.message}") from error
