"""Logs in one place: of journald and of nginx, sifted and followed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from appliance.cli import log_following, log_lines, logs
from appliance.cli.log_lines import Wanted
from appliance.clock import SystemClock, to_text
from tests.conftest import Matinee

REQUEST = "0123456789abcdef0123456789abcdef"
NOW = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z, in microseconds


def record(message: object, unit: str = "matinee-web", **more: object) -> str:
    told = {"__REALTIME_TIMESTAMP": str(NOW), "SYSLOG_IDENTIFIER": unit}
    return json.dumps({**told, "MESSAGE": message, "PRIORITY": "6", **more})


def asked(status: int, at: str = "", request: str = "") -> str:
    moment = at or to_text(SystemClock().now())[:19] + "+00:00"
    told = {"at": moment, "path": "/login", "status": status, "request": request}
    return json.dumps(told)


@pytest.mark.parametrize(
    ("text", "level", "request_id"),
    [
        (record("INFO jobs.control: ready"), "info", ""),
        (
            record(f"WARNING web: slow [request {REQUEST}, job 12]"),
            "warning",
            REQUEST,
        ),
        (record("CRITICAL jobs: over"), "error", ""),
        (record("[2026-01-01] Booting worker", PRIORITY="4"), "warning", ""),
        (record([104, 255, 105]), "info", ""),
        (
            record(
                json.dumps(
                    {"level": "error", "message": "no", "request": REQUEST, "job": "x"}
                )
            ),
            "error",
            REQUEST,
        ),
    ],
)
def test_a_record_of_journald_is_read(text: str, level: str, request_id: str) -> None:
    line = log_lines.of_journal(text)

    assert line is not None
    assert (line.at[:10], line.part) == ("2026-01-01", "matinee-web")
    assert (line.level, line.request) == (level, request_id)


@pytest.mark.parametrize("text", ["", "{}", "[1]", "no json", '{"MESSAGE": "x"}'])
def test_what_is_no_record_is_left_out(text: str) -> None:
    assert log_lines.of_journal(text) is None
    assert log_lines.of_file("nginx", text) is None


def test_lines_of_nginx_are_read() -> None:
    error = log_lines.of_file("nginx", "2026/01/01 06:00:00 [crit] 12#12: no disk")
    request = log_lines.of_file("nginx", asked(502, request=REQUEST))

    assert error is not None
    assert request is not None
    assert (error.level, error.text) == ("error", "12#12: no disk")
    assert (request.level, request.request) == ("error", REQUEST)
    assert "path=/login" in request.text


@pytest.fixture
def nginx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of nginx's logs."""
    folder = tmp_path / "log"
    folder.mkdir()
    monkeypatch.setenv("MATINEE_NGINX_LOG", str(folder))
    return folder


def test_logs_are_sifted_by_part_level_request_and_time(
    nginx: Path, matinee: Matinee
) -> None:
    long_ago = asked(200, "2020-01-01T00:00:00+00:00")
    lines = [long_ago, asked(200), asked(404, request=REQUEST), asked(500)]
    (nginx / "portal.log").write_text("\n".join(lines) + "\n")

    def found(*args: str) -> list[dict[str, str]]:
        result = matinee("logs", "--json", *args)
        assert result.exit_code == 0, result.output
        told: list[dict[str, str]] = json.loads(result.stdout)
        return told

    assert len(found()) == len(found("nginx")) == 3
    assert len(found("--since", "2019-12-31")) == 4
    assert found("web") == []
    assert [each["level"] for each in found("--level", "warning")] == [
        "warning",
        "error",
    ]
    assert [each["request"] for each in found("--request-id", REQUEST)] == [REQUEST]
    assert [each["level"] for each in found("--lines", "1")] == ["error"]
    assert "nginx/portal" in matinee("logs").stdout
    assert matinee("logs", "--since", "yesterday").exit_code == 2


def test_a_turned_file_is_read_before_the_one_after_it(
    nginx: Path, matinee: Matinee
) -> None:
    (nginx / "portal.log.1").write_text(asked(200) + "\n")
    (nginx / "portal.log").write_text(asked(404) + "\n")

    found = json.loads(matinee("logs", "--json").stdout)

    assert [each["level"] for each in found] == ["info", "warning"]


def test_journald_and_files_are_one_stream_in_order(
    nginx: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (nginx / "portal.log").write_text(
        asked(200, "2025-12-31T23:59:59+00:00")
        + "\n"
        + asked(404, "2026-01-01T00:00:01+00:00")
        + "\n"
    )
    programs = tmp_path / "programs"
    programs.mkdir()
    asked_for = programs / "asked"
    journal = programs / "journalctl"
    journal.write_text(
        f"#!/bin/sh\necho \"$@\" > {asked_for}\necho '{record('INFO web: hello')}'\n"
    )
    journal.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    wanted = Wanted("all", "2025-01-01T00:00:00.000000Z")

    found = list(logs.merged(wanted, nginx, journal=True))

    assert [each.part for each in found] == [
        "nginx/portal",
        "matinee-web",
        "nginx/portal",
    ]
    assert "--unit=matinee-*" in asked_for.read_text()
    assert "--since=@1735689600" in asked_for.read_text()


def test_what_is_added_to_files_is_followed_line_by_line(nginx: Path) -> None:
    log = nginx / "portal.log"
    log.write_text(asked(200) + "\n")
    grown = log_following.Grown.of("nginx", nginx)
    with log.open("a") as file:
        file.write(asked(404) + "\n" + asked(500)[:10])
    first = [each.level for each in grown.lines()]
    with log.open("a") as file:
        file.write(asked(500)[10:] + "\n")
    second = [each.level for each in grown.lines()]
    log.write_text(asked(200) + "\n")

    assert (first, second) == (["warning"], ["error"])
    assert [each.level for each in grown.lines()] == ["info"]


def test_following_goes_on_until_it_is_interrupted(nginx: Path, tmp_path: Path) -> None:
    log = nginx / "portal.log"
    log.touch()
    matinee = str(Path(sys.executable).with_name("matinee"))
    command = [matinee, "logs", "nginx", "-f"]
    environ = {**os.environ, "MATINEE_HOME": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, env=environ, stdout=subprocess.PIPE, text=True
    ) as following:
        assert following.stdout is not None
        deadline = time.monotonic() + 60
        while not (said := _said(following, log)):
            assert time.monotonic() < deadline
        following.send_signal(signal.SIGINT)
        following.stdout.read()

    assert "status=404" in said
    assert following.returncode == 130


def _said(following: "subprocess.Popen[str]", log: Path) -> str:
    """Write a line and return the first that was shown."""
    with log.open("a") as file:
        file.write(asked(404) + "\n")
    assert following.stdout is not None
    return following.stdout.readline()
