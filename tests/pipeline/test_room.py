"""A disk that fills up: no work is begun, none is lost, and it goes on by itself."""

import dataclasses
import json
from pathlib import Path

import pytest

from appliance.clock import FixedClock
from appliance.db import Database
from appliance.media import fetches, units
from appliance.media.jobs import JobState
from appliance.permissions import SYSTEM
from appliance.settings import Encode, Settings, Uploads
from appliance.storage import Storage
from jobs import errands, staffing
from jobs.fetching import Fetching
from jobs.watch import WatchFolder
from tests.conftest import Matinee
from tests.filling import Disks, disks
from tests.host.mounts import Mounts
from tests.pipeline.control_room import ControlRoom, steps


@pytest.fixture
def disk(settings: Settings, mounts: Mounts, tmp_path: Path) -> Disks:
    (tmp_path / "watch").mkdir()
    found = disks(settings, mounts)
    found.settings = dataclasses.replace(
        found.settings,
        encode=Encode(chunk_seconds=20),
        uploads=Uploads(
            watch_folder=str(tmp_path / "watch"), watch_still_seconds=0, from_urls=True
        ),
    )
    return found


@pytest.fixture
def room(db: Database, storage: Storage, disk: Disks, clock: FixedClock) -> ControlRoom:
    return ControlRoom(db, storage, disk.settings, clock, steps())


def test_no_work_is_begun_below_the_mark_and_all_of_it_goes_on_by_itself(
    room: ControlRoom, disk: Disks
) -> None:
    arrival = room.film()
    disk.fill(65)

    room.round(arrival.job)
    assert room.queued() == []

    disk.free()
    assert room.until_ended(arrival.job).state is JobState.DONE


def test_what_runs_goes_on_and_what_nobody_has_begun_is_taken_back(
    room: ControlRoom, disk: Disks
) -> None:
    first, second = room.film("one.mp4"), room.film("two.mp4")
    room.round(first.job, second.job)
    running, waiting = room.queued()
    with room.attempt(running).claim() as ours:
        assert ours
        disk.fill(65)

        room.round()

        assert [each.job for each in units.active(room.db)] == [running.job]
    assert room.attempt(waiting).spec() is None


def test_jobs_say_that_they_wait_for_room(
    room: ControlRoom, disk: Disks, matinee: Matinee, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MATINEE_DISK_WARN_PERCENT", "80")
    monkeypatch.setenv("MATINEE_DISK_PAUSE_PERCENT", "70")
    arrival = room.film()
    room.round(arrival.job)
    disk.fill(65)
    room.round()

    said = staffing.hindrances(room.db, room.storage, room.settings, arrival.job)
    assert "no work on films is begun below 70 %" in said[0].sentence

    listed = matinee("job", "list")
    assert "no work on films is begun below 70 %" in listed.stderr
    (document,) = json.loads(matinee("job", "list", "--json").stdout)
    assert "below 70 %" in document["lacks"][0]["sentence"]
    assert "below 70 %" in matinee("job", "show", arrival.job).stdout

    disk.free()
    assert matinee("job", "list").stderr.count("begun") == 0


def test_a_film_in_the_watch_folder_waits_for_room_and_is_taken_then(
    room: ControlRoom, disk: Disks, tmp_path: Path
) -> None:
    film = tmp_path / "watch" / "film.mp4"
    film.write_bytes(b"moving pictures")
    watch = WatchFolder(room.db, room.storage, room.settings)
    disk.fill(55)

    for _ in range(3):
        watch.look()

    assert film.exists()
    assert room.db.value("select count(*) from uploads") == 0
    disk.free()
    watch.look()
    assert room.db.value("select state from uploads") == "finished"


def test_a_film_that_waits_to_be_fetched_goes_on_waiting(
    room: ControlRoom, disk: Disks
) -> None:
    fetches.start(room.db, room.settings, SYSTEM, "https://films.example.org/one.mp4")
    disk.fill(55)

    Fetching(room.storage, room.settings, errands.at_once).look(room.db)

    assert fetches.listing(room.db, SYSTEM)[0].state == "waiting"
