"""What an edge is asked for before the first viewer comes."""

from collections.abc import Iterator, Sequence

from appliance.delivery import vod
from appliance.media.tracks import Track, TrackKind


def files(shown: Sequence[Track], segments: int = 0) -> Iterator[str]:
    """Yield the files of a film that players ask for first, below its folder.

    They are the manifests, and of each rendition and language the playlist, the head
    and so many segments from the beginning; 0 means all. Subtitles and pictures are
    one or a few files, and come whole.
    """
    yield from ("master.m3u8", "manifest.mpd")
    for track in shown:
        yield f"hls/{track.public_id}.m3u8"
        if track.kind is TrackKind.THUMBNAILS:
            yield "thumbnails.vtt"
        for name in _of(track, segments):
            yield f"tracks/{track.public_id}/{name}"


def _of(track: Track, segments: int) -> Iterator[str]:
    facts = track.facts
    if track.kind is TrackKind.TEXT:
        yield facts["file"]
    elif track.kind is TrackKind.THUMBNAILS:
        yield from facts["sheets"]
    else:
        prefix, count = vod.prefix(track), len(facts["segments"])
        yield f"{prefix}init.mp4"
        for number in range(1, min(segments or count, count) + 1):
            yield f"{prefix}{number:05}.m4s"
