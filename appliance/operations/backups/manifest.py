"""What a backup says of itself: when, of which release, what is in it, and the hashes.

It is read before anything is believed: names of parts are ours alone, paths stay in the
storage, and a shape that is not this one is refused.
"""

import gzip
import hashlib
import json
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from appliance.errors import InvalidInput, PreconditionFailed
from appliance.operations.backups.sealed import FileKey, damaged

FORMAT = 1
FILE = "manifest.json"
DATABASE, SECRETS, FILES = "database.sealed", "secrets.sealed", "files.jsonl.gz"
PARTS = (DATABASE, SECRETS, FILES)
LARGEST = 4 * 1024 * 1024
_NAME = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{6}", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a backup."""

    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of the storage, as it was; ``path`` is relative to it."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """``counts`` are rows of tables, ``schema`` the migrations the database has had.

    ``files`` counts those of the storage that go with it, ``file_bytes`` their bytes;
    ``elsewhere`` are tracks in the object storage, of which nothing is copied, ``lost``
    files that rows name and the storage did not have.
    """

    name: str
    at: str
    version: str
    schema: tuple[str, ...]
    installation: str
    media: str
    counts: Mapping[str, int]
    database: Part
    parts: Mapping[str, Part]
    files: int
    file_bytes: int
    elsewhere: int
    lost: int
    sealing: Mapping[str, str]
    signature: str = ""

    @property
    def bytes(self) -> int:
        """What its own parts take up, without the files that backups share."""
        return sum(part.bytes for part in self.parts.values())

    def signed(self, key: FileKey) -> "Manifest":
        """Return it with the signature that only who has the key can make."""
        return replace(self, signature=key.signature(_signable(self)))

    def require_signed(self, key: FileKey) -> None:
        """Refuse one that was changed. Errors: ``PreconditionFailed``."""
        if not secrets.compare_digest(self.signature, key.signature(_signable(self))):
            raise damaged("its manifest was changed")


def new_name(now: datetime) -> str:
    """Return a name that sorts by time, for a backup made now."""
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


def is_name(text: str) -> bool:
    """Say whether a text is the name of a backup, and so no path."""
    try:
        return _NAME.fullmatch(text) is not None and bool(made_at(text))
    except ValueError:
        return False


def require_name(text: str) -> str:
    """Refuse what is no name of a backup. Errors: ``InvalidInput``."""
    if not is_name(text):
        raise InvalidInput(
            "backup.name",
            f"“{text}” is no name of a backup: `matinee backup list` shows them.",
        )
    return text


def made_at(name: str) -> datetime:
    """Return when the backup of that name was begun."""
    return datetime.strptime(name.partition("-")[0], "%Y%m%dT%H%M%SZ").replace(
        tzinfo=UTC
    )


def to_json(manifest: Manifest) -> bytes:
    """Write a manifest."""
    return json.dumps(_document(manifest), indent=1, sort_keys=True).encode()


def from_json(data: bytes, name: str) -> Manifest:
    """Read the manifest of the backup of that name.

    Errors: ``PreconditionFailed`` backup.foreign, backup.newer, backup.damaged.
    """
    try:
        found = json.loads(data)
    except ValueError:
        raise damaged("its manifest can’t be read") from None
    if not isinstance(found, dict) or found.get("kind") != "matinee backup":
        raise PreconditionFailed(
            "backup.foreign", f"{name} was not made by Matinee: use another backup."
        )
    if found.get("format") != FORMAT:
        raise newer(name, str(found.get("version", "")))
    try:
        manifest = _manifest(found)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise damaged("its manifest has a wrong shape") from None
    if manifest.name != name:
        raise damaged(f"it says that it is {manifest.name}")
    return manifest


def newer(name: str, version: str) -> PreconditionFailed:
    """Return the error of a backup that a newer release has made."""
    return PreconditionFailed(
        "backup.newer",
        f"{name} was made by Matinee {version}, which is newer than this: install"
        f" release {version} first, then restore it.",
        {"version": version},
    )


def write_index(entries: Iterable[Entry], target: Path) -> None:
    """Write the list of files that go with a backup."""
    with target.open("wb") as raw, gzip.GzipFile("", "wb", 3, raw, mtime=0) as file:
        for each in entries:
            line = json.dumps([each.path, each.bytes, each.sha256])
            file.write(line.encode() + b"\n")


def read_index(source: Path) -> Iterator[Entry]:
    """Yield the files that go with a backup. Errors: ``PreconditionFailed``."""
    try:
        with gzip.open(source, "rt", encoding="utf-8") as file:
            for line in file:
                yield _entry(json.loads(line))
    except (OSError, EOFError, ValueError, TypeError, KeyError):
        raise damaged("its list of files can’t be read") from None


def digest(path: Path) -> Part:
    """Return size and SHA-256 of a file."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    return Part(path.stat().st_size, found)


def _entry(found: Any) -> Entry:
    path, size, sha256 = found
    parts = PurePosixPath(path).parts
    if not parts or parts[0] == "/" or ".." in parts or "\0" in path:
        raise ValueError(path)
    return Entry(path, int(size), _checked(sha256))


def _checked(sha256: str) -> str:
    if not _DIGEST.fullmatch(sha256):
        raise ValueError(sha256)
    return sha256


def _document(manifest: Manifest) -> dict[str, Any]:
    return {
        "kind": "matinee backup",
        "format": FORMAT,
        "name": manifest.name,
        "at": manifest.at,
        "version": manifest.version,
        "schema": list(manifest.schema),
        "installation": manifest.installation,
        "media": manifest.media,
        "counts": dict(manifest.counts),
        "database": [manifest.database.bytes, manifest.database.sha256],
        "parts": {
            name: [part.bytes, part.sha256] for name, part in manifest.parts.items()
        },
        "files": manifest.files,
        "file_bytes": manifest.file_bytes,
        "elsewhere": manifest.elsewhere,
        "lost": manifest.lost,
        "sealing": dict(manifest.sealing),
        "signature": manifest.signature,
    }


def _signable(manifest: Manifest) -> bytes:
    return json.dumps(
        _document(replace(manifest, signature="")), sort_keys=True
    ).encode()


def _manifest(found: Mapping[str, Any]) -> Manifest:
    parts = {name: _part(found["parts"][name]) for name in PARTS}
    return Manifest(
        name=str(found["name"]),
        at=str(found["at"]),
        version=str(found["version"]),
        schema=tuple(map(str, found["schema"])),
        installation=str(found["installation"]),
        media=str(found["media"]),
        counts={str(name): int(count) for name, count in found["counts"].items()},
        database=_part(found["database"]),
        parts=parts,
        files=int(found["files"]),
        file_bytes=int(found["file_bytes"]),
        elsewhere=int(found["elsewhere"]),
        lost=int(found["lost"]),
        sealing={str(name): str(value) for name, value in found["sealing"].items()},
        signature=str(found["signature"]),
    )


def _part(found: Any) -> Part:
    size, sha256 = found
    return Part(int(size), _checked(sha256))
