"""A test encode: one short chunk, made exactly as those of films are, and compared."""

import re
import resource
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from appliance.errors import MatineeError, TryAgain
from jobs.planning.chunks import Grid
from jobs.steps import chunk
from jobs.steps.graphics import Device, Part
from jobs.steps.pictures import chunk_args
from jobs.tools import encoders, ffmpeg, process
from jobs.tools.encoders import Codec, Family

SECONDS = 5
LEAST_SSIM = 0.9
# Every driver maps tones in its own way; what is broken looks like nothing at all.
LEAST_MAPPED = 0.6

_RATE = Fraction(25)
_LARGE, _SMALL = (640, 360), (320, 180)
_GRID = Grid(int(SECONDS * _RATE), _RATE, 4, 2)
_SSIM = re.compile(r"SSIM .*All:([\d.]+)")
_PICTURE = f"testsrc2=s={_LARGE[0]}x{_LARGE[1]}:r={_RATE}:d={SECONDS}"
# What tone mapping goes by: the screen that a film was graded on.
_MASTERING = (
    "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)"
    "L(10000000,50):max-cll=1000,400:hdr10=1:colorprim=bt2020:transfer=smpte2084"
    ":colormatrix=bt2020nc:log-level=none"
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How fast it went, and how much the result looks like its source (1: exactly).

    ``cpu`` is how many seconds of one core it took; ``bytes`` what the larger of its
    two renditions takes.
    """

    fps: float
    ssim: float
    cpu: float
    bytes: int


def encode(
    codec: Codec,
    device: Device | None,
    folder: Path,
    how: process.Run,
    part: Part | None = None,
) -> Outcome:
    """Encode the clip and compare it; ``part`` is what is tested besides encoding.

    The clip is made once, beside ``folder``.
    Errors: ``MatineeError`` with what went wrong, also when the result looks wrong.
    """
    source = clip(folder.parent, how, hdr=part is Part.TONEMAP)
    spec = _spec(codec, device, part)
    begun, before = time.monotonic(), _cpu_seconds()
    process.run(chunk_args(spec, source, folder, None, device), how)
    took, cpu = time.monotonic() - begun, _cpu_seconds() - before
    if wrong := chunk.wrong(spec, folder):
        raise TryAgain("encoder.wrong", f"{wrong}.")
    if part is Part.TONEMAP:
        # Another range of brightness can't be compared with the source.
        source = _by_the_processor(spec, source, folder, how)
    likeness = _likeness(spec, source, folder, how)
    if likeness < (LEAST_MAPPED if part is Part.TONEMAP else LEAST_SSIM):
        raise TryAgain(
            "encoder.unlike",
            f"What it encodes does not look like its source (SSIM {likeness:.3f}).",
        )
    size = (folder / f"{spec['renditions'][-1]['id']}.mp4").stat().st_size
    return Outcome(_GRID.frames / took, likeness, cpu, size)


def clip(
    folder: Path, how: process.Run, *, film: Path | None = None, hdr: bool = False
) -> Path:
    """Make the clip that is encoded, once: a moving pattern, or a part of a film."""
    target = folder / ("clip-hdr.mkv" if hdr else "clip.mkv")
    if target.exists():
        return target
    coded = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "10"]
    if hdr:
        coded = ["-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le"]
        coded += ["-x265-params", _MASTERING]
    else:
        coded += ["-pix_fmt", "yuv420p"]
    source = ["-f", "lavfi", "-i", _PICTURE]
    if film is not None:
        shape = f"scale={_LARGE[0]}:{_LARGE[1]},fps={_RATE},setsar=1"
        source = [*ffmpeg.options(ffmpeg.SOURCE_INPUT), "-i", ffmpeg.url(film)]
        coded += ["-an", "-vf", shape, "-frames:v", str(_GRID.frames)]
    args = [ffmpeg.FFMPEG, "-hide_banner", "-nostdin", "-y", "-loglevel", "warning"]
    aside = target.with_suffix(f".{secrets.token_hex(4)}.mkv")
    try:
        process.run([*args, *source, *coded, str(aside)], how)
        aside.rename(target)
    finally:
        aside.unlink(missing_ok=True)
    return target


def driver(family: Family, device: str, how: process.Run) -> str:
    """Return the driver of a device and its version, as far as it can be found out."""
    if family is Family.SOFTWARE:
        return ""
    if family is Family.NVENC:
        return _first_line(Path("/proc/driver/nvidia/version"))
    args = [ffmpeg.FFMPEG, "-hide_banner", "-nostdin", "-loglevel", "verbose"]
    opened = ["-init_hw_device", f"vaapi=gpu:{device}"]
    nothing = ["-f", "lavfi", "-i", "nullsrc", "-frames:v", "1", "-f", "null", "-"]
    try:
        log = process.run([*args, *opened, *nothing], how).log
    except MatineeError:
        return ""
    found = re.search(r"VAAPI driver: (.*?)\.?$", log, re.MULTILINE)
    return found[1] if found else ""


def _spec(codec: Codec, device: Device | None, part: Part | None) -> Mapping[str, Any]:
    hdr = part is Part.TONEMAP
    return {
        "encoder": {
            "codec": codec,
            "family": device.family if device is not None else Family.SOFTWARE,
        },
        "stream": 0,
        "origin": 0.0,
        "grid": _GRID.as_spec(),
        "fields": "tff" if part is Part.DEINTERLACE else "",
        "transfer": "smpte2084" if hdr else "",
        "pixels": "yuv420p10le" if hdr else "yuv420p",
        "preset": "veryfast",
        "crf": encoders.QUALITY[codec],
        "from": 0,
        "to": _GRID.frames,
        "hold": 0,
        "renditions": [
            _rendition(codec, "small", _SMALL, 1500),
            _rendition(codec, "large", _LARGE, 4000),
        ],
    }


def _rendition(
    codec: Codec, name: str, size: tuple[int, int], kbps: int
) -> dict[str, Any]:
    return {
        "id": name,
        "name": f"{size[1]}p",
        "width": size[0],
        "height": size[1],
        "kbps": kbps,
        "codec": codec,
        "quality": encoders.QUALITY[codec],
    }


def _likeness(
    spec: Mapping[str, Any], source: Path, folder: Path, how: process.Run
) -> float:
    """Return how much the worse of the renditions looks like the source."""
    return min(
        _ssim(folder / f"{each['id']}.mp4", source, each, how)
        for each in spec["renditions"]
    )


def _by_the_processor(
    spec: Mapping[str, Any], source: Path, folder: Path, how: process.Run
) -> Path:
    """Return what the processor makes of the clip."""
    made = folder / "mapped"
    made.mkdir(exist_ok=True)
    encoder = {"codec": Codec.H264, "family": Family.SOFTWARE}
    process.run(chunk_args({**spec, "encoder": encoder}, source, made, None), how)
    return made / f"{spec['renditions'][-1]['id']}.mp4"


def _cpu_seconds() -> float:
    """Return what the programs that ended have taken."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _ssim(
    path: Path, source: Path, rendition: Mapping[str, Any], how: process.Run
) -> float:
    size = f"{rendition['width']}:{rendition['height']}"
    graph = (
        f"[1:v]scale={size}:flags=bicubic,setpts=N/{_RATE}/TB[a];"
        f"[0:v]setpts=N/{_RATE}/TB[b];[b][a]ssim"
    )
    args = [ffmpeg.FFMPEG, "-hide_banner", "-nostdin", "-loglevel", "info", "-nostats"]
    inputs = ["-i", ffmpeg.url(path), "-i", ffmpeg.url(source)]
    told = process.run(
        [*args, *inputs, "-lavfi", graph, "-f", "null", "-"],
        replace(how, writes=None),
    )
    found = _SSIM.search(told.log)
    return float(found[1]) if found else 0.0


def _first_line(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").splitlines()[0].strip()
    except (OSError, IndexError):
        return ""
