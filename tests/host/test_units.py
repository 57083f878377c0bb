"""The units of systemd: whom they run as, what they may, and what comes first."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

UNITS = Path(__file__).resolve().parents[2] / "systemd"
SERVICES = sorted(UNITS.glob("*.service"))
SHARED = UNITS / "matinee-.service.d" / "10-hardening.conf"

# Whoever opens ports below 1024, or changes what is root's.
AS_ROOT = {
    *("matinee-nginx", "matinee-certificate", "matinee-nginx-keys"),
    "matinee-recover",
}
# Whoever leaves the database alone, or works on it where the others must not run.
NOT_STOPPED = {
    *("matinee-certificate", "matinee-nginx-keys", "matinee-node-refresh"),
    *("matinee-recover", "matinee-standby"),
}
PROGRAM = "/opt/matinee/current/venv/bin/matinee"


def _settings(path: Path) -> dict[str, list[str]]:
    """Return the values of each setting, in their order; those of it that are reset."""
    found: dict[str, list[str]] = {}
    text = path.read_text().replace("\\\n", " ")
    for line in text.splitlines():
        if "=" in line and not line.startswith(("#", ";", "[")):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def _names(paths: list[Path]) -> Iterator[str]:
    yield from (path.stem for path in paths)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd")
def test_systemd_knows_every_setting(tmp_path: Path) -> None:
    place = tmp_path / "etc/systemd/system"
    shutil.copytree(UNITS, place)
    # What an installed machine has.
    for program in (PROGRAM, "/usr/sbin/nginx", "/bin/kill", "/bin/sh", "/usr/bin/sh"):
        there = tmp_path / program.lstrip("/")
        there.parent.mkdir(parents=True, exist_ok=True)
        there.write_text("#!/bin/true\n")
        there.chmod(0o755)
    named = [path.name for path in UNITS.iterdir() if path.is_file()]
    done = subprocess.run(
        ["systemd-analyze", "verify", f"--root={tmp_path}", "--man=no", *named],
        capture_output=True,
        text=True,
    )

    ours = [line for line in done.stderr.splitlines() if "matinee" in line]
    assert [line for line in ours if re.search(r"Unknown|Failed to parse", line)] == []


@pytest.mark.parametrize("path", SERVICES, ids=_names(SERVICES))
def test_whoever_uses_the_installation_is_stopped_with_it(path: Path) -> None:
    """A restore is refused while anybody does, and says to stop the target."""
    stopped = "matinee.target" in _settings(path).get("PartOf", [])
    assert stopped == (path.stem not in NOT_STOPPED)


@pytest.mark.parametrize("path", SERVICES, ids=_names(SERVICES))
def test_nothing_of_ours_runs_as_root_without_a_reason(path: Path) -> None:
    settings = _settings(path)

    if path.stem in AS_ROOT:
        assert "User" not in settings
        assert settings["CapabilityBoundingSet"] != [""]
    else:
        assert settings["User"] == settings["Group"] == ["matinee"]
        assert settings["CapabilityBoundingSet"] == [""]


@pytest.mark.parametrize("path", SERVICES, ids=_names(SERVICES))
def test_no_service_takes_back_what_all_are_kept_from(path: Path) -> None:
    taken_back = set(_settings(path)) & set(_settings(SHARED))

    assert taken_back == set()


@pytest.mark.parametrize("path", SERVICES, ids=_names(SERVICES))
def test_only_the_worker_of_graphics_processors_sees_a_device(path: Path) -> None:
    settings = _settings(path)

    assert settings["DevicePolicy"] == ["closed"]
    if path.stem == "matinee-gpu":
        assert settings["DeviceAllow"] == ["char-drm rw"]
        assert settings["ConditionPathExistsGlob"] == ["/dev/dri/renderD*"]
    else:
        assert settings["PrivateDevices"] == ["yes"]
        assert "DeviceAllow" not in settings


@pytest.mark.parametrize("path", SERVICES, ids=_names(SERVICES))
def test_every_service_says_what_it_is_and_who_says_what_in_the_journal(
    path: Path,
) -> None:
    settings = _settings(path)

    assert settings["Description"][0].startswith("Matinee")
    assert settings["SyslogIdentifier"] == [path.stem]


@pytest.mark.parametrize(
    "name", ["matinee-web", "matinee-control", "matinee-media", "matinee-gpu"]
)
def test_a_service_that_hangs_or_dies_is_started_anew(name: str) -> None:
    settings = _settings(UNITS / f"{name}.service")

    assert settings["Type"] == ["notify"]
    assert int(settings["WatchdogSec"][0]) >= 60
    assert settings["Restart"] == ["always"]
    # However often: nobody is there at night to start it again.
    assert settings["StartLimitIntervalSec"] == ["0"]


def test_workers_end_their_units_and_their_encoders_are_not_told() -> None:
    for name in ("matinee-media", "matinee-gpu"):
        settings = _settings(UNITS / f"{name}.service")
        assert settings["KillSignal"] == ["SIGINT"]
        assert settings["KillMode"] == ["mixed"]


def test_playback_comes_before_work_on_films() -> None:
    films = _settings(UNITS / "matinee-media.slice")
    nginx = _settings(UNITS / "matinee-nginx.service")
    portal = _settings(UNITS / "matinee-web.service")
    worker = _settings(UNITS / "matinee-media.service")

    for weight in ("CPUWeight", "IOWeight"):
        assert int(films[weight][0]) < 100 < int(nginx[weight][0])
    assert int(portal["CPUWeight"][0]) > 100
    assert worker["Slice"] == ["matinee-media.slice"]
    assert int(worker["Nice"][0]) > 0
    # Where memory runs out, encoders go first and the web server last.
    order = [int(each["OOMScoreAdjust"][0]) for each in (nginx, portal, worker)]
    assert order == sorted(order)
    assert order[-1] > 0


def test_only_nginx_may_speak_to_the_portal() -> None:
    socket = _settings(UNITS / "matinee-web.socket")

    assert socket["ListenStream"] == ["/run/matinee/web.sock"]
    assert (socket["SocketUser"], socket["SocketGroup"]) == (["matinee"], ["www-data"])
    assert socket["SocketMode"] == ["0660"]


@pytest.mark.parametrize(
    "path", sorted(UNITS.glob("*.timer")), ids=_names(sorted(UNITS.glob("*.timer")))
)
def test_every_timer_has_its_service_which_ends(path: Path) -> None:
    service = _settings(path.with_suffix(".service"))

    assert service["Type"] == ["oneshot"]
    assert "TimeoutStartSec" in service
    assert "Install" not in path.with_suffix(".service").read_text()
    assert "WantedBy" in _settings(path)


def test_everything_starts_and_stops_with_one_target() -> None:
    assert _settings(UNITS / "matinee.target")["WantedBy"] == ["multi-user.target"]
    for path in SERVICES:
        settings = _settings(path)
        if settings["Type"] != ["oneshot"]:
            assert settings["WantedBy"] == ["matinee.target"], path.name
            assert settings["PartOf"] == ["matinee.target"], path.name
