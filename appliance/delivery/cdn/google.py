"""Google Cloud CDN: an HMAC-SHA1 over the address's beginning, in query or cookie.

Its API forgets paths of a URL map.
"""

import base64
import binascii
import hmac
from contextlib import suppress
from dataclasses import dataclass, field

from appliance.delivery.cdn import google_access
from appliance.delivery.cdn.purging import Ask, Target
from appliance.delivery.cdn.signed import Grant, Signed
from appliance.secret_file import Section

COOKIE = "Cloud-CDN-Cookie"
_KEY_BYTES = 16


@dataclass(frozen=True, slots=True)
class Google:
    """Signs with one of the keys of a backend."""

    key_name: str
    key: bytes = field(repr=False)

    def sign(self, grant: Grant) -> Signed:
        return Signed(
            grant.folder,
            query=self._signed(grant, "&"),
            cookies={COOKIE: self._signed(grant, ":")},
        )

    def _signed(self, grant: Grant, between: str) -> str:
        """Return the policy with its signature; the order and the padding count."""
        prefix = base64.urlsafe_b64encode(f"{grant.base}{grant.folder}".encode())
        policy = between.join(
            (
                f"URLPrefix={prefix.decode()}",
                f"Expires={grant.expires}",
                f"KeyName={self.key_name}",
            )
        )
        digest = hmac.digest(self.key, policy.encode(), "sha1")
        signature = base64.urlsafe_b64encode(digest).decode()
        return f"{policy}{between}Signature={signature}"


def of_section(secrets: Section) -> Google:
    """Return the signer that the section ``[google]`` describes.

    Errors: ``ConfigError`` when the key is not sixteen bytes in base64url.
    """
    key = b""
    with suppress(binascii.Error, ValueError):
        key = base64.b64decode(secrets["key"].strip(), altchars=b"-_", validate=True)
    if len(key) != _KEY_BYTES:
        raise secrets.wrong(
            "“key” of section [google] must be 16 bytes in base64url, as the file that"
            " gcloud was given."
        )
    return Google(secrets["key_name"], key)


def purge(ask: Ask, target: Target) -> None:
    """Forget folders of the ``url_map`` of a ``project``."""
    api = ask.api("https://compute.googleapis.com/compute/v1")
    project, url_map = ask.secrets["project"], ask.secrets["url_map"]
    url = f"{api}/projects/{project}/global/urlMaps/{url_map}/invalidateCache"
    head = {"Authorization": f"Bearer {google_access.token(ask)}"}
    for folder in target.folders:
        ask.post_json(url, head, {"host": target.host, "path": f"{folder}*"})
