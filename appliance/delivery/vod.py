"""Tracks that nginx-vod-module packages when they are asked for: names and answers.

On disk such a track is one clear MP4, as it was joined. Our own manifests name its
segments as they name those of any other track, only that the names begin with what
nginx is to do; it turns them into the module's own. All of this is pure.
"""

import base64
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from pathlib import PurePath
from typing import Any

from babel.core import get_global

from appliance.cenc import SYSTEM_IDS, KeySystem
from appliance.delivery import naming, timeline
from appliance.media.tracks import Track, TrackKind

FILM = "film.clear.mp4"
"""The file of a track. No address can name it: none takes a name with two dots."""

MOST_SEQUENCES = 32
"""The module refuses everything about an asset that has more."""

NOTHING = ""
"""The mapping of what is not there. Any other answer than 200 becomes a 502."""

_STREAMS: Mapping[TrackKind, str] = {TrackKind.VIDEO: "v", TrackKind.AUDIO: "a"}
_LONGEST_LABEL = 60
_LANGUAGE = re.compile(r"[a-z]{3}")
# Where ISO 639-2 has two codes, players are told the one from the language's own name.
_UNUSUAL = re.compile(
    "alb|arm|baq|bur|cze|dut|fre|geo|ger|gre|ice|mac|mao|may|per|rum|slo|tib|wel"
    "|chi|cmn|mol|prp|scc|scr"
)


@dataclass(frozen=True, slots=True)
class SystemData:
    """What one key system is told about a key: the inside of its ``pssh`` box."""

    system: KeySystem
    data: bytes


def is_film(track: Track) -> bool:
    """Say whether a track is packaged when it is asked for, from one clear file."""
    return "film" in track.facts


def prefix(track: Track) -> str:
    """Return what the names of a track's segments begin with; nothing on disk.

    It only chooses what nginx asks: a protected track that is asked for by the name
    of a clear one is not found, for the mapping of clear tracks does not name it.
    """
    if not is_film(track):
        return ""
    return f"{'cenc-' if track.kid else ''}{track.kind.value}-"


def iframes(track: Track) -> bool:
    """Say whether keyframes can be named by byte ranges: of files, not of answers."""
    return bool(track.facts.get("iframes")) and not is_film(track)


def mapping(
    asset: str,
    tracks: Sequence[Track],
    named: Sequence[Track],
    duration: float,
    media: PurePath,
) -> str:
    """Return what the module is told to package: a sequence for each track ``named``.

    ``tracks`` are all that the asset has, ``duration`` is its length in seconds where
    it has no pictures, and ``media`` the folder that the paths of tracks begin in.
    Sound has sequences of its own: two tracks of one would be encrypted with the same
    numbers. Nothing runs past the film, as the last packet of a sound does.
    """
    films = [each for each in named if each.kind in _STREAMS and is_film(each)]
    if not films:
        return NOTHING
    texts = [each for each in named if each.kind is TrackKind.TEXT]
    names = {
        track: name
        for kind in (TrackKind.AUDIO, TrackKind.TEXT)
        for track, name in naming.names(t for t in tracks if t.kind is kind).items()
    }
    found = {
        "id": asset,
        "segmentDuration": _segment_seconds(tracks) * 1000,
        "clipTo": ceil(_length(tracks, duration) * 1000),
        "closedCaptions": [],
        "sequences": [
            _sequence(each, names.get(each.id, ""), media)
            # A film with more subtitles than the module takes keeps them: they are
            # served from the disk, whatever it is told of them.
            for each in [*films, *texts][:MOST_SEQUENCES]
        ],
    }
    return json.dumps(found, ensure_ascii=False, separators=(",", ":"))


def drm(kid: str, key: bytes, told: Sequence[SystemData]) -> str:
    """Return the key of one sequence for the module: exactly one object in a list."""
    found: dict[str, Any] = {"key": _text(key), "key_id": _text(bytes.fromhex(kid))}
    # An empty list is an error to the module; without the word it is content.
    if boxes := [_box(kid, each) for each in told]:
        found["pssh"] = boxes
    return json.dumps([found], separators=(",", ":"))


def language(code: str) -> str:
    """Return ISO 639-2's three letters for a tag; without any the module says English.

    The region of a tag is left out: the module would show the tag for a name.
    """
    head = code.lower().replace("_", "-").partition("-")[0]
    if _LANGUAGE.fullmatch(head):
        return head
    return _THREE_LETTERS.get(head, "und")


def label(text: str) -> str:
    """Return a name without what means something to XML: the module escapes nothing."""
    kept = (
        each if each not in "\"'<>&\\" and unicodedata.category(each)[0] != "C" else " "
        for each in text
    )
    return " ".join("".join(kept).split())[:_LONGEST_LABEL].strip() or "Track"


def _sequence(track: Track, name: str, media: PurePath) -> dict[str, Any]:
    file = track.facts["file" if track.kind is TrackKind.TEXT else "film"]
    clip = {"type": "source", "path": str(media / track.path / file)}
    stream = _STREAMS.get(track.kind)
    if stream is None:
        return {"id": track.public_id, "clips": [clip], **_described(track, name)}
    found = {
        # A public id has no “-”, with which the module's own names are cut apart.
        "id": track.public_id,
        "clips": [clip | {"tracks": f"{stream}1"} | _begins(track)],
        "bitrate": {stream: track.bandwidth},
        "avg_bitrate": {stream: track.average_bandwidth},
    }
    return found | (_described(track, name) if stream == "a" else {})


def _begins(track: Track) -> dict[str, int]:
    """Leave out the packet that only primes the decoder of a sound.

    Players of segments of our own are told to skip it; the module does not tell them,
    so that every sound would come 21 ms late. It leaves out whole packets, and counts
    from the first that it keeps.
    """
    ticks = track.facts.get("film_begins", 0)
    milliseconds = ticks * 1000 // track.facts["timescale"]
    return {"clipFrom": milliseconds} if milliseconds else {}


def _described(track: Track, name: str) -> dict[str, Any]:
    return {
        "language": language(track.language),
        "label": label(name),
        "default": track.role == "main",
    }


def _length(tracks: Sequence[Track], duration: float) -> float:
    """Return how long the pictures last, to the last frame; else what is known."""
    pictures = [each for each in tracks if each.kind is TrackKind.VIDEO]
    return timeline.length(pictures, duration)


def _segment_seconds(tracks: Sequence[Track]) -> int:
    """Return how long segments were planned, in whole seconds.

    A picture's begin less than a frame late. A film of one segment has no second one.
    """
    track = next(each for each in tracks if each.kind in _STREAMS)
    first = Fraction(track.facts["segments"][0], track.facts["timescale"])
    if len(track.facts["segments"]) == 1:
        return ceil(first) + 1
    return int(first) if track.kind is TrackKind.VIDEO else round(first)


def _box(kid: str, told: SystemData) -> dict[str, str]:
    data = told.data
    if told.system is KeySystem.CLEARKEY:
        # Of this one the module writes nothing but a head: number and KIDs are ours,
        # and so is the size of data that there is not.
        data = (1).to_bytes(4, "big") + bytes.fromhex(kid) + (0).to_bytes(4, "big")
    return {"uuid": str(SYSTEM_IDS[told.system]), "data": _text(data)}


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _three_letters() -> Iterator[tuple[str, str]]:
    for long, short in get_global("language_aliases").items():
        if _LANGUAGE.fullmatch(long) and not _UNUSUAL.fullmatch(long):
            yield short, long


_THREE_LETTERS: Mapping[str, str] = dict(_three_letters())
