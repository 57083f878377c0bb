"""What is known of a source: the facts that inspecting it finds and the plan reads."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

_SEEK_MARGIN = 0.3
_SEEK_MARGIN_UNINDEXED = 1.0


@dataclass(frozen=True, slots=True)
class Sound:
    """One audio stream; ``number`` is its place in the file.

    ``ends`` is when its last packet does, in seconds of the film.
    """

    number: int
    codec: str
    language: str
    title: str
    channels: int
    role: str
    ends: float | None = None


@dataclass(frozen=True, slots=True)
class Captions:
    """One text subtitle stream."""

    number: int
    codec: str
    language: str
    title: str
    role: str


@dataclass(frozen=True, slots=True)
class Picture:
    """The video stream.

    ``width`` × ``height`` is how it is to be seen: upright, with square pixels.
    ``rate`` is the constant rate it gets. ``frames`` counts its frames at that rate
    from ``origin``; ``first`` is the first that the source has a picture for and
    ``last`` the last. ``fields`` is tff or bff when it is interlaced. ``keyframes``
    are seconds as the file counts them, thinned to one a second. ``untagged`` says
    that the file names a transfer but not its colours.
    """

    number: int
    codec: str
    width: int
    height: int
    rate: Fraction
    frames: int
    first: int
    last: int
    variable: bool
    fields: str
    pixels: str
    bits: int
    transfer: str
    keyframes: tuple[float, ...]
    untagged: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """A file that can be processed.

    ``origin`` is the time stamp in the file, in seconds, that becomes zero for every
    stream. ``indexed`` says that seeking finds the keyframe asked for. ``claimed`` is
    how long its header says that it lasts; 0 where it says nothing.
    """

    container: str
    indexed: bool
    bytes: int
    sha256: str
    origin: float
    duration: float
    picture: Picture
    sounds: tuple[Sound, ...]
    captions: tuple[Captions, ...]
    skipped: tuple[str, ...]
    chapters: tuple[Mapping[str, Any], ...]
    claimed: float = 0.0

    def as_facts(self) -> dict[str, Any]:
        """Return what is stored; :func:`from_facts` reads it."""
        facts = dataclasses.asdict(self)
        facts["picture"]["rate"] = str(self.picture.rate)
        return facts


def from_facts(facts: Mapping[str, Any]) -> Source:
    """Read what :meth:`Source.as_facts` returned, also after JSON."""
    picture = dict(facts["picture"])
    picture["rate"] = Fraction(picture["rate"])
    picture["keyframes"] = tuple(picture["keyframes"])
    return Source(
        **{
            **facts,
            "picture": Picture(**picture),
            "sounds": tuple(Sound(**each) for each in facts["sounds"]),
            "captions": tuple(Captions(**each) for each in facts["captions"]),
            "skipped": tuple(facts["skipped"]),
            "chapters": tuple(facts["chapters"]),
        }
    )


def seek(source: Source, frame: int) -> float | None:
    """Return where in the file to start reading for a frame; None: at its start.

    It must be a keyframe well before it. Containers with an index find the one before
    any time; in others only the time of a keyframe is a sure aim, and reading must
    begin somewhat before it.
    """
    picture = source.picture
    wanted = source.origin + float(frame / picture.rate) - _SEEK_MARGIN
    earlier = [key for key in picture.keyframes if key <= wanted]
    if frame <= picture.first or len(earlier) < 2:
        return None
    if source.indexed:
        return round(wanted, 6)
    return round(earlier[-1] - _SEEK_MARGIN_UNINDEXED, 6)
