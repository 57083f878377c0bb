"""Work that no machine can do: it is said, with what to do about it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from appliance.db import Database, write
from appliance.media import jobs
from appliance.permissions import Role
from appliance.storage import Storage
from jobs import staffing
from jobs.machines import nodes
from tests.builders import Builders
from tests.conftest import Matinee, SignIn

SEALED = {"encryption": {"sealed": "keys"}}
INSTALLED = {"tracks": [{"path": "packages/film/tracks/video"}]}
Unit = Callable[..., str]


@pytest.fixture
def unit(db: Database, make: Builders) -> Unit:
    """``unit("package", spec)``: a job with one unit that waits; return the job."""

    def made(step: str, spec: dict[str, Any] | None = None, queue: str = "cpu") -> str:
        job = make.job(make.asset(state="uploaded"), state="running")
        row = {
            "job_id": jobs.by_public_id(db, job).id,
            "name": step,
            "step": step,
            "state": "waiting",
            "queue": queue,
            "spec": json.dumps(spec or {}),
        }
        with write(db):
            db.table("work_units").insert(row)
        return job

    return made


def _machine(storage: Storage, name: str, **told: Any) -> None:
    """Announce a machine of another kernel; one that is ``far`` has no folder."""
    key = f"{nodes.FAR}{name}" if told.pop("far", False) else name
    text = json.dumps({"name": name, "place": "elsewhere", "slots": {"cpu": 2}, **told})
    storage.write(nodes.FOLDER / f"{key}.json", text.encode())


def _sentences(db: Database, storage: Storage, job: str = "") -> list[str]:
    return [each.sentence for each in staffing.lacks(db, storage, job)]


def test_without_a_media_worker_it_is_said_that_films_wait(
    db: Database, storage: Storage, unit: Unit
) -> None:
    nothing_waits = _sentences(db, storage)
    unit("encode")

    assert nothing_waits == []
    assert _sentences(db, storage) == ["No media worker is at work: films wait."]
    _machine(storage, "one", refused="Its ffmpeg is another.")
    assert _sentences(db, storage)[0].startswith("Every media worker is draining")
    _machine(storage, "two")
    assert _sentences(db, storage) == []


@pytest.mark.parametrize(
    ("step", "spec", "queue", "machine", "said"),
    [
        (
            "encode",
            {},
            "cpu",
            {"slots": {"gpu": 1}},
            "has the role cpu, which",
        ),
        ("speech", {}, "speech", {}, "recognises speech"),
        ("decrypt", INSTALLED, "cpu", {"far": True}, "“Open” reads films"),
        ("package", SEALED, "cpu", {"far": True}, "has the worker key"),
        ("package", SEALED, "cpu", {}, "has the worker key"),
    ],
)
def test_what_no_machine_can_do_is_named_with_a_remedy(
    db: Database,
    storage: Storage,
    unit: Unit,
    step: str,
    spec: dict[str, Any],
    queue: str,
    machine: dict[str, Any],
    said: str,
) -> None:
    other, job = unit("audio"), unit(step, spec, queue)
    _machine(storage, "one", **machine)

    (lack,) = staffing.lacks(db, storage, job)

    assert said in lack.sentence
    assert lack.fix
    if machine.get("slots") is None:
        assert _sentences(db, storage, other) == []


def test_a_far_machine_with_the_worker_key_makes_protected_films(
    db: Database, storage: Storage, unit: Unit
) -> None:
    unit("package", SEALED)
    _machine(storage, "one", far=True, unseals=True)

    assert _sentences(db, storage) == []


def test_a_job_that_is_paused_needs_nobody(
    db: Database, storage: Storage, unit: Unit
) -> None:
    unit("encode")
    db.conn.execute("update jobs set paused = 1")

    assert _sentences(db, storage) == []


def test_the_job_page_the_command_and_the_api_say_it(
    client: FlaskClient,
    sign_in: SignIn,
    matinee: Matinee,
    storage: Storage,
    unit: Unit,
) -> None:
    sign_in(client, Role.PUBLISHER)
    job = unit("package", SEALED)
    _machine(storage, "one", far=True)

    page = client.get(f"/studio/jobs/{job}").get_data(as_text=True)
    told = client.get(f"/api/v1/jobs/{job}/units").get_json()
    shown = matinee("job", "show", job).stdout

    for text in (page, told["lacks"][0]["sentence"], shown):
        assert "no machine at work has the worker key" in text
    assert "Copy worker.key" in page
    assert "Copy worker.key" in shown


def test_doctor_warns_of_machines_that_can_not_make_protected_films(
    matinee: Matinee, storage: Storage, make: Builders, db: Database
) -> None:
    _machine(storage, "one", far=True)
    before = _doctor(matinee)
    make.title("Secret")
    db.conn.execute("update titles set protected = 1")

    after = _doctor(matinee)

    assert before["level"] == "ok"
    assert (after["level"], "worker key" in after["sentence"]) == ("warn", True)
    assert "worker.key" in after["fix"]


def _doctor(matinee: Matinee) -> dict[str, str]:
    checks = json.loads(matinee("doctor", "--json").stdout)["checks"]
    found: dict[str, str] = next(
        each for each in checks if each["id"] == "jobs.media_workers"
    )
    return found
