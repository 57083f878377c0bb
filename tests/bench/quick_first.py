"""How soon a film can be watched when a small rendition is made first.

All of the source must be decoded for it: what bare ffmpeg takes for that rendition, of
what it takes for the whole ladder, is the least that there can be.
"""

import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from appliance import settings
from jobs.planning.ladder import ladder
from tests.bench import figures, recipes
from tests.bench.figures import Cost, Figure
from tests.bench.films import Films
from tests.bench.installation import installed


def watchable(films: Films, folder: Path) -> Iterator[Figure]:
    """Until the first version is ready ÷ until the whole film is, in one job."""
    first: list[float] = []
    both = figures.measured(
        lambda: first.append(_in_two_jobs(films.long, folder / "quick"))
    )
    whole: list[float] = []
    one = figures.measured(
        lambda: whole.append(_in_one_job(films.long, folder / "whole"))
    )
    note = "240 s of 1080p30; until its 360p plays ÷ until all is there in one job"
    yield figures.ratio("quick first", first[0], whole[0], 0.25, note)
    note = "240 s of 1080p30; CPU of both jobs ÷ of one: what it costs to have it first"
    yield figures.ratio("quick first, in all", both.cpu, one.cpu, None, note)
    small, every = (
        _bare(films.large, folder / each, each) for each in ("small", "all")
    )
    note = "1080p30; CPU of one bare ffmpeg for 360p ÷ for the ladder: the least"
    yield figures.ratio("quick first, bare", small.cpu, every.cpu, None, note)


def _in_two_jobs(film: Path, home: Path) -> float:
    """Make a film in two jobs; return after how many seconds it can be watched."""
    with installed(home, MATINEE_ENCODE_QUICK_FIRST="true") as running:
        begun = time.monotonic()
        running.ingest(film, "Bench")
        seconds = time.monotonic() - begun
        follower = running.command("job", "list")[0]["job"]
        running.command("job", "watch", follower)
    return seconds


def _in_one_job(film: Path, home: Path) -> float:
    with installed(home) as running:
        begun = time.monotonic()
        running.ingest(film, "Bench")
        return time.monotonic() - begun


def _bare(film: Path, folder: Path, which: str) -> Cost:
    folder.mkdir(parents=True)
    every = ladder(1920, 1080, Fraction(30))
    wanted = [each for each in every if which == "all" or each.name == "360p"]
    encode = settings.Encode()
    return figures.measured(lambda: recipes.single_decode(film, wanted, encode, folder))
