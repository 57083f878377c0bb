"""The ClearKey door: what it gives, to whom, and everything that it refuses."""

import base64
import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance.accounts import sessions as sign_ins
from appliance.catalog import states
from appliance.cenc import KeySystem, Label, Scheme
from appliance.clock import FixedClock
from appliance.db import Database, connect
from appliance.delivery import tokens
from appliance.delivery.tokens import SKEW_SECONDS, Scope
from appliance.events import Event
from appliance.permissions import SYSTEM, Actor, Role
from appliance.playback import sessions
from appliance.playback.descriptor import Descriptor
from appliance.protection import keys, policies
from appliance.settings import Settings
from tests.builders import Builders
from tests.portal import at_the_door
from tests.portal.at_the_door import CLEARKEY, Film, ask, asking, refused
from web import create_app


@pytest.fixture
def film(make: Builders) -> Film:
    """A protected film with keys for sound, SD and HD."""
    return at_the_door.protected(make)


@pytest.fixture
def viewer(make: Builders) -> Actor:
    return make.actor(Role.VIEWER)


@pytest.fixture
def player(db: Database, settings: Settings, viewer: Actor, film: Film) -> Descriptor:
    """Somebody who plays the film."""
    return at_the_door.opened(db, settings, viewer, film)


def _all(film: Film) -> bytes:
    return asking(*(each.kid for each in film.keys))


def test_a_player_gets_the_keys_of_its_film(
    client: FlaskClient, db: Database, film: Film, player: Descriptor, viewer: Actor
) -> None:
    answer = ask(client, player.token, _all(film))

    assert at_the_door.given(answer) == {each.kid: each.key for each in film.keys}
    assert answer.mimetype == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    (event,) = at_the_door.events(db)
    assert event.name == Event.LICENCE_ISSUE
    assert event.subject == f"playback/{player.session}"
    assert event.actor == viewer.username
    assert event.data == {
        "system": "org.w3.clearkey",
        "labels": ["AUDIO", "SD", "HD"],
        "asset": film.asset.public_id,
    }
    assert at_the_door.holds_no_key(str(event), film)


def test_only_the_keys_that_were_asked_for_leave(
    client: FlaskClient, film: Film, player: Descriptor
) -> None:
    wanted = film.key(Label.SD)

    answer = ask(client, player.token, asking(wanted.kid))

    assert at_the_door.given(answer) == {wanted.kid: wanted.key}
    assert json.loads(answer.text)["type"] == "temporary"


def test_a_player_that_cannot_set_headers_shows_its_token_in_the_address(
    client: FlaskClient, film: Film, player: Descriptor
) -> None:
    answer = client.post(f"{CLEARKEY}?token={player.token}", data=_all(film))

    assert len(at_the_door.given(answer)) == 3


def test_an_old_browser_that_names_no_type_gets_a_temporary_licence(
    client: FlaskClient, film: Film, player: Descriptor
) -> None:
    body = json.dumps({"kids": [at_the_door.text(film.keys[0].kid)]}).encode()

    answer = ask(client, player.token, body)

    assert len(at_the_door.given(answer)) == 1


def test_neither_a_cookie_nor_a_form_token_is_asked_for(
    app: Flask, film: Film, player: Descriptor
) -> None:
    bare = app.test_client()

    assert ask(bare, player.token, _all(film)).status_code == 200
    preflight = bare.options(CLEARKEY, headers={"Origin": "https://elsewhere.test"})
    assert preflight.status_code == 200
    assert "POST" in preflight.headers["Allow"]
    # Same origin only: nothing here tells a browser that others may ask.
    assert not any(name.startswith("Access-Control") for name, _ in preflight.headers)
    assert bare.get(CLEARKEY).status_code == 405


@pytest.mark.parametrize(
    ("height", "labels"),
    [
        (360, {Label.AUDIO, Label.SD}),
        (576, {Label.AUDIO, Label.SD}),
        (720, {Label.AUDIO, Label.SD, Label.HD}),
        (2160, {Label.AUDIO, Label.SD, Label.HD}),
    ],
)
def test_a_licence_leaves_out_what_is_too_sharp(
    client: FlaskClient,
    db: Database,
    film: Film,
    player: Descriptor,
    height: int,
    labels: set[Label],
) -> None:
    db.conn.execute("update playback_sessions set max_height = ?", (height,))

    answer = ask(client, player.token, _all(film))

    expected = {each.kid for each in film.keys if each.label in labels}
    assert set(at_the_door.given(answer)) == expected


def test_asking_only_for_what_is_too_sharp_is_refused(
    client: FlaskClient, db: Database, film: Film, player: Descriptor
) -> None:
    db.conn.execute("update playback_sessions set max_height = 480")

    answer = ask(client, player.token, asking(film.key(Label.HD).kid))

    refused(db, film, answer, 403, "licence.kid")


def test_a_film_that_exists_only_sharper_than_allowed_still_opens(
    client: FlaskClient,
    make: Builders,
    db: Database,
    settings: Settings,
    viewer: Actor,
) -> None:
    film = at_the_door.protected(make, "Sharp", labels=(Label.AUDIO, Label.HD))
    player = at_the_door.opened(db, settings, viewer, film)
    db.conn.execute("update playback_sessions set max_height = 480")

    assert len(at_the_door.given(ask(client, player.token, _all(film)))) == 2


_KID = "oAAAAAAAAAAAAAAAAAAAAQ"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"kids",
        b"\xff\xfe\x00",
        b"null",
        b"[]",
        b'"kids"',
        b"[" * 30_000,
        b"{}",
        b'{"kids":null}',
        b'{"kids":"%s"}' % _KID.encode(),
        b'{"kids":{"0":"%s"}}' % _KID.encode(),
        b'{"kids":[]}',
        json.dumps({"kids": [_KID] * 17}).encode(),
        b'{"kids":[1]}',
        b'{"kids":[null]}',
        b'{"kids":["%s=="]}' % _KID.encode(),
        b'{"kids":["%s"]}' % _KID[:-1].encode(),
        b'{"kids":["%sA"]}' % _KID.encode(),
        b'{"kids":["%s"]}' % b"+/AAAAAAAAAAAAAAAAAAAQ",
        b'{"kids":["%s"]}' % b"oAAAAAAAAAAAAAAAAAAAAR",  # bits beyond the 128th
        b'{"kids":["a0000000000000000000000000000001"]}',
        b'{"kids":["a0000000-0000-0000-0000-000000000001"]}',
        b'{"kids":["%s"],"type":"forever"}' % _KID.encode(),
        b'{"kids":["%s"],"type":null}' % _KID.encode(),
        b'{"kids":["%s"],"type":["temporary"]}' % _KID.encode(),
        b'{"kids":["%s"],"keys":[]}' % _KID.encode(),
        json.dumps({"kids": [_KID]}).encode("utf-16"),
    ],
)
def test_a_malformed_request_is_refused(
    client: FlaskClient, db: Database, film: Film, player: Descriptor, body: bytes
) -> None:
    answer = ask(client, player.token, body)

    refused(db, film, answer, 400, "licence.request")


def test_a_megabyte_is_refused_before_it_is_read(
    client: FlaskClient, db: Database, film: Film, player: Descriptor
) -> None:
    answer = ask(client, player.token, b" " * 1024 * 1024)

    refused(db, film, answer, 413, "licence.too-large")


def test_a_body_of_unknown_length_is_refused_when_it_grows_too_large(
    client: FlaskClient, db: Database, film: Film, player: Descriptor
) -> None:
    answer = client.post(
        CLEARKEY,
        data=b" " * 1024 * 1024,
        headers={**at_the_door.bearer(player.token), "Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )

    refused(db, film, answer, 413, "licence.too-large")


def test_a_request_without_a_token_is_refused(
    client: FlaskClient, db: Database, film: Film, player: Descriptor
) -> None:
    answer = client.post(CLEARKEY, data=_all(film))

    event = refused(db, film, answer, 401, "licence.token-missing")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert (event.actor, event.address) == ("anonymous", "127.0.0.1")


@pytest.mark.parametrize("text", ["-", "a.b.c.d.e.f", "1.1.1.1.1.1", "x" * 5000, "é"])
def test_what_is_no_token_is_refused(
    client: FlaskClient, db: Database, film: Film, player: Descriptor, text: str
) -> None:
    answer = client.post(f"{CLEARKEY}?token={text}", data=_all(film))

    refused(db, film, answer, 403, "licence.token")


def _altered(token: str, part: int, value: str) -> str:
    parts = token.split(".")
    parts[part] = value
    return ".".join(parts)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        (1, "2"),
        (2, "1999999999"),
        (3, "f" * 16),
        (4, "all"),
        (5, "A" * 43),
        (5, ""),
    ],
)
def test_an_altered_token_is_refused(
    client: FlaskClient,
    db: Database,
    film: Film,
    player: Descriptor,
    part: int,
    value: str,
) -> None:
    answer = ask(client, _altered(player.token, part, value), _all(film))

    event = refused(db, film, answer, 403, "licence.token")
    assert event.actor == "anonymous"


def test_a_token_of_another_session_speaks_for_that_session_only(
    client: FlaskClient,
    make: Builders,
    db: Database,
    settings: Settings,
    viewer: Actor,
    film: Film,
) -> None:
    other = at_the_door.protected(make, "Stalker")
    theirs = at_the_door.opened(db, settings, viewer, other)

    answer = ask(client, theirs.token, _all(film))

    refused(db, film, answer, 403, "licence.kid")


def test_one_foreign_kid_refuses_the_whole_request(
    client: FlaskClient, make: Builders, db: Database, film: Film, player: Descriptor
) -> None:
    other = at_the_door.protected(make, "Stalker")
    mixed = asking(film.keys[0].kid, other.keys[0].kid)

    answer = ask(client, player.token, mixed)

    refused(db, film, answer, 403, "licence.kid")
    assert at_the_door.holds_no_key(answer.text, other)


def test_a_media_token_opens_no_licence(
    client: FlaskClient, db: Database, film: Film, player: Descriptor
) -> None:
    answer = ask(client, player.media_token, _all(film))

    refused(db, film, answer, 403, "licence.token")


def test_the_token_of_an_installation_with_another_key_is_refused(
    client: FlaskClient, db: Database, film: Film, player: Descriptor, tmp_path: Path
) -> None:
    keys = tokens.load(tmp_path / "elsewhere")
    expires = int(db.clock.now().timestamp()) + 300
    asset = film.asset.public_id
    token = tokens.sign(keys, asset, player.session, expires, Scope.LICENCE)

    refused(db, film, ask(client, token, _all(film)), 403, "licence.token")


def test_a_token_is_taken_for_as_long_as_clocks_may_disagree(
    client: FlaskClient,
    db: Database,
    clock: FixedClock,
    settings: Settings,
    film: Film,
    player: Descriptor,
) -> None:
    db.conn.execute("update playback_sessions set expires_at = '9'")
    expires = int(player.token.split(".")[2])
    left = expires + SKEW_SECONDS - clock.now().timestamp()

    clock.advance(seconds=left)
    assert ask(client, player.token, _all(film)).status_code == 200

    clock.advance(seconds=1)
    answer = ask(client, player.token, _all(film))
    assert answer.status_code == 410


@pytest.mark.parametrize("minutes", [10, 60 * 24])
def test_a_clock_that_goes_ahead_is_told_from_a_forged_token(
    client: FlaskClient,
    db: Database,
    clock: FixedClock,
    film: Film,
    player: Descriptor,
    minutes: int,
) -> None:
    """Ten minutes between the server that signed and the one that checks."""
    clock.advance(minutes=minutes)

    answer = ask(client, player.token, _all(film))

    refused(db, film, answer, 410, "licence.token-expired")
    problem = json.loads(answer.text)
    assert problem["now"] == int(clock.now().timestamp())
    assert problem["expired_at"] == int(player.token.split(".")[2])
    assert "clocks" in problem["detail"]


def test_a_clock_that_is_ten_minutes_behind_still_opens(
    client: FlaskClient, clock: FixedClock, film: Film, player: Descriptor
) -> None:
    clock.advance(minutes=-10)

    assert ask(client, player.token, _all(film)).status_code == 200


def test_a_token_is_worth_nothing_after_its_session_ended(
    client: FlaskClient, db: Database, film: Film, player: Descriptor, viewer: Actor
) -> None:
    sessions.close(db, viewer, player.session)

    answer = ask(client, player.token, _all(film))

    event = refused(db, film, answer, 410, "licence.ended")
    assert json.loads(answer.text)["reason"] == "closed"
    assert (event.actor, event.data["reason"]) == (viewer.username, "closed")


def test_a_session_that_was_terminated_gets_nothing_more(
    client: FlaskClient, db: Database, film: Film, player: Descriptor
) -> None:
    assert ask(client, player.token, _all(film)).status_code == 200

    sessions.terminate(db, SYSTEM, player.session)

    answer = ask(client, player.token, _all(film))
    assert (answer.status_code, json.loads(answer.text)["reason"]) == (
        410,
        "terminated",
    )


def test_a_session_whose_player_fell_silent_gets_nothing(
    client: FlaskClient, db: Database, clock: FixedClock, film: Film, player: Descriptor
) -> None:
    clock.advance(seconds=31)

    answer = ask(client, player.token, _all(film))

    refused(db, film, answer, 410, "licence.session-expired")


def test_signing_out_stops_licences_at_once(
    client: FlaskClient,
    make: Builders,
    db: Database,
    settings: Settings,
    film: Film,
) -> None:
    viewer = make.actor(Role.VIEWER)
    assert viewer.account_id is not None
    _, signed_in = sign_ins.start(
        db, settings, viewer.account_id, address="127.0.0.1", user_agent="test"
    )
    actor = signed_in.actor("127.0.0.1")
    player = at_the_door.opened(db, settings, actor, film)
    sign_ins.revoke(db, actor, signed_in.session_id)

    answer = ask(client, player.token, _all(film))

    refused(db, film, answer, 401, "licence.signed-out")


def test_a_disabled_account_gets_nothing(
    client: FlaskClient, db: Database, film: Film, player: Descriptor, viewer: Actor
) -> None:
    db.conn.execute(
        "update accounts set state = 'disabled' where id = ?", (viewer.account_id,)
    )

    answer = ask(client, player.token, _all(film))

    refused(db, film, answer, 403, "licence.not-allowed")
    assert "account-disabled" in json.loads(answer.text)["reasons"]


def test_unpublishing_stops_licences_at_once(
    client: FlaskClient, db: Database, film: Film, player: Descriptor
) -> None:
    states.unpublish(db, SYSTEM, film.title.slug)

    answer = ask(client, player.token, _all(film))

    refused(db, film, answer, 403, "licence.not-allowed")
    assert "title-unavailable" in json.loads(answer.text)["reasons"]


def test_a_right_that_has_ended_stops_licences_at_once(
    client: FlaskClient, db: Database, film: Film, player: Descriptor
) -> None:
    db.conn.execute("update entitlements set ends_at = '2000'")

    answer = ask(client, player.token, _all(film))

    refused(db, film, answer, 403, "licence.not-allowed")
    assert json.loads(answer.text)["reasons"] == ["no-longer"]


@pytest.mark.parametrize("listed", ["widevine", "playready,fairplay"])
def test_clearkey_is_refused_unless_it_is_listed(
    client: FlaskClient,
    db: Database,
    film: Film,
    player: Descriptor,
    listed: str,
) -> None:
    """ClearKey would undo studio DRM: the keys are the same."""
    systems = {
        "widevine": ["com.widevine.alpha"],
        "playready,fairplay": ["com.microsoft.playready", "com.apple.fps"],
    }[listed]
    db.table("titles").update(film.title.id, {"key_systems": json.dumps(systems)})

    answer = ask(client, player.token, _all(film))

    refused(db, film, answer, 403, "licence.key-system")


def test_a_film_that_is_not_encrypted_has_no_licence(
    client: FlaskClient, make: Builders, db: Database, settings: Settings, viewer: Actor
) -> None:
    clear = make.asset(heights=(234,))
    player = sessions.open(db, settings, viewer, asset=clear.public_id, device="tv")

    answer = ask(client, player.token, asking("00" * 16))

    assert answer.status_code == 404
    assert json.loads(answer.text)["code"] == "licence.no-keys"
    assert [each.data["code"] for each in at_the_door.events(db)] == ["licence.no-keys"]


def test_retired_keys_leave_no_more(
    client: FlaskClient,
    db: Database,
    settings: Settings,
    film: Film,
    player: Descriptor,
) -> None:
    fresh = keys.renew(
        db,
        settings,
        SYSTEM,
        film.asset,
        at_the_door.LABELS,
        Scheme.CBCS,
        (KeySystem.CLEARKEY,),
    )
    assert ask(client, player.token, _all(film)).status_code == 200
    keys.retire(db, SYSTEM, film.asset.id, fresh[0].generation)
    db.conn.execute("delete from events")

    answer = ask(client, player.token, _all(film))

    refused(db, film, answer, 403, "licence.kid")
    newer = asking(*(each.kid for each in fresh))
    assert len(at_the_door.given(ask(client, player.token, newer))) == 3


@pytest.mark.parametrize("damage", ["lost", "wrong", "garbage"])
def test_a_lost_or_wrong_key_encryption_key_says_nothing_about_itself(
    client: FlaskClient,
    db: Database,
    settings: Settings,
    film: Film,
    player: Descriptor,
    damage: str,
) -> None:
    (file,) = settings.keys.glob("content-*.key")
    text = {"lost": None, "wrong": "ab" * 32, "garbage": "not a key"}[damage]
    file.unlink()
    if text is not None:
        file.write_text(text)
        file.chmod(0o600)

    answer = ask(client, player.token, _all(film))

    refused(db, film, answer, 503, "licence.keys-unavailable")
    assert "content-" not in answer.text
    assert str(settings.home) not in answer.text


def test_a_key_encryption_key_that_is_lost_in_between_closes_the_door_at_once(
    client: FlaskClient,
    db: Database,
    settings: Settings,
    film: Film,
    player: Descriptor,
) -> None:
    """Keys are opened once and kept: for as long as they could be opened again."""
    assert ask(client, player.token, _all(film)).status_code == 200
    db.conn.execute("delete from events")
    (file,) = settings.keys.glob("content-*.key")
    file.unlink()

    answer = ask(client, player.token, _all(film))

    refused(db, film, answer, 503, "licence.keys-unavailable")


def test_the_short_way_answers_as_the_usual_one_does(
    client: FlaskClient, film: Film, player: Descriptor
) -> None:
    """A token in the address goes the usual way, one in a header the short one."""
    usual = client.post(f"{CLEARKEY}?token={player.token}", data=_all(film))
    short = ask(client, player.token, _all(film))

    assert short.data == usual.data
    ids = {each.headers.pop("X-Request-Id") for each in (short, usual)}
    assert len(ids) == 2
    assert dict(short.headers) == dict(usual.headers)


def test_a_licence_to_keep_needs_a_policy_that_allows_it(
    client: FlaskClient, db: Database, film: Film, player: Descriptor
) -> None:
    wanted = asking(film.keys[0].kid, type="persistent-license")

    answer = ask(client, player.token, wanted)
    refused(db, film, answer, 403, "licence.persistent")

    policy = policies.put(db, SYSTEM, "offline", {"persistent": "yes"})
    db.table("titles").update(film.title.id, {"policy_id": policy.id})
    answer = ask(client, player.token, wanted)
    assert json.loads(answer.text)["type"] == "persistent-license"


def test_a_session_gets_only_so_many_licences(
    settings: Settings,
    clock: FixedClock,
    db: Database,
    film: Film,
    player: Descriptor,
) -> None:
    few = replace(
        settings, protection=replace(settings.protection, licences_per_session=2)
    )
    client = create_app(few, clock).test_client()

    statuses = [ask(client, player.token, _all(film)).status_code for _ in range(4)]

    assert statuses == [200, 200, 429, 429]
    counted = db.value("select licences from playback_sessions")
    assert counted == 2
    codes = [each.data.get("code") for each in at_the_door.events(db)]
    assert codes == [None, None, "licence.too-many", "licence.too-many"]


def test_licences_asked_for_at_once_are_counted_one_by_one(
    settings: Settings, clock: FixedClock, film: Film, player: Descriptor
) -> None:
    few = replace(
        settings, protection=replace(settings.protection, licences_per_session=3)
    )
    app, found = create_app(few, clock), []
    start = threading.Barrier(12)

    def one() -> None:
        start.wait()
        found.append(ask(app.test_client(), player.token, _all(film)).status_code)

    threads = [threading.Thread(target=one) for _ in range(12)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert sorted(found) == [200] * 3 + [429] * 9
    with connect(settings.database) as db:
        assert len(at_the_door.events(db)) == 12


def test_a_refused_licence_is_not_counted(
    client: FlaskClient, db: Database, film: Film, player: Descriptor
) -> None:
    ask(client, player.token, b"{}")

    assert db.value("select licences from playback_sessions") == 0


def test_the_example_of_the_dash_forum_is_written_as_it_is_there() -> None:
    kid = "9eb4050d-e44b-4802-932e-27d75083e266".replace("-", "")

    assert at_the_door.text(kid) == "nrQFDeRLSAKTLifXUIPiZg"
    assert base64.urlsafe_b64decode("nrQFDeRLSAKTLifXUIPiZg==").hex() == kid
