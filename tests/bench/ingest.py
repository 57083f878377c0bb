"""The whole ingest against bare ffmpeg and against the peers' recipes."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

from appliance import settings
from jobs.planning.ladder import Rendition, ladder
from tests.bench import figures, recipes
from tests.bench.figures import Cost, Figure
from tests.bench.films import Films
from tests.bench.installation import Installation, running

_HALF = 0.5
Recipe = Callable[[Path, Sequence[Rendition], settings.Encode, Path], None]


def whole(films: Films, folder: Path) -> Iterator[Figure]:
    """Probe, queue, encode, package, sprites, verify, database ÷ the encode alone."""
    encode, rungs = settings.Encode(), ladder(1280, 720, Fraction(24))
    ours = _ingested(films.whole, folder / "ours")
    bare = figures.measured(
        lambda: recipes.single_decode(
            films.whole, rungs, encode, _made(folder / "bare")
        )
    )
    note = "whole film; workers, command, database, all tools ÷ one bare ffmpeg"
    yield figures.ratio("ingest cpu", ours.cpu, bare.cpu, 1.06, note)
    yield figures.ratio("ingest wall", ours.wall, bare.wall, 1.10, note)


def peers(films: Films, folder: Path) -> Iterator[Figure]:
    """The whole ingest ÷ only the encodes of the peers' recipes, at 1080p."""
    encode, rungs = settings.Encode(), ladder(1920, 1080, Fraction(30))
    ours = _ingested(films.large, folder / "ours")

    def cost(recipe: Recipe) -> Cost:
        target = _made(folder / recipe.__name__)
        return figures.measured(lambda: recipe(films.large, rungs, encode, target))

    other = cost(recipes.each_from_source)
    note = "1080p30; whole ingest ÷ one ffmpeg for each rendition, our x264 settings"
    yield figures.ratio("ingest cpu, mediacms", ours.cpu, other.cpu, 0.78, note)
    yield figures.ratio("ingest cpu, peertube", ours.cpu, other.cpu, 0.72, note)
    other = cost(recipes.smaller_from_largest)
    note = "1080p30; whole ingest ÷ the smaller ones encoded from the largest"
    yield figures.ratio("ingest cpu, re-encoding", ours.cpu, other.cpu, None, note)


def killed(films: Films, folder: Path) -> Iterator[Figure]:
    """One kill -9 of the workers at half-way ÷ none."""
    calm, rough = _prepared(folder / "calm"), _prepared(folder / "rough")
    undisturbed = figures.measured(lambda: _ingest(calm, films.whole))
    disturbed = figures.measured(lambda: _ingest_killed(rough, films.whole))
    note = "whole film; CPU with one kill -9 at half-way ÷ without"
    yield figures.ratio("kill -9 cpu", disturbed.cpu, undisturbed.cpu, 1.10, note)
    same = _segments(calm.home) == _segments(rough.home)
    note = "1: every video segment is the same, byte for byte, as undisturbed"
    yield figures.ratio("kill -9 output", float(same), 1.0, 1.0, note, "higher")


def _ingested(film: Path, home: Path) -> Cost:
    installation = _prepared(home)
    return figures.measured(lambda: _ingest(installation, film))


def _prepared(home: Path) -> Installation:
    installation = Installation(home)
    installation.prepare()
    return installation


def _ingest(installation: Installation, film: Path) -> None:
    with running(installation):
        installation.ingest(film, "Bench")


def _ingest_killed(installation: Installation, film: Path) -> None:
    with running(installation):
        job = installation.command("title", "add", film, "--title", "Bench")["job"]
        installation.wait_for_progress(_HALF)
        installation.kill()
        installation.start()
        installation.command("job", "watch", job)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _segments(home: Path) -> list[str]:
    """Return the hashes of all video segments, sorted: ids differ between runs."""
    packages = home / "media" / "packages"
    return sorted(
        hashlib.sha256(path.read_bytes()).hexdigest()
        for path in packages.glob("*/tracks/*/*.m4s")
    )
