"""The releases on a machine: which there are, which is in use, and changing that.

They lie side by side in ``/opt/matinee/releases``; ``current`` and ``previous`` are
links, each turned by one rename. What is done to a database is not decided here.
"""

import fcntl
import json
import re
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from appliance.errors import (
    InvalidInput,
    Locked,
    NotFound,
    PreconditionFailed,
    StorageFull,
)
from appliance.keyring import sync_folder
from appliance.operations import bundle_proof
from appliance.operations.bundle_proof import Key, Refused

KEPT = 3
COMPLETE = ".complete"
"""What the installer writes last: a release without it was cut short."""

_NUMBERS = re.compile(r"\d+|[a-z]+")


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things lie on a host; ``root`` is where its files begin."""

    root: Path = Path("/")

    @property
    def folder(self) -> Path:
        return self.root / "opt/matinee"

    @property
    def units(self) -> Path:
        return self.root / "etc/systemd/system"

    @property
    def configuration(self) -> Path:
        return self.root / "etc/matinee/matinee.toml"

    @property
    def trusted(self) -> Path:
        return self.root / str(bundle_proof.TRUSTED).lstrip("/")

    def release(self, version: str) -> Path:
        """Return the folder of a release, whether there is one or not."""
        return self.folder / "releases" / version

    def program(self, version: str) -> Path:
        """Return the command of a release."""
        return self.release(version) / "venv" / "bin" / "matinee"


@dataclass(frozen=True, slots=True)
class Release:
    """A release on this machine; ``whole`` is false where its installing broke off."""

    version: str
    built_at: str
    schema: tuple[str, ...]
    whole: bool
    current: bool
    previous: bool


def listing(layout: Layout) -> tuple[Release, ...]:
    """Return what is installed, the newest first."""
    folder = layout.folder / "releases"
    names = [each.name for each in folder.iterdir()] if folder.is_dir() else []
    shown = (each for each in names if not each.startswith("."))
    return tuple(
        _release(layout, each) for each in sorted(shown, key=in_order, reverse=True)
    )


def in_order(version: str) -> tuple[tuple[int, str], ...]:
    """Return what versions are sorted by: 1.10 comes after 1.9, 1.0 after 1.0rc1."""
    words = _NUMBERS.findall(version.lower())
    parts = [(int(word), "") if word.isdigit() else (-1, word) for word in words]
    return (*parts, (0, ""))


def in_use(layout: Layout, link: str = "current") -> str:
    """Return the version that a link leads to; empty where there is none."""
    try:
        return (layout.folder / link).readlink().name
    except OSError:
        return ""


def require(layout: Layout, version: str) -> Release:
    """Return a release that can be put into use.

    Errors: ``NotFound``, ``PreconditionFailed`` for one whose installing broke off.
    """
    found = next((each for each in listing(layout) if each.version == version), None)
    if found is None:
        raise NotFound(
            "release.missing",
            f"There is no release {version} here: `matinee release list` shows those"
            " that are; install it with install.sh of its bundle.",
        )
    if not found.whole:
        raise PreconditionFailed(
            "release.unfinished",
            f"Release {version} was not installed to its end: run install.sh of its"
            " bundle again.",
        )
    return found


def switch(layout: Layout, version: str, previous: str) -> None:
    """Put a release into use, and say which one to go back to. Safe to repeat."""
    if previous:
        _turn(layout, "previous", previous)
    else:
        (layout.folder / "previous").unlink(missing_ok=True)
    _turn(layout, "current", version)


def forget_old(layout: Layout, kept: int = KEPT) -> list[str]:
    """Remove releases that nobody goes back to; return their versions."""
    wanted = {in_use(layout), in_use(layout, "previous")}
    others = [each.version for each in listing(layout) if each.version not in wanted]
    gone = others[max(0, kept - len(wanted - {""})) :]
    for version in gone:
        folder = layout.release(version)
        # Without its mark it is nobody's, should this be cut short.
        (folder / COMPLETE).unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
    return gone


@contextmanager
def alone(layout: Layout) -> Iterator[None]:
    """Let nobody else change releases meanwhile. Errors: ``Locked``."""
    layout.folder.mkdir(parents=True, exist_ok=True)
    with (layout.folder / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Locked(
                "release.locked",
                "Another upgrade or rollback runs on this machine: let it end first.",
            ) from error
        yield


def check(bundle: Path, keys: Sequence[Key]) -> str:
    """Return the version of a bundle, file or folder, that is whole and signed.

    Errors: ``NotFound``, ``InvalidInput`` with the reason why it is not used.
    """
    look = bundle_proof.check_folder if bundle.is_dir() else bundle_proof.check_file
    with _explained(bundle):
        return look(bundle, keys, _holds)


def unpack(bundle: Path, into: Path, keys: Sequence[Key]) -> Path:
    """Unpack a bundle that is whole and signed; return its folder.

    Errors: those of :func:`check`, and ``StorageFull``.
    """
    into.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _explained(bundle):
        needed = bundle.stat().st_size
        if shutil.disk_usage(into).free < needed + needed // 10:
            raise StorageFull(
                "release.room",
                f"{into} has no room for {needed // 1_000_000} MB of {bundle.name}.",
            )
        return bundle_proof.unpack(bundle, into, keys, _holds)


def trusted(layout: Layout, key: str = "") -> list[Key]:
    """Return whose releases are believed here: the key given, or the one kept.

    Errors: ``PreconditionFailed`` where there is neither, ``InvalidInput``.
    """
    if not key and not layout.trusted.is_file():
        raise PreconditionFailed(
            "release.no-key",
            f"There is no {layout.trusted}: give the key of your supplier with --key.",
        )
    with _explained(layout.trusted):
        return [bundle_proof.read_key(key or layout.trusted.read_text())]


def _holds(point: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(point).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@contextmanager
def _explained(bundle: Path) -> Iterator[None]:
    try:
        yield
    except Refused as refusal:
        raise InvalidInput(refusal.code, refusal.sentence) from refusal
    except FileNotFoundError as error:
        raise NotFound("release.no-file", f"There is no {bundle}.") from error


def _release(layout: Layout, version: str) -> Release:
    folder = layout.release(version)
    facts: dict[str, Any] = {}
    with suppress(OSError, ValueError):
        facts = json.loads((folder / "release.json").read_text(encoding="utf-8"))
    return Release(
        version=version,
        built_at=str(facts.get("built_at", "")),
        schema=tuple(facts.get("schema", ())),
        whole=bool(facts) and (folder / COMPLETE).is_file(),
        current=in_use(layout) == version,
        previous=in_use(layout, "previous") == version,
    )


def _turn(layout: Layout, link: str, version: str) -> None:
    aside = layout.folder / f".{link}.{secrets.token_hex(4)}"
    aside.symlink_to(Path("releases") / version)
    aside.replace(layout.folder / link)
    sync_folder(layout.folder)
