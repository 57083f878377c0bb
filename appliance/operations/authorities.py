"""The company's own authorities, whom our calls believe beside the system's.

Each lies as one file in a folder of the home, named by its fingerprint, and
:mod:`appliance.outbound` hands them to whoever calls out.
"""

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from appliance.errors import Conflict, InvalidInput, NotFound
from appliance.operations.certificates import reading
from appliance.operations.certificates.place import open_folder
from appliance.operations.certificates.reading import Certificate
from appliance.outbound import Ways


@dataclass(frozen=True, slots=True)
class Authority:
    """One authority; ``id`` is the beginning of its fingerprint."""

    id: str
    certificate: Certificate
    path: Path


def add(ways: Ways, content: bytes, now: datetime) -> tuple[Authority, ...]:
    """Believe the authorities of a PEM text; return those that are new.

    Errors: ``InvalidInput`` when one is no authority or has run out, ``Conflict`` when
    all are known.
    """
    chain = reading.chain(content)
    for each in chain:
        _require_authority(each, now)
    new = [each for each in chain if not _path(ways, each).exists()]
    if not new:
        raise Conflict("trust.known", "All of that is believed already.")
    open_folder(ways.authorities)
    for each in new:
        path = _path(ways, each)
        aside = path.with_suffix(".new")
        aside.write_bytes(each.public_bytes(Encoding.PEM))
        aside.chmod(0o644)
        aside.replace(path)
    _settle_owner(ways)
    return tuple(_authority(_path(ways, each)) for each in new)


def listing(ways: Ways) -> tuple[Authority, ...]:
    """Return the authorities that were added here."""
    return tuple(map(_authority, sorted(ways.authorities.glob("*.pem"))))


def remove(ways: Ways, word: str) -> Authority:
    """Believe an authority no longer; ``word`` is its id or fingerprint.

    Errors: ``NotFound``, ``InvalidInput`` where it means several.
    """
    wanted = word.replace(":", "").lower()
    found = [
        each for each in listing(ways) if wanted and each.path.stem.startswith(wanted)
    ]
    if not found:
        raise NotFound("trust.missing", f"No authority {word[:80]} was added here.")
    if len(found) > 1:
        raise InvalidInput("trust.several", f"{word} means several: give more of it.")
    found[0].path.unlink()
    return found[0]


def fingerprint(content: bytes) -> str:
    """Return the fingerprint of the first certificate of a PEM text."""
    return reading.chain(content)[0].fingerprint(hashes.SHA256()).hex()


def _require_authority(certificate: x509.Certificate, now: datetime) -> None:
    name = reading.named(certificate.subject)
    try:
        constraints = certificate.extensions.get_extension_for_class(
            x509.BasicConstraints
        ).value
        authority = constraints.ca
    except (x509.ExtensionNotFound, ValueError):
        authority = False
    # What a server signed itself may be believed as that one server.
    if not authority and not reading.signed_itself(certificate):
        raise InvalidInput(
            "trust.no-authority",
            f"“{name}” is the certificate of a server and no authority: give that of"
            f" the one that signed it, “{reading.named(certificate.issuer)}”.",
        )
    if now > certificate.not_valid_after_utc:
        raise InvalidInput(
            "trust.expired",
            f"“{name}” ended on {certificate.not_valid_after_utc:%Y-%m-%d}: ask for the"
            " newer one.",
        )


def _path(ways: Ways, certificate: x509.Certificate) -> Path:
    digest = certificate.fingerprint(hashes.SHA256()).hex()
    return ways.authorities / f"{digest}.pem"


def _authority(path: Path) -> Authority:
    found = reading.described(reading.chain(path.read_bytes(), str(path)))
    return Authority(path.stem[:12], found, path)


def _settle_owner(ways: Ways) -> None:
    """Give what root wrote to whom the home belongs to."""
    if os.geteuid() != 0:
        return
    home = ways.authorities.parent.stat()
    for each in (ways.authorities, *ways.authorities.iterdir()):
        os.chown(each, home.st_uid, home.st_gid)
