"""How much every rendition looks like the source, at a few places of a film.

The source is written as it is to be seen, upright and in the range of a common screen,
and every rendition is held to that, frame by frame, enlarged to the same size. So the
figure also falls where frames are not where they should be.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from statistics import fmean
from typing import Any

from jobs.planning.chunks import Chunk, Grid
from jobs.planning.source import seek
from jobs.steps.checks import Check, Level, Limits
from jobs.steps.clear import Clear, Original
from jobs.steps.pictures import reference_args
from jobs.tools import process, scores
from jobs.tools.ffmpeg import how
from jobs.tools.scores import Pair
from jobs.work import Report

# Larger pictures are not compared: that would cost more than encoding them.
_LARGEST = 1080
_SECONDS = Fraction(1, 2)
_EVERY = 4
# VMAF was trained on larger pictures: of smaller ones it is told, and judges nothing.
_LEAST_LINES = 300
# Films of up to so many minutes are compared at so many places.
_PLACES = ((3, 1), (15, 3), (45, 5), (90, 8))
_MOST_PLACES = 12
# So many segments to both sides a place may be moved to where reading begins sooner.
_NEARBY = 6
_REFERENCE = "reference.nut"

# The figure of pictures that are not the same at all, and what SSIM says for VMAF 70.
_ANOTHER: Mapping[str, float] = {"vmaf": 8.0, "ssim": 0.3}
_LEAST_SSIM = 0.88
_NAMES: Mapping[str, str] = {"vmaf": "VMAF", "ssim": "SSIM"}


@dataclass(frozen=True, slots=True)
class Place:
    """What was seen at ``at`` seconds: scores in the order of the tracks."""

    at: float
    scores: tuple[float, ...]


def look(
    tracks: Sequence[Clear], original: Original, grid: Grid, report: Report
) -> list[Place]:
    """Compare the renditions of a film with its source, at a few places."""
    segments = list(_chosen(original, grid))
    places = []
    for number, index in enumerate(segments, start=1):
        places.append(_place(tracks, original, grid, index))
        report(number / len(segments))
    return places


def check(
    tracks: Sequence[Clear], places: Sequence[Place], limits: Limits
) -> tuple[list[Check], dict[str, dict[str, Any]]]:
    """Return the check of each rendition, and its figures by the id of the track."""
    kind = scores.measure()
    checks, figures = [], {}
    screen = _size(tracks)[1]
    largest = max(tracks, key=lambda each: int(each.entry["height"]))
    for number, track in enumerate(tracks):
        found = [place.scores[number] for place in places]
        checks.append(_one(track, found, kind, screen, limits, judged=track is largest))
        figures[track.entry["id"]] = {
            kind: round(fmean(found), 4 if kind == "ssim" else 1)
        }
    return checks, figures


def _one(
    track: Clear,
    found: Sequence[float],
    kind: str,
    screen: int,
    limits: Limits,
    *,
    judged: bool,
) -> Check:
    mean, least = fmean(found), min(found)
    limit = float(limits.least_score) if kind == "vmaf" else _LEAST_SSIM
    shown = f"{mean:.1f}" if kind == "vmaf" else f"{mean:.3f}"
    sentence = f"{_NAMES[kind]} is {shown} on a screen of {screen} lines"
    if len(found) > 1:
        lowest = f"{least:.1f}" if kind == "vmaf" else f"{least:.3f}"
        sentence += f", {lowest} at the worst of {len(found)} places"
    value = round(mean, 4 if kind == "ssim" else 1)
    if mean < _ANOTHER[kind]:
        sentence = "It does not look like its source wherever the two were compared"
        level = Level.FAIL if judged else Level.WARN
        return Check("score", level, f"{sentence}.", value, limit, track.name)
    # What a small rendition lacks it lacks on purpose.
    wanted = judged and limits.least_score > 0 and screen >= _LEAST_LINES
    if not wanted or mean >= limit:
        held = limit if wanted else None
        return Check("score", Level.PASS, f"{sentence}.", value, held, track.name)
    return Check(
        "score",
        Level.WARN,
        f"{sentence}; {limit:g} is expected of the largest.",
        value,
        limit,
        track.name,
    )


def _chosen(original: Original, grid: Grid) -> Iterator[int]:
    """Yield the segments to be compared: spread, and soon after a source's keyframe."""
    minutes = float(grid.seconds) / 60
    most = next((count for limit, count in _PLACES if minutes < limit), _MOST_PLACES)
    segments = grid.segments()
    usable = [n for n, each in enumerate(segments) if each.frames >= grid.rate / 2]
    count = min(most, len(usable))
    source, done = original.facts, set()
    for number in range(count):
        aim = round((len(usable) - 1) * (2 * number + 1) / (2 * count))
        # The very beginning is a title or black, as a rule.
        near = usable[max(1, aim - _NEARBY) : aim + _NEARBY + 1] or usable
        rate = source.picture.rate
        best = min(
            (each for each in near if each not in done),
            key=lambda n: _late(original, float(segments[n].start / rate)),
            default=None,
        )
        if best is not None:
            done.add(best)
            yield best


def _late(original: Original, start: float) -> float:
    """Return how many seconds must be decoded before a place of a source."""
    source = original.facts
    at = source.origin + start
    earlier = [key for key in source.picture.keyframes if key <= at]
    return at - earlier[-1] if earlier else at


def _place(
    tracks: Sequence[Clear], original: Original, grid: Grid, index: int
) -> Place:
    segment = grid.segments()[index]
    frames = min(segment.frames, round(_SECONDS * grid.rate) or 1)
    chunk = Chunk(segment.start, segment.start + frames)
    size = _size(tracks)
    work = original.work
    reference = work.folder / _REFERENCE
    spec = _reference_spec(original, grid, chunk, size)
    args = reference_args([spec], original.path, reference)
    made = [work.folder / f"{each.entry['id']}.mp4" for each in tracks]
    try:
        process.run(args, how(work))
        for track, target in zip(tracks, made, strict=True):
            _copied(track, index, target)
        pairs = [Pair(each, size) for each in made]
        found = scores.leading(reference, pairs, work, every=_EVERY)
    finally:
        for left in (reference, *made, *work.folder.glob("scores-*.log")):
            left.unlink(missing_ok=True)
    at = float(segment.start / grid.rate)
    return Place(round(at, 3), tuple(found))


def _size(tracks: Sequence[Clear]) -> tuple[int, int]:
    """Return the size at which all are compared."""
    sizes = sorted((each.entry["width"], each.entry["height"]) for each in tracks)
    fitting = [each for each in sizes if min(each) <= _LARGEST]
    return (fitting or sizes[:1])[-1]


def _reference_spec(
    original: Original, grid: Grid, chunk: Chunk, size: tuple[int, int]
) -> dict[str, Any]:
    picture = original.facts.picture
    return {
        "grid": grid.as_spec(),
        "stream": picture.number,
        "origin": original.facts.origin,
        "fields": picture.fields,
        "transfer": picture.transfer,
        "pixels": picture.pixels,
        "untagged": picture.untagged,
        "from": chunk.start,
        "to": chunk.end,
        "seek": seek(original.facts, chunk.start),
        "hold": max(0, chunk.end - 1 - picture.last),
        "renditions": [{"width": size[0], "height": size[1]}],
    }


def _copied(track: Clear, index: int, target: Path) -> None:
    """Write a segment as a file of its own, in the clear."""
    track.run(["-c", "copy", "-f", "mp4", str(target)], first=index, last=index)
