"""What verification is told besides where a film is cut. Pure.

Without a source, which may have been removed, nothing is compared with it.
"""

from collections.abc import Mapping
from typing import Any

from appliance.settings import Settings
from jobs.planning.source import Source


def limits(settings: Settings, *, normalised: bool) -> dict[str, Any]:
    """Return from where on something is remarked; loudness where it was aimed at."""
    quality = settings.quality
    return {
        "least_score": quality.least_score,
        "sync_milliseconds": quality.sync_milliseconds,
        "black_seconds": quality.black_seconds,
        "freeze_seconds": quality.freeze_seconds,
        "silence_seconds": quality.silence_seconds,
        "true_peak": quality.true_peak,
        "loudness": settings.encode.loudness if normalised else None,
    }


def of_source(
    path: str,
    source: Source | None,
    streams: Mapping[str, int],
    settings: Settings,
    *,
    normalised: bool,
) -> dict[str, Any]:
    """Return what the spec of ``verify`` says besides its grid and keys.

    ``streams`` are numbers of audio streams of the source by the ids of the tracks
    that were made of them.
    """
    known: dict[str, Any] = {}
    if source is not None:
        known = {"source": path, "facts": source.as_facts(), "sounds": dict(streams)}
    return known | {
        "decode": settings.quality.decode,
        "limits": limits(settings, normalised=normalised),
    }
