"""Sessions: what a token stands for, how long, and who may end it."""

from datetime import timedelta

import pytest

from appliance import events
from appliance.accounts import sessions
from appliance.clock import FixedClock, from_text
from appliance.db import Database
from appliance.errors import NotFound, Unauthenticated
from appliance.permissions import Actor, Role
from appliance.settings import Settings
from tests.builders import PASSWORD, Builders


def _start(
    db: Database, settings: Settings, actor: Actor, kind: str = "browser"
) -> str:
    assert actor.account_id is not None
    token, _ = sessions.start(
        db, settings, actor.account_id, address="192.0.2.1", user_agent="a", kind=kind
    )
    return token


def test_signing_in_gives_a_token_that_stands_for_the_account(
    db: Database, settings: Settings, make: Builders
) -> None:
    account = make.account("ada", roles=(Role.PUBLISHER, Role.VIEWER))

    token, signed_in = sessions.sign_in(
        db, settings, "ADA", PASSWORD, None, address="192.0.2.1", user_agent="Firefox"
    )

    assert sessions.resolve(db, settings, token) == signed_in
    actor = signed_in.actor("192.0.2.9")
    assert actor.account_id == account.id
    assert actor.roles == {Role.PUBLISHER, Role.VIEWER}
    assert actor.address == "192.0.2.9"


@pytest.mark.parametrize(
    ("username", "password"),
    [("ada", "wrong"), ("nobody", PASSWORD), ("", ""), ("\ud800", "\ud800")],
)
def test_a_wrong_name_and_a_wrong_password_are_refused_alike(
    db: Database, settings: Settings, make: Builders, username: str, password: str
) -> None:
    make.account("ada")

    with pytest.raises(Unauthenticated, match="don’t match") as caught:
        sessions.sign_in(
            db, settings, username, password, None, address="", user_agent=""
        )

    assert caught.value.code == "sign-in.wrong"


def test_a_refused_sign_in_is_on_record_without_the_name_that_was_typed(
    db: Database, settings: Settings
) -> None:
    with pytest.raises(Unauthenticated):
        sessions.sign_in(
            db, settings, "my secret", "ada", None, address="192.0.2.7", user_agent=""
        )

    (event,) = events.since(db)
    assert (event.name, event.subject) == ("session:refuse", "account/unknown")
    assert "my secret" not in str(event.data)


def test_an_account_that_others_sign_in_to_needs_its_password_to_be_named_disabled(
    db: Database, settings: Settings, make: Builders
) -> None:
    make.account("ada")
    db.conn.execute("update accounts set state = 'disabled'")

    with pytest.raises(Unauthenticated) as wrong:
        sessions.sign_in(db, settings, "ada", "guess", None, address="", user_agent="")
    with pytest.raises(Unauthenticated) as right:
        sessions.sign_in(db, settings, "ada", PASSWORD, None, address="", user_agent="")

    assert wrong.value.code == "sign-in.wrong"
    assert right.value.code == "sign-in.disabled"


def test_the_database_does_not_hold_the_token(
    db: Database, settings: Settings, make: Builders
) -> None:
    token = _start(db, settings, make.actor())

    assert len(token) >= 43  # 256 bits
    assert token not in str(db.rows("select * from sessions"))


def test_a_session_lives_on_while_it_is_used_and_runs_out_when_not(
    db: Database, settings: Settings, clock: FixedClock, make: Builders
) -> None:
    token = _start(db, settings, make.actor())

    for _ in range(3):
        clock.advance(days=settings.accounts.session_days - 1)
        assert sessions.resolve(db, settings, token) is not None
    clock.advance(days=settings.accounts.session_days, seconds=1)
    assert sessions.resolve(db, settings, token) is None


def test_an_api_token_runs_out_however_much_it_is_used(
    db: Database, settings: Settings, clock: FixedClock, make: Builders
) -> None:
    token = _start(db, settings, make.actor(), kind="api")

    for _ in range(settings.accounts.token_hours - 1):
        clock.advance(hours=1)
        assert sessions.resolve(db, settings, token) is not None
    clock.advance(hours=1)
    assert sessions.resolve(db, settings, token) is None
    assert "token:create" in [each.name for each in events.since(db)]


def test_being_seen_is_written_once_a_minute_at_most(
    db: Database, settings: Settings, clock: FixedClock, make: Builders
) -> None:
    actor = make.actor()
    token = _start(db, settings, actor)
    started = clock.now()

    clock.advance(seconds=59)
    before = db.conn.total_changes
    sessions.resolve(db, settings, token)
    assert db.conn.total_changes == before

    clock.advance(seconds=2)
    sessions.resolve(db, settings, token)
    assert actor.account_id is not None
    (session,) = sessions.listing(db, actor.account_id)
    assert from_text(session.seen_at) == started + timedelta(seconds=61)


def test_a_database_that_cannot_be_written_still_lets_people_watch(
    db: Database, settings: Settings, clock: FixedClock, make: Builders
) -> None:
    token = _start(db, settings, make.actor())
    clock.advance(minutes=5)
    db.conn.execute("pragma busy_timeout = 0")
    other = Database(settings.database, clock)
    other.conn.execute("begin immediate")

    signed_in = sessions.resolve(db, settings, token)

    other.close()
    assert signed_in is not None


def test_signing_in_anew_ends_the_session_that_the_browser_held(
    db: Database, settings: Settings, make: Builders
) -> None:
    actor = make.actor()
    old = _start(db, settings, actor)
    assert actor.account_id is not None

    new, _ = sessions.start(
        db, settings, actor.account_id, address="", user_agent="", replaces=old
    )

    assert new != old
    assert sessions.resolve(db, settings, old) is None
    assert sessions.resolve(db, settings, new) is not None


def test_one_ends_ones_own_sessions_and_nobody_elses(
    db: Database, settings: Settings, make: Builders
) -> None:
    ada, bob, boss = make.actor(), make.actor(), make.actor(Role.ADMINISTRATOR)
    token = _start(db, settings, ada)
    assert ada.account_id is not None
    (session,) = sessions.listing(db, ada.account_id)

    with pytest.raises(NotFound):
        sessions.revoke(db, bob, session.id)
    with pytest.raises(NotFound):
        sessions.revoke_others(db, bob, ada.account_id)
    assert sessions.resolve(db, settings, token) is not None

    sessions.revoke(db, boss, session.id)
    assert sessions.resolve(db, settings, token) is None
    assert sessions.listing(db, ada.account_id) == []


def test_ending_all_others_keeps_the_one_that_asks(
    db: Database, settings: Settings, make: Builders
) -> None:
    ada = make.actor()
    here, there = _start(db, settings, ada), _start(db, settings, ada, kind="api")
    signed_in = sessions.resolve(db, settings, here)
    assert signed_in is not None

    ended = sessions.revoke_others(
        db, ada, signed_in.account_id, keep_session=signed_in.session_id
    )

    assert ended == 1
    assert sessions.resolve(db, settings, here) is not None
    assert sessions.resolve(db, settings, there) is None


def test_sessions_that_ended_long_ago_are_removed_and_no_others(
    db: Database, settings: Settings, clock: FixedClock, make: Builders
) -> None:
    ada = make.actor()
    ended, living = _start(db, settings, ada), _start(db, settings, ada)
    signed_in = sessions.resolve(db, settings, ended)
    assert signed_in is not None
    sessions.revoke(db, ada, signed_in.session_id)
    clock.advance(days=20)
    sessions.resolve(db, settings, living)

    sessions.forget_ended(db)
    assert db.value("select count(*) from sessions") == 2
    clock.advance(days=11)
    sessions.forget_ended(db)
    assert db.value("select count(*) from sessions") == 1
    assert sessions.resolve(db, settings, living) is not None


@pytest.mark.parametrize("token", ["", "x", "x" * 43, "\udcff"])
def test_a_token_that_was_never_given_stands_for_nobody(
    db: Database, settings: Settings, token: str
) -> None:
    assert sessions.resolve(db, settings, token) is None


def test_resolving_reads_by_indexes_only(db: Database) -> None:
    plan = db.rows(f"explain query plan {sessions._RESOLVE}", ("a", "b"))

    assert not [step["detail"] for step in plan if step["detail"].startswith("SCAN")]
