"""What a quality report says of a film beside that its packages are whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from appliance.errors import NotFound
from jobs.planning.chunks import Grid
from jobs.planning.source import from_facts
from jobs.steps import caption_checks, defects, likeness, sounds
from jobs.steps.checks import Check, Limits
from jobs.steps.clear import Clear, Original
from jobs.steps.sounds import Sound
from jobs.tools import scores
from jobs.work import Report, Work

Spec = Mapping[str, Any]

# How much of the time comparing pictures takes.
_COMPARING = 0.5


@dataclass
class Findings:
    """The checks, figures of single tracks by their id, and scores by the place."""

    checks: list[Check] = field(default_factory=list)
    figures: dict[str, dict[str, Any]] = field(default_factory=dict)
    scores: dict[str, Any] = field(default_factory=dict)


def of_film(
    spec: Spec,
    grid: Grid,
    tracks: Sequence[Clear],
    texts: Sequence[Clear],
    work: Work,
    begun: float,
) -> Findings:
    """Look at the picture of a film that is whole, listen to its sounds, read along.

    ``spec`` may name the source, with its ``facts`` and which stream became which
    track (``sounds``), and the ``limits``; without a source nothing is compared.
    ``begun`` is how much of the work is done already.
    """
    found = Findings()
    half = begun + (1 - begun) * _COMPARING
    report = work.part(half, 1)
    limits = Limits.of(spec["limits"])
    original = _original(spec, work)
    heard = [each for each in tracks if each.entry["kind"] == "audio"]
    seen = [each for each in tracks if each.entry["kind"] == "video"]
    if seen and original is not None:
        _compare(found, seen, original, grid, limits, work.part(begun, half))
    if seen:
        smallest = min(seen, key=lambda each: int(each.entry["height"]))
        found.checks += defects.pictures(
            smallest, original, limits.black_seconds, limits.freeze_seconds
        )
    for number, track in enumerate(heard, start=1):
        report(number / (len(heard) + 1))
        checks, figures = sounds.check(
            track, original, _sound(spec, track, work), limits
        )
        found.checks += checks
        found.figures[track.entry["id"]] = figures
    for track in texts:
        found.checks += caption_checks.check(track, float(grid.seconds))
    return found


def _compare(
    found: Findings,
    seen: Sequence[Clear],
    original: Original,
    grid: Grid,
    limits: Limits,
    report: Report,
) -> None:
    """Hold every rendition to the source; keep the scores of each place."""
    places = likeness.look(seen, original, grid, report)
    checks, figures = likeness.check(seen, places, limits)
    found.checks += checks
    found.figures |= figures
    found.scores = {
        "measure": scores.measure(),
        "tracks": [each.name for each in seen],
        "places": [{"at": each.at, "scores": list(each.scores)} for each in places],
    }


def _original(spec: Spec, work: Work) -> Original | None:
    """Return the source; None when it was not named, or is not there any more."""
    if not spec.get("source"):
        return None
    try:
        path = work.storage.existing(spec["source"])
    except NotFound:
        return None
    return Original(path, from_facts(spec["facts"]), work)


def _sound(spec: Spec, track: Clear, work: Work) -> Sound | None:
    """Return what a track was made from, and how much louder it was made."""
    stream = spec.get("sounds", {}).get(track.entry["id"])
    if stream is None:
        return None
    known = spec.get("gains")
    if known is not None:
        return Sound(stream, float(known.get(track.name) or 0))
    try:
        made = work.result(track.name)
    except NotFound:
        made = {}
    return Sound(stream, float(made.get("gain") or 0))
