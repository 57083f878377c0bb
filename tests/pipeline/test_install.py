"""Putting a finished package in its place, also when killed in the middle of it."""

import dataclasses
import os
import sys
from types import FrameType
from typing import Any

import pytest
from PIL import Image

from appliance import db as database
from appliance.catalog import artwork, states, titles
from appliance.catalog.titles import Title, TitleState
from appliance.clock import FixedClock
from appliance.db import Database
from appliance.errors import MediaError
from appliance.media import assets, jobs, reports, tracks, units
from appliance.media.jobs import JobState
from appliance.media.uploads import Arrival
from appliance.permissions import SYSTEM
from appliance.settings import Encode, Settings
from appliance.storage import Storage
from jobs import pipeline
from jobs.making import install
from tests.pipeline.control_room import ControlRoom, steps

KILLED = 9


@pytest.fixture
def room(
    db: Database, storage: Storage, settings: Settings, clock: FixedClock
) -> ControlRoom:
    quick = dataclasses.replace(settings, encode=Encode(chunk_seconds=20))
    return ControlRoom(db, storage, quick, clock, steps())


def test_tracks_are_served_from_where_their_rows_say(room: ControlRoom) -> None:
    arrival = room.film()
    room.until_ended(arrival.job)

    asset = assets.by_public_id(room.db, arrival.asset)
    installed = tracks.of_asset(room.db, asset.id)

    assert [each.kind for each in installed] == ["video", "audio", "thumbnails"]
    for each in installed:
        folder = f"packages/{asset.public_id}/tracks/{each.public_id}"
        assert each.path == folder
        assert room.storage.existing(f"{folder}/00001.m4s").read_bytes() == b"segment"
    assert (asset.version, asset.duration) == (1, 20)
    assert asset.facts is not None
    assert asset.source_sha256 == asset.facts["sha256"]


def test_a_title_without_pictures_gets_the_best_frame(room: ControlRoom) -> None:
    arrival = room.film()
    room.until_ended(arrival.job)

    title = _title(room, arrival)
    poster = artwork.file(room.db, room.storage, SYSTEM, str(title.poster), 320)
    offered = artwork.candidates(room.db, title.id)

    with Image.open(poster) as picture:
        assert picture.convert("L").getpixel((5, 5)) == pytest.approx(200, abs=3)
    assert title.backdrop is not None
    assert [each.seconds for each in offered] == [4.0, 12.0]


def test_a_title_keeps_the_picture_that_somebody_chose(room: ControlRoom) -> None:
    mine = room.settings.home / "mine.png"
    Image.new("RGB", (600, 900), "red").save(mine)
    title = titles.create(room.db, SYSTEM, "With a poster")
    kept = artwork.add(
        room.db, room.storage, SYSTEM, title.id, "poster", mine, origin="upload"
    )

    arrival = room.film(title_id=title.id)
    room.until_ended(arrival.job)

    assert _title(room, arrival).poster == kept.public_id


def test_a_film_is_published_when_that_was_asked_for(room: ControlRoom) -> None:
    arrival = room.film(publish=True)

    room.until_ended(arrival.job)

    assert _title(room, arrival).state is TitleState.PUBLISHED


def test_a_title_that_was_archived_meanwhile_is_not_published(
    room: ControlRoom,
) -> None:
    title = titles.create(room.db, SYSTEM, "An old one")
    room.until_ended(room.film("first.mp4", title_id=title.id).job)
    arrival = room.film("second.mp4", title_id=title.id, publish=True)
    states.archive(room.db, SYSTEM, title.slug)

    job = room.until_ended(arrival.job)

    assert job.state is JobState.DONE
    assert _title(room, arrival).state is TitleState.ARCHIVED


def test_a_published_film_stays_published_while_a_new_cut_is_made(
    room: ControlRoom,
) -> None:
    first = room.film("first.mp4", publish=True)
    room.until_ended(first.job)
    title = _title(room, first)
    second = room.film("second.mp4", title_id=title.id)
    before = assets.playable(room.db, title.id)

    room.until_ended(second.job)
    after = assets.playable(room.db, title.id)

    assert before is not None
    assert after is not None
    assert (before.public_id, after.public_id) == (first.asset, second.asset)
    assert _title(room, second).state is TitleState.PUBLISHED


def test_a_new_cut_that_fails_takes_nothing_away(room: ControlRoom) -> None:
    first = room.film("first.mp4", publish=True)
    room.until_ended(first.job)
    title = _title(room, first)
    room.steps["inspect"] = _is_broken

    second = room.film("second.mp4", title_id=title.id)
    job = room.until_ended(second.job)

    still = assets.playable(room.db, title.id)
    assert job.state is JobState.FAILED
    assert still is not None
    assert still.public_id == first.asset
    assert _title(room, first).state is TitleState.PUBLISHED


def test_a_done_job_keeps_its_quality_report_and_little_else(
    room: ControlRoom,
) -> None:
    arrival = room.film()
    job = room.until_ended(arrival.job)

    assert units.result(room.db, job.id, "verify") == {"ok": True}
    assert units.result(room.db, job.id, "package") is None
    report = reports.report(room.db, arrival.job)
    assert report.percent == 100
    assert [each.name for each in report.renditions] != []


def test_captions_that_are_just_being_added_are_left_alone(room: ControlRoom) -> None:
    arrival = room.film()
    room.until_handed_out("verify")
    tracks_folder = f"packages/{arrival.asset}/tracks"
    room.storage.write(f"{tracks_folder}/0123456789abcdef/text.vtt", b"WEBVTT\n")
    room.storage.write(f"{tracks_folder}/fedcba9876543210/init.mp4", b"left")

    room.until_ended(arrival.job)

    assert room.storage.path(f"{tracks_folder}/0123456789abcdef").exists()
    assert not room.storage.path(f"{tracks_folder}/fedcba9876543210").exists()


def test_an_installation_that_is_killed_at_every_third_line_ends_well(
    room: ControlRoom,
) -> None:
    arrival = room.film(publish=True)
    _until_all_is_verified(room, arrival)

    line = 1
    while _killed_at(room, arrival, line):
        line += 3

    job = jobs.by_public_id(room.db, arrival.job)
    asset = assets.by_public_id(room.db, arrival.asset)
    title = _title(room, arrival)
    assert line > 40
    assert job.state is JobState.DONE
    assert (asset.version, title.state) == (1, TitleState.PUBLISHED)
    assert len(tracks.of_asset(room.db, asset.id)) == 3
    assert len(artwork.candidates(room.db, title.id)) == 2
    pictures = room.storage.path(f"artwork/{title.public_id}")
    assert len(list(pictures.iterdir())) == 4
    assert not room.storage.path(f"work/{arrival.job}").exists()


def _until_all_is_verified(room: ControlRoom, arrival: Arrival) -> None:
    """Stop just before the control side would install."""
    room.run(room.until_handed_out("verify"))
    unit = next(each for each in units.active(room.db) if each.name == "verify")
    room.storage.commit(room.attempt(unit).place, f"work/{unit.job}/done/{unit.name}")
    room.db.conn.execute(
        "update work_units set state = 'done', result = ? where id = ?",
        ('{"ok": true}', unit.id),
    )
    assert jobs.by_public_id(room.db, arrival.job).open


def _killed_at(room: ControlRoom, arrival: Arrival, line: int) -> bool:
    """Install in a process that dies before it runs the given line of install.py."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status) == KILLED
    try:
        _die_at(line)
        with database.connect(room.settings.database, room.clock) as db:
            pipeline.advance(db, room.storage, room.settings, arrival.job)
        os._exit(0)
    finally:
        os._exit(1)


def _die_at(line: int) -> None:
    left = line

    def trace(frame: FrameType, event: str, _arg: object) -> Any:
        nonlocal left
        if frame.f_code.co_filename != install.__file__:
            return None
        if event == "line":
            left -= 1
            if left == 0:
                os._exit(KILLED)
        return trace

    sys.settrace(trace)


def _title(room: ControlRoom, arrival: Arrival) -> Title:
    return titles.by_slug(room.db, SYSTEM, arrival.title_slug)


def _is_broken(_spec: dict[str, Any], _work: object) -> dict[str, Any]:
    raise MediaError("media.broken", "It can't be read.")
