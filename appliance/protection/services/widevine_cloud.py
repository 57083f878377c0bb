"""Widevine's own licence service: a signed envelope with our keys and our policy.

Source: the licence request of Widevine Cloud (as Azure's Widevine template documents
its fields) and the envelope of the Common Encryption API, which is the same.
Credentials: ``[widevine]`` provider, key, iv, and signer where it has another name.
"""

import base64
import json
from collections.abc import Mapping
from typing import Any

from appliance.cenc import KeySystem, Label
from appliance.protection import widevine_signing
from appliance.protection.credentials import Section
from appliance.protection.policy import Hdcp, Policy
from appliance.protection.services import encoding
from appliance.protection.services.shapes import Issued, Unusable, Wish

TRACK_TYPES: Mapping[Label, str] = {
    Label.AUDIO: "AUDIO",
    Label.SD: "SD",
    Label.HD: "HD",
    Label.UHD: "UHD1",
}
_HDCP: Mapping[Hdcp, str] = {
    Hdcp.NONE: "HDCP_NONE",
    Hdcp.V1: "HDCP_V1",
    Hdcp.V2: "HDCP_V2",
    Hdcp.V2_1: "HDCP_V2_1",
    Hdcp.V2_2: "HDCP_V2_2",
    Hdcp.V2_3: "HDCP_V2_3",
}
# Of what it says about a device, this may be kept. Never `license`, `session_state`,
# which holds a signing key, or serial numbers.
_FACTS = ("make", "model", "security_level", "platform")
_LONGEST_FACT = 80


def body(wish: Wish, secrets: Section) -> tuple[str, bytes]:
    """Wrap the challenge, with what its licence shall hold, and sign it."""
    inner = encoding.as_json(_message(wish, secrets["provider"]))
    return "application/json", widevine_signing.of_section(secrets).envelope(inner)


def unwrap(_system: KeySystem, answer: bytes) -> Issued:
    """Return the licence, and what the service says about the device."""
    try:
        document = json.loads(answer)
        status = document["status"]
        licence = base64.b64decode(document.get("license", ""), validate=True)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Unusable("no JSON with a licence in it") from None
    if status != "OK":
        raise Unusable(f"status {_word(status)}")
    metadata = document.get("license_metadata")
    about = metadata if isinstance(metadata, dict) else {}
    facts = {name: _word(document[name]) for name in _FACTS if document.get(name)}
    kinds = {"request": "request_type", "type": "license_type"}
    facts |= {to: _word(about[name]) for to, name in kinds.items() if about.get(name)}
    release = about.get("request_type") == "RELEASE"
    if not licence and not release:
        raise Unusable("an empty licence")
    return Issued(licence, facts, release)


def _message(wish: Wish, provider: str) -> dict[str, Any]:
    message: dict[str, Any] = {
        "payload": encoding.base64_text(wish.challenge),
        "provider": provider,
    }
    if wish.keys:
        # Every key that may leave is listed: those that are not end the playback.
        newest = wish.keys[-1].generation
        message |= {
            "content_id": encoding.base64_text(f"{wish.asset}-{newest}".encode()),
            "content_key_specs": [
                {
                    "track_type": TRACK_TYPES[each.label],
                    "key_id": encoding.base64_text(bytes.fromhex(each.kid)),
                    "key": encoding.base64_text(each.key),
                    "security_level": wish.policy.robustness[each.label],
                    "required_output_protection": {
                        "hdcp": _HDCP[wish.policy.hdcp[each.label]]
                    },
                }
                for each in wish.keys
            ],
            "use_policy_overrides_exclusively": True,
            "policy_overrides": _overrides(wish.policy),
        }
    return message


def _overrides(policy: Policy) -> dict[str, Any]:
    return {
        "can_play": True,
        "can_persist": policy.persistent,
        "can_renew": False,
        "license_duration_seconds": policy.licence_seconds,
        "rental_duration_seconds": policy.rental_seconds,
        "playback_duration_seconds": policy.playback_seconds,
    }


def _word(value: object) -> str:
    """Return a word of a stranger's answer, fit for a log."""
    text = str(value)[:_LONGEST_FACT]
    return "".join(each if each.isprintable() else "?" for each in text)
