"""What a quality report says of tracks that were read to their last packet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jobs.planning.chunks import Grid
from jobs.steps.checks import Check, Level, clock, graded
from jobs.steps.clear import Clear
from jobs.steps.served import Served

# A film may last longer than its source by what completes its last frame.
_LONGER_WARNS, _LONGER_FAILS = 0.5, 2.0


@dataclass(frozen=True, slots=True)
class LookedAt:
    """A track of which every packet was read, and some segments were decoded.

    ``served`` is None for one that is packaged just in time.
    """

    track: Clear
    packets: int
    decoded: int
    served: Served | None

    def line(self) -> dict[str, Any]:
        """Return what the report says of the track."""
        entry = self.track.entry
        shown = ("width", "height", "channels", "language", "label", "role", "codec")
        return {
            "id": entry["id"],
            "kind": entry["kind"],
            "name": entry["name"],
            "packets": self.packets,
            "bytes": sum(entry["facts"]["bytes"]),
            "bandwidth": entry.get("bandwidth", 0),
            "average_bandwidth": entry.get("average_bandwidth", 0),
            "decoded": self.decoded,
            "seconds": round(self.track.starts[-1], 3),
        } | {name: entry[name] for name in shown if entry.get(name) is not None}


def checks(
    grid: Grid, looked_at: Sequence[LookedAt], spec: Mapping[str, Any]
) -> list[Check]:
    """Return what passed: whoever reads the report wants to know what was looked at."""
    pictures = [each for each in looked_at if each.track.entry["kind"] == "video"]
    heard = [each for each in looked_at if each.track.entry["kind"] == "audio"]
    found = [_frames(grid)] if pictures else []
    if spec.get("facts"):
        found.append(_duration(grid, float(spec["facts"]["duration"])))
    if pictures:
        found.append(_keyframes(grid))
    found.append(_packets(looked_at))
    found.append(_decoded(looked_at, everything=spec.get("decode") == "all"))
    found += [_length(grid, each) for each in heard]
    if any(each.track.key for each in looked_at):
        found.append(_protected(looked_at))
    return found


def _frames(grid: Grid) -> Check:
    sentence = (
        f"Every rendition has its {grid.frames:,} frames, each at its time:"
        f" {clock(float(grid.seconds))} at {float(grid.rate):g} a second."
    )
    return Check("frames", Level.PASS, sentence, grid.frames, grid.frames)


def _duration(grid: Grid, wanted: float) -> Check:
    found = float(grid.seconds)
    off = abs(found - wanted)
    level = graded(off, _LONGER_WARNS, _LONGER_FAILS)
    sentence = (
        f"It lasts {clock(found)}, as its source."
        if level is Level.PASS
        else f"It lasts {clock(found)} and its source {clock(wanted)}."
    )
    return Check("duration", level, sentence, round(found, 3), round(wanted, 3))


def _keyframes(grid: Grid) -> Check:
    count = len(grid.keyframes())
    sentence = (
        f"All {count:,} keyframes show the same pictures in every rendition,"
        " and every segment begins with one."
    )
    return Check("keyframes", Level.PASS, sentence, count, count)


def _packets(looked_at: Sequence[LookedAt]) -> Check:
    count = sum(each.packets for each in looked_at)
    sentence = (
        f"All {count:,} packets were read as a player gets them; none is missing."
    )
    return Check("packets", Level.PASS, sentence, count, count)


def _decoded(looked_at: Sequence[LookedAt], *, everything: bool) -> Check:
    count = sum(each.decoded for each in looked_at)
    what = "Every segment" if everything else "The beginning, middle and end"
    sentence = f"{what} of every track can be decoded without an error."
    return Check("decode", Level.PASS, sentence, count, None)


def _length(grid: Grid, sound: LookedAt) -> Check:
    """Say how a sound ends beside the picture; further off is refused."""
    off = round((sound.track.starts[-1] - float(grid.seconds)) * 1000)
    sentence = (
        "It begins and ends with the picture."
        if abs(off) < 2
        else f"It begins with the picture and ends {abs(off)} ms"
        f" {'later' if off > 0 else 'earlier'}."
    )
    return Check("sound-length", Level.PASS, sentence, off, 50, sound.track.name)


def _protected(looked_at: Sequence[LookedAt]) -> Check:
    count = sum(1 for each in looked_at if each.track.key)
    sentence = (
        "Every track of picture and sound is encrypted."
        if count == len(looked_at)
        else f"{count} of {len(looked_at)} tracks of picture and sound are encrypted."
    )
    level = Level.PASS if count == len(looked_at) else Level.FAIL
    return Check("protection", level, sentence, count, len(looked_at))
