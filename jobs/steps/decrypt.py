"""Decrypt: tracks as they are served become whole files again, packet by packet."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from appliance.errors import TryAgain
from jobs.making import encryption
from jobs.planning.chunks import Grid
from jobs.steps import audio
from jobs.tools import ffmpeg, mp4, packager, probe, process
from jobs.work import Work


def run(spec: dict[str, Any], work: Work) -> dict[str, Any]:
    """Write the file of every track; returns ``{"packets": {file: count}}``.

    A track that was clear is only put together.
    Errors: ``TryAgain`` when something is missing afterwards.
    """
    grid = Grid.from_spec(spec["grid"])
    keys = (
        encryption.opened_keys(spec["sealed"], work.keys, work.job)
        if spec["sealed"]
        else {}
    )
    count = {}
    for number, track in enumerate(spec["tracks"]):
        target = work.folder / track["file"]
        _open(track, target, grid, work, keys[track["kid"]] if track["kid"] else None)
        count[track["file"]] = _counted(track, target, grid)
        work.progress((number + 1) / len(spec["tracks"]))
    return {"packets": count}


def _open(
    track: Mapping[str, Any], target: Path, grid: Grid, work: Work, key: str | None
) -> None:
    folder = work.storage.existing(track["path"])
    if track.get("film"):
        # What is packaged just in time has never been taken apart.
        shutil.copyfile(folder / track["film"], target)
        return
    numbers = range(1, track["segments"] + 1)
    names = [folder / packager.INIT, *(folder / f"{n:05}.m4s" for n in numbers)]
    scale = grid.timescale if track["kind"] == "video" else audio.SAMPLE_RATE
    with (
        probe.one_after_another(names, work) as address,
        ffmpeg.opening(address, ffmpeg.how(work), key) as (how, opened),
    ):
        args = [
            *(ffmpeg.OWN_FFMPEG, "-hide_banner", "-nostdin", "-y", "-v", "error"),
            # What primes an audio decoder keeps its place before zero.
            *("-copyts", *opened, "-map", "0", "-c", "copy", "-map_metadata", "-1"),
            *("-video_track_timescale", str(scale), "-f", "mp4", ffmpeg.url(target)),
        ]
        log = process.run(args, how).log
    if log:
        raise _refused(track["file"], f"its reader complains: {log[:200]}")


def _counted(track: Mapping[str, Any], target: Path, grid: Grid) -> int:
    found = mp4.facts(target)
    least = int(grid.seconds * audio.SAMPLE_RATE) // audio.PACKET
    if track["kind"] == "video" and found.samples != grid.frames:
        raise _refused(track["file"], f"{found.samples} frames of {grid.frames}")
    if track["kind"] == "audio" and found.samples < least:
        raise _refused(track["file"], f"{found.samples} packets of {least}")
    return found.samples


def _refused(file: str, what: str) -> TryAgain:
    return TryAgain(
        "decrypt.incomplete",
        f"{file} could not be put together from the track that is served: {what}.",
    )
