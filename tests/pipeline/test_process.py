"""Running programs: what they may do, and what is left when they end badly."""

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.errors import StorageFull
from jobs.tools import process
from jobs.tools.process import Cancelled, ProcessFailed, Run


def test_output_and_log_are_returned() -> None:
    found = process.run(["sh", "-c", "echo shown; echo said >&2"])

    assert found == process.Finished("shown\n", "said")


def test_lines_go_to_the_callback_instead() -> None:
    lines: list[str] = []

    def take(line: str) -> bool:
        lines.append(line)
        return True

    found = process.run(["printf", "a\nb"], None, take)

    assert (lines, found.out) == (["a", "b"], "")


def test_a_failure_tells_the_last_words_and_a_command_to_paste() -> None:
    with pytest.raises(ProcessFailed) as caught:
        process.run(["sh", "-c", "echo first >&2; echo 'no such film' >&2; exit 3"])

    error = caught.value
    assert error.code == "process.failed"
    assert error.message == "sh ended with status 3: no such film"
    command = error.details["log_tail"].splitlines()[0].removeprefix("$ ")
    again = subprocess.run(command, shell=True, capture_output=True)
    assert again.returncode == 3


def test_a_program_that_somebody_killed_is_told_from_one_that_failed() -> None:
    with pytest.raises(ProcessFailed) as caught:
        process.run(["sh", "-c", "kill -9 $$"])

    assert caught.value.code == "process.killed"


def test_secrets_reach_neither_the_log_nor_an_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    with pytest.raises(ProcessFailed) as caught:
        process.run(["sh", "-c", "echo 00ff >&2; exit 1"], Run(secrets=["00ff"]))

    assert "00ff" not in caplog.text + str(caught.value.details) + str(caught.value)


def test_a_missing_program_is_named() -> None:
    with pytest.raises(ProcessFailed, match="no-such-tool is not installed"):
        process.run(["no-such-tool"])


def test_cancelling_kills_the_program_and_its_children(tmp_path: Path) -> None:
    pid = tmp_path / "pid"

    with pytest.raises(Cancelled):
        process.run(
            ["sh", "-c", f"sleep 60 & echo $! > {pid}; wait"],
            Run(cancelled=lambda: pid.exists() and bool(pid.read_text())),
        )

    _wait_for(lambda: _gone(int(pid.read_text())))


def test_a_program_that_takes_too_long_is_stopped() -> None:
    with pytest.raises(ProcessFailed) as caught:
        process.run(["sleep", "60"], Run(timeout=0.3))

    assert caught.value.code == "process.timeout"


def test_a_program_without_progress_is_stopped_however_much_it_says() -> None:
    talking = (
        "import time\n"
        "while True:\n"
        "    print('frame=7', flush=True)\n"
        "    time.sleep(0.05)\n"
    )

    with pytest.raises(ProcessFailed) as caught:
        process.run([sys.executable, "-c", talking], Run(stall=0.5), lambda line: False)

    assert caught.value.code == "process.stalled"


def test_a_program_that_says_nothing_but_reads_is_left_alone() -> None:
    reading = (
        "import time\n"
        "with open('/dev/zero', 'rb', buffering=0) as file:\n"
        "    for _ in range(15):\n"
        "        file.read(100)\n"
        "        time.sleep(0.1)\n"
    )

    process.run([sys.executable, "-c", reading], Run(stall=0.7))


def test_only_the_tail_of_a_long_log_is_kept() -> None:
    found = process.run(["sh", "-c", "seq 100000 >&2"])

    assert found.log.splitlines()[-1] == "100000"
    assert len(found.log) < 2000


def test_output_without_end_is_refused_and_not_collected() -> None:
    with pytest.raises(ProcessFailed) as caught:
        process.run(["yes"])

    assert caught.value.code == "process.output"


def test_a_full_disk_is_told_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(StorageFull, match="is full: free some room"):
        process.run(
            ["sh", "-c", "echo 'x: No space left on device' >&2; exit 1"],
            Run(writes=tmp_path),
        )


def test_a_killed_worker_leaves_no_program_behind(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    worker = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from jobs.tools import process;"
            f"process.run(['sh', '-c', 'echo $$ > {pid}; exec sleep 60'])",
        ]
    )
    _wait_for(lambda: pid.exists() and pid.read_text() != "")

    worker.send_signal(signal.SIGKILL)
    worker.wait()

    _wait_for(lambda: _gone(int(pid.read_text())))


def test_media_tools_give_way_to_the_portal() -> None:
    found = process.run(["nice"], Run(nice=10))

    assert int(found.out) == os.nice(0) + 10


def _gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")")[-1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == "Z"


def _wait_for(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not true():
        assert time.monotonic() < until
        time.sleep(0.01)
