"""Bunny: an HMAC-SHA256 over the folder, in the path (its “advanced” token)."""

import base64
import hmac
from dataclasses import dataclass, field
from urllib.parse import quote

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


def signature(key: str, folder: str, expires: int) -> str:
    """Return the token; the parameters are signed as they are before quoting."""
    text = f"{folder}{expires}token_path={folder}"
    digest = hmac.digest(key.encode(), text.encode(), "sha256")
    return "HS256-" + base64.urlsafe_b64encode(digest).decode().rstrip("=")
