"""Jobs that are held, cancelled anywhere, or dropped in by the hundred."""

import dataclasses
from collections import Counter

import pytest

from appliance.catalog import titles
from appliance.clock import FixedClock
from appliance.db import Database
from appliance.media import assets, job_control, jobs, reports, transitions, units
from appliance.media.jobs import JobState
from appliance.media.units import UnitState
from appliance.media.uploads import Arrival
from appliance.permissions import SYSTEM
from appliance.settings import Encode, Queue, Settings
from appliance.storage import Storage
from jobs import scratch
from jobs.attempts import Heartbeat
from jobs.planning.plan import NewUnit
from tests.pipeline.control_room import ControlRoom, steps

# What a film of twenty seconds goes through, in four-second chunks.
STEPS = (
    "inspect",
    "analyse",
    "encode-0000",
    "encode-0004",
    "audio-en-1",
    "join",
    "package",
    "thumbnails",
    "verify",
)


@pytest.fixture
def room(
    db: Database, storage: Storage, settings: Settings, clock: FixedClock
) -> ControlRoom:
    quick = dataclasses.replace(
        settings, encode=Encode(chunk_seconds=4), queue=Queue(slots=2)
    )
    return ControlRoom(db, storage, quick, clock, steps())


def test_a_paused_job_takes_back_what_nobody_has_begun(room: ControlRoom) -> None:
    arrival = room.film()
    room.until_handed_out("encode-0000")
    running, *waiting = room.queued()
    with room.attempt(running).claim():
        room.attempt(running).beat(Heartbeat("2026-01-02T12:00:00.000000Z", 0.5))
        room.round()

        job_control.pause(room.db, SYSTEM, arrival.job)
        room.round(arrival.job)

        states = units.states(room.db, running.job_id)
        assert states[running.name] is UnitState.RUNNING
        assert {states[unit.name] for unit in waiting} == {UnitState.WAITING}
        assert room.queued() == []
        assert reports.report(room.db, arrival.job).paused


def test_a_paused_job_stays_where_it_is_and_then_ends(room: ControlRoom) -> None:
    arrival = room.film()
    room.until_handed_out("join")
    job_control.pause(room.db, SYSTEM, arrival.job)
    room.ran.clear()
    for _ in range(5):
        room.round(arrival.job)
        room.work()
    held = list(room.ran)

    job_control.resume(room.db, SYSTEM, arrival.job)
    job = room.until_ended(arrival.job)

    assert held == []
    assert job.state is JobState.DONE
    assert {unit["attempt"] for unit in room.db.rows("select * from work_units")} == {1}


def test_another_film_goes_on_while_one_is_paused(room: ControlRoom) -> None:
    first, second = room.film("first.mp4"), room.film("second.mp4")
    room.until_handed_out("encode-0000")
    job_control.pause(room.db, SYSTEM, first.job)

    assert room.until_ended(second.job).state is JobState.DONE
    assert jobs.by_public_id(room.db, first.job).open


@pytest.mark.parametrize("step", STEPS)
def test_a_job_is_cancelled_at_any_step_and_leaves_nothing(
    room: ControlRoom, step: str
) -> None:
    arrival, other = room.film("first.mp4"), room.film("other.mp4")
    _until_waiting(room, arrival, step)

    jobs.cancel(room.db, SYSTEM, arrival.job)
    room.round(arrival.job)
    room.work()
    room.round()

    asset = assets.by_public_id(room.db, arrival.asset)
    title = titles.by_id(room.db, asset.title_id)
    assert room.until_ended(other.job).state is JobState.DONE
    scratch.empty_trash(room.storage)
    assert (asset.state, title.state) == ("failed", "draft")
    assert room.storage.existing(asset.source_path).is_file()
    assert not room.storage.path(f"packages/{asset.public_id}").exists()
    assert [p for p in room.storage.path("work").rglob("*") if p.is_file()] == []
    states = units.states(room.db, jobs.by_public_id(room.db, arrival.job).id)
    assert set(states.values()) <= {UnitState.DONE, UnitState.CANCELLED}


def test_a_hundred_films_at_once_are_all_made_with_few_in_hand(
    room: ControlRoom,
) -> None:
    arrivals = [room.film(f"film-{number}.mp4") for number in range(100)]
    most = Counter[str]()
    first_looks = 0

    while jobs.unfinished(room.db):
        room.round()
        handed = room.queued()
        for step in ("inspect", "other"):
            mine = [u for u in handed if (u.step == "inspect") is (step == "inspect")]
            most[step] = max(most[step], len(mine))
        room.work()
        if len([name for name in room.ran if name == "inspect"]) == 100:
            first_looks = first_looks or len(room.ran)
        room.clock.advance(seconds=5)

    ended = [jobs.by_public_id(room.db, each.job) for each in arrivals]
    assert {job.state for job in ended} == {JobState.DONE}
    # As many as there are hands, and a few to go on with.
    assert most == {"inspect": 4, "other": 4}
    # Whether a film is any good is known of all before a fifth of them is made.
    assert first_looks < 100 + 20 * len(STEPS)
    assert Counter(room.ran)["encode-0000"] == 100


def test_what_needs_other_hands_waits_for_them_alone(room: ControlRoom) -> None:
    arrival = room.film()
    job = jobs.by_public_id(room.db, arrival.job)
    spoken = NewUnit("speech-en", "speech", (), 1, {}, 1, "speech")
    transitions.add(room.db, job.id, [spoken])

    room.round()

    assert [unit.name for unit in room.queued()] == []
    assert units.ready(room.db, 1, inspecting=False, queue="speech")[0].queue == (
        "speech"
    )


def _until_waiting(room: ControlRoom, arrival: Arrival, step: str) -> None:
    """Go on until this unit of the film is handed out and nobody has begun."""
    room.round(arrival.job)
    for _ in range(200):
        mine = [unit for unit in room.queued() if unit.job == arrival.job]
        if step in {unit.name for unit in mine}:
            return
        for unit in room.queued():
            room.run(unit)
        room.round()
    raise AssertionError(f"{step} was never handed out")
