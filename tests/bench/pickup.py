"""How soon an idle installation begins with a job."""

import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from appliance import settings
from appliance.db import connect
from appliance.media import uploads
from appliance.permissions import SYSTEM
from appliance.storage import Storage
from jobs import queue
from tests.bench import figures
from tests.bench.figures import Figure
from tests.bench.films import Films
from tests.bench.installation import installed

_TRIES = 20
_GOAL_SECONDS = 0.1
_LOOK_SECONDS = 0.001


def latency(_films: Films, folder: Path) -> Iterator[Figure]:
    """From the hint to the claim of the first work unit; the median."""
    with installed(folder) as running:
        found = settings.load(environ={"MATINEE_HOME": str(running.home)})
        waits = sorted(_pickup(found, folder / f"{n}.mp4") for n in range(_TRIES))
    note = f"median seconds of {_TRIES}, slowest {waits[-1]:.3f}; reference: the goal"
    median = statistics.median(waits)
    yield figures.ratio("idle pick-up", median, _GOAL_SECONDS, 1.0, note)


def _pickup(found: settings.Settings, source: Path) -> float:
    """Hand in a file that is refused at once: what counts is when it is looked at."""
    source.write_bytes(b"not a film")
    storage = Storage(found.media)
    with connect(found.database) as db:
        arrival = uploads.take_in(
            db, storage, found, SYSTEM, source, source.name, keep_source=False
        )
    attempts = storage.path(f"work/{arrival.job}/attempts")
    trash = storage.path("work/.trash")
    since = time.monotonic()
    queue.wake(found, arrival.job)
    while not any(attempts.glob("*/claim")) and not any(trash.glob(f"{arrival.job}*")):
        time.sleep(_LOOK_SECONDS)
    waited = time.monotonic() - since
    _wait_until_idle(found, arrival.job)
    return waited


def _wait_until_idle(found: settings.Settings, job: str) -> None:
    with connect(found.database) as db:
        while db.value("select ended_at from jobs where public_id = ?", (job,)) is None:
            time.sleep(_LOOK_SECONDS * 20)
