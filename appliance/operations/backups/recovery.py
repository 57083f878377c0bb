"""The recovery key: the one secret that opens backups where this machine is no more.

It is 32 random bytes, shown once as text, and kept by people, not here: only the public
half of the key pair that it is the private half of stays, to which every backup is
sealed. The installation opens its own backups with a key of its keyring, so that it can
verify them; that key lies in the backup too, and is no help to whoever has only that.
"""

import base64
import hashlib
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import (
    X25519PrivateKey,
    X25519PublicKey,
)

from appliance.clock import Clock, SystemClock
from appliance.errors import ConfigError, Conflict, InvalidInput, PreconditionFailed
from appliance.keyring import sync_folder
from appliance.settings import Settings

FILE = "recovery.json"
_BYTES, _CHECK = 32, 3
_GROUP = 4
# What people read for what is not among the letters and digits of Base32.
_MISREAD = str.maketrans("018", "OIB")


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom backups are sealed to; ``id`` tells recovery keys apart, openly."""

    id: str
    public: bytes
    made_at: str


def load(settings: Settings) -> Recipient:
    """Return whom backups are sealed to.

    Errors: ``PreconditionFailed`` backup.no-key where none was made yet.
    """
    path = settings.keys / FILE
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        public = bytes.fromhex(found["public"])
        X25519PublicKey.from_public_bytes(public)
        return Recipient(identity(public), public, str(found["made_at"]))
    except FileNotFoundError as error:
        raise PreconditionFailed(
            "backup.no-key",
            "There is no recovery key yet, so nobody could open a backup: make one with"
            " `matinee backup key new`, and write it down.",
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            "backup.key-damaged",
            f"{path} is damaged: restore it from a backup, or make a new recovery key"
            " with `matinee backup key new --replace`.",
        ) from error


def make(
    settings: Settings, *, replace: bool = False, clock: Clock | None = None
) -> str:
    """Make a recovery key, remember its public half, and return it as text.

    Nobody can show it again. Backups from before still open with the one before only.
    Errors: ``Conflict`` when there is one and it is not to be replaced.
    """
    path = settings.keys / FILE
    if path.exists() and not replace:
        raise Conflict(
            "backup.key-there",
            "There is a recovery key already. To make another one for the backups to"
            " come, say --replace; older backups need the older one.",
        )
    private = secrets.token_bytes(_BYTES)
    public = _pair(private).public_key().public_bytes_raw()
    made_at = (clock or SystemClock()).now().isoformat(timespec="seconds")
    settings.keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(
        path, json.dumps({"public": public.hex(), "made_at": made_at}).encode()
    )
    return as_text(private)


def as_text(private: bytes) -> str:
    """Write a recovery key for people: fourteen groups of four, with a checksum."""
    text = base64.b32encode(private + _checksum(private)).decode("ascii")
    return "-".join(text[at : at + _GROUP] for at in range(0, len(text), _GROUP))


def from_text(text: str) -> X25519PrivateKey:
    """Read a recovery key as a person wrote it down.

    Errors: ``InvalidInput`` backup.key-typo, when it cannot be one.
    """
    plain = "".join(text.split()).replace("-", "").upper().translate(_MISREAD)
    try:
        found = base64.b32decode(plain)
    except ValueError:
        found = b""
    private, check = found[:_BYTES], found[_BYTES:]
    if len(found) != _BYTES + _CHECK or check != _checksum(private):
        raise InvalidInput(
            "backup.key-typo",
            "That is no recovery key: it has fourteen groups of four letters and"
            " digits. Compare it with what was written down, letter by letter.",
        )
    return _pair(private)


def identity(public: bytes) -> str:
    """Return what tells one recovery key from another, and nothing more."""
    return hashlib.sha256(b"matinee recovery key " + public).hexdigest()[:8]


def identity_of(key: X25519PrivateKey) -> str:
    """Return the identity of a recovery key that somebody gave."""
    return identity(key.public_key().public_bytes_raw())


def write_private(path: Path, data: bytes) -> None:
    """Write a small file for its owner alone, whole or not at all."""
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    sync_folder(path.parent)


def _pair(private: bytes) -> X25519PrivateKey:
    return X25519PrivateKey.from_private_bytes(private)


def _checksum(private: bytes) -> bytes:
    return hashlib.sha256(b"matinee recovery key, typed " + private).digest()[:_CHECK]
