"""Encode: one chunk of a film, all its renditions from one decode."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from appliance.errors import TryAgain
from jobs.chunks import Grid
from jobs.steps.pictures import chunk_args
from jobs.tools import ffmpeg, mp4
from jobs.work import Work

logger = logging.getLogger(__name__)


def run(spec: dict[str, Any], work: Work) -> dict[str, Any]:
    """Write ``<track id>.mp4`` of every rendition.

    Returns ``{"frames", "tracks": {id: {"codec", "bytes"}}}``; ``codec`` tells chunks
    apart that can't be joined.
    """
    source = work.storage.existing(spec["source"])
    _encode(spec, source, work, spec["seek"])
    wrong = _wrong(spec, work.folder)
    if wrong and spec["seek"] is not None:
        # A seek that went astray is the usual reason, and the file's own fault.
        logger.info("%s; once more without seeking", wrong)
        _encode(spec, source, work, None)
        wrong = _wrong(spec, work.folder)
    if wrong:
        raise TryAgain("encode.frames", f"{wrong}: the chunk is encoded again.")
    return {
        "frames": spec["to"] - spec["from"],
        "tracks": {
            each["id"]: _described(work.folder / f"{each['id']}.mp4")
            for each in spec["renditions"]
        },
    }


def _encode(
    spec: Mapping[str, Any], source: Path, work: Work, seek: float | None
) -> None:
    args = chunk_args(spec, source, work.folder, seek)
    ffmpeg.run(args, work, frames=spec["to"] - spec["from"])


def _wrong(spec: Mapping[str, Any], folder: Path) -> str:
    """Say what is not as planned, or nothing."""
    grid, frames = Grid.from_spec(spec["grid"]), spec["to"] - spec["from"]
    for rendition in spec["renditions"]:
        found = mp4.facts(folder / f"{rendition['id']}.mp4")
        if found.samples != frames or found.ticks != frames * grid.ticks:
            return f"{rendition['name']} has {found.samples} frames of {frames}"
    return ""


def _described(path: Path) -> dict[str, Any]:
    return {"codec": mp4.facts(path).codec, "bytes": path.stat().st_size}
