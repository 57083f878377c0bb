"""Cloudflare: a timed HMAC over the folder, in the query, which a WAF rule checks.

Its tokens say when they were issued, and the rule for how long they live: ours are
issued that long before they are to end.
"""

import base64
import hmac
from dataclasses import dataclass, field

from appliance.delivery.cdn.signed import Grant, Signed
from appliance.secret_file import Section

LIFETIME_SECONDS = 86_400
"""What the rule is told. It bounds nothing: the time of issue is what we vary."""


@dataclass(frozen=True, slots=True)
class Cloudflare:
    """Signs with the secret that stands in the rule."""

    secret: str = field(repr=False)

    def sign(self, grant: Grant) -> Signed:
        issued = grant.expires - LIFETIME_SECONDS
        mac = base64.urlsafe_b64encode(timed_mac(self.secret, grant.folder, issued))
        return Signed(grant.folder, query=f"verify={issued}-{mac.decode().rstrip('=')}")


def of_section(secrets: Section) -> Cloudflare:
    """Return the signer that the section ``[cloudflare]`` describes."""
    return Cloudflare(secrets["secret"])


def timed_mac(secret: str, message: str, issued: int) -> bytes:
    """Return what ``is_timed_hmac_valid_v0`` compares."""
    return hmac.digest(secret.encode(), f"{message}{issued}".encode(), "sha256")
