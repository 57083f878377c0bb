"""Read our own MP4 files: the few facts that every chunk is checked for, and boxes.

Starting ffprobe takes longer than reading these boxes, and a film has a hundred chunks
of a rendition.
"""

import hashlib
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from appliance.errors import TryAgain

_MOST_INDEX_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Facts:
    """``samples`` and ``ticks`` of its only track; ``codec`` is a digest of how it is
    configured (of the sample description, which a decoder is set up with). ``begins``
    says after how many ticks there is something to see or hear (its edit list).
    ``keys`` are the numbers of its keyframes, None when every sample is one."""

    samples: int
    timescale: int
    ticks: int
    codec: str
    begins: int = 0
    keys: tuple[int, ...] | None = None


def facts(path: Path) -> Facts:
    """Read the file's index; a file without a track has no samples.

    Errors: ``TryAgain`` (``mp4.broken``) when it has no index.
    """
    with explained(path):
        return _facts(_index(path))


def sizes(path: Path) -> tuple[int, ...]:
    """Return how many bytes each sample takes. Errors: ``TryAgain`` as above."""
    with explained(path):
        media = box(box(_index(path), "trak"), "mdia")
        table = box(box(box(media, "minf"), "stbl"), "stsz")
        each, count = struct.unpack_from(">II", table, 4)
        return (each,) * count if each else struct.unpack_from(f">{count}I", table, 12)


def boxes(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of the boxes that stand one after the other."""
    at = 0
    while at + 8 <= len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        if size < 8:
            return
        yield name.decode("latin-1"), data[at + 8 : at + size]
        at += size


def box(data: bytes, name: str) -> bytes:
    """Return the content of the last box of that name. Errors: ``KeyError``."""
    return dict(boxes(data))[name]


def top_level(file: BinaryIO, wanted: str) -> Iterator[tuple[str, bytes]]:
    """Yield the boxes of a file; only those ``wanted`` are read, others are empty."""
    while head := file.read(8):
        size, name = struct.unpack(">I4s", head)
        length = 8
        if size == 1:
            (size,) = struct.unpack(">Q", file.read(8))
            length = 16
        read = name.decode("latin-1") == wanted and size <= _MOST_INDEX_BYTES
        yield name.decode("latin-1"), file.read(size - length) if read else b""
        if not read:
            file.seek(size - length, 1)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what a broken file leads to into ``TryAgain`` (``mp4.broken``)."""
    try:
        yield
    except (struct.error, KeyError, IndexError, ValueError, OSError) as error:
        raise TryAgain(
            "mp4.broken", f"{path.name} was not written whole; it is made again."
        ) from error


def _facts(index: bytes) -> Facts:
    track = dict(boxes(index)).get("trak")
    if track is None:
        return Facts(0, 0, 0, "")
    media = dict(boxes(box(track, "mdia")))
    table = dict(boxes(box(media["minf"], "stbl")))
    header = media["mdhd"]
    wide = header[0] == 1
    timescale, ticks = struct.unpack_from(
        ">IQ" if wide else ">II", header, 20 if wide else 12
    )
    (samples,) = struct.unpack_from(">I", table["stsz"], 8)
    return Facts(
        samples=samples,
        timescale=timescale,
        ticks=ticks,
        codec=hashlib.sha256(_without_bit_rate(table["stsd"])).hexdigest()[:16],
        begins=_begins(track),
        keys=_keys(table),
    )


def _keys(table: Mapping[str, bytes]) -> tuple[int, ...] | None:
    if "stss" not in table:
        return None
    (count,) = struct.unpack_from(">I", table["stss"], 4)
    return tuple(at - 1 for at in struct.unpack_from(f">{count}I", table["stss"], 8))


def _begins(track: bytes) -> int:
    edits = dict(boxes(track)).get("edts")
    if edits is None:
        return 0
    listed = box(edits, "elst")
    (count,) = struct.unpack_from(">I", listed, 4)
    entry = ">Qqi" if listed[0] == 1 else ">Iii"
    starts = [
        struct.unpack_from(entry, listed, 8 + number * struct.calcsize(entry))[1]
        for number in range(count)
    ]
    # An edit without a time of its own is a pause.
    return next((start for start in starts if start >= 0), 0)


def _index(path: Path) -> bytes:
    """Return the content of the top-level ``moov``."""
    with path.open("rb") as file:
        for name, content in top_level(file, wanted="moov"):
            if name == "moov" and content:
                return content
    raise KeyError("moov")


def _without_bit_rate(description: bytes) -> bytes:
    """Leave out the ``btrt`` box: every chunk has another bit rate."""
    at = description.find(b"btrt")
    return description if at < 0 else description[: at - 4] + description[at + 16 :]
