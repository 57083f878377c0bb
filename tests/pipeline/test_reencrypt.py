"""A film is encrypted anew: with new keys, for the first time, or no longer."""

import dataclasses
from pathlib import Path

import pytest

from appliance.catalog import titles
from appliance.cenc import Scheme
from appliance.clock import FixedClock
from appliance.db import Database
from appliance.errors import Conflict, Forbidden, StorageFull
from appliance.events import latest
from appliance.media.jobs import JobState
from appliance.permissions import SYSTEM, Role
from appliance.playback import sessions
from appliance.settings import Encode, Settings
from appliance.storage import Storage
from jobs import scratch
from tests.builders import Builders
from tests.pipeline.control_room import ControlRoom
from tests.pipeline.encrypted_anew import FRAMES, Film, frames, published, real_room


@pytest.fixture
def room(
    db: Database, storage: Storage, settings: Settings, clock: FixedClock
) -> ControlRoom:
    return real_room(db, storage, settings, clock)


def test_after_a_leak_the_same_film_has_other_keys(room: ControlRoom) -> None:
    film = published(room)
    before, others, kids = film.media, film.others, film.live()

    job = film.encrypt_anew()

    assert job.state is JobState.DONE
    assert room.ran == ["join", "audio-en-1", "package", "verify"]
    for old, new in zip(before, film.media, strict=True):
        assert new.public_id != old.public_id
        assert new.kid not in kids
        assert new.iv != old.iv
        # All that manifests say of it is as it was, but for sizes of boxes.
        same = ("kind", "name", "codec", "language", "label", "role", "width")
        assert [getattr(old, n) for n in same] == [getattr(new, n) for n in same]
        for fact in ("segments", "timescale"):
            assert new.facts[fact] == old.facts[fact]
        assert (old.frame_rate, old.channels) == (new.frame_rate, new.channels)
    assert film.others == others
    assert film.asset.version == 2
    assert film.live() == {track.kid for track in film.media}
    assert film.folders == {track.public_id for track in film.tracks}


def test_its_pictures_are_the_same_to_the_last_bit(
    room: ControlRoom, tmp_path: Path
) -> None:
    film = published(room)
    before = frames(film, tmp_path)

    film.encrypt_anew()

    assert frames(film, tmp_path) == before
    assert len(before) == FRAMES


def test_a_clear_film_is_protected_and_nothing_clear_stays(
    room: ControlRoom,
) -> None:
    film = published(room, protected=False)
    clear = [track.public_id for track in film.media]
    titles.edit(room.db, SYSTEM, film.slug, protected=True)

    job = film.encrypt_anew()
    scratch.empty_trash(room.storage)

    assert job.state is JobState.DONE, job.error_message
    assert {track.scheme for track in film.media} == {Scheme.CBCS}
    assert not set(clear) & film.folders
    left = room.storage.path("work").rglob("*")
    assert [path for path in left if path.is_file()] == []


def test_a_film_that_is_no_longer_protected_is_opened(
    room: ControlRoom, tmp_path: Path
) -> None:
    film = published(room)
    before = frames(film, tmp_path)
    titles.edit(room.db, SYSTEM, film.slug, protected=False)

    job = film.encrypt_anew()

    assert job.state is JobState.DONE, job.error_message
    assert {(track.scheme, track.kid, track.iv) for track in film.media} == {
        (None, None, None)
    }
    assert film.live() == set()
    assert frames(film, tmp_path) == before


def test_a_film_gets_another_scheme(room: ControlRoom) -> None:
    film = published(room)
    titles.edit(room.db, SYSTEM, film.slug, scheme="cenc")

    job = film.encrypt_anew()

    assert job.state is JobState.DONE, job.error_message
    assert {(track.scheme, track.iv) for track in film.media} == {(Scheme.CENC, None)}


def test_a_film_is_cut_as_it_was_when_the_settings_have_changed(
    room: ControlRoom,
) -> None:
    film = published(room)
    before = [track.facts["segments"] for track in film.media]
    encode = Encode(segment_seconds=6, keyframe_seconds=3)
    room.settings = dataclasses.replace(room.settings, encode=encode)
    room.restart()

    job = film.encrypt_anew()

    assert job.state is JobState.DONE, job.error_message
    assert [track.facts["segments"] for track in film.media] == before


def test_whoever_watches_goes_on_until_the_new_tracks_are_there(
    room: ControlRoom, make: Builders
) -> None:
    film = published(room)
    actor = make.actor()
    session = sessions.open(room.db, room.settings, actor, title=film.slug).session
    job = film.start()
    room.round(job)

    room.until_handed_out("verify")
    still = _ended(room.db, session)
    room.until_ended(job)

    assert still is None
    assert _ended(room.db, session) == "replaced"


def test_what_happened_stands_in_the_audit_log(room: ControlRoom) -> None:
    film = published(room)

    film.encrypt_anew()

    names = [each.name for each in latest(room.db, 8)]
    for name in ("job:create", "key:create", "asset:install", "key:retire"):
        assert name in names


def test_a_title_without_a_film_or_without_protection_is_refused(
    room: ControlRoom,
) -> None:
    film = published(room, protected=False)
    empty = titles.create(room.db, SYSTEM, "No film")

    with pytest.raises(Conflict, match="is not protected"):
        film.start()
    with pytest.raises(Conflict, match="has no film yet"):
        Film(room, empty.slug).start()


def test_new_keys_are_for_who_manages_keys_and_protection_for_who_edits(
    room: ControlRoom, make: Builders
) -> None:
    film = published(room)
    publisher = make.actor(Role.PUBLISHER)

    with pytest.raises(Forbidden):
        film.start(publisher)
    titles.edit(room.db, publisher, film.slug, protected=False)

    assert film.start(publisher)


def test_asking_twice_gives_the_job_that_is_under_way(
    room: ControlRoom,
) -> None:
    film = published(room)

    assert film.start() == film.start()


def test_too_little_room_is_told_before_anything_is_done(room: ControlRoom) -> None:
    film = published(room)
    room.db.conn.execute("update tracks set bytes = 1000000000000000")

    with pytest.raises(StorageFull, match="free some room and try again"):
        film.start()


def test_a_film_whose_keys_are_lost_is_left_as_it_is(
    room: ControlRoom,
) -> None:
    film = published(room)
    before = film.media
    room.db.conn.execute("delete from content_keys")

    job = film.encrypt_anew()

    assert job.state is JobState.FAILED
    assert job.error_code == "reencrypt.keys-lost"
    assert film.media == before


def test_one_who_changes_their_mind_gets_what_they_wanted_last(
    room: ControlRoom,
) -> None:
    film = published(room, protected=False)
    titles.edit(room.db, SYSTEM, film.slug, protected=True)
    job = film.start()
    room.round(job)
    room.until_handed_out("verify")

    titles.edit(room.db, SYSTEM, film.slug, protected=False)
    ended = room.until_ended(job)

    assert ended.state is JobState.DONE, ended.error_message
    assert {track.scheme for track in film.media} == {None}


def _ended(db: Database, session: str) -> str | None:
    reason: str | None = db.value(
        "select end_reason from playback_sessions where public_id = ?", (session,)
    )
    return reason or None
