"""What a cluster meets in its life: shares, queues and memory that go away."""

import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from appliance import db as database
from appliance import migrations
from appliance.db import Database
from appliance.media import jobs, reports, uploads
from appliance.media.jobs import JobState
from appliance.media.uploads import Arrival
from appliance.permissions import SYSTEM
from appliance.storage import Storage
from jobs import queue
from jobs.machines import lease
from jobs.tools import process
from jobs.tools.process import ProcessFailed
from tests import media_samples
from tests.pipeline.redis_server import RedisServer, needs_redis
from tests.pipeline.served_home import MATINEE, ServedHome, served_home, until
from tests.pipeline.shares import Share, needs_share

pytestmark = pytest.mark.media

SLOW = {
    "MATINEE_ENCODE_CHUNK_SECONDS": "4",
    "MATINEE_ENCODE_PRESET": "slower",
    "MATINEE_ENCODE_PER_TITLE": "false",
    "MATINEE_QUEUE_LEASE_SECONDS": "5",
}


@pytest.fixture
def share(tmp_path: Path) -> Iterator[Share]:
    found = Share(tmp_path / "server", tmp_path / "share")
    found.mount()
    yield found
    found.end()


@pytest.fixture
def clip(clips: Path) -> Path:
    return media_samples.film(clips, "trouble.mp4", seconds=12, size="854x480")


@needs_share
def test_a_share_that_vanishes_and_comes_back_costs_a_film_only_time(
    share: Share, tmp_path: Path, clip: Path
) -> None:
    place = {"MATINEE_STORAGE_MEDIA": str(share.place)}
    with (
        served_home(tmp_path / "home", **SLOW, **place) as served,
        database.connect(served.settings.database) as db,
    ):
        served.start()
        arrival = _take_in(served, db, clip)
        until(lambda: _encoding(db), seconds=60)

        share.crash()
        until(lambda: "The storage does not answer" in served.log(), seconds=30)
        until(lambda: not served.processes("chunk"), seconds=30)
        share.unmount()
        until(lambda: "is not mounted" in served.log(), seconds=30)
        assert list(share.place.iterdir()) == []
        assert jobs.by_public_id(db, arrival.job).open
        share.mount()
        until(lambda: not jobs.by_public_id(db, arrival.job).open, seconds=90)

        report = reports.report(db, arrival.job)
        assert report.state is JobState.DONE, report.error_message
        assert db.value("select sum(failures) from work_units") == 0
        work = share.place / "work"
        until(lambda: not [*work.glob("[!.]*"), *work.glob(".trash/*")])
        assert not served.processes("ffmpeg")


@needs_redis
def test_a_queue_that_is_emptied_and_restarted_loses_no_work(
    tmp_path: Path, clip: Path
) -> None:
    with (
        RedisServer(tmp_path) as redis,
        served_home(tmp_path / "home", **SLOW, MATINEE_QUEUE_URL=redis.url) as served,
        database.connect(served.settings.database) as db,
    ):
        served.start()
        arrival = _take_in(served, db, clip)
        until(lambda: _encoding(db), seconds=60)

        redis.kill()
        until(lambda: "the queue does not answer" in served.log(), seconds=30)
        until(lambda: not _encoding(db), seconds=60)
        redis.start()
        until(lambda: not jobs.by_public_id(db, arrival.job).open, seconds=90)

        assert reports.report(db, arrival.job).state is JobState.DONE
        assert db.value("select sum(failures) from work_units") == 0
        assert redis.password not in served.log()
        assert "Traceback" not in served.log()


@needs_share
def test_an_installation_beside_another_on_its_storage_is_refused(
    share: Share, tmp_path: Path
) -> None:
    with served_home(
        tmp_path / "home", MATINEE_STORAGE_MEDIA=str(share.behind)
    ) as served:
        served.start()
        until(lambda: lease.told(Storage(share.behind)))
        other = tmp_path / "other"
        other.mkdir()
        migrations.migrate(other / "matinee.db")

        # Through a mount of its own, as from another machine: no lock is seen there.
        refused = subprocess.run(
            [MATINEE, "worker", "--control"],
            env={
                **served.environment,
                "MATINEE_HOME": str(other),
                "MATINEE_STORAGE_MEDIA": str(share.place),
            },
            capture_output=True,
            text=True,
            timeout=60,
        )

    assert refused.returncode == 6
    assert "A control worker runs already for this storage" in refused.stderr


def test_an_encoder_that_gets_no_memory_is_said_to_have_died_of_that(
    tmp_path: Path, clip: Path
) -> None:
    with _little_memory(megabytes=24) as group, pytest.raises(ProcessFailed) as failed:
        joined = f'echo $$ > {group}/cgroup.procs && exec "$@"'
        encode = ("ffmpeg", "-i", clip, "-vf", "scale=3840:2160", "-f", "null", "-")
        process.run(["bash", "-c", joined, "encode", *encode])

    assert failed.value.code == "process.memory"
    assert "memory" in failed.value.message


def _encoding(db: Database) -> bool:
    found = db.value(
        """
        select 1 from work_units
        where step = 'encode' and state = 'running' and progress > 0
        """
    )
    return found is not None


def _take_in(served: ServedHome, db: Database, clip: Path) -> Arrival:
    settings = served.settings
    storage = Storage(settings.media)
    arrival = uploads.take_in(
        db, storage, settings, SYSTEM, clip, clip.name, keep_source=True
    )
    queue.wake(settings, arrival.job)
    return arrival


@contextmanager
def _little_memory(megabytes: int) -> Iterator[Path]:
    """Make a group of processes that gets so much; skipped where none can be made."""
    group = Path("/sys/fs/cgroup/memory", f"matinee-{secrets.token_hex(4)}")
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(str(megabytes * 1024 * 1024))
    except OSError as error:
        pytest.skip(f"memory can't be limited here: {error}")
    try:
        yield group
    finally:
        group.rmdir()
