"""Backups beside the rounds of the control worker, and the places they go to."""

import dataclasses
import logging
import os
from dataclasses import dataclass, field
from pathlib import Path

from appliance import outbound
from appliance.db import Database
from appliance.errors import ConfigError, MatineeError
from appliance.objects import ObjectStore, keys
from appliance.operations.backups import making, runs, verifying
from appliance.operations.backups.bucket_place import BucketPlace
from appliance.operations.backups.folder_place import FolderPlace
from appliance.operations.backups.places import Place
from appliance.operations.backups.runs import Run, RunKind
from appliance.permissions import SYSTEM, Actor
from appliance.secret_file import SecretFile, Section
from appliance.sections import Objects
from appliance.settings import Settings
from appliance.storage import Storage
from jobs.errands import Beside, Errand, ErrandFailed
from jobs.tools.restic import ResticPlace

_USUAL = "backups"
_FILE = "backup.toml"

logger = logging.getLogger(__name__)


def place(settings: Settings, named: str = "") -> Place:
    """Return the place of backups: ``named``, else that of the settings.

    Errors: ``ConfigError``, ``PreconditionFailed`` for secrets that it needs.
    """
    where = named or settings.backup.place or str(settings.home / _USUAL)
    kind, _, rest = where.partition(":")
    if kind == "s3" and rest:
        return BucketPlace(bucket(settings, rest).store())
    if kind == "restic" and rest:
        return _repository(settings, rest)
    if not where.startswith("/"):
        raise ConfigError(
            "backup.place-unknown",
            f"“{where}” is no place for backups: give a folder from / on,"
            " s3:BUCKET/FOLDER or restic:REPOSITORY.",
        )
    return FolderPlace(Path(where))


def make(
    db: Database, settings: Settings, storage: Storage, actor: Actor
) -> making.Backup:
    """Make a backup where the settings say, and remove those that have had their time.

    Errors: those of :func:`making.create`.
    """
    there = place(settings)
    made = making.create(db, settings, storage, actor, there)
    making.prune(db, settings, actor, there)
    return made


@dataclass(slots=True)
class Backing:
    """Looks whether somebody asked for a backup, and has one made at a time."""

    storage: Storage
    settings: Settings
    errand: Errand
    under_way: str = field(default="")

    @classmethod
    def of(cls, storage: Storage, settings: Settings) -> "Backing":
        """Return one that works in threads of its own."""
        return cls(storage, settings, Beside(settings.database, lambda _: None, 1))

    def look(self, db: Database) -> None:
        """Begin what is asked for, and collect what has ended."""
        if not self.under_way:
            run = runs.waiting(db)
            if run is None:
                return
            self.under_way = run.public_id
        try:
            done = self.errand(db, "backup", self.under_way, self._action)
        except ErrandFailed as error:
            logger.warning("the backup failed: %s", error)
            self.under_way = ""
        except Exception:
            logger.exception("the backup failed")
            self.under_way = ""
        else:
            if done is not None:
                self.under_way = ""

    def _action(self, db: Database) -> bool:
        run = runs.waiting(db)
        if run is not None:
            try:
                self._do(db, run)
            except MatineeError as error:
                # Unless it began, and so was told, it would be begun for ever.
                runs.give_up(db, SYSTEM, run, error)
                raise
        return True

    def _do(self, db: Database, run: Run) -> None:
        actor = dataclasses.replace(SYSTEM, username=run.asked_by)
        if run.kind is RunKind.CREATE:
            make(db, self.settings, self.storage, actor)
        else:
            name = run.name or runs.LAST
            verifying.verify(db, self.settings, actor, place(self.settings), name)


@dataclass(frozen=True, slots=True)
class Bucket:
    """A folder of a bucket for backups, and what opens it."""

    settings: Settings
    secrets: Section = field(repr=False)

    @property
    def objects(self) -> Objects:
        return self.settings.objects

    def store(self) -> ObjectStore:
        return ObjectStore(self.settings, self.secrets)


def bucket(settings: Settings, where: str) -> Bucket:
    """Return a bucket with a folder in it, of ``s3:BUCKET/FOLDER``.

    Its secrets are those of backups where there are any, else those of films.
    Errors: ``PreconditionFailed``, ``ConfigError``.
    """
    name, _, folder = where.partition("/")
    secrets = _secrets(settings, "s3") if _has_own(settings) else keys(settings)
    usual = settings.objects
    objects = dataclasses.replace(
        usual,
        bucket=name,
        prefix=folder,
        endpoint=secrets.get("endpoint", usual.endpoint),
        region=secrets.get("region", usual.region),
    )
    return Bucket(dataclasses.replace(settings, objects=objects), secrets)


def ways_out(settings: Settings, url: str) -> dict[str, str]:
    """Return the variables by which other programs go our ways out of this machine.

    What stands there for others is not for ours.
    """
    ways = outbound.of(settings)
    proxies = ways.proxies_for(url)
    return {
        "AWS_CA_BUNDLE": "",
        "SSL_CERT_FILE": ways.trusted,
        "HTTPS_PROXY": proxies.get("https", ""),
        "HTTP_PROXY": proxies.get("http", ""),
        "NO_PROXY": "127.0.0.1,localhost",
    }


def _has_own(settings: Settings) -> bool:
    """Say whether there is a file with secrets for the place of backups."""
    given = os.environ.get("CREDENTIALS_DIRECTORY")
    folders = [settings.keys, *([Path(given)] if given else [])]
    return bool(settings.backup.credentials) or any(
        (folder / _FILE).is_file() for folder in folders
    )


def _repository(settings: Settings, repository: str) -> Place:
    secrets = _secrets(settings, "restic")
    url = repository.partition(":")[2]
    environ = ways_out(settings, url) | {
        name: secrets[name] for name in secrets if name.isupper()
    }
    cache = settings.home / "state" / "restic-cache"
    return ResticPlace(repository, secrets["password"], environ, cache)


def _secrets(settings: Settings, section: str) -> Section:
    return SecretFile(
        name=_FILE,
        folder=settings.keys,
        named=settings.backup.credentials,
        code="backup.credentials",
        whose="the place of backups",
    ).section(section)
