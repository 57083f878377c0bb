"""Backups in the Studio and over the API: what is kept, and one made now."""

import pytest
from flask.testing import FlaskClient

from appliance.clock import FixedClock
from appliance.db import Database
from appliance.errors import StorageFull
from appliance.operations.backups import recovery, runs
from appliance.operations.backups.runs import RunKind, RunState
from appliance.permissions import SYSTEM, Role
from appliance.settings import Settings
from appliance.storage import Storage
from jobs.backing_up import Backing
from jobs.errands import at_once
from tests.conftest import SignIn

PAGE, API = "/studio/backups", "/api/v1/system/backups"
NAME = "20260102T120000Z-abcdef"


@pytest.fixture
def admin(client: FlaskClient, sign_in: SignIn) -> FlaskClient:
    sign_in(client, Role.ADMINISTRATOR, "root")
    return client


@pytest.fixture
def backing(settings: Settings, storage: Storage) -> Backing:
    return Backing(storage, settings, at_once)


@pytest.mark.parametrize("path", [PAGE, API])
def test_only_administrators_see_backups(
    client: FlaskClient, sign_in: SignIn, path: str
) -> None:
    assert client.get(path).status_code in (302, 401)
    sign_in(client, Role.PUBLISHER)
    assert client.get(path).status_code == 403
    assert client.post(path).status_code == 403


def test_without_a_recovery_key_the_page_says_how_to_make_one(
    admin: FlaskClient,
) -> None:
    page = admin.get(PAGE).text
    assert "matinee backup key new" in page
    assert "Make one now" not in page


def test_a_backup_is_asked_for_made_and_verified(
    admin: FlaskClient, db: Database, settings: Settings, backing: Backing
) -> None:
    recovery.make(settings)
    answer = admin.post(PAGE, follow_redirects=True)
    assert "goes on without this page" in answer.text
    assert "Waiting" in answer.text
    assert "was asked for already" in admin.post(PAGE, follow_redirects=True).text

    backing.look(db)

    (made,) = runs.kept(db)
    assert made.asked_by == "root"
    page = admin.get(PAGE).text
    assert made.name in page
    assert "not copied" in page
    admin.post(f"{PAGE}/{made.name}/verify")
    backing.look(db)
    verified = runs.last(db, RunKind.VERIFY, RunState.DONE)
    assert verified is not None
    assert verified.name == made.name
    assert admin.post(f"{PAGE}/20200101T000000Z-000000/verify").status_code == 404


def test_what_went_wrong_stands_there(
    admin: FlaskClient, db: Database, backing: Backing
) -> None:
    runs.ask(db, SYSTEM, RunKind.CREATE)
    backing.look(db)  # there is no recovery key
    assert "nobody could open a backup" in admin.get(PAGE).text
    run = runs.begin(db, SYSTEM, RunKind.CREATE, "/mnt")
    runs.failed(db, SYSTEM, run, "", StorageFull("backup.full", "<b>It is full."))
    assert "&lt;b&gt;It is full." in admin.get(PAGE).text


def test_the_api_lists_and_begins_them(
    admin: FlaskClient,
    db: Database,
    settings: Settings,
    clock: FixedClock,
    backing: Backing,
) -> None:
    recovery.make(settings)
    begun = admin.post(API)
    assert begun.status_code == 202
    assert begun.get_json()["state"] == "waiting"
    assert admin.post(API).status_code == 409
    backing.look(db)
    document = admin.get(API).get_json()
    (backup,) = document["backups"]
    assert backup["verified_at"] is None
    assert backup["facts"]["media"] == "none"
    assert [each["kind"] for each in document["runs"]] == ["create"]
    asked = admin.post(f"{API}/last/verify")
    assert asked.status_code == 202
    backing.look(db)
    (backup,) = admin.get(API).get_json()["backups"]
    assert backup["verified_at"] is not None
    assert admin.post(f"{API}/nothing/verify").status_code == 404
