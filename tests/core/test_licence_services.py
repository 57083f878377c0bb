"""What each licence service is sent: signatures, tokens and forms made again here."""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import pytest
from Crypto.Cipher import AES
from Crypto.Hash import SHA1
from Crypto.PublicKey import RSA
from Crypto.Signature import pkcs1_15
from lxml import etree
from werkzeug.datastructures import Headers
from werkzeug.wrappers import Request, Response

from appliance.cenc import KeySystem, Label, Scheme
from appliance.errors import (
    Forbidden,
    MatineeError,
    PreconditionFailed,
    ServiceFailed,
)
from appliance.protection import licence_services, policy
from appliance.protection.keys import ContentKey
from appliance.protection.services.shapes import Issued, Wish
from appliance.protection.services.table import SERVICES
from appliance.sections import LICENCE_SERVICES
from appliance.settings import Settings
from tests.doubles import challenge
from tests.doubles.server import Service, served

_NOW = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
_LICENCE = b"\x08\x02\x12\x04keys"
_SOAP = b"<soap:Envelope><AcquireLicenseResponse/></soap:Envelope>"
_CKC = b"\x00\x00\x00\x01 a licence of FairPlay"
_ASSET, _SESSION = "00112233445566aa", "a1b2c3d4e5f60718"
_KEYS = tuple(
    ContentKey(
        kid=f"{number:02x}" * 16,
        key=bytes([number + 64]) * 16,
        label=label,
        scheme=Scheme.CBCS,
        generation=2,
        iv=f"{number + 128:02x}" * 16,
        provider="local",
        pssh={},
    )
    for number, label in enumerate(Label, start=1)
)
_POLICY = policy.changed(
    policy.DEFAULT,
    {
        "robustness.hd": 3,
        "hdcp.hd": "1.0",
        "licence_seconds": 3600,
        "rental_seconds": 7200,
        "playback_seconds": 1800,
        "persistent": True,
    },
)


@pytest.fixture
def service() -> Iterator[Service]:
    """A provider that gives the same licence for anything."""
    with served(_any_licence) as running:
        yield running


def _any_licence(request: Request) -> Response:
    if "/playready" in request.path:
        return Response(_SOAP, content_type="text/xml")
    if "/fairplay" in request.path:
        return Response(_CKC)
    return Response(_LICENCE)


def _configured(
    settings: Settings, service: Service, name: str, secrets: str
) -> Settings:
    settings.keys.mkdir(parents=True, exist_ok=True)
    file = settings.keys / "drm.toml"
    file.write_text(secrets)
    file.chmod(0o600)
    protection = replace(
        settings.protection,
        licences_from=name,
        widevine_url=f"{service.url}/widevine",
        playready_url=f"{service.url}/playready",
        fairplay_url=f"{service.url}/fairplay",
        timeout_seconds=2,
    )
    return replace(settings, protection=protection)


def _wish(system: KeySystem = KeySystem.WIDEVINE, **changes: Any) -> Wish:
    wish = Wish(
        system=system,
        challenge=b"what the player sent",
        soap_action='"AcquireLicense"',
        keys=_KEYS,
        policy=_POLICY,
        asset=_ASSET,
        session=_SESSION,
        viewer="account-7",
        now=_NOW,
    )
    return replace(wish, **changes)


def _sent(service: Service) -> tuple[Headers, bytes]:
    assert len(service.seen) == 1
    return Headers(service.seen[0].headers), service.bodies[0]


def _claims(token: str, key: bytes, algorithm: str) -> dict[str, Any]:
    """Open a JWT with a key, the way that the other side does."""
    head, claims, signature = token.split(".")
    digest = {"HS256": hashlib.sha256, "HS512": hashlib.sha512}[algorithm]
    assert json.loads(_url_bytes(head))["alg"] == algorithm
    expected = hmac.new(key, f"{head}.{claims}".encode(), digest).digest()
    assert hmac.compare_digest(expected, _url_bytes(signature))
    found: dict[str, Any] = json.loads(_url_bytes(claims))
    return found


def _url_bytes(text: str) -> bytes:
    assert "=" not in text
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_the_settings_and_the_table_name_the_same_services() -> None:
    assert tuple(SERVICES) == LICENCE_SERVICES


@pytest.mark.parametrize("name", SERVICES)
def test_every_address_is_reached_over_tls(name: str) -> None:
    service = SERVICES[name]

    for address in (*service.addresses.values(), service.certificate or "https://"):
        assert address.startswith("https://")


_COMMUNICATION_KEY = bytes(range(32))
_AXINOM = f"""
[axinom]
prefix = "d4e5"
communication_key = "{base64.b64encode(_COMMUNICATION_KEY).decode()}"
communication_key_id = "69e54088-e9e0-4530-8c1a-1eb6dcd0d14e"
"""


def test_axinom_is_told_what_to_entitle_in_a_signed_token(
    settings: Settings, service: Service
) -> None:
    found = _configured(settings, service, "axinom", _AXINOM)

    issued = licence_services.obtain(found, _wish())

    headers, body = _sent(service)
    assert (issued.body, body) == (_LICENCE, b"what the player sent")
    message = _claims(headers["X-AxDRM-Message"], _COMMUNICATION_KEY, "HS256")
    assert message["version"] == 1
    assert message["com_key_id"] == "69e54088-e9e0-4530-8c1a-1eb6dcd0d14e"
    assert message["begin_date"] < "2026-01-02T12:00:00Z" < message["expiration_date"]
    entitled = message["message"]
    assert (entitled["type"], entitled["version"]) == ("entitlement_message", 2)
    assert entitled["license"]["allow_persistence"] is True
    assert entitled["license"]["duration"] == 7200
    assert entitled["license"]["widevine"] == {"playback_duration": 1800}
    keys = entitled["content_keys_source"]["inline"]
    assert keys[0]["id"] == "01010101-0101-0101-0101-010101010101"
    cipher = AES.new(_COMMUNICATION_KEY, AES.MODE_ECB)
    opened = [cipher.decrypt(base64.b64decode(each["encrypted_key"])) for each in keys]
    assert opened == [each.key for each in _KEYS]
    usage = {each["name"]: each for each in entitled["content_key_usage_policies"]}
    assert {each["usage_policy"] for each in keys} == set(usage)
    assert usage["UHD"]["widevine"] == {
        "device_security_level": "HW_SECURE_ALL",
        "hdcp": "2.2",
    }
    assert usage["UHD"]["fairplay"] == {"hdcp": "TYPE1"}
    assert usage["HD"]["playready"] == {"min_device_security_level": 3000}
    assert usage["SD"]["widevine"] == {"device_security_level": "SW_SECURE_CRYPTO"}
    assert "fairplay" not in usage["SD"]


def test_axinom_is_not_sent_keys_that_it_made_itself(
    settings: Settings, service: Service
) -> None:
    found = _configured(settings, service, "axinom", _AXINOM)
    theirs = tuple(replace(each, provider="speke") for each in _KEYS)

    licence_services.obtain(found, _wish(keys=theirs))

    token = _sent(service)[0]["X-AxDRM-Message"]
    message = _claims(token, _COMMUNICATION_KEY, "HS256")["message"]
    keys = message["content_keys_source"]["inline"]
    assert not any("encrypted_key" in each for each in keys)


_SITE_KEY, _ACCESS_KEY = "lU5D8s3PWoLls3PWFWkClULlFWk5D8oC", "an-access-key"
_DOVERUNNER = f"""
[doverunner]
site_id = "DEMO"
site_key = "{_SITE_KEY}"
access_key = "{_ACCESS_KEY}"
"""


@pytest.mark.parametrize(
    ("system", "kind", "external"),
    [
        (KeySystem.WIDEVINE, "Widevine", "mpeg_cenc"),
        (KeySystem.PLAYREADY, "PlayReady", "mpeg_cenc"),
        (KeySystem.FAIRPLAY, "FairPlay", "hls_aes"),
    ],
)
def test_doverunner_is_sent_a_policy_under_aes_with_its_hash(
    settings: Settings, service: Service, system: KeySystem, kind: str, external: str
) -> None:
    found = _configured(settings, service, "doverunner", _DOVERUNNER)

    licence_services.obtain(found, _wish(system))

    headers, body = _sent(service)
    token = json.loads(base64.b64decode(headers["pallycon-customdata-v2"]))
    fields = ("drm_type", "site_id", "user_id", "cid", "policy", "timestamp")
    signed = _ACCESS_KEY + "".join(token[each] for each in fields)
    expected = base64.b64encode(hashlib.sha256(signed.encode()).digest()).decode()
    assert token["hash"] == expected
    assert (token["drm_type"], token["cid"]) == (kind, _ASSET)
    assert token["timestamp"] == "2026-01-02T12:00:00Z"
    cipher = AES.new(_SITE_KEY.encode(), AES.MODE_CBC, b"0123456789abcdef")
    padded = cipher.decrypt(base64.b64decode(token["policy"]))
    assert set(padded[-padded[-1] :]) == {padded[-1]}
    told = json.loads(padded[: -padded[-1]])
    assert told["policy_version"] == 2
    assert told["playback_policy"] == {
        "persistent": True,
        "allowed_track_types": "ALL",
        "license_duration": 3600,
        "rental_duration": 7200,
        "playback_duration": 1800,
    }
    security = {each["track_type"]: each for each in told["security_policy"]}
    assert security["HD"]["widevine"] == {
        "security_level": 3,
        "required_hdcp_version": "HDCP_V1_0",
    }
    assert security["UHD1"]["fairplay"] == {"hdcp_enforcement": 1}
    assert security["SD"]["fairplay"] == {"hdcp_enforcement": -1}
    keys = {each["key_id"]: each["key"] for each in told["external_key"][external]}
    assert keys == {each.kid: each.key.hex() for each in _KEYS}
    if system is KeySystem.FAIRPLAY:
        (spc,) = parse_qs(body.decode())["spc"]
        assert base64.b64decode(spc) == b"what the player sent"
    else:
        assert body == b"what the player sent"


@pytest.mark.parametrize(
    ("count", "allowed"), [(2, "SD_ONLY"), (3, "SD_HD"), (4, "ALL")]
)
def test_doverunner_is_told_the_sharpest_kind_of_track(
    settings: Settings, service: Service, count: int, allowed: str
) -> None:
    found = _configured(settings, service, "doverunner", _DOVERUNNER)

    licence_services.obtain(found, _wish(keys=_KEYS[:count]))

    token = json.loads(base64.b64decode(_sent(service)[0]["pallycon-customdata-v2"]))
    cipher = AES.new(_SITE_KEY.encode(), AES.MODE_CBC, b"0123456789abcdef")
    told = cipher.decrypt(base64.b64decode(token["policy"])).decode()
    assert f'"allowed_track_types":"{allowed}"' in told


_EZDRM = '[ezdrm]\nprofile = "A1B2C3"\nplayready_profile = "D4E5F6"\n'


@pytest.mark.parametrize(
    ("system", "profile"),
    [
        (KeySystem.WIDEVINE, "A1B2C3"),
        (KeySystem.PLAYREADY, "D4E5F6"),
        (KeySystem.FAIRPLAY, "A1B2C3"),
    ],
)
def test_ezdrm_finds_the_profile_and_the_session_in_the_address(
    settings: Settings, service: Service, system: KeySystem, profile: str
) -> None:
    found = _configured(settings, service, "ezdrm", _EZDRM)

    licence_services.obtain(found, _wish(system))

    query = service.seen[0].args
    assert query["pX"] == profile
    assert base64.b64decode(query["CustomData"]).decode() == _SESSION
    assert service.bodies[0] == b"what the player sent"


def test_keyos_is_sent_a_document_that_our_key_signed(
    settings: Settings, service: Service
) -> None:
    key = RSA.generate(2048)
    found = _configured(
        settings,
        service,
        "keyos",
        '[keyos]\nrsa_key_id = "20a0<4a8b"\nrsa_private_key = "keyos.pem"\n',
    )
    pem = settings.keys / "keyos.pem"
    pem.write_bytes(key.export_key())
    pem.chmod(0o600)

    licence_services.obtain(found, _wish())

    document = base64.b64decode(_sent(service)[0]["x-keyos-authorization"])
    data = re.search(rb"<Data>.*</Data>", document)
    root = etree.fromstring(document)
    assert data is not None
    signature = base64.b64decode(root.findtext("Signature") or "")
    pkcs1_15.new(key.public_key()).verify(SHA1.new(data[0]), signature)
    assert root.findtext("Data/GenerationTime") == "2026-01-02 12:00:00"
    assert root.findtext("Data/ExpirationTime") == "2026-01-02 12:05:00"
    assert root.findtext("Data/RSAPubKeyId") == "20a0<4a8b"
    widevine = root.find("Data/WidevinePolicy")
    assert widevine is not None
    assert dict(widevine.attrib) == {"fl_CanPlay": "true", "fl_CanPersist": "true"}
    assert widevine.findtext("LicenseDuration") == "3600"
    specs = {
        each.get("TrackType"): (
            each.findtext("SecurityLevel"),
            each.findtext("RequiredHDCP"),
        )
        for each in root.iterfind("Data/WidevineContentKeySpec")
    }
    assert specs == {
        "AUDIO": ("1", "HDCP_NONE"),
        "SD": ("1", "HDCP_NONE"),
        "HD": ("3", "HDCP_V1"),
        "UHD1": ("5", "HDCP_V2_2"),
    }
    kids = [each.text for each in root.iterfind("Data/License/KeyId")]
    assert [each.replace("-", "") for each in kids if each] == [k.kid for k in _KEYS]
    assert root.findtext("Data/FairPlayPolicy/HDCPEnforcement") == "HDCP_V2_2"


_SECRET = "00" * 16 + "ff" * 16
_DRMTODAY = f'[drmtoday]\nmerchant = "six"\nshared_secret = "{_SECRET}"\n'


def test_drmtoday_is_shown_the_session_and_its_rights(
    settings: Settings, service: Service
) -> None:
    found = _configured(settings, service, "drmtoday", _DRMTODAY)
    service.answer = lambda _: Response(
        json.dumps({"status": "OK", "license": base64.b64encode(_LICENCE).decode()})
    )

    issued = licence_services.obtain(found, _wish())

    headers, body = _sent(service)
    assert (issued.body, body) == (_LICENCE, b"what the player sent")
    custom = json.loads(base64.b64decode(headers["x-dt-custom-data"]))
    assert custom == {"userId": "account-7", "sessionId": _SESSION, "merchant": "six"}
    claims = _claims(headers["x-dt-auth-token"], bytes.fromhex(_SECRET), "HS512")
    assert json.loads(claims["optData"]) == custom
    assert claims["iat"] == int(_NOW.timestamp())
    (right,) = json.loads(claims["crt"])
    assert (right["assetId"], right["storeLicense"]) == (_ASSET, True)
    assert right["profile"]["rental"] == {
        "absoluteExpiration": "2026-01-02T14:00:00Z",
        "playDuration": 1800_000,
    }


def test_drmtoday_sells_what_has_no_limit(settings: Settings, service: Service) -> None:
    found = _configured(settings, service, "drmtoday", _DRMTODAY)

    licence_services.obtain(
        found, _wish(KeySystem.PLAYREADY, policy=policy.DEFAULT, keys=_KEYS[:2])
    )

    token = _sent(service)[0]["x-dt-auth-token"]
    claims = _claims(token, bytes.fromhex(_SECRET), "HS512")
    (right,) = json.loads(claims["crt"])
    assert right == {
        "assetId": _ASSET,
        "accountingId": _SESSION,
        "profile": {"purchase": {}},
    }


_EXPRESSPLAY = '[expressplay]\ncustomer_authenticator = "201722,a-secret"\n'


def _expressplay(answer: Response) -> Any:
    def respond(request: Request) -> Response:
        if "ExpressPlayToken" in request.args:
            return _any_licence(request)
        return answer

    return respond


@pytest.mark.parametrize("label", Label)
def test_expressplay_sells_a_token_for_the_key_that_is_asked_for(
    settings: Settings, service: Service, label: Label
) -> None:
    found = _configured(settings, service, "expressplay", _EXPRESSPLAY)
    key = next(each for each in _KEYS if each.label is label)
    spend = f"{service.url}/widevine/rights/?ExpressPlayToken=AQAA-token"
    service.answer = _expressplay(Response(spend + "\n", content_type="text/uri-list"))

    issued = licence_services.obtain(
        found, _wish(challenge=challenge.widevine(key.kid))
    )

    assert issued.body == _LICENCE
    bought, spent = service.seen
    # An address ends up in logs: not a word of this stands there.
    assert bought.query_string == b""
    form = {
        name: values[0] for name, values in parse_qs(service.bodies[0].decode()).items()
    }
    assert form["customerAuthenticator"] == "201722,a-secret"
    assert (form["kid"], form["contentKey"]) == (key.kid, key.key.hex())
    assert form["securityLevel"] == str(_POLICY.robustness[label])
    hdcp = {Label.HD: "1", Label.UHD: "2"}.get(label, "0")
    assert form["hdcpOutputControl"] == hdcp
    assert form["licenseDuration"] == "1800"
    assert (form["cookie"], form["expirationTime"]) == (_SESSION, "+60")
    assert spent.args["ExpressPlayToken"] == "AQAA-token"
    assert service.bodies[1] == challenge.widevine(key.kid)


def test_expressplay_answers_for_playready_in_json(
    settings: Settings, service: Service
) -> None:
    found = _configured(settings, service, "expressplay", _EXPRESSPLAY)
    token = {"licenseAcquisitionUrl": f"{service.url}/playready/la", "token": "A+/="}
    service.answer = _expressplay(Response(json.dumps(token)))

    issued = licence_services.obtain(
        found, _wish(KeySystem.PLAYREADY, challenge=challenge.playready(_KEYS[2]))
    )

    assert issued.body == _SOAP
    assert service.seen[1].args["ExpressPlayToken"] == "A+/="
    assert service.seen[1].headers["SOAPAction"] == '"AcquireLicense"'
    assert parse_qs(service.bodies[0].decode())["kid"] == [_KEYS[2].kid]


@pytest.mark.parametrize(
    "answer", ["<html>Sorry</html>", "https://", "", "ftp", "x y", "{}", "a\nb"]
)
@pytest.mark.parametrize("system", [KeySystem.WIDEVINE, KeySystem.PLAYREADY])
def test_expressplay_must_name_an_address(
    settings: Settings, service: Service, answer: str, system: KeySystem
) -> None:
    found = _configured(settings, service, "expressplay", _EXPRESSPLAY)
    service.answer = _expressplay(Response(answer))
    asked = challenge.widevine(_KEYS[0].kid)
    asked = asked if system is KeySystem.WIDEVINE else challenge.playready(_KEYS[0])

    with pytest.raises(ServiceFailed):
        licence_services.obtain(found, _wish(system, challenge=asked))


@pytest.mark.parametrize(
    "answer",
    [
        _CKC,
        base64.b64encode(_CKC),
        b"<ckc>" + base64.b64encode(_CKC) + b"</ckc>\n",
        json.dumps({"ckc": base64.b64encode(_CKC).decode()}).encode(),
        json.dumps({"CkcMessage": base64.b64encode(_CKC).decode()}).encode(),
        json.dumps({"License": base64.b64encode(_CKC).decode()}).encode(),
    ],
)
@pytest.mark.parametrize("name", ["axinom", "doverunner", "ezdrm", "drmtoday"])
def test_fairplay_is_taken_out_of_every_wrapping(
    settings: Settings, service: Service, answer: bytes, name: str
) -> None:
    secrets = _AXINOM + _DOVERUNNER + _EZDRM + _DRMTODAY
    found = _configured(settings, service, name, secrets)
    service.answer = lambda _: Response(answer)

    issued = licence_services.obtain(found, _wish(KeySystem.FAIRPLAY))

    assert issued.body == _CKC


@pytest.mark.parametrize(
    ("system", "answer"),
    [
        (KeySystem.WIDEVINE, b"<html>Sorry</html>"),
        (KeySystem.WIDEVINE, b"\x08\x03\x12\x02no"),
        (KeySystem.PLAYREADY, b"<html>Sorry</html>"),
        (KeySystem.PLAYREADY, b"\x00\x01"),
        (KeySystem.FAIRPLAY, b"<html>Sorry</html>"),
        (KeySystem.FAIRPLAY, b'{"error":"a secret"}'),
        (KeySystem.FAIRPLAY, b'{"ckc":7}'),
        (KeySystem.FAIRPLAY, b"AAAAAAAAAAAAAAAAAAAAAAA="[:21]),
    ],
)
def test_an_error_page_with_200_is_no_licence(
    settings: Settings, service: Service, system: KeySystem, answer: bytes
) -> None:
    found = _configured(settings, service, "ezdrm", _EZDRM)
    service.answer = lambda _: Response(answer)

    with pytest.raises(ServiceFailed) as refused:
        licence_services.obtain(found, _wish(system))

    assert refused.value.code == "licence.provider"
    assert "secret" not in refused.value.message


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Forbidden),
        (403, Forbidden),
        (422, Forbidden),
        (401, ServiceFailed),
        (404, ServiceFailed),
        (429, ServiceFailed),
        (500, ServiceFailed),
        (503, ServiceFailed),
    ],
)
def test_a_refused_device_is_told_from_a_refused_account(
    settings: Settings, service: Service, status: int, kind: type[MatineeError]
) -> None:
    found = _configured(settings, service, "ezdrm", _EZDRM)
    service.answer = lambda _: Response("a secret", status)

    with pytest.raises(kind) as refused:
        licence_services.obtain(found, _wish())

    assert "secret" not in str(refused.value) + str(refused.value.details)


@pytest.mark.parametrize(
    ("name", "secrets"),
    [
        ("axinom", _AXINOM.replace("AAEC", "!!!!")),
        ("axinom", _AXINOM.replace("communication_key_id", "other")),
        ("doverunner", _DOVERUNNER.replace(_SITE_KEY, "short")),
        ("drmtoday", _DRMTODAY.replace("ff", "zz")),
        ("keyos", '[keyos]\nrsa_key_id = "1"\nrsa_private_key = "missing.pem"\n'),
        ("keyos", '[keyos]\nrsa_key_id = "1"\nrsa_private_key = "drm.toml"\n'),
        ("expressplay", "[expressplay]\n"),
        ("ezdrm", ""),
    ],
)
def test_secrets_that_cannot_be_used_are_the_operators_business(
    settings: Settings,
    service: Service,
    name: str,
    secrets: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    found = _configured(settings, service, name, secrets)

    with pytest.raises(PreconditionFailed) as refused:
        licence_services.obtain(found, _wish())

    assert refused.value.code == "licence.provider-setup"
    assert str(settings.home) not in refused.value.message
    assert service.seen == []
    for secret in (_SITE_KEY, _ACCESS_KEY, "zz" * 8, "!!!!", "short"):
        assert secret not in caplog.text


def test_nothing_that_holds_a_secret_shows_it(
    settings: Settings, service: Service
) -> None:
    wish = _wish()

    assert "what the player sent" not in repr(wish)
    assert "keys" not in repr(Issued(_LICENCE))
    assert _KEYS[0].key.hex() not in repr(wish)


@pytest.mark.parametrize("encoded", [False, True])
def test_fairplays_certificate_is_fetched(
    settings: Settings, service: Service, encoded: bool
) -> None:
    der = b"\x30\x82\x01\x00 a certificate"
    service.answer = lambda _: Response(base64.b64encode(der) if encoded else der)
    secrets = f'{_DOVERUNNER}fairplay_certificate = "{service.url}/cert?id={{site_id}}"'
    found = _configured(settings, service, "doverunner", secrets)

    certificate = licence_services.certificate(found, KeySystem.FAIRPLAY, _NOW)

    assert certificate == der
    assert (service.seen[0].method, service.seen[0].args["id"]) == ("GET", "DEMO")


@pytest.mark.parametrize("answer", [b"<html>", b"", b"AAAA"])
def test_what_is_no_certificate_is_not_served(
    settings: Settings, service: Service, answer: bytes
) -> None:
    service.answer = lambda _: Response(answer)
    secrets = f'{_DOVERUNNER}fairplay_certificate = "{service.url}/cert"'
    found = _configured(settings, service, "doverunner", secrets)

    with pytest.raises(ServiceFailed):
        licence_services.certificate(found, KeySystem.FAIRPLAY, _NOW)
    with pytest.raises(ServiceFailed):
        licence_services.certificate(found, KeySystem.WIDEVINE, _NOW)


def test_a_service_for_other_systems_is_none_for_this_one(settings: Settings) -> None:
    only = replace(settings.protection, licences_from="widevine-cloud")

    with pytest.raises(PreconditionFailed) as refused:
        licence_services.chosen(replace(settings, protection=only), KeySystem.FAIRPLAY)

    assert refused.value.code == "licence.no-service"
