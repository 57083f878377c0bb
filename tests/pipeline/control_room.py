"""The control side and a media worker in one process, one step at a time.

Nothing waits here: a round is a call, a work unit runs when the test says so, and
steps do what the test gives them to do. The files between the two are the real ones.
"""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image

from appliance.clock import FixedClock
from appliance.db import Database
from appliance.media import jobs, units, uploads
from appliance.media.jobs import Job
from appliance.media.units import Unit
from appliance.media.uploads import Arrival
from appliance.permissions import SYSTEM
from appliance.settings import Settings
from appliance.storage import Storage
from jobs import runner
from jobs.attempts import Attempt
from jobs.control import Control
from jobs.planning.chunks import Grid
from jobs.work import Work
from tests import media_samples
from tests.pipeline.local_run import run_pipeline

Step = Callable[[dict[str, Any], Work], dict[str, Any]]
_MOST_ROUNDS = 200


@dataclass
class ControlRoom:
    """``ran`` lists the units that were run to their end, in order."""

    db: Database
    storage: Storage
    settings: Settings
    clock: FixedClock
    steps: dict[str, Step]
    ran: list[str] = field(default_factory=list)
    control: Control = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Forget everything but rows and files, as a process killed and started."""
        self.control = Control(self.db, self.storage, self.settings)

    def film(
        self, name: str = "film.mp4", *, publish: bool = False, **fields: Any
    ) -> Arrival:
        """Take a source in, as a command does."""
        source = self.settings.home / name
        source.write_bytes(b"the source of a film")
        return uploads.take_in(
            self.db,
            self.storage,
            self.settings,
            SYSTEM,
            source,
            name,
            keep_source=False,
            publish=publish,
            **fields,
        )

    def round(self, *rung: str) -> None:
        self.control.round(set(rung))

    def queued(self) -> list[Unit]:
        """Return what was handed out and nobody has claimed."""
        return [u for u in units.active(self.db) if not self.attempt(u).claimed]

    def unit(self, name: str) -> dict[str, Any]:
        """Return the row of a unit of the only job that has one of that name."""
        row = self.db.one("select * from work_units where name = ?", (name,))
        assert row is not None
        return row

    def attempt(self, unit: Unit) -> Attempt:
        return Attempt(self.storage, unit.job, unit.attempt_key)

    def run(self, unit: Unit) -> None:
        """Let a media worker run one unit to its end."""
        runner.run(self.attempt(unit), self.settings, self.steps, lambda: None)
        self.ran.append(unit.name)

    def work(self) -> None:
        """Let the media workers run whatever is handed out now."""
        for unit in self.queued():
            self.run(unit)

    def until_ended(self, job: str) -> Job:
        """Ring for the job, and go on round after round until it has ended."""
        self.round(job)
        for _ in range(_MOST_ROUNDS):
            self.round()
            if not jobs.by_public_id(self.db, job).open:
                return jobs.by_public_id(self.db, job)
            self.work()
            self.clock.advance(seconds=5)
        raise AssertionError(f"job {job} goes on for ever")

    def until_handed_out(self, name: str) -> Unit:
        """Go on until the unit of this name is handed out, and return it."""
        for _ in range(_MOST_ROUNDS):
            self.round()
            for unit in self.queued():
                if unit.name == name:
                    return unit
            self.work()
        raise AssertionError(f"{name} was never handed out")


def steps(**changed: Step) -> dict[str, Step]:
    """Return steps that leave small files of the right shape, some of them changed."""
    return {
        "inspect": _inspect,
        "analyse": lambda _spec, _work: {"renditions": []},
        "encode": _write("chunk.mp4"),
        "audio": _write("audio.mp4"),
        "text": _write("text.vtt"),
        "join": _write("joined.mp4"),
        "package": _package,
        "thumbnails": _thumbnails,
        "preview": _write("preview.mp4"),
        "fingerprint": _write("fingerprint"),
        "verify": lambda _spec, _work: {"ok": True},
        **changed,
    }


@cache
def facts() -> dict[str, Any]:
    """Return what inspecting a real film of 20 seconds finds."""
    with tempfile.TemporaryDirectory() as folder:
        clip = media_samples.film(Path(folder), seconds=20, size="128x96")
        home = Path(folder, "home")
        run = run_pipeline(clip, home, Settings(home=home), until="inspect")
        found: dict[str, Any] = run.results["inspect"]
        return found


def _inspect(_spec: Mapping[str, Any], _work: Work) -> dict[str, Any]:
    return facts()


def _write(name: str) -> Step:
    def step(_spec: Mapping[str, Any], work: Work) -> dict[str, Any]:
        (work.folder / name).write_bytes(b"some pictures or sounds")
        work.progress(1)
        return {"file": name}

    return step


def _package(spec: Mapping[str, Any], work: Work) -> dict[str, Any]:
    entries = []
    for kind in ("video", "audio"):
        for track in spec[kind]:
            _segments(work.folder / kind / track["id"])
            entries.append(
                {
                    "id": track["id"],
                    "kind": kind,
                    "name": track.get("name", "sound"),
                    "folder": f"{kind}/{track['id']}",
                    "codec": "avc1.64000d" if kind == "video" else "mp4a.40.2",
                    "language": track.get("language", "und"),
                    "label": track.get("label", ""),
                    "role": track.get("role", "main"),
                    "width": track.get("width"),
                    "height": track.get("height"),
                    "frame_rate": "24/1" if kind == "video" else None,
                    "channels": 2 if kind == "audio" else None,
                    "bandwidth": 200_000,
                    "average_bandwidth": 150_000,
                    "bytes": 14,
                    "facts": _cut(Grid.from_spec(spec["grid"])),
                }
            )
    return {"tracks": entries, "duration": 20.0}


def _cut(grid: Grid) -> dict[str, Any]:
    """Return facts of a track that was cut as was planned."""
    segments = [each.frames * grid.ticks for each in grid.segments()]
    return {
        "timescale": grid.timescale,
        "segments": segments,
        "bytes": [7] * len(segments),
        "iframes": [[0, key * grid.ticks, 2, 3] for key in grid.keyframes()],
    }


def _thumbnails(spec: Mapping[str, Any], work: Work) -> dict[str, Any]:
    _segments(work.folder / "sheets")
    for number, shade in enumerate((40, 200)):
        image = Image.new("RGB", (640, 360), (shade, shade, shade))
        image.save(work.folder / f"candidate-{number}.jpg")
    return {
        "id": spec["id"],
        "kind": "thumbnails",
        "name": "thumbnails",
        "folder": "sheets",
        "codec": "",
        "language": "und",
        "label": "",
        "role": "main",
        "width": 160,
        "height": 90,
        "frame_rate": None,
        "channels": None,
        "bandwidth": 0,
        "average_bandwidth": 0,
        "bytes": 14,
        "facts": {"columns": 5, "rows": 5, "sheets": ["00001.jpg"]},
        "candidates": [
            {"file": "candidate-0.jpg", "seconds": 4.0, "score": 0.2},
            {"file": "candidate-1.jpg", "seconds": 12.0, "score": 0.9},
        ],
    }


def _segments(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "init.mp4").write_bytes(b"initial")
    (folder / "00001.m4s").write_bytes(b"segment")
