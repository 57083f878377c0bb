"""Join: the chunks of every rendition become one file, packet by packet."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from appliance import digests
from appliance.errors import TryAgain
from jobs.planning.chunks import Grid
from jobs.tools import ffmpeg, mp4
from jobs.work import Work


def run(spec: dict[str, Any], work: Work) -> dict[str, Any]:
    """Write ``<track id>.mp4`` of every rendition; returns ``{"frames"}``.

    Errors: ``TryAgain`` when chunks were damaged since (``redo`` names those that are
    to be encoded again), differ in how they are encoded, or frames are missing
    afterwards.
    """
    grid = Grid.from_spec(spec["grid"])
    results = {name: work.result(name) for name in spec["chunks"]}
    _refuse_damaged(results, spec["tracks"], work)
    for number, track in enumerate(spec["tracks"]):
        _refuse_differing(track, results)
        report = work.part(
            number / len(spec["tracks"]), (number + 1) / len(spec["tracks"])
        )
        lengths = [results[name]["frames"] for name in spec["chunks"]]
        files = [work.done(name, f"{track}.mp4") for name in spec["chunks"]]
        listing = work.folder / f"{track}.txt"
        listing.write_text(concat_list(files, lengths, grid))
        target = work.folder / f"{track}.mp4"
        ffmpeg.run(
            _args(listing, target, grid),
            work,
            seconds=float(grid.seconds),
            report=report,
        )
        listing.unlink()
        _refuse_missing(target, grid)
    return {"frames": grid.frames}


def concat_list(files: list[Path], lengths: list[int], grid: Grid) -> str:
    """Write the list for ffmpeg's concat demuxer.

    It adds up durations in microseconds; so each is the difference of two rounded
    times, and the sum is never off by more than the last rounding.
    """
    lines = ["ffconcat version 1.0"]
    frame, start = 0, 0
    for file, length in zip(files, lengths, strict=True):
        frame += length
        end = round(frame / grid.rate * 1_000_000)
        lines += [
            f"file {ffmpeg.quoted(ffmpeg.url(file))}",
            f"duration {end - start}us",
        ]
        start = end
    return "\n".join(lines) + "\n"


def _args(listing: Path, target: Path, grid: Grid) -> list[str]:
    return [
        *(ffmpeg.FFMPEG, "-hide_banner", "-nostdin", "-y", "-loglevel"),
        *("level+warning", *ffmpeg.options(ffmpeg.OWN_INPUT)),
        # Paths in the list are our own: absolute, and allowed to be.
        *("-f", "concat", "-safe", "0", "-i", ffmpeg.url(listing)),
        *("-map", "0:v", "-c", "copy", "-map_metadata", "-1"),
        *("-video_track_timescale", str(grid.timescale), "-f", "mp4"),
        ffmpeg.url(target),
    ]


def _refuse_damaged(
    results: Mapping[str, Any], tracks: Sequence[str], work: Work
) -> None:
    """Refuse what is not as its encoder left it: nobody would see it before viewers."""
    damaged = [
        name
        for name, result in results.items()
        for track in tracks
        if _digest(result["tracks"][track])
        not in (None, digests.of_file(work.done(name, f"{track}.mp4")))
    ]
    if damaged:
        names = list(dict.fromkeys(damaged))
        raise TryAgain(
            "join.damaged",
            f"The disk changed what was encoded ({', '.join(names)}): it is encoded"
            " again. Look for errors of the disk in the system’s log.",
            {"redo": names},
        )


def _digest(track: Mapping[str, Any]) -> tuple[int, str] | None:
    """Return what a chunk was; None where an earlier release encoded it."""
    return (track["bytes"], track["sha256"]) if "sha256" in track else None


def _refuse_differing(track: str, results: dict[str, Any]) -> None:
    found = {result["tracks"][track]["codec"] for result in results.values()}
    if len(found) > 1:
        raise TryAgain(
            "join.codec",
            "The chunks of a rendition were encoded by different encoders or builds"
            " and can’t be joined: start the job again.",
        )


def _refuse_missing(target: Path, grid: Grid) -> None:
    found = mp4.facts(target)
    length = grid.frames * grid.ticks
    if found.samples != grid.frames or found.ticks != length:
        raise TryAgain(
            "join.frames",
            f"The joined rendition has {found.samples} frames of {grid.frames} and"
            f" lasts {found.ticks} ticks of {length}: it is joined again.",
        )
