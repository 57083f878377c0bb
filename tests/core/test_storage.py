"""Storage: nothing leaves the root, and files appear whole."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.errors import InvalidInput, NotFound, PreconditionFailed, StorageFull
from appliance.mounted import MARK, REMEMBERED
from appliance.settings import Settings
from appliance.storage import Storage
from tests.host.mounts import Mounts

OUTSIDE = ["../secret", "a/../../secret", "/etc/passwd", "a\0b", ".."]


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.mark.parametrize("path", OUTSIDE)
def test_a_path_that_leaves_the_root_is_refused(storage: Storage, path: str) -> None:
    with pytest.raises(InvalidInput):
        storage.path(path)


def test_a_link_that_leads_out_is_refused(storage: Storage, tmp_path: Path) -> None:
    (storage.root / "door").symlink_to(tmp_path)

    with pytest.raises(InvalidInput):
        storage.path("door/secret")


def test_a_file_moves_in_whole(storage: Storage, tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(b"film")

    stored = storage.put(film, "sources/a/source.mp4")

    assert stored.read_bytes() == b"film"
    assert not film.exists()


def test_a_file_is_copied_where_it_cannot_be_renamed(
    storage: Storage, tmp_path: Path
) -> None:
    ours = storage.root.stat().st_dev
    places = (Path("/dev/shm"), Path("/var/tmp"))
    other_disk = next((each for each in places if each.stat().st_dev != ours), None)
    if other_disk is None:
        pytest.skip("this machine has no second file system to try")
    film = other_disk / f"matinee-test-{os.getpid()}.mp4"
    film.write_bytes(b"film")

    stored = storage.put(film, "sources/a/source.mp4")

    assert stored.read_bytes() == b"film"
    assert not film.exists()
    assert names_in(stored.parent) == ["source.mp4"]


def test_a_file_that_is_not_there_leaves_nothing(
    storage: Storage, tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError):
        storage.put(tmp_path / "gone.mp4", "sources/a/source.mp4")

    assert names_in(storage.root / "sources" / "a") == []


def test_copying_leaves_the_original(storage: Storage, tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(b"film")

    storage.copy(film, "sources/a/source.mp4")

    assert film.read_bytes() == b"film"
    assert storage.existing("sources/a/source.mp4").read_bytes() == b"film"


def test_writing_replaces_in_one_go(storage: Storage) -> None:
    storage.write("a/b.json", b"old")
    storage.write("a/b.json", b"new")

    assert storage.existing("a/b.json").read_bytes() == b"new"
    assert names_in(storage.root / "a") == ["b.json"]


def test_a_commit_may_be_repeated_after_a_crash(storage: Storage) -> None:
    storage.write("work/attempt/result.json", b"{}")

    storage.commit("work/attempt", "work/done")
    again = storage.commit("work/attempt", "work/done")

    assert (again / "result.json").read_bytes() == b"{}"


def test_a_commit_replaces_what_an_older_attempt_left(storage: Storage) -> None:
    storage.write("work/done/old.json", b"{}")
    storage.write("work/attempt/new.json", b"{}")

    done = storage.commit("work/attempt", "work/done")

    assert names_in(done) == ["new.json"]


def test_a_commit_of_nothing_is_refused(storage: Storage) -> None:
    with pytest.raises(NotFound):
        storage.commit("work/attempt", "work/done")


def test_removing_is_done_when_it_is_gone(storage: Storage) -> None:
    storage.write("work/a/b.json", b"{}")

    storage.remove("work/a")
    storage.remove("work/a")

    with pytest.raises(NotFound):
        storage.existing("work/a")


def test_removing_a_link_spares_what_it_leads_to(
    storage: Storage, tmp_path: Path
) -> None:
    kept = storage.write("kept/film.mp4", b"film")
    (storage.root / "link").symlink_to(kept.parent)

    storage.remove("link")

    assert kept.exists()


def test_the_storage_itself_is_never_removed(storage: Storage) -> None:
    with pytest.raises(InvalidInput):
        storage.remove("")


def test_what_does_not_fit_is_refused_with_figures(storage: Storage) -> None:
    with pytest.raises(StorageFull, match=r"\d+ MB are needed and \d+ MB are free"):
        storage.require_room(10**18)


def test_what_fits_is_let_in(storage: Storage) -> None:
    storage.require_room(1)


def test_what_comes_in_blocks_appears_whole_or_not_at_all(storage: Storage) -> None:
    def broken_off() -> Iterator[bytes]:
        yield b"half"
        raise ConnectionError

    stored = storage.receive([b"who", b"le"], "packages/a.m4s")
    with pytest.raises(ConnectionError):
        storage.receive(broken_off(), "packages/b.m4s")

    assert stored.read_bytes() == b"whole"
    assert names_in(storage.root / "packages") == ["a.m4s"]


def test_a_folder_beside_the_home_gets_no_mark(settings: Settings) -> None:
    storage = Storage(settings.media, settings.home)

    storage.write("packages/a.json", b"{}")

    assert not (storage.root / MARK).exists()
    assert not (settings.home / REMEMBERED).exists()


def test_nothing_is_written_below_a_disk_that_is_not_mounted(
    settings: Settings, mounts: Mounts
) -> None:
    mounts.disk(settings.media)
    Storage(settings.media, settings.home).write("packages/a.json", b"{}")
    mounts.gone(settings.media)
    later = Storage(settings.media, settings.home)

    for attempt in (
        lambda: later.write("packages/b.json", b"{}"),
        lambda: later.put(settings.database, "packages/c"),
        lambda: later.copy(settings.database, "packages/c"),
        lambda: later.commit("work/x", "packages/x"),
        lambda: later.require_room(1),
        lambda: later.existing("packages/a.json"),
    ):
        with pytest.raises(PreconditionFailed, match="is not mounted") as refused:
            attempt()
        assert refused.value.code == "storage.vanished"
    assert list(settings.media.iterdir()) == []
    assert settings.database.exists()


def test_a_disk_that_comes_back_is_written_again(
    settings: Settings, mounts: Mounts, tmp_path: Path
) -> None:
    disk = mounts.disk(tmp_path / "disk")
    mounts.same(disk, settings.media)
    storage = Storage(settings.media, settings.home)
    storage.write("packages/a.json", b"{}")
    mounts.gone(settings.media)
    with pytest.raises(PreconditionFailed):
        storage.write("packages/b.json", b"{}")
    mounts.same(disk, settings.media)

    storage.write("packages/b.json", b"{}")

    assert sorted(names_in(storage.root)) == sorted([MARK, "packages"])


def test_another_disk_than_before_is_refused(
    settings: Settings, mounts: Mounts
) -> None:
    mounts.disk(settings.media)
    Storage(settings.media, settings.home).write("packages/a.json", b"{}")
    mounts.gone(settings.media)
    mounts.disk(settings.media)
    (settings.media / MARK).write_text("0123456789abcdef\n")

    with pytest.raises(PreconditionFailed, match="Another disk") as refused:
        Storage(settings.media, settings.home).write("packages/b.json", b"{}")

    assert str(settings.home / REMEMBERED) in refused.value.message
    (settings.home / REMEMBERED).unlink()
    Storage(settings.media, settings.home).write("packages/b.json", b"{}")


@pytest.mark.parametrize(
    ("holds", "marked"), [("packages", True), ("lost+found", True), ("photos", False)]
)
def test_only_a_disk_that_is_empty_or_ours_is_marked(
    settings: Settings, mounts: Mounts, holds: str, marked: bool
) -> None:
    mounts.disk(settings.media)
    (settings.media / holds).mkdir()

    Storage(settings.media, settings.home).write("packages/a.json", b"{}")

    assert (settings.media / MARK).exists() == marked


def test_a_share_without_its_server_is_explained(
    settings: Settings, mounts: Mounts
) -> None:
    mounts.dead_share(settings.media)
    storage = Storage(settings.media, settings.home)

    for attempt in (
        lambda: storage.write("packages/b.json", b"{}"),
        lambda: storage.existing("packages/a.json"),
        lambda: storage.require_room(1),
    ):
        with pytest.raises(PreconditionFailed, match="cannot be read"):
            attempt()


def test_a_disk_that_turned_read_only_is_explained(
    settings: Settings, mounts: Mounts
) -> None:
    mounts.disk(settings.media)
    storage = Storage(settings.media, settings.home)
    storage.write("packages/a.json", b"{}")
    mounts.read_only(settings.media)

    with pytest.raises(PreconditionFailed, match="cannot be written"):
        storage.write("packages/b.json", b"{}")


def test_a_full_disk_leaves_nothing_half_written(
    settings: Settings, mounts: Mounts
) -> None:
    mounts.disk(settings.media, kilobytes=256)
    storage = Storage(settings.media, settings.home)

    with pytest.raises(StorageFull, match="free some room"):
        storage.receive([bytes(100_000)] * 10, "packages/a.m4s")

    assert names_in(storage.root / "packages") == []


def test_a_file_gets_a_second_name_and_outlives_the_first(storage: Storage) -> None:
    storage.write("work/joined.mp4", b"film")

    linked = storage.link("work/joined.mp4", "packages/a/film.mp4")
    again = storage.link("work/joined.mp4", "packages/a/film.mp4")
    storage.remove("work")

    assert linked == again
    assert linked.read_bytes() == b"film"
    with pytest.raises(NotFound):
        storage.link("work/joined.mp4", "packages/b/film.mp4")


def test_where_no_file_can_have_two_names_it_is_copied(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage.write("work/joined.mp4", b"film")

    def refuse(*_names: object) -> None:
        raise PermissionError(errno.EPERM, "no hard links here")

    monkeypatch.setattr(os, "link", refuse)
    copied = storage.link("work/joined.mp4", "packages/a/film.mp4")

    assert copied.read_bytes() == b"film"
    assert names_in(copied.parent) == ["film.mp4"]
