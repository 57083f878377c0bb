"""Is the picture interlaced, and which field comes first?

What the stream says is checked by looking: much that is marked interlaced holds whole
frames, and much that holds fields is not marked.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jobs.tools import ffmpeg
from jobs.work import Work

_LOOKED_AT = 200
_CLEARLY = 3
# Codecs that can hold fields; the others are not worth a look.
_CAN = frozenset(
    {"h264", "mpeg2video", "mpeg1video", "dvvideo", "mpeg4", "vc1", "hevc", "prores"}
)
_SEEN = re.compile(
    r"Multi frame detection:\s*TFF:\s*(\d+)\s*BFF:\s*(\d+)\s*Progressive:\s*(\d+)"
)


def fields(path: Path, video: Mapping[str, Any], start: float, work: Work) -> str:
    """Return ``tff`` or ``bff`` for an interlaced picture, else an empty text."""
    marked = video.get("field_order", "unknown")
    if marked == "progressive" or video["codec_name"] not in _CAN:
        return ""
    top, bottom, whole = _look(path, video["index"], start, work)
    most, least = max(top, bottom), min(top, bottom)
    # Fine patterns look like fields of either order; real fields have one.
    if most > whole and most >= _CLEARLY * least:
        return "tff" if top > bottom else "bff"
    # Too little motion to tell: believe the mark.
    if marked != "unknown" and whole == 0:
        return "bff" if marked in ("bb", "bt") else "tff"
    return ""


def _look(path: Path, number: int, start: float, work: Work) -> tuple[int, int, int]:
    args = [
        *(ffmpeg.FFMPEG, "-hide_banner", "-nostdin"),
        *ffmpeg.options(ffmpeg.SOURCE_INPUT),
        *("-seek_timestamp", "1", "-ss", f"{start:.6f}"),
        *("-i", ffmpeg.url(path), "-map", f"0:{number}", "-vf", "idet"),
        *("-frames:v", str(_LOOKED_AT), "-an", "-sn", "-f", "null", "-"),
    ]
    log = ffmpeg.run(args, work, frames=_LOOKED_AT, report=_quiet).log
    found = _SEEN.findall(log)
    if not found:
        return 0, 0, 0
    top, bottom, whole = found[-1]
    return int(top), int(bottom), int(whole)


def _quiet(fraction: float, fps: float | None = None) -> None:
    """Looking is too short to be reported."""
