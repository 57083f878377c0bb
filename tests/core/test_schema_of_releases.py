"""A database of one release and the code of another: forward always, back by one.

``tests/migrations`` has the schema of each release as it was frozen then.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from appliance import migrations
from appliance.db import Database, write
from appliance.errors import PreconditionFailed, StorageFull
from appliance.migrations import CONTRACTS

FROZEN = sorted((Path(__file__).parents[1] / "migrations").glob("*.sql"))
LATEST = FROZEN[-1:]

Columns = dict[str, dict[str, tuple[Any, ...]]]


def thaw(frozen: Path, folder: Path) -> Path:
    """Make the database of a release again."""
    path = folder / "matinee.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(frozen.read_text())
    return path


@pytest.mark.parametrize("frozen", FROZEN, ids=lambda path: path.stem)
def test_every_release_there_was_is_migrated_to_the_schema_of_today(
    frozen: Path, tmp_path: Path
) -> None:
    path = thaw(frozen, tmp_path)
    fresh = tmp_path / "fresh" / "matinee.db"

    migrations.migrate(path)
    migrations.migrate(fresh)

    assert columns(path) == columns(fresh)
    migrations.require_current(path)


@pytest.mark.parametrize("frozen", LATEST, ids=lambda path: path.stem)
def test_the_code_of_the_last_release_finds_everything_it_knows(
    frozen: Path, tmp_path: Path
) -> None:
    path = thaw(frozen, tmp_path)
    before, known = columns(path), applied(path)

    migrations.migrate(path)

    after = columns(path)
    contracting = [each for each in CONTRACTS if each not in known]
    if contracting:
        pytest.skip(f"{contracting} may take away what nothing reads any more")
    assert [table for table in before if table not in after] == []
    for table, old in before.items():
        assert old.items() <= after[table].items(), f"{table} has lost a column"
        for name in after[table].keys() - old.keys():
            _kind, not_null, default, _key, hidden = after[table][name]
            optional = not not_null or default is not None or hidden
            assert optional, f"{table}.{name}: the old code does not fill it in"


@pytest.mark.parametrize("frozen", LATEST, ids=lambda path: path.stem)
def test_what_the_last_release_wrote_may_still_be_written(
    frozen: Path, tmp_path: Path
) -> None:
    path = thaw(frozen, tmp_path)
    before = unique(path)

    migrations.migrate(path)

    new = unique(path) - before
    old_tables = {table for table, _ in before}
    assert [each for each in new if each[0] in old_tables] == []


def test_a_database_that_a_newer_release_only_extended_is_borne(db: Database) -> None:
    newer(db, "later", "99.0")

    migrations.require_current(path_of(db))
    assert migrations.migrate(path_of(db)) == []


def test_one_from_which_it_took_something_is_refused_with_the_release_to_install(
    db: Database,
) -> None:
    newer(db, "later", "98.0")
    newer(db, "without_old_names", "99.0", needs="without_old_names")

    for ask in (migrations.require_current, migrations.migrate):
        with pytest.raises(PreconditionFailed, match=r"install release 99\.0") as error:
            ask(path_of(db))
        assert error.value.code == "database.newer"


def test_what_was_taken_away_is_borne_by_code_that_reads_it_no_more(
    db: Database,
) -> None:
    newer(db, "without_old_names", "99.0", needs=migrations.names()[-1])

    migrations.require_current(path_of(db))


def test_a_newer_one_that_says_nothing_about_itself_is_refused(db: Database) -> None:
    newer(db, "later", "")
    db.conn.execute("delete from migration_notes where name = 'later'")

    with pytest.raises(PreconditionFailed, match="newer Matinee"):
        migrations.require_current(path_of(db))


def test_every_migration_leaves_a_note_of_the_release_it_came_with(
    db: Database,
) -> None:
    rows = db.rows("select name, version, needs from migration_notes")

    assert {row["name"] for row in rows} == set(migrations.names())
    assert all(row["version"] for row in rows)


def test_what_contracts_names_a_migration_that_there_is() -> None:
    assert set(CONTRACTS) | set(CONTRACTS.values()) <= set(migrations.names())


def test_a_trial_migrates_a_copy_while_others_write(tmp_path: Path) -> None:
    path = thaw(FROZEN[0], tmp_path)
    db = Database(path)
    with write(db):
        db.conn.execute("insert into groups (public_id, name) values ('g', 'Staff')")
        names = migrations.trial(path)
    db.close()

    assert names == [each for each in migrations.names() if each in names]
    assert names
    assert applied(path) & set(names) == set()
    assert [each.name for each in tmp_path.glob(".trial*")] == []


def test_a_trial_of_what_cannot_be_migrated_leaves_everything_as_it_was(
    tmp_path: Path,
) -> None:
    path = thaw(FROZEN[0], tmp_path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table alerts (id integer primary key)")
        connection.commit()
    before = applied(path)

    with pytest.raises(sqlite3.OperationalError, match="alerts"):
        migrations.trial(path)

    assert applied(path) == before


def test_a_trial_asks_for_room_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = thaw(FROZEN[0], tmp_path)
    monkeypatch.setattr(migrations, "SPARE_BYTES", 1 << 60)

    with pytest.raises(StorageFull, match="free some room"):
        migrations.trial(path)


def newer(db: Database, name: str, version: str, needs: str = "") -> None:
    """Do to a database what a newer code would."""
    with write(db):
        db.conn.execute(f"create table {name} (id integer primary key) strict")
        db.conn.execute(
            "insert into _sqlite_migrations (migration_set, name, applied_at)"
            " values ('matinee', ?, 'later')",
            (name,),
        )
        db.conn.execute(
            "insert into migration_notes values (?, ?, ?)", (name, version, needs)
        )


def path_of(db: Database) -> Path:
    return Path(db.value("select file from pragma_database_list where name = 'main'"))


def applied(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        return {
            row[0] for row in connection.execute("select name from _sqlite_migrations")
        }


def columns(path: Path) -> Columns:
    """Return type, duty, default, key and secrecy of each column of each table."""
    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute(
            "select name from sqlite_master where type = 'table'"
            " and name not like 'sqlite_%' and name not like '%\\_config' escape '\\'"
        ).fetchall()
        return {
            table: {
                row[1]: (row[2].lower(), row[3], row[4], row[5], row[6])
                for row in connection.execute(f"pragma table_xinfo({table})")
            }
            for (table,) in tables
        }


def unique(path: Path) -> set[tuple[str, str]]:
    """Return what may be there once only, by table."""
    with closing(sqlite3.connect(path)) as connection:
        return {
            (table, index)
            for (table,) in connection.execute(
                "select name from sqlite_master where type = 'table'"
            ).fetchall()
            for _, index, one, *_ in connection.execute(f"pragma index_list({table})")
            if one
        }
