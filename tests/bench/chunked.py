"""What cutting into chunks costs: CPU, quality, frames."""

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

import imageio_ffmpeg

from appliance.settings import Settings
from jobs.planning import plan
from jobs.tools import mp4
from tests.bench import figures
from tests.bench.figures import Figure
from tests.bench.films import Films
from tests.pipeline.local_run import LocalRun, run_pipeline

_WHOLE = 1_000_000


def cost(films: Films, folder: Path) -> Iterator[Figure]:
    """Encode in chunks of the default length ÷ in one piece; same settings."""
    settings = Settings(home=folder)
    pieces, whole = _Side(films.short, folder / "c"), _Side(films.short, folder / "w")
    chunked = figures.measured(lambda: pieces.run(settings))
    longest = dataclasses.replace(settings.encode, chunk_seconds=_WHOLE)
    plain = figures.measured(
        lambda: whole.run(dataclasses.replace(settings, encode=longest))
    )
    note = "encode and join in chunks ÷ in one piece"
    yield figures.ratio("chunks cpu", chunked.cpu, plain.cpu, 1.03, note)
    ours, theirs = pieces.largest(), whole.largest()
    note = "frames of the largest rendition, chunked ÷ whole"
    frames = mp4.facts(ours).samples, mp4.facts(theirs).samples
    yield figures.ratio("chunks frames", *frames, 1.0, note, "higher")
    quality = _vmaf(ours, films.short), _vmaf(theirs, films.short)
    note = "VMAF; the goal is 0.1 points less at most"
    goal = round(1 - 0.1 / quality[1], 4)
    yield figures.ratio("chunks vmaf", *quality, goal, note, "higher")


class _Side:
    def __init__(self, film: Path, root: Path) -> None:
        self.film, self.root = film, root
        self.done: LocalRun | None = None
        self.units: list[plan.NewUnit] = []

    def run(self, settings: Settings) -> None:
        self.done = run_pipeline(
            self.film, self.root, settings, until="join", before=self.units.append
        )

    def largest(self) -> Path:
        assert self.done is not None
        join = next(unit for unit in self.units if unit.name == "join")
        tracks = [
            self.done.folder("join") / f"{track}.mp4" for track in join.spec["tracks"]
        ]
        return max(tracks, key=lambda path: path.stat().st_size)


def _vmaf(encoded: Path, source: Path) -> float:
    """Return the mean VMAF of every fifth frame, against the source."""
    log = encoded.with_suffix(".vmaf.json")
    graph = (
        "[0:v]setpts=PTS-STARTPTS[a];[1:v]setpts=PTS-STARTPTS[b];"
        f"[a][b]libvmaf=n_subsample=5:n_threads=2:log_fmt=json:log_path={log}"
    )
    figures.run(
        *(Path(imageio_ffmpeg.get_ffmpeg_exe()), "-hide_banner -nostdin -i", encoded),
        *("-i", source, "-lavfi", graph, "-f null -"),
    )
    found = re.search(r'"vmaf":\s*\{[^}]*"mean":\s*([\d.]+)', log.read_text())
    assert found is not None
    return float(found.group(1))
