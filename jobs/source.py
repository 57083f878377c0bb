"""What is known of a source: the facts that inspecting it finds and the plan reads."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any


@dataclass(frozen=True, slots=True)
class Sound:
    """One audio stream; ``number`` is its place in the file."""

    number: int
    codec: str
    language: str
    title: str
    channels: int
    role: str


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
    are seconds as the file counts them, thinned to one a second.
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


@dataclass(frozen=True, slots=True)
class Source:
    """A file that can be processed.

    ``origin`` is the time stamp in the file, in seconds, that becomes zero for every
    stream. ``indexed`` says that seeking finds the keyframe asked for.
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
