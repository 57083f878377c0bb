"""Certificates as people see them: whose, for which names, until when."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.x509.oid import NameOID

from appliance.errors import InvalidInput

_LARGEST = 256 * 1024
_SECONDS_IN_DAY = 86400
_TEXT = b"-----BEGIN "


@dataclass(frozen=True, slots=True)
class Certificate:
    """What stands in a certificate; ``chain`` are the subjects of those above it.

    ``fingerprint`` is SHA-256 as browsers show it: pairs in capitals with colons.
    """

    subject: str
    issuer: str
    names: tuple[str, ...]
    begins: datetime
    ends: datetime
    fingerprint: str
    key: str
    self_signed: bool
    chain: tuple[str, ...]

    def days_left(self, now: datetime) -> int:
        """Return the whole days until it ends; below zero after that."""
        return math.floor((self.ends - now).total_seconds() / _SECONDS_IN_DAY)

    def covers(self, host: str) -> bool:
        """Say whether browsers take it for this name or address."""
        return any(_means(name, host.strip("[]").lower()) for name in self.names)


def chain(content: bytes, whence: str = "The file") -> tuple[x509.Certificate, ...]:
    """Return the certificates of a PEM text, in their order.

    Errors: ``InvalidInput`` tls.unreadable, with how the right form is made.
    """
    if len(content) > _LARGEST:
        raise unreadable(f"{whence} is much too large for a certificate.")
    if _TEXT not in content:
        raise unreadable(f"{whence} is not in PEM form. {_conversion(content)}")
    try:
        found = x509.load_pem_x509_certificates(content)
    except ValueError:
        found = []
    if not found:
        raise unreadable(
            f"{whence} holds no certificate that can be read: it begins with"
            " -----BEGIN CERTIFICATE-----."
        )
    return tuple(found)


def described(certificates: Sequence[x509.Certificate]) -> Certificate:
    """Return what stands in the first of a chain."""
    leaf = certificates[0]
    digest = leaf.fingerprint(hashes.SHA256()).hex().upper()
    return Certificate(
        subject=named(leaf.subject),
        issuer=named(leaf.issuer),
        names=_names(leaf),
        begins=leaf.not_valid_before_utc,
        ends=leaf.not_valid_after_utc,
        fingerprint=":".join(digest[at : at + 2] for at in range(0, len(digest), 2)),
        key=kind(leaf.public_key()),
        self_signed=signed_itself(leaf),
        chain=tuple(named(each.subject) for each in certificates[1:]),
    )


def signed_itself(certificate: x509.Certificate) -> bool:
    return issued(certificate, certificate)


def issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Say whether one certificate was signed with the key of the other."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def named(name: x509.Name) -> str:
    """Return the common name, else the whole name."""
    common = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(common[0].value) if common else name.rfc4514_string()


def kind(key: object) -> str:
    """Return what kind of key it is, as “RSA 2048”."""
    match key:
        case rsa.RSAPublicKey() | rsa.RSAPrivateKey():
            return f"RSA {key.key_size}"
        case ec.EllipticCurvePublicKey() | ec.EllipticCurvePrivateKey():
            return f"EC {key.curve.name}"
        case ed25519.Ed25519PublicKey() | ed25519.Ed25519PrivateKey():
            return "Ed25519"
        case ed448.Ed448PublicKey() | ed448.Ed448PrivateKey():
            return "Ed448"
    return type(key).__name__


def unreadable(sentence: str) -> InvalidInput:
    return InvalidInput("tls.unreadable", sentence)


def _conversion(content: bytes) -> str:
    """Say how what this seems to be is turned into PEM."""
    try:
        x509.load_der_x509_certificate(content)
    except ValueError:
        return (
            "From a .pfx or .p12, make both files: openssl pkcs12 -in FILE -nodes -out"
            " both.pem, and give it as certificate and as key."
        )
    return "Convert it: openssl x509 -inform der -in FILE -out certificate.pem."


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        found = certificate.extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        ).value
    except (x509.ExtensionNotFound, ValueError):
        return ()
    hosts = found.get_values_for_type(x509.DNSName)
    addresses = found.get_values_for_type(x509.IPAddress)
    return (*(name.lower() for name in hosts), *map(str, addresses))


def _means(name: str, host: str) -> bool:
    """Say whether a name of a certificate means a host; ``*`` is one label."""
    try:
        return ip_address(name) == ip_address(host)
    except ValueError:
        pass
    first, _, rest = host.partition(".")
    return name == host or (bool(first and rest) and name == f"*.{rest}")
