"""The file that content keys leave and come back in, under a passphrase.

JSON text: what it is, its version, its id and time, a salt, a nonce, and the keys
sealed with AES-GCM under what scrypt made of the passphrase; everything that stands
outside is bound in. Version 1 means scrypt with n = 2^17, r = 8 and p = 1, which takes
128 MiB: the file does not say so, and can ask for no more.
"""

import base64
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from appliance.cenc import KeySystem, Label, Scheme
from appliance.errors import InvalidInput
from appliance.protection.vault import ContentKey

_KIND, _VERSION = "matinee content keys", 1
_SALT_BYTES, _NONCE_BYTES, _KEY_BYTES = 16, 12, 32


@dataclass(frozen=True, slots=True)
class Parcel:
    """Content keys, each with the public id of its asset; ``made_at`` is UTC text."""

    public_id: str
    made_at: str
    keys: Sequence[tuple[str, ContentKey]]

    @classmethod
    def of(cls, made_at: str, keys: Sequence[tuple[str, ContentKey]]) -> Self:
        """Return a new parcel with an id of its own."""
        return cls(secrets.token_hex(8), made_at, keys)


def seal(parcel: Parcel, passphrase: str) -> str:
    """Return the parcel as text that opens with the passphrase."""
    salt, nonce = os.urandom(_SALT_BYTES), os.urandom(_NONCE_BYTES)
    head = {
        "kind": _KIND,
        "version": _VERSION,
        "id": parcel.public_id,
        "made_at": parcel.made_at,
        "salt": salt.hex(),
        "nonce": nonce.hex(),
    }
    plain = json.dumps([_as_document(*each) for each in parcel.keys]).encode()
    sealed = _cipher(passphrase, salt).encrypt(nonce, plain, _bound(head))
    body = {"sealed": base64.b64encode(sealed).decode()}
    return json.dumps(head | body, indent=2) + "\n"


def unseal(text: str, passphrase: str) -> Parcel:
    """Return the parcel that :func:`seal` wrote.

    Errors: ``InvalidInput`` protection.export-unknown when it is none that this
    version reads, protection.export-closed when it does not open.
    """
    try:
        head = dict(json.loads(text))
        sealed = base64.b64decode(head.pop("sealed"), validate=True)
        salt, nonce = bytes.fromhex(head["salt"]), bytes.fromhex(head["nonce"])
        known = (head["kind"], head["version"]) == (_KIND, _VERSION)
        public_id, made_at = str(head["id"]), str(head["made_at"])
    except (ValueError, TypeError, KeyError, RecursionError):
        known = False
    if not known:
        raise _unknown()
    try:
        plain = _cipher(passphrase, salt).decrypt(nonce, sealed, _bound(head))
    except (InvalidTag, ValueError):
        raise InvalidInput(
            "protection.export-closed",
            "The export does not open: the passphrase is wrong, or the file was"
            " damaged. Nothing was imported.",
        ) from None
    return Parcel(public_id, made_at, _from_documents(plain))


def _unknown() -> InvalidInput:
    return InvalidInput(
        "protection.export-unknown",
        "This is no export of content keys that this version reads: take a file that"
        " `matinee key export` has made, whole.",
    )


def _cipher(passphrase: str, salt: bytes) -> AESGCM:
    kdf = Scrypt(salt=salt, length=_KEY_BYTES, n=2**17, r=8, p=1)
    return AESGCM(kdf.derive(passphrase.encode()))


def _bound(head: Mapping[str, Any]) -> bytes:
    return json.dumps(head, sort_keys=True).encode()


def _as_document(asset: str, key: ContentKey) -> dict[str, Any]:
    return {
        "asset": asset,
        "kid": key.kid,
        "key": key.key.hex(),
        "label": key.label.value,
        "scheme": key.scheme.value,
        "generation": key.generation,
        "iv": key.iv,
        "provider": key.provider,
        "pssh": {system.value: boxes for system, boxes in key.pssh.items()},
    }


def _from_documents(plain: bytes) -> list[tuple[str, ContentKey]]:
    try:
        return [_from_document(each) for each in json.loads(plain)]
    except (ValueError, TypeError, KeyError):
        # No context: the text that could not be read holds keys.
        raise _unknown() from None


def _from_document(document: Mapping[str, Any]) -> tuple[str, ContentKey]:
    key = ContentKey(
        kid=document["kid"],
        key=bytes.fromhex(document["key"]),
        label=Label(document["label"]),
        scheme=Scheme(document["scheme"]),
        generation=document["generation"],
        iv=document["iv"],
        provider=document["provider"],
        pssh={KeySystem(name): boxes for name, boxes in document["pssh"].items()},
    )
    return document["asset"], key
