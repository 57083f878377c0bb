"""Replacing the film of a title: the old one plays until the new one is there."""

import dataclasses
from typing import Any

import pytest

from appliance.catalog import titles
from appliance.clock import FixedClock
from appliance.db import Database
from appliance.errors import Conflict, MediaError
from appliance.media import assets, jobs, tracks, uploads, versions
from appliance.media.assets import Asset
from appliance.media.jobs import JobKind, JobState
from appliance.media.uploads import Arrival
from appliance.permissions import SYSTEM
from appliance.playback import sessions
from appliance.settings import Encode, Settings
from appliance.storage import Storage
from jobs.chores import Chores
from jobs.making import supplement
from jobs.making.supplement import Request
from tests.builders import Builders
from tests.pipeline.control_room import ControlRoom, steps
from tests.pipeline.killing import killed_at


@pytest.fixture
def room(
    db: Database, storage: Storage, settings: Settings, clock: FixedClock
) -> ControlRoom:
    whole = dataclasses.replace(settings, encode=Encode(chunk_seconds=20))
    return ControlRoom(db, storage, whole, clock, steps())


def test_the_old_film_plays_until_the_new_one_is_there(room: ControlRoom) -> None:
    film = _film(room)
    before = _served(room, film)
    arrival = _replace(room, film)
    room.round(arrival.job)
    room.until_handed_out("verify")
    meanwhile = _served(room, film), _now(room, film)

    job = room.until_ended(arrival.job)

    after = _now(room, film)
    assert arrival.asset == film.public_id
    assert meanwhile == (before, film)
    assert (job.kind, job.state) == (JobKind.REPLACE, JobState.DONE)
    assert not set(before) & set(_served(room, film))
    assert (after.version, after.source_name) == (2, "better.mkv")
    assert after.facts is not None
    assert after.source_path.startswith(f"sources/{film.public_id}/")
    assert _title_state(room, film) == "published"


def test_what_was_replaced_is_put_back_with_its_source(room: ControlRoom) -> None:
    film = _film(room)
    before = _served(room, film)
    room.until_ended(_replace(room, film).job)

    versions.restore(room.db, room.settings, SYSTEM, film, 1)

    assert _served(room, film) == before
    assert _now(room, film).source_path == film.source_path
    for track in tracks.of_asset(room.db, film.id):
        assert room.storage.existing(f"{track.path}/00001.m4s").is_file()


def test_a_replacement_that_fails_changes_nothing(room: ControlRoom) -> None:
    film = _film(room)
    before = _served(room, film)
    room.steps["inspect"] = _is_broken

    arrival = _replace(room, film)
    job = room.until_ended(arrival.job)

    assert job.state is JobState.FAILED
    assert _served(room, film) == before
    assert _now(room, film) == film
    assert room.storage.existing(film.source_path).is_file()
    assert _title_state(room, film) == "published"


def test_a_replacement_that_failed_is_tried_again(room: ControlRoom) -> None:
    film = _film(room)
    honest, room.steps["inspect"] = room.steps["inspect"], _is_broken
    arrival = _replace(room, film)
    room.until_ended(arrival.job)
    room.steps["inspect"] = honest

    jobs.retry(room.db, SYSTEM, arrival.job)
    job = room.until_ended(arrival.job)

    assert job.state is JobState.DONE, job.error_message
    assert _now(room, film).source_name == "better.mkv"


@pytest.mark.parametrize("step", ["inspect", "encode-0000", "join", "package"])
def test_a_replacement_that_is_cancelled_at_any_step_leaves_nothing_behind(
    room: ControlRoom, step: str
) -> None:
    film = _film(room)
    before = _served(room, film)
    arrival = _replace(room, film)
    room.round(arrival.job)
    room.until_handed_out(step)

    jobs.cancel(room.db, SYSTEM, arrival.job)
    room.round(arrival.job)

    assert _served(room, film) == before
    assert _folders(room, film) == set(before)
    assert not room.storage.path(f"work/{arrival.job}").exists()
    room.clock.advance(days=8)
    _chores(room)
    assert _sources(room, film) == [film.source_path]


def test_who_watches_the_old_film_sees_its_end(
    room: ControlRoom, make: Builders
) -> None:
    film = _film(room)
    before = set(_served(room, film))
    slug = titles.by_id(room.db, film.title_id).slug
    session = sessions.open(room.db, room.settings, make.actor(), title=slug).session

    room.until_ended(_replace(room, film).job)

    row = room.db.one(
        "select ended_at from playback_sessions where public_id = ?", (session,)
    )
    assert row == {"ended_at": None}
    assert before < _folders(room, film)


def test_the_old_film_and_its_source_go_after_some_days(room: ControlRoom) -> None:
    film = _film(room)
    before = set(_served(room, film))
    room.until_ended(_replace(room, film).job)
    _chores(room)
    kept = _folders(room, film), len(_sources(room, film))

    room.clock.advance(days=room.settings.encode.keep_versions_days, seconds=1)
    _chores(room)

    assert before < kept[0]
    assert kept[1] == 2
    assert _folders(room, film) == set(_served(room, film))
    assert _sources(room, film) == [_now(room, film).source_path]
    with pytest.raises(Conflict, match="no longer there"):
        versions.restore(room.db, room.settings, SYSTEM, film, 1)


def test_a_film_that_is_protected_now_does_not_keep_the_clear_one(
    room: ControlRoom, make: Builders
) -> None:
    film = _film(room)
    title = titles.by_id(room.db, film.title_id)
    opened = sessions.open(room.db, room.settings, make.actor(), title=title.slug)
    room.steps["package"] = _encrypting(room.steps["package"])
    titles.edit(room.db, SYSTEM, title.slug, protected=True)

    room.until_ended(_replace(room, film).job)

    ended = "select end_reason from playback_sessions where public_id = ?"
    assert room.db.value(ended, (opened.session,)) == "replaced"
    assert _folders(room, film) == set(_served(room, film))


def test_one_film_is_replaced_once_at_a_time(room: ControlRoom) -> None:
    film = _film(room)
    first = _replace(room, film)

    with pytest.raises(Conflict, match=rf"Job {first.job} \(replace\) works on this"):
        _replace(room, film)
    assert len(_sources(room, film)) == 2


def test_a_replacement_that_is_killed_at_every_eleventh_line_ends_well(
    room: ControlRoom,
) -> None:
    film = _film(room)
    before = set(_served(room, film))
    arrival = _replace(room, film)

    deaths = _killed_again_and_again(room, arrival.job)

    after = _now(room, film)
    assert deaths > 50
    assert (after.version, after.source_name) == (2, "better.mkv")
    assert _folders(room, film) == before | set(_served(room, film))
    assert len(versions.listing(room.db, after)) == 2
    assert not room.storage.path(f"work/{arrival.job}").exists()


def test_a_supplement_is_not_added_to_another_film_than_it_was_made_for(
    room: ControlRoom,
) -> None:
    film = _film(room)
    slug = titles.by_id(room.db, film.title_id).slug
    job = supplement.start(
        *(room.db, room.storage, room.settings, SYSTEM, slug),
        Request(codecs=("av1",)),
    )
    room.round(job)
    room.until_handed_out("verify")
    jobs.cancel(room.db, SYSTEM, job)
    room.round(job)
    room.until_ended(_replace(room, film).job)
    before = _served(room, film)

    jobs.retry(room.db, SYSTEM, job)
    ended = room.until_ended(job)

    assert (ended.state, ended.error_code) == (JobState.FAILED, "supplement.outdated")
    assert _served(room, film) == before
    assert _folders(room, film) > set(before)


def test_a_supplement_that_is_killed_at_every_eleventh_line_ends_well(
    room: ControlRoom,
) -> None:
    film = _film(room)
    before = set(_served(room, film))
    slug = titles.by_id(room.db, film.title_id).slug
    job = supplement.start(
        *(room.db, room.storage, room.settings, SYSTEM, slug),
        Request(codecs=("av1",)),
    )

    deaths = _killed_again_and_again(room, job)

    served = set(_served(room, film))
    assert deaths > 30
    assert before < served
    assert len(served - before) == 1
    assert _folders(room, film) == served
    assert _now(room, film).version == 2
    assert [each.number for each in versions.listing(room.db, _now(room, film))] == [
        2,
        1,
    ]
    assert not room.storage.path(f"work/{job}").exists()


def _film(room: ControlRoom) -> Asset:
    arrival = room.film(publish=True)
    room.until_ended(arrival.job)
    return assets.by_public_id(room.db, arrival.asset)


def _replace(room: ControlRoom, film: Asset) -> Arrival:
    source = room.settings.home / "better.mkv"
    source.write_bytes(b"the source of a better film")
    return uploads.take_in(
        *(room.db, room.storage, room.settings, SYSTEM, source, source.name),
        title_id=film.title_id,
        keep_source=True,
        replaces=film,
    )


def _served(room: ControlRoom, film: Asset) -> list[str]:
    return [track.public_id for track in tracks.of_asset(room.db, film.id)]


def _now(room: ControlRoom, film: Asset) -> Asset:
    return assets.by_id(room.db, film.id)


def _title_state(room: ControlRoom, film: Asset) -> str:
    return titles.by_id(room.db, film.title_id).state


def _folders(room: ControlRoom, film: Asset) -> set[str]:
    place = room.storage.path(f"packages/{film.public_id}/tracks")
    return {path.name for path in place.iterdir()}


def _sources(room: ControlRoom, film: Asset) -> list[str]:
    root = room.storage.root
    found = root.glob(f"sources/{film.public_id}/**/*")
    return [str(path.relative_to(root)) for path in found if path.is_file()]


def _chores(room: ControlRoom) -> None:
    Chores(room.db, room.storage, room.settings).do_what_is_due()


def _is_broken(_spec: dict[str, Any], _work: object) -> dict[str, Any]:
    raise MediaError("media.broken", "It can't be read.")


def _encrypting(package: Any) -> Any:
    def step(spec: dict[str, Any], work: Any) -> dict[str, Any]:
        made: dict[str, Any] = package(spec, work)
        for track in made["tracks"]:
            track["scheme"] = spec["encryption"]["scheme"]
        return made

    return step


def _killed_again_and_again(room: ControlRoom, job: str) -> int:
    """Let a job end though its control worker dies all the time; say how often."""
    line, deaths = 1, 0
    while jobs.by_public_id(room.db, job).open:
        if killed_at(room, job, line):
            line, deaths = line + 11, deaths + 1
            continue
        line = 1
        room.round()
        room.work()
    room.round(job)
    return deaths
