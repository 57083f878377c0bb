"""What ffprobe lists, read as pictures, sounds and captions."""

import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from appliance.errors import MediaError
from jobs.planning import languages
from jobs.planning.source import Captions, Sound
from jobs.tools.probe import Header, Packets

Stream = Mapping[str, Any]

_TEXT = frozenset(
    {"subrip", "srt", "ass", "ssa", "mov_text", "webvtt", "text", "eia_608"}
)
# Most files say it in the title of the stream only, whatever flags there are for it.
_COMMENTARY = re.compile(r"\bcommentary\b", re.IGNORECASE)
_DESCRIPTION = re.compile(
    r"\b(audio description|descriptive|described)\b", re.IGNORECASE
)
_FORCED = re.compile(r"\bforced\b", re.IGNORECASE)
_HARD_OF_HEARING = re.compile(
    r"\b(SDH|CC|HOH|hard of hearing|hearing impaired)\b", re.I
)
_SMALLEST = 32
_STRANGEST_PIXEL = Fraction(4)


def video(header: Header) -> Stream:
    """Return the stream that is the film's picture; covers are none."""
    found = [
        stream
        for stream in header.streams
        if stream.get("codec_type") == "video"
        and not _marked(stream, "attached_pic")
        and not _marked(stream, "timed_thumbnails")
    ]
    if not found:
        raise MediaError(
            "source.no-picture",
            "The file holds no moving picture: only films can be shown here.",
        )
    stream = min(found, key=lambda each: not _marked(each, "default"))
    if not _decodable(stream) or not stream.get("width"):
        raise MediaError(
            "source.undecodable",
            "The picture’s codec is not known here: export the film as H.264 or HEVC"
            " and upload that.",
        )
    return stream


def upright_size(stream: Stream) -> tuple[int, int]:
    """Return width and height as seen: square pixels, turned as the file asks."""
    shape = _fraction(stream.get("sample_aspect_ratio", "1:1").replace(":", "/"))
    if shape is None or not 1 / _STRANGEST_PIXEL <= shape <= _STRANGEST_PIXEL:
        shape = Fraction(1)
    width, height = round(stream["width"] * shape), int(stream["height"])
    if min(width, height) < _SMALLEST:
        raise MediaError(
            "source.too-small",
            f"The picture has only {width} × {height} pixels: at least {_SMALLEST} a"
            " side are needed.",
        )
    return (height, width) if _turned(stream) else (width, height)


def claimed_rate(stream: Stream) -> Fraction | None:
    """Return the frame rate of the header, if it has one."""
    return _fraction(stream.get("avg_frame_rate", "0/0"))


def bits(stream: Stream) -> int:
    """Return the bits of a sample."""
    written = str(stream.get("bits_per_raw_sample", ""))
    if written.isdigit() and int(written):
        return int(written)
    pixels = stream.get("pix_fmt", "")
    return next((n for n in (16, 14, 12, 10, 9) if f"p{n}" in pixels), 8)


def sounds(header: Header, packets: Mapping[int, Packets]) -> list[Sound]:
    """Return the audio streams that hold something and can be decoded."""
    heard = [
        stream
        for stream in header.streams
        if stream.get("codec_type") == "audio" and _holds_sound(stream, packets)
    ]
    main = min(
        heard,
        key=lambda each: (
            _role_of_sound(each) in ("commentary", "description"),
            not _marked(each, "default"),
        ),
        default=None,
    )
    return [
        Sound(
            number=stream["index"],
            codec=stream["codec_name"],
            language=_language(stream),
            title=_tag(stream, "title"),
            channels=int(stream.get("channels", 0)),
            role="main" if stream is main else _role_of_sound(stream),
        )
        for stream in heard
    ]


def captions(header: Header) -> list[Captions]:
    """Return the subtitle streams that are text."""
    return [
        Captions(
            number=stream["index"],
            codec=stream["codec_name"],
            language=_language(stream),
            title=_tag(stream, "title"),
            role=_role_of_captions(stream),
        )
        for stream in header.streams
        if stream.get("codec_type") == "subtitle" and stream.get("codec_name") in _TEXT
    ]


def skipped(header: Header, packets: Mapping[int, Packets]) -> Iterator[str]:
    """Say which streams are left out, and why."""
    for stream in header.streams:
        kind, number = stream.get("codec_type"), stream["index"]
        codec = stream.get("codec_name", "of an unknown codec")
        if kind == "subtitle" and codec not in _TEXT:
            yield f"Stream {number}: subtitles that are pictures ({codec})."
        if kind == "audio" and not _decodable(stream):
            yield f"Stream {number}: sound that can’t be decoded."
        elif kind == "audio" and not _holds_sound(stream, packets):
            yield f"Stream {number}: an empty sound track."


def chapters(header: Header, origin: float) -> Iterator[dict[str, Any]]:
    """Yield the chapters, in seconds of the film."""
    for chapter in header.chapters:
        start = max(0.0, float(chapter["start_time"]) - origin)
        end = float(chapter["end_time"]) - origin
        if end > start:
            title = chapter.get("tags", {}).get("title", "")
            yield {"start": round(start, 3), "end": round(end, 3), "title": title}


def _holds_sound(stream: Stream, packets: Mapping[int, Packets]) -> bool:
    found = packets.get(stream["index"])
    return (
        _decodable(stream)
        and found is not None
        and found.end is not None
        and int(stream.get("channels", 0)) > 0
    )


def _decodable(stream: Stream) -> bool:
    return stream.get("codec_name") not in (None, "unknown", "none")


def _marked(stream: Stream, disposition: str) -> bool:
    return bool(stream.get("disposition", {}).get(disposition))


def _tag(stream: Stream, name: str) -> str:
    return str(stream.get("tags", {}).get(name, "")).strip()[:200]


def _language(stream: Stream) -> str:
    return languages.tag(_tag(stream, "language"))


def _role_of_sound(stream: Stream) -> str:
    title = _tag(stream, "title")
    if _marked(stream, "comment") or _COMMENTARY.search(title):
        return "commentary"
    described = _marked(stream, "visual_impaired") or _marked(stream, "descriptions")
    if described or _DESCRIPTION.search(title):
        return "description"
    return "dub" if _marked(stream, "dub") else "alternate"


def _role_of_captions(stream: Stream) -> str:
    title = _tag(stream, "title")
    if _marked(stream, "forced") or _FORCED.search(title):
        return "forced-subtitle"
    heard = _marked(stream, "hearing_impaired") or _HARD_OF_HEARING.search(title)
    return "caption" if heard else "subtitle"


def _turned(stream: Stream) -> bool:
    angles = [
        each["rotation"]
        for each in stream.get("side_data_list", [])
        if "rotation" in each
    ]
    angle = angles[0] if angles else _tag(stream, "rotate") or 0
    return round(float(angle) / 90) % 2 == 1


def _fraction(text: str) -> Fraction | None:
    try:
        return Fraction(text) or None
    except (ValueError, ZeroDivisionError):
        return None
