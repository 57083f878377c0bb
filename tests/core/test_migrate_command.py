"""``matinee migrate``: on a copy first, with a copy to go back to, and for good."""

import json
from pathlib import Path

from appliance import migrations
from appliance.db import Database, write
from appliance.settings import Settings
from tests.conftest import Matinee


def test_a_trial_says_what_would_be_done_and_does_nothing(
    settings: Settings, matinee: Matinee
) -> None:
    settings.database.unlink()
    old = Database(settings.database)
    migrations.migrations.apply(old, stop_before="searching")
    old.close()

    told = json.loads(matinee("migrate", "--trial", "--json").stdout)
    again = json.loads(matinee("migrate", "--trial", "--json").stdout)

    assert told["would_apply"][0] == "searching"
    assert told["contracts"] == []
    assert again == told
    assert json.loads(matinee("migrate", "--json").stdout)["applied"][0] == "searching"


def test_a_copy_made_before_is_put_back(
    settings: Settings, matinee: Matinee, db: Database
) -> None:
    made = json.loads(matinee("migrate", "--snapshot", "before-9.9", "--json").stdout)
    with write(db):
        db.conn.execute("insert into groups (public_id, name) values ('g', 'Staff')")
    db.close()

    unasked = matinee("migrate", "--put-back", made["snapshot"])
    done = matinee("migrate", "--put-back", made["snapshot"], "--yes", "--json")

    assert unasked.exit_code == 2
    assert done.exit_code == 0
    again = Database(settings.database)
    assert again.value("select count(*) from groups where public_id = 'g'") == 0
    again.close()
    assert "before-9.9" in Path(made["snapshot"]).name


def test_one_thing_at_a_time(matinee: Matinee) -> None:
    assert matinee("migrate", "--trial", "--snapshot", "x").exit_code == 2


def test_a_newer_database_is_refused_with_the_release_to_install(
    settings: Settings, matinee: Matinee, db: Database
) -> None:
    with write(db):
        db.conn.execute(
            "insert into _sqlite_migrations (migration_set, name, applied_at)"
            " values ('matinee', 'gone', 'later')"
        )
        db.conn.execute("insert into migration_notes values ('gone', '99.0', 'gone')")

    for words in (["migrate"], ["migrate", "--trial"], ["user", "list"]):
        refused = matinee(*words)
        assert refused.exit_code == 3
        assert "install release 99.0" in refused.stderr
