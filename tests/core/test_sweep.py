"""``matinee sweep`` and what it does for the database."""

from pathlib import Path

from appliance import db as database
from appliance.db import write
from appliance.operations import upkeep


def test_the_log_of_the_database_is_written_into_it(tmp_path: Path) -> None:
    path = tmp_path / "matinee.db"
    with database.connect(path) as db:
        with write(db):
            db.conn.execute("create table films (name text)")
            db.conn.executemany(
                "insert into films values (?)", [("x" * 1000,) for _ in range(500)]
            )

        kept = upkeep.keep_up(db, path)

        assert kept.log > 500_000
        assert path.with_name("matinee.db-wal").stat().st_size == 0
        assert kept.database == path.stat().st_size


def test_somebody_who_reads_meanwhile_is_not_waited_for_and_not_disturbed(
    tmp_path: Path,
) -> None:
    path = tmp_path / "matinee.db"
    with database.connect(path) as db, database.connect(path) as reader:
        db.conn.execute("pragma busy_timeout = 50")
        with write(db):
            db.conn.execute("create table films (name text)")
        with database.snapshot(reader):
            reader.value("select count(*) from films")
            with write(db):
                db.conn.execute("insert into films values ('one')")

            upkeep.keep_up(db, path)

            assert reader.value("select count(*) from films") == 0
        assert reader.value("select count(*) from films") == 1
