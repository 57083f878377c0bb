"""Text: one subtitle stream of the source as a WebVTT file."""

from pathlib import Path
from typing import Any

from appliance.captions import reading, writing
from appliance.captions.description import FILE
from jobs.tools import ffmpeg
from jobs.work import Work

_MADE = "made.vtt"
# No film has more to read; a file that claims so is cut there.
_MOST_BYTES = 16 * 1024 * 1024


def run(spec: dict[str, Any], work: Work) -> dict[str, Any]:
    """Write ``text.vtt``, clean as what somebody uploads; returns ``{"cues"}``."""
    made = work.folder / _MADE
    ffmpeg.run(
        text_args(spec, work.storage.existing(spec["source"]), made),
        work,
        seconds=spec["duration"],
    )
    with made.open("rb") as file:
        text = file.read(_MOST_BYTES).decode("utf-8", "replace")
    made.unlink()
    captions = reading.stored(text)
    (work.folder / FILE).write_text(writing.webvtt(captions), encoding="utf-8")
    return {"cues": len(captions.cues)}


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
