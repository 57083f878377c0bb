"""The commands of releases: what they refuse, and what is noted of them."""

import json
import os

import pytest

from appliance.db import Database
from tests.conftest import Matinee


def test_a_change_of_releases_is_in_the_audit_log(
    matinee: Matinee, db: Database
) -> None:
    matinee("release", "record", "upgrade", "1.0", "1.1")
    matinee("release", "record", "upgrade", "1.1", "1.2", "--trouble=it hurts")
    matinee("release", "record", "rollback", "1.1", "1.0")

    rows = db.rows("select name, subject, data from events order by id")
    assert [(row["name"], row["subject"]) for row in rows] == [
        ("release:switch", "release/1.1"),
        ("release:rollback", "release/1.2"),
        ("release:rollback", "release/1.0"),
    ]
    assert json.loads(rows[1]["data"])["trouble"] == "it hurts"


def test_a_checkout_has_no_releases_to_list(matinee: Matinee) -> None:
    found = json.loads(matinee("release", "list", "--json").stdout)

    assert found["releases"] == []
    assert found["program"]


@pytest.mark.parametrize(
    "words", [[], ["x.bundle", "--to", "1.1"], ["--to", "1.1", "--resume"]]
)
def test_an_upgrade_is_to_one_thing(matinee: Matinee, words: list[str]) -> None:
    assert matinee("upgrade", *words).exit_code == 2


def test_only_root_changes_releases(
    matinee: Matinee, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    for words in (["upgrade", "--to", "1.1"], ["rollback", "--yes"]):
        refused = matinee(*words)
        assert refused.exit_code == 5
        assert "sudo" in refused.stderr


def test_what_is_not_installed_is_not_checked(matinee: Matinee) -> None:
    assert matinee("release", "check", "99.0").exit_code == 4


def test_without_a_key_nothing_is_believed(matinee: Matinee) -> None:
    refused = matinee("release", "verify", "/nowhere")

    assert refused.exit_code == 3
    assert "--key" in refused.stderr
