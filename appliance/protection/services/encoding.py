"""The few forms of text that licence services want things in."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

_BITS = 128


def as_json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def base64_text(value: bytes) -> str:
    return base64.b64encode(value).decode()


def jwt(
    claims: Mapping[str, Any], key: bytes, algorithm: Literal["HS256", "HS512"]
) -> str:
    """Return the claims as a JSON Web Token (RFC 7519) with an HMAC."""
    head = {"alg": algorithm, "typ": "JWT"}
    signed = f"{_url_text(as_json(head))}.{_url_text(as_json(claims))}"
    digest = {"HS256": hashlib.sha256, "HS512": hashlib.sha512}[algorithm]
    return f"{signed}.{_url_text(hmac.new(key, signed.encode(), digest).digest())}"


def aes_cbc(key: bytes, iv: bytes, value: bytes) -> bytes:
    """Encrypt with AES in CBC mode, padded as PKCS #7 says."""
    padder = padding.PKCS7(_BITS).padder()
    padded = padder.update(value) + padder.finalize()
    encryptor = Cipher(AES(key), CBC(iv)).encryptor()
    return encryptor.update(padded) + encryptor.finalize()


def guid(kid: str) -> str:
    """Write a KID with the dashes of a GUID."""
    return "-".join((kid[:8], kid[8:12], kid[12:16], kid[16:20], kid[20:]))


def moment(at: datetime, **later: float) -> str:
    """Write a time in UTC to the second, as in 2026-01-02T12:00:00Z."""
    return (at + timedelta(**later)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _url_text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")
