"""Access to Google's APIs with the key file of a service account."""

import base64
import json
from collections.abc import Mapping
from urllib.parse import urlencode

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from appliance.delivery.cdn.purging import Ask
from appliance.errors import ServiceFailed

_SCOPE = "https://www.googleapis.com/auth/compute"
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_USUAL = "https://oauth2.googleapis.com/token"
_SECONDS = 600


def token(ask: Ask) -> str:
    """Return an access token of a few minutes, asked for with a signed statement.

    Errors: ``ConfigError`` when the key file is none, ``ServiceFailed`` cdn.service.
    """
    email, key = _account(ask)
    address = str(ask.secrets.get("token_api") or _USUAL)
    now = int(ask.now.timestamp())
    claims: Mapping[str, str | int] = {
        "iss": email,
        "scope": _SCOPE,
        "aud": address,
        "iat": now,
        "exp": now + _SECONDS,
    }
    text = f"{_part({'alg': 'RS256', 'typ': 'JWT'})}.{_part(claims)}"
    signature = _plain(key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))
    form = urlencode({"grant_type": _GRANT, "assertion": f"{text}.{signature}"})
    answer = ask.post(
        address, {"Content-Type": "application/x-www-form-urlencoded"}, form.encode()
    )
    return _token_in(answer.body)


def _account(ask: Ask) -> tuple[str, rsa.RSAPrivateKey]:
    content = ask.secrets.private_file("service_account")
    try:
        document = json.loads(content)
        key = load_pem_private_key(document["private_key"].encode(), password=None)
        email = document["client_email"]
    except (ValueError, KeyError, TypeError, AttributeError):
        key, email = None, ""
    if isinstance(key, rsa.RSAPrivateKey) and isinstance(email, str) and email:
        return email, key
    # Outside of the handler: its error would hold what stands in the file.
    raise ask.secrets.wrong(
        "“service_account” of section [google] must name the JSON key file of a service"
        " account."
    )


def _token_in(body: bytes) -> str:
    try:
        found = json.loads(body)["access_token"]
    except (ValueError, KeyError, TypeError):
        found = None
    if isinstance(found, str):
        return found
    raise ServiceFailed("cdn.service-garbled", "Google gave no access token.")


def _part(document: Mapping[str, str | int]) -> str:
    return _plain(json.dumps(document, separators=(",", ":")).encode())


def _plain(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
