"""Backups in a bucket of an object storage that speaks S3."""

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from appliance.errors import NotFound, PreconditionFailed
from appliance.objects import ObjectStore, together
from appliance.operations.backups import manifest
from appliance.operations.backups.manifest import Entry
from appliance.operations.backups.places import MARK, Bundle

_BACKUPS, _FILES = "backups", "files"
# What is sent at once, and what of a file is sent again when the network breaks off.
_PIECE = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class BucketPlace:
    """A folder of a bucket. Files lie there in pieces, so that none is too large."""

    store: ObjectStore

    @property
    def name(self) -> str:
        return self.store.name

    def owner(self) -> str:
        held = bytearray()
        try:
            self.store.read(MARK, held.extend)
        except NotFound:
            return ""
        try:
            return str(json.loads(held)["installation"])
        except (ValueError, KeyError, TypeError):
            raise PreconditionFailed(
                "backup.place-damaged",
                f"{MARK} in {self.name} is damaged: use another folder.",
            ) from None

    def claim(self, installation: str) -> None:
        self.store.write(MARK, json.dumps({"installation": installation}).encode())

    def names(self) -> list[str]:
        whole = f"/{manifest.FILE}"
        found = (name for name, _ in self.store.listing(_BACKUPS))
        names = (name.removesuffix(whole) for name in found if name.endswith(whole))
        return sorted(filter(manifest.is_name, names))

    def fetch(self, name: str, part: str, target: Path) -> None:
        folder = f"{_BACKUPS}/{manifest.require_name(name)}"
        if part == manifest.FILE:
            self._bring([f"{folder}/{part}"], target)
            return
        pieces = self._pieces(f"{folder}/{part}.d")
        if not pieces:
            raise NotFound(
                "backup.missing", f"There is no {part} of {name} in {self.name}."
            )
        self._bring([f"{folder}/{part}.d/{each}" for each in sorted(pieces)], target)

    def take(self, root: Path, files: Sequence[Entry]) -> list[Entry]:
        self._drop_half_made()
        there = self._there() if files else {}
        return [each for each in files if self._taken(root, each, there)]

    def keep(self, bundle: Bundle) -> None:
        folder = f"{_BACKUPS}/{bundle.name}"
        for part in manifest.PARTS:
            self._send(bundle.folder / part, f"{folder}/{part}.d")
        # Last: without it nobody takes the rest for a backup.
        text = (bundle.folder / manifest.FILE).read_bytes()
        self.store.write(f"{folder}/{manifest.FILE}", text)

    def missing(self, name: str, files: Sequence[Entry]) -> list[Entry]:  # noqa: ARG002
        there = self._there() if files else {}
        return [each for each in files if there.get(each.sha256) != each.bytes]

    def fetch_files(
        self,
        name: str,  # noqa: ARG002 - the backups share their files
        files: Sequence[Entry],
        work: Path,
    ) -> Iterator[tuple[Entry, Path]]:
        for each in files:
            folder = _folder(each.sha256)
            target = work / each.sha256
            pieces = [f"{folder}/{piece}" for piece in sorted(self._pieces(folder))]
            self._bring(pieces, target)
            yield each, target

    def remove(self, names: Collection[str]) -> None:
        for name in names:
            folder = f"{_BACKUPS}/{manifest.require_name(name)}"
            self.store.remove(f"{folder}/{manifest.FILE}")
            self.store.remove_folder(folder)

    def sweep(self, wanted: Collection[str]) -> None:
        gone = [
            name
            for name, _ in self.store.listing(_FILES)
            if name.split("/")[1] not in wanted
        ]
        together(lambda name: self.store.remove(f"{_FILES}/{name}"), gone)

    def _taken(self, root: Path, each: Entry, there: dict[str, int]) -> bool:
        if there.get(each.sha256) != each.bytes:
            if not (root / each.path).is_file():
                return False
            self._send(root / each.path, _folder(each.sha256))
            there[each.sha256] = each.bytes
        return True

    def _drop_half_made(self) -> None:
        whole = set(self.names())
        for name, _ in list(self.store.listing(_BACKUPS)):
            if name.partition("/")[0] not in whole:
                self.store.remove(f"{_BACKUPS}/{name}")

    def _there(self) -> dict[str, int]:
        """Return how many bytes of each shared file are there."""
        found: dict[str, int] = {}
        for name, size in self.store.listing(_FILES):
            sha256 = name.split("/")[1]
            found[sha256] = found.get(sha256, 0) + size
        return found

    def _pieces(self, folder: str) -> dict[str, int]:
        return dict(self.store.listing(folder))

    def _send(self, source: Path, folder: str) -> None:
        """Send a file in pieces; those that are there in full stay."""
        there = self._pieces(folder)
        with source.open("rb") as file:
            number = 0
            while (piece := file.read(_PIECE)) or not number:
                name = f"{number:06}"
                if there.get(name) != len(piece):
                    self.store.write(f"{folder}/{name}", piece)
                number += 1

    def _bring(self, names: Sequence[str], target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as file:
            see: Callable[[bytes], object] = partial(file.write)
            for name in names:
                self.store.read(name, see)


def _folder(sha256: str) -> str:
    return f"{_FILES}/{sha256[:2]}/{sha256}"
