"""Hints wake the right one, on SQLite and on Redis, and losing them is no harm."""

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from appliance import db as database
from appliance.media import jobs, uploads
from appliance.media.jobs import JobState
from appliance.permissions import SYSTEM
from appliance.settings import Queue, Settings
from appliance.storage import Storage
from jobs import queue
from jobs.queue import QueueName
from tests import media_samples
from tests.pipeline.served_home import MATINEE, served_home, until

needs_redis = pytest.mark.skipif(
    shutil.which("redis-server") is None, reason="redis-server is not installed"
)


@needs_redis
@pytest.mark.media
def test_a_film_is_processed_over_redis(tmp_path: Path) -> None:
    clip = media_samples.film(tmp_path, seconds=4, size="128x96")
    with (
        _redis(tmp_path) as url,
        served_home(tmp_path / "home", MATINEE_QUEUE_URL=url) as served,
        database.connect(served.settings.database) as db,
    ):
        settings = served.settings
        with _process(["worker"], served.environment):
            arrival = uploads.take_in(
                db,
                Storage(settings.media),
                settings,
                SYSTEM,
                clip,
                clip.name,
                keep_source=True,
            )
            queue.wake(settings, arrival.job)
            until(lambda: not jobs.by_public_id(db, arrival.job).open, seconds=60)

        assert jobs.by_public_id(db, arrival.job).state is JobState.DONE


@needs_redis
def test_hints_of_higher_priority_are_taken_first_from_redis(tmp_path: Path) -> None:
    with _redis(tmp_path) as url:
        chosen = Queue(url=url)
        settings = Settings(home=tmp_path, queue=chosen)

        assert _taken(settings, priorities=(0, 5, 1)) == ["5", "1", "0"]


def test_hints_of_higher_priority_are_taken_first_from_sqlite(tmp_path: Path) -> None:
    assert _taken(Settings(home=tmp_path), priorities=(0, 5, 1)) == ["5", "1", "0"]


def test_a_queue_that_can_not_be_reached_fails_nobody(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    nowhere = Queue(url=f"redis://127.0.0.1:{port}/0")
    settings = Settings(home=tmp_path, queue=nowhere)

    queue.wake(settings, "0123456789abcdef")

    assert queue.line(settings, QueueName.CONTROL).waiting() == 0


def test_hints_are_plain_json(tmp_path: Path) -> None:
    line = queue.line(Settings(home=tmp_path), QueueName.CPU)
    line.send("a job", "a key")

    (stored,) = line.huey.storage.enqueued_items()

    assert bytes(stored).startswith(b'["')
    assert b'["a job", "a key"]' in bytes(stored)


def test_the_media_worker_never_loads_the_database() -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", _SHOW_MODULES],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()

    assert "jobs.steps.encode" in loaded
    assert [name for name in loaded if name in _OF_THE_DATABASE] == []


_SHOW_MODULES = "import jobs.media_worker, sys; print(*sys.modules)"
_OF_THE_DATABASE = {"appliance.db", "appliance.migrations", "sqlite_utils", "flask"}


def _taken(settings: Settings, priorities: tuple[int, ...]) -> list[str]:
    """Send a hint of each priority; return them in the order a worker gets them."""
    line = queue.line(settings, QueueName.CPU)
    for priority in priorities:
        line.send(str(priority), priority=priority)
    return [line.huey.dequeue().args[0] for _ in priorities]


@contextmanager
def _redis(folder: Path) -> Iterator[str]:
    """Run a Redis of one's own on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = subprocess.Popen(
        ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", ""],
        cwd=folder,
        stdout=subprocess.DEVNULL,
    )
    try:
        until(lambda: _answers(port))
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait()


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@contextmanager
def _process(arguments: list[str], environment: Mapping[str, str]) -> Iterator[None]:
    with subprocess.Popen([MATINEE, *arguments], env=environment) as process:
        try:
            yield
        finally:
            process.terminate()
