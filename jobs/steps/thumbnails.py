"""Thumbnails: the storyboard of the seek bar, and frames that may become the poster.

Both come from the joined renditions, which have a keyframe every two seconds: only
those are decoded, whatever the source looked like.
"""

from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import ffmpeg as graph

from appliance import digests
from appliance.errors import TryAgain
from jobs.planning.chunks import Grid
from jobs.steps import candidates
from jobs.tools import ffmpeg
from jobs.work import Work

COLUMNS = ROWS = 5
LONG_SIDE = 160
_QUALITY = 5


@dataclass(frozen=True, slots=True)
class Step:
    """How many seconds lie between pictures, and between the keyframes of the film."""

    seconds: int
    keyframes: int


def run(spec: dict[str, Any], work: Work) -> dict[str, Any]:
    """Write the sheets and the candidates.

    Returns the entry of the track with ``candidates`` beside it.
    """
    folder = work.folder / spec["id"]
    folder.mkdir(exist_ok=True)
    width, height = picture_size(spec["smallest"])
    grid = Grid.from_spec(spec["grid"])
    count = ceil(grid.seconds / spec["step"])
    source = work.done("join", f"{spec['smallest']['id']}.mp4")
    step = Step(spec["step"], grid.distance)
    args = sheets_args(source, folder, step, count, width, height)
    ffmpeg.run(args, work, seconds=float(grid.seconds), report=work.part(0, 0.5))
    sheets = sorted(path.name for path in folder.glob("*.jpg"))
    expected = ceil(count / (COLUMNS * ROWS))
    if len(sheets) != expected:
        raise TryAgain(
            "thumbnails.sheets",
            f"The storyboard has {len(sheets)} sheets of {expected}: it is made again.",
        )
    entry = _entry(spec, folder, sheets, count, width, height)
    entry["files"] = digests.of_folder(folder)
    return entry | {"candidates": candidates.extract(spec, work)}


def picture_size(rendition: dict[str, Any]) -> tuple[int, int]:
    """Return the size of one small picture: its long side 160, never enlarged."""
    width, height = rendition["width"], rendition["height"]
    scale = min(1.0, LONG_SIDE / max(width, height))
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)


def sheets_args(
    source: Path, folder: Path, step: Step, count: int, width: int, height: int
) -> list[str]:
    """Return the command: the first keyframe of every step, in sheets."""
    # Other frames are neither read nor decoded.
    keys = {"discard": "nokey", "skip_frame": "nokey", "threads": 1}
    stream = graph.input(ffmpeg.url(source), **keys, **ffmpeg.OWN_INPUT)
    # FFmpeg gives a keyframe the time of another frame where those between are not
    # read; but the grid says which second each stands at.
    stream = stream["v"].filter("setpts", f"N*{step.keyframes}/TB")
    begun, before = (
        f"floor({time}/{step.seconds})" for time in ("t", "prev_selected_t")
    )
    wanted = f"isnan(prev_selected_t)+gt({begun},{before})"
    stream = stream.filter("select", wanted).filter("setpts", "N/TB")
    # The last stretch may be too short to hold a keyframe of its own.
    stream = stream.filter("tpad", stop_mode="clone", stop=1)
    stream = stream.filter("trim", end_frame=count)
    stream = stream.filter("scale", w=width, h=height, flags="area")
    stream = stream.filter("tile", f"{COLUMNS}x{ROWS}")
    output = stream.output(
        ffmpeg.url(folder / "%05d.jpg"),
        **{"f": "image2", "c:v": "mjpeg", "q:v": _QUALITY, "fps_mode": "passthrough"},
        **{"pix_fmt": "yuvj420p", "threads": 1},
    )
    return ffmpeg.compile_graph([output], program=ffmpeg.OWN_FFMPEG)


def _entry(
    spec: dict[str, Any],
    folder: Path,
    sheets: list[str],
    count: int,
    width: int,
    height: int,
) -> dict[str, Any]:
    return {
        "id": spec["id"],
        "kind": "thumbnails",
        "name": "thumbnails",
        "folder": spec["id"],
        "codec": "jpeg",
        "width": width * COLUMNS,
        "height": height * ROWS,
        "bytes": sum((folder / sheet).stat().st_size for sheet in sheets),
        "facts": {
            "columns": COLUMNS,
            "rows": ROWS,
            "width": width,
            "height": height,
            "step": spec["step"],
            "count": count,
            "sheets": sheets,
        },
    }
