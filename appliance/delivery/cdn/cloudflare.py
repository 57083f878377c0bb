"""Cloudflare: a timed HMAC over the folder, in the query, which a WAF rule checks.

Its tokens say when they were issued, and the rule for how long they live: ours are
issued that long before they are to end. Its API forgets prefixes and whole hosts.
"""

import base64
import hmac
import json
from dataclasses import dataclass, field

from appliance.delivery.cdn.purging import Ask, Target
from appliance.delivery.cdn.signed import Grant, Signed
from appliance.errors import ServiceFailed
from appliance.secret_file import Section

LIFETIME_SECONDS = 86_400
"""What the rule is told. It bounds nothing: the time of issue is what we vary."""

_AT_ONCE = 30


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


def purge(ask: Ask, target: Target) -> None:
    """Forget folders, with an ``api_token`` that may purge the ``zone``."""
    api = ask.api("https://api.cloudflare.com/client/v4")
    url = f"{api}/zones/{ask.secrets['zone']}/purge_cache"
    head = {"Authorization": f"Bearer {ask.secrets['api_token']}"}
    if not target.assets:
        _check(ask.post_json(url, head, {"hosts": [target.host]}).body)
    for at in range(0, len(target.assets), _AT_ONCE):
        some = target.folders[at : at + _AT_ONCE]
        prefixes = [f"{target.host}{folder}" for folder in some]
        _check(ask.post_json(url, head, {"prefixes": prefixes}).body)


def timed_mac(secret: str, message: str, issued: int) -> bytes:
    """Return what ``is_timed_hmac_valid_v0`` compares."""
    return hmac.digest(secret.encode(), f"{message}{issued}".encode(), "sha256")


def _check(body: bytes) -> None:
    """Refuse an answer that does not say it was done: 200 alone does not."""
    try:
        done = json.loads(body).get("success") is True
    except (ValueError, AttributeError):
        done = False
    if not done:
        raise ServiceFailed(
            "cdn.service-refused",
            "Cloudflare did not forget it: its answer does not say so. Check the zone"
            " and the rights of the API token.",
        )
