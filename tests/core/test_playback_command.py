"""``matinee playback``: listing what plays, stopping it, and tracing who watched."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

from appliance.clock import SystemClock
from appliance.db import Database
from appliance.permissions import Actor, Role
from appliance.playback import heartbeats, sessions
from appliance.playback.descriptor import Descriptor
from appliance.playback.heartbeats import Beat
from appliance.playback.sessions import StopReason
from appliance.settings import Settings
from tests.builders import Builders

Matinee = Callable[..., Result]


@pytest.fixture(autouse=True)
def _real_time(db: Database) -> None:
    """A command lives in the real time, and so must what it lists."""
    db.clock = SystemClock()


@pytest.fixture
def viewer(make: Builders) -> Actor:
    return make.actor(Role.VIEWER, username="vera")


@pytest.fixture
def opened(
    db: Database, settings: Settings, make: Builders, viewer: Actor
) -> Descriptor:
    title = make.title("Solaris", slug="solaris")
    make.asset(title, captions=("de",))
    return sessions.open(
        db, settings, viewer, title=title.slug, device="Kitchen TV", user_agent="Tizen"
    )


def _json(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_what_plays_is_listed(
    matinee: Matinee,
    db: Database,
    settings: Settings,
    viewer: Actor,
    opened: Descriptor,
) -> None:
    beat = Beat(1, 3.0, quality={"height": 720.0})
    heartbeats.heartbeat(db, settings, viewer, opened.session, beat)

    (one,) = _json(matinee("playback", "list", "--json"))

    assert (one["session"], one["account"], one["title"]) == (
        opened.session,
        "vera",
        "solaris",
    )
    assert (one["device"], one["quality"], one["uhd"]) == ("Kitchen TV", "720p", False)
    table = matinee("playback", "list", "--user", "VERA").stdout
    assert opened.session in table
    assert _json(matinee("playback", "list", "--user", "bob", "--json")) == []
    quiet = matinee("playback", "list", "--user", "bob")
    assert "Nobody watches anything" in quiet.stderr


def test_what_plays_is_stopped(
    matinee: Matinee,
    db: Database,
    settings: Settings,
    viewer: Actor,
    opened: Descriptor,
) -> None:
    refused = matinee("playback", "terminate", opened.session)
    assert refused.exit_code == 2
    assert "--yes" in refused.stderr

    stopped = matinee("playback", "terminate", opened.session, "--yes")

    assert stopped.exit_code == 0
    assert stopped.stdout == "Stopped “Solaris” of vera.\n"
    beat = heartbeats.heartbeat(db, settings, viewer, opened.session, Beat(1, 3.0))
    assert beat.stop_reason is StopReason.TERMINATED
    assert matinee("playback", "terminate", opened.session, "--yes").exit_code == 4


def test_everything_that_names_a_session_leads_to_who_watched(
    matinee: Matinee, opened: Descriptor, make: Builders
) -> None:
    segment = f"/media/{opened.media_token}/{opened.asset}/tracks/{'ab' * 8}/00042.m4s"
    line = (
        f'192.0.2.7 - - [02/Jan/2026:12:00:09 +0000] "GET {segment} HTTP/1.1" 206'
        ' 81234 "https://films.example/watch/solaris" "Mozilla/5.0" 00f1c2d3'
    )
    for text in (
        opened.session,
        opened.session[:8],
        opened.session.upper(),
        f"vera · {opened.session[:8]}",
        opened.media_token,
        opened.token,
        f"https://films.example{segment}",
        line,
        f'"POST /api/v1/playback/{opened.session}/heartbeat HTTP/1.1" 200',
    ):
        (found,) = _json(matinee("playback", "trace", text, "--json"))
        assert (found["session"], found["account"]) == (opened.session, "vera")
        assert (found["device"], found["user_agent"]) == ("Kitchen TV", "Tizen")
        assert found["address"] == "192.0.2.1"

    by_pipe = matinee("playback", "trace", "-", stdin=f"{line}\n")
    assert "vera (vera)" in by_pipe.stdout
    assert "not yet" in by_pipe.stdout


def test_tracing_tells_no_secret_and_believes_no_signature(
    matinee: Matinee, opened: Descriptor
) -> None:
    forged = opened.media_token.rpartition(".")[0] + "." + "x" * 43

    for output in (("--json",), ()):
        for token in (opened.media_token, opened.token, forged):
            result = matinee("playback", "trace", token, *output)
            assert result.exit_code == 0
            assert token.rpartition(".")[2] not in result.output
            assert opened.session in result.stdout


def test_a_trace_of_nothing_says_what_to_give(
    matinee: Matinee, opened: Descriptor
) -> None:
    nothing = matinee("playback", "trace", "who was it?")
    assert nothing.exit_code == 2
    assert "a media address" in nothing.stderr

    unknown = matinee("playback", "trace", "0" * 16)
    assert unknown.exit_code == 4


def test_a_trace_goes_on_after_the_session_has_ended(
    matinee: Matinee, db: Database, viewer: Actor, opened: Descriptor
) -> None:
    sessions.close(db, viewer, opened.session)

    assert "(closed)" in matinee("playback", "trace", opened.session).stdout
