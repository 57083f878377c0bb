"""PlayReady's header, object and ``pssh`` box for one key.

The header (WRMHEADER) is XML in UTF-16LE. Version 4.0 says AES-CTR, for ``cenc``, and
carries a checksum that proves a key; 4.3 is the first that knows AES-CBC, for
``cbcs``. KIDs stand in them as GUIDs: three of their parts in reversed byte order.
"""

import struct
from base64 import b64encode
from uuid import UUID

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from appliance.cenc import SYSTEM_IDS, KeySystem, Scheme
from appliance.protection import pssh

_CHECKSUM_BYTES = 8
_HEADER_RECORD = 1
_NAMESPACE = "http://schemas.microsoft.com/DRM/2007/03/PlayReadyHeader"


def box(kid: str, key: bytes, scheme: Scheme) -> bytes:
    """Return PlayReady's ``pssh`` box."""
    data = protection_object(header(kid, key, scheme))
    return pssh.box(SYSTEM_IDS[KeySystem.PLAYREADY], data)


def protection_object(header: str) -> bytes:
    """Return the PlayReady Object: its size, one record, the header in it."""
    text = header.encode("utf-16-le")
    record = struct.pack("<HH", _HEADER_RECORD, len(text)) + text
    return struct.pack("<IH", 4 + 2 + len(record), 1) + record


def header(kid: str, key: bytes, scheme: Scheme) -> str:
    """Return the header in the version that the scheme needs."""
    guid = b64encode(UUID(hex=kid).bytes_le).decode()
    if scheme is Scheme.CENC:
        return _wrapped(
            "4.0.0.0",
            "<PROTECTINFO><KEYLEN>16</KEYLEN><ALGID>AESCTR</ALGID></PROTECTINFO>"
            f"<KID>{guid}</KID><CHECKSUM>{_checksum(kid, key)}</CHECKSUM>",
        )
    return _wrapped(
        "4.3.0.0",
        f'<PROTECTINFO><KIDS><KID ALGID="AESCBC" VALUE="{guid}"></KID></KIDS>'
        "</PROTECTINFO>",
    )


def _wrapped(version: str, data: str) -> str:
    return (
        f'<WRMHEADER xmlns="{_NAMESPACE}" version="{version}">'
        f"<DATA>{data}</DATA></WRMHEADER>"
    )


def _checksum(kid: str, key: bytes) -> str:
    # One block under a random key: what the format demands, and nothing can repeat.
    cipher = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305
    block = cipher.update(UUID(hex=kid).bytes_le) + cipher.finalize()
    return b64encode(block[:_CHECKSUM_BYTES]).decode()
