"""Storage: nothing leaves the root, and files appear whole."""

import os
from pathlib import Path

import pytest

from appliance.errors import InvalidInput, NotFound, StorageFull
from appliance.storage import Storage

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
    other_disk = Path("/dev/shm")
    if other_disk.stat().st_dev == storage.root.stat().st_dev:
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
