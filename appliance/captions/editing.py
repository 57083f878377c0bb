"""Captions as an editor has them: rows of start, end, text, place and doubt."""

import re
from collections.abc import Sequence
from typing import Any

from appliance.captions import markup, places
from appliance.captions.cues import LATEST, MOST_CUES, Captions, Cue, ordered
from appliance.errors import InvalidInput

# What would be read as something else when it stood there in the open.
_PLAIN = (
    (re.compile(r"&gt;"), ">"),
    (re.compile(r"&lt;(?![A-Za-z/!?\d])"), "<"),
    (re.compile(r"&amp;(?![#A-Za-z0-9]{1,40};)"), "&"),
)


def rows(captions: Captions) -> list[list[Any]]:
    """Return cues as ``[start, end, text, settings, unsure]``."""
    return [
        [cue.start, cue.end, typed(cue.text), cue.settings, cue.unsure]
        for cue in captions.cues
    ]


def typed(text: str) -> str:
    """Return a payload as somebody types it; cleaning that gives the payload again."""
    for pattern, plain in _PLAIN:
        text = pattern.sub(plain, text)
    return text


def captions(rows: object, regions: Sequence[str] = ()) -> Captions:
    """Read rows. Errors: ``InvalidInput``, with the number of the cue from 1."""
    if not isinstance(rows, list):
        raise InvalidInput("captions.rows", "Cues come as a list of rows.")
    if len(rows) > MOST_CUES:
        raise InvalidInput(
            "captions.too-many", f"Captions have {MOST_CUES:,} cues at most."
        )
    known = frozenset(places.region_id(each) for each in regions)
    cues = [_cue(number, row, known) for number, row in enumerate(rows, start=1)]
    return ordered(cues, tuple(regions))


def _cue(number: int, row: object, regions: frozenset[str]) -> Cue:
    match row:
        case [int(start), int(end), str(text), str(place), bool(unsure)]:
            pass
        case _:
            raise _refusal(number, "is not a row of start, end, text, place, doubt.")
    if not 0 <= start < LATEST or not 0 < end < LATEST:
        raise _refusal(number, "has a time outside of a hundred hours.")
    if end <= start:
        raise _refusal(number, "ends before it begins: mend its times.")
    if len(text) > markup.LONGEST_TEXT:
        raise _refusal(number, f"has over {markup.LONGEST_TEXT} characters.")
    payload = markup.clean(text)
    if not payload:
        raise _refusal(number, "has no text: write some, or remove it.")
    return Cue(start, end, payload, places.settings(place, regions), unsure)


def _refusal(number: int, sentence: str) -> InvalidInput:
    return InvalidInput("captions.cue", f"Cue {number} {sentence}", {"cue": number})
