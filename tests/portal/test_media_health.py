"""Alive and ready: what whoever watches over the server is told."""

from flask.testing import FlaskClient

from appliance import migrations
from appliance.db import Database
from appliance.settings import Settings


def test_a_process_is_live_without_touching_anything(
    client: FlaskClient, settings: Settings
) -> None:
    settings.database.unlink()

    answer = client.get("/-/live")

    assert (answer.status_code, answer.get_json()) == (200, {"status": "live"})
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_whole_installation_is_ready_and_nothing_is_left_behind(
    client: FlaskClient, settings: Settings
) -> None:
    answer = client.get("/-/ready")

    assert (answer.status_code, answer.get_json()) == (200, {"status": "ready"})
    assert list(settings.media.iterdir()) == []


def test_without_its_database_it_is_not_ready(
    client: FlaskClient, settings: Settings
) -> None:
    settings.database.unlink()

    answer = client.get("/-/ready")

    assert (answer.status_code, answer.get_json()["code"]) == (503, "database.missing")


def test_with_an_old_database_it_is_not_ready(
    client: FlaskClient, db: Database
) -> None:
    newest = [each.name for each in migrations.migrations.applied(db)][-1]
    db.conn.execute("delete from _sqlite_migrations where name = ?", (newest,))

    answer = client.get("/-/ready")

    assert (answer.status_code, answer.get_json()["code"]) == (503, "database.old")


def test_with_a_storage_that_takes_no_files_it_is_not_ready(
    client: FlaskClient, settings: Settings
) -> None:
    settings.media.rmdir()
    settings.media.write_text("a file where the folder should be")

    answer = client.get("/-/ready")

    assert (answer.status_code, answer.get_json()["code"]) == (
        503,
        "storage.read-only",
    )
