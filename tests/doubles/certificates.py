"""A private key with its certificate, as an operator would have them."""

import functools
from datetime import UTC, datetime
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from tests.doubles.authority import Authority

_BEGINS, _ENDS = datetime(2026, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)


@functools.cache
def certified(name: str = "matinee", *, bits: int = 2048) -> bytes:
    """Return both as one PEM text; the same one for the same name."""
    key = rsa.generate_private_key(65537, bits)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(_BEGINS)
        .not_valid_after(_ENDS)
        .add_extension(x509.SubjectAlternativeName(_address(name)), critical=False)
        .sign(key, hashes.SHA256())
    )
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ) + certificate.public_bytes(serialization.Encoding.PEM)


def vouched(name: str) -> tuple[bytes, bytes]:
    """Return key and certificate as one PEM text, and the authority that signed it."""
    root = Authority("Example Root", begins=_BEGINS, ends=_ENDS)
    certificate, key = root.issue(name, begins=_BEGINS, ends=_ENDS)
    return key + certificate, root.pem


def _address(name: str) -> list[x509.GeneralName]:
    try:
        return [x509.IPAddress(ip_address(name))]
    except ValueError:
        return [x509.DNSName(name)]
