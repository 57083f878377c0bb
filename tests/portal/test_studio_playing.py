"""“Now playing” in the Studio: who watches what, and stopping it."""

import pytest
from flask.testing import FlaskClient

from appliance.db import Database
from appliance.permissions import Actor, Role
from appliance.playback import heartbeats, sessions
from appliance.playback.descriptor import Descriptor
from appliance.playback.heartbeats import Beat, PlayState
from appliance.playback.sessions import StopReason
from appliance.settings import Settings
from tests.builders import Builders
from tests.conftest import SignIn

PAGE = "/studio/playing"


@pytest.fixture
def admin(client: FlaskClient, sign_in: SignIn) -> FlaskClient:
    sign_in(client, Role.ADMINISTRATOR, "root")
    return client


@pytest.fixture
def vera(make: Builders) -> Actor:
    return make.actor(Role.VIEWER, username="vera")


@pytest.fixture
def opened(db: Database, settings: Settings, make: Builders, vera: Actor) -> Descriptor:
    title = make.title("Solaris <1972>", slug="solaris")
    make.asset(title)
    return sessions.open(
        db, settings, vera, title=title.slug, device="<b>Kitchen</b> TV"
    )


def test_the_page_says_when_nobody_watches(admin: FlaskClient) -> None:
    assert "Nobody watches anything now" in admin.get(PAGE).text


def test_the_page_says_who_watches_what_and_where(
    admin: FlaskClient,
    db: Database,
    settings: Settings,
    vera: Actor,
    opened: Descriptor,
) -> None:
    beat = Beat(1, 3.0, PlayState.PAUSED, quality={"height": 720.0})
    heartbeats.heartbeat(db, settings, vera, opened.session, beat)

    page = admin.get(PAGE).text

    for shown in (
        "Solaris &lt;1972&gt;",
        "&lt;b&gt;Kitchen&lt;/b&gt; TV",
        "192.0.2.1",
        "720p",
        "Paused",
        opened.session,
    ):
        assert shown in page
    assert "vera" in admin.get(f"{PAGE}?who=VERA").text
    assert "“bob” watches nothing now" in admin.get(f"{PAGE}?who=bob").text


def test_a_stream_is_stopped_after_a_question(
    admin: FlaskClient,
    db: Database,
    settings: Settings,
    vera: Actor,
    opened: Descriptor,
) -> None:
    address = f"{PAGE}/{opened.session}/stop"
    question = admin.get(address).text
    assert "Stop “Solaris &lt;1972&gt;” for vera?" in question

    answer = admin.post(address)

    assert answer.location == PAGE
    assert "stops for vera within minutes." in admin.get(PAGE).text
    beat = heartbeats.heartbeat(db, settings, vera, opened.session, Beat(1, 3.0))
    assert beat.stop_reason is StopReason.TERMINATED
    assert admin.get(address).status_code == 404
    assert admin.post(address).status_code == 404


def test_nobody_else_sees_or_stops_what_others_watch(
    client: FlaskClient, sign_in: SignIn, db: Database, opened: Descriptor
) -> None:
    sign_in(client, Role.PUBLISHER)

    for path in (PAGE, f"{PAGE}/{opened.session}/stop"):
        assert client.get(path).status_code == 403
    assert client.post(f"{PAGE}/{opened.session}/stop").status_code == 403
    assert 'href="/studio/playing"' not in client.get("/studio/").text
    assert db.value("select ended_at from playback_sessions") is None
