"""What a player gets of one track: every packet, read from init and segments."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path

from jobs.tools import probe
from jobs.work import Work

_ABSENT = "N/A"


@dataclass(frozen=True, slots=True)
class Keyframe:
    """Where a keyframe is: its segment, when it is shown, where its bytes end there."""

    segment: int
    time: int
    end: int


@dataclass
class Served:
    """The packets of one track, in ticks.

    ``shown`` are presentation times; ``starts`` those of the first packet of each
    segment and ``lengths`` how long each segment lasts; ``contiguous`` says that every
    packet is decoded when the one before it ends.
    """

    shown: list[int] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    keys: list[Keyframe] = field(default_factory=list)
    contiguous: bool = True
    log: str = ""


def read(
    init: Path, segments: Sequence[Path], work: Work, key: str | None = None
) -> Served:
    """Read every packet of a track, decrypted with its key where it has one."""
    sizes = [path.stat().st_size for path in (init, *segments)]
    reader = _Reader(list(accumulate(sizes)))
    log = probe.served([init, *segments], work, reader.take, key)
    return reader.finished(log)


@dataclass
class _Reader:
    """``edges`` are the bytes at which init and every segment end."""

    edges: list[int]
    found: Served = field(default_factory=Served)
    opened: list[int] = field(default_factory=list)
    expected: int | None = None
    last: int = 0

    def take(self, line: str) -> None:
        pts, dts, length, size, position, flags = line.split("|")[:6]
        if _ABSENT in (pts, dts, position):
            self.found.contiguous = False
            return
        decode, at = int(dts), int(position)
        segment = bisect_right(self.edges, at) - 1
        if segment == len(self.opened):
            # What primes an audio decoder comes before zero and is not heard.
            self.opened.append(max(0, int(pts)))
            self.found.starts.append(int(pts))
        elif segment != len(self.opened) - 1:
            self.found.contiguous = False
        self.found.shown.append(int(pts))
        if "K" in flags:
            end = at + int(size) - self.edges[segment]
            self.found.keys.append(Keyframe(segment, int(pts), end))
        self._follow(decode, int(pts), length)

    def finished(self, log: str) -> Served:
        ends = [*self.opened[1:], self.last]
        self.found.lengths = (
            [end - start for start, end in zip(self.opened, ends, strict=True)]
            if self.opened
            else []
        )
        self.found.log = log
        return self.found

    def _follow(self, decode: int, shown: int, length: str) -> None:
        if self.expected is not None and decode != self.expected:
            self.found.contiguous = False
        # The packet that only primes an audio decoder has no duration to be shown.
        known = length != _ABSENT
        self.expected = decode + int(length) if known else None
        self.last = max(self.last, shown + int(length) if known else shown)
