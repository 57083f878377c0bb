"""A viewer that nobody is: asks a CDN for a film, and looks at what comes."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from appliance import calls
from appliance.calls import Answer
from appliance.delivery import shield, tokens
from appliance.delivery.cdn.signed import Grant, Signed, Signer
from appliance.delivery.routes import Route
from appliance.delivery.tokens import Algorithm, Keys, Scope
from appliance.outbound import Ways

_TIMEOUT_SECONDS = 20.0
_LARGEST = 256 * 1024 * 1024
# Akamai says how it answered only to whoever asks.
_ALWAYS = {"Pragma": "akamai-x-cache-on"}
_HEADERS = (
    *("X-Cache", "CF-Cache-Status", "CDN-Cache", "X-Cache-Status", "Cache-Status"),
    *("X-Edge-Cache", "CDN-Cache-Status"),
)
_SECRET = re.compile(r"[A-Za-z0-9_~-]{20,}")
NO_HEADERS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Visitor:
    """Signs and asks for files of one asset at a CDN.

    ``signer`` is None for a CDN that checks our own tokens, made with ``keys``.
    """

    route: Route
    asset: str
    keys: Keys = field(repr=False)
    algorithm: Algorithm
    ways: Ways
    signer: Signer | None = None
    service: str = "The CDN"

    def signed(self, expires: int) -> Signed:
        """Return the folder of the asset as somebody is given it, each time anew."""
        if self.signer is not None:
            folder = shield.folder(self.asset, Scope.ALL)
            return self.signer.sign(Grant(self.route.base, folder, expires))
        session = secrets.token_hex(8)
        token = tokens.sign(
            self.keys, self.asset, session, expires, Scope.ALL, self.algorithm
        )
        return Signed(f"/media/{token}/{self.asset}/")

    def bare(self) -> Signed:
        """Return the folder as it stands without any signature."""
        if self.signer is not None:
            return Signed(shield.folder(self.asset, Scope.ALL))
        return Signed(f"/media/-/{self.asset}/")

    def foreign(self, expires: int) -> Signed:
        """Return the folder with the signature for another asset's."""
        other = replace(self, asset=_other(self.asset)).signed(expires)
        path = other.path.rpartition(f"/{_other(self.asset)}/")
        return replace(other, path=f"{path[0]}/{self.asset}/{path[2]}")

    def get(
        self, signed: Signed, name: str, headers: Mapping[str, str] = NO_HEADERS
    ) -> Answer:
        """Ask for a file of the folder; whatever the answer is, it is returned."""
        query = f"?{signed.query}" if signed.query else ""
        return self.ask(f"{signed.path}{name}{query}", headers)

    def ask(
        self, path: str, headers: Mapping[str, str] = NO_HEADERS, base: str = ""
    ) -> Answer:
        """Ask for a path, at the CDN or at another ``base``.

        Errors: as of :func:`appliance.calls.ask`, with codes of ``cdn.service``.
        """
        return calls.ask(
            "GET",
            f"{base or self.route.base}{path}",
            ways=self.ways,
            headers={**_ALWAYS, **headers},
            body=b"",
            timeout=_TIMEOUT_SECONDS,
            service="The origin" if base else self.service,
            code="cdn.service",
            largest=_LARGEST,
        )


def tampered(signed: Signed) -> Signed:
    """Return the same with one letter of its secret part changed."""
    text = signed.query or signed.path
    secret = max(_SECRET.findall(text), key=len)
    middle = len(secret) // 2
    letter = "0" if secret[middle] != "0" else "1"
    changed = text.replace(secret, f"{secret[:middle]}{letter}{secret[middle + 1 :]}")
    return (
        replace(signed, query=changed)
        if signed.query
        else replace(signed, path=changed)
    )


def from_cache(answer: Answer) -> bool | None:
    """Say whether the answer came out of a cache; None where nothing tells."""
    told = [answer.headers[name] for name in _HEADERS if answer.headers.get(name)]
    if any("hit" in each.lower() for each in told):
        return True
    age = answer.headers.get("Age", "")
    if age.isdigit() and int(age) > 0:
        return True
    return False if told or age else None


def _other(asset: str) -> str:
    """Return the id of an asset that there is not."""
    return asset[::-1] if asset != asset[::-1] else "f" * len(asset)
