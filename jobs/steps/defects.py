"""Black and frozen pictures and silence: found in what is served, held to the source.

A film may be black for a while because it was made so. Each stretch that is found is
therefore looked up in the source: only what is not there as well is a defect.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from jobs.steps import glances, sync
from jobs.steps.checks import Check, Level, clock
from jobs.steps.clear import Clear, Original
from jobs.steps.stretches import Marks, Stretch

# How many stretches of a kind are looked up in the source and named.
_MOST = 12
_LOOK_SECONDS = 2.0
_LOOKS = 3
_NEARLY = 0.9
# The source is asked a little less strictly: encoding smoothes noise away.
_BLACK, _BLACK_IN_SOURCE = "pix_th=0.10", "pix_th=0.13"
_STILL, _STILL_IN_SOURCE = "n=-46dB", "n=-40dB"
_SHORTEST_FREEZE = 0.4
# A picture that stands still is refined at every keyframe, which looks like moving.
_LEAST_FREEZE = 1.0
_PULSE = 0.5


@dataclass(frozen=True, slots=True)
class Kind:
    """A defect: how it is found, how its source is asked, and how it is said."""

    id: str
    sentence: str
    in_source: Callable[[Original, Stretch], bool]


def pictures(
    track: Clear, original: Original | None, black: float, freeze: float
) -> list[Check]:
    """Look for black and frozen pictures that last so many seconds or longer."""
    seconds = track.starts[-1]
    least_black, least = _least(black, seconds), _least(freeze, seconds)
    dark, pieces = [], []
    for first, last in glances.suspected(track, least_black, least):
        more = _seen(track, first, last, least_black, min(_LEAST_FREEZE, least))
        dark += more[0]
        pieces += more[1]
    still = [each for each in _joined(pieces) if each.seconds >= least - 2 * _PULSE]
    # What is black does not move either.
    still = [each for each in still if not any(each.within(other) for other in dark)]
    size = f"{track.entry['width']}:{track.entry['height']}"
    return [
        *_judged(_black_kind(size), dark, original, track.name),
        *_judged(_frozen_kind(size), still, original, track.name),
    ]


def _seen(
    track: Clear, first: int, last: int, black: float, freeze: float
) -> tuple[list[Stretch], list[Stretch]]:
    """Return where some segments are black, and where they stand still."""
    begin, end = track.starts[first], track.starts[last + 1]
    marks = [Marks("black", end - begin), Marks("freeze", end - begin)]
    chain = (
        f"setpts=PTS-STARTPTS,blackdetect=d={black}:{_BLACK}"
        f",freezedetect=d={freeze}:{_STILL},metadata=print:file=pipe\\\\:1"
    )

    def take(line: str) -> bool:
        for mark in marks:
            mark.take(line)
        return True

    args = ["-vf", chain, "-an", "-f", "null", "-"]
    track.run(args, first=first, last=last, on_line=take)
    dark, still = ([each.later(begin) for each in mark.all()] for mark in marks)
    return dark, still


def silence(
    track: Clear, found: Iterable[Stretch], original: Original | None, stream: int
) -> list[Check]:
    """Judge stretches of silence in a sound."""

    def silent(source: Original, stretch: Stretch) -> bool:
        return all(
            sync.levels(source.sound(stream, 2, at, _LOOK_SECONDS)) < sync.SILENT
            for at in _looks(stretch)
        )

    kind = Kind("silence", "The sound is silent", silent)
    return _judged(kind, list(found), original, track.name)


def least_silence(limit: float, seconds: float) -> float:
    """Return from how many seconds on silence is looked for."""
    return _least(limit, seconds)


def _joined(pieces: Iterable[Stretch]) -> list[Stretch]:
    """Put stretches together that are only a moment apart."""
    found: list[Stretch] = []
    for each in pieces:
        if found and each.start - found[-1].end <= _PULSE:
            found[-1] = Stretch(found[-1].start, each.end)
        else:
            found.append(each)
    return found


def _least(limit: float, seconds: float) -> float:
    """Return the limit; of a short film nearly all of it is enough."""
    return round(min(limit, max(_SHORTEST_FREEZE, seconds * _NEARLY)), 3)


def _judged(
    kind: Kind, found: list[Stretch], original: Original | None, track: str
) -> list[Check]:
    """Say of each stretch whether it is in the source as well."""
    checks = [_one(kind, each, original, track) for each in found[:_MOST]]
    if len(found) > _MOST:
        rest = len(found) - _MOST
        sentence = f"There are {rest} more places where {_lower(kind.sentence)}."
        checks.append(Check(kind.id, Level.PASS, sentence, rest, 0, track, note=True))
    return checks


def _one(kind: Kind, found: Stretch, original: Original | None, track: str) -> Check:
    where = f"{kind.sentence} from {clock(found.start)} to {clock(found.end)}"
    length = round(found.seconds, 2)
    if original is None:
        sentence = f"{where}; the source is not there any more to compare with."
        return Check(kind.id, Level.WARN, sentence, length, None, track)
    if kind.in_source(original, found):
        sentence = f"{where}, as in the source."
        return Check(kind.id, Level.PASS, sentence, length, None, track, note=True)
    sentence = f"{where}, but not in the source."
    return Check(kind.id, Level.FAIL, sentence, length, 0, track)


def _black_kind(size: str) -> Kind:
    chain = f"scale={size},blackdetect=d=0.1:{_BLACK_IN_SOURCE}"
    return Kind(
        "black",
        "The picture is black",
        lambda source, stretch: _so_in_source(source, stretch, chain, "black"),
    )


def _frozen_kind(size: str) -> Kind:
    chain = f"scale={size},freezedetect=d={_SHORTEST_FREEZE}:{_STILL_IN_SOURCE}"
    return Kind(
        "freeze",
        "The picture does not move",
        lambda source, stretch: _so_in_source(source, stretch, chain, "freeze"),
    )


def _so_in_source(source: Original, stretch: Stretch, chain: str, name: str) -> bool:
    """Say whether filters find the same in the source, wherever it is looked at."""
    return all(_seen_at(source, at, stretch, chain, name) for at in _looks(stretch))


def _seen_at(
    source: Original, at: float, stretch: Stretch, chain: str, name: str
) -> bool:
    seconds = min(_LOOK_SECONDS, stretch.end - at)
    marks, times = Marks(name, seconds), [0.0]

    def take(line: str) -> bool:
        marks.take(line)
        if said := re.search(r"pts_time:([\d.]+)", line):
            times.append(float(said[1]))
        return True

    # Every frame is told, so that one without a picture is known from a bright one.
    told = f"{chain},signalstats=stat=0,metadata=print:file=pipe\\\\:1"
    source.picture(told, at, seconds, take)
    shown = times[-1]
    if shown < _SHORTEST_FREEZE:
        # There is no picture in the source: the last one was held.
        return True
    covered = sum(min(each.end, shown) - each.start for each in marks.all())
    return covered >= shown * 0.8


def _looks(stretch: Stretch) -> Iterator[float]:
    """Yield where to look: a little inside the beginning, the middle, the end."""
    inside = min(0.5, stretch.seconds / 8)
    first, last = stretch.start + inside, stretch.end - inside - _LOOK_SECONDS
    if last <= first:
        yield first
        return
    yield from (first, (first + last) / 2, last)


def _lower(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]
