"""``matinee user``: accounts from the command line."""

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from appliance.accounts import people, sessions
from appliance.cli import main
from appliance.db import Database, connect
from appliance.permissions import Role
from appliance.settings import Settings
from tests.builders import PASSWORD, Builders

Matinee = Callable[..., Result]


@pytest.fixture
def matinee(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Matinee:
    monkeypatch.setenv("MATINEE_HOME", str(settings.home))

    def run(*arguments: str, stdin: str = "") -> Result:
        return CliRunner().invoke(main, ["user", *arguments], input=stdin)

    return run


def test_an_account_is_added_with_roles_and_can_sign_in(
    matinee: Matinee, db: Database, settings: Settings
) -> None:
    added = matinee(
        "add", "ada", "--role", "publisher", "--password-stdin", stdin=PASSWORD + "\n"
    )

    assert (added.exit_code, added.stdout) == (0, "Created ada.\n")
    _, signed_in = sessions.sign_in(
        db, settings, "ada", PASSWORD, None, address="", user_agent=""
    )
    assert signed_in.roles == {Role.PUBLISHER}


def test_a_password_is_not_taken_from_nowhere(matinee: Matinee) -> None:
    answer = matinee("add", "ada")

    assert answer.exit_code == 2
    assert "--password-stdin" in answer.stderr
    assert matinee("add", "ada", "--password-stdin").exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("show", "nobody"), 4),
        (("add", "x", "--password-stdin"), 2),
        (("add", "boss", "--password-stdin"), 3),
        (("disable", "boss"), 3),
        (("roles", "boss", "viewer"), 3),
        (("roles", "boss", "emperor"), 2),
        (("revoke", "boss"), 2),
        (("revoke", "boss", "0000000000000000"), 4),
    ],
)
def test_what_can_not_be_done_ends_with_its_exit_code(
    matinee: Matinee, make: Builders, arguments: tuple[str, ...], code: int
) -> None:
    make.account("boss", roles=(Role.ADMINISTRATOR,))

    assert matinee(*arguments, stdin=PASSWORD + "\n").exit_code == code


def test_accounts_are_listed_for_programs_without_a_secret(
    matinee: Matinee, make: Builders
) -> None:
    make.account("ada", roles=(Role.PUBLISHER, Role.VIEWER))

    (listed,) = json.loads(matinee("list", "--json").stdout)

    assert listed["username"] == "ada"
    assert listed["roles"] == ["publisher", "viewer"]
    assert not {"id", "password_hash", "totp_secret"} & set(listed)
    assert json.loads(matinee("show", "ADA", "--json").stdout)["sessions"] == 0


def test_an_account_is_changed_disabled_and_enabled(
    matinee: Matinee, db: Database, make: Builders
) -> None:
    make.account("ada")

    matinee("roles", "ada", "viewer", "contributor")
    matinee("disable", "ada")
    assert people.find(db, "ada").state == "disabled"
    assert people.find(db, "ada").roles == {Role.VIEWER, Role.CONTRIBUTOR}

    assert matinee("enable", "ada").stdout == "ada may sign in again.\n"


def test_a_lost_password_and_a_lost_phone_are_mended(
    matinee: Matinee, db: Database, settings: Settings, make: Builders
) -> None:
    account = make.account("ada")
    db.conn.execute("update accounts set totp_confirmed_at = ?", (db.now(),))

    matinee("reset-password", "ada", "--password-stdin", stdin="another fine phrase\n")
    matinee("reset-mfa", "ada")

    with connect(settings.database) as now:
        token, _ = sessions.sign_in(
            now,
            settings,
            account.username,
            "another fine phrase",
            None,
            address="",
            user_agent="",
        )
    assert token


def test_sessions_are_listed_and_ended(
    matinee: Matinee, settings: Settings, make: Builders
) -> None:
    account = make.account("ada")
    bob = make.account("bob")
    with connect(settings.database) as now:
        tokens = [
            sessions.start(
                now, settings, account.id, address="192.0.2.1", user_agent=""
            )
            for _ in range(3)
        ]

    listed = json.loads(matinee("sessions", "ada", "--json").stdout)
    assert {each["id"] for each in listed} == {each[1].session_id for each in tokens}

    one = listed[0]["id"]
    assert matinee("revoke", bob.username, one).exit_code == 4
    assert matinee("revoke", "ada", one).stdout == "Ended 1 session of ada.\n"
    assert matinee("revoke", "ada", "--all").stdout == "Ended 2 sessions of ada.\n"


def test_the_audit_log_names_who_ran_the_command(
    matinee: Matinee, db: Database, make: Builders
) -> None:
    make.account("ada")

    matinee("disable", "ada")

    who = db.value("select actor_name from events where name = 'account:disable'")
    assert who.startswith("command:")
