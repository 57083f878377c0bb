"""The edges of CDNs, as their vendors say that they check what is asked of them.

Each answers with the status for an address at a time: 200 or a refusal. None of them
shares a line with what signs.
"""

import base64
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from akamai.edgeauth import EdgeAuth
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

NO_COOKIES: Mapping[str, str] = {}


class Edge(Protocol):
    """What answers for a CDN."""

    def status(
        self, url: str, now: int, cookies: Mapping[str, str] = NO_COOKIES
    ) -> int: ...


@dataclass(frozen=True)
class CloudFrontEdge:
    """Verifies policies with the public key; cookies count as the query does."""

    key_id: str
    public: rsa.RSAPublicKey

    def status(
        self, url: str, now: int, cookies: Mapping[str, str] = NO_COOKIES
    ) -> int:
        parts = urlsplit(url)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        given = query or {
            name.removeprefix("CloudFront-"): value for name, value in cookies.items()
        }
        try:
            policy, signature = (
                base64.b64decode(
                    given[name].translate(str.maketrans("-_~", "+=/")), validate=True
                )
                for name in ("Policy", "Signature")
            )
            self.public.verify(
                signature,
                policy,
                padding.PKCS1v15(),
                hashes.SHA1(),
            )
        except (KeyError, InvalidSignature):
            return 403
        (statement,) = json.loads(policy)["Statement"]
        asked = f"{parts.scheme}://{parts.netloc}{parts.path}"
        until = statement["Condition"]["DateLessThan"]["AWS:EpochTime"]
        right = given["Key-Pair-Id"] == self.key_id
        return (
            200
            if right and fnmatchcase(asked, statement["Resource"]) and (now < until)
            else 403
        )


@dataclass(frozen=True)
class AkamaiEdge:
    """Lets Akamai's own library make the token that should have come."""

    key: str

    def status(
        self, url: str, now: int, cookies: Mapping[str, str] = NO_COOKIES
    ) -> int:
        parts = urlsplit(url)
        token = parse_qs(parts.query).get("hdnts", [""])[0]
        fields = dict(each.split("=", 1) for each in token.split("~") if "=" in each)
        if not {"exp", "acl", "hmac"} <= set(fields):
            return 403
        library = EdgeAuth(
            token_name="hdnts", key=self.key, end_time=int(fields["exp"])
        )
        right = library.generate_acl_token(fields["acl"]) == token
        fits = fnmatchcase(parts.path, fields["acl"])
        return 200 if right and fits and now < int(fields["exp"]) else 403


@dataclass(frozen=True)
class GoogleEdge:
    """Takes the query or the cookie, whose parts stand between colons."""

    key_name: str
    key: bytes

    def status(
        self, url: str, now: int, cookies: Mapping[str, str] = NO_COOKIES
    ) -> int:
        text = urlsplit(url).query or cookies.get("Cloud-CDN-Cookie", "")
        match = re.fullmatch(
            r"(URLPrefix=([\w=-]+)([&:])Expires=(\d+)[&:]KeyName=([\w-]+))"
            r"[&:]Signature=([\w=-]+)",
            text,
        )
        if match is None:
            return 403
        signed, prefix, _, until, name, signature = match.groups()
        right = base64.urlsafe_b64encode(hmac.digest(self.key, signed.encode(), "sha1"))
        asked = url.partition("?")[0]
        allowed = (
            right.decode() == signature
            and name == self.key_name
            and asked.startswith(base64.urlsafe_b64decode(prefix).decode())
        )
        return 200 if allowed and now < int(until) else 403


@dataclass(frozen=True)
class BunnyEdge:
    """Reads a directory token out of the first part of the path."""

    key: str

    def status(
        self, url: str, now: int, cookies: Mapping[str, str] = NO_COOKIES
    ) -> int:
        _, first, rest = urlsplit(url).path.split("/", 2)
        fields = dict(each.split("=", 1) for each in first.split("&") if "=" in each)
        path = unquote(fields.get("token_path", ""))
        token = fields.get("bcdn_token", "").removeprefix("HS256-")
        until = fields.get("expires", "0")
        text = f"{path}{until}token_path={path}"
        right = base64.urlsafe_b64encode(
            hmac.digest(self.key.encode(), text.encode(), "sha256")
        )
        allowed = right.decode().rstrip("=") == token and f"/{rest}".startswith(path)
        return 200 if path and allowed and now < int(until) else 403


@dataclass(frozen=True)
class CloudflareEdge:
    """Applies the rule that ``matinee cdn setup cloudflare`` prints."""

    secret: str
    lifetime: int
    lengths: tuple[int, ...]

    def status(
        self, url: str, now: int, cookies: Mapping[str, str] = NO_COOKIES
    ) -> int:
        parts = urlsplit(url)
        return (
            200
            if any(
                self._is_valid(f"{parts.path[:length]}?{parts.query}", now)
                for length in self.lengths
            )
            else 403
        )

    def _is_valid(self, message_mac: str, now: int) -> bool:
        """``is_timed_hmac_valid_v0`` with a separator of 8 and the flag “s”."""
        match = re.fullmatch(r"(.*).{8}(\d{10})-([\w-]{43})", message_mac)
        if match is None or not message_mac[-62:].startswith("?verify="):
            return False
        message, issued, mac = match.groups()
        right = base64.urlsafe_b64encode(
            hmac.digest(self.secret.encode(), f"{message}{issued}".encode(), "sha256")
        )
        fits = right.decode().rstrip("=") == mac
        return fits and now < int(issued) + self.lifetime


@dataclass(frozen=True)
class FastlyEdge:
    """Does what the VCL does: 403 for a wrong token, 410 for one that ran out."""

    key: bytes

    def status(
        self, url: str, now: int, cookies: Mapping[str, str] = NO_COOKIES
    ) -> int:
        parts = urlsplit(url)
        match = re.match(r"token=(\d{10,11})_([^&]+)", parts.query)
        folder = re.match(r"/media/[0-9a-f]{16}/[a-z0-9]+/", parts.path)
        if match is None or folder is None:
            return 403
        until, signature = match.groups()
        text = f"{folder[0]}{until}"
        if hmac.digest(self.key, text.encode(), "sha1").hex() != signature:
            return 403
        return 410 if now > int(until) else 200
