"""The envelope in which Widevine's services take requests, signed with AES.

A request is JSON in base64 beside its signature: the SHA-1 of exactly those bytes,
padded, and encrypted with AES-256-CBC under the key that Widevine gave the operator.
"""

import hashlib
import json
from base64 import b64encode
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from appliance.protection.credentials import Section


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs, and with what; both secrets are Widevine's."""

    name: str
    key: bytes = field(repr=False)
    iv: bytes = field(repr=False)

    def envelope(self, request: bytes) -> bytes:
        """Return the body to send: the request, its signature, and who signed it."""
        signed = {
            "request": b64encode(request).decode(),
            "signature": b64encode(self.signature(request)).decode(),
            "signer": self.name,
        }
        return json.dumps(signed).encode()

    def signature(self, request: bytes) -> bytes:
        """Return the signature of exactly these bytes."""
        # What the protocol prescribes; the encryption around it is what proves us.
        digest = hashlib.sha1(request, usedforsecurity=False).digest()
        padder = PKCS7(algorithms.AES.block_size).padder()
        cipher = Cipher(algorithms.AES(self.key), modes.CBC(self.iv)).encryptor()
        padded = padder.update(digest) + padder.finalize()
        return cipher.update(padded) + cipher.finalize()


def of_section(secrets: Section) -> Signer:
    """Return the signer that the section ``[widevine]`` of the credentials names."""
    return Signer(
        secrets.get("signer") or secrets["provider"],
        secrets.secret_bytes("key", 32),
        secrets.secret_bytes("iv", 16),
    )
