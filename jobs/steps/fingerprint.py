"""Fingerprint: what the sound of a film is like, for finding it in other films."""

from array import array
from pathlib import Path
from typing import Any

from jobs.listening.matching import Fingerprint
from jobs.steps import audio
from jobs.tools import ffmpeg
from jobs.work import Work

FILE = "fingerprint"


def run(spec: dict[str, Any], work: Work) -> dict[str, Any]:
    """Write ``fingerprint`` from the sound of the unit ``spec["unit"]``.

    Returns ``{"items"}``: how many numbers it has.
    """
    source, target = work.done(spec["unit"], audio.FILE), work.folder / FILE
    ffmpeg.run(
        [
            *(ffmpeg.FFMPEG, "-hide_banner", "-nostdin", "-y", "-loglevel"),
            *("level+warning", *ffmpeg.options(ffmpeg.OWN_INPUT)),
            *("-i", ffmpeg.url(source), "-map", "0:a:0", "-ac", "1"),
            *("-f", "chromaprint", "-fp_format", "raw", ffmpeg.url(target)),
        ],
        work,
        seconds=spec["duration"],
    )
    return {"items": target.stat().st_size // 4}


def read(path: Path) -> Fingerprint:
    """Read what :func:`run` wrote."""
    items = array("I")
    items.frombytes(path.read_bytes())
    return items
