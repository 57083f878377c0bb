"""What the control side makes of what happens to media workers, step by step."""

import dataclasses
import json
from typing import Any

import pytest

from appliance.catalog import titles
from appliance.catalog.titles import TitleState
from appliance.clock import FixedClock
from appliance.db import Database
from appliance.errors import MatineeError, MediaError, StorageFull, TryAgain
from appliance.media import assets, jobs, reports
from appliance.media.assets import AssetState
from appliance.media.jobs import JobState
from appliance.permissions import SYSTEM
from appliance.settings import Encode, Queue, Settings
from appliance.storage import Storage
from jobs import queue, scratch
from jobs.attempts import Heartbeat
from jobs.machines import nodes
from jobs.queue import QueueName
from jobs.work import Work
from tests.pipeline.control_room import ControlRoom, Step, steps

CHUNKS = 5


@pytest.fixture
def room(
    db: Database, storage: Storage, settings: Settings, clock: FixedClock
) -> ControlRoom:
    quick = dataclasses.replace(
        settings, encode=Encode(chunk_seconds=4, per_title=False), queue=Queue(slots=2)
    )
    return ControlRoom(db, storage, quick, clock, steps())


def test_a_source_becomes_a_title_that_can_be_played(room: ControlRoom) -> None:
    arrival = room.film("The_first.film.mp4")

    job = room.until_ended(arrival.job)

    assert job.state is JobState.DONE
    title = titles.by_slug(room.db, SYSTEM, arrival.title_slug)
    assert (title.name, title.state) == ("The first film", TitleState.READY)
    assert title.runtime_seconds == 20
    assert assets.by_public_id(room.db, arrival.asset).state is AssetState.READY
    encodes = [name for name in room.ran if name.startswith("encode")]
    assert encodes == [f"encode-{number:04}" for number in range(CHUNKS)]


def test_a_finished_job_leaves_no_scratch(room: ControlRoom) -> None:
    arrival = room.film()

    room.until_ended(arrival.job)
    scratch.empty_trash(room.storage)

    left = [p for p in room.storage.path("work").rglob("*") if p.is_file()]
    assert left == []


def test_only_a_few_units_more_than_there_are_hands_are_handed_out(
    room: ControlRoom,
) -> None:
    room.film()
    room.until_handed_out("encode-0000")

    handed_out = room.queued()

    assert len(handed_out) == 2 + 2


def test_a_job_of_higher_priority_goes_first(room: ControlRoom) -> None:
    first, second = room.film("first.mp4"), room.film("second.mp4")
    room.db.conn.execute(
        "update jobs set priority = 5 where public_id = ?", (second.job,)
    )
    room.round()
    room.work()

    room.round()

    assert {unit.job for unit in room.queued()} == {second.job}
    assert reports.report(room.db, first.job).queue_position == 2


def test_a_new_source_is_inspected_while_a_long_film_is_encoded(
    room: ControlRoom,
) -> None:
    room.film("long.mp4")
    room.until_handed_out("encode-0000")

    late = room.film("late.mp4")
    room.round(late.job)

    assert [(u.job, u.name) for u in room.queued() if u.job == late.job] == [
        (late.job, "inspect")
    ]


def test_killing_the_control_worker_at_any_round_costs_nothing(
    room: ControlRoom,
) -> None:
    arrival = room.film()

    for _ in range(50):
        room.restart()
        room.round()
        room.work()

    assert jobs.by_public_id(room.db, arrival.job).state is JobState.DONE
    assert len(room.ran) == len(set(room.ran))


def test_what_the_disk_damaged_is_made_again_and_nothing_else(
    room: ControlRoom,
) -> None:
    whole = room.steps["encode"]
    left = b"some pictures or sounds"

    def join(spec: dict[str, Any], work: Work) -> dict[str, Any]:
        spoiled = [
            name
            for name in spec["chunks"]
            if work.done(name, "chunk.mp4").read_bytes() != left
        ]
        if spoiled:
            raise TryAgain("join.damaged", "Damaged.", {"redo": spoiled})
        return whole(spec, work)

    room.steps["join"] = join
    arrival = room.film()
    room.until_handed_out("join")
    place = room.storage.path(f"work/{arrival.job}/done/encode-0002/chunk.mp4")
    place.write_bytes(b"some pictures 0r sounds")

    job = room.until_ended(arrival.job)

    assert job.state is JobState.DONE
    again = {name for name in room.ran if room.ran.count(name) > 1}
    assert again == {"encode-0002", "join"}


def test_what_the_disk_damages_every_time_ends_with_the_reason(
    room: ControlRoom,
) -> None:
    def join(spec: dict[str, Any], work: Work) -> dict[str, Any]:
        work.done("encode-0002", "chunk.mp4").read_bytes()
        raise TryAgain("join.damaged", "The disk.", {"redo": ["encode-0002"]})

    room.steps["join"] = join
    arrival = room.film()

    job = room.until_ended(arrival.job)

    assert job.state is JobState.FAILED
    assert reports.report(room.db, arrival.job).error_message == "The disk."
    tries = room.settings.queue.attempts
    assert room.ran.count("join") == room.ran.count("encode-0002") == tries


def test_a_result_that_was_moved_but_not_noted_is_not_done_again(
    room: ControlRoom,
) -> None:
    unit = _encode(room)
    room.run(unit)

    room.storage.commit(room.attempt(unit).place, f"work/{unit.job}/done/{unit.name}")
    room.restart()
    room.round()

    assert room.unit(unit.name)["state"] == "done"
    assert room.unit(unit.name)["node"] == nodes.own_name(room.settings)
    assert room.ran.count(unit.name) == 1


def test_the_machine_is_known_of_what_was_done_before_anybody_looked(
    room: ControlRoom,
) -> None:
    unit = _encode(room)
    room.run(unit)

    room.round()

    assert room.unit(unit.name)["state"] == "done"
    assert room.unit(unit.name)["node"] == nodes.own_name(room.settings)


def test_a_unit_whose_folder_was_never_made_is_handed_out_again(
    room: ControlRoom,
) -> None:
    unit = _encode(room)
    room.attempt(unit).throw_away()

    room.round()

    again = next(each for each in room.queued() if each.name == unit.name)
    assert again.attempt_key != unit.attempt_key
    assert room.attempt(again).spec() is not None


def test_a_worker_that_dies_loses_its_unit_at_once(room: ControlRoom) -> None:
    unit = _encode(room)
    with room.attempt(unit).claim() as ours:
        assert ours
        room.round()
        assert room.unit(unit.name)["state"] == "running"

    room.round()

    row = room.unit(unit.name)
    assert (row["state"], row["attempt"], row["failures"]) == ("queued", 2, 0)
    assert room.attempt(unit).spec() is None


def test_a_silent_worker_of_another_machine_loses_its_unit_with_the_lease(
    room: ControlRoom, clock: FixedClock
) -> None:
    unit = _encode(room)
    attempt = room.attempt(unit)
    (attempt.folder / "claim").write_text("another machine")
    attempt.beat(Heartbeat("2001-01-01", 0.5, 24))
    room.round()
    lease = room.settings.queue.lease_seconds

    clock.advance(seconds=lease - 1)
    room.round()
    kept = room.unit(unit.name)
    clock.advance(seconds=2)
    room.round()

    assert (kept["state"], kept["progress"], kept["fps"]) == ("running", 0.5, 24)
    assert room.unit(unit.name)["attempt"] == 2


def test_signs_of_life_lengthen_a_lease_whatever_the_clock_of_the_worker(
    room: ControlRoom, clock: FixedClock
) -> None:
    unit = _encode(room)
    attempt = room.attempt(unit)
    (attempt.folder / "claim").write_text("another machine")

    for beat in range(10):
        attempt.beat(Heartbeat(f"2001-01-0{beat}", beat / 10))
        clock.advance(seconds=room.settings.queue.lease_seconds - 1)
        room.round()

    row = room.unit(unit.name)
    assert (row["state"], row["attempt"], row["progress"]) == ("running", 1, 0.9)


def test_a_worker_given_up_can_spoil_nothing(room: ControlRoom) -> None:
    told: list[bool] = []

    def slow(_spec: dict[str, Any], work: Work) -> dict[str, Any]:
        room.attempt(unit).discard()
        told.append(work.cancelled())
        return {"file": "too late"}

    unit = _encode(room)
    room.steps["encode"] = slow
    room.run(unit)
    room.steps = steps()
    room.round()
    room.work()
    room.round()

    result = json.loads(room.unit(unit.name)["result"])
    assert told == [True]
    assert result == {"file": "chunk.mp4"}


def test_a_result_that_comes_as_the_unit_is_taken_back_still_counts(
    room: ControlRoom,
) -> None:
    unit = _encode(room)
    room.run(unit)

    taken_back = room.attempt(unit).discard()
    room.round()

    assert not taken_back
    assert room.unit(unit.name)["state"] == "done"


def test_hints_that_got_lost_are_repeated(room: ControlRoom, clock: FixedClock) -> None:
    unit = _encode(room)
    line = queue.line(room.settings, QueueName.CPU)
    line.huey.flush()
    clock.advance(seconds=5)

    room.round()

    assert line.waiting() >= len(room.queued())
    assert room.unit(unit.name)["attempt"] == 1


def test_a_second_hint_for_a_unit_does_nothing(room: ControlRoom) -> None:
    unit = _encode(room)
    room.run(unit)
    before = room.attempt(unit).report()
    room.steps["encode"] = _fails(TryAgain("never", "This must not run."))

    room.run(unit)

    assert room.attempt(unit).report() == before


def test_a_failing_step_is_tried_again_after_a_pause(room: ControlRoom) -> None:
    unit = _encode(room)
    room.steps["encode"] = _fails(TryAgain("process.stalled", "ffmpeg hung."))
    room.run(unit)
    room.round()
    paused = room.unit(unit.name)
    room.steps = steps()

    job = room.until_ended(unit.job)

    assert (paused["state"], paused["failures"]) == ("waiting", 1)
    assert paused["error_message"] == "ffmpeg hung."
    assert job.state is JobState.DONE
    assert room.unit(unit.name)["error_message"] == ""


def test_an_encoder_that_somebody_kills_counts_as_no_failure(
    room: ControlRoom,
) -> None:
    unit = _encode(room)
    room.steps["encode"] = _fails(TryAgain("process.killed", "ffmpeg was killed."))
    room.run(unit)
    room.round()
    row = room.unit(unit.name)
    room.steps = steps()

    job = room.until_ended(unit.job)

    assert (row["state"], row["attempt"], row["failures"]) == ("queued", 2, 0)
    assert job.state is JobState.DONE


def test_a_step_that_keeps_failing_fails_its_job_with_the_log(
    room: ControlRoom,
) -> None:
    error = TryAgain("process.stalled", "ffmpeg hung.", {"log_tail": "$ ffmpeg -i"})
    unit = _encode(room)
    room.steps["encode"] = _fails(error)

    job = room.until_ended(unit.job)

    assert (job.state, job.error_code) == (JobState.FAILED, "process.stalled")
    assert (job.error_message, job.log_tail) == ("ffmpeg hung.", "$ ffmpeg -i")
    assert room.ran.count(unit.name) == room.settings.queue.attempts


def test_a_bug_in_a_step_fails_its_unit_and_not_the_worker(room: ControlRoom) -> None:
    arrival = room.film()
    room.steps["inspect"] = lambda spec, _work: dict(spec["nothing of that name"])

    job = room.until_ended(arrival.job)

    assert job.error_code == "step.unexpected"
    assert "KeyError" in job.log_tail


def test_a_film_that_cannot_be_processed_is_refused_at_once(
    room: ControlRoom,
) -> None:
    arrival = room.film()
    room.steps["inspect"] = _fails(MediaError("media.no-video", "It has no picture."))

    job = room.until_ended(arrival.job)

    assert room.ran == ["inspect"]
    assert (job.state, job.error_message) == (JobState.FAILED, "It has no picture.")
    title = titles.by_slug(room.db, SYSTEM, arrival.title_slug)
    asset = assets.by_public_id(room.db, arrival.asset)
    assert (title.state, asset.state) == (TitleState.DRAFT, AssetState.FAILED)
    assert room.storage.existing(asset.source_path).read_bytes()
    assert not room.storage.path(f"work/{arrival.job}").exists()


def test_a_disk_that_fills_up_fails_the_job_and_frees_its_scratch(
    room: ControlRoom,
) -> None:
    unit = _encode(room)

    def fill(_spec: dict[str, Any], work: Work) -> dict[str, Any]:
        (work.folder / "half.mp4").write_bytes(b"half a chunk")
        raise StorageFull("storage.full", "The disk is full.")

    room.steps["encode"] = fill
    room.run(unit)
    left = sorted(path.name for path in room.attempt(unit).folder.iterdir())
    job = room.until_ended(unit.job)

    assert left == ["claim", "heartbeat.json", "result.json", "spec.json"]
    assert job.error_code == "storage.full"
    assert not room.storage.path(f"work/{unit.job}").exists()


def test_a_result_that_finds_the_disk_full_makes_room_and_says_so(
    room: ControlRoom,
) -> None:
    unit = _encode(room)
    folder = room.attempt(unit).folder
    (folder / ".result.json.part").symlink_to("/dev/full")

    room.run(unit)

    report = room.attempt(unit).report()
    assert report is not None
    assert report["error"]["code"] == "storage.full"
    assert not (folder / "chunk.mp4").exists()


def test_one_failure_cancels_what_else_the_job_would_do(room: ControlRoom) -> None:
    room.film()
    room.until_handed_out("encode-0001")
    first, second, *_ = (u for u in room.queued() if u.step == "encode")
    room.steps["encode"] = _fails(MediaError("media.broken", "It breaks off."))

    with room.attempt(second).claim():
        room.run(first)
        room.round()

        assert room.unit(second.name)["state"] == "cancelled"
        assert room.attempt(second).taken_back


def test_units_that_kill_every_worker_fail_in_the_end(room: ControlRoom) -> None:
    _encode(room)

    for _ in range(60):
        for unit in room.queued():
            with room.attempt(unit).claim():
                pass
        room.round()
        # From the fourth on it is not tried again at once.
        room.clock.advance(seconds=60)

    state = {row["state"] for row in room.db.rows("select state from jobs")}
    failed = room.db.one("select * from work_units where state = 'failed'")
    assert state == {"failed"}
    assert failed is not None
    assert failed["error_code"] == "work.lost"


def test_cancelling_stops_the_workers_and_keeps_the_source(room: ControlRoom) -> None:
    unit = _encode(room)
    with room.attempt(unit).claim():
        room.round()

        jobs.cancel(room.db, SYSTEM, unit.job)
        room.round(unit.job)

        assert room.attempt(unit).taken_back
    assert not room.storage.path(f"work/{unit.job}").exists()
    job = jobs.by_public_id(room.db, unit.job)
    assert job.state is JobState.CANCELLED
    asset = assets.by_id(room.db, job.asset_id)
    assert room.storage.existing(asset.source_path)
    assert titles.by_id(room.db, asset.title_id).state is TitleState.DRAFT


def test_a_cancelled_job_starts_anew_when_it_is_tried_again(room: ControlRoom) -> None:
    unit = _encode(room)
    jobs.cancel(room.db, SYSTEM, unit.job)
    room.round(unit.job)

    jobs.retry(room.db, SYSTEM, unit.job)
    job = room.until_ended(unit.job)

    assert job.state is JobState.DONE
    assert room.ran.count("inspect") == 2


def test_a_failed_job_goes_on_from_what_it_had_finished(room: ControlRoom) -> None:
    arrival = room.film()
    room.steps["package"] = _fails(TryAgain("process.failed", "The packager failed."))
    room.until_ended(arrival.job)
    room.steps = steps()
    room.ran.clear()

    jobs.retry(room.db, SYSTEM, arrival.job)
    job = room.until_ended(arrival.job)

    assert job.state is JobState.DONE
    assert "package" in room.ran
    assert not [name for name in room.ran if name.startswith(("encode", "inspect"))]


def test_the_scratch_of_a_failed_job_goes_after_a_day(
    room: ControlRoom, clock: FixedClock
) -> None:
    arrival = room.film()
    room.steps["package"] = _fails(TryAgain("process.failed", "The packager failed."))
    room.until_ended(arrival.job)
    kept = room.storage.path(f"work/{arrival.job}")
    scratch.sweep(room.db, room.storage)
    at_first = kept.exists()

    clock.advance(days=1, minutes=1)
    scratch.sweep(room.db, room.storage)

    assert (at_first, kept.exists()) == (True, False)


def test_scratch_of_nothing_is_swept_away(room: ControlRoom) -> None:
    unit = _encode(room)
    room.storage.write("work/0123456789abcdef/attempts/x/part.mp4", b"of no job")
    room.storage.write(f"work/{unit.job}/attempts/stray/part.mp4", b"of no attempt")

    scratch.sweep(room.db, room.storage)

    assert not room.storage.path("work/0123456789abcdef").exists()
    assert not room.storage.path(f"work/{unit.job}/attempts/stray").exists()
    assert room.attempt(unit).spec() is not None


def test_removing_a_title_stops_its_work(room: ControlRoom) -> None:
    unit = _encode(room)
    slug = room.db.value("select slug from titles")
    with room.attempt(unit).claim():
        titles.remove(room.db, room.storage, SYSTEM, slug)

        assert room.attempt(unit).taken_back
    room.round(unit.job)
    assert not room.storage.path(f"work/{unit.job}").exists()


def test_a_report_tells_how_far_each_step_is(
    room: ControlRoom, clock: FixedClock
) -> None:
    unit = _encode(room)
    attempt = room.attempt(unit)
    with attempt.claim():
        room.round()
        clock.advance(seconds=10)
        attempt.beat(Heartbeat("2026-01-02T12:00:10.000000Z", 0.5, 48.0))
        room.round()
        report = reports.report(room.db, unit.job)

    by_name = {step.name: step for step in report.steps}
    assert by_name["inspect"].percent == 100
    assert by_name["encode"].state == "running"
    assert by_name["encode"].percent == pytest.approx(100 * 0.5 / CHUNKS, abs=0.1)
    assert by_name["encode"].fps == 48
    assert by_name["encode"].eta_seconds == pytest.approx(20 * (CHUNKS - 0.5), abs=2)
    assert [each.percent for each in report.renditions] == [by_name["encode"].percent]
    assert 0 < report.percent < 100


def _encode(room: ControlRoom) -> Any:
    room.film()
    return room.until_handed_out("encode-0000")


def _fails(error: MatineeError) -> Step:
    def step(_spec: dict[str, Any], _work: Work) -> dict[str, Any]:
        raise error

    return step
