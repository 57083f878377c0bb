"""Times of cues: read from what people write, moved, written."""

import re
from dataclasses import replace

from appliance.captions.cues import LATEST, Captions
from appliance.errors import InvalidInput

_TIME = re.compile(
    r"(?:(?P<h>\d{1,3}):)?(?P<m>\d{1,2}):(?P<s>\d{1,2})(?:[.,:;](?P<f>\d{1,3}))?",
    re.ASCII,
)
# A film shown at 24 frames a second in place of 25 takes 4 % longer; nobody shows one
# at half or twice its speed.
_SLOWEST, _FASTEST = 0.5, 2.0


def read(text: str) -> int | None:
    """Return the milliseconds of a time such as 01:02:03,450 or 2:03.45, else None."""
    found = _TIME.fullmatch(text.strip())
    if found is None or int(found["s"]) > 59 or (found["h"] and int(found["m"]) > 59):
        return None
    whole = (int(found["h"] or 0) * 60 + int(found["m"])) * 60 + int(found["s"])
    time = whole * 1000 + int((found["f"] or "0").ljust(3, "0"))
    return time if time < LATEST else None


def write(milliseconds: int) -> str:
    """Write a time as WebVTT has it: 01:02:03.450."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:03}"


def moved(captions: Captions, milliseconds: int, factor: float = 1.0) -> Captions:
    """Return captions stretched by ``factor`` and then shifted.

    What ends before the film begins is gone; what begins before it is cut.
    Errors: ``InvalidInput`` when nothing would be left, or for a strange factor.
    """
    if not _SLOWEST <= factor <= _FASTEST:
        raise InvalidInput(
            "captions.factor",
            "Times are stretched by a factor from 0.5 to 2, as 25/23.976.",
            {"field": "factor"},
        )
    if abs(milliseconds) >= LATEST:
        raise InvalidInput(
            "captions.shift",
            "Captions are shifted by less than a hundred hours.",
            {"field": "milliseconds"},
        )
    cues = []
    for cue in captions.cues:
        start = round(cue.start * factor) + milliseconds
        end = round(cue.end * factor) + milliseconds
        if 0 < end < LATEST:
            cues.append(replace(cue, start=max(0, start), end=end))
    if captions.cues and not cues:
        raise InvalidInput(
            "captions.shift",
            "Nothing would be left: every cue would end before the film begins.",
            {"field": "milliseconds"},
        )
    return replace(captions, cues=tuple(cues))


def factor(text: str) -> float:
    """Read a factor: a number, or two frame rates as 25/23.976."""
    above, _, below = text.partition("/")
    try:
        return float(above) / float(below or 1)
    except (ValueError, ZeroDivisionError, OverflowError) as error:
        raise InvalidInput(
            "captions.factor",
            "A factor is a number as 1.0427, or two frame rates as 25/23.976.",
            {"field": "factor"},
        ) from error
