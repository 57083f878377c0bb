"""Copies of the database for upgrades: made live, whole, and put back whole."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from appliance.clock import FixedClock
from appliance.db import Database, connect, write
from appliance.errors import InvalidInput, NotFound, PreconditionFailed
from appliance.operations.backups import snapshots
from appliance.settings import Settings
from tests.builders import Builders


def test_a_snapshot_is_whole_while_somebody_writes(
    settings: Settings, make: Builders
) -> None:
    make.title("Before")
    stop = threading.Event()
    writing = threading.Thread(target=_keep_writing, args=(settings.database, stop))
    writing.start()
    try:
        copies = [snapshots.snapshot(settings, "before-2.0.0") for _ in range(5)]
    finally:
        stop.set()
        writing.join()
    for each in copies:
        snapshots.require_whole(each)
        with closing(sqlite3.connect(each)) as copy:
            assert copy.execute("select count(*) from titles").fetchone() == (1,)


def test_putting_a_snapshot_back_undoes_what_came_later(
    settings: Settings, make: Builders, db: Database, clock: FixedClock
) -> None:
    make.title("Kept")
    copy = snapshots.snapshot(settings, "before-2.0.0", clock)
    make.title("Undone")
    db.close()
    # What a killed process leaves behind, which must not be replayed over the copy.
    stale = settings.database.with_name("matinee.db-wal")
    stale.write_bytes(b"stale")
    snapshots.put_back(settings, copy)
    assert not stale.exists()
    with connect(settings.database) as again:
        assert [row["name"] for row in again.rows("select name from titles")] == [
            "Kept"
        ]
    assert settings.database.stat().st_mode & 0o777 == 0o600


def test_only_the_last_snapshots_are_kept(
    settings: Settings, clock: FixedClock
) -> None:
    for number in range(8):
        clock.advance(seconds=1)
        snapshots.snapshot(settings, f"number-{number}", clock)
    kept = snapshots.listing(settings)
    assert len(kept) == snapshots.KEPT
    assert kept[0].name.endswith("number-7.db")


def test_a_damaged_or_missing_snapshot_is_refused_and_changes_nothing(
    settings: Settings, make: Builders, db: Database
) -> None:
    make.title("Here")
    copy = snapshots.snapshot(settings, "before")
    content = bytearray(copy.read_bytes())
    content[4096 * 3 : 4096 * 9] = b"\0" * 4096 * 6
    copy.write_bytes(content)
    with pytest.raises(PreconditionFailed, match="damaged"):
        snapshots.put_back(settings, copy)
    with pytest.raises(NotFound):
        snapshots.put_back(settings, settings.home / "nothing.db")
    assert db.value("select count(*) from titles") == 1


def test_a_reason_is_a_part_of_a_name_and_no_path(settings: Settings) -> None:
    with pytest.raises(InvalidInput):
        snapshots.snapshot(settings, "../elsewhere")


def _keep_writing(database: Path, stop: threading.Event) -> None:
    with connect(database) as db:
        while not stop.is_set():
            with write(db):
                db.conn.execute(
                    "insert into events (at, name, actor_name, address, subject, data)"
                    " values ('', 'a:b', '', '', '', '{}')"
                )
