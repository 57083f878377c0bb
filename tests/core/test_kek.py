"""Key-encryption keys: rotated, lost, wrong and found again; no film is lost."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from appliance import db as database
from appliance import events
from appliance.cenc import KeySystem, Label, Scheme
from appliance.db import Database, write
from appliance.errors import Forbidden, PreconditionFailed
from appliance.events import Event
from appliance.media.assets import Asset
from appliance.permissions import SYSTEM, Role
from appliance.protection import kek, keys, rotation
from appliance.protection.keys import ContentKey
from appliance.settings import Settings
from tests.builders import Builders

ROOT = Path(__file__).resolve().parent.parent.parent
LABELS = (Label.AUDIO, Label.SD, Label.HD)
ELSE = "ab" * 32 + "\n"

Film = tuple[Asset, tuple[ContentKey, ...]]
Protect = Callable[[], Film]


@pytest.fixture
def protect(db: Database, settings: Settings, make: Builders) -> Protect:
    """Make an asset that has content keys."""

    def made() -> Film:
        asset = make.asset()
        return asset, _ensure(db, settings, asset)

    return made


@pytest.fixture
def film(protect: Protect) -> Film:
    return protect()


@pytest.fixture
def credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that systemd hands secrets over in."""
    folder = tmp_path / "credentials"
    folder.mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    return folder


def test_the_first_content_key_makes_a_file_only_its_owner_may_read(
    settings: Settings, film: Film
) -> None:
    assert _files(settings.keys) == ["content-1.key"]
    assert (settings.keys / "content-1.key").stat().st_mode & 0o777 == 0o600


def test_the_key_stands_in_no_repr(settings: Settings, film: Film) -> None:
    ring = kek.load(settings)

    assert (settings.keys / "content-1.key").read_text().strip() not in repr(ring)
    assert "content-1" in repr(ring)


def test_a_rotation_wraps_everything_anew_and_removes_the_old_file(
    db: Database, settings: Settings, protect: Protect
) -> None:
    films = [protect(), protect()]
    before = _wrapped(db)

    count = rotation.rotate_kek(db, settings, SYSTEM)

    assert count == 6
    assert _files(settings.keys) == ["content-2.key"]
    assert before.isdisjoint(_wrapped(db))
    assert {row.kek.partition(":")[0] for row in keys.listing(db)} == {"content-2"}
    for asset, made in films:
        assert keys.of_asset(db, settings, asset.id) == made
    (told,) = [each for each in events.since(db) if each.name == Event.KEY_ROTATE]
    assert (told.subject, told.data) == (
        "kek/content-2",
        {"keys": 6, "before": ["content-1"]},
    )


def test_only_administrators_rotate(
    db: Database, settings: Settings, make: Builders, film: Film
) -> None:
    with pytest.raises(Forbidden):
        rotation.rotate_kek(db, settings, make.actor(Role.PUBLISHER))

    assert _files(settings.keys) == ["content-1.key"]


def test_a_rotation_commits_by_itself_before_it_removes_anything(
    db: Database, settings: Settings, film: Film
) -> None:
    with pytest.raises(RuntimeError, match="inside write"), write(db):
        rotation.rotate_kek(db, settings, SYSTEM)


def test_a_rotation_is_on_the_disk_before_the_old_file_goes(
    db: Database, settings: Settings, film: Film
) -> None:
    levels: list[int] = []
    with _at_each(db, "commit", lambda: levels.append(db.value("pragma synchronous"))):
        rotation.rotate_kek(db, settings, SYSTEM)

    assert levels == [2, 1]  # full for the rows, normal for the rest
    assert db.value("pragma synchronous") == 1


def test_a_rotation_whose_rows_fail_changes_nothing(
    db: Database, settings: Settings, film: Film
) -> None:
    asset, made = film
    before = _wrapped(db)
    db.conn.execute(
        """
        create trigger full before update on content_keys
        when old.label = 'HD'
        begin select raise(abort, 'no room'); end
        """
    )

    with pytest.raises(sqlite3.IntegrityError):
        rotation.rotate_kek(db, settings, SYSTEM)

    assert _wrapped(db) == before
    assert _files(settings.keys) == ["content-1.key", "content-2.key"]
    assert keys.of_asset(db, settings, asset.id) == made
    db.conn.execute("drop trigger full")
    rotation.rotate_kek(db, settings, SYSTEM)
    assert _files(settings.keys) == ["content-3.key"]
    assert keys.of_asset(db, settings, asset.id) == made


@pytest.mark.parametrize(
    ("statement", "nth", "files"),
    [
        ("begin immediate", 1, ["content-1.key"]),
        ("update content_keys", 1, ["content-1.key", "content-2.key"]),
        ("update content_keys", 3, ["content-1.key", "content-2.key"]),
        ("commit", 1, ["content-1.key", "content-2.key"]),
        ("begin immediate", 2, ["content-1.key", "content-2.key"]),
        ("commit", 2, ["content-2.key"]),
    ],
)
def test_who_is_killed_in_a_rotation_loses_nothing(
    db: Database,
    settings: Settings,
    protect: Protect,
    statement: str,
    nth: int,
    files: list[str],
) -> None:
    asset, made = protect()

    assert _killed_in_rotation(settings, statement, nth) == -signal.SIGKILL

    assert _files(settings.keys) == files
    assert keys.of_asset(db, settings, asset.id) == made
    later, more = protect()
    rotation.rotate_kek(db, settings, SYSTEM)
    assert len(_files(settings.keys)) == 1
    assert keys.of_asset(db, settings, asset.id) == made
    assert keys.of_asset(db, settings, later.id) == more


def test_doors_and_packaging_go_on_during_rotations(
    db: Database, settings: Settings, make: Builders, film: Film
) -> None:
    asset, made = film
    others = [make.asset() for _ in range(10)]
    rotated = threading.Event()

    def read() -> int:
        with database.connect(settings.database) as mine:
            times = 0
            while not rotated.is_set():
                assert keys.of_asset(mine, settings, asset.id) == made
                times += 1
            return times

    def pack() -> list[tuple[ContentKey, ...]]:
        with database.connect(settings.database) as mine:
            return [_ensure(mine, settings, each) for each in others]

    with ThreadPoolExecutor() as pool:
        reading, packing = pool.submit(read), pool.submit(pack)
        for _ in range(10):
            rotation.rotate_kek(db, settings, SYSTEM)
        rotated.set()

    assert reading.result() > 0
    found = [keys.of_asset(db, settings, each.id) for each in others]
    assert packing.result() == found
    assert _files(settings.keys) == ["content-11.key"]


def test_rotations_at_once_follow_each_other(
    db: Database, settings: Settings, film: Film
) -> None:
    asset, made = film

    def rotate() -> int:
        with database.connect(settings.database) as mine:
            return rotation.rotate_kek(mine, settings, SYSTEM)

    with ThreadPoolExecutor() as pool:
        rotations = [pool.submit(rotate) for _ in range(3)]

    assert [each.result() for each in rotations] == [3, 3, 3]
    assert keys.of_asset(db, settings, asset.id) == made
    assert len(_files(settings.keys)) == 1


def test_a_lost_key_is_named_and_never_replaced(
    db: Database, settings: Settings, make: Builders, film: Film
) -> None:
    asset, made = film
    (settings.keys / "content-1.key").rename(settings.home / "backup")
    other = make.asset()

    for ask in (
        lambda: keys.of_asset(db, settings, asset.id),
        lambda: _ensure(db, settings, other),
        lambda: rotation.rotate_kek(db, settings, SYSTEM),
    ):
        with pytest.raises(PreconditionFailed) as refusal:
            ask()
        assert refusal.value.code == "protection.kek-lost"
        assert "restore content-1.key" in refusal.value.message
        assert str(settings.home) not in refusal.value.message
        assert _files(settings.keys) == []
    assert len(keys.listing(db)) == 3

    (settings.home / "backup").rename(settings.keys / "content-1.key")
    assert keys.of_asset(db, settings, asset.id) == made


@pytest.mark.parametrize("content", [ELSE, "", "no key", "ab" * 31, "\x00\xff"])
def test_a_wrong_key_is_named_and_never_replaced(
    db: Database, settings: Settings, make: Builders, film: Film, content: str
) -> None:
    asset, made = film
    path = settings.keys / "content-1.key"
    right = path.read_text()
    _replace(path, content)
    other = make.asset()

    for ask in (
        lambda: keys.of_asset(db, settings, asset.id),
        lambda: _ensure(db, settings, other),
        lambda: rotation.rotate_kek(db, settings, SYSTEM),
    ):
        with pytest.raises(PreconditionFailed) as refusal:
            ask()
        assert refusal.value.code == "protection.kek-wrong"
        assert "content-1.key" in refusal.value.message
        assert ELSE.strip() not in refusal.value.message
        assert _files(settings.keys) == ["content-1.key"]
        assert path.read_bytes() == content.encode("latin-1")

    _replace(path, right)
    assert keys.of_asset(db, settings, asset.id) == made


def test_a_key_that_was_overwritten_in_place_is_read_again(
    db: Database, settings: Settings, film: Film
) -> None:
    asset, made = film
    path = settings.keys / "content-1.key"
    right = path.read_text()
    _replace(path, ELSE)
    with pytest.raises(PreconditionFailed):
        keys.of_asset(db, settings, asset.id)
    times = settings.keys.stat()

    path.write_text(right)
    os.utime(settings.keys, ns=(times.st_atime_ns, times.st_mtime_ns))

    assert keys.of_asset(db, settings, asset.id) == made


def test_a_key_is_found_under_any_number(
    db: Database, settings: Settings, film: Film
) -> None:
    asset, made = film
    (settings.keys / "content-1.key").rename(settings.keys / "content-7.key")

    assert keys.of_asset(db, settings, asset.id) == made
    rotation.rotate_kek(db, settings, SYSTEM)
    assert _files(settings.keys) == ["content-8.key"]


def test_films_whose_keys_are_gone_for_good_can_be_removed_and_taken_in_again(
    db: Database, settings: Settings, make: Builders, film: Film
) -> None:
    asset, _ = film
    _replace(settings.keys / "content-1.key", ELSE)
    with pytest.raises(PreconditionFailed):
        _ensure(db, settings, make.asset())

    with write(db):
        db.conn.execute("delete from titles where id = ?", (asset.title_id,))

    again = make.asset()
    made = _ensure(db, settings, again)
    assert keys.of_asset(db, settings, again.id) == made


def test_retired_keys_that_nothing_opens_stand_in_no_way(
    db: Database, settings: Settings, make: Builders, film: Film
) -> None:
    path = settings.keys / "content-1.key"
    right = path.read_text()
    _replace(path, ELSE)
    keys.retire(db, SYSTEM, film[0].id, before_generation=2)

    asset = make.asset()
    made = _ensure(db, settings, asset)

    # Not wrapped by the wrong file: the backup of the right one would overwrite it.
    assert _files(settings.keys) == ["content-1.key", "content-2.key"]
    assert rotation.rotate_kek(db, settings, SYSTEM) == 3
    assert keys.of_asset(db, settings, asset.id) == made
    _replace(path, right)
    assert rotation.rotate_kek(db, settings, SYSTEM) == 6
    assert _files(settings.keys) == ["content-4.key"]


def test_credentials_of_systemd_win(
    db: Database, settings: Settings, make: Builders, credentials: Path
) -> None:
    (credentials / "content-1.key").write_text(ELSE)
    asset = make.asset()

    made = _ensure(db, settings, asset)

    assert _files(settings.keys) == []
    assert keys.of_asset(db, settings, asset.id) == made
    (credentials / "content-1.key").unlink()
    with pytest.raises(PreconditionFailed, match=r"content-1\.key"):
        keys.of_asset(db, settings, asset.id)
    with pytest.raises(PreconditionFailed):
        _ensure(db, settings, make.asset())
    assert _files(settings.keys) == []


def test_a_rotation_moves_the_keys_from_files_to_credentials(
    db: Database, settings: Settings, film: Film, credentials: Path
) -> None:
    asset, made = film
    (credentials / "content-1.key").write_text(ELSE)
    assert keys.of_asset(db, settings, asset.id) == made

    assert rotation.rotate_kek(db, settings, SYSTEM) == 3

    assert _files(settings.keys) == []
    assert _files(credentials) == ["content-1.key"]
    assert keys.of_asset(db, settings, asset.id) == made


def test_a_rotation_of_credentials_needs_a_new_one(
    db: Database, settings: Settings, make: Builders, credentials: Path
) -> None:
    (credentials / "content-1.key").write_text(ELSE)
    asset = make.asset()
    made = _ensure(db, settings, asset)

    with pytest.raises(PreconditionFailed, match=r"content-2\.key") as refusal:
        rotation.rotate_kek(db, settings, SYSTEM)

    assert refusal.value.code == "protection.kek-credential"
    assert _files(settings.keys) == []
    (credentials / "content-2.key").write_text("cd" * 32)
    assert rotation.rotate_kek(db, settings, SYSTEM) == 3
    assert keys.of_asset(db, settings, asset.id) == made
    assert _files(credentials) == ["content-1.key", "content-2.key"]


def test_other_credentials_change_nothing(
    settings: Settings, credentials: Path, film: Film
) -> None:
    (credentials / "smtp-password").write_text("something else")

    assert kek.load(settings, afresh=True).wrapping is not None
    assert _files(settings.keys) == ["content-1.key"]


def _ensure(db: Database, settings: Settings, asset: Asset) -> tuple[ContentKey, ...]:
    systems = (KeySystem.CLEARKEY,)
    return keys.ensure(db, settings, SYSTEM, asset, LABELS, Scheme.CBCS, systems)


def _files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("content-*"))


def _wrapped(db: Database) -> set[bytes]:
    return {row["wrapped"] for row in db.rows("select wrapped from content_keys")}


def _replace(path: Path, content: str) -> None:
    """Put another file in place, as restoring a backup does."""
    aside = path.with_suffix(".aside")
    aside.write_text(content, encoding="latin-1")
    aside.replace(path)


@contextmanager
def _at_each(db: Database, beginning: str, act: Callable[[], None]) -> Iterator[None]:
    """Act just before each statement that begins so."""

    def watch(statement: str) -> None:
        if statement.startswith(beginning):
            act()

    db.conn.set_trace_callback(watch)
    try:
        yield
    finally:
        db.conn.set_trace_callback(None)


def _killed_in_rotation(settings: Settings, statement: str, nth: int) -> int:
    """Rotate in a process that is killed before the nth such statement runs."""
    arguments = [str(settings.home), statement, str(nth)]
    return subprocess.run(
        [sys.executable, "-c", _ROTATION, *arguments], cwd=ROOT, timeout=30
    ).returncode


_ROTATION = """
import os, signal, sys
from pathlib import Path
from appliance import db as database
from appliance.permissions import SYSTEM
from appliance.protection import rotation
from appliance.settings import Settings

home, beginning, nth = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
settings = Settings(home=home)
seen = []

def watch(statement):
    seen.extend([statement] if statement.startswith(beginning) else [])
    if len(seen) == nth:
        os.kill(os.getpid(), signal.SIGKILL)

db = database.Database(settings.database)
db.conn.set_trace_callback(watch)
rotation.rotate_kek(db, settings, SYSTEM)
"""
