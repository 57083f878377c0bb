"""What processes count together: exact, kept over kills, taken over, never less."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from appliance import counts
from appliance.counts import Counts, Histogram, series

REQUESTS = series("requests_total", view="a.b", status="200")


def _count_in_a_process(folder: Path, times: int) -> None:
    own = Counts(folder)
    for _ in range(times):
        own.add(REQUESTS)


def test_several_processes_count_together_and_miss_nothing(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    arguments = (tmp_path, 1000)
    found = [spawn.Process(target=_count_in_a_process, args=arguments) for _ in "1234"]
    for each in found:
        each.start()
    for each in found:
        each.join()

    assert counts.totals(tmp_path)[REQUESTS] == 4000


def test_threads_of_a_process_miss_nothing(tmp_path: Path) -> None:
    own = Counts(tmp_path)

    def count() -> None:
        for _ in range(2000):
            own.add(REQUESTS)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert counts.totals(tmp_path) == {REQUESTS: 8000}


def test_what_a_killed_process_counted_stays_and_the_next_goes_on_from_it(
    tmp_path: Path,
) -> None:
    code = (
        "import sys, time; from pathlib import Path\n"
        "from appliance.counts import Counts, series\n"
        "own = Counts(Path(sys.argv[1]))\n"
        "what = series('requests_total', view='a.b', status='200')\n"
        "for _ in range(7): own.add(what)\n"
        "print('counted', flush=True); time.sleep(600)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    for _ in range(3):
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"counted\n"
            os.kill(process.pid, signal.SIGKILL)

    assert counts.totals(tmp_path) == {REQUESTS: 21}
    assert len(list(tmp_path.iterdir())) == 1


def test_two_at_once_have_a_file_each(tmp_path: Path) -> None:
    first, second = Counts(tmp_path), Counts(tmp_path)
    first.add(REQUESTS, 2)
    second.add(REQUESTS, 3)

    assert counts.totals(tmp_path) == {REQUESTS: 5}
    assert len(list(tmp_path.iterdir())) == 2


def test_values_stand_in_the_smallest_bound_that_holds_them(tmp_path: Path) -> None:
    taken = Histogram.of("seconds", (0.1, 1.0), place="api")
    own = Counts(tmp_path)
    for value in (0.05, 0.1, 0.5, 7.0):
        own.observe(taken, value)

    found = counts.totals(tmp_path)
    at = {
        edge: found[series("seconds_bucket", le=edge, place="api")]
        for edge in ("0.1", "1", "+Inf")
    }
    assert at == {"0.1": 2, "1": 1, "+Inf": 1}
    assert found[series("seconds_sum", place="api")] == 7.65


def test_more_names_than_there_is_room_for_are_left_out(tmp_path: Path) -> None:
    own = Counts(tmp_path)
    for number in range(5000):
        own.add(series("many", number=str(number)))
    own.add(series("many", number="1"))

    found = counts.totals(tmp_path)
    assert len(found) == 4095
    assert found[series("many", number="1")] == 2


def test_a_file_that_was_torn_is_mended_by_whoever_takes_it_over(
    tmp_path: Path,
) -> None:
    Counts(tmp_path).add(REQUESTS)
    path = tmp_path / "0.counts"
    data = bytearray(path.read_bytes())
    end = data.index(b"\0")
    data[end : end + 9] = b'["half of'
    path.write_bytes(data)

    other = series("other")
    again = Counts(tmp_path)
    again.add(other)

    assert counts.totals(tmp_path) == {REQUESTS: 1, other: 1}


def test_what_is_no_file_of_ours_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "0.counts").write_bytes(b"nonsense")

    own = Counts(tmp_path)
    own.add(REQUESTS)

    assert counts.totals(tmp_path) == {REQUESTS: 1}


def test_without_a_folder_a_process_goes_on(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")

    own = Counts(tmp_path / "taken")
    own.add(REQUESTS)

    assert counts.totals(tmp_path / "taken") == {}
