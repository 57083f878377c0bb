"""Accounts: who may be made, as what, and what ends their sessions."""

import pytest

from appliance import events
from appliance.accounts import people, sessions
from appliance.accounts.people import AccountState
from appliance.clock import FixedClock
from appliance.db import Database
from appliance.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    TooManyRequests,
)
from appliance.permissions import SYSTEM, Actor, Role
from appliance.settings import Settings
from tests.builders import PASSWORD, Builders


def _names(db: Database) -> list[str]:
    return [each.name for each in events.since(db)]


def test_a_new_account_is_found_in_any_case_and_has_a_profile(
    db: Database, make: Builders
) -> None:
    account = make.account("Ada.L", display_name="Ada Lovelace")

    assert people.find(db, " ada.l ") == account
    assert account.roles == {Role.VIEWER}
    profile = db.one("select name from profiles where account_id = ?", (account.id,))
    assert profile == {"name": "Ada Lovelace"}


def test_a_name_is_taken_once_whatever_its_case(make: Builders) -> None:
    make.account("ada")

    with pytest.raises(Conflict, match="There is an account “ada” already"):
        make.account("ADA")


@pytest.mark.parametrize(
    "name", ["ab", "a" * 65, "ada lovelace", "-ada", "ада", "ada/..", "", "a\nb\nc"]
)
def test_a_name_that_could_mislead_is_refused(make: Builders, name: str) -> None:
    with pytest.raises(InvalidInput, match="A user name has 3 to 64 characters"):
        make.account(name)


def test_only_whoever_manages_accounts_makes_one(
    db: Database, settings: Settings, make: Builders
) -> None:
    publisher = make.actor(Role.PUBLISHER)

    with pytest.raises(Forbidden):
        people.create(db, settings, publisher, "bob", PASSWORD)
    with pytest.raises(NotFound):
        people.find(db, "bob")


def test_the_listing_is_sorted_by_name_and_names_roles(
    db: Database, make: Builders
) -> None:
    make.account("zoe", roles=(Role.PUBLISHER, Role.CONTRIBUTOR))
    make.account("Bob")

    assert [each.username for each in people.listing(db)] == ["Bob", "zoe"]
    assert people.listing(db)[1].roles == {Role.PUBLISHER, Role.CONTRIBUTOR}


def test_the_last_administrator_can_be_neither_disabled_nor_demoted(
    db: Database, make: Builders
) -> None:
    make.account("ada", roles=(Role.ADMINISTRATOR,))
    make.account("bob", roles=(Role.ADMINISTRATOR,))
    people.disable(db, SYSTEM, "bob")

    with pytest.raises(Conflict, match="last administrator"):
        people.disable(db, SYSTEM, "ada")
    with pytest.raises(Conflict, match="last administrator"):
        people.set_roles(db, SYSTEM, "ada", [Role.VIEWER])
    people.enable(db, SYSTEM, "bob")
    assert people.set_roles(db, SYSTEM, "ada", [Role.VIEWER]).roles == {Role.VIEWER}


def test_an_account_without_any_role_is_refused(db: Database, make: Builders) -> None:
    make.account("ada")

    with pytest.raises(InvalidInput, match="at least one role"):
        people.set_roles(db, SYSTEM, "ada", [])


def test_a_changed_role_holds_with_the_next_request(
    db: Database, settings: Settings, make: Builders
) -> None:
    account = make.account("ada")
    token, _ = sessions.start(db, settings, account.id, address="", user_agent="")

    people.set_roles(db, SYSTEM, "ada", [Role.PUBLISHER])

    signed_in = sessions.resolve(db, settings, token)
    assert signed_in is not None
    assert signed_in.roles == {Role.PUBLISHER}


def test_a_disabled_account_is_out_at_once_and_stays_out_when_enabled(
    db: Database, settings: Settings, make: Builders
) -> None:
    account = make.account("ada")
    token, _ = sessions.start(db, settings, account.id, address="", user_agent="")

    assert people.disable(db, SYSTEM, "ada").state is AccountState.DISABLED
    assert sessions.resolve(db, settings, token) is None

    people.enable(db, SYSTEM, "ada")
    assert sessions.resolve(db, settings, token) is None


def test_disabling_twice_is_one_event(db: Database, make: Builders) -> None:
    make.account("ada")

    people.disable(db, SYSTEM, "ada")
    people.disable(db, SYSTEM, "ada")

    assert _names(db).count("account:disable") == 1


def test_a_reset_password_ends_every_session(
    db: Database, settings: Settings, make: Builders
) -> None:
    account = make.account("ada")
    token, _ = sessions.start(db, settings, account.id, address="", user_agent="")

    people.reset_password(db, settings, SYSTEM, "ada", "another fine phrase")

    assert sessions.resolve(db, settings, token) is None
    _, signed_in = sessions.sign_in(
        db, settings, "ada", "another fine phrase", None, address="", user_agent=""
    )
    assert signed_in.username == "ada"


def test_changing_ones_password_keeps_this_session_and_ends_the_others(
    db: Database, settings: Settings, make: Builders
) -> None:
    account = make.account("ada")
    here, me = sessions.start(db, settings, account.id, address="", user_agent="")
    there, _ = sessions.start(db, settings, account.id, address="", user_agent="")

    people.change_password(
        db, settings, me.actor(""), PASSWORD, "another fine phrase", me.session_id
    )

    assert sessions.resolve(db, settings, here) is not None
    assert sessions.resolve(db, settings, there) is None


def test_a_found_session_does_not_let_guess_the_password_at_leisure(
    db: Database, settings: Settings, make: Builders
) -> None:
    actor = Actor("ada", make.account("ada").id)
    new = "another fine phrase"
    for guess in range(settings.accounts.throttle_after):
        with pytest.raises(InvalidInput, match="not your password"):
            people.change_password(db, settings, actor, f"guess {guess}", new, None)

    with pytest.raises(TooManyRequests, match="wait 1 second"):
        people.change_password(db, settings, actor, PASSWORD, new, None)


def test_the_first_profile_follows_a_new_name(
    db: Database, clock: FixedClock, make: Builders
) -> None:
    account = make.account("ada")
    actor = Actor("ada", account.id)

    assert people.rename(db, actor, "  Ada \n Lovelace ").display_name == "Ada Lovelace"

    assert db.value("select name from profiles") == "Ada Lovelace"
    assert "account:update" in _names(db)


def test_nothing_secret_stands_in_the_audit_log(
    db: Database, settings: Settings, make: Builders
) -> None:
    make.account("ada")
    people.reset_password(db, settings, SYSTEM, "ada", "another fine phrase")

    log = str([(each.subject, each.data) for each in events.since(db)])
    assert PASSWORD not in log
    assert "another fine phrase" not in log
    assert "argon2" not in log
