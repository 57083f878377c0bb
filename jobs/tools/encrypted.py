"""What our own MP4 files say of their encryption (ISO/IEC 14496-12 and 23001-7).

Packaging is believed in nothing that concerns keys: what counts is what a player
reads in the init segment, and which samples of a segment are protected.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.cenc import Scheme
from jobs.tools import mp4

_SAMPLE_ENTRIES = {"encv": 78, "enca": 28}
_BLOCK = 16
_SUBSAMPLES = 2


@dataclass(frozen=True, slots=True)
class Track:
    """What an init segment says of its only track.

    ``kid`` is 32 hexadecimal digits; ``iv`` too, where it is constant. Otherwise each
    sample brings one of ``iv_bytes``. ``boxes`` are all its ``pssh`` boxes, ``entry``
    is the number of the sample entry that encrypted fragments name.
    """

    scheme: Scheme
    kid: str
    iv: str | None
    iv_bytes: int
    boxes: bytes
    entry: int


@dataclass(frozen=True, slots=True)
class Sample:
    """One packet; ``protected`` says that at least a block of it is encrypted."""

    size: int
    protected: bool


@dataclass(frozen=True, slots=True)
class Fragment:
    """One ``moof``; ``encrypted`` says that it is of the encrypted kind."""

    encrypted: bool
    samples: tuple[Sample, ...]


def track(init: Path) -> Track | None:
    """Read an init segment; None when its track is clear.

    Errors: ``TryAgain`` (``mp4.broken``) when it was not written whole.
    """
    with mp4.explained(init):
        movie = mp4.box(init.read_bytes(), "moov")
        entries = _path(movie, "trak", "mdia", "minf", "stbl", "stsd")[8:]
        # A clear lead has an entry of its own.
        for number, (name, entry) in enumerate(mp4.boxes(entries), start=1):
            if name in _SAMPLE_ENTRIES:
                return _track(movie, entry[_SAMPLE_ENTRIES[name] :], number)
        return None


def add_boxes(init: Path, boxes: bytes) -> None:
    """Write ``pssh`` boxes at the end of the ``moov``, where players look for them."""
    with mp4.explained(init):
        data = init.read_bytes()
        movie = mp4.box(data, "moov")
        head = struct.pack(">I4s", len(movie) + 8, b"moov")
        longer = struct.pack(">I4s", len(movie) + len(boxes) + 8, b"moov")
        if head + movie not in data:
            raise KeyError("moov")
        init.write_bytes(data.replace(head + movie, longer + movie + boxes, 1))


def fragments(segment: Path, found: Track) -> list[Fragment]:
    """Return the fragments of a segment of an encrypted track."""
    with mp4.explained(segment):
        return list(_fragments(segment, found))


def _path(data: bytes, *names: str) -> bytes:
    for name in names:
        data = mp4.box(data, name)
    return data


def _track(movie: bytes, entry: bytes, number: int) -> Track:
    protection = mp4.box(entry, "sinf")
    scheme = mp4.box(protection, "schm")[4:8].decode("latin-1")
    default = _path(protection, "schi", "tenc")
    iv_bytes = default[7]
    constant = default[25 : 25 + default[24]].hex() if iv_bytes == 0 else None
    return Track(
        scheme=Scheme(scheme),
        kid=default[8:24].hex(),
        iv=constant,
        iv_bytes=iv_bytes,
        boxes=b"".join(
            struct.pack(">I4s", len(content) + 8, b"pssh") + content
            for name, content in mp4.boxes(movie)
            if name == "pssh"
        ),
        entry=number,
    )


def _fragments(segment: Path, found: Track) -> Iterator[Fragment]:
    with segment.open("rb") as file:
        for name, content in mp4.top_level(file, wanted="moof"):
            if name == "moof":
                yield _fragment(mp4.box(content, "traf"), found)


def _fragment(fragment: bytes, found: Track) -> Fragment:
    parts = dict(mp4.boxes(fragment))
    sizes = _sizes(parts["trun"], parts["tfhd"])
    if ("senc" in parts) != (_entry(parts["tfhd"]) == found.entry):
        raise KeyError("senc")
    if "senc" not in parts:
        return Fragment(False, tuple(Sample(size, False) for size in sizes))
    ranges = _protected_bytes(parts["senc"], found.iv_bytes, sizes)
    # Of a block that is not full the cipher in blocks leaves everything as it is.
    least = _BLOCK if found.scheme is Scheme.CBCS else 1
    return Fragment(
        True,
        tuple(
            Sample(size, any(length >= least for length in lengths))
            for size, lengths in zip(sizes, ranges, strict=True)
        ),
    )


def _entry(header: bytes) -> int:
    """Return the number of the sample entry that a fragment is described by."""
    (flags,) = struct.unpack_from(">I", header)
    if not flags & 0x2:
        return 1
    number: int = struct.unpack_from(">I", header, 8 + 8 * (flags & 0x1))[0]
    return number


def _sizes(run: bytes, header: bytes) -> list[int]:
    """Return the size of each sample: of its own, or the one that all have."""
    flags, count = struct.unpack_from(">II", run)
    at = 8 + 4 * bool(flags & 0x1) + 4 * bool(flags & 0x4)
    fields = [bit for bit in (0x100, 0x200, 0x400, 0x800) if flags & bit]
    if 0x200 not in fields:
        return [_default_size(header)] * count
    entry, offset = 4 * len(fields), 4 * fields.index(0x200)
    return [
        struct.unpack_from(">I", run, at + entry * number + offset)[0]
        for number in range(count)
    ]


def _default_size(header: bytes) -> int:
    (flags,) = struct.unpack_from(">I", header)
    before = ((0x1, 8), (0x2, 4), (0x8, 4))
    at = 8 + sum(length for bit, length in before if flags & bit)
    size: int = struct.unpack_from(">I", header, at)[0]
    return size


def _protected_bytes(
    auxiliary: bytes, iv_bytes: int, sizes: list[int]
) -> Iterator[list[int]]:
    """Yield, for each sample, the lengths of its protected ranges."""
    flags, count = struct.unpack_from(">II", auxiliary)
    if count != len(sizes):
        raise KeyError("senc")
    at = 8
    for size in sizes:
        at += iv_bytes
        if not flags & _SUBSAMPLES:
            yield [size]
            continue
        (ranges,) = struct.unpack_from(">H", auxiliary, at)
        entries: list[tuple[Any, ...]] = [
            struct.unpack_from(">HI", auxiliary, at + 2 + 6 * number)
            for number in range(ranges)
        ]
        at += 2 + 6 * ranges
        yield [protected for _, protected in entries]
