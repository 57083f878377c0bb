"""ExpressPlay: a token bought for one key, which is spent at an address of its own.

A token holds one key, so a film needs a licence for each of its keys: the one that the
challenge names is bought. Everything goes in the body: an address ends up in logs.
Source: ExpressPlay's token interfaces as Adobe's Primetime pages document them.
Credentials: ``[expressplay]`` customer_authenticator, and fairplay_certificate, its
address.
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from appliance.cenc import KeySystem
from appliance.protection import challenges
from appliance.protection.credentials import Section
from appliance.protection.keys import ContentKey
from appliance.protection.policy import Hdcp, Policy
from appliance.protection.services.shapes import Ask, Outgoing, Unusable, Wish

_FORM = "application/x-www-form-urlencoded"
_HARDWARE = 3
_LONGEST = 8192


def locate(ask: Ask, address: str, wish: Wish, secrets: Section) -> str:
    """Buy a token for the key that the challenge names; return where to spend it."""
    fields = {
        "customerAuthenticator": secrets["customer_authenticator"],
        "errorFormat": "json",
        "cookie": wish.session,
        "expirationTime": "+60",
        **_BY_SYSTEM[wish.system](_wanted(wish), wish.policy),
    }
    answer = ask(Outgoing(address, {"Content-Type": _FORM}, urlencode(fields).encode()))
    return _address(wish.system, answer)


def _wanted(wish: Wish) -> ContentKey:
    named = challenges.read(wish.system, wish.challenge).kids
    asked = [each for each in wish.keys if each.kid in named] or list(wish.keys)
    if not asked:
        raise Unusable("no key to buy a token for")
    return asked[0]


def _widevine(key: ContentKey, policy: Policy) -> dict[str, str]:
    hdcp = {Hdcp.NONE: 0, Hdcp.V1: 1}.get(policy.hdcp[key.label], 2)
    return {
        "kid": key.kid,
        "contentKey": key.key.hex(),
        "securityLevel": str(policy.robustness[key.label]),
        "hdcpOutputControl": str(hdcp),
        **_seconds(
            "licenseDuration", policy.playback_seconds or policy.licence_seconds
        ),
    }


def _playready(key: ContentKey, policy: Policy) -> dict[str, str]:
    level = 3000 if policy.robustness[key.label] >= _HARDWARE else 2000
    return {
        "kid": key.kid,
        "contentKey": key.key.hex(),
        "rightsType": "BuyToOwn",
        "minimumSecurityLevel": str(level),
    }


def _fairplay(key: ContentKey, policy: Policy) -> dict[str, str]:
    return {
        "kid": key.kid,
        "contentKey": key.key.hex(),
        "iv": key.iv or "",
        **_seconds("rentalDuration", policy.rental_seconds),
    }


_BY_SYSTEM: Mapping[KeySystem, Any] = {
    KeySystem.WIDEVINE: _widevine,
    KeySystem.PLAYREADY: _playready,
    KeySystem.FAIRPLAY: _fairplay,
}


def _seconds(name: str, seconds: int) -> dict[str, str]:
    return {name: str(seconds)} if seconds else {}


def _address(system: KeySystem, answer: bytes) -> str:
    """Read where the licence is: a list of addresses, or JSON for PlayReady."""
    text = answer[:_LONGEST].decode("ascii", errors="replace").strip()
    if system is KeySystem.PLAYREADY:
        try:
            document = json.loads(text)
            query = urlencode({"ExpressPlayToken": document["token"]})
            text = f"{document['licenseAcquisitionUrl']}?{query}"
        except (ValueError, KeyError, TypeError, RecursionError):
            raise Unusable("no token in its JSON") from None
    if not urlsplit(text).hostname or not text.isprintable() or " " in text:
        raise Unusable("no address with a token")
    return text
