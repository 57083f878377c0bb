"""The multivariant HLS playlist over stored tracks (RFC 8216, Apple's rules for fMP4).

Addresses are relative to the playlist, which lies beside ``hls/`` and ``tracks/``: it
holds no token and fits any prefix. A steered one names every rendition once for each
pathway (:mod:`appliance.delivery.steering`).
"""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from appliance.delivery import hls_keys, naming, steering, thumbnails, timeline, vod
from appliance.delivery.signalling import NO_SYSTEM, Signalling
from appliance.delivery.steering import Pathway
from appliance.media.tracks import Track, TrackKind

_Group = tuple[str, list[Track]]


_ALONE = (Pathway(""),)


def multivariant(
    tracks: Sequence[Track],
    signalling: Signalling = NO_SYSTEM,
    pathways: Sequence[Pathway] = (),
) -> str:
    """Render the playlist that names every rendition, language and subtitle.

    With ``pathways`` a player asks beside it which of them to take; the last is where
    it begins without an answer.
    """
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    if pathways:
        asked = {
            "SERVER-URI": _quoted(steering.NAME),
            "PATHWAY-ID": _quoted(pathways[-1].id),
        }
        lines.append(f"#EXT-X-CONTENT-STEERING:{_listed(asked)}")
    lines += hls_keys.of_session(tracks, signalling)
    ways = pathways or _ALONE
    for way in ways:
        for group, audio in _audio_groups(tracks):
            lines += _media_lines("AUDIO", group, audio, way)
        lines += _media_lines("SUBTITLES", "text", _of(tracks, TrackKind.TEXT), way)
    for way in ways:
        lines += _variants(tracks, way)
    # Neither knows pathways in the players that there are.
    for variant in _of(tracks, TrackKind.VIDEO):
        lines += _iframe_variant(variant, ways[-1])
    for sheet in _of(tracks, TrackKind.THUMBNAILS):
        lines += _image_variant(sheet, ways[-1])
    return "\n".join(lines) + "\n"


def _variants(tracks: Sequence[Track], way: Pathway) -> Iterator[str]:
    groups, has_text = _audio_groups(tracks), bool(_of(tracks, TrackKind.TEXT))
    videos = _of(tracks, TrackKind.VIDEO)
    for variant in videos:
        for group, audio in groups or [("", [])]:
            yield from _variant(variant, group, audio, has_text, way)
    if not videos:
        yield from _sound_only(groups, way)


def _of(tracks: Sequence[Track], kind: TrackKind) -> list[Track]:
    return [each for each in tracks if each.kind is kind]


def _audio_groups(tracks: Sequence[Track]) -> list[_Group]:
    """Group audio by codec and channels: a player changes language inside a group."""
    groups: dict[tuple[str, int | None], list[Track]] = {}
    for track in _of(tracks, TrackKind.AUDIO):
        groups.setdefault((track.codec, track.channels), []).append(track)
    return [(f"audio-{n}", each) for n, each in enumerate(groups.values(), start=1)]


def _media_lines(
    kind: str, group: str, tracks: list[Track], way: Pathway
) -> Iterator[str]:
    names = naming.names(tracks)
    default = next((each for each in tracks if each.role == "main"), None)
    if kind == "AUDIO":
        default = default or next(iter(tracks), None)
    for track in tracks:
        forced = track.role == "forced-subtitle"
        attributes = {
            "TYPE": kind,
            "GROUP-ID": _group(group, way),
            "NAME": f'"{names[track.id]}"',
            "LANGUAGE": _quoted(naming.language(track)),
            "DEFAULT": _yes(track is default and kind == "AUDIO"),
            "AUTOSELECT": _yes(track is default or track.role in _AUTOSELECT),
            "FORCED": "YES" if forced else None,
            "CHARACTERISTICS": _quoted(_CHARACTERISTICS.get(track.role)),
            "CHANNELS": _quoted(track.channels) if kind == "AUDIO" else None,
            "URI": _quoted(_address(track, way)),
            # Not of the standard, which finds the way by the group: Shaka Player looks
            # for it here where a group holds subtitles.
            "PATHWAY-ID": _quoted(way.id) if kind == "SUBTITLES" else None,
        }
        yield f"#EXT-X-MEDIA:{_listed(attributes)}"


_AUTOSELECT = frozenset(
    {"main", "alternate", "dub", "subtitle", "caption", "description"}
) | {"forced-subtitle"}
_CHARACTERISTICS = {
    "description": "public.accessibility.describes-video",
    "caption": "public.accessibility.transcribes-spoken-dialog,"
    "public.accessibility.describes-music-and-sound",
}


def _variant(
    track: Track, group: str, audio: list[Track], has_text: bool, way: Pathway
) -> Iterator[str]:
    codecs = dict.fromkeys([track.codec, *(each.codec for each in audio)])
    attributes = {
        "BANDWIDTH": track.bandwidth + _largest(audio, "bandwidth"),
        "AVERAGE-BANDWIDTH": track.average_bandwidth
        + _largest(audio, "average_bandwidth"),
        "CODECS": _quoted(",".join(codecs)),
        "RESOLUTION": f"{track.width}x{track.height}",
        "FRAME-RATE": _frame_rate(track),
        "AUDIO": _group(group, way),
        "SUBTITLES": _group("text", way) if has_text else None,
        "PATHWAY-ID": _quoted(way.id),
    }
    yield f"#EXT-X-STREAM-INF:{_listed(attributes)}"
    yield _address(track, way)


def _sound_only(groups: list[_Group], way: Pathway) -> Iterator[str]:
    for group, audio in groups:
        attributes = {
            "BANDWIDTH": _largest(audio, "bandwidth"),
            "AVERAGE-BANDWIDTH": _largest(audio, "average_bandwidth"),
            "CODECS": _quoted(audio[0].codec),
            "AUDIO": _group(group, way),
            "PATHWAY-ID": _quoted(way.id),
        }
        yield f"#EXT-X-STREAM-INF:{_listed(attributes)}"
        yield _address(audio[0], way)


def _iframe_variant(track: Track, way: Pathway) -> Iterator[str]:
    if not vod.iframes(track):
        return
    ticks, scale = timeline.iframes(track), track.facts["timescale"]
    sizes = [size for _segment, _start, _offset, size in track.facts["iframes"]]
    rates = [size * 8 * scale / max(1, t) for size, t in zip(sizes, ticks, strict=True)]
    attributes = {
        "BANDWIDTH": max(1, round(max(rates))),
        "AVERAGE-BANDWIDTH": max(1, round(sum(sizes) * 8 * scale / max(1, sum(ticks)))),
        "CODECS": _quoted(track.codec),
        "RESOLUTION": f"{track.width}x{track.height}",
        "URI": _quoted(f"{way.folder}hls/{track.public_id}-iframes.m3u8"),
    }
    yield f"#EXT-X-I-FRAME-STREAM-INF:{_listed(attributes)}"


def _image_variant(track: Track, way: Pathway) -> Iterator[str]:
    facts = track.facts
    attributes = {
        "BANDWIDTH": thumbnails.bandwidth(track),
        "RESOLUTION": f"{facts['width']}x{facts['height']}",
        "CODECS": '"jpeg"',
        "URI": _quoted(_address(track, way)),
    }
    yield f"#EXT-X-IMAGE-STREAM-INF:{_listed(attributes)}"


def _address(track: Track, way: Pathway) -> str:
    return f"{way.folder}hls/{track.public_id}.m3u8"


def _group(name: str, way: Pathway) -> str | None:
    """Return what a group of tracks is called: each pathway has its own."""
    return _quoted(f"{name}-{way.id}" if name and way.id else name)


def _frame_rate(track: Track) -> str | None:
    return f"{float(Fraction(track.frame_rate)):.3f}" if track.frame_rate else None


def _largest(tracks: list[Track], column: str) -> int:
    return max((int(getattr(each, column)) for each in tracks), default=0)


def _quoted(value: object) -> str | None:
    return f'"{value}"' if value else None


def _yes(value: bool) -> str:
    return "YES" if value else "NO"


def _listed(attributes: Mapping[str, object]) -> str:
    return ",".join(
        f"{name}={value}" for name, value in attributes.items() if value is not None
    )
