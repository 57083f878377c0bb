"""The web server on a Unix socket, for an nginx on the same machine."""

import os
import signal
import socket
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.host.served_nginx import settled
from tests.pipeline.served_home import MATINEE, ServedHome, kill, served_home


@pytest.fixture
def home(tmp_path: Path) -> Iterator[ServedHome]:
    place = tmp_path / "home"
    with served_home(place, MATINEE_WEB_SOCKET=str(place / "web.sock")) as found:
        yield found


@contextmanager
def _running(home: ServedHome, command: str) -> Iterator[subprocess.Popen[bytes]]:
    with (home.home / "serve.log").open("ab") as log:
        process = subprocess.Popen(
            [MATINEE, command], env=home.environment, stdout=log, stderr=log
        )
    try:
        settled(lambda: _status(home) == 200, "it answers")
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _status(home: ServedHome, address: str = "203.0.113.7") -> int:
    """Return what the socket answers; 0 when nobody does."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(30)
        try:
            connection.connect(home.settings.web.socket)
            connection.sendall(
                b"GET /-/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                b"X-Forwarded-For: " + address.encode() + b"\r\n\r\n"
            )
            answer = connection.recv(4096)
        except (OSError, TimeoutError):
            return 0
    return int(answer.split(b" ")[1]) if answer else 0


@pytest.mark.parametrize("command", ["web", "serve"])
def test_it_answers_there_and_only_its_group_may_ask(
    home: ServedHome, command: str
) -> None:
    with _running(home, command):
        mode = Path(home.settings.web.socket).stat().st_mode

    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o660


def test_one_that_was_killed_leaves_nothing_in_the_way(home: ServedHome) -> None:
    with _running(home, "web") as first:
        for pid in home.processes("gunicorn"):
            kill(pid)
        first.wait(20)
    assert Path(home.settings.web.socket).exists()

    with _running(home, "web"):
        assert _status(home) == 200


def test_nobody_is_refused_while_the_server_comes_back(home: ServedHome) -> None:
    with _running(home, "serve"):
        first = set(home.processes("gunicorn"))
        for pid in first:
            kill(pid)

        # Asked while nobody is there: the socket is held, and the answer comes later.
        assert _status(home) == 200
        assert set(home.processes("gunicorn")) - first


def test_another_server_is_not_pushed_aside(home: ServedHome) -> None:
    with _running(home, "web"):
        done = subprocess.run(
            [MATINEE, "serve"], env=home.environment, capture_output=True, timeout=60
        )
        assert _status(home) == 200

    assert done.returncode == 3
    assert b"can't be used" in done.stderr


def test_a_folder_that_is_missing_is_said_in_one_sentence(home: ServedHome) -> None:
    environ = {**home.environment, "MATINEE_WEB_SOCKET": "/nowhere/web.sock"}

    done = subprocess.run(
        [MATINEE, "web"], env=environ, capture_output=True, timeout=60
    )

    assert done.returncode == 3
    assert b"/nowhere/web.sock can't be used" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_port_that_is_asked_for_counts_more(home: ServedHome) -> None:
    home.start()

    assert home.url.startswith("http://127.0.0.1:")
    assert not os.path.lexists(home.settings.web.socket)
