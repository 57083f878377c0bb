"""Small real clips, made by ffmpeg, for tests that need a film.

Every function writes into a folder and does nothing when the clip is there already:
with a folder of the session a clip is made once.
"""

import hashlib
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# Every frame of a numbered clip is one shade of grey that tells its number.
SHADES = 40
_SHADE_STEP = 5


@dataclass(frozen=True, slots=True)
class Tone:
    """A sound track: a sine of some frequency in some language."""

    hertz: int = 440
    language: str = "eng"
    channels: int = 2
    title: str = ""


SOUND = (Tone(),)
FAST = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")


def film(
    folder: Path,
    name: str = "film.mp4",
    *,
    seconds: float = 4,
    size: str = "320x240",
    rate: str = "24",
    tones: Sequence[Tone] = SOUND,
    picture: str = "testsrc2",
    filters: str = "null",
    video: Sequence[str] = FAST,
    more: Sequence[str] = (),
) -> Path:
    """Make a clip of a moving pattern with sounds."""
    wanted = (seconds, size, rate, tones, picture, filters, video, more)
    target = _place(folder, repr(wanted)) / name
    if target.exists():
        return target
    inputs = ["-f", "lavfi", "-i", f"{picture}=s={size}:r={rate}:d={seconds}"]
    maps = ["-map", "0:v", "-vf", filters, *video]
    for number, tone in enumerate(tones, start=1):
        source = f"sine=frequency={tone.hertz}:sample_rate=48000:duration={seconds}"
        inputs += ["-f", "lavfi", "-i", source]
        out = number - 1
        maps += ["-map", f"{number}:a", f"-ac:a:{out}", str(tone.channels)]
        maps += [f"-metadata:s:a:{out}", f"language={tone.language}"]
        maps += [f"-metadata:s:a:{out}", f"title={tone.title}"]
    ffmpeg(*inputs, *maps, *more, target)
    return target


def _place(folder: Path, wanted: str) -> Path:
    """Return a folder for clips of one making: names may stand for several."""
    place = folder / hashlib.sha256(wanted.encode()).hexdigest()[:12]
    place.mkdir(exist_ok=True)
    return place


def numbered(
    folder: Path,
    name: str = "",
    *,
    frames: int = 96,
    rate: str = "24",
    filters: str = "null",
    more: Sequence[str] = (),
) -> Path:
    """Make a clip without sound whose every frame tells its number; see `shades`."""
    target = folder / (name or f"numbered-{frames}.mp4")
    if target.exists():
        return target
    grey = f"geq=lum='16+{_SHADE_STEP}*mod(N,{SHADES})':cb=128:cr=128,{filters}"
    ffmpeg(
        *("-f", "lavfi", "-i", f"color=black:s=128x96:r={rate}"),
        *("-vf", grey, "-frames:v", str(frames), *FAST, "-crf", "10"),
        *more,
        target,
    )
    return target


def shades(path: Path, *, stream: str = "0:v:0") -> list[int]:
    """Decode a numbered clip; return the number (modulo 40) of every frame shown."""
    small = ["-vf", "scale=2:2:flags=area,format=yuv420p", "-fps_mode", "passthrough"]
    data = ffmpeg("-i", path, "-map", stream, *small, "-f", "rawvideo", "-")
    # Four samples of brightness, then two of colour.
    means = [sum(data[at : at + 4]) / 4 for at in range(0, len(data), 6)]
    return [round((mean - 16) / _SHADE_STEP) % SHADES for mean in means]


def flash_and_beep(folder: Path, name: str = "sync.mp4", *, seconds: int = 8) -> Path:
    """Make a clip that is white and beeps for a tenth of every second second."""
    target = folder / name
    if target.exists():
        return target
    on = "lt(mod(t,2),0.1)"
    ffmpeg(
        *("-f", "lavfi", "-i", f"color=black:s=320x180:r=25:d={seconds}"),
        *("-f", "lavfi", "-i", f"aevalsrc='{on}*sin(2*PI*1000*t)':s=48000:d={seconds}"),
        *("-vf", f"drawbox=color=white:t=fill:enable='{on}'", *FAST),
        *("-c:a", "aac", "-b:a", "192k", target),
    )
    return target


def ffmpeg(*args: str | Path) -> bytes:
    """Run ffmpeg quietly and return what it writes to its output."""
    command = ["ffmpeg", "-v", "error", "-nostdin", "-y", *(str(arg) for arg in args)]
    done = subprocess.run(command, check=True, capture_output=True)
    return done.stdout


def ffprobe(path: Path, entries: str, *, stream: str = "") -> list[list[str]]:
    """Return the entries of a file as rows of text."""
    chosen = ["-select_streams", stream] if stream else []
    command = ["ffprobe", "-v", "error", *chosen, "-show_entries", entries]
    done = subprocess.run(
        [*command, "-of", "csv=p=0", str(path)],
        check=True,
        capture_output=True,
        text=True,
    )
    return [line.split(",") for line in done.stdout.splitlines() if line]
