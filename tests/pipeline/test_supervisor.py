"""``matinee serve``: one process keeps the others running and takes them with it."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from jobs import control
from tests.pipeline.served_home import (
    MATINEE,
    ServedHome,
    alive,
    kill,
    served_home,
    until,
)

PARTS = ("gunicorn", "jobs.control", "jobs.media_worker")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[ServedHome]:
    with served_home(tmp_path / "home") as home:
        yield home


def test_serve_prints_an_address_that_answers(served: ServedHome) -> None:
    served.start()

    answer = requests.get(f"{served.url}login", timeout=30)

    assert answer.status_code == 200
    assert served.url.startswith("http://127.0.0.1:")


def test_it_can_be_asked_whether_somebody_works_on_jobs(served: ServedHome) -> None:
    before = control.alive(served.settings)
    served.start()
    until(lambda: control.alive(served.settings))

    served.stop()

    assert not before
    assert not control.alive(served.settings)


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_dies_is_started_again(served: ServedHome, part: str) -> None:
    served.start()
    first = until(lambda: served.processes(part))

    for pid in first:
        kill(pid)

    until(lambda: set(served.processes(part)) - set(first))
    assert alive(served.supervisor())


def test_nothing_runs_that_has_nothing_to_do(served: ServedHome) -> None:
    served.start()
    until(lambda: control.alive(served.settings))
    until(lambda: all(served.processes(part) for part in PARTS))

    begun = [line for line in served.log().splitlines() if "runs as process" in line]

    assert len(begun) == len(PARTS)
    assert "starts again" not in served.log()


def test_terminating_it_ends_everything(served: ServedHome) -> None:
    served.start()
    until(lambda: all(served.processes(part) for part in PARTS))

    status = served.stop()

    assert status == 0
    assert served.everything() == []


def test_nothing_outlives_a_killed_supervisor(served: ServedHome) -> None:
    served.start()
    until(lambda: all(served.processes(part) for part in PARTS))

    served.kill_supervisor()

    until(lambda: not [pid for pid in served.everything() if alive(pid)])


def test_it_starts_again_at_once_after_it_was_killed(served: ServedHome) -> None:
    served.start()
    until(lambda: all(served.processes(part) for part in PARTS))
    served.kill_supervisor()

    served.start()

    assert requests.get(f"{served.url}login", timeout=30).status_code == 200


def test_an_address_in_use_is_said_in_one_sentence(served: ServedHome) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = _matinee(served, "serve", "--port", str(port))

    assert done.returncode == 3
    assert f"port {port} can't be used" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["serve", "web", "worker"])
def test_nothing_starts_without_a_database(tmp_path: Path, command: str) -> None:
    done = subprocess.run(
        [MATINEE, command],
        env={**os.environ, "MATINEE_HOME": str(tmp_path / "nothing")},
        capture_output=True,
        text=True,
        timeout=30,
    )

    assert done.returncode == 3
    assert "matinee init" in done.stderr


def test_only_one_control_worker_runs(served: ServedHome) -> None:
    served.start()
    until(lambda: control.alive(served.settings))

    done = _matinee(served, "worker", "--control")

    assert done.returncode == 6
    assert "runs already" in done.stderr


def test_a_media_worker_needs_no_database(tmp_path: Path) -> None:
    home = tmp_path / "another-machine"
    worker = subprocess.Popen(
        [MATINEE, "worker", "--media"],
        env={**os.environ, "MATINEE_HOME": str(home)},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert worker.stderr is not None
    with worker.stderr:
        said = next(line for line in worker.stderr if "takes at once" in line)
        worker.send_signal(signal.SIGTERM)
        worker.wait(20)

    assert "cpu" in said
    assert not (home / "matinee.db").exists()


def _matinee(served: ServedHome, *args: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [MATINEE, *args],
        env=served.environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
