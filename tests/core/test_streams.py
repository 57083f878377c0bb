"""How many may watch at once: counting, refusing, stopping, and what is cut when."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from appliance import db as database
from appliance.accounts import people
from appliance.accounts import sessions as sign_ins
from appliance.catalog import states
from appliance.cenc import KeySystem
from appliance.clock import FixedClock
from appliance.db import Database
from appliance.delivery import tokens
from appliance.delivery.tokens import Scope
from appliance.errors import (
    Conflict,
    Forbidden,
    Gone,
    MatineeError,
    NotFound,
    Unauthenticated,
)
from appliance.events import Event, since
from appliance.permissions import SYSTEM, Actor, Role
from appliance.playback import doors, heartbeats, permission, sessions, streams
from appliance.playback.descriptor import Descriptor
from appliance.playback.heartbeats import Answer, Beat, PlayState
from appliance.playback.sessions import StopReason
from appliance.settings import Settings
from tests.builders import Builders


@pytest.fixture
def film(make: Builders) -> str:
    """A published title in 360p and 1080p, by its slug."""
    title = make.title("Solaris")
    make.asset(title, heights=(360, 1080))
    return title.slug


@pytest.fixture
def sharp(make: Builders) -> str:
    """A published title that goes up to 2160p, by its slug."""
    title = make.title("Playtime")
    make.asset(title, heights=(1080, 2160))
    return title.slug


@pytest.fixture
def viewer(make: Builders) -> Actor:
    return make.actor(Role.VIEWER, username="vera")


@pytest.fixture
def limit(db: Database) -> Callable[..., None]:
    """``limit(streams=2)``: put limits on the right that everybody has."""

    def put(**limits: int) -> None:
        for name, value in limits.items():
            db.conn.execute(f"update entitlements set {name} = ?", (value,))

    return put


def _signed_in(db: Database, settings: Settings, actor: Actor) -> Actor:
    assert actor.account_id is not None
    _, signed_in = sign_ins.start(
        db, settings, actor.account_id, address="192.0.2.9", user_agent="test"
    )
    return signed_in.actor("192.0.2.9")


def _beat(
    db: Database,
    settings: Settings,
    actor: Actor,
    opened: Descriptor,
    state: PlayState = PlayState.PLAYING,
    seq: int = 1,
) -> Answer:
    beat = Beat(seq, 5.0, state, quality={"height": 1080.0})
    return heartbeats.heartbeat(db, settings, actor, opened.session, beat)


def _full(open_: Callable[[], object]) -> dict[str, Any]:
    with pytest.raises(Conflict) as refused:
        open_()
    assert refused.value.code == "playback.limit"
    return refused.value.details


@pytest.mark.parametrize("most", [1, 2, 5])
def test_of_fifty_starts_at_one_moment_as_many_succeed_as_the_limit_allows(
    settings: Settings,
    viewer: Actor,
    film: str,
    limit: Callable[..., None],
    clock: FixedClock,
    most: int,
) -> None:
    limit(streams=most)
    start, outcomes = threading.Barrier(50), []

    def open_one() -> None:
        with database.connect(settings.database, clock) as own:
            start.wait()
            try:
                sessions.open(own, settings, viewer, title=film)
                outcomes.append("opened")
            except MatineeError as error:
                outcomes.append(error.code)

    threads = [threading.Thread(target=open_one) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert outcomes.count("opened") == most
    assert outcomes.count("playback.limit") == 50 - most


def test_who_is_refused_is_told_what_plays_and_where(
    db: Database,
    settings: Settings,
    viewer: Actor,
    film: str,
    limit: Callable[..., None],
    clock: FixedClock,
) -> None:
    limit(streams=2)
    here = _signed_in(db, settings, viewer)
    there = _signed_in(db, settings, viewer)
    first = sessions.open(db, settings, there, title=film, device="Living room TV")
    _beat(db, settings, there, first)
    clock.advance(seconds=1)
    second = sessions.open(db, settings, here, title=film, device="This browser")

    with pytest.raises(Conflict) as refused:
        sessions.open(db, settings, here, title=film)

    assert refused.value.message == (
        "Your account can play 2 films at once. Stop one to watch here."
    )
    assert refused.value.details == {
        "limit": 2,
        "quality": "any",
        "active": [
            {
                "session": first.session,
                "title": film,
                "name": "Solaris",
                "device": "Living room TV",
                "started_at": "2026-01-02T12:00:00.000000Z",
                "quality": "1080p",
                "here": False,
            },
            {
                "session": second.session,
                "title": film,
                "name": "Solaris",
                "device": "This browser",
                "started_at": "2026-01-02T12:00:01.000000Z",
                "quality": "",
                "here": True,
            },
        ],
    }
    last = since(db)[-1]
    assert (last.name, last.data) == (
        Event.PLAYBACK_REFUSE,
        {"reasons": ["limit-any"]},
    )


def test_stopping_one_elsewhere_makes_room_at_once(
    db: Database,
    settings: Settings,
    viewer: Actor,
    film: str,
    limit: Callable[..., None],
) -> None:
    limit(streams=1)
    tv = sessions.open(db, settings, viewer, title=film, device="TV")

    sessions.stop(db, viewer, tv.session)

    assert sessions.open(db, settings, viewer, title=film)
    assert _beat(db, settings, viewer, tv).stop_reason is StopReason.ELSEWHERE


def test_the_usual_limit_counts_where_no_right_has_its_own(
    db: Database, settings: Settings, viewer: Actor, film: str, make: Builders
) -> None:
    tight = replace(settings, playback=replace(settings.playback, streams=1))
    sessions.open(db, tight, viewer, title=film)

    assert _full(lambda: sessions.open(db, tight, viewer, title=film))["limit"] == 1
    other = make.actor(Role.VIEWER)
    assert sessions.open(db, tight, other, title=film)
    assert sessions.open(db, settings, viewer, title=film)


def test_what_a_player_had_before_ends_and_does_not_count(
    db: Database,
    settings: Settings,
    viewer: Actor,
    film: str,
    limit: Callable[..., None],
) -> None:
    limit(streams=1)
    before = sessions.open(db, settings, viewer, title=film)

    after = sessions.open(db, settings, viewer, title=film, replaces=before.session)

    assert _beat(db, settings, viewer, before).stop_reason is StopReason.CLOSED
    assert _beat(db, settings, viewer, after).stop_reason is None


def test_nobody_ends_the_session_of_another_account_by_replacing_it(
    db: Database, settings: Settings, viewer: Actor, film: str, make: Builders
) -> None:
    theirs = make.actor(Role.VIEWER)
    playing = sessions.open(db, settings, theirs, title=film)

    for made_up in (playing.session, "0" * 16, "nonsense"):
        assert sessions.open(db, settings, viewer, title=film, replaces=made_up)

    assert _beat(db, settings, theirs, playing).stop_reason is None


def test_what_is_replaced_ends_even_when_there_is_no_room_for_the_new_one(
    db: Database,
    settings: Settings,
    viewer: Actor,
    film: str,
    limit: Callable[..., None],
) -> None:
    old = sessions.open(db, settings, viewer, title=film)
    others = [sessions.open(db, settings, viewer, title=film) for _ in range(2)]
    limit(streams=2)

    told = _full(
        lambda: sessions.open(db, settings, viewer, title=film, replaces=old.session)
    )

    active = [each["session"] for each in told["active"]]
    assert active == [each.session for each in others]
    assert _beat(db, settings, viewer, old).stop_reason is StopReason.CLOSED


def test_silence_frees_the_place_and_a_pause_keeps_it_for_ten_minutes(
    db: Database,
    settings: Settings,
    viewer: Actor,
    film: str,
    limit: Callable[..., None],
    clock: FixedClock,
) -> None:
    limit(streams=1)
    playing = sessions.open(db, settings, viewer, title=film)
    clock.advance(seconds=30)
    _full(lambda: sessions.open(db, settings, viewer, title=film))
    _beat(db, settings, viewer, playing, PlayState.PAUSED)
    clock.advance(minutes=10)
    _full(lambda: sessions.open(db, settings, viewer, title=film))
    clock.advance(seconds=1)

    assert sessions.open(db, settings, viewer, title=film)


def test_streams_beyond_1080p_are_counted_apart_and_the_next_one_is_capped(
    db: Database,
    settings: Settings,
    viewer: Actor,
    film: str,
    sharp: str,
    limit: Callable[..., None],
) -> None:
    limit(uhd_streams=1)
    plain = sessions.open(db, settings, viewer, title=film)
    first = sessions.open(db, settings, viewer, title=sharp)
    second = sessions.open(db, settings, viewer, title=sharp)

    assert (plain.max_height, first.max_height, second.max_height) == (None, None, 1080)
    scope = tokens.check_media(
        tokens.load(settings.keys), second.media_token, second.asset, db.clock.now()
    ).scope
    assert scope == Scope.up_to(1080)
    assert permission.standing(db, settings, second.session).max_height == 1080

    sessions.close(db, viewer, first.session)
    assert sessions.open(db, settings, viewer, title=sharp).max_height is None


def test_a_film_that_is_beyond_1080p_only_is_refused_when_the_limit_is_reached(
    db: Database,
    settings: Settings,
    viewer: Actor,
    make: Builders,
    film: str,
    limit: Callable[..., None],
) -> None:
    title = make.title("Only sharp")
    make.asset(title, heights=(2160,))
    limit(uhd_streams=1)
    sessions.open(db, settings, viewer, title=film)
    first = sessions.open(db, settings, viewer, title=title.slug)

    told = _full(lambda: sessions.open(db, settings, viewer, title=title.slug))

    assert (told["limit"], told["quality"]) == (1, "uhd")
    assert [each["session"] for each in told["active"]] == [first.session]
    # Its lowest rendition stays, whatever the right says, and counts for what it is.
    limit(max_height=720)
    assert _full(lambda: sessions.open(db, settings, viewer, title=title.slug)) == told


def test_a_right_up_to_720p_opens_no_sharp_stream(
    db: Database,
    settings: Settings,
    viewer: Actor,
    sharp: str,
    limit: Callable[..., None],
) -> None:
    limit(max_height=720, uhd_streams=1)

    for _ in range(2):
        opened = sessions.open(db, settings, viewer, title=sharp)
        assert opened.max_height == 720
        assert opened.media_token.split(".")[4] == "h720"
    assert [each.uhd for each in streams.of_account(db, viewer.account_id or 0)] == [
        False,
        False,
    ]


def test_a_device_that_is_signed_out_frees_its_place_at_once(
    db: Database,
    settings: Settings,
    viewer: Actor,
    film: str,
    limit: Callable[..., None],
) -> None:
    limit(streams=1)
    tv = _signed_in(db, settings, viewer)
    playing = sessions.open(db, settings, tv, title=film)
    sign_ins.revoke(db, viewer, tv.session)

    assert sessions.open(db, settings, viewer, title=film)
    assert _beat(db, settings, tv, playing).stop_reason is StopReason.SIGNED_OUT


def test_the_sweep_ends_what_was_signed_out_with_that_reason(
    db: Database, settings: Settings, viewer: Actor, film: str
) -> None:
    tv = _signed_in(db, settings, viewer)
    sessions.open(db, settings, tv, title=film)
    sign_ins.revoke(db, viewer, tv.session)

    assert sessions.expire(db) == 1

    assert since(db)[-1].data == {"reason": "signed-out"}


def _ask_for_keys(
    db: Database, settings: Settings, token: str | None, asset: str | None
) -> None:
    """Ask at the door of licences, or with an asset at that of raw keys."""
    keys = tokens.load(settings.keys)
    visit = doors.Visit(KeySystem.CLEARKEY, "192.0.2.9")
    doors.admit(db, settings, keys, visit, token or "", asset)


def _kick(db: Database, session: str, film: str) -> None:
    sessions.terminate(db, SYSTEM, session)


def _disable(db: Database, session: str, film: str) -> None:
    people.disable(db, SYSTEM, "vera")


def _unpublish(db: Database, session: str, film: str) -> None:
    states.unpublish(db, SYSTEM, film)


def _sign_out(db: Database, session: str, film: str) -> None:
    sign_in = db.value(
        "select sign_in from playback_sessions where public_id = ?", (session,)
    )
    sign_ins.revoke(db, SYSTEM, sign_in)


def _end_right(db: Database, session: str, film: str) -> None:
    db.conn.execute("update entitlements set ends_at = ?", (db.now(),))


def _end_window(db: Database, session: str, film: str) -> None:
    title = db.value("select id from titles where slug = ?", (film,))
    now = db.now()
    with database.write(db):
        db.conn.execute(
            """
            insert into availability_windows (public_id, title_id, ends_at, created_at)
            values ('of-this-test', ?, ?, ?)
            """,
            (title, now, now),
        )


def _replace(db: Database, session: str, film: str) -> None:
    asset = db.value(
        "select asset_id from playback_sessions where public_id = ?", (session,)
    )
    with database.write(db):
        sessions.end_of_asset(db, SYSTEM, asset, StopReason.REPLACED)


@pytest.mark.parametrize(
    ("cut", "reason"),
    [
        (_kick, StopReason.TERMINATED),
        (_disable, StopReason.SIGNED_OUT),
        (_sign_out, StopReason.SIGNED_OUT),
        (_unpublish, StopReason.NOT_AVAILABLE),
        (_end_right, StopReason.NOT_AVAILABLE),
        (_end_window, StopReason.NOT_AVAILABLE),
        (_replace, StopReason.REPLACED),
    ],
)
def test_a_cut_ends_tokens_at_once_and_the_picture_within_five_minutes(
    db: Database,
    settings: Settings,
    viewer: Actor,
    film: str,
    clock: FixedClock,
    cut: Callable[[Database, str, str], None],
    reason: StopReason,
) -> None:
    actor = _signed_in(db, settings, viewer)
    opened = sessions.open(db, settings, actor, title=film)
    clock.advance(seconds=7)
    last = _beat(db, settings, actor, opened)
    assert last.media_token
    for token, asset in ((last.token, None), (last.media_token, opened.asset)):
        _ask_for_keys(db, settings, token, asset)

    cut(db, opened.session, film)

    for token, asset in ((last.token, None), (last.media_token, opened.asset)):
        with pytest.raises((Forbidden, Gone, Unauthenticated)):
            _ask_for_keys(db, settings, token, asset)
    answer = _beat(db, settings, actor, opened, seq=2)
    assert (answer.media_token, answer.token) == (None, None)
    assert answer.stop_reason is reason
    assert streams.of_account(db, viewer.account_id or 0) == ()
    keys = tokens.load(settings.keys)
    clock.advance(seconds=301)
    for token, scope in ((last.media_token, Scope.ALL), (last.token, Scope.LICENCE)):
        with pytest.raises(MatineeError) as refused:
            tokens.check(keys, token or "", opened.asset, clock.now(), scope)
        assert refused.value.code == "media.expired"


def test_only_who_may_sees_and_stops_what_others_watch(
    db: Database, settings: Settings, viewer: Actor, film: str, make: Builders
) -> None:
    playing = sessions.open(db, settings, viewer, title=film)
    admin, other = make.actor(Role.ADMINISTRATOR), make.actor(Role.PUBLISHER)

    assert [each.account for each in streams.everybodys(db, admin)] == ["vera"]
    assert streams.everybodys(db, admin, "nobody") == ()
    with pytest.raises(Forbidden):
        streams.everybodys(db, other)
    with pytest.raises(Forbidden):
        sessions.terminate(db, other, playing.session)
    with pytest.raises(NotFound):
        sessions.stop(db, other, playing.session)
    sessions.terminate(db, admin, playing.session)
    with pytest.raises(Conflict):
        sessions.terminate(db, admin, playing.session)
    with pytest.raises(NotFound):
        sessions.terminate(db, admin, "0" * 16)
    ended = [each for each in since(db) if each.name == Event.PLAYBACK_END]
    assert [each.data for each in ended] == [{"reason": "terminated"}]


def test_what_a_player_calls_itself_is_fit_for_a_terminal(
    db: Database, settings: Settings, viewer: Actor, film: str
) -> None:
    sessions.open(
        db,
        settings,
        viewer,
        title=film,
        device="TV\x1b]0;owned\x07\n" + "x" * 300,
        user_agent="\x1b[2J" + "y" * 400,
    )

    (stream,) = streams.of_account(db, viewer.account_id or 0)
    assert stream.device.startswith("TV]0;owned")
    assert len(stream.device) == 200
    assert stream.user_agent.startswith("[2Jy")
    assert len(stream.user_agent) == 300
