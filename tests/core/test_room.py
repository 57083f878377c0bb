"""How full a disk may be: what is refused at which mark, and that nothing is lost."""

from pathlib import Path

import pytest

from appliance.db import Database
from appliance.errors import StorageFull
from appliance.media import assets, fetches, uploads
from appliance.permissions import SYSTEM
from appliance.room import Pressure, Room
from appliance.settings import Disk, Settings
from appliance.storage import Storage
from tests.conftest import Matinee
from tests.filling import Disks, disks
from tests.host.mounts import Mounts


@pytest.fixture
def disk(settings: Settings, mounts: Mounts, monkeypatch: pytest.MonkeyPatch) -> Disks:
    for name, value in (("WARN", 80), ("PAUSE", 70), ("REFUSE", 60)):
        monkeypatch.setenv(f"MATINEE_DISK_{name}_PERCENT", str(value))
    return disks(settings, mounts)


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"moving pictures" * 100)
    return path


@pytest.mark.parametrize(
    ("free", "pressure"),
    [
        (1000, Pressure.OK),
        (150, Pressure.OK),
        (149, Pressure.WARN),
        (79, Pressure.PAUSE),
        (49, Pressure.REFUSE),
        (0, Pressure.REFUSE),
    ],
)
def test_each_mark_counts_from_below_it(free: int, pressure: Pressure) -> None:
    assert Room(free, 1000).pressure(Disk()) is pressure


def test_a_mark_of_nothing_never_counts() -> None:
    unmarked = Disk(warn_percent=0, pause_percent=0, refuse_percent=0)

    assert Room(0, 1000).pressure(unmarked) is Pressure.OK
    Room(0, 1000).require(unmarked, 500)


def test_a_film_that_would_leave_too_little_is_refused_before_it_comes() -> None:
    Room(100, 1000).require(Disk(), 50)
    with pytest.raises(StorageFull, match="would leave less than 5 %"):
        Room(100, 1000).require(Disk(), 51)


def test_what_the_file_system_keeps_for_root_does_not_count(
    disk: Disks, storage: Storage
) -> None:
    disk.fill(75)

    assert storage.room().percent == pytest.approx(75, abs=1)
    assert storage.pressure(disk.settings.disk) is Pressure.WARN


def test_a_film_is_refused_on_a_disk_that_is_nearly_full_and_stays_where_it_is(
    db: Database, storage: Storage, disk: Disks, film: Path
) -> None:
    disk.fill(55)

    with pytest.raises(StorageFull, match="below 60 % no film is taken"):
        uploads.take_in(
            *(db, storage, disk.settings, SYSTEM, film, film.name), keep_source=True
        )
    assert film.exists()
    assert not list(storage.root.glob("sources/*"))

    disk.free()
    arrival = uploads.take_in(
        *(db, storage, disk.settings, SYSTEM, film, film.name), keep_source=True
    )
    assert assets.by_public_id(db, arrival.asset).source_name == "film.mp4"


def test_a_film_that_is_on_that_disk_already_is_taken(
    db: Database, storage: Storage, disk: Disks
) -> None:
    arrived = storage.root / "arrived.mp4"
    arrived.write_bytes(b"moving pictures")
    disk.fill(55)

    uploads.take_in(
        *(db, storage, disk.settings, SYSTEM, arrived, "film.mp4"), keep_source=False
    )

    assert db.value("select count(*) from assets") == 1


def test_no_film_is_fetched_for_a_disk_that_is_nearly_full(
    db: Database, disk: Disks, matinee: Matinee, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MATINEE_UPLOADS_FROM_URLS", "true")
    disk.fill(55)

    refused = matinee("fetch", "add", "https://films.example.org/one.mp4")

    assert refused.exit_code == 3
    assert "no film is taken" in refused.stderr
    assert fetches.listing(db, SYSTEM) == []


def test_the_command_refuses_a_film_and_leaves_no_title(
    db: Database, disk: Disks, film: Path, matinee: Matinee
) -> None:
    disk.fill(55)

    refused = matinee("title", "add", str(film), "--title", "The First Film")

    assert refused.exit_code == 3
    assert "below 60 % no film is taken" in refused.stderr
    assert db.value("select count(*) from titles where removed_at is null") == 0
