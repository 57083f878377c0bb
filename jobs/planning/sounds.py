"""Which sounds and captions of a source become tracks, and what menus call them. Pure.

A sound of many channels is folded into two, which every player can play; where that is
wished it is kept in 5.1 beside them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jobs.planning import languages
from jobs.planning.source import Captions, Sound

STEREO, SURROUND = 2, 6


@dataclass(frozen=True, slots=True)
class Labelled:
    """One stream that becomes a track; ``unit`` is the unit that makes it."""

    unit: str
    stream: Sound | Captions
    label: str
    channels: int = 0


def of_source(sounds: Sequence[Sound], *, surround: bool) -> list[Labelled]:
    """Return the sounds that a film gets, in the order of the source."""
    return list(_sounds(sounds, surround=surround))


def labelled(step: str, streams: Sequence[Captions]) -> list[Labelled]:
    """Return captions with the labels that they get; no two are alike."""
    labels = _labels(streams)
    return [
        Labelled(f"{step}-{number}", stream, labels[number - 1])
        for number, stream in enumerate(streams, start=1)
    ]


def _sounds(sounds: Sequence[Sound], *, surround: bool) -> Iterator[Labelled]:
    labels = _labels(sounds)
    for number, sound in enumerate(sounds, start=1):
        unit = f"audio-{sound.language}-{number}"
        label = labels[number - 1]
        yield Labelled(unit, sound, label, STEREO)
        if surround and sound.channels >= SURROUND:
            yield Labelled(f"{unit}-surround", sound, f"{label} 5.1", SURROUND)


def _labels(streams: Sequence[Sound | Captions]) -> list[str]:
    """Return what menus show: the file's own title, else the language; no two alike."""
    labels: list[str] = []
    for number, stream in enumerate(streams, start=1):
        label = stream.title or languages.name(stream.language) or f"Track {number}"
        labels.append(f"{label} {number}" if label in labels else label)
    return labels
