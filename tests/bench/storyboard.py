"""Seek-bar pictures from our smallest rendition ÷ from the source, as MediaCMS does."""

from collections.abc import Iterator
from pathlib import Path

from jobs.steps import thumbnails
from tests.bench import figures
from tests.bench.figures import Figure
from tests.bench.films import Films

_STEP = thumbnails.Step(seconds=10, keyframes=2)


def cost(films: Films, folder: Path) -> Iterator[Figure]:
    """One picture every ten seconds, on both sides."""
    folder.mkdir(parents=True)
    smallest, seconds = _smallest(films.whole, folder)
    count = -(-seconds // _STEP.seconds)
    sheets = thumbnails.sheets_args(smallest, folder, _STEP, count, 160, 90)
    ours = figures.measured(lambda: figures.run(*map(Path, sheets)))
    theirs = figures.measured(lambda: _all_frames(films.whole, folder))
    note = f"{count} pictures: keyframes of our 234p ÷ `fps=1/10,scale=160:90`"
    yield figures.ratio("storyboard cpu", ours.cpu, theirs.cpu, 0.03, note)


def _all_frames(film: Path, folder: Path) -> None:
    target = folder / "theirs-%05d.jpg"
    figures.run("ffmpeg -y -i", film, "-vf fps=1/10,scale=160:90", target)


def _smallest(film: Path, folder: Path) -> tuple[Path, int]:
    """Make what the pipeline has at hand by then: a 234p with a keyframe every 2 s."""
    target = folder / "234p.mp4"
    figures.run(
        *("ffmpeg -y -i", film, "-an -vf scale=416:234,setsar=1 -c:v libx264"),
        *("-preset veryfast -crf 21 -g 48 -sc_threshold 0", target),
    )
    out = figures.run(
        "ffprobe -v error -show_entries format=duration -of csv=p=0", target
    )
    return target, int(float(out) + 0.999)
