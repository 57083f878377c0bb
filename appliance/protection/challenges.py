"""What a key system's challenge says about itself, without its secrets.

A challenge is opaque but for what content it asks for. That much is read, because some
licence services give whatever is asked: a viewer of one film could send the challenge
of another. What could be read in two ways is refused.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from appliance.cenc import KeySystem
from appliance.errors import InvalidInput

CERTIFICATE_REQUEST = b"\x08\x04"
"""The first message of a Widevine player that has no certificate of its service."""

_LONGEST_CERTIFICATE_REQUEST = 4

# Fields of Widevine's SignedMessage, LicenseRequest, ContentIdentification, of the
# pssh data in that, and of WidevinePsshData.
_TYPE, _MESSAGE = 1, 2
_LICENSE_REQUEST, _LICENSE, _CERTIFICATE = 1, 2, 5
_CONTENT_ID, _PSSH, _EXISTING, _PSSH_DATA, _KEY_IDS = 2, 1, 3, 1, 2
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIXED: Mapping[int, int] = {_FIXED64: 8, _FIXED32: 4}

_PLAYREADY_KID = re.compile(
    rb"<KID>\s*([A-Za-z0-9+/]{22}==)\s*</KID>|<KID\s[^>]*VALUE=\"([A-Za-z0-9+/]{22}==)\""
)


def is_certificate_request(system: KeySystem, challenge: bytes) -> bool:
    """Tell whether a player asks for the service's certificate, and no licence yet."""
    return (
        system is KeySystem.WIDEVINE
        and challenge.startswith(CERTIFICATE_REQUEST)
        and len(challenge) <= _LONGEST_CERTIFICATE_REQUEST
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """What a challenge is about: KIDs as 32 lower-case hexadecimal digits.

    ``existing``: it renews or gives back a licence there is. ``opaque``: nothing in it
    can be read, as in FairPlay's.
    """

    kids: frozenset[str] = frozenset()
    existing: bool = False
    opaque: bool = False


def read(system: KeySystem, challenge: bytes) -> Asked:
    """Read what a challenge asks for.

    Errors: ``InvalidInput`` licence.request for what is no challenge.
    """
    return _READERS[system](challenge)


def is_answer(message: bytes) -> bool:
    """Tell whether this is what Widevine's players take: a licence, a certificate."""
    try:
        found = list(_fields(message))
        kind = _number(found, _TYPE)
        return kind in (_LICENSE, _CERTIFICATE) and bool(_part(found, _MESSAGE))
    except InvalidInput:
        return False


def certificate(message: bytes) -> bytes:
    """Return the signed certificate that the answer to a request for one carries.

    Errors: ``InvalidInput`` licence.request when it carries none.
    """
    found = list(_fields(message))
    if _number(found, _TYPE) != _CERTIFICATE:
        raise _unreadable()
    return _part(found, _MESSAGE)


def _widevine(challenge: bytes) -> Asked:
    message = list(_fields(challenge))
    if _number(message, _TYPE) != _LICENSE_REQUEST:
        raise _unreadable()
    request = list(_fields(_part(message, _MESSAGE)))
    content = list(_fields(_part(request, _CONTENT_ID)))
    if len(content) != 1:
        raise _unreadable()
    if content[0][0] == _EXISTING:
        return Asked(existing=True)
    boxes = _parts(list(_fields(_part(content, _PSSH))), _PSSH_DATA)
    kids = (kid for box in boxes for kid in _parts(list(_fields(box)), _KEY_IDS))
    return Asked(frozenset(kid.hex() for kid in kids))


def _playready(challenge: bytes) -> Asked:
    """Read the KIDs of the PlayReady header in the SOAP text, GUIDs that they are."""
    if b"AcquireLicense" not in challenge and b"AcknowledgeLicense" not in challenge:
        raise _unreadable()
    texts = (each[1] or each[2] for each in _PLAYREADY_KID.finditer(challenge))
    return Asked(frozenset(UUID(bytes_le=_decoded(each)).hex for each in texts))


_READERS: Mapping[KeySystem, Callable[[bytes], Asked]] = {
    KeySystem.WIDEVINE: _widevine,
    KeySystem.PLAYREADY: _playready,
    KeySystem.FAIRPLAY: lambda _: Asked(opaque=True),
}


def _decoded(text: bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise _unreadable() from None


_Fields = list[tuple[int, int | bytes]]


def _parts(message: _Fields, number: int) -> list[bytes]:
    values = [value for each, value in message if each == number]
    parts = [value for value in values if isinstance(value, bytes)]
    if len(parts) != len(values):
        raise _unreadable()
    return parts


def _part(message: _Fields, number: int) -> bytes:
    """Return a field that stands there once: readers differ on what two would mean."""
    found = _parts(message, number)
    if len(found) != 1:
        raise _unreadable()
    return found[0]


def _number(message: _Fields, number: int) -> int:
    found = [value for each, value in message if each == number]
    if len(found) != 1 or not isinstance(found[0], int):
        raise _unreadable()
    return found[0]


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield the fields of a message of protocol buffers: number, and value as it is."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value, at = _varint(message, at)
            yield number, value
            continue
        length = _FIXED.get(kind, 0)
        if kind == _BYTES:
            length, at = _varint(message, at)
        elif not length:
            raise _unreadable()
        if at + length > len(message):
            raise _unreadable()
        yield number, message[at : at + length]
        at += length


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(message) and shift < 64:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
    raise _unreadable()


def _unreadable() -> InvalidInput:
    return InvalidInput("licence.request", "This is no licence challenge.")
