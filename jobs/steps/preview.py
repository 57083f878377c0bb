"""Preview: a few silent seconds of a film, for whoever points at its card."""

from collections.abc import Sequence
from typing import Any

import ffmpeg as graph

from jobs.tools import ffmpeg
from jobs.work import Work

FILE = "preview.mp4"
PIECES, PIECE_SECONDS = 4, 2.5
_LONG_SIDE, _FASTEST = 480, 30
_SHORTEST_FILM = 20.0


def run(spec: dict[str, Any], work: Work) -> dict[str, Any]:
    """Write ``preview.mp4`` from the frames that rated best; a short film has none.

    Returns ``{"file", "seconds", "bytes"}``, or ``{"file": None}``.
    """
    rated = work.result("thumbnails").get("candidates", [])
    times = moments([each["seconds"] for each in rated], spec["duration"])
    if not times:
        return {"file": None}
    ffmpeg.run(
        preview_args(spec, times, work), work, seconds=len(times) * PIECE_SECONDS
    )
    made = work.folder / FILE
    return {
        "file": FILE,
        "seconds": len(times) * PIECE_SECONDS,
        "bytes": made.stat().st_size,
    }


def moments(best_first: Sequence[float], duration: float) -> list[float]:
    """Return where the pieces begin, in the order of the film and never overlapping."""
    if duration < _SHORTEST_FILM:
        return []
    chosen: list[float] = []
    for at in best_first:
        start = min(at, duration - PIECE_SECONDS)
        if all(abs(start - other) >= PIECE_SECONDS for other in chosen):
            chosen.append(start)
    return sorted(chosen[:PIECES])


def preview_args(spec: dict[str, Any], times: Sequence[float], work: Work) -> list[str]:
    """Return the command: short pieces of a rendition of ours, one after another."""
    source = work.done("join", f"{spec['rendition']['id']}.mp4")
    pieces = [
        graph.input(
            ffmpeg.url(source),
            **ffmpeg.OWN_INPUT,
            **{"ss": f"{at:.3f}", "t": PIECE_SECONDS, "threads": 1},
        )["v"].filter("setpts", "PTS-STARTPTS")
        for at in times
    ]
    stream = graph.concat(*pieces, v=1, a=0)
    stream = stream.filter("fps", f"min(source_fps,{_FASTEST})")
    wide = f"if(gte(iw,ih),min(iw,{_LONG_SIDE}),-2)"
    high = f"if(gte(iw,ih),-2,min(ih,{_LONG_SIDE}))"
    stream = stream.filter("scale", w=wide, h=high).filter("format", "yuv420p")
    output = stream.output(
        ffmpeg.url(work.folder / FILE),
        **{"f": "mp4", "c:v": "libx264", "preset": "veryfast", "crf": 27},
        **{"maxrate": "700k", "bufsize": "1400k", "threads": 1, "an": None},
        **{"movflags": "+faststart", "map_metadata": -1, "map_chapters": -1},
    )
    return ffmpeg.compile_graph([output])
