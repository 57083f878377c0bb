"""Where the certificate in use lies: each in a folder of its own, behind one link.

``certificate.pem`` and ``key.pem`` lead through the link ``current`` into a folder with
both: one rename changes them together, and the ones before stay to be put back.
"""

import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from appliance.errors import ConfigError, Locked, NotFound, PreconditionFailed
from appliance.operations.certificates import reading
from appliance.operations.certificates.accepting import Pair
from appliance.operations.certificates.reading import Certificate
from appliance.settings import Settings

_KEPT = 5
_CURRENT, _VERSIONS, _ABOUT = "current", "versions", "about.json"
_CERTIFICATE, _KEY = "certificate.pem", "key.pem"
_USUAL = Path("/etc/matinee/tls")
_INSTALLED = Path("/var/lib/matinee")


class Source(StrEnum):
    """Where a certificate came from."""

    SELF_SIGNED = "self-signed"
    OWN = "own"
    ACME = "acme"


@dataclass(frozen=True, slots=True)
class Place:
    """The two files that nginx reads, which lie in one folder."""

    certificate: Path
    key: Path

    @property
    def folder(self) -> Path:
        return self.certificate.parent

    @property
    def acme(self) -> Path:
        """Return the folder of what only asking an ACME server needs."""
        return self.folder / "acme"


def of(settings: Settings) -> Place:
    """Return the place that the settings name, else the usual one.

    Errors: ``ConfigError`` where the files lie in two folders.
    """
    nginx = settings.nginx
    usual = _USUAL if of_machine(settings) else settings.home / "tls"
    place = Place(
        Path(nginx.tls_certificate or usual / _CERTIFICATE),
        Path(nginx.tls_key or usual / _KEY),
    )
    if place.certificate.parent != place.key.parent:
        raise ConfigError(
            "tls.place",
            "nginx.tls_certificate and nginx.tls_key must lie in one folder, so that"
            " both are changed at once: set them to files of /etc/matinee/tls.",
        )
    return place


def of_machine(settings: Settings) -> bool:
    """Say whether it is the machine's own installation, and not one of a checkout."""
    return settings.home == _INSTALLED


def described(place: Place) -> Certificate:
    """Return what stands in the certificate in use. Errors: ``NotFound`` tls.none."""
    return reading.described(reading.chain(content(place), str(place.certificate)))


def content(place: Place) -> bytes:
    """Return the certificate in use with its chain. Errors: ``NotFound`` tls.none."""
    try:
        return place.certificate.read_bytes()
    except FileNotFoundError:
        pass
    except OSError as error:
        raise PreconditionFailed(
            "tls.permission", f"{place.certificate} can’t be read: {error.strerror}."
        ) from error
    raise NotFound(
        "tls.none",
        f"There is no certificate at {place.certificate} yet: matinee tls self-signed,"
        " install or acme.",
    )


def pair(place: Place) -> Pair:
    """Return both files in use. Errors: ``NotFound``, ``PreconditionFailed``."""
    certificate = content(place)
    try:
        return Pair(certificate, place.key.read_bytes())
    except OSError as error:
        raise PreconditionFailed(
            "tls.permission",
            f"{place.key} can’t be read ({error.strerror}): run it as root.",
        ) from error


def source(place: Place) -> Source:
    """Say where the certificate in use came from."""
    try:
        about = json.loads((place.folder / _CURRENT / _ABOUT).read_text("utf-8"))
        return Source(about["source"])
    except (OSError, ValueError, KeyError):
        own = described(place).self_signed
        return Source.SELF_SIGNED if own else Source.OWN


def open_folder(path: Path) -> None:
    """Make a folder that everybody may read, whatever a unit's UMask says."""
    if not path.is_dir():
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(0o755)


@contextmanager
def alone(place: Place) -> Iterator[None]:
    """Keep other changes away. Errors: ``Locked``, ``PreconditionFailed``."""
    with _explained(place):
        open_folder(place.folder)
        with (place.folder / ".lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Locked(
                    "tls.locked", "The certificate is being changed by another command."
                ) from error
            yield


def put(place: Place, new: Pair, whence: Source, now: datetime) -> str:
    """Put both files into use together; return what :func:`put_back` takes.

    To be called while :func:`alone`. Errors: ``PreconditionFailed``.
    """
    with _explained(place):
        before = _keep_what_lies_there(place, now)
        _turn(place, _written(place, new, whence, now))
        _lead(place)
        _forget_old(place, before)
    return before


def put_back(place: Place, before: str) -> None:
    """Put what was in use before into use again; without any, take the new one away."""
    if before:
        _turn(place, before)
        return
    for path in (place.certificate, place.key, place.folder / _CURRENT):
        path.unlink(missing_ok=True)


def _keep_what_lies_there(place: Place, now: datetime) -> str:
    """Return the folder in use, into which files of an operator are moved before."""
    link = place.folder / _CURRENT
    if link.is_symlink():
        return link.readlink().name
    if not (place.certificate.is_file() and place.key.is_file()):
        return ""
    old = Pair(place.certificate.read_bytes(), place.key.read_bytes())
    name = _written(place, old, Source.OWN, now)
    _turn(place, name)
    return name


def _written(place: Place, new: Pair, whence: Source, now: datetime) -> str:
    """Write a folder with both files; return its name."""
    name = f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
    folder = place.folder / _VERSIONS / name
    open_folder(folder.parent)
    open_folder(folder)
    about = json.dumps({"source": whence.value, "at": now.isoformat()})
    _write(folder / _CERTIFICATE, new.certificate, 0o644)
    _write(folder / _KEY, new.key, 0o600)
    _write(folder / _ABOUT, about.encode(), 0o644)
    return name


def _write(path: Path, data: bytes, mode: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(path, flags, mode), "wb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _turn(place: Place, name: str) -> None:
    _link(place.folder / _CURRENT, Path(_VERSIONS) / name)


def _lead(place: Place) -> None:
    """Let the two files that nginx reads lead to where both are changed at once."""
    for path, name in ((place.certificate, _CERTIFICATE), (place.key, _KEY)):
        target = Path(_CURRENT) / name
        if not path.is_symlink() or path.readlink() != target:
            _link(path, target)


def _link(path: Path, target: Path) -> None:
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    aside.symlink_to(target)
    aside.replace(path)


def _forget_old(place: Place, before: str) -> None:
    """Remove all but the last few; that of before stays, whatever its age."""
    kept = {(place.folder / _CURRENT).readlink().name, before}
    folders = sorted((place.folder / _VERSIONS).iterdir())
    for old in [each for each in folders if each.name not in kept][: -(_KEPT - 2)]:
        shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _explained(place: Place) -> Iterator[None]:
    try:
        yield
    except PermissionError as error:
        raise PreconditionFailed(
            "tls.permission",
            f"{error.filename or place.folder} can’t be written: run it as root.",
        ) from error
