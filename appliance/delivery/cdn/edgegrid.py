"""Akamai's EdgeGrid: the head of a request to its APIs that proves who sent it."""

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

from appliance.secret_file import Section


@dataclass(frozen=True, slots=True)
class EdgeGrid:
    """The three words of an API client, as Akamai's Control Center gives them."""

    client_token: str
    client_secret: str = field(repr=False)
    access_token: str = field(repr=False)

    def authorization(
        self, method: str, url: str, body: bytes, now: datetime, nonce: str
    ) -> str:
        """Return the header ``Authorization`` of a request."""
        stamp = now.astimezone(UTC).strftime("%Y%m%dT%H:%M:%S+0000")
        unsigned = (
            f"EG1-HMAC-SHA256 client_token={self.client_token}"
            f";access_token={self.access_token};timestamp={stamp};nonce={nonce};"
        )
        parts = urlsplit(url)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        hashed = hashlib.sha256(body).digest() if method == "POST" and body else b""
        told = [
            method,
            parts.scheme,
            parts.netloc,
            target,
            "",  # no header is signed
            base64.b64encode(hashed).decode(),
            unsigned,
        ]
        key = _signature(self.client_secret, stamp)
        return f"{unsigned}signature={_signature(key, chr(9).join(told))}"


def of_section(secrets: Section) -> EdgeGrid:
    """Return the API client that the section ``[akamai]`` names."""
    return EdgeGrid(
        secrets["client_token"], secrets["client_secret"], secrets["access_token"]
    )


def _signature(key: str, text: str) -> str:
    return base64.b64encode(hmac.digest(key.encode(), text.encode(), "sha256")).decode()
