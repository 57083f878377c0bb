"""What the folder of a track must hold, by its row, and what is wrong with a copy."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from appliance.digests import Files
from appliance.media.tracks import Track, TrackKind

_INIT = "init.mp4"


@dataclass(frozen=True, slots=True)
class Problem:
    """One file that is not as it must be; ``what`` is missing, size, hash or extra."""

    file: str
    what: str


def problems(track: Track, known: Files | None, found: Files) -> list[Problem]:
    """Compare a copy of a track with what its rows say of it.

    ``known`` are the hashes from when it was made; without them sizes must do, which
    stand in the facts of its row.
    """
    return list(_with_hashes(known, found) if known else _by_sizes(track, found))


def expected(track: Track) -> Mapping[str, int | None]:
    """Return the files of a track with their sizes; None for one that no row tells."""
    facts = track.facts
    if "film" in facts:
        return {facts["film"]: track.bytes}
    if track.kind is TrackKind.TEXT:
        return {facts["file"]: track.bytes}
    if track.kind is TrackKind.THUMBNAILS:
        return dict.fromkeys(facts["sheets"])
    sizes = enumerate(facts["bytes"], start=1)
    return {_INIT: None} | {f"{number:05}.m4s": size for number, size in sizes}


def _with_hashes(known: Files, found: Files) -> Iterator[Problem]:
    for name, (size, sha256) in known.items():
        if name not in found:
            yield Problem(name, "missing")
        elif found[name][0] != size:
            yield Problem(name, "size")
        elif found[name][1] != sha256:
            yield Problem(name, "hash")
    for name in found.keys() - known.keys():
        yield Problem(name, "extra")


def _by_sizes(track: Track, found: Files) -> Iterator[Problem]:
    wanted = expected(track)
    for name, size in wanted.items():
        if name not in found:
            yield Problem(name, "missing")
        elif size not in (None, found[name][0]) or not found[name][0]:
            yield Problem(name, "size")
    for name in found.keys() - wanted.keys():
        yield Problem(name, "extra")
