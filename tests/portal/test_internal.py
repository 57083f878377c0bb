"""What nginx-vod-module is answered, and that nobody else is answered anything."""

import base64
import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from appliance import keyring
from appliance.cenc import SYSTEM_IDS, KeySystem, Scheme
from appliance.clock import FixedClock
from appliance.media import tracks
from appliance.media.tracks import TrackKind
from appliance.permissions import Role
from appliance.protection import pssh
from appliance.settings import Settings
from tests import just_in_time
from tests.builders import Builders
from tests.conftest import SignIn
from tests.just_in_time import Film
from web import create_app
from web.internal import HEADER

SYSTEMS = (KeySystem.CLEARKEY, KeySystem.WIDEVINE, KeySystem.PLAYREADY)


@pytest.fixture
def clear(make: Builders) -> Film:
    return just_in_time.film(make, languages=("en", "de"), captions=("de", "fr"))


@pytest.fixture
def locked(make: Builders) -> Film:
    return just_in_time.film(make, systems=SYSTEMS)


def _ask(client: FlaskClient, address: str, **extra: Any) -> TestResponse:
    settings: Settings = client.application.extensions["matinee"].settings
    secret = keyring.key(settings.keys, "internal").hex()
    return client.get(f"/internal/{address}", headers={HEADER: secret}, **extra)


def _sequences(answer: TestResponse) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = json.loads(answer.text)["sequences"]
    return found


def test_a_mapping_names_everything_with_the_paths_of_files_that_are_there(
    client: FlaskClient, clear: Film, make: Builders
) -> None:
    answer = _ask(client, f"map/{clear.asset.public_id}")

    found = _sequences(answer)
    assert answer.mimetype == "application/json"
    assert [each["id"] for each in found] == [
        each.public_id for each in clear.tracks if each.kind is not TrackKind.THUMBNAILS
    ]
    assert [each.get("language") for each in found] == [
        *(None, None, "eng", "deu", "deu", "fra")
    ]
    for each in found:
        (clip,) = each["clips"]
        assert Path(clip["path"]).is_relative_to(make.storage.root)
        assert Path(clip["path"]).read_bytes()


def test_trap_6_what_is_unknown_is_an_empty_answer_for_which_viewers_get_a_404(
    client: FlaskClient, clear: Film, make: Builders
) -> None:
    packaged = make.asset()
    asset, track = clear.asset.public_id, clear.tracks[0].public_id

    for address in (
        "map/" + "f" * 16,
        "map/nonsense",
        f"map/{packaged.public_id}",
        f"clear/{asset}/" + "f" * 16,
        f"clear/{packaged.public_id}/{track}",
        f"map/{asset}/{track}",
    ):
        answer = _ask(client, address)
        assert (answer.status_code, answer.data) == (200, b""), address


def test_a_protected_track_is_never_named_to_leave_as_it_is(
    client: FlaskClient, locked: Film
) -> None:
    for each in [*locked.of(TrackKind.VIDEO), *locked.of(TrackKind.AUDIO)]:
        place = f"{locked.asset.public_id}/{each.public_id}"

        assert _ask(client, f"clear/{place}").data == b""
        (named,) = _sequences(_ask(client, f"map/{place}"))
        assert named["id"] == each.public_id


def test_a_key_is_told_with_boxes_of_the_systems_that_are_allowed(
    client: FlaskClient, locked: Film
) -> None:
    video = locked.of(TrackKind.VIDEO)[0]

    answer = _ask(client, f"drm/{locked.asset.public_id}/{video.public_id}")

    (found,) = json.loads(answer.text)
    assert base64.b64decode(found["key"]) == locked.key(video).key
    assert base64.b64decode(found["key_id"]).hex() == video.kid
    told = {each["uuid"]: base64.b64decode(each["data"]) for each in found["pssh"]}
    assert list(told) == [str(SYSTEM_IDS[each]) for each in SYSTEMS]
    assert video.kid is not None
    kid = bytes.fromhex(video.kid)
    assert told[str(SYSTEM_IDS[KeySystem.CLEARKEY])] == b"\0\0\0\1" + kid + b"\0" * 4
    widevine = pssh.widevine_data([video.kid], Scheme.CENC)
    assert told[str(SYSTEM_IDS[KeySystem.WIDEVINE])] == widevine
    playready = told[str(SYSTEM_IDS[KeySystem.PLAYREADY])]
    assert int.from_bytes(playready[:4], "little") == len(playready)
    assert "AESCTR" in playready.decode("utf-16-le", "replace")


def test_sound_and_pictures_have_keys_of_their_own(
    client: FlaskClient, locked: Film
) -> None:
    told = {
        json.loads(_ask(client, f"drm/{locked.asset.public_id}/{each.public_id}").text)[
            0
        ]["key"]
        for each in [*locked.of(TrackKind.VIDEO), *locked.of(TrackKind.AUDIO)]
    }

    assert len(told) == 2


def test_a_system_that_is_switched_off_is_named_no_more(
    client: FlaskClient, locked: Film, make: Builders
) -> None:
    address = f"drm/{locked.asset.public_id}/{locked.tracks[0].public_id}"
    only = json.dumps([KeySystem.WIDEVINE.value])
    make.db.table("titles").update(locked.asset.title_id, {"key_systems": only})

    (found,) = json.loads(_ask(client, address).text)

    assert [each["uuid"] for each in found["pssh"]] == [
        str(SYSTEM_IDS[KeySystem.WIDEVINE])
    ]


def test_a_clear_track_has_no_key(client: FlaskClient, clear: Film) -> None:
    address = f"drm/{clear.asset.public_id}/{clear.tracks[0].public_id}"

    assert _ask(client, address).status_code == 404


def test_a_film_that_must_lie_encrypted_on_the_disk_is_refused_in_a_sentence(
    client: FlaskClient, make: Builders
) -> None:
    film = just_in_time.film(make, systems=SYSTEMS, scheme=Scheme.CBCS)
    asset, track = film.asset.public_id, film.tracks[0].public_id

    for address in (f"drm/{asset}/{track}", f"map/{asset}"):
        answer = _ask(client, address)
        assert answer.status_code == 409
        assert "encrypted on the disk" in json.loads(answer.text)["detail"]
        assert not any(key.key.hex() in answer.text for key in film.keys)


def test_trap_16_a_subtitle_that_cannot_be_read_spoils_nothing_else(
    client: FlaskClient, clear: Film, make: Builders, caplog: pytest.LogCaptureFixture
) -> None:
    missing, broken = clear.of(TrackKind.TEXT)
    make.storage.remove(f"{missing.path}/text.vtt")
    make.storage.write(f"{broken.path}/text.vtt", b"WEBVTT\n\n1 --> 2\nx\n")

    found = _sequences(_ask(client, f"map/{clear.asset.public_id}"))

    assert len(found) == 4
    assert not any(each.get("language") == "fra" for each in found)
    assert missing.name in caplog.text
    assert broken.name in caplog.text


@pytest.mark.parametrize(
    ("text", "right"),
    [
        (b"WEBVTT\n\n00:01.000 --> 00:02.000\nA short time\n", True),
        (
            b"\xef\xbb\xbfWEBVTT - a name\n\n00:00:01.000 --> 00:00:02.000 line:0\nx",
            True,
        ),
        (b"WEBVTT\n", True),
        (b"", False),
        (b"<html>", False),
        (b"WEBVTTX\n", False),
        (b"WEBVTT\n\n\xff\xfe\n", False),
        (b"WEBVTT\n\n00:00:01,000 --> 00:00:02,000\nA comma, as in SRT\n", False),
    ],
)
def test_what_is_web_vtt_is_told_from_what_only_looks_like_it(
    client: FlaskClient, clear: Film, make: Builders, text: bytes, right: bool
) -> None:
    (first, _second) = clear.of(TrackKind.TEXT)
    make.storage.write(f"{first.path}/text.vtt", text)

    found = _sequences(_ask(client, f"map/{clear.asset.public_id}"))

    assert (first.public_id in {each["id"] for each in found}) is right


def test_mappings_are_kept_in_memory_for_one_version_of_an_asset(
    client: FlaskClient, clear: Film, make: Builders
) -> None:
    address = f"map/{clear.asset.public_id}"
    before = _ask(client, address).text
    make.db.table("tracks").update(clear.tracks[0].id, {"bandwidth": 1})

    assert _ask(client, address).text == before
    make.db.table("assets").update(clear.asset.id, {"version": 2})
    assert _ask(client, address).text != before


def test_trap_11_new_tracks_have_new_addresses(make: Builders, clear: Film) -> None:
    before = {each.public_id for each in tracks.of_asset(make.db, clear.asset.id)}
    again = just_in_time.film(make)

    assert before.isdisjoint(each.public_id for each in again.tracks)


@pytest.mark.parametrize("kind", ["map", "drm", "clear"])
def test_nobody_outside_learns_that_there_is_anything(
    client: FlaskClient, locked: Film, kind: str
) -> None:
    settings: Settings = client.application.extensions["matinee"].settings
    secret = keyring.key(settings.keys, "internal").hex()
    place = f"/internal/{kind}/{locked.asset.public_id}/{locked.tracks[0].public_id}"
    right = {HEADER: secret}

    assert client.get(place, headers=right).status_code == 200
    for headers, address in (
        ({}, "127.0.0.1"),
        ({HEADER: ""}, "127.0.0.1"),
        ({HEADER: secret[:-1]}, "127.0.0.1"),
        ({HEADER: "é"}, "127.0.0.1"),
        (right, "192.0.2.7"),
        (right | {"X-Forwarded-For": "127.0.0.1"}, "127.0.0.1"),
        (right | {"Forwarded": "for=127.0.0.1"}, "127.0.0.1"),
    ):
        answer = client.get(
            place, headers=headers, environ_overrides={"REMOTE_ADDR": address}
        )
        assert answer.status_code == 404, (headers, address)
        assert not any(each.kid in answer.text for each in locked.keys)
    assert client.post(place, headers=right).status_code in (404, 405)


@pytest.mark.parametrize("role", list(Role))
def test_no_role_opens_the_internal_door(
    client: FlaskClient, locked: Film, sign_in: SignIn, role: Role
) -> None:
    sign_in(client, role)

    assert client.get(f"/internal/map/{locked.asset.public_id}").status_code == 404


def test_the_door_opens_over_a_unix_socket_and_to_nobody_whom_a_proxy_brings(
    settings: Settings, clock: FixedClock, locked: Film
) -> None:
    """There the address is empty, and the application believes one proxy."""
    web = dataclasses.replace(settings.web, socket="/run/matinee/web.sock")
    app: Flask = create_app(dataclasses.replace(settings, web=web), clock)
    client, address = app.test_client(), f"map/{locked.asset.public_id}"
    here = {"environ_overrides": {"REMOTE_ADDR": ""}}
    secret = keyring.key(settings.keys, "internal").hex()
    brought = {HEADER: secret, "X-Forwarded-For": "127.0.0.1"}

    assert _ask(client, address, **here).status_code == 200
    answer = client.get(f"/internal/{address}", headers=brought, **here)
    assert answer.status_code == 404


def test_answers_fit_into_what_nginx_makes_room_for(
    client: FlaskClient, make: Builders
) -> None:
    """More than 64 KiB of mapping, or 8 KiB of headers or keys, is a 502 (trap 6)."""
    many = just_in_time.film(
        make,
        systems=SYSTEMS,
        heights=(144, 234, 288, 360, 432, 540, 576),
        languages=("en", "de", "fr", "es", "it", "nl", "pl", "pt", "sv", "da"),
        captions=tuple(f"x{chr(97 + n // 5)}{chr(97 + n % 5)}" for n in range(25)),
    )

    mapping = _ask(client, f"map/{many.asset.public_id}")
    key = _ask(client, f"drm/{many.asset.public_id}/{many.tracks[0].public_id}")

    assert len(_sequences(mapping)) == 32
    assert len(mapping.data) < 32 * 1024
    assert len(str(mapping.headers)) < 4 * 1024
    assert len(key.data) < 4 * 1024
    assert "Set-Cookie" not in mapping.headers
    assert mapping.headers["Cache-Control"] == "no-store"
