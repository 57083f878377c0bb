"""Inspect: read every packet of a source and say what it is, or why it can't be used.

Headers are believed only where the packets can't tell: what is planned from here is
encoded frame by frame, so a wrong duration would show.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

from appliance.errors import MediaError
from jobs.planning import rates
from jobs.planning.source import Picture, Source
from jobs.steps import interlacing, streams
from jobs.tools import probe
from jobs.tools.process import Cancelled, ProcessFailed
from jobs.work import Work

SHORTEST = Fraction(1, 2)
_LONGEST_HOLD = 60
_LONGEST_GAP = 600
_HELD_FROM = Fraction(1, 2)
# Less is what primes an audio decoder, not sound that somebody meant.
_LEAST_LEAD = Fraction(1, 20)
_INDEXED = ("mov", "matroska")
_CUT_OFF = ("partial file", "File ended prematurely", "moov atom not found")

_UNREADABLE = (
    "This file is not a film that can be read: choose an MP4, MOV, MKV, WebM, MPEG or"
    " AVI file."
)
_TRUNCATED = (
    "The file is cut off before its end: it was not copied whole, or its recording was"
    " not finished. Upload the complete file."
)


def run(spec: dict[str, Any], work: Work) -> dict[str, Any]:
    """Return the facts of a source: :class:`jobs.planning.source.Source` as JSON."""
    path = work.storage.existing(spec["source"])
    return inspect(path, work).as_facts()


def inspect(path: Path, work: Work) -> Source:
    """Inspect one file.

    Errors: ``MediaError`` with ``source.empty``, ``.unreadable``, ``.truncated``,
    ``.no-picture``, ``.undecodable``, ``.time-stamps``, ``.too-short``, ``.too-small``.
    """
    size = path.stat().st_size
    if size == 0:
        raise MediaError("source.empty", "The file is empty: upload it again.")
    header = _header(path, work)
    video = streams.video(header)
    packets, log = probe.packets(
        path, work, detailed=video["index"], expected_bytes=size
    )
    scanned = packets.get(video["index"], probe.Packets())
    _refuse_cut_off(path, header, video, scanned, log, work)
    if not scanned.times:
        raise _undecodable(video)
    base = Fraction(video["time_base"])
    _refuse_jumps(scanned, base)
    indexed = header.format["format_name"].startswith(_INDEXED)
    first = _first_picture(path, video, scanned, base, work)
    if indexed and scanned.timed:
        _decode_middle(path, video, scanned, base, work)
    sounds = streams.sounds(header, packets)
    starts, ends = _heard(header, packets, [sound.number for sound in sounds])
    rate, variable = rates.constant_rate(
        scanned.times, base, streams.claimed_rate(video)
    )
    last = max(scanned.times) * base
    # The first picture stands on the grid, at the number of frames that sound comes
    # before it: so no time stamp falls between two frames, and sound stays exact.
    lead = first - min([first, *starts])
    head = round(lead * rate) if lead >= _LEAST_LEAD else 0
    origin = first - head / rate
    frames = _frames(scanned, base, rate, origin, ends)
    if frames / rate < SHORTEST:
        raise MediaError(
            "source.too-short",
            "The film is shorter than half a second: upload one that moves.",
        )
    width, height = streams.upright_size(video)
    picture = Picture(
        number=video["index"],
        codec=video["codec_name"],
        width=width,
        height=height,
        rate=rate,
        frames=frames,
        first=head,
        last=min(frames - 1, round((last - origin) * rate)),
        variable=variable,
        fields=interlacing.fields(path, video, float(first), work),
        pixels=video.get("pix_fmt", ""),
        bits=streams.bits(video),
        transfer=video.get("color_transfer", ""),
        keyframes=_thinned(scanned, base),
        untagged=not {"color_primaries", "color_space"} <= video.keys(),
    )
    return Source(
        container=header.format["format_name"],
        indexed=indexed,
        bytes=size,
        sha256=_sha256(path, work),
        origin=float(origin),
        duration=float(frames / rate),
        picture=picture,
        sounds=tuple(
            replace(sound, ends=round(float(end - origin), 3))
            for sound, end in zip(sounds, ends, strict=True)
        ),
        captions=tuple(streams.captions(header)),
        skipped=tuple(streams.skipped(header, packets)),
        chapters=tuple(streams.chapters(header, float(origin))),
        claimed=_claimed(header),
    )


def _claimed(header: probe.Header) -> float:
    try:
        return max(0.0, float(header.format.get("duration", 0)))
    except ValueError:  # N/A, where nothing is said
        return 0.0


def _header(path: Path, work: Work) -> probe.Header:
    try:
        header = probe.header(path, work)
    except ProcessFailed as error:
        if error.code != "process.failed":
            raise
        log = error.details["log_tail"]
        # Any nonsense with the name .mp4 lacks a "moov"; a real one begins with "ftyp".
        if "moov atom not found" in log and b"ftyp" in _first_bytes(path):
            raise MediaError("source.truncated", _TRUNCATED, error.details) from error
        raise MediaError("source.unreadable", _UNREADABLE, error.details) from error
    if not header.streams:
        raise MediaError("source.unreadable", _UNREADABLE, {"log_tail": header.log})
    return header


def _first_bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(64)


def _refuse_cut_off(
    path: Path,
    header: probe.Header,
    video: Mapping[str, Any],
    scanned: probe.Packets,
    log: str,
    work: Work,
) -> None:
    """Refuse a file whose index lists more than it holds.

    A duration in a header may simply be wrong; only an index, or a demuxer that met
    the end of the file too early, proves that something is missing.
    """
    least = int(video.get("nb_frames", 0)) * 0.98 - 2
    indexed = header.format["format_name"].startswith("mov")
    missing = indexed and scanned.count + scanned.hidden < least
    if missing:
        # Whoever cut it without encoding left packets behind that an edit list skips.
        missing = probe.count(path, work, stream=video["index"]) < least
    if missing or any(words in log for words in _CUT_OFF):
        raise MediaError("source.truncated", _TRUNCATED, {"log_tail": log})


def _refuse_jumps(scanned: probe.Packets, base: Fraction) -> None:
    ordered = sorted(scanned.times)
    gap = max((b - a for a, b in pairwise(ordered)), default=0)
    back = max(
        (a - b for a, b in pairwise(scanned.decode)),
        default=0,
    )
    if gap * base > _LONGEST_GAP or back * base > 1:
        raise MediaError(
            "source.time-stamps",
            "The time stamps of the film jump, as in a recording that was interrupted:"
            " rewrite it with a video editor and upload the result.",
        )


def _first_picture(
    path: Path,
    video: Mapping[str, Any],
    scanned: probe.Packets,
    base: Fraction,
    work: Work,
) -> Fraction:
    """Decode a little; return when the first picture is shown, in seconds."""
    number = video["index"]
    # What an edit list hides is read too, before the first picture that is shown.
    interval = f"%+#{scanned.hidden + 48}"
    shown, log = probe.frames(path, work, stream=number, interval=interval)
    stamps = [
        int(frame["best_effort_timestamp"])
        for frame in shown
        if str(frame.get("best_effort_timestamp", "")).lstrip("-").isdigit()
    ]
    if not stamps:
        raise _undecodable(video, log)
    # What precedes the first picture that can be decoded was lost with its reference.
    return max(min(stamps), min(scanned.times)) * base


def _decode_middle(
    path: Path,
    video: Mapping[str, Any],
    scanned: probe.Packets,
    base: Fraction,
    work: Work,
) -> None:
    """Decode a little where seeking is exact: a film may break off into nonsense."""
    if len(scanned.keys) < 3:
        return
    middle = float(scanned.keys[len(scanned.keys) // 2] * base)
    interval = f"{middle:.6f}%+#24"
    shown, log = probe.frames(path, work, stream=video["index"], interval=interval)
    if not shown:
        raise _undecodable(video, log)


def _undecodable(video: Mapping[str, Any], log: str = "") -> MediaError:
    return MediaError(
        "source.undecodable",
        f"The picture ({video.get('codec_name', 'an unknown codec')}) can’t be"
        " decoded: export the film as H.264 or HEVC and upload that.",
        {"log_tail": log},
    )


def _heard(
    header: probe.Header, packets: Mapping[int, probe.Packets], numbers: list[int]
) -> tuple[list[Fraction], list[Fraction]]:
    """Return when the sounds start and end."""
    bases = {each["index"]: Fraction(each["time_base"]) for each in header.streams}
    starts = [(packets[n].start or 0) * bases[n] for n in numbers]
    ends = [(packets[n].end or 0) * bases[n] for n in numbers]
    return starts, ends


def _frames(
    scanned: probe.Packets,
    base: Fraction,
    rate: Fraction,
    origin: Fraction,
    ends: list[Fraction],
) -> int:
    """Return how many frames the film has: to the end of its picture.

    Where sound goes on for longer, the last picture is held to its end.
    """
    last = max(scanned.times) * base
    end = min((scanned.end or 0) * base, last + _LONGEST_HOLD)
    pictures = round((last - origin) * rate) + 1
    frames = max(pictures, round((end - origin) * rate))
    heard = max(ends, default=origin) - origin
    return frames if heard - frames / rate < _HELD_FROM else round(heard * rate)


def _thinned(scanned: probe.Packets, base: Fraction) -> tuple[float, ...]:
    kept: list[float] = []
    for key in sorted(scanned.keys):
        at = float(key * base)
        if not kept or at >= kept[-1] + 1:
            kept.append(round(at, 6))
    return tuple(kept)


def _sha256(path: Path, work: Work) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(4 * 1024 * 1024):
            digest.update(block)
            if work.cancelled():
                raise Cancelled("process.cancelled", "The work was cancelled.")
    return digest.hexdigest()
