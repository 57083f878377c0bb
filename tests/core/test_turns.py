"""Turns: who waits for whom, and that nobody waits for ever."""

import subprocess
import sys
import threading
from pathlib import Path

from appliance import turns
from appliance.turns import Turn

_OTHER = """
import sys
from pathlib import Path
from appliance import turns
with turns.to_write(Path(sys.argv[1])):
    print("mine", flush=True)
    sys.stdin.readline()
"""


def test_threads_take_turns() -> None:
    turn, inside, most = Turn(), [], []

    def one() -> None:
        for _ in range(50):
            with turn.taken(patience=60) as first:
                inside.append(first)
                most.append(sum(inside))
                inside.remove(first)

    threads = [threading.Thread(target=one) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert len(most) == 200
    assert max(most) == 1


def test_who_has_waited_long_enough_goes_on_without() -> None:
    turn = Turn()

    with turn.taken() as first, turn.taken() as second:
        assert (first, second) == (True, False)
    with turn.taken() as again:
        assert again


def test_writers_of_a_process_wait_for_each_other(tmp_path: Path) -> None:
    database = tmp_path / "matinee.db"
    order, begun = [], threading.Event()

    def second() -> None:
        begun.set()
        with turns.to_write(database, patience=60):
            order.append("second")

    with turns.to_write(database):
        thread = threading.Thread(target=second)
        thread.start()
        begun.wait()
        order.append("first")
    thread.join()

    assert order == ["first", "second"]


def test_another_process_that_stands_still_holds_nobody_up(tmp_path: Path) -> None:
    database = tmp_path / "matinee.db"
    other = subprocess.Popen(
        [sys.executable, "-c", _OTHER, str(database)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "mine\n"

    with turns.to_write(database):
        went_on = other.poll() is None

    other.communicate("done\n")
    assert went_on
    assert other.returncode == 0


def test_the_database_itself_is_left_alone(tmp_path: Path) -> None:
    database = tmp_path / "matinee.db"

    with turns.to_write(database):
        pass

    assert [each.name for each in tmp_path.iterdir()] == ["matinee.db-turn"]
    assert (tmp_path / "matinee.db-turn").stat().st_mode & 0o777 == 0o600
