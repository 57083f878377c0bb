"""Whether a track is whole: every packet of it, read as a player gets it.

What packaging reported is believed in nothing: times, sizes and keyframes are read
again from the segments themselves.
"""

from pathlib import Path
from typing import Any

from appliance.errors import TryAgain
from jobs.planning.chunks import Grid
from jobs.steps import audio
from jobs.steps.clear import Clear
from jobs.steps.served import Served, read
from jobs.tools import mp4, packager

Entry = dict[str, Any]


def check(clear: Clear, grid: Grid) -> Served:
    """Compare what is served with the track's facts, and with the plan.

    Errors: ``TryAgain`` (``verify.failed``) with a sentence on the first thing wrong.
    """
    track, folder, facts = clear.entry, clear.folder, clear.entry["facts"]
    files = clear.segments()
    _refuse(
        [file.stat().st_size for file in files if file.exists()] != facts["bytes"],
        track,
        "segments are missing or have another size than packaging reported",
    )
    found = read(folder / packager.INIT, files, clear.work, clear.key)
    _refuse(bool(found.log), track, f"its reader complains: {found.log[:200]}")
    _refuse(
        not _alike(found.lengths, facts["segments"], track["kind"]),
        track,
        "a segment is not as long as packaging reported",
    )
    _refuse(not found.contiguous, track, "packets are missing or overlap in time")
    if track["kind"] == "video":
        _check_pictures(track, grid, found)
        _check_iframes(track, folder, found)
    else:
        _check_sound(track, grid, found)
    return found


def _alike(found: list[int], reported: list[int], kind: str) -> bool:
    """Compare lengths; the end of sound may lie anywhere in its last packet."""
    if kind == "audio" and len(found) == len(reported) > 0:
        off = abs(found[-1] - reported[-1])
        return found[:-1] == reported[:-1] and off < audio.PACKET
    return found == reported


def _check_pictures(track: Entry, grid: Grid, found: Served) -> None:
    times = [frame * grid.ticks for frame in range(grid.frames)]
    _refuse(
        sorted(found.shown) != times,
        track,
        f"{len(found.shown)} frames were read of {grid.frames}, or at other times",
    )
    _refuse(
        [key.time for key in found.keys] != [k * grid.ticks for k in grid.keyframes()],
        track,
        "keyframes are not where those of the other renditions are",
    )
    starts = [segment.start * grid.ticks for segment in grid.segments()]
    _refuse(found.starts != starts, track, "a segment does not begin at its keyframe")


def _check_iframes(track: Entry, folder: Path, found: Served) -> None:
    """Check the byte ranges with which players fetch single keyframes."""
    listed = track["facts"]["iframes"]
    _refuse(
        [(segment, time, at + size) for segment, time, at, size in listed]
        != [(key.segment, key.time, key.end) for key in found.keys],
        track,
        "the byte ranges of its keyframes are wrong",
    )
    for segment, _, at, _ in listed:
        with (folder / f"{segment + 1:05}.m4s").open("rb") as file:
            file.seek(at + 4)
            _refuse(file.read(4) != b"moof", track, "a byte range begins elsewhere")


def _check_sound(track: Entry, grid: Grid, found: Served) -> None:
    _check_length(track, grid, sum(found.lengths) / track["facts"]["timescale"])


def _check_length(track: Entry, grid: Grid, seconds: float) -> None:
    frame = 1 / grid.rate
    _refuse(
        abs(seconds - float(grid.seconds)) > max(float(frame), 0.05),
        track,
        f"it lasts {seconds:.3f} s and the picture {float(grid.seconds):.3f} s",
    )


def check_film(clear: Clear, grid: Grid) -> int:
    """Check a track that is one file, to be packaged just in time; count its packets.

    Errors: ``TryAgain`` (``verify.failed``).
    """
    track = clear.entry
    path = clear.folder / track["facts"]["film"]
    _refuse(_size(path) != track["bytes"], track, "its file is missing or another")
    found = mp4.facts(path)
    if track["kind"] == "video":
        _refuse(
            (found.samples, found.ticks) != (grid.frames, grid.frames * grid.ticks),
            track,
            f"{found.samples} frames were found of {grid.frames}",
        )
    else:
        _check_length(track, grid, found.ticks / max(1, found.timescale))
    return found.samples


def check_files(track: Entry, folder: Path) -> None:
    """Check that subtitles or a storyboard are all there. Errors: ``TryAgain``."""
    facts = track["facts"]
    names = facts["sheets"] if track["kind"] == "thumbnails" else [facts["file"]]
    sizes = [_size(folder / name) for name in names]
    _refuse(0 in sizes or sum(sizes) != track["bytes"], track, "a file is missing")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _refuse(wrong: bool, track: Entry, what: str) -> None:
    if wrong:
        raise TryAgain(
            "verify.failed", f"{track['name']} did not pass verification: {what}."
        )
