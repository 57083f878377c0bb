"""Chunks and keyframes, counted in output frames. Pure and exact.

Output frame N is shown at N / rate seconds. A segment begins at the first frame shown
at or after a multiple of the segment length, a keyframe stands likewise at multiples of
the keyframe distance; both are the same whatever the source looked like, so chunks can
be encoded apart and renditions switched at every segment.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from math import ceil
from typing import Any, Self

_FINEST = 10000


@dataclass(frozen=True, slots=True)
class Chunk:
    """The frames ``start`` up to but without ``end``."""

    start: int
    end: int

    @property
    def frames(self) -> int:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Grid:
    """The frames of a film: how many, how fast, and where it may be cut.

    ``segment`` and ``distance`` (of keyframes) are whole seconds.
    """

    frames: int
    rate: Fraction
    segment: int
    distance: int

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any]) -> Self:
        """Read what :meth:`as_spec` returned."""
        return cls(**{**spec, "rate": Fraction(spec["rate"])})

    def as_spec(self) -> dict[str, Any]:
        return asdict(self) | {"rate": str(self.rate)}

    @property
    def seconds(self) -> Fraction:
        return self.frames / self.rate

    @property
    def timescale(self) -> int:
        """Ticks of a second, such that every frame takes a whole number of them."""
        return self.rate.numerator * self._fineness

    @property
    def ticks(self) -> int:
        """Ticks of a frame."""
        return self.rate.denominator * self._fineness

    @property
    def _fineness(self) -> int:
        fineness = 1
        while self.rate.numerator * fineness < _FINEST:
            fineness *= 2
        return fineness

    def keyframes(self) -> list[int]:
        """Return the frames that must be keyframes."""
        return self._every(self.distance)

    def segments(self) -> list[Chunk]:
        """Return the segments."""
        return self._between(self._every(self.segment))

    def chunks(self, length: int) -> list[Chunk]:
        """Cut the film into chunks of about ``length`` seconds of whole segments.

        They are as even as that allows, so that encoders side by side end together
        and no short rest is left.
        """
        starts = self._every(self.segment)
        count = min(len(starts), max(1, round(self.seconds / length)))
        return self._between(
            [starts[number * len(starts) // count] for number in range(count)]
        )

    def _every(self, seconds: int) -> list[int]:
        """Return the first frames shown at or after multiples of ``seconds``."""
        count = ceil(self.seconds / seconds)
        frames = (ceil(number * seconds * self.rate) for number in range(count))
        return [frame for frame in frames if frame < self.frames]

    def _between(self, starts: list[int]) -> list[Chunk]:
        ends = [*starts[1:], self.frames]
        return [Chunk(*pair) for pair in zip(starts, ends, strict=True)]
