"""A disk that fills up, as people meet it: at the field, on the pages, in problems."""

from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance.clock import FixedClock
from appliance.db import Database
from appliance.permissions import Role
from appliance.settings import Settings, Uploads
from appliance.storage import Storage
from tests.conftest import SignIn
from tests.filling import Disks, disks
from tests.host.mounts import Mounts
from tests.portal.test_tus import FILM, begin, begun, send
from web import create_app


@pytest.fixture
def disk(settings: Settings, mounts: Mounts) -> Disks:
    found = disks(settings, mounts)
    found.settings = replace(found.settings, uploads=Uploads(from_urls=True))
    return found


@pytest.fixture
def app(disk: Disks, clock: FixedClock, storage: Storage) -> Flask:
    app = create_app(disk.settings, clock)
    app.testing = True
    return app


@pytest.fixture
def publisher(client: FlaskClient, sign_in: SignIn) -> FlaskClient:
    sign_in(client, Role.ADMINISTRATOR)
    return client


def test_an_upload_is_refused_with_a_sentence_and_leaves_nothing(
    publisher: FlaskClient, disk: Disks, db: Database
) -> None:
    disk.fill(55)

    answer = begin(publisher)

    assert answer.status_code == 507
    assert answer.get_json()["code"] == "storage.nearly-full"
    assert "below 60 % no film is taken" in answer.get_json()["detail"]
    assert db.value("select count(*) from uploads") == 0


def test_an_upload_under_way_stops_keeps_what_came_and_goes_on_later(
    publisher: FlaskClient, disk: Disks
) -> None:
    half = len(FILM) // 2
    url = begun(publisher)
    assert send(publisher, url, 0, FILM[:half]).status_code == 204
    disk.fill(55)

    refused = send(publisher, url, half, FILM[half:])

    assert refused.status_code == 507
    assert "What has arrived is kept" in refused.get_json()["detail"]
    disk.free()
    head = publisher.head(url, headers={"Tus-Resumable": "1.0.0"})
    assert head.headers["Upload-Offset"] == str(half)
    assert send(publisher, url, half, FILM[half:]).status_code == 204


def test_an_address_is_refused_at_its_field(
    publisher: FlaskClient, disk: Disks
) -> None:
    disk.fill(55)

    page = publisher.post(
        "/studio/fetches", data={"url": "https://films.example.org/one.mp4"}
    )

    assert page.status_code == 507
    assert 'id="url-error"' in page.text
    assert "below 60 % no film is taken" in page.text


def test_the_pages_of_jobs_say_that_none_is_begun(
    publisher: FlaskClient, disk: Disks
) -> None:
    assert "no work on films is begun" not in publisher.get("/studio/jobs").text
    disk.fill(65)
    assert "no work on films is begun below 70 %" in publisher.get("/studio/jobs").text
