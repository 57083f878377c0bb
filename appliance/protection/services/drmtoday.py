"""castLabs DRMtoday: who asks in one header, what for in a signed token in another.

Source: DRMtoday's guides to licence delivery and upfront authorisation.
Credentials: ``[drmtoday]`` merchant, shared_secret (hexadecimal).
"""

import base64
import json
import secrets as randomness
from collections.abc import Mapping
from typing import Any

from appliance.cenc import KeySystem
from appliance.protection.credentials import Section
from appliance.protection.policy import Hdcp, Policy
from appliance.protection.services import encoding, fairplay
from appliance.protection.services.shapes import Issued, Unusable, Wish


def headers(wish: Wish, secrets: Section) -> Mapping[str, str]:
    """Name the session, and authorise its licence in advance."""
    session = {
        "userId": wish.viewer,
        "sessionId": wish.session,
        "merchant": secrets["merchant"],
    }
    rights = [{"assetId": wish.asset, "accountingId": wish.session, **_right(wish)}]
    claims = {
        "iat": int(wish.now.timestamp()),
        "jti": randomness.token_hex(16),
        "optData": json.dumps(session),
        "crt": json.dumps(rights),
    }
    return {
        "x-dt-custom-data": encoding.base64_text(encoding.as_json(session)),
        "x-dt-auth-token": encoding.jwt(claims, _shared_secret(secrets), "HS512"),
    }


def unwrap(system: KeySystem, answer: bytes) -> Issued:
    """Take the licence out of Widevine's JSON, and FairPlay's out of its text."""
    if system is KeySystem.FAIRPLAY:
        return fairplay.unwrap(system, answer)
    if system is not KeySystem.WIDEVINE:
        return Issued(answer)
    try:
        licence = base64.b64decode(json.loads(answer)["license"], validate=True)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Unusable("no JSON with a licence in it") from None
    return Issued(licence)


def _shared_secret(secrets: Section) -> bytes:
    text = secrets["shared_secret"]
    try:
        return bytes.fromhex(text)
    except ValueError:
        pass
    raise secrets.wrong("“shared_secret” must be hexadecimal digits.")


def _right(wish: Wish) -> dict[str, Any]:
    right: dict[str, Any] = {"profile": _profile(wish.policy, wish)}
    if wish.policy.persistent:
        right["storeLicense"] = True
    if any(wish.policy.hdcp[each.label] is not Hdcp.NONE for each in wish.keys):
        right["outputProtection"] = {"digital": True, "analogue": True, "enforce": True}
    return right


def _profile(policy: Policy, wish: Wish) -> dict[str, Any]:
    seconds = policy.rental_seconds or policy.licence_seconds
    if not seconds and not policy.playback_seconds:
        return {"purchase": {}}
    ten_years = 10 * 365 * 24 * 3600
    return {
        "rental": {
            "absoluteExpiration": encoding.moment(
                wish.now, seconds=seconds or ten_years
            ),
            "playDuration": (policy.playback_seconds or seconds) * 1000,
        }
    }
