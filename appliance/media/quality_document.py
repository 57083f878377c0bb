"""A quality report as programs get it, and in the words of people."""

from collections.abc import Iterator, Mapping
from typing import Any

from appliance.catalog.titles import Title
from appliance.media.assets import Asset
from appliance.media.quality import Report, Review, Verdict

VERDICTS: Mapping[Verdict, str] = {
    Verdict.PASSED: "Passed",
    Verdict.WARNED: "Passed with warnings",
    Verdict.FAILED: "Failed",
}
LEVELS: Mapping[str, str] = {"pass": "Passed", "warn": "Warning", "fail": "Failed"}
# What the checks are called, in the order of a report.
NAMES: Mapping[str, str] = {
    "whole": "Whole",
    "duration": "Duration",
    "frames": "Frames",
    "keyframes": "Keyframes",
    "packets": "Packets",
    "decode": "Decoding",
    "protection": "Protection",
    "score": "Likeness",
    "black": "Black picture",
    "freeze": "Frozen picture",
    "sync": "Sound in time",
    "sound-length": "Length of sound",
    "silence": "Silence",
    "level": "Level of sound",
    "loudness": "Loudness",
    "true-peak": "True peak",
    "captions": "Captions",
    "reading": "Reading speed",
}


def document(title: Title, asset: Asset, found: Report) -> dict[str, Any]:
    """Return the whole report for a program."""
    return {
        "title": title.slug,
        "name": title.name,
        "asset": asset.public_id,
        "version": found.version,
        "verdict": found.verdict,
        "review": {
            "decision": found.review,
            "reviewer": found.reviewer,
            "comment": found.comment,
            "at": found.reviewed_at,
        },
        "checked_at": found.created_at,
        "source": asset.source_name,
        **{
            name: found.report.get(name)
            for name in ("duration", "frames", "segments", "keyframes", "seconds")
        },
        "checks": found.checks,
        "tracks": found.report.get("tracks", []),
        "scores": found.report.get("scores", {}),
    }


def name_of(check: Mapping[str, Any]) -> str:
    """Return what a check is called."""
    return NAMES.get(check["id"], str(check["id"]).replace("-", " ").capitalize())


def decision(found: Report) -> str:
    """Say what a reviewer decided."""
    if found.review is Review.NONE:
        return "Nobody has reviewed it."
    said = f": {found.comment}" if found.comment else "."
    return f"{found.review.value.capitalize()} by {found.reviewer}{said}"


def figures(track: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is worth knowing of a track, in a few words each."""
    if track.get("width"):
        yield f"{track['width']} × {track['height']}"
    if track.get("channels"):
        yield {1: "mono", 2: "stereo", 6: "5.1"}.get(
            track["channels"], f"{track['channels']} channels"
        )
    if track.get("codec"):
        yield str(track["codec"])
    if track.get("average_bandwidth"):
        yield f"{track['average_bandwidth'] / 1000:,.0f} kbit/s"
    if track.get("vmaf") is not None:
        yield f"VMAF {track['vmaf']:.1f}"
    if track.get("ssim") is not None:
        yield f"SSIM {track['ssim']:.3f}"
    if track.get("loudness") is not None and track["loudness"] > -70:
        yield f"{track['loudness']:.1f} LUFS"
        yield f"range {track['loudness_range']:.1f} LU"
        yield f"peak {track['true_peak']:.1f} dBTP"
    if track.get("offset_milliseconds") is not None:
        yield f"offset {track['offset_milliseconds']:+d} ms"
    yield f"{track['packets']:,} packets"
