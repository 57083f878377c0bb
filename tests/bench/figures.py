"""What a benchmark measures: two costs of one run, and their ratio."""

import ctypes
import os
import resource
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

Better = Literal["lower", "higher"]
_PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True, slots=True)
class Cost:
    """What the children of this process cost; both in seconds."""

    cpu: float
    wall: float


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table; ``ratio`` is ours over reference, in one run."""

    name: str
    ours: float
    reference: float
    ratio: float
    goal: float | None
    better: Better
    note: str

    @property
    def verdict(self) -> str:
        if self.goal is None:
            return ""
        met = (
            self.ratio <= self.goal
            if self.better == "lower"
            else self.ratio >= self.goal
        )
        return "met" if met else "MISSED"

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def ratio(
    name: str,
    ours: float,
    reference: float,
    goal: float | None,
    note: str,
    better: Better = "lower",
) -> Figure:
    """Build the figure of two measurements in the same unit."""
    return Figure(
        name=name,
        ours=round(ours, 4),
        reference=round(reference, 4),
        ratio=round(ours / reference, 4),
        goal=goal,
        better=better,
        note=note,
    )


def measured(action: Callable[[], object]) -> Cost:
    """Return what the children that ``action`` starts cost, orphans included.

    CPU seconds are those of reaped processes, so what else runs on the machine hardly
    moves them. Every child must end with the action or soon after.
    """
    _adopt_orphans()
    before, since = _children(), time.monotonic()
    action()
    wall = time.monotonic() - since
    _reap()
    return Cost(cpu=_children() - before, wall=wall)


def run(*parts: str | Path, environ: Mapping[str, str] | None = None) -> bytes:
    """Run a command to its end and return what it printed.

    Texts are split at blanks into arguments, paths are not.
    Errors: ``RuntimeError`` with the end of its complaint.
    """
    done = subprocess.run(
        arguments(*parts),
        env={**os.environ, **(environ or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        tail = done.stderr.decode(errors="replace")[-2000:]
        raise RuntimeError(f"{parts[0]} ended with {done.returncode}: {tail}")
    return done.stdout


def arguments(*parts: str | Path) -> list[str]:
    """Split texts at blanks, and leave paths whole."""
    return [
        word
        for part in parts
        for word in ([str(part)] if isinstance(part, Path) else part.split())
    ]


def _children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _adopt_orphans() -> None:
    """Become the parent of grandchildren whose parent was killed: they count too."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _reap() -> None:
    try:
        while True:
            os.waitpid(-1, 0)
    except ChildProcessError:
        pass
