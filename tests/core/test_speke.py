"""SPEKE v2 over HTTP: the test service keeps to the contract, and our client too."""

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.cenc import KeySystem, Label, Scheme
from appliance.db import Database
from appliance.errors import ConfigError, MatineeError, PreconditionFailed
from appliance.permissions import SYSTEM
from appliance.protection import boxes, keys, providers, pssh
from appliance.protection.providers import ProvidedKey
from appliance.protection.speke import SpekeKeys
from appliance.settings import Protection, Settings
from tests.builders import Builders
from tests.doubles.certificates import certified
from tests.doubles.server import Mood, Service, served
from tests.doubles.speke_service import SpekeService

CONTENT = "5f2d9a0b1c3e4d5f-1"
LABELS = (Label.AUDIO, Label.SD, Label.HD)
SYSTEMS = tuple(KeySystem)
PASSWORD = "canary-password"
TOKEN = "canary/token"


@pytest.fixture
def double() -> SpekeService:
    return SpekeService()


@pytest.fixture
def service(double: SpekeService) -> Iterator[Service]:
    with served(double) as service:
        yield service


def client(
    settings: Settings, service: Service, fields: str = "", path: str = "/"
) -> SpekeKeys:
    """Return what the settings and a section of secrets describe."""
    place = settings.keys / "drm.toml"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(f"[speke]\n{fields}\n")
    place.chmod(0o600)
    protection = Protection(
        keys_from="speke", keys_url=f"{service.url}{path}", timeout_seconds=5
    )
    found = providers.provider(replace(settings, protection=protection))
    assert isinstance(found, SpekeKeys)
    return found


def ask(speke: SpekeKeys, scheme: Scheme = Scheme.CBCS) -> tuple[ProvidedKey, ...]:
    return speke.keys(CONTENT, LABELS, scheme, SYSTEMS)


def test_the_provider_gives_keys_for_the_names_that_we_choose(
    settings: Settings, service: Service, double: SpekeService
) -> None:
    keys = ask(client(settings, service))

    assert [key.label for key in keys] == list(LABELS)
    for key in keys:
        assert key.key == double.key(CONTENT, key.kid)
        assert key.pssh[KeySystem.CLEARKEY] == pssh.common([key.kid])
        assert key.pssh[KeySystem.FAIRPLAY].startswith(b"skd://double/")
        for system in (KeySystem.WIDEVINE, KeySystem.PLAYREADY):
            assert pssh.are_of(key.pssh[system], system)
    assert ask(client(settings, service)) == keys


def test_it_is_asked_with_the_headers_of_the_protocol(
    settings: Settings, service: Service
) -> None:
    ask(client(settings, service))

    assert service.seen[0].method == "POST"
    assert service.seen[0].content_type == "application/xml"
    assert service.seen[0].headers["X-Speke-Version"] == "2.0"
    assert service.bodies[0].startswith(b"<?xml")


def test_only_what_a_title_may_use_is_kept(
    settings: Settings, service: Service
) -> None:
    (key,) = client(settings, service).keys(
        CONTENT, [Label.HD], Scheme.CENC, [KeySystem.CLEARKEY]
    )

    assert set(key.pssh) == {KeySystem.CLEARKEY}
    assert key.iv is None


def test_an_asset_gets_its_keys_from_the_service_once(
    db: Database,
    settings: Settings,
    make: Builders,
    service: Service,
    double: SpekeService,
) -> None:
    client(settings, service)
    protection = Protection(keys_from="speke", keys_url=service.url)
    settings = replace(settings, protection=protection)
    asset = make.asset(make.title())

    for _ in range(2):
        made = keys.ensure(db, settings, SYSTEM, asset, LABELS, Scheme.CBCS, SYSTEMS)

    content = f"{asset.public_id}-1"
    assert [key.key for key in made] == [double.key(content, key.kid) for key in made]
    assert len(service.seen) == 1
    for stored in boxes.of_asset(db, asset.id):
        told = stored.of_systems([stored.kid], Scheme.CBCS)
        assert told[KeySystem.FAIRPLAY].startswith(b"skd://double/")


def test_keys_come_encrypted_where_a_document_key_is_given(
    settings: Settings, service: Service, double: SpekeService
) -> None:
    _write_document_key(settings.keys)

    keys = ask(client(settings, service, 'document_key = "speke.pem"'))

    assert [key.key for key in keys] == [double.key(CONTENT, key.kid) for key in keys]
    assert b"X509Certificate" in service.bodies[0]


def test_we_prove_who_we_are_with_user_and_password(
    settings: Settings, service: Service, double: SpekeService
) -> None:
    pair = b64encode(f"tenant:{PASSWORD}".encode()).decode()
    double.authorization = f"Basic {pair}"
    proof = f'user = "tenant"\npassword = "{PASSWORD}"'

    assert len(ask(client(settings, service, proof))) == len(LABELS)
    with pytest.raises(PreconditionFailed, match="refused with 401"):
        ask(client(settings, service))


def test_we_prove_who_we_are_with_a_header(
    settings: Settings, service: Service
) -> None:
    proof = f'header = "X-Api-Key"\nvalue = "{PASSWORD}"'

    ask(client(settings, service, proof))

    assert service.seen[0].headers["X-Api-Key"] == PASSWORD


def test_we_prove_who_we_are_with_a_token_in_the_address(
    settings: Settings, service: Service, double: SpekeService
) -> None:
    double.path = f"/getKey/{TOKEN}/v2"
    proof = f'token = "{TOKEN}"'

    keys = client(settings, service, proof, "/getKey/{token}/v2")

    assert len(ask(keys)) == len(LABELS)
    assert "canary" not in repr(keys)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ('user = "tenant"', "no “password”"),
        ('password = "canary"', "no “user”"),
        ('header = "X-Api-Key"', "no “value”"),
        ('header = "X Api"\nvalue = "canary"', "cannot be sent"),
        ('header = "X-Api"\nvalue = "canary\\r\\nX: y"', "cannot be sent"),
        ("", "no “token”"),
    ],
)
def test_an_incomplete_proof_is_named_before_anything_is_sent(
    settings: Settings, service: Service, fields: str, words: str
) -> None:
    path = "/" if fields else "/{token}"

    with pytest.raises(ConfigError, match=words) as caught:
        client(settings, service, fields, path)

    assert "canary" not in caught.value.message
    assert service.seen == []


def test_a_document_key_that_others_may_read_is_refused(
    settings: Settings, service: Service
) -> None:
    _write_document_key(settings.keys).chmod(0o644)

    with pytest.raises(PreconditionFailed, match="chmod 600"):
        client(settings, service, 'document_key = "speke.pem"')


def _write_document_key(folder: Path) -> Path:
    path = folder / "speke.pem"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(certified())
    path.chmod(0o600)
    return path


def test_without_an_address_the_setting_is_named(settings: Settings) -> None:
    with served(SpekeService()) as service:
        client(settings, service)
    nowhere = replace(settings, protection=Protection(keys_from="speke"))

    with pytest.raises(ConfigError, match=r"protection\.keys_url"):
        providers.provider(nowhere)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("X-Speke-Version", "1.0", "another version of SPEKE"),
        ("X-Speke-Version", "2.1", "another version of SPEKE"),
        ("X-Speke-Version", None, "another version of SPEKE"),
        ("X-Speke-User-Agent", None, "no X-Speke-User-Agent"),
        ("Content-Type", "text/plain", "something else than application/xml"),
        ("Content-Type", "application/json", "something else than application/xml"),
        ("Content-Type", "application/xml; charset=utf-16", "a character set"),
    ],
)
def test_an_answer_without_the_right_headers_is_refused(
    settings: Settings,
    service: Service,
    double: SpekeService,
    name: str,
    value: str | None,
    words: str,
) -> None:
    if value is None:
        del double.headers[name]
    else:
        double.headers[name] = value

    with pytest.raises(PreconditionFailed, match=words) as caught:
        ask(client(settings, service))

    assert caught.value.code == "protection.provider-garbled"


@pytest.mark.parametrize(
    "kind",
    [
        "application/xml",
        "application/xml;charset=UTF-8",
        'APPLICATION/xml; charset="utf-8"',
    ],
)
def test_a_content_type_may_be_written_in_any_of_its_ways(
    settings: Settings, service: Service, double: SpekeService, kind: str
) -> None:
    double.headers["Content-Type"] = kind

    assert ask(client(settings, service))


@pytest.mark.parametrize(
    ("mood", "code"),
    [
        (Mood.FAILS, "protection.provider-failed"),
        (Mood.REFUSES, "protection.provider-refused"),
        (Mood.MOVED, "protection.provider-moved"),
        (Mood.GARBAGE, "protection.provider-garbled"),
        (Mood.NOTHING, "protection.provider-garbled"),
        (Mood.SILENT, "protection.provider-slow"),
        (Mood.DRIPS, "protection.provider-slow"),
        (Mood.FLOODS, "protection.provider-too-large"),
        (Mood.HANGS_UP, "protection.provider-unreachable"),
    ],
)
def test_each_misbehaviour_is_one_precise_error_that_tells_no_secret(
    settings: Settings,
    service: Service,
    mood: Mood,
    code: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    service.mood = mood
    proof = (
        f'user = "t"\npassword = "{PASSWORD}"\nheader = "X-Key"\nvalue = "canary-v"\n'
        f'token = "{TOKEN}"'
    )
    keys = client(settings, service, proof, "/{token}")

    with pytest.raises(MatineeError) as caught:
        ask(replace(keys, timeout=0.4))

    assert caught.value.code == code
    assert caught.value.message.startswith("The SPEKE key service ")
    assert caught.value.__context__ is None
    told = f"{caught.value.message}{caught.value.details}{caplog.text}"
    assert "canary" not in told
    assert b64encode(f"t:{PASSWORD}".encode()).decode() not in told


def test_a_provider_that_is_not_there_is_unreachable(
    settings: Settings, service: Service
) -> None:
    keys = client(settings, service)
    with served(SpekeService()) as gone:
        address = gone.url

    with pytest.raises(MatineeError) as caught:
        ask(replace(keys, url=address))

    assert caught.value.code == "protection.provider-unreachable"


def test_words_that_the_protocol_knows_are_passed_on(
    settings: Settings, service: Service, double: SpekeService
) -> None:
    keys = client(settings, service)

    with pytest.raises(PreconditionFailed, match="refused with 422") as caught:
        keys.keys("", LABELS, Scheme.CBCS, SYSTEMS)

    assert "“Missing CPIX@contentId”" in caught.value.message
