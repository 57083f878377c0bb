"""What several processes count together, over all of their restarts.

Each process adds to a file of its own, in memory that it shares with the disk, so that
counting costs about as much as adding to a variable, and what a process that is killed
has counted stays. A file belongs to whoever holds its lock: the next process takes it
over with what stands in it. So there are as many files as there were ever processes at
once, no sum ever goes down, and nobody has to clear up.

A file is a page of names, a line of JSON each, and then a number for each name.
"""

import fcntl
import json
import logging
import mmap
import os
import threading
import weakref
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

Series = tuple[str, tuple[tuple[str, str], ...]]
"""What is counted: a name and its labels, sorted."""

_MOST_FILES = 256
_MOST_CELLS = 4096
_NOWHERE = _MOST_CELLS - 1
_NAME_BYTES = 512 * 1024
_SIZE = _NAME_BYTES + 8 * _MOST_CELLS
_FORMAT = b"matinee counts 1\n"

logger = logging.getLogger("matinee.counts")


def series(name: str, **labels: str) -> Series:
    """Return what :meth:`Counts.add` counts under."""
    return name, tuple(sorted(labels.items()))


@dataclass(frozen=True, slots=True)
class Histogram:
    """Values counted by their size, each in one bucket; made once for all labels."""

    bounds: tuple[float, ...]
    buckets: tuple[Series, ...]
    sum: Series

    @classmethod
    def of(cls, name: str, bounds: tuple[float, ...], **labels: str) -> "Histogram":
        """Return the histogram of a name; ``bounds`` go upwards."""
        edges = (*(f"{bound:g}" for bound in bounds), "+Inf")
        return cls(
            bounds,
            tuple(series(f"{name}_bucket", le=edge, **labels) for edge in edges),
            series(f"{name}_sum", **labels),
        )


class Counts:
    """What this process counts; its file is opened with the first addition."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._places: dict[Series, int] = {}
        # Until the file is open there is nothing to add to.
        self._cells: memoryview[float] = memoryview(bytearray(8)).cast("d")
        self._map: mmap.mmap | None = None
        self._names_end = 0

    def add(self, what: Series, amount: float = 1.0) -> None:
        """Add to a number; one for which there is no room is left out."""
        place = self.place(what)
        with self._lock:
            self._cells[place] += amount

    def observe(self, what: "Histogram", value: float) -> None:
        """Count a value in the smallest bound that it is not above, and add it up."""
        bucket = what.buckets[bisect_left(what.bounds, value)]
        self.book((self.place(bucket),), (self.place(what.sum),), value)

    def place(self, what: Series) -> int:
        """Return where something is counted, for :meth:`book`; it stays there."""
        place = self._places.get(what)
        if place is None:
            with self._lock:
                place = self._placed(what)
        return place

    def book(self, ones: tuple[int, ...], sums: tuple[int, ...], amount: float) -> None:
        """Add one in each of the first places, and an amount in each of the others."""
        with self._lock:
            cells = self._cells
            for each in ones:
                cells[each] += 1.0
            for each in sums:
                cells[each] += amount

    def _placed(self, what: Series) -> int:
        """Return where something new is counted: all that has no room in one place."""
        memory = self._map or self._open()
        if what in self._places:
            return self._places[what]
        line = json.dumps([what[0], dict(what[1])]).encode() + b"\n"
        place, end = len(self._places), self._names_end + len(line)
        if end >= _NAME_BYTES or place >= _NOWHERE:
            logger.warning("nothing more is counted than %d numbers", _NOWHERE)
            return _NOWHERE
        memory[self._names_end : end] = line
        self._names_end = end
        self._places[what] = place
        return place

    def _open(self) -> mmap.mmap:
        """Take over a file that nobody has, or begin one."""
        handle = _taken(self._folder)
        # Without a folder this process counts for itself; nobody sees it.
        memory = mmap.mmap(-1 if handle is None else handle, _SIZE)
        if handle is not None:
            weakref.finalize(self, os.close, handle)
        if memory[: len(_FORMAT)] != _FORMAT:
            memory[:] = bytes(_SIZE)
            memory[: len(_FORMAT)] = _FORMAT
        self._places = {what: place for place, what in enumerate(_names(memory))}
        self._names_end = end = _end(memory)
        memory[end:_NAME_BYTES] = bytes(_NAME_BYTES - end)
        self._cells = memoryview(memory)[_NAME_BYTES:].cast("d")
        self._map = memory
        return memory


def totals(folder: Path) -> Mapping[Series, float]:
    """Return what all processes have counted, those of before among them."""
    found: dict[Series, float] = defaultdict(float)
    for path in sorted(folder.glob("*.counts")) if folder.is_dir() else ():
        data = path.read_bytes()
        if len(data) == _SIZE and data.startswith(_FORMAT):
            cells = memoryview(data)[_NAME_BYTES:].cast("d")
            for place, what in enumerate(_names(data)):
                found[what] += cells[place]
    return found


def _taken(folder: Path) -> int | None:
    """Return an open file that no process has, locked and with room on the disk."""
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(_MOST_FILES):
            path = folder / f"{number}.counts"
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # Else a full disk would kill whoever writes to this memory.
                os.posix_fallocate(handle, 0, _SIZE)
            except BlockingIOError:
                os.close(handle)
            except OSError:
                os.close(handle)
                return None
            else:
                return handle
    return None


def _names(data: bytes | mmap.mmap) -> list[Series]:
    lines = data[len(_FORMAT) : _end(data)].splitlines()
    told = (json.loads(line) for line in lines)
    return [(name, tuple(sorted(labels.items()))) for name, labels in told]


def _end(data: bytes | mmap.mmap) -> int:
    """Return where the last whole name ends; one may be torn by a kill."""
    written = data[:_NAME_BYTES].partition(b"\0")[0]
    return written.rfind(b"\n") + 1
