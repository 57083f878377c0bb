"""Keys in CPIX that are encrypted for us alone, and the certificate they are for.

The service makes a key for the document and one to authenticate with, and encrypts both
for our certificate (RSA-OAEP). Content keys come as IV and AES-256-CBC text together,
beside the HMAC-SHA512 of both, which is checked first.
"""

import hashlib
import hmac
from base64 import b64decode
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from lxml import etree

from appliance.errors import ConfigError
from appliance.protection.cpix import garbled, path, tag

RSA_OAEP = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"
AES_CBC = "http://www.w3.org/2001/04/xmlenc#aes256-cbc"
HMAC_SHA512 = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha512"

_LEAST_BITS = 2048
_IV_BYTES, _DOCUMENT_KEY_BYTES = 16, 32
# SHA-1 is what the standard names; OAEP does not lean on its collisions.
_OAEP = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)  # noqa: S303


@dataclass(frozen=True, slots=True)
class Recipient:
    """We, as a service sees us: a certificate, and the key to what it encrypts."""

    certificate: bytes
    key: rsa.RSAPrivateKey = field(repr=False)


@dataclass(frozen=True, slots=True)
class Opener:
    """Opens the content keys of one document."""

    document_key: bytes = field(repr=False)
    mac_key: bytes = field(repr=False)

    def open(self, secret: etree._Element) -> bytes:
        """Return the content key in a ``pskc:Secret``."""
        sealed = _cipher_value(secret.find(tag("pskc:EncryptedValue")), AES_CBC)
        mac = decoded(secret.findtext(tag("pskc:ValueMAC")))
        right = hmac.digest(self.mac_key, sealed, hashlib.sha512)
        if not hmac.compare_digest(right, mac):
            raise garbled("a key whose authentication code is wrong")
        return _unpadded(self.document_key, sealed)


def recipient(pem: bytes) -> Recipient:
    """Read a private key and its certificate out of one PEM file.

    Errors: ``ConfigError`` when either is missing, or they do not belong together.
    """
    found = _read_pem(pem)
    if found is not None:
        key, certificate = found
        if (
            isinstance(key, rsa.RSAPrivateKey)
            and key.key_size >= _LEAST_BITS
            and key.public_key() == certificate.public_key()
        ):
            der = certificate.public_bytes(serialization.Encoding.DER)
            return Recipient(der, key)
    raise ConfigError(
        "protection.document-key",
        "The file that “document_key” in section [speke] names must hold an RSA key of"
        " 2048 bits or more without a password, and the certificate of that key, both"
        " as PEM.",
    )


def opener(root: etree._Element, recipient: Recipient) -> Opener:
    """Return what opens the content keys of an answer."""
    data = _for_us(root, recipient)
    document = data.find(tag("cpix:DocumentKey"))
    value = data.find(
        path("cpix:DocumentKey", "cpix:Data", "pskc:Secret", "pskc:EncryptedValue")
    )
    method = data.find(tag("cpix:MACMethod"))
    if document is None or document.get("Algorithm") != AES_CBC:
        raise garbled("no document key for AES-256-CBC")
    if method is None or method.get("Algorithm") != HMAC_SHA512:
        raise garbled("no key for HMAC-SHA512")
    document_key = _rsa(recipient, value)
    if len(document_key) != _DOCUMENT_KEY_BYTES:
        raise garbled("a document key of another length")
    return Opener(document_key, _rsa(recipient, _mac_value(method)))


def decoded(text: str | None, length: int | None = None) -> bytes:
    """Read base64, which may be broken into lines, of so many bytes."""
    found = None
    try:
        found = b64decode("".join((text or "").split()), validate=True)
    except ValueError:
        found = None
    if not found or (length is not None and len(found) != length):
        raise garbled("a field that is missing or damaged")
    return found


def _read_pem(pem: bytes) -> tuple[object, x509.Certificate] | None:
    try:
        key = serialization.load_pem_private_key(pem, password=None)
        return key, x509.load_pem_x509_certificate(pem)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None


def _for_us(root: etree._Element, recipient: Recipient) -> etree._Element:
    """Return the delivery data that is meant for our certificate."""
    every = root.findall(path("cpix:DeliveryDataList", "cpix:DeliveryData"))
    for data in every:
        text = data.findtext(
            path("cpix:DeliveryKey", "ds:X509Data", "ds:X509Certificate")
        )
        if text and decoded(text) == recipient.certificate:
            return data
    raise garbled("keys that are not encrypted for our certificate")


def _mac_value(method: etree._Element) -> etree._Element | None:
    """Return the encrypted key of the MAC, which some put one level deeper."""
    key = method.find(tag("cpix:Key"))
    if key is None:
        return None
    deeper = key.find(tag("pskc:EncryptedValue"))
    return key if deeper is None else deeper


def _rsa(recipient: Recipient, value: etree._Element | None) -> bytes:
    sealed = _cipher_value(value, RSA_OAEP)
    try:
        return recipient.key.decrypt(sealed, _OAEP)
    except ValueError:
        pass
    raise garbled("a key that our private key does not open")


def _cipher_value(value: etree._Element | None, algorithm: str) -> bytes:
    if value is None:
        raise garbled("no encrypted value where one belongs")
    method = value.find(tag("enc:EncryptionMethod"))
    if method is None or method.get("Algorithm") != algorithm:
        raise garbled("a value that is encrypted by another method than agreed")
    return decoded(value.findtext(path("enc:CipherData", "enc:CipherValue")))


def _unpadded(key: bytes, sealed: bytes) -> bytes:
    iv, text = sealed[:_IV_BYTES], sealed[_IV_BYTES:]
    opened = None
    try:
        cipher = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
        padded = cipher.update(text) + cipher.finalize()
        unpadder = PKCS7(algorithms.AES.block_size).unpadder()
        opened = unpadder.update(padded) + unpadder.finalize()
    except ValueError:
        opened = None
    if opened is None:
        raise garbled("a key that the document key does not open")
    return opened
