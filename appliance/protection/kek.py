"""Key-encryption keys: the files that open the content keys in the database.

A file ``content-<number>.key`` lies in the folder of keys, or is given to the service
by systemd in ``$CREDENTIALS_DIRECTORY``. Every key in either place opens; the highest
number wraps, and where credentials are given, only those wrap.

A row says what wrapped it as ``content-<number>:<fingerprint>``. The fingerprint finds
the key under whatever name it lies, and tells a wrong file from the right one; the
number is never given to another key, so that a file which comes back from a backup
lands on nothing that is needed.
"""

import hashlib
import hmac
import os
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from appliance import keyring
from appliance.errors import ConfigError, PreconditionFailed
from appliance.settings import Settings

_FILE = re.compile(r"(content-([1-9][0-9]{0,8}))\.key", re.ASCII)
_NAME = re.compile(r"content-([1-9][0-9]{0,8})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Kek:
    """One key-encryption key; ``id`` is what the rows that it wrapped say."""

    name: str
    id: str
    cipher: AESGCM = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Ring:
    """Every key-encryption key of this installation that can be read.

    ``names`` are those of all files, also of the ones that hold no key; ``wrapping``
    is the key for new rows.
    """

    by_fingerprint: Mapping[str, Kek]
    names: frozenset[str]
    readable: frozenset[str]
    wrapping: Kek | None
    from_credentials: bool

    def find(self, kek_id: str) -> Kek | None:
        """Return the key that a row names, wherever it lies."""
        return self.by_fingerprint.get(_fingerprint(kek_id))


def load(settings: Settings, *, afresh: bool = False) -> Ring:
    """Return the ring, from memory until one of the two folders changes.

    ``afresh`` reads the files again: a file that was overwritten leaves its folder's
    time alone, and two changes may fall into one tick of it.
    """
    if afresh:
        _read.cache_clear()
    keys, credentials = settings.keys, _credentials()
    return _read(keys, _changed(keys), credentials, _changed(credentials))


def require(ring: Ring, needed: Iterable[str]) -> None:
    """Refuse to go on without a key that rows need, named by their ``kek``.

    Errors: ``PreconditionFailed`` protection.kek-lost when its file is not there,
    protection.kek-wrong when the file holds something else.
    """
    for kek_id in needed:
        if ring.find(kek_id) is None:
            raise missing(ring, kek_id)


def for_new_rows(settings: Settings, named: Collection[str]) -> Kek:
    """Return the key that wraps new rows; make one where there is none to be trusted.

    ``named`` is what all rows say. A file that bears the name of a lost key wraps
    nothing: the backup that brings the lost one back would overwrite it. To be called
    inside ``write(db)``, so that a rotation comes before it or after it.
    """
    ring = load(settings, afresh=True)
    lost = {_name(each) for each in named if ring.find(each) is None}
    if ring.wrapping is not None and ring.wrapping.name not in lost:
        return ring.wrapping
    return _make(settings, ring, named)


def successor(settings: Settings, live: Collection[str], named: Collection[str]) -> Kek:
    """Return the key that a rotation wraps everything with.

    That is a new file; or, where systemd gives the keys, the newest credential, as
    long as ``live``, what the rows in use say, is not all about that one.
    Errors: ``PreconditionFailed`` protection.kek-credential when it is.
    """
    ring = load(settings, afresh=True)
    newest = ring.wrapping
    if ring.from_credentials and newest is not None and set(live) != {newest.id}:
        return newest
    return _make(settings, ring, named)


def remove_unneeded(settings: Settings, named: Collection[str]) -> tuple[str, ...]:
    """Remove the files that no row names, but the one that wraps; return their names.

    Only files whose key is known to open nothing go: one that can't be read stays.
    """
    wanted = {_fingerprint(each) for each in named}
    wrapping = load(settings, afresh=True).wrapping
    removed = []
    for path, name in _files(settings.keys):
        kek = _opened(path)
        if kek and kek != wrapping and _fingerprint(kek.id) not in wanted:
            path.unlink()
            removed.append(name)
    if removed:
        keyring.sync_folder(settings.keys)
    return tuple(removed)


def _make(settings: Settings, ring: Ring, named: Iterable[str]) -> Kek:
    """Make the file with the lowest number that neither a file nor a row has used."""
    used = [*ring.names, *map(_name, named)]
    name = f"content-{max(map(_number, used), default=0) + 1}"
    if ring.from_credentials:
        raise PreconditionFailed(
            "protection.kek-credential",
            "The key-encryption keys are systemd credentials, which Matinee can't make:"
            f" add a credential {name}.key with 64 random hexadecimal digits to the"
            " unit, keep the others, restart the service and try again.",
            {"credential": f"{name}.key"},
        )
    keyring.key(settings.keys, name)
    kek = load(settings, afresh=True).wrapping
    assert kek is not None
    return kek


def missing(ring: Ring, kek_id: str) -> PreconditionFailed:
    name = _name(kek_id)
    # Shown at the licence door too: names of files, and no paths.
    remedy = (
        f"restore {name}.key from the backup into the folder of keys, or give it as a"
        " credential. Nothing was replaced. If it is gone for good, bring the content"
        " keys back from an export with `matinee key import`; without one, remove the"
        " titles that `matinee doctor` names and upload their films again."
    )
    if name in ring.readable:
        return PreconditionFailed(
            "protection.kek-wrong",
            f"{name}.key does not hold the key that wrapped content keys: {remedy}",
            {"kek": kek_id},
        )
    return PreconditionFailed(
        "protection.kek-lost",
        f"{name}.key, which opens content keys, is missing or unreadable: {remedy}",
        {"kek": kek_id},
    )


@lru_cache(maxsize=8)
def _read(
    keys: Path, _keys_at: int, credentials: Path | None, _credentials_at: int
) -> Ring:
    """Read both folders; the times of change only tell apart what was read."""
    files = [*_files(keys), *_files(credentials)]
    opened = [(path, name, _opened(path)) for path, name in files]
    keks = [(path.parent == credentials, kek) for path, _, kek in opened if kek]
    last = max(keks, key=lambda each: (each[0], _number(each[1].name)), default=None)
    return Ring(
        by_fingerprint={_fingerprint(kek.id): kek for _, kek in keks},
        names=frozenset(name for _, name, _ in opened),
        readable=frozenset(
            name for path, name, _ in opened if os.access(path, os.R_OK)
        ),
        wrapping=last[1] if last else None,
        from_credentials=bool(_files(credentials)),
    )


def _files(folder: Path | None) -> list[tuple[Path, str]]:
    try:
        paths = sorted(folder.iterdir()) if folder else []
    except OSError:
        return []
    parts = ((path, _FILE.fullmatch(path.name)) for path in paths)
    return [(path, match[1]) for path, match in parts if match]


def _opened(path: Path) -> Kek | None:
    """Return the key of a file; None when it holds none, which a row will miss."""
    try:
        key = keyring.read(path)
    except (ConfigError, OSError):
        return None
    # It tells the key apart from others and says nothing about it.
    digest = hmac.new(key, b"matinee key-encryption key", hashlib.sha256).hexdigest()
    return Kek(path.stem, f"{path.stem}:{digest[:16]}", AESGCM(key))


def _credentials() -> Path | None:
    given = os.environ.get("CREDENTIALS_DIRECTORY")
    return Path(given) if given else None


def _changed(folder: Path | None) -> int:
    try:
        return folder.stat().st_mtime_ns if folder else 0
    except OSError:
        return 0


def _name(kek_id: str) -> str:
    return kek_id.rpartition(":")[0]


def _fingerprint(kek_id: str) -> str:
    return kek_id.rpartition(":")[2]


def _number(name: str) -> int:
    match = _NAME.fullmatch(name)
    return int(match[1]) if match else 0
