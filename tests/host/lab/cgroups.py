"""The control groups of boxes: one tree for each, so that two never meet."""

import os
import time
from contextlib import suppress
from pathlib import Path

_TOP = Path("/sys/fs/cgroup")


def folders(name: str) -> list[Path]:
    """Return where a group lies: in one tree, or in two on a hybrid machine."""
    if (_TOP / "cgroup.controllers").exists():
        return [_TOP / name]
    return [_TOP / tree / name for tree in ("unified", "systemd") if _is(tree)]


def make(name: str) -> list[Path]:
    """Make a group; return the files into which a process writes itself."""
    made = folders(name)
    for each in made:
        each.mkdir(parents=True, exist_ok=True)
    return [each / "cgroup.procs" for each in made]


def remove(name: str) -> None:
    """End all that runs in a group, and take it away."""
    for top in folders(name):
        if (kill := top / "cgroup.kill").exists():
            kill.write_text("1")
        for _ in range(100):
            for folder, _folders, _files in os.walk(top, topdown=False):
                with suppress(OSError):
                    Path(folder).rmdir()
            if not top.exists():
                break
            time.sleep(0.05)


def freeze(name: str, frozen: bool) -> None:
    """Stop all processes of a group where they are, or let them go on."""
    for top in folders(name):
        if (switch := top / "cgroup.freeze").exists():
            switch.write_text("1" if frozen else "0")


def cpu_seconds(name: str) -> float:
    """Return how long processors have worked for a group, where that is counted."""
    for top in folders(name):
        if (counted := top / "cpu.stat").exists():
            return int(counted.read_text().split()[1]) / 1e6
    return 0.0


def _is(tree: str) -> bool:
    return (_TOP / tree).is_dir()
