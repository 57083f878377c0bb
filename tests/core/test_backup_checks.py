"""What the doctor says of backups: each thing is broken, and named with its repair."""

from dataclasses import replace
from pathlib import Path

import pytest

from appliance.checks import examine
from appliance.checks.examined import Examined
from appliance.clock import FixedClock
from appliance.db import Database, write
from appliance.errors import StorageFull
from appliance.operations.backups import missing, recovery, runs
from appliance.operations.backups.runs import RunKind
from appliance.operations.findings import Finding, Level
from appliance.permissions import SYSTEM
from appliance.settings import Settings
from appliance.storage import Storage
from tests.builders import Builders

NAME = "20260102T120000Z-abcdef"


def found(settings: Settings, clock: FixedClock, check_id: str) -> Finding:
    (finding,) = examine(Examined(settings, clock), only=[check_id])
    return finding


def made(db: Database, kind: RunKind = RunKind.CREATE) -> None:
    run = runs.begin(db, SYSTEM, kind, "/mnt/backups", NAME)
    runs.done(db, SYSTEM, run, NAME, bytes=1)


def test_without_a_recovery_key_it_says_how_to_make_one(
    settings: Settings, db: Database, clock: FixedClock
) -> None:
    finding = found(settings, clock, "backup.key")
    assert finding.level is Level.WARN
    assert "matinee backup key new" in finding.fix
    recovery.make(settings)
    assert found(settings, clock, "backup.key").level is Level.OK
    (settings.keys / recovery.FILE).write_text("{}")
    assert found(settings, clock, "backup.key").level is Level.FAIL


def test_an_old_backup_and_none_are_named(
    settings: Settings, db: Database, clock: FixedClock
) -> None:
    assert found(settings, clock, "backup.age").level is Level.WARN
    made(db)
    finding = found(settings, clock, "backup.age")
    assert finding.level is Level.OK
    assert "on the disk that it is of" in finding.sentence
    clock.advance(days=3)
    assert found(settings, clock, "backup.age").level is Level.WARN
    clock.advance(days=4)
    finding = found(settings, clock, "backup.age")
    assert (finding.level, finding.sentence) == (
        Level.FAIL,
        "the last backup is 7 days old",
    )


def test_a_backup_that_failed_is_named_until_one_is_made(
    settings: Settings, db: Database, clock: FixedClock
) -> None:
    made(db)
    run = runs.begin(db, SYSTEM, RunKind.CREATE, "/mnt/backups")
    runs.failed(db, SYSTEM, run, "", StorageFull("backup.full", "The disk is full."))
    finding = found(settings, clock, "backup.age")
    assert finding.level is Level.FAIL
    assert "The disk is full." in finding.sentence
    made(db)
    assert found(settings, clock, "backup.age").level is Level.OK


def test_a_backup_that_nobody_verified_or_that_is_damaged_is_named(
    settings: Settings, db: Database, clock: FixedClock
) -> None:
    assert found(settings, clock, "backup.verified").level is Level.OK
    made(db)
    clock.advance(days=11)
    assert found(settings, clock, "backup.verified").level is Level.WARN
    made(db, RunKind.VERIFY)
    assert found(settings, clock, "backup.verified").level is Level.OK
    run = runs.begin(db, SYSTEM, RunKind.VERIFY, "/mnt/backups", NAME)
    runs.failed(db, SYSTEM, run, NAME, StorageFull("backup.damaged", "It is damaged."))
    finding = found(settings, clock, "backup.verified")
    assert (finding.level, finding.fix.split(",")[0]) == (
        Level.FAIL,
        "matinee backup create",
    )


def test_films_that_came_back_without_files_are_named(
    settings: Settings,
    db: Database,
    clock: FixedClock,
    make: Builders,
    storage: Storage,
) -> None:
    make.asset(make.title("The Film", slug="the-film"))
    assert found(settings, clock, "backup.films").level is Level.OK
    storage.remove("packages")
    missing.note(db, storage)
    finding = found(settings, clock, "backup.films")
    assert finding.level is Level.WARN
    assert "the-film" in finding.sentence


def test_copies_that_are_not_made_are_named(
    settings: Settings, db: Database, clock: FixedClock, tmp_path: Path
) -> None:
    assert found(settings, clock, "backup.copies").level is Level.OK
    backup = replace(settings.backup, copies=str(tmp_path / "copies"))
    copied = replace(settings, backup=backup)
    finding = found(copied, clock, "backup.copies")
    assert finding.level is Level.FAIL
    assert "matinee-copies" in finding.fix
    newest = settings.home / ".matinee.db-litestream" / "ltx" / "0" / "1.ltx"
    newest.parent.mkdir(parents=True)
    newest.touch()
    assert found(copied, clock, "backup.copies").level is Level.OK


@pytest.mark.parametrize("kind", RunKind)
def test_a_run_that_was_interrupted_is_no_success(
    db: Database, clock: FixedClock, kind: RunKind
) -> None:
    first = runs.begin(db, SYSTEM, kind, "/mnt/backups")
    runs.begin(db, SYSTEM, kind, "/mnt/backups")
    states = {each.public_id: each for each in runs.latest(db)}
    assert states[first.public_id].state == "failed"
    assert "interrupted" in states[first.public_id].message


def test_runs_of_years_ago_are_forgotten_but_kept_backups_are_not(
    db: Database, clock: FixedClock
) -> None:
    made(db)
    made(db, RunKind.VERIFY)
    clock.advance(days=400)
    runs.forget_old(db)
    assert [each.kind for each in runs.latest(db)] == [RunKind.CREATE]
    runs.keeps(db, [])
    runs.forget_old(db)
    assert runs.latest(db) == []
    with write(db):
        assert db.value("select count(*) from backup_runs") == 0
