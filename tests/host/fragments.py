"""Read a fragment as Media Source Extensions do: by its boxes, to the tick.

ffmpeg shifts what has composition times before its decoding times; players do not.
"""

import struct
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate

from jobs.tools import mp4

_OFFSET, _FIRST_FLAGS = 0x1, 0x4
_EACH = (0x100, 0x200, 0x400, 0x800)
"""Flags of what stands for each sample: duration, size, flags, composition time."""
_SUBSAMPLES = 0x2


@dataclass(frozen=True, slots=True)
class Fragment:
    """Seconds at which its first sample is shown, and at which it ends."""

    begins: Fraction
    ends: Fraction
    samples: int


def read(init: bytes, segment: bytes) -> Fragment:
    """Return when the samples of a segment are shown."""
    header = _inside(init, "moov", "trak", "mdia", "mdhd")
    (scale,) = struct.unpack_from(">I", header, 20 if header[0] else 12)
    track = _inside(segment, "moof", "traf")
    time = mp4.box(track, "tfdt")
    (base,) = struct.unpack_from(">Q" if time[0] else ">I", time, 4)
    durations, compositions = _run(mp4.box(track, "trun"))
    starts = accumulate(durations, initial=base)
    shown = [start + later for start, later in zip(starts, compositions, strict=False)]
    return Fragment(
        begins=Fraction(min(shown), scale),
        ends=Fraction(base + sum(durations), scale),
        samples=len(durations),
    )


def counters(segment: bytes) -> list[int]:
    """Return the number that the encryption of each sample counts from."""
    content = mp4.box(_inside(segment, "moof", "traf"), "senc")
    flags, count = struct.unpack_from(">II", content)
    found, at = [], 8
    for _ in range(count):
        (number,) = struct.unpack_from(">Q", content, at)
        found.append(number)
        at += 8
        if flags & _SUBSAMPLES:
            (ranges,) = struct.unpack_from(">H", content, at)
            at += 2 + 6 * ranges
    return found


def _run(content: bytes) -> tuple[list[int], list[int]]:
    """Return the duration and the composition offset of each sample."""
    head, count = struct.unpack_from(">II", content)
    at = 8 + 4 * bool(head & _OFFSET) + 4 * bool(head & _FIRST_FLAGS)
    there = [flag for flag in _EACH if head & flag]
    found = [
        dict(zip(there, each, strict=True))
        for each in struct.iter_unpack(
            f">{len(there)}i", content[at : at + 4 * count * len(there)]
        )
    ]
    return [each[0x100] for each in found], [each.get(0x800, 0) for each in found]


def _inside(data: bytes, *names: str) -> bytes:
    for name in names:
        data = mp4.box(data, name)
    return data
