"""A licence service that follows Widevine's published protocol, and a device for it.

The service opens the envelope with its own copy of the signer's key, and makes a real
licence: keys under a session key that only the device's own RSA key opens. The device
is thrown away after the test; no service but this one would know it.
"""

import hmac
import json
import os
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import cmac, hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
)
from pywidevine.device import Device, DeviceTypes
from pywidevine.license_protocol_pb2 import (
    ClientIdentification,
    DrmCertificate,
    License,
    LicenseRequest,
    SignedDrmCertificate,
    SignedMessage,
)
from werkzeug.wrappers import Request, Response

from tests.doubles.widevine_keys import PROVIDER, signed

PATH = f"/cenc/getlicense/{PROVIDER}"
SIGNING_KEY_OF_SESSION = "a signing key that nobody may log"


def _unchanged(_: dict[str, Any]) -> None:
    pass


def device() -> Device:
    """Make a device with a key of its own, as good as any to this service."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)
    certificate = DrmCertificate(
        type="DEVICE", serial_number=b"1", public_key=public, system_id=4242
    )
    token = SignedDrmCertificate(drm_certificate=certificate.SerializeToString())
    client = ClientIdentification(type="DRM_DEVICE_CERTIFICATE")
    client.token = token.SerializeToString()
    return Device(
        type_=DeviceTypes.CHROME,
        security_level=3,
        flags=None,
        private_key=key.private_bytes(
            Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption()
        ),
        client_id=client.SerializeToString(),
    )


@dataclass
class WidevineLicences:
    """The service; ``change`` spoils what it answers."""

    change: Callable[[dict[str, Any]], None] = _unchanged
    request_type: str = "NEW"
    asked: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, request: Request) -> Response:
        if request.path != PATH or request.method != "POST":
            return Response("no such method", 404)
        answer = self._answer(json.loads(request.get_data()))
        self.change(answer)
        return Response(json.dumps(answer), content_type="application/json")

    def _answer(self, outer: dict[str, Any]) -> dict[str, Any]:
        inner = b64decode(outer["request"], validate=True)
        if outer["signer"] != PROVIDER:
            return {"status": "ACCESS_DENIED"}
        if not signed(inner, b64decode(outer["signature"], validate=True)):
            return {"status": "SIGNATURE_FAILED"}
        asked = json.loads(inner)
        self.asked.append(asked)
        payload = b64decode(asked["payload"], validate=True)
        if asked["provider"] != PROVIDER:
            return {"status": "ACCESS_DENIED"}
        if payload == b"\x08\x04":
            return {"status": "OK", "license": _text(service_certificate())}
        return {
            "status": "OK",
            "license": _text(_licence(payload, asked)),
            "license_metadata": {
                "content_id": asked["content_id"],
                "license_type": "STREAMING",
                "request_type": self.request_type,
            },
            "make": "Matinee",
            "model": "Test\nDevice",
            "security_level": 3,
            "platform": "linux",
            "drm_cert_serial_number": "serial-of-the-device",
            "session_state": {"signing_key": SIGNING_KEY_OF_SESSION},
        }


def service_certificate() -> bytes:
    """Return the answer to a request for the certificate."""
    certificate = SignedDrmCertificate(
        drm_certificate=b"of the service", signature=b"s"
    )
    message = SignedMessage(
        type="SERVICE_CERTIFICATE", msg=certificate.SerializeToString()
    )
    return bytes(message.SerializeToString())


def _licence(payload: bytes, asked: dict[str, Any]) -> bytes:
    challenge, request = SignedMessage(), LicenseRequest()
    challenge.ParseFromString(payload)
    request.ParseFromString(challenge.msg)
    public = _public_key(request, challenge)
    session_key = os.urandom(16)
    licence = License()
    licence.id.request_id = request.content_id.widevine_pssh_data.request_id
    licence.policy.can_play = asked["policy_overrides"]["can_play"]
    encryption = _derived(session_key, b"ENCRYPTION\0", challenge.msg, 128, (1,))
    for spec in asked["content_key_specs"]:
        _add_key(licence, spec, encryption)
    message = licence.SerializeToString()
    mac = _derived(session_key, b"AUTHENTICATION\0", challenge.msg, 512, (1, 2))
    answer = SignedMessage(
        type="LICENSE",
        msg=message,
        signature=hmac.digest(mac, message, "sha256"),
        session_key=public.encrypt(
            session_key,
            padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None),
        ),
    )
    return bytes(answer.SerializeToString())


def _public_key(request: Any, challenge: Any) -> rsa.RSAPublicKey:
    """Return the device's key, which must have signed the challenge."""
    token, certificate = SignedDrmCertificate(), DrmCertificate()
    token.ParseFromString(request.client_id.token)
    certificate.ParseFromString(token.drm_certificate)
    key = load_der_public_key(certificate.public_key)
    assert isinstance(key, rsa.RSAPublicKey)
    pss = padding.PSS(padding.MGF1(hashes.SHA1()), 20)
    key.verify(challenge.signature, challenge.msg, pss, hashes.SHA1())
    return key


def _add_key(licence: Any, spec: dict[str, Any], encryption: bytes) -> None:
    iv = os.urandom(16)
    padder = PKCS7(128).padder()
    padded = padder.update(b64decode(spec["key"], validate=True)) + padder.finalize()
    cipher = Cipher(algorithms.AES(encryption), modes.CBC(iv)).encryptor()
    added = licence.key.add()
    added.id = b64decode(spec["key_id"], validate=True)
    added.iv = iv
    added.key = cipher.update(padded) + cipher.finalize()
    added.type = License.KeyContainer.KeyType.Value("CONTENT")
    added.track_label = spec["track_type"]


def _derived(
    session_key: bytes,
    label: bytes,
    message: bytes,
    bits: int,
    counters: tuple[int, ...],
) -> bytes:
    found = b""
    for counter in counters:
        mac = cmac.CMAC(algorithms.AES(session_key))
        mac.update(bytes([counter]) + label + message + bits.to_bytes(4, "big"))
        found += mac.finalize()
    return found


def _text(value: bytes) -> str:
    return b64encode(value).decode()
