"""From verification to the portal: what reports hold back, and checking again."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from appliance.catalog import titles
from appliance.catalog.titles import TitleState
from appliance.clock import FixedClock
from appliance.db import Database
from appliance.errors import Conflict
from appliance.media import assets, jobs, quality, reviews, tracks
from appliance.media.jobs import JobKind, JobState
from appliance.media.quality import Report, Review, Verdict
from appliance.permissions import SYSTEM
from appliance.settings import Origin, Quality, Settings
from appliance.storage import Storage
from jobs.making import recheck
from jobs.work import Work
from tests.builders import Builders
from tests.pipeline import control_room
from tests.pipeline.control_room import ControlRoom
from tests.pipeline.encrypted_anew import Film, published, real_room

Room = Callable[..., ControlRoom]


@pytest.fixture
def room(
    db: Database, storage: Storage, settings: Settings, clock: FixedClock
) -> ControlRoom:
    """A room whose media workers really work."""
    return real_room(db, storage, settings, clock)


@pytest.fixture
def finding(
    db: Database, storage: Storage, settings: Settings, clock: FixedClock
) -> Room:
    """``finding("failed", review=True)``: a room whose films all get that verdict."""

    def made(verdict: str, **chosen: Any) -> ControlRoom:
        level = {"passed": "pass", "warned": "warn", "failed": "fail"}[verdict]

        def verify(_spec: dict[str, Any], _work: Work) -> dict[str, Any]:
            sentence = "The picture is black, but not in the source."
            check = {"id": "black", "level": level, "sentence": sentence, "track": ""}
            return {"verdict": verdict, "checks": [check], "tracks": []}

        return ControlRoom(
            db,
            storage,
            replace(settings, quality=Quality(**chosen)),
            clock,
            control_room.steps(verify=verify),
        )

    return made


def _state(room: ControlRoom, slug: str) -> TitleState:
    return titles.by_slug(room.db, SYSTEM, slug).state


def _report(film: Film) -> Report:
    found = quality.latest(film.room.db, film.asset)
    assert found is not None
    return found


@pytest.mark.media
def test_a_real_film_has_its_report_when_it_is_ready(room: ControlRoom) -> None:
    film = published(room, protected=False)

    found = _report(film)

    assert found.verdict is Verdict.PASSED, found.checks
    ids = {each["id"] for each in found.checks}
    assert ids >= {"frames", "keyframes", "packets", "decode", "score", "loudness"}
    assert found.report["scores"]["places"]


@pytest.mark.media
def test_a_protected_film_is_checked_again_as_it_is_served(room: ControlRoom) -> None:
    film = published(room)
    before = _report(film)
    reviews.review(
        room.db, room.settings, SYSTEM, film.asset, 1, Review.APPROVED, "Fine."
    )

    job = room.until_ended(
        recheck.start(room.db, room.settings, SYSTEM, film.slug).public_id
    )

    assert (job.kind, job.state) == (JobKind.QUALITY, JobState.DONE), job.error_message
    assert room.ran == ["verify"]
    found = _report(film)
    assert found.verdict is Verdict.PASSED, found.checks
    assert "protection" in {each["id"] for each in found.checks}
    assert found.created_at > before.created_at
    assert found.review is Review.APPROVED
    same = [
        (each["id"], each["track"])
        for each in before.checks
        if each["id"] not in ("captions", "reading")
    ]
    assert [(each["id"], each["track"]) for each in found.checks] == same
    assert film.asset.version == 1


@pytest.mark.media
def test_checking_again_finds_a_file_that_was_damaged_since(room: ControlRoom) -> None:
    film = published(room)
    folder = room.storage.path(film.media[0].path)
    (folder / "00002.m4s").write_bytes(b"not what it was")

    job = room.until_ended(
        recheck.start(room.db, room.settings, SYSTEM, film.slug).public_id
    )

    assert job.state is JobState.DONE, job.error_message
    found = _report(film)
    assert found.verdict is Verdict.FAILED
    assert found.checks[0]["id"] == "whole"
    assert "segments are missing or have another size" in found.checks[0]["sentence"]


@pytest.mark.media
def test_new_keys_change_nothing_in_what_was_found_and_decided(
    room: ControlRoom,
) -> None:
    film = published(room)
    before = _report(film)
    reviews.review(
        room.db, room.settings, SYSTEM, film.asset, 1, Review.APPROVED, "Fine."
    )

    film.encrypt_anew()

    found = _report(film)
    assert (found.version, found.review) == (2, Review.APPROVED)
    assert {each["id"] for each in found.checks} == {
        each["id"] for each in before.checks
    }
    assert film.title.state is TitleState.PUBLISHED


@pytest.mark.media
def test_a_source_that_was_removed_is_not_missed(room: ControlRoom) -> None:
    film = published(room)
    room.storage.remove(Path(film.asset.source_path).parent)

    job = room.until_ended(
        recheck.start(room.db, room.settings, SYSTEM, film.slug).public_id
    )

    assert job.state is JobState.DONE, job.error_message
    assert _report(film).verdict is Verdict.PASSED
    assert "score" not in {each["id"] for each in _report(film).checks}


def test_a_film_that_failed_is_ready_but_not_published(finding: Room) -> None:
    room = finding("failed")

    arrival = room.film(publish=True)
    job = room.until_ended(arrival.job)

    assert job.state is JobState.DONE, job.error_message
    assert _state(room, arrival.title_slug) == "ready"


@pytest.mark.parametrize("verdict", ["passed", "warned"])
def test_a_film_that_passed_is_published_as_was_asked(
    finding: Room, verdict: str
) -> None:
    room = finding(verdict)

    arrival = room.film(publish=True)
    room.until_ended(arrival.job)

    assert _state(room, arrival.title_slug) == "published"


def test_publishing_waits_for_approval_and_follows_it(finding: Room) -> None:
    room = finding("passed", review=True)

    arrival = room.film(publish=True)
    room.until_ended(arrival.job)
    waiting = _state(room, arrival.title_slug)
    asset = assets.by_public_id(room.db, arrival.asset)
    reviews.review(room.db, room.settings, SYSTEM, asset, 1, Review.APPROVED)

    assert waiting == "ready"
    assert _state(room, arrival.title_slug) == "published"


def test_a_bad_film_does_not_take_the_place_of_one_that_is_watched(
    finding: Room, db: Database
) -> None:
    good = finding("passed")
    arrival = good.film(publish=True)
    good.until_ended(arrival.job)
    asset = assets.by_public_id(db, arrival.asset)
    served = [track.public_id for track in tracks.of_asset(db, asset.id)]

    bad = finding("failed")
    again = jobs.create(db, SYSTEM, asset.id)
    job = bad.until_ended(again.public_id)

    assert job.state is JobState.FAILED
    assert job.error_code == "quality.failed"
    assert "what was there before stays" in job.error_message
    assert [track.public_id for track in tracks.of_asset(db, asset.id)] == served
    assert _state(bad, arrival.title_slug) == "published"


def test_nobody_watches_a_new_film_that_must_be_approved_before_it_is(
    finding: Room, db: Database
) -> None:
    first = finding("passed")
    arrival = first.film(publish=True)
    first.until_ended(arrival.job)
    asset = assets.by_public_id(db, arrival.asset)

    strict = finding("passed", review=True)
    strict.until_ended(jobs.create(db, SYSTEM, asset.id).public_id)
    withheld = _state(strict, arrival.title_slug)
    reviews.review(db, strict.settings, SYSTEM, asset, 2, Review.APPROVED)

    assert withheld == "ready"
    assert _state(strict, arrival.title_slug) == "published"


def test_checking_needs_a_film_that_is_here(
    db: Database, settings: Settings, make: Builders
) -> None:
    empty = make.title(state="draft")
    moved = make.title()
    make.asset(moved)
    db.conn.execute("update tracks set place = 'objects'")
    db.conn.commit()

    for slug, code in ((empty.slug, "no-film"), (moved.slug, "elsewhere")):
        with pytest.raises(Conflict) as refused:
            recheck.start(db, settings, SYSTEM, slug)
        assert refused.value.code == f"quality.{code}"


def test_checking_twice_at_once_is_one_job(
    db: Database, settings: Settings, make: Builders
) -> None:
    title = make.title()
    make.asset(title)

    first = recheck.start(db, settings, SYSTEM, title.slug)
    second = recheck.start(db, settings, SYSTEM, title.slug)

    assert first.public_id == second.public_id


@pytest.mark.media
def test_a_film_that_is_packaged_just_in_time_is_checked_again(
    db: Database, storage: Storage, settings: Settings, clock: FixedClock
) -> None:
    just_in_time = replace(settings, origin=Origin(mode="vod"))
    room = real_room(db, storage, just_in_time, clock)
    film = published(room, protected=False)
    assert all("film" in track.facts for track in film.media)

    job = room.until_ended(
        recheck.start(room.db, room.settings, SYSTEM, film.slug).public_id
    )

    assert job.state is JobState.DONE, job.error_message
    found = _report(film)
    assert found.verdict is Verdict.PASSED, found.checks
    assert {"score", "sync", "decode"} <= {each["id"] for each in found.checks}
