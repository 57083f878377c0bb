"""Sealing the parts of a backup: each with a key that only two others open.

A backup has a random key of its own. It is wrapped once for the recovery key (X25519,
HKDF, AES-GCM, as age does it), and once for the installation. A part is cut into
pieces, each sealed with AES-GCM under its number and whether it is the last: what was
cut off, swapped or changed does not open.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import (
    X25519PrivateKey,
    X25519PublicKey,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from appliance import keyring
from appliance.errors import InvalidInput, PreconditionFailed
from appliance.operations.backups import recovery
from appliance.operations.backups.recovery import Recipient
from appliance.settings import Settings

_MAGIC = b"matinee sealed 1\n"
_PIECE = 1024 * 1024
_TAG = 16
_KEY = 32
HERE = "backup"
"""The name of the installation's own key in its keyring."""


@dataclass(frozen=True, slots=True)
class FileKey:
    """What one backup is sealed with; ``wrapped`` stands in its manifest."""

    secret: bytes = field(repr=False)
    wrapped: Mapping[str, str]

    def seal(self, part: str, blocks: Iterable[bytes], to: BinaryIO) -> None:
        """Write what comes in blocks, sealed as that part."""
        cipher = AESGCM(_derived(self.secret, f"part {part}"))
        to.write(_MAGIC)
        number, held = 0, b""
        for piece in _pieces(blocks):
            if held:
                to.write(cipher.encrypt(_nonce(number, last=False), held, None))
                number += 1
            held = piece
        to.write(cipher.encrypt(_nonce(number, last=True), held, None))

    def open(self, part: str, file: BinaryIO) -> Iterator[bytes]:
        """Yield what was sealed as that part.

        Errors: ``PreconditionFailed`` backup.damaged, also when the end is missing.
        """
        cipher = AESGCM(_derived(self.secret, f"part {part}"))
        if file.read(len(_MAGIC)) != _MAGIC:
            raise damaged(f"its {part} is not one of Matinee")
        number, held = 0, file.read(_PIECE + _TAG)
        while True:
            following = file.read(_PIECE + _TAG)
            try:
                yield cipher.decrypt(_nonce(number, last=not following), held, None)
            except InvalidTag:
                raise damaged(f"its {part} was changed or cut off") from None
            if not following:
                return
            number, held = number + 1, following

    def signature(self, text: bytes) -> str:
        """Return what shows that a manifest was written by who made the backup."""
        key = _derived(self.secret, "manifest")
        return hmac.new(key, text, hashlib.sha256).hexdigest()


def new(settings: Settings, to: Recipient) -> FileKey:
    """Return a new key, wrapped for the recovery key and for this installation."""
    secret = secrets.token_bytes(_KEY)
    once = X25519PrivateKey.generate()
    ephemeral = once.public_key().public_bytes_raw()
    shared = once.exchange(X25519PublicKey.from_public_bytes(to.public))
    nonce = secrets.token_bytes(12)
    here = AESGCM(_derived(keyring.key(settings.keys, HERE), "wrap"))
    wrapped = {
        "recovery": to.id,
        "ephemeral": ephemeral.hex(),
        "for_recovery": _wrapping(shared, ephemeral, to.public)
        .encrypt(bytes(12), secret, None)
        .hex(),
        "for_here": (nonce + here.encrypt(nonce, secret, None)).hex(),
    }
    return FileKey(secret, wrapped)


def with_recovery_key(wrapped: Mapping[str, str], key: X25519PrivateKey) -> FileKey:
    """Open the key of a backup with the recovery key that somebody gave.

    Errors: ``InvalidInput`` backup.key-wrong, ``PreconditionFailed`` backup.damaged.
    """
    mine = recovery.identity_of(key)
    if wrapped.get("recovery") != mine:
        raise InvalidInput(
            "backup.key-wrong",
            f"This backup was sealed for the recovery key {wrapped.get('recovery')},"
            f" and that is {mine}: find the other one, from when the backup was made."
            " Without it nothing in this backup opens.",
        )
    try:
        ephemeral = bytes.fromhex(wrapped["ephemeral"])
        shared = key.exchange(X25519PublicKey.from_public_bytes(ephemeral))
        wrapping = _wrapping(shared, ephemeral, key.public_key().public_bytes_raw())
        text = bytes.fromhex(wrapped["for_recovery"])
        return FileKey(wrapping.decrypt(bytes(12), text, None), wrapped)
    except (InvalidTag, ValueError, KeyError):
        raise damaged("its manifest was changed") from None


def with_own_key(wrapped: Mapping[str, str], settings: Settings) -> FileKey:
    """Open the key of a backup of this installation.

    Errors: ``PreconditionFailed`` backup.key-needed when it is another one's, or this
    one was set up anew.
    """
    path = settings.keys / f"{HERE}.key"
    try:
        text = bytes.fromhex(wrapped["for_here"])
        here = AESGCM(_derived(keyring.read(path), "wrap"))
        return FileKey(here.decrypt(text[:12], text[12:], None), wrapped)
    except (OSError, InvalidTag, ValueError, KeyError):
        raise PreconditionFailed(
            "backup.key-needed",
            "This installation did not make that backup, or was set up anew since: the"
            f" recovery key {wrapped.get('recovery', '')} is needed to open it. Whoever"
            " has lost that can’t open it: there is no other way in.",
        ) from None


def damaged(what: str) -> PreconditionFailed:
    """Return the error of a backup that is not as it was made."""
    return PreconditionFailed(
        "backup.damaged", f"The backup is damaged ({what}): use another one."
    )


def _wrapping(shared: bytes, ephemeral: bytes, public: bytes) -> AESGCM:
    derive = HKDF(SHA256(), _KEY, salt=ephemeral + public, info=b"matinee backup")
    return AESGCM(derive.derive(shared))


def _derived(secret: bytes, purpose: str) -> bytes:
    info = f"matinee backup {purpose}".encode()
    return HKDF(SHA256(), _KEY, salt=None, info=info).derive(secret)


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\1" if last else b"\0")


def _pieces(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Cut blocks of any size into pieces of one size; there is always one."""
    held = bytearray()
    for block in blocks:
        held += block
        while len(held) >= _PIECE:
            yield bytes(held[:_PIECE])
            del held[:_PIECE]
    yield bytes(held)
