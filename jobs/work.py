"""What a step gets besides its spec: a folder to write to and somebody to report to."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from appliance.media_sections import Hardware
from appliance.storage import Storage


class Report(Protocol):
    """Takes how much is done (0 to 1) and, while encoding, the frames per second."""

    def __call__(self, fraction: float, fps: float | None = None) -> None: ...


def _unheard(fraction: float, fps: float | None = None) -> None:
    """Nobody listens."""


@dataclass(frozen=True, slots=True)
class Work:
    """One attempt at a unit.

    ``folder`` is its scratch, the only place it may write to; ``storage`` holds the
    inputs: the source, and what the units of ``job`` before it left. ``keys`` is the
    folder of keys, which opens what is sealed in a spec; ``home`` is where this machine
    keeps what it knows of its encoders, ``hardware`` how they may be used.
    """

    folder: Path
    storage: Storage
    job: str
    keys: Path = Path("keys")
    progress: Report = _unheard
    cancelled: Callable[[], bool] = lambda: False
    stall_seconds: float = 120
    home: Path = Path()
    hardware: Hardware = field(default_factory=Hardware)

    def done(self, unit: str, name: str = "") -> Path:
        """Return the folder that a finished unit left, or a file in it."""
        return self.storage.existing(Path("work", self.job, "done", unit, name))

    def result(self, unit: str) -> dict[str, Any]:
        """Return what a finished unit reported."""
        text = self.done(unit, "result.json").read_text(encoding="utf-8")
        result: dict[str, Any] = json.loads(text)["result"]
        return result

    def part(self, start: float, end: float) -> Report:
        """Return a report for a part of this work, from ``start`` to ``end`` of it."""

        def report(fraction: float, fps: float | None = None) -> None:
            self.progress(start + (end - start) * fraction, fps)

        return report
