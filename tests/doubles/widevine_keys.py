"""A key service that follows Widevine's published GetContentKey protocol.

It opens the signature with its own copy of the signer's key instead of making it again,
and makes up keys that follow from content and kind of track, as the real one does.
"""

import hashlib
import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from werkzeug.wrappers import Request, Response

# Printed in Shaka Packager's tutorial, for everybody's tests.
PROVIDER = "widevine_test"
SIGNING_KEY = "1ae8ccd0e7985cc0b6203a55855a1034afc252980e970ca90e5202689f947ab9"
SIGNING_IV = "d58ce954203b7c9a9a9d467f59839249"
CREDENTIALS = (
    f'[widevine]\nprovider = "{PROVIDER}"\nkey = "{SIGNING_KEY}"\niv = "{SIGNING_IV}"\n'
)
KINDS = ("AUDIO", "SD", "HD", "UHD1", "UHD2")
_SYSTEM = bytes.fromhex("edef8ba979d64acea3c827dcd51d21ed")


def _unchanged(inner: dict[str, Any]) -> None:
    pass


@dataclass
class WidevineKeys:
    """The service; tests set what its next answers are like."""

    statuses: list[str] = field(default_factory=list)
    pssh: tuple[str, ...] = ("boxes", "data")
    change: Callable[[dict[str, Any]], None] = _unchanged
    asked: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, request: Request) -> Response:
        if request.path != f"/cenc/getcontentkey/{PROVIDER}":
            return Response("no such method", 404)
        inner = self._inner(request.get_data())
        self.change(inner)
        text = json.dumps(inner).encode()
        return Response(
            json.dumps({"response": b64encode(text).decode()}),
            content_type="application/json",
        )

    def key(self, content_id: bytes, kind: str) -> tuple[bytes, bytes]:
        """Return KID and key of that content and kind of track."""
        both = hmac.digest(b"of the service", content_id + kind.encode(), "sha256")
        return both[:16], both[16:]

    def _inner(self, body: bytes) -> dict[str, Any]:
        outer = json.loads(body)
        request = b64decode(outer["request"], validate=True)
        if outer["signer"] != PROVIDER:
            return {"status": "ACCESS_DENIED"}
        if not signed(request, b64decode(outer["signature"], validate=True)):
            return {"status": "SIGNATURE_FAILED"}
        asked = json.loads(request)
        self.asked.append(asked)
        status = self.statuses.pop(0) if self.statuses else _status(asked)
        if status != "OK":
            return {"status": status}
        content_id = b64decode(asked["content_id"], validate=True)
        tracks = [self._track(content_id, each["type"]) for each in asked["tracks"]]
        drm = [{"type": "WIDEVINE", "system_id": _SYSTEM.hex()}]
        return {"status": "OK", "drm": drm, "tracks": tracks}

    def _track(self, content_id: bytes, kind: str) -> dict[str, Any]:
        kid, key = self.key(content_id, kind)
        data = b"\x12\x10" + kid + b"\x22" + bytes([len(content_id)]) + content_id
        head = b"pssh" + bytes(4) + _SYSTEM + len(data).to_bytes(4, "big")
        box = (len(head) + 4 + len(data)).to_bytes(4, "big") + head + data
        forms = {"boxes": _text(box), "data": _text(data)}
        given = {form: forms[form] for form in self.pssh}
        return {
            "type": kind,
            "key_id": _text(kid),
            "key": _text(key),
            "pssh": [{"drm_type": "WIDEVINE", **given}],
        }


def signed(request: bytes, signature: bytes) -> bool:
    cipher = Cipher(
        algorithms.AES(bytes.fromhex(SIGNING_KEY)), modes.CBC(bytes.fromhex(SIGNING_IV))
    ).decryptor()
    try:
        padded = cipher.update(signature) + cipher.finalize()
        unpadder = PKCS7(128).unpadder()
        digest = unpadder.update(padded) + unpadder.finalize()
    except ValueError:
        return False
    return digest == hashlib.sha1(request).digest()


def _status(asked: dict[str, Any]) -> str:
    if not asked.get("content_id"):
        return "CONTENT_ID_MISSING"
    if not asked.get("tracks"):
        return "TRACK_TYPE_MISSING"
    if any(each.get("type") not in KINDS for each in asked["tracks"]):
        return "TRACK_TYPE_UNKNOWN"
    return "OK" if "WIDEVINE" in asked.get("drm_types", []) else "MALFORMED_REQUEST"


def _text(value: bytes) -> str:
    return b64encode(value).decode()
