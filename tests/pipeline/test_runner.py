"""What a media worker shows and leaves while it runs one unit."""

import os
import threading
from pathlib import Path

import pytest

from appliance.settings import Settings
from appliance.storage import Storage
from jobs import runner
from jobs.attempts import Attempt, Spec
from tests.pipeline.control_room import steps
from tests.pipeline.served_home import until


@pytest.fixture
def attempt(tmp_path: Path) -> Attempt:
    attempt = Attempt(Storage(tmp_path / "media"), "job", "key")
    attempt.prepare(Spec("job", "encode-0000", "encode", "key", {}))
    return attempt


def test_a_worker_shows_that_it_lives_until_the_disk_has_what_it_made(
    attempt: Attempt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, released, sync = threading.Event(), threading.Event(), os.fsync

    def slow(handle: int) -> None:
        begun.set()
        assert released.wait(20)
        sync(handle)

    def run() -> None:
        runner.run(attempt, Settings(home=tmp_path), steps(), lambda: None)

    monkeypatch.setattr(os, "fsync", slow)
    worker = threading.Thread(target=run)
    worker.start()
    assert begun.wait(20)

    before = attempt.heartbeat()
    until(lambda: attempt.heartbeat() != before)
    assert attempt.report() is None

    released.set()
    worker.join(20)
    report = attempt.report()
    assert report is not None
    assert report["ok"]
