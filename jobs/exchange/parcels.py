"""Files on their way through the object storage, in pieces named by their SHA-256."""

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from appliance.errors import TryAgain
from appliance.objects import ObjectStore, together
from appliance.storage import Storage
from jobs.tools.process import Cancelled

DAMAGED = "exchange.damaged"
PIECE = 8 * 1024 * 1024
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 5.0
_T = TypeVar("_T")
Stamp = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Parcel:
    """A file: its name below a folder, its bytes, and the pieces it consists of."""

    name: str
    size: int
    pieces: Sequence[str]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a job: pieces that lie there, files as they were carried."""

    pieces: set[str] = field(default_factory=set)
    sent: dict[Stamp, Parcel] = field(default_factory=dict)
    fetched: dict[Stamp, Parcel] = field(default_factory=dict)
    # Of units that read the same source the second waits for what the first sends.
    sending: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True, slots=True)
class Carrier:
    """Carries the files of one job, as long as ``goes_on`` says so.

    The other side may be away for ``patience`` seconds. Errors of every method:
    ``TryAgain`` when it stays away, ``Cancelled``, and those of
    :class:`~appliance.objects.ObjectStore`.
    """

    objects: ObjectStore
    job: str
    known: Known = field(default_factory=Known)
    goes_on: Callable[[], bool] = lambda: True
    patience: float = 60

    def send(self, root: Path, names: Iterable[str]) -> list[Parcel]:
        """Put files there, and return what the other side must know to fetch them."""
        found: dict[str, Parcel] = {}

        def one(name: str) -> None:
            found[name] = self._send(root / name, name)

        with self.known.sending:
            together(one, names)
        return [found[name] for name in sorted(found)]

    def fetch(self, parcels: Iterable[Parcel], root: Path) -> None:
        """Get files that are not here yet; each appears whole, and is what was sent.

        What was fetched of a file before this process was killed is not fetched again.
        """
        storage = Storage(root)
        targets = {each.name: each for each in parcels}
        together(
            lambda name: self._fetch(targets[name], storage.path(name)), list(targets)
        )

    def write(self, relative: str, document: dict[str, Any]) -> None:
        """Put a document there, after all that it names."""
        data = json.dumps(document, separators=(",", ":")).encode()
        self._patiently(lambda: self.objects.write(self.place(relative), data))

    def read(self, relative: str) -> dict[str, Any]:
        """Return a document. Errors: ``NotFound``."""
        data = self._patiently(lambda: self._whole(self.place(relative)))
        found: dict[str, Any] = json.loads(data)
        return found

    def place(self, relative: str) -> str:
        return f"work/{self.job}/{relative}"

    def _send(self, path: Path, name: str) -> Parcel:
        stamp = _stamp(path, name)
        if stamp not in self.known.sent:
            self.known.sent[stamp] = self._put_all(path, name)
        return self.known.sent[stamp]

    def _put_all(self, path: Path, name: str) -> Parcel:
        size, digests = 0, []
        with path.open("rb") as file:
            while piece := file.read(PIECE):
                digest = hashlib.sha256(piece).hexdigest()
                if digest not in self.known.pieces:
                    self._put(digest, piece)
                    self.known.pieces.add(digest)
                digests.append(digest)
                size += len(piece)
        return Parcel(name, size, digests)

    def _put(self, digest: str, piece: bytes) -> None:
        place = self.place(f"pieces/{digest}")
        self._patiently(lambda: self.objects.write(place, piece))

    def _fetch(self, parcel: Parcel, target: Path) -> None:
        if target.exists() and self._is_as_sent(parcel, target):
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}.part")
        part.touch()
        with part.open("r+b") as file:
            kept = _kept(file, parcel.pieces)
            file.seek(kept * PIECE)
            file.truncate()
            for digest in parcel.pieces[kept:]:
                file.write(self._patiently(partial(self._get, digest)))
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
        self.known.fetched[_stamp(target, parcel.name)] = parcel

    def _is_as_sent(self, parcel: Parcel, target: Path) -> bool:
        """Say whether what is here is it: a unit may have been done again since."""
        stamp = _stamp(target, parcel.name)
        if stamp not in self.known.fetched:
            with target.open("rb") as file:
                whole = _kept(file, parcel.pieces) == len(parcel.pieces)
            if not whole or stamp[1] != parcel.size:
                return False
            self.known.fetched[stamp] = parcel
        return self.known.fetched[stamp] == parcel

    def _get(self, digest: str) -> bytes:
        piece = self._whole(self.place(f"pieces/{digest}"))
        if hashlib.sha256(piece).hexdigest() != digest:
            raise TryAgain(
                DAMAGED,
                f"A piece of job {self.job} came damaged out of {self.objects.name}.",
            )
        return piece

    def _whole(self, place: str) -> bytes:
        blocks: list[bytes] = []
        self.objects.read(place, blocks.append)
        return b"".join(blocks)

    def _patiently(self, do: Callable[[], _T]) -> _T:
        """Do it, again and again while the other side is away."""
        until, pause = time.monotonic() + self.patience, _FIRST_PAUSE
        while True:
            if not self.goes_on():
                raise Cancelled("process.cancelled", "The work was cancelled.")
            try:
                return do()
            except TryAgain:
                if time.monotonic() + pause > until:
                    raise
            threading.Event().wait(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)


def as_documents(parcels: Iterable[Parcel]) -> list[dict[str, Any]]:
    return [asdict(each) for each in parcels]


def from_documents(documents: Iterable[dict[str, Any]]) -> list[Parcel]:
    return [Parcel(**each) for each in documents]


def known(objects: ObjectStore, job: str) -> Known:
    """Ask what lies there of a job already."""
    return Known({name for name, _ in objects.listing(f"work/{job}/pieces")})


def _stamp(path: Path, name: str) -> Stamp:
    found = path.stat()
    return name, found.st_size, found.st_mtime_ns


def _kept(file: BinaryIO, pieces: Sequence[str]) -> int:
    """Return how many pieces of a file that was begun are what they should be."""
    for number, digest in enumerate(pieces):
        if hashlib.sha256(file.read(PIECE)).hexdigest() != digest:
            return number
    return len(pieces)
