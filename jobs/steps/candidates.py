"""Poster candidates: a few frames of the film that show something."""

from pathlib import Path
from typing import Any

import ffmpeg as graph
from PIL import Image, ImageFilter, ImageStat

from jobs.planning.chunks import Grid
from jobs.tools import ffmpeg
from jobs.work import Work

FOLDER = "candidates"
WANTED = 5
LOOKED_AT = 10
WIDEST = 1920
_QUALITY = 2
# Openings and closing credits make poor posters.
_FROM, _TO = 0.06, 0.86


def extract(spec: dict[str, Any], work: Work) -> list[dict[str, Any]]:
    """Write the best frames of a sample as JPEG, the best first.

    Each is ``{"file", "seconds", "score"}``; ``file`` is relative to the folder.
    """
    folder = work.folder / FOLDER
    folder.mkdir(exist_ok=True)
    times = sample_times(Grid.from_spec(spec["grid"]))
    report = work.part(0.5, 1)
    source = work.done("join", f"{spec['largest']['id']}.mp4")
    scored = []
    for number, at in enumerate(times):
        file = folder / f"{number + 1:02}.jpg"
        ffmpeg.run(_frame_args(source, file, at), work, report=report)
        if file.exists():
            scored.append((score(file), at, file))
        report((number + 1) / len(times))
    scored.sort(key=lambda each: -each[0])
    for _, _, file in scored[WANTED:]:
        file.unlink()
    return [
        {
            "file": f"{FOLDER}/{file.name}",
            "seconds": round(at, 3),
            "score": round(value, 3),
        }
        for value, at, file in scored[:WANTED]
    ]


def sample_times(grid: Grid) -> list[float]:
    """Return the times of keyframes that are spread over the body of the film."""
    keys = [float(frame / grid.rate) for frame in grid.keyframes()]
    whole = float(grid.seconds)
    body = [key for key in keys if _FROM * whole <= key <= _TO * whole] or keys
    count = min(LOOKED_AT, len(body))
    return [body[len(body) * (2 * n + 1) // (2 * count)] for n in range(count)]


def score(file: Path) -> float:
    """Rate a frame from 0 to 1: how much it varies, how sharp and how bright it is.

    Black frames, fades, plain backgrounds and blurs of motion end at the bottom.
    """
    with Image.open(file) as image:
        grey = image.convert("L")
        grey.thumbnail((320, 320))
    stat = ImageStat.Stat(grey)
    mean, spread = stat.mean[0], stat.stddev[0]
    edges = ImageStat.Stat(grey.filter(ImageFilter.FIND_EDGES)).mean[0]
    lit = max(0.0, 1 - abs(mean - 115) / 115)
    parts = (min(1.0, spread / 64), grey.entropy() / 8, min(1.0, edges / 32), lit)
    product = 1.0
    for part in parts:
        product *= part
    return float(product ** (1 / len(parts)))


def _frame_args(source: Path, target: Path, at: float) -> list[str]:
    stream = graph.input(
        ffmpeg.url(source),
        **ffmpeg.OWN_INPUT,
        # Between this keyframe and the next, so that rounding can't find another.
        **{"ss": f"{at + 0.02:.3f}", "noaccurate_seek": None, "skip_frame": "nokey"},
        threads=1,
    )
    stream = stream["v"].filter("scale", w=f"min(iw,{WIDEST})", h=-2)
    output = stream.output(
        ffmpeg.url(target),
        **{"f": "image2", "c:v": "mjpeg", "q:v": _QUALITY, "frames:v": 1},
        **{"update": 1, "pix_fmt": "yuvj420p"},
    )
    return ffmpeg.compile_graph([output], program=ffmpeg.OWN_FFMPEG)
