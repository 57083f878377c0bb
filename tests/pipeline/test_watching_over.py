"""Somebody looks every minute; and somebody else when that one is dead or hangs."""

import fcntl
import json
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from appliance import clock as clocks
from appliance import db as database
from appliance.checks import watch
from appliance.clock import SystemClock
from appliance.operations import health, mail
from appliance.operations.findings import Level
from appliance.permissions import SYSTEM
from appliance.settings import Settings
from tests.conftest import Matinee
from tests.doubles.mail_server import MailServer, mail_server
from tests.pipeline.served_home import MATINEE, ServedHome, served_home, until

CONTROL = "jobs.worker_alive"


@pytest.fixture
def post() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


def test_the_control_worker_leaves_what_it_finds(tmp_path: Path) -> None:
    with served_home(tmp_path / "home") as served:
        served.start()

        found = until(lambda: health.read(served.settings))

        levels = {each.id: each.level for each in found.findings}
        assert levels[CONTROL] is Level.OK
        assert levels[watch.WATCHING] is Level.OK
        assert _looked(served) is False


def _looked(served: ServedHome) -> bool:
    command = [MATINEE, "alert", "watch", "--json"]
    said = subprocess.run(
        command, env=served.environment, capture_output=True, check=True
    )
    return bool(json.loads(said.stdout)["looked"])


def test_a_dead_control_worker_is_told_by_mail_by_somebody_else(
    settings: Settings,
    matinee: Matinee,
    post: MailServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in (
        ("MAIL_HOST", post.host),
        ("MAIL_PORT", str(post.port)),
        ("MAIL_SECURITY", "none"),
        ("MAIL_SENDER", "matinee@example.org"),
        ("MONITORING_ALERT_MINUTES", "0"),
    ):
        monkeypatch.setenv(f"MATINEE_{name}", value)
    with database.connect(settings.database) as db:
        mail.set_rule(db, SYSTEM, "alert:raise", ("admin@example.org",))

    first = json.loads(matinee("alert", "watch", "--json").stdout)
    again = json.loads(matinee("alert", "watch", "--json").stdout)

    assert first["looked"] is True
    assert CONTROL in {each["name"] for each in first["alerts"]}
    assert again == {"looked": True, "alerts": []}
    subjects = [str(each["Subject"]) for each in post.letters]
    assert len([each for each in subjects if CONTROL in each]) == 1


def test_a_control_worker_that_hangs_is_noticed(
    settings: Settings, matinee: Matinee, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MATINEE_MONITORING_ALERT_MINUTES", "0")
    long_ago = SystemClock().now() - timedelta(minutes=20)
    health.keep(settings, clocks.to_text(long_ago), [])
    with (settings.home / "control.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        told = json.loads(matinee("alert", "watch", "--json").stdout)

        assert watch.WATCHING in {each["name"] for each in told["alerts"]}
        # What it said last stays: it has not looked again.
        found = health.read(settings)
        assert found is not None
        assert found.at == clocks.to_text(long_ago)


def test_what_was_left_half_is_read_as_nothing(settings: Settings) -> None:
    place = settings.home / "state" / "health.json"
    place.parent.mkdir(exist_ok=True)
    for text in ("", "{", '{"at": "x"}', '{"at": "x", "findings": [{}]}'):
        place.write_text(text)
        assert health.read(settings) is None
