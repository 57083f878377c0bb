"""Licences of providers at our door: what is asked of them, and what they spoil."""

import json
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from pywidevine.cdm import Cdm
from pywidevine.pssh import PSSH

from appliance.cenc import KeySystem, Label, Scheme
from appliance.clock import FixedClock
from appliance.db import Database
from appliance.events import Event
from appliance.permissions import SYSTEM, Actor, Role
from appliance.playback import sessions
from appliance.playback.descriptor import Descriptor
from appliance.protection import policies, pssh
from appliance.settings import Settings
from tests.builders import Builders
from tests.doubles.licence_service import (
    PATH,
    SIGNING_KEY_OF_SESSION,
    WidevineLicences,
    device,
    service_certificate,
)
from tests.doubles.server import Mood, Service, served
from tests.doubles.widevine_keys import CREDENTIALS
from tests.portal import at_the_door
from tests.portal.at_the_door import Film, ask, refused
from web import create_app
from web.licence.proxies import in_turn

_DOOR = "/licence/widevine"
_SYSTEMS = (KeySystem.CLEARKEY, KeySystem.WIDEVINE)
_LABELS = (Label.AUDIO, Label.SD, Label.HD, Label.UHD)


@pytest.fixture
def licences() -> WidevineLicences:
    return WidevineLicences()


@pytest.fixture
def service(licences: WidevineLicences) -> Iterator[Service]:
    """The provider, on loopback."""
    with served(licences) as running:
        yield running


@pytest.fixture
def settings(settings: Settings, service: Service) -> Settings:
    """An installation that has an account with the provider."""
    settings.keys.mkdir(parents=True, exist_ok=True)
    secrets = settings.keys / "drm.toml"
    secrets.write_text(CREDENTIALS)
    secrets.chmod(0o600)
    protection = replace(
        settings.protection,
        licences_from="widevine-cloud",
        widevine_url=service.url + PATH,
        timeout_seconds=1,
    )
    return replace(settings, protection=protection)


@pytest.fixture
def film(make: Builders) -> Film:
    return at_the_door.protected(make, systems=_SYSTEMS, labels=_LABELS)


@pytest.fixture
def viewer(make: Builders) -> Actor:
    return make.actor(Role.VIEWER)


@pytest.fixture
def player(db: Database, settings: Settings, viewer: Actor, film: Film) -> Descriptor:
    return at_the_door.opened(db, settings, viewer, film)


class Player:
    """An independent player: pywidevine, with a device of its own."""

    def __init__(self, kids: list[str]) -> None:
        self._cdm = Cdm.from_device(device())
        self._session = self._cdm.open()
        box = pssh.widevine(kids, Scheme.CBCS)
        self.challenge = self._cdm.get_license_challenge(self._session, PSSH(box))

    def keys(self, licence: bytes) -> dict[str, bytes]:
        self._cdm.parse_license(self._session, licence)
        return {
            each.kid.hex: each.key
            for each in self._cdm.get_keys(self._session)
            if each.type == "CONTENT"
        }


def _player(film: Film, *labels: Label) -> Player:
    return Player([film.key(each).kid for each in labels or _LABELS])


def test_an_independent_player_gets_the_keys_of_its_film(
    client: FlaskClient,
    db: Database,
    licences: WidevineLicences,
    service: Service,
    film: Film,
    player: Descriptor,
    viewer: Actor,
) -> None:
    theirs = _player(film)

    answer = ask(client, player.token, theirs.challenge, _DOOR)

    assert answer.status_code == 200, answer.text
    assert answer.mimetype == "application/octet-stream"
    assert answer.headers["Cache-Control"] == "no-store"
    assert theirs.keys(answer.data) == {each.kid: each.key for each in film.keys}
    (asked,) = licences.asked
    assert b64decode(asked["payload"]) == theirs.challenge
    assert player.token not in str(service.seen[0].headers)
    (event,) = at_the_door.events(db)
    assert (event.name, event.actor) == (Event.LICENCE_ISSUE, viewer.username)
    assert event.data == {
        "system": "com.widevine.alpha",
        "labels": ["AUDIO", "SD", "HD", "UHD"],
        "asset": film.asset.public_id,
        "provider": "widevine-cloud",
        "make": "Matinee",
        "model": "Test?Device",
        "security_level": "3",
        "platform": "linux",
        "request": "NEW",
        "type": "STREAMING",
    }
    assert at_the_door.holds_no_key(str(event), film)
    assert SIGNING_KEY_OF_SESSION not in str(event)
    assert db.value("select licences from playback_sessions") == 1


def test_the_service_is_told_levels_outputs_and_times(
    client: FlaskClient,
    db: Database,
    licences: WidevineLicences,
    film: Film,
    player: Descriptor,
) -> None:
    policy = policies.put(
        db,
        SYSTEM,
        "studio",
        {
            "robustness.hd": 3,
            "hdcp.hd": "1.0",
            "licence_seconds": 86400,
            "rental_seconds": 172800,
            "playback_seconds": 7200,
            "persistent": "yes",
        },
    )
    db.table("titles").update(film.title.id, {"policy_id": policy.id})

    ask(client, player.token, _player(film).challenge, _DOOR)

    (asked,) = licences.asked
    specs = {each["track_type"]: each for each in asked["content_key_specs"]}
    told = {
        name: (each["security_level"], each["required_output_protection"]["hdcp"])
        for name, each in specs.items()
    }
    assert told == {
        "AUDIO": (1, "HDCP_NONE"),
        "SD": (1, "HDCP_NONE"),
        "HD": (3, "HDCP_V1"),
        "UHD1": (5, "HDCP_V2_2"),
    }
    assert b64decode(specs["HD"]["key_id"]).hex() == film.key(Label.HD).kid
    assert asked["policy_overrides"] == {
        "can_play": True,
        "can_persist": True,
        "can_renew": False,
        "license_duration_seconds": 86400,
        "rental_duration_seconds": 172800,
        "playback_duration_seconds": 7200,
    }
    assert asked["use_policy_overrides_exclusively"] is True
    assert b64decode(asked["content_id"]).decode() == f"{film.asset.public_id}-1"


def test_a_service_is_given_no_key_beyond_the_quality_of_the_viewer(
    client: FlaskClient,
    db: Database,
    licences: WidevineLicences,
    film: Film,
    player: Descriptor,
) -> None:
    db.conn.execute("update playback_sessions set max_height = 576")
    theirs = _player(film)

    answer = ask(client, player.token, theirs.challenge, _DOOR)

    allowed = {film.key(Label.AUDIO).kid, film.key(Label.SD).kid}
    assert set(theirs.keys(answer.data)) == allowed
    assert film.key(Label.HD).key.hex() not in str(licences.asked)


def test_a_request_for_the_certificate_is_forwarded_and_is_no_start(
    client: FlaskClient,
    db: Database,
    licences: WidevineLicences,
    film: Film,
    player: Descriptor,
) -> None:
    answer = ask(client, player.token, b"\x08\x04", _DOOR)

    assert answer.data == service_certificate()
    (asked,) = licences.asked
    assert b64decode(asked["payload"]) == b"\x08\x04"
    assert "content_key_specs" not in asked
    assert at_the_door.events(db) == []
    assert db.value("select licences from playback_sessions") == 0


def test_a_licence_that_is_given_back_is_accepted_and_not_counted(
    client: FlaskClient,
    db: Database,
    licences: WidevineLicences,
    film: Film,
    player: Descriptor,
) -> None:
    licences.request_type = "RELEASE"

    def nothing_to_give(answer: dict[str, object]) -> None:
        answer["license"] = ""

    licences.change = nothing_to_give

    answer = ask(client, player.token, _player(film).challenge, _DOOR)

    assert (answer.status_code, answer.data) == (200, b"")
    (event,) = at_the_door.events(db)
    assert (event.data["request"], event.data["labels"]) == ("RELEASE", [])
    assert db.value("select licences from playback_sessions") == 0


def test_a_challenge_for_another_film_goes_nowhere(
    client: FlaskClient,
    make: Builders,
    db: Database,
    service: Service,
    film: Film,
    player: Descriptor,
) -> None:
    other = at_the_door.protected(make, "Stalker", systems=_SYSTEMS)
    foreign = Player([film.keys[0].kid, other.keys[0].kid])

    answer = ask(client, player.token, foreign.challenge, _DOOR)

    refused(db, film, answer, 403, "licence.kid")
    assert service.seen == []


@pytest.mark.parametrize(
    "body", [b"", b"no challenge", b"\x08\x01\x12\x7f", b'{"kids":[]}', b"\x80" * 64]
)
def test_what_is_no_challenge_goes_nowhere(
    client: FlaskClient,
    db: Database,
    service: Service,
    film: Film,
    player: Descriptor,
    body: bytes,
) -> None:
    answer = ask(client, player.token, body, _DOOR)

    refused(db, film, answer, 400, "licence.request")
    assert service.seen == []


def test_a_megabyte_goes_nowhere(
    client: FlaskClient, db: Database, service: Service, film: Film, player: Descriptor
) -> None:
    answer = ask(client, player.token, b" " * 1024 * 1024, _DOOR)

    refused(db, film, answer, 413, "licence.too-large")
    assert service.seen == []


def test_a_session_that_ended_goes_nowhere(
    client: FlaskClient,
    db: Database,
    service: Service,
    film: Film,
    player: Descriptor,
    viewer: Actor,
) -> None:
    theirs = _player(film)
    sessions.close(db, viewer, player.session)

    answer = ask(client, player.token, theirs.challenge, _DOOR)

    refused(db, film, answer, 410, "licence.ended")
    assert service.seen == []


def test_without_a_token_nothing_goes_anywhere(
    client: FlaskClient, db: Database, service: Service, film: Film
) -> None:
    answer = client.post(_DOOR, data=_player(film).challenge)

    refused(db, film, answer, 401, "licence.token-missing")
    assert service.seen == []


def test_a_system_that_the_title_does_not_allow_goes_nowhere(
    client: FlaskClient, db: Database, service: Service, film: Film, player: Descriptor
) -> None:
    answer = ask(client, player.token, b"a challenge", "/licence/fairplay")

    refused(db, film, answer, 403, "licence.key-system")
    assert service.seen == []


@pytest.mark.parametrize(
    ("mood", "status", "code"),
    [
        (Mood.FAILS, 502, "licence.provider"),
        (Mood.REFUSES, 403, "licence.provider-refused"),
        (Mood.MOVED, 502, "licence.provider"),
        (Mood.GARBAGE, 502, "licence.provider"),
        (Mood.NOTHING, 502, "licence.provider"),
        (Mood.SILENT, 504, "licence.provider-slow"),
        (Mood.DRIPS, 504, "licence.provider-slow"),
        (Mood.FLOODS, 502, "licence.provider"),
        (Mood.HANGS_UP, 502, "licence.provider"),
    ],
)
def test_a_provider_that_misbehaves_is_told_apart_and_not_quoted(
    client: FlaskClient,
    db: Database,
    service: Service,
    film: Film,
    player: Descriptor,
    mood: Mood,
    status: int,
    code: str,
) -> None:
    service.mood = mood

    answer = ask(client, player.token, _player(film).challenge, _DOOR)

    event = refused(db, film, answer, status, code)
    assert event.data["provider"] == "widevine"
    assert "cannot open" not in answer.text
    assert "garbage" not in answer.text
    assert service.url not in answer.text
    assert "widevine" not in answer.text.replace("com.widevine.alpha", "")
    assert db.value("select licences from playback_sessions") == 0


def test_a_provider_that_is_not_there_is_told_apart(
    db: Database,
    settings: Settings,
    clock: FixedClock,
    film: Film,
    player: Descriptor,
) -> None:
    nobody = replace(settings.protection, widevine_url=f"http://127.0.0.1:9{PATH}")
    client = create_app(replace(settings, protection=nobody), clock).test_client()

    answer = ask(client, player.token, _player(film).challenge, _DOOR)

    refused(db, film, answer, 502, "licence.provider")


@pytest.mark.parametrize(
    "spoilt",
    [
        {"status": "SIGNATURE_FAILED", "license": None},
        {"status": "a secret " * 20},
        {"license": "not base64"},
        {"license": ""},
        {"license": "AAAA"},
        {"license": 7},
        {"status": None},
    ],
)
def test_an_answer_that_is_no_licence_is_not_passed_on(
    client: FlaskClient,
    db: Database,
    licences: WidevineLicences,
    film: Film,
    player: Descriptor,
    spoilt: dict[str, object],
) -> None:
    licences.change = lambda answer: answer.update(spoilt)

    answer = ask(client, player.token, _player(film).challenge, _DOOR)

    refused(db, film, answer, 502, "licence.provider")
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    "secrets", [None, "", "[axinom]\n", '[widevine]\nprovider = "x"\n', "a secret = "]
)
def test_an_account_that_is_not_set_up_is_the_operators_business(
    client: FlaskClient,
    db: Database,
    settings: Settings,
    service: Service,
    film: Film,
    player: Descriptor,
    secrets: str | None,
) -> None:
    file = settings.keys / "drm.toml"
    file.unlink()
    if secrets is not None:
        file.write_text(secrets)
        file.chmod(0o600)

    answer = ask(client, player.token, _player(film).challenge, _DOOR)

    refused(db, film, answer, 503, "licence.provider-setup")
    assert "drm.toml" not in answer.text
    assert "secret" not in answer.text
    assert service.seen == []


def test_without_a_provider_the_door_says_so(
    db: Database, settings: Settings, clock: FixedClock, film: Film, player: Descriptor
) -> None:
    none = replace(settings.protection, licences_from="")
    client = create_app(replace(settings, protection=none), clock).test_client()

    answer = ask(client, player.token, _player(film).challenge, _DOOR)

    refused(db, film, answer, 503, "licence.no-service")


def test_providers_keep_half_of_the_threads_waiting_at_most(
    settings: Settings,
    clock: FixedClock,
    db: Database,
    service: Service,
    film: Film,
    player: Descriptor,
) -> None:
    one = replace(settings, web=replace(settings.web, threads=1))
    app = create_app(one, clock)
    theirs = _player(film)

    with app.app_context(), in_turn():
        answer = ask(app.test_client(), player.token, theirs.challenge, _DOOR)

    refused(db, film, answer, 503, "licence.busy")
    assert service.seen == []


def test_no_provider_is_asked_inside_a_transaction(
    client: FlaskClient, db: Database, service: Service, film: Film, player: Descriptor
) -> None:
    """A slow provider must not hold the one lock that everybody writes under."""
    seen = []

    def answer(_request: object) -> object:
        db.conn.execute("begin immediate")
        db.conn.execute("rollback")
        seen.append("free")
        raise RuntimeError("no answer")

    service.answer = answer  # type: ignore[assignment]

    ask(client, player.token, _player(film).challenge, _DOOR)

    assert seen == ["free"]


def test_the_certificate_is_public_and_asked_for_once_a_day(
    client: FlaskClient, clock: FixedClock, service: Service
) -> None:
    first = client.get("/licence/widevine/certificate")
    again = client.get("/licence/widevine/certificate")

    assert first.status_code == 200
    assert first.data == again.data
    assert b"of the service" in first.data
    assert first.headers["Cache-Control"] == "public, max-age=86400"
    assert len(service.seen) == 1
    clock.advance(days=1, seconds=1)
    assert client.get("/licence/widevine/certificate").status_code == 200
    assert len(service.seen) == 2


def test_a_certificate_that_cannot_be_had_is_not_asked_for_all_the_time(
    client: FlaskClient, clock: FixedClock, service: Service
) -> None:
    service.mood = Mood.FAILS

    answers = [client.get("/licence/widevine/certificate") for _ in range(3)]

    assert [each.status_code for each in answers] == [502] * 3
    assert json.loads(answers[0].text)["code"] == "licence.provider"
    assert len(service.seen) == 1
    service.mood = Mood.WELL
    clock.advance(seconds=31)
    assert client.get("/licence/widevine/certificate").status_code == 200


def test_a_service_without_fairplay_has_no_certificate_for_it(
    client: FlaskClient,
) -> None:
    answer = client.get("/licence/fairplay/certificate")

    assert (answer.status_code, json.loads(answer.text)["code"]) == (
        404,
        "licence.no-service",
    )
