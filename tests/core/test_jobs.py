"""Jobs: created, retried and cancelled by people, reported to those who wait."""

import json

import pytest

from appliance.catalog import states, titles
from appliance.catalog.titles import TitleState
from appliance.db import Database
from appliance.errors import Conflict, Forbidden, NotFound
from appliance.events import Event, latest
from appliance.media import assets, jobs, pieces, reports, transitions, units
from appliance.media.jobs import JobState
from appliance.media.units import Failure
from appliance.permissions import SYSTEM, Role
from tests.builders import Builders


def test_a_title_shows_that_its_film_is_being_processed(
    db: Database, make: Builders
) -> None:
    title = make.title(state="draft")
    asset = make.asset(title, state="uploaded")

    job = jobs.create(db, SYSTEM, asset.id)

    assert titles.by_id(db, title.id).state is TitleState.PROCESSING
    assert jobs.unfinished(db) == [job.public_id]


def test_a_job_that_fails_says_why_and_frees_its_title(
    db: Database, make: Builders
) -> None:
    title = make.title(state="draft")
    asset = make.asset(title, state="uploaded")
    job = jobs.create(db, SYSTEM, asset.id)

    jobs.fail(db, job, Failure("media.broken", "It breaks off.", log_tail="$ ffmpeg"))

    report = reports.report(db, job.public_id)
    assert (report.error_code, report.error_message) == (
        "media.broken",
        "It breaks off.",
    )
    assert report.log_tail == "$ ffmpeg"
    assert titles.by_id(db, title.id).state is TitleState.DRAFT
    assert Event.JOB_FAIL in {each.name for each in latest(db)}


def test_a_cancelled_job_can_be_tried_again_and_a_running_one_not(
    db: Database, make: Builders
) -> None:
    title = make.title(state="draft")
    job = jobs.create(db, SYSTEM, make.asset(title, state="uploaded").id)
    publisher = make.actor(Role.PUBLISHER)
    with pytest.raises(Conflict):
        jobs.retry(db, publisher, job.public_id)
    jobs.cancel(db, publisher, job.public_id)

    again = jobs.retry(db, publisher, job.public_id)

    assert again.state is JobState.QUEUED
    assert titles.by_id(db, title.id).state is TitleState.PROCESSING


def test_a_job_that_has_ended_can_not_be_cancelled(
    db: Database, make: Builders
) -> None:
    job = make.job(make.asset(), state="done")

    with pytest.raises(Conflict, match="has ended"):
        jobs.cancel(db, SYSTEM, job)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.CONTRIBUTOR])
def test_only_publishers_control_jobs(db: Database, make: Builders, role: Role) -> None:
    job = make.job(make.asset(), state="failed")

    with pytest.raises(Forbidden):
        jobs.retry(db, make.actor(role), job)


def test_a_failing_new_cut_leaves_the_ready_asset_ready(
    db: Database, make: Builders
) -> None:
    title = make.title(state="published")
    ready = make.asset(title)
    job = jobs.create(db, SYSTEM, make.asset(title, state="uploaded").id)

    jobs.fail(db, job, Failure("media.broken", "It breaks off."))

    playable = assets.playable(db, title.id)
    assert playable is not None
    assert playable.id == ready.id
    assert titles.by_id(db, title.id).state is TitleState.PUBLISHED


def test_jobs_wait_in_the_order_of_priority_and_age(
    db: Database, make: Builders
) -> None:
    first = make.job(make.asset(), state="queued")
    second = make.job(make.asset(), state="queued")
    urgent = make.job(make.asset(), state="queued", priority=1)
    make.job(make.asset(), state="done", priority=9)

    places = {
        job: reports.report(db, job).queue_position for job in (urgent, first, second)
    }

    assert places == {urgent: None, first: 2, second: 3}
    assert jobs.unfinished(db) == [urgent, first, second]


def test_a_contributor_sees_jobs_of_the_titles_they_may_see(
    db: Database, make: Builders
) -> None:
    contributor = make.actor(Role.CONTRIBUTOR)
    own = make.job(make.asset(make.title(state="draft", actor=contributor)))
    make.job(make.asset(make.title(state="draft")))

    seen = reports.listing(db, contributor)

    assert [each.job for each in seen] == [own]
    assert len(reports.listing(db, SYSTEM)) == 2


def test_jobs_are_listed_by_state_with_the_newest_first(
    db: Database, make: Builders
) -> None:
    make.job(make.asset(), state="done")
    older = make.job(make.asset(), state="failed")
    newer = make.job(make.asset(), state="failed")

    failed = reports.listing(db, SYSTEM, state=JobState.FAILED)

    assert [each.job for each in failed] == [newer, older]


def test_an_unknown_job_is_not_found(db: Database) -> None:
    with pytest.raises(NotFound):
        reports.report(db, "0123456789abcdef")


def test_the_newest_job_of_a_title_is_reported(db: Database, make: Builders) -> None:
    asset = make.asset()
    make.job(asset, state="failed")
    newest = make.job(asset, state="running")

    report = reports.latest_of_title(db, asset.title_id)

    assert report is not None
    assert (report.job, report.percent) == (newest, 0)
    assert reports.latest_of_title(db, make.title().id) is None


def test_a_job_of_a_title_in_the_archive_can_still_fail(
    db: Database, make: Builders
) -> None:
    title = make.title(state="ready")
    job = jobs.create(db, SYSTEM, make.asset(title, state="uploaded").id)
    states.archive(db, SYSTEM, title.slug)

    jobs.fail(db, job, Failure("media.broken", "It breaks off."))

    assert titles.by_id(db, title.id).state is TitleState.ARCHIVED


def test_what_encoded_a_film_is_known_when_its_job_has_ended(
    db: Database, make: Builders
) -> None:
    job = jobs.create(db, SYSTEM, make.asset(state="uploaded").id)
    encoder = {"family": "vaapi", "codec": "h264"}
    spec = {"renditions": [], "encoder": encoder, "source": "a/long/story"}
    for number in range(2):
        row = {"job_id": job.id, "name": f"encode-000{number}", "step": "encode"}
        row |= {"state": "queued", "attempt_key": f"k{number}", "attempt": 1}
        db.table("work_units").insert(row | {"spec": json.dumps(spec)})
    for unit in units.active(db):
        transitions.done(db, unit, {}, f"rack-{unit.id}")

    transitions.slim(db, job.id)

    (step,) = reports.report(db, job.public_id).steps
    assert (step.encoder, step.fallback) == ("vaapi", "")
    assert [(each.node, each.done) for each in step.shares] == [
        ("rack-1", 1),
        ("rack-2", 1),
    ]
    assert [each.node for each in pieces.of_job(db, job.public_id)] == [
        "rack-1",
        "rack-2",
    ]
