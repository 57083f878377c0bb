"""Bunny: an HMAC-SHA256 over the folder, in the path (its “advanced” token).

Its API forgets what begins like an address with an asterisk.
"""

import base64
import hmac
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from appliance.delivery.cdn.purging import Ask, Target
from appliance.delivery.cdn.signed import Grant, Signed
from appliance.secret_file import Section


@dataclass(frozen=True, slots=True)
class Bunny:
    """Signs with the URL token authentication key of a pull zone."""

    key: str = field(repr=False)

    def sign(self, grant: Grant) -> Signed:
        token = f"bcdn_token={signature(self.key, grant.folder, grant.expires)}"
        folder = f"token_path={quote(grant.folder, safe='')}"
        return Signed(f"/{token}&{folder}&expires={grant.expires}{grant.folder}")


def of_section(secrets: Section) -> Bunny:
    """Return the signer that the section ``[bunny]`` describes."""
    return Bunny(secrets["key"])


def purge(ask: Ask, target: Target) -> None:
    """Forget folders, with the ``api_key`` of the account."""
    for folder in target.folders:
        query = urlencode({"url": f"{target.base}{folder}*"})
        ask.post(
            f"{ask.api('https://api.bunny.net')}/purge?{query}",
            {"AccessKey": ask.secrets["api_key"]},
        )


def signature(key: str, folder: str, expires: int) -> str:
    """Return the token; the parameters are signed as they are before quoting."""
    text = f"{folder}{expires}token_path={folder}"
    digest = hmac.digest(key.encode(), text.encode(), "sha256")
    return "HS256-" + base64.urlsafe_b64encode(digest).decode().rstrip("=")
