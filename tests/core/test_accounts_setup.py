"""The first administrator: a link that works once, and not for long."""

import pytest

from appliance.accounts import people, setup
from appliance.clock import FixedClock
from appliance.db import Database
from appliance.errors import Conflict, Gone, InvalidInput, NotFound
from appliance.permissions import Role
from appliance.settings import Settings
from tests.builders import PASSWORD, Builders


def test_the_link_makes_an_administrator(db: Database, settings: Settings) -> None:
    token = setup.issue(db)

    account = setup.complete(db, settings, token, "ada", PASSWORD)

    assert account.roles == {Role.ADMINISTRATOR}
    assert people.any_administrator(db)


def test_the_link_works_once(db: Database, settings: Settings) -> None:
    token = setup.issue(db)
    setup.complete(db, settings, token, "ada", PASSWORD)

    with pytest.raises(Gone, match="used already"):
        setup.complete(db, settings, token, "mallory", PASSWORD)
    with pytest.raises(NotFound):
        people.find(db, "mallory")


def test_the_link_runs_out_after_an_hour(db: Database, clock: FixedClock) -> None:
    token = setup.issue(db)
    clock.advance(minutes=59)
    setup.require_valid(db, token)

    clock.advance(minutes=1)
    with pytest.raises(Gone, match="has run out"):
        setup.require_valid(db, token)


def test_a_new_link_replaces_the_older_one(db: Database) -> None:
    old, new = setup.issue(db), setup.issue(db)

    setup.require_valid(db, new)
    with pytest.raises(NotFound):
        setup.require_valid(db, old)


def test_with_an_administrator_there_is_no_link_and_an_unused_one_is_gone(
    db: Database, make: Builders
) -> None:
    token = setup.issue(db)
    make.account("ada", roles=(Role.ADMINISTRATOR,))

    with pytest.raises(NotFound):
        setup.require_valid(db, token)
    with pytest.raises(Conflict, match="There is an administrator already"):
        setup.issue(db)


def test_a_weak_password_does_not_use_the_link_up(
    db: Database, settings: Settings
) -> None:
    token = setup.issue(db)

    with pytest.raises(InvalidInput):
        setup.complete(db, settings, token, "ada", "password")

    setup.require_valid(db, token)


def test_the_database_does_not_hold_the_token(db: Database) -> None:
    token = setup.issue(db)

    assert token not in str(db.rows("select * from one_time_tokens"))
