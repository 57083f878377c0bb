"""Verify: read every packet of what will be served, and decode samples of it.

What packaging reported is believed in nothing: times, sizes and keyframes are read
again from the segments themselves, in the way in which a player gets them.
"""

from pathlib import Path
from typing import Any

from appliance.cenc import Label, video_label
from appliance.errors import TryAgain
from jobs import encryption
from jobs.chunks import Grid
from jobs.encryption import TrackKey
from jobs.steps import audio, protected, samples
from jobs.steps.served import Served, read
from jobs.tools import packager
from jobs.work import Work

Entry = dict[str, Any]


def run(spec: dict[str, Any], work: Work) -> dict[str, Any]:
    """Return the QC report: what was read, counted and decoded.

    Errors: ``TryAgain`` (``verify.*``) with a sentence on the first thing found wrong.
    """
    grid = Grid.from_spec(spec["grid"])
    packaged = work.result("package")
    tracks = list(packaged["tracks"])
    if spec.get("thumbnails", True):
        tracks.append(work.result("thumbnails"))
    media = [each for each in tracks if each["kind"] in ("video", "audio")]
    report: list[Entry] = []
    keys = encryption.opened(spec.get("encryption"), work.keys, work.job)
    for number, track in enumerate(media):
        key = None if keys is None else keys.of(_label(track))
        found = _checked(track, grid, work, key)
        folder = work.done("package", track["folder"])
        decoded = samples.decode(track, folder, work, key.key if key else None)
        if keys is not None and key is not None:
            protected.check(track, folder, work, keys, key)
        report.append(_line(track, found, decoded))
        work.progress((number + 1) / len(media))
    for track in tracks:
        _refuse_missing_files(track, work)
    return {
        "verdict": "passed",
        "duration": float(grid.seconds),
        "frames": grid.frames,
        "segments": len(grid.segments()),
        "keyframes": len(grid.keyframes()),
        "tracks": report,
    }


def _label(track: Entry) -> Label:
    return Label.AUDIO if track["kind"] == "audio" else video_label(track["height"])


def _checked(track: Entry, grid: Grid, work: Work, key: TrackKey | None) -> Served:
    """Compare what is served with the track's facts, and with the plan."""
    folder = work.done("package", track["folder"])
    facts = track["facts"]
    files = [folder / f"{n:05}.m4s" for n in range(1, len(facts["segments"]) + 1)]
    _refuse(
        [file.stat().st_size for file in files if file.exists()] != facts["bytes"],
        track,
        "segments are missing or have another size than packaging reported",
    )
    found = read(folder / packager.INIT, files, work, key.key if key else None)
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
    seconds = sum(found.lengths) / track["facts"]["timescale"]
    frame = 1 / grid.rate
    _refuse(
        abs(seconds - float(grid.seconds)) > max(float(frame), 0.05),
        track,
        f"it lasts {seconds:.3f} s and the picture {float(grid.seconds):.3f} s",
    )


def _refuse_missing_files(track: Entry, work: Work) -> None:
    if track["kind"] == "thumbnails":
        folder, names = (
            work.done("thumbnails", track["folder"]),
            track["facts"]["sheets"],
        )
    elif track["kind"] == "text":
        folder, names = work.done("package", track["folder"]), [track["facts"]["file"]]
    else:
        return
    sizes = [_size(folder / name) for name in names]
    _refuse(0 in sizes or sum(sizes) != track["bytes"], track, "a file is missing")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _line(track: Entry, found: Served, decoded: int) -> Entry:
    return {
        "id": track["id"],
        "kind": track["kind"],
        "name": track["name"],
        "packets": len(found.shown),
        "bytes": sum(track["facts"]["bytes"]),
        "decoded": decoded,
    }


def _refuse(wrong: bool, track: Entry, what: str) -> None:
    if wrong:
        raise TryAgain(
            "verify.failed", f"{track['name']} did not pass verification: {what}."
        )
