"""What makes captions hard to read, by the rules that most broadcasters share."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from appliance.captions import markup
from appliance.captions.cues import Captions, Cue

LINES = 2
SHORTEST = 700
LONGEST = 7_000
LEAST_GAP = 80
_FASTEST = 20
_FASTEST_WIDE = 9
_WIDTH = 42
# Where a letter is a syllable or a word, fewer fit on a line and into a second.
_WIDE: Mapping[str, int] = {"ja": 13, "ko": 16, "zh": 16}


class Level(StrEnum):
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """One breach; ``cue`` counts from 1, and ``code`` is stable."""

    cue: int
    code: str
    level: Level
    sentence: str


def width(language: str) -> int:
    """Return how many characters a line has at most."""
    return _WIDE.get(language.lower().split("-")[0], _WIDTH)


def pace(language: str) -> int:
    """Return how many characters a second can be read."""
    wide = language.lower().split("-")[0] in _WIDE
    return _FASTEST_WIDE if wide else _FASTEST


def lint(
    captions: Captions, duration: float | None = None, language: str = ""
) -> list[Finding]:
    """Return what is wrong, cue by cue; ``duration`` is that of the film in seconds."""
    end = None if duration is None else round(duration * 1000)
    found: list[Finding] = []
    before: Cue | None = None
    for number, cue in enumerate(captions.cues, start=1):
        for code, level, sentence in _of_cue(cue, before, end, language):
            found.append(Finding(number, code, level, sentence))
        # A cue at the top speaks beside the one at the foot.
        if before is None or cue.settings == before.settings:
            before = cue
    return found


def _of_cue(
    cue: Cue, before: Cue | None, end: int | None, language: str
) -> Iterator[tuple[str, Level, str]]:
    error, warning = Level.ERROR, Level.WARNING
    said = markup.plain(cue.text)
    lines = said.split("\n")
    shown = cue.end - cue.start
    if not said.strip():
        yield "empty", error, "There is no text."
        return
    if shown <= 0:
        yield "order", error, "It ends before it begins."
        return
    if end is not None and cue.start >= end:
        yield "past-end", error, "It begins after the end of the film."
    elif end is not None and cue.end > end + 500:
        yield "past-end", warning, "It ends after the film."
    if before is not None and cue.settings == before.settings:
        yield from _between(before, cue)
    if len(lines) > LINES:
        yield "lines", warning, f"{len(lines)} lines; {LINES} are readable."
    longest, most = max(map(len, lines)), width(language)
    if longest > most:
        yield "long-line", warning, f"A line of {longest} characters; {most} fit."
    rate = len(said.replace("\n", "")) * 1000 / shown
    if rate > pace(language):
        yield (
            "fast",
            warning,
            f"{rate:.0f} characters a second; {pace(language)} can be read.",
        )
    if shown < SHORTEST:
        yield "short", warning, f"Shown for {shown / 1000:.1f} s; 0.7 s are needed."
    if shown > LONGEST:
        yield "long", warning, f"Shown for {shown / 1000:.1f} s; 7 s are enough."


def _between(before: Cue, cue: Cue) -> Iterator[tuple[str, Level, str]]:
    gap = cue.start - before.end
    if gap < 0:
        yield "overlap", Level.ERROR, f"It begins {-gap} ms before the last one ends."
    elif 0 < gap < LEAST_GAP:
        yield (
            "gap",
            Level.WARNING,
            f"{gap} ms after the last one: it flickers; leave none, or {LEAST_GAP} ms.",
        )
