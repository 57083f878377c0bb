"""Playback sessions: who may open one, what keeps it, what stops it."""

from dataclasses import replace
from typing import Any

import pytest

from appliance.access.evaluate import Reason
from appliance.catalog import states, titles
from appliance.catalog.titles import Title
from appliance.clock import FixedClock
from appliance.db import Database
from appliance.delivery import tokens
from appliance.delivery.tokens import Scope
from appliance.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    Unauthenticated,
)
from appliance.events import Event, since
from appliance.media import assets
from appliance.media.assets import Asset
from appliance.permissions import ANONYMOUS, SYSTEM, Actor, Role
from appliance.playback import heartbeats, progress, sessions, streams, tracing
from appliance.playback.descriptor import Descriptor
from appliance.playback.heartbeats import Answer, Beat, PlayState
from appliance.playback.sessions import StopReason
from appliance.settings import Settings
from tests.builders import Builders


def _hour(make: Builders, title: Title | None = None, **fields: Any) -> Asset:
    """Make a film that is said to last an hour, without all its files."""
    film = make.asset(title, heights=(234,), **fields)
    make.db.conn.execute("update assets set duration = 3600 where id = ?", (film.id,))
    return assets.by_id(make.db, film.id)


@pytest.fixture
def film(make: Builders) -> str:
    """A published title of an hour, by its slug."""
    title = make.title("Solaris")
    _hour(make, title, captions=("de",))
    return title.slug


@pytest.fixture
def viewer(make: Builders) -> Actor:
    return make.actor(Role.VIEWER)


@pytest.fixture
def opened(db: Database, settings: Settings, viewer: Actor, film: str) -> Descriptor:
    return sessions.open(db, settings, viewer, title=film, device="browser")


def _beat(
    db: Database,
    settings: Settings,
    actor: Actor,
    session: str,
    seq: int,
    position: float,
    state: PlayState = PlayState.PLAYING,
    played: tuple[tuple[float, float], ...] = (),
) -> Answer:
    report = Beat(seq, position, state, played, {"height": 720.0})
    return heartbeats.heartbeat(db, settings, actor, session, report)


def test_opening_gives_a_player_everything_it_needs(
    db: Database, settings: Settings, opened: Descriptor
) -> None:
    keys = tokens.load(settings.keys)

    media = tokens.check(keys, opened.media_token, opened.asset, db.clock.now())
    licence = tokens.check(
        keys, opened.token, opened.asset, db.clock.now(), Scope.LICENCE
    )

    assert media.session == licence.session == opened.session
    base = f"/media/{opened.media_token}/{opened.asset}"
    assert opened.manifests == {
        "hls": f"{base}/master.m3u8",
        "dash": f"{base}/manifest.mpd",
    }
    assert opened.thumbnails == f"{base}/thumbnails.vtt"
    assert [each.language for each in opened.text] == ["de"]
    assert (opened.resume_at, opened.duration, opened.drm) == (0.0, 3600.0, {})
    assert since(db)[-1].name == Event.PLAYBACK_START


def _encrypt(db: Database, asset: str) -> None:
    """Say that the tracks of an asset are encrypted."""
    db.conn.execute(
        """
        update tracks set scheme = 'cbcs', kid = ?
        where kind in ('video', 'audio')
            and asset_id = (select id from assets where public_id = ?)
        """,
        ("ab" * 16, asset),
    )


@pytest.mark.parametrize(
    ("systems", "service", "drm", "certificates"),
    [
        ("clearkey", "", {"org.w3.clearkey": "clearkey"}, {}),
        (
            "clearkey,widevine,playready,fairplay",
            "axinom",
            {
                "org.w3.clearkey": "clearkey",
                "com.widevine.alpha": "widevine",
                "com.microsoft.playready": "playready",
                "com.apple.fps": "fairplay",
            },
            {"com.widevine.alpha": "widevine", "com.apple.fps": "fairplay"},
        ),
        # Nobody is sent to a door behind which there is nothing.
        ("clearkey,widevine", "", {"org.w3.clearkey": "clearkey"}, {}),
        (
            "widevine,fairplay",
            "widevine-cloud",
            {"com.widevine.alpha": "widevine"},
            {"com.widevine.alpha": "widevine"},
        ),
    ],
)
def test_a_protected_film_comes_with_the_doors_that_open_it(
    db: Database,
    settings: Settings,
    viewer: Actor,
    film: str,
    opened: Descriptor,
    systems: str,
    service: str,
    drm: dict[str, str],
    certificates: dict[str, str],
) -> None:
    assert (opened.protected, opened.drm, opened.certificates) == (False, {}, {})
    _encrypt(db, opened.asset)
    protection = replace(
        settings.protection, key_systems=systems, licences_from=service
    )

    given = sessions.open(
        db, replace(settings, protection=protection), viewer, title=film
    )

    assert given.protected
    assert given.drm == {name: f"/licence/{path}" for name, path in drm.items()}
    assert given.certificates == {
        name: f"/licence/{path}/certificate" for name, path in certificates.items()
    }


@pytest.mark.parametrize(
    ("where", "clear", "protected"),
    [("off", False, False), ("protected", False, True), ("all", True, True)],
)
def test_a_watermark_names_the_viewer_and_the_session(
    db: Database,
    settings: Settings,
    viewer: Actor,
    film: str,
    where: str,
    clear: bool,
    protected: bool,
) -> None:
    db.conn.execute("update accounts set display_name = 'Vera Lynn'")
    marked = replace(settings, playback=replace(settings.playback, watermark=where))

    def text() -> str | None:
        given = sessions.open(db, marked, viewer, title=film)
        if given.watermark is None:
            return None
        return given.watermark.text.replace(given.session[:8], "session")

    assert text() == ("Vera Lynn · session" if clear else None)
    _encrypt(db, sessions.open(db, marked, viewer, title=film).asset)
    assert text() == ("Vera Lynn · session" if protected else None)


def test_no_token_stands_where_answers_are_written_down(
    db: Database, settings: Settings, viewer: Actor, opened: Descriptor
) -> None:
    answer = _beat(db, settings, viewer, opened.session, 1, 1.0)

    for token in (opened.token, opened.media_token, answer.media_token, answer.token):
        assert token
        assert token not in f"{opened!r} {answer!r}"


def _ends(token: str | None) -> int:
    """Return when a token is taken for the last time, as Unix time."""
    assert token is not None
    return int(token.split(".")[2]) + tokens.SKEW_SECONDS


def test_tokens_live_five_minutes_at_most_and_hours_where_they_cannot_be_swapped(
    db: Database,
    settings: Settings,
    viewer: Actor,
    film: str,
    clock: FixedClock,
) -> None:
    for _ in range(70):
        clock.advance(seconds=1)
        now = clock.now().timestamp()
        swapped = sessions.open(db, settings, viewer, title=film)
        native = sessions.open(db, settings, viewer, title=film, swaps=False)

        assert 240 <= _ends(swapped.media_token) - now <= 300
        assert 240 <= _ends(swapped.token) - now <= 300
        assert 21540 <= _ends(native.media_token) - now <= 21600
        assert 21540 <= _ends(native.token) - now <= 21600


def test_every_answer_to_a_heartbeat_carries_tokens_that_work(
    db: Database,
    settings: Settings,
    viewer: Actor,
    opened: Descriptor,
    clock: FixedClock,
) -> None:
    keys = tokens.load(settings.keys)
    seen = set()

    for seq in range(1, 121):
        clock.advance(seconds=10)
        answer = _beat(db, settings, viewer, opened.session, seq, seq * 10.0)
        assert answer.media_token
        assert answer.token
        now = clock.now()
        tokens.check(keys, answer.media_token, opened.asset, now)
        tokens.check(keys, answer.token, opened.asset, now, Scope.LICENCE)
        assert 240 <= _ends(answer.media_token) - now.timestamp() <= 300
        seen.add(answer.media_token)

    assert answer.next == 10
    # Twenty minutes: a new text each minute, so that caches still find something.
    assert 18 <= len(seen) <= 22


def test_a_heartbeat_keeps_the_position_and_what_was_played(
    db: Database, settings: Settings, viewer: Actor, film: str, opened: Descriptor
) -> None:
    played = ((0.0, 10.0), (600.0, 610.0))
    _beat(db, settings, viewer, opened.session, 1, 610.0, played=played)
    _beat(db, settings, viewer, opened.session, 2, 620.0, played=((610.0, 620.0),))

    again = sessions.open(db, settings, viewer, title=film)

    assert again.resume_at == 620.0
    kept = db.one("select * from playback_sessions where last_seq = 2")
    assert kept is not None
    assert kept["played"] == "[[0.0, 10.0], [600.0, 620.0]]"
    assert kept["quality"] == '{"height": 720.0}'


def test_a_report_that_comes_late_or_twice_changes_nothing(
    db: Database, settings: Settings, viewer: Actor, film: str, opened: Descriptor
) -> None:
    _beat(db, settings, viewer, opened.session, 5, 900.0)

    late = _beat(db, settings, viewer, opened.session, 4, 300.0)
    twice = _beat(db, settings, viewer, opened.session, 5, 300.0)

    assert late.media_token
    assert twice.media_token
    assert sessions.open(db, settings, viewer, title=film).resume_at == 900.0


def test_a_player_that_stands_still_does_not_undo_what_was_watched_elsewhere(
    db: Database, settings: Settings, viewer: Actor, film: str, opened: Descriptor
) -> None:
    _beat(db, settings, viewer, opened.session, 1, 600.0, PlayState.PAUSED)
    other = sessions.open(db, settings, viewer, title=film, device="tv")
    _beat(db, settings, viewer, other.session, 1, 1800.0)

    _beat(db, settings, viewer, opened.session, 2, 600.0, PlayState.PAUSED)

    assert sessions.open(db, settings, viewer, title=film).resume_at == 1800.0


def test_three_missed_heartbeats_end_a_session_and_its_stale_position(
    db: Database,
    settings: Settings,
    viewer: Actor,
    film: str,
    opened: Descriptor,
    clock: FixedClock,
) -> None:
    _beat(db, settings, viewer, opened.session, 1, 600.0)
    clock.advance(seconds=31)

    answer = _beat(db, settings, viewer, opened.session, 2, 900.0)

    assert answer == Answer(None, 0, StopReason.EXPIRED)
    assert sessions.open(db, settings, viewer, title=film).resume_at == 600.0


def test_a_pause_may_last_ten_minutes(
    db: Database,
    settings: Settings,
    viewer: Actor,
    opened: Descriptor,
    clock: FixedClock,
) -> None:
    _beat(db, settings, viewer, opened.session, 1, 600.0, PlayState.PAUSED)
    clock.advance(minutes=9)

    assert _beat(db, settings, viewer, opened.session, 2, 600.0).stop_reason is None


def test_sessions_nobody_reports_for_are_ended_by_the_sweep(
    db: Database,
    settings: Settings,
    viewer: Actor,
    film: str,
    opened: Descriptor,
    clock: FixedClock,
) -> None:
    clock.advance(seconds=25)
    fresh = sessions.open(db, settings, viewer, title=film)
    clock.advance(seconds=10)

    assert sessions.expire(db) == 1
    assert sessions.expire(db) == 0

    left = db.value(
        "select group_concat(public_id) from playback_sessions where ended_at is null"
    )
    assert left == fresh.session
    ended = since(db)[-1]
    assert (ended.name, ended.subject) == (
        Event.PLAYBACK_END,
        f"playback/{opened.session}",
    )


def test_unpublishing_stops_what_plays(
    db: Database, settings: Settings, viewer: Actor, film: str, opened: Descriptor
) -> None:
    states.unpublish(db, SYSTEM, film)

    answer = _beat(db, settings, viewer, opened.session, 1, 10.0)

    assert answer.stop_reason is StopReason.NOT_AVAILABLE
    assert answer.media_token is None


def test_a_right_that_ends_stops_what_plays(
    db: Database, settings: Settings, viewer: Actor, opened: Descriptor
) -> None:
    db.conn.execute("update entitlements set ends_at = ?", (db.now(),))

    answer = _beat(db, settings, viewer, opened.session, 1, 10.0)

    assert answer.stop_reason is StopReason.NOT_AVAILABLE


def test_disabling_the_account_stops_what_plays(
    db: Database, settings: Settings, viewer: Actor, opened: Descriptor
) -> None:
    db.conn.execute("update accounts set state = 'disabled'")

    answer = _beat(db, settings, viewer, opened.session, 1, 10.0)

    assert answer.stop_reason is StopReason.SIGNED_OUT


def test_a_session_that_was_closed_stays_closed(
    db: Database, settings: Settings, viewer: Actor, opened: Descriptor
) -> None:
    sessions.close(db, viewer, opened.session)
    sessions.close(db, viewer, opened.session)

    answer = _beat(db, settings, viewer, opened.session, 1, 10.0)

    assert answer.stop_reason is StopReason.CLOSED
    ends = [each for each in since(db) if each.name == Event.PLAYBACK_END]
    assert [each.data["reason"] for each in ends] == ["closed"]


def test_a_session_of_another_account_does_not_exist(
    db: Database, settings: Settings, make: Builders, opened: Descriptor
) -> None:
    stranger = make.actor(Role.ADMINISTRATOR)

    with pytest.raises(NotFound):
        _beat(db, settings, stranger, opened.session, 1, 10.0)
    with pytest.raises(NotFound):
        sessions.close(db, stranger, opened.session)


def test_who_may_not_watch_is_told_why_and_the_log_says_so(
    db: Database, settings: Settings, viewer: Actor, film: str
) -> None:
    db.conn.execute("delete from entitlements")

    with pytest.raises(Forbidden) as refused:
        sessions.open(db, settings, viewer, title=film)

    assert refused.value.details == {"reasons": [Reason.NOT_ENTITLED]}
    last = since(db)[-1]
    assert (last.name, last.data) == (
        Event.PLAYBACK_REFUSE,
        {"reasons": ["not-entitled"]},
    )
    assert db.value("select count(*) from playback_sessions") == 0


def test_nobody_opens_what_they_cannot_see(
    db: Database, settings: Settings, make: Builders, viewer: Actor
) -> None:
    hidden = make.title("Hidden", state="ready")
    film = make.asset(hidden)

    names: list[dict[str, Any]] = [{"title": hidden.slug}, {"asset": film.public_id}]
    for named in names:
        with pytest.raises(NotFound):
            sessions.open(db, settings, viewer, **named)
        for stranger in (ANONYMOUS, SYSTEM):
            with pytest.raises(Unauthenticated):
                sessions.open(db, settings, stranger, **named)


def test_an_editor_previews_what_is_not_published(
    db: Database, settings: Settings, make: Builders
) -> None:
    ada = make.actor(Role.CONTRIBUTOR)
    own = titles.create(db, ada, "Hers")
    make.asset(own)

    assert sessions.open(db, settings, ada, title=own.slug).title == own.slug
    publisher = make.actor(Role.PUBLISHER)
    assert sessions.open(db, settings, publisher, title=own.slug).title == own.slug


def test_a_title_without_a_film_and_a_call_without_a_title_are_refused(
    db: Database, settings: Settings, make: Builders, viewer: Actor, film: str
) -> None:
    with pytest.raises(Conflict):
        sessions.open(db, settings, viewer, title=make.title().slug)
    with pytest.raises(InvalidInput):
        sessions.open(db, settings, viewer)
    with pytest.raises(InvalidInput):
        sessions.open(db, settings, viewer, title=film, asset="x")
    processing = make.asset(make.title("Two"), state="processing")
    with pytest.raises(Conflict):
        sessions.open(db, settings, viewer, asset=processing.public_id)


def test_a_profile_of_ones_own_may_watch_and_no_other(
    db: Database, settings: Settings, make: Builders, viewer: Actor, film: str
) -> None:
    db.table("profiles").insert(
        {
            "public_id": "kids",
            "account_id": viewer.account_id,
            "name": "Kids",
            "created_at": db.now(),
        }
    )
    strange = db.value(
        "select public_id from profiles where id = ?",
        (make.actor(Role.VIEWER).profile_id,),
    )

    opened = sessions.open(db, settings, viewer, title=film, profile="kids")
    _beat(db, settings, viewer, opened.session, 1, 1200.0)

    kids = sessions.open(db, settings, viewer, title=film, profile="kids")
    assert kids.resume_at == 1200.0
    assert sessions.open(db, settings, viewer, title=film).resume_at == 0.0
    with pytest.raises(NotFound):
        sessions.open(db, settings, viewer, title=film, profile=strange)


@pytest.mark.parametrize(
    ("position", "resumes_at", "finished"),
    [
        (0.0, 0.0, False),
        (179.0, 0.0, False),
        (180.0, 180.0, False),
        (3239.0, 3239.0, False),
        (3240.0, 0.0, True),
        (3600.0, 0.0, True),
        (3601.5, 0.0, True),
    ],
)
def test_a_film_resumes_between_five_and_ninety_percent(
    db: Database,
    settings: Settings,
    make: Builders,
    viewer: Actor,
    position: float,
    resumes_at: float,
    finished: bool,
) -> None:
    film = _hour(make)

    saved = progress.save(db, settings, viewer, film, position)

    assert saved.finished is finished
    assert saved.position <= 3600.0
    assert progress.resume_at(settings, saved) == resumes_at


@pytest.mark.parametrize("position", [-1.0, 4000.0, float("nan"), float("inf")])
def test_a_position_outside_the_film_is_refused(
    db: Database, settings: Settings, make: Builders, viewer: Actor, position: float
) -> None:
    film = _hour(make)

    with pytest.raises(InvalidInput):
        progress.save(db, settings, viewer, film, position)

    assert progress.of_asset(db, viewer, film.id) is None


def test_what_was_watched_to_the_end_can_be_watched_again(
    db: Database, settings: Settings, make: Builders, viewer: Actor
) -> None:
    film = _hour(make)
    progress.save(db, settings, viewer, film, 3600.0)

    again = progress.save(db, settings, viewer, film, 600.0)

    assert not again.finished
    assert progress.resume_at(settings, again) == 600.0


def test_progress_belongs_to_a_profile(
    db: Database, settings: Settings, make: Builders, viewer: Actor
) -> None:
    film, other = _hour(make), _hour(make)
    progress.save(db, settings, viewer, film, 600.0)
    progress.save(db, settings, viewer, other, 700.0)

    mine = progress.of_profile(db, viewer)

    assert {each.asset_id for each in mine} == {film.id, other.id}
    assert progress.of_profile(db, make.actor(Role.VIEWER)) == []


def test_a_title_that_is_removed_takes_its_sessions_along(
    db: Database,
    settings: Settings,
    viewer: Actor,
    film: str,
    opened: Descriptor,
    make: Builders,
) -> None:
    titles.remove(db, make.storage, SYSTEM, film)

    with pytest.raises(NotFound):
        _beat(db, settings, viewer, opened.session, 1, 10.0)


def test_a_preview_counts_as_no_stream_and_moves_no_position(
    db: Database, settings: Settings, make: Builders, film: str
) -> None:
    editor = make.actor(Role.PUBLISHER)
    once = replace(settings, playback=replace(settings.playback, streams=1))
    watched = sessions.open(db, once, editor, title=film)
    _beat(db, once, editor, watched.session, 1, 600)
    played = film_of(db, watched)

    previews = [
        sessions.open(db, once, editor, title=film, preview=True) for _ in range(3)
    ]
    answer = _beat(db, once, editor, previews[0].session, 1, 2000)

    assert answer.media_token
    assert {each.resume_at for each in previews} == {0.0}
    kept = progress.of_asset(db, editor, played.id)
    assert kept is not None
    assert kept.position == 600
    account = editor.account_id
    assert account is not None
    counted = streams.of_account(db, account)
    assert [each.session for each in counted] == [watched.session]
    with pytest.raises(Conflict, match="one film"):
        sessions.open(db, once, editor, title=film)


def test_a_preview_is_told_from_what_viewers_watch(
    db: Database, settings: Settings, make: Builders, film: str
) -> None:
    editor = make.actor(Role.PUBLISHER)
    opened = sessions.open(db, settings, editor, title=film, preview=True)

    (traced,) = tracing.trace(db, SYSTEM, opened.session)
    (playing,) = streams.everybodys(db, SYSTEM)

    assert traced.preview
    assert playing.preview
    assert since(db)[-1].data["preview"] is True


def test_only_who_may_edit_a_title_previews_it(
    db: Database, settings: Settings, viewer: Actor, film: str
) -> None:
    with pytest.raises(Forbidden):
        sessions.open(db, settings, viewer, title=film, preview=True)

    assert db.value("select count(*) from playback_sessions") == 0


def film_of(db: Database, opened: Descriptor) -> Asset:
    return assets.by_public_id(db, opened.asset)
