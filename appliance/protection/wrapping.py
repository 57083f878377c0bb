"""A content key in its wrapping, as a row keeps it: AES-GCM, bound to its place.

The additional data names KID, label and asset: a wrapped key that was copied into the
row of another film, or made out to be the key of another quality, opens nowhere.
"""

import os

from cryptography.exceptions import InvalidTag

from appliance.cenc import Label
from appliance.errors import PreconditionFailed
from appliance.protection.kek import Kek

_NONCE_BYTES = 12


def wrap(kek: Kek, key: bytes, kid: str, label: Label, asset_id: int) -> bytes:
    """Return the key wrapped: a random nonce, then what AES-GCM made."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + kek.cipher.encrypt(nonce, key, _place(kid, label, asset_id))


def unwrap(kek: Kek, wrapped: bytes, kid: str, label: str, asset_id: int) -> bytes:
    """Return the content key.

    Errors: ``PreconditionFailed`` protection.key-damaged, which names the KID.
    """
    nonce, sealed = wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:]
    try:
        return kek.cipher.decrypt(nonce, sealed, _place(kid, label, asset_id))
    except (InvalidTag, ValueError):
        raise damaged(kid, label) from None


def damaged(kid: str, label: str) -> PreconditionFailed:
    """Return the error for a row that its key-encryption key does not open."""
    return PreconditionFailed(
        "protection.key-damaged",
        f"The content key {kid} ({label}) is damaged in the database: restore the"
        " database from a backup, or bring the key back from an export with `matinee"
        " key import`; without either, remove the title and upload its film again.",
        {"kid": kid},
    )


def _place(kid: str, label: str, asset_id: int) -> bytes:
    return f"matinee content key\n{kid}\n{label}\n{asset_id}".encode()
