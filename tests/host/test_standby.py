"""A warm standby goes on when the machine that decides dies, with real Litestream.

What is lost and how long it takes is measured, and stands in the figures of the test.
"""

import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance import in_use
from appliance.catalog.titles import Title
from appliance.db import connect
from appliance.operations.backups import generations
from appliance.operations.backups.generations import FolderNotes
from tests.host import figures, object_server, surviving
from tests.pipeline.served_home import (
    MATINEE,
    ServedHome,
    kill,
    served_home,
    until,
)

pytestmark = pytest.mark.media

_MOST_LOST_SECONDS = 10.0
_THREADS = {"MATINEE_WEB_THREADS": "4"}


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Title]:
    """A home with a protected film, to be copied."""
    folder = tmp_path_factory.mktemp("furnished")
    with served_home(folder / "home") as served:
        film = surviving.furnish(served.settings, folder / "scratch")
    return folder / "home", film


@pytest.fixture
def film(furnished: tuple[Path, Title]) -> Title:
    return furnished[1]


@pytest.fixture
def pair(
    tmp_path: Path, furnished: tuple[Path, Title]
) -> Iterator[tuple[ServedHome, ServedHome]]:
    """Two machines that share films, backups and copies."""
    shared = {
        **_THREADS,
        "MATINEE_STORAGE_MEDIA": str(tmp_path / "films"),
        "MATINEE_BACKUP_PLACE": str(tmp_path / "backups"),
        "MATINEE_BACKUP_COPIES": str(tmp_path / "copies"),
    }
    with (
        served_home(tmp_path / "first", **shared) as first,
        served_home(tmp_path / "second", **shared) as second,
    ):
        shutil.copytree(furnished[0], first.home, dirs_exist_ok=True)
        (first.home / "media").rename(tmp_path / "films")
        yield first, second


def copying(served: ServedHome) -> "subprocess.Popen[bytes]":
    """Copy the database of that machine, as its service does."""
    with (served.home / "copies.log").open("ab") as log:
        process = subprocess.Popen(
            [MATINEE, "backup", "copies", "run"],
            env=served.environment,
            stdout=log,
            stderr=log,
        )
    return process


def seen(served: ServedHome) -> int:
    """Return the last thing that the database of that machine remembers."""
    with connect(served.settings.database) as db:
        last: int = db.value("select coalesce(max(id), 0) from events")
        return last


def wait_for_copies(place: Path) -> None:
    def there() -> bool:
        return bool(list(place.glob("g*/**/*.ltx")))

    until(there, 60)


def test_the_standby_answers_and_plays_after_the_first_machine_died(
    pair: tuple[ServedHome, ServedHome],
    film: Title,
    tmp_path: Path,
) -> None:
    first, second = pair
    made = surviving.command(first, "backup", "create", "--key-saved")
    refreshed = ("backup", "standby", "--refresh", "--recovery-key-stdin", "--yes")
    brought = surviving.command(second, *refreshed, words=made["recovery_key"])
    assert brought["changed"]
    again = surviving.command(second, "backup", "standby", "--refresh", "--yes")
    assert not again["changed"]
    # What the timer goes by.
    assert (second.home / "state" / in_use.STANDBY).exists()
    first.start()
    copies = copying(first)
    wait_for_copies(tmp_path / "copies")
    before = surviving.watched(first.url, film.slug, tmp_path)
    last_at = _written_until_killed(first, copies)
    died = time.monotonic()

    taken = surviving.command(second, "backup", "standby", "--yes")
    assert not (second.home / "state" / in_use.STANDBY).exists()
    second.start()
    assert surviving.watched(second.url, film.slug, tmp_path) == before

    took = time.monotonic() - died
    assert taken["missing"] == []
    lost = last_at - _last_note(second)
    figures.tell("from the death of a machine to the film on its standby", took, 60)
    figures.tell("what was written last and is lost", lost, 2)
    assert 0 <= lost < _MOST_LOST_SECONDS


def test_a_machine_that_lives_is_not_replaced_and_one_that_was_does_not_go_on(
    pair: tuple[ServedHome, ServedHome], tmp_path: Path
) -> None:
    first, second = pair
    made = surviving.command(first, "backup", "create", "--key-saved")
    refreshed = ("backup", "standby", "--refresh", "--recovery-key-stdin", "--yes")
    surviving.command(second, *refreshed, words=made["recovery_key"])
    copies = copying(first)
    wait_for_copies(tmp_path / "copies")

    refused = _failed(second, "backup", "standby", "--yes")
    assert refused.returncode == 3
    assert b"is alive and copies" in refused.stderr

    # As when the network between the two is cut: it is replaced while it lives.
    surviving.command(second, "backup", "standby", "--force", "--yes")
    assert copies.wait(60) == 3
    assert "has taken over" in (first.home / "copies.log").read_text()
    again = _failed(first, "title", "list")
    assert again.returncode == 3
    assert b"has taken over" in again.stderr
    # It becomes the standby.
    surviving.command(first, "backup", "standby", "--refresh", "--yes")
    surviving.command(first, "title", "list")


def test_a_machine_without_the_keys_does_not_take_over(
    pair: tuple[ServedHome, ServedHome], tmp_path: Path
) -> None:
    first, second = pair
    copies = copying(first)
    wait_for_copies(tmp_path / "copies")
    copies.send_signal(signal.SIGTERM)
    assert copies.wait(60) == 0
    refused = _failed(second, "backup", "standby", "--yes")
    assert refused.returncode == 3
    assert b"backup standby --refresh" in refused.stderr


def test_copies_go_to_a_bucket_and_come_back(
    pair: tuple[ServedHome, ServedHome], film: Title, tmp_path: Path
) -> None:
    first, second = pair
    with object_server.serving(tmp_path / "s3") as server:
        for each in pair:
            settings = server.used_by(each.settings)
            text = (settings.keys / "s3.toml").read_text()
            path = settings.keys / "backup.toml"
            path.touch(mode=0o600)
            path.write_text(f'{text}endpoint = "{server.url}"\n')
            where = {"MATINEE_BACKUP_COPIES": f"s3:{object_server.BUCKET}/copies"}
            each.environment = {**each.environment, **where}
        made = surviving.command(first, "backup", "create", "--key-saved")
        refreshed = ("backup", "standby", "--refresh", "--recovery-key-stdin", "--yes")
        surviving.command(second, *refreshed, words=made["recovery_key"])
        copies = copying(first)
        wait_for_copies(server.folder / "copies")
        until(lambda: (server.folder / "copies" / generations.ALIVE).exists())
        copies.kill()
        copies.wait()
        shown = surviving.command(second, "backup", "copies", "show")
        assert "a-secret-of-the-tests" not in str(shown)
        surviving.command(second, "backup", "standby", "--yes")
        assert surviving.command(second, "title", "show", film.slug)


def test_generations_are_begun_one_after_the_other_and_old_ones_go(
    tmp_path: Path,
) -> None:
    notes = FolderNotes(tmp_path / "copies")
    for number in range(1, 6):
        begun = generations.begin(notes, "mine")
        (tmp_path / "copies" / begun.folder).mkdir()
        assert begun.number == number
        assert generations.beat(notes, begun)
    left = sorted(each.name for each in (tmp_path / "copies").glob("g*"))
    assert left == ["g0003", "g0004", "g0005"]
    assert not generations.beat(notes, generations.Generation(4, "mine", "other"))


def _written_until_killed(
    first: ServedHome, copies: "subprocess.Popen[bytes]"
) -> float:
    """Write all the time, kill all of the machine at once; return when it was."""
    at = 0.0
    until_at = time.monotonic() + 5
    with connect(first.settings.database) as db:
        while time.monotonic() < until_at:
            at = time.time()
            db.conn.execute(
                "insert into events (at, name, actor_name, address, subject, data)"
                " values (?, 'test:write', '', '', '', '{}')",
                (f"{at:.3f}",),
            )
            time.sleep(0.05)
        for pid in first.everything():
            kill(pid)
    kill(copies.pid)
    copies.wait()
    first.close()
    return at


def _last_note(served: ServedHome) -> float:
    with connect(served.settings.database) as db:
        return float(
            db.value("select max(at) from events where name = 'test:write'") or 0
        )


def _failed(served: ServedHome, *args: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [MATINEE, "--json", *args],
        env=served.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
