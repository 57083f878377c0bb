"""The filter graph that turns a stretch of a source into every rendition. Pure.

One decode feeds all encoders. Frames are numbered on a grid that begins at the film's
origin, so frame N is the same picture whichever chunk it falls into.
"""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import ffmpeg

from jobs.chunks import Grid
from jobs.tools.ffmpeg import SOURCE_INPUT, compile_graph, url

_HDR = frozenset({"smpte2084", "arib-std-b67"})
_TONE_MAP = (
    ("zscale", {"t": "linear", "npl": 100}),
    ("format", {"pix_fmts": "gbrpf32le"}),
    ("zscale", {"p": "bt709"}),
    ("tonemap", {"tonemap": "hable", "desat": 0}),
    ("zscale", {"t": "bt709", "m": "bt709", "r": "tv"}),
)


def chunk_args(
    spec: Mapping[str, Any], source: Path, folder: Path, seek: float | None
) -> list[str]:
    """Return the ffmpeg command that encodes one chunk into ``<track id>.mp4`` files.

    ``seek`` is the time stamp in the source at which reading starts, None its start.
    """
    grid = Grid.from_spec(spec["grid"])
    stream = _read(source, spec, seek)
    stream = _numbered(stream, spec, grid, seek)
    outputs = []
    *smaller, largest = spec["renditions"]
    # Each rendition is scaled from the next larger one: cheaper, and as good.
    for rendition in [largest, *reversed(smaller)]:
        first = rendition is largest
        stream = _scaled(stream, spec, rendition, first=first)
        if rendition is not spec["renditions"][0]:
            halves = stream.filter_multi_output("split", 2)
            stream, mine = halves[0], halves[1]
        else:
            mine = stream
        target = folder / f"{rendition['id']}.mp4"
        outputs.append(mine.output(url(target), **_coded(spec, rendition, grid)))
    # Time stamps stay those of the file: a seek must not move the grid.
    return compile_graph(outputs, flags=("-copyts",))


def _read(source: Path, spec: Mapping[str, Any], seek: float | None) -> Any:
    options: dict[str, Any] = dict(SOURCE_INPUT)
    if seek is not None:
        # Everything from the keyframe on is decoded; the grid decides what is used.
        options |= {"noaccurate_seek": None, "seek_timestamp": 1, "ss": f"{seek:.6f}"}
    return ffmpeg.input(url(source), **options)[str(spec["stream"])]


def _numbered(
    stream: Any, spec: Mapping[str, Any], grid: Grid, seek: float | None
) -> Any:
    """Give the stream the frames of the chunk, numbered from zero."""
    stream = stream.filter("setpts", f"round(PTS-({spec['origin']!r})/TB)")
    if spec["fields"]:
        stream = stream.filter("bwdif", mode="send_frame", parity=spec["fields"])
    # Read from its beginning, a source whose sound starts first is filled up to zero.
    head = {"start_time": 0} if seek is None else {}
    stream = stream.filter("fps", fps=str(grid.rate), **head)
    if spec["hold"]:
        # One more than planned: a last frame may be rounded to its neighbour.
        stream = stream.filter("tpad", stop_mode="clone", stop=spec["hold"] + 1)
    stream = stream.filter("trim", start_pts=spec["from"], end_pts=spec["to"])
    return stream.filter("setpts", f"PTS-{spec['from']}")


def _scaled(
    stream: Any, spec: Mapping[str, Any], rendition: Mapping[str, Any], *, first: bool
) -> Any:
    size = {"w": rendition["width"], "h": rendition["height"], "flags": "bicubic"}
    if not first:
        return stream.filter("scale", **size).filter("setsar", 1)
    if spec["transfer"] in _HDR:
        stream = stream.filter("scale", **size)
        for name, options in _TONE_MAP:
            stream = stream.filter(name, **options)
        stream = stream.filter("format", "yuv420p")
        return stream.filter("setsar", 1)
    if spec["pixels"].startswith(("rgb", "bgr", "gbr", "argb", "abgr", "0rgb", "0bgr")):
        # Screen recordings; players take untagged pictures of this size for BT.709.
        stream = stream.filter("scale", **size, out_color_matrix="bt709")
        stream = stream.filter("setparams", colorspace="bt709")
    else:
        stream = stream.filter("scale", **size, out_range="tv")
    return stream.filter("format", "yuv420p").filter("setsar", 1)


def _coded(
    spec: Mapping[str, Any], rendition: Mapping[str, Any], grid: Grid
) -> dict[str, Any]:
    keys = [
        key - spec["from"]
        for key in grid.keyframes()
        if spec["from"] <= key < spec["to"]
    ]
    return {
        "f": "mp4",
        "c:v": "libx264",
        "profile:v": "high",
        "preset": spec["preset"],
        # Quality decides, the cap only limits what a player must be able to take in.
        "crf": spec["crf"],
        "maxrate": f"{rendition['kbps']}k",
        "bufsize": f"{2 * rendition['kbps']}k",
        # One thread: with more, x264 decides by who comes first how it keeps to the
        # cap, and no chunk comes out the same twice. It is cheaper, too; the cores
        # are kept busy by chunks side by side.
        "threads": 1,
        # Keyframes stand where the plan says and nowhere else.
        "force_key_frames": ",".join(_time_of(key, grid.rate) for key in keys),
        "forced-idr": 1,
        "g": 1 + max(b - a for a, b in zip(keys, [*keys[1:], spec["to"]], strict=True)),
        "sc_threshold": 0,
        # Every frame takes a whole number of ticks, so chunks join without rounding.
        "fps_mode": "passthrough",
        "video_track_timescale": grid.timescale,
        "map_metadata": -1,
        "map_chapters": -1,
        "an": None,
    }


def _time_of(frame: int, rate: Fraction) -> str:
    """Return a time that only ``frame`` is the first not to come before.

    A quarter of a frame early, so that neither rounding up nor down reaches another.
    """
    return f"{max(0.0, float((frame - Fraction(1, 4)) / rate)):.6f}"
