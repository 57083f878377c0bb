"""What is left of a run on this machine, and how it is cleared away."""

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tests.host.lab import cgroups
from tests.host.lab.places import PREFIX, RUNS, is_alive
from tests.host.lab.programs import run

_PROPAGATED = Path("/run/systemd/nspawn/propagate")
_OURS = ("slirp4netns", "systemd-nspawn", "tests.host.lab.forwarding")


def of(tag: str) -> list[str]:
    """Return whatever of a run is still there; nothing is, after a proper end."""
    left = [
        *(f"network {name}" for name in _networks(tag)),
        *(f"mount {place}" for place in _mounts(tag)),
        *(f"group {path}" for path in cgroups.folders(tag) if path.exists()),
        *(f"process {number} {line}" for number, line in _processes(tag)),
        *(f"folder {path}" for path in _PROPAGATED.glob(f"{tag}-*")),
    ]
    return left + [f"folder {RUNS / tag}"] * (RUNS / tag).exists()


def clear_dead_runs() -> None:
    """Clear away what runs left that were killed before they could."""
    for place in RUNS.glob(f"{PREFIX}*"):
        if not is_alive(place.name):
            clear(place.name)


def clear(tag: str) -> None:
    """Clear away what is left of a run, by what it holds."""
    for process, _line in _processes(tag):
        _kill(process)
    cgroups.remove(tag)
    for network in _networks(tag):
        for inside in run("ip", "netns", "pids", network).stdout.split():
            _kill(int(inside))
        run("ip", "netns", "del", network, check=False)
    for mount in reversed(_mounts(tag)):
        run("umount", "-l", mount, check=False)
    for folder in (RUNS / tag, *_PROPAGATED.glob(f"{tag}-*")):
        shutil.rmtree(folder, ignore_errors=True)


def _networks(tag: str) -> list[str]:
    listed = run("ip", "netns", "list").stdout.splitlines()
    return [line.split()[0] for line in listed if line.startswith(f"{tag}-")]


def _mounts(tag: str) -> list[str]:
    lines = Path("/proc/self/mounts").read_text().splitlines()
    places = [line.split()[1] for line in lines]
    top = str(RUNS / tag)
    return [each for each in places if each == top or each.startswith(f"{top}/")]


def _processes(tag: str) -> Iterator[tuple[int, str]]:
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            if f"{tag}-" in line and any(each in line for each in _OURS):
                yield int(entry.name), line[:120]


def _kill(process: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)
