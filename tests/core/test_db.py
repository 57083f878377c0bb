"""The one way to write: it waits for its turn, and undoes what failed."""

import threading
from pathlib import Path

import pytest

from appliance import db as database
from appliance.clock import FixedClock
from appliance.db import Database, snapshot, write
from appliance.errors import TryAgain
from appliance.settings import Settings


def count(db: Database) -> int:
    return int(db.value("select count(*) from genres"))


def add(db: Database, slug: str) -> None:
    db.conn.execute("insert into genres (slug, name) values (?, ?)", (slug, slug))


def test_what_was_written_is_there_for_others(db: Database, settings: Settings) -> None:
    with write(db):
        add(db, "drama")

    with database.connect(settings.database) as other:
        assert count(other) == 1


def test_an_error_undoes_everything(db: Database) -> None:
    with pytest.raises(ZeroDivisionError), write(db):
        add(db, "drama")
        raise ZeroDivisionError

    assert count(db) == 0
    assert not db.conn.in_transaction


def test_an_interrupt_undoes_everything(db: Database) -> None:
    with pytest.raises(KeyboardInterrupt), write(db):
        add(db, "drama")
        raise KeyboardInterrupt

    assert count(db) == 0


def test_a_write_inside_another_joins_it(db: Database) -> None:
    with pytest.raises(ZeroDivisionError), write(db):
        with write(db):
            add(db, "drama")
        raise ZeroDivisionError

    assert count(db) == 0


def test_a_writer_may_read_first_while_others_write(settings: Settings) -> None:
    """A deferred transaction fails here at once, with SQLITE_BUSY_SNAPSHOT."""
    failures: list[Exception] = []

    def read_then_add(name: str) -> None:
        try:
            with database.connect(settings.database) as db:
                for turn in range(25):
                    with write(db):
                        add(db, f"{name}-{count(db)}-{turn}")
        except Exception as error:  # noqa: BLE001 any failure is the finding
            failures.append(error)

    threads = [threading.Thread(target=read_then_add, args=(n,)) for n in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with database.connect(settings.database) as db:
        assert (failures, count(db)) == ([], 100)


def test_a_database_that_stays_busy_asks_to_try_again(settings: Settings) -> None:
    with (
        database.connect(settings.database) as first,
        database.connect(settings.database) as second,
    ):
        second.conn.execute("pragma busy_timeout = 1")
        with write(first), pytest.raises(TryAgain), write(second):
            pass

        with write(second):
            add(second, "drama")


def test_foreign_keys_are_kept(db: Database) -> None:
    import sqlite3

    with pytest.raises(sqlite3.IntegrityError), write(db):
        db.conn.execute("insert into title_genres (title_id, genre_id) values (9, 9)")


def test_the_time_is_text_that_sorts(db: Database, clock: FixedClock) -> None:
    first = db.now()
    clock.advance(microseconds=1)

    assert first == "2026-01-02T12:00:00.000000Z"
    assert first < db.now() < db.now(hours=1)


def test_readers_get_dicts_values_or_none(db: Database) -> None:
    with write(db):
        add(db, "drama")

    assert db.one("select slug from genres") == {"slug": "drama"}
    assert db.one("select slug from genres where id = ?", (99,)) is None
    assert (
        db.value("select slug from genres where slug = :s", {"s": "drama"}) == "drama"
    )
    assert db.value("select slug from genres where id = 99") is None
    assert db.rows("select slug from genres where id = 99") == []


def test_a_full_disk_is_said_in_a_sentence(tmp_path: Path) -> None:
    from appliance.errors import StorageFull

    with database.connect(tmp_path / "small.db") as db:
        db.conn.execute("create table films (content blob)")
        # A database that may not grow answers as one on a full disk does.
        db.conn.execute("pragma max_page_count = 10")

        with pytest.raises(StorageFull, match="free some room"), write(db):
            db.conn.execute("insert into films values (zeroblob(1000000))")

        assert db.value("select count(*) from films") == 0


def test_a_snapshot_reads_one_moment(db: Database, settings: Settings) -> None:
    with database.connect(settings.database) as other, snapshot(db):
        assert count(db) == 0
        with write(other):
            add(other, "drama")
        assert count(db) == 0
    assert count(db) == 1
    assert not db.conn.in_transaction
