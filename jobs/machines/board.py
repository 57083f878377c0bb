"""What a media worker is doing now, for whoever asks on another machine."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Progress:
    """How far a work unit is; called by its step with what is done, from 0 to 1."""

    fraction: float = 0
    fps: float | None = None

    def __call__(self, fraction: float, fps: float | None = None) -> None:
        self.fraction, self.fps = min(1, max(self.fraction, fraction)), fps


@dataclass(frozen=True, slots=True)
class Entry:
    """A work unit that runs here; ``began`` is of the monotonic clock."""

    job: str
    unit: str
    progress: Progress
    began: float


@dataclass(frozen=True, slots=True)
class Board:
    """The work units that run in this process; its threads share it."""

    _entries: dict[int, Entry] = field(default_factory=dict)

    @contextmanager
    def entry(self, job: str, unit: str) -> Iterator[Progress]:
        """Show a unit as long as it runs."""
        progress = Progress()
        entry = Entry(job, unit, progress, time.monotonic())
        self._entries[id(progress)] = entry
        try:
            yield progress
        finally:
            del self._entries[id(progress)]

    def doing(self) -> list[dict[str, Any]]:
        """Return what runs, the longest first, as it is announced."""
        now = time.monotonic()
        return [
            {
                "job": each.job,
                "unit": each.unit,
                "seconds": round(now - each.began, 1),
                "progress": round(each.progress.fraction, 3),
                "fps": each.progress.fps,
            }
            for each in sorted(self._entries.copy().values(), key=_began)
        ]


def _began(entry: Entry) -> float:
    return entry.began
