"""Times of segments: ticks in rows, exact decimals in playlists."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, groupby

from appliance.media.tracks import Track, TrackKind

_TIMED = (TrackKind.VIDEO, TrackKind.AUDIO)


def length(tracks: Iterable[Track], duration: float) -> float:
    """Return how long the longest picture or sound is, else ``duration``."""
    ends = [
        sum(each.facts["segments"]) / each.facts["timescale"]
        for each in tracks
        if each.kind in _TIMED
    ]
    return max(ends, default=duration)


def decimals(ticks: Sequence[int], timescale: int) -> Iterator[str]:
    """Yield each length in seconds with six decimals.

    Each is the difference of two rounded ends, so that the sum never drifts away from
    the film: 24000/1001 frames a second have no finite decimal.
    """
    begin = 0
    for end in accumulate(ticks):
        micro = round(end * 1_000_000 / timescale)
        yield f"{(micro - begin) // 1_000_000}.{(micro - begin) % 1_000_000:06}"
        begin = micro


def runs(ticks: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield equal lengths that follow each other as (length, how many)."""
    for value, group in groupby(ticks):
        yield value, len(list(group))


def iframes(track: Track) -> list[int]:
    """Return how long each keyframe stands until the next one, or until the end."""
    starts = [start for _segment, start, _offset, _size in track.facts["iframes"]]
    end = max(sum(track.facts["segments"]), starts[-1] + 1)
    return [
        after - start for start, after in zip(starts, [*starts[1:], end], strict=True)
    ]
