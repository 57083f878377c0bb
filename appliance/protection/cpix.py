"""CPIX 2.3 documents as SPEKE v2 uses them: the question, with blanks to be filled.

We name the keys, and the service fills in the rest: for each key and key system it
gets a place for boxes and playlist lines, and a rule says what each key is for.
"""

import hashlib
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid5

from lxml import etree

from appliance.cenc import SYSTEM_IDS, KeySystem, Label, Scheme
from appliance.errors import PreconditionFailed

SERVICE = "The SPEKE key service"
VERSION = "2.3"

_KIDS = UUID("6f0c1c52-52f6-4b06-9c3c-4a9c3f6d8f5e")
_NAMESPACES = {
    "cpix": "urn:dashif:org:cpix",
    "pskc": "urn:ietf:params:xml:ns:keyprov:pskc",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
    "enc": "http://www.w3.org/2001/04/xmlenc#",
}
# SPEKE's own borders between the kinds of pictures, in pixels; 589824 is 1024 × 576.
_FILTERS: Mapping[Label, tuple[str, Mapping[str, str]]] = {
    Label.AUDIO: ("AudioFilter", {}),
    Label.SD: ("VideoFilter", {"maxPixels": "589824"}),
    Label.HD: ("VideoFilter", {"minPixels": "589825", "maxPixels": "2073600"}),
    Label.UHD: ("VideoFilter", {"minPixels": "2073601"}),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A key that is asked for: its name is ours, and the IV a proposal."""

    kid: str
    label: Label
    iv: str | None


@dataclass(frozen=True, slots=True)
class Contract:
    """All that is asked for; the answer has to keep to it."""

    content_id: str
    scheme: Scheme
    keys: tuple[Wanted, ...]
    systems: tuple[KeySystem, ...]


def contract(
    content_id: str,
    labels: Sequence[Label],
    scheme: Scheme,
    systems: Sequence[KeySystem],
) -> Contract:
    """Return what to ask for; KIDs and IVs follow from content and label.

    So whoever asks again, after a crash, gets the same keys and leaves none behind at
    the provider. Neither is a secret: both stand in the clear in each segment.
    """
    keys = []
    for label in labels:
        kid = uuid5(_KIDS, f"{content_id}/{label}")
        iv = hashlib.sha256(b"iv" + kid.bytes).digest()[:16].hex()
        keys.append(Wanted(kid.hex, label, iv if scheme is Scheme.CBCS else None))
    # ClearKey is our own affair, and FairPlay cannot decrypt the older scheme. A
    # document without any system is not allowed, so then the keys are made as if for
    # the one that every service knows.
    left_out = {KeySystem.CLEARKEY}
    if scheme is Scheme.CENC:
        left_out.add(KeySystem.FAIRPLAY)
    asked = tuple(system for system in systems if system not in left_out)
    return Contract(content_id, scheme, tuple(keys), asked or (KeySystem.WIDEVINE,))


def request(wanted: Contract, certificate: bytes | None = None) -> bytes:
    """Return the document to send; with a certificate (DER), keys come encrypted."""
    root = etree.Element(
        tag("cpix:CPIX"), nsmap=_NAMESPACES, contentId=wanted.content_id
    )
    root.set("version", VERSION)
    if certificate is not None:
        data = _below(root, "cpix:DeliveryDataList", "cpix:DeliveryData")
        leaf = _below(data, "cpix:DeliveryKey", "ds:X509Data", "ds:X509Certificate")
        leaf.text = b64encode(certificate).decode()
    _ask_for_keys(_below(root, "cpix:ContentKeyList"), wanted)
    _ask_for_systems(_below(root, "cpix:DRMSystemList"), wanted)
    _add_rules(_below(root, "cpix:ContentKeyUsageRuleList"), wanted)
    document: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return document


def tag(name: str) -> str:
    """Return ``prefix:Name`` as lxml writes it."""
    prefix, local = name.split(":")
    return f"{{{_NAMESPACES[prefix]}}}{local}"


def path(*names: str) -> str:
    """Return the path of elements below each other, for ``find``."""
    return "/".join(tag(name) for name in names)


def garbled(what: str) -> PreconditionFailed:
    """Return the error for an answer that does not keep to the contract."""
    return PreconditionFailed(
        "protection.provider-garbled",
        f"{SERVICE} answered with {what}. Nothing of it was used: check"
        " protection.keys_url, or ask the provider.",
    )


def _ask_for_keys(parent: etree._Element, wanted: Contract) -> None:
    for key in wanted.keys:
        element = _below(parent, "cpix:ContentKey")
        element.set("kid", str(UUID(key.kid)))
        element.set("commonEncryptionScheme", wanted.scheme.value)
        if key.iv is not None:
            iv = b64encode(bytes.fromhex(key.iv)).decode()
            element.set("explicitIV", iv)


def _ask_for_systems(parent: etree._Element, wanted: Contract) -> None:
    for system in wanted.systems:
        for key in wanted.keys:
            element = _below(parent, "cpix:DRMSystem")
            element.set("kid", str(UUID(key.kid)))
            element.set("systemId", str(SYSTEM_IDS[system]))
            # FairPlay knows no boxes; all that it needs stands in the playlist.
            if system is not KeySystem.FAIRPLAY:
                _below(element, "cpix:PSSH")
                _below(element, "cpix:ContentProtectionData")
            for playlist in ("media", "master"):
                _below(element, "cpix:HLSSignalingData").set("playlist", playlist)


def _add_rules(parent: etree._Element, wanted: Contract) -> None:
    for key in wanted.keys:
        rule = _below(parent, "cpix:ContentKeyUsageRule")
        rule.set("kid", str(UUID(key.kid)))
        rule.set("intendedTrackType", key.label.value)
        name, borders = _FILTERS[key.label]
        _below(rule, f"cpix:{name}").attrib.update(borders)


def _below(parent: etree._Element, *names: str) -> etree._Element:
    """Add elements, each below the one before; return the last."""
    for name in names:
        parent = etree.SubElement(parent, tag(name))
    return parent
