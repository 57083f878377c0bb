"""Which renditions a viewer is shown."""

from collections.abc import Sequence

from appliance.media.tracks import Track, TrackKind


def within(tracks: Sequence[Track], max_height: int | None) -> list[Track]:
    """Return the tracks without the pictures above ``max_height``; None: no limit.

    When all are above it the lowest stay: a film that opens has a picture.
    """
    heights = [each.height or 0 for each in tracks if each.kind is TrackKind.VIDEO]
    if max_height is None or not heights:
        return list(tracks)
    limit = max(max_height, min(heights))
    return [
        each
        for each in tracks
        if each.kind is not TrackKind.VIDEO or (each.height or 0) <= limit
    ]
