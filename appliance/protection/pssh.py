"""``pssh`` boxes (ISO/IEC 23001-7): what tells a key system which keys to fetch.

A box is its size, ``pssh``, a version, three bytes of flags, the SystemID, in version
1 the number of KIDs and the KIDs, and then the system's own data after its size; all
numbers are big-endian. KIDs are 32 lower-case hexadecimal digits here.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from appliance.cenc import SYSTEM_IDS, KeySystem, Scheme
from appliance.errors import InvalidInput

_KID_BYTES = 16
_HEAD = struct.Struct(">I4sB3x16s")
_NUMBER = struct.Struct(">I")

# Fields of the message WidevinePsshData, and the two kinds of them that are written.
_KEY_IDS, _PROVIDER, _CONTENT_ID, _PROTECTION_SCHEME = 2, 3, 4, 9
_VARINT, _BYTES = 0, 2


@dataclass(frozen=True, slots=True)
class Box:
    """One box, taken apart."""

    system_id: UUID
    data: bytes
    kids: tuple[str, ...] = ()


def box(system_id: UUID, data: bytes = b"", kids: Sequence[str] = ()) -> bytes:
    """Return a box: of version 1 where it lists KIDs, else of version 0."""
    listed = b""
    if kids:
        listed = _NUMBER.pack(len(kids)) + b"".join(bytes.fromhex(kid) for kid in kids)
    size = _HEAD.size + len(listed) + _NUMBER.size + len(data)
    head = _HEAD.pack(size, b"pssh", 1 if kids else 0, system_id.bytes)
    return head + listed + _NUMBER.pack(len(data)) + data


def widevine(
    kids: Sequence[str], scheme: Scheme, provider: str = "", content_id: bytes = b""
) -> bytes:
    """Return Widevine's box for these keys."""
    data = widevine_data(kids, scheme, provider, content_id)
    return box(SYSTEM_IDS[KeySystem.WIDEVINE], data)


def common(kids: Sequence[str]) -> bytes:
    """Return W3C's common box, which ClearKey reads: nothing but KIDs."""
    return box(SYSTEM_IDS[KeySystem.CLEARKEY], kids=kids)


def widevine_data(
    kids: Sequence[str], scheme: Scheme, provider: str = "", content_id: bytes = b""
) -> bytes:
    """Return the message WidevinePsshData, its fields in the order of their numbers.

    Four fields need no protobuf library; Shaka Packager writes the same bytes.
    """
    fields = [_field(_KEY_IDS, bytes.fromhex(kid)) for kid in kids]
    if provider:
        fields.append(_field(_PROVIDER, provider.encode()))
    if content_id:
        fields.append(_field(_CONTENT_ID, content_id))
    code = int.from_bytes(scheme.value.encode(), "big")
    fields.append(_varint(_PROTECTION_SCHEME << 3 | _VARINT) + _varint(code))
    return b"".join(fields)


def read(boxes: bytes) -> list[Box]:
    """Take apart boxes that stand one after the other.

    Errors: ``InvalidInput`` with ``protection.pssh`` for anything that is no box.
    """
    found = []
    while boxes:
        size = _NUMBER.unpack_from(boxes)[0] if len(boxes) >= _NUMBER.size else 0
        if not _HEAD.size <= size <= len(boxes):
            raise _broken()
        found.append(_read_one(boxes[:size]))
        boxes = boxes[size:]
    return found


def are_of(boxes: bytes, system: KeySystem) -> bool:
    """Tell whether these are whole boxes, at least one, and all of that system."""
    try:
        found = read(boxes)
    except InvalidInput:
        return False
    return {each.system_id for each in found} == {SYSTEM_IDS[system]}


def _read_one(whole: bytes) -> Box:
    _, kind, version, system_id = _HEAD.unpack_from(whole)
    rest = whole[_HEAD.size :]
    if kind != b"pssh" or version > 1:
        raise _broken()
    kids: tuple[str, ...] = ()
    if version == 1:
        listed, rest = _counted(rest, _KID_BYTES)
        steps = range(0, len(listed), _KID_BYTES)
        kids = tuple(listed[at : at + _KID_BYTES].hex() for at in steps)
    data, rest = _counted(rest, 1)
    if rest:
        raise _broken()
    return Box(UUID(bytes=system_id), data, kids)


def _counted(rest: bytes, each: int) -> tuple[bytes, bytes]:
    """Split off as many items as the number in front says, ``each`` bytes long."""
    if len(rest) < _NUMBER.size:
        raise _broken()
    end = _NUMBER.size + each * int(_NUMBER.unpack_from(rest)[0])
    if len(rest) < end:
        raise _broken()
    return rest[_NUMBER.size : end], rest[end:]


def _broken() -> InvalidInput:
    return InvalidInput("protection.pssh", "That is no whole pssh box.")


def _field(number: int, value: bytes) -> bytes:
    return _varint(number << 3 | _BYTES) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    """Write a number seven bits at a time, the lowest first."""
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)
