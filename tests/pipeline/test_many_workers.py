"""One media worker or twenty: the same films, only sooner, and nothing left over."""

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import pytest

from appliance import db as database
from appliance.db import Database
from appliance.media import assets, jobs, reports, tracks, uploads
from appliance.media.jobs import JobState
from appliance.media.uploads import Arrival
from appliance.permissions import SYSTEM
from appliance.storage import Storage
from jobs import queue
from jobs.machines import nodes
from jobs.queue import QueueName
from tests import media_samples
from tests.pipeline.redis_server import RedisServer, needs_redis
from tests.pipeline.served_home import ServedHome, served_home, until

pytestmark = [needs_redis, pytest.mark.media]

WORKERS, FILMS, MINUTE = 20, 3, 60


@pytest.fixture
def served(tmp_path: Path) -> Iterator[ServedHome]:
    with (
        RedisServer(tmp_path) as redis,
        served_home(
            tmp_path / "home",
            MATINEE_ENCODE_CHUNK_SECONDS="4",
            MATINEE_ENCODE_PRESET="ultrafast",
            MATINEE_ENCODE_PER_TITLE="false",
            MATINEE_QUEUE_SLOTS="1",
            MATINEE_QUEUE_URL=redis.url,
        ) as home,
    ):
        yield home


@pytest.fixture
def db(served: ServedHome) -> Iterator[Database]:
    with database.connect(served.settings.database) as connection:
        yield connection


@pytest.fixture
def storage(served: ServedHome) -> Storage:
    return Storage(served.settings.media)


def test_twenty_media_workers_make_the_films_that_one_makes(
    served: ServedHome, db: Database, storage: Storage, clips: Path
) -> None:
    clip = media_samples.film(clips, "many.mp4", seconds=8, size="160x120")
    with ExitStack() as running:
        running.enter_context(_process(served, "jobs.control"))
        running.enter_context(_worker(served, 0))
        alone = _take_in(served, db, storage, clip)
        until(partial(_ended, db, alone), seconds=MINUTE)
        for number in range(1, WORKERS):
            running.enter_context(_worker(served, number))
        until(lambda: len(_living(db, storage)) == WORKERS, seconds=MINUTE)

        batch = [_take_in(served, db, storage, clip) for _ in range(FILMS)]
        for each in batch:
            until(partial(_ended, db, each), seconds=2 * MINUTE)
        until(lambda: not [*storage.path("work").glob("[!.]*")])
        waiting = queue.line(served.settings, QueueName.CPU).waiting()

    whole = _segments(db, storage, alone)
    assert len(whole) >= 4
    for each in batch:
        report = reports.report(db, each.job)
        assert report.state is JobState.DONE, report.error_message
        assert _segments(db, storage, each) == whole
    # Nothing was done twice, and more than a few had a part in it.
    assert db.value("select max(attempt) from work_units") == 1
    assert db.value("select count(distinct node) from work_units") > WORKERS // 4
    assert waiting == 0
    assert served.everything() == []
    left = {path.name for path in storage.path(nodes.FOLDER).rglob("*")}
    assert {name for name in left if name.endswith(".json")} == set()


@contextmanager
def _worker(served: ServedHome, number: int) -> Iterator[None]:
    name = f"worker-{number:02}"
    with _process(served, "jobs.media_worker", MATINEE_QUEUE_NODE=name):
        yield


@contextmanager
def _process(served: ServedHome, module: str, **extra: str) -> Iterator[None]:
    """Run a part of Matinee; end it politely, and wait until it has ended."""
    with (served.home / "serve.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", module],
            env={**served.environment, **extra},
            stdout=log,
            stderr=log,
        )
    try:
        yield
    finally:
        os.kill(process.pid, signal.SIGINT)
        process.wait(MINUTE)


def _take_in(served: ServedHome, db: Database, storage: Storage, clip: Path) -> Arrival:
    arrival = uploads.take_in(
        db, storage, served.settings, SYSTEM, clip, clip.name, keep_source=True
    )
    queue.wake(served.settings, arrival.job)
    return arrival


def _ended(db: Database, arrival: Arrival) -> bool:
    return not jobs.by_public_id(db, arrival.job).open


def _living(db: Database, storage: Storage) -> set[str]:
    found = nodes.listing(storage, db.clock.now().timestamp())
    return {node.name for node in found if node.takes}


def _segments(db: Database, storage: Storage, arrival: Arrival) -> dict[str, str]:
    """Return a digest of every segment, by its track and number."""
    asset = assets.by_public_id(db, arrival.asset)
    return {
        f"{track.kind} {track.height} {path.name}": hashlib.sha256(
            path.read_bytes()
        ).hexdigest()
        for track in tracks.of_asset(db, asset.id)
        for path in storage.path(track.path).rglob("*.m4s")
    }
