"""AWS Signature Version 4: the head of a request that proves who sent it.

Amazon's own services ask for it, and object stores that speak S3.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote, unquote, urlsplit

_ALGORITHM = "AWS4-HMAC-SHA256"
_UNRESERVED = "-_.~"


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs for one service in one region, with one pair of keys.

    ``session_token`` belongs to keys that are lent for a while. For the service ``s3``
    paths are signed as they stand; others have them quoted once more.
    """

    access_key: str
    secret_key: str = field(repr=False)
    region: str
    service: str
    session_token: str = field(default="", repr=False)

    def headers(
        self,
        method: str,
        url: str,
        now: datetime,
        *,
        body_hash: str,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, str]:
        """Return ``headers`` and those that sign the request.

        ``url`` is what will be asked for, quoted as it will be sent; ``body_hash`` is
        :func:`hash_of` the body, or a word that the service takes in its place.
        """
        at = now.astimezone(UTC)
        stamp = at.strftime("%Y%m%dT%H%M%SZ")
        parts = urlsplit(url)
        signed = {
            **{name.lower(): value for name, value in (headers or {}).items()},
            "host": parts.netloc,
            "x-amz-date": stamp,
        }
        if self.service == "s3":
            signed["x-amz-content-sha256"] = body_hash
        if self.session_token:
            signed["x-amz-security-token"] = self.session_token
        names = sorted(signed)
        canonical = "\n".join(
            [
                method,
                self._path(parts.path),
                _query(parts.query),
                *(f"{name}:{' '.join(signed[name].split())}" for name in names),
                "",
                ";".join(names),
                body_hash,
            ]
        )
        scope = f"{at:%Y%m%d}/{self.region}/{self.service}/aws4_request"
        text = "\n".join([_ALGORITHM, stamp, scope, hash_of(canonical.encode())])
        signature = hmac.new(self._key(at), text.encode(), hashlib.sha256).hexdigest()
        signed["authorization"] = (
            f"{_ALGORITHM} Credential={self.access_key}/{scope},"
            f" SignedHeaders={';'.join(names)}, Signature={signature}"
        )
        return signed

    def _path(self, path: str) -> str:
        if self.service == "s3":
            return path or "/"
        return quote(path, safe="/" + _UNRESERVED) or "/"

    def _key(self, at: datetime) -> bytes:
        key = f"AWS4{self.secret_key}".encode()
        for word in (f"{at:%Y%m%d}", self.region, self.service, "aws4_request"):
            key = hmac.digest(key, word.encode(), "sha256")
        return key


def hash_of(body: bytes) -> str:
    """Return the hash of a body as it stands in a signature."""
    return hashlib.sha256(body).hexdigest()


def _query(text: str) -> str:
    pairs = [each.partition("=") for each in text.split("&") if each]
    quoted = sorted((_quoted(name), _quoted(value)) for name, _, value in pairs)
    return "&".join(f"{name}={value}" for name, value in quoted)


def _quoted(text: str) -> str:
    return quote(unquote(text), safe=_UNRESERVED)
