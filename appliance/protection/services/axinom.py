"""Axinom: an entitlement message, version 2, in a signed token in a header.

Source: docs.axinom.com, License Service: entitlement message, content keys source,
license configuration.
Credentials: ``[axinom]`` prefix, communication_key, communication_key_id, and
fairplay_certificate, its address.
"""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from appliance.cenc import Label
from appliance.protection.credentials import Section
from appliance.protection.keys import ContentKey
from appliance.protection.policy import Hdcp, Policy
from appliance.protection.services import encoding
from appliance.protection.services.shapes import Wish

_LEVELS: Mapping[int, str] = {
    1: "SW_SECURE_CRYPTO",
    2: "SW_SECURE_DECODE",
    3: "HW_SECURE_CRYPTO",
    4: "HW_SECURE_DECODE",
    5: "HW_SECURE_ALL",
}
_HARDWARE = 3
_TOKEN_MINUTES = 5


def headers(wish: Wish, secrets: Section) -> Mapping[str, str]:
    """Say what the licence may hold, in a token that is good for some minutes."""
    key = _communication_key(secrets)
    claims = {
        "version": 1,
        "com_key_id": secrets["communication_key_id"],
        "begin_date": encoding.moment(wish.now, minutes=-_TOKEN_MINUTES),
        "expiration_date": encoding.moment(wish.now, minutes=_TOKEN_MINUTES),
        "message": {
            "type": "entitlement_message",
            "version": 2,
            "license": _licence(wish.policy),
            "content_keys_source": {"inline": [_key(each, key) for each in wish.keys]},
            "content_key_usage_policies": [
                _usage(wish.policy, each)
                for each in Label
                if any(key.label is each for key in wish.keys)
            ],
        },
    }
    return {"X-AxDRM-Message": encoding.jwt(claims, key, "HS256")}


def _communication_key(secrets: Section) -> bytes:
    text = secrets["communication_key"]
    try:
        found = base64.b64decode(text, validate=True)
    except binascii.Error:
        found = b""
    if len(found) != 32:
        raise secrets.wrong("“communication_key” must be 32 bytes in base64.")
    return found


def _licence(policy: Policy) -> dict[str, Any]:
    licence: dict[str, Any] = {"allow_persistence": policy.persistent}
    duration = policy.rental_seconds or policy.licence_seconds
    if duration:
        licence["duration"] = duration
    if policy.playback_seconds:
        after = {"playback_duration": policy.playback_seconds}
        licence |= {"widevine": after, "playready": after, "fairplay": after}
    return licence


def _key(each: ContentKey, communication_key: bytes) -> dict[str, Any]:
    key: dict[str, Any] = {
        "id": encoding.guid(each.kid),
        "usage_policy": each.label.value,
    }
    if each.provider == "local":
        # One block of AES: a mode that chains would have nothing to chain.
        encryptor = Cipher(AES(communication_key), ECB()).encryptor()  # noqa: S305
        wrapped = encryptor.update(each.key) + encryptor.finalize()
        key["encrypted_key"] = encoding.base64_text(wrapped)
    if each.iv:
        key["iv"] = encoding.base64_text(bytes.fromhex(each.iv))
    return key


def _usage(policy: Policy, label: Label) -> dict[str, Any]:
    level, hdcp = policy.robustness[label], policy.hdcp[label]
    widevine: dict[str, Any] = {"device_security_level": _LEVELS[level]}
    usage: dict[str, Any] = {"name": label.value, "widevine": widevine}
    usage["playready"] = {
        "min_device_security_level": 3000 if level >= _HARDWARE else 2000
    }
    if hdcp is not Hdcp.NONE:
        widevine["hdcp"] = hdcp.value
        strong = hdcp in (Hdcp.V2_2, Hdcp.V2_3)
        usage["fairplay"] = {"hdcp": "TYPE1" if strong else "TYPE0"}
    return usage
