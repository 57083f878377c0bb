"""A filled CPIX document: the keys out of it, after it was held against the contract.

Whatever is not exactly what was asked for is refused: another content, another scheme,
a key too many or too few, a box of another key system.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from lxml import etree

from appliance.cenc import SYSTEM_IDS, KeySystem
from appliance.protection import cpix_sealed, pssh
from appliance.protection.cpix import VERSION, Contract, Wanted, garbled, path, tag
from appliance.protection.cpix_sealed import Opener, Recipient, decoded

_KEY_BYTES, _IV_BYTES = 16, 16
_KEY_LINE = re.compile(r'#EXT-X-KEY:(?:.*,)?URI="(skd://[!-~]{1,512}?)"')


@dataclass(frozen=True, slots=True)
class Delivered:
    """A key as the service gave it; ``pssh`` as in ``ProvidedKey``."""

    kid: str
    key: bytes = field(repr=False)
    iv: str | None
    pssh: Mapping[KeySystem, bytes]


def delivered(
    document: bytes, wanted: Contract, recipient: Recipient | None = None
) -> list[Delivered]:
    """Return the keys in the order of the contract.

    With a ``recipient`` they have to be encrypted for it, else they must be plain.
    Errors: ``PreconditionFailed`` with ``protection.provider-garbled``.
    """
    root = _root(document)
    _check(root, wanted)
    opener = cpix_sealed.opener(root, recipient) if recipient else None
    found = {}
    for element in root.findall(path("cpix:ContentKeyList", "cpix:ContentKey")):
        kid = _kid(element)
        if kid in found:
            raise garbled("the same key twice")
        found[kid] = element
    if set(found) != {key.kid for key in wanted.keys}:
        raise garbled("other keys than those that were asked for")
    return [
        _delivered(root, found[key.kid], key, wanted, opener) for key in wanted.keys
    ]


def _root(document: bytes) -> etree._Element:
    """Parse, without following anything that the document may point to."""
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    root = None
    try:
        root = etree.fromstring(document, parser)
    except (etree.XMLSyntaxError, ValueError):
        # What the parser says holds pieces of the document.
        root = None
    if root is None or root.getroottree().docinfo.doctype:
        raise garbled("something that is no plain XML")
    return root


def _check(root: etree._Element, wanted: Contract) -> None:
    if root.tag != tag("cpix:CPIX"):
        raise garbled("XML that is no CPIX document")
    if root.get("version") != VERSION:
        raise garbled(f"a CPIX document of another version than {VERSION}")
    if root.get("contentId") != wanted.content_id:
        raise garbled("the keys of another content")


def _delivered(
    root: etree._Element,
    element: etree._Element,
    key: Wanted,
    wanted: Contract,
    opener: Opener | None,
) -> Delivered:
    if element.get("commonEncryptionScheme") != wanted.scheme:
        raise garbled("a key for another encryption scheme")
    value = _value(element, opener)
    if len(value) != _KEY_BYTES:
        raise garbled("a key of another length than 16 bytes")
    iv = element.get("explicitIV")
    return Delivered(
        kid=key.kid,
        key=value,
        iv=decoded(iv, _IV_BYTES).hex() if iv else key.iv,
        pssh=dict(_signalled(root, key, wanted)),
    )


def _value(element: etree._Element, opener: Opener | None) -> bytes:
    secret = element.find(path("cpix:Data", "pskc:Secret"))
    if secret is None:
        raise garbled("a key without its value")
    plain = secret.findtext(tag("pskc:PlainValue"))
    if opener is None:
        if plain is None and secret.find(tag("pskc:EncryptedValue")) is not None:
            raise garbled(
                "encrypted keys, and no “document_key” to open them stands in section"
                " [speke] of the credentials"
            )
        return decoded(plain)
    if plain is not None:
        raise garbled("a key in the clear, though it was to be encrypted")
    return opener.open(secret)


def _signalled(
    root: etree._Element, key: Wanted, wanted: Contract
) -> Iterator[tuple[KeySystem, bytes]]:
    """Yield what each key system needs to ask for the key."""
    for system in wanted.systems:
        element = _system(root, key, system)
        if system is KeySystem.FAIRPLAY:
            if address := _address(element):
                yield system, address
            continue
        boxes = decoded(element.findtext(tag("cpix:PSSH")))
        if not pssh.are_of(boxes, system):
            raise garbled("a pssh box that is damaged, or of another key system")
        yield system, boxes


def _system(root: etree._Element, key: Wanted, system: KeySystem) -> etree._Element:
    every = root.findall(path("cpix:DRMSystemList", "cpix:DRMSystem"))
    found = [
        element
        for element in every
        if _kid(element) == key.kid
        and _uuid(element.get("systemId")) == SYSTEM_IDS[system]
    ]
    if len(found) != 1:
        raise garbled(f"{len(found)} entries for a key and {system}, where one belongs")
    element: etree._Element = found[0]
    return element


def _address(element: etree._Element) -> bytes:
    """Return the ``skd://`` address in FairPlay's key line; b"" if there is none."""
    for signalling in element.findall(tag("cpix:HLSSignalingData")):
        if signalling.get("playlist") != "media" or not signalling.text:
            continue
        line = decoded(signalling.text).decode("ascii", "replace")
        if found := _KEY_LINE.search(line):
            return found[1].encode()
        raise garbled("a playlist line for FairPlay without an skd:// address")
    return b""


def _kid(element: etree._Element) -> str:
    found = _uuid(element.get("kid"))
    if found is None:
        raise garbled("a KID that is none")
    return found.hex


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None
