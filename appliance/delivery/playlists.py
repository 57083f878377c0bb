"""HLS media playlists: of a rendition, its keyframes, a subtitle, the thumbnails.

They lie in ``hls/`` beside ``tracks/`` and name their segments relative to that. The
keys of an encrypted track come after its clear beginning. No discontinuity is marked
there: nothing about the pictures changes, and with one Shaka Player never shows
subtitles that are turned on later.
"""

from appliance.delivery import hls_keys, timeline, vod
from appliance.delivery.signalling import NO_SYSTEM, Signalling
from appliance.media.tracks import Track, TrackKind

_HEAD = ("#EXTM3U", "#EXT-X-VERSION:7")


def media(track: Track, duration: float, signalling: Signalling = NO_SYSTEM) -> str:
    """Render the playlist of one track; ``duration`` is the film's, in seconds."""
    if track.kind is TrackKind.TEXT:
        return _text_playlist(track, duration)
    if track.kind is TrackKind.THUMBNAILS:
        return _image_playlist(track, duration)
    facts = track.facts
    longest = max(facts["segments"]) / facts["timescale"]
    lines = [*_HEAD, *_playlist_head(longest), _map(track)]
    lengths = timeline.decimals(facts["segments"], facts["timescale"])
    first = _first_encrypted(track)
    for number, length in enumerate(lengths, start=1):
        if number - 1 == first:
            lines += hls_keys.of_track(track, signalling)
        lines += [f"#EXTINF:{length},", f"{_names(track)}{number:05}.m4s"]
    return _text([*lines, "#EXT-X-ENDLIST"])


def iframes(track: Track, signalling: Signalling = NO_SYSTEM) -> str:
    """Render the playlist of the keyframes of a video track, for trick play."""
    frames = track.facts["iframes"]
    ticks = timeline.iframes(track)
    longest = max(ticks) / track.facts["timescale"]
    lines = [*_HEAD, *_playlist_head(longest), "#EXT-X-I-FRAMES-ONLY", _map(track)]
    lengths = timeline.decimals(ticks, track.facts["timescale"])
    keys_due = True
    for (segment, _start, offset, size), length in zip(frames, lengths, strict=True):
        if keys_due and segment >= _first_encrypted(track):
            lines += hls_keys.of_track(track, signalling)
            keys_due = False
        lines += [
            f"#EXTINF:{length},",
            f"#EXT-X-BYTERANGE:{size}@{offset}",
            f"{_names(track)}{segment + 1:05}.m4s",
        ]
    return _text([*lines, "#EXT-X-ENDLIST"])


def _text_playlist(track: Track, duration: float) -> str:
    """List the one file that holds every cue as a single segment."""
    return _text(
        [
            *_HEAD,
            *_playlist_head(duration),
            f"#EXTINF:{duration:.6f},",
            f"{_folder(track)}/{track.facts['file']}",
            "#EXT-X-ENDLIST",
        ]
    )


def _image_playlist(track: Track, duration: float) -> str:
    facts = track.facts
    span = facts["columns"] * facts["rows"] * facts["step"]
    tiles = (
        f"#EXT-X-TILES:RESOLUTION={facts['width']}x{facts['height']},"
        f"LAYOUT={facts['columns']}x{facts['rows']},DURATION={facts['step']}"
    )
    lines = [*_HEAD, *_playlist_head(min(span, duration)), "#EXT-X-IMAGES-ONLY"]
    for number, sheet in enumerate(facts["sheets"]):
        left = max(0.001, min(span, duration - number * span))
        lines += [f"#EXTINF:{left:.6f},", tiles, f"{_folder(track)}/{sheet}"]
    return _text([*lines, "#EXT-X-ENDLIST"])


def _playlist_head(longest: float) -> tuple[str, ...]:
    # A length rounded to the nearest second must not be above the target.
    target = max(1, int(longest + 0.5))
    return (f"#EXT-X-TARGETDURATION:{target}", "#EXT-X-PLAYLIST-TYPE:VOD")


def _first_encrypted(track: Track) -> int:
    return int(track.facts.get("clear_segments", 0))


def _map(track: Track) -> str:
    return f'#EXT-X-MAP:URI="{_names(track)}init.mp4"'


def _names(track: Track) -> str:
    return f"{_folder(track)}/{vod.prefix(track)}"


def _folder(track: Track) -> str:
    return f"../tracks/{track.public_id}"


def _text(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"
