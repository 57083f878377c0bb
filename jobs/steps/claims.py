"""What a quality report says of a source that is not what it claims to be.

What was read packet by packet counts; whoever uploaded it may want to know, though.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

from jobs.steps.checks import Check, Level, clock

_REMARKED = 1.0
_SHARE_CLAIMED = 0.02
# From here on something of the film is probably missing.
_WARNS, _SHARE_WARNS = 2.0, 0.05


def checks(facts: Mapping[str, Any]) -> list[Check]:
    """Return what is worth knowing of a source, by its facts; mostly nothing."""
    return [*_header(facts), *_picture(facts), *_sounds(facts), *_rate(facts)]


def _header(facts: Mapping[str, Any]) -> Iterator[Check]:
    claimed, lasts = float(facts.get("claimed") or 0), float(facts["duration"])
    if claimed and abs(claimed - lasts) > max(_REMARKED, lasts * _SHARE_CLAIMED):
        sentence = (
            f"The file says that it lasts {clock(claimed)}, but what is in it lasts"
            f" {clock(lasts)}: that is what counts."
        )
        yield Check(
            *("source-duration", Level.PASS, sentence),
            *(round(claimed, 1), round(lasts, 1)),
            note=True,
        )


def _picture(facts: Mapping[str, Any]) -> Iterator[Check]:
    picture, lasts = facts["picture"], float(facts["duration"])
    ends = float((picture["last"] + 1) / Fraction(picture["rate"]))
    if lasts - ends >= _REMARKED:
        sentence = (
            f"The picture of the source ends at {clock(ends)}, {_long(lasts - ends)}"
            " before its sound: the last one is held."
        )
        yield _early("source-picture", sentence, ends, lasts)


def _sounds(facts: Mapping[str, Any]) -> Iterator[Check]:
    lasts, sounds = float(facts["duration"]), facts["sounds"]
    for place, sound in enumerate(sounds, start=1):
        ends = sound.get("ends")
        if ends is not None and lasts - ends >= _REMARKED:
            which = f"Sound {place}" if len(sounds) > 1 else "The sound"
            sentence = (
                f"{which} of the source ends at {clock(ends)}, {_long(lasts - ends)}"
                " before the film does: silence follows."
            )
            yield _early("source-sound", sentence, ends, lasts)


def _rate(facts: Mapping[str, Any]) -> Iterator[Check]:
    if facts["picture"]["variable"]:
        rate = float(Fraction(facts["picture"]["rate"]))
        sentence = (
            "The pictures of the source come at a varying rate; here they come at"
            f" {rate:g} a second, each at its time."
        )
        yield Check("source-rate", Level.PASS, sentence, rate, None, note=True)


def _early(name: str, sentence: str, ends: float, lasts: float) -> Check:
    missing = lasts - ends >= max(_WARNS, lasts * _SHARE_WARNS)
    level = Level.WARN if missing else Level.PASS
    return Check(
        *(name, level, sentence, round(ends, 1), round(lasts, 1)), note=not missing
    )


def _long(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
