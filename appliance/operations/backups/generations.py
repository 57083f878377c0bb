"""Where the copies of the database lie, and whose they are: in generations.

Whoever begins to copy begins a generation: after a fail-over or a restore another
database goes on than the one that was copied. The machine that copies leaves a sign of
life there; when it finds that another one has taken over, it stops.
"""

import json
import secrets
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from appliance.errors import NotFound, PreconditionFailed
from appliance.objects import ObjectStore

CURRENT, ALIVE = "current.json", "alive.json"
KEPT = 3


@dataclass(frozen=True, slots=True)
class Generation:
    """One line of copies: its number, whose database, and who makes them."""

    number: int
    installation: str
    holder: str

    @property
    def folder(self) -> str:
        return f"g{self.number:04}"


class Notes(Protocol):
    """The small documents that lie beside the copies.

    Errors of every method: ``PreconditionFailed``, ``TryAgain``, ``StorageFull``.
    """

    def read(self, name: str) -> Mapping[str, Any]:
        """Return a document; empty when there is none."""

    def write(self, name: str, document: Mapping[str, Any]) -> None:
        """Write a document, whole."""

    def remove(self, folder: str) -> None:
        """Remove the copies of a generation."""


def current(notes: Notes) -> Generation | None:
    """Return the newest generation. Errors: ``PreconditionFailed`` copies.damaged."""
    found = notes.read(CURRENT)
    if not found:
        return None
    try:
        return Generation(
            int(found["generation"]), str(found["installation"]), str(found["holder"])
        )
    except (KeyError, TypeError, ValueError):
        raise PreconditionFailed(
            "copies.damaged", f"{CURRENT} among the copies is damaged: restore it."
        ) from None


def begin(notes: Notes, installation: str) -> Generation:
    """Begin a generation, and forget those that are too old to be of use."""
    last = current(notes)
    if last is not None and last.installation != installation:
        raise PreconditionFailed(
            "copies.foreign",
            "The copies there are of another installation: give backup.copies a folder"
            " of this one’s own.",
        )
    number = last.number + 1 if last else 1
    begun = Generation(number, installation, secrets.token_hex(8))
    notes.write(
        CURRENT,
        {
            "generation": begun.number,
            "installation": begun.installation,
            "holder": begun.holder,
        },
    )
    if number > KEPT:
        notes.remove(Generation(number - KEPT, "", "").folder)
    return begun


def beat(notes: Notes, mine: Generation) -> bool:
    """Leave a sign of life; say whether the copies are still ours to make."""
    if current(notes) != mine:
        return False
    notes.write(ALIVE, {"holder": mine.holder, "beat": secrets.token_hex(8)})
    return True


@dataclass(frozen=True, slots=True)
class FolderNotes:
    """Documents in a folder."""

    root: Path

    def read(self, name: str) -> Mapping[str, Any]:
        try:
            found = json.loads((self.root / name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise self._away(error) from error
        except ValueError:
            found = {"damaged": True}
        return found if isinstance(found, dict) else {"damaged": True}

    def write(self, name: str, document: Mapping[str, Any]) -> None:
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            aside = self.root / f".{name}.{secrets.token_hex(4)}"
            aside.write_text(json.dumps(document), encoding="utf-8")
            aside.replace(self.root / name)
        except OSError as error:
            raise self._away(error) from error

    def remove(self, folder: str) -> None:
        with suppress(FileNotFoundError):
            shutil.rmtree(self.root / folder)

    def _away(self, error: OSError) -> PreconditionFailed:
        return PreconditionFailed(
            "copies.away",
            f"{self.root} can’t be used for copies ({error.strerror}): see to its disk"
            " or share.",
        )


@dataclass(frozen=True, slots=True)
class BucketNotes:
    """Documents in a bucket."""

    store: ObjectStore = field(repr=False)

    def read(self, name: str) -> Mapping[str, Any]:
        held = bytearray()
        try:
            self.store.read(name, held.extend)
            found = json.loads(held)
        except NotFound:
            return {}
        except ValueError:
            found = {"damaged": True}
        return found if isinstance(found, dict) else {"damaged": True}

    def write(self, name: str, document: Mapping[str, Any]) -> None:
        self.store.write(name, json.dumps(document).encode())

    def remove(self, folder: str) -> None:
        self.store.remove_folder(folder)
