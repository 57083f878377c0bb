"""A certificate authority as a company or the world has one, with odd wishes too."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def written(key: object, password: bytes = b"") -> bytes:
    """Return a private key as PEM."""
    lock = (
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption()
    )
    return key.private_bytes(  # type: ignore[attr-defined, no-any-return]
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock
    )


@dataclass
class Authority:
    """Signs certificates; ``issuer`` is the one above it, None for a root."""

    name: str = "Example Root"
    issuer: "Authority | None" = None
    begins: datetime = NOW - timedelta(days=400)
    ends: datetime = NOW + timedelta(days=4000)
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1()), repr=False
    )

    def __post_init__(self) -> None:
        above = self.issuer or self
        self.certificate = _signed(
            *(self.name, above, self.key.public_key(), self.begins, self.ends),
            [],
            hashes.SHA256(),
            authority=True,
        )

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def issue(
        self,
        *names: str,
        key: object = None,
        begins: datetime = NOW - timedelta(days=10),
        ends: datetime = NOW + timedelta(days=80),
        digest: hashes.HashAlgorithm | None = None,
        common: str = "",
        at: str = "",
    ) -> tuple[bytes, bytes]:
        """Return the certificate of a server alone, and its key."""
        own = key or ec.generate_private_key(ec.SECP256R1())
        public = own.public_key()  # type: ignore[attr-defined]
        certificate = _signed(
            *(common or names[0], self, public, begins, ends, names),
            digest or hashes.SHA256(),
            at=at,
        )
        return certificate.public_bytes(serialization.Encoding.PEM), written(own)


def _signed(
    name: str,
    issuer: Authority,
    public: object,
    begins: datetime,
    ends: datetime,
    names: Sequence[str],
    digest: hashes.HashAlgorithm,
    *,
    authority: bool = False,
    at: str = "",
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer.name))
        .public_key(public)  # type: ignore[arg-type]
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()),
            False,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False)  # type: ignore[arg-type]
    )
    if names:
        listed = x509.SubjectAlternativeName([_general(each) for each in names])
        builder = builder.add_extension(listed, False)
    if at:
        place = x509.AccessDescription(
            AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier(at)
        )
        builder = builder.add_extension(x509.AuthorityInformationAccess([place]), False)
    return builder.sign(issuer.key, digest)  # type: ignore[arg-type]


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
