"""Package: joined renditions, sounds and captions become the tracks that are served."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from appliance import cenc, digests
from appliance.captions.description import FILE
from appliance.cenc import Label
from appliance.errors import TryAgain
from jobs.making import encryption
from jobs.planning.chunks import Grid
from jobs.steps import audio, protected
from jobs.tools import packager
from jobs.tools.packager import Input, Packaged
from jobs.work import Work

Entry = dict[str, Any]


def run(spec: dict[str, Any], work: Work) -> dict[str, Any]:
    """Write one folder for each track; returns ``{"tracks", "duration"}``."""
    grid = Grid.from_spec(spec["grid"])
    keys = encryption.opened(spec.get("encryption"), work.keys, work.job)
    inputs = [
        *(_video_input(each, work) for each in spec["video"]),
        *(_audio_input(each, work) for each in spec["audio"]),
    ]
    made = packager.package(inputs, work, grid, keys)
    locks = {
        each.folder: protected.finish(work.folder / each.folder, each.label, keys)
        for each in inputs
    }
    tracks = [_video(each, made[each["id"]], grid, work) for each in spec["video"]]
    tracks += [_audio(each, made[each["id"]], work) for each in spec["audio"]]
    for track in tracks:
        track |= locks[track["id"]]
        if keys is not None:
            track["facts"]["clear_segments"] = keys.clear_segments(grid)
    tracks += [
        _text(each, work) for each in spec["text"] if work.result(each["unit"])["cues"]
    ]
    for track in tracks:
        track["files"] = digests.of_folder(work.folder / track["folder"])
    return {"tracks": tracks, "duration": float(grid.seconds)}


def _video_input(video: Mapping[str, Any], work: Work) -> Input:
    file = work.done(video.get("unit", "join"), f"{video['id']}.mp4")
    return Input(file, "video", video["id"], cenc.video_label(video["height"]))


def _audio_input(sound: Mapping[str, Any], work: Work) -> Input:
    file = work.done(sound["unit"], audio.FILE)
    return Input(file, "audio", sound["id"], Label.AUDIO)


def _video(video: Mapping[str, Any], made: Packaged, grid: Grid, work: Work) -> Entry:
    planned = [segment.frames * grid.ticks for segment in grid.segments()]
    if list(made.segments) != planned or made.timescale != grid.timescale:
        raise _not_as_planned(video["name"], len(made.segments), len(planned))
    keys = grid.keyframes()
    if len(made.iframes) != len(keys):
        raise _not_as_planned(
            f"{video['name']} keyframes", len(made.iframes), len(keys)
        )
    iframes = [
        [segment, key * grid.ticks, offset, size]
        for key, (segment, offset, size) in zip(keys, made.iframes, strict=True)
    ]
    return {
        "id": video["id"],
        "kind": "video",
        "name": video["name"],
        "unit": video.get("unit", "join"),
        "width": video["width"],
        "height": video["height"],
        "frame_rate": f"{grid.rate.numerator}/{grid.rate.denominator}",
        **_described(work.folder / video["id"], made, {"iframes": iframes}),
    }


def _audio(sound: Mapping[str, Any], made: Packaged, work: Work) -> Entry:
    return {
        "id": sound["id"],
        "kind": "audio",
        "name": sound["unit"],
        "language": sound["language"],
        "label": sound["label"],
        "role": sound["role"],
        "channels": audio.channels(sound),
        **_described(
            work.folder / sound["id"], made, {"sample_rate": audio.SAMPLE_RATE}
        ),
    }


def _text(captions: Mapping[str, Any], work: Work) -> Entry:
    folder = work.folder / captions["id"]
    folder.mkdir(exist_ok=True)
    shutil.copyfile(work.done(captions["unit"], FILE), folder / FILE)
    return {
        "id": captions["id"],
        "kind": "text",
        "name": captions["unit"],
        "folder": captions["id"],
        "codec": "wvtt",
        "language": captions["language"],
        "label": captions["label"],
        "role": captions["role"],
        "bytes": (folder / FILE).stat().st_size,
        "facts": {"file": FILE, "cues": work.result(captions["unit"])["cues"]},
    }


def _described(folder: Path, made: Packaged, facts: Mapping[str, Any]) -> Entry:
    """Return what the segments are, as the manifests need it."""
    sizes = [path.stat().st_size for path in sorted(folder.glob("*.m4s"))]
    if len(sizes) != len(made.segments):
        raise _not_as_planned(folder.name, len(sizes), len(made.segments))
    seconds = [ticks / made.timescale for ticks in made.segments]
    # A last segment of a few frames says nothing about the rate that a player needs.
    peaks = [
        size * 8 / length
        for size, length in zip(sizes, seconds, strict=True)
        if length >= 1 or len(sizes) == 1
    ]
    total = sum(sizes)
    return {
        "folder": folder.name,
        "codec": made.codec,
        "bandwidth": round(max(peaks)),
        "average_bandwidth": round(total * 8 / sum(seconds)),
        "bytes": total + (folder / packager.INIT).stat().st_size,
        "facts": {
            "timescale": made.timescale,
            "segments": list(made.segments),
            "bytes": sizes,
            **facts,
        },
    }


def _not_as_planned(what: str, found: int, planned: int) -> TryAgain:
    return TryAgain(
        "package.differs",
        f"Packaging gave {what} {found} parts of {planned} planned, or others: it is"
        " done again.",
    )
