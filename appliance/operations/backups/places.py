"""Where backups lie, and what every such place can do.

A backup has a few parts of its own, and shares the files of the storage with the
others: those never change, so each is kept once, under its SHA-256.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from appliance.errors import Conflict, PreconditionFailed
from appliance.operations.backups import recovery
from appliance.operations.backups.manifest import Entry
from appliance.settings import Settings

MARK = "matinee-backups.json"
_KNOWN = "backup-places.json"


@dataclass(frozen=True, slots=True)
class Bundle:
    """A backup as it goes to its place.

    ``folder`` holds its parts and the manifest. Of the ``files`` below ``root`` those
    were taken that the place keeps apart from them.
    """

    name: str
    folder: Path
    root: Path
    files: Sequence[Entry]


class Place(Protocol):
    """A place of backups.

    Nothing of a backup is seen there before all of it is. Errors of every method:
    ``PreconditionFailed``, ``TryAgain``, ``StorageFull``.
    """

    @property
    def name(self) -> str:
        """How people know it; without a secret."""

    def owner(self) -> str:
        """Return which installation its backups are of; empty for a new place."""

    def claim(self, installation: str) -> None:
        """Write down which installation its backups are of."""

    def names(self) -> list[str]:
        """Return the names of whole backups, the oldest first."""

    def fetch(self, name: str, part: str, target: Path) -> None:
        """Bring one part of a backup here. Errors: ``NotFound``."""

    def take(self, root: Path, files: Sequence[Entry]) -> list[Entry]:
        """Take files in that a backup will name; what is there is not sent again.

        Returns those that it has: a file may go away while this is done.
        """

    def keep(self, bundle: Bundle) -> None:
        """Take a backup in, whole or not at all."""

    def missing(self, name: str, files: Sequence[Entry]) -> list[Entry]:
        """Return those of the files of a backup that are not there in full length."""

    def fetch_files(
        self, name: str, files: Sequence[Entry], work: Path
    ) -> Iterator[tuple[Entry, Path]]:
        """Yield each of the files with where it can be read now.

        What had to be brought here lies below ``work``, and may be moved away.
        """

    def remove(self, names: Collection[str]) -> None:
        """Remove backups; what they share with others stays until it is swept."""

    def sweep(self, wanted: Collection[str]) -> None:
        """Remove shared files that are not wanted, given by SHA-256."""


def claim(
    settings: Settings, place: Place, installation: str, *, anew: bool = False
) -> None:
    """Make sure that a place is there, and holds the backups of this installation.

    A folder that lost its mark is the mount point of a disk or share that is away.
    Errors: ``PreconditionFailed`` backup.place-away, ``Conflict`` backup.place-taken.
    """
    owner = place.owner()
    known = _known(settings)
    if not owner and place.name in known and not anew:
        raise PreconditionFailed(
            "backup.place-away",
            f"The backups that were in {place.name} are not there: is it mounted? To"
            " begin anew in an empty place, say --new-place.",
        )
    if owner and owner != installation:
        raise Conflict(
            "backup.place-taken",
            f"{place.name} holds the backups of another installation: give backup.place"
            " a folder of this one’s own, or restore one of those first.",
        )
    if not owner:
        place.claim(installation)
    if place.name not in known:
        _remember(settings, [*known, place.name])


def _known(settings: Settings) -> list[str]:
    try:
        found = json.loads((settings.home / "state" / _KNOWN).read_text("utf-8"))
    except (OSError, ValueError):
        return []
    return [str(each) for each in found] if isinstance(found, list) else []


def _remember(settings: Settings, names: Sequence[str]) -> None:
    folder = settings.home / "state"
    folder.mkdir(parents=True, exist_ok=True)
    recovery.write_private(folder / _KNOWN, json.dumps(list(names)).encode())
