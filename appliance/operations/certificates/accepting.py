"""Whether a certificate may be put into use; what is wrong is said with its repair."""

import itertools
import re
import warnings
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID as Access

from appliance.errors import InvalidInput, MatineeError
from appliance.operations.certificates import keys, reading
from appliance.operations.certificates.reading import Certificate

_OTHERS = 0o007
_BLOCK = re.compile(
    rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate with its chain and its key, as the PEM texts of their files."""

    certificate: bytes
    key: bytes

    def __repr__(self) -> str:
        return "Pair(…)"

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        return reading.chain(self.certificate, "The certificate")

    @property
    def described(self) -> Certificate:
        return reading.described(self.chain)


def read(certificate: Path, key: Path) -> Pair:
    """Read an operator's files.

    Errors: ``InvalidInput`` tls.missing, or tls.key-open when others may read the key.
    """
    found = Pair(_content(certificate), _content(key))
    if key.stat().st_mode & _OTHERS:
        raise InvalidInput(
            "tls.key-open",
            f"Everybody on this machine may read {key}. Say chmod 600 {key}; and if"
            " others were here, have the certificate made anew with another key.",
        )
    return found


def authorities(bundle: Path) -> tuple[x509.Certificate, ...]:
    """Return the authorities of a file, all that can be read."""
    found = []
    with warnings.catch_warnings():
        # Some authorities of the world are odd (a serial number of zero), and count.
        warnings.simplefilter("ignore")
        for block in _BLOCK.findall(bundle.read_bytes()):
            with suppress(ValueError):
                found.append(x509.load_pem_x509_certificate(block))
    return tuple(found)


def require(
    pair: Pair,
    host: str,
    now: datetime,
    trusted: Sequence[x509.Certificate] | None,
) -> Certificate:
    """Return what stands in the certificate, if browsers would take it for ``host``.

    ``trusted`` are the authorities that this machine believes, None where it does not
    matter who is at the end of the chain; an empty ``host`` is not looked for.
    Errors: ``InvalidInput``, for the first thing that is wrong.
    """
    chain = pair.chain
    key = keys.read(pair.key, "The key")
    found = reading.described(chain)
    for trouble in (
        _of_key(chain, pair.key),
        _of_time(found, now),
        _of_name(found, host),
        _of_chain(chain, trusted),
        _of_dates_above(chain, now),
    ):
        if trouble is not None:
            raise trouble
    for weakness in keys.weaknesses(key, chain):
        raise _refused(
            "weak",
            f"The certificate is too weak: {weakness}. Have it made anew, with an EC"
            " key P-256 or RSA 2048, signed with SHA-256.",
        )
    return found


def trouble_above(
    pair: Pair, now: datetime, trusted: Sequence[x509.Certificate] | None
) -> MatineeError | None:
    """Return what is wrong with those above the certificate; None when nothing is."""
    return _of_chain(pair.chain, trusted) or _of_dates_above(pair.chain, now)


def _of_key(chain: Sequence[x509.Certificate], text: bytes) -> MatineeError | None:
    key = keys.read(text, "The key")
    if keys.belongs(key, chain[0]):
        return None
    if any(keys.belongs(key, each) for each in chain):
        return _refused(
            "order",
            "The certificates are in the wrong order: that of this server comes first,"
            " then the one that signed it, and so on.",
        )
    return _refused(
        "key-mismatch",
        "The key does not belong to this certificate: give the one that the request"
        " for it was made with, or have the certificate made anew.",
    )


def _of_time(found: Certificate, now: datetime) -> MatineeError | None:
    if now > found.ends:
        return _refused(
            "expired",
            f"The certificate ended on {found.ends:%Y-%m-%d}: have it renewed.",
        )
    if now < found.begins:
        return _refused(
            "not-yet",
            f"The certificate begins on {found.begins:%Y-%m-%d %H:%M} UTC, and here it"
            f" is {now:%Y-%m-%d %H:%M}: wait for it, or put this machine’s clock right"
            " (timedatectl).",
        )
    return None


def _of_name(found: Certificate, host: str) -> MatineeError | None:
    if not host or found.covers(host):
        return None
    held = ", ".join(found.names) or "no name at all"
    common = (
        " Browsers do not look at the common name."
        if found.subject.lower() == host.lower()
        else ""
    )
    return _refused(
        "name",
        f"The certificate is for {held}, and people type {host}:{common} have it made"
        f" with {host} among its alternative names, or set portal.public_url to a name"
        " that it holds.",
    )


def _of_chain(
    chain: Sequence[x509.Certificate], trusted: Sequence[x509.Certificate] | None
) -> MatineeError | None:
    for lower, upper in itertools.pairwise(chain):
        if not reading.issued(lower, upper):
            return _misplaced(chain, lower)
    last = chain[-1]
    if trusted is None:
        return None
    known = any(reading.issued(last, each) for each in trusted)
    if known or reading.signed_itself(last):
        return None
    issuer = reading.named(last.issuer)
    return _refused(
        "chain",
        f"The chain is incomplete: “{issuer}”, which signed"
        f" “{reading.named(last.subject)}”, is missing, and no authority that this"
        f" machine knows. Append its certificate to the file{_where(last)}; if it is"
        " your company’s own, first say: matinee trust add FILE.",
    )


def _misplaced(
    chain: Sequence[x509.Certificate], lower: x509.Certificate
) -> MatineeError:
    """Return what is wrong where one certificate was not signed by the next."""
    if any(reading.issued(lower, each) for each in chain if each is not lower):
        return _refused(
            "order",
            "The certificates are in the wrong order: after"
            f" “{reading.named(lower.subject)}” comes the one that signed it,"
            f" “{reading.named(lower.issuer)}”.",
        )
    return _refused(
        "chain",
        f"The chain is incomplete: after “{reading.named(lower.subject)}” must come"
        f" “{reading.named(lower.issuer)}”, which signed it{_where(lower)}.",
    )


def _of_dates_above(
    chain: Sequence[x509.Certificate], now: datetime
) -> MatineeError | None:
    for each in chain[1:]:
        if not each.not_valid_before_utc <= now <= each.not_valid_after_utc:
            return _refused(
                "chain-expired",
                f"“{reading.named(each.subject)}” in the chain holds from"
                f" {each.not_valid_before_utc:%Y-%m-%d} to"
                f" {each.not_valid_after_utc:%Y-%m-%d}: take the newer one of its"
                " authority.",
            )
    return None


def _where(certificate: x509.Certificate) -> str:
    """Say where the certificate above lies, where it says so itself."""
    try:
        access = certificate.extensions.get_extension_for_class(
            x509.AuthorityInformationAccess
        ).value
    except (x509.ExtensionNotFound, ValueError):
        return ""
    for each in access:
        location = each.access_location
        if each.access_method == Access.CA_ISSUERS and isinstance(
            location, x509.UniformResourceIdentifier
        ):
            return f" (it lies at {location.value})"
    return ""


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        trouble = error.strerror or str(error)
    raise InvalidInput("tls.missing", f"{path} can’t be read: {trouble}.")


def _refused(code: str, sentence: str) -> InvalidInput:
    return InvalidInput(f"tls.{code}", sentence)
