"""Text: one subtitle stream of the source as a WebVTT file."""

import re
from pathlib import Path
from typing import Any

from jobs.tools import ffmpeg
from jobs.work import Work

FILE = "text.vtt"
_CUE = re.compile(r"^(?:\d+:)?\d\d:\d\d\.\d{3} --> ", re.MULTILINE)


def run(spec: dict[str, Any], work: Work) -> dict[str, Any]:
    """Write ``text.vtt``; returns ``{"cues"}``."""
    target = work.folder / FILE
    ffmpeg.run(
        text_args(spec, work.storage.existing(spec["source"]), target),
        work,
        seconds=spec["duration"],
    )
    text = target.read_text(encoding="utf-8", errors="replace")
    return {"cues": len(_CUE.findall(text))}


def text_args(spec: dict[str, Any], source: Path, target: Path) -> list[str]:
    """Return the ffmpeg command for one stream.

    Its cues get the same zero as picture and sound, and end with the film.
    """
    return [
        *(ffmpeg.FFMPEG, "-hide_banner", "-nostdin", "-y", "-loglevel"),
        *("level+warning", "-copyts", "-itsoffset", f"{-spec['origin']:.6f}"),
        *ffmpeg.options(ffmpeg.SOURCE_INPUT),
        *("-i", ffmpeg.url(source), "-map", f"0:{spec['stream']}"),
        *("-to", f"{spec['duration']:.6f}", "-map_metadata", "-1"),
        *("-c:s", "webvtt", "-f", "webvtt", ffmpeg.url(target)),
    ]
