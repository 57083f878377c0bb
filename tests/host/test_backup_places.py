"""Backups in a real S3 bucket and in a real repository of restic."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.catalog.titles import Title
from appliance.cenc import KeySystem, Label, Scheme
from appliance.clock import FixedClock
from appliance.db import Database, connect
from appliance.errors import (
    ConfigError,
    Conflict,
    PreconditionFailed,
    TryAgain,
)
from appliance.media import assets
from appliance.operations.backups import making, recovery, restoring, verifying
from appliance.operations.backups.places import Place
from appliance.permissions import SYSTEM
from appliance.protection import keys
from appliance.settings import Settings
from appliance.storage import Storage
from jobs import backing_up
from tests.builders import Builders
from tests.host.object_server import BUCKET, ObjectServer

PASSWORD = "a-password-of-the-tests"


@pytest.fixture
def key(settings: Settings) -> str:
    return recovery.make(settings)


@pytest.fixture
def film(db: Database, settings: Settings, make: Builders) -> Title:
    title = make.title("The Film", slug="the-film")
    film = make.asset(title, captions=("en",))
    keys.ensure(
        *(db, settings, SYSTEM, film, [Label.SD], Scheme.CBCS, [KeySystem.CLEARKEY])
    )
    make.storage.write(f"artwork/{title.public_id}/[a] b*/640.jpg", b"a picture")
    return title


@pytest.fixture
def in_bucket(settings: Settings, bucket: ObjectServer) -> Settings:
    used = bucket.used_by(settings)
    backup = replace(used.backup, place=f"s3:{BUCKET}/matinee", media="all")
    return replace(used, backup=backup)


@pytest.fixture
def in_restic(settings: Settings, tmp_path: Path) -> Settings:
    write_password(settings, PASSWORD)
    place = f"restic:{tmp_path / 'repository'}"
    return replace(settings, backup=replace(settings.backup, place=place, media="all"))


@pytest.fixture(params=["in_bucket", "in_restic"])
def used(request: pytest.FixtureRequest) -> Settings:
    """The settings of an installation whose backups go there."""
    settings: Settings = request.getfixturevalue(request.param)
    return settings


def write_password(settings: Settings, password: str) -> None:
    settings.keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = settings.keys / "backup.toml"
    path.touch(mode=0o600)
    path.write_text(f'[restic]\npassword = "{password}"\n')


def create(db: Database, settings: Settings) -> making.Backup:
    place = backing_up.place(settings)
    return making.create(db, settings, Storage(settings.media), SYSTEM, place)


def restore(
    settings: Settings, place: Place, key: str, name: str = "last"
) -> restoring.Restored:
    settings.media.mkdir(parents=True)
    return restoring.restore(
        *(settings, Storage(settings.media), SYSTEM, place, name),
        recovery_key=recovery.from_text(key),
    )


def test_a_fresh_machine_is_what_the_other_was(
    db: Database, used: Settings, key: str, film: Title, tmp_path: Path
) -> None:
    made = create(db, used)
    place = backing_up.place(used)
    assert place.names() == [made.name]
    verified = verifying.verify(db, used, SYSTEM, place, every_file=True)
    assert (verified.keys, verified.hashed) == (1, made.files)

    fresh = Settings(home=tmp_path / "fresh")
    restored = restore(fresh, place, key)

    assert restored.missing == ()
    for each in used.media.rglob("*"):
        if each.is_file():
            again = fresh.media / each.relative_to(used.media)
            assert again.read_bytes() == each.read_bytes()
    with connect(fresh.database) as again_db:
        (asset,) = assets.of_title(again_db, film.id)
        assert keys.of_asset(again_db, fresh, asset.id) == keys.of_asset(
            db, used, asset.id
        )


def test_older_ones_are_removed_with_what_only_they_needed(
    db: Database, used: Settings, key: str, film: Title, clock: FixedClock
) -> None:
    kept = replace(used.backup, keep_daily=1, keep_weekly=0, keep_monthly=0)
    few = replace(used, backup=kept)
    first = create(db, few)
    clock.advance(days=1)
    second = create(db, few)
    place = backing_up.place(few)
    assert making.prune(db, few, SYSTEM, place) == [first.name]
    assert place.names() == [second.name]
    verifying.verify(db, few, SYSTEM, place, every_file=True)


def test_what_another_installation_keeps_there_is_not_touched(
    db: Database, used: Settings, key: str
) -> None:
    backing_up.place(used).claim("somebody else")
    with pytest.raises(Conflict):
        create(db, used)


def test_a_bucket_that_is_away_is_told_and_tried_again(
    db: Database, in_bucket: Settings, key: str, film: Title, bucket: ObjectServer
) -> None:
    bucket.stop()
    with pytest.raises(TryAgain, match="cannot be reached"):
        create(db, in_bucket)
    bucket.start()
    made = create(db, in_bucket)
    assert backing_up.place(in_bucket).names() == [made.name]


def test_an_object_that_was_changed_or_removed_is_found(
    db: Database, in_bucket: Settings, key: str, film: Title, bucket: ObjectServer
) -> None:
    create(db, in_bucket)
    place = backing_up.place(in_bucket)
    (first, *_) = sorted((bucket.folder / "matinee" / "files").rglob("000000"))
    first.write_bytes(b"?" * first.stat().st_size)
    with pytest.raises((PreconditionFailed, TryAgain)):
        verifying.verify(db, in_bucket, SYSTEM, place, every_file=True)


def test_large_files_go_in_pieces(
    db: Database,
    in_bucket: Settings,
    key: str,
    monkeypatch: pytest.MonkeyPatch,
    storage: Storage,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr("appliance.operations.backups.bucket_place._PIECE", 1000)
    content = bytes(range(256)) * 20
    storage.write("artwork/a/b/original.png", content)
    create(db, in_bucket)
    place = backing_up.place(in_bucket)
    verifying.verify(db, in_bucket, SYSTEM, place, every_file=True)
    fresh = Settings(home=tmp_path / "fresh")
    restore(fresh, place, key)
    assert (fresh.media / "artwork/a/b/original.png").read_bytes() == content


def test_the_password_of_a_repository_is_in_no_argument_and_no_log(
    db: Database,
    in_restic: Settings,
    key: str,
    film: Title,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    create(db, in_restic)
    assert "restic" in caplog.text
    assert PASSWORD not in caplog.text
    place = backing_up.place(in_restic)
    assert PASSWORD not in repr(place)


def test_a_wrong_password_and_a_missing_one_are_told(
    db: Database, in_restic: Settings, key: str
) -> None:
    create(db, in_restic)
    write_password(in_restic, "another one")
    with pytest.raises(PreconditionFailed, match="does not open"):
        create(db, in_restic)
    (in_restic.keys / "backup.toml").unlink()
    with pytest.raises(PreconditionFailed, match=r"backup\.toml"):
        create(db, in_restic)


def test_a_repository_is_shown_without_who_may_use_it(settings: Settings) -> None:
    write_password(settings, PASSWORD)
    where = "restic:rest:https://me:secret@backup.example/matinee"
    place = backing_up.place(settings, where)
    assert place.name == "restic:rest:https://backup.example/matinee"


def test_a_damaged_repository_is_found(
    db: Database, in_restic: Settings, key: str, film: Title, tmp_path: Path
) -> None:
    create(db, in_restic)
    for each in (tmp_path / "repository" / "data").rglob("*"):
        if each.is_file():
            each.chmod(0o600)
            content = bytearray(each.read_bytes())
            content[len(content) // 2] ^= 1
            each.write_bytes(content)
    with pytest.raises((TryAgain, PreconditionFailed)):
        place = backing_up.place(in_restic)
        verifying.verify(db, in_restic, SYSTEM, place, every_file=True)


def test_other_snapshots_in_a_repository_stay(
    db: Database, in_restic: Settings, key: str, film: Title, tmp_path: Path
) -> None:
    create(db, in_restic)
    restic = _restic(tmp_path / "repository")
    restic("backup", "--tag", "somebody", str(Path(__file__)))
    few = replace(in_restic.backup, keep_daily=1, keep_weekly=0, keep_monthly=0)
    settings = replace(in_restic, backup=few)
    create(db, settings)
    making.prune(db, settings, SYSTEM, backing_up.place(settings))
    tags = [each.get("tags") for each in json.loads(restic("snapshots", "--json"))]
    assert ["somebody"] in tags


def test_what_is_no_place_is_refused(settings: Settings) -> None:
    for each in ("relative/folder", "s3:", "ftp://x"):
        with pytest.raises(ConfigError):
            backing_up.place(settings, each)


def _restic(repository: Path) -> Callable[..., str]:
    def run(*args: str) -> str:
        done = subprocess.run(
            ["restic", "--no-cache", *args],
            env={
                "PATH": "/usr/bin:/bin",
                "RESTIC_PASSWORD": PASSWORD,
                "RESTIC_REPOSITORY": str(repository),
            },
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    return run
