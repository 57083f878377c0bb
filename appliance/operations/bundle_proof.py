"""Is a release bundle whole, and from whom it says? Nothing but the standard library.

A bundle is a tar of one folder ``matinee-<version>``: ``MANIFEST`` holds the SHA-256
of each file, ``MANIFEST.minisig`` is its signature as minisign writes them. This
module is in the installed appliance and, beside ``workshop/release/verify.py``, in each
bundle, where it runs before anything of ours is installed.
"""

import base64
import binascii
import hashlib
import io
import os
import re
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

Verify = Callable[[bytes, bytes, bytes], bool]
"""``verify(public key, signature, message)``: does this Ed25519 signature hold?"""

MANIFEST, SIGNATURE, KEY = "MANIFEST", "MANIFEST.minisig", "release.pub"
TRUSTED = Path("/etc/matinee/release.pub")

_LARGEST_TEXT = 8 * 1024 * 1024
_BLOCK = 1024 * 1024
_COMMENT = re.compile(r"matinee ([0-9][0-9A-Za-z.+-]{0,39})")
_LINE = re.compile(r"([0-9a-f]{64})  (.+)")
_PART = re.compile(r"[\w.+@,=~ -]+")


class Refused(Exception):
    """The bundle is not to be used; ``code`` is stable, the text says why."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code, self.sentence = code, sentence


@dataclass(frozen=True, slots=True)
class Key:
    """A public key: the number minisign knows it by, and the 32 bytes themselves."""

    number: bytes
    point: bytes

    @property
    def text(self) -> str:
        """The line that people compare."""
        return base64.b64encode(b"Ed" + self.number + self.point).decode()


def read_key(text: str) -> Key:
    """Read a public key: its line, or the whole file of minisign."""
    lines = [line for line in text.splitlines() if line.strip()]
    raw = _decoded(lines[-1] if lines else "", 42)
    if raw is None or raw[:2] != b"Ed":
        raise Refused("release.key", "That is no public key of minisign (RW…).")
    return Key(raw[2:10], raw[10:])


def check_folder(folder: Path, keys: Sequence[Key], verify: Verify) -> str:
    """Return the version of an unpacked bundle whose every file is as it was signed."""
    found = _files(folder)
    if MANIFEST not in found:
        raise _not_one(folder)
    if SIGNATURE not in found:
        raise _unsigned(folder)
    manifest, signature = (folder / name for name in (MANIFEST, SIGNATURE))
    version, sums = _signed(manifest.read_bytes(), signature.read_bytes(), keys, verify)
    _same_names(folder, sums, found - {MANIFEST, SIGNATURE})
    for name, expected in sums.items():
        with (folder / name).open("rb") as file:
            if digest(file) != expected:
                raise _altered(folder, name)
    return version


def check_file(path: Path, keys: Sequence[Key], verify: Verify) -> str:
    """Return the version of a bundle that is whole and signed; nothing is written."""
    return _walk(path, keys, verify, lambda _name, _runs, file: digest(file))


def unpack(path: Path, into: Path, keys: Sequence[Key], verify: Verify) -> Path:
    """Unpack a bundle whose every file is as it was signed; return its folder.

    The folder appears whole or not at all; one that is there already is replaced.
    """
    aside = Path(tempfile.mkdtemp(prefix=".unpacking-", dir=into))

    def written(name: str, runs: bool, file: IO[bytes]) -> str:
        target = aside / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as out:
            found = digest(file, out)
        target.chmod(0o755 if runs else 0o644)
        return found

    try:
        version = _walk(path, keys, verify, written)
        aside.chmod(0o755)
        target = into / f"matinee-{version}"
        if target.exists():
            target.rename(aside.with_name(f"{aside.name}-old"))
        aside.rename(target)
        return target
    finally:
        shutil.rmtree(aside, ignore_errors=True)
        shutil.rmtree(aside.with_name(f"{aside.name}-old"), ignore_errors=True)


_Take = Callable[[str, bool, IO[bytes]], str]
_Member = tuple[str, str, bool, IO[bytes]]


def _walk(path: Path, keys: Sequence[Key], verify: Verify, take: _Take) -> str:
    """Give each file of the archive to ``take``, and compare the sum it returns.

    The signature is read and checked first; nothing unsigned is ever taken.
    """
    with _opened(path) as members:
        version, sums, texts = _head(path, members, keys, verify)
        for name, data in texts.items():
            take(name, False, io.BytesIO(data))
        seen: set[str] = set()
        for _top, name, runs, file in members:
            if name in seen or name not in sums:
                raise _stranger(path, name)
            seen.add(name)
            if take(name, runs, file) != sums[name]:
                raise _altered(path, name)
    _same_names(path, sums, seen)
    return version


def _head(
    path: Path, members: Iterator[_Member], keys: Sequence[Key], verify: Verify
) -> tuple[str, dict[str, str], dict[str, bytes]]:
    """Read the two files that come first, and believe them or not."""
    texts: dict[str, bytes] = {}
    top = ""
    for wanted in (MANIFEST, SIGNATURE):
        entry = next(members, None)
        if entry is None or entry[1] != wanted:
            raise _not_one(path) if wanted == MANIFEST else _unsigned(path)
        top = entry[0]
        texts[wanted] = entry[3].read(_LARGEST_TEXT)
    version, sums = _signed(texts[MANIFEST], texts[SIGNATURE], keys, verify)
    if top != f"matinee-{version}":
        raise Refused(
            "release.renamed", f"{path} calls itself {top}, and is {version} as signed."
        )
    return version, sums, texts


@contextmanager
def _opened(path: Path) -> Iterator[Iterator[_Member]]:
    try:
        with path.open("rb") as raw, tarfile.open(fileobj=raw, mode="r|") as archive:
            yield _members(path, archive)
    except tarfile.TarError as error:
        raise Refused(
            "release.truncated",
            f"{path} is no whole release bundle: it was cut short, or is something"
            " else. Get it again.",
        ) from error
    except (EOFError, UnicodeError) as error:
        raise _not_one(path) from error


def _members(path: Path, archive: tarfile.TarFile) -> Iterator[_Member]:
    top = ""
    for member in archive:
        if member.isdir():
            _safe(path, member.name)
            continue
        if not member.isreg():
            raise Refused(
                "release.unsafe",
                f"{path} holds {member.name!r}, which is no plain file.",
            )
        _safe(path, member.name)
        first, _, name = member.name.partition("/")
        top = top or first
        if first != top or not name:
            raise _stranger(path, member.name)
        file = archive.extractfile(member)
        assert file is not None
        yield top, name, bool(member.mode & 0o100), file


def _safe(path: Path, name: str) -> None:
    """Refuse what would leave the folder, or look like something else."""
    parts = name.split("/")
    if not all(part not in ("", ".", "..") and _PART.fullmatch(part) for part in parts):
        raise Refused(
            "release.unsafe",
            f"{path} holds {name!r}, which would be written elsewhere: it is not used.",
        )


def _signed(
    manifest: bytes, signature: bytes, keys: Sequence[Key], verify: Verify
) -> tuple[str, dict[str, str]]:
    """Return version and sums of a manifest that one of the keys has signed."""
    number, made, comment, sealed = _parsed(signature)
    key = next((each for each in keys if each.number == number), None)
    if key is None:
        raise Refused(
            "release.stranger",
            "The bundle is signed by a key that is not trusted here"
            f" ({number[::-1].hex().upper()}). If it should be, put the new public key"
            f" into {TRUSTED}.",
        )
    digest = hashlib.blake2b(manifest).digest()
    right = verify(key.point, made, digest)
    if not right or not verify(key.point, sealed, made + comment):
        raise Refused(
            "release.forged",
            "The signature does not belong to this bundle: get the file again from"
            " where releases come from.",
        )
    named = _COMMENT.fullmatch(comment.decode("utf-8", "replace"))
    if named is None:
        raise _not_one(Path(MANIFEST))
    return named[1], _sums(manifest)


def _parsed(text: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """Return number of the key, signature, trusted comment and what seals that."""
    lines = text.decode("utf-8", "replace").splitlines()
    if len(lines) == 4 and lines[2].startswith("trusted comment: "):
        made, sealed = _decoded(lines[1], 74), _decoded(lines[3], 64)
        # “ED” signs the BLAKE2b sum, as minisign does since 2015; “Ed” is refused.
        if made is not None and sealed is not None and made[:2] == b"ED":
            comment = lines[2].removeprefix("trusted comment: ").encode()
            return made[2:10], made[10:], comment, sealed
    raise Refused("release.signature", f"{SIGNATURE} is no signature of minisign.")


def _decoded(text: str, length: int) -> bytes | None:
    try:
        raw = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if len(raw) == length else None


def _sums(manifest: bytes) -> dict[str, str]:
    sums: dict[str, str] = {}
    for line in manifest.decode().splitlines():
        found = _LINE.fullmatch(line)
        if found is None or found[2] in sums:
            raise Refused("release.manifest", f"{MANIFEST} is not to be read.")
        _safe(Path(MANIFEST), found[2])
        sums[found[2]] = found[1]
    return sums


def _files(folder: Path) -> set[str]:
    found: set[str] = set()
    for where, folders, names in os.walk(folder):
        linked = (each for each in folders if Path(where, each).is_symlink())
        for name in (*names, *linked):
            path = Path(where, name)
            if path.is_symlink() or not path.is_file():
                raise Refused(
                    "release.unsafe", f"{path} is no plain file: it is not used."
                )
            found.add(str(path.relative_to(folder)))
    return found


def _same_names(place: Path, sums: Mapping[str, str], found: set[str]) -> None:
    for name in sorted(sums.keys() - found):
        raise Refused(
            "release.truncated",
            f"{name} is missing in {place}: it was cut short. Get it again.",
        )
    for name in sorted(found - sums.keys()):
        raise _stranger(place, name)


def digest(file: IO[bytes], out: IO[bytes] | None = None) -> str:
    digest = hashlib.sha256()
    while block := file.read(_BLOCK):
        digest.update(block)
        if out is not None:
            out.write(block)
    return digest.hexdigest()


def _not_one(path: Path) -> Refused:
    return Refused("release.unknown", f"{path} is no release bundle of Matinee.")


def _unsigned(path: Path) -> Refused:
    return Refused(
        "release.unsigned", f"{path} is not signed: use only what your supplier signed."
    )


def _altered(path: Path, name: str) -> Refused:
    sentence = f"{name} in {path} is not what was signed: get the bundle again."
    return Refused("release.altered", sentence)


def _stranger(path: Path, name: str) -> Refused:
    return Refused(
        "release.added", f"{path} holds {name!r}, which was not signed: it is not used."
    )
