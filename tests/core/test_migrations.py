"""Migrations: applied once, by one process, and asked for where they are missing."""

import threading
from pathlib import Path

import pytest

from appliance import migrations
from appliance.db import Database
from appliance.errors import PreconditionFailed


def test_an_empty_machine_gets_the_whole_schema(tmp_path: Path) -> None:
    path = tmp_path / "new" / "matinee.db"

    applied = migrations.migrate(path)

    assert applied
    migrations.require_current(path)


def test_the_second_run_finds_nothing_to_do(tmp_path: Path) -> None:
    migrations.migrate(tmp_path / "matinee.db")

    assert migrations.migrate(tmp_path / "matinee.db") == []


def test_of_two_at_once_one_does_the_work(tmp_path: Path) -> None:
    applied: list[list[str]] = []
    threads = [
        threading.Thread(
            target=lambda: applied.append(migrations.migrate(tmp_path / "matinee.db"))
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(applied) == 4
    assert len([names for names in applied if names]) == 1


def test_a_missing_database_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(PreconditionFailed, match="matinee init"):
        migrations.require_current(tmp_path / "matinee.db")


def test_an_old_database_is_asked_to_be_migrated(tmp_path: Path) -> None:
    Database(tmp_path / "matinee.db").close()

    with pytest.raises(PreconditionFailed, match="matinee migrate"):
        migrations.require_current(tmp_path / "matinee.db")


def test_the_schema_holds_no_orphans_and_is_strict(db: Database) -> None:
    tables = db.rows("pragma table_list")
    ours = [
        table
        for table in tables
        if table["schema"] == "main"
        and table["type"] == "table"
        and not table["name"].startswith(("sqlite_", "_sqlite_migrations"))
    ]

    assert ours
    assert [table["name"] for table in ours if not table["strict"]] == []
    assert db.rows("pragma foreign_key_check") == []


def test_tracks_of_before_lie_on_the_disk_and_objects_leave_a_note(
    tmp_path: Path,
) -> None:
    path = tmp_path / "matinee.db"
    old = Database(path)
    migrations.migrations.apply(old, stop_before="places")
    at = old.now()
    old.conn.execute(
        "insert into titles (id, public_id, slug, name, created_at, updated_at)"
        " values (1, 't', 't', 'T', ?, ?)",
        (at, at),
    )
    old.conn.execute(
        "insert into assets (id, public_id, title_id, source_path, source_name,"
        " source_bytes,"
        " created_at) values (1, 'a', 1, 's', 's', 1, ?)",
        (at,),
    )
    for track in ("x", "y"):
        old.conn.execute(
            "insert into tracks (public_id, asset_id, kind, name, path, created_at)"
            " values (?, 1, 'text', 'n', ?, ?)",
            (track, f"packages/a/tracks/{track}", at),
        )
    old.close()

    migrations.migrate(path)

    db = Database(path)
    before = db.rows("select distinct place from tracks")
    db.conn.execute("update tracks set place = 'objects' where public_id = 'x'")
    db.conn.execute("delete from titles")
    noted = db.rows("select place, path from leftovers")
    db.close()
    assert before == [{"place": "local"}]
    assert noted == [{"place": "objects", "path": "packages/a/tracks/x"}]


def test_what_was_watched_before_were_no_previews(tmp_path: Path) -> None:
    path = tmp_path / "matinee.db"
    old = Database(path)
    migrations.migrations.apply(old, stop_before="previews")
    at = old.now()
    for statement in (
        "insert into accounts (id, public_id, username, display_name, created_at)"
        " values (1, 'a', 'ada', 'Ada', :at)",
        "insert into profiles (id, public_id, account_id, name, created_at)"
        " values (1, 'p', 1, 'Ada', :at)",
        "insert into titles (id, public_id, slug, name, created_at, updated_at)"
        " values (1, 't', 't', 'T', :at, :at)",
        "insert into assets (id, public_id, title_id, source_path, source_name,"
        " source_bytes, created_at) values (1, 'f', 1, 's', 's', 1, :at)",
        "insert into playback_sessions (public_id, account_id, profile_id, asset_id,"
        " started_at, heartbeat_at, expires_at) values ('s', 1, 1, 1, :at, :at, :at)",
    ):
        old.conn.execute(statement, {"at": at})
    old.close()

    migrations.migrate(path)

    db = Database(path)
    previews = db.rows("select public_id, preview from playback_sessions")
    db.close()
    assert previews == [{"public_id": "s", "preview": 0}]


def test_every_foreign_key_has_an_index(db: Database) -> None:
    """Without one, removing a parent reads the whole table of its children."""
    missing = [
        f"{table}.{key['from']}"
        for table in db.table_names()
        for key in db.rows(f"pragma foreign_key_list({table})")
        if not _leads_an_index(db, table, key["from"])
    ]

    assert missing == []


def test_the_search_index_follows_the_titles(db: Database) -> None:
    sql = "select count(*) from titles_fts where titles_fts match '\"river\"'"
    now = db.now()
    db.conn.execute(
        "insert into titles (public_id, slug, name, created_at, updated_at)"
        " values ('a', 'a', 'The River', ?, ?)",
        (now, now),
    )
    found = db.value(sql)
    db.conn.execute("update titles set name = 'The Lake'")
    after_change = db.value(sql)
    db.conn.execute("delete from titles")

    assert (found, after_change, db.value(sql)) == (1, 0, 0)


def _leads_an_index(db: Database, table: str, column: str) -> bool:
    for index in db.rows(f"pragma index_list({table})"):
        columns = db.rows(f"pragma index_info('{index['name']}')")
        if columns[0]["name"] == column:
            return True
    info = db.rows(f"pragma table_info({table})")
    return any(c["name"] == column and c["pk"] == 1 for c in info)
