"""A key provider that speaks SPEKE v2, and refuses what the contract does not allow.

It returns the document it was sent with the blanks filled; keys follow from content
and KID. With a certificate in the document, it encrypts the keys for that.
"""

import hmac
import secrets
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from lxml import etree
from werkzeug.wrappers import Request, Response

CPIX = "{urn:dashif:org:cpix}"
PSKC = "{urn:ietf:params:xml:ns:keyprov:pskc}"
DS = "{http://www.w3.org/2000/09/xmldsig#}"
ENC = "{http://www.w3.org/2001/04/xmlenc#}"
FAIRPLAY = "94ce86fb-07ff-4f43-adb8-93d2fa968ca2"
KNOWN = (
    "edef8ba9-79d6-4ace-a3c8-27dcd51d21ed",
    "9a04f079-9840-4286-ab92-e65be0885f95",
    FAIRPLAY,
)
TRACK_TYPES = ("VIDEO", "AUDIO", "SD", "HD", "UHD", "STEREO_AUDIO", "ALL")
HEADERS = {
    "Content-Type": "application/xml; charset=utf-8",
    "X-Speke-Version": "2.0",
    "X-Speke-User-Agent": "double/1",
}
_OAEP = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)


class Refused(Exception):
    """The request is against the contract."""


def _unchanged(root: etree._Element) -> None:
    pass


@dataclass
class SpekeService:
    """The provider; tests change what it answers."""

    change: Callable[[etree._Element], None] = _unchanged
    headers: dict[str, str] = field(default_factory=lambda: dict(HEADERS))
    path: str = "/"
    authorization: str = ""

    def __call__(self, request: Request) -> Response:
        if request.headers.get("Authorization", "") != self.authorization:
            return Response("who are you?", 401)
        if request.path != self.path:
            return Response("no such address", 404)
        try:
            root = _accepted(request)
        except Refused as refused:
            return Response(str(refused), 422)
        self.fill(root)
        self.change(root)
        return Response(etree.tostring(root), 200, headers=self.headers)

    def key(self, content_id: str, kid: str) -> bytes:
        """Return the key of that KID (hexadecimal)."""
        return hmac.digest(b"of the service", f"{content_id}{kid}".encode(), "md5")

    def fill(self, root: etree._Element) -> None:
        """Write keys and boxes into the blanks of a document."""
        sealer = None
        for data in root.iter(f"{CPIX}DeliveryData"):
            sealer = _Sealer(data)
        for element in root.iter(f"{CPIX}ContentKey"):
            key = self.key(root.get("contentId"), UUID(element.get("kid")).hex)
            secret = _below(element, f"{CPIX}Data", f"{PSKC}Secret")
            if sealer:
                sealer.seal(secret, key)
            else:
                _below(secret, f"{PSKC}PlainValue").text = _text(key)
        for element in root.iter(f"{CPIX}DRMSystem"):
            _signal(element)


class _Sealer:
    """Encrypts keys for the certificate that a document brings."""

    def __init__(self, data: etree._Element) -> None:
        text = data.findtext(f"{CPIX}DeliveryKey/{DS}X509Data/{DS}X509Certificate")
        public = x509.load_der_x509_certificate(b64decode(text)).public_key()
        assert isinstance(public, rsa.RSAPublicKey)
        self.key, self.mac = secrets.token_bytes(32), secrets.token_bytes(64)
        document = _below(data, f"{CPIX}DocumentKey")
        document.set("Algorithm", "http://www.w3.org/2001/04/xmlenc#aes256-cbc")
        value = _below(
            document, f"{CPIX}Data", f"{PSKC}Secret", f"{PSKC}EncryptedValue"
        )
        _encrypted(value, "rsa-oaep-mgf1p", public.encrypt(self.key, _OAEP))
        method = _below(data, f"{CPIX}MACMethod")
        method.set("Algorithm", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha512")
        value = _below(method, f"{CPIX}Key")
        _encrypted(value, "rsa-oaep-mgf1p", public.encrypt(self.mac, _OAEP))

    def seal(self, secret: etree._Element, key: bytes) -> None:
        iv = secrets.token_bytes(16)
        padder = PKCS7(128).padder()
        cipher = Cipher(algorithms.AES(self.key), modes.CBC(iv)).encryptor()
        padded = padder.update(key) + padder.finalize()
        sealed = iv + cipher.update(padded) + cipher.finalize()
        _encrypted(_below(secret, f"{PSKC}EncryptedValue"), "aes256-cbc", sealed)
        mac = hmac.digest(self.mac, sealed, "sha512")
        _below(secret, f"{PSKC}ValueMAC").text = _text(mac)


def _accepted(request: Request) -> etree._Element:
    """Return the document, or say what is wrong in SPEKE's own words."""
    if request.method != "POST" or request.mimetype != "application/xml":
        raise Refused("Malformed encryption contract")
    if request.headers.get("X-Speke-Version") != "2.0":
        raise Refused("Unsupported SPEKE version")
    try:
        root = etree.fromstring(request.get_data())
    except etree.XMLSyntaxError as error:
        raise Refused("Malformed encryption contract") from error
    if root.tag != f"{CPIX}CPIX" or not root.get("contentId"):
        raise Refused("Missing CPIX@contentId")
    if not root.get("version"):
        raise Refused("Missing CPIX@version")
    if root.get("version") != "2.3":
        raise Refused("Unsupported CPIX@version")
    _check_keys(root)
    return root


def _check_keys(root: etree._Element) -> None:
    keys = _all(root, "ContentKeyList", "ContentKey")
    kids = {_kid(key) for key in keys}
    schemes = {key.get("commonEncryptionScheme") for key in keys}
    for key in keys:
        if not key.get("commonEncryptionScheme"):
            raise Refused(
                "Missing ContentKey@commonEncryptionScheme for KID " + key.get("kid")
            )
    if len(schemes) > 1 or not schemes <= {"cenc", "cens", "cbc1", "cbcs"}:
        raise Refused("Non compliant ContentKey@commonEncryptionScheme combination")
    for system in _all(root, "DRMSystemList", "DRMSystem"):
        if _kid(system) not in kids or system.get("systemId") not in KNOWN:
            raise Refused("Requested CPIX encryption contract not supported")
        if system.get("systemId") == FAIRPLAY and schemes != {"cbcs"}:
            raise Refused(
                "ContentKey@commonEncryptionScheme non compatible with DRMSystem "
                + FAIRPLAY
            )
    _check_rules(root, kids)


def _check_rules(root: etree._Element, kids: set[str]) -> None:
    rules = _all(root, "ContentKeyUsageRuleList", "ContentKeyUsageRule")
    types = [rule.get("intendedTrackType") for rule in rules]
    if "ALL" in types and len(types) > 1:
        raise Refused("Malformed encryption contract")
    if not set(types) <= set(TRACK_TYPES) or {_kid(rule) for rule in rules} != kids:
        raise Refused("Malformed encryption contract")
    for rule in rules:
        filters = [child.tag for child in rule]
        if not filters or not set(filters) <= {
            f"{CPIX}VideoFilter",
            f"{CPIX}AudioFilter",
        }:
            raise Refused("Malformed encryption contract")


def _all(root: etree._Element, outer: str, inner: str) -> list[etree._Element]:
    found: list[etree._Element] = root.findall(f"{CPIX}{outer}/{CPIX}{inner}")
    if not found:
        raise Refused("Missing CPIX encryption contract")
    return found


def _kid(element: etree._Element) -> str:
    try:
        return UUID(element.get("kid")).hex
    except (TypeError, ValueError, AttributeError) as error:
        raise Refused("Malformed encryption contract") from error


def _signal(element: etree._Element) -> None:
    """Fill the blanks of one key and key system."""
    kid, system = UUID(element.get("kid")), UUID(element.get("systemId"))
    box = pssh(system, b"of the double " + kid.bytes)
    fragment = f'<pssh xmlns="urn:mpeg:cenc:2013">{_text(box)}</pssh>'
    for blank in element:
        if blank.tag == f"{CPIX}PSSH":
            blank.text = _text(box)
        elif blank.tag == f"{CPIX}ContentProtectionData":
            blank.text = _text(fragment.encode())
        else:
            blank.text = _text(_line(blank.get("playlist"), kid, system).encode())


def _line(playlist: str, kid: UUID, system: UUID) -> str:
    tag = {"media": "#EXT-X-KEY", "master": "#EXT-X-SESSION-KEY"}[playlist]
    if str(system) != FAIRPLAY:
        return f'{tag}:METHOD=SAMPLE-AES,URI="data:text/plain;base64,AAAA"'
    return (
        f'{tag}:METHOD=SAMPLE-AES,URI="skd://double/{kid}",'
        'KEYFORMAT="com.apple.streamingkeydelivery",KEYFORMATVERSIONS="1"'
    )


def pssh(system: UUID, data: bytes) -> bytes:
    """Return a box of version 0."""
    inner = b"pssh" + bytes(4) + system.bytes + len(data).to_bytes(4, "big") + data
    return (4 + len(inner)).to_bytes(4, "big") + inner


def _encrypted(value: etree._Element, method: str, sealed: bytes) -> None:
    algorithm = _below(value, f"{ENC}EncryptionMethod")
    algorithm.set("Algorithm", f"http://www.w3.org/2001/04/xmlenc#{method}")
    _below(value, f"{ENC}CipherData", f"{ENC}CipherValue").text = _text(sealed)


def _below(parent: etree._Element, *names: str) -> etree._Element:
    for name in names:
        parent = etree.SubElement(parent, name)
    return parent


def _text(value: bytes) -> str:
    return b64encode(value).decode()
