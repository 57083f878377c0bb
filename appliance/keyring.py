"""Random keys of this installation, each a file of mode 0600 outside the database."""

import os
import secrets
from pathlib import Path

from appliance.errors import ConfigError

_BYTES = 32


def key(folder: Path, name: str) -> bytes:
    """Return the 32 bytes of the key called ``name``; make it when it is new.

    Several processes may ask at once: the first file that is linked into place wins.
    Errors: ``ConfigError`` when the file does not hold 32 bytes of hexadecimal text.
    """
    path = folder / f"{name}.key"
    if not path.exists():
        _create(path)
    return read(path)


def read(path: Path) -> bytes:
    """Return the 32 bytes that the key file ``path`` holds; never make one.

    Errors: ``ConfigError`` as for :func:`key`, ``OSError`` when it can't be read.
    """
    try:
        value = bytes.fromhex(path.read_text().strip())
    except ValueError:
        value = b""
    if len(value) != _BYTES:
        raise ConfigError(
            "keyring.damaged",
            f"{path} does not hold a key: restore it from the backup.",
        )
    return value


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder would outlast a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _create(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        _give_to_owner(handle, path.parent)
        file.write(secrets.token_hex(_BYTES) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(aside, path)
    except FileExistsError:
        pass
    finally:
        aside.unlink()
    sync_folder(path.parent)


def _give_to_owner(handle: int, folder: Path) -> None:
    """Let the service read what root makes in its folder with a command."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(handle, owner.st_uid, owner.st_gid)
