"""The command ``matinee job``, as somebody at a terminal or a program uses it."""

import json

import pytest

from appliance.db import Database, write
from appliance.media import jobs
from appliance.media.jobs import JobState
from appliance.media.units import Failure
from appliance.permissions import SYSTEM
from tests.builders import Builders
from tests.conftest import Matinee


@pytest.fixture
def failed(db: Database, make: Builders) -> str:
    """A job that failed, with its reason and the tail of its log."""
    title = make.title("The River", state="draft", slug="the-river")
    job = jobs.create(db, SYSTEM, make.asset(title, state="uploaded").id)
    why = Failure("media.broken", "It breaks off.", log_tail="$ ffmpeg -i film.mp4")
    jobs.fail(db, job, why)
    return job.public_id


def test_jobs_are_listed_for_people_and_for_programs(
    matinee: Matinee, failed: str
) -> None:
    text = matinee("job", "list").stdout
    document = json.loads(matinee("job", "list", "--state", "failed", "--json").stdout)

    assert failed in text
    assert [(each["job"], each["title_slug"]) for each in document] == [
        (failed, "the-river")
    ]
    assert json.loads(matinee("job", "list", "--state", "done", "--json").stdout) == []


def test_showing_a_failed_job_tells_the_reason_and_the_log(
    matinee: Matinee, failed: str
) -> None:
    shown = matinee("job", "show", failed).stdout

    assert "Failed: It breaks off." in shown
    assert "$ ffmpeg -i film.mp4" in shown


def test_showing_a_running_job_tells_how_far_each_step_is(
    matinee: Matinee, db: Database, make: Builders
) -> None:
    job = make.job(make.asset(), state="running")
    with write(db):
        db.conn.execute(
            """
            insert into work_units (job_id, name, step, state, progress, fps)
            select id, 'encode-0000', 'encode', 'running', 0.25, 31 from jobs
            where public_id = ?
            """,
            (job,),
        )

    shown = matinee("job", "show", job).stdout

    assert "Encode      running      25 %  31 fps" in shown


def test_showing_a_job_tells_which_machine_did_what_and_what_fell_back(
    matinee: Matinee, db: Database, make: Builders
) -> None:
    job = make.job(make.asset(), state="running")
    why = "The processor encodes H.264 in place of VA-API. rack-1: It hung."
    spec = {"encoder": {"codec": "h264", "family": "software", "fallback": why}}
    key = jobs.by_public_id(db, job).id
    with write(db):
        for number, (state, node) in enumerate(
            [("done", "rack-1"), ("done", "rack-2"), ("running", "rack-2")]
        ):
            row = {
                "job_id": key,
                "name": f"encode-{number:04}",
                "step": "encode",
                "state": state,
                "node": node,
                "spec": json.dumps(spec),
            }
            db.table("work_units").insert(row)

    shown = matinee("job", "show", job, "--units").stdout
    document = json.loads(matinee("job", "show", job, "--units", "--json").stdout)

    assert "by rack-1 (1), rack-2 (1, 1 running)" in shown
    assert why in shown
    assert "encode-0002         running              rack-2" in shown
    (step,) = document["steps"]
    assert (step["encoder"], step["fallback"]) == ("software", why)
    assert [each["node"] for each in document["units"]] == [
        "rack-1",
        "rack-2",
        "rack-2",
    ]


def test_a_failed_job_is_tried_again(
    matinee: Matinee, failed: str, db: Database
) -> None:
    result = matinee("job", "retry", failed, "--json")

    assert json.loads(result.stdout) == {"job": failed, "state": "queued"}
    assert jobs.by_public_id(db, failed).state is JobState.QUEUED


def test_a_job_is_cancelled_only_when_that_is_confirmed(
    matinee: Matinee, failed: str, db: Database
) -> None:
    jobs.retry(db, SYSTEM, failed)

    refused = matinee("job", "cancel", failed)
    still_open = jobs.by_public_id(db, failed).open
    done = matinee("job", "cancel", failed, "--yes")

    assert (refused.exit_code, still_open, done.exit_code) == (2, True, 0)
    assert jobs.by_public_id(db, failed).state is JobState.CANCELLED


def test_watching_a_job_that_failed_fails_with_its_reason(
    matinee: Matinee, failed: str
) -> None:
    result = matinee("job", "watch", failed)

    assert result.exit_code == 1
    assert "It breaks off." in result.stderr


def test_watching_a_job_that_is_done_succeeds(matinee: Matinee, make: Builders) -> None:
    job = make.job(make.asset(), state="done")

    result = matinee("job", "watch", job, "--json")

    assert result.exit_code == 0
    assert json.loads(result.stdout)["percent"] == 100


@pytest.mark.parametrize("verb", ["show", "retry", "watch"])
def test_an_unknown_job_is_not_found(matinee: Matinee, verb: str) -> None:
    result = matinee("job", verb, "0123456789abcdef")

    assert result.exit_code == 4
    assert "There is no job" in result.stderr
