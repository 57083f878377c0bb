"""A chunk that was encoded: whether it is as it was planned."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jobs.planning.chunks import Grid
from jobs.steps.pictures import keyframes
from jobs.tools import mp4


def wrong(spec: Mapping[str, Any], folder: Path) -> str:
    """Say what is not as planned, or nothing."""
    grid, frames = Grid.from_spec(spec["grid"]), spec["to"] - spec["from"]
    keys = tuple(keyframes(spec, grid))
    for rendition in spec["renditions"]:
        found = mp4.facts(folder / f"{rendition['id']}.mp4")
        if found.samples != frames or found.ticks != frames * grid.ticks:
            return f"{rendition['name']} has {found.samples} frames of {frames}"
        stand = found.keys if found.keys is not None else tuple(range(frames))
        if stand != keys:
            return f"{rendition['name']} has its keyframes elsewhere than planned"
    return ""
