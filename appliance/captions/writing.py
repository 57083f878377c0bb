"""Captions as a WebVTT file: what viewers get, and what is read back for editing."""

from collections.abc import Iterator

from appliance.captions import times
from appliance.captions.cues import Captions, Cue

UNSURE = "unsure"
"""What the name of a cue begins with where a machine may have misheard."""


def webvtt(captions: Captions) -> str:
    """Write captions; reading the text gives the same captions again."""
    blocks = ["WEBVTT", *(f"REGION\n{region}" for region in captions.regions)]
    blocks += ["\n".join(_lines(number, cue)) for number, cue in _numbered(captions)]
    return "\n\n".join(blocks) + "\n"


def subrip(captions: Captions) -> str:
    """Write captions for programs that know nothing but SubRip."""
    return "\n".join(
        f"{number}\n{times.write(cue.start).replace('.', ',')} -->"
        f" {times.write(cue.end).replace('.', ',')}\n{cue.text}\n"
        for number, cue in _numbered(captions)
    )


def _numbered(captions: Captions) -> Iterator[tuple[int, Cue]]:
    return enumerate(captions.cues, start=1)


def _lines(number: int, cue: Cue) -> Iterator[str]:
    if cue.unsure:
        yield f"{UNSURE}-{number}"
    timing = f"{times.write(cue.start)} --> {times.write(cue.end)}"
    yield f"{timing} {cue.settings}".rstrip()
    yield cue.text
