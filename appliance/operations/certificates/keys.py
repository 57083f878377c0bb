"""Private keys of certificates: read, made, written, and found too weak."""

import contextlib
from collections.abc import Iterator
from typing import cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import (
    CertificateIssuerPrivateKeyTypes,
    PrivateKeyTypes,
)

from appliance.errors import InvalidInput
from appliance.operations.certificates import reading

_LEAST_RSA = 2048
_CURVES = ("secp256r1", "secp384r1", "secp521r1")
_ENCRYPTED = (b"BEGIN ENCRYPTED PRIVATE KEY", b"Proc-Type: 4,ENCRYPTED")
_BROKEN = (hashes.MD5, hashes.SHA1)


def make() -> ec.EllipticCurvePrivateKey:
    """Return a new key of the kind that every browser takes."""
    return ec.generate_private_key(ec.SECP256R1())


def read(content: bytes, whence: str = "The file") -> PrivateKeyTypes:
    """Return the key of a PEM text.

    Errors: ``InvalidInput`` tls.key-encrypted or tls.key-unreadable; the text is in
    none of them, nor in what led to them.
    """
    if any(sign in content for sign in _ENCRYPTED):
        raise InvalidInput(
            "tls.key-encrypted",
            f"{whence} is locked with a passphrase, which nobody could type at each"
            " start: openssl pkey -in KEY -out plain.pem, then chmod 600 plain.pem.",
        )
    found = None
    with contextlib.suppress(ValueError, TypeError):
        found = serialization.load_pem_private_key(_block(content), password=None)
    if found is None:
        raise InvalidInput(
            "tls.key-unreadable",
            f"{whence} holds no private key that can be read: it begins with -----BEGIN"
            " PRIVATE KEY----- (or RSA, EC).",
        )
    return found


def written(key: PrivateKeyTypes) -> bytes:
    """Return a key as PEM text."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def signing(key: PrivateKeyTypes) -> CertificateIssuerPrivateKeyTypes:
    """Return a key that was checked with :func:`weaknesses` as one that signs."""
    return cast(CertificateIssuerPrivateKeyTypes, key)


def belongs(key: PrivateKeyTypes, certificate: x509.Certificate) -> bool:
    """Say whether the certificate speaks of this key."""
    return _spki(key.public_key()) == _spki(certificate.public_key())


def weaknesses(
    key: PrivateKeyTypes, chain: tuple[x509.Certificate, ...]
) -> Iterator[str]:
    """Yield why browsers would not take it, each with what to ask for instead."""
    shown = reading.kind(key)
    if isinstance(key, rsa.RSAPrivateKey):
        if key.key_size < _LEAST_RSA:
            yield f"its key, {shown}, is too short: {_LEAST_RSA} bits are the least"
    elif not (
        isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in _CURVES
    ):
        yield f"browsers do not take its key, {shown}"
    for each in chain:
        signed = each.signature_hash_algorithm
        if isinstance(signed, _BROKEN) and not reading.signed_itself(each):
            yield (
                f"“{reading.named(each.subject)}” is signed with"
                f" {signed.name.upper()}, which anybody could forge"
            )


def _block(content: bytes) -> bytes:
    """Return the key out of a text that may hold certificates and parameters too."""
    lines, inside = list[bytes](), False
    for line in content.splitlines():
        if b"-----BEGIN" in line and line.rstrip().endswith(b"PRIVATE KEY-----"):
            inside = True
        if inside:
            lines.append(line)
        if b"-----END" in line and inside:
            break
    return b"\n".join(lines) + b"\n"


def _spki(key: object) -> bytes:
    public = cast(rsa.RSAPublicKey, key)
    return public.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
