"""Setting up, configuring and checking an installation from the command line."""

import json
import os
from pathlib import Path

import pytest

from appliance.accounts import people, setup
from appliance.db import Database
from appliance.permissions import Role
from appliance.settings import Settings
from tests.builders import PASSWORD, Builders
from tests.conftest import Matinee


@pytest.fixture
def bare(settings: Settings) -> Settings:
    """A machine on which nothing was set up."""
    settings.database.unlink()
    settings.home.rmdir()
    return settings


def init_with_ada(matinee: Matinee) -> None:
    args = ("init", "--admin", "ada", "--password-stdin", "--yes")
    result = matinee(*args, stdin=f"{PASSWORD}\n")
    assert result.exit_code == 0, result.output


def test_init_makes_everything_that_is_missing(
    bare: Settings, matinee: Matinee
) -> None:
    init_with_ada(matinee)

    db = Database(bare.database)
    assert people.find(db, "ada").roles == {Role.ADMINISTRATOR}
    db.close()
    assert bare.media.is_dir()
    assert (bare.keys / "web.key").stat().st_mode & 0o077 == 0


def test_init_again_changes_nothing(bare: Settings, matinee: Matinee) -> None:
    init_with_ada(matinee)
    before = (bare.keys / "web.key").read_text()

    args = ("init", "--admin", "mallory", "--password-stdin", "--yes", "--json")
    result = matinee(*args, stdin=f"{PASSWORD}\n")

    assert result.exit_code == 0
    assert json.loads(result.stdout)["administrator"] == "unchanged"
    assert "mallory" not in matinee("user", "list").stdout
    assert (bare.keys / "web.key").read_text() == before


def test_init_without_a_name_prints_a_link_that_works(
    matinee: Matinee, db: Database
) -> None:
    result = matinee("init", "--yes", "--json")

    link = json.loads(result.stdout)["setup"]
    assert link.startswith("http://127.0.0.1:8600/setup?token=")
    setup.require_valid(db, link.partition("token=")[2])


def test_a_weak_password_is_refused_and_init_can_be_repeated(
    bare: Settings, matinee: Matinee
) -> None:
    args = ("init", "--admin", "ada", "--password-stdin", "--yes")
    refused = matinee(*args, stdin="short\n")

    assert refused.exit_code == 2
    init_with_ada(matinee)


def test_a_password_is_never_asked_for_where_nobody_can_answer(
    matinee: Matinee,
) -> None:
    result = matinee("init", "--admin", "ada", "--yes")

    assert result.exit_code == 2
    assert "--password-stdin" in result.stderr


def test_commands_refuse_a_machine_that_is_not_set_up(
    bare: Settings, matinee: Matinee
) -> None:
    result = matinee("audit", "list")

    assert result.exit_code == 3
    assert "matinee init" in result.stderr


def test_migrate_says_what_it_did(bare: Settings, matinee: Matinee) -> None:
    first = json.loads(matinee("migrate", "--json").stdout)
    second = json.loads(matinee("migrate", "--json").stdout)

    assert first["applied"]
    assert second["applied"] == []


def test_the_configuration_is_listed_as_a_file_that_would_give_it(
    matinee: Matinee, tmp_path: Path
) -> None:
    changed = tmp_path / "changed.toml"
    changed.write_text('[portal]\nname = "Riverside"\n')
    listed = matinee("--config", str(changed), "config", "list").stdout
    again = tmp_path / "again.toml"
    again.write_text(listed)

    result = matinee("--config", str(again), "config", "get", "portal.name")

    assert result.stdout == '"Riverside"\n'


def test_an_unknown_setting_is_not_found(matinee: Matinee) -> None:
    assert matinee("config", "get", "web.prt").exit_code == 4


def test_check_warns_of_cookies_without_tls(
    matinee: Matinee, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MATINEE_WEB_HOST", "192.0.2.7")

    result = matinee("config", "check")

    assert result.exit_code == 0
    assert "web.secure_cookies" in result.stderr


def test_the_audit_log_names_who_gave_the_command(
    matinee: Matinee, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_USER", "grace")
    init_with_ada(matinee)

    events = json.loads(matinee("audit", "list", "--json").stdout)

    assert [(e["name"], e["actor"]) for e in events] == [
        ("account:create", "command:grace")
    ]


def test_the_audit_log_goes_on_after_an_event(matinee: Matinee) -> None:
    for _ in range(3):
        matinee("init", "--yes")

    latest = json.loads(matinee("audit", "list", "--limit", "2", "--json").stdout)
    rest = json.loads(matinee("audit", "list", "--after", "1", "--json").stdout)

    assert [event["id"] for event in latest] == [2, 3]
    assert rest == latest


def test_the_audit_log_is_written_out_line_by_line(matinee: Matinee) -> None:
    for _ in range(3):
        matinee("init", "--yes")

    lines = matinee("audit", "export", "--since", "2000-01-01").stdout.splitlines()
    none = matinee("audit", "export", "--event", "title:create")
    wrong = matinee("audit", "export", "--until", "soon")

    assert [json.loads(line)["id"] for line in lines] == [3, 2, 1]
    assert (none.exit_code, none.stdout) == (0, "")
    assert wrong.exit_code == 2
    assert "“soon” is no time" in wrong.stderr


def findings(matinee: Matinee) -> dict[str, dict[str, str]]:
    document = json.loads(matinee("doctor", "--json").stdout)
    return {each["id"]: each for each in document["checks"]}


def test_a_sound_installation_passes(matinee: Matinee) -> None:
    init_with_ada(matinee)

    result = matinee("doctor")

    assert result.exit_code == 0, result.output
    assert "FAIL" not in result.stdout


def test_doctor_fails_where_nothing_was_set_up(
    bare: Settings, matinee: Matinee
) -> None:
    result = matinee("doctor")

    assert result.exit_code == 1
    assert "FAIL  db.migrations" in result.stdout
    assert "fix: matinee init" in result.stdout
    assert not bare.home.exists(), "a check changes nothing"


def test_doctor_says_that_nobody_works_on_films(matinee: Matinee) -> None:
    init_with_ada(matinee)

    found = findings(matinee)

    assert found["jobs.worker_alive"]["level"] == "warn"
    assert found["jobs.media_workers"]["level"] == "warn"


def test_doctor_finds_a_database_that_is_none(
    settings: Settings, matinee: Matinee
) -> None:
    settings.database.write_text("this is no database, and far too short for one")

    result = matinee("doctor")

    assert result.exit_code == 1
    assert "FAIL  db.migrations" in result.stdout


def test_doctor_finds_keys_that_others_may_read(
    settings: Settings, matinee: Matinee
) -> None:
    init_with_ada(matinee)
    (settings.keys / "web.key").chmod(0o644)

    found = findings(matinee)["keys.private"]

    assert found["level"] == "fail"
    assert "chmod 600" in found["fix"]


def test_doctor_misses_ffmpeg(
    matinee: Matinee, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    found = findings(matinee)["tools.ffmpeg"]

    assert found["level"] == "fail"
    assert "apt-get install ffmpeg" in found["fix"]


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_doctor_finds_a_folder_it_may_not_write(
    settings: Settings, matinee: Matinee
) -> None:
    init_with_ada(matinee)
    settings.media.chmod(0o500)

    assert findings(matinee)["storage.writable"]["level"] == "fail"


def test_every_finding_that_is_not_well_says_what_to_do(
    matinee: Matinee, make: Builders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MATINEE_WEB_HOST", "192.0.2.7")

    unwell = [each for each in findings(matinee).values() if each["level"] != "ok"]

    assert unwell
    assert [each["id"] for each in unwell if not each["fix"]] == []
