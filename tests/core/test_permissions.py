"""Who may do what, as a table that tests itself against the words of the roles."""

from itertools import pairwise

import pytest

from appliance.db import Database
from appliance.errors import Forbidden, Unauthenticated
from appliance.permissions import (
    ANONYMOUS,
    ROLES,
    SYSTEM,
    Action,
    Actor,
    Role,
    check,
    check_title,
    visible,
)
from tests.builders import Builders

FROM_LEAST_TO_MOST = (
    Role.VIEWER,
    Role.CONTRIBUTOR,
    Role.PUBLISHER,
    Role.ADMINISTRATOR,
)


def holder(*roles: Role, account_id: int = 7) -> Actor:
    return Actor(username="ada", account_id=account_id, roles=frozenset(roles))


def names_seen_by(db: Database, actor: Actor) -> set[str]:
    condition, params = visible(actor, db.now())
    sql = f"select name from titles where {condition}"
    return {row["name"] for row in db.rows(sql, params)}


def test_each_role_may_do_all_that_the_lesser_may() -> None:
    for lesser, greater in pairwise(FROM_LEAST_TO_MOST):
        assert ROLES[lesser] < ROLES[greater]


def test_only_administrators_manage_accounts() -> None:
    allowed = [role for role in Role if holder(role).may(Action.ACCOUNT_MANAGE)]

    assert allowed == [Role.ADMINISTRATOR]


def test_whoever_is_not_signed_in_is_asked_to() -> None:
    with pytest.raises(Unauthenticated):
        check(ANONYMOUS, Action.PORTAL_SEE)


def test_whoever_lacks_the_permission_is_told_which() -> None:
    with pytest.raises(Forbidden, match="account:manage"):
        check(holder(Role.PUBLISHER), Action.ACCOUNT_MANAGE)


def test_an_account_without_a_role_may_do_nothing() -> None:
    assert not any(holder().may(action) for action in Action)


def test_the_system_may_do_everything() -> None:
    for action in Action:
        check(SYSTEM, action)


def test_contributors_edit_their_own_titles_only() -> None:
    check_title(holder(Role.CONTRIBUTOR), 7)

    with pytest.raises(Forbidden):
        check_title(holder(Role.CONTRIBUTOR), 8)
    with pytest.raises(Forbidden):
        check_title(holder(Role.CONTRIBUTOR), None)


def test_a_creator_who_lost_the_role_may_not_edit() -> None:
    with pytest.raises(Forbidden):
        check_title(holder(Role.VIEWER), 7)


def test_lists_hold_what_one_may_see(db: Database, make: Builders) -> None:
    author = make.actor(Role.CONTRIBUTOR)
    make.title("Shown")
    make.title("Own draft", state="draft", actor=author)
    make.title("Foreign draft", state="draft")

    everything = {"Shown", "Own draft", "Foreign draft"}
    assert names_seen_by(db, ANONYMOUS) == set()
    assert names_seen_by(db, holder()) == set()
    assert names_seen_by(db, make.actor(Role.VIEWER)) == {"Shown"}
    assert names_seen_by(db, author) == {"Shown", "Own draft"}
    assert names_seen_by(db, make.actor(Role.PUBLISHER)) == everything
    assert names_seen_by(db, SYSTEM) == everything
