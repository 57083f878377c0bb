"""Secrets on their way to a worker: sealed so that only this installation reads them.

AES-GCM under the key file ``worker.key``, which every machine with workers holds. The
purpose is bound in: what was sealed for one job opens for no other. Nothing in here
knows the database, so that media workers can use it.
"""

import base64
import binascii
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from appliance import keyring
from appliance.errors import PreconditionFailed

_KEY = "worker"
_NONCE_BYTES = 12
_VERSION = b"\x01"


def seal(folder: Path, document: Mapping[str, Any], purpose: str) -> str:
    """Return the JSON ``document`` as text that only :func:`unseal` reads.

    ``folder`` is that of the keys; the first call makes ``worker.key`` in it.
    """
    nonce = os.urandom(_NONCE_BYTES)
    plain = json.dumps(document, separators=(",", ":")).encode()
    cipher = AESGCM(keyring.key(folder, _KEY))
    sealed = cipher.encrypt(nonce, plain, _VERSION + purpose.encode())
    return base64.urlsafe_b64encode(_VERSION + nonce + sealed).decode()


def renew(folder: Path) -> None:
    """Put a new key in place of the one there is; what that sealed opens no more."""
    aside = f"{_KEY}-renewed"
    (folder / f"{aside}.key").unlink(missing_ok=True)
    keyring.key(folder, aside)
    (folder / f"{aside}.key").replace(folder / f"{_KEY}.key")
    keyring.sync_folder(folder)


def fingerprint(folder: Path) -> str:
    """Return what tells this machine's key from others, empty without one."""
    path = folder / f"{_KEY}.key"
    if not path.is_file():
        return ""
    return hashlib.sha256(b"fingerprint" + keyring.read(path)).hexdigest()[:16]


def unseal(folder: Path, text: str, purpose: str) -> dict[str, Any]:
    """Return the document that was sealed for this purpose.

    Never makes a key: a machine without the right one would only hide that.
    Errors: ``PreconditionFailed`` protection.worker-key when it is not there,
    protection.sealed when the text was sealed otherwise or has been altered.
    """
    path = folder / f"{_KEY}.key"
    if not path.is_file():
        raise PreconditionFailed(
            "protection.worker-key",
            f"{path} is missing: copy it, with mode 0600, from the machine that the"
            " control worker runs on.",
        )
    try:
        raw = base64.b64decode(text, altchars=b"-_", validate=True)
        nonce, sealed = raw[1 : 1 + _NONCE_BYTES], raw[1 + _NONCE_BYTES :]
        bound = raw[:1] + purpose.encode()
        plain = AESGCM(keyring.read(path)).decrypt(nonce, sealed, bound)
    except (binascii.Error, InvalidTag, ValueError):
        raise PreconditionFailed(
            "protection.sealed",
            "The keys for this work can't be unsealed here: worker.key must be the one"
            " of the machine that the control worker runs on; then retry the job.",
        ) from None
    document: dict[str, Any] = json.loads(plain)
    return document
