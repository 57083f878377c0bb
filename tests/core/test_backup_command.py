"""The command of backups: the key is shown once, and nothing is destroyed unasked."""

import json
import os
import stat
import tempfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from appliance.cli import backup_restore, main
from appliance.db import Database
from appliance.operations.backups import missing
from appliance.settings import Settings
from appliance.storage import Storage
from tests.builders import Builders
from tests.conftest import Matinee


@pytest.fixture
def place(tmp_path: Path) -> str:
    return str(tmp_path / "backups")


def asked(matinee: Matinee, *args: str, words: str = "") -> Any:
    done = matinee(*args, "--json", stdin=words)
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def test_the_first_backup_wants_a_key_and_shows_it_once(
    matinee: Matinee, db: Database, settings: Settings, place: str
) -> None:
    refused = matinee("backup", "create", "--place", place)
    assert refused.exit_code == 3
    assert "matinee backup key new" in refused.stderr

    made = asked(matinee, "backup", "create", "--place", place, "--key-saved")
    assert len(made["recovery_key"].split("-")) == 14
    again = asked(matinee, "backup", "create", "--place", place)
    assert "recovery_key" not in again

    for path in settings.keys.iterdir():
        assert made["recovery_key"] not in path.read_text()
    checked = matinee("backup", "key", "check", stdin=made["recovery_key"])
    assert checked.exit_code == 0
    other = asked(matinee, "backup", "key", "new", "--replace", "--key-saved")
    wrong = matinee("backup", "key", "check", stdin=made["recovery_key"])
    assert (wrong.exit_code, other["id"] in wrong.stderr) == (3, True)
    assert other["recovery_key"] not in matinee("backup", "key", "show").stdout


def test_backups_are_listed_verified_and_removed(
    matinee: Matinee, db: Database, place: str, make: Builders
) -> None:
    make.title("The Film")
    given = ("--place", place)
    made = asked(matinee, "backup", "create", *given, "--key-saved")
    verified = asked(matinee, "backup", "verify", *given)
    assert verified["name"] == made["name"]
    (listed,) = asked(matinee, "backup", "list", *given)
    assert (listed["name"], bool(listed["verified_at"])) == (made["name"], True)
    assert matinee("backup", "prune", *given).exit_code == 2
    assert asked(matinee, "backup", "prune", *given, "--yes") == {"removed": []}
    assert matinee("backup", "verify", "20200101T000000Z-000000", *given).exit_code == 4
    assert matinee("backup", "verify", "../../etc", *given).exit_code == 2


def test_a_restore_asks_first_and_lays_other_configuration_beside(
    db: Database, settings: Settings, tmp_path: Path, place: str
) -> None:
    config = tmp_path / "etc" / "matinee.toml"
    config.parent.mkdir()
    config.write_text('[portal]\nname = "Before"\n')
    (config.parent / "answers.yml").write_text("matinee_public_url: https://a\n")
    environ = {"MATINEE_HOME": str(settings.home), "MATINEE_CONFIG": str(config)}

    def run(*args: str) -> dict[str, object]:
        done = CliRunner(env=environ).invoke(main, [*args, "--json"])
        assert done.exit_code == 0, done.stderr
        found: dict[str, object] = json.loads(done.stdout)
        return found

    run("backup", "create", "--place", place, "--key-saved")
    db.close()
    config.write_text('[portal]\nname = "After"\n')
    (config.parent / "answers.yml").unlink()
    unasked = CliRunner(env=environ).invoke(
        main, ["backup", "restore", "--place", place]
    )
    assert unasked.exit_code == 2
    assert "without --yes" in unasked.stderr

    restored = run("backup", "restore", "--place", place, "--yes")
    beside = config.with_name("matinee.toml.from-backup")
    assert restored["configuration"] == {
        "matinee.toml": str(beside),
        "answers.yml": "restored",
    }
    assert "After" in config.read_text()
    assert "Before" in beside.read_text()
    answers = config.parent / "answers.yml"
    assert stat.S_IMODE(answers.stat().st_mode) == 0o600

    run("backup", "restore", "--place", place, "--yes", "--configuration")
    assert "Before" in config.read_text()
    assert "After" in config.with_name("matinee.toml.before-restore").read_text()


def test_films_without_files_are_listed_and_their_titles_say_so(
    matinee: Matinee, db: Database, storage: Storage, make: Builders
) -> None:
    make.asset(make.title("The Film", slug="the-film"))
    storage.remove("packages")
    missing.note(db, storage)
    (found,) = asked(matinee, "backup", "films")
    assert (found["title"], found["source"]) == ("the-film", False)
    shown = asked(matinee, "title", "show", "the-film")
    assert "--make-again" in shown["missing"]
    assert matinee("backup", "films", "--make-again").exit_code == 2
    asked(matinee, "backup", "films", "--make-again", "--yes")
    assert db.value("select count(*) from jobs") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become others")
def test_root_writes_as_the_user_whose_home_it_is() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        _written_as_its_owner(Path(folder, "home"))
    assert os.geteuid() == 0


def _written_as_its_owner(home: Path) -> None:
    home.mkdir()
    os.chown(home, 65534, 65534)
    with backup_restore.as_owner(home):
        (home / "made").touch()
    assert (home / "made").stat().st_uid == 65534


def test_copies_say_that_they_are_not_set_up(matinee: Matinee, db: Database) -> None:
    for args in (("copies", "show"), ("copies", "run"), ("standby", "--yes")):
        done = matinee("backup", *args)
        assert done.exit_code == 2
        assert "backup.copies" in done.stderr
