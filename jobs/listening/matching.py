"""Sound that several films share, found by their acoustic fingerprints. Pure.

A fingerprint is a list of 32-bit numbers, eight a second (Chromaprint): sounds that are
alike give numbers of which few bits differ, whatever encoded them.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# A number stands for a third of 4096 samples at 11,025 Hz.
ITEM_SECONDS = 4096 / 3 / 11025
# Measured on melodies that were put between others.
_LATE_START, _LATE_END = 0.5, 1.1
_SAME_BITS = 7
# Numbers as common as this are silence or a hum, and tell nothing.
_COMMON = 12
_GAP_ITEMS = 16
_EDGE = 6

Fingerprint = Sequence[int]


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of one fingerprint that is heard in another, ``shift`` items earlier.

    ``start`` and ``end`` count items of the first; ``alike`` is the share of them that
    are the same.
    """

    start: int
    end: int
    shift: int
    alike: float

    @property
    def starts_at(self) -> float:
        """Seconds; a number tells of the two seconds that follow it."""
        return self.start * ITEM_SECONDS + _LATE_START

    @property
    def ends_at(self) -> float:
        return self.end * ITEM_SECONDS + _LATE_END

    @property
    def seconds(self) -> float:
        return (self.end - self.start) * ITEM_SECONDS


def runs(
    first: Fingerprint,
    second: Fingerprint,
    *,
    least_seconds: float,
    least_alike: float = 0.6,
    shifts: int = 8,
) -> list[Run]:
    """Return the stretches of ``first`` that ``second`` holds, the longest first.

    ``shifts`` is how many of the likeliest displacements are tried.
    """
    least = round(least_seconds / ITEM_SECONDS)
    found = [
        run
        for shift in _likely(first, second, shifts)
        for run in _along(first, second, shift)
        if run.end - run.start >= least and run.alike >= least_alike
    ]
    return sorted(found, key=lambda run: run.start - run.end)


def _likely(first: Fingerprint, second: Fingerprint, count: int) -> list[int]:
    """Return the displacements at which the most numbers are exactly the same."""
    places: dict[int, list[int]] = defaultdict(list)
    for index, item in enumerate(second):
        places[item].append(index)
    votes: dict[int, int] = defaultdict(int)
    for index, item in enumerate(first):
        at = places.get(item, ())
        if len(at) <= _COMMON:
            for other in at:
                votes[index - other] += 1
    ordered = sorted(votes, key=lambda shift: (-votes[shift], shift))
    return ordered[:count]


def _along(first: Fingerprint, second: Fingerprint, shift: int) -> Iterator[Run]:
    """Yield the stretches that are alike at one displacement, over short gaps."""
    alike: list[int] = []
    for index in range(max(0, shift), min(len(first), len(second) + shift)):
        if (first[index] ^ second[index - shift]).bit_count() > _SAME_BITS:
            continue
        if alike and index - alike[-1] > _GAP_ITEMS:
            yield from _run(alike, shift)
            alike = []
        alike.append(index)
    yield from _run(alike, shift)


def _run(alike: list[int], shift: int) -> Iterator[Run]:
    """Yield the stretch that these items make, without stray ones at its edges."""
    low, high = 0, len(alike) - 1
    while low < high and alike[min(low + _EDGE, high)] - alike[low] > 2 * _EDGE:
        low += 1
    while low < high and alike[high] - alike[max(high - _EDGE, low)] > 2 * _EDGE:
        high -= 1
    if low < high:
        start, end = alike[low], alike[high] + 1
        yield Run(start, end, shift, (high - low + 1) / (end - start))
