"""The raw-key door, for HLS players: the checks of the licence door, 16 bytes."""

import json

import pytest
from flask.testing import FlaskClient

from appliance.cenc import KeySystem, Label
from appliance.clock import FixedClock
from appliance.db import Database
from appliance.delivery import tokens
from appliance.delivery.tokens import Scope
from appliance.events import Event
from appliance.permissions import Actor, Role
from appliance.playback import sessions
from appliance.playback.descriptor import Descriptor
from appliance.settings import Settings
from tests.builders import Builders
from tests.portal import at_the_door
from tests.portal.at_the_door import Film, refused


@pytest.fixture
def film(make: Builders) -> Film:
    return at_the_door.protected(make)


@pytest.fixture
def viewer(make: Builders) -> Actor:
    return make.actor(Role.VIEWER)


@pytest.fixture
def player(db: Database, settings: Settings, viewer: Actor, film: Film) -> Descriptor:
    return at_the_door.opened(db, settings, viewer, film)


def _address(film: Film, token: str, kid: str) -> str:
    return f"/media/{token}/{film.asset.public_id}/key/{kid}"


def test_a_key_leaves_as_sixteen_bytes(
    client: FlaskClient, db: Database, film: Film, player: Descriptor, viewer: Actor
) -> None:
    key = film.key(Label.HD)

    answer = client.get(_address(film, player.media_token, key.kid))

    assert (answer.status_code, answer.data) == (200, key.key)
    assert answer.mimetype == "application/octet-stream"
    assert answer.headers["Cache-Control"] == "no-store"
    (event,) = at_the_door.events(db)
    assert (event.name, event.actor) == (Event.LICENCE_ISSUE, viewer.username)
    assert event.subject == f"playback/{player.session}"
    assert event.data == {
        "system": "org.w3.clearkey",
        "labels": ["HD"],
        "asset": film.asset.public_id,
        "door": "key",
    }
    assert db.value("select licences from playback_sessions") == 1


def test_the_height_in_the_token_counts(
    client: FlaskClient,
    db: Database,
    settings: Settings,
    film: Film,
    player: Descriptor,
) -> None:
    expires = int(db.clock.now().timestamp()) + 300
    token = tokens.sign(
        tokens.load(settings.keys),
        film.asset.public_id,
        player.session,
        expires,
        Scope.up_to(480),
    )

    sd = client.get(_address(film, token, film.key(Label.SD).kid))
    assert sd.data == film.key(Label.SD).key
    db.conn.execute("delete from events")

    hd = client.get(_address(film, token, film.key(Label.HD).kid))
    refused(db, film, hd, 403, "licence.kid")


def test_the_height_of_the_session_counts_whatever_the_token_says(
    client: FlaskClient, db: Database, film: Film, player: Descriptor
) -> None:
    db.conn.execute("update playback_sessions set max_height = 480")

    answer = client.get(_address(film, player.media_token, film.key(Label.HD).kid))

    refused(db, film, answer, 403, "licence.kid")


@pytest.mark.parametrize("kid", ["0" * 32, "x", "A" * 32, "%2e%2e", "é"])
def test_what_is_no_key_of_the_film_is_refused(
    client: FlaskClient, db: Database, film: Film, player: Descriptor, kid: str
) -> None:
    answer = client.get(_address(film, player.media_token, kid))

    refused(db, film, answer, 403, "licence.kid")


def test_a_kid_of_another_film_is_refused(
    client: FlaskClient, make: Builders, db: Database, film: Film, player: Descriptor
) -> None:
    other = at_the_door.protected(make, "Stalker")

    answer = client.get(_address(film, player.media_token, other.keys[0].kid))

    refused(db, film, answer, 403, "licence.kid")


def test_a_token_opens_the_keys_of_its_own_film_only(
    client: FlaskClient, make: Builders, db: Database, film: Film, player: Descriptor
) -> None:
    other = at_the_door.protected(make, "Stalker")

    answer = client.get(_address(other, player.media_token, other.keys[0].kid))

    refused(db, other, answer, 403, "licence.token")


def test_a_playback_token_opens_no_raw_key(
    client: FlaskClient, db: Database, film: Film, player: Descriptor
) -> None:
    answer = client.get(_address(film, player.token, film.keys[0].kid))

    refused(db, film, answer, 403, "licence.token")


def test_a_token_that_ran_out_is_told_so(
    client: FlaskClient, db: Database, clock: FixedClock, film: Film, player: Descriptor
) -> None:
    clock.advance(minutes=10)

    answer = client.get(_address(film, player.media_token, film.keys[0].kid))

    refused(db, film, answer, 410, "licence.token-expired")


def test_a_session_that_ended_opens_no_raw_key(
    client: FlaskClient, db: Database, film: Film, player: Descriptor, viewer: Actor
) -> None:
    sessions.close(db, viewer, player.session)

    answer = client.get(_address(film, player.media_token, film.keys[0].kid))

    refused(db, film, answer, 410, "licence.ended")


def test_no_raw_key_leaves_unless_clearkey_is_listed(
    client: FlaskClient, db: Database, film: Film, player: Descriptor
) -> None:
    listed = json.dumps([KeySystem.WIDEVINE.value])
    db.table("titles").update(film.title.id, {"key_systems": listed})

    answer = client.get(_address(film, player.media_token, film.keys[0].kid))

    refused(db, film, answer, 403, "licence.key-system")


def test_a_lost_key_encryption_key_says_nothing_about_itself(
    client: FlaskClient,
    db: Database,
    settings: Settings,
    film: Film,
    player: Descriptor,
) -> None:
    (file,) = settings.keys.glob("content-*.key")
    file.unlink()

    answer = client.get(_address(film, player.media_token, film.keys[0].kid))

    refused(db, film, answer, 503, "licence.keys-unavailable")
