"""Trials: a few short samples of a film, encoded as its renditions are, and compared.

Samples begin at keyframes of the source, so nothing is decoded for nothing. One after
the other, they are first written as they are to be seen, upright and in the range of a
common screen: all trials are made from that, and compared with it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from statistics import fmean
from typing import Any

from jobs.planning import choosing, content
from jobs.planning.choosing import Tried
from jobs.planning.chunks import Grid
from jobs.planning.content import Look
from jobs.planning.ladder import H264, Rendition
from jobs.planning.source import Source
from jobs.steps.pictures import chunk_args, reference_args
from jobs.tools import ffmpeg, mp4, process, scores
from jobs.tools.scores import Pair
from jobs.work import Work

# All of it is to cost a tenth of what a minute of the film does.
SECONDS = Fraction(2)
_PLACES = 3
# Larger pictures are not compared: that would cost more than encoding them.
_LARGEST = 1080
_EVERY = 6
# What comes later after a keyframe is less like it: measured on whole films.
_LIVELIER = 1.3
# An index leads to the keyframe itself; without one, reading begins before it.
_PAST, _BEFORE = 0.001, 1.0
# A reference is upright, progressive and in BT.709 already.
_PLAIN: Mapping[str, Any] = {
    "stream": 0,
    "origin": 0.0,
    "fields": "",
    "transfer": "",
    "pixels": "yuv420p",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What trying a film showed: its renditions, the smallest first, and its look."""

    tried: Sequence[Tried]
    looks: Sequence[Look]


def tried(renditions: Sequence[Rendition]) -> list[Rendition]:
    """Return the renditions that samples are encoded as, the smallest first."""
    plain = [each for each in renditions if each.codec == H264]
    small = [each for each in plain if min(each.width, each.height) <= _LARGEST]
    return small or plain[:1]


def places(source: Source) -> list[float]:
    """Return where samples begin: time stamps of keyframes, spread over the film."""
    last = source.origin + source.duration - float(SECONDS / _PLACES)
    keys = [key for key in source.picture.keyframes if source.origin <= key <= last]
    found: list[float] = []
    for number in range(_PLACES):
        aim = source.origin + source.duration * (2 * number + 1) / (2 * _PLACES)
        nearest = min(keys or [source.origin], key=lambda key: abs(key - aim))
        if nearest not in found:
            found.append(nearest)
    return found


def run(
    spec: Mapping[str, Any], source: Source, renditions: Sequence[Rendition], work: Work
) -> Outcome:
    """Encode samples of a film as each rendition, and compare them.

    Errors: ``ProcessFailed``, ``TryAgain``, ``Cancelled``.
    """
    path = work.storage.existing(spec["source"])
    reference = work.folder / "reference.nut"
    chunks = [
        _chunk(spec, source, renditions, start, SECONDS / _PLACES)
        for start in places(source)
    ]
    _ffmpeg(reference_args(chunks, path, reference), work)
    work.progress(0.3)
    whole = _together(chunks, source)
    _ffmpeg(chunk_args(whole, reference, work.folder, None), work)
    work.progress(0.7)
    looks = _looks(reference, renditions[-1], len(chunks), work)
    seen, scaled = _compared(reference, renditions, work)
    distance = float(spec["keyframe_seconds"] * source.picture.rate)
    rates = [
        _kbps(_made(work, each), chunks[0]["to"], distance, source.picture.rate)
        for each in renditions
    ]
    for left in [reference, *(_made(work, each) for each in renditions)]:
        left.unlink()
    scores_of = [*[None] * (len(renditions) - 1), seen]
    return Outcome(list(map(Tried, renditions, rates, scores_of, scaled)), looks)


def _chunk(
    spec: Mapping[str, Any],
    source: Source,
    renditions: Sequence[Rendition],
    start: float,
    seconds: Fraction,
) -> dict[str, Any]:
    """Return the spec of a chunk that begins where a sample does."""
    picture = source.picture
    frames = max(1, round(seconds * picture.rate))
    grid = Grid(frames, picture.rate, spec["segment_seconds"], spec["keyframe_seconds"])
    seek = start + (_PAST if source.indexed else -_BEFORE)
    return {
        "encoder": {"codec": H264, "family": "software"},
        "stream": picture.number,
        "origin": start,
        "grid": grid.as_spec(),
        "fields": picture.fields,
        "transfer": picture.transfer,
        "pixels": picture.pixels,
        "untagged": picture.untagged,
        "preset": spec["preset"],
        "crf": spec["crf"],
        "from": 0,
        "to": frames,
        "hold": 0,
        "seek": seek if start > source.origin else None,
        "renditions": [asdict(each) | {"id": each.name} for each in renditions],
    }


def _together(chunks: Sequence[Mapping[str, Any]], source: Source) -> dict[str, Any]:
    """Return the spec of all samples as one chunk; each begins with a keyframe."""
    each, rate = chunks[0]["to"], source.picture.rate
    frames = each * len(chunks)
    grid = Grid(frames, rate, 1, 1).as_spec() | {"distance": Fraction(each) / rate}
    return {**chunks[0], **_PLAIN, "grid": grid, "to": frames, "seek": None}


def _compared(
    reference: Path, renditions: Sequence[Rendition], work: Work
) -> tuple[float, list[float | None]]:
    """Return how the largest looks, and how the film does scaled to each smaller size.

    On a screen that the largest fills; only the next smaller one is worth asking, and
    the one below it where that shows all. VMAF gives a calm film less than 100 when it
    is compared with itself: what it gives there counts as all.
    """
    *smaller, largest = [(each.width, each.height) for each in renditions]
    below = [Pair(reference, largest, through=size) for size in smaller]
    pairs = [Pair(_made(work, renditions[-1]), largest), *below[-1:]]
    pairs.append(Pair(reference, largest))
    *found, itself = scores.leading(reference, pairs, work, every=_EVERY)
    measure = scores.measure()
    most = 100.0 if measure == "vmaf" else 1.0
    seen, *scaled = (min(most, each + most - itself) for each in found)
    if len(below) > 1 and choosing.enough(scaled[0], measure):
        (further,) = scores.leading(reference, [below[-2]], work, every=_EVERY)
        scaled.insert(0, min(most, further + most - itself))
    unknown: list[float | None] = [None] * (len(smaller) - len(scaled))
    return seen, [*unknown, *scaled, None]


def _looks(reference: Path, rendition: Rendition, count: int, work: Work) -> list[Look]:
    grey = work.folder / "look.grey"
    args = [
        *(ffmpeg.OWN_FFMPEG, "-nostdin", "-y", "-loglevel", "error"),
        *(*ffmpeg.options(ffmpeg.OWN_INPUT), "-i", ffmpeg.url(reference)),
        *("-vf", "extractplanes=y", "-f", "rawvideo", ffmpeg.url(grey)),
    ]
    process.run(args, ffmpeg.how(work))
    found = content.looks(grey, rendition.width, rendition.height, count)
    grey.unlink()
    return found


def _kbps(path: Path, each: int, distance: float, rate: Fraction) -> float:
    """Return the rate of a film that goes on like its samples of ``each`` frames.

    Those begin with a keyframe, of which a film has one in ``distance`` frames.
    """
    sizes = mp4.sizes(path)
    keys, others = sizes[::each], [size for n, size in enumerate(sizes) if n % each]
    frames = fmean(keys) + (fmean(others) if others else fmean(keys)) * (distance - 1)
    return _LIVELIER * frames / distance * float(rate) * 8 / 1000


def _made(work: Work, rendition: Rendition) -> Path:
    return work.folder / f"{rendition.name}.mp4"


def _ffmpeg(args: Sequence[str], work: Work) -> None:
    process.run(args, ffmpeg.how(work))
