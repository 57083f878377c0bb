"""Making only what a film lacks, with encoders that really encode."""

import dataclasses
from typing import Any

import pytest

from appliance.catalog import artwork, titles
from appliance.catalog.artwork import ArtworkKind
from appliance.clock import FixedClock
from appliance.db import Database
from appliance.errors import Conflict, InvalidInput
from appliance.media import assets, jobs, publishing, tracks, uploads
from appliance.media.assets import Asset
from appliance.media.jobs import JobKind, JobState
from appliance.media.tracks import Track, TrackKind
from appliance.permissions import SYSTEM
from appliance.playback import sessions
from appliance.settings import Encode, Settings
from appliance.storage import Storage
from jobs.making import supplement
from jobs.making.supplement import Request
from jobs.steps import STEPS
from tests import media_samples
from tests.builders import Builders
from tests.media_samples import Tone
from tests.pipeline.control_room import ControlRoom

SECONDS = 6
LOW = Encode(
    preset="ultrafast",
    chunk_seconds=28,
    max_height=234,
    per_title=False,
    surround=False,
)


@pytest.fixture
def room(
    db: Database, storage: Storage, settings: Settings, clock: FixedClock
) -> ControlRoom:
    low = dataclasses.replace(settings, encode=LOW)
    return ControlRoom(db, storage, low, clock, dict(STEPS))


def test_a_height_is_added_and_nothing_else_is_done(room: ControlRoom) -> None:
    film = _film(room)
    before = tracks.of_asset(room.db, film.id)
    # Settings that changed since do not cut the new rendition otherwise.
    _wish(room, segment_seconds=6, keyframe_seconds=3)

    job = _supplement(room, film, Request(heights=(360,)))

    after = tracks.of_asset(room.db, film.id)
    assert job.state is JobState.DONE, (job.error_message, job.log_tail)
    assert [track for track in after if track in before] == before
    assert _names(after) == ["234p", "360p"]
    assert len({tuple(each.facts["segments"]) for each in _pictures(after)}) == 1
    assert room.ran == ["encode-0000", "join", "package", "verify"]
    assert assets.by_id(room.db, film.id).version == 2


def test_a_codec_is_added_as_a_ladder_of_its_own(room: ControlRoom) -> None:
    film = _film(room)

    job = _supplement(room, film, Request(codecs=("av1",)))

    after = tracks.of_asset(room.db, film.id)
    assert job.state is JobState.DONE, (job.error_message, job.log_tail)
    assert _names(after) == ["234p", "234p-av1"]
    assert [each.codec.split(".")[0] for each in _pictures(after)] == ["avc1", "av01"]
    assert room.ran == ["encode-av1-0000", "join-av1", "package", "verify"]


def test_sound_in_more_channels_is_added_where_it_is_wished_now(
    room: ControlRoom,
) -> None:
    film = _film(room, tones=(Tone(440, "eng", channels=6),))
    _wish(room, surround=True)

    job = _supplement(room, film, Request())

    sounds = [t for t in tracks.of_asset(room.db, film.id) if t.kind == "audio"]
    assert job.state is JobState.DONE, (job.error_message, job.log_tail)
    assert [each.channels for each in sounds] == [2, 6]
    assert room.ran == ["audio-en-1-surround", "package", "verify"]


def test_samples_are_encoded_before_what_they_know_nothing_of(
    room: ControlRoom,
) -> None:
    film = _film(room)
    _wish(room, per_title=True, max_height=360)

    job = _supplement(room, film, Request(heights=(360,)))

    known = assets.by_id(room.db, film.id).analysis
    assert job.state is JobState.DONE, (job.error_message, job.log_tail)
    assert room.ran[:2] == ["analyse", "encode-0000"]
    assert _names(tracks.of_asset(room.db, film.id)) == ["234p", "360p"]
    assert known is not None
    assert "renditions" in known


def test_what_is_there_is_not_made_again(room: ControlRoom) -> None:
    film = _film(room)

    with pytest.raises(Conflict, match="has all of that already"):
        _supplement(room, film, Request())
    with pytest.raises(Conflict, match="has all of that already"):
        _supplement(room, film, Request(heights=(234,), audio=True))
    with pytest.raises(InvalidInput, match=r"no rendition of 1080 lines: .* 234, 360"):
        _supplement(room, film, Request(heights=(360, 1080)))


def test_a_source_that_was_removed_is_missed_with_its_date(room: ControlRoom) -> None:
    film = _film(room)
    room.db.table("assets").update(film.id, {"source_removed_at": room.db.now()})

    with pytest.raises(Conflict, match="was removed on 2026-"):
        _supplement(room, film, Request(heights=(360,)))


def test_a_protected_film_is_added_to_with_its_own_keys_and_nobody_is_stopped(
    room: ControlRoom, make: Builders
) -> None:
    film = _film(room, protected=True)
    slug = _slug(room, film)
    publishing.publish(room.db, room.settings, SYSTEM, slug)
    session = sessions.open(room.db, room.settings, make.actor(), title=slug).session
    kids = {each.kid for each in _pictures(tracks.of_asset(room.db, film.id))}

    job = _supplement(room, film, Request(heights=(360,)))

    ended = "select ended_at from playback_sessions where public_id = ?"
    assert job.state is JobState.DONE, (job.error_message, job.log_tail)
    found = _pictures(tracks.of_asset(room.db, film.id))
    assert {each.kid for each in found} == kids
    assert len(found) == 2
    assert room.db.value(ended, (session,)) is None


def test_two_jobs_do_not_change_a_film_at_once(room: ControlRoom) -> None:
    film = _film(room)
    wish = (room.db, room.storage, room.settings, SYSTEM, _slug(room, film))
    first = supplement.start(*wish, Request(heights=(360,)))

    with pytest.raises(Conflict, match=rf"Job {first} \(supplement\) works on this"):
        supplement.start(*wish, Request(codecs=("av1",)))


def test_a_cancelled_supplement_leaves_the_film_as_it_was(room: ControlRoom) -> None:
    film = _film(room)
    before = tracks.of_asset(room.db, film.id)
    slug = _slug(room, film)
    job = supplement.start(
        *(room.db, room.storage, room.settings, SYSTEM, slug), Request(heights=(360,))
    )
    room.round(job)
    room.until_handed_out("verify")

    jobs.cancel(room.db, SYSTEM, job)
    room.round(job)

    assert tracks.of_asset(room.db, film.id) == before
    assert assets.by_id(room.db, film.id).state == "ready"
    assert not room.storage.path(f"work/{job}").exists()
    assert _folders(room, film) == {each.public_id for each in before}


def test_a_quick_rendition_is_there_first_and_the_others_follow(
    room: ControlRoom,
) -> None:
    _wish(room, max_height=720, quick_first=True)
    film = _film(room, size="1280x720", publish=True)
    first = _names(tracks.of_asset(room.db, film.id))
    title = titles.by_id(room.db, film.title_id)
    follower = jobs.making(room.db, film.id)

    assert first == ["360p"]
    assert title.state == "published"
    assert follower is not None
    assert follower.kind is JobKind.SUPPLEMENT
    job = room.until_ended(follower.public_id)
    assert job.state is JobState.DONE, (job.error_message, job.log_tail)
    found = tracks.of_asset(room.db, film.id)
    assert _names(found) == ["234p", "360p", "480p", "720p"]
    assert jobs.making(room.db, film.id) is None
    # What the first rendition showed is shown again in the best one.
    poster = artwork.shown(room.db, title.id, ArtworkKind.POSTER)
    backdrop = artwork.shown(room.db, title.id, ArtworkKind.BACKDROP)
    assert poster is not None
    assert backdrop is not None
    assert (poster.height, backdrop.width) == (720, 1280)
    assert {each.width for each in artwork.candidates(room.db, title.id)} == {1280}
    assert len([each for each in found if each.kind == "thumbnails"]) == 1


def _supplement(room: ControlRoom, film: Asset, request: Request) -> jobs.Job:
    room.ran.clear()
    job = supplement.start(
        *(room.db, room.storage, room.settings, SYSTEM, _slug(room, film)), request
    )
    return room.until_ended(job)


def _film(
    room: ControlRoom,
    *,
    size: str = "640x360",
    tones: tuple[Tone, ...] = media_samples.SOUND,
    protected: bool = False,
    publish: bool = False,
) -> Asset:
    clip = media_samples.film(
        room.settings.home, seconds=SECONDS, size=size, tones=tones
    )
    title = titles.create(room.db, SYSTEM, "The film", protected=protected)
    arrival = uploads.take_in(
        *(room.db, room.storage, room.settings, SYSTEM, clip, "film.mp4"),
        keep_source=True,
        publish=publish,
        title_id=title.id,
    )
    job = room.until_ended(arrival.job)
    assert job.state is JobState.DONE, (job.error_message, job.log_tail)
    return assets.by_public_id(room.db, arrival.asset)


def _wish(room: ControlRoom, **encode: Any) -> None:
    changed = dataclasses.replace(room.settings.encode, **encode)
    room.settings = dataclasses.replace(room.settings, encode=changed)
    room.restart()


def _slug(room: ControlRoom, film: Asset) -> str:
    return titles.by_id(room.db, film.title_id).slug


def _pictures(found: list[Track]) -> list[Track]:
    return [track for track in found if track.kind is TrackKind.VIDEO]


def _names(found: list[Track]) -> list[str]:
    return [track.name for track in _pictures(found)]


def _folders(room: ControlRoom, film: Asset) -> set[str]:
    place = room.storage.path(f"packages/{film.public_id}/tracks")
    return {path.name for path in place.iterdir()}
