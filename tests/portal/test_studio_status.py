"""How the installation is, on a page of the Studio, and the same through the API."""

import json

import pytest
from flask.testing import FlaskClient

from appliance.checks import CHECKS
from appliance.clock import FixedClock
from appliance.db import Database
from appliance.operations import check_ups
from appliance.operations.backups import runs
from appliance.operations.backups.runs import RunKind
from appliance.operations.findings import Finding, Level
from appliance.permissions import SYSTEM, Role
from appliance.settings import Settings
from tests.conftest import Matinee, SignIn

PAGE, API = "/studio/status", "/api/v1/system/checks"


@pytest.fixture
def admin(client: FlaskClient, sign_in: SignIn) -> FlaskClient:
    sign_in(client, Role.ADMINISTRATOR, "root")
    return client


@pytest.mark.parametrize("path", [PAGE, API])
def test_only_administrators_see_how_the_machines_are(
    client: FlaskClient, sign_in: SignIn, path: str
) -> None:
    assert client.get(path).status_code in (302, 401)
    sign_in(client, Role.PUBLISHER)

    assert client.get(path).status_code == 403


def test_what_is_wrong_stands_there_with_its_repair(
    admin: FlaskClient, settings: Settings
) -> None:
    key = settings.keys / "open.key"
    key.parent.mkdir(exist_ok=True)
    key.touch(0o644)

    page = admin.get(PAGE).text

    assert "One check fails." in page
    assert f"others may read open.key in {settings.keys}" in page
    assert f"chmod 600 {settings.keys}/*.key" in page


def test_the_api_says_what_the_doctor_says(
    admin: FlaskClient, matinee: Matinee, settings: Settings
) -> None:
    said = admin.get(API).get_json()
    told = json.loads(matinee("doctor", "--json").stdout)

    def levels(document: dict[str, list[dict[str, str]]]) -> dict[str, str]:
        return {each["id"]: each["level"] for each in document["checks"]}

    assert set(said) == set(told) == {"ok", "checks"}
    assert levels(said) == levels(told)
    assert {frozenset(each) for each in said["checks"]} == {
        frozenset({"id", "level", "sentence", "fix"})
    }


def test_what_takes_long_stands_there_from_the_night_before(
    admin: FlaskClient, db: Database
) -> None:
    before = admin.get(PAGE).text
    odd = Finding("db.integrity", Level.FAIL, "the database is odd", "look at it")
    gone = Finding("no.such", Level.FAIL, "of a release before", "nothing")
    check_ups.note(db, SYSTEM, [odd, gone], [*CHECKS, "no.such"])

    after = admin.get(PAGE).text

    assert "db.integrity" not in before
    assert "the database is odd" in after
    assert "of a release before" not in after
    assert admin.get(API).get_json()["ok"] is False


def test_figures_of_work_and_backups_stand_there(
    admin: FlaskClient, db: Database, clock: FixedClock
) -> None:
    assert "No backup was made yet." in admin.get(PAGE).text
    run = runs.begin(db, SYSTEM, RunKind.CREATE, "/backups")
    runs.done(db, SYSTEM, run, "20260101-120000")
    clock.advance(hours=30)

    page = admin.get(PAGE).text

    assert "30 h" in page
    assert "since the last backup" in page


def test_the_menu_leads_there(admin: FlaskClient) -> None:
    assert f'href="{PAGE}"' in admin.get("/studio/jobs").text
