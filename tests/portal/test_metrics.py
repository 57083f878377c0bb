"""Figures for Prometheus: right across processes, bounded, and for the house only."""

import os
import re
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from flask.testing import FlaskClient

from appliance.clock import FixedClock
from appliance.db import Database
from appliance.operations import health
from appliance.operations.findings import Finding, Level
from appliance.permissions import Role
from appliance.settings import Monitoring, Nginx, Portal, Settings
from tests import promtool
from tests.builders import Builders
from tests.conftest import SignIn
from tests.portal.mortal_server import mortal_server
from web import create_app
from web.monitoring.families import FAMILIES

_LINE = re.compile(r"(matinee_\w+)(\{.*\})? (\S+)")
SIGN_IN = 'matinee_http_requests_total{status="200",view="auth.login_page"}'


def told(text: str) -> dict[str, float]:
    """Return the value of each series, by its name with its labels."""
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            match = _LINE.fullmatch(line)
            assert match is not None, line
            found[f"{match[1]}{match[2] or ''}"] = float(match[3])
    return found


def test_prometheus_takes_all_of_it(
    client: FlaskClient, settings: Settings, db: Database
) -> None:
    finding = Finding("disk.media", Level.WARN, "little is free", "make room")
    health.keep(settings, db.now(seconds=-60), [finding])
    client.get("/login")
    client.get("/nothing-here")

    answer = client.get("/metrics")

    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    found = told(answer.text)
    assert (
        found['matinee_http_requests_total{status="200",view="auth.login_page"}'] == 1
    )
    assert found['matinee_http_requests_total{status="404",view="none"}'] == 1
    assert found["matinee_database_up"] == 1
    assert found["matinee_control_worker_up"] == 0
    assert found['matinee_finding{check="disk.media"}'] == 1
    assert found["matinee_findings_age_seconds"] == 60
    checked = promtool.run("check", "metrics", text=answer.text)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_figure_has_its_meaning_and_its_labels(client: FlaskClient) -> None:
    client.get("/login")
    text = client.get("/metrics").text

    for line in text.splitlines():
        if line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        assert match is not None
        name = re.sub(r"_(bucket|sum|count)$", "", match[1])
        family = FAMILIES.get(match[1]) or FAMILIES[name]
        assert set(re.findall(r'(\w+)="', match[2] or "")) <= set(family.labels)
        assert f"# HELP {match[1] if match[1] in FAMILIES else name} " in text


def test_no_title_account_or_address_is_in_a_figure(
    client: FlaskClient, sign_in: SignIn, make: Builders
) -> None:
    title = make.title("A Very Peculiar Film", state="published")
    sign_in(client, Role.VIEWER, username="somebody-peculiar")
    for address in (f"/title/{title.slug}", f"/api/v1/titles/{title.slug}", "/?q=1"):
        client.get(address)
    for number in range(200):
        client.get(f"/title/nothing-{number}?x={number}")
        client.get(f"/made-up-{number}/{number}")
        if number == 0:
            client.get("/metrics")
            before = set(told(client.get("/metrics").text))

    text = client.get("/metrics").text

    assert "peculiar" not in text.lower()
    assert "nothing-" not in text
    assert "made-up" not in text
    # After the first of each, 398 more addresses bring no figure of their own.
    assert set(told(text)) == before


def test_players_tell_how_well_they_play(
    client: FlaskClient, sign_in: SignIn, make: Builders
) -> None:
    title = make.title("Short Film")
    make.asset(title)
    sign_in(client, Role.VIEWER)
    opened = client.post("/api/v1/playback", json={"title": title.slug}).get_json()
    heartbeat = f"/api/v1/playback/{opened['session']}/heartbeat"
    for seq, quality in enumerate(
        (
            {"startup": 0.8, "buffering": 0.8, "stalls": 0, "bandwidth": 2_000_000},
            {"startup": 0.8, "buffering": 3.3, "stalls": 2, "bandwidth": 3_000_000},
            {"startup": 0.8, "buffering": 3.3, "stalls": 2, "bandwidth": 3_000_000},
        ),
        start=1,
    ):
        answer = client.post(
            heartbeat, json={"seq": seq, "position": seq, "quality": quality}
        )
        assert answer.status_code == 200

    found = told(client.get("/metrics").text)

    assert found['matinee_heartbeats_total{status="200"}'] == 3
    assert found["matinee_playback_stalls_total"] == 2
    assert found["matinee_playback_stalled_seconds_total"] == pytest.approx(3.3)
    assert found['matinee_playback_startup_seconds_bucket{le="1"}'] == 1
    assert found["matinee_playback_startup_seconds_count"] == 1
    assert found['matinee_playback_sessions{state="playing"}'] == 1
    assert found["matinee_playback_bandwidth_bytes"] == 375_000


def test_rows_are_counted(
    client: FlaskClient, make: Builders, db: Database, clock: FixedClock
) -> None:
    db.conn.execute(
        "insert into mails (public_id, recipient, template, next_at, created_at)"
        " values ('m', 'a@example.org', 'test', ?, ?)",
        (db.now(), db.now()),
    )

    found = told(client.get("/metrics").text)

    assert found['matinee_messages_waiting{kind="mail"}'] == 1
    assert found['matinee_jobs{state="failed"}'] == 0


@pytest.mark.parametrize(
    ("peer", "forwarded", "status"),
    [
        ("127.0.0.1", "", 200),
        ("::1", "", 200),
        ("::ffff:127.0.0.1", "", 200),
        ("", "", 200),
        ("127.0.0.1", "127.0.0.1", 200),
        ("192.0.2.7", "", 403),
        ("192.0.2.7", "127.0.0.1", 403),
        ("127.0.0.1", "192.0.2.7", 403),
        ("127.0.0.1", "127.0.0.1, 192.0.2.7", 403),
        ("127.0.0.1", "192.0.2.7, 127.0.0.1", 403),
        ("127.0.0.1", "nonsense", 403),
    ],
)
@pytest.mark.parametrize("proxies", ["", "127.0.0.0/8, ::1"])
def test_outsiders_are_refused_whoever_they_say_they_are(
    settings: Settings, peer: str, forwarded: str, status: int, proxies: str
) -> None:
    portal = Portal(trusted_proxies=proxies)
    client = create_app(replace(settings, portal=portal)).test_client()
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}

    answer = client.get(
        "/metrics", headers=headers, environ_overrides={"REMOTE_ADDR": peer}
    )

    assert answer.status_code == status
    assert ("matinee_" in answer.text) is (status == 200)


def test_a_network_of_the_house_may_ask(settings: Settings) -> None:
    named = replace(settings, nginx=Nginx(internal_networks="10.1.0.0/16, fd00::/8"))
    client = create_app(named).test_client()

    def status(peer: str) -> int:
        asked = client.get("/metrics", environ_overrides={"REMOTE_ADDR": peer})
        return asked.status_code

    assert [status(each) for each in ("10.1.2.3", "fd00::1")] == [200, 200]
    assert [status(each) for each in ("10.2.2.3", "127.0.0.1")] == [403, 403]


def test_switched_off_there_is_nothing(settings: Settings) -> None:
    off = replace(settings, monitoring=Monitoring(metrics=False))

    answer = create_app(off).test_client().get("/metrics")

    assert answer.status_code == 404
    assert "matinee_build" not in answer.text


def test_without_a_database_the_rest_is_told(
    client: FlaskClient, settings: Settings
) -> None:
    client.get("/login")
    settings.database.unlink()

    found = told(client.get("/metrics").text)

    assert found["matinee_database_up"] == 0
    assert (
        found['matinee_http_requests_total{status="200",view="auth.login_page"}'] == 1
    )


def test_all_processes_of_gunicorn_are_one_also_after_they_were_killed(
    settings: Settings, db: Database, tmp_path: Path
) -> None:
    with mortal_server(settings) as server:

        def counted() -> float:
            asked = requests.get(f"{server.url}/metrics", timeout=60)
            name = 'matinee_http_requests_total{status="200",view="playback.live"}'
            return told(asked.text).get(name, 0.0)

        def ask(times: int) -> None:
            for _ in range(times):
                requests.get(f"{server.url}/-/live", timeout=60).raise_for_status()

        ask(40)
        assert counted() == 40

        # One of its processes, as for lack of memory: another takes its place.
        _kill_one_of(server.pid)
        ask(40)
        assert counted() == 80

        server.kill()
        server.start()
        ask(20)
        assert {counted() for _ in range(8)} == {100}
    files = list((settings.home / "state" / "counts").iterdir())
    assert 1 <= len(files) <= 3


def _kill_one_of(master: int) -> None:
    """Kill a process of gunicorn, and wait until nobody can meet it any more."""
    listed = Path(f"/proc/{master}/task/{master}/children")
    killed = listed.read_text().split()[0]
    os.kill(int(killed), signal.SIGKILL)
    deadline = time.monotonic() + 60
    while killed in listed.read_text().split():
        assert time.monotonic() < deadline
        time.sleep(0.01)
