"""What players say of how well they play, counted for all of them together."""

from collections.abc import Mapping

from flask import current_app

from appliance.counts import Histogram, series
from web import door

STARTUP = "matinee_playback_startup_seconds"
STALLS = "matinee_playback_stalls_total"
STALLED = "matinee_playback_stalled_seconds_total"

_STARTUP = Histogram.of(STARTUP, (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0))
_STALLS, _STALLED = series(STALLS), series(STALLED)


def count(grown: Mapping[str, float]) -> None:
    """Count what is new in the figures of a player."""
    if not grown:
        return
    counts = door.counts_of(current_app)
    if "startup" in grown:
        counts.observe(_STARTUP, grown["startup"])
    if "stalls" in grown:
        counts.add(_STALLS, grown["stalls"])
    if "buffering" in grown:
        counts.add(_STALLED, grown["buffering"])
