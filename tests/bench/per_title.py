"""What analysing a film costs, and what it saves against a ladder of fixed rates.

The ladder of fixed rates fills the rates that every film gets, as most services did
before they looked at their films. Both ladders are compared at equal VMAF: at every
score from fair to the best that both reach, the rate that a ladder needs for it, read
between its renditions as a player switches between them.
"""

import json
import math
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from appliance.storage import Storage
from jobs.planning import policy
from jobs.planning.chunks import Grid
from jobs.planning.ladder import LadderPolicy, Rendition, chosen, ladder
from jobs.planning.source import Source, from_facts
from jobs.steps import analyse, inspect, pictures
from jobs.tools import scores
from jobs.tools.scores import Pair
from jobs.work import Work
from tests.bench import figures
from tests.bench.figures import Figure
from tests.bench.films import Films

_POLICY = LadderPolicy()
_STEPS = 200
_EVERY = 12
# Fair, as people said of what scores less; nobody watches that who has a choice.
_LEAST_VMAF = 60.0


@dataclass(frozen=True, slots=True)
class _Clip:
    """An excerpt of a film, in the storage of a bench."""

    work: Work
    source_path: str
    source: Source

    @property
    def file(self) -> Path:
        return self.work.storage.path(self.source_path)

    @property
    def renditions(self) -> list[Rendition]:
        picture = self.source.picture
        return ladder(picture.width, picture.height, picture.rate, _POLICY)


@dataclass(frozen=True, slots=True)
class _Point:
    name: str
    kbps: float
    vmaf: float


def cost(films: Films, folder: Path) -> Iterator[Figure]:
    """CPU of the analysis ÷ of the encode of a one-minute clip, in one run."""
    minute = "-ss 120 -t 60 -c copy -use_editlist 0 -avoid_negative_ts make_zero"
    clip = _taken(films.whole, folder / "cost", minute)
    encode = figures.measured(lambda: _encode(clip, clip.renditions, folder / "all"))
    probe = figures.measured(lambda: _analysis(clip))
    note = "Big Buck Bunny, 60 s of 720p24: samples encoded and compared ÷ the ladder"
    yield figures.ratio("per-title cpu", probe.cpu, encode.cpu, 0.10, note)
    note = "the same ÷ 100 minutes of it, a film"
    yield figures.ratio("per-title cpu, film", probe.cpu, encode.cpu * 100, 0.001, note)


def saved(films: Films, folder: Path) -> Iterator[Figure]:
    """Bytes of the chosen ladder ÷ of the fixed one, at equal VMAF.

    What is chosen for the whole film is held to four seconds of each minute of it.
    """
    for name, film, every, goal in (
        ("Big Buck Bunny", films.whole, 60, 0.80),
        ("1080p30 with grain", films.large, 20, None),
    ):
        place = folder / name.replace(" ", "-")
        whole = _taken(film, place / "whole", "-c copy")
        analysis = _analysis(whole)
        some = f"select=lt(mod(t\\,{every})\\,4),setpts=N/FRAME_RATE/TB"
        lossless = f"-vf {some} -c:v libx264 -preset ultrafast -qp 0"
        clip = _taken(film, place / "some", lossless)
        yield from _compared(clip, name, analysis, goal)


def _compared(
    clip: _Clip, name: str, analysis: Mapping[str, Any], goal: float | None
) -> Iterator[Figure]:
    fixed = _encoded(clip, clip.renditions, rates=True)
    ours = _encoded(clip, chosen(clip.renditions, analysis), rates=False)
    shown = " ".join(f"{p.name} {p.kbps:.0f}/{p.vmaf:.1f}" for p in ours)
    against = " ".join(f"{p.name} {p.kbps:.0f}/{p.vmaf:.1f}" for p in fixed)
    both = _shared(ours, fixed)
    ratio = math.exp(
        sum(_rate(ours, vmaf) - _rate(fixed, vmaf) for vmaf in both) / len(both)
    )
    note = f"kb/s / VMAF: {shown} ÷ {against}"
    yield figures.ratio(f"bytes at equal VMAF, {name}", ratio, 1.0, goal, note)
    total, other = (sum(point.kbps for point in each) for each in (ours, fixed))
    note = "all renditions as they are kept, kb/s"
    yield figures.ratio(f"bytes, {name}", total, other, None, note)


def _taken(film: Path, folder: Path, how: str) -> _Clip:
    """Take the picture of a film in, as it is or in parts."""
    storage = Storage(folder / "media")
    path = "sources/clip/source.mp4"
    target = storage.path(path)
    target.parent.mkdir(parents=True)
    figures.run("ffmpeg -y -v error -i", film, f"-map 0:v {how}", target)
    work = Work(Path(tempfile.mkdtemp(dir=folder)), storage, "bench")
    facts = json.loads(json.dumps(inspect.run({"source": path}, work)))
    return _Clip(work, path, from_facts(facts))


def _analysis(clip: _Clip) -> Mapping[str, Any]:
    facts = json.loads(json.dumps(clip.source.as_facts()))
    return analyse.run(policy.analyse_spec(clip, facts, _POLICY), clip.work)


def _encode(
    clip: _Clip, renditions: Sequence[Rendition], folder: Path
) -> Mapping[str, Path]:
    """Encode the clip as the pipeline does, in one chunk."""
    folder.mkdir(parents=True, exist_ok=True)
    spec = _spec(clip, renditions)
    args = pictures.chunk_args(spec, clip.file, folder, None)
    figures.run(*map(Path, args))
    return {each.name: folder / f"{each.name}.mp4" for each in renditions}


def _encoded(
    clip: _Clip, renditions: Sequence[Rendition], *, rates: bool
) -> list[_Point]:
    folder = clip.work.folder / ("fixed" if rates else "chosen")
    made = (
        _filled(clip, renditions, folder)
        if rates
        else _encode(clip, renditions, folder)
    )
    reference = clip.file
    largest = clip.renditions[-1]
    pairs = [Pair(path, (largest.width, largest.height)) for path in made.values()]
    found = scores.leading(reference, pairs, clip.work, every=_EVERY)
    seconds = float(clip.source.duration)
    points = [
        _Point(name, path.stat().st_size * 8 / 1000 / seconds, vmaf)
        for (name, path), vmaf in zip(made.items(), found, strict=True)
    ]
    shutil.rmtree(folder)
    return points


def _filled(
    clip: _Clip, renditions: Sequence[Rendition], folder: Path
) -> Mapping[str, Path]:
    """Encode every rendition at its rate, with the same encoder and keyframes."""
    folder.mkdir(parents=True)
    made = {}
    for each in renditions:
        made[each.name] = folder / f"{each.name}.mp4"
        figures.run(
            *("ffmpeg -y -v error -i", clip.file),
            f"-vf scale={each.width}:{each.height}:flags=bicubic,setsar=1",
            f"-c:v libx264 -profile:v high -preset {_POLICY.preset} -threads 1",
            f"-b:v {each.kbps}k -maxrate {each.kbps}k -bufsize {2 * each.kbps}k",
            f"-force_key_frames expr:gte(t,n_forced*{_POLICY.keyframe_seconds})",
            *("-g 250 -sc_threshold 0 -pix_fmt yuv420p -an", made[each.name]),
        )
    return made


def _spec(clip: _Clip, renditions: Sequence[Rendition]) -> dict[str, Any]:
    picture = clip.source.picture
    grid = Grid(
        picture.frames,
        picture.rate,
        _POLICY.segment_seconds,
        _POLICY.keyframe_seconds,
    )
    return {
        "encoder": {"codec": "h264", "family": "software"},
        "stream": picture.number,
        "origin": clip.source.origin,
        "grid": grid.as_spec(),
        "fields": picture.fields,
        "transfer": picture.transfer,
        "pixels": picture.pixels,
        "preset": _POLICY.preset,
        "crf": _POLICY.crf,
        "from": 0,
        "to": picture.frames,
        "hold": max(0, picture.frames - 1 - picture.last),
        "renditions": [{**asdict(each), "id": each.name} for each in renditions],
    }


def _shared(ours: Sequence[_Point], fixed: Sequence[_Point]) -> list[float]:
    """Return scores, evenly spread, that both ladders reach; none that look bad."""
    low = max(_LEAST_VMAF, *(min(p.vmaf for p in each) for each in (ours, fixed)))
    high = min(max(p.vmaf for p in each) for each in (ours, fixed))
    return [low + (high - low) * number / _STEPS for number in range(_STEPS + 1)]


def _rate(points: Sequence[_Point], vmaf: float) -> float:
    """Return the logarithm of the rate that a ladder needs for a score."""
    ordered = sorted(points, key=lambda point: point.vmaf)
    steps = list(pairwise(ordered))
    below, above = next((s for s in steps if vmaf <= s[1].vmaf), steps[-1])
    part = (vmaf - below.vmaf) / (above.vmaf - below.vmaf)
    return math.log(below.kbps) * (1 - part) + math.log(above.kbps) * part
