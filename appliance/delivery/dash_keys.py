"""The ContentProtection of DASH: the scheme and KID, then each system allowed."""

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from uuid import UUID

from appliance.cenc import SYSTEM_IDS, KeySystem
from appliance.delivery.signalling import Signalling
from appliance.media.tracks import Track

NAMESPACES: Mapping[str, str] = {
    "xmlns:cenc": "urn:mpeg:cenc:2013",
    "xmlns:mspr": "urn:microsoft:playready",
    "xmlns:dashif": "https://dashif.org/CPS",
}
"""What the prefixes here mean, to be declared at the root of the manifest."""

_MP4_PROTECTION = "urn:mpeg:dash:mp4protection:2011"
_CLEARKEY = "urn:uuid:e2719d58-a985-b3c9-781a-b030af78d30e"


def protect(adaptation: ET.Element, track: Track, signalling: Signalling) -> None:
    """Say how the tracks of a set, which share a key, are encrypted and opened."""
    if track.kid is None or track.scheme is None:
        return
    descriptor = _descriptor(adaptation, _MP4_PROTECTION, track.scheme.value)
    descriptor.set("cenc:default_KID", str(UUID(track.kid)))
    for system in signalling.systems:
        if system is KeySystem.CLEARKEY:
            _clearkey(adaptation, signalling)
        else:
            _other(adaptation, system, track, signalling)


def _clearkey(adaptation: ET.Element, signalling: Signalling) -> None:
    # Without a box a player makes one from each set's KID, and asks once for each. The
    # descriptor of the W3C's own system would do too, but says no licence address.
    descriptor = _descriptor(adaptation, _CLEARKEY, "ClearKey1.0")
    ET.SubElement(descriptor, "cenc:pssh").text = signalling.clearkey_box
    address = ET.SubElement(descriptor, "dashif:Laurl", {"licenseType": "EME-1.0"})
    address.text = signalling.licence_url


def _other(
    adaptation: ET.Element, system: KeySystem, track: Track, signalling: Signalling
) -> None:
    signals = signalling.of(track)
    # FairPlay has no box and no place in DASH.
    if box := signals.pssh.get(system):
        value = "MSPR 2.0" if system is KeySystem.PLAYREADY else ""
        scheme = f"urn:uuid:{SYSTEM_IDS[system]}"
        descriptor = _descriptor(adaptation, scheme, value)
        ET.SubElement(descriptor, "cenc:pssh").text = box
        if system is KeySystem.PLAYREADY and signals.playready_object:
            ET.SubElement(descriptor, "mspr:pro").text = signals.playready_object


def _descriptor(adaptation: ET.Element, scheme: str, value: str) -> ET.Element:
    named = {"schemeIdUri": scheme} | ({"value": value} if value else {})
    return ET.SubElement(adaptation, "ContentProtection", named)
