"""Decode samples of a track: its first, middle and last segment."""

from pathlib import Path
from typing import Any

from appliance.errors import TryAgain
from jobs.tools import ffmpeg, packager, process
from jobs.work import Work


def decode(track: dict[str, Any], folder: Path, work: Work) -> int:
    """Decode three segments; return how many were.

    Errors: ``TryAgain`` (``verify.decode``) when a decoder says a single word.
    """
    count = len(track["facts"]["segments"])
    chosen = sorted({0, count // 2, count - 1})
    for index in chosen:
        _decode(track, index, folder, work)
    return len(chosen)


def _decode(track: dict[str, Any], index: int, folder: Path, work: Work) -> None:
    sample = work.folder / "sample.mp4"
    with sample.open("wb") as file:
        for name in (packager.INIT, f"{index + 1:05}.m4s"):
            file.write((folder / name).read_bytes())
    # What a browser does, with one core: a check must not take the encoders' place.
    args = [
        *(ffmpeg.OWN_FFMPEG, "-hide_banner", "-nostdin", "-v", "error"),
        *("-threads", "1", "-i", ffmpeg.url(sample), "-f", "null", "-"),
    ]
    try:
        log = process.run(args, ffmpeg.how(work)).log
    except process.ProcessFailed as error:
        if error.code != "process.failed":
            raise
        log = error.details["log_tail"]
    finally:
        sample.unlink()
    if log:
        raise TryAgain(
            "verify.decode",
            f"Segment {index + 1} of {track['name']} can’t be decoded without errors.",
            {"log_tail": log},
        )
