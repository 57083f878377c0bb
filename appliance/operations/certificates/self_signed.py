"""Certificates that this machine signs itself, and the names they are for."""

import os
import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from appliance.errors import InvalidInput
from appliance.operations.certificates import keys
from appliance.operations.certificates.accepting import Pair

DAYS = 800
"""How long one holds: Apple's devices take none of more than 825 days."""

_LONGEST_COMMON = 64
_SKEW = timedelta(hours=1)
_HOST = re.compile(r"(\*\.)?[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9])?", re.ASCII)
_LOCAL_V4 = re.compile(r"\|-- ([0-9.]+)\n\s+/32 host LOCAL")
_GLOBAL_SCOPE = "00"


def make(
    names: Iterable[str],
    now: datetime,
    days: int = DAYS,
    key: PrivateKeyTypes | None = None,
) -> Pair:
    """Return a certificate for names and addresses, the first of them its own.

    ``key`` is the one that it goes on with; else there is a new one.
    Errors: ``InvalidInput`` tls.names.
    """
    known = tuple(dict.fromkeys(each.strip("[]").lower() for each in names))
    if not known:
        raise InvalidInput("tls.names", "Name what the certificate is for: --name.")
    listed = x509.SubjectAlternativeName([_name(each) for each in known])
    private = keys.make() if key is None else key
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Matinee"),
            x509.NameAttribute(NameOID.COMMON_NAME, known[0][:_LONGEST_COMMON]),
        ]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(keys.signing(private).public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(listed, False)
        # No authority: whoever trusts it trusts this one server.
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
        .add_extension(_USAGE, True)
        .sign(keys.signing(private), hashes.SHA256())
    )
    return Pair(certificate.public_bytes(Encoding.PEM), keys.written(private))


def names_here(public: str, full: str) -> tuple[str, ...]:
    """Return what this machine is called: publicly, by itself, and its addresses.

    ``full`` is its name with its domain, as the name servers know it.
    """
    found = (public, full, os.uname().nodename, *_addresses())
    return tuple(dict.fromkeys(each.lower() for each in found if _nameable(each)))


def _nameable(name: str) -> bool:
    return name not in ("", "localhost", "localhost.localdomain") and bool(
        _HOST.fullmatch(name) or _is_address(name)
    )


def _addresses() -> Iterator[str]:
    """Yield the addresses of this machine, as the kernel lists them."""
    v4 = Path("/proc/net/fib_trie")
    if v4.is_file():
        yield from dict.fromkeys(
            each
            for each in _LOCAL_V4.findall(v4.read_text())
            if not ip_address(each).is_loopback
        )
    v6 = Path("/proc/net/if_inet6")
    for line in v6.read_text().splitlines() if v6.is_file() else ():
        packed, _, _, scope, *_ = line.split()
        if scope == _GLOBAL_SCOPE:
            yield str(ip_address(bytes.fromhex(packed)))


def _name(name: str) -> x509.GeneralName:
    if _is_address(name):
        return x509.IPAddress(ip_address(name))
    if not _HOST.fullmatch(name):
        raise InvalidInput(
            "tls.names", f"“{name[:80]}” is no name of a machine and no address."
        )
    return x509.DNSName(name)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


_USAGE = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)
