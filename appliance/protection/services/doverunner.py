"""DoveRunner (once PallyCon): a policy under AES and a hash, in a header.

Source: DoveRunner's licence token guide and its published samples.
Credentials: ``[doverunner]`` site_id, site_key, access_key.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from appliance.cenc import KeySystem, Label
from appliance.protection.credentials import Section
from appliance.protection.keys import ContentKey
from appliance.protection.policy import Hdcp, Policy
from appliance.protection.services import encoding
from appliance.protection.services.shapes import Wish
from appliance.protection.services.widevine_cloud import TRACK_TYPES

_DRM: Mapping[KeySystem, str] = {
    KeySystem.WIDEVINE: "Widevine",
    KeySystem.PLAYREADY: "PlayReady",
    KeySystem.FAIRPLAY: "FairPlay",
}
# The vector that DoveRunner gives everybody; the hash, not it, keeps policies apart.
_IV = b"0123456789abcdef"
_HARDWARE = 3


def headers(wish: Wish, secrets: Section) -> Mapping[str, str]:
    """Say who asks for what under which policy, and prove that it is us."""
    policy = encoding.base64_text(
        encoding.aes_cbc(_site_key(secrets), _IV, encoding.as_json(_policy(wish)))
    )
    token = {
        "drm_type": _DRM[wish.system],
        "site_id": secrets["site_id"],
        "user_id": wish.viewer,
        "cid": wish.asset,
        "policy": policy,
        "timestamp": encoding.moment(wish.now),
    }
    signed = secrets["access_key"] + "".join(token.values())
    token["response_format"] = "original"
    token["hash"] = encoding.base64_text(hashlib.sha256(signed.encode()).digest())
    return {"pallycon-customdata-v2": encoding.base64_text(encoding.as_json(token))}


def _site_key(secrets: Section) -> bytes:
    key = secrets["site_key"].encode()
    if len(key) != 32:
        raise secrets.wrong("“site_key” must have 32 characters.")
    return key


def _policy(wish: Wish) -> dict[str, Any]:
    found: dict[str, Any] = {
        "policy_version": 2,
        "playback_policy": _playback(wish.policy, {each.label for each in wish.keys}),
        "security_policy": [_security(wish.policy, each) for each in wish.keys],
    }
    ours = [each for each in wish.keys if each.provider == "local"]
    if ours:
        kind = "hls_aes" if wish.system is KeySystem.FAIRPLAY else "mpeg_cenc"
        found["external_key"] = {kind: [_key(each) for each in ours]}
    return found


def _playback(policy: Policy, labels: set[Label]) -> dict[str, Any]:
    top = "SD_ONLY" if Label.HD not in labels else "SD_HD"
    playback: dict[str, Any] = {
        "persistent": policy.persistent,
        "allowed_track_types": "ALL" if Label.UHD in labels else top,
    }
    names = {
        "license_duration": policy.licence_seconds,
        "rental_duration": policy.rental_seconds,
        "playback_duration": policy.playback_seconds,
    }
    return playback | {name: seconds for name, seconds in names.items() if seconds}


def _security(policy: Policy, key: ContentKey) -> dict[str, Any]:
    level, hdcp = policy.robustness[key.label], policy.hdcp[key.label]
    widevine: dict[str, Any] = {"security_level": level}
    if hdcp is not Hdcp.NONE:
        widevine["required_hdcp_version"] = f"HDCP_V{hdcp.value.replace('.', '_')}"
    strong = hdcp in (Hdcp.V2_2, Hdcp.V2_3)
    return {
        "track_type": TRACK_TYPES[key.label],
        "widevine": widevine,
        "playready": {"security_level": 3000 if level >= _HARDWARE else 2000},
        # -1: no protection asked for, 0 and 1: the types of HDCP.
        "fairplay": {
            "hdcp_enforcement": -1 if hdcp is Hdcp.NONE else int(strong),
        },
    }


def _key(each: ContentKey) -> dict[str, Any]:
    key = {
        "track_type": TRACK_TYPES[each.label],
        "key_id": each.kid,
        "key": each.key.hex(),
    }
    return key | ({"iv": each.iv} if each.iv else {})
