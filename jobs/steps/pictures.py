"""The filter graph that turns a stretch of a source into every rendition. Pure.

One decode feeds all encoders. Frames are numbered on a grid that begins at the film's
origin, so frame N is the same picture whichever chunk it falls into.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Any

import ffmpeg

from jobs.planning.chunks import Grid
from jobs.steps import graphics
from jobs.steps.graphics import Device, Part
from jobs.tools import encoder_options, encoders
from jobs.tools.encoders import Codec, Family
from jobs.tools.ffmpeg import SOURCE_INPUT, compile_graph, url

# What pictures of high dynamic range are in, where they do not say it themselves.
_HDR_COLOURS = {"color_primaries": "bt2020", "colorspace": "bt2020nc"}
_TONE_MAP = (
    ("format", {"pix_fmts": "gbrpf32le"}),
    ("tonemap", {"tonemap": "hable", "desat": 0}),
    ("zscale", {"t": "bt709"}),
    # Colours that other screens can't show end here; as differences of colour they
    # would take brightness from the rest.
    ("format", {"pix_fmts": "gbrp12le"}),
    ("zscale", {"m": "bt709", "r": "tv"}),
)
_LINEAR = {"t": "linear", "npl": 100, "p": "bt709"}
# What HLG shows depends on how bright a colour is as a whole; quick tables only know
# its parts, and make it more gaudy. It costs half as much again.
_EXACT = {"agamma": 0}


def codec_of(spec: Mapping[str, Any]) -> Codec:
    """Return what the renditions of a chunk are encoded in."""
    return Codec(spec.get("encoder", {}).get("codec", Codec.H264))


def family_of(spec: Mapping[str, Any]) -> Family:
    """Return whose circuits a chunk is to be encoded by."""
    return Family(spec.get("encoder", {}).get("family", Family.SOFTWARE))


def chunk_args(
    spec: Mapping[str, Any],
    source: Path,
    folder: Path,
    seek: float | None,
    device: Device | None = None,
) -> list[str]:
    """Return the ffmpeg command that encodes one chunk into ``<track id>.mp4`` files.

    ``seek`` is the time stamp in the source at which reading starts, None its start.
    ``device`` encodes, where the family of the chunk is not software.
    """
    grid = Grid.from_spec(spec["grid"])
    stays = graphics.stays(device, spec)
    how = graphics.input_options(device, spec) if device and stays else {}
    stream = _read(source, spec, seek, how)
    stream = _numbered(stream, spec, grid, seek, device if stays else None)
    outputs = []
    there = stays
    *smaller, largest = spec["renditions"]
    # Each rendition is scaled from the next larger one: cheaper, and as good.
    for rendition in [largest, *reversed(smaller)]:
        first = rendition is largest
        if there and device is not None:
            stream = graphics.scaled(stream, rendition, device)
        else:
            stream = _scaled(stream, spec, rendition, first=first)
        if device is not None and not there and Part.SCALE in device.parts:
            stream, there = graphics.uploaded(stream, device), True
        if rendition is not spec["renditions"][0]:
            halves = stream.filter_multi_output("split", 2)
            stream, mine = halves[0], halves[1]
        else:
            mine = stream
        if device is not None and not there:
            mine = graphics.uploaded(mine, device)
        target = folder / f"{rendition['id']}.mp4"
        coded = _coded(spec, rendition, grid, device)
        outputs.append(mine.output(url(target), **coded))
    # Time stamps stay those of the file: a seek must not move the grid.
    opened = graphics.flags(device, spec) if device is not None else ()
    flags = ("-copyts", *opened)
    program = encoders.program(codec_of(spec), family_of(spec))
    return compile_graph(outputs, program=program, flags=flags)


def reference_args(
    specs: Sequence[Mapping[str, Any]], source: Path, target: Path
) -> list[str]:
    """Return the ffmpeg command that writes chunks as they are to be seen, raw.

    One after the other, they are what the largest rendition of each is to look like,
    for comparing. Each spec says from where it ``seek``s.
    """
    parts = []
    for spec in specs:
        grid, seek = Grid.from_spec(spec["grid"]), spec["seek"]
        part = _numbered(_read(source, spec, seek, {}), spec, grid, seek, None)
        parts.append(_scaled(part, spec, spec["renditions"][-1], first=True))
    stream = parts[0] if len(parts) == 1 else ffmpeg.concat(*parts)
    raw = {"f": "nut", "c:v": "rawvideo", "fps_mode": "passthrough", "an": None}
    return compile_graph([stream.output(url(target), **raw)], flags=("-copyts",))


def keyframes(spec: Mapping[str, Any], grid: Grid) -> list[int]:
    """Return which frames of a chunk must be keyframes, the first being 0."""
    return [
        key - spec["from"]
        for key in grid.keyframes()
        if spec["from"] <= key < spec["to"]
    ]


def _read(
    source: Path, spec: Mapping[str, Any], seek: float | None, how: Mapping[str, Any]
) -> Any:
    options: dict[str, Any] = {**SOURCE_INPUT, **how}
    if seek is not None:
        # Everything from the keyframe on is decoded; the grid decides what is used.
        options |= {"noaccurate_seek": None, "seek_timestamp": 1, "ss": f"{seek:.6f}"}
    return ffmpeg.input(url(source), **options)[str(spec["stream"])]


def _numbered(
    stream: Any,
    spec: Mapping[str, Any],
    grid: Grid,
    seek: float | None,
    device: Device | None,
) -> Any:
    """Give the stream the frames of the chunk, numbered from zero.

    ``device`` does all of the work, where there is one.
    """
    stream = stream.filter("setpts", f"round(PTS-({spec['origin']!r})/TB)")
    if device is not None:
        stream = graphics.received(stream, device, spec)
    if spec["fields"] and device is not None:
        stream = graphics.deinterlaced(stream, device, spec)
    elif spec["fields"]:
        stream = stream.filter("bwdif", mode="send_frame", parity=spec["fields"])
    # Read from its beginning, a source whose sound starts first is filled up to zero.
    head = {"start_time": 0} if seek is None else {}
    stream = stream.filter("fps", fps=str(grid.rate), **head)
    if spec["hold"]:
        # One more than planned: a last frame may be rounded to its neighbour.
        stream = stream.filter("tpad", stop_mode="clone", stop=spec["hold"] + 1)
    stream = stream.filter("trim", start_pts=spec["from"], end_pts=spec["to"])
    stream = stream.filter("setpts", f"PTS-{spec['from']}")
    if device is not None and spec["transfer"] in graphics.HDR:
        stream = graphics.tone_mapped(stream, device, spec)
    return stream


def _scaled(
    stream: Any, spec: Mapping[str, Any], rendition: Mapping[str, Any], *, first: bool
) -> Any:
    size = {"w": rendition["width"], "h": rendition["height"], "flags": "bicubic"}
    if not first:
        return stream.filter("scale", **size).filter("setsar", 1)
    if spec["transfer"] in graphics.HDR:
        stream = stream.filter("scale", **size)
        if spec.get("untagged"):
            stream = stream.filter("setparams", **_HDR_COLOURS)
        exact = _EXACT if spec["transfer"] == graphics.HLG else {}
        stream = stream.filter("zscale", **_LINEAR, **exact)
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
    spec: Mapping[str, Any],
    rendition: Mapping[str, Any],
    grid: Grid,
    device: Device | None,
) -> dict[str, Any]:
    keys = keyframes(spec, grid)
    chosen = encoder_options.options(
        codec_of(spec),
        family_of(spec),
        {"quality": spec["crf"], **rendition},
        # Longer than any: the same for all chunks, since encoders write into their
        # headers what follows from it.
        gop=ceil(grid.distance * grid.rate) + 1,
        preset=rendition.get("preset") or spec["preset"],
        mode=device.mode if device is not None else "",
    )
    return chosen | {
        "f": "mp4",
        # Keyframes stand where the plan says and nowhere else.
        "force_key_frames": ",".join(_time_of(key, grid.rate) for key in keys),
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
