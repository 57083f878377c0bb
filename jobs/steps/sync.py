"""Where sound lies, and how loud it is, beside its source: heard at a few places.

Both are reduced to how loud they are from millisecond to millisecond; the shift at
which the two courses are most alike is the offset. Sound that is the same all the time
says nothing about where it lies and is passed over.
"""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log10, sqrt
from statistics import median

from jobs.steps.clear import HERTZ, Clear, Original

# Seconds by which sound is looked for, earlier and later.
REACH = 1.0
_SEGMENTS = 2
_HOP = HERTZ // 1000
_COARSE = 10
# Less than this, of at most 1, is no likeness; alike to a thousandth is the same.
_LEAST_LIKENESS = 0.8
_SAME = 0.001
# How much the loudness must change, beside its mean, to say where sound lies.
_LEAST_CHANGE = 0.1
_FLOOR = -90.0
SILENT = -55.0


@dataclass(frozen=True, slots=True)
class Place:
    """What was heard at ``at`` seconds: levels in dB below full scale.

    ``offset`` is by how many seconds the track comes later than its source; None
    where that can't be told. ``likeness`` is at most 1, None where nothing happens
    in the source that could be recognised.
    """

    at: float
    offset: float | None
    likeness: float | None
    level: float
    source_level: float


def heard(track: Clear, original: Original, stream: int) -> Iterator[Place]:
    """Yield places spread over a film, until enough of them could be compared."""
    starts = track.starts
    count = len(starts) - 1
    wanted = 1 if count <= 2 * _SEGMENTS else 3 if count <= 150 else 5
    told = 0
    for first in _spread(count, wanted):
        last = min(count, first + _SEGMENTS) - 1
        place = _place(track, original, stream, first, last)
        told += place.offset is not None
        yield place
        if told == wanted:
            return


def levels(samples: Sequence[int], count: int = 0) -> float:
    """Return how loud samples are, in dB below full scale.

    Where there should be more of them, ``count``, the others are silent.
    """
    if not samples:
        return _FLOOR
    mean = sum(each * each for each in samples) / max(count, len(samples))
    return max(_FLOOR, 10 * log10(mean / 32768**2)) if mean else _FLOOR


def _spread(count: int, wanted: int) -> list[int]:
    """Return the first segments of places: evenly spread, then those in between."""
    last = max(0, count - _SEGMENTS)
    even = [round(last * (2 * n + 1) / (2 * wanted)) for n in range(wanted)]
    between = [round(last * n / wanted) for n in range(wanted + 1)]
    return list(dict.fromkeys([*even, *between]))


def _place(
    track: Clear, original: Original, stream: int, first: int, last: int
) -> Place:
    start, end = track.begins(first), track.starts[last + 1]
    channels = int(track.entry.get("channels") or 2)
    own = track.sound(first, last)
    # The source is heard from a little earlier to a little later.
    before = min(REACH, start)
    whole = original.sound(
        stream, channels, start - before, end - start + before + REACH
    )
    offset, likeness = shift(_course(own), _course(whole), round(before * 1000))
    there = whole[round(before * HERTZ) :][: len(own)]
    return Place(start, offset, likeness, levels(own), levels(there, len(own)))


def shift(
    own: Sequence[float], source: Sequence[float], before: int
) -> tuple[float | None, float | None]:
    """Return by how many seconds ``own`` is late, and how alike the two are then.

    Both are courses by the millisecond; ``source`` begins ``before`` of them earlier.
    """
    if not _lively(source):
        return None, None
    if not _lively(own):
        return None, 0.0
    reach = round(REACH * 1000)
    rough = _best(
        [sum(own[n : n + _COARSE]) for n in range(0, len(own), _COARSE)],
        [sum(source[n : n + _COARSE]) for n in range(0, len(source), _COARSE)],
        before // _COARSE,
        range(-reach // _COARSE, reach // _COARSE + 1),
    )
    near = range(rough[0] * _COARSE - 2 * _COARSE, rough[0] * _COARSE + 2 * _COARSE + 1)
    late, likeness = _best(own, source, before, near)
    if likeness < _LEAST_LIKENESS:
        return None, likeness
    return late / 1000, likeness


def middle(places: Sequence[Place]) -> float | None:
    """Return the offset that most places agree on, in seconds."""
    told = [place.offset for place in places if place.offset is not None]
    return median(told) if told else None


def _best(
    own: Sequence[float], source: Sequence[float], before: int, lags: range
) -> tuple[int, float]:
    """Return the lag at which the two are most alike; of equal ones the smallest."""
    found: list[tuple[float, int]] = []
    for lag in lags:
        # What lies at n in the track lies at n + before - lag in its source.
        from_, to = max(0, lag - before), min(len(own), len(source) + lag - before)
        if to - from_ < len(own) // 2:
            continue
        likeness = _likeness(own[from_:to], source[from_ + before - lag :])
        found.append((likeness, lag))
    if not found:
        return 0, 0.0
    most = max(found)[0]
    near = [lag for likeness, lag in found if likeness > most - _SAME]
    return min(near, key=abs), most


def _likeness(one: Sequence[float], other: Sequence[float]) -> float:
    """Return Pearson's correlation of the first with as much of the other."""
    other = other[: len(one)]
    count = len(other)
    one = one[:count]
    total, total_other = sum(one), sum(other)
    both = sum(map(float.__mul__, map(float, one), map(float, other)))
    square = sum(each * each for each in one) - total * total / count
    square_other = sum(each * each for each in other) - total_other**2 / count
    if square <= 0 or square_other <= 0:
        return 0.0
    return (both - total * total_other / count) / sqrt(square * square_other)


def _course(samples: "array[int]") -> list[float]:
    """Return how loud samples are by the millisecond, as an ear counts: roots."""
    return [
        sqrt(sum(map(abs, samples[at : at + _HOP])))
        for at in range(0, len(samples) - _HOP + 1, _HOP)
    ]


def _lively(course: Sequence[float]) -> bool:
    """Say whether the loudness changes enough to be recognised."""
    if len(course) < 2 * _COARSE:
        return False
    smooth = [sum(course[at : at + _COARSE]) for at in range(0, len(course), _COARSE)]
    mean = sum(smooth) / len(smooth)
    if mean <= 0:
        return False
    spread = sqrt(sum((each - mean) ** 2 for each in smooth) / len(smooth))
    return spread / mean >= _LEAST_CHANGE
