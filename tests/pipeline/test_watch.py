"""The watch folder: takes what is still, never twice, and loses nothing."""

import dataclasses
import os
from pathlib import Path

import pytest

from appliance.catalog import titles
from appliance.catalog.titles import TitleState
from appliance.clock import FixedClock
from appliance.db import Database
from appliance.errors import MediaError
from appliance.media import jobs
from appliance.permissions import SYSTEM
from appliance.settings import Encode, Settings, Uploads
from appliance.storage import Storage
from jobs.watch import WatchFolder
from tests.pipeline.control_room import ControlRoom, steps

FILM = b"moving pictures"
STILL = 60


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "watch"
    path.mkdir()
    return path


@pytest.fixture
def room(
    db: Database,
    storage: Storage,
    settings: Settings,
    clock: FixedClock,
    folder: Path,
) -> ControlRoom:
    watching = dataclasses.replace(
        settings,
        encode=Encode(chunk_seconds=20),
        uploads=Uploads(watch_folder=str(folder), watch_still_seconds=STILL),
    )
    return ControlRoom(db, storage, watching, clock, steps())


@pytest.fixture
def watch(room: ControlRoom) -> WatchFolder:
    return WatchFolder(room.db, room.storage, room.settings)


def test_a_film_becomes_a_title_and_its_original_goes_to_done(
    room: ControlRoom, watch: WatchFolder, folder: Path
) -> None:
    _put(folder, "A film.mp4")
    _look_until_still(room, watch)
    left_meanwhile = (folder / "A film.mp4").exists()

    room.until_ended(_only_job(room))
    watch.look()

    assert left_meanwhile
    assert (folder / "done" / "A film.mp4").read_bytes() == FILM
    assert not (folder / "A film.mp4").exists()
    assert [each.name for each in titles.listing(room.db, SYSTEM)] == ["A film"]


def test_a_file_that_still_grows_is_not_taken(
    room: ControlRoom, watch: WatchFolder, folder: Path
) -> None:
    for size in range(5):
        (folder / "film.mp4").write_bytes(FILM * (size + 1))
        watch.look()
        room.clock.advance(seconds=STILL - 1)
        watch.look()

    assert jobs.unfinished(room.db) == []


def test_a_file_that_is_written_over_in_place_is_not_taken(
    room: ControlRoom, watch: WatchFolder, folder: Path
) -> None:
    path = _put(folder, "film.mp4")
    watch.look()
    room.clock.advance(seconds=STILL)
    os.utime(path, (1, 1))

    watch.look()

    assert jobs.unfinished(room.db) == []


@pytest.mark.parametrize(
    "name",
    [
        ".film.mp4",
        "film.mp4.part",
        "film.mp4.crdownload",
        "film.mp4.filepart",
        "film.mp4~",
        "film.TMP",
    ],
)
def test_partial_and_hidden_files_are_left_alone(
    room: ControlRoom, watch: WatchFolder, folder: Path, name: str
) -> None:
    _put(folder, name)

    _look_until_still(room, watch)

    assert jobs.unfinished(room.db) == []


def test_folders_and_what_is_in_done_and_failed_are_left_alone(
    room: ControlRoom, watch: WatchFolder, folder: Path
) -> None:
    for name in ("done", "failed", "sorted"):
        (folder / name).mkdir()
        _put(folder / name, "film.mp4")

    _look_until_still(room, watch)

    assert jobs.unfinished(room.db) == []


def test_a_restart_takes_no_film_twice(
    room: ControlRoom, watch: WatchFolder, folder: Path
) -> None:
    _put(folder, "film.mp4")
    _look_until_still(room, watch)

    for _ in range(3):
        again = WatchFolder(room.db, room.storage, room.settings)
        _look_until_still(room, again)

    assert len(jobs.unfinished(room.db)) == 1


def test_the_same_film_put_there_again_is_another_film(
    room: ControlRoom, watch: WatchFolder, folder: Path
) -> None:
    for _ in range(2):
        _put(folder, "film.mp4")
        _look_until_still(room, watch)
        room.until_ended(jobs.unfinished(room.db)[-1])
        watch.look()

    kept = sorted(path.name for path in (folder / "done").iterdir())
    assert kept[1] == "film.mp4"
    assert kept[0].startswith("film.2026-01-02-")
    assert len(titles.listing(room.db, SYSTEM)) == 2


def test_a_film_that_can_not_be_processed_goes_to_failed_with_the_reason(
    room: ControlRoom, watch: WatchFolder, folder: Path
) -> None:
    def refuse(_spec: object, _work: object) -> dict[str, object]:
        raise MediaError("media.no-video", "It has no picture: export it with one.")

    room.steps["inspect"] = refuse
    _put(folder, "radio.mp4")
    _look_until_still(room, watch)

    room.until_ended(_only_job(room))
    watch.look()

    failed = folder / "failed"
    reason = (failed / "radio.mp4.reason.txt").read_text()
    assert (failed / "radio.mp4").read_bytes() == FILM
    assert reason == "It has no picture: export it with one.\n"


def test_a_film_that_is_moved_back_from_failed_is_tried_again(
    room: ControlRoom, watch: WatchFolder, folder: Path
) -> None:
    _put(folder, "film.mp4")
    _look_until_still(room, watch)
    jobs.cancel(room.db, SYSTEM, _only_job(room))
    watch.look()

    (folder / "failed" / "film.mp4").rename(folder / "film.mp4")
    _look_until_still(room, watch)

    room.until_ended(_only_job(room))
    watch.look()
    assert (folder / "done" / "film.mp4").read_bytes() == FILM


def test_an_empty_file_goes_to_failed_with_the_reason(
    room: ControlRoom, watch: WatchFolder, folder: Path
) -> None:
    (folder / "empty.mp4").touch()

    _look_until_still(room, watch)

    reason = (folder / "failed" / "empty.mp4.reason.txt").read_text()
    assert "empty.mp4” is empty" in reason
    assert titles.listing(room.db, SYSTEM) == []


def test_a_film_whose_job_is_cancelled_is_given_back(
    room: ControlRoom, watch: WatchFolder, folder: Path
) -> None:
    _put(folder, "film.mp4")
    _look_until_still(room, watch)
    jobs.cancel(room.db, SYSTEM, _only_job(room))

    watch.look()

    assert (folder / "failed" / "film.mp4").read_bytes() == FILM


def test_a_film_whose_title_is_removed_is_given_back(
    room: ControlRoom, watch: WatchFolder, folder: Path
) -> None:
    _put(folder, "film.mp4")
    _look_until_still(room, watch)
    title = titles.listing(room.db, SYSTEM)[0]
    titles.remove(room.db, room.storage, SYSTEM, title.slug)

    watch.look()

    reason = (folder / "failed" / "film.mp4.reason.txt").read_text()
    assert "removed" in reason
    assert (folder / "failed" / "film.mp4").read_bytes() == FILM


@pytest.mark.parametrize(
    "name",
    [
        'it\'s "the" film.mp4',
        "two\nlines.mp4",
        "-rf.mp4",
        "$(reboot).mp4",
        os.fsdecode(b"caf\xe9.mp4"),
    ],
)
def test_any_name_is_taken_and_kept(
    room: ControlRoom, watch: WatchFolder, folder: Path, name: str
) -> None:
    _put(folder, name)
    _look_until_still(room, watch)

    room.until_ended(_only_job(room))
    watch.look()

    assert (folder / "done" / name).read_bytes() == FILM


def test_films_are_published_when_the_settings_say_so(
    room: ControlRoom, folder: Path
) -> None:
    wanted = dataclasses.replace(room.settings.uploads, watch_publish=True)
    settings = dataclasses.replace(room.settings, uploads=wanted)
    _put(folder, "film.mp4")

    _look_until_still(room, WatchFolder(room.db, room.storage, settings))
    room.until_ended(_only_job(room))

    assert titles.listing(room.db, SYSTEM)[0].state is TitleState.PUBLISHED


def test_one_film_that_can_not_be_moved_does_not_stop_the_others(
    room: ControlRoom, watch: WatchFolder, folder: Path
) -> None:
    (folder / "failed").write_text("in the way of the folder")
    (folder / "a.mp4").touch()
    _put(folder, "b.mp4")

    _look_until_still(room, watch)

    assert (folder / "a.mp4").exists()
    assert len(jobs.unfinished(room.db)) == 1


def _put(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_bytes(FILM)
    return path


def _look_until_still(room: ControlRoom, watch: WatchFolder) -> None:
    watch.look()
    room.clock.advance(seconds=STILL)
    watch.look()


def _only_job(room: ControlRoom) -> str:
    (job,) = jobs.unfinished(room.db)
    return job
