"""How a playback session stands: asked of the database at every licence and report."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from appliance.access import availability, entitlements
from appliance.access.evaluate import Reason
from appliance.accounts import people, profiles, sessions
from appliance.catalog import states
from appliance.catalog.titles import Title
from appliance.cenc import KeySystem
from appliance.clock import FixedClock
from appliance.db import Database
from appliance.errors import NotFound
from appliance.permissions import SYSTEM, Actor, Role
from appliance.playback import permission
from appliance.playback import sessions as playback
from appliance.playback.permission import Standing
from appliance.settings import Access, Playback, Protection, Settings
from tests.builders import Builders
from tests.core import country_database

_ABROAD, _AT_HOME = "81.2.69.142", "192.0.2.1"


@pytest.fixture
def title(make: Builders) -> Title:
    title = make.title("Solaris", rating="12")
    make.asset(title, duration=60.0)
    return title


@pytest.fixture
def ada(db: Database, settings: Settings, make: Builders) -> Actor:
    """A viewer who is signed in, in a session of her own."""
    account = make.actor(Role.VIEWER, username="ada")
    assert account.account_id is not None
    _token, signed_in = sessions.start(
        db, settings, account.account_id, address=_AT_HOME, user_agent="test"
    )
    return signed_in.actor(_AT_HOME)


@pytest.fixture
def session(db: Database, settings: Settings, ada: Actor, title: Title) -> str:
    opened = playback.open(db, settings, ada, title=title.slug, device="browser")
    return opened.session


@pytest.fixture
def stands(db: Database, settings: Settings, session: str) -> Callable[..., Standing]:
    def stands(**sections: Any) -> Standing:
        return permission.standing(db, replace(settings, **sections), session)

    return stands


def test_it_says_what_plays_for_whom(
    db: Database,
    session: str,
    ada: Actor,
    title: Title,
    stands: Callable[..., Standing],
) -> None:
    found = stands()

    assert found.session == session
    assert (found.username, found.account_id) == ("ada", ada.account_id)
    assert found.profile_id == ada.profile_id
    assert (found.sign_in, found.address) == (ada.session, _AT_HOME)
    assert (found.title_id, found.title_slug) == (title.id, title.slug)
    assert (found.asset_version, found.duration) == (1, 60.0)
    assert found.ended_at is None
    assert found.swaps
    assert found.signed_in
    assert found.decision.allowed
    assert found.key_systems == (KeySystem.CLEARKEY,)
    assert (found.max_height, found.policy_id) == (None, None)


def test_a_session_that_is_not_there_is_not_found(
    db: Database, settings: Settings
) -> None:
    with pytest.raises(NotFound):
        permission.standing(db, settings, "")
    with pytest.raises(NotFound):
        permission.standing(db, settings, "ffff")


def _disable(db: Database, _ada: Actor, _title: Title) -> None:
    db.conn.execute("update accounts set state = 'disabled' where username = 'ada'")


def _sign_out(db: Database, ada: Actor, _title: Title) -> None:
    sessions.revoke(db, ada, ada.session)


def _let_the_sign_in_run_out(db: Database, _ada: Actor, _title: Title) -> None:
    db.conn.execute("update sessions set expires_at = ?", (db.now(),))


def _forget_the_sign_in(db: Database, _ada: Actor, _title: Title) -> None:
    db.conn.execute("delete from sessions")


def _unpublish(db: Database, _ada: Actor, title: Title) -> None:
    states.unpublish(db, SYSTEM, title.slug)


def _archive(db: Database, _ada: Actor, title: Title) -> None:
    states.archive(db, SYSTEM, title.slug)


def _end_the_right(db: Database, _ada: Actor, _title: Title) -> None:
    db.conn.execute("update entitlements set ends_at = ?", (db.now(),))


def _withdraw_the_right(db: Database, _ada: Actor, _title: Title) -> None:
    for each in entitlements.listing(db):
        entitlements.withdraw(db, SYSTEM, each.id)


def _close_the_window(db: Database, _ada: Actor, title: Title) -> None:
    availability.add(db, SYSTEM, title.slug, ends_at="2026-01-02T12:00")


def _open_it_for_others(db: Database, _ada: Actor, title: Title) -> None:
    db.conn.execute("insert into groups values (1, 'g1', 'Training')")
    availability.add(db, SYSTEM, title.slug, group="Training")


def _open_it_elsewhere(db: Database, _ada: Actor, title: Title) -> None:
    availability.add(db, SYSTEM, title.slug, territories=["DE"])


def _limit_the_age(db: Database, _ada: Actor, _title: Title) -> None:
    profile = profiles.named(db, "ada")
    profiles.limit(db, SYSTEM, profile.public_id, 6)


def _limit_the_age_of_what_has_no_rating(
    db: Database, ada: Actor, title: Title
) -> None:
    db.conn.execute("update titles set rating = '', age = null")
    _limit_the_age(db, ada, title)


@pytest.mark.parametrize(
    ("happens", "reason"),
    [
        (_disable, Reason.ACCOUNT_DISABLED),
        (_sign_out, Reason.SIGNED_OUT),
        (_let_the_sign_in_run_out, Reason.SIGNED_OUT),
        (_forget_the_sign_in, Reason.SIGNED_OUT),
        (_unpublish, Reason.TITLE_UNAVAILABLE),
        (_archive, Reason.TITLE_UNAVAILABLE),
        (_end_the_right, Reason.NO_LONGER),
        (_withdraw_the_right, Reason.NOT_ENTITLED),
        (_close_the_window, Reason.NO_LONGER_AVAILABLE),
        (_open_it_for_others, Reason.NOT_FOR_GROUP),
        (_open_it_elsewhere, Reason.TERRITORY_UNKNOWN),
        (_limit_the_age, Reason.RATING_TOO_HIGH),
        (_limit_the_age_of_what_has_no_rating, Reason.RATING_UNKNOWN),
    ],
)
def test_what_happens_meanwhile_counts_at_once(
    db: Database,
    ada: Actor,
    title: Title,
    stands: Callable[..., Standing],
    happens: Callable[[Database, Actor, Title], None],
    reason: Reason,
) -> None:
    assert stands().decision.allowed

    happens(db, ada, title)

    assert stands().decision.reasons == (reason,)
    assert stands().signed_in is (reason is not Reason.SIGNED_OUT)


def test_disabling_an_account_signs_it_out_as_well(
    db: Database, make: Builders, stands: Callable[..., Standing]
) -> None:
    people.disable(db, SYSTEM, "ada")

    assert stands().decision.reasons == (Reason.ACCOUNT_DISABLED, Reason.SIGNED_OUT)


def test_time_alone_ends_a_right(
    db: Database, clock: FixedClock, stands: Callable[..., Standing]
) -> None:
    db.conn.execute("update entitlements set ends_at = ?", (db.now(seconds=20),))
    assert stands().decision.until == db.now(seconds=20)

    clock.advance(seconds=19)
    assert stands().decision.allowed
    clock.advance(seconds=1)
    assert stands().decision.reasons == (Reason.NO_LONGER,)


def test_a_session_of_a_command_depends_on_no_sign_in(
    db: Database, settings: Settings, make: Builders, title: Title
) -> None:
    opened = playback.open(db, settings, make.actor(), title=title.slug)

    found = permission.standing(db, settings, opened.session)

    assert found.sign_in == ""
    assert found.signed_in
    assert found.decision.allowed


def test_another_profile_of_the_account_has_its_own_limit(
    db: Database, settings: Settings, ada: Actor, title: Title
) -> None:
    db.conn.execute(
        """
        insert into profiles (public_id, account_id, name, created_at, rating_limit)
        values ('kids', ?, 'Kids', '', 11)
        """,
        (ada.account_id,),
    )
    kids = profiles.named(db, "ada", "Kids")

    mine = permission.decide(db, settings, ada, title)
    theirs = permission.decide(db, settings, ada, title, profile_id=kids.id)

    assert mine.allowed
    assert theirs.reasons == (Reason.RATING_TOO_HIGH,)
    with pytest.raises(NotFound):
        permission.decide(db, settings, ada, title, profile_id=999)


def test_where_the_player_asks_from_now_is_what_counts(
    db: Database, settings: Settings, session: str, title: Title, tmp_path: Path
) -> None:
    path = country_database.countries(tmp_path / "c.mmdb", FR="81.2.69.0/24")
    located = replace(settings, access=Access(str(path), "DE"))
    availability.add(db, SYSTEM, title.slug, territories=["DE", "AT"])

    at_home = permission.standing(db, located, session)
    abroad = permission.standing(db, located, session, _ABROAD)

    assert at_home.decision.allowed
    assert abroad.decision.reasons == (Reason.NOT_IN_TERRITORY,)


def test_an_editor_previews_without_right_or_window_and_only_their_own(
    db: Database, settings: Settings, make: Builders
) -> None:
    owner = make.actor(Role.CONTRIBUTOR)
    draft = make.title(state="ready", actor=owner)
    make.asset(draft)
    availability.add(db, SYSTEM, draft.slug, ends_at="2026-01-01")
    opened = playback.open(db, settings, owner, title=draft.slug)

    assert permission.standing(db, settings, opened.session).decision.allowed

    db.conn.execute("update titles set created_by = null")
    stands = permission.standing(db, settings, opened.session)
    assert stands.decision.reasons == (
        Reason.TITLE_UNAVAILABLE,
        Reason.NO_LONGER_AVAILABLE,
    )


def test_losing_the_role_counts_at_once(
    db: Database, settings: Settings, make: Builders
) -> None:
    editor = make.actor(Role.PUBLISHER)
    draft = make.title(state="ready")
    make.asset(draft)
    opened = playback.open(db, settings, editor, title=draft.slug)

    people.set_roles(db, SYSTEM, editor.username, [Role.VIEWER])

    stands = permission.standing(db, settings, opened.session)
    assert stands.decision.reasons == (Reason.TITLE_UNAVAILABLE,)


def test_the_height_is_the_least_of_right_window_and_session(
    db: Database, title: Title, stands: Callable[..., Standing]
) -> None:
    db.conn.execute("update entitlements set max_height = 2160")
    assert stands().max_height == 2160
    db.conn.execute("update playback_sessions set max_height = 1080")
    assert stands().max_height == 1080
    availability.add(db, SYSTEM, title.slug, max_height=720)
    assert stands().max_height == 720


def test_the_policy_of_the_title_comes_before_that_of_the_right(
    db: Database, stands: Callable[..., Standing]
) -> None:
    for number in (1, 2):
        db.conn.execute(
            """
            insert into licence_policies (id, name, document, created_at, updated_at)
            values (?, ?, '{}', '', '')
            """,
            (number, f"policy {number}"),
        )
    db.conn.execute("update entitlements set policy_id = 1")
    assert stands().policy_id == 1
    db.conn.execute("update titles set policy_id = 2")
    assert stands().policy_id == 2


def test_key_systems_are_those_of_the_title_else_of_the_library(
    db: Database, stands: Callable[..., Standing]
) -> None:
    library = Protection(key_systems="widevine, playready")
    assert stands(protection=library).key_systems == (
        KeySystem.WIDEVINE,
        KeySystem.PLAYREADY,
    )

    db.conn.execute("update titles set key_systems = '[\"org.w3.clearkey\"]'")
    assert stands(protection=library).key_systems == (KeySystem.CLEARKEY,)


def test_limits_of_streams_come_from_rights_else_from_the_settings(
    db: Database, stands: Callable[..., Standing]
) -> None:
    usual = Playback(streams=2, uhd_streams=1)
    found = stands(playback=usual).decision.limits
    assert (found.streams, found.uhd_streams) == (2, 1)

    db.conn.execute("update entitlements set streams = 5")
    found = stands(playback=usual).decision.limits
    assert (found.streams, found.uhd_streams) == (5, 1)


def test_an_ended_session_says_so_itself(
    db: Database, ada: Actor, session: str, stands: Callable[..., Standing]
) -> None:
    playback.close(db, ada, session)

    assert stands().ended_at is not None
    assert stands().end_reason == "closed"


@pytest.mark.parametrize(("windowed", "queries"), [(False, 2), (True, 3)])
def test_a_few_short_queries_are_all_it_takes(
    db: Database, settings: Settings, session: str, windowed: bool, queries: int
) -> None:
    if windowed:
        slug = db.value("select slug from titles")
        availability.add(db, SYSTEM, slug, max_height=720)
    statements: list[str] = []
    db.conn.set_trace_callback(statements.append)

    permission.standing(db, settings, session)

    db.conn.set_trace_callback(None)
    assert len(statements) == queries
    for each in statements:
        plan = [row["detail"] for row in db.rows(f"explain query plan {each}")]
        scans = {detail for detail in plan if detail.startswith("SCAN")}
        # What a query made itself, of a few rows, is no table.
        assert scans <= {"SCAN CONSTANT ROW", "SCAN subjects", "SCAN objects"}, plan
