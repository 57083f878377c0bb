"""Jobs in the Studio: how far they are, why they failed, and who may control them."""

import json
import secrets

import pytest
from flask.testing import FlaskClient

from appliance.db import Database, write
from appliance.media import jobs
from appliance.permissions import Role
from tests.builders import Builders
from tests.conftest import SignIn


def running_job(make: Builders, db: Database) -> str:
    """Make a job whose encoding is half done, a minute after it began."""
    asset = make.asset(make.title("Orchard", state="processing"), state="processing")
    job = make.job(asset, state="running", started_at=db.now(seconds=-60))
    key = jobs.by_public_id(db, job).id
    renditions = [{"name": "360p", "width": 640, "height": 360}]
    common = {"job_id": key, "attempt": 1, "started_at": db.now(seconds=-60)}
    with write(db):
        table = db.table("work_units")
        for number, state in enumerate(("done", "running")):
            table.insert(
                {
                    **common,
                    "name": f"encode-{number:04}",
                    "step": "encode",
                    "position": number,
                    "weight": 10,
                    "state": state,
                    "progress": 1 if state == "done" else 0.5,
                    "fps": 48.0 if state == "running" else None,
                    "heartbeat_at": db.now(),
                    "ended_at": db.now(seconds=-30) if state == "done" else None,
                    "attempt_key": secrets.token_hex(4),
                    "spec": json.dumps({"renditions": renditions}),
                }
            )
    return job


def failed_job(make: Builders, title: str = "Broken") -> str:
    asset = make.asset(make.title(title, state="draft"), state="failed")
    return make.job(
        asset,
        state="failed",
        error_code="media.truncated",
        error_message="The file is cut off: copy it again.",
        log_tail="moov atom <not> found",
    )


def test_a_running_job_tells_how_far_each_rendition_is(
    client: FlaskClient, sign_in: SignIn, make: Builders, db: Database
) -> None:
    sign_in(client, Role.CONTRIBUTOR)
    sign_in(client, Role.PUBLISHER)
    job = running_job(make, db)

    report = client.get(f"/studio/jobs/{job}.json").get_json()
    page = client.get(f"/studio/jobs/{job}").get_data(as_text=True)

    assert (report["state"], report["percent"]) == ("running", 75.0)
    (rendition,) = report["renditions"]
    assert (rendition["name"], rendition["percent"]) == ("360p", 75.0)
    assert (rendition["fps"], rendition["eta_seconds"] > 0) == (48.0, True)
    assert "360p" in page
    assert f'data-job="/studio/jobs/{job}.json"' in page
    assert "75 %" in page


def test_a_failed_job_shows_the_reason_and_the_log(
    client: FlaskClient, sign_in: SignIn, make: Builders
) -> None:
    sign_in(client, Role.PUBLISHER)
    job = failed_job(make)

    page = client.get(f"/studio/jobs/{job}").get_data(as_text=True)

    assert "The file is cut off: copy it again." in page
    assert "moov atom &lt;not&gt; found" in page
    assert "Try again" in page


def test_a_failed_job_is_tried_again(
    client: FlaskClient, sign_in: SignIn, make: Builders, db: Database
) -> None:
    sign_in(client, Role.PUBLISHER)
    job = failed_job(make)

    answer = client.post(f"/studio/jobs/{job}/retry")

    assert answer.location == f"/studio/jobs/{job}"
    assert jobs.by_public_id(db, job).state == "queued"


def test_a_job_is_cancelled_after_a_question(
    client: FlaskClient, sign_in: SignIn, make: Builders, db: Database
) -> None:
    sign_in(client, Role.PUBLISHER)
    job = running_job(make, db)
    path = f"/studio/jobs/{job}/cancel"

    assert "Cancel the processing of “Orchard”?" in client.get(path).get_data(
        as_text=True
    )
    client.post(path)

    assert jobs.by_public_id(db, job).state == "cancelled"


def test_contributors_watch_jobs_of_titles_they_see_and_control_none(
    client: FlaskClient, sign_in: SignIn, make: Builders
) -> None:
    actor = sign_in(client, Role.CONTRIBUTOR)
    own = make.title("Mine", state="processing", actor=actor)
    mine = make.job(make.asset(own, state="processing"), state="running")
    theirs = failed_job(make, "Secret")

    assert client.get(f"/studio/jobs/{mine}").status_code == 200
    assert client.get(f"/studio/jobs/{theirs}").status_code == 404
    assert client.get(f"/studio/jobs/{theirs}.json").status_code == 404
    assert client.post(f"/studio/jobs/{mine}/cancel").status_code == 403
    listed = client.get("/studio/jobs").get_data(as_text=True)
    assert "Mine" in listed
    assert "Secret" not in listed


@pytest.mark.parametrize("state", ["queued", "running", "failed", "done", "cancelled"])
def test_jobs_are_listed_by_state(
    client: FlaskClient, sign_in: SignIn, make: Builders, state: str
) -> None:
    sign_in(client, Role.PUBLISHER)
    for each in ("queued", "running", "failed", "done", "cancelled"):
        make.job(make.asset(make.title(f"The {each} one")), state=each)

    page = client.get(f"/studio/jobs?state={state}").get_data(as_text=True)

    assert f"The {state} one" in page
    assert page.count('<a class="strong"') == 1


def test_a_job_that_is_not_there_is_not_found(
    client: FlaskClient, sign_in: SignIn
) -> None:
    sign_in(client, Role.PUBLISHER)

    assert client.get("/studio/jobs/0123456789abcdef").status_code == 404
    assert client.post("/studio/jobs/0123456789abcdef/retry").status_code == 404


def test_the_jobs_page_shows_what_is_at_work_and_what_waits(
    client: FlaskClient, sign_in: SignIn, make: Builders, db: Database
) -> None:
    sign_in(client, Role.ADMINISTRATOR)
    running_job(make, db)
    with write(db):
        db.conn.execute(
            "update work_units set state = 'waiting' where name = 'encode-0001'"
        )
        db.conn.execute(
            "insert into work_units (job_id, name, step, needs)"
            " select id, 'join', 'join', '[\"encode-0001\"]' from jobs"
        )

    page = client.get("/studio/jobs").get_data(as_text=True)

    assert "0 running, 1 ready, 1 after them" in page
