"""BuyDRM's KeyOS: an authentication document in XML, signed with our RSA key.

Source: KeyOS' authentication XML as its open samples write it.
Credentials: ``[keyos]`` rsa_key_id, rsa_private_key (a PEM file beside the
credentials), certificate_id for FairPlay.
"""

import base64
import uuid
from collections.abc import Mapping

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from lxml import etree

from appliance.protection.credentials import Section
from appliance.protection.policy import Hdcp, Policy
from appliance.protection.services import encoding
from appliance.protection.services.shapes import Wish
from appliance.protection.services.widevine_cloud import TRACK_TYPES

_MINUTES = 5
_HARDWARE = 3
_TIME = "%Y-%m-%d %H:%M:%S"
_HDCP: Mapping[Hdcp, str] = {
    Hdcp.NONE: "HDCP_NONE",
    Hdcp.V1: "HDCP_V1",
    Hdcp.V2: "HDCP_V2",
    Hdcp.V2_1: "HDCP_V2_1",
    Hdcp.V2_2: "HDCP_V2_2",
    Hdcp.V2_3: "HDCP_V2_3",
}


def headers(wish: Wish, secrets: Section) -> Mapping[str, str]:
    """Sign what the licence may be, for the next minutes."""
    data = etree.tostring(_data(wish, secrets["rsa_key_id"]))
    # RSA with SHA-1 over the element as it is written is what KeyOS checks.
    signature = _private_key(secrets).sign(data, PKCS1v15(), hashes.SHA1())  # noqa: S303
    document = (
        b'<?xml version="1.0" encoding="UTF-8"?><KeyOSAuthenticationXML>'
        + data
        + b"<Signature>"
        + base64.b64encode(signature)
        + b"</Signature></KeyOSAuthenticationXML>"
    )
    return {"x-keyos-authorization": encoding.base64_text(document)}


def _private_key(secrets: Section) -> RSAPrivateKey:
    try:
        key = load_pem_private_key(secrets.private_file("rsa_private_key"), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise secrets.wrong(
            "“rsa_private_key” must name an RSA key as PEM without a password."
        )
    return key


def _data(wish: Wish, key_id: str) -> etree._Element:
    data = etree.Element("Data")
    _text(data, "GenerationTime", wish.now.strftime(_TIME))
    until = encoding.moment(wish.now, minutes=_MINUTES)
    _text(data, "ExpirationTime", until.replace("T", " ").rstrip("Z"))
    _text(data, "UniqueId", str(uuid.uuid4()))
    _text(data, "RSAPubKeyId", key_id)
    policy = wish.policy
    widevine = etree.SubElement(
        data,
        "WidevinePolicy",
        fl_CanPlay="true",
        fl_CanPersist=_yes(policy.persistent),
    )
    _durations(widevine, policy)
    for each in wish.keys:
        spec = etree.SubElement(
            data, "WidevineContentKeySpec", TrackType=TRACK_TYPES[each.label]
        )
        _text(spec, "SecurityLevel", str(policy.robustness[each.label]))
        _text(spec, "RequiredHDCP", _HDCP[policy.hdcp[each.label]])
        _text(spec, "RequiredCGMS", "CGMS_NONE")
    strictest = max(
        (policy.hdcp[each.label] for each in wish.keys), default=Hdcp.NONE, key=_rank
    )
    fairplay = etree.SubElement(
        data, "FairPlayPolicy", persistent=_yes(policy.persistent)
    )
    _text(fairplay, "HDCPEnforcement", _HDCP[strictest])
    _playready(data, wish)
    return data


def _playready(data: etree._Element, wish: Wish) -> None:
    """Give each key a licence, and all of them the least level that is asked for."""
    policy_id, play_id = str(uuid.uuid4()), str(uuid.uuid4())
    for each in wish.keys:
        licence = etree.SubElement(data, "License", type="simple")
        _text(licence, "KeyId", encoding.guid(each.kid))
        _text(etree.SubElement(licence, "Policy"), "Id", policy_id)
        _text(etree.SubElement(licence, "Play"), "Id", play_id)
    policy = etree.SubElement(data, "Policy", id=policy_id)
    level = max((wish.policy.robustness[each.label] for each in wish.keys), default=1)
    _text(policy, "MinimumSecurityLevel", "3000" if level >= _HARDWARE else "2000")
    etree.SubElement(data, "Play", id=play_id)


def _durations(widevine: etree._Element, policy: Policy) -> None:
    for name, seconds in (
        ("LicenseDuration", policy.licence_seconds),
        ("RentalDuration", policy.rental_seconds),
        ("PlaybackDuration", policy.playback_seconds),
    ):
        if seconds:
            _text(widevine, name, str(seconds))


def _text(parent: etree._Element, name: str, text: str) -> None:
    etree.SubElement(parent, name).text = text


def _yes(value: bool) -> str:
    return str(value).lower()


def _rank(hdcp: Hdcp) -> int:
    return list(Hdcp).index(hdcp)
