"""Encrypting a film anew, killed at any step, ends as if nothing had been."""

import os
from typing import Any

import pytest

from appliance.clock import FixedClock
from appliance.db import Database
from appliance.media import jobs
from appliance.media.jobs import JobState
from appliance.protection import keys
from appliance.settings import Settings
from appliance.storage import Storage
from jobs.work import Work
from tests.pipeline.control_room import ControlRoom
from tests.pipeline.encrypted_anew import published, real_room
from tests.pipeline.killing import killed_at


@pytest.fixture
def room(
    db: Database, storage: Storage, settings: Settings, clock: FixedClock
) -> ControlRoom:
    return real_room(db, storage, settings, clock)


def test_a_job_that_is_killed_anywhere_ends_well(
    room: ControlRoom,
) -> None:
    """The control side dies before every seventeenth line that it would run."""
    film = published(room)
    before, kids = film.media, film.live()
    job = film.start()
    line = 1
    deaths = 0

    while jobs.by_public_id(room.db, job).open:
        if killed_at(room, job, line):
            line += 17
            deaths += 1
            continue
        line = 1
        room.round()
        room.work()
    room.round(job)

    assert jobs.by_public_id(room.db, job).state is JobState.DONE
    assert deaths > 20
    assert film.asset.version == 2
    assert not film.live() & kids
    assert film.live() == {track.kid for track in film.media}
    assert film.folders == {track.public_id for track in film.tracks}
    assert not {t.public_id for t in before} & film.folders
    generations = {row.generation for row in keys.listing(room.db, film.slug)}
    assert generations == {1, 2}


@pytest.mark.parametrize("step", ["decrypt", "package", "verify"])
def test_a_worker_that_is_killed_in_the_middle_costs_that_step_only(
    room: ControlRoom, step: str
) -> None:
    film = published(room)
    job = film.start()
    room.round(job)
    honest = room.steps[step]

    def dies(spec: dict[str, Any], work: Work) -> dict[str, Any]:
        child = os.fork()
        if child == 0:
            honest(spec, work)  # its work is done, and nobody will hear of it
            os.kill(os.getpid(), 9)
        os.waitpid(child, 0)
        raise SystemExit

    room.steps[step] = dies
    name = {"decrypt": "join"}.get(step, step)
    unit = room.until_handed_out(name)
    with pytest.raises(SystemExit):
        room.run(unit)
    room.steps[step] = honest

    assert room.until_ended(job).state is JobState.DONE
    assert film.live() == {track.kid for track in film.media}
