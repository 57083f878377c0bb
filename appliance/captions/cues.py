"""What captions are made of. Times are whole milliseconds."""

from dataclasses import dataclass

LATEST = 100 * 3600 * 1000
"""No cue is shown at or after a hundred hours."""

MOST_CUES = 20_000
MOST_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Cue:
    """A text shown from ``start`` to ``end``.

    ``text`` is a cue payload of WebVTT with none but harmless tags, ``settings`` its
    place on the picture. ``unsure`` marks what a machine is not sure to have heard.
    """

    start: int
    end: int
    text: str
    settings: str = ""
    unsure: bool = False


@dataclass(frozen=True, slots=True)
class Captions:
    """Cues in the order of their starts; ``regions`` are what cues may refer to."""

    cues: tuple[Cue, ...] = ()
    regions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Remark:
    """What was left out or mended when a file was read; ``line`` 0: the whole file."""

    line: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file said, and what had to be left out of it."""

    captions: Captions
    format: str
    remarks: tuple[Remark, ...] = ()


def ordered(cues: list[Cue], regions: tuple[str, ...] = ()) -> Captions:
    """Return captions with the cues in order, whatever order they came in."""
    return Captions(tuple(sorted(cues, key=lambda cue: (cue.start, cue.end))), regions)
