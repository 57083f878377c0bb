"""ffprobe: what a file says of itself, and what its packets say."""

import json
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jobs.tools import ffmpeg, process
from jobs.work import Work

_ABSENT = "N/A"


@dataclass(frozen=True, slots=True)
class Header:
    """What the header claims; ``log`` is what ffprobe complained about."""

    streams: list[dict[str, Any]]
    format: dict[str, Any]
    chapters: list[dict[str, Any]]
    log: str


@dataclass
class Packets:
    """The packets of one stream, in ticks of its time base.

    Of the packets that an edit list cuts away only their number is kept: ``hidden``.
    ``times`` are presentation times in the order of the file.
    """

    count: int = 0
    hidden: int = 0
    start: int | None = None
    end: int | None = None
    timed: bool = True
    backwards: int | None = None
    times: "array[int]" = field(default_factory=lambda: array("q"))
    decode: "array[int]" = field(default_factory=lambda: array("q"))
    lengths: "array[int]" = field(default_factory=lambda: array("q"))
    keys: "array[int]" = field(default_factory=lambda: array("q"))


def header(path: Path, work: Work) -> Header:
    """Read the header of a source."""
    entries = ["-show_streams", "-show_format", "-show_chapters"]
    found = _probe(
        [*ffmpeg.options(ffmpeg.SOURCE_INPUT), *entries, "-of", "json"], path, work
    )
    document = json.loads(found.out or "{}")
    return Header(
        streams=document.get("streams", []),
        format=document.get("format", {}),
        chapters=document.get("chapters", []),
        log=found.log,
    )


def packets(
    path: Path, work: Work, *, detailed: int, expected_bytes: int
) -> tuple[Mapping[int, Packets], str]:
    """Scan every packet of a source; return them by stream, and ffprobe's complaints.

    Only the stream ``detailed`` keeps the time of each packet.
    """
    streams: dict[int, Packets] = {}
    report = work.part(0, 1)

    def take(line: str) -> bool:
        number, pts, dts, length, position, flags = _fields(line, 6)
        if number is None:
            return True
        stream = streams.setdefault(int(number), Packets())
        if "D" in flags:
            stream.hidden += 1
            return True
        _add(stream, pts, dts, length, flags, detail=int(number) == detailed)
        if stream.count % 1000 == 0 and position is not None and expected_bytes:
            report(min(1.0, int(position) / expected_bytes))
        return True

    entries = "packet=stream_index,pts,dts,duration,pos,flags"
    found = _probe(
        [
            *ffmpeg.options(ffmpeg.SOURCE_INPUT),
            *("-show_entries", entries, "-of", "compact=p=0:nk=1"),
        ],
        path,
        work,
        take,
    )
    return streams, found.log


def count(path: Path, work: Work, *, stream: int) -> int:
    """Return how many packets of a stream there are, whatever an edit list skips."""
    found = _probe(
        [
            *ffmpeg.options(ffmpeg.SOURCE_INPUT),
            *("-ignore_editlist", "1", "-select_streams", str(stream)),
            *("-count_packets", "-show_entries", "stream=nb_read_packets"),
            *("-of", "compact=p=0:nk=1"),
        ],
        path,
        work,
    )
    text = found.out.strip()
    return int(text) if text.isdigit() else 0


def frames(
    path: Path, work: Work, *, stream: int, interval: str
) -> tuple[list[dict[str, Any]], str]:
    """Decode the frames of an interval of a source; also return the complaints."""
    entries = "frame=best_effort_timestamp,interlaced_frame,top_field_first"
    found = _probe(
        [
            *ffmpeg.options(ffmpeg.SOURCE_INPUT),
            *("-select_streams", str(stream), "-read_intervals", interval),
            *("-show_entries", entries, "-of", "json"),
        ],
        path,
        work,
    )
    listed: list[dict[str, Any]] = json.loads(found.out or "{}").get("frames", [])
    return listed, found.log


def served(
    names: Sequence[Path],
    work: Work,
    take: Callable[[str], None],
    key: str | None = None,
) -> str:
    """Read the packets of an init segment and what follows it, as a player gets them.

    ``take`` gets ``pts|dts|duration|size|pos|flags`` of each; returns the complaints.
    With ``key``, 32 hexadecimal digits, every packet is decrypted.
    """

    def heard(line: str) -> bool:
        take(line)
        return True

    entries = "packet=pts,dts,duration,size,pos,flags"
    with (
        one_after_another(names, work) as address,
        ffmpeg.opening(address, ffmpeg.how(work), key) as (how, opened),
    ):
        shown = ["-show_entries", entries, "-of", "compact=p=0:nk=1"]
        args = [ffmpeg.OWN_FFPROBE, "-v", "error", *shown, *opened]
        return process.run(args, how, heard).log


@contextmanager
def one_after_another(names: Sequence[Path], work: Work) -> Iterator[str]:
    """Give the address under which ffmpeg reads several files as if they were one."""
    listing = work.folder / "served.txt"
    listing.write_text("".join(f"{ffmpeg.url(name)}\n" for name in names))
    try:
        yield f"concatf:{listing}"
    finally:
        listing.unlink(missing_ok=True)


def _probe(
    args: Sequence[str],
    path: Path,
    work: Work,
    on_line: Callable[[str], bool] | None = None,
) -> process.Finished:
    return process.run(
        [ffmpeg.FFPROBE, "-hide_banner", "-v", "error", *args, ffmpeg.url(path)],
        ffmpeg.how(work),
        on_line,
    )


def _fields(line: str, count: int) -> list[Any]:
    """Split a line; side data of a packet may make it longer."""
    parts = line.split("|")
    if len(parts) < count or not parts[0].isdigit():
        return [None] * (count - 1) + [""]
    return [None if part == _ABSENT else part for part in parts[: count - 1]] + [
        parts[count - 1]
    ]


def _add(
    stream: Packets,
    pts: str | None,
    dts: str | None,
    length: str | None,
    flags: str,
    *,
    detail: bool,
) -> None:
    time = pts if pts is not None else dts
    stream.timed = stream.timed and pts is not None
    stream.count += 1
    if time is None:
        return
    start, ticks = int(time), int(length or 0)
    stream.start = start if stream.start is None else min(stream.start, start)
    end = start + ticks
    stream.end = end if stream.end is None else max(stream.end, end)
    if detail:
        stream.times.append(start)
        stream.decode.append(int(dts) if dts is not None else start)
        stream.lengths.append(ticks)
        if "K" in flags:
            stream.keys.append(start)
