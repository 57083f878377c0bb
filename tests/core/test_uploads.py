"""Sources on their way in: taken whole, refused with a sentence, never lost."""

import hashlib
import os
from pathlib import Path

import pytest

from appliance.catalog import titles
from appliance.catalog.titles import TitleState
from appliance.clock import FixedClock
from appliance.db import Database
from appliance.errors import Forbidden, InvalidInput, NotFound, StorageFull
from appliance.media import assets, jobs, sources, uploads
from appliance.media.jobs import JobState
from appliance.permissions import SYSTEM, Role
from appliance.settings import Disk, Settings, Uploads
from appliance.storage import Storage
from tests.builders import Builders

FILM = b"moving pictures" * 1000


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "A Film.MP4"
    path.write_bytes(FILM)
    return path


def test_a_film_becomes_a_title_with_an_asset_and_a_job(
    db: Database, storage: Storage, settings: Settings, film: Path
) -> None:
    arrival = uploads.take_in(
        db, storage, settings, SYSTEM, film, film.name, keep_source=False
    )

    title = titles.by_slug(db, SYSTEM, arrival.title_slug)
    asset = assets.by_public_id(db, arrival.asset)
    assert (title.name, title.state) == ("A Film", TitleState.PROCESSING)
    assert asset.source_path == f"sources/{asset.public_id}/source.mp4"
    assert storage.existing(asset.source_path).read_bytes() == FILM
    assert jobs.by_public_id(db, arrival.job).state is JobState.QUEUED
    assert not film.exists()


def test_a_film_that_is_kept_is_copied_and_hashed_on_the_way(
    db: Database, storage: Storage, settings: Settings, film: Path
) -> None:
    arrival = uploads.take_in(
        db, storage, settings, SYSTEM, film, film.name, keep_source=True
    )

    asset = assets.by_public_id(db, arrival.asset)
    film.write_bytes(b"changed later")
    assert storage.existing(asset.source_path).read_bytes() == FILM
    assert asset.source_sha256 == hashlib.sha256(FILM).hexdigest()


def test_a_link_to_a_film_brings_in_the_film(
    db: Database, storage: Storage, settings: Settings, film: Path, tmp_path: Path
) -> None:
    link = tmp_path / "link.mp4"
    link.symlink_to(film)

    arrival = uploads.take_in(
        db, storage, settings, SYSTEM, link, link.name, keep_source=False
    )

    source = storage.existing(assets.by_public_id(db, arrival.asset).source_path)
    assert not source.is_symlink()
    assert source.read_bytes() == FILM


def test_an_empty_file_is_refused_and_stays(
    db: Database, storage: Storage, settings: Settings, tmp_path: Path
) -> None:
    empty = tmp_path / "empty.mp4"
    empty.touch()

    with pytest.raises(InvalidInput, match="is empty"):
        uploads.take_in(
            db, storage, settings, SYSTEM, empty, empty.name, keep_source=False
        )

    assert empty.exists()
    assert _nothing_was_made(db, storage)


def test_a_folder_is_refused(
    db: Database, storage: Storage, settings: Settings, tmp_path: Path
) -> None:
    with pytest.raises(InvalidInput, match="is not a file"):
        uploads.take_in(
            db, storage, settings, SYSTEM, tmp_path, "folder", keep_source=True
        )


def test_a_film_larger_than_allowed_is_refused(
    db: Database, storage: Storage, film: Path, settings: Settings
) -> None:
    small = Settings(home=settings.home, uploads=Uploads(max_gigabytes=0))

    with pytest.raises(InvalidInput, match="larger than the 0 GB"):
        uploads.take_in(db, storage, small, SYSTEM, film, film.name, keep_source=False)

    assert film.exists()


def test_a_film_that_does_not_fit_is_refused_and_stays(
    db: Database, settings: Settings, film: Path
) -> None:
    class Full(Storage):
        def free_bytes(self) -> int:
            return 1000

    storage = Full(settings.media)

    with pytest.raises(StorageFull, match="free some room"):
        uploads.take_in(
            db, storage, settings, SYSTEM, film, film.name, keep_source=True
        )

    assert film.read_bytes() == FILM
    assert _nothing_was_made(db, storage)


def test_whoever_is_killed_before_the_rows_are_written_finds_the_film_again(
    db: Database, storage: Storage, settings: Settings, film: Path
) -> None:
    target = storage.path(sources.path_for("0123456789abcdef", film.name))
    place = str(target.relative_to(storage.root))
    sources.bring_in(storage, Disk(), film, place, keep=False)

    assert film.read_bytes() == FILM
    uploads.take_in(db, storage, settings, SYSTEM, film, film.name, keep_source=False)
    assert len(titles.listing(db, SYSTEM)) == 1


def test_a_film_of_a_title_that_went_away_is_not_taken(
    db: Database, storage: Storage, settings: Settings, film: Path
) -> None:
    with pytest.raises(NotFound):
        uploads.take_in(
            db,
            storage,
            settings,
            SYSTEM,
            film,
            film.name,
            title_id=4711,
            keep_source=False,
        )

    assert film.exists()
    assert _nothing_was_made(db, storage)


def test_a_viewer_may_not_bring_in_films(
    db: Database, storage: Storage, settings: Settings, film: Path, make: Builders
) -> None:
    viewer = make.actor(Role.VIEWER)

    with pytest.raises(Forbidden):
        uploads.take_in(
            db, storage, settings, viewer, film, film.name, keep_source=False
        )


def test_a_contributor_may_not_publish_by_uploading(
    db: Database, storage: Storage, settings: Settings, film: Path, make: Builders
) -> None:
    contributor = make.actor(Role.CONTRIBUTOR)

    with pytest.raises(Forbidden):
        uploads.take_in(
            db,
            storage,
            settings,
            contributor,
            film,
            film.name,
            keep_source=False,
            publish=True,
        )


def test_a_contributor_may_not_replace_the_film_of_another(
    db: Database, storage: Storage, settings: Settings, film: Path, make: Builders
) -> None:
    title = make.title(actor=make.actor(Role.PUBLISHER))

    with pytest.raises(Forbidden):
        uploads.take_in(
            db,
            storage,
            settings,
            make.actor(Role.CONTRIBUTOR),
            film,
            film.name,
            title_id=title.id,
            keep_source=False,
        )


@pytest.mark.parametrize(
    ("filename", "name", "suffix"),
    [
        ("The_Big.Film.2024.mkv", "The Big Film 2024", ".mkv"),
        ('it\'s "the" film\n of films.MOV', 'it\'s "the" film of films', ".mov"),
        ("../../etc/passwd", "passwd", ""),
        ("..\\..\\boot.mp4", "boot", ".mp4"),
        (".mp4", "Untitled", ".mp4"),
        ("film.mp4; rm -rf", "film mp4; rm -rf", ""),
        ("x" * 300 + ".mp4", "x" * 120, ""),
        (os.fsdecode(b"caf\xe9.mp4"), "caf�", ".mp4"),
    ],
)
def test_any_file_name_gives_a_title_and_none_a_path(
    db: Database,
    storage: Storage,
    settings: Settings,
    tmp_path: Path,
    filename: str,
    name: str,
    suffix: str,
) -> None:
    source = tmp_path / "source"
    source.write_bytes(FILM)

    arrival = uploads.take_in(
        db, storage, settings, SYSTEM, source, filename, keep_source=False
    )

    asset = assets.by_public_id(db, arrival.asset)
    assert titles.by_slug(db, SYSTEM, arrival.title_slug).name == name
    assert asset.source_path == f"sources/{asset.public_id}/source{suffix}"


def test_an_upload_of_a_browser_ends_with_its_film(
    db: Database, storage: Storage, settings: Settings, film: Path, make: Builders
) -> None:
    sender = make.actor(Role.CONTRIBUTOR)
    upload = uploads.start(db, settings, sender, film.name, len(FILM))
    assert [u.public_id for u in uploads.of_account(db, sender.account_id or 0)] == [
        upload.public_id
    ]

    arrival = uploads.take_in(
        db,
        storage,
        settings,
        sender,
        film,
        upload.filename,
        keep_source=False,
        upload=upload.public_id,
    )

    ended = uploads.by_public_id(db, upload.public_id)
    asset = assets.by_public_id(db, arrival.asset)
    assert (ended.state, ended.asset_id) == ("finished", asset.id)
    assert uploads.of_account(db, sender.account_id or 0) == []


def test_an_upload_that_nobody_goes_on_with_counts_as_abandoned(
    db: Database, settings: Settings, clock: FixedClock, make: Builders
) -> None:
    sender = make.actor(Role.CONTRIBUTOR)
    left = uploads.start(db, settings, sender, "left.mp4", 10)
    kept = uploads.start(db, settings, sender, "kept.mp4", 10)
    clock.advance(days=settings.uploads.abandon_days, hours=-1)
    uploads.touch(db, kept.public_id)

    clock.advance(hours=2)

    found = uploads.abandoned(db, settings)
    assert [each.public_id for each in found] == [left.public_id]


def test_an_upload_that_could_never_be_taken_is_refused_at_its_start(
    db: Database, settings: Settings, make: Builders
) -> None:
    with pytest.raises(InvalidInput):
        uploads.start(db, settings, make.actor(Role.CONTRIBUTOR), "empty.mp4", 0)


def _nothing_was_made(db: Database, storage: Storage) -> bool:
    files = [path for path in storage.root.rglob("*") if path.is_file()]
    rows = db.value("select count(*) from titles") + db.value(
        "select count(*) from assets"
    )
    return not files and not rows
