"""Films made on machines that share no folder with the others: Redis and S3 only."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from appliance import db as database
from appliance.db import Database
from appliance.media import jobs, reports, tracks
from appliance.media.jobs import JobState
from appliance.media.uploads import Arrival
from appliance.permissions import SYSTEM
from appliance.sections import Protection
from jobs import queue
from tests import media_samples
from tests.host.object_server import ObjectServer
from tests.pipeline.far import CONTROL, FarAway, ended, far_away
from tests.pipeline.redis_server import needs_redis
from tests.pipeline.served_home import until

pytestmark = [pytest.mark.media, needs_redis]

MINUTE = 60
slowly = pytest.mark.parametrize("preset", ["slower"])


@pytest.fixture
def preset() -> str:
    """What the machines encode by; the slow one can be met in the middle."""
    return "ultrafast"


@pytest.fixture
def far(tmp_path: Path, bucket: ObjectServer, preset: str) -> Iterator[FarAway]:
    folder = tmp_path / "machines"
    folder.mkdir()
    with far_away(
        folder,
        bucket,
        MATINEE_ENCODE_PRESET=preset,
        MATINEE_QUEUE_LEASE_SECONDS="5",
    ) as found:
        yield found


@pytest.fixture
def db(far: FarAway) -> Iterator[Database]:
    with database.connect(far.settings.database) as connection:
        yield connection


@pytest.fixture
def clip(clips: Path) -> Path:
    # Large enough to be met while it is encoded, also on a quick machine.
    return media_samples.film(clips, "far.mp4", seconds=8, size="640x360")


def test_a_film_is_made_without_the_folder_as_it_is_made_beside_it(
    far: FarAway, db: Database, clip: Path
) -> None:
    far.join("away")
    arrival = far.take_in(db, clip)
    _until_done(db, arrival)

    assert _nodes(db, arrival) == {"away"}
    assert not list(far.settings_of("away").media.glob("**/*.m4s"))
    until(lambda: not far.left_over(arrival.job), seconds=MINUTE)

    assert far.leave("away") == 0
    far.start("near", "--media", MATINEE_STORAGE_MEDIA=str(far.settings.media))
    again = far.take_in(db, clip)
    _until_done(db, again)

    assert _nodes(db, again) == {"near"}
    assert _digests(db, far, arrival) == _digests(db, far, again)


def test_two_workers_of_other_roles_share_a_machine(
    far: FarAway, db: Database, clip: Path
) -> None:
    """As matinee-media.service and matinee-gpu.service do."""
    far.join("away", MATINEE_QUEUE_ROLES="cpu,speech")
    with far.beside("away", "gpu"):
        both = {("cpu", "speech"), ("gpu",)}
        until(lambda: far.roles("away", db) == both, seconds=MINUTE)
        arrival = far.take_in(db, clip)
        _until_done(db, arrival)

    with far.beside("away", "speech,cpu") as third:
        assert third.wait(MINUTE) != 0
        assert third.stderr is not None
        assert "runs already" in third.stderr.read()


@slowly
def test_another_goes_on_when_a_far_machine_dies(
    far: FarAway, db: Database, clip: Path
) -> None:
    far.join("first")
    arrival = far.take_in(db, clip)
    until(lambda: _encoding(db), seconds=MINUTE)

    far.kill("first")
    far.join("second")
    _until_done(db, arrival)

    assert _losses(db, arrival) == 1
    assert "second" in _nodes(db, arrival)
    until(lambda: not far.left_over(arrival.job), seconds=MINUTE)


@slowly
def test_what_is_made_is_kept_until_the_object_storage_is_back(
    far: FarAway, db: Database, clip: Path
) -> None:
    far.join("away")
    arrival = far.take_in(db, clip)
    until(lambda: _encoding(db), seconds=MINUTE)

    far.bucket.stop()
    until(lambda: _made(far, "away"), seconds=MINUTE)
    far.bucket.start()
    _until_done(db, arrival)

    assert _losses(db, arrival) == 0


@slowly
def test_work_goes_on_while_redis_and_the_control_worker_are_killed(
    far: FarAway, db: Database, clip: Path
) -> None:
    far.join("away")
    arrival = far.take_in(db, clip)
    until(lambda: _encoding(db), seconds=MINUTE)

    far.redis.kill()
    far.kill(CONTROL)
    far.redis.start()
    far.start(CONTROL, "--control")
    _until_done(db, arrival)

    assert _losses(db, arrival) == 0
    assert _begun_twice(far, "away") == []


@slowly
def test_nothing_is_left_of_a_cancelled_job(
    far: FarAway, db: Database, clip: Path
) -> None:
    far.join("away")
    arrival = far.take_in(db, clip)
    until(lambda: _encoding(db), seconds=MINUTE)
    assert far.left_over(arrival.job)

    jobs.cancel(db, SYSTEM, arrival.job)
    queue.wake(far.settings, arrival.job)

    until(lambda: not far.left_over(arrival.job), seconds=MINUTE)
    # The folder goes when its step has ended, and nothing but that removes it.
    until(lambda: not _attempts(far, "away"), seconds=MINUTE)
    assert "join of job" not in far.log("away")


def test_no_unit_is_run_by_two_machines(far: FarAway, db: Database, clip: Path) -> None:
    names = ("one", "two", "near")
    far.join("one")
    far.join("two")
    far.start("near", "--media", MATINEE_STORAGE_MEDIA=str(far.settings.media))
    until(lambda: all(far.takes(name, db) for name in names), seconds=MINUTE)

    arrivals = [far.take_in(db, clip) for _ in range(3)]
    for arrival in arrivals:
        _until_done(db, arrival)

    assert _begun_twice(far, *names) == []
    everybody = [name for each in arrivals for name in _nodes(db, each)]
    assert {"one", "two"} & set(everybody)
    # What is soon done is not carried where somebody is near.
    assert {_node(db, each, "package") for each in arrivals} == {"near"}


def test_protected_films_are_packaged_where_their_keys_are(
    far: FarAway, db: Database, clip: Path
) -> None:
    far.kill(CONTROL)
    far.start(CONTROL, "--control", MATINEE_PROTECTION_PROTECT_NEW="true")
    protected = far.settings_of(CONTROL)
    protected = replace(protected, protection=Protection(protect_new=True))
    far.join("away")
    arrival = far.take_in(db, clip, protected)
    until(lambda: _state(db, arrival, "package") == "queued", seconds=2 * MINUTE)
    encoded_by = _node(db, arrival, "encode-0000")

    far.start(
        "near",
        "--media",
        MATINEE_HOME=str(far.settings.home),
        MATINEE_STORAGE_MEDIA=str(far.settings.media),
    )
    _until_done(db, arrival)

    assert encoded_by == "away"
    assert _node(db, arrival, "package") == _node(db, arrival, "verify") == "near"
    assert not list((far.folder / "away" / "keys").glob("worker.key"))


def _until_done(db: Database, arrival: Arrival) -> None:
    until(lambda: ended(db, arrival), seconds=3 * MINUTE)
    report = reports.report(db, arrival.job)
    assert report.state is JobState.DONE, report.error_message


def _encoding(db: Database) -> bool:
    found: int = db.value(
        """
        select count(*) from work_units
        where state = 'running' and step = 'encode' and progress > 0
        """
    )
    return found > 0


def _attempts(far: FarAway, name: str, file: str = "") -> list[Path]:
    place = far.folder / name / "exchange"
    return list(place.glob(f"*/jobs/*/work/*/attempts/*/{file}"))


def _made(far: FarAway, name: str) -> bool:
    """Say whether a machine has made something that it could not bring away yet."""
    return bool(_attempts(far, name, "result.json"))


def _begun_twice(far: FarAway, *names: str) -> list[str]:
    """Return the units that the logs say were begun more than once."""
    logs = "".join(far.log(name) for name in names)
    begun = Counter(re.findall(r"jobs.runner: (\S+ of job \S+) begins", logs))
    assert begun
    return [unit for unit, times in begun.items() if times > 1]


def _losses(db: Database, arrival: Arrival) -> int:
    lost: int = db.value(
        """
        select sum(attempt - 1) from work_units
        where job_id = (select id from jobs where public_id = ?)
        """,
        (arrival.job,),
    )
    return lost


def _node(db: Database, arrival: Arrival, name: str) -> str:
    return str(_of_unit(db, arrival, name)["node"])


def _state(db: Database, arrival: Arrival, name: str) -> str:
    return str(_of_unit(db, arrival, name).get("state"))


def _of_unit(db: Database, arrival: Arrival, name: str) -> dict[str, Any]:
    row = db.one(
        """
        select node, state from work_units
        where job_id = (select id from jobs where public_id = ?) and name = ?
        """,
        (arrival.job, name),
    )
    return {} if row is None else dict(row)


def _nodes(db: Database, arrival: Arrival) -> set[str]:
    rows = db.rows(
        """
        select distinct node from work_units
        where job_id = (select id from jobs where public_id = ?)
        """,
        (arrival.job,),
    )
    return {row["node"] for row in rows}


def _digests(
    db: Database, far: FarAway, arrival: Arrival
) -> dict[tuple[str, str, str], str]:
    """Return what the files of a film are, by their tracks and names.

    Init segments say when they were made.
    """
    job = jobs.by_public_id(db, arrival.job)
    found = {}
    for track in tracks.of_asset(db, job.asset_id):
        folder = far.storage.path(track.path)
        for path in folder.rglob("*"):
            if path.is_file() and path.name != "init.mp4":
                name = (track.kind.value, track.name, str(path.relative_to(folder)))
                found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found
